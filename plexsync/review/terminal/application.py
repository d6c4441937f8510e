"""`plexsync review` in a terminal: draws the screen of its state, takes keys, and ends well.

prompt_toolkit reads the keys, redraws what changed, follows the size of the window, and stops and
goes on with Ctrl-Z and `fg`. A terminal that cannot be drawn on gets one line at a time.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from contextlib import closing, contextmanager, nullcontext, suppress
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, Any, TextIO, cast

import click
from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Size
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output.vt100 import Vt100_Output
from rich.text import Text

from plexsync.errors import ConfigError, ExitCode, InterruptedRunError
from plexsync.output.console import Invocation, can_ask, make_console
from plexsync.review.context import open_review, run_accepted
from plexsync.review.keys import PASTE, KeyName, press
from plexsync.review.modes import NOTHING_WAITS, Ending, Mode
from plexsync.review.shown import wanted_previews
from plexsync.review.terminal.parts import Place, picture_place
from plexsync.review.terminal.screen import needs_marks, screen_rows
from plexsync.sync.ports import RunOptions
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from rich.console import Console

    from plexsync.review.machine import Review
    from plexsync.review.terminal.pictures import TerminalPictures


_RELEASE_AFTER_S = 5.0
"""Seconds without a key after which the lock is released, so that runs can work."""

_LINE_WAIT_S = 3.0
"""Seconds a line terminal, which cannot redraw, waits for what a candidate would change."""

_ESCAPE_WAIT_S = 0.05
"""Seconds the rest of a key may come later; Escape by itself is taken for it after them."""

_LEAST_ROWS = 10


def review_by_keys(invocation: Invocation, *, pictures: bool) -> int:
    """Run `plexsync review` without a subcommand; return the exit code of the run, if one follows.

    Raises:
        ConfigError: there is no terminal.
        StateError: what is remembered cannot be read or written.
    """
    if invocation.shape.as_document:
        raise click.UsageError("Keys have no JSON; plexsync review list --json has.")
    streams, stdin = invocation.streams, invocation.streams.stdin
    if stdin is None or not can_ask(streams):
        raise ConfigError(
            "a review by keys needs a terminal",
            hint="plexsync review list shows what waits; plexsync review -h names other commands",
        )
    console = make_console(streams.stdout, no_color=invocation.shape.no_color)
    with open_review(invocation) as context:
        if not context.waiting:
            for note in context.notes or [NOTHING_WAITS]:
                console.print(Text(clean_for_terminal(note)))
            return ExitCode.OK
        # What waits stays until the end; from here on only what comes and goes is looked through.
        gc.freeze()
        gc.enable()
        review = context.review(context.waiting)
        with _ends_well(invocation, console, review):
            drawn = _pictures(review, console) if pictures else None
            _show(review, console, stdin=stdin, pictures=drawn)
            while review.ending is Ending.PLAN:
                review.answers.release_lock()
                # What a run would write is shown, and the review goes on below it.
                console.print("\n")
                run_accepted(invocation, RunOptions(dry_run=True, scenes=review.accepted))
                review.ending, review.mode = None, Mode.END
                _show(review, console, stdin=stdin, below=True)
    if review.ending is Ending.WRITE:
        console.print("\n")
        return run_accepted(invocation, RunOptions(scenes=review.accepted))
    _say_kept(invocation, console, review)
    return ExitCode.OK


# ---- Pictures ------------------------------------------------------------------------------------


def _pictures(review: Review, console: Console) -> TerminalPictures | None:
    """Return what draws covers; None where the terminal or we cannot."""
    if find_spec("textual_image") is None:
        return None
    from plexsync.review.terminal.pictures import TerminalPictures, picture_maker  # noqa: PLC0415 - an extra

    make = picture_maker(os.environ, console)
    return TerminalPictures(make, review, console) if make else None


# ---- Ending --------------------------------------------------------------------------------------


@contextmanager
def _ends_well(invocation: Invocation, console: Console, review: Review) -> Iterator[None]:
    """Say that nothing is lost, however the review is cut off."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise InterruptedRunError(ExitCode.TERMINATED)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError):
        _say_kept(invocation, console, review)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_kept(invocation: Invocation, console: Console, review: Review) -> None:
    answered = len(review.given.answered)
    # A terminal that is gone took whoever would read this with it.
    with suppress(OSError):
        console.print("\n")
        if answered:
            scenes = counted(answered, "scene is", "scenes are")
            console.print(Text(f"{scenes} answered, and every answer is kept."))
        if review.accepted:
            console.print(Text("To write what was accepted:"))
            console.print(Text(f"    {invocation.typed('plexsync run')}"), soft_wrap=True)
        if review.left:
            waits = counted(review.left, "scene still waits", "scenes still wait")
            console.print(Text(f"{waits}."))


