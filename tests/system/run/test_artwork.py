"""Covers on their way to posters, against both simulators over real HTTP."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from plexsync.errors import ExitCode
from plexsync.models import Counts, Outcome, PlexField
from plexsync.simulators.http.wire import Cut, ErrorStatus, Fault, Redirect, Reset, Rewrite, html
from plexsync.storage.history import read_run
from plexsync.storage.journal import End, RunKind, Settlement
from plexsync.storage.session import open_session
from plexsync.storage.status import read_status
from plexsync.sync.ports import RunOptions
from tests.support.crash_child import run_to_the_end
from tests.support.killing import killed_at
from tests.support.picture_world import (
    OTHER,
    PNG,
    choose_by_hand,
    covers,
    made,
    only_link,
    poster,
    upload_key,
    uploads,
)
from tests.support.world import scene_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.simulators.http.wire import SimRequest
    from tests.support.world import World

SCENES = 7
FULL = RunOptions(full=True)
DRY = RunOptions(dry_run=True)

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Nothing synced yet."""
    with made(tmp_path) as found:
        yield found


@pytest.fixture
def synced(world: World) -> World:
    """The same after a first run and a full one, which knows what Plex shows since."""
    assert world.run().summary.exit_code == ExitCode.OK
    assert world.run(FULL).summary.exit_code == ExitCode.OK
    return world


# ---- what a run does -----------------------------------------------------------------------------


def test_a_first_run_gives_every_item_its_cover_and_plex_locks_it(world: World) -> None:
    """The bytes Plex holds are the bytes Stash holds."""
    ran = world.run()
    assert ran.count(Outcome.APPLIED) == SCENES
    assert uploads(ran) == SCENES
    for number in range(1, SCENES + 1):
        body = PNG + str(number).encode()
        assert poster(world, str(number)) == upload_key(body)
        assert world.plex.picture(upload_key(body)) == body
        assert "thumb" in world.plex.dump()[world.key_of(str(number))]["locks"]
    assert all(change.field != "background" for row in ran.rows for change in row.changes)
    sent = [write for write in world.plex.writes if write.method == "POST"]
    assert len(sent) == SCENES
    assert not any(write.arguments for write in sent), "an address for Plex to fetch from"


def test_unchanged_covers_are_never_uploaded_again(synced: World) -> None:
    """Ten runs, some of them full, some with every scene touched: no upload, no write at all."""
    before = synced.plex.dump(clocks=True)
    for number in range(10):
        if number % 3 == 1:
            synced.stash.edit_scenes(range(1, SCENES + 1), organized=bool(number % 2))
        ran = synced.run(FULL if number % 3 == 2 else None)
        assert ran.summary.exit_code == ExitCode.OK
        assert ran.summary.requests.plex_writes == 0
        assert uploads(ran) == 0
    assert synced.plex.dump(clocks=True) == before


def test_a_first_picture_costs_two_requests_to_plex(world: World) -> None:
    """A list, because undo needs to know what was there, and the upload; one read proves them all.

    The list again is the proof for the first one only, and the next full run lists none but that.
    """
    ran = world.run()
    assert (ran.plex["plex.pictures"], uploads(ran)) == (SCENES + 1, SCENES)
    assert ran.plex["plex.detail"] == 4, "read, the first edit proven, read back, and the pictures"
    assert world.run(FULL).plex.get("plex.pictures", 0) == 1
    assert world.run(FULL).plex.get("plex.pictures", 0) == 0


def test_a_picture_chosen_by_hand_after_a_first_run_is_seen(world: World) -> None:
    """What the pictures' proof remembers of an item is what it showed then."""
    world.run()
    chosen = choose_by_hand(world, "5")
    assert world.run(FULL).outcomes()["5"] == "kept"
    assert poster(world, "5") == chosen
    last_word = world.run(FULL, APPLY__PRESERVE_PLEX_EDITS="false")
    assert last_word.outcomes()["5"] == "applied"
    assert poster(world, "5") == upload_key(PNG + b"5")


