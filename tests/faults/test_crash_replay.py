"""Undos and applied plans that end at any point: the power goes, or the process is killed.

Pictures are among what is written. Edits made in Plex by hand are preserved and posters kept in
these runs, because then a lost memory of what is ours shows: our own values would be taken for
somebody's. Nothing is ever lost: the same command again ends the work, and what was replaced can be
put back.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome, PlexField
from plexsync.storage.filesystem import DISK
from plexsync.storage.history import LAST, read_history
from plexsync.storage.intents import unpack_plan
from plexsync.storage.journal import Intent, RunKind, journal_path, journal_runs, read_journal
from plexsync.sync.ports import RunOptions
from tests.support.crash_child import apply_to_the_end, undo_to_the_end
from tests.support.disk_faults import FaultyDisk, Killed, MemoryDisk, Strike, dice
from tests.support.killing import killed_at
from tests.support.picture_world import OTHER, PNG, made
from tests.support.world import stops_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.simulators.plex.build import Snapshot
    from plexsync.storage.filesystem import Filesystem
    from tests.support.world import Ran, World

FULL = RunOptions(full=True)


@contextmanager
def fresh_world(directory: Path, scenes: int = 2) -> Iterator[World]:
    """Scenes with covers; one item shows a person's poster, and each a genre of theirs."""
    settings = {"FIELDS__POSTER": "overwrite", "APPLY__PRESERVE_PLEX_EDITS": "true"}
    with made(directory, scenes) as world:
        world.settings.update(settings)
        world.state_dir.mkdir()
        for number in range(1, scenes + 1):
            world.plex.edit_by_hand(world.key_of(str(number)), {"genre": ("By Hand",)}, lock=False)
        world.plex.choose_picture(world.key_of("1"), "poster", OTHER)
        world.plex.set_locks(world.key_of("1"), locked=())
        yield world


class Replay:
    """What is interrupted, in a world where it changes everything a run wrote.

    Args:
        world: where.
        kind: `undo` or `apply`.
        disk: where the world remembers.
    """

    def __init__(self, world: World, kind: str, disk: Filesystem) -> None:
        self.world, self.kind = world, kind
        self.plan = world.directory / "plan.json"
        bare = world.plex.dump()
        if kind == "apply":
            world.run(RunOptions(dry_run=True, save_plan=self.plan), disk=disk)
            assert world.apply(self.plan, disk=disk).summary.exit_code == ExitCode.OK
        else:
            assert world.run(disk=disk).summary.exit_code == ExitCode.OK
        full = world.plex.dump()
        assert world.plex.picture(full[world.key_of("1")]["poster"]) == PNG + b"1"
        self.before, self.after = (full, bare) if kind == "undo" else (bare, full)
        if kind == "apply":
            self.turn_back(disk)

    def do(self, disk: Filesystem, *, should_stop: Callable[[], bool] | None = None) -> Ran:
        """Do it."""
        stop = should_stop or (lambda: False)
        if self.kind == "undo":
            return self.world.undo(LAST, disk=disk, should_stop=stop)
        return self.world.apply(self.plan, disk=disk, should_stop=stop)

    def turn_back(self, disk: Filesystem) -> None:
        """Have everything as it was before it was done, and all of it known."""
        if self.kind == "apply":
            # What was interrupted and what ended it are two runs, of which one may have sent
            # nothing.
            for run in read_history(self.world.state_dir, limit=3, disk=disk):
                if run.kind is RunKind.APPLY and run.written:
                    undone = self.world.undo(run.run_id, disk=disk).summary
                    assert undone.exit_code in {ExitCode.OK, ExitCode.STALE}
        else:
            ran = self.world.run(FULL, disk=disk)
            assert ran.summary.exit_code == ExitCode.OK
            assert ran.count(Outcome.KEPT) == 0, "our own value was taken for somebody's"
        assert self.world.plex.dump() == self.before

    def recover(self, disk: Filesystem, note: object = "") -> None:
        """The same command again ends the work, and what it replaced can be put back."""
        check_old_values(self.world, self.before, disk)
        self.world.wait(hours=1)
        assert self.do(disk).summary.exit_code == ExitCode.OK, note
        assert self.world.plex.dump() == self.after, note
        quiet = self.world.run(disk=disk)
        assert quiet.summary.requests.plex_writes == 0, note
        self.turn_back(disk)


