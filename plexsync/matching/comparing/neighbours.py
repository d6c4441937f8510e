"""The other scenes that could have a say in where the due ones go."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from plexsync.matching.comparing.blocking import (
    MOST_IN_TAIL,
    FileKeys,
    Key,
    prepare_parts,
    split_name,
)
from plexsync.text.normalize import normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plexsync.models import PlexItem, Scene


def find_neighbours(
    due: Sequence[Scene],
    others: Sequence[Scene],
    items: Sequence[PlexItem],
    hashes: Mapping[int, int],
) -> list[Scene]:
    """Return those of `others` that could have a say in where `due` goes.

    That are the scenes that share a key with an item that shares one with a scene of `due`, and so
    on until nothing is added: what is decided with them is what is decided with all.
    """
    if not due or not others:
        return []
    keys = FileKeys(items, hashes)
    shown, waiting = _Keyed(_keys_of_items(items, keys)), _Keyed(_keys_of(others, keys))
    crowded = shown.crowded()
    found: list[Scene] = []
    front = {hash(key) for several in _keys_of(due, keys) for key in several}
    while front:
        front = shown.take(front - crowded) - crowded
        front = waiting.take(front)
        found += [others[at] for at in waiting.taken]
    return found


# ---- Private -------------------------------------------------------------------------------------


def _keys_of(scenes: Iterable[Scene], keys: FileKeys) -> Iterator[list[Key]]:
    """Yield what the files of each scene are found by."""
    for scene in scenes:
        stems = ((split_name(normalize_path(file.path))[1], file) for file in scene.files)
        found = [key for stem, file in stems for key in keys.ours(stem, file, scene.scene_id)]
        yield found or [f"/{scene.scene_id}"]  # an item may name a scene that has no file, too


def _keys_of_items(items: Iterable[PlexItem], keys: FileKeys) -> Iterator[list[Key]]:
    for item in items:
        if not item.trashed:
            yield [key for part in prepare_parts(0, item) for key in keys.theirs(part)]


class _Keyed:
    """What many scenes or items are found by: digests of their keys, one behind the other.

    Lists of keys would take more memory than the scenes. Two keys of one digest bring a scene too
    many, which changes no decision.

    Attributes:
        taken: the positions of those that were taken last.
    """

    def __init__(self, several: Iterable[list[Key]]) -> None:
        self._digests = array("q")
        self._ends = array("q", [0])
        self._numbers = array("q")
        for keys in several:
            self._digests.extend(map(hash, keys))
            self._ends.append(len(self._digests))
            self._numbers.extend(hash(key) for key in keys if isinstance(key, int))
        self._left = array("q", range(len(self._ends) - 1))
        self.taken: Sequence[int] = ()

    def crowded(self) -> set[int]:
        """Return the sizes and content hashes that so many have that they choose none."""
        numbers = sorted(self._numbers)
        return {
            one for one, other in zip(numbers, numbers[MOST_IN_TAIL:], strict=False) if one == other
        }

    def take(self, wanted: set[int]) -> set[int]:
        """Take out those that have a wanted key, and return all keys of theirs."""
        self.taken = [at for at in self._left if not wanted.isdisjoint(self._of(at))]
        taken = set(self.taken)
        if taken:
            self._left = array("q", [at for at in self._left if at not in taken])
        return {digest for at in taken for digest in self._of(at)}

    def _of(self, at: int) -> array[int]:
        return self._digests[self._ends[at] : self._ends[at + 1]]