def test_a_scene_that_did_not_move_costs_no_request_for_its_cover(synced: World) -> None:
    """Neither in a run with nothing new nor in a full one."""
    assert covers(synced.run()) == 0
    full = synced.run(FULL)
    assert covers(full) == 0
    assert full.plex.get("plex.pictures", 0) == 0


def test_touching_every_scene_costs_one_conditional_get_each(synced: World) -> None:
    """Every version moved, no picture did: Stash says 304 as often, Plex is not asked."""
    synced.stash.edit_scenes(range(1, SCENES + 1), organized=True)
    ran = synced.run()
    assert covers(ran) == SCENES
    assert synced.stash_wire.counters.bytes_out("stash.cover") == 0
    assert ran.plex.get("plex.pictures", 0) == uploads(ran) == ran.puts == 0
    assert ran.count(Outcome.UNCHANGED) == SCENES
    assert covers(synced.run()) == 0


def test_a_new_cover_is_uploaded_once(synced: World) -> None:
    """Two looks at the cover, one upload between two looks at the item's pictures."""
    synced.stash.set_cover(5, OTHER)
    ran = synced.run()
    assert ran.outcomes() == {"5": "applied"}
    assert (uploads(ran), ran.puts, covers(ran)) == (1, 0, 2)
    assert ran.plex["plex.pictures"] <= 3
    assert poster(synced, "5") == upload_key(OTHER)
    (change,) = ran.row("5").changes
    assert (change.before, change.after) == ("earlier cover", "cover of scene 5 (454 bytes)")
    assert synced.run(FULL).summary.requests.plex_writes == 0


def test_an_earlier_cover_is_chosen_again_and_not_sent_again(synced: World) -> None:
    """Plex still has it."""
    synced.stash.set_cover(5, OTHER)
    synced.run()
    synced.stash.set_cover(5, PNG + b"5")
    ran = synced.run()
    assert uploads(ran) == 0
    assert ran.plex["plex.select"] == 1
    assert poster(synced, "5") == upload_key(PNG + b"5")


