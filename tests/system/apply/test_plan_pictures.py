"""Pictures in saved plans, against both simulators over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome, PlexField
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.storage.plan_file import read_plan
from plexsync.sync.ports import RunOptions
from tests.support.picture_world import OTHER, PNG, made, only_link, poster, upload_key, uploads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World

SCENES = 4
FULL = RunOptions(full=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Nothing synced yet."""
    with made(tmp_path, SCENES) as found:
        yield found


@pytest.fixture
def plan(world: World) -> Path:
    """The plan of a first run."""
    return save(world)


def save(world: World) -> Path:
    """What a run would do now, as a file."""
    path = world.directory / "plan.json"
    before = world.plex.dump(clocks=True)
    ran = world.run(RunOptions(dry_run=True, save_plan=path))
    assert ran.summary.exit_code == ExitCode.OK
    assert world.plex.dump(clocks=True) == before
    return path


def test_applying_brings_the_pictures_and_the_next_run_has_nothing_to_do(
    world: World, plan: Path
) -> None:
    """Covers are fetched when they are sent; a plan holds their sums."""
    assert b"one picture" not in plan.read_bytes()
    applied = world.apply(plan)
    assert applied.summary.exit_code == ExitCode.OK
    assert (applied.count(Outcome.APPLIED), uploads(applied)) == (SCENES, SCENES)
    assert {change.field for change in applied.row("2").changes} >= {"title", "poster"}
    assert poster(world, "2") == upload_key(PNG + b"2")
    assert only_link(world, "2").pictures[PlexField.POSTER].key == upload_key(PNG + b"2")
    for options in (None, FULL):
        assert world.run(options).summary.requests.plex_writes == 0


def test_a_plan_of_pictures_alone_is_a_plan(world: World) -> None:
    """Only a cover changed: it is saved, shown, and written."""
    world.run()
    world.stash.set_cover(3, OTHER)
    plan = save(world)
    (item,) = read_plan(plan).items
    assert (item.plan.changes, len(item.pictures)) == ((), 1)
    shown = world.apply(plan, dry_run=True)
    assert shown.outcomes() == {"3": "planned"}
    assert [change.after for change in shown.row("3").changes] == ["cover of scene 3 (454 bytes)"]
    assert shown.summary.requests.plex_writes == 0
    assert world.apply(plan).outcomes() == {"3": "applied"}
    assert poster(world, "3") == upload_key(OTHER)
    assert world.run(FULL).summary.requests.plex_writes == 0


