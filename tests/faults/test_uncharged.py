"""A failure that cannot be charged, because the disk is full by then, is due again."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.storage.filesystem import DISK
from tests.support.disk_faults import FaultyDisk, Strike
from tests.support.fields_world import PLAIN, small_library
from tests.support.world import SocketlessWorld, edited_keys

if TYPE_CHECKING:
    from pathlib import Path


def run_on_full_disk(directory: Path, *, at: int) -> int:
    """One item refuses its edit and the disk is full from an operation on; how that run ends.

    Whatever was noted until then, the next run writes the item.
    """
    with SocketlessWorld(small_library(2), directory, **PLAIN) as world:
        world.run()
        world.stash.edit_scenes([1, 2], title="New")
        world.wait(hours=1)
        key = world.key_of("2")
        world.plex_wire.faults.add(
            Fault("plex.put", 1, ErrorStatus(500), None, lambda one: key in edited_keys(one))
        )
        ended = world.run(disk=FaultyDisk(DISK, at=at, strike=Strike.FULL)).summary.exit_code
        world.plex_wire.faults.clear()
        world.wait(hours=1)
        world.run()
        assert world.shown(key, "title") == "New", f"operation {at}"
    return ended


def test_a_failure_is_due_again_wherever_the_disk_is_full(tmp_path: Path) -> None:
    """At each operation until one comes too late to matter."""
    ends = []
    for at in count(1):
        ends.append(run_on_full_disk(tmp_path / str(at), at=at))
        if ends[-1] != ExitCode.LOCAL_FILES:
            break
    assert ends[-1] == ExitCode.SOME_FAILED
    assert len(ends) > 10