def test_a_first_run_without_memory_adopts_what_plex_has(synced: World) -> None:
    """The state is lost: covers are fetched, compared, and found to be there already."""
    for path in sorted(synced.state_dir.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    for policy in ("overwrite", "keep"):
        ran = synced.run(FULL, FIELDS__POSTER=policy)
        assert uploads(ran) == ran.plex.get("plex.select", 0) == 0
        assert ran.count(Outcome.UNCHANGED) == SCENES
    synced.stash.set_cover(5, OTHER)
    assert uploads(synced.run(FIELDS__POSTER="keep")) == 1, "what was adopted is ours"


def test_poster_and_background_are_fetched_once(tmp_path: Path) -> None:
    """Both from the one cover; a background is an art, with its own lock."""
    with made(tmp_path, scenes=3, FIELDS__BACKGROUND="overwrite") as world:
        ran = world.run()
        assert uploads(ran) == 6
        key = world.key_of("2")
        shown = world.plex.dump()[key]
        assert shown["art"] == upload_key(PNG + b"2", "art")
        assert {"art", "thumb"} <= set(shown["locks"])
        fetched = [t for t in world.stash_wire.counters.targets if t.startswith("/scene/2/")]
        assert len(fetched) <= 3
        assert world.run(FULL).summary.requests.plex_writes == 0


def test_a_dry_run_shows_the_cover_and_sends_nothing(world: World) -> None:
    """What is there now, what would come, how large it is; no upload, no whole cover fetched."""
    world.stash.set_cover(5, OTHER * 3000)
    before = world.plex.dump(clocks=True)
    ran = world.run(DRY)
    shown = [change for change in ran.row("5").changes if change.field == "poster"]
    assert [change.after for change in shown] == ["cover of scene 5 (1.4 MB)"]
    assert world.plex.dump(clocks=True) == before
    assert not world.state_dir.exists()
    assert world.stash_wire.counters.bytes_out("stash.cover") <= 512 * SCENES


def test_a_large_first_look_asks_for_scenes_without_cover_in_one_go(tmp_path: Path) -> None:
    """Beyond the first few, a dry run costs nothing per scene, and is right all the same."""
    with made(tmp_path, scenes=60) as world:
        world.stash.remove_cover(50)
        ran = world.run(DRY)
        assert covers(ran) <= 20
        assert ran.plex.get("plex.pictures", 0) == 0
        with_poster = {r.scene.id for r in ran.rows if "poster" in {c.field for c in r.changes}}
        assert with_poster == {str(n) for n in range(1, 61)} - {"50"}
        assert uploads(world.run()) == 59


def test_covers_made_again_in_numbers_are_asked_for_four_at_a_time(tmp_path: Path) -> None:
    """No answer comes before four requests are under way, and each cover is asked for once."""
    with made(tmp_path, scenes=8) as world:
        assert world.run().summary.exit_code == ExitCode.OK
        assert world.run(FULL).summary.exit_code == ExitCode.OK
        world.stash.edit_scenes(range(1, 9), rating100=40)
        world.wait(hours=1)
        four = threading.Barrier(4)

        def together(body: bytes) -> bytes:
            four.wait(timeout=60)
            return body

        world.stash_wire.faults.add(Fault("stash.cover", 1, Rewrite(together), None))
        ran = world.run()
        assert covers(ran) == 8
        assert ran.count(Outcome.UNCHANGED) == 8


def test_of_many_covers_the_one_that_fails_fails_alone(tmp_path: Path) -> None:
    """What went wrong while others were under way names the scene it is about."""
    with made(tmp_path, scenes=12) as world:
        assert world.run().summary.exit_code == ExitCode.OK
        assert world.run(FULL).summary.exit_code == ExitCode.OK
        world.stash.edit_scenes(range(1, 13), rating100=40)
        world.wait(hours=1)
        refused = Fault(
            "stash.cover", 1, ErrorStatus(500), None, lambda one: "/scene/7/" in one.path
        )
        world.stash_wire.faults.add(refused)
        ran = world.run()
        assert {row.scene.id for row in ran.rows if row.outcome is Outcome.FAILED} == {"7"}
        assert ran.count(Outcome.UNCHANGED) == 11


# ---- what is no cover ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(SVG, id="drawing"),
        pytest.param(b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', id="xml"),
    ],
)
def test_a_drawing_is_no_cover(world: World, body: bytes) -> None:
    """That is how Stash says that there is none: nothing is sent, and nobody asks again."""
    world.stash.set_cover(5, body)
    before = poster(world, "5")
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.OK
    assert uploads(ran) == SCENES - 1
    assert poster(world, "5") == before
    assert covers(world.run(FULL)) <= 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<!DOCTYPE html><html><body>gone</body></html>", id="page"),
        pytest.param(b"no picture at all", id="text"),
        pytest.param(b"", id="empty"),
    ],
)
def test_an_answer_that_is_no_picture_is_a_failed_one(world: World, body: bytes) -> None:
    """Asked for three times, then a failure of the picture only, which is due again."""
    world.stash.set_cover(5, body)
    ran = world.run()
    row = ran.row("5")
    assert ran.summary.exit_code == ExitCode.SOME_FAILED
    assert row.outcome is Outcome.FAILED
    assert row.error is not None
    assert "instead of a cover" in row.error.message
    assert "title" in {change.field for change in row.changes}
    assert uploads(ran) == SCENES - 1
    world.stash.set_cover(5, OTHER)
    world.wait(hours=1)
    assert uploads(world.run()) == 1


