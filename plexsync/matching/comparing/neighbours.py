"""The other scenes that could have a say in where the due ones go."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from plexsync.matching.comparing.blocking import FileKeys, Key, split_name
from plexsync.text.normalize import normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from plexsync.models import Scene


def find_neighbours(
    due: Sequence[Scene],
    others: Sequence[Scene],
    keys: FileKeys,
    resembling: AbstractSet[int] = frozenset(),
) -> list[Scene]:
    """Return those of `others` that could have a say in where `due` goes.

    That are the scenes that share a key with an item that shares one with a scene of `due`, or is
    among those `resembling` one by its title, and so on until nothing is added: what is decided
    with them is what is decided with all.
    """
    if not due or not others:
        return []
    waiting = _Keyed(_digests_of(others, keys))
    shown = _Keyed(keys.digests())
    crowded = keys.crowds()
    front = {digest for _, digest in _digests_of(due, keys)}
    front |= {digest for at, digest in keys.digests() if at in resembling} if resembling else set()
    found: list[Scene] = []
    while front:
        front = shown.take(front - crowded) - crowded
        front = waiting.take(front)
        found += [others[at] for at in sorted(waiting.taken)]
    return found


# ---- Private -------------------------------------------------------------------------------------


def _digests_of(scenes: Iterable[Scene], keys: FileKeys) -> Iterator[tuple[int, int]]:
    """Yield the position of each scene with the digest of each key its files are found by."""
    for at, scene in enumerate(scenes):
        found: list[Key] = [f"/{scene.scene_id}"]  # an item may name one that has no file, too
        for file in scene.files:
            stem = split_name(normalize_path(file.path))[1]
            found += keys.ours(stem, file, scene.scene_id)
        yield from ((at, hash(key)) for key in found)


class _Keyed:
    """What many scenes or items are found by: digests of their keys, with the position of each.

    Two keys of one digest bring a scene too many, which changes no decision.

    Attributes:
        taken: the positions of those that were taken last.
    """

    def __init__(self, digests: Iterable[tuple[int, int]]) -> None:
        self._positions, self._digests = array("I"), array("q")
        for at, digest in digests:
            self._positions.append(at)
            self._digests.append(digest)
        self._gone: set[int] = set()
        self.taken: set[int] = set()

    def take(self, wanted: set[int]) -> set[int]:
        """Take out those that have a wanted key, and return all keys of theirs."""
        pairs = zip(self._positions, self._digests, strict=True)
        self.taken = {at for at, digest in pairs if digest in wanted} - self._gone
        self._gone |= self.taken
        pairs = zip(self._positions, self._digests, strict=True)
        return {digest for at, digest in pairs if at in self.taken}
