"""What stands around any work: the lock, the journal, the summary."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from plexsync import __version__
from plexsync.errors import PlexsyncError, StateError
from plexsync.models import RunHeader
from plexsync.planning.retry_schedule import iso
from plexsync.state import PROPOSED, Lineage, Proposed, RunKind, Session, load_state, open_session
from plexsync.sync.totals import Totals
from plexsync.text.normalize import normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.config.configuration import Config
    from plexsync.output.console import Reporter
    from plexsync.state import State
    from plexsync.sync.ports import Ports, RunOptions


def begun(reporter: Reporter, ports: Ports, options: RunOptions, kind: RunKind) -> Totals:
    """Return the totals of work of a `kind` that begins now."""
    header = RunHeader(
        run_id=ports.run_id,
        started_at=iso(ports.now()),
        dry_run=options.dry_run,
        full=options.full,
        command=kind.value,
        again=" ".join(map(quote, options.to_write)),
    )
    return Totals(reporter, header, detailed=options.detailed_exitcode)


@contextmanager
def concluded(totals: Totals, ports: Ports) -> Iterator[None]:
    """Report how the work within ended; what goes wrong in it is in `totals.ended`, and not raised.

    The reporter's `finished` is always the last thing called.
    """
    error: PlexsyncError | None = None
    try:
        yield
    except PlexsyncError as caught:
        error = caught
    totals.ended = totals.summary(error, ports)
    totals.reporter.finished(totals.ended)


@contextmanager
def remembered(
    config: Config, ports: Ports, options: RunOptions
) -> Iterator[tuple[State, Session | None]]:
    """Open what is remembered, and unless it is a dry run the means to remember more.

    Raises:
        StateLockedError: another run holds the lock.
        StateError: see `load_state`.
    """
    if options.dry_run:
        yield load_state(ports.state_dir, ports.disk), None
        return
    with open_session(
        ports.state_dir,
        now=ports.now(),
        wait_s=options.lock_wait_s,
        keep_days=config.run.keep_days,
        disk=ports.disk,
    ) as session:
        yield session.state, session


@dataclass(slots=True)
class JournalEnd:
    """What the end of a run says in the journal beside its counts.

    Attributes:
        complete: whether everything that was found was handled.
        full: whether every scene was compared.
        newest: the version text up to which all is handled; "" if that stays.
        held: the limit that held something back; the run came to its end even so.
    """

    complete: bool = False
    full: bool = False
    newest: str = ""
    held: PlexsyncError | None = None


@contextmanager
def journaled(
    totals: Totals, ports: Ports, *, session: Session | None, lineage: Lineage
) -> Iterator[JournalEnd]:
    """Give the work within, on the servers of `lineage`, a beginning and an end in the journal."""
    totals.reporter.started(totals.header)
    if session is not None:
        # A dry run is written down nowhere.
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
    if session is not None:
        session.end(
            finished_at=ports.now(),
            exit_code=totals.exit_code(error or end.held),
            counts=totals.counts,
            full=end.full,
            newest_updated_at=end.newest,
            requests=ports.requests(),
            by_library=totals.by_library,
        )
    if error is not None:
        raise error


def note_proposed(
    session: Session, totals: Totals, config: Config, *, all_matched: bool = False
) -> None:
    """Keep the path rules a run proposed for `status`, without those that were followed."""
    before = session.state.decision(PROPOSED, Proposed) or Proposed()
    rules = totals.proposed or (() if all_matched else before.rules)
    followed = {normalize_path(rule.stash) for rule in config.paths}
    now = Proposed(rules=tuple(r for r in rules if normalize_path(r.stash) not in followed))
    if now != before:
        session.decide(PROPOSED, now)
