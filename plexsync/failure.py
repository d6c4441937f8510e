"""A failure before or beside a run, told as its reader asked for: words or a document."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plexsync.console import make_reporter, write_lines
from plexsync.models import Counts, Requests, RunHeader, RunSummary
from plexsync.summary import problem_lines, problem_of

if TYPE_CHECKING:
    from plexsync.console import Shape, Streams
    from plexsync.errors import PlexsyncError


def report_failure(error: PlexsyncError, shape: Shape, streams: Streams) -> None:
    """Tell of a run that never began, or that a bug ended."""
    if not (shape.json or shape.jsonl):
        write_lines(streams.stderr, problem_lines(problem_of(error)))
        return
    now = utc_now()
    reporter = make_reporter(shape, streams, monotonic=time.monotonic)
    reporter.finished(
        RunSummary(
            header=RunHeader(run_id=make_run_id(now), started_at=_stamp(now)),
            finished_at=_stamp(now),
            exit_code=error.exit_code,
            counts=Counts(),
            requests=Requests(),
            error=problem_of(error),
        )
    )
    reporter.close()
    # Who asked for a document and did not get one must hear of it somewhere.
    if reporter.failure and not isinstance(reporter.failure, BrokenPipeError):
        write_lines(streams.stderr, problem_lines(problem_of(error)))


def make_run_id(now: datetime) -> str:
    """A name for a run that sorts by time: `20261122T083254Z-3f9a`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
