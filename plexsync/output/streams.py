"""What a reporter is, and where it writes: streams that may go away, a meter, the shape."""

from __future__ import annotations

from enum import IntEnum
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.models import MatchRow, Preview, RunHeader, RunSummary

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


class Reporter:
    """What shows a run as it happens: nothing, by itself. None may raise on odd text."""

    @property
    def failure(self) -> OSError | None:
        """The first error of its output; None when there was none."""
        return None

    def started(self, header: RunHeader) -> None:
        """Both servers answered and the state is loaded."""

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """`done` of `total` (None: unknown yet) steps of `phase` are behind us."""

    def preview(self, preview: Preview) -> None:
        """Everything is matched and the first changes are planned; nothing is written yet."""

    def row(self, row: MatchRow) -> None:
        """One (scene, item) pair has its final outcome. Once per row, in any order."""

    def warn(self, message: str) -> None:
        """Something a person should know that is no failure."""

    def finished(self, summary: RunSummary) -> None:
        """End the report of a run that is over, well or not; the last call but `close`."""

    def close(self) -> None:
        """Leave the screen and the disk as they were; however the run ended."""


class Sink:
    """A byte stream that may go away under us.

    Args:
        stream: where the bytes go; None for a closed one, which takes nothing.
        journal: the journal of systemd reads the lines.

    Attributes:
        failure: the first error of the stream; nothing is written after it.
    """

    def __init__(self, stream: IO[bytes] | None, *, journal: bool = False) -> None:
        self._stream, self._journal = stream, journal
        self.failure: OSError | None = None

    def write(self, piece: bytes) -> None:
        """Write, unless the stream failed before."""
        if self._stream is not None and not self.failure:
            try:
                self._stream.write(piece)
            except OSError as error:
                self.failure = error

    def flush(self) -> None:
        """Hand over what is buffered."""
        if self._stream is not None and not self.failure:
            try:
                self._stream.flush()
            except OSError as error:
                self.failure = error

    def write_line(self, text: str, priority: Priority = Priority.INFO) -> None:
        """Write one line of text as UTF-8 and hand it over; in a journal with its priority."""
        start = f"<{priority:d}>" if self._journal else ""
        self.write((start + text).encode("utf-8", "backslashreplace") + b"\n")
        self.flush()


class Spool(Sink):
    """Pieces kept in order until the end of the run, outside memory when they are many.

    What comes after its first error is lost.
    """

    def __init__(self) -> None:
        from tempfile import SpooledTemporaryFile  # noqa: PLC0415 - only lists of rows wait

        self._file = SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY)  # noqa: SIM115 - see `close`
        super().__init__(self._file)

    def add(self, line: bytes) -> None:
        """Keep one piece; it must not hold a line feed."""
        self.write(line + b"\n")

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
