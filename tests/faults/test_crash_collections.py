"""A run that makes and fills collections, killed at every request to Plex, before and after it.

The process ends there: nothing more reaches the disk or a server. The run after it makes nothing a
second time, and undoing everything leaves Plex as it was.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.simulators.http.wire import SimAdapter
from plexsync.storage.filesystem import DISK
from plexsync.sync.ports import RunOptions
from plexsync.sync.reconcile import run
from tests.support.collection_world import collection_world, titles, whole
from tests.support.disk_faults import FaultyDisk, Killed
from tests.support.world import Recorder, World, act

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.parametrize("applied", [False, True])
def test_nothing_is_made_twice_whatever_request_a_run_dies_at(
    tmp_path: Path,
    applied: bool,  # noqa: FBT001 - a case
) -> None:
    """Two collections with members, texts and a poster, of items that need no write themselves."""
    at, expected = 0, {"Mother": {"1", "2", "3", "4"}, "Daughter": {"3", "4"}}
    while True:
        at += 1
        place = tmp_path / str(at)
        with collection_world(place) as world:
            world.run(COLLECTIONS__STUDIOS="false", FIELDS__STUDIO__COLLECTION="false")
            before, known = whole(world), {one.run_id for one in world.state().runs}
            if killed_run(world, at=at, applied=applied) < at:
                break
            world.run()

            assert titles(world) == expected, at
            assert len(world.plex.collections.dump()) == len(expected), at
            for one in reversed([r for r in world.state().runs if r.run_id not in known]):
                if one.written:
                    world.undo(one.run_id)
            assert whole(world) == before, at
    assert at > 4
