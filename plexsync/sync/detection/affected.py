"""The waiting scenes to match again after Plex changed, with their competitors.

A scene's match rests on the items that share a key with it: the stem of a file's name, a size, or
the words of a title nearly like its own. A scene that shares none with any item that came, went
or reads differently would get the same match again, so it goes on waiting. Scenes that compete for
an item are decided together, so they are due together.
Source: docs/matching.md, "Blocking"; `blocking.py` and `title_similarity.py`, whose keys these are.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from plexsync.matcher import (
    Text,
    are_near,
    prepare_files,
    split_name,
    telling_words,
    texts_of_item,
    texts_of_scene,
)
from plexsync.text.normalize import compile_rules, normalize_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from plexsync.models import Match, PathRule, PlexItem, RatingKey, Scene, SceneId
    from plexsync.state import Waiting


def changed_items(
    before: Iterable[PlexItem],
    now: Iterable[PlexItem],
    claimed: Callable[[], Collection[RatingKey]],
) -> list[PlexItem]:
    """Return what came, went or reads differently, as it was and as it is.

    Args:
        before: the items some time ago.
        now: the items now.
        claimed: gives the items scenes are linked with: their titles are plexsync's own doing, and
            nobody else gets them. Asked only if titles differ.
    """
    old = {item.rating_key: item for item in before}
    new = {item.rating_key: item for item in now}
    moved = [key for key in old.keys() | new.keys() if old.get(key) is not new.get(key)]
    other = {key for key in moved if _differs(old.get(key), new.get(key))}
    titled = {key for key in moved if key not in other and _titled(old[key], new[key])}
    other |= titled.difference(claimed() if titled else ())
    return [item for key in other for item in (old.get(key), new.get(key)) if item is not None]


def concerned(
    waiting: Sequence[Waiting], changed: Iterable[PlexItem], rules: Sequence[PathRule]
) -> set[SceneId]:
    """Return which of `waiting` may get another match now.

    Args:
        waiting: scenes that wait, with what was found for them.
        changed: the items that came, went or read differently; see `changed_items`.
        rules: how Stash's paths become Plex's.
    """
    keys = _Keys([item for item in changed if not item.trashed])
    path_map = compile_rules(rules)
    woken = {
        one.scene_id
        for one in waiting
        if any(
            ours.stem in keys.stems or ours.file.size_bytes in keys.sizes
            for ours in prepare_files([one.scene], path_map)
        )
        or keys.has_like(one.scene)
    }
    return _with_rivals(woken, waiting)


# ---- Private -------------------------------------------------------------------------------------


class _Keys:
    """What some items are found by."""

    def __init__(self, items: Sequence[PlexItem]) -> None:
        files = [file for item in items for file in item.files]
        self.stems = {split_name(normalize_path(file.path))[1] for file in files}
        self.sizes = {size for file in files if (size := file.size_bytes) and size > 0}
        self._like: defaultdict[tuple[str, tuple[int, ...], bool], set[Text]] = defaultdict(set)
        for item in items:
            texts = texts_of_item(item)
            for word in {word for text in texts for word in text.words.split()}:
                for text in texts:
                    self._like[word, text.numbers, text.extra].add(text)

    def has_like(self, scene: Scene) -> bool:
        """Whether one of the items may resemble a scene by its title or name."""
        texts = texts_of_scene(scene)
        words = {word for text in texts for word in telling_words(text)}
        return any(
            are_near(text, other)
            for text in texts
            for word in words
            for other in self._like.get((word, text.numbers, text.extra), ())
        )


def _differs(old: PlexItem | None, new: PlexItem | None) -> bool:
    """Whether an item is another one to matching, whatever it is called."""
    if old is None or new is None:
        return True
    return (old.trashed, old.section_id, old.files) != (new.trashed, new.section_id, new.files)


def _titled(old: PlexItem, new: PlexItem) -> bool:
    return (old.title, old.date) != (new.title, new.date)


def _with_rivals(woken: set[SceneId], waiting: Sequence[Waiting]) -> set[SceneId]:
    """Those woken, and whoever competes with one of them for an item, and so on.

    One with more candidates than are kept may compete with anybody.
    """
    if not woken:
        return woken
    by_item = _competing(waiting)
    candidates = {one.scene_id: _keys_of(one.match) for one in waiting}
    crowded = (one for one in waiting if one.match.candidate_count > len(one.match.candidates))
    reached = woken.union(one.scene_id for one in crowded)
    front = list(reached)
    while front:
        items = candidates[front.pop()]
        more = {scene for item in items for scene in by_item.get(item, ())} - reached
        reached |= more
        front += more
    return reached


def _competing(waiting: Sequence[Waiting]) -> Mapping[RatingKey, list[SceneId]]:
    by_item: defaultdict[RatingKey, list[SceneId]] = defaultdict(list)
    for one in waiting:
        for key in _keys_of(one.match):
            by_item[key].append(one.scene_id)
    return by_item


def _keys_of(match: Match) -> list[RatingKey]:
    return [candidate.rating_key for candidate in match.candidates]
