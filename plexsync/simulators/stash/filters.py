"""Stash's filters, sorts and pages, with their pitfalls. Source: docs/stash-api.md 2."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from plexsync.simulators.stash.criteria import (
    TEXTS,
    TIMES,
    FilterError,
    combined,
    links,
    number_test,
    of,
    row_test,
    text_test,
    time_test,
)
from plexsync.simulators.stash.table import natural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plexsync.simulators.library.records import StashScene
    from plexsync.simulators.stash.criteria import Criteria
    from plexsync.simulators.stash.store import StashStore
    from plexsync.simulators.stash.table import RowTable

DEFAULT_PER_PAGE = 25

_SCENE_SORTS = frozenset(
    """id updated_at created_at date title path file_mod_time filesize duration bitrate framerate
    resolution code rating organized o_counter play_count play_duration last_played_at last_o_at
    resume_time interactive interactive_speed tag_count performer_count file_count
    group_scene_number perceptual_similarity studio performer_age random""".split()  # noqa: SIM905 - a list of words reads best as text
)

_ROW_SORTS = frozenset({"id", "name", "updated_at", "created_at"})

_RELATIONS = {
    "performers_filter": "performer_ids",
    "tags_filter": "tag_ids",
    "groups_filter": "groups",
}
"""Filters that join a table, and what the join demands: at least one such row."""


@dataclass(slots=True)
class FindResult:
    """The rows of one find query: a page, and all of them for the aggregates."""

    page: Sequence[int]
    every: Callable[[], Sequence[int]]


# ---- finding -------------------------------------------------------------------------------------


def find_scenes(
    store: StashStore, criteria: Criteria, wanted: Criteria, ids: Sequence[str] | None
) -> FindResult:
    """Answer one `findScenes`.

    Raises:
        FilterError: for what the server refuses.
        PanicError: for what makes it panic.
    """
    if ids:
        chosen = checked_ids(store.scenes, ids, "scene")
        return FindResult(chosen, lambda: chosen)
    criteria, wanted = criteria or {}, wanted or {}
    sort = wanted.get("sort") or ""
    if sort and not _sortable(sort):
        raise FilterError(f"invalid sort: {sort}")
    test = scene_test(store, criteria)

    def every() -> Sequence[int]:
        scenes = store.scenes
        return (
            _bounded_ids(store, criteria)
            if test is None
            else [i for i in _bounded_ids(store, criteria) if test(scenes[i])]
        )

    if sort == "id" and wanted.get("direction", "ASC") == "ASC":
        return FindResult(_page(_passing(store, criteria, test), wanted), every)
    return FindResult(_page(_sorted_scenes(store, every(), wanted), wanted), every)


def find_rows(
    store: StashStore,
    table: RowTable[Any],
    *,
    criteria: Criteria,
    wanted: Criteria,
    ids: Sequence[str] | None,
) -> FindResult:
    """Answer one `findTags`, `findPerformers`, `findStudios` or `findGroups`.

    Raises:
        FilterError: for what the server refuses.
        PanicError: for what makes it panic.
    """
    if ids:
        chosen = checked_ids(table, ids, "row")
        return FindResult(chosen, lambda: chosen)
    wanted = wanted or {}
    sort = wanted.get("sort")
    sort = "name" if sort is None else sort
    if sort not in _ROW_SORTS:
        raise FilterError(f"invalid sort: {sort}")
    test = row_test(store, criteria or {})
    rows = sorted((row for row in table if test(row)), key=lambda row: (natural(row.name), row.id))
    descending = wanted.get("direction") == "DESC"
    if sort != "name":
        rows.sort(key=attrgetter(sort), reverse=descending)
    elif descending:
        rows.reverse()
    chosen = [row.id for row in rows]
    return FindResult(_page(iter(chosen), wanted), lambda: chosen)


def checked_ids(table: RowTable[Any], ids: Sequence[str], noun: str) -> list[int]:
    """Return the ids as numbers, all of them there and none twice.

    Raises:
        FilterError: one is no number, missing, or named twice.
    """
    numbers: dict[int, None] = {}
    for text in ids:
        if not re.fullmatch(r"[+-]?\d+", text):
            raise FilterError(f'converting ids: strconv.Atoi: parsing "{text}": invalid syntax')
        number = int(text)
        if number in numbers:
            raise FilterError(f"validating ids: duplicate id found: {number}")
        if number not in table:
            raise FilterError(f"{noun} with id {number} not found")
        numbers[number] = None
    return list(numbers)


def _page(ids: Iterator[int], wanted: Criteria) -> Sequence[int]:
    """Cut the page out: a negative size is everything, zero nothing, page 0 the first one."""
    size = wanted.get("per_page")
    size = DEFAULT_PER_PAGE if size is None else size
    if size < 0:
        return list(ids)
    skipped = (max(1, wanted.get("page") or 1) - 1) * size
    chosen = []
    if size > 0:
        for place, row_id in enumerate(ids):
            if place >= skipped:
                chosen.append(row_id)
                if len(chosen) == size:
                    break
    return chosen


def _bounded_ids(store: StashStore, criteria: Criteria) -> Sequence[int]:
    """Return the ids an `id` criterion leaves, found without looking at each."""
    ids = store.scenes.ids
    bound = criteria.get("id")
    if bound is None or "OR" in criteria:
        return ids
    if bound["modifier"] == "GREATER_THAN":
        return ids[bisect_right(ids, bound["value"]) :]
    if bound["modifier"] == "BETWEEN" and bound.get("value2") is not None:
        return ids[bisect_left(ids, bound["value"]) : bisect_right(ids, bound["value2"])]
    return ids


def _passing(
    store: StashStore, criteria: Criteria, test: Callable[[StashScene], bool] | None
) -> Iterator[int]:
    """Ids in order, tested one by one, so that a page stops when it is full."""
    ids = _bounded_ids(store, criteria)
    if test is None:
        return iter(ids)
    scenes = store.scenes
    return (scene_id for scene_id in ids if test(scenes[scene_id]))


def _sortable(sort: str) -> bool:
    return sort in _SCENE_SORTS or re.fullmatch(r"random_\d+", sort) is not None


def _sorted_scenes(store: StashStore, ids: Sequence[int], wanted: Criteria) -> Iterator[int]:
    """In the order asked for; without a sort in none that anyone could rely on.

    Equals come in the order of their titles, whichever way the sort goes.
    Source: docs/stash-api.md 2.2.
    """
    sort = wanted.get("sort")
    if not sort:
        return iter(sorted(ids, key=_scattered))
    own = _sort_key(store, sort)

    def key(scene_id: int) -> Any:
        return own(store.scenes[scene_id])

    def title(scene_id: int) -> Any:
        return natural(store.scenes[scene_id].title or str(scene_id)), scene_id

    ranked = sorted(ids, key=key, reverse=wanted.get("direction") == "DESC")
    return (one for _, equals in groupby(ranked, key) for one in sorted(equals, key=title))


def _scattered(number: int) -> int:
    return number * 2_654_435_761 & 0xFFFF_FFFF


def _sort_key(store: StashStore, sort: str) -> Callable[[StashScene], Any]:
    """Return what a scene sorts by.

    Raises:
        FilterError: a sort of the real server that is not simulated.
    """
    keys: dict[str, Callable[[StashScene], Any]] = {
        "id": lambda scene: scene.id,
        "updated_at": lambda scene: scene.updated_at,
        "created_at": lambda scene: scene.created_at,
        "date": lambda scene: scene.date or "",
        "title": lambda scene: natural(scene.title),
        "code": lambda scene: scene.code,
        "path": lambda scene: store.paths(scene.id)[:1],
        "rating": lambda scene: scene.rating100 or 0,
        "organized": lambda scene: scene.organized,
        "tag_count": lambda scene: len(scene.tag_ids),
        "performer_count": lambda scene: len(scene.performer_ids),
        "file_count": lambda scene: len(scene.file_ids),
        "filesize": lambda scene: sum(store.files[i].size for i in scene.file_ids[:1]),
        "duration": lambda scene: sum(store.files[i].duration for i in scene.file_ids[:1]),
        "random": lambda scene: _scattered(scene.id),
    }
    if sort not in keys and not sort.startswith("random_"):
        raise FilterError(f"not simulated: sort {sort}")
    return keys.get(sort, keys["random"])


# ---- scene criteria ------------------------------------------------------------------------------


def scene_test(store: StashStore, criteria: Criteria) -> Callable[[StashScene], bool] | None:
    """Return a scene filter as a test of one scene; None when the id bounds say it all.

    Raises:
        FilterError: for what the server refuses, and for what is not simulated.
        PanicError: for what makes it panic.
    """
    if not criteria.keys() - {"id"} and _is_bound(criteria.get("id")):
        return None
    own = _node_test(store, criteria)
    joined = {_RELATIONS[name] for name in _names(criteria) if name in _RELATIONS}
    if not joined:
        return own
    # The joins are shared by the whole query and are inner ones: under OR they still demand a row
    # of every joined kind. Source: docs/stash-api.md 2.4.
    return lambda scene: own(scene) and all(getattr(scene, name) for name in joined)


def _is_bound(criterion: Criteria) -> bool:
    """Whether `_bounded_ids` covers the criterion wholly."""
    if criterion is None:
        return True
    if criterion["modifier"] == "BETWEEN":
        return criterion.get("value2") is not None
    return bool(criterion["modifier"] == "GREATER_THAN")


def _names(criteria: Criteria) -> Iterator[str]:
    """Yield the criteria of all levels."""
    for name, value in criteria.items():
        yield name
        if name in ("AND", "OR", "NOT") and value:
            yield from _names(value)


def _node_test(store: StashStore, criteria: Criteria) -> Callable[[StashScene], bool]:
    """One level: its criteria ANDed, then its sub-filter."""
    tests = [
        test
        for name, criterion in criteria.items()
        if name not in ("AND", "OR", "NOT")
        and criterion is not None
        and (test := _criterion_test(store, name, criterion)) is not None
    ]
    return combined(criteria, tests, lambda sub: _node_test(store, sub))


def _criterion_test(
    store: StashStore, name: str, criterion: Criteria
) -> Callable[[StashScene], bool] | None:
    """One criterion; None when the server ignores it."""
    if name in TIMES:
        return of(name, time_test(store, criterion))
    if name in TEXTS:
        return of(name, text_test(criterion))
    if name in _NUMBERS:
        number, test = _NUMBERS[name], number_test(criterion)
        return lambda scene: test(number(scene))
    if name in _SPECIAL:
        return _SPECIAL[name](store, criterion)
    raise FilterError(f"not simulated: criterion {name}")


def _organized(_: StashStore, criterion: Criteria) -> Callable[[StashScene], bool]:
    return lambda scene: scene.organized == criterion


def _path(store: StashStore, criterion: Criteria) -> Callable[[StashScene], bool]:
    """Any file's path."""
    test = text_test(criterion)
    return lambda scene: any(test(path) for path in store.paths(scene.id))