def test_a_cover_that_is_missing_for_a_scene_just_listed_is_a_failed_answer(world: World) -> None:
    """404 once is asked again; 404 always fails the picture, and is due again."""
    world.stash_wire.faults.add(Fault("stash.cover", 1, ErrorStatus(404)))
    assert world.run().summary.exit_code == ExitCode.OK
    world.stash.set_cover(5, OTHER)
    world.stash_wire.faults.add(Fault("stash.cover", 1, ErrorStatus(404), None, names_scene(5)))
    ran = world.run()
    assert ran.row("5").outcome is Outcome.FAILED
    world.stash_wire.faults.clear()
    world.wait(hours=1)
    assert uploads(world.run()) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"\0\0\0\x20ftypavif" + b"\0" * 600, "picture-format", id="avif"),
        pytest.param(b"BM" + b"\0" * 600, "picture-format", id="bmp"),
        pytest.param(PNG + b"\0" * 10_000_001, "picture-too-large", id="too large"),
    ],
)
def test_a_picture_plex_does_not_take_is_named_and_not_tried_again(
    world: World, body: bytes, kind: str
) -> None:
    """Until the scene has another one."""
    world.stash.set_cover(5, body)
    ran = world.run()
    row = ran.row("5")
    assert row.error is not None
    assert row.error.kind == kind
    assert uploads(ran) == SCENES - 1
    (parked,) = read_status(world.state_dir, world.now).parked
    assert parked.problem is not None
    assert (parked.scene_id, parked.problem.kind) == ("5", kind)
    world.wait(hours=48)
    later = world.run()
    assert (covers(later), later.rows) == (0, ())
    world.stash.set_cover(5, OTHER)
    assert uploads(world.run()) == 1


def test_a_cover_that_comes_later_is_found(world: World) -> None:
    """Stash generates it after the scan; the scene's version moves with it."""
    world.stash.remove_cover(5)
    world.run()
    world.stash.set_cover(5, OTHER)
    ran = world.run()
    assert uploads(ran) == 1
    assert poster(world, "5") == upload_key(OTHER)


def test_a_cover_taken_away_leaves_the_poster(synced: World) -> None:
    """Absent is not empty."""
    synced.stash.remove_cover(5)
    ran = synced.run()
    assert ran.summary.requests.plex_writes == 0
    assert poster(synced, "5") == upload_key(PNG + b"5")
    synced.stash.set_cover(5, PNG + b"5")
    assert uploads(synced.run()) == 0


# ---- failures ------------------------------------------------------------------------------------


def names_scene(number: int) -> Callable[[SimRequest], bool]:
    """Whether a request is for the cover of a scene."""
    return lambda request: request.path == f"/scene/{number}/screenshot"


def test_one_bad_cover_stops_nobody(synced: World) -> None:
    """Its scene fails with a reason and waits; its fields and all the others are written."""
    synced.stash.edit_scenes(range(1, 7), title="New")
    for number in range(1, 7):
        synced.stash.set_cover(number, OTHER + str(number).encode())
    synced.stash_wire.faults.add(Fault("stash.cover", 1, ErrorStatus(500), None, names_scene(4)))
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.SOME_FAILED
    assert uploads(ran) == 5
    row = ran.row("4")
    assert row.outcome is Outcome.FAILED
    assert row.error is not None
    assert synced.shown(synced.key_of("4"), "title") == "New"
    synced.stash_wire.faults.clear()
    synced.wait(hours=1)
    healed = synced.run()
    assert healed.outcomes() == {"4": "applied"}
    assert (uploads(healed), healed.puts) == (1, 0)


def test_a_404_is_not_believed_at_once(synced: World) -> None:
    """A failed look into Stash's database says the same; after three the picture fails."""
    synced.stash.set_cover(5, OTHER)
    synced.stash_wire.faults.add(Fault("stash.cover", 1, ErrorStatus(404), 2))
    assert uploads(synced.run()) == 1
    synced.stash.set_cover(6, OTHER)
    synced.stash_wire.faults.add(Fault("stash.cover", 1, ErrorStatus(404), None))
    ran = synced.run()
    assert (uploads(ran), ran.summary.exit_code) == (0, ExitCode.SOME_FAILED)
    assert ran.outcomes() == {"6": "failed"}


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_cover_cut_short_is_fetched_again(synced: World, *, chunked: bool) -> None:
    """Half a picture never reaches Plex."""
    synced.stash.set_cover(5, OTHER)
    cut = Fault("stash.cover", 1, Cut(share=0.5, chunked=chunked), 2)
    synced.stash_wire.faults.add(cut)
    ran = synced.run()
    assert uploads(ran) == 1
    assert poster(synced, "5") == upload_key(OTHER)


