"""Shows and seasons that fail: charged, parked in the end, and tried again when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from plexsync.app.checkup.examination import check_state
from plexsync.app.report import Gathering
from plexsync.app.retry import retry
from plexsync.app.web_addresses import WebAddresses
from plexsync.errors import ExitCode
from plexsync.models import SceneId
from plexsync.output.report.texts import report_markdown
from plexsync.output.status import parked_words, status_lines
from plexsync.output.status_view import status_view
from plexsync.planning.retry_schedule import MOST_ATTEMPTS
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.storage.status import read_status
from plexsync.sync.ports import RunOptions
from tests.support.show_world import season_of, show_of, show_world, shown

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import Ran, World


def run_with_another(world: World, title: str) -> Ran:
    """Run a day later, with a scene that has its item written in the same run."""
    world.stash.edit_scene(4, title=title)
    world.wait(hours=25)
    return world.run()


def summary_of(world: World, key: str) -> object:
    """What Plex shows as the summary of a show or season."""
    return shown(world, key)["fields"]["summary"]


def assert_shown_as_parked(world: World, show: str) -> None:
    """All that says how things stand says that one show is parked."""
    status = read_status(world.state_dir, world.now)
    assert dict(status.shows.shares) == {"kept": 2, "waiting": 0, "parked": 1, "left alone": 3}
    (trouble,) = status.shows.troubles
    assert (trouble.title, trouble.attempts) == ("Mother", MOST_ATTEMPTS)
    assert parked_words(status).startswith("1 show parked: ")
    assert f"show\tparked\tshow:{show}\t{MOST_ATTEMPTS}" in "\n".join(status_lines(status))
    console = Console(width=100)
    with console.capture() as printed:
        console.print(status_view(status, width=100))
    assert "Mother (parked)" in printed.get()
    (found,) = [one for one in check_state(world.state_dir, world.now) if one.level == "warn"]
    assert found.message.startswith("1 show is parked: ")
    gathering = Gathering(
        world.state(), cache_dir=world.state_dir / "none", now=world.now, addresses=WebAddresses()
    )
    report = "\n".join(report_markdown(gathering.report()))
    assert "Shows and seasons: 2 kept, 1 parked, 3 left alone." in report


def test_a_show_that_fails_is_charged_and_parked_in_the_end(tmp_path: Path) -> None:
    """Its seasons and other items are written; then no run tries it, until `retry`."""
    with show_world(tmp_path, RUN__FULL_EVERY="90d") as world:
        world.run()
        show = show_of(world, "1")
        world.refuse_edits(show)
        world.stash.edit_studio(1, details="Since 1998.")
        for attempt in range(MOST_ATTEMPTS):
            ran = run_with_another(world, f"Number {attempt}")
            assert ran.summary.exit_code == ExitCode.SOME_FAILED
        assert [one for one in ran.warnings if "show 'Mother' is parked" in one]
        assert summary_of(world, season_of(world, "1")) == "Since 1998."

        quiet = run_with_another(world, "The last")
        assert quiet.summary.exit_code == ExitCode.OK
        assert [one for one in quiet.rows if one.is_show] == []
        assert_shown_as_parked(world, show)

        world.plex_wire.faults.clear()
        world.wait(hours=1)
        due = retry(world.state_dir, (), now=world.now, run_id="20261201T000000Z-0000").due
        assert due == (f"show:{show}",)
        world.run()
        assert summary_of(world, show) == "Since 1998."
        assert read_status(world.state_dir, world.now).shows.kept == 3


def test_an_outage_parks_no_show(tmp_path: Path) -> None:
    """Where nothing of a kind is written in a run, no show is charged with it."""
    with show_world(tmp_path, RUN__FULL_EVERY="90d") as world:
        world.run()
        show = show_of(world, "1")
        world.stash.edit_studio(1, details="Since 1998.")
        world.wait(hours=25)
        world.plex_wire.faults.add(Fault("plex.put", 1, ErrorStatus(500), times=None))
        for _ in range(2):
            assert world.run().summary.exit_code != ExitCode.OK
        assert {one.attempts for one in world.state().shows().values()} == {0}

        world.plex_wire.faults.clear()
        world.run()
        assert summary_of(world, show) == "Since 1998."


def test_a_run_by_a_look_from_afar_comes_back_to_a_show_that_failed(tmp_path: Path) -> None:
    """Nothing moved on either server when the time of its next try has come."""
    with show_world(tmp_path, RUN__FULL_EVERY="90d", RUN__SWEEP_EVERY="30d") as world:
        world.run()
        show = show_of(world, "1")
        world.refuse_edits(show)
        world.stash.edit_studio(1, details="Since 1998.")
        assert run_with_another(world, "Another").summary.exit_code == ExitCode.SOME_FAILED
        world.plex_wire.faults.clear()
        for _ in range(2):
            world.wait(hours=0.01)
            waits = world.run(RunOptions(watched=False))
            assert (waits.rows, waits.summary.exit_code) == ((), ExitCode.OK)
        assert waits.summary.counts.scenes_read == 0

        world.wait(hours=1)
        world.run(RunOptions(watched=False))
        assert summary_of(world, show) == "Since 1998."


def test_a_show_that_nothing_is_wanted_of_is_parked_no_longer(tmp_path: Path) -> None:
    """Its episodes went elsewhere while it waited; a full run forgets that it failed."""
    with show_world(tmp_path, RUN__FULL_EVERY="90d") as world:
        world.run()
        show = show_of(world, "1")
        world.refuse_edits(show)
        world.stash.edit_studio(1, details="Since 1998.")
        run_with_another(world, "Another")
        assert read_status(world.state_dir, world.now).shows.waiting == 1
        for scene_id in ("1", "2", "3", "6"):
            world.plex.move_episode(world.key_of(scene_id), season_of(world, "4"))
        world.run(RunOptions(full=True, force=True))

        record = world.state().shows()[SceneId(f"show:{show}")]
        assert (record.attempts, record.due_at, record.problem) == (0, "", None)
