"""`plexsync review` in a terminal: from the first screen to what becomes of the answers."""

from __future__ import annotations

import gc
import os
import signal
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click
from rich.text import Text

from plexsync.errors import ConfigError, ExitCode, InterruptedRunError
from plexsync.output.console import is_terminal, make_console
from plexsync.review.context import open_review, run_accepted
from plexsync.review.interfaces import Ending, Mode
from plexsync.review.selection import NOTHING_WAITS
from plexsync.review.terminal.application import show_review
from plexsync.sync.ports import RunOptions
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from rich.console import Console

    from plexsync.output.console import Invocation
    from plexsync.review.context import ReviewContext
    from plexsync.review.machine import Review
    from plexsync.review.terminal.pictures import TerminalPictures


def review_by_keys(invocation: Invocation, *, pictures: bool) -> int:
    """Run `plexsync review` without a subcommand; return the exit code of the run, if one follows.

    Raises:
        ConfigError: there is no terminal.
        StateError: what is remembered cannot be read or written.
    """
    if invocation.shape.as_document:
        raise click.UsageError("Keys have no JSON; plexsync review list --json has.")
    streams = invocation.streams
    stdin = streams.stdin
    if stdin is None or not (is_terminal(stdin) and is_terminal(streams.stdout)):
        raise ConfigError(
            "a review by keys needs a terminal",
            hint="plexsync review list shows what waits; review -h names the other commands",
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
        review = context.review()
        with _ends_well(console, review), _pictures(pictures, review, context, console) as drawn:
            show_review(review, context, console, stdin=stdin, pictures=drawn)
            while review.ending is Ending.PLAN:
                context.answers.release_lock()
                # What a run would write is shown, and the review goes on below it.
                console.print("\n")
                run_accepted(invocation, RunOptions(dry_run=True, scenes=review.accepted))
                review.ending, review.mode = None, Mode.END
                show_review(review, context, console, stdin=stdin, below=True)
    if review.ending is Ending.WRITE:
        console.print("\n")
        return run_accepted(invocation, RunOptions(scenes=review.accepted))
    _say_kept(console, review)
    return ExitCode.OK


# ---- Pictures ------------------------------------------------------------------------------------


@contextmanager
def _pictures(
    wanted: bool,  # noqa: FBT001 - from one place
    review: Review,
    context: ReviewContext,
    console: Console,
) -> Iterator[TerminalPictures | None]:
    """Yield what draws covers; None where nobody wants them, or the terminal or we cannot."""
    make = None
    if wanted and find_spec("textual_image") is not None:
        from plexsync.review.terminal.pictures import TerminalPictures, picture_maker  # noqa: PLC0415 - an extra

        make = picture_maker(os.environ, console)
    if make is None:
        yield None
        return
    with closing(TerminalPictures(make, context.servers, review.queue, console)) as pictures:
        yield pictures


# ---- Ending --------------------------------------------------------------------------------------


@contextmanager
def _ends_well(console: Console, review: Review) -> Iterator[None]:
    """Say that nothing is lost, however the review is cut off."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise InterruptedRunError(ExitCode.TERMINATED)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError):
        _say_kept(console, review)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_kept(console: Console, review: Review) -> None:
    answered = len(review.given.answered)
    # A terminal that is gone took whoever would read this with it.
    with suppress(OSError):
        console.print("\n")
        if answered:
            scenes = counted(answered, "scene is", "scenes are")
            console.print(Text(f"{scenes} answered, and every answer is kept."))
        if review.accepted:
            console.print(Text("To write what was accepted:"))
            console.print(Text("    plexsync run"))
        if review.left:
            console.print(Text(f"{review.left:,} still wait."))