def test_bytes_that_do_not_have_their_checksum_are_refused(synced: World) -> None:
    """A proxy that recompresses pictures would make every run upload another one."""
    synced.stash.set_cover(5, OTHER)
    headers = (("ETag", f'"{"0" * 32}"'), ("Content-Type", "image/jpeg"))
    changed = Fault("stash.cover", 1, ErrorStatus(200, OTHER + b"changed", headers), None)
    synced.stash_wire.faults.add(changed)
    ran = synced.run()
    assert uploads(ran) == 0
    assert ran.row("5").outcome is Outcome.FAILED
    assert "checksum" in str(ran.row("5").error)


def test_a_log_in_page_is_an_error_of_access(synced: World) -> None:
    """It is never taken for a cover, and ends the run."""
    synced.stash.set_cover(5, OTHER)
    synced.stash_wire.faults.add(Fault("stash.cover", 1, Redirect("/login?returnURL=x"), None))
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.ACCESS
    assert uploads(ran) == 0
    synced.stash_wire.faults.clear()
    assert uploads(synced.run()) == 1


def test_covers_come_from_the_configured_address_alone(world: World) -> None:
    """Whatever host Stash puts into its answers."""
    world.stash.external_host = "http://elsewhere.example"
    assert uploads(world.run()) == SCENES


def test_a_cover_plex_would_refuse_is_not_even_fetched(synced: World) -> None:
    """The reason names both sizes; the scene waits."""
    synced.stash.set_cover(5, PNG + b"\x00" * 10_400_000)
    ran = synced.run()
    assert uploads(ran) == 0
    assert ran.row("5").error is not None
    assert "10.4 MB" in str(ran.row("5").error)
    assert synced.stash_wire.counters.bytes_out("stash.cover") < 10_000


def test_a_picture_plex_refuses_is_a_problem_of_its_item(synced: World) -> None:
    """413 for one, which is sent once more after a pause: the other one comes."""
    synced.plex.switches.picture_limit = 600
    synced.stash.set_cover(5, OTHER * 2)
    synced.stash.set_cover(6, OTHER)
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.SOME_FAILED
    assert ran.outcomes() == {"5": "failed", "6": "applied"}
    assert uploads(ran) == 3
    assert "413" in str(ran.row("5").error)


@pytest.mark.parametrize(
    "effect",
    [
        pytest.param(Reset(applied=True), id="reset"),
        pytest.param(ErrorStatus(500, applied=True), id="500"),
        pytest.param(ErrorStatus(504, applied=True), id="504"),
        pytest.param(html(), id="page-and-not-applied"),
    ],
)
def test_a_lost_reply_is_settled_by_looking(synced: World, effect: Reset | ErrorStatus) -> None:
    """What Plex shows says what became of it: only what did not come is sent once more."""
    synced.stash.set_cover(5, OTHER)
    synced.plex_wire.faults.add(Fault("plex.upload", 1, effect))
    ran = synced.run()
    assert uploads(ran) == (1 if getattr(effect, "applied", False) else 2)
    assert ran.row("5").outcome is Outcome.APPLIED
    assert poster(synced, "5") == upload_key(OTHER)
    synced.wait(hours=1)
    assert uploads(synced.run()) == 0


@pytest.mark.parametrize("at", [1, 4, SCENES])
def test_an_upload_that_plex_only_says_it_took_is_found_out(world: World, at: int) -> None:
    """Among many, too, where one read proves them all: no lock, no proof."""
    world.plex_wire.faults.add(Fault("plex.upload", at, ErrorStatus(200)))
    ran = world.run()
    (failed,) = [row for row in ran.rows if row.outcome is Outcome.FAILED]
    assert not poster(world, failed.scene.id).startswith("upload://")
    assert "poster" in {change.field for change in failed.changes}
    assert failed.error is not None
    assert failed.error.kind == "not-shown"
    body = PNG + failed.scene.id.encode()
    assert f"poster sent '{upload_key(body)}', Plex shows 'media://" in failed.error.message
    world.wait(hours=1)
    assert uploads(world.run()) == 1
    assert world.run(FULL).summary.requests.plex_writes == 0


