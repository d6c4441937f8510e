"""A run that makes and fills collections, killed at every request to Plex, before and after it.

The process ends there: nothing more reaches the disk or a server. The run after it makes nothing a
second time, and undoing everything leaves Plex as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.collection_world import collection_world, titles, whole
from tests.support.deadly_runs import killed_run, undo_since

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("applied", [False, True])
def test_nothing_is_made_twice_whatever_request_a_run_dies_at(
    tmp_path: Path,
    applied: bool,
) -> None:
    """Two collections with members, texts and a poster, of items that need no write themselves."""
    at, expected = 0, {"Mother": {"1", "2", "3", "4"}, "Daughter": {"3", "4"}}
    while True:
        at += 1
        place = tmp_path / str(at)
        with collection_world(place, COLLECTIONS__MODE="hide_items") as world:
            world.run(COLLECTIONS__STUDIOS="false", FIELDS__STUDIO__COLLECTION="false")
            before, known = whole(world), {one.run_id for one in world.state().runs}
            if killed_run(world, at=at, applied=applied) < at:
                break
            world.run()

            assert titles(world) == expected, at
            assert len(world.plex.collections.dump()) == len(expected), at
            undo_since(world, known)
            assert whole(world) == before, at
    assert at > 4


@pytest.mark.parametrize("drops", [False, True])
@pytest.mark.parametrize("applied", [False, True])
def test_members_leave_and_come_back_whatever_request_a_run_dies_at(
    tmp_path: Path,
    applied: bool,
    drops: bool,
) -> None:
    """Of a collection with a summary of a person's own, which only Plex may drop, and not for good.

    Each member leaves by a request of its own.
    """
    at = 0
    while True:
        at += 1
        with collection_world(tmp_path / str(at), FIELDS__STUDIO__COLLECTION="false") as world:
            world.run()
            world.plex.switches.drop_empty_collections = drops
            world.plex.edit_by_hand(world.plex.collections.key_of("Daughter"), {"summary": "Mine"})
            for number in (3, 4):
                world.stash.edit_scene(number, studio_id=1)
            world.wait(1)
            if killed_run(world, at=at, applied=applied) < at:
                break
            world.stash.edit_scene(3, studio_id=2)
            world.wait(1)
            world.run()
            assert titles(world)["Daughter"] == {"3"}, at
    assert at > 3


@pytest.mark.parametrize("applied", [False, True])
def test_a_run_dies_right_before_ids_move(tmp_path: Path, applied: bool) -> None:
    """What it wrote to a collection is known to what has its title then, and leaves no intent."""
    at = 0
    while True:
        at += 1
        with collection_world(tmp_path / str(at), FIELDS__STUDIO__COLLECTION="false") as world:
            world.run()
            world.stash.edit_scene(5, studio_id=2)
            world.wait(1)
            if killed_run(world, at=at, applied=applied) < at:
                break
            world.stash.edit_scene(5, studio_id=None)
            world.stash.full_import()
            world.wait(1)
            world.run()
            world.run()
            assert titles(world) == {"Mother": {"1", "2", "3", "4"}, "Daughter": {"3", "4"}}, at
            assert world.state().unsettled == (), at
    assert at > 2
