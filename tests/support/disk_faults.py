"""Disks that fail: at the n-th operation, by ending the program, or by losing what was not synced.

Two kinds of `Filesystem`, which do each operation themselves. `FaultyDisk` wraps another one and
strikes at one operation. `MemoryDisk` knows what a power cut may take: file content that was not
fsynced, in whole or in part, and the latest changes of names in a directory that was not.
"""

from __future__ import annotations

import errno
import io
import os
import signal
from enum import Enum, auto
from random import Random
from typing import TYPE_CHECKING, BinaryIO

from plexsync.storage.filesystem import DISK, Filesystem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plexsync.simulators.plex.simulator import PlexSimulator


def dice(seed: int) -> Random:
    """Chance that falls the same way each time."""
    return Random(seed)  # noqa: S311 (a test must be repeatable, not secret)


class Killed(BaseException):
    """The program ended here. No `except Exception` may survive it."""


class Strike(Enum):
    """What happens at the chosen operation, and at every one after it."""

    KILL = auto()
    """The program ends before the operation, or half-way through a write."""

    KILL_AFTER = auto()
    """The program ends as soon as the operation is done."""

    SIGKILL = auto()
    """The process is killed for real."""

    FULL = auto()
    """The disk takes half of a write and nothing new; removing and cutting off still work."""

    READ_ONLY = auto()
    """The disk changes nothing any more."""


