"""What a run writes beside the items of scenes, past the same limits: collections, shows, seasons.

All of it is decided before the first of it is written, so that a limit can hold some of it back and
a person can say no.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from plexsync.errors import DeclinedError
from plexsync.models import Outcome, Preview
from plexsync.sync.execution.executor import PREVIEW_ROWS
from plexsync.sync.execution.reader import READ_BATCH
from plexsync.sync.execution.work import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.errors import UnsafeError
    from plexsync.planning.equality import PlexEquality
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.executor import Executor
    from plexsync.sync.execution.work import Ready, WorkItem


class ChargingOutcomes(Outcomes, Protocol):
    """Outcomes that charge what failed by its own fault."""

    def charge(self, nouns: str, /) -> None:
        """Charge it with a try, and say what is parked by that; `nouns` are several of them."""


class LimitedWriter:
    """Carries out work that is decided as a whole.

    Args:
        run: what the run is about.
        executor: reads and writes.
        outcomes: takes what is held back, and charges what failed.
        equality: says what is ours.
        noun: what is written, for people: "collection".
    """

    def __init__(
        self,
        run: RunContext,
        executor: Executor,
        outcomes: ChargingOutcomes,
        equality: PlexEquality,
        *,
        noun: str,
    ) -> None:
        self._run = run
        self._executor = executor
        self._outcomes = outcomes
        self._equality = equality
        self._noun = noun

    def write(self, items: Iterable[WorkItem], *, synced: int) -> UnsafeError | None:
        """Carry items out, and return the limit that held some of them back.

        Args:
            items: the work.
            synced: how many of their kind were written before.

        Raises:
            ServerError: a server is down, or refuses us.
            DeclinedError: a person was asked and declined.
            InterruptedRunError: asked to stop.
        """
        try:
            return self._write(items, synced)
        finally:
            self._outcomes.charge(f"{self._noun}s")

    def _write(self, items: Iterable[WorkItem], synced: int) -> UnsafeError | None:
        ready = [one for batch in self._executor.ready(items) for one in batch]
        held, ready = self._hold_back(ready, synced)
        if ready and self._run.options.ask:
            self._ask(ready)
        starts = range(0, len(ready), READ_BATCH)
        self._executor.write_all(ready[start : start + READ_BATCH] for start in starts)
        return held

    def _hold_back(
        self, ready: Sequence[Ready], synced: int
    ) -> tuple[UnsafeError | None, list[Ready]]:
        """Finish what a limit holds back; return the error, and what is left."""
        clearing = [one for one in ready if one.clears]
        losing = [one for one in ready if one.clears or one.is_loss(self._equality)]
        passed = self._run.limits().passed(losses=len(losing), clears=len(clearing), synced=synced)
        if not passed or self._run.options.force:
            return None, list(ready)
        stopped = {id(one) for one in losing}
        for one in losing:
            note = f"held back by the limit {passed[0].key}"
            self._outcomes.finish(one.pair, Outcome.SKIPPED, changes=one.changes, note=note)
        error = passed[0].error([f"{self._noun} '{one.pair.title}'" for one in losing])
        return error, [one for one in ready if id(one) not in stopped]

    def _ask(self, ready: Sequence[Ready]) -> None:
        """Show what would be written, and have a person say yes.

        Raises:
            DeclinedError: the answer is no.
        """
        rows = [
            self._run.rows.pair(one.pair, Outcome.PLANNED, changes=one.changes)
            for one in ready[:PREVIEW_ROWS]
        ]
        self._run.totals.reporter.preview(
            Preview(
                high=tuple(rows),
                low=(),
                high_total=len(ready),
                low_total=0,
                unmatched_total=0,
                more_changes=len(ready) > len(rows),
                headline=f"{self._noun.upper()}S: {len(ready):,} will be written",
            )
        )
        if not self._run.ports.confirm(len(ready)):
            raise DeclinedError(f"{self._noun}s are not written, as you wish; they stay due")
