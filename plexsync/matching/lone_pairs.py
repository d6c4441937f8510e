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
from plexsync.matching.layout import PlaceNumbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plexsync.matching.comparing.blocking import FileKeys, Ours, Theirs
    from plexsync.matching.comparing.comparison import Comparer
    from plexsync.matching.comparing.weighing import Assessment, Kind, Option
    from plexsync.matching.layout import Place
    from plexsync.models import PlexItem, RatingKey, Scene, SceneId

_NOBODY = -1
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
        items: the position of the item; -1 for none.
        places: the number of the place where the files lie.
    """

    items: array[int]
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
    to lead to that item too, that was in vain. What is in no pair though it shares a key with
    something is left to the tables.

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
        self.partners = Partners(*(array("q", [one]) * len(scenes) for one in (_NOBODY, 0)))
        self.places = PlaceNumbers()
        self._scenes = scenes
        self._comparer = comparer
        self.keys = keys
        self._free = free
        self._kinds: list[Kind | None] = [None] * len(scenes)
        self._scene_of = array("q", [_NOBODY]) * len(keys.items)
        self._left_scenes = bytearray(len(scenes))
        self._left_items = bytearray(len(keys.items))
        self._find()

    def rest(self) -> Iterator[Ours]:
        """Yield the files of the scenes that are left to the tables."""
        for at, is_left in enumerate(self._left_scenes):
            if is_left:
                yield from self._files(at)

    def pair(self, at: int) -> tuple[Ours, Theirs]:
        """Return the files of the pair of a scene."""
        (ours,) = self._files(at)
        position = self.partners.items[at]
        (theirs,) = prepare_parts(position, self.keys.items[position])
        return ours, theirs

    def kinds(self) -> Iterator[tuple[int, Kind, int]]:
        """Yield the position of the scene of each pair, its comparison, the number of its place."""
        for at, kind in enumerate(self._kinds):
            if kind is not None:
                yield at, kind, self.partners.places[at]

    def certain(self) -> dict[Place, int]:
        """Return where the files lie that are the same without a look at their folders."""
        return self.places.count(number for _, kind, number in self.kinds() if kind.teaches)

    def _files(self, at: int) -> Iterator[Ours]:
        """Yield the files of a scene, ready to compare."""
        return prepare_files([self._scenes[at]], self._comparer.path_map, at)

    def _find(self) -> None:
        """Find the one item of each scene that shares a key with that scene alone."""
        item_of, crowded = self._owners()
        contested: set[int] = set()
        for at, scene in enumerate(self._scenes):
            files = list(prepare_files([scene], self._comparer.path_map, at))
            digests = self.keys.borne(files)
            items = {item_of[one] for one in digests if one in item_of}
            shared = digests & crowded
            is_free = not shared and len(items) <= 1 and self._free.has_scene(at, scene)
            if not (is_free and (not items or self._join(files[0], *items))):
                self._left_scenes[at] = True
                for position in items:
                    self._leave(position)
                contested |= shared
        for position, digest in self.keys.digests() if contested else ():
            if digest in contested:
                self._leave(position)

    def _owners(self) -> tuple[dict[int, int], set[int]]:
        """Return the item that alone has a key, by the key's digest, and the digests of others."""
        digests = self.keys.digests()
        if len(self._scenes) < _FEW * len(self.keys.items):
            # Of few scenes a second look costs less than all keys of a library.
            borne = self.keys.borne(prepare_files(self._scenes, self._comparer.path_map))
            digests = (pair for pair in digests if pair[1] in borne)
        item_of: dict[int, int] = {}
        crowded: set[int] = set()
        for position, digest in digests:
            if item_of.setdefault(digest, position) != position:
                crowded.add(digest)
        for digest in crowded:
            del item_of[digest]
        return item_of, crowded

    def _join(self, ours: Ours, position: int) -> bool:
        """Make a file and an item a pair if nothing speaks against it so far."""
        if self._left_items[position] or self._scene_of[position] != _NOBODY:
            return False
        item = self.keys.items[position]
        if not self._free.has_item(item):
            return False
        (theirs,) = prepare_parts(position, item)
        if theirs.stem != ours.stem:
            return False
        at = ours.scene
        self._scene_of[position], self.partners.items[at] = at, position
        self._kinds[at] = self._comparer.compare(self._row(ours, theirs))[0][0]
        self.partners.places[at] = self.places.number(ours.path, theirs.path)
        return True

    def _leave(self, position: int) -> None:
        """Leave an item to the tables, and the scene that was in a pair with it."""
        self._left_items[position] = True
        at = self._scene_of[position]
        if at != _NOBODY:
            self._left_scenes[at] = True
            self._kinds[at], self.partners.items[at] = None, _NOBODY

    def _row(self, ours: Ours, theirs: Theirs) -> FileCandidates:
        """Return our file with its only candidate."""
        size = theirs.file.size_bytes
        disputed = size and size != ours.file.size_bytes and self.keys.is_crowded(size)
        return FileCandidates(
            ours, [theirs], disputed=frozenset((theirs.path,)) if disputed else frozenset()
        )


def judge_alone(option: Option, items: Sequence[PlexItem], settings: MatchSettings) -> Sure | None:
    """Return what speaks for an option that nothing competes with, if it is HIGH."""
    row = (option,)
    table = Table(items, [], {option.item: row})
    if judge(option, row, table, settings) is not None:
        return None
    return Sure(option.weighed, score_option(option, row, table, settings))
