"""What ends a command early: a failure, in words or as a document, and a signal.

Of SIGINT, SIGTERM and SIGHUP the first asks a run to end in order, the second ends it at once.
"""

from __future__ import annotations

import os
import secrets
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from plexsync.errors import ExitCode, PlexsyncError, StateError
from plexsync.models import Counts, Requests, RunHeader, RunSummary, as_problem
from plexsync.output.console import Invocation, is_terminal, make_reporter, print_text, write_errors
from plexsync.output.formats.json_documents import error_document
from plexsync.output.summary import problem_lines, problem_page
from plexsync.planning.retry_schedule import iso

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from plexsync.models import Problem

_CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    # A terminal that is closed ends what runs in it, in good order too.
    signal.SIGHUP: ExitCode.TERMINATED,
}

_LIKE_A_RUN = frozenset({"", "run", "apply", "undo"})
"""Commands with the document of a run; an error before there was a command has it, too."""


def report_failure(error: PlexsyncError, invocation: Invocation) -> None:
    """Tell of a run that never began, or of another command that failed.

    A command that ends in the document of a run does so whatever happens.
    """
    shape, streams = invocation.shape, invocation.streams
    problem = typed_problem(as_problem(error), invocation.typed)
    if not shape.as_document:
        page = (problem_page(problem),) if is_terminal(streams.stderr) else ()
        write_errors(streams.stderr, (*problem_lines(problem), *page))
        return
    if invocation.command not in _LIKE_A_RUN:
        document = error_document(problem, exit_code=error.exit_code)
        try:
            print_text(streams, document.decode())
        except StateError:
            write_errors(streams.stderr, problem_lines(problem))
        return
    now = utc_now()
    reporter = make_reporter(shape, streams)
    reporter.finished(
        RunSummary(
            header=RunHeader(run_id=make_run_id(now), started_at=iso(now)),
            finished_at=iso(now),
            exit_code=error.exit_code,
            counts=Counts(),
            requests=Requests(),
            error=problem,
        )
    )
    reporter.close()
    # Who asked for a document and did not get one must hear of it somewhere.
    if reporter.failure and not isinstance(reporter.failure, BrokenPipeError):
        write_errors(streams.stderr, problem_lines(problem))


def typed_problem(problem: Problem, typed: Callable[[str], str]) -> Problem:
    """Return an error with commands that can be typed as they stand; see `Invocation.typed`."""
    return replace(problem, message=typed(problem.message), hint=typed(problem.hint))


def make_run_id(now: datetime) -> str:
    """Return a name for a run that sorts by time: `20261122T083254Z-3f9a`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def utc_now() -> datetime:
    """Return the time, aware."""
    return datetime.now(UTC)


class StopSignals:
    """Listens while it is open.

    A signal that the process was started to ignore (nohup, a shell's background job) stays
    ignored.

    Args:
        tell: called once, in the handler, when the first signal came.
    """

    def __init__(self, tell: Callable[[], None] = lambda: None) -> None:
        self._tell = tell
        self._code: ExitCode | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        """Install the handlers."""
        for number in _CODES:
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        """Put back what was there."""
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type] # what getsignal gave

    def should_stop(self) -> bool:
        """Whether a signal came. A run asks where it may safely end."""
        return self._code is not None

    def exit_code(self) -> ExitCode:
        """Return what the process ends with because of the first signal."""
        return self._code or ExitCode.INTERRUPTED

    def exit_at_next(self) -> None:
        """From now on a further signal ends the process on the spot, without another word.

        For somebody who keeps pressing Ctrl-C while the last words are being written.
        """
        code = self.exit_code()
        for number in self._before:
            signal.signal(number, lambda _number, _frame: os._exit(code))
        self._before.clear()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._code is not None:
            raise KeyboardInterrupt
        self._code = _CODES[signal.Signals(number)]
        self._tell()
