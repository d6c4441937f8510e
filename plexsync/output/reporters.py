"""Reporters for runs that no person watches: pipes, cron, JSON, JSON lines.

A reporter never stops a run: when its reader goes away (`| head`) it falls silent, when its disk
is full it remembers the error for the end. See `terminal.py` for the one people watch.
Source: docs/contract.md, "Output".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from plexsync.errors import ExitCode, StateError, most_severe
from plexsync.models import MatchRow, Outcome, Preview, RunHeader, RunSummary, as_problem
from plexsync.output.formats import json_documents as json_report
from plexsync.output.formats import tsv as lines
from plexsync.output.outages import Notice, Outages
from plexsync.output.streams import PLAIN, Meter, Priority, Reporter, Shape, Sink, Spool
from plexsync.output.summary import (
    cost_sentence,
    is_worth_a_mail,
    next_steps,
    outcome_sentence,
    problem_lines,
    servers_sentence,
    warning_line,
)
from plexsync.text.words import without_ids


@dataclass
class StreamReporter(Reporter):
    """What reporters on streams have in common: warnings on stderr, progress where it is watched.

    Args:
        out: stdout.
        err: stderr, for words.
        shape: how quiet or verbose to be.
        meter: where progress is shown, when stderr is a terminal.
    """

    out: Sink
    err: Sink
    shape: Shape = PLAIN
    meter: Meter = field(default_factory=Meter)

    @property
    def failure(self) -> OSError | None:
        """Why output is missing; None when all was written."""
        return self.out.failure

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """Pass it on to the meter."""
        self.meter.step(phase, done, total)

    def warn(self, message: str) -> None:
        """Say it on stderr."""
        if not self.shape.quiet:
            self.meter.clear()
            self.err.write_line(warning_line(message), Priority.WARNING)

    def close(self) -> None:
        """Take the bar off the screen."""
        self.meter.clear()

    def _line(self, row: MatchRow, *, others: int = 0) -> bytes:
        """Return a row's line, with its evidence where that was asked for."""
        return lines.row_line(row, evidence=self.shape.verbosity > 1, others=others).encode()

    def _write_end(self, summary: RunSummary) -> None:
        """Print what went wrong, then what was done and what can be done next."""
        for line in problem_lines(summary.error) if summary.error else ():
            self.err.write_line(line, Priority.ERROR)
        if self.shape.quiet:
            return
        if sentence := outcome_sentence(summary):
            self.err.write_line(sentence)
        for note in next_steps(summary):
            self.err.write_line(note.text)
            for line in note.code:
                self.err.write_line(f"    {line}")
        if self.shape.verbosity > 0:
            self.err.write_line(cost_sentence(summary))


@dataclass
class PipeReporter(StreamReporter):
    """One tab-separated line per row that is not unchanged; words for people go to stderr.

    Args:
        out: stdout.
        err: stderr.
        shape: quiet prints no lines; verbosity 1 also the servers and the requests, 2 also the
            evidence of each row.
        meter: where progress is shown, when stderr is a terminal.
        polite: no bar from the first line on. Who reads the lines may show them on the screen the
            bar is on, where each would overwrite the other.
        named: scenes were asked for by their ids, so that each has a line, unchanged or not.
    """

    polite: bool = False
    named: bool = False

    def started(self, header: RunHeader) -> None:
        """Print the servers to stderr if that was asked for."""
        if self.shape.verbosity > 0:
            self.err.write_line(servers_sentence(header))

    def row(self, row: MatchRow) -> None:
        """Write the row's line."""
        if (self.named or lines.is_worth_a_line(row)) and not self.shape.quiet:
            if self.polite:
                self.meter.clear()
                self.meter = Meter()
            self.out.write(self._line(row) + b"\n")

    def finished(self, summary: RunSummary) -> None:
        """Say on stderr how it ended."""
        self.meter.clear()
        self.out.flush()
        self._write_end(summary)


