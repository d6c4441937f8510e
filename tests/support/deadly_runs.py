"""Runs that end at one write to Plex, before or after Plex does it, as by kill -9.

Nothing more reaches the disk or a server from there.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plexsync.simulators.http.wire import SimAdapter
from plexsync.storage.filesystem import DISK
from plexsync.sync.ports import RunOptions
from plexsync.sync.reconcile import run
from tests.support.disk_faults import FaultyDisk, Killed
from tests.support.world import Recorder, World, act

if TYPE_CHECKING:
    from plexsync.simulators.http.wire import Wired

_READS = frozenset({"GET", "HEAD"})


class DeadlyAdapter(SimAdapter):
    """Answers by calls, and ends the program at one write.

    Args:
        wired: the server.
        disk: dies with the program.
        at: the number of the write, from 1; 0 for none.
        applied: whether the server does what that request asks.
    """

    def __init__(self, wired: Wired, disk: FaultyDisk, *, at: int, applied: bool) -> None:
        super().__init__(wired)
        self.writes = 0
        self._disk = disk
        self._at = at
        self._applied = applied

    def send(self, request: Any, *more: Any, **options: Any) -> Any:  # noqa: ANN401 - as of requests
        """Send a request, or die."""
        if self._disk.dead:
            raise Killed
        self.writes += request.method not in _READS
        if request.method in _READS or self.writes != self._at:
            return super().send(request, *more, **options)
        if self._applied:
            super().send(request, *more, **options)
        self._disk.dead = True
        raise Killed


def killed_run(world: World, *, at: int, applied: bool) -> int:
    """One run that ends at a write; how many writes came up to it."""
    disk = FaultyDisk(DISK)
    adapter = DeadlyAdapter(world.plex_wire, disk, at=at, applied=applied)
    with suppress(Killed):
        act(
            world.next_visit(),
            lambda config, ports, reporter: run(config, RunOptions(), ports, reporter),
            Recorder(),
            disk=disk,
            adapters=(SimAdapter(world.stash_wire), adapter),
        )
    return adapter.writes


def undo_since(world: World, known: set[str]) -> None:
    """Take back all that runs wrote but those that are known, the last one first."""
    for one in reversed([one for one in world.state().runs if one.run_id not in known]):
        if one.written:
            world.undo(one.run_id)