def test_a_picture_plex_does_not_store_is_sent_twice_and_then_once_a_week(synced: World) -> None:
    """However many runs come, until a full one; another cover is news."""
    synced.stash.set_cover(5, OTHER)
    synced.plex_wire.faults.add(Fault("plex.upload", 1, ErrorStatus(200), None))
    sent = 0
    for _ in range(4):
        sent += uploads(synced.run())
        synced.wait(hours=25)
    synced.wait(hours=24 * 8)
    weekly = synced.run()
    assert weekly.summary.header.full
    assert (sent, uploads(weekly)) == (2, 1)
    daily = synced.run()
    assert (uploads(daily), daily.summary.waiting) == (0, 1)
    synced.plex_wire.faults.clear()
    synced.stash.set_cover(5, OTHER + b"another")
    assert synced.run().outcomes() == {"5": "applied"}
    assert poster(synced, "5") == upload_key(OTHER + b"another")


def test_an_upload_nobody_can_look_at_is_settled_by_the_next_run(synced: World) -> None:
    """The reply is lost and so is the look: no result is noted until Plex was read."""
    synced.stash.set_cover(5, OTHER)
    synced.plex_wire.faults.add(
        Fault("plex.upload", 1, Reset(applied=True)),
        Fault("plex.pictures", 2, ErrorStatus(500), None),
    )
    ran = synced.run()
    assert ran.row("5").outcome is Outcome.FAILED
    synced.plex_wire.faults.clear()
    synced.wait(hours=1)
    assert uploads(synced.run()) == 0
    log = read_run(synced.state_dir, ran.summary.header.run_id)
    assert log is not None
    (written,) = log.written
    assert written.status is Settlement.APPLIED


def test_a_refused_token_ends_the_run(synced: World) -> None:
    """403 on the upload: exit 5, the rest is due next time."""
    for number in (5, 6):
        synced.stash.set_cover(number, OTHER + str(number).encode())
    synced.plex_wire.faults.add(Fault("plex.upload", 1, ErrorStatus(403), None))
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.ACCESS
    assert uploads(ran) == 1
    synced.plex_wire.faults.clear()
    assert uploads(synced.run()) == 2


def test_a_stash_that_dies_between_covers_ends_the_run_truthfully(world: World) -> None:
    """Exit 4, after few requests; the fields that were written are remembered."""
    world.stash_wire.faults.add(Fault("stash.cover", 8, ErrorStatus(503), None))
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.SERVER
    assert covers(ran) < 60
    world.stash_wire.faults.clear()
    world.wait(hours=1)
    rest = world.run()
    assert rest.summary.exit_code == ExitCode.OK
    assert rest.puts == 0
    assert uploads(ran) + uploads(rest) == SCENES


def after(limit: int) -> Callable[[], bool]:
    """True from the so many-th time it is asked."""
    asked = iter(range(100_000))
    return lambda: next(asked) > limit


def test_a_run_asked_to_stop_keeps_what_is_left_due(world: World) -> None:
    """Wherever it stops: nothing is uploaded twice, and in the end everything is there."""
    sent = puts = 0
    for limit in (3, 12, 18, 27, 10_000):
        ran = world.run(should_stop=after(limit))
        sent += uploads(ran)
        puts += ran.puts
    assert (sent, puts) == (SCENES, SCENES)
    assert all(poster(world, str(n)).startswith("upload://") for n in range(1, SCENES + 1))


# ---- who set a picture ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        pytest.param({"APPLY__PRESERVE_PLEX_EDITS": "false"}, False, id="overwrite"),
        pytest.param({}, True, id="preserve"),
        pytest.param({"FIELDS__POSTER": "keep"}, True, id="keep"),
        pytest.param({"FIELDS__POSTER": "fill"}, True, id="fill"),
    ],
)
def test_a_picture_chosen_by_hand_follows_the_policy(
    tmp_path: Path, settings: dict[str, str], *, kept: bool
) -> None:
    """Before the first run, between runs, and with a new cover on top."""
    with made(tmp_path, SCENES, **settings) as world:
        first = choose_by_hand(world, "4")
        assert uploads(world.run()) == SCENES - kept
        assert (poster(world, "4") == first) is kept
        chosen = choose_by_hand(world, "5", OTHER + b"5")
        world.run(FULL)
        assert (poster(world, "5") == chosen) is kept
        chosen = choose_by_hand(world, "6", OTHER + b"6")
        world.stash.set_cover(6, PNG + b"new")
        ran = world.run()
        assert ran.row("6").outcome is (Outcome.KEPT if kept else Outcome.APPLIED)
        assert (poster(world, "6") == chosen) is kept
        assert world.run(FULL).summary.requests.plex_writes == 0


