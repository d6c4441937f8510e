"""Where and how a reporter writes: streams that may go away, rows that wait, a meter, the shape."""

from __future__ import annotations

from enum import IntEnum
from typing import IO, TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SPOOL_IN_MEMORY = 4 * 1024 * 1024
"""Bytes of rows kept in memory before they move to an anonymous temporary file."""


class Shape(NamedTuple):
    """How the output is to look.

    Args:
        json: one document on stdout.
        jsonl: one event a line on stdout.
        quiet: nothing but errors.
        verbosity: 1 for every row, 2 for the evidence, too.
        no_color: no colours, whatever the terminal can do.
    """

    json: bool = False
    jsonl: bool = False
    quiet: bool = False
    verbosity: int = 0
    no_color: bool = False

    @property
    def as_document(self) -> bool:
        """Whether JSON is wanted, of either kind."""
        return self.json or self.jsonl


PLAIN = Shape()


class Priority(IntEnum):
    """How much a line matters, as syslog numbers it. Source: sd-daemon(3)."""

    ERROR = 3
    WARNING = 4
    INFO = 6


class Meter:
    """Where progress is shown: nowhere, since nobody watches; see `terminal.Bars`."""

    def step(self, phase: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: unknown) steps of `phase` are behind us."""

    def clear(self) -> None:
        """Leave no trace on the screen."""


class ByteStream(Protocol):
    """The part of a binary stream that is used."""

    def write(self, piece: bytes, /) -> object:
        """Take the bytes, or raise an OSError."""

    def flush(self) -> object:
        """Hand them on, or raise an OSError."""


class _Fallible:
    """Remembers the first error of what is written to it, and writes nothing after it."""

    def __init__(self) -> None:
        self.failure: OSError | None = None

    def _attempt(self, action: Callable[..., object], *pieces: bytes) -> None:
        if self.failure:
            return
        try:
            action(*pieces)
        except OSError as error:
            self.failure = error


class Sink(_Fallible):
    """A byte stream that may go away under us.

    Args:
        stream: where the bytes go.
        journal: the journal of systemd reads the lines.

    Attributes:
        failure: the first error of the stream; nothing is written after it.
    """

    def __init__(self, stream: ByteStream, *, journal: bool = False) -> None:
        super().__init__()
        self._stream, self._journal = stream, journal

    def write(self, piece: bytes) -> None:
        """Write, unless the stream failed before."""
        self._attempt(self._stream.write, piece)

    def flush(self) -> None:
        """Hand over what is buffered."""
        self._attempt(self._stream.flush)

    def write_line(self, text: str, priority: Priority = Priority.INFO) -> None:
        """Write one line of text as UTF-8 and hand it over; in a journal with its priority."""
        start = f"<{priority:d}>" if self._journal else ""
        self.write((start + text).encode("utf-8", "backslashreplace") + b"\n")
        self.flush()


class Spool(_Fallible):
    """Pieces kept in order until the end of the run, outside memory when they are many.

    Args:
        file: where to keep them; an anonymous temporary file unless given.

    Attributes:
        failure: the first error of the file; what came later is lost.
    """

    def __init__(self, file: IO[bytes] | None = None) -> None:
        super().__init__()
        self._file = file or _spool()

    def add(self, line: bytes) -> None:
        """Keep one piece; it must not hold a line feed."""
        self._attempt(self._file.write, line + b"\n")

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces in the order they came."""
        self._file.seek(0)
        for line in self._file:
            yield line[:-1]

    def copy_to(self, sink: Sink) -> None:
        """Write every piece as a line."""
        for line in self:
            sink.write(line + b"\n")

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _spool() -> IO[bytes]:
    """Return a file that lies in memory until it grows."""
    from tempfile import SpooledTemporaryFile  # noqa: PLC0415 - only lists of rows wait

    return SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY)
