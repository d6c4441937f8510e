"""A server's failure is charged to no scene: few requests, a truthful end, nothing parked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from plexsync.app.checkup.examination import check_state
from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.output.status import check_sentence
from plexsync.output.summary import next_steps
from plexsync.planning.retry_schedule import MOST_ATTEMPTS, iso
from plexsync.simulators.http.wire import ErrorStatus, Fault, Redirect, html
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.status import read_status
from plexsync.sync.ports import RunOptions
from tests.support.picture_world import PNG
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.http.wire import Effect, SimRequest

SCENES = 60
SPEC = LibrarySpec(seed=4, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
ALWAYS: dict[str, Effect] = {
    "html": html(),
    "302": Redirect("https://elsewhere.example/login-with-us"),
    "400": ErrorStatus(400),
    "413": ErrorStatus(413),
    "414": ErrorStatus(414),
    "404": ErrorStatus(404),
    "418": ErrorStatus(418),
    "500": ErrorStatus(500),
    "503": ErrorStatus(503),
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Sixty scenes, none of them written yet."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as made:
        yield made


def strike(world: World, effect: Effect, kind: str = "plex.put") -> None:
    """Every request of a kind meets the same."""
    world.plex_wire.faults.add(Fault(kind, 1, effect, times=None))


@pytest.mark.parametrize("name", ALWAYS)
def test_the_same_answer_to_every_edit_is_the_servers_fault(world: World, name: str) -> None:
    """A few items, then exit 4; the next run of a healed server writes all of them."""
    strike(world, ALWAYS[name])
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.SERVER
    assert ran.puts <= 40, "five items, with second tries or a field each"
    assert ran.count(Outcome.FAILED) <= 5
    assert ran.summary.error is not None
    assert ran.summary.error.hint
    world.plex_wire.faults.clear()
    again = world.run()
    assert again.summary.exit_code == ExitCode.OK
    assert again.count(Outcome.APPLIED) == SCENES


@pytest.mark.parametrize("name", ["html", "302", "413", "500"])
def test_no_night_of_outages_parks_anything(world: World, name: str) -> None:
    """Twice as many runs as park a scene; healed, the next run writes everything."""
    strike(world, ALWAYS[name])
    for _ in range(2 * MOST_ATTEMPTS):
        assert world.run().summary.exit_code == ExitCode.SERVER
    status = read_status(world.state_dir, world.now)
    assert status.parked == ()
    assert {one.attempts for one in status.failing} <= {0}
    world.plex_wire.faults.clear()
    assert world.run().count(Outcome.APPLIED) == SCENES


def test_one_item_that_fails_is_charged_and_parked_in_the_end(world: World) -> None:
    """Others are written in the same run, so the fault is its own; a run that parks says so."""
    world.refuse_edits(world.key_of("1"))
    for attempt in range(1, MOST_ATTEMPTS + 1):
        world.stash.edit_scene(2, title=f"title {attempt}")
        world.wait(hours=25)
        ran = world.run()
        assert ran.summary.exit_code == ExitCode.SOME_FAILED
        warned = [one for one in ran.warnings if "parked" in one]
        assert len(warned) == (attempt == MOST_ATTEMPTS)
    assert "plexsync retry 1" in warned[0]
    status = read_status(world.state_dir, world.now)
    (parked,) = status.parked
    assert parked.scene_id == "1"
    fresh = replace(status, last_success_at=iso(world.now))
    assert "1 scene parked" in check_sentence(fresh, max_age_s=3600)
    world.plex_wire.faults.clear()
    swept = world.run(RunOptions(full=True))
    assert swept.row("1").outcome is Outcome.APPLIED


def test_the_weekly_sweep_takes_parked_scenes(world: World) -> None:
    """Nobody has to know of `retry`: what was parked is tried again within a week.

    Until then each run and the check-up say how many are, and why.
    """
    world.refuse_edits(world.key_of("1"))
    for attempt in range(MOST_ATTEMPTS):
        world.stash.edit_scene(2, title=f"title {attempt}")
        world.wait(hours=25)
        world.run(RUN__FULL_EVERY="90d")
    assert read_status(world.state_dir, world.now).parked
    world.plex_wire.faults.clear()
    quiet = world.run(RUN__FULL_EVERY="90d")
    assert quiet.rows == ()
    assert quiet.summary.parked == 1
    assert "500" in quiet.summary.parked_why
    (note,) = [one for one in next_steps(quiet.summary) if "parked" in one.text]
    assert note.text.startswith("1 scene is parked: ")
    (found,) = [one for one in check_state(world.state_dir, world.now) if one.level == "warn"]
    assert found.message == f"1 scene is parked: {quiet.summary.parked_why}"
    assert "plexsync retry" in found.remedy
    world.wait(hours=24 * 8)
    swept = world.run()
    assert swept.row("1").outcome is Outcome.APPLIED
    assert swept.summary.parked == 0
    assert read_status(world.state_dir, world.now).parked == ()


def test_pictures_that_are_refused_stop_no_edit(tmp_path: Path) -> None:
    """Five items are enough to know; fields are written all the same, and exit 4 says why."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as world:
        for scene in world.stash.scenes:
            world.stash.set_cover(scene.id, PNG + str(scene.id).encode())
        strike(world, ErrorStatus(413), "plex.upload")
        ran = world.run(FIELDS__POSTER="overwrite")
        assert ran.summary.exit_code == ExitCode.SERVER
        assert ran.plex["plex.upload"] == 2 * 5, "each is sent once more"
        titles = {world.shown(world.key_of(str(s.id)), "title") for s in world.stash.scenes}
        assert titles == {scene.title for scene in world.stash.scenes}
        world.plex_wire.faults.clear()
        again = world.run(FIELDS__POSTER="overwrite")
        assert again.summary.exit_code == ExitCode.OK
        assert again.plex["plex.upload"] == SCENES
        assert read_status(world.state_dir, world.now).failing == ()


@pytest.mark.parametrize("left", [1, 2, 4])
@pytest.mark.parametrize("name", ["503", "500", "html"])
def test_a_server_that_fails_before_the_last_few_items_is_at_fault(
    world: World, name: str, left: int
) -> None:
    """Fewer than are needed to tell by themselves: what Plex answers at the end tells."""
    world.run()
    for number in range(1, left + 2):
        world.stash.edit_scene(number, title=f"New {number}")
    before = len(world.plex.writes)

    def is_late(_: SimRequest) -> bool:
        return len(world.plex.writes) > before

    world.plex_wire.faults.add(Fault(None, 1, ALWAYS[name], None, is_late))
    ran = world.run()
    world.plex_wire.faults.clear()

    assert ran.summary.exit_code == ExitCode.SERVER
    status = read_status(world.state_dir, world.now)
    assert {one.attempts for one in status.failing} <= {0}
    assert world.run().summary.exit_code == ExitCode.OK
    for number in range(1, left + 2):
        assert world.shown(world.key_of(str(number)), "title") == f"New {number}"
    assert world.run().puts == 0
