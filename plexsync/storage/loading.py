"""Reading what is remembered: the last checkpoint, and every journal that is newer.

Only reads: a dry run needs no lock, and nothing on disk changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.errors import StateCorruptError
from plexsync.storage.checkpoint import Checkpoint, read_checkpoint
from plexsync.storage.filesystem import DISK, Filesystem
from plexsync.storage.journal import (
    DIRECTORY,
    Begin,
    first_entry,
    journal_path,
    journal_runs,
    read_journal,
)
from plexsync.storage.memory import State
from plexsync.storage.scenes.rows import PREVIOUS_NAME, STATE_NAME, SceneRows

if TYPE_CHECKING:
    from pathlib import Path


def load_state(directory: Path, disk: Filesystem = DISK) -> State:
    """Read what is remembered in `directory`, which need not exist. Writes nothing.

    Without `state.json` the previous copy and all journals since are read instead, which hold the
    same: a crash between the two renames of a checkpoint leaves it so.

    Raises:
        StateCorruptError: a file is damaged, or missing although later ones build on it.
        StateVersionError: a newer plexsync wrote a file.
        StateError: a file cannot be read.
    """
    base, notes = _read_base(directory, disk)
    state = State(directory / STATE_NAME, base, notes=notes)
    for begin in _newer_runs(directory, base, disk):
        for entry in read_journal(journal_path(directory, begin.run_id), disk):
            state.apply(begin.run_id, entry)
    return state


def _read_base(directory: Path, disk: Filesystem) -> tuple[Checkpoint, tuple[str, ...]]:
    base = read_checkpoint(directory / STATE_NAME, disk)
    if base is not None:
        return base, ()
    previous = read_checkpoint(directory / PREVIOUS_NAME, disk)
    if previous is None:
        return Checkpoint(rows=SceneRows(directory / STATE_NAME)), ()
    return previous, (
        f"{STATE_NAME} was not there; {PREVIOUS_NAME} and the journals hold as much.",
    )


def _newer_runs(directory: Path, base: Checkpoint, disk: Filesystem) -> list[Begin]:
    """Return the runs the checkpoint lacks, in order, complete."""
    known = {*base.folded, *base.idle}
    begins = [
        begin
        for run_id in journal_runs(directory, disk)
        if run_id not in known and (begin := _begin_of(directory, run_id, disk)) is not None
    ]
    newer = sorted(
        (begin for begin in begins if begin.serial > base.serial), key=lambda begin: begin.serial
    )
    for serial, begin in enumerate(newer, base.serial + 1):
        if begin.serial != serial:
            raise _gap(directory, base, serial, begin)
    return newer


def _begin_of(directory: Path, run_id: str, disk: Filesystem) -> Begin | None:
    path = journal_path(directory, run_id)
    begin = first_entry(path, disk)
    if begin is not None and begin.run_id != run_id:
        raise StateCorruptError(
            f"the file holds the journal of another run, {begin.run_id}",
            context=str(path),
            hint=f"Move '{path}' away, or give it back its name; then ask plexsync status.",
        )
    return begin


def _gap(directory: Path, base: Checkpoint, serial: int, begin: Begin) -> StateCorruptError:
    if begin.serial < serial:
        message = f"two journals are of run number {begin.serial}, one of them {begin.run_id}"
    elif base.serial:
        message = f"the journal of run number {serial} is missing, though {begin.run_id} follows it"
    else:
        message = (
            f"{STATE_NAME} is missing, though the journal of run number {begin.serial} is there"
        )
    return StateCorruptError(
        message,
        context=str(directory / (DIRECTORY if base.serial else STATE_NAME)),
        hint=(
            "Restore the files from a backup, all of the same time. To start afresh, move the "
            f"whole directory '{directory}' away: everything is then read again, and names that "
            "plexsync once added to lists count as yours."
        ),
    )
