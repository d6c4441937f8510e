"""Keys of a terminal, one at a time; or lines of one that gives no single keys."""

from __future__ import annotations

import codecs
import os
import re
import select
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from plexsync.review.interfaces import BACKSPACE, DOWN, ENTER, ESCAPE, LEFT, PASTE, RIGHT, UP

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~])")
_TORN = re.compile(r"\x1b(?:[\[O][0-?]*[ -/]*)?\Z")
"""The beginning of such a key, which may have been cut off on its way; or the key Escape."""

_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"
"""What a terminal puts around a pasted text once it is asked to.
Source: XTerm Control Sequences, "Bracketed Paste Mode"."""

_REST_OF_PASTE_S = 0.5
_REST_OF_KEY_S = 0.05
"""Seconds the rest of a key may come later; Escape by itself is taken for it after them."""

_ARROWS = {"A": UP, "B": DOWN, "D": LEFT, "C": RIGHT}
_NAMES = {"\r": ENTER, "\n": ENTER, "\x7f": BACKSPACE, "\x08": BACKSPACE, "\x1b": ESCAPE}
_END = "\x04"
_READ_BYTES = 4096


class SingleKeys:
    """Has a terminal hand over each key at once; leaving it puts the terminal back.

    Args:
        handle: of the terminal.

    Attributes:
        held: whether the terminal does so now.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._before: list[Any] | None = None

    @property
    def held(self) -> bool:
        """Whether the terminal hands over single keys; False for one that cannot."""
        return self._before is not None

    def hold(self) -> None:
        """Ask for single keys, also again after somebody else changed the terminal."""
        try:
            import termios  # noqa: PLC0415 - not on every system
            import tty  # noqa: PLC0415 - same

            before = self._before or termios.tcgetattr(self._handle)
            tty.setcbreak(self._handle)
        except (ImportError, OSError, termios.error):
            return
        self._before = before

    def let_go(self) -> None:
        """Put the terminal back as it was; for a pause, too."""
        if self._before is not None:
            import termios  # noqa: PLC0415 - it was there

            # A terminal that is gone needs nothing put back.
            with suppress(termios.error):
                termios.tcsetattr(self._handle, termios.TCSADRAIN, self._before)

    def __enter__(self) -> Self:
        """Hold."""
        self.hold()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go."""
        self.let_go()


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
        content = self._take()
        if not content:
            return None
        text = self._decoder.decode(content)
        while (wait_s := _rest_s(text)) and select.select([self._handle], [], [], wait_s)[0]:
            more = self._take()
            if not more:
                break
            text += self._decoder.decode(more)
        return split_keys(text)

    def _take(self) -> bytes:
        try:
            return os.read(self._handle, _READ_BYTES)
        except OSError:  # the terminal is gone
            return b""


def _rest_s(text: str) -> float:
    """How long the rest of what was begun may take, in seconds; 0 when nothing is missing."""
    if text.rfind(_PASTE_BEGINS) > text.rfind(_PASTE_ENDS):
        return _REST_OF_PASTE_S
    return _REST_OF_KEY_S if _TORN.search(text) else 0.0


def split_keys(text: str) -> Sequence[str] | None:
    """Characters as they came, keys by their names, a pasted text as one; None for Ctrl-D first."""
    keys: list[str] = []
    at = 0
    while at < len(text):
        if text.startswith(_PASTE_BEGINS, at):
            pasted, _, _ = text[at + len(_PASTE_BEGINS) :].partition(_PASTE_ENDS)
            keys.append(PASTE + pasted)
            at += len(_PASTE_BEGINS) + len(pasted) + len(_PASTE_ENDS)
            continue
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
        typing: a text is asked for, so that the whole line is meant; with Escape in it, none.
    """
    text = line.rstrip("\r\n")
    if typing and "\x1b" in text:
        return [ESCAPE]
    if typing:
        return [*(char for char in text if char.isprintable()), ENTER]
    return [text.strip()] if text.strip() else []
