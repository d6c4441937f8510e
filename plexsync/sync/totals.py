"""What a run adds up on its way: counts, exit code, summary."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from plexsync.errors import ExitCode, InterruptedRunError, PlexsyncError, most_severe
from plexsync.models import (
    FIELD_SEPARATOR,
    Confidence,
    Counts,
    MatchRow,
    Outcome,
    PathRule,
    RunHeader,
    RunSummary,
    as_problem,
)
from plexsync.planning.retry_schedule import iso

if TYPE_CHECKING:
    from plexsync.models import SceneId
    from plexsync.output.console import Reporter
    from plexsync.sync.ports import Ports


class Totals:
    """Adds up one run and passes its rows on.

    Attributes:
        reporter: what shows the run.
        header: what is known of the run so far.
        counts: how many of everything.
        new_review: LOW matches no earlier run has announced.
        waiting: scenes whose next try lies in the future.
        review_waiting: those among them that wait for a person.
        failing: waiting scenes that failed.
        parked: scenes no run tries again before the next full one, each with its problem.
        index: how Plex's listing was had.
        subset: Plex is meant to lack scenes.
        proposed: path rules that would settle some of the rest.
        learned: path rules that certain pairs show, and that others were found by.
        done: pairs that have their outcome.
        emptied: items that lose all names of both or one of performers and tags.
        by_library: rows that were written, by the title of their library.
        ended: how it ended; there once the work is behind us.

    Args:
        reporter: what shows the run.
        header: what is known of the run so far.
        detailed: say by exit code whether there were changes.
    """

    ended: RunSummary

    def __init__(self, reporter: Reporter, header: RunHeader, *, detailed: bool = False) -> None:
        self._detailed = detailed
        self.reporter = reporter
        self.header = header
        self.counts = Counts()
        self.new_review = 0
        self.waiting = 0
        self.review_waiting = 0
        self.failing = 0
        self.parked: dict[SceneId, str] = {}
        self.index = "none"
        self.proposed: tuple[PathRule, ...] = ()
        self.learned: tuple[PathRule, ...] = ()
        self.subset = False
        self.done = 0
        self.emptied: Counter[str] = Counter()
        self.by_library: Counter[str] = Counter()

    def note_detected(self, *, read: int, due: int, waiting: int, review_waiting: int) -> None:
        """Count what a look at Stash found."""
        self.counts.scenes_read = read
        self.counts.scenes_due = due
        self.waiting = waiting
        self.review_waiting = review_waiting

    def emit(self, row: MatchRow) -> None:
        """Count a row that has its outcome, and show it."""
        counts = self.counts
        counts.high += row.confidence is Confidence.HIGH and not (row.is_collection or row.is_show)
        counts.low += row.confidence is Confidence.LOW
        name = row.outcome.value
        if name in counts.__struct_fields__:
            setattr(counts, name, getattr(counts, name) + 1)
        if row.outcome is Outcome.APPLIED and row.item is not None:
            self.by_library[row.item.library] += 1
        counts.by_hand += len(row.by_hand)
        if lost := _emptied(row):
            self.emptied[lost] += 1
        self.done += row.item is not None and row.outcome is not Outcome.REVIEW
        self.reporter.row(row)

    def exit_code(self, error: PlexsyncError | None) -> ExitCode:
        """Return what the process ends with, the most severe of all that happened."""
        codes = [error.exit_code] if error else []
        if self.counts.failed:
            codes.append(ExitCode.SOME_FAILED)
        code = most_severe(codes)
        if code is not ExitCode.OK or not self._detailed:
            return code
        if self.counts.planned or self.counts.applied:
            return ExitCode.CHANGES
        waits = self.counts.review or self.review_waiting
        return ExitCode.ONLY_REVIEW if waits else ExitCode.OK

    def summary(self, error: PlexsyncError | None, ports: Ports) -> RunSummary:
        """How it ended."""
        return RunSummary(
            header=self.header,
            finished_at=iso(ports.now()),
            exit_code=self.exit_code(error),
            counts=self.counts,
            requests=ports.requests(),
            new_review=self.new_review,
            waiting=self.waiting,
            failing=self.failing,
            parked=len(self.parked),
            parked_why=self._why_parked(),
            index=self.index,
            emptied=dict(sorted(self.emptied.items())),
            by_library=dict(sorted(self.by_library.items())),
            proposed_rules=self.proposed,
            learned_rules=self.learned,
            subset=self.subset,
            error=as_problem(self._with_what_was_done(error)) if error else None,
        )

    def _why_parked(self) -> str:
        """Return the reason most parked scenes have."""
        reasons = Counter(self.parked.values()).most_common(1)
        return reasons[0][0] if reasons else ""

    def _with_what_was_done(self, error: PlexsyncError) -> PlexsyncError:
        """Return the error; an interruption says how much was written until then."""
        if not isinstance(error, InterruptedRunError):
            return error
        written = self.counts.applied
        if self.header.dry_run:
            after = "a dry run writes nothing"
        elif not written:
            after = "nothing was written yet"
        else:
            after = f"{written:,} written, the rest waits for the next run"
        return InterruptedRunError(error.exit_code, after=after)


def _emptied(row: MatchRow) -> str:
    """Return which lists lose all of their names: `performers and tags`, one of them, or ""."""
    emptied = [one.field for one in row.changes if one.after == () and one.before]
    if not emptied:
        return ""
    names = {name for field in emptied for name in field.split(FIELD_SEPARATOR)}
    return " and ".join(name for name in ("performers", "tags") if name in names)
