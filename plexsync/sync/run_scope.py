"""A journaled run around any work: the lock, the right servers, a beginning and an end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from plexsync import __version__
from plexsync.errors import MismatchError, PlexsyncError, StateError
from plexsync.state import Lineage, Session, load_state, open_session
from plexsync.sync.ports import RunOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plexsync.config.configuration import Config
    from plexsync.state import RunKind, State
    from plexsync.sync.ports import Ports
    from plexsync.sync.totals import Totals


@contextmanager
def remembered(
    config: Config, ports: Ports, *, dry_run: bool, lock_wait_s: float
) -> Iterator[tuple[State, Session | None]]:
    """What is remembered, and unless it is a dry run the means to remember more, under the lock.

    Raises:
        StateLockedError: another run holds the lock.
        StateError: see `load_state`.
    """
    if dry_run:
        yield load_state(ports.state_dir, ports.disk), None
        return
    with open_session(
        ports.state_dir,
        now=ports.now(),
        wait_s=lock_wait_s,
        keep_days=config.run.keep_days,
        disk=ports.disk,
    ) as session:
        yield session.state, session


def meet_plex(ports: Ports, totals: Totals, state: State) -> Lineage:
    """Meet Plex, and make sure that the state is about it. Stash is not needed.

    Raises:
        StateMismatchError: the state is about another server.
        ServerError: Plex does not answer.
    """
    for note in state.notes:
        totals.reporter.warn(note)
    plex = ports.plex.connect()
    totals.header = msgspec.structs.replace(totals.header, plex=plex)
    lineage = Lineage(plex=plex.identity, stash=state.lineage.stash)
    state.check_lineage(lineage)
    return lineage


def carry_out(
    work: Callable[[], None],
    ports: Ports,
    totals: Totals,
    session: Session | None,
    *,
    kind: RunKind,
    lineage: Lineage,
    stale: str,
) -> None:
    """Do `work` as a run with a beginning and an end in the journal.

    Args:
        work: tells `totals` what became of each item.
        ports: the world.
        totals: counts.
        session: where the run is written down; None for a dry run.
        kind: what kind of run.
        lineage: the servers that answered.
        stale: what to say if not one item could be done because each is otherwise by now.

    Raises:
        MismatchError: that is so.
        PlexsyncError: the work ended early.
    """
    totals.reporter.started(totals.header)
    if session is not None:
        session.begin(
            run_id=ports.run_id,
            kind=kind,
            started_at=totals.header.started_at,
            lineage=lineage,
            version=__version__,
        )
    error: PlexsyncError | None = None
    try:
        work()
        _check_stale(totals, stale)
    except StateError:
        raise  # nothing more can be written down
    except PlexsyncError as caught:
        error = caught
    if session is not None:
        session.end(
            finished_at=ports.now(),
            exit_code=totals.exit_code(error, RunOptions()),
            counts=totals.counts,
            requests=ports.requests(),
        )
    if error is not None:
        raise error


def _check_stale(totals: Totals, message: str) -> None:
    counts = totals.counts
    done = counts.applied + counts.planned + counts.unchanged + counts.failed
    if not done and (counts.kept or counts.skipped):
        raise MismatchError(message)
