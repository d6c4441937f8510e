"""Processes with and without terminals, for tests of what plexsync says where."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.children import LONGEST_S, start_plexsync

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What a process printed, and how it ended. Line ends of terminals are made plain ones."""

    code: int
    out: str
    err: str


class KeptStream:
    """An output stream of a process; keeps what is written to it.

    Args:
        reading: the end that is read here.
        writing: the end for the process.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self.writing = writing
        self._pieces: list[bytes] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def close(self) -> str:
        """Hang up and give what was written."""
        os.close(self.writing)
        self._reader.join()
        os.close(self._reading)
        return b"".join(self._pieces).decode()

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._reading, 65536)
            except OSError:  # Linux says EIO once nobody has the other end of a terminal open
                return
            if not piece:
                return
            self._pieces.append(piece)


class Terminal(KeptStream):
    """A pseudo terminal that keeps what is written to it.

    Args:
        width: its columns.
    """

    def __init__(self, width: int) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        super().__init__(master, slave)

    def close(self) -> str:
        """Hang up and give what was written."""
        return super().close().replace("\r\n", "\n")


def run_plexsync(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    terminals: Sequence[str] = (),
    width: int = 80,
) -> ProcessResult:
    """Run plexsync in a process of its own.

    Args:
        arguments: of the command line.
        environ: added to the environment.
        terminals: which of `stdout` and `stderr` are terminals; the others are pipes. Nothing
            is on stdin.
        width: columns of the terminals.
    """
    streams = [
        Terminal(width) if name in terminals else KeptStream(*os.pipe())
        for name in ("stdout", "stderr")
    ]
    whole = {**os.environ, "TERM": "xterm", **environ}
    with Path(os.devnull).open("rb") as nothing:
        ends = (nothing.fileno(), *(stream.writing for stream in streams))
        code = start_plexsync(arguments, whole, ends).wait(LONGEST_S)
    out, err = (stream.close() for stream in streams)
    return ProcessResult(code, out, err)


def plain(text: str) -> str:
    """Terminal output without its escape sequences, each line as it looks in the end."""
    return _ESCAPE.sub("", text)