def test_a_cover_follows_into_a_picture_of_ours_under_keep(tmp_path: Path) -> None:
    """What we chose is ours to bring up to date, locked as it is."""
    with made(tmp_path, FIELDS__POSTER="keep") as world:
        world.run()
        world.stash.set_cover(5, OTHER)
        assert uploads(world.run()) == 1
        assert poster(world, "5") == upload_key(OTHER)


def test_fill_takes_only_the_place_of_a_frame(tmp_path: Path) -> None:
    """What an agent found stays."""
    with made(tmp_path, FIELDS__POSTER="fill") as world:
        key = "metadata://posters/agent_1"
        world.plex.agent_picture(world.key_of("4"), "poster", key)
        ran = world.run()
        assert uploads(ran) == SCENES - 1
        assert poster(world, "4") == key


def test_an_agent_that_replaces_an_unlocked_poster_is_repaired(synced: World) -> None:
    """Somebody took the lock away, a refresh found another picture: ours is chosen again."""
    key = synced.key_of("4")
    synced.plex.set_locks(key, locked=())
    synced.plex.agent_picture(key, "poster", "metadata://posters/agent_1")
    ran = synced.run(FULL)
    assert uploads(ran) == 0
    assert ran.plex["plex.select"] == 1
    assert poster(synced, "4") == upload_key(PNG + b"4")


def test_a_picture_plex_does_not_choose_again_is_tried_by_the_next_run(synced: World) -> None:
    """That one does not look at all pictures, and does not take it for done."""
    key = synced.key_of("4")
    synced.plex.set_locks(key, locked=())
    synced.plex.agent_picture(key, "poster", "metadata://posters/agent_1")
    synced.plex_wire.faults.add(Fault("plex.select", 1, ErrorStatus(400), None))
    assert synced.run(FULL).row("4").outcome is Outcome.FAILED
    synced.plex_wire.faults.clear()
    synced.wait(hours=1)

    ran = synced.run()
    assert (ran.outcomes(), uploads(ran)) == ({"4": "applied"}, 0)
    assert poster(synced, "4") == upload_key(PNG + b"4")
    assert synced.run(FULL).summary.requests.plex_writes == 0


def test_another_policy_decides_afresh(synced: World) -> None:
    """What was kept under one policy is looked at again under another."""
    chosen = choose_by_hand(synced, "4")
    synced.run(FULL, FIELDS__POSTER="keep")
    assert poster(synced, "4") == chosen
    last_word = synced.run(FIELDS__POSTER="overwrite", APPLY__PRESERVE_PLEX_EDITS="false")
    assert uploads(last_word) <= 1
    assert poster(synced, "4") == upload_key(PNG + b"4")


# ---- limits, history, crashes --------------------------------------------------------------------


def test_covers_are_no_loss_but_where_somebody_chose_another_picture(tmp_path: Path) -> None:
    """Neither first posters nor new covers of ours; a person's pictures are, if they go at all."""
    with made(tmp_path, APPLY__MAX_CHANGES="5", APPLY__PRESERVE_PLEX_EDITS="false") as world:
        assert world.run(FIELDS__POSTER="off").summary.exit_code == ExitCode.OK
        assert uploads(world.run()) == SCENES
        for number in range(1, SCENES + 1):
            world.stash.set_cover(number, OTHER + str(number).encode())
        assert uploads(world.run()) == SCENES
        for number in range(1, 7):
            choose_by_hand(world, str(number))
        ran = world.run(FULL)
        assert ran.summary.exit_code == ExitCode.UNSAFE
        assert (uploads(ran), ran.count(Outcome.SKIPPED)) == (0, 6)


