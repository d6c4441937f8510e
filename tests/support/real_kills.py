"""Points of a crash sweep died at for real: by SIGKILL, with files on a disk and a lock.

What the sweep believes a killed process leaves is held against what one leaves.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.simulators.http.wire import Wired
from plexsync.storage.filesystem import DISK
from tests.support.one_process import fork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from plexsync.simulators.http.exchange import Reply
    from plexsync.simulators.http.wire import SimRequest
    from plexsync.simulators.plex.build import Snapshot
    from tests.support.crash_points import Step
    from tests.support.one_process import OneProcess


@dataclass(frozen=True, slots=True)
class Remains:
    """What a killed process leaves: each file with its content, and what Plex shows."""

    files: dict[Path, bytes]
    shown: Snapshot


class WiredElsewhere(Wired):
    """A server that another process holds.

    Args:
        here: the copy of it in this process, which is not asked.
        number: which of the servers there it is.
        there: leads to the other process.
    """

    def __init__(self, here: Wired, number: int, there: Connection) -> None:
        super().__init__(here.simulator)
        self._number = number
        self._there = there

    def serve(self, request: SimRequest) -> Reply:
        """Have it answered there."""
        self._there.send((self._number, request))
        reply: Reply = self._there.recv()
        return reply


def believed(stage: OneProcess) -> Remains:
    """What a process that is killed now leaves, as the sweep has it."""
    return Remains(stage.memory.after_kill().content(), stage.shown())


@contextmanager
def on_disk(stage: OneProcess) -> Iterator[None]:
    """Remember on the real disk, under the same paths as in memory before."""
    stage.keep_cache()
    for path, kept in stage.memory.content().items():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(kept)
    stage.disk = DISK
    try:
        yield
    finally:
        stage.plan.unlink(missing_ok=True)
        shutil.rmtree(stage.state_dir)
        stage.state_dir.mkdir()


def killed_at(stage: OneProcess, command: Step, place: int) -> Remains:
    """Kill a process that does `command` at its `place`-th point; this one holds the servers.

    Everything of it that lives on is there afterwards: files, cache, servers.
    """
    here, there = multiprocessing.Pipe()
    child = fork()
    if not child:
        here.close()
        _do_until(stage, command, place, there)
    there.close()
    _serve(stage, here)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    return Remains(_files(stage), stage.shown())


def _do_until(stage: OneProcess, command: Step, place: int, there: Connection) -> None:
    """Do `command`, and die at its `place`-th point."""
    left = place

    def strike(_: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        stage.wires = tuple(
            WiredElsewhere(wire, number, there) for number, wire in enumerate(stage.wires)
        )
        stage.hit = strike
        command(stage)
    finally:
        os._exit(1)


def _serve(stage: OneProcess, requests: Connection) -> None:
    """Answer what the other process asks, until it is dead."""
    while True:
        try:
            number, request = requests.recv()
        except EOFError:
            return
        requests.send(stage.wires[number].serve(request))


def _files(stage: OneProcess) -> dict[Path, bytes]:
    """Every file that is remembered in, but the lock."""
    found = [stage.plan, *stage.state_dir.rglob("*")]
    files = [path for path in found if path.is_file() and not path.name.startswith("lock")]
    return {path: path.read_bytes() for path in files}
