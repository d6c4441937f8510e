"""A person at a terminal: types keys into plexsync and reads what it draws."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from bisect import bisect_left
from typing import TYPE_CHECKING, Self

import pyte

from tests.support.children import Started, start_plexsync, take_terminal
from tests.support.terminals import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

_PATIENCE_S = 180.0
_AGAIN_S = 3.0

_PICTURE = re.compile(r"\x1b[P_].*?\x1b\\", re.DOTALL)
"""Sixels, and a message of kitty's protocol."""

_PROMPT = "\n> "
"""What a dumb terminal's screen ends with."""


class Person:
    """Runs plexsync on a terminal of its own.

    Args:
        arguments: of the command line.
        environ: added to the environment.
        width: columns.
        height: rows.
        program: what to run instead of plexsync.
        answers: what the terminal answers when it is asked what it can do; it lies ready before
            the question, so that no machine is too slow for it.

    Attributes:
        pictures: sixels and messages of kitty's protocol, which are kept off the screen.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        width: int = 100,
        height: int = 40,
        program: str = "",
        answers: str = "",
    ) -> None:
        self._master, slave = pty.openpty()
        self._height = height
        fcntl.ioctl(
            slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 10 * width, 20 * height)
        )
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        os.write(self._master, answers.encode())
        whole = {**os.environ, "TERM": "xterm", **environ}
        self.process = (
            _start_program([program, *arguments], whole, slave)
            if program
            else start_plexsync(arguments, whole, (slave,) * 3, own_terminal=True)
        )
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._display = pyte.Screen(width, height)
        self._stream = pyte.Stream(self._display)
        self.seen = ""
        self.pictures: list[str] = []
        self._torn = ""
        self._read = 0
        self._typed = 0

    def __enter__(self) -> Self:
        """Sit down."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave; whatever still runs is ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._slave)
        os.close(self._master)

    def sees(self, text: str) -> str:
        """Wait until `text` comes after what was seen before; gives all up to it."""
        deadline = time.monotonic() + _PATIENCE_S
        while text not in plain(self.seen[self._read :]):
            assert time.monotonic() < deadline, f"{text!r} never came after:\n{self.seen[-4000:]}"
            if not self._take(0.2) and self.process.poll() is not None and not self._take(0.2):
                raise AssertionError(f"it ended without {text!r}:\n{plain(self.seen)[-4000:]}")
        # What came along with the text is still to be seen: on a busy machine all comes at once.
        start, seen = self._read, self.seen
        ends = range(start, len(seen) + 1)
        first = bisect_left(ends, 1, key=lambda end: int(text in plain(seen[start:end])))
        self._read = ends[first]
        return plain(seen[start : self._read])

    def screen(self, *texts: str) -> str:
        """Wait until what stands on the terminal holds `texts`; gives it as it looks.

        A busy machine may lose a piece of what is drawn; what does not come is drawn again. So is
        a screen that was cleared meanwhile.
        """
        deadline = time.monotonic() + _PATIENCE_S
        again = time.monotonic() + _AGAIN_S
        while True:
            while not all(text in (shown := self._shown()) for text in texts):
                assert time.monotonic() < deadline, f"{texts} never came:\n{shown}"
                self._take(0.2)
                if time.monotonic() > again and self.process.poll() is None:
                    again = time.monotonic() + _AGAIN_S
                    self.process.send_signal(signal.SIGCONT)
            while self._take(0.05):
                pass
            shown = self._shown()
            if self.process.poll() is not None or all(text in shown for text in texts):
                return shown

    def _shown(self) -> str:
        """What stands there; of a dumb terminal what came since the last key, which is echoed."""
        if "\x1b" not in self.seen:
            drawn = self.seen[self._typed :]
            drawn = drawn.partition("\n")[2] if self._typed else drawn
            lines = drawn.removesuffix(_PROMPT).splitlines()
        else:
            lines = self._display.display
        return "\n".join(line.rstrip() for line in lines).rstrip("\n")

    def types(self, keys: str) -> None:
        """Press keys; what was there before is not waited for any more."""
        self._typed = self._read = len(self.seen)
        os.write(self._master, keys.encode())

    def insists(self, key: str) -> int:
        """Press a key again and again until it ends; gives the exit code.

        Python's `input` loses a signal that comes between its prompt and its wait.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it did not end:\n{plain(self.seen)[-4000:]}"
            self.types(key)
            again = time.monotonic() + _AGAIN_S
            while self.process.poll() is None and time.monotonic() < again:
                self._take(0.1)
        return self.ends()

    def reads(self, seconds: float) -> None:
        """Take what comes within that time."""
        self._take(seconds)

    def resizes(self, width: int) -> None:
        """Give the window another width; the system tells whoever draws in it."""
        size = struct.pack("HHHH", self._height, width, 0, 0)
        self._display.resize(self._height, width)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def ends(self) -> int:
        """Wait for the end; gives the exit code."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it did not end:\n{plain(self.seen)[-4000:]}"
            self._take(0.1)
        while self._take(0.05):
            pass
        return self.process.wait()

    def terminal_is_as_before(self) -> bool:
        """Whether keys are echoed and lines are lines again."""
        return bool(termios.tcgetattr(self._slave)[3] == self.before[3])

    def _take(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        text = self._without_pictures(self._decoder.decode(os.read(self._master, 65536)))
        self._stream.feed(text)
        self.seen += text.replace("\r\n", "\n")
        return True

    def _without_pictures(self, text: str) -> str:
        """Take pictures out of what came; the emulator would print them as text."""
        text = self._torn + text
        self.pictures += _PICTURE.findall(text)
        text = _PICTURE.sub("", text)
        start = min((at for at in (text.find("\x1bP"), text.find("\x1b_")) if at >= 0), default=-1)
        self._torn = text[start:] if start >= 0 else ""
        return text[:start] if start >= 0 else text


def _start_program(words: list[str], environ: Mapping[str, str], terminal: int) -> Started:
    return subprocess.Popen(
        words,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environ,
        start_new_session=True,
        preexec_fn=take_terminal,  # noqa: PLW1509 - one system call, no lock
    )