@dataclass
class CronReporter(StreamReporter):
    """Silence, unless something changed, is newly LOW, or failed; then words and lines.

    Args:
        out: stdout, for the same lines a pipe gets; LOW ones only if one of them is new, and one
            for all scenes that failed or were skipped for the same reason.
        err: stderr, for the words.
        shape: quiet prints only errors; verbose is never silent, and also says what it took;
            verbosity 2 adds the evidence of each row.
        outages: says whether a failure was reported before; None: none was.
    """

    outages: Outages | None = None
    _rows: Spool = field(default_factory=Spool)
    _waiting: Spool = field(default_factory=Spool)
    _warnings: Spool = field(default_factory=Spool)
    _alike: dict[tuple[Outcome, str], tuple[MatchRow, int]] = field(default_factory=dict)

    @property
    def failure(self) -> OSError | None:
        """Why lines are missing; None when all were written."""
        return self.out.failure or self._rows.failure or self._waiting.failure

    def row(self, row: MatchRow) -> None:
        """Keep the row's line until it is known whether anybody needs to hear of it."""
        if self.shape.quiet:
            return
        if row.outcome in {Outcome.FAILED, Outcome.SKIPPED}:
            why = row.error.message if row.error else row.reason
            cause = row.outcome, without_ids(why)
            first, others = self._alike.get(cause, (row, -1))
            self._alike[cause] = first, others + 1
        elif lines.is_worth_a_line(row):
            spool = self._waiting if row.outcome is Outcome.REVIEW else self._rows
            spool.add(self._line(row))

    def warn(self, message: str) -> None:
        """Keep it, too."""
        if not self.shape.quiet:
            self._warnings.add(warning_line(message).encode())

    def finished(self, summary: RunSummary) -> None:
        """Decide, and tell."""
        notice = self.outages.end(summary) if self.outages else Notice()
        if self.shape.verbosity > 0 or is_worth_a_mail(summary, known_failure=not notice.news):
            if not self.shape.quiet:
                self._write_rows(all_low=self.shape.verbosity > 0 or summary.new_review > 0)
            self._write_end(summary)
        if notice.over and not self.shape.quiet:
            self.err.write_line(warning_line(notice.over))

    def close(self) -> None:
        """Give the files back."""
        for spool in (self._rows, self._waiting, self._warnings):
            spool.close()

    def _write_rows(self, *, all_low: bool) -> None:
        for line in self._warnings:
            self.err.write_line(line.decode(), Priority.WARNING)
        self._rows.copy_to(self.out)
        for row, others in self._alike.values():
            self.out.write(self._line(row, others=others) + b"\n")
        if all_low:
            self._waiting.copy_to(self.out)
        self.out.flush()


@dataclass
class JsonReporter(StreamReporter):
    """One document on stdout when the run is over, whatever happened.

    Args:
        out: stdout.
        err: stderr, for warnings.
        shape: quiet prints no warnings.
        meter: where progress is shown, when stderr is a terminal.
    """

    _rows: Spool = field(default_factory=Spool)

    @property
    def failure(self) -> OSError | None:
        """Why rows are missing; None when all were written."""
        return self.out.failure or self._rows.failure

    def row(self, row: MatchRow) -> None:
        """Keep the row for the document."""
        self._rows.add(json_report.match_json(row))

    def finished(self, summary: RunSummary) -> None:
        """Write the document."""
        self.meter.clear()
        lost = self._rows.failure
        whole = _with_lost_rows(summary, lost) if lost else summary
        for piece in json_report.run_document(whole, () if lost else self._rows):
            self.out.write(piece)
        self.out.flush()

    def close(self) -> None:
        """Take the bar off the screen, give the file back."""
        super().close()
        self._rows.close()


@dataclass
class JsonlReporter(Reporter):
    """One event a line on stdout, as it happens.

    Args:
        out: stdout.
    """

    out: Sink
    _started: bool = False

    @property
    def failure(self) -> OSError | None:
        """Why output is missing; None when all was written."""
        return self.out.failure

    def started(self, header: RunHeader) -> None:
        """Write the event."""
        self._started = True
        self._send(json_report.started_event(header))

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """Write the event; nothing before the one that names the run."""
        if self._started:
            self._send(json_report.progress_event(phase, done, total))

    def preview(self, preview: Preview) -> None:
        """Write the totals."""
        self._send(json_report.preview_event(preview))

    def row(self, row: MatchRow) -> None:
        """Write the event."""
        self._send(json_report.match_event(row))

    def warn(self, message: str) -> None:
        """Write the event."""
        self._send(json_report.warning_event(message))

    def finished(self, summary: RunSummary) -> None:
        """Write the event."""
        self._send(json_report.finished_event(summary))

    def _send(self, line: bytes) -> None:
        self.out.write(line)
        self.out.flush()


# ---- Private -------------------------------------------------------------------------------------


def _with_lost_rows(summary: RunSummary, cause: OSError) -> RunSummary:
    """Return the summary of a failure: a document that lacks rows must not look like a good one."""
    error = StateError(
        f"the rows of the report could not be kept: {cause.strerror or cause}",
        hint="Free space for temporary files, or set TMPDIR; plexsync status has the run.",
    )
    code = most_severe((ExitCode(summary.exit_code), error.exit_code))
    return msgspec.structs.replace(summary, error=as_problem(error), exit_code=int(code))