# ---- One review ----------------------------------------------------------------------------------


def _show(
    review: Review,
    console: Console,
    *,
    stdin: IO[str],
    pictures: TerminalPictures | None = None,
    below: bool = False,
) -> None:
    """Show a review until a person ends it; `below` what stands on the terminal at first.

    Raises:
        StateError: an answer could not be kept.
    """
    with closing(pictures) if pictures else nullcontext():
        if os.environ.get("TERM", "dumb") == "dumb":
            _show_lines(review, console, stdin=stdin)
        while review.ending is None:
            try:
                ReviewScreen(review, console, full=not below, pictures=pictures).run()
            except (EOFError, OSError):  # the terminal is gone
                review.ending = Ending.KEEP
            below = False


class ReviewScreen:
    """One review on a terminal that can be drawn on.

    Args:
        review: what to show.
        console: measures and colours.
        full: use the whole terminal; else the end page stands below what was printed.
        pictures: draws covers beside the facts; None for none.
    """

    def __init__(
        self,
        review: Review,
        console: Console,
        *,
        full: bool,
        pictures: TerminalPictures | None = None,
    ) -> None:
        self._review, self._console = review, console
        self._full, self._pictures = full, pictures
        self._picture_place: Place | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._app = self._make_application()

    def run(self) -> None:
        """Show it until the review ends, or until it needs the whole terminal.

        Raises:
            EOFError: the terminal is gone.
            InterruptedRunError: the system ends the program.
            KeyboardInterrupt: Ctrl-C was pressed.
            StateError: an answer could not be kept.
        """
        self._review.servers.previews.on_news(self._app.invalidate)
        if self._pictures is not None:
            self._pictures.forget()
            self._pictures.on_news(self._app.invalidate)
        self._app.run(pre_run=self._start, set_exception_handler=False)

    # ---- Private ---------------------------------------------------------------------------------

    def _make_application(self) -> Application[None]:
        control = FormattedTextControl(lambda: ANSI(self._text()))
        window = Window(control, always_hide_cursor=True, dont_extend_height=not self._full)
        app: Application[None] = Application(
            layout=Layout(window),
            key_bindings=self._bindings(),
            full_screen=self._full,
            output=Vt100_Output(
                cast("TextIO", self._console.file),
                lambda: Size(rows=self._console.height, columns=self._console.width),
                enable_cpr=False,
            ),
        )
        app.ttimeoutlen = _ESCAPE_WAIT_S
        if self._pictures is not None:
            app.before_render.add_handler(self._forget_pictures)
            app.after_render.add_handler(self._draw_pictures)
        return app

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()
        for key in KeyName:  # which prompt_toolkit calls the same
            bindings.add(key.value)(lambda _, key=key: self._press(key))
        bindings.add("c-j")(lambda _: self._press(KeyName.ENTER))
        bindings.add(Keys.BracketedPaste)(lambda event: self._press(PASTE + event.data))
        bindings.add(Keys.Any)(self._press_character)
        bindings.add("c-z")(self._suspend)
        bindings.add("c-c")(lambda _: self._leave(KeyboardInterrupt()))
        bindings.add(Keys.SIGINT)(lambda _: self._leave(KeyboardInterrupt()))
        bindings.add("c-d")(lambda _: self._leave(EOFError()))
        return bindings

    def _text(self) -> str:
        """Return the screen as text with colours, and ask for what comes next."""
        pictures = self._pictures
        rows = fitted_rows(
            self._review,
            self._console,
            pictures=pictures is not None and pictures.fit,
        )
        self._review.servers.previews.want(wanted_previews(self._review))
        if pictures is not None:
            self._picture_place = picture_place(rows)
            pictures.want_pair()
        return as_text(rows, self._console)

    def _forget_pictures(self, app: Application[None]) -> None:
        """Notice a terminal that is drawn from its beginning, for whatever cause."""
        if self._pictures is not None and app.renderer.last_rendered_screen is None:
            self._pictures.forget()

    def _draw_pictures(self, _app: Application[None]) -> None:
        """Draw over the columns that were left; pictures of another pair are cleared away first."""
        if self._pictures is not None and not self._pictures.draw(self._picture_place):
            self._draw_again()

    def _press_character(self, event: KeyPressEvent) -> None:
        key = event.key_sequence[0].key
        if len(key) == 1 and key.isprintable():
            self._press(key)

    def _press(self, key: str) -> None:
        self._wait_for_pause()
        if self._review.ending is None:
            press(self._review, key)
        needs_all = not self._full and self._review.mode is not Mode.END
        self._app.erase_when_done = needs_all
        if self._review.ending is not None or needs_all:
            self._leave(None)

    def _suspend(self, event: KeyPressEvent) -> None:
        """Stop as a shell with jobs expects it; whoever left for a while keeps no run waiting."""
        self._review.answers.release_lock()
        event.app.suspend_to_background()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._fail)
        ended = InterruptedRunError(ExitCode.TERMINATED)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._leave, ended)
        loop.add_signal_handler(signal.SIGCONT, self._draw_again)
        self._wait_for_pause()

    def _draw_again(self) -> None:
        """Draw everything: another program may have written on the terminal meanwhile."""
        self._app.renderer.clear()
        self._app.invalidate()

    def _wait_for_pause(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_RELEASE_AFTER_S, self._review.answers.release_lock)

    def _leave(self, error: BaseException | None) -> None:
        future = self._app.future
        if future is None or future.done():
            return
        if error is None:
            self._app.exit()
        else:
            self._app.exit(exception=error)

    def _fail(self, _loop: asyncio.AbstractEventLoop, found: dict[str, Any]) -> None:
        """End with what went wrong while a key was handled or a screen was drawn."""
        self._leave(found.get("exception") or RuntimeError(found["message"]))


