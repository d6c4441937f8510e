"""Taking pictures back, against both simulators over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.sync.ports import RunOptions
from tests.support.picture_world import (
    OTHER,
    PNG,
    choose_by_hand,
    made,
    poster,
    upload_key,
    uploads,
)
from tests.support.terminals import plain, run_plexsync
from tests.support.world import scene_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.http.wire import SimRequest
    from tests.support.world import World

SCENES = 7
FULL = RunOptions(full=True)
AGENT = "metadata://posters/agent_1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Posters and backgrounds are on and replace what people chose; nothing is synced yet."""
    with made(
        tmp_path, 3, FIELDS__BACKGROUND="overwrite", APPLY__PRESERVE_PLEX_EDITS="false"
    ) as found:
        yield found


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[World]:
    """Posters alone, which replace what people chose, after a first run and a full one."""
    with made(tmp_path, SCENES, APPLY__PRESERVE_PLEX_EDITS="false") as found:
        assert found.run().summary.exit_code == ExitCode.OK
        assert found.run(FULL).summary.exit_code == ExitCode.OK
        yield found


def show(world: World, scene_id: str, what: str) -> None:
    """Have the item of a scene show something of its own, with nothing of ours yet."""
    key = world.key_of(scene_id)
    match what:
        case "nothing" | "nothing, unlocked":
            requests.delete(
                f"{world.plex_url}/library/metadata/{key}/thumb",
                headers={"X-Plex-Token": world.plex.token},
                timeout=120,
            ).raise_for_status()
            if what != "nothing":
                world.plex.set_locks(key, locked=())
        case "a frame":
            pass
        case "an agent's":
            world.plex.agent_picture(key, "poster", AGENT)
        case "a person's":
            choose_by_hand(world, scene_id)
        case "a person's, unlocked":
            choose_by_hand(world, scene_id)
            world.plex.set_locks(key, locked=())


BEFORE = [
    "nothing",
    "nothing, unlocked",
    "a frame",
    "an agent's",
    "a person's",
    "a person's, unlocked",
]


# ---- whatever was there --------------------------------------------------------------------------


@pytest.mark.parametrize("before", BEFORE)
def test_undo_leaves_the_library_as_it_was(world: World, before: str) -> None:
    """By the simulator's dump: what is shown, fields, locks; and the undo of the undo, too.

    The background was always nothing before.
    """
    world.settings["APPLY__PRESERVE_PLEX_EDITS"] = "false"
    show(world, "2", before)
    then = world.plex.dump()
    world.run()
    after = world.plex.dump()
    assert poster(world, "2") == upload_key(PNG + b"2")
    undone = world.undo()
    assert undone.summary.exit_code == ExitCode.OK
    assert world.plex.dump() == then
    again = world.undo(undone.summary.header.run_id)
    assert again.summary.exit_code == ExitCode.OK
    assert world.plex.dump() == after
    assert uploads(undone) == uploads(again) == 0
    assert world.run(FULL).summary.requests.plex_writes == 0


@pytest.mark.parametrize("locked", [True, False])
def test_after_an_undo_a_refresh_shows_what_it_would_have_shown(
    world: World,
    locked: bool,
) -> None:
    """To choose none locks the poster; the undo lifts that lock where there was none before."""
    show(world, "2", "nothing" if locked else "nothing, unlocked")
    then = poster(world, "2")
    assert then == ""
    world.run()
    world.undo()
    assert poster(world, "2") == then
    requests.put(
        f"{world.plex_url}/library/metadata/{world.key_of('2')}/refresh",
        headers={"X-Plex-Token": world.plex.token},
        timeout=120,
    ).raise_for_status()
    assert poster(world, "2").startswith("media://") is not locked


def test_undo_of_everything_there_is_to_write_leaves_the_library_as_it_was(world: World) -> None:
    """Every field on at once, a rating of the person's own among them; and the undo of the undo."""
    on = ("SORT_TITLE", "ORIGINAL_TITLE", "TAGLINE", "CONTENT_RATING", "RATING", "DIRECTORS")
    world.settings |= {f"FIELDS__{name}": "overwrite" for name in on}
    world.settings |= {"FIELDS__LABELS": "merge", "FIELDS__GROUPS": "merge"}
    world.settings["APPLY__PRESERVE_PLEX_EDITS"] = "false"
    world.stash.edit_scenes(range(1, 4), rating100=80, director="Ann Example", code="AB-1")
    key = world.key_of("2")
    world.plex.edit_by_hand(key, {"title": "By Hand", "genre": ("Mine",), "label": ("Own",)})
    world.plex.edit_by_hand(key, {"titleSort": "Hand, By"})
    world.plex.edit_by_hand(world.key_of("3"), {"titleSort": "Loose"}, lock=False)
    choose_by_hand(world, "3")
    requests.put(
        f"{world.plex_url}/:/rate?key={key}&identifier=com.plexapp.plugins.library&rating=4",
        headers={"X-Plex-Token": world.plex.token},
        timeout=120,
    ).raise_for_status()
    then = world.plex.dump()
    ran = world.run()
    assert ran.count(Outcome.APPLIED) == 3
    written = {change.field for change in ran.row("2").changes}
    assert {"title", "rating", "poster", "background", "labels", "directors"} <= written
    after = world.plex.dump()
    assert after[key]["rating"] == 8.0
    undone = world.undo()
    assert undone.summary.exit_code == ExitCode.OK
    assert world.plex.dump() == then
    assert world.undo(undone.summary.header.run_id).summary.exit_code == ExitCode.OK
    assert world.plex.dump() == after