class FaultyDisk(Filesystem):
    """Passes everything on to `disk` until operation number `at`, counted from 1.

    Reading is never counted and fails only after a kill. With `at` 0 nothing ever happens, and
    `operations` tells how many there were.
    """

    def __init__(self, disk: Filesystem, *, at: int = 0, strike: Strike = Strike.KILL) -> None:
        self.disk = disk
        self.at = at
        self.strike = strike
        self.operations = 0
        self.dead = False

    def make_directory(self, path: Path) -> None:
        """See `Filesystem`. Counts only if there is something to make."""
        if not path.name or path.is_dir():
            self.disk.make_directory(path)
            return
        self._before(grows=True)
        self.disk.make_directory(path)
        self._after()

    def names(self, path: Path) -> tuple[str, ...]:
        """See `Filesystem`."""
        self._require_alive()
        return self.disk.names(path)

    def read(self, path: Path) -> BinaryIO:
        """See `Filesystem`."""
        self._require_alive()
        return self.disk.read(path)

    def create(self, path: Path) -> int:
        """See `Filesystem`."""
        self._before(grows=True)
        handle = self.disk.create(path)
        self._after()
        return handle

    def write(self, handle: int, content: bytes) -> None:
        """See `Filesystem`. Strikes with half of `content` written."""
        if self._due():
            self.disk.write(handle, content[: len(content) // 2])
        self._before(grows=True)
        self.disk.write(handle, content)
        self._after()

    def truncate(self, handle: int, size_bytes: int) -> None:
        """See `Filesystem`."""
        self._before(grows=False)
        self.disk.truncate(handle, size_bytes)
        self._after()

    def sync(self, handle: int) -> None:
        """See `Filesystem`."""
        self._before(grows=True)
        self.disk.sync(handle)
        self._after()

    def close(self, handle: int) -> None:
        """See `Filesystem`. Never strikes: the end of a process closes its files too."""
        self.disk.close(handle)

    def replace(self, source: Path, target: Path) -> None:
        """See `Filesystem`."""
        self._before(grows=True)
        self.disk.replace(source, target)
        self._after()

    def remove(self, path: Path) -> None:
        """See `Filesystem`."""
        self._before(grows=False)
        self.disk.remove(path)
        self._after()

    def sync_directory(self, path: Path) -> None:
        """See `Filesystem`."""
        self._before(grows=True)
        self.disk.sync_directory(path)
        self._after()

    def _due(self) -> bool:
        return self.operations + 1 == self.at and self.strike is not Strike.KILL_AFTER

    def _before(self, *, grows: bool) -> None:
        self._require_alive()
        self.operations += 1
        if not self.at or self.operations < self.at:
            return
        match self.strike:
            case Strike.KILL:
                self._die()
            case Strike.SIGKILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Strike.FULL if grows:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            case Strike.READ_ONLY:
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            case _:
                pass

    def _after(self) -> None:
        if self.strike is Strike.KILL_AFTER and self.operations == self.at:
            self._die()

    def _die(self) -> None:
        self.dead = True
        raise Killed

    def _require_alive(self) -> None:
        if self.dead:
            raise Killed


class DiesAfterWriting(FaultyDisk):
    """The disk of a process that ends at its first note after an edit reached Plex."""

    def __init__(self, plex: PlexSimulator) -> None:
        super().__init__(DISK)
        self._plex = plex
        self._writes = len(plex.writes)

    def write(self, handle: int, content: bytes) -> None:
        """See `Filesystem`."""
        if len(self._plex.writes) > self._writes:
            self._die()
        super().write(handle, content)


class _Inode:
    """A file's content now, and as much of it as the disk has for sure."""

    def __init__(self) -> None:
        self.now = bytearray()
        self.synced = b""


class MemoryDisk(Filesystem):
    """A disk in memory. Making a directory is durable at once, as `Filesystem` promises."""

    def __init__(self) -> None:
        self._names: dict[Path, _Inode] = {}
        self._durable: dict[Path, _Inode] = {}
        # Names as they were after each change that may still be lost, oldest first.
        self._pending: list[dict[Path, _Inode]] = []
        self._handles: dict[int, _Inode] = {}
        self._next_handle = 1000

    def make_directory(self, path: Path) -> None:
        """See `Filesystem`."""

    def names(self, path: Path) -> tuple[str, ...]:
        """See `Filesystem`."""
        return tuple(sorted(file.name for file in self._names if file.parent == path))

    def read(self, path: Path) -> BinaryIO:
        """See `Filesystem`."""
        return io.BytesIO(self._inode(path).now)

    def create(self, path: Path) -> int:
        """See `Filesystem`."""
        if path in self._names:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        self._names[path] = inode = _Inode()
        self._changed()
        self._next_handle += 1
        self._handles[self._next_handle] = inode
        return self._next_handle

    def write(self, handle: int, content: bytes) -> None:
        """See `Filesystem`."""
        self._handles[handle].now += content

    def truncate(self, handle: int, size_bytes: int) -> None:
        """See `Filesystem`."""
        del self._handles[handle].now[size_bytes:]

    def sync(self, handle: int) -> None:
        """See `Filesystem`."""
        inode = self._handles[handle]
        inode.synced = bytes(inode.now)

    def close(self, handle: int) -> None:
        """See `Filesystem`."""
        del self._handles[handle]

    def replace(self, source: Path, target: Path) -> None:
        """See `Filesystem`."""
        self._names[target] = self._inode(source)
        del self._names[source]
        self._changed()

    def remove(self, path: Path) -> None:
        """See `Filesystem`."""
        self._inode(path)
        del self._names[path]
        self._changed()

    def sync_directory(self, path: Path) -> None:
        """See `Filesystem`."""
        for names in (self._durable, *self._pending):
            for file in [file for file in names if file.parent == path]:
                del names[file]
            names |= {file: inode for file, inode in self._names.items() if file.parent == path}
        if self._durable == self._names:
            self._pending.clear()

    def content(self) -> dict[Path, bytes]:
        """Every file with what it holds."""
        return {path: bytes(inode.now) for path, inode in self._names.items()}

    def after_kill(self) -> MemoryDisk:
        """What is found after the program alone ended: everything that was written."""
        return _survivor({path: bytes(inode.now) for path, inode in self._names.items()})

    def after_hard_cut(self) -> MemoryDisk:
        """What is found at least when the power is back: what was synced, and nothing else."""
        return _survivor({path: inode.synced for path, inode in self._durable.items()})

    def after_power_cut(self, random: Random) -> MemoryDisk:
        """What is found when the power is back.

        Names changed in order, up to some point after the last sync. Of content that was not
        synced there is all, none, the beginning, or zeros in place of some of it.
        """
        names = random.choice([self._durable, *self._pending])
        return _survivor({path: _after_power_cut(inode, random) for path, inode in names.items()})

    def _inode(self, path: Path) -> _Inode:
        try:
            return self._names[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None

    def _changed(self) -> None:
        self._pending.append(dict(self._names))


def _survivor(content: Mapping[Path, bytes]) -> MemoryDisk:
    """A disk that holds just this, and nothing that could still be lost."""
    survivor = MemoryDisk()
    for path, kept in content.items():
        inode = _Inode()
        inode.now, inode.synced = bytearray(kept), kept
        survivor._names[path] = survivor._durable[path] = inode  # noqa: SLF001 - its own kind
    return survivor


def _after_power_cut(inode: _Inode, random: Random) -> bytes:
    safe, now = len(inode.synced), bytes(inode.now)
    if not now.startswith(inode.synced):
        # Cut off or rewritten since the last sync: either stands.
        return random.choice([inode.synced, now])
    tail = bytearray(now[safe:])
    match random.randrange(4):
        case 0:
            tail.clear()
        case 1:
            del tail[random.randint(0, len(tail)) :]
        case 2:
            start, end = sorted((random.randint(0, len(tail)), random.randint(0, len(tail))))
            tail[start:end] = bytes(end - start)
        case _:
            pass
    return inode.synced + bytes(tail)
