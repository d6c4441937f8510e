"""Processes with and without terminals, for tests of what plexsync says where."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_LONGEST_S = 180.0


@dataclass(frozen=True, slots=True)
class ProcessResult:
    """What a process printed, and how it ended. Line ends of terminals are made plain ones."""

    code: int
    out: str
    err: str


class Terminal:
    """A pseudo terminal that keeps what is written to it.

    Args:
        width: its columns.
    """

    def __init__(self, width: int) -> None:
        self._master, self.slave = pty.openpty()
        size = struct.pack("HHHH", 50, width, 0, 0)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, size)
        self._pieces: list[bytes] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def close(self) -> str:
        """Hang up and give what was written."""
        os.close(self.slave)
        self._reader.join()
        os.close(self._master)
        return b"".join(self._pieces).decode().replace("\r\n", "\n")

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._master, 65536)
            except OSError:  # Linux says EIO once nobody has the other end open
                return
            if not piece:
                return
            self._pieces.append(piece)


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
    opened = {name: Terminal(width) for name in terminals}
    ends = {name: terminal.slave for name, terminal in opened.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "plexsync", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=ends.get("stdout", subprocess.PIPE),
        stderr=ends.get("stderr", subprocess.PIPE),
        env={**os.environ, "TERM": "xterm", **environ},
    )
    piped_out, piped_err = process.communicate(timeout=_LONGEST_S)
    shown = {name: terminal.close() for name, terminal in opened.items()}
    return ProcessResult(
        process.returncode,
        shown.get("stdout", (piped_out or b"").decode()),
        shown.get("stderr", (piped_err or b"").decode()),
    )


def plain(text: str) -> str:
    """Terminal output without its escape sequences, each line as it looks in the end."""
    return _ESCAPE.sub("", text)
