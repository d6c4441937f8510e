"""What a crash test runs in a process of its own, to be killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.durable import DISK
from plexsync.ports import RunOptions
from tests.disk_faults import FaultyDisk, Strike
from tests.world import Recorder, run_once

if TYPE_CHECKING:
    from plexsync.durable import Filesystem
    from tests.world import Visit


def run_to_the_end(visit: Visit) -> None:
    """One run; whoever wants it dead kills it from outside."""
    _run(visit, DISK)


def run_until_operation(visit: Visit, at: int) -> None:
    """One run that is killed for real before disk operation `at`, or half-way through a write."""
    _run(visit, FaultyDisk(DISK, at=at, strike=Strike.SIGKILL))


def _run(visit: Visit, disk: Filesystem) -> None:
    run_once(visit, RunOptions(), Recorder(), disk=disk)
