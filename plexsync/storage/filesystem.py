"""Writing files that survive a crash: the few disk operations, and how a file is replaced as one.

All writing of state goes through a `Filesystem`, so that a test can end the program, or
fill the disk, at any single operation.
"""

from __future__ import annotations

import errno
import os
import stat
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from plexsync.errors import LOCAL_LIMITS, LocalLimitError, StateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600

_HINTS = {
    errno.ENOSPC: "Free some space there, or {elsewhere}; what was written is kept.",
    errno.EDQUOT: "Free some of your quota, or {elsewhere}; what was written is kept.",
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f, or that of the disk itself).",
    errno.EROFS: "The disk is mounted read-only: mount it writable, or {elsewhere}.",
    errno.EACCES: "Give the user plexsync runs as the right to it, or {elsewhere}.",
    errno.EPERM: "Give the user plexsync runs as the right to it, or {elsewhere}.",
    errno.EEXIST: "Move what is there away, or {elsewhere}.",
    errno.EIO: "The disk itself fails: check it before the next run, or {elsewhere}.",
}
_OTHER_HINT = "Check that plexsync may write to the directory, or {elsewhere}."

OTHER_STATE_DIR = "set PLEXSYNC_STATE_DIR"
"""Where else the files plexsync keeps can lie."""

OTHER_FILE = "name another file"
"""Where else a file that a person named can be."""

