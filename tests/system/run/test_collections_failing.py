"""Collections that fail: charged, parked in the end, and tried again when a person says so."""

from __future__ import annotations

import json
import shutil
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
from plexsync.simulators.http.wire import ErrorStatus, Fault, Rewrite
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.status import read_status
from plexsync.sync.ports import IN_A_ROW, RunOptions
from tests.support.collection_world import OTHER_LOGO, collection_world, shelf, titles
from tests.support.fields_world import PLAIN
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = RunOptions(full=True)


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


def without(key: str) -> Callable[[bytes], bytes]:
    """Leave one item out of a listing, and of its count."""

    def shorten(body: bytes) -> bytes:
        answer = json.loads(body)
        container = answer["MediaContainer"]
        items = container.get("Metadata", [])
        left = [one for one in items if one["ratingKey"] != key]
        for count in {"size", "totalSize"} & container.keys():
            container[count] -= len(items) - len(left)
        return json.dumps({"MediaContainer": {**container, "Metadata": left}}).encode()

    return shorten


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
        assert parked_words(status).startswith("1 collection parked: ")
        assert f"collection\tparked\t1.studio:1\t{MOST_ATTEMPTS}" in "\n".join(status_lines(status))
        console = Console(width=100)
        with console.capture() as shown:
            console.print(status_view(status, width=100))
        assert "Mother (parked)" in shown.get()
        (found,) = [one for one in check_state(world.state_dir, world.now) if one.level == "warn"]
        assert found.message.startswith("1 collection is parked: ")
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


def test_a_member_plex_has_no_more_is_wanted_by_no_collection(tmp_path: Path) -> None:
    """Scene 2 rests, so its link stays as it was; its item has another number in Plex by now.

    A collection of nothing else is not made. The scene is a member again once it takes part.
    """
    with collection_world(tmp_path) as world:
        world.stash.edit_scene(1, performer_ids=())
        world.stash.edit_scene(2, performer_ids=(2,))
        world.stash.edit_scene(3, organized=True)
        world.stash.edit_performer(2, name="Bea")
        world.wait(1)
        world.run()
        world.plex.remove_item(world.key_of("2"))
        found = world.scan_in("2")
        world.rescan()
        world.wait(1)
        world.settings |= {"STASH__ORGANIZED_ONLY": "true", "COLLECTIONS__PERFORMERS": "true"}
        for options in (None, FULL):
            ran = world.run(options)
            assert (ran.summary.exit_code, ran.count(Outcome.FAILED)) == (ExitCode.OK, 0)
            assert titles(world) == {"Mother": {"1", "3", "4"}, "Daughter": {"3", "4"}}

        world.stash.edit_scene(4, studio_id=None, organized=True)
        world.wait(1)
        assert world.run().summary.exit_code == ExitCode.OK
        assert titles(world) == {"Mother": {"1", "3"}, "Daughter": {"3"}}
        world.stash.edit_scene(2, organized=True)
        world.wait(1)
        world.run()
        assert titles(world) == {"Mother": {"1", found, "3"}, "Daughter": {"3"}, "Bea": {found}}


def test_a_member_a_listing_lacks_stays_where_plex_shows_it(tmp_path: Path) -> None:
    """What a collection holds is there, whatever list it is missing in."""
    with collection_world(tmp_path) as world:
        world.run()
        key, mother = world.key_of("2"), world.plex.collections.key_of("Mother")
        world.plex.collections.take_out(mother, world.key_of("1"))
        shutil.rmtree(world.cache_dir)
        world.plex_wire.faults.add(Fault("plex.listing", 1, Rewrite(without(key)), None))
        ran = world.run(RunOptions(full=True, force=True), STASH__ORGANIZED_ONLY="true")

        assert ran.summary.exit_code == ExitCode.OK
        assert titles(world)["Mother"] == {"2", "3", "4"}


def test_no_member_counts_as_gone_while_a_library_cannot_be_listed(tmp_path: Path) -> None:
    """What the scenes say is written, whatever is the matter with the list."""
    mix = {Case.SAME: 1.0, Case.EPISODE: 1.0}
    library = make_library(LibrarySpec(seed=3, scenes=6, mix=mix, edited=0.0))
    with World(library, tmp_path, **PLAIN, COLLECTIONS__STUDIOS="true") as world:
        world.stash.edit_studio(1, name="Mother", parent_id=None)
        for number in range(1, 7):
            world.stash.edit_scene(number, studio_id=None)
        world.wait(1)
        world.run()
        world.stash.edit_scene(1, studio_id=1)
        world.wait(hours=0.5)
        world.plex.edit_by_hand(world.key_of("2"), {"tagline": "moved"})
        shutil.rmtree(world.cache_dir)
        world.plex_wire.faults.add(
            Fault("plex.listing", 1, ErrorStatus(500), None, lambda one: "/3/" in one.path)
        )
        assert world.run().summary.exit_code == ExitCode.OK
        assert list(world.plex.collections.titles().values()) == [(world.key_of("1"),)]


def test_members_leave_and_come_back_where_plex_refuses_one_of_them(tmp_path: Path) -> None:
    """Each leaves by a request of its own; those before it are known to have left."""
    with collection_world(tmp_path, FIELDS__STUDIO__COLLECTION="false") as world:
        world.run()
        world.plex.edit_by_hand(world.plex.collections.key_of("Daughter"), {"summary": "Mine"})
        refused = world.key_of("4")
        world.plex_wire.faults.add(
            Fault(
                None,
                1,
                ErrorStatus(400),
                times=None,
                match=lambda one: one.method == "DELETE" and one.path.endswith(f"/{refused}"),
            )
        )
        for number in (3, 4):
            world.stash.edit_scene(number, studio_id=1)
        world.wait(1)
        assert world.run().count(Outcome.FAILED) == 1
        assert titles(world)["Daughter"] == {"4"}

        world.plex_wire.faults.clear()
        world.stash.edit_scene(3, studio_id=2)
        world.wait(hours=1)
        world.run()
        assert titles(world)["Daughter"] == {"3"}
