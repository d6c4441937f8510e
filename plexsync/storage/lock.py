"""One process writes at a time: the lock of the state directory.

The lock is the operating system's, on a file that is never deleted, so it is free the moment its
holder ends, however it ends. Who holds it stands in a file beside it (older filelocks empty the
lock file itself when they try to take it); that note is a courtesy and nothing is decided by it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from warnings import catch_warnings

import msgspec

from plexsync.errors import StateError, StateLockedError
from plexsync.storage.filesystem import DISK, state_errors
from plexsync.storage.locations import check_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOCK = "lock"
_NOTE = "lock.holder"
_FILE_MODE = 0o600


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds the lock. `since` is an ISO time; `host` tells containers apart."""

    pid: int
    since: str
    host: str = ""


@contextmanager
def hold_lock(directory: Path, *, since: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock of `directory`, which must exist, for the length of the block.

    Args:
        directory: the state directory.
        since: the time now, ISO, for the others to read.
        wait_s: how long to wait for another run to end, in seconds; 0 not at all.

    Raises:
        StateLockedError: another run still holds it after `wait_s`.
        StateError: the lock file cannot be used, or others can write to the directory.
    """
    import filelock  # noqa: PLC0415 - who only reads takes no lock, and it loads asyncio

    check_private(directory)
    path = directory / _LOCK
    lock = filelock.FileLock(path, timeout=max(wait_s, 0.0), mode=_FILE_MODE, thread_local=False)
    with state_errors("lock", path):
        try:
            with catch_warnings(action="ignore"):
                lock.acquire()
        except filelock.Timeout as timeout:  # an OSError itself
            raise _locked(directory, wait_s) from timeout
        except NotImplementedError as error:
            raise _without_locks(path) from error
        if isinstance(lock, filelock.SoftFileLock):
            # What newer filelocks make of it there: a file that a killed run would leave behind.
            lock.release()
            raise _without_locks(path)
    try:
        _leave_note(directory / _NOTE, Holder(pid=os.getpid(), since=since, host=this_host()))
        yield
    finally:
        # The note goes first: after the release it may already be somebody else's.
        with suppress(OSError):
            (directory / _NOTE).unlink()
        lock.release()


def read_holder(directory: Path) -> Holder | None:
    """Return who last held the lock; None when nobody did. Takes no lock and writes nothing."""
    try:
        with DISK.read(directory / _NOTE) as note:
            return msgspec.json.decode(note.read(), type=Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        # Absent, or read while it was being written: then we just cannot say who it is.
        return None


def _leave_note(path: Path, holder: Holder) -> None:
    # Only a courtesy: a full disk will speak up where it matters, at the first durable write.
    with suppress(OSError):
        if path.name in DISK.names(path.parent):
            DISK.remove(path)
        handle = DISK.create(path)
        try:
            DISK.write(handle, msgspec.json.encode(holder) + b"\n")
        finally:
            DISK.close(handle)


def _without_locks(path: Path) -> StateError:
    return StateError(
        "this file system cannot lock files, so two runs could write at once",
        context=str(path),
        hint="Set PLEXSYNC_STATE_DIR to a directory on a local disk.",
    )


def _locked(directory: Path, wait_s: float) -> StateLockedError:
    holder = read_holder(directory)
    waited = f" after {wait_s:g} s" if wait_s > 0 else ""
    if holder is None:
        who, end = "", ""
    else:
        who = f" (process {holder.pid} on {holder.host}, since {holder.since})"
        end = f", and end process {holder.pid} if it is stuck"
    return StateLockedError(
        f"another run still holds the lock{waited}{who}",
        context=str(directory / _LOCK),
        hint=f"Let it finish, or wait for it with --lock-wait{end}. Never delete the file.",
    )


def this_host() -> str:
    """Return the name of this machine, or of the container."""
    return os.uname().nodename or "this host"
