"""Pairs that nothing competes with: found by dictionaries, judged by their comparison alone.

Most files of two libraries share no key with any file but their own counterpart. Nothing about the
others can change what such a pair is, so it needs no row, no column and no group; only the rest of
the library is put into tables.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from plexsync.matching.answers import People, listen
from plexsync.matching.comparing.blocking import FileCandidates, prepare_files, prepare_parts
from plexsync.matching.decision import MatchSettings, Table, judge, score_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plexsync.matching.comparing.blocking import FileKeys, Key, Ours, Theirs
    from plexsync.matching.comparing.comparison import Comparer
    from plexsync.matching.comparing.weighing import Assessment, Kind, Option, Scale
    from plexsync.models import PlexItem, RatingKey, Scene, SceneId
    from plexsync.text.normalize import NormalizedPath

_NONE, _SEVERAL = -1, -2


class Free(NamedTuple):
    """What may be in a pair that is decided without a look at others.

    Attributes:
        due: how many of the scenes are decided about; those after them may not.
        people: people's answers; the scenes and items they are about may not.
        owners: items linked to scenes that are not decided about, which may not.
    """

    due: int
    people: People = listen((), ())
    owners: Mapping[RatingKey, SceneId] = {}

    def has_scene(self, position: int, scene: Scene) -> bool:
        """Whether a scene may: it is one file that is decided about, and nobody spoke of it."""
        answered = scene.scene_id in self.people.pins or scene.scene_id in self.people.refusals
        return position < self.due and len(scene.files) == 1 and not answered

    def has_item(self, item: PlexItem) -> bool:
        """Whether an item may: it is one file, and nobody holds it."""
        held = item.rating_key in self.people.pinned or item.rating_key in self.owners
        return len(item.files) == 1 and not held


class Sure(NamedTuple):
    """What speaks for pairs of a kind that is HIGH where nothing competes, and their score."""

    weighed: Assessment
    score: float

    @property
    def is_open(self) -> bool:
        """Whether a content hash could refute such a pair, where the bytes confirm nothing."""
        return self.weighed.undecided and not self.weighed.confirmed


class LonePairs:
    """Scenes and items of one file each that share keys with each other alone.

    Args:
        scenes: every scene that takes part.
        items: every item.
        comparer: compares files.
        keys: what files are found by.
        free: which of them may be in such a pair.

    Attributes:
        partners: by scene, the position of its item; below 0 for none.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        items: Sequence[PlexItem],
        *,
        comparer: Comparer,
        keys: FileKeys,
        free: Free,
    ) -> None:
        self._scenes = scenes
        self._items = items
        self._comparer = comparer
        self._path_map = comparer.context.path_map
        self._keys = keys
        self.partners = array("q", [_NONE]) * len(scenes)
        self._kinds: list[Kind | None] = [None] * len(scenes)
        self._find(free)

    def rest(self) -> Iterator[Ours]:
        """Yield the files of the scenes that share keys with several items, or compete."""
        for at, partner in enumerate(self.partners):
            if partner == _SEVERAL:
                yield from prepare_files([self._scenes[at]], self._path_map, at)

    def pairs(self) -> Iterator[tuple[Ours, Theirs, Kind]]:
        """Yield each pair with its comparison, which is made once."""
        for at, position in enumerate(self.partners):
            if position >= 0:
                (ours,) = prepare_files([self._scenes[at]], self._path_map, at)
                (theirs,) = prepare_parts(position, self._items[position])
                kind = self._kinds[at]
                if kind is None:
                    kind = self._kinds[at] = self._comparer.compare(self._row(ours, theirs))[0][0]
                yield ours, theirs, kind

    def certain(self) -> Iterator[tuple[NormalizedPath, NormalizedPath]]:
        """Yield where the files lie that are the same without a look at their folders."""
        for ours, theirs, kind in self.pairs():
            if kind.teaches:
                yield ours.path, theirs.path

    def _row(self, ours: Ours, theirs: Theirs) -> FileCandidates:
        """Return our file with its only candidate."""
        size = theirs.file.size_bytes
        disputed = size and size != ours.file.size_bytes and self._keys.is_crowded(size)
        return FileCandidates(
            ours, [theirs], disputed=frozenset((theirs.path,)) if disputed else frozenset()
        )

    def _find(self, free: Free) -> None:
        """Find the one item of each scene that shares a key with that scene alone."""
        partners, keys = self.partners, self._keys
        owners: dict[Key, int] = {}
        for at, scene in enumerate(self._scenes):
            if not free.has_scene(at, scene):
                partners[at] = _SEVERAL
            for ours in prepare_files([scene], self._path_map, at):
                for key in keys.ours(ours.stem, ours.file, ours.scene_id):
                    other = owners.setdefault(key, at)
                    if other != at:
                        partners[at] = partners[other] = _SEVERAL
        for position, item in enumerate(self._items):
            if item.trashed:
                continue
            parts = prepare_parts(position, item)
            led = {owners[key] for part in parts for key in keys.theirs(part) if key in owners}
            alone = len(led) == 1 and free.has_item(item)
            for at in led:
                known = partners[at] == _NONE and alone and owners.get(parts[0].stem) == at
                partners[at] = position if known else _SEVERAL


class LoneJudge:
    """Judges pairs that nothing competes with, each kind of them once."""

    def __init__(self, items: Sequence[PlexItem], scale: Scale, settings: MatchSettings) -> None:
        self._items = items
        self._scale = scale
        self._settings = settings
        self._judged: dict[Kind, Sure | None] = {}

    def judge(self, ours: Ours, theirs: Theirs, kind: Kind) -> Sure | None:
        """Return what speaks for a pair if it is HIGH."""
        if kind not in self._judged:
            self._judged[kind] = self._judge(self._scale.option(ours, theirs, kind))
        return self._judged[kind]

    def _judge(self, option: Option) -> Sure | None:
        """Judge an option as if it were the only one."""
        row = (option,)
        table = Table(
            items=self._items,
            rows=[],
            columns={option.item: row},
            places={},
            assigned={},
            given={},
            is_layout_known=False,
        )
        if judge(option, row, table, self._settings) is not None:
            return None
        return Sure(option.weighed, score_option(option, row, row, self._settings))
