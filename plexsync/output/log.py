"""A log beside the output: the same events in a file of its own, for machines and for later.

    2026-11-29T15:04:05Z WARNING Plex lists 3 files Stash does not have.
    {"time": "2026-11-29T15:04:05Z", "level": "warning", "event": "warning", "message": "..."}

The file is rotated by size. A log that cannot be written stops no run: the first error is kept for
the end. Source: docs/output.md, "Log files"; the Python documentation, logging.handlers.
"""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from plexsync.errors import PlexsyncError, StateError
from plexsync.models import MatchRow, Outcome, Preview, RunHeader, RunSummary, as_problem
from plexsync.output.formats import json_documents, tsv
from plexsync.output.streams import Reporter
from plexsync.output.summary import outcome_sentence, problem_lines, servers_sentence
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.output.console import LogOptions

_MOST_BYTES = 10_000_000
"""A file that would grow beyond this is kept as `FILE.1`, and a new one begun."""

_KEPT = 5
"""How many full files are kept, `FILE.5` being the oldest."""

_LEVELS = {
    Outcome.FAILED: logging.ERROR,
    Outcome.REVIEW: logging.WARNING,
    Outcome.SKIPPED: logging.WARNING,
    Outcome.UNMATCHED: logging.WARNING,
    Outcome.UNCHANGED: logging.DEBUG,
    Outcome.IGNORED: logging.DEBUG,
}
"""The level of a row by its outcome; INFO unless named."""


@contextmanager
def logged(reporter: Reporter, options: LogOptions) -> Iterator[Reporter]:
    """Let `reporter` write a log, too.

    An error that ends the run before it could report is logged as well.

    Raises:
        StateError: the log file cannot be opened.
    """
    log = Log(options)
    try:
        yield LoggingReporter(reporter, log)
    except PlexsyncError as error:
        problem = as_problem(error)
        event = json_documents.error_event(problem, exit_code=error.exit_code)
        log.write(logging.ERROR, " ".join(problem_lines(problem)), event)
        raise
    finally:
        log.close()


class Log(RotatingFileHandler):
    """A log file, in words or in JSON lines, that keeps its first error instead of printing it.

    Args:
        options: which file, and how.

    Raises:
        StateError: the file cannot be opened.

    Attributes:
        failure: the first error while writing; None when there was none.
    """

    def __init__(self, options: LogOptions) -> None:
        self.failure: OSError | None = None
        self._json = options.json
        file = options.file
        try:
            super().__init__(file, maxBytes=_MOST_BYTES, backupCount=_KEPT, encoding="utf-8")
        except OSError as error:
            raise StateError(
                f"the log file cannot be opened: {error.strerror or error}",
                context=f"--log-file {file}",
                hint="Name a file in a folder you may write to: --log-file FILE.",
            ) from error
        self.setLevel(options.level.upper())

    def write(self, level: int, words: str, event: bytes) -> None:
        """Write one event.

        Args:
            level: of the module `logging`.
            words: what happened, for a person.
            event: the same as a line of `--jsonl`.
        """
        if level >= self.level:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            name = logging.getLevelName(level)
            if self._json:
                head = f'{{"time": "{stamp}", "level": "{name.lower()}", '
                line = head + event.decode().removeprefix("{").rstrip("\n")
            else:
                line = f"{stamp} {name} {words}"
            self.handle(logging.makeLogRecord({"msg": line}))

    def close(self) -> None:
        """Close the file; what waited in memory may still find the disk full."""
        try:
            super().close()
        except OSError as error:
            self.failure = self.failure or error

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - as logging calls it
        """Keep the error that is being handled; others are bugs and go on."""
        error = sys.exception()
        if not isinstance(error, OSError):
            raise  # noqa: PLE0704 - logging calls this while it handles the error
        self.failure = self.failure or error


class LoggingReporter(Reporter):
    """A reporter that also writes every event to a log.

    Args:
        reporter: what shows the run.
        log: the log.
    """

    def __init__(self, reporter: Reporter, log: Log) -> None:
        self._reporter, self._log = reporter, log

    @property
    def failure(self) -> OSError | None:
        """The first error of the reporter, or else of the log."""
        return self._reporter.failure or self._log.failure

    def started(self, header: RunHeader) -> None:
        """Log the servers."""
        words = f"Run {header.run_id} started: {servers_sentence(header)}"
        self._log.write(logging.INFO, words, json_documents.started_event(header))
        self._reporter.started(header)

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """Pass it on; a log is no meter."""
        self._reporter.progress(phase, done, total)

    def preview(self, preview: Preview) -> None:
        """Log how many matches there are."""
        words = (
            f"Matched: {preview.high_total} HIGH, {preview.low_total} LOW, "
            f"{preview.unmatched_total} without a candidate."
        )
        self._log.write(logging.INFO, words, json_documents.preview_event(preview))
        self._reporter.preview(preview)

    def row(self, row: MatchRow) -> None:
        """Log the row, with the columns a pipe gets."""
        level = _LEVELS.get(row.outcome, logging.INFO)
        self._log.write(level, tsv.row_line(row), json_documents.match_event(row))
        self._reporter.row(row)

    def warn(self, message: str) -> None:
        """Log the warning."""
        words = clean_for_terminal(message)
        self._log.write(logging.WARNING, words, json_documents.warning_event(message))
        self._reporter.warn(message)

    def finished(self, summary: RunSummary) -> None:
        """Log how it ended."""
        ended = outcome_sentence(summary)
        failed = problem_lines(summary.error) if summary.error else ()
        words = " ".join((*failed, ended, f"Exit code {summary.exit_code}."))
        level = logging.ERROR if summary.error else logging.INFO
        self._log.write(level, words, json_documents.finished_event(summary))
        self._reporter.finished(summary)

    def close(self) -> None:
        """Pass it on."""
        self._reporter.close()
