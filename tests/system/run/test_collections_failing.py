"""Collections that fail: charged, parked in the end, and tried again when a person says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from plexsync.app.checkup.examination import check_state
from plexsync.app.report import Gathering
from plexsync.app.retry import retry
from plexsync.app.web_addresses import WebAddresses
from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.output.report.texts import report_markdown
from plexsync.output.status import parked_words, status_lines
from plexsync.output.status_view import status_view
from plexsync.planning.retry_schedule import MOST_ATTEMPTS
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.storage.status import read_status
from plexsync.sync.ports import IN_A_ROW, RunOptions
from tests.support.collection_world import OTHER_LOGO, collection_world, shelf, titles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World


def fail(world: World, title: str) -> None:
    """Have Plex refuse every edit of one collection, and of no other."""
    world.refuse_edits(world.plex.collections.key_of(title))


def hide(world: World, title: str) -> None:
    """Have Plex fail to read one collection, and no other."""
    key = world.plex.collections.key_of(title)
    world.plex_wire.faults.add(
        Fault(
            "plex.detail",
            1,
            ErrorStatus(500),
            times=None,
            match=lambda one: key in one.path.rpartition("/")[2].split(","),
        )
    )


def details_of(world: World, studio: int, text: str) -> None:
    """Change what a studio's collection is to say."""
    world.stash.edit_studio(studio, details=text)
    world.wait(hours=25)


def test_a_collection_that_fails_is_charged_and_parked_in_the_end(tmp_path: Path) -> None:
    """Another one is written in the same runs; then no run tries it, until `retry`.

    A dry run that fails just before that parks nothing.
    """
    with collection_world(tmp_path, RUN__FULL_EVERY="90d") as world:
        world.run()
        fail(world, "Mother")
        details_of(world, 1, "Since 1998.")
        for attempt in range(MOST_ATTEMPTS):
            if attempt == MOST_ATTEMPTS - 1:
                hide(world, "Mother")
                details_of(world, 2, "Looked at.")
                dry = world.run(RunOptions(dry_run=True))
                assert dry.count(Outcome.FAILED) == 1
                assert not [one for one in dry.warnings if "parked" in one]
                world.plex_wire.faults.clear()
                fail(world, "Mother")
            details_of(world, 2, f"Number {attempt}.")
            ran = world.run()
            assert ran.summary.exit_code == ExitCode.SOME_FAILED
        assert [one for one in ran.warnings if "collection 'Mother' is parked" in one]

        quiet = world.run()
        assert (quiet.rows, quiet.summary.exit_code) == ((), ExitCode.OK)
        status = read_status(world.state_dir, world.now)
        assert dict(status.collections.shares) == {
            "kept": 1,
            "waiting": 0,
            "parked": 1,
            "left alone": 0,
        }
        (trouble,) = status.collections.troubles
        assert (trouble.title, trouble.attempts) == ("Mother", MOST_ATTEMPTS)
        assert parked_words(status).startswith("1 collection parked after too many failed tries: ")
        assert f"collection\tparked\t1.studio:1\t{MOST_ATTEMPTS}" in "\n".join(status_lines(status))
        console = Console(width=100)
        with console.capture() as shown:
            console.print(status_view(status, width=100))
        assert "Mother (parked)" in shown.get()
        (found,) = [one for one in check_state(world.state_dir, world.now) if one.level == "warn"]
        assert found.message.startswith("1 collection is parked after too many failed tries: ")
        gathering = Gathering(
            world.state(), cache_dir=tmp_path, now=world.now, addresses=WebAddresses()
        )
        report = "\n".join(report_markdown(gathering.report()))
        assert "Collections: 1 kept, 1 parked." in report

        world.plex_wire.faults.clear()
        world.wait(hours=1)
        due = retry(world.state_dir, (), now=world.now, run_id="20261201T000000Z-0000").due
        assert due == ("1.studio:1",)
        world.run()
        assert shelf(world, "Mother")["fields"]["summary"] == "Since 1998."
        assert read_status(world.state_dir, world.now).collections.kept == 2


def test_no_collection_is_made_after_plex_stopped_taking_them(tmp_path: Path) -> None:
    """Some refusals in a row are the server's: the others are not even tried."""
    kinds = ("GROUPS", "PERFORMERS", "RATINGS", "ORGANIZED")
    settings = {f"COLLECTIONS__{kind}": "true" for kind in kinds}
    with collection_world(tmp_path, **settings) as world:
        world.plex_wire.faults.add(Fault("plex.make", 1, ErrorStatus(500), times=None))
        ran = world.run()

        assert ran.plex["plex.make"] == IN_A_ROW
        assert ran.summary.exit_code == ExitCode.SERVER


def test_no_poster_follows_one_that_was_refused_for_the_token(tmp_path: Path) -> None:
    """What ended the pictures of one new collection holds for the next one made."""
    with collection_world(tmp_path) as world:
        world.stash.set_image("studio", 2, OTHER_LOGO)
        world.wait(1)
        world.plex_wire.faults.add(Fault("plex.upload", 1, ErrorStatus(401)))
        ran = world.run()

        assert ran.plex["plex.upload"] == 1
        assert ran.summary.exit_code == ExitCode.ACCESS


def test_an_outage_parks_no_collection(tmp_path: Path) -> None:
    """Where nothing of a kind is written in a run, no collection is charged with it."""
    with collection_world(tmp_path, FIELDS__STUDIO="off", RUN__FULL_EVERY="90d") as world:
        world.run()
        fail(world, "Mother")
        details_of(world, 1, "Since 1998.")
        for _ in range(2):
            ran = world.run()
            assert ran.summary.exit_code == ExitCode.SOME_FAILED
        (trouble,) = read_status(world.state_dir, world.now).collections.troubles
        assert (trouble.attempts, trouble.due_at) == (0, "")

        world.plex_wire.faults.clear()
        world.run()
        assert shelf(world, "Mother")["fields"]["summary"] == "Since 1998."
        assert titles(world).keys() == {"Mother", "Daughter"}
