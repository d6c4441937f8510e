"""One sitting of a review: draws screens, waits for keys and presses them."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from plexsync.review.interfaces import Ending, Mode
from plexsync.review.terminal.keyboard import Keyboard, SingleKeys, keys_of_line
from plexsync.review.terminal.prefetch import PreviewLoader
from plexsync.review.terminal.screen import screen_rows
from plexsync.review.terminal.suspend import Pauses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType
    from typing import IO

    from rich.console import Console
    from rich.text import Text

    from plexsync.models import RatingKey
    from plexsync.review.actions import ReviewActions
    from plexsync.review.context import ReviewContext
    from plexsync.review.interfaces import LinkPreview
    from plexsync.review.machine import Review

_REST_AFTER_S = 300.0
"""Seconds without a key after which the lock is let go, so that runs can work."""

_LINE_WAIT_S = 3.0
"""Seconds a line terminal, which cannot redraw, waits for what a candidate would change."""

_LEAST_ROWS = 10

_PASTES_MARKED, _PASTES_PLAIN = "\x1b[?2004h", "\x1b[?2004l"
_HOME, _CLEAR, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[H", "\x1b[2J\x1b[H", "\x1b[K", "\x1b[J"


def sit(
    review: Review,
    context: ReviewContext,
    actions: ReviewActions,
    console: Console,
    *,
    stdin: IO[str],
    fresh: bool = True,
) -> None:
    """One sitting, until a person ends it.

    Args:
        review: what it is about.
        context: where answers go.
        actions: asks the world.
        console: where to draw.
        stdin: a terminal.
        fresh: begin with a clean screen; False leaves what stands there above the first one.

    Raises:
        StateError: an answer could not be kept.
    """
    hear, ring = os.pipe()
    os.set_blocking(ring, False)
    with ExitStack() as stack:
        stack.callback(os.close, hear)
        bell = _Bell(ring)
        stack.callback(bell.close)
        # A signal that comes just before the wait for a key begins must end it as well.
        stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(ring, warn_on_full_buffer=False))
        loader = PreviewLoader(actions, context, bell.ring)
        stack.callback(loader.close)
        if os.environ.get("TERM", "dumb") != "dumb":
            keys = stack.enter_context(SingleKeys(stdin.fileno()))
            if keys.held:
                screen = Screen(console, fresh=fresh)
                with _interruptions(context, keys, screen, bell) as pauses:
                    keyboard = Keyboard(stdin.fileno(), hear)
                    _by_keys(review, context, loader, screen, keyboard=keyboard, pauses=pauses)
                return
        pauses = stack.enter_context(Pauses(context.answers.release_lock, lambda: None))
        _by_lines(review, context, loader, console, stdin=stdin, pauses=pauses)


class Screen:
    """Draws on a terminal, and only what is not there already: nothing flickers.

    Args:
        console: the terminal.
        fresh: clear it before the first screen.
    """

    def __init__(self, console: Console, *, fresh: bool) -> None:
        self._console = console
        self._start = _CLEAR if fresh else ""
        self._shown = ""

    def open(self) -> None:
        """Have the terminal tell a pasted text from keys; until `close`."""
        self._write(_PASTES_MARKED)

    def close(self) -> None:
        """Leave the terminal as it was found."""
        self._write(_PASTES_PLAIN)

    def forget(self) -> None:
        """Somebody else wrote on the terminal, or it has got another size."""
        self._shown, self._start = "", _CLEAR

    def paint(self, review: Review, previews: Mapping[RatingKey, LinkPreview]) -> None:
        """Draw the screen of a review unless it is the one that stands there."""
        console = self._console
        width, height = console.size
        marks = console.color_system is None or console.no_color
        height = max(height, _LEAST_ROWS)
        text = self._rendered(
            screen_rows(review, console, previews=previews, marks=marks, height=height), width
        )
        if text == self._shown:
            return
        self._write(f"{self._start}{text}{_CLEAR_BELOW}")
        self._shown, self._start = text, _HOME

    def _write(self, text: str) -> None:
        """A terminal that is gone is noticed by the next look for a key."""
        with suppress(OSError):
            self._console.file.write(text)
            self._console.file.flush()

    def _rendered(self, lines: list[Text], width: int) -> str:
        """What to write; the last line ends without a line feed, which would scroll the first."""
        with self._console.capture() as capture:
            for line in lines:
                line.truncate(width)
                self._console.print(line, no_wrap=True, crop=True)
        return capture.get().removesuffix("\n").replace("\n", f"{_CLEAR_LINE}\n") + _CLEAR_LINE


# ---- Private: keys -------------------------------------------------------------------------------


def _by_keys(
    review: Review,
    context: ReviewContext,
    loader: PreviewLoader,
    screen: Screen,
    *,
    keyboard: Keyboard,
    pauses: Pauses,
) -> None:
    """Draw, wait for a key, press it."""
    while review.ending is None:
        screen.paint(review, _known(review, loader))
        # Only now: the first time it imports what talks to servers, which a screen can do without.
        loader.want(review.wanted())
        with pauses.allowed():
            keys = keyboard.read(_REST_AFTER_S)
        if keys is None:
            review.ending = Ending.KEEP
            return
        if keyboard.idle:
            context.answers.release_lock()
        for key in keys:
            if review.ending is None:
                review.press(key)


class _Bell:
    """Wakes the one who waits for keys."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._lock = threading.RLock()
        self._open = True

    def ring(self) -> None:
        with self._lock:
            if self._open:
                try:
                    os.write(self._handle, b"!")
                except BlockingIOError:
                    return  # it rings already

    def close(self) -> None:
        with self._lock:
            self._open = False
            os.close(self._handle)


