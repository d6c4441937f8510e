"""A failure before or beside a run, in the form its reader asked for: words or a document."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plexsync.errors import StateError
from plexsync.models import Counts, Requests, RunHeader, RunSummary, as_problem
from plexsync.output.console import is_terminal, make_reporter, print_text, write_errors
from plexsync.output.formats.json_documents import error_document
from plexsync.output.summary import problem_lines, problem_page
from plexsync.planning.retry_schedule import iso

if TYPE_CHECKING:
    from plexsync.errors import PlexsyncError
    from plexsync.output.console import Invocation


_LIKE_A_RUN = frozenset({"", "run", "apply", "undo"})
"""Commands whose document is that of a run; an error before there was a command has it, too."""


def report_failure(error: PlexsyncError, invocation: Invocation) -> None:
    """Tell of a run that never began, or of another command that failed.

    A command that ends in the document of a run does so whatever happens.
    """
    shape, streams, problem = invocation.shape, invocation.streams, as_problem(error)
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
    reporter = make_reporter(shape, streams, monotonic=time.monotonic)
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


def make_run_id(now: datetime) -> str:
    """Return a name for a run that sorts by time: `20261122T083254Z-3f9a`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def utc_now() -> datetime:
    """Return the time, aware."""
    return datetime.now(UTC)
