"""Stash's filters, sorts and pages, with their pitfalls. Source: docs/stash-api.md 2."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plexsync.simulators.stash_store import stored_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plexsync.simulators.records import StashScene
    from plexsync.simulators.stash_store import StashStore, Table

Criteria = Any
"""Arguments as GraphQL coerced them: the one place where JSON enters."""

DEFAULT_PER_PAGE = 25

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
_WORDS = re.compile(r'"([^"]*)"|(\S+)')

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


class FilterError(Exception):
    """The server refuses the query; the message is the resolver's."""


class PanicError(Exception):
    """The server's resolver panics; the message is Go's."""


@dataclass(slots=True)
class Found:
    """The rows of one find query: a page, and all of them for the aggregates."""

    page: Sequence[int]
    every: Callable[[], Sequence[int]]


# ---- finding -------------------------------------------------------------------------------------


def find_scenes(
    store: StashStore, criteria: Criteria, wanted: Criteria, ids: Sequence[str] | None
) -> Found:
    """Answer one `findScenes`.

    Raises:
        FilterError: for what the server refuses.
        PanicError: for what makes it panic.
    """
    if ids:
        chosen = checked_ids(store.scenes, ids, "scene")
        return Found(chosen, lambda: chosen)
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
        return Found(_page(_passing(store, criteria, test), wanted), every)
    return Found(_page(iter(_sorted_scenes(store, every(), wanted)), wanted), every)


def find_rows(
    store: StashStore,
    table: Table[Any],
    *,
    criteria: Criteria,
    wanted: Criteria,
    ids: Sequence[str] | None,
) -> Found:
    """Answer one `findTags`, `findPerformers`, `findStudios` or `findGroups`.

    Raises:
        FilterError: for what the server refuses.
        PanicError: for what makes it panic.
    """
    if ids:
        chosen = checked_ids(table, ids, "row")
        return Found(chosen, lambda: chosen)
    wanted = wanted or {}
    sort = wanted.get("sort")
    sort = "name" if sort is None else sort
    if sort not in _ROW_SORTS:
        raise FilterError(f"invalid sort: {sort}")
    test = row_test(store, criteria or {})
    rows = sorted((row for row in table if test(row)), key=lambda r: (_key(getattr(r, sort)), r.id))
    if wanted.get("direction") == "DESC":
        rows.reverse()
    chosen = [row.id for row in rows]
    return Found(_page(iter(chosen), wanted), lambda: chosen)


def checked_ids(table: Table[Any], ids: Sequence[str], noun: str) -> list[int]:
    """The ids as numbers, all of them there and none twice.

    Raises:
        FilterError: one is no number, missing, or named twice.
    """
    numbers: dict[int, None] = {}
    for text in ids:
        if not re.fullmatch(r"[+-]?\d+", text):
            raise FilterError(f'strconv.Atoi: parsing "{text}": invalid syntax')
        number = int(text)
        if number in numbers:
            raise FilterError(f"duplicate id found: {number}")
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
    """The ids an `id` criterion leaves, found without looking at each."""
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


def _sorted_scenes(store: StashStore, ids: Sequence[int], wanted: Criteria) -> Sequence[int]:
    """In the order asked for; without a sort in none that anyone could rely on."""
    sort = wanted.get("sort")
    if not sort:
        return sorted(ids, key=_scattered)
    key = _sort_key(store, sort)
    return sorted(
        ids, key=lambda i: (key(store.scenes[i]), i), reverse=wanted.get("direction") == "DESC"
    )


def _scattered(number: int) -> int:
    return number * 2_654_435_761 & 0xFFFF_FFFF


