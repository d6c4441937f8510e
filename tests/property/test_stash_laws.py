"""Laws of reading from Stash: every id is accounted for, every walk ends, no bytes are fatal."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.errors import BadResponseError, ServerError
from plexsync.models import SceneId
from plexsync.stash.answers import MissingSceneError, ResolverError, decoder_of
from plexsync.stash.paging import SMALLEST_PAGE, Batches, keyset_pages
from plexsync.stash.wire import Reference, ScenePage, WireDetail, WireScene, WireVersion
from plexsync.transport.responses import HttpResponse, SlowError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.stash.paging import Where
    from plexsync.stash.queries import Json

IDS = st.sets(st.integers(1, 300), max_size=80)
FEW_IDS = st.sets(st.integers(1, 300), max_size=5)


@dataclass(slots=True)
class FakeStash:
    """Answers as Stash does: a missing or a poisoned scene fails the whole query.

    A query for more than `limit` scenes is too slow.
    """

    ids: frozenset[int]
    poisoned: frozenset[int] = frozenset()
    silently_missing: frozenset[int] = frozenset()
    limit: int = 10_000
    asked: int = 0

    def by_ids(self, ids: Sequence[SceneId], divisible: bool) -> tuple[Reference, ...]:
        """A query by ids."""
        self.asked += 1
        assert ids, "an empty list of ids asks for everything"
        self._check_speed(len(ids), divisible=divisible)
        for one in ids:
            if int(one) in self.poisoned:
                raise ResolverError("multiple rows")
            if int(one) not in self.ids | self.silently_missing:
                raise MissingSceneError(one)
        return tuple(Reference(one) for one in ids if int(one) in self.ids)

    def page(self, where: Where, size: int, divisible: bool) -> tuple[Reference, ...]:
        """A keyset page."""
        self.asked += 1
        self._check_speed(size, divisible=divisible)
        rows = self._matching(where)[:size]
        if self.poisoned & set(rows):
            raise ResolverError("multiple rows")
        return tuple(Reference(str(one)) for one in rows)

    def count(self, where: Where) -> int:
        """How many the filter finds."""
        self.asked += 1
        return len(self._matching(where))

    def _matching(self, where: Where) -> list[int]:
        criterion = where["id"]
        low, high = _bounds(criterion)
        return sorted(one for one in self.ids | self.poisoned if low <= one <= high)

    def _check_speed(self, size: int, *, divisible: bool) -> None:
        if size > self.limit:
            assert divisible, "what is too slow must be divisible"
            raise SlowError("too slow")


def _bounds(criterion: Json) -> tuple[int, int]:
    """The ids an IntCriterion lets through."""
    assert isinstance(criterion, dict)
    if criterion["modifier"] == "BETWEEN":
        return int(criterion["value"]), int(criterion["value2"])
    return int(criterion["value"]) + 1, 10**9


def after(last_id: int) -> Mapping[str, Json]:
    """The filter of a keyset page."""
    return {"id": {"value": last_id, "modifier": "GREATER_THAN"}}


@settings(max_examples=100, deadline=None)
@given(ids=IDS, gone=FEW_IDS, silent=FEW_IDS, bad=FEW_IDS, size=st.integers(1, 40))
def test_every_id_is_found_missing_or_poisoned(
    *, ids: set[int], gone: set[int], silent: set[int], bad: set[int], size: int
) -> None:
    """Exactly one of the three, each once, whatever batches the ids fall into."""
    bad, silent, gone = bad - gone, silent - gone - bad, gone - ids
    there = frozenset(ids - bad - silent - gone)
    stash = FakeStash(there, frozenset(bad), frozenset(silent))
    wanted = [SceneId(str(one)) for one in sorted(ids | gone | bad | silent)]
    fetched = Batches(stash.by_ids, size).fetch((*wanted, *wanted[:3]))
    assert [int(row.id) for row in fetched.found] == sorted(there)
    assert sorted(map(int, fetched.missing)) == sorted(gone | silent)
    assert sorted(int(one) for one, _ in fetched.poisoned) == sorted(bad)


@settings(max_examples=50, deadline=None)
@given(ids=IDS, limit=st.integers(1, 40), size=st.integers(1, 200))
def test_batches_shrink_until_they_are_fast_enough(ids: set[int], limit: int, size: int) -> None:
    """Every scene arrives in the order asked, and what was too slow is not tried again."""
    stash = FakeStash(frozenset(ids), limit=limit)
    batches = Batches(stash.by_ids, size)
    wanted = tuple(SceneId(str(one)) for one in sorted(ids, reverse=True))
    assert [row.id for row in batches.fetch(wanted).found] == list(wanted)
    before = stash.asked
    batches.fetch(wanted)
    assert stash.asked - before <= 2 * len(wanted) // max(1, min(size, limit)) + 2


@settings(max_examples=100, deadline=None)
@given(ids=IDS, bad=FEW_IDS, size=st.integers(1, 60), limit=st.integers(SMALLEST_PAGE, 60))
def test_a_walk_sees_every_scene_once_in_order(
    ids: set[int], bad: set[int], size: int, limit: int
) -> None:
    """Poisoned scenes are named in their place; slow pages become smaller ones."""
    stash = FakeStash(frozenset(ids - bad), frozenset(bad), limit=limit)
    seen: list[int] = []
    poisoned: list[int] = []
    for page in keyset_pages(stash.page, stash.count, after, size):
        named = [int(one) for one, _ in page.poisoned]
        seen += [int(row.id) for row in page.found] + named
        poisoned += named
    assert seen == sorted(ids | bad)
    assert poisoned == sorted(bad)


@pytest.mark.parametrize(("bad", "fails"), [(10, False), (11, True)])
def test_scene_after_scene_failing_is_a_failing_server(bad: int, fails: bool) -> None:
    """Ten bad rows in a row are bad rows; with the eleventh it is Stash itself."""
    stash = FakeStash(frozenset({50}), frozenset(range(1, bad + 1)))
    wanted = [SceneId(str(one)) for one in range(1, bad + 1)]
    with pytest.raises(ResolverError) if fails else nullcontext():
        assert len(Batches(stash.by_ids, 20).fetch(wanted).poisoned) == bad
    with pytest.raises(ResolverError) if fails else nullcontext():
        assert len(list(keyset_pages(stash.page, stash.count, after, 20))) == bad + 1


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.integers(0, 6).map(str) | st.sampled_from(["", "x", "07"]), max_size=6))
def test_a_page_out_of_order_never_loops(rows: list[str]) -> None:
    """A server that repeats itself is found out: the walk ends, well or with an error."""
    calls = 0

    def ask(_where: Where, _size: int, _divisible: bool) -> tuple[Reference, ...]:
        nonlocal calls
        calls += 1
        assert calls < 10
        return tuple(Reference(one) for one in rows)

    with suppress(BadResponseError):
        list(keyset_pages(ask, lambda _where: 0, after, 3))


@pytest.mark.parametrize(
    "rows",
    [("1", "2", "2"), ("2", "1", "3"), ("1", "2", "3"), ("1", "2", "x"), ("1", "2", "3", "4")],
    ids=["twice", "backwards", "the same page again", "no id", "more than asked for"],
)
def test_a_page_that_breaks_its_promise_is_refused(rows: tuple[str, ...]) -> None:
    """Ids rise from page to page, and a page holds no more than was asked for."""
    calls = 0

    def ask(_where: Where, _size: int, _divisible: bool) -> tuple[Reference, ...]:
        nonlocal calls
        calls += 1
        assert calls < 3
        return tuple(Reference(one) for one in rows)

    with pytest.raises(BadResponseError):
        list(keyset_pages(ask, lambda _where: 0, after, 3))


def test_pages_grow_again_behind_a_poisoned_scene() -> None:
    """One bad row costs a few small pages, not a small page for each scene after it."""
    stash = FakeStash(frozenset(range(2, 1001)), frozenset({1}))
    list(keyset_pages(stash.page, stash.count, after, 100))
    assert stash.asked < 40


DECODERS = [decoder_of(ScenePage[kind]) for kind in (WireVersion, WireScene, WireDetail)]  # type: ignore[valid-type]  # each kind in turn


@settings(max_examples=200, deadline=None)
@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.sampled_from(
            [b"null", b"1", b'"a"', rb'"\ud800"', b'"\xff"', b"-1e400", b"NaN", b"true", b'"\n"']
        ),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda items: b"[" + b",".join(items) + b"]")
            | st.tuples(
                st.sampled_from([b"data", b"errors", b"findScenes", b"scenes", b"message", b"id"]),
                inner,
            ).map(lambda pair: b'{"' + pair[0] + b'":' + pair[1] + b"}")
        ),
        max_leaves=12,
    )
)
def test_no_bytes_are_fatal(body: bytes) -> None:
    """Whatever a server sends is data or one of our errors."""
    for decode in DECODERS:
        with suppress(ServerError):
            decode(HttpResponse(200, {"Content-Type": "application/json"}, body))