@pytest.mark.parametrize("memory", ["kept", "lost"])
def test_a_plan_applied_twice_uploads_nothing_more(world: World, plan: Path, memory: str) -> None:
    """Neither by what is remembered nor by the bytes; what was adopted is ours."""
    world.apply(plan)
    if memory == "lost":
        for path in sorted(world.state_dir.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
    again = world.apply(plan)
    assert again.preview is not None
    assert again.preview.headline.endswith(": nothing of it is left to write")
    assert again.summary.exit_code == ExitCode.OK
    assert again.summary.requests.plex_writes == 0
    assert again.count(Outcome.UNCHANGED) == SCENES
    assert only_link(world, "2").pictures[PlexField.POSTER].key == upload_key(PNG + b"2")


def test_a_picture_chosen_since_makes_its_item_stale(world: World, plan: Path) -> None:
    """All of it, its fields too; the row says which field and which side."""
    key = world.key_of("2")
    world.plex.choose_picture(key, "poster", OTHER)
    before = world.plex.dump()[key]
    applied = world.apply(plan)
    assert applied.row("2").outcome is Outcome.SKIPPED
    assert "changed in Plex since the plan was saved: poster" in applied.row("2").reason
    assert world.plex.dump()[key] == before
    assert uploads(applied) == SCENES - 1


def test_a_picture_locked_since_makes_its_item_stale(world: World, plan: Path) -> None:
    """Somebody wants just the picture that is there."""
    key = world.key_of("2")
    world.plex.set_locks(key, locked=("thumb",))
    assert world.apply(plan).row("2").outcome is Outcome.SKIPPED


@pytest.mark.parametrize("change", ["another", "none"])
def test_a_cover_that_is_another_since_makes_its_item_stale(
    world: World, plan: Path, change: str
) -> None:
    """What would be sent is not what a person looked at."""
    if change == "another":
        world.stash.set_cover(2, OTHER)
    else:
        world.stash.remove_cover(2)
    before = world.plex.dump()[world.key_of("2")]
    applied = world.apply(plan)
    assert applied.row("2").outcome is Outcome.SKIPPED
    assert "changed in Stash since the plan was saved: poster" in applied.row("2").reason
    assert world.plex.dump()[world.key_of("2")] == before


def test_a_cover_exchanged_between_the_look_and_the_upload_is_not_sent(
    world: World, plan: Path
) -> None:
    """The sum is held against the bytes themselves, too."""
    seen = 0

    def exchange(request: object) -> None:
        nonlocal seen
        if "/scene/2/" in getattr(request, "path", ""):
            seen += 1
            if seen == 2:
                world.stash.set_cover(2, OTHER)

    world.stash_wire.on_request = exchange
    applied = world.apply(plan)
    assert applied.row("2").outcome is Outcome.FAILED
    assert "another one" in str(applied.row("2").error)
    assert uploads(applied) == SCENES - 1
    world.stash_wire.on_request = None
    world.wait(hours=1)
    assert uploads(world.run()) == 1
    assert poster(world, "2") == upload_key(OTHER)


def test_stash_is_asked_for_covers_alone(world: World, plan: Path) -> None:
    """By its address without any query, so that a plan cannot make it do anything else."""
    applied = world.apply(plan)
    assert set(applied.stash) == {"stash.cover"}
    assert applied.stash["stash.cover"] == 2 * SCENES


def test_a_stash_that_is_gone_ends_an_apply_truthfully(tmp_path: Path) -> None:
    """Exit 4, nothing half done without a word; the same command ends the work."""
    with made(tmp_path, 7) as world:
        plan = save(world)
        end_and_go_on(world, plan)


def end_and_go_on(world: World, plan: Path) -> None:
    """Stash fails for as many covers as it takes to be given up, then is back."""
    world.stash_wire.faults.add(Fault("stash.cover", 1, ErrorStatus(503), None))
    assert world.apply(plan).summary.exit_code == ExitCode.SERVER
    world.stash_wire.faults.clear()
    assert world.apply(plan).summary.exit_code == ExitCode.OK
    assert poster(world, "4") == upload_key(PNG + b"4")


def test_a_stash_that_dies_while_a_plan_is_made_leaves_none(tmp_path: Path) -> None:
    """Exit 4 and no file, rather than a plan without pictures."""
    with made(tmp_path, 7) as world:
        plan = world.directory / "plan.json"
        world.stash_wire.faults.add(Fault("stash.cover", 8, ErrorStatus(503), None))
        ran = world.run(RunOptions(dry_run=True, save_plan=plan))
        assert ran.summary.exit_code == ExitCode.SERVER
        assert not plan.exists()


def test_one_cover_that_fails_while_a_plan_is_made_is_named(world: World) -> None:
    """Its fields are in the plan, its picture is not, and the row says why."""

    def for_two(request: object) -> bool:
        return "/scene/2/" in getattr(request, "path", "")

    world.stash_wire.faults.add(Fault("stash.cover", 1, ErrorStatus(500), None, for_two))
    plan = world.directory / "plan.json"
    ran = world.run(RunOptions(dry_run=True, save_plan=plan))
    assert ran.row("2").outcome is Outcome.FAILED
    (item,) = [item for item in read_plan(plan).items if item.plan.scene_id == "2"]
    assert item.plan.changes
    assert item.pictures == ()


def test_one_bad_cover_stops_nobody(world: World, plan: Path) -> None:
    """Its item fails with a reason and stays due, the others are written."""

    def for_two(request: object) -> bool:
        return "/scene/2/" in getattr(request, "path", "")

    world.stash_wire.faults.add(Fault("stash.cover", 1, ErrorStatus(500), None, for_two))
    applied = world.apply(plan)
    assert applied.summary.exit_code == ExitCode.SOME_FAILED
    assert applied.row("2").outcome is Outcome.FAILED
    assert uploads(applied) == SCENES - 1
    world.stash_wire.faults.clear()
    world.wait(hours=1)
    assert uploads(world.run()) == 1
    assert world.run(FULL).summary.requests.plex_writes == 0


def test_a_picture_plex_refuses_leaves_the_fields_written(world: World, plan: Path) -> None:
    """The row names both, and says which of them failed, also when it was sent once more."""
    address = f"/library/metadata/{world.key_of('1')}/posters"
    world.plex_wire.faults.add(
        Fault("plex.upload", 1, ErrorStatus(500), None, lambda request: request.path == address)
    )
    applied = world.apply(plan)
    (failed,) = [row for row in applied.rows if row.outcome is Outcome.FAILED]
    assert {"title", "poster"} <= {change.field for change in failed.changes}
    assert failed.error is not None
    assert failed.error.message.startswith("poster: ")
    world.plex_wire.faults.clear()
    world.wait(hours=1)
    healed = world.run()
    assert (uploads(healed), healed.puts) == (1, 0)


def test_a_lost_reply_is_settled_by_looking(world: World, plan: Path) -> None:
    """Nothing is uploaded twice."""
    world.plex_wire.faults.add(Fault("plex.upload", 1, Reset(applied=True)))
    applied = world.apply(plan)
    assert applied.count(Outcome.APPLIED) == SCENES
    assert uploads(applied) == SCENES
    assert world.run().summary.requests.plex_writes == 0


def test_an_applied_plan_with_pictures_can_be_undone(world: World, plan: Path) -> None:
    """The library is as it was, by the simulator's dump, and the undo can be undone."""
    before = world.plex.dump()
    world.apply(plan)
    after = world.plex.dump()
    undone = world.undo()
    assert undone.summary.exit_code == ExitCode.OK
    assert world.plex.dump() == before
    assert world.undo(undone.summary.header.run_id).summary.exit_code == ExitCode.OK
    assert world.plex.dump() == after


def test_what_an_undo_took_back_comes_again_when_its_plan_is_applied(
    world: World, plan: Path
) -> None:
    """Applying is a person's word."""
    world.apply(plan)
    world.undo()
    again = world.apply(plan)
    assert again.summary.exit_code == ExitCode.OK
    assert poster(world, "2") == upload_key(PNG + b"2")
    assert uploads(again) == 0
    assert world.run(FULL).summary.requests.plex_writes == 0


def without_sum(number: int) -> Fault:
    """The cover of a scene, as a Stash of long ago sends it."""
    path = f"/scene/{number}/screenshot"
    cover = ErrorStatus(200, PNG + str(number).encode(), (("Content-Type", "image/png"),))
    return Fault("stash.cover", 1, cover, None, lambda request: request.path == path)


def test_a_plan_says_what_its_pictures_are_made_of(world: World) -> None:
    """Where Stash sends no sum along, it is made of the bytes; and compared by them."""
    for number in range(1, SCENES + 1):
        world.stash_wire.faults.add(without_sum(number))
    plan = save(world)
    assert uploads(world.apply(plan)) == SCENES