@pytest.mark.parametrize("before", ["nothing", "a person's"])
def test_a_picture_chosen_since_is_kept_and_named(world: World, before: str) -> None:
    """The fields and the other picture go back all the same."""
    world.settings["APPLY__PRESERVE_PLEX_EDITS"] = "false"
    show(world, "2", before)
    then = world.plex.dump()[world.key_of("2")]
    world.run()
    chosen = choose_by_hand(world, "2", OTHER + b"since")
    undone = world.undo(scenes=scene_ids(2))
    assert undone.outcomes() == {"2": "applied"}
    assert "changed since and kept: poster" in undone.row("2").reason
    now = world.plex.dump()[world.key_of("2")]
    assert now["poster"] == chosen
    assert "thumb" in now["locks"]
    assert (now["fields"], now["tags"], now["art"]) == (then["fields"], then["tags"], then["art"])
    again = world.undo(undone.summary.header.run_id)
    assert poster(world, "2") == chosen, "the undo never wrote it"
    assert again.summary.exit_code == ExitCode.OK


def test_a_picture_that_is_not_there_any_more_stops_nothing_else(world: World) -> None:
    """Its item fails and says so; fields, locks and the other picture go back."""
    show(world, "2", "an agent's")
    then = world.plex.dump()[world.key_of("2")]
    world.run()
    key = world.key_of("2")

    def chooses_it(request: SimRequest) -> bool:
        return request.path == f"/library/metadata/{key}/poster"

    world.plex_wire.faults.add(Fault("plex.select", 1, ErrorStatus(404), None, chooses_it))
    undone = world.undo()
    assert undone.summary.exit_code == ExitCode.SOME_FAILED
    assert undone.row("2").outcome is Outcome.FAILED
    assert "does not have the poster any more" in str(undone.row("2").error)
    now = world.plex.dump()[key]
    assert now["poster"] == upload_key(PNG + b"2")
    assert now["locks"] == ("thumb",), "what stays keeps its lock"
    assert (now["fields"], now["tags"], now["art"]) == (then["fields"], then["tags"], then["art"])
    assert {one: undone.row(one).outcome for one in "13"} == dict.fromkeys("13", Outcome.APPLIED)
    world.plex_wire.faults.clear()
    assert world.undo().summary.exit_code == ExitCode.OK
    assert world.plex.dump()[key] == then


@pytest.mark.parametrize("unread", [False, True], ids=["refused", "not read back"])
@pytest.mark.parametrize("before", ["nothing, unlocked", "an agent's"])
def test_a_picture_an_undo_could_not_unlock_is_nobodys_choice(
    world: World, before: str, *, unread: bool
) -> None:
    """Choosing one locks it; the undo failed, and who wants all that Stash says gets its cover."""
    world.settings["APPLY__PRESERVE_PLEX_EDITS"] = "true"
    show(world, "2", before)
    then = world.plex.dump()[world.key_of("2")]
    world.run()
    after = world.plex.dump()

    def is_back(_: SimRequest) -> bool:
        return poster(world, "2") == then["poster"]

    faults = [Fault("plex.put", 1, ErrorStatus(500), None)]
    faults += [Fault("plex.detail", 1, ErrorStatus(500), None, is_back)] * unread
    world.plex_wire.faults.add(*faults)
    assert world.undo(scenes=scene_ids(2)).summary.exit_code != ExitCode.OK
    world.plex_wire.faults.clear()
    assert poster(world, "2") == then["poster"]
    assert set(world.plex.dump()[world.key_of("2")]["locks"]) >= {"thumb", "art"}

    world.run()
    assert poster(world, "2") == then["poster"], "what was taken back stays, unless asked for"
    assert world.run(FULL).summary.exit_code == ExitCode.OK

    assert world.plex.dump() == after
    assert world.run(FULL).summary.requests.plex_writes == 0


