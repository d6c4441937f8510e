"""Looks at items right before they are written once more."""

from __future__ import annotations

import pytest

from plexsync.errors import OvertakenError
from plexsync.models import ItemKind, ItemPlan, RatingKey, SceneId
from plexsync.planning.observed import Rules
from plexsync.planning.planner import Planner
from plexsync.sync.execution.freshness import Freshness
from plexsync.sync.execution.reader import Reader
from plexsync.sync.ports import RunHealth
from tests.support.plex_bench import plex_bench


def test_the_first_of_several_items_in_the_way_is_named() -> None:
    """The same one in each run."""
    plans = [
        ItemPlan(
            scene_id=SceneId(str(number)),
            rating_key=RatingKey(str(8000 + number)),
            section_id="1",
            kind=ItemKind.MOVIE,
            path="/a",
            lock=True,
            changes=(),
        )
        for number in range(40)
    ]
    with plex_bench() as bench:
        health = RunHealth(
            should_stop=lambda: False,
            plex_down=lambda: bench.transport.down,
            stash_down=lambda: False,
        )
        freshness = Freshness(Reader(bench.client, health), Planner(Rules()), lambda: 0.0)

        with pytest.raises(OvertakenError, match="item 8000 "):
            freshness.hold(plans)
