"""`plexsync run --save-plan` and `plexsync apply` against both simulators over real HTTP."""

from __future__ import annotations

import tempfile
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.output.streams import Spool
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.filesystem import DISK
from plexsync.storage.history import read_history
from plexsync.storage.journal import Lineage, RunKind
from plexsync.storage.plan_file import item_line, read_plan, write_plan
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import DiesAfterWriting, FaultyDisk, Killed, Strike
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIX = {Case.SAME: 3.0, Case.TWO_ITEMS: 1.0}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Ten scenes, some with two items, nothing synced yet."""
    spec = LibrarySpec(seed=5, scenes=10, mix=MIX, extra_items=0.1, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        yield made


@pytest.fixture
def plan(world: World) -> Path:
    """The plan of a first run."""
    path = world.directory / "plan.json"
    ran = world.run(RunOptions(dry_run=True, save_plan=path))
    assert ran.summary.exit_code == ExitCode.OK
    assert ran.count(Outcome.PLANNED) >= 10
    return path


def edited_key(world: World) -> str:
    """The first item of the first scene."""
    return next(iter(world.library.truth.values()))[0]


def test_a_saved_plan_is_private_and_changes_nothing(world: World, plan: Path) -> None:
    """0600, and neither Plex nor the state was written."""
    assert plan.stat().st_mode & 0o777 == 0o600
    assert not world.state_dir.exists()
    assert world.plex.writes == ()


def test_applying_does_what_the_run_would_have_done(world: World, plan: Path) -> None:
    """The next run finds nothing to do, whether it looks at what changed or at everything."""
    applied = world.apply(plan)
    assert applied.summary.exit_code == ExitCode.OK
    assert applied.stash == {}
    for scene in world.library.stash.scenes:
        for key in world.library.truth[str(scene.id)]:
            assert world.shown(key, "title") == scene.title.strip()
    nothing = world.run()
    assert nothing.puts == 0
    assert nothing.count(Outcome.UNCHANGED) == len(nothing.rows)
    assert world.run().rows == ()
    assert world.run(RunOptions(full=True)).puts == 0
    assert read_history(world.state_dir)[-1].kind is RunKind.APPLY


def test_a_plan_applied_twice_finds_nothing_to_do(world: World, plan: Path) -> None:
    """Whoever repeats it gets 0 and no request that writes."""
    world.apply(plan)
    again = world.apply(plan)
    assert again.summary.exit_code == ExitCode.OK
    assert again.puts == 0
    assert again.count(Outcome.UNCHANGED) == len(again.rows)


@pytest.mark.parametrize("policy", ["merge", "overwrite", "keep"])
def test_a_plan_that_a_run_was_faster_with_finds_nothing_to_do(tmp_path: Path, policy: str) -> None:
    """Also where a list was ours before both, and has a name of somebody else's."""
    spec = LibrarySpec(seed=3, scenes=3, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    settings = {"PATHS": "/data/=/media/", "FIELDS__TAGS": policy}
    with World(make_library(spec), tmp_path, **settings) as world:
        for key in world.plex.rating_keys():
            world.plex.edit_by_hand(key, {"genre": ("By Hand",)}, lock=False)
        world.run()
        for scene in world.library.stash.scenes:
            tags = (*scene.tag_ids, world.stash.add_tag(f"New {scene.id}"))
            world.stash.edit_scene(scene.id, title=f"New {scene.id}", tag_ids=tags)
        plan = tmp_path / "plan.json"
        world.run(RunOptions(dry_run=True, save_plan=plan))
        assert world.run().count(Outcome.APPLIED) == 3

        applied = world.apply(plan)

        assert applied.puts == 0
        assert applied.count(Outcome.UNCHANGED) == len(applied.rows) == 3


def test_a_dry_run_of_a_plan_shows_what_still_fits(world: World, plan: Path) -> None:
    """Nothing is written, what changed is named."""
    world.plex.edit_by_hand(edited_key(world), {"title": "By Hand"})
    shown = world.apply(plan, dry_run=True)
    assert shown.puts == 0
    assert shown.count(Outcome.SKIPPED) == 1
    assert not world.state_dir.exists()


def test_an_item_that_changed_since_is_skipped_and_named(world: World, plan: Path) -> None:
    """All of it, also the fields that are as before; the next run looks at its scene again."""
    key = edited_key(world)
    world.plex.edit_by_hand(key, {"title": "By Hand"})
    before = world.plex.dump()[key]
    applied = world.apply(plan)
    (skipped,) = [row for row in applied.rows if row.outcome is Outcome.SKIPPED]
    assert "title" in skipped.reason
    assert world.plex.dump()[key] == before
    assert applied.summary.exit_code == ExitCode.OK
    rest = world.run()
    assert rest.puts == 1
    assert world.shown(key, "title") == "By Hand"
    assert world.run(RunOptions(full=True), APPLY__PRESERVE_PLEX_EDITS="false").puts == 1
    assert world.shown(key, "title") != "By Hand"


def test_a_plan_that_fits_nowhere_any_more_ends_with_7(world: World, plan: Path) -> None:
    """Every item was edited since."""
    for key in world.plex.rating_keys():
        world.plex.edit_by_hand(key, {"title": "By Hand"})
    applied = world.apply(plan)
    assert applied.summary.exit_code == ExitCode.STALE
    assert applied.puts == 0


def test_a_plan_edited_by_hand_is_refused(world: World, plan: Path) -> None:
    """One byte is enough, and nothing is asked of anyone."""
    plan.write_bytes(plan.read_bytes().replace(b'"after":"', b'"after":"x', 1))
    applied = world.apply(plan)
    assert applied.summary.exit_code == ExitCode.STALE
    assert applied.plex == {}


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"schema": "plexsync/run/1"}', b"\xff"])
def test_what_is_no_plan_is_an_error_of_usage(world: World, content: bytes | None) -> None:
    """Exit 2."""
    path = world.directory / "other.json"
    if content is not None:
        path.write_bytes(content)
    assert world.apply(path).summary.exit_code == ExitCode.USAGE