def _sort_key(store: StashStore, sort: str) -> Callable[[StashScene], Any]:
    """What a scene sorts by.

    Raises:
        FilterError: a sort of the real server that is not simulated.
    """
    keys: dict[str, Callable[[StashScene], Any]] = {
        "id": lambda scene: scene.id,
        "updated_at": lambda scene: scene.updated_at,
        "created_at": lambda scene: scene.created_at,
        "date": lambda scene: scene.date or "",
        "title": lambda scene: _key(scene.title),
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


def _key(value: object) -> object:
    """Names sort without case."""
    return value.casefold() if isinstance(value, str) else value


# ---- scene criteria ------------------------------------------------------------------------------


def scene_test(store: StashStore, criteria: Criteria) -> Callable[[StashScene], bool] | None:
    """A scene filter as a test of one scene; None when the id bounds say it all.

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
    """The criteria of all levels."""
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
    return _combined(criteria, tests, lambda sub: _node_test(store, sub))


def _combined(
    criteria: Criteria, tests: Sequence[Callable[[Any], bool]], build: Callable[[Criteria], Any]
) -> Callable[[Any], bool]:
    """AND the tests of one level and join its sub-filter."""
    own = _all_of(tests)
    subs = [name for name in ("AND", "OR", "NOT") if criteria.get(name) is not None]
    if len(subs) > 1:
        raise FilterError(f"cannot have {subs[0]} and {subs[1]} in the same filter")
    if not subs:
        return own
    sub = build(criteria[subs[0]])
    if subs[0] == "AND":
        return lambda row: own(row) and sub(row)
    if subs[0] == "NOT":
        return lambda row: own(row) and not sub(row)
    if not tests:
        return sub  # type: ignore[no-any-return] # built by the caller's own builder
    return lambda row: own(row) or sub(row)


def _all_of(tests: Sequence[Callable[[Any], bool]]) -> Callable[[Any], bool]:
    if len(tests) == 1:
        return tests[0]
    return lambda row: all(test(row) for test in tests)


def _criterion_test(
    store: StashStore, name: str, criterion: Criteria
) -> Callable[[StashScene], bool] | None:
    """One criterion; None when the server ignores it."""
    if name in _TIMES:
        return _of(name, time_test(store, criterion))
    if name in _TEXTS:
        return _of(name, text_test(criterion))
    if name in _NUMBERS:
        number, test = _NUMBERS[name], number_test(criterion)
        return lambda scene: test(number(scene))
    if name in _SPECIAL:
        return _SPECIAL[name](store, criterion)
    raise FilterError(f"not simulated: criterion {name}")


def _of(name: str, test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """A test of one attribute."""
    return lambda row: test(getattr(row, name))


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
    return _links(criterion, lambda scene: scene.tag_ids, store.tags_under)


def _performers(_: StashStore, criterion: Criteria) -> Callable[[StashScene], bool] | None:
    return _links(criterion, lambda scene: scene.performer_ids, _alone)


def _groups(_: StashStore, criterion: Criteria) -> Callable[[StashScene], bool] | None:
    return _links(criterion, lambda scene: tuple(pair[0] for pair in scene.groups), _alone)


def _studios(store: StashStore, criterion: Criteria) -> Callable[[StashScene], bool] | None:
    if criterion["modifier"] == "EQUALS":
        raise FilterError("invalid modifier EQUALS")
    return _links(
        criterion,
        lambda scene: () if scene.studio_id is None else (scene.studio_id,),
        store.studios_under,
    )


def _alone(roots: Iterable[int], _: int) -> set[int]:
    """Relations without a hierarchy."""
    return set(roots)


def _links(
    criterion: Criteria,
    linked: Callable[[StashScene], tuple[int, ...]],
    under: Callable[[Iterable[int], int], set[int]],
) -> Callable[[StashScene], bool] | None:
    """An id criterion. Without a value it is ignored. Source: docs/stash-api.md 2.4."""
    modifier, depth = criterion["modifier"], criterion.get("depth") or 0
    if modifier in ("IS_NULL", "NOT_NULL"):
        return lambda scene: bool(linked(scene)) is (modifier == "NOT_NULL")
    wanted = [int(text) for text in criterion.get("value") or ()]
    banned = under([int(text) for text in criterion.get("excludes") or ()], depth)
    if not wanted and not banned:
        return None
    test = _link_test(modifier, wanted, lambda roots: under(roots, depth))
    return lambda scene: test(ids := linked(scene)) and banned.isdisjoint(ids)


def _link_test(
    modifier: str, wanted: Sequence[int], under: Callable[[Iterable[int]], set[int]]
) -> Callable[[tuple[int, ...]], bool]:
    """A test of the linked ids."""
    anyone = under(wanted)
    if not wanted:
        return lambda _: True
    if modifier == "INCLUDES":
        return lambda ids: not anyone.isdisjoint(ids)
    if modifier == "EXCLUDES":
        return anyone.isdisjoint
    if modifier == "EQUALS":
        return lambda ids: set(ids) == set(wanted)
    if modifier == "INCLUDES_ALL":
        families = [under([each]) for each in wanted]
        return lambda ids: not any(family.isdisjoint(ids) for family in families)
    raise PanicError(f"unsupported modifier {modifier}")


def _related(
    table: Callable[[StashStore], Table[Any]], linked: Callable[[StashScene], tuple[int, ...]]
) -> Callable[[StashStore, Criteria], Callable[[StashScene], bool]]:
    """A filter on a related table: a subquery for the ids, then a join."""

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


_TIMES = frozenset({"updated_at", "created_at"})
_TEXTS = frozenset({"title", "code", "details", "director"})

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


# ---- criteria of any row -------------------------------------------------------------------------


def row_test(store: StashStore, criteria: Criteria) -> Callable[[Any], bool]:
    """A filter on tags, performers, studios or groups as a test of one row.

    Raises:
        FilterError: for what the server refuses, and for what is not simulated.
        PanicError: for what makes it panic.
    """
    tests: list[Callable[[Any], bool]] = []
    for name, criterion in criteria.items():
        if name in ("AND", "OR", "NOT") or criterion is None:
            continue
        if name in _TIMES:
            tests.append(_of(name, time_test(store, criterion)))
        elif name in ("name", "sort_name", "disambiguation"):
            tests.append(_of(name, text_test(criterion)))
        else:
            raise FilterError(f"not simulated: criterion {name}")
    return _combined(criteria, tests, lambda sub: row_test(store, sub))


def time_test(store: StashStore, criterion: Criteria) -> Callable[[str], bool]:
    """Compare stored text with the text sent, offsets and sense ignored.

    A bound that looks like a number is one, and every text is greater than every number.
    Source: docs/stash-api.md 2.5.

    Raises:
        PanicError: a modifier that times do not know.
    """
    low = criterion["value"]
    high = criterion.get("value2") or stored_time(store.clock() + timedelta(days=1), store.zone)
    tests: dict[str, Callable[[str], bool]] = {
        "EQUALS": lambda text: _sign(text, low) == 0,
        "NOT_EQUALS": lambda text: _sign(text, low) != 0,
        "GREATER_THAN": lambda text: _sign(text, low) > 0,
        "LESS_THAN": lambda text: _sign(text, low) < 0,
        "BETWEEN": lambda text: _sign(text, low) >= 0 and _sign(text, high) <= 0,
        "NOT_BETWEEN": lambda text: _sign(text, low) < 0 or _sign(text, high) > 0,
        "IS_NULL": lambda text: not text,
        "NOT_NULL": bool,
    }
    if criterion["modifier"] not in tests:
        raise PanicError(f"unsupported modifier {criterion['modifier']}")
    return tests[criterion["modifier"]]


def _sign(text: str, bound: str) -> int:
    """Below, equal or above, as SQLite compares a text with a bound for a NUMERIC column."""
    if _NUMBER.fullmatch(bound):
        return 1
    return (text > bound) - (text < bound)


def number_test(criterion: Criteria) -> Callable[[int | None], bool]:
    """Compare numbers; null only matches IS_NULL.

    Raises:
        PanicError: a modifier that numbers do not know.
    """
    low, high = criterion["value"], criterion.get("value2") or 0
    tests: dict[str, Callable[[int], bool]] = {
        "EQUALS": lambda number: number == low,
        "NOT_EQUALS": lambda number: number != low,
        "GREATER_THAN": lambda number: number > low,
        "LESS_THAN": lambda number: number < low,
        "BETWEEN": lambda number: low <= number <= high,
        "NOT_BETWEEN": lambda number: number < low or number > high,
        "NOT_NULL": lambda _: True,
    }
    modifier = criterion["modifier"]
    if modifier == "IS_NULL":
        return lambda number: number is None
    if modifier not in tests:
        raise PanicError(f"unsupported modifier {modifier}")
    test = tests[modifier]
    return lambda number: number is not None and test(number)


def text_test(criterion: Criteria) -> Callable[[str], bool]:
    """Compare text as SQL LIKE does: no case in ASCII, `%` and `_` are wildcards.

    Raises:
        PanicError: a modifier that texts do not know.
    """
    value, modifier = criterion["value"], criterion["modifier"]
    if modifier in ("IS_NULL", "NOT_NULL"):
        return lambda text: bool(text.strip()) is (modifier == "NOT_NULL")
    if modifier in ("MATCHES_REGEX", "NOT_MATCHES_REGEX"):
        pattern = re.compile(value)
        return lambda text: bool(pattern.search(text)) is (modifier == "MATCHES_REGEX")
    if modifier in ("EQUALS", "NOT_EQUALS"):
        like = _like(value)
        return lambda text: like(text) is (modifier == "EQUALS")
    if modifier in ("INCLUDES", "EXCLUDES"):
        words = [phrase or word for phrase, word in _WORDS.findall(value)]
        likes = [_like(f"%{word}%") for word in words]
        return lambda text: any(like(text) for like in likes) is (modifier == "INCLUDES")
    raise PanicError(f"unsupported modifier {modifier}")


def _like(pattern: str) -> Callable[[str], bool]:
    """SQLite's LIKE."""
    translated = "".join(
        ".*" if c == "%" else "." if c == "_" else re.escape(_lower(c)) for c in pattern
    )
    compiled = re.compile(translated, re.DOTALL)
    return lambda text: compiled.fullmatch(_lower(text)) is not None


def _lower(text: str) -> str:
    """Lower case for ASCII letters alone."""
    return text.translate(_ASCII_LOWER)


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
