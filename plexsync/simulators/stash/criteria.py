"""Single criteria as Stash evaluates them: times, texts, numbers, links.

Times compare as text, texts as SQL's LIKE, and an empty list of ids is no criterion at all.
Source: docs/stash-api.md 2.4 and 2.5.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plexsync.simulators.stash.table import stored_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from plexsync.simulators.library.records import StashScene
    from plexsync.simulators.stash.store import StashStore

Criteria = Any
"""Arguments as GraphQL coerced them: the one place where JSON enters."""

TIMES = frozenset({"updated_at", "created_at"})
TEXTS = frozenset({"title", "code", "details", "director"})

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
_WORDS = re.compile(r'"([^"]*)"|(\S+)')


class FilterError(Exception):
    """The server refuses the query; the message is the resolver's."""


class PanicError(Exception):
    """The server's resolver panics; the message is Go's."""


# ---- criteria of any row -------------------------------------------------------------------------


def row_test(store: StashStore, criteria: Criteria) -> Callable[[Any], bool]:
    """Return a filter on tags, performers, studios or groups as a test of one row.

    Raises:
        FilterError: for what the server refuses, and for what is not simulated.
        PanicError: for what makes it panic.
    """
    tests: list[Callable[[Any], bool]] = []
    for name, criterion in criteria.items():
        if name in ("AND", "OR", "NOT") or criterion is None:
            continue
        if name in TIMES:
            tests.append(of(name, time_test(store, criterion)))
        elif name in ("name", "sort_name", "disambiguation"):
            tests.append(of(name, text_test(criterion)))
        else:
            raise FilterError(f"not simulated: criterion {name}")
    return combined(criteria, tests, lambda sub: row_test(store, sub))


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


def of(name: str, test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a test of one attribute."""
    return lambda row: test(getattr(row, name))


def links(
    criterion: Criteria,
    linked: Callable[[StashScene], tuple[int, ...]],
    under: Callable[[Iterable[int], int], set[int]],
) -> Callable[[StashScene], bool] | None:
    """Return an id criterion. Without a value it is ignored. Source: docs/stash-api.md 2.4."""
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
    """Return a test of the linked ids."""
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


def combined(
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