def fitted_rows(review: Review, console: Console, *, pictures: bool = False) -> list[Text]:
    """Return the rows of the screen, as many and as wide as the terminal has."""
    rows = screen_rows(
        review,
        console,
        marks=needs_marks(console),
        height=max(console.height, _LEAST_ROWS),
        pictures=pictures,
    )
    for row in rows:
        row.truncate(console.width)
    return rows


def as_text(rows: Sequence[Text], console: Console) -> str:
    """Return rows with the escape sequences of their colours."""
    with console.capture() as capture:
        for row in rows:
            console.print(row, no_wrap=True, crop=True)
    return capture.get().removesuffix("\n")


# ---- Private: lines ------------------------------------------------------------------------------


def _show_lines(review: Review, console: Console, *, stdin: IO[str]) -> None:
    """Show a review a line at a time, on terminals that cannot be drawn on."""
    previews = review.servers.previews
    while review.ending is None:
        previews.want(wanted_previews(review))
        # A line that was printed cannot be drawn again, so the servers get a moment.
        if review.mode is Mode.SCENE and review.candidate is not None:
            pair = review.waiting.scene_id, review.candidate.rating_key
            previews.wait_for(*pair, _LINE_WAIT_S)
        for line in screen_rows(review, console, marks=True):
            console.print(line)
        console.print("> ", end="")
        console.file.flush()
        # A program that Ctrl-Z stops while it waits here must not hold the lock.
        review.answers.release_lock()
        text = stdin.readline()
        if not text:
            review.ending = Ending.KEEP
            return
        for key in keys_of_line(text, typing=review.mode is Mode.PROMPT):
            press(review, key)


def keys_of_line(line: str, *, typing: bool) -> Sequence[str]:
    """Return what a line means where there are no single keys.

    Args:
        line: as it was typed.
        typing: a text is asked for, so that the whole line is meant; with Escape in it, none.
    """
    text = line.rstrip("\r\n")
    if typing and "\x1b" in text:
        return [KeyName.ESCAPE]
    if typing:
        return [*(char for char in text if char.isprintable()), KeyName.ENTER]
    return [text.strip()] if text.strip() else []
