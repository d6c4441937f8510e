"""What a crash test runs in a process of its own, to be killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.storage.filesystem import DISK
from plexsync.storage.history import LAST
from plexsync.sync.ports import RunOptions
from plexsync.sync.replay.apply import ApplyOptions, apply
from plexsync.sync.replay.undo import UndoOptions, undo
from tests.support.disk_faults import FaultyDisk, Strike
from tests.support.world import Recorder, act, run_once

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.storage.filesystem import Filesystem
    from tests.support.world import Visit


def run_to_the_end(visit: Visit) -> None:
    """One run; whoever wants it dead kills it from outside."""
    _run(visit, DISK)


def run_until_operation(visit: Visit, at: int) -> None:
    """One run that is killed for real before disk operation `at`, or half-way through a write."""
    _run(visit, FaultyDisk(DISK, at=at, strike=Strike.SIGKILL))


def undo_to_the_end(visit: Visit) -> None:
    """An undo of the last run; likewise."""
    options = UndoOptions(target=LAST)
    act(visit, lambda config, ports, reporter: undo(config, options, ports, reporter), Recorder())


def apply_to_the_end(visit: Visit, file: Path) -> None:
    """A saved plan is applied; likewise."""
    options = ApplyOptions(file=file)
    act(visit, lambda config, ports, reporter: apply(config, options, ports, reporter), Recorder())


def _run(visit: Visit, disk: Filesystem) -> None:
    run_once(visit, RunOptions(), Recorder(), disk=disk)
