"""Pictures that Plex refuses, and what a dry run says of pictures that are there already."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.sync.execution.reader import FRESH_S
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import DiesAfterWriting, Killed
from tests.support.picture_world import (
    OTHER,
    PNG,
    choose_by_hand,
    made,
    poster,
    upload_key,
    uploads,
)
from tests.support.world import edited_keys, scene_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.simulators.http.faults import Effect
    from plexsync.simulators.http.messages import SimRequest
    from tests.support.world import Ran, World

SCENES = 4
QUICK_S = 0.004
"""So long takes an upload to a server nearby."""
ASKED_AND_FETCHED = 2
"""Requests for a cover that is another one: whether it is, and its bytes."""
DRY = RunOptions(dry_run=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Four scenes with covers, nothing synced yet."""
    with made(tmp_path, scenes=SCENES) as alike:
        yield alike


def shows_its_cover(world: World, scene_id: str) -> bool:
    """Whether the item of a scene shows its cover."""
    return poster(world, scene_id) == upload_key(PNG + scene_id.encode())


@pytest.mark.parametrize(
    "effect",
    [ErrorStatus(413), ErrorStatus(500), Reset(applied=False), Reset(applied=True)],
    ids=["413", "500", "reset", "reset after it came"],
)
def test_an_upload_that_fails_once_is_looked_at_and_sent_again(
    world: World, effect: Effect
) -> None:
    """In the same run, after a pause; what came although the answer was lost is not sent twice."""
    world.plex_wire.faults.add(Fault("plex.upload", 1, effect))
    ran = world.run()
    assert ran.count(Outcome.APPLIED) == SCENES
    assert all(shows_its_cover(world, str(number)) for number in range(1, SCENES + 1))
    assert uploads(ran) == SCENES + (effect != Reset(applied=True))
    assert world.run(RunOptions(full=True)).puts == 0


@pytest.mark.parametrize("again", [False, True], ids=["first covers", "other covers"])
def test_a_picture_chosen_while_others_are_uploaded_stays(
    world: World,
    again: bool,
) -> None:
    """A slow server: each picture is looked at right before it is replaced."""
    if again:
        world.run()
        for number in range(1, SCENES + 1):
            world.stash.set_cover(number, PNG + f"other {number}".encode())
    start = len(world.plex.writes)
    world.monotonic = lambda: (len(world.plex.writes) - start) * 30.0
    world.plex.before("plex.upload", 1, lambda: choose_by_hand(world, str(SCENES)))
    ran = world.run()
    assert poster(world, str(SCENES)) == upload_key(OTHER)
    assert uploads(ran) == SCENES - 1
    later = world.run()
    assert poster(world, str(SCENES)) == upload_key(OTHER)
    assert later.row(str(SCENES)).outcome is Outcome.KEPT
    assert world.run(RunOptions(full=True)).puts == 0


def test_a_picture_chosen_while_a_cover_is_fetched_stays(world: World) -> None:
    """It was locked before, so no lock tells: it is compared with what was decided on."""
    world.run()
    world.stash.set_cover(4, PNG + b"another")
    asked = []

    def choose(request: SimRequest) -> None:
        if request.path == "/scene/4/screenshot":
            asked.append(request)
            if len(asked) == ASKED_AND_FETCHED:
                choose_by_hand(world, "4")

    world.monotonic = lambda: len(asked) * 30.0
    world.stash_wire.on_request = choose
    assert uploads(world.run()) == 0
    assert len(asked) == ASKED_AND_FETCHED
    assert poster(world, "4") == upload_key(OTHER)
    assert world.run().row("4").outcome is Outcome.KEPT


