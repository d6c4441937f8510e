"""Looks at items right before they are written once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.errors import OvertakenError
from plexsync.models import (
    ItemDetail,
    ItemKind,
    ItemPlan,
    Link,
    PlexField,
    PlexItem,
    Problem,
    RatingKey,
    Scene,
)
from plexsync.planning.observed import Rules
from plexsync.planning.planner import Planner
from plexsync.sync.execution.doors import EditDoors
from plexsync.sync.execution.reader import FRESH_S, Freshness, Reader
from plexsync.sync.execution.sender import MOVED, Sender
from plexsync.sync.execution.work import Decision, Ready, WorkItem, Write
from plexsync.sync.rows import Pair
from tests.support.factories import make_change, make_plan
from tests.support.plex_bench import plex_bench, ports_on
from tests.support.world import edited_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.simulators.http.messages import SimRequest
    from plexsync.simulators.plex.simulator import PlexSimulator


def edit_of(plan: ItemPlan, detail: ItemDetail | None = None) -> Write:
    """A plan on its way to an item."""
    detail = detail or ItemDetail(
        item=PlexItem(rating_key=plan.rating_key, section_id="1", kind=plan.kind), values={}
    )
    pair = Pair(
        scene=Scene(scene_id=plan.scene_id, updated_at=""),
        link=Link(rating_key=plan.rating_key, section_id="1", path=""),
    )
    decision = Decision(plan=plan)
    item = WorkItem(pair=pair, decide=lambda _: decision, paths=())
    ready = Ready(item=item, decision=decision, detail=detail, read_at=0.0)
    return Write(ready=ready, plan=plan, first=detail, read_at=0.0)


def test_the_first_of_several_items_in_the_way_is_named() -> None:
    """The same one in each run."""
    edits = [edit_of(make_plan(rating_key=RatingKey(str(8000 + number)))) for number in range(40)]
    with plex_bench() as bench:
        reader = Reader(ports_on(bench.client, bench.transport))
        freshness = Freshness(reader, Planner(Rules()), lambda: 0.0)

        with pytest.raises(OvertakenError, match="item 8000 "):
            freshness.hold(edits)


@dataclass(frozen=True)
class Sending:
    """Sends edits to a server that takes 4 ms for each, and was read long ago.

    Attributes:
        sender: does it.
        reader: reads items.
        plex: the server.
        looks: the items of each look, in order.
        slow: seconds that looking at several items takes.
    """

    sender: Sender
    reader: Reader
    plex: PlexSimulator
    looks: list[tuple[str, ...]]
    slow: list[float]

    def edit(
        self, number: int, target: PlexField, after: str, kind: ItemKind = ItemKind.MOVIE
    ) -> Write:
        """Return an edit of one field of movie `number` as it is now; it may pass for another."""
        key = RatingKey(str(1000 + number))
        change = make_change(field=target.value, target=target, before="", after=after)
        detail = self.reader.read_one(key)
        assert isinstance(detail, ItemDetail)
        return edit_of(make_plan(rating_key=key, kind=kind, changes=(change,)), detail)

    def unsent(self, edits: list[Write]) -> list[Problem | None]:
        """Send edits, and return of each why it was not sent."""
        self.looks.clear()
        ended = {one: one.unsent for one in self.sender.send(edits)}
        return [ended[one] for one in edits]


@pytest.fixture
def sending() -> Iterator[Sending]:
    """Five movies."""
    nothing: Any = None
    with plex_bench() as bench:
        ports = ports_on(bench.client, bench.transport)
        reader, planner = Reader(ports), Planner(Rules())
        looks: list[tuple[str, ...]] = []

        def watch(request: SimRequest) -> None:
            if bench.simulator.kind(request) == "plex.detail":
                looks.append(tuple(sorted(edited_keys(request))))

        bench.wired.on_request = watch
        puts, slow = bench.wired.counters.requests, [0.0]

        def clock() -> float:
            several = sum(len(one) > 1 for one in looks)
            return 1.0 + 0.004 * puts("plex.put") + slow[0] * several

        doors = EditDoors(bench.client, reader, planner)
        freshness = Freshness(reader, planner, clock)
        sender = Sender(
            doors, ports, reader, freshness, session=nothing, spare=lambda _plan, _change: ()
        )
        yield Sending(sender, reader, bench.simulator, looks, slow)


def test_an_item_that_is_edited_in_between_is_not_looked_at_along_with_another_one(
    sending: Sending,
) -> None:
    """Two scenes may be one item, and what goes to the first of them to another item as well."""
    title, studio = PlexField.TITLE, PlexField.STUDIO
    alike = [(3, studio, "x"), (4, studio, "x")]
    plans = [(1, title, "a"), (2, title, "b"), *alike, (3, title, "c")]

    unsent = sending.unsent([sending.edit(*one) for one in plans])

    assert unsent == [None, None, None, None, MOVED]


def test_nothing_is_looked_at_beyond_a_collection(sending: Sending) -> None:
    """It shows what becomes of its members, and they what becomes of it."""
    kinds = [ItemKind.MOVIE, ItemKind.MOVIE, ItemKind.MOVIE, ItemKind.COLLECTION, ItemKind.MOVIE]
    edits = [
        sending.edit(number, PlexField.TITLE, str(number), kind)
        for number, kind in enumerate(kinds, start=1)
    ]

    sending.unsent(edits)

    assert sending.looks[-3:] == [("1002", "1003"), ("1004",), ("1005",)]


def test_an_item_is_looked_at_alone_where_looking_at_others_took_long(sending: Sending) -> None:
    """One of them may fail again and again, until what was read of the first is old.

    So one that failed, or moved, is not looked at along with another one again.
    """
    sending.slow[0] = 2 * FRESH_S
    edits = [sending.edit(number, PlexField.TITLE, str(number)) for number in range(1, 5)]
    sending.plex.edit_by_hand("1004", {"title": "By Hand"})

    assert sending.unsent(edits) == [None, None, None, MOVED]
    assert sending.looks[-4:] == [("1002", "1003", "1004"), ("1002",), ("1003",), ("1004",)]
