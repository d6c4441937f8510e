"""What stands around any work: the lock, the journal, and what it adds up to."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from plexsync import __version__
from plexsync.errors import (
    ExitCode,
    InterruptedRunError,
    PlexsyncError,
    StateError,
    most_severe,
)
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
from plexsync.planning.limits import Limits
from plexsync.planning.retry_schedule import Backlog, iso
from plexsync.state import (
    PROPOSED,
    DrySession,
    End,
    Lineage,
    Proposed,
    RunKind,
    Session,
    open_session,
)
from plexsync.text.normalize import rule_folder
from plexsync.text.words import shell_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plexsync.config.configuration import Config
    from plexsync.output.streams import Reporter
    from plexsync.state import State
    from plexsync.sync.ports import Ports, RunOptions


class Totals:
    """Adds up one run and passes its rows on.

    Attributes:
        reporter: what shows the run.
        header: what is known of the run so far.
        counts: how many of everything.
        new_review: LOW matches no earlier run has announced.
        backlog: scenes with a next try in the future.
        left_due: scenes that are due, and left out by `--limit`.
        undone: items that stay as an undo left them, and the scene of the first.
        index: how Plex's listing was had.
        subset: Plex is meant to lack scenes.
        proposed: path rules that would settle some of the rest.
        learned: path rules that certain pairs show, and that others were found by.
        done: pairs that have their outcome.
        held_back: those of them that a safety limit holds back.
        emptied: written items that lose all names of both or one of performers and tags.
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
        self.backlog = Backlog()
        self.left_due = 0
        self.undone, self.undone_scene = 0, ""
        self.index = "none"
        self.proposed: tuple[PathRule, ...] = ()
        self.learned: tuple[PathRule, ...] = ()
        self.subset = False
        self.done = self.held_back = 0
        self.emptied: Counter[str] = Counter()
        self.by_library: Counter[str] = Counter()

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
        written = row.outcome in {Outcome.APPLIED, Outcome.PLANNED}
        if written and (lost := _emptied(row)):
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
        waits = self.counts.review or self.backlog.review
        return ExitCode.ONLY_REVIEW if waits else ExitCode.OK

    def summary(self, error: PlexsyncError | None, ports: Ports) -> RunSummary:
        """How it ended."""
        reasons = Counter(self.backlog.parked.values()).most_common(1)
        return RunSummary(
            header=self.header,
            finished_at=iso(ports.now()),
            exit_code=self.exit_code(error),
            counts=self.counts,
            requests=ports.requests(),
            new_review=self.new_review,
            waiting=self.backlog.count,
            failing=self.backlog.failing,
            parked=len(self.backlog.parked),
            parked_why=reasons[0][0] if reasons else "",
            left_due=self.left_due,
            undone=self.undone,
            undone_scene=self.undone_scene,
            index=self.index,
            emptied=dict(sorted(self.emptied.items())),
            by_library=dict(sorted(self.by_library.items())),
            proposed_rules=self.proposed,
            learned_rules=self.learned,
            subset=self.subset,
            error=as_problem(self._with_what_was_done(error)) if error else None,
        )

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


@contextmanager
def concluded(
    reporter: Reporter, ports: Ports, options: RunOptions, kind: RunKind
) -> Iterator[Totals]:
    """Yield the totals of work of a `kind` that begins now, and report how it ended.

    What goes wrong in it is in `Totals.ended`, and not raised. The reporter's `finished` is always
    the last thing called.
    """
    header = RunHeader(
        run_id=ports.run_id,
        started_at=iso(ports.now()),
        dry_run=options.dry_run,
        full=options.full,
        command=kind.value,
        again=" ".join(map(shell_word, options.to_write)),
    )
    totals = Totals(reporter, header, detailed=options.detailed_exitcode)
    error: PlexsyncError | None = None
    try:
        yield totals
    except PlexsyncError as caught:
        error = caught
    totals.ended = totals.summary(error, ports)
    totals.reporter.finished(totals.ended)