_NO_DIRECTORY_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What network and FUSE file systems answer that cannot fsync a directory."""


class Filesystem:
    """The operations durable writing needs, each of which may raise OSError.

    Holds nothing; the umask does not matter to it.
    """

    __slots__ = ()

    def make_directory(self, path: Path) -> None:
        """Create `path` and its parents, 0700, on disk; leave what is already there as it is."""
        missing = [place for place in (path, *path.parents) if not mode_of(place)]
        for place in reversed(missing):
            with suppress(FileExistsError):
                place.mkdir(mode=_DIRECTORY_MODE)
                place.chmod(_DIRECTORY_MODE)
            # A parent that may not be listed may not be synced either; it is not ours then.
            with suppress(PermissionError):
                self.sync_directory(place.parent)
        if not stat.S_ISDIR(mode_of(path)):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))

    def names(self, path: Path) -> tuple[str, ...]:
        """Return the names in directory `path`, in order; none when there is no such directory."""
        try:
            return tuple(sorted(entry.name for entry in path.iterdir()))
        except FileNotFoundError:
            return ()

    def read(self, path: Path) -> BinaryIO:
        """Open `path` for reading."""
        return path.open("rb")

    def create(self, path: Path) -> int:
        """Open the new file `path` for writing, 0600. Raises FileExistsError."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, _FILE_MODE)
        os.fchmod(handle, _FILE_MODE)
        return handle

    def write(self, handle: int, content: bytes) -> None:
        """Append all of `content`; a signal or a nearly full disk may make the system take less."""
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut the file off after `size_bytes`."""
        os.ftruncate(handle, size_bytes)

    def sync(self, handle: int) -> None:
        """Return when the file's content is on the disk."""
        os.fsync(handle)

    def close(self, handle: int) -> None:
        """Give the handle back."""
        os.close(handle)

    def replace(self, source: Path, target: Path) -> None:
        """Give `source` the name `target`, in one step, whether or not `target` exists."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove the file `path`."""
        path.unlink()

    def sync_directory(self, path: Path) -> None:
        """Return when the names in `path` are on the disk, where the file system can promise it."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in _NO_DIRECTORY_SYNC:
                raise
        finally:
            os.close(handle)


DISK = Filesystem()
"""The real file system, unless another is given."""


def mode_of(path: Path, *, follow_symlinks: bool = True) -> int:
    """Return the mode of what is at `path`, as `stat` has it; 0 where nothing is there.

    From Python 3.14 on `Path.exists` and its like say that nothing is there also where that cannot
    be seen.

    Raises:
        OSError: it cannot be seen.
    """
    try:
        return path.stat(follow_symlinks=follow_symlinks).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # no path holds a NUL
        return 0


def may_write(directory: Path) -> bool:
    """Whether files can be made in `directory`, or it itself where it has to be made."""
    place = find_existing(directory)
    return stat.S_ISDIR(mode_of(place)) and os.access(place, os.W_OK | os.X_OK)


def find_existing(directory: Path) -> Path:
    """Return the directory, or the first above it that is there, as far as that can be seen."""
    for one in (directory, *directory.parents):
        with suppress(OSError):
            if mode_of(one):
                return one
    return directory


def require_place(path: Path) -> None:
    """Make sure that a file a person named can be made, before work begins that ends in it.

    Raises:
        StateError: its folder cannot be written, or not be made.
    """
    from tempfile import TemporaryFile  # noqa: PLC0415 - few commands name a file to write

    # No question to the system tells so surely: it is wrong on some network file systems.
    with (
        state_errors("create", path, elsewhere=OTHER_FILE),
        TemporaryFile(dir=find_existing(path.absolute().parent)),
    ):
        pass


@contextmanager
def state_errors(action: str, path: Path, *, elsewhere: str = OTHER_STATE_DIR) -> Iterator[None]:
    """Turn an OSError of the block into a StateError that says what failed, where, and what to do.

    Args:
        action: what could not be done to `path`, as in "cannot <action>": "write".
        path: the file or directory concerned.
        elsewhere: how to have the file in another place.
    """
    try:
        yield
    except OSError as error:
        if error.errno in LOCAL_LIMITS:
            raise LocalLimitError(
                f"cannot {action}: {os.strerror(error.errno).lower()}", context=str(path)
            ) from error
        reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise StateError(
            f"cannot {action}: {reason}",
            context=str(path),
            hint=_HINTS.get(error.errno or 0, _OTHER_HINT).format(elsewhere=elsewhere),
        ) from error


def read_if_there(
    disk: Filesystem, path: Path, *, elsewhere: str = OTHER_STATE_DIR
) -> bytes | None:
    """Return the content of `path`; None when there is no such file.

    Raises:
        StateError: it is there but cannot be read.
    """
    with state_errors("read", path, elsewhere=elsewhere):
        try:
            with disk.read(path) as stream:
                return stream.read()
        except FileNotFoundError:
            return None


def write_atomically(
    disk: Filesystem,
    path: Path,
    chunks: Iterable[bytes],
    *,
    previous: Path | None = None,
    draft: Path | None = None,
    elsewhere: str = OTHER_STATE_DIR,
) -> None:
    """Make `chunks` the content of `path`, or leave `path` as it was.

    Between the two renames there is only `previous`: whoever asks for it must go on from it.

    Args:
        disk: where to write.
        path: the file; its directory must exist.
        chunks: the new content.
        previous: where the content before is kept; None to let it go.
        draft: where it is until it is whole; `path` with `.tmp`, unless two may write at once.
        elsewhere: how to have the file in another place.

    Raises:
        StateError: the disk is full, read-only or failing; `path` holds what it held.
    """
    draft = draft or path.with_name(f"{path.name}.tmp")
    with state_errors("write", path, elsewhere=elsewhere):
        _remove_if_there(disk, draft)
        try:
            _write_draft(disk, draft, chunks)
            if previous is not None and path.name in disk.names(path.parent):
                disk.replace(path, previous)
            disk.replace(draft, path)
            disk.sync_directory(path.parent)
        except OSError:
            with suppress(OSError):
                _put_back(disk, path, previous)
            with suppress(OSError):
                _remove_if_there(disk, draft)
            raise


def _write_draft(disk: Filesystem, draft: Path, chunks: Iterable[bytes]) -> None:
    handle = disk.create(draft)
    try:
        for chunk in chunks:
            disk.write(handle, chunk)
        disk.sync(handle)
    finally:
        disk.close(handle)


def _put_back(disk: Filesystem, path: Path, previous: Path | None) -> None:
    """Undo the first rename when the second one failed."""
    names = disk.names(path.parent)
    if previous is not None and path.name not in names and previous.name in names:
        disk.replace(previous, path)


def _remove_if_there(disk: Filesystem, path: Path) -> None:
    """Remove `path`, which a killed run may have left behind."""
    if path.name in disk.names(path.parent):
        disk.remove(path)


# ---- Caches --------------------------------------------------------------------------------------

_NUMBER_BYTES = 4
_END = 2 * _NUMBER_BYTES * b"\xff"


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Replace a cache, which may be lost, and is never in memory as a whole.

    Before each piece stand its length and the checksum of all up to it. Nothing is synced: a file
    torn by a power cut, or by two runs that write at once, fails its checksums. The draft always
    has the same name, so that killed runs leave no heap of files behind.

    Raises:
        OSError: the disk does not take it.
    """
    path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    draft, checksum = path.with_suffix(".new"), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(draft, flags, _FILE_MODE), "wb") as file:
        for piece in pieces:
            checksum = zlib.crc32(piece, checksum)
            file.write(_number(len(piece)) + _number(checksum))
            file.write(piece)
        file.write(_END)
    draft.replace(path)


def read_pieces(path: Path) -> Iterator[bytes]:
    """Yield the pieces of a cache; only after the last one it is known to be whole.

    Raises:
        OSError: it is missing, or cannot be read.
        ValueError: it is damaged, or no such file.
    """
    checksum = 0
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        while (head := file.read(len(_END))) != _END:
            size = int.from_bytes(head[:_NUMBER_BYTES])
            left -= len(head) + size
            piece = file.read(size) if size > 0 and left > 0 else b""
            checksum = zlib.crc32(piece, checksum)
            if not piece or head[_NUMBER_BYTES:] != _number(checksum):
                raise ValueError(path)
            yield piece
        if file.read(1):
            raise ValueError(path)


def _number(value: int) -> bytes:
    return value.to_bytes(_NUMBER_BYTES)