def test_one_picture_can_be_taken_back_alone(world: World) -> None:
    """`--field poster` leaves the background and everything else, and names what there is."""
    world.run()
    after = world.plex.dump()
    undone = world.undo(fields=("poster",))
    assert undone.count(Outcome.APPLIED) == undone.plex["plex.select"] == 3
    for key, item in world.plex.dump().items():
        assert item["poster"].startswith("media://")
        assert {**item, "poster": "", "locks": ()} == {**after[key], "poster": "", "locks": ()}
    assert world.run().summary.requests.plex_writes == 0


def test_history_tells_pictures_in_words(world: World) -> None:
    """Plex's keys are for programs; `-v` and `--json` have them."""
    show(world, "2", "an agent's")
    world.run()
    done = run_plexsync(["history", "last"], world.environ(), terminals=("stdout",), width=200)
    first, second = upload_key(PNG + b"1")[-40:-32], upload_key(PNG + b"2")[-40:-32]
    assert f"frame of the video -> uploaded picture {first}" in plain(done.out)
    assert f"picture found by Plex -> uploaded picture {second}" in plain(done.out)
    assert f"none -> uploaded picture {first}" in plain(done.out), "the background"


# ---- one picture among the runs ------------------------------------------------------------------


def test_undo_of_a_new_cover_brings_the_earlier_one_back_and_keeps_it(synced: World) -> None:
    """Until Stash has another cover, or a person asks for this one."""
    synced.stash.set_cover(5, OTHER)
    synced.run()
    undone = synced.undo()
    assert undone.outcomes() == {"5": "applied"}
    assert poster(synced, "5") == upload_key(PNG + b"5")
    synced.stash.edit_scene(5, organized=True)
    assert synced.run().summary.requests.plex_writes == 0
    synced.wait(hours=24 * 8)
    weekly = synced.run()
    assert weekly.summary.header.full
    assert weekly.summary.requests.plex_writes == 0
    synced.stash.set_cover(5, OTHER + b"later")
    assert uploads(synced.run()) == 1
    assert poster(synced, "5") == upload_key(OTHER + b"later")
    assert synced.run(FULL).summary.requests.plex_writes == 0


def test_asking_for_a_scene_writes_what_was_taken_back(synced: World) -> None:
    """`--scene` is a person's word; the picture is still there and only chosen."""
    synced.stash.set_cover(5, OTHER)
    synced.run()
    synced.undo()
    ran = synced.run(RunOptions(scenes=scene_ids(5)))
    assert (uploads(ran), ran.plex["plex.select"]) == (0, 1)
    assert poster(synced, "5") == upload_key(OTHER)


@pytest.mark.parametrize("options", [FULL, RunOptions(scenes=scene_ids(5))], ids=["full", "one"])
def test_asking_counts_also_after_runs_that_left_it_alone(
    synced: World, options: RunOptions
) -> None:
    """Whatever they looked at: versions that moved, or everything once a week."""
    synced.stash.set_cover(5, OTHER)
    synced.run()
    synced.undo()
    synced.stash.edit_scene(5, organized=True)
    synced.run()
    synced.wait(hours=24 * 8)
    assert synced.run().summary.requests.plex_writes == 0
    assert poster(synced, "5") == upload_key(PNG + b"5")
    ran = synced.run(options)
    assert (uploads(ran), ran.plex["plex.select"]) == (0, 1)
    assert poster(synced, "5") == upload_key(OTHER)
    assert synced.run(FULL).summary.requests.plex_writes == 0


def test_a_picture_that_was_asked_for_and_failed_is_tried_again(tmp_path: Path) -> None:
    """The one before it, with the lock of our choice, does not become a person's by that."""
    with made(tmp_path, 2) as world:
        world.run()
        world.stash.set_cover(2, OTHER)
        world.run()
        world.undo()
        world.plex_wire.faults.add(Fault("plex.select", 1, ErrorStatus(400), None))
        assert world.run(FULL).row("2").outcome is Outcome.FAILED
        assert world.run().row("2").outcome is Outcome.FAILED
        world.plex_wire.faults.clear()

        world.wait(hours=1)
        assert world.run().row("2").outcome is Outcome.APPLIED
        assert poster(world, "2") == upload_key(OTHER)


def test_undo_leaves_a_picture_chosen_since(synced: World) -> None:
    """And names it."""
    synced.stash.set_cover(5, OTHER)
    synced.run()
    chosen = choose_by_hand(synced, "5", PNG + b"by hand")
    undone = synced.undo()
    assert poster(synced, "5") == chosen
    assert undone.row("5").outcome is Outcome.KEPT
    assert "poster" in undone.row("5").reason


def test_an_undo_that_lost_its_reply_is_settled(synced: World) -> None:
    """What Plex shows says what became of it."""
    synced.stash.set_cover(5, OTHER)
    synced.run()
    synced.plex_wire.faults.add(Fault("plex.select", 1, Reset(applied=True)))
    assert synced.undo().summary.exit_code == ExitCode.OK
    assert poster(synced, "5") == upload_key(PNG + b"5")
