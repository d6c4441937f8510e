"""Pairs that nothing competes with: found by dictionaries, judged by their comparison alone.

Most files of two libraries share no key with any file but their own counterpart. Nothing about the
others can change what such a pair is, so it needs no row, no column and no group; only the rest of
the library is put into tables.
"""

from __future__ import annotations

from array import array
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from plexsync.matching.answers import People, listen
from plexsync.matching.comparing.blocking import (
    FileCandidates,
    prepare,
    prepare_files,
    prepare_parts,
)
from plexsync.matching.decision import MatchSettings, Table, judge, score_option
from plexsync.matching.layout import PlaceNumbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plexsync.matching.comparing.blocking import FileKeys, Ours, Theirs
    from plexsync.matching.comparing.comparison import Comparer
    from plexsync.matching.comparing.weighing import Assessment, Kind, Option, Scale
    from plexsync.matching.layout import Place
    from plexsync.models import PlexItem, RatingKey, Scene, SceneId

_NONE, _SEVERAL = -1, -2
_FEW = 0.1
"""A share of the items: so many scenes are few."""


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


class Partners(NamedTuple):
    """What is known of pairs that nothing competes with, by the position of the scene.

    Attributes:
        items: the position of the item; below 0 for none.
        contents: the content hash of the scene's file; 0 for none.
        places: the number of the place where the files lie.
    """

    items: array[int]
    contents: array[int]
    places: array[int]


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

    A scene is looked at once, and compared with its item right then; where another scene turns out
    to lead to that item too, that was in vain.

    Args:
        scenes: every scene that takes part.
        comparer: compares files.
        keys: what files are found by, and every item.
        free: which of them may be in such a pair.

    Attributes:
        partners: the pairs.
        places: where their files lie.
        keys: those that were given.
    """

    def __init__(
        self, scenes: Sequence[Scene], *, comparer: Comparer, keys: FileKeys, free: Free
    ) -> None:
        items, places = (array("q", [one]) * len(scenes) for one in (_NONE, 0))
        self.partners = Partners(items, array("Q", [0]) * len(scenes), places)
        self.places = PlaceNumbers()
        self._scenes = scenes
        self._comparer = comparer
        self.keys = keys
        self._free = free
        self._kinds: list[Kind | None] = [None] * len(scenes)
        self._claimed = array("q", [_NONE]) * len(keys.items)
        self._find()

    def rest(self) -> Iterator[Ours]:
        """Yield the files of the scenes that share keys with several items, or compete."""
        for at, partner in enumerate(self.partners.items):
            if partner == _SEVERAL:
                yield from prepare_files([self._scenes[at]], self._comparer.context.path_map, at)

    def pair(self, at: int) -> tuple[Ours, Theirs]:
        """Return the files of the pair of a scene."""
        (ours,) = prepare_files([self._scenes[at]], self._comparer.context.path_map, at)
        position = self.partners.items[at]
        (theirs,) = prepare_parts(position, self.keys.items[position])
        return ours, theirs

    def kinds(self) -> Iterator[tuple[int, Kind, int]]:
        """Yield the position of the scene of each pair, its comparison, the number of its place."""
        for at, (partner, kind) in enumerate(zip(self.partners.items, self._kinds, strict=True)):
            if partner >= 0 and kind is not None:
                yield at, kind, self.partners.places[at]

    def certain(self) -> dict[Place, int]:
        """Return where the files lie that are the same without a look at their folders."""
        return self.places.count(number for _, kind, number in self.kinds() if kind.teaches)

    def _find(self) -> None:
        """Find the one item of each scene that shares a key with that scene alone."""
        path_map, keys_of = self._comparer.context.path_map, self.keys.ours
        owners = self._owners()
        shared: set[int] = set()
        for at, scene in enumerate(self._scenes):
            digests: list[int] = []
            for file in scene.files:
                ours = prepare(at, scene.scene_id, file, path_map)
                digests += map(hash, keys_of(ours.stem, file, scene.scene_id))
            led = {owners[one] for one in digests if one in owners}
            is_free = len(led) <= 1 and self._free.has_scene(at, scene)
            if not (is_free and (not led or self._joins(ours, *led))):
                self.partners.items[at] = _SEVERAL
                for position in led - {_SEVERAL}:
                    self._part(position)
                shared.update(one for one in digests if owners.get(one) == _SEVERAL)
        for position, digest in self.keys.digests() if shared else ():
            if digest in shared:
                self._part(position)

    def _owners(self) -> dict[int, int]:
        """Return the position of the item that has each key, by its digest."""
        digests = self.keys.digests()
        if len(self._scenes) < _FEW * len(self.keys.items):
            # Of few scenes a second look costs less than all keys of a library.
            several = prepare_files(self._scenes, self._comparer.context.path_map)
            keys = (self.keys.ours(one.stem, one.file, one.scene_id) for one in several)
            borne = set(map(hash, chain.from_iterable(keys)))
            digests = (pair for pair in digests if pair[1] in borne)
        owners: dict[int, int] = {}
        for position, digest in digests:
            if owners.setdefault(digest, position) != position:
                owners[digest] = _SEVERAL
        return owners

    def _joins(self, ours: Ours, position: int) -> bool:
        """Compare a file with an item, and make them a pair if nothing speaks against it so far."""
        if position < 0 or self._claimed[position] != _NONE:
            return False
        item = self.keys.items[position]
        if not self._free.has_item(item):
            return False
        (theirs,) = prepare_parts(position, item)
        if theirs.stem != ours.stem:
            return False
        at = ours.scene
        self._claimed[position], self.partners.items[at] = at, position
        self._kinds[at] = self._comparer.compare(self._row(ours, theirs))[0][0]
        self.partners.places[at] = self.places.number(ours.path, theirs.path)
        self.partners.contents[at] = ours.file.oshash or 0
        return True

    def _part(self, position: int) -> None:
        """Let an item be in no pair, for several scenes compete for it."""
        if self._claimed[position] >= 0:
            self.partners.items[self._claimed[position]] = _SEVERAL
        self._claimed[position] = _SEVERAL

    def _row(self, ours: Ours, theirs: Theirs) -> FileCandidates:
        """Return our file with its only candidate."""
        size = theirs.file.size_bytes
        disputed = size and size != ours.file.size_bytes and self.keys.is_crowded(size)
        return FileCandidates(
            ours, [theirs], disputed=frozenset((theirs.path,)) if disputed else frozenset()
        )


class LoneJudge:
    """Judges pairs that nothing competes with, each kind of them once."""

    def __init__(self, lone: LonePairs, scale: Scale, settings: MatchSettings) -> None:
        self._lone = lone
        self._scale = scale
        self._settings = settings
        self._judged: dict[Kind, Sure | None] = {}

    def judge(self, at: int, kind: Kind) -> Sure | None:
        """Return what speaks for the pair of a scene, which is of a kind, if it is HIGH."""
        if kind not in self._judged:
            self._judged[kind] = self._judge(self._scale.option(*self._lone.pair(at), kind))
        return self._judged[kind]

    def _judge(self, option: Option) -> Sure | None:
        """Judge an option as if it were the only one."""
        row = (option,)
        table = Table(self._lone.keys.items, [], {option.item: row})
        if judge(option, row, table, self._settings) is not None:
            return None
        return Sure(option.weighed, score_option(option, row, row, self._settings))
