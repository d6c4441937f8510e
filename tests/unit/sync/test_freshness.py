"""Looks at items right before they are written once more."""

from __future__ import annotations

import pytest

from plexsync.errors import OvertakenError
from plexsync.models import ItemDetail, ItemPlan, Link, PlexItem, RatingKey, Scene
from plexsync.planning.observed import Rules
from plexsync.planning.planner import Planner
from plexsync.sync.execution.reader import Freshness, Reader
from plexsync.sync.execution.work import Decision, Ready, WorkItem, Write
from plexsync.sync.ports import RunHealth
from plexsync.sync.rows import Pair
from tests.support.factories import make_plan
from tests.support.plex_bench import plex_bench


def edit_of(plan: ItemPlan) -> Write:
    """A plan on its way to an item."""
    detail = ItemDetail(
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
        health = RunHealth(
            should_stop=lambda: False,
            plex_down=lambda: bench.transport.down,
            stash_down=lambda: False,
        )
        freshness = Freshness(Reader(bench.client, health), Planner(Rules()), lambda: 0.0)

        with pytest.raises(OvertakenError, match="item 8000 "):
            freshness.hold(edits)