def test_the_journal_knows_the_picture_before(synced: World) -> None:
    """By Plex's key, so that it can be chosen again."""
    before = poster(synced, "5")
    synced.stash.set_cover(5, OTHER)
    ran = synced.run()
    log = read_run(synced.state_dir, ran.summary.header.run_id)
    assert log is not None
    (written,) = log.written
    (change,) = written.plan.changes
    assert change.target is PlexField.POSTER
    assert (change.before, change.after) == (before, upload_key(OTHER))
    assert change.locked_before is True
    assert written.status is Settlement.APPLIED


@pytest.mark.parametrize("applied", [False, True], ids=["before Plex acts", "after Plex acted"])
def test_sigkill_at_any_request_converges_without_a_second_upload(
    tmp_path: Path, *, applied: bool
) -> None:
    """Whatever a killed run did not get to remember, the next one finds out by looking.

    Under `keep`, which would leave a person's picture alone, and so must know its own.
    """
    with made(tmp_path, scenes=2, FIELDS__POSTER="keep") as world:
        for number in (1, 2):
            world.plex.set_locks(world.key_of(str(number)), locked=())
        assert world.run().summary.exit_code == ExitCode.OK
        at = 2
        while True:
            body = OTHER + bytes(str(at), "ascii")
            world.stash.set_cover(1, body)
            world.stash.set_cover(2, body + b"!")
            sent = len(world.plex.writes)
            killed = killed_at(world, at, run_to_the_end, world.next_visit(), applied=applied)
            world.wait(hours=1)
            rest = world.run()
            assert rest.summary.exit_code == ExitCode.OK
            assert rest.count(Outcome.KEPT) == 0, "our own picture was taken for a person's"
            assert poster(world, "1") == upload_key(body)
            assert poster(world, "2") == upload_key(body + b"!")
            assert len(world.plex.writes) - sent == 2, "one upload a cover"
            if not killed:
                break
            at += 1
        assert at > 8


def test_a_state_that_knows_no_pictures_is_taken_up(tmp_path: Path) -> None:
    """Records as they were before there were pictures: what is ours among the fields is known.

    Under `preserve_plex_edits`, where a forgotten base would have our own title kept as a person's,
    and under `keep` of posters: ours are known by their bytes, and not uploaded again.
    """
    with made(tmp_path, APPLY__PRESERVE_PLEX_EDITS="true", FIELDS__POSTER="keep") as world:
        world.run()
        with open_session(world.state_dir, now=world.now) as session:
            session.begin(
                run_id="20261122T080500Z-0bad",
                kind=RunKind.RUN,
                started_at="2026-11-22T08:05:00Z",
                lineage=session.state.lineage,
                version="0",
            )
            for scene_id in scene_ids(*range(1, SCENES + 1)):
                record = session.state.get(scene_id)
                assert record is not None
                links = tuple(replace(link, pictures={}) for link in record.links)
                old = replace(record, links=links)
                assert b'"pictures":' not in msgspec.json.encode(old)
                session.remember(scene_id, old)
            session.end(world.now, End(exit_code=0, counts=Counts()))
        assert only_link(world, "5").pictures == {}
        assert only_link(world, "5").base
        world.stash.edit_scenes(range(1, SCENES + 1), title="New")
        ran = world.run()
        assert (ran.count(Outcome.APPLIED), uploads(ran)) == (SCENES, 0)
        assert world.shown(world.key_of("5"), "title") == "New"
        assert only_link(world, "5").pictures[PlexField.POSTER].key == upload_key(PNG + b"5")
        world.stash.set_cover(5, OTHER)
        assert uploads(world.run()) == 1, "what was adopted is ours"


def test_applying_a_plan_keeps_what_is_known_of_pictures(tmp_path: Path) -> None:
    """Under `keep`, where our own picture would else be taken for a person's from then on."""
    with made(tmp_path, FIELDS__POSTER="keep") as world:
        world.run()
        world.stash.edit_scene(5, title="New")
        plan = tmp_path / "plan.json"
        world.run(RunOptions(dry_run=True, save_plan=plan))
        assert world.apply(plan).outcomes() == {"5": "applied"}
        world.stash.set_cover(5, OTHER)
        ran = world.run()
        assert (ran.outcomes(), uploads(ran)) == ({"5": "applied"}, 1)
        assert poster(world, "5") == upload_key(OTHER)
