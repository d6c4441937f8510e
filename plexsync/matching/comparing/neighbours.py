"""The other scenes that could have a say in where the due ones go."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from plexsync.matching.comparing.blocking import MOST_IN_TAIL, split_name
from plexsync.text.normalize import normalize_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    shown = _ItemKeys(items, hashes)
    waiting = [(scene, _keys_of(scene)) for scene in others]
    found: list[Scene] = []
    front = {key for scene in due for key in _keys_of(scene)}
    while front:
        front = shown.reach(front)
        near = [(scene, keys) for scene, keys in waiting if not front.isdisjoint(keys)]
        if not near:
            break
        found += [scene for scene, _ in near]
        reached = {scene.scene_id for scene, _ in near}
        waiting = [one for one in waiting if one[0].scene_id not in reached]
        front = {key for _, keys in near for key in keys}
    return found


# ---- Private -------------------------------------------------------------------------------------

_Key = str | int | tuple[str, str]
"""A stem, a size, a content hash as a negative number, or a scene's id in a pair."""


def _keys_of(scene: Scene) -> list[_Key]:
    """Return what a scene's files are found by."""
    keys: list[_Key] = [("", scene.scene_id)]
    for file in scene.files:
        keys.append(split_name(normalize_path(file.path))[1])
        if file.size_bytes and file.size_bytes > 0:
            keys.append(file.size_bytes)
        if file.oshash:
            keys.append(-file.oshash)
    return keys


class _ItemKeys:
    """What live items are found by."""

    def __init__(self, items: Sequence[PlexItem], hashes: Mapping[int, int]) -> None:
        self._keys = [_keys_of_item(item, hashes) for item in items if not item.trashed]
        sizes = Counter(key for keys in self._keys for key in keys if isinstance(key, int))
        self._crowded = {size for size, count in sizes.items() if count > MOST_IN_TAIL}

    def reach(self, wanted: set[_Key]) -> set[_Key]:
        """Return every key of the items that have one of `wanted`, and let go of those items."""
        wanted -= self._crowded
        near = [keys for keys in self._keys if not wanted.isdisjoint(keys)]
        self._keys = [keys for keys in self._keys if wanted.isdisjoint(keys)]
        return {key for keys in near for key in keys} - self._crowded


def _keys_of_item(item: PlexItem, hashes: Mapping[int, int]) -> list[_Key]:
    keys: list[_Key] = [("", item.stash_id)] if item.stash_id else []
    for file in item.files:
        keys.append(split_name(normalize_path(file.path))[1])
        if file.size_bytes:
            keys.append(file.size_bytes)
        content = hashes.get(file.part_id) if file.part_id else None
        if content:
            keys.append(-content)
    return keys