def test_a_plan_for_another_server_is_refused(world: World, plan: Path) -> None:
    """Rating keys mean nothing elsewhere."""
    saved = read_plan(plan)
    with closing(Spool()) as lines:
        for item in saved.items:
            lines.add(item_line(item))
        lineage = Lineage(plex="another", stash=saved.lineage.stash)
        write_plan(plan, lines, run_id="", created_at="", lineage=lineage)
    applied = world.apply(plan)
    assert applied.summary.exit_code == ExitCode.STALE
    assert applied.puts == 0


def test_an_applied_plan_can_be_undone(world: World, plan: Path) -> None:
    """Like a run."""
    before = world.plex.dump()
    world.apply(plan)
    assert world.undo().summary.exit_code == ExitCode.OK
    assert world.plex.dump() == before
    assert world.run().puts == 0


def test_a_plan_that_could_not_be_kept_as_a_whole_takes_no_ones_place(
    world: World, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a plan would be applied as if it were all of it."""
    before = plan.read_bytes()
    world.stash.edit_scenes(range(1, 11), details="long " * 100_000)
    monkeypatch.setattr(tempfile, "tempdir", str(world.directory / "full"))
    ran = world.run(RunOptions(dry_run=True, save_plan=plan))
    assert ran.summary.exit_code == ExitCode.LOCAL_FILES
    assert ran.summary.error is not None
    assert "could not be kept" in ran.summary.error.message
    assert plan.read_bytes() == before


def test_what_a_limit_holds_back_is_not_saved(world: World) -> None:
    """Unless that is asked for; the rest is."""
    world.run()
    world.stash.edit_scenes(range(1, 9), tag_ids=())
    world.stash.edit_scene(9, title="Another")
    path = world.directory / "big.json"
    held = world.run(RunOptions(dry_run=True, save_plan=path, max_changes=3))
    assert held.summary.exit_code == ExitCode.UNSAFE
    assert {row.scene.id for row in world.apply(path).rows} == {"9"}
    world.run(RunOptions(dry_run=True, save_plan=path, max_changes=3, force=True))
    assert world.apply(path).count(Outcome.APPLIED) == held.count(Outcome.SKIPPED)


def test_an_apply_killed_at_any_disk_operation_ends_when_repeated(world: World, plan: Path) -> None:
    """Nothing is lost, nothing is written twice, and the state is that of a run."""
    before = world.plex.dump()
    counted = FaultyDisk(DISK)
    world.apply(plan, disk=counted)
    after = world.plex.dump()
    world.undo()
    assert counted.operations > 5
    for at in range(1, counted.operations + 1):
        with suppress(Killed):
            world.apply(plan, disk=FaultyDisk(DISK, at=at, strike=Strike.KILL))
        assert world.apply(plan).summary.exit_code == ExitCode.OK
        assert world.plex.dump() == after, at
        assert world.run().puts == 0, at
        for run in read_history(world.state_dir, limit=3):
            if run.kind is RunKind.APPLY and run.written:
                world.undo(run.run_id)
        assert world.plex.dump() == before, at


# ---- a person's word -----------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[World]:
    """Three synced scenes, the first with two tags, where what a person does in Plex stays."""
    spec = LibrarySpec(seed=5, scenes=3, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    settings = {"PATHS": "/data/=/media/", "APPLY__PRESERVE_PLEX_EDITS": "true"}
    with World(make_library(spec), tmp_path, **settings) as made:
        made.stash.edit_scene(1, tag_ids=(1, 2))
        made.run()
        yield made


def test_a_tag_a_person_took_out_stays_out_after_a_plan(kept: World) -> None:
    """What an applied plan remembers of a list says, as after a run, which names were once ours."""
    key, path = kept.key_of("1"), kept.directory / "plan.json"
    stays, goes = kept.tags(key, "genre")
    kept.plex.edit_by_hand(key, {"genre": (stays,)})
    kept.stash.edit_scene(1, tag_ids=(1, 2, 3))
    kept.run(RunOptions(dry_run=True, save_plan=path))
    assert kept.apply(path).count(Outcome.APPLIED) == 1
    written = kept.tags(key, "genre")
    assert goes not in written
    kept.stash.edit_scene(1, title="Another Title")
    assert kept.run().puts == 1
    assert kept.tags(key, "genre") == written


def test_a_tag_a_person_took_out_stays_out_when_another_command_settles_a_write(
    kept: World,
) -> None:
    """A run dies before it can note what it wrote; an undo finds that out by the same rules."""
    key = kept.key_of("1")
    stays, goes = kept.tags(key, "genre")
    kept.plex.edit_by_hand(key, {"genre": (stays,)})
    kept.stash.edit_scene(1, title="Second Title")
    kept.run()
    kept.stash.edit_scene(1, tag_ids=(1, 2, 3))
    with pytest.raises(Killed):
        kept.run(disk=DiesAfterWriting(kept.plex))
    written = kept.tags(key, "genre")
    assert written not in {(stays,), (stays, goes)}
    assert goes not in written
    first = read_history(kept.state_dir)[1].run_id
    assert kept.undo(first, fields=("title",)).summary.exit_code == ExitCode.OK
    kept.stash.edit_scene(1, title="Third Title")
    kept.run()
    assert kept.tags(key, "genre") == written
