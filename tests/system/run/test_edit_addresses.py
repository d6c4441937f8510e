"""Edits go to the address of the item; where a server lacks it, a lost id is noticed at once.

An edit at the address of a library without an id is an edit of the whole library. A proxy that
drops the parameter, or a server that does, must not get a second chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.execution.reader import DETAIL_BATCH
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCENES = 8


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Plain scenes, nothing synced yet."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        yield made


def addresses(world: World) -> set[str]:
    """What stands before the ids in the paths of all edits."""
    return {write.path.rstrip("0123456789,") for write in world.plex.writes}


def titles(world: World) -> dict[str, str]:
    """The title of every item."""
    return {key: world.shown(key, "title") for key in world.plex.rating_keys()}


def meant(world: World) -> dict[str, str]:
    """The titles the scenes say."""
    return {
        world.key_of(str(scene.id)): scene.title.strip() for scene in world.library.stash.scenes
    }


def test_edits_name_their_items_in_the_path(world: World) -> None:
    """So no proxy can lose an id, and nothing is ever sent to the address of a library."""
    world.plex.switches.drop_edit_ids = True
    ran = world.run()
    assert ran.count(Outcome.APPLIED) == SCENES
    assert addresses(world) == {"/library/metadata/"}
    assert world.plex.misdeeds.unguarded_puts == 0
    assert titles(world) == meant(world)


def test_a_group_of_alike_edits_names_its_items_in_the_path(world: World) -> None:
    """Many ids in one path."""
    world.run()
    before = len(world.plex.writes)
    world.stash.edit_scenes(range(1, SCENES + 1), title="The Same")
    ran = world.run(APPLY__MAX_SHARE="1.0")
    assert ran.count(Outcome.APPLIED) == SCENES
    assert addresses(world) == {"/library/metadata/"}
    assert len(world.plex.writes) - before == 1


def test_a_server_without_that_address_gets_edits_at_the_librarys(world: World) -> None:
    """One request is refused, once per run, and one neighbour looked at."""
    world.plex.switches.edits_by_item = False
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.OK
    assert ran.count(Outcome.APPLIED) == SCENES
    assert titles(world) == meant(world)
    assert world.plex.misdeeds.unguarded_puts == 0
    assert ran.puts == SCENES + 1


def test_an_address_that_takes_edits_and_does_nothing_is_not_believed(world: World) -> None:
    """Only reading the first item back proves it."""
    world.plex.switches.ignore_edits_by_item = True
    ran = world.run()
    assert ran.count(Outcome.APPLIED) == SCENES
    assert titles(world) == meant(world)


def test_a_lost_id_stops_the_run_after_the_first_edit(world: World) -> None:
    """Exit 4; what a neighbour lost is journaled, and an undo gives it back."""
    world.plex.switches.edits_by_item = False
    world.plex.switches.drop_edit_ids = True
    before = world.plex.dump()
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.SERVER
    assert ran.summary.error is not None
    assert ran.summary.error.kind == "misdirected-edit"
    assert "backup" in ran.summary.error.hint
    assert world.plex.misdeeds.unguarded_puts == 1
    assert world.state().unsettled == ()
    world.plex.switches.drop_edit_ids = False
    undone = world.undo()
    assert undone.count(Outcome.APPLIED) == 2
    back = [key for key, item in world.plex.dump().items() if item == before[key]]
    assert len(back) == 2, "the item that was meant, and the neighbour that was looked at"


def test_values_of_another_item_stop_the_run(world: World) -> None:
    """Seen when a batch is read back: nothing more is sent, and an undo gives the item back."""
    keys = [world.key_of(str(number)) for number in range(1, SCENES + 1)]
    world.run()
    for number in range(1, SCENES + 1):
        world.stash.edit_scene(number, title=f"Title {number}")
    world.plex.switches.edits_land_at = {keys[3]: keys[1]}
    before = titles(world)
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.SERVER
    assert ran.summary.error is not None
    assert ran.summary.error.kind == "misdirected-edit"
    assert f"item {keys[1]} holds what was sent to item {keys[3]}" in ran.summary.error.message
    assert world.shown(keys[1], "title") == "Title 4"
    assert world.state().unsettled == ()
    world.plex.switches.edits_land_at = {}
    world.undo()
    assert titles(world) == before


def test_after_values_of_another_item_no_other_batch_is_sent(tmp_path: Path) -> None:
    """Items are read back some dozens at a time; the rest of the library is not touched."""
    scenes = 2 * DETAIL_BATCH
    spec = LibrarySpec(seed=3, scenes=scenes, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        world.plex.switches.edits_land_at = {world.key_of("4"): world.key_of("2")}
        ran = world.run()
        assert ran.summary.exit_code == ExitCode.SERVER
        assert len(world.plex.writes) == DETAIL_BATCH


def test_an_item_that_refuses_edits_says_nothing_about_the_address(world: World) -> None:
    """The first item fails by itself at both addresses; the others are written by theirs."""
    world.plex_wire.faults.add(Fault("plex.put", 1, ErrorStatus(404)))
    world.plex_wire.faults.add(Fault("plex.put", 2, ErrorStatus(404)))
    ran = world.run()
    assert (ran.count(Outcome.FAILED), ran.count(Outcome.APPLIED)) == (1, SCENES - 1)
    assert addresses(world) == {"/library/metadata/"}
