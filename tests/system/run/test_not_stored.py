"""What Plex accepts and does not store: tried twice, reported with both values, then left alone.

While no write of the run has proven which address this server takes edits at, a try sends the edit
to both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.models import Outcome
from plexsync.planning.retry_schedule import PARKED
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World, edited_keys, scene_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


BOTH_ADDRESSES = 2
"""Edits of one try, where it is the only write of its run."""


@pytest.fixture
def stubborn(tmp_path: Path) -> Iterator[World]:
    """Six synced scenes; the item of the second one answers 200 and changes nothing any more."""
    spec = LibrarySpec(seed=3, scenes=6, mix={Case.SAME: 1.0}, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        world.run()
        bad = world.key_of("2")
        world.plex_wire.faults.add(
            Fault("plex.put", 1, ErrorStatus(200), None, lambda one: edited_keys(one) == (bad,))
        )
        world.stash.edit_scene(2, title="Never Stored")
        yield world


def test_it_is_reported_with_both_values(stubborn: World) -> None:
    """A failure of its own kind: what was sent, and what Plex holds."""
    held = stubborn.shown(stubborn.key_of("2"), "title")
    row = stubborn.run().row("2")
    assert row.outcome is Outcome.FAILED
    assert row.error is not None
    assert row.error.kind == "not-stored"
    assert "'Never Stored'" in row.error.message
    assert f"'{held}'" in row.error.message


def test_it_is_tried_twice_and_then_with_each_full_sweep(stubborn: World) -> None:
    """However many runs come; the scene stays known as failed, and is not forgotten for good."""
    sent = []
    for _ in range(4):
        sent.append(stubborn.run().puts)
        stubborn.wait(hours=25)
    assert sent == [BOTH_ADDRESSES, BOTH_ADDRESSES, 0, 0]
    record = stubborn.state().get(scene_ids(2)[0])
    assert record is not None
    assert record.due_at == PARKED
    stubborn.wait(hours=24 * 8)
    weekly = stubborn.run()
    assert weekly.summary.header.full is True
    assert weekly.puts == BOTH_ADDRESSES
    stubborn.wait(hours=25)
    assert stubborn.run().puts == 0


def test_it_is_sent_once_a_try_where_the_address_is_proven(stubborn: World) -> None:
    """Another item's write comes first and shows that Plex takes edits there."""
    sent = []
    for number in range(4):
        stubborn.stash.edit_scene(1, title=f"Stored {number}")
        ran = stubborn.run()
        assert ran.outcomes()["1"] == "applied"
        sent.append(ran.puts - 1)
        stubborn.wait(hours=25)
    assert sent == [1, 1, 0, 0]


def test_it_is_tried_again_when_stash_changes_or_a_person_asks(stubborn: World) -> None:
    """A new value gets its own two tries, and `--scene` one more."""
    for _ in range(3):
        stubborn.run()
        stubborn.wait(hours=25)
    assert stubborn.run(RunOptions(scenes=scene_ids(2))).puts == BOTH_ADDRESSES
    stubborn.stash.edit_scene(2, title="Another")
    assert stubborn.run().puts == BOTH_ADDRESSES
    stubborn.plex_wire.faults.clear()
    stubborn.wait(hours=25)
    assert stubborn.run().outcomes() == {"2": "applied"}


def test_it_is_tried_again_when_the_configuration_changes(stubborn: World) -> None:
    """Other rules may make it work."""
    for _ in range(3):
        stubborn.run()
        stubborn.wait(hours=25)
    stubborn.plex_wire.faults.clear()
    assert stubborn.run().puts == 0
    assert stubborn.run(APPLY__LOCK_FIELDS="false").row("2").outcome is Outcome.APPLIED
