"""Safety limits as a person meets them: the words, the exit code, and that nothing was written.

Each run is a process of its own, over real HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.simulators.stash.simulator import StashSimulator
from plexsync.sync.ports import RunOptions
from tests.support.terminals import ProcessResult, run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCENES = 50


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[World]:
    """Fifty plain scenes after a first run: enough for a share to mean something."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    settings = {"PATHS": "/data/=/media/", "FIELDS__TAGS": "overwrite", "APPLY__EMPTY": "clear"}
    with World(make_library(spec), tmp_path, **settings) as world:
        assert world.run(APPLY__EMPTY="keep").summary.exit_code == ExitCode.OK
        yield world


def command(world: World, *arguments: str, **settings: str) -> ProcessResult:
    """`plexsync run` as cron starts it."""
    return run_plexsync(["run", *arguments], world.environ(**settings))


def wrong_database(world: World) -> None:
    """Stash comes up without its scenes, as from a volume that was not mounted."""
    spec = LibrarySpec(seed=3, scenes=0, mix={Case.SAME: 1.0})
    world.stash_wire.simulator = StashSimulator(
        make_library(spec), api_key="stash-key", clock=lambda: world.now
    )


def edit(world: World, scenes: range | list[int], **fields: object) -> None:
    """Somebody edits scenes, later than whatever came before, and is done with it for a minute."""
    world.wait(hours=1)
    world.stash.edit_scenes(scenes, **fields)
    world.wait(hours=1 / 60)


def test_too_many_changes_say_count_limit_and_how_to_pass(synced: World) -> None:
    """Exit 6 before the first write; both ways the words name let it through."""
    edit(synced, range(1, 12), title="The Same For All")
    before = synced.plex.dump(clocks=True)
    done = command(synced, "--max-changes", "10")
    assert done.code == ExitCode.UNSAFE
    assert f"11 of {SCENES} items synced before would change; the limit is 10" in done.err
    assert "once with 'plexsync run --force', or raise max_changes for good" in done.err
    assert synced.plex.dump(clocks=True) == before
    forced = synced.run(RunOptions(max_changes=10, force=True))
    assert forced.summary.exit_code == ExitCode.OK
    edit(synced, range(1, 12), title="Another For All")
    assert synced.run(APPLY__MAX_CHANGES="10").summary.exit_code == ExitCode.UNSAFE
    assert synced.run(APPLY__MAX_CHANGES="11").summary.exit_code == ExitCode.OK


def test_too_large_a_share_says_so(synced: World) -> None:
    """Sixteen of fifty are more than 30 per cent, fifteen are not."""
    edit(synced, range(1, 17), title="The Same For All")
    done = command(synced)
    assert done.code == ExitCode.UNSAFE
    assert f"16 of {SCENES} items synced before would change; the limit is 30% of them" in done.err
    assert "or raise max_share for good" in done.err
    assert synced.run(APPLY__MAX_SHARE="0.32").summary.exit_code == ExitCode.OK
    edit(synced, range(1, 16), title="Another For All")
    assert synced.run().summary.exit_code == ExitCode.OK


def test_values_that_would_go_count_apart(synced: World) -> None:
    """Five scenes that lose all tags pass the limit of changes and not that of clearing."""
    tagged = [scene.id for scene in synced.library.stash.scenes if scene.tag_ids][:5]
    edit(synced, tagged, tag_ids=())
    before = synced.plex.dump(clocks=True)
    done = command(synced, APPLY__MAX_CLEARS="4")
    assert done.code == ExitCode.UNSAFE
    lose = f"5 of {SCENES} items synced before would lose a value and get no other"
    assert f"{lose}; the limit is 4" in done.err
    assert "once with 'plexsync run --force', or raise max_clears for good" in done.err
    assert synced.plex.dump(clocks=True) == before
    dry = synced.run(RunOptions(dry_run=True), APPLY__MAX_CLEARS="4")
    assert dry.summary.exit_code == ExitCode.UNSAFE
    assert dry.count(Outcome.PLANNED) == 5
    assert synced.run(APPLY__MAX_CLEARS="5").summary.exit_code == ExitCode.OK


def test_an_empty_stash_stops_the_run_and_nothing_is_forgotten(synced: World) -> None:
    """Exit 6 with both ways out; once its scenes are back there is nothing to do."""
    whole = synced.stash_wire.simulator
    wrong_database(synced)
    before = synced.plex.dump(clocks=True)
    dry = synced.run(RunOptions(dry_run=True))
    assert dry.summary.exit_code == ExitCode.UNSAFE
    done = command(synced)
    assert done.code == ExitCode.UNSAFE
    lost = f"{SCENES} of {SCENES} scenes known from earlier runs are gone from Stash"
    assert f"{lost}; the limit is 30% of them" in done.err
    assert "once with 'plexsync run --force', or raise max_share for good" in done.err
    synced.stash_wire.simulator = whole
    back = synced.run(RunOptions(full=True))
    assert back.count(Outcome.UNCHANGED) == SCENES
    assert all("linked in an earlier run" in row.reason for row in back.rows)
    assert synced.plex.dump(clocks=True) == before


@pytest.mark.parametrize("force", [True, False], ids=["once", "for good"])
def test_scenes_that_are_meant_to_be_gone_are_forgotten(
    synced: World,
    force: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    """Once by force, or for good by a limit that lets them go; Plex keeps what it holds."""
    for number in range(1, 17):
        synced.stash.delete_scene(number)
    before = synced.plex.dump(clocks=True)
    refused = synced.run().summary
    assert refused.exit_code == ExitCode.UNSAFE
    assert refused.error is not None
    assert f"16 of {SCENES} scenes known from earlier runs" in refused.error.message
    assert len(synced.state().scene_ids()) == SCENES
    passed = synced.run(RunOptions(force=force), APPLY__MAX_SHARE="0.3" if force else "1")
    assert passed.summary.exit_code == ExitCode.OK
    assert len(synced.state().scene_ids()) == SCENES - 16
    assert synced.plex.dump(clocks=True) == before


def test_scenes_that_got_other_ids_are_not_gone(tmp_path: Path) -> None:
    """A Stash that was imported again knows most of them by other numbers; their files tell."""
    spec = LibrarySpec(seed=3, scenes=80, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        for number in range(1, 31):
            world.stash.delete_scene(number)
        assert world.run().count(Outcome.APPLIED) == 50
        world.stash.full_import()
        world.wait(hours=1)
        ran = world.run()
        assert ran.summary.exit_code == ExitCode.OK
        assert ran.puts == 0
        assert {int(one) for one in world.state().scene_ids()} == set(range(1, 51))