def test_items_are_looked_at_together_right_before_their_pictures(tmp_path: Path) -> None:
    """At a quick pace; what somebody chose before they were looked at stays."""
    read: dict[str, float] = {}
    ages: list[float] = []
    looks: list[int] = []
    late = [str(number) for number in range(21, 31)]
    with made(tmp_path, scenes=30) as world:
        world.monotonic = lambda: len(world.plex.writes) * QUICK_S

        def watch(request: SimRequest) -> None:
            kind = world.plex.kind(request)
            if kind == "plex.detail":
                read.update(dict.fromkeys(edited_keys(request), world.monotonic()))
                looks.append(len(edited_keys(request)))
            elif kind == "plex.upload":
                ages.append(world.monotonic() - read[request.path.split("/")[3]])

        def choose() -> None:
            for scene_id in late:
                choose_by_hand(world, scene_id)

        world.plex_wire.on_request = watch
        world.plex.before("plex.upload", 14, choose)
        ran = world.run()
        assert {poster(world, scene_id) for scene_id in late} == {upload_key(OTHER)}
        assert uploads(ran) == len(ages) == 20
        assert max(ages) <= FRESH_S
        assert {5, 6} & set(looks), "most are looked at along with others"


@pytest.mark.parametrize("ended", ["killed", "outage"])
@pytest.mark.parametrize("later", ["another", "the same", "the one before"])
def test_a_picture_of_a_run_that_came_to_no_end_is_ours(
    world: World, ended: str, later: str
) -> None:
    """Nobody chose it, so it follows the cover, whatever that is by the time of the next run."""
    world.run()
    before = [poster(world, one) for one in world.library.truth]
    for number in range(1, SCENES + 1):
        world.stash.set_cover(number, OTHER + b"%d" % number)
    if ended == "killed":
        with suppress(Killed):
            world.run(disk=DiesAfterWriting(world.plex))
    else:

        def is_sent(_: SimRequest) -> bool:
            return [poster(world, one) for one in world.library.truth] != before

        world.plex_wire.faults.add(Fault(None, 1, ErrorStatus(503), None, is_sent))
        assert world.run().summary.exit_code == ExitCode.SERVER
        world.plex_wire.faults.clear()
    assert [poster(world, one) for one in world.library.truth] != before
    covers = {
        "another": PNG + b"later %d",
        "the same": OTHER + b"%d",
        "the one before": PNG + b"%d",
    }
    for number in range(1, SCENES + 1):
        world.stash.set_cover(number, covers[later] % number)

    assert world.run().count(Outcome.KEPT) == 0

    for one in world.library.truth:
        assert poster(world, one) == upload_key(covers[later] % int(one))
    assert world.run(RunOptions(full=True)).summary.requests.plex_writes == 0


def test_a_server_that_refuses_every_second_upload_gets_all(world: World) -> None:
    """One pause and one more try for each."""
    for nth in range(2, 20, 2):
        world.plex_wire.faults.add(Fault("plex.upload", nth, ErrorStatus(413)))
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.OK
    assert all(shows_its_cover(world, str(number)) for number in range(1, SCENES + 1))


def test_a_picture_that_is_refused_is_named_in_its_row(world: World) -> None:
    """With a hint that says where the limit may be; the fields of the item are written."""
    world.run()
    world.stash.set_cover(2, PNG + b"larger")
    world.stash.edit_scene(2, title="Another Title")
    world.plex_wire.faults.add(Fault("plex.upload", 1, ErrorStatus(413), None))
    ran = world.run()
    row = ran.row("2")
    assert row.outcome is Outcome.FAILED
    assert row.error is not None
    assert "poster" in row.error.message
    assert f"(413) to a picture of {len(PNG + b'larger')} bytes" in row.error.message
    assert "client_max_body_size" in row.error.hint
    assert {change.field for change in row.changes} == {"title", "poster"}
    assert ran.summary.exit_code == ExitCode.SOME_FAILED
    world.plex_wire.faults.clear()
    world.wait(hours=1)
    assert uploads(world.run()) == 1


def test_a_server_that_takes_no_picture_at_all_is_at_fault(tmp_path: Path) -> None:
    """After five of twelve the run ends with 4 and leaves the rest as it is."""
    with made(tmp_path, scenes=12) as world:
        world.plex_wire.faults.add(Fault("plex.upload", 1, ErrorStatus(413), None))
        ran = world.run()
        assert ran.summary.exit_code == ExitCode.SERVER
        assert uploads(ran) == 10, "five items, each tried twice"


