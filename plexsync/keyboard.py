"""Keys of a terminal, one at a time; or lines of one that gives no single keys."""

from __future__ import annotations

import codecs
import os
import re
import select
from contextlib import contextmanager
from typing import TYPE_CHECKING

from plexsync.review import BACKSPACE, ENTER, ESCAPE, LEFT, RIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~])")
_ARROWS = {"D": LEFT, "C": RIGHT}
_NAMES = {"\r": ENTER, "\n": ENTER, "\x7f": BACKSPACE, "\x08": BACKSPACE, "\x1b": ESCAPE}
_END = "\x04"
_READ_BYTES = 4096


@contextmanager
def single_keys(handle: int) -> Iterator[bool]:
    """Have the terminal hand over each key at once; False when it cannot. Put back at the end."""
    try:
        import termios  # noqa: PLC0415 - not on every system
        import tty  # noqa: PLC0415 - same

        before = termios.tcgetattr(handle)
        tty.setcbreak(handle)
    except (ImportError, OSError, termios.error):
        yield False
        return
    try:
        yield True
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)


class Keyboard:
    """Reads keys.

    Args:
        handle: of the terminal.
        bell: the reading end of a pipe that ends a wait.

    Attributes:
        idle: the last wait ended because time was up.
    """

    def __init__(self, handle: int, bell: int) -> None:
        self._handle, self._bell = handle, bell
        self.idle = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")

    def read(self, timeout_s: float) -> Sequence[str] | None:
        """The keys pressed by now; none when the bell rang or time is up, None at the end."""
        ready, _, _ = select.select([self._handle, self._bell], [], [], timeout_s)
        self.idle = not ready
        if self._bell in ready:
            os.read(self._bell, _READ_BYTES)
        if self._handle not in ready:
            return ()
        try:
            content = os.read(self._handle, _READ_BYTES)
        except OSError:  # the terminal is gone
            return None
        return split_keys(self._decoder.decode(content)) if content else None


def split_keys(text: str) -> Sequence[str] | None:
    """Characters as they came, keys by their names; None where Ctrl-D is the first."""
    keys: list[str] = []
    at = 0
    while at < len(text):
        sequence = _SEQUENCE.match(text, at)
        if sequence is not None:
            if sequence[0][-1] in _ARROWS:
                keys.append(_ARROWS[sequence[0][-1]])
            at = sequence.end()
            continue
        char = text[at]
        at += 1
        if char == _END:
            return keys or None
        if char in _NAMES:
            keys.append(_NAMES[char])
        elif char.isprintable():
            keys.append(char)
    return keys


def keys_of_line(line: str, *, typing: bool) -> Sequence[str]:
    """What a line means where there are no single keys.

    Args:
        line: as it was typed.
        typing: a text is asked for, so that the whole line is meant.
    """
    text = line.rstrip("\r\n")
    if typing:
        return [*(char for char in text if char.isprintable()), ENTER]
    return [text.strip()] if text.strip() else []
