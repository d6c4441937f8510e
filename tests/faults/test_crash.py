"""SIGKILL at any write, fsync, rename or send of a run: the next run makes it good.

Each point is a real process, killed for real, against servers that live on. Edits made in Plex by
hand are preserved in these runs, because then a lost memory of what is ours shows: our own values
would be taken for somebody's and kept.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome, PlexField
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.filesystem import DISK
from plexsync.storage.intents import unpack_plan
from plexsync.storage.journal import Intent, journal_path, journal_runs, read_journal
from tests.support.children import Child
from tests.support.crash_child import run_to_the_end, run_until_operation
from tests.support.disk_faults import FaultyDisk
from tests.support.killing import killed_at
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.library.pairs import Library

SETTINGS = {"PATHS": "/data/=/media/", "APPLY__PRESERVE_PLEX_EDITS": "true"}
PARTS = 4


def small_library() -> Library:
    """Eight scenes, two of which have two items."""
    mix = {Case.SAME: 3.0, Case.TWO_ITEMS: 1.0}
    return make_library(LibrarySpec(seed=2, scenes=8, mix=mix, extra_items=0.0, edited=0.0))


@contextmanager
def fresh_world(directory: Path) -> Iterator[World]:
    """A world in which one genre was put in by hand before plexsync ever came."""
    with World(small_library(), directory, **SETTINGS) as world:
        for key in world.plex.rating_keys():
            world.plex.edit_by_hand(key, {"genre": ("By Hand",)}, lock=False)
        yield world


def check_recovery(world: World) -> None:
    """The runs after a crash: everything arrives, once, and everything old is still known."""
    world.wait(hours=1)
    recovered = world.run()
    assert recovered.summary.exit_code == ExitCode.OK
    assert recovered.count(Outcome.KEPT) == 0, "our own value was taken for somebody's"
    assert world.run().puts == 0
    _check_effects(world)
    _check_values(world)
    # What is ours is known: Stash takes all tags away, and only the one put in by hand stays.
    world.stash.edit_scenes(
        [scene.id for scene in world.library.stash.scenes], tag_ids=(), title="N"
    )
    emptied = world.run()
    assert emptied.count(Outcome.KEPT) == 0
    for key in linked(world):
        assert world.tags(key, "genre") == ("By Hand",)
        assert world.shown(key, "title") == "N"


def linked(world: World) -> list[str]:
    """The items that truly show a scene."""
    return [key for keys in world.library.truth.values() for key in keys]


def _check_effects(world: World) -> None:
    """No item was ever sent two different edits."""
    for key in linked(world):
        sent = {
            tuple(argument for argument in write.arguments if argument[0] != "id")
            for write in world.plex.writes
            if key in write.rating_keys
        }
        assert len(sent) == 1, f"item {key} was written in {len(sent)} ways"


def _check_values(world: World) -> None:
    """Every value that was replaced stands in a journal, as it was at first."""
    before: dict[tuple[str, PlexField], object] = {}
    for run_id in sorted(journal_runs(world.state_dir)):
        for entry in read_journal(journal_path(world.state_dir, run_id)):
            if isinstance(entry, Intent):
                plan = unpack_plan(entry.plan)
                for change in plan.changes:
                    before.setdefault((plan.rating_key, change.target), change.before)
    for video in world.library.plex.videos:
        key = str(video.rating_key)
        if key in linked(world):
            assert before.get((key, PlexField.TITLE), video.title) == video.title
            assert before[key, PlexField.GENRES] == ("By Hand",)


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many disk operations a first run makes."""
    disk = FaultyDisk(DISK)
    with fresh_world(tmp_path_factory.mktemp("count")) as world:
        assert world.run(disk=disk).summary.exit_code == ExitCode.OK
    return disk.operations


@pytest.mark.parametrize("part", range(PARTS))
def test_sigkill_at_any_disk_operation_is_made_good(
    operations: int, part: int, tmp_path: Path
) -> None:
    """Before every operation on a file of the state, and half-way through every write."""
    assert operations > 20
    for at in range(1 + part, operations + 1, PARTS):
        directory = tmp_path / str(at)
        directory.mkdir()
        with fresh_world(directory) as world:
            code = Child(run_until_operation, world.next_visit(), at).wait()
            assert code == -signal.SIGKILL, at
            check_recovery(world)


@pytest.mark.parametrize("applied", [False, True], ids=["before Plex acts", "after Plex acted"])
@pytest.mark.parametrize("part", range(2))
def test_sigkill_at_any_send_is_made_good(
    part: int,
    applied: bool,
    tmp_path: Path,
) -> None:
    """With the n-th request on its way to Plex, acted upon or not."""
    at = 1 + part
    while True:
        directory = tmp_path / str(at)
        directory.mkdir()
        with fresh_world(directory) as world:
            if not killed_at(world, at, run_to_the_end, world.next_visit(), applied=applied):
                break
            check_recovery(world)
        at += 2
    assert at > 15