class RunScope(msgspec.Struct, frozen=True, kw_only=True):
    """What any work has from its beginning to its end.

    Args:
        config: the configuration.
        options: what the command line asks.
        ports: the world.
        totals: takes the rows.
        session: where the work is written down.
        save: takes an item a dry run would write, and its outcomes; None for nobody.
    """

    config: Config
    options: RunOptions
    ports: Ports
    totals: Totals
    session: Session
    save: Callable[..., None] | None = None

    @property
    def state(self) -> State:
        """What earlier runs remember, and this one so far."""
        return self.session.state

    def limits(self) -> Limits:
        """Return how much is too much; the command line may say so for one run."""
        apply, most = self.config.apply, self.options.max_changes
        return Limits(
            max_changes=apply.max_changes if most is None else most,
            max_clears=apply.max_clears,
            max_share=apply.max_share,
        )


@contextmanager
def remembered(
    config: Config, options: RunOptions, ports: Ports, totals: Totals
) -> Iterator[RunScope]:
    """Open what is remembered, and unless it is a dry run the means to remember more.

    Raises:
        StateLockedError: another run holds the lock.
        StateError: see `load_state`.
    """
    scope = partial(RunScope, config=config, options=options, ports=ports, totals=totals)
    if options.dry_run:
        yield scope(session=DrySession(ports.state_dir, disk=ports.disk))
        return
    with open_session(
        ports.state_dir,
        now=ports.now(),
        wait_s=options.lock_wait_s,
        keep_days=config.run.keep_days,
        disk=ports.disk,
    ) as session:
        yield scope(session=session)


class JournalEnd(msgspec.Struct):
    """What the end of a run says in the journal beside its counts.

    Attributes:
        complete: whether everything that was found was handled.
        full: whether every scene was compared.
        newest: the version text up to which all is handled; "" if that stays.
        limit: what held something back; the run came to its end even so.
    """

    complete: bool = False
    full: bool = False
    newest: str = ""
    limit: PlexsyncError | None = None


@contextmanager
def journaled(scope: RunScope, lineage: Lineage) -> Iterator[JournalEnd]:
    """Give the work within, on the servers of `lineage`, a beginning and an end in the journal."""
    ports, totals, session = scope.ports, scope.totals, scope.session
    totals.reporter.started(totals.header)
    session.begin(
        run_id=ports.run_id,
        kind=RunKind(totals.header.command),
        started_at=totals.header.started_at,
        lineage=lineage,
        version=__version__,
    )
    end, error = JournalEnd(), None
    try:
        yield end
    except StateError:
        raise  # nothing more can be written down
    except PlexsyncError as caught:
        error = caught
    how = End(
        exit_code=totals.exit_code(error or end.limit),
        counts=totals.counts,
        full=end.full,
        newest_updated_at=end.newest,
        requests=ports.requests(),
        by_library=dict(totals.by_library),
    )
    session.end(ports.now(), how)
    if error is not None:
        raise error


def note_proposed(scope: RunScope, *, all_matched: bool = False) -> None:
    """Keep the path rules a run proposed for `status`, without those that were followed."""
    before = scope.state.decision(PROPOSED, Proposed) or Proposed()
    rules = scope.totals.proposed or (() if all_matched else before.rules)
    followed = {rule_folder(rule.stash) for rule in scope.config.paths}
    now = Proposed(rules=tuple(r for r in rules if rule_folder(r.stash) not in followed))
    if now != before:
        scope.session.decide(PROPOSED, now)


def _emptied(row: MatchRow) -> str:
    """Return which lists lose all of their names: `performers and tags`, one of them, or ""."""
    emptied = [one.field for one in row.changes if one.after == () and one.before]
    if not emptied:
        return ""
    names = {name for field in emptied for name in field.split(FIELD_SEPARATOR)}
    return " and ".join(name for name in ("performers", "tags") if name in names)