# ---- a dry run says what a run does --------------------------------------------------------------


def lose_state(world: World) -> None:
    """The state directory is gone; Plex shows what was written."""
    world.run()
    shutil.rmtree(world.state_dir)


def lose_one_poster(world: World) -> None:
    """The same, and a person chose another poster for one item."""
    lose_state(world)
    choose_by_hand(world, "2")


def lose_state_and_unlock(world: World) -> None:
    """The state is lost, and a person took the lock off one poster."""
    lose_state(world)
    world.plex.unlock(world.key_of("2"), "thumb")


def lose_cache(world: World) -> None:
    """What may be deleted at any time is."""
    world.run()
    shutil.rmtree(world.cache_dir)


def change_covers(world: World) -> None:
    """Two covers are other ones, one scene has another title."""
    world.run()
    world.stash.set_cover(1, PNG + b"one")
    world.stash.set_cover(2, PNG + b"two")
    world.stash.edit_scene(3, title="Another Title")


def lose_state_and_change(world: World) -> None:
    """The state is lost, and one cover changed since."""
    change_covers(world)
    world.run()
    shutil.rmtree(world.state_dir)
    world.stash.set_cover(4, PNG + b"four")


def take_back(world: World) -> None:
    """An undo took back what a run wrote."""
    world.run()
    world.undo(scenes=scene_ids(1, 2))


def touch(world: World) -> None:
    """All scenes look edited, and nothing that is pushed changed."""
    world.run()
    world.stash.edit_scenes(range(1, SCENES + 1), organized=True)


STATES: dict[str, Callable[[World], object]] = {
    "nothing written yet": lambda world: world,
    "state lost": lose_state,
    "state lost, a poster chosen by hand": lose_one_poster,
    "state lost, a poster unlocked": lose_state_and_unlock,
    "cache lost": lose_cache,
    "covers changed": change_covers,
    "state lost, a cover changed": lose_state_and_change,
    "taken back": take_back,
    "touched": touch,
}


def changes(ran: Ran) -> set[tuple[str, str, str]]:
    """What a run lists as written, or to be written."""
    return {
        (row.scene.id, change.field, str(change.after))
        for row in ran.rows
        for change in row.changes
        if row.outcome in {Outcome.PLANNED, Outcome.APPLIED}
    }


@pytest.mark.parametrize("preserve", ["true", "false"])
@pytest.mark.parametrize("full", [False, True], ids=["what is due", "everything"])
@pytest.mark.parametrize("prepare", STATES.values(), ids=STATES.keys())
def test_a_dry_run_lists_what_the_run_writes(
    world: World, prepare: Callable[[World], object], *, full: bool, preserve: str
) -> None:
    """The same changes from any state, pictures that are there already included."""
    world.settings["APPLY__PRESERVE_PLEX_EDITS"] = preserve
    prepare(world)
    shown = world.run(RunOptions(dry_run=True, full=full))
    ran = world.run(RunOptions(full=full))
    assert changes(shown) == changes(ran)
    assert ran.summary.exit_code == ExitCode.OK


@pytest.mark.parametrize("policy", ["keep", "overwrite"])
def test_a_dry_run_after_a_lost_state_announces_nothing(world: World, policy: str) -> None:
    """Every picture is there, as its bytes say; what an item has is asked once."""
    lose_state(world)
    shown = world.run(DRY, FIELDS__POSTER=policy)
    assert shown.count(Outcome.PLANNED) == 0
    assert shown.plex["plex.pictures"] == SCENES
    assert not world.state_dir.exists()


def test_a_cover_with_an_address_elsewhere_is_reported_and_not_fetched(world: World) -> None:
    """Once a run, however many there are; the fields of its scene are written."""
    world.stash.facts.screenshot_path = "/images/{id}.jpg"
    ran = world.run()
    assert (ran.stash.get("stash.cover", 0), uploads(ran)) == (0, 0)
    assert ran.count(Outcome.APPLIED) == SCENES
    (warning,) = [text for text in ran.warnings if "not followed" in text]
    assert f"{SCENES} covers lead" in warning
