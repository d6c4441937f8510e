"""The reporter a person watches: tables and summary on stdout, progress bars on stderr."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from plexsync.models import MatchRow, Outcome, Preview, RunHeader, RunSummary
from plexsync.output import tables as report
from plexsync.output.streams import Meter, Reporter, Shape
from plexsync.output.summary import (
    cost_sentence,
    next_steps,
    outcome_sentence,
    problem_lines,
    problem_page,
    servers_sentence,
    warning_line,
)
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import folded

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType
    from rich.progress import TaskID


_REDRAW_EVERY_S = 0.1
_BAR_COLUMNS = 30


class Bars(Meter):
    """A progress bar that is gone when its phase is over.

    Nothing ticks by itself: a bar is redrawn when a step comes in and the last drawing is
    `_REDRAW_EVERY_S` old, so 100,000 steps cost no more than the seconds they take.

    Args:
        console: on stderr.
        monotonic: the clock, in seconds.
    """

    def __init__(self, console: Console, monotonic: Callable[[], float]) -> None:
        self._console, self._monotonic = console, monotonic
        self._bar: tuple[Progress, TaskID] | None = None
        self._phase = ""
        self._counted = False
        self._drawn_at = 0.0

    def step(self, phase: str, done: int, total: int | None) -> None:
        """Draw the bar of `phase`, in place of the one before."""
        now = self._monotonic()
        counted = bool(done or total)
        if phase != self._phase or counted != self._counted:
            self.clear()
        elif now - self._drawn_at < _REDRAW_EVERY_S:
            return
        self._phase, self._counted = phase, counted
        self._drawn_at = now
        progress, task = self._bar = self._bar or self._open(phase, counted=counted)
        progress.update(task, completed=done, total=total)
        progress.refresh()

    def clear(self) -> None:
        """Take the bar off the screen; the next step draws it again."""
        if self._bar:
            self._bar[0].stop()
            self._bar = None

    def _open(self, phase: str, *, counted: bool) -> tuple[Progress, TaskID]:
        bar = (BarColumn(bar_width=_BAR_COLUMNS), MofNCompleteColumn(), TimeRemainingColumn())
        progress = Progress(
            TextColumn("{task.description}" if counted else "{task.description} ...", markup=False),
            *(bar if counted else ()),
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        progress.start()
        words = clean_for_terminal(phase[:1].upper() + phase[1:])
        return progress, progress.add_task(words, total=None)


@dataclass
class TerminalReporter(Reporter):
    """Tables before the first write, a line per row with `-v`, a summary at the end.

    Args:
        out: a console on stdout.
        err: a console on stderr.
        shape: quiet shows only errors and failed scenes; verbosity 1 shows every row as it ends, 2
            also the evidence.
        meter: where progress is shown.
        rows: how many of each table are shown before the first write; 0 shows no table.

    Attributes:
        failure: why something was not shown; None when all was.
    """

    out: Console
    err: Console
    shape: Shape
    meter: Meter
    rows: int = report.MOST_ROWS
    failure: OSError | None = None
    _dry_run: bool = False
    _failed: list[MatchRow] = field(default_factory=list)
    _failed_total: int = 0

    def started(self, header: RunHeader) -> None:
        """Say who is read and who is written."""
        self._dry_run = header.dry_run
        self._say(Text(servers_sentence(header), style="dim", overflow="fold"))

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """Move the bar."""
        self.meter.step(phase, done, total)

    def preview(self, preview: Preview) -> None:
        """Show both tables."""
        if not self.rows or not (preview.high_total or preview.low_total):
            return
        self._say(Text(""))
        self._say(
            report.preview_view(
                preview,
                width=self.out.width,
                dry_run=self._dry_run,
                verbose=self.shape.verbosity > 0,
                rows=self.rows,
            )
        )

    def row(self, row: MatchRow) -> None:
        """Remember a failed row; with `-v` show each."""
        if row.outcome is Outcome.FAILED:
            self._failed_total += 1
            if len(self._failed) < report.MOST_ROWS:
                self._failed.append(row)
        if self.shape.verbosity > 0:
            self._say(report.row_block(row, evidence=self.shape.verbosity > 1))

    def warn(self, message: str) -> None:
        """Say it on stderr."""
        if not self.shape.quiet:
            self._complain(warning_line(message), "yellow")

    def finished(self, summary: RunSummary) -> None:
        """Show what failed, what was done, and what can be done next."""
        self.meter.clear()
        if self._failed:
            self._say(Text(""))
            table = report.failed_table(
                self._failed, total=self._failed_total, width=self.out.width
            )
            self._print(self.err if self.shape.quiet else self.out, table)
        if sentence := outcome_sentence(summary):
            self._say(Text(""))
            self._say(Text(sentence, style="bold"))
        for note in next_steps(summary):
            self._say(Text(note.text))
            for line in note.code:
                self._say(Text(f"    {line}"), copyable=True)
        if sentence or self.shape.verbosity > 0:
            line = cost_sentence(summary, verbose=self.shape.verbosity > 0)
            self._say(Text(line, style="dim"))
        if summary.error:
            page = (problem_page(summary.error),) if self.err.is_terminal else ()
            for line in (*problem_lines(summary.error), *page):
                self._complain(line, "bold red" if line[0] != " " else "")

    def close(self) -> None:
        """Take the bar off the screen."""
        self.meter.clear()

    def _complain(self, line: str, style: str) -> None:
        for piece in folded(line, self.err.width):
            self._print(self.err, Text(piece, style=style))

    def _say(self, what: RenderableType, *, copyable: bool = False) -> None:
        if not self.shape.quiet:
            self._print(self.out, what, copyable=copyable)

    def _print(self, console: Console, what: RenderableType, *, copyable: bool = False) -> None:
        """Print on a screen without a bar on it; a terminal that went away must not stop a run."""
        try:
            self.meter.clear()
            console.print(what, soft_wrap=copyable)
        except OSError as error:
            self.failure = self.failure or error