def check_old_values(world: World, before: Snapshot, disk: Filesystem) -> None:
    """Every title and poster that is another one by now stands in a journal as it was."""
    known = {
        (plan.rating_key, change.target, change.before)
        for run_id in journal_runs(world.state_dir, disk)
        for entry in read_journal(journal_path(world.state_dir, run_id), disk)
        if isinstance(entry, Intent)
        for plan in [unpack_plan(entry.plan)]
        for change in plan.changes
    }
    for key, now in world.plex.dump().items():
        then = before[key]
        if now["fields"].get("title") != then["fields"].get("title"):
            assert (key, PlexField.TITLE, then["fields"]["title"]) in known
        if now["poster"] != then["poster"]:
            assert (key, PlexField.POSTER, then["poster"]) in known


@pytest.mark.parametrize("kind", ["undo", "apply"])
def test_a_power_cut_at_any_disk_operation_loses_nothing(tmp_path: Path, kind: str) -> None:
    """Before each write, fsync and rename; what was not synced is there, torn, zeros, or gone."""
    with fresh_world(tmp_path, scenes=1) as world:
        disk = MemoryDisk()
        replay = Replay(world, kind, disk)
        at = operations = 0
        while at <= operations:
            at += 1
            faulty = FaultyDisk(disk, at=at, strike=Strike.KILL)
            with suppress(Killed):
                replay.do(faulty)
            operations = max(operations, faulty.operations)
            disk = disk.after_power_cut(dice(at))
            replay.recover(disk, at)
        assert at > 8


@pytest.mark.parametrize("applied", [False, True], ids=["before Plex acts", "after Plex acted"])
@pytest.mark.parametrize("kind", ["undo", "apply"])
def test_sigkill_at_any_send_loses_nothing(
    tmp_path: Path,
    kind: str,
    applied: bool,
) -> None:
    """With every third request on its way to Plex, which gets there or does not."""
    with fresh_world(tmp_path) as world:
        disk = DISK
        replay = Replay(world, kind, disk)
        at = 1 + applied
        while killed(replay, at, applied=applied):
            replay.recover(disk, at)
            at += 3
        assert at > 6


@pytest.mark.parametrize(
    ("kind", "applied", "at"),
    [
        pytest.param("undo", False, 24, id="undo, before Plex acts"),
        pytest.param("undo", True, 36, id="undo, after Plex acted"),
        pytest.param("apply", True, 20, id="apply, after Plex acted"),
    ],
)
def test_sigkill_between_the_pieces_of_a_long_list_loses_nothing(
    tmp_path: Path,
    kind: str,
    applied: bool,
    at: int,
) -> None:
    """The list goes out in several requests, and a person's list comes back in as many."""
    with fresh_world(tmp_path, scenes=1) as world:
        world.plex.switches.url_limit = 4_096
        former = tuple(f"former {number}" for number in range(150))
        world.plex.edit_by_hand(world.key_of("1"), {"genre": former}, lock=False)
        world.settings["FIELDS__TAGS"] = "overwrite"
        names = (f"a tag with a long name and a number {number}" for number in range(150))
        world.stash.edit_scene(1, tag_ids=tuple(world.stash.add_tag(name) for name in names))
        replay = Replay(world, kind, DISK)
        assert killed(replay, at, applied=applied)
        half = set(world.tags(world.key_of("1"), "genre"))
        ends = (replay.before, replay.after)
        assert all(
            half != {name for name, *_ in one[world.key_of("1")]["tags"]["genre"]} for one in ends
        )
        replay.recover(DISK, at)


def killed(replay: Replay, at: int, *, applied: bool) -> bool:
    """Kill it when its `at`-th request reaches Plex; False if it ends before that."""
    visit = replay.world.next_visit()
    if replay.kind == "undo":
        return killed_at(replay.world, at, undo_to_the_end, visit, applied=applied)
    return killed_at(replay.world, at, apply_to_the_end, visit, replay.plan, applied=applied)


@pytest.mark.parametrize("kind", ["undo", "apply"])
def test_asked_to_stop_anywhere_it_can_be_ended_later(tmp_path: Path, kind: str) -> None:
    """Exit 130 in good order: what was done is known, what was not is done by the next one."""
    with fresh_world(tmp_path) as world:
        disk = DISK
        replay = Replay(world, kind, disk)
        for asked in range(1, 40, 2):
            stopped = replay.do(disk, should_stop=stops_after(asked))
            if stopped.summary.exit_code == ExitCode.OK:
                break
            assert stopped.summary.exit_code == ExitCode.INTERRUPTED
            replay.recover(disk, asked)
        assert asked > 3