@contextmanager
def _interruptions(
    context: ReviewContext, keys: SingleKeys, screen: Screen, bell: _Bell
) -> Iterator[Pauses]:
    """Draw again when the window changes, and stop and go on with Ctrl-Z and fg."""

    def redraw() -> None:
        screen.forget()
        bell.ring()

    def stop() -> None:
        # Who went away for a while keeps no run waiting, and finds a terminal that echoes.
        context.answers.release_lock()
        screen.close()
        keys.let_go()

    def go_on() -> None:
        keys.hold()
        screen.open()
        redraw()

    screen.open()
    try:
        with Pauses(stop, go_on) as pauses, _window_changes(redraw):
            yield pauses
    finally:
        screen.close()


@contextmanager
def _window_changes(redraw: Callable[[], None]) -> Iterator[None]:
    def changed(_number: int, _frame: FrameType | None) -> None:
        redraw()

    before = signal.signal(signal.SIGWINCH, changed)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


# ---- Private: lines ------------------------------------------------------------------------------


def _by_lines(
    review: Review,
    context: ReviewContext,
    loader: PreviewLoader,
    console: Console,
    *,
    stdin: IO[str],
    pauses: Pauses,
) -> None:
    """The same a line at a time, for terminals that cannot be drawn on."""
    while review.ending is None:
        loader.want(review.wanted())
        _wait_for(review, loader)
        for line in screen_rows(review, console, previews=_known(review, loader), marks=True):
            console.print(line)
        console.print("> ", end="")
        console.file.flush()
        with pauses.allowed():
            if not select.select([stdin], [], [], _REST_AFTER_S)[0]:
                context.answers.release_lock()
            text = stdin.readline()
        if not text:
            review.ending = Ending.KEEP
            return
        for key in keys_of_line(text, typing=review.mode is Mode.PROMPT):
            review.press(key)


def _wait_for(review: Review, loader: PreviewLoader) -> None:
    """Give the servers a moment: a line that was printed cannot be drawn again."""
    deadline = time.monotonic() + _LINE_WAIT_S
    while review.mode is Mode.SCENE and time.monotonic() < deadline:
        if review.candidate is None or review.candidate.rating_key in _known(review, loader):
            return
        loader.pause(deadline - time.monotonic())


def _known(review: Review, loader: PreviewLoader) -> Mapping[RatingKey, LinkPreview]:
    return loader.known(review.waiting.scene_id) if review.queue else {}
