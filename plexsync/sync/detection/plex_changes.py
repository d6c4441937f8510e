"""Which scenes a change in Plex concerns.

A scene's match rests on the items that share a key with it: the stem of a file's name, a size, or
the words of a title nearly like its own. A scene that shares none with any item that came, went
or reads differently would get the same match again, so it goes on waiting. Scenes that compete for
an item are decided together, so they are due together.
Source: docs/design.md, "Knowing what is in Plex"; docs/plex-api.md 3 (change signals);
docs/matching.md, "Blocking"; `blocking.py` and `title_similarity.py`, which make these keys.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from plexsync.planning.retry_schedule import WOKEN
from plexsync.plex.index import cached_items
from plexsync.state import LinkPlace, Waiting, load_all
from plexsync.text.folding import files_digest
from plexsync.text.normalize import compile_rules, holds_file, normalize_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from plexsync.matcher import Text
    from plexsync.models import Match, PathRule, PlexItem, RatingKey, Scene, SceneId
    from plexsync.plex.index import Index
    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.seen import Seen


class Roused(NamedTuple):
    """Scenes a change in Plex concerns.

    Attributes:
        waiting: those that wait for Plex or for a person: to be tried at once.
        linked: linked ones that may be a further item: one with another one of their files, or
            with the same file or a copy of it.
        lost: linked ones with an item that is gone; see `broken`.
    """

    waiting: frozenset[SceneId] = frozenset()
    linked: frozenset[SceneId] = frozenset()
    lost: frozenset[SceneId] = frozenset()


def broken(
    links: Iterable[tuple[SceneId, Sequence[LinkPlace]]],
    items: Iterable[PlexItem],
    sections: frozenset[str],
) -> frozenset[SceneId]:
    """Return the scenes with a link to an item that is gone, trashed, or holds the file no more.

    Args:
        links: what is remembered.
        items: everything in `sections`.
        sections: ids of the libraries that take part; other links are not judged.
    """
    by_key = {item.rating_key: item for item in items}

    def is_broken(link: LinkPlace) -> bool:
        item = by_key.get(link.rating_key)
        return item is None or not holds_file(item, link.path)

    return frozenset(
        scene_id
        for scene_id, own in links
        if any(link.section_id in sections and is_broken(link) for link in own)
    )


def find_returned(
    links: Iterable[tuple[SceneId, Sequence[LinkPlace]]], before: Seen, now: Seen
) -> frozenset[SceneId]:
    """Return the scenes linked to a library that takes part again: they may have missed edits."""
    added = set(now.sections).difference(before.sections)
    if not added or not before.sections:
        return frozenset()
    return frozenset(
        scene_id for scene_id, own in links if any(link.section_id in added for link in own)
    )


def find_widened(
    claims: Mapping[RatingKey, SceneId],
    links: Iterable[tuple[SceneId, Sequence[LinkPlace]]],
    items: Sequence[PlexItem],
    changed: Iterable[PlexItem] | None,
) -> frozenset[SceneId]:
    """Return the linked scenes that may be a further item: their file again, or a copy of it.

    Of an item that is not listed (its library takes no part, or was made again) nothing but the
    path is known.

    Args:
        claims: which scene each item is linked to.
        links: what is remembered.
        items: everything in the libraries.
        changed: the items that came or moved; None when nobody knows, so that all count.
    """
    candidates = items if changed is None else changed
    files = [
        file
        for item in candidates
        if item.rating_key not in claims and not item.trashed
        for file in item.files
    ]
    if not files:
        return frozenset()
    paths = {normalize_path(file.path) for file in files}
    sizes = {file.size_bytes for file in files if file.size_bytes}
    again = {scene for scene, own in links if any(normalize_path(one.path) in paths for one in own)}
    return frozenset(again).union(
        claims[item.rating_key]
        for item in items
        if item.rating_key in claims
        and any(one.size_bytes in sizes or normalize_path(one.path) in paths for one in item.files)
    )


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
    waiting: Collection[Waiting], changed: Iterable[PlexItem], rules: Sequence[PathRule]
) -> set[SceneId]:
    """Return which of `waiting` may get another match now.

    Args:
        waiting: scenes that wait, with what was found for them.
        changed: the items that came, went or read differently; see `changed_items`.
        rules: how Stash's paths become Plex's.
    """
    from plexsync.matcher import prepare_files, split_name  # noqa: PLC0415 - few runs see a change

    items = [item for item in changed if not item.trashed]
    files = [file for item in items for file in item.files]
    stems = {split_name(normalize_path(file.path))[1] for file in files}
    sizes = {size for file in files if (size := file.size_bytes) and size > 0}
    path_map, is_like = compile_rules(rules), _likeness(items)
    woken = {
        one.scene_id
        for one in waiting
        if any(
            ours.stem in stems or ours.file.size_bytes in sizes
            for ours in prepare_files([one.scene], path_map)
        )
        or is_like(one.scene)
    }
    return _with_rivals(woken, waiting)


def roused_by(run: RunContext, index: Index, seen: str, several: AbstractSet[SceneId]) -> Roused:
    """Return the scenes concerned by what `index` lists, when `seen` names the list seen before.

    A change is what the list holds more or less than the one that was last seen through; that one
    lies in the cache. When it does not, or another one does, every scene is concerned. So is one
    of which nothing lies in the queue.

    Args:
        run: what the run is about.
        index: Plex's list.
        seen: the name of the list that was seen before.
        several: scenes with several files, of which Plex may have found some only.
    """
    state = run.state
    if index.edition == seen:
        return Roused()
    changed = None  # nobody knows what moved since
    if index.before is not None and index.before.name == seen:
        changed = changed_items(index.before.items, index.items, state.claims)
        if not changed:
            return Roused()
    waiting = frozenset(one for one, known in state.waiting() if known.outcome in WOKEN)
    widened = find_widened(state.claims(), state.links(), index.items, changed)
    if changed is None:
        return Roused(waiting, widened.union(several))
    found = _concerned_of(run, waiting | several, changed)
    return Roused(waiting & found, widened.union(several & found))


def rouse_heirs(run: RunContext, freed: Collection[RatingKey]) -> None:
    """Have the next run try the waiting scenes that may get one of the items scenes let go of.

    Asks nobody: what such an item is called and holds was listed, by this run or an earlier one.
    """
    every = run.state.waiting() if freed else ()
    waiting = {one: known for one, known in every if known.outcome in WOKEN}
    if not waiting:
        return
    had = run.inventory.had
    listed = had.items if had else cached_items(run.ports.cache_dir, run.lineage.plex)
    items = [item for item in listed if item.rating_key in freed]
    for scene_id in _concerned_of(run, frozenset(waiting), items):
        run.session.remember(scene_id, replace(waiting[scene_id], due_at=""))


# ---- Private -------------------------------------------------------------------------------------


def _concerned_of(
    run: RunContext, scenes: frozenset[SceneId], changed: Iterable[PlexItem]
) -> AbstractSet[SceneId]:
    """Return which scenes may get another match, also those of which nothing lies in the queue."""
    known = {
        scene_id: one
        for scene_id, one in load_all(run.queue, scenes).items()
        if (record := run.state.get(scene_id)) is not None
        and record.files == files_digest(one.scene.files)
    }
    found = concerned(known.values(), changed, run.config.paths)
    return found | scenes.difference(known)


def _likeness(items: Sequence[PlexItem]) -> Callable[[Scene], bool]:
    """Return what says whether one of `items` may resemble a scene by its title or name."""
    from plexsync.matcher import are_near, telling_words, texts_of_item, texts_of_scene  # noqa: PLC0415 - see `concerned`

    like: defaultdict[tuple[str, tuple[int, ...], bool], set[Text]] = defaultdict(set)
    for item in items:
        texts = texts_of_item(item)
        for word in {word for text in texts for word in text.words.split()}:
            for text in texts:
                like[word, text.numbers, text.extra].add(text)

    def is_like(scene: Scene) -> bool:
        texts = texts_of_scene(scene)
        words = {word for text in texts for word in telling_words(text)}
        return any(
            are_near(text, other)
            for text in texts
            for word in words
            for other in like.get((word, text.numbers, text.extra), ())
        )

    return is_like


def _differs(old: PlexItem | None, new: PlexItem | None) -> bool:
    """Whether an item is another one to matching, whatever it is called."""
    if old is None or new is None:
        return True
    return (old.trashed, old.section_id, old.files) != (new.trashed, new.section_id, new.files)


def _titled(old: PlexItem, new: PlexItem) -> bool:
    return (old.title, old.date) != (new.title, new.date)


def _with_rivals(woken: set[SceneId], waiting: Collection[Waiting]) -> set[SceneId]:
    """Those woken, and whoever competes with one of them for an item, and so on.

    One with more candidates than are kept may compete with anybody.
    """
    if not woken:
        return woken
    by_item: defaultdict[RatingKey, list[SceneId]] = defaultdict(list)
    for one in waiting:
        for key in _keys_of(one.match):
            by_item[key].append(one.scene_id)
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


def _keys_of(match: Match) -> list[RatingKey]:
    return [candidate.rating_key for candidate in match.candidates]
