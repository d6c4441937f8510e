"""Programs that are broken on purpose, each in one promise a crash relies on.

A sweep that finds nothing wrong with one of these would find nothing wrong with anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.models import Counts
from plexsync.planning.retry_schedule import iso
from plexsync.storage.journal import SUFFIX, End, Result, RunKind, Settlement
from plexsync.storage.session import Session
from tests.support.one_process import OneProcess, PointDisk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class UnsyncedDisk(PointDisk):
    """Has nothing synced: neither content nor names."""

    def sync(self, handle: int) -> None:
        """Leave it to the system."""

    def sync_directory(self, path: Path) -> None:
        """Leave it to the system."""


class LateDisk(PointDisk):
    """Writes each batch of a journal when the next one comes: after the requests it announces."""

    _late: tuple[int, bytes] | None = None
    _journals: frozenset[int] = frozenset()

    def create(self, path: Path) -> int:
        """See `Filesystem`."""
        handle = super().create(path)
        if path.suffix == SUFFIX:
            self._journals |= {handle}
        return handle

    def write(self, handle: int, content: bytes) -> None:
        """See `Filesystem`."""
        self._write_late()
        if handle in self._journals:
            self._late = handle, content
        else:
            super().write(handle, content)

    def close(self, handle: int) -> None:
        """See `Filesystem`."""
        self._write_late()
        super().close(handle)

    def _write_late(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            super().write(*late)
            super().sync(late[0])


def unsynced(stage: OneProcess) -> None:
    """Let the program sync nothing."""
    stage.open_disk = UnsyncedDisk


def late(stage: OneProcess) -> None:
    """Let the program write to Plex before its journal says so."""
    stage.open_disk = LateDisk


def unsettled(stage: OneProcess) -> None:
    """Let the program take no notice of what a run before it was about to write."""
    stage.reborn = _drop_unsettled


def _drop_unsettled(stage: OneProcess) -> None:
    session = Session(stage.state_dir, disk=stage.disk)
    if not (found := session.state.unsettled):
        return
    session.begin(
        run_id=f"{stage.now:%Y%m%dT%H%M%SZ}-dead",
        kind=RunKind.RETRY,
        started_at=iso(stage.now),
        lineage=session.state.lineage,
        version="0",
    )
    for one in found:
        session.note(Result(one.seq, Settlement.SETTLED, run_id=one.run_id))
    session.end(stage.now, End(exit_code=0, counts=Counts()))


BROKEN: Mapping[str, Callable[[OneProcess], None]] = {
    "nothing synced": unsynced,
    "journal after the requests": late,
    "nothing settled": unsettled,
}
"""Each by what it does not do."""