def _oshash(store: StashStore, criterion: Criteria) -> Callable[[StashScene], bool]:
    """Any file's hash, as text."""
    test = text_test(criterion)
    return lambda scene: any(
        test(f"{value:016x}")
        for i in scene.file_ids
        if (value := store.files[i].oshash) is not None
    )


def _tags(store: StashStore, criterion: Criteria) -> Callable[[StashScene], bool] | None:
    return links(criterion, lambda scene: scene.tag_ids, store.tags_under)


def _performers(_: StashStore, criterion: Criteria) -> Callable[[StashScene], bool] | None:
    return links(criterion, lambda scene: scene.performer_ids, _alone)


def _groups(_: StashStore, criterion: Criteria) -> Callable[[StashScene], bool] | None:
    return links(criterion, lambda scene: tuple(pair[0] for pair in scene.groups), _alone)


def _studios(store: StashStore, criterion: Criteria) -> Callable[[StashScene], bool] | None:
    if criterion["modifier"] == "EQUALS":
        raise FilterError("invalid modifier EQUALS")
    return links(
        criterion,
        lambda scene: () if scene.studio_id is None else (scene.studio_id,),
        store.studios_under,
    )


def _alone(roots: Iterable[int], _: int) -> set[int]:
    """Relations without a hierarchy."""
    return set(roots)


def _related(
    table: Callable[[StashStore], RowTable[Any]], linked: Callable[[StashScene], tuple[int, ...]]
) -> Callable[[StashStore, Criteria], Callable[[StashScene], bool]]:
    """Return a filter on a related table: a subquery for the ids, then a join."""

    def build(store: StashStore, criterion: Criteria) -> Callable[[StashScene], bool]:
        test = row_test(store, criterion)
        ids = {row.id for row in table(store) if test(row)}
        return lambda scene: not ids.isdisjoint(linked(scene))

    return build


def _is_missing(_: StashStore, criterion: Criteria) -> Callable[[StashScene], bool]:
    """Scenes without something."""
    tests: dict[str, Callable[[StashScene], bool]] = {
        "title": lambda scene: not scene.title,
        "date": lambda scene: not scene.date,
        "studio": lambda scene: scene.studio_id is None,
        "performers": lambda scene: not scene.performer_ids,
        "tags": lambda scene: not scene.tag_ids,
        "stash_id": lambda scene: not scene.stash_ids,
        "cover": lambda scene: scene.cover is None,
    }
    if criterion not in tests:
        raise FilterError(f"not simulated: is_missing {criterion}")
    return tests[criterion]


_NUMBERS: Mapping[str, Callable[[StashScene], int | None]] = {
    "id": lambda scene: scene.id,
    "rating100": lambda scene: scene.rating100,
    "file_count": lambda scene: len(scene.file_ids),
    "tag_count": lambda scene: len(scene.tag_ids),
    "performer_count": lambda scene: len(scene.performer_ids),
}

_SPECIAL: Mapping[str, Callable[[StashStore, Criteria], Callable[[StashScene], bool] | None]] = {
    "organized": _organized,
    "path": _path,
    "oshash": _oshash,
    "tags": _tags,
    "performers": _performers,
    "groups": _groups,
    "studios": _studios,
    "is_missing": _is_missing,
    "performers_filter": _related(lambda store: store.performers, lambda s: s.performer_ids),
    "tags_filter": _related(lambda store: store.tags, lambda s: s.tag_ids),
    "groups_filter": _related(
        lambda store: store.groups, lambda s: tuple(pair[0] for pair in s.groups)
    ),
    "studios_filter": _related(
        lambda store: store.studios, lambda s: () if s.studio_id is None else (s.studio_id,)
    ),
}
