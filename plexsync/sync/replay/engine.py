"""What undoes and saved plans share: a journaled run of work that was decided earlier.

All it needs of the world is Plex, and each item must still be as it is expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from plexsync.errors import MismatchError
from plexsync.models import (
    VIDEO_KINDS,
    CollectionRecord,
    Outcome,
    Preview,
    ShowRecord,
    is_kept,
    is_show_key,
)
from plexsync.sync.execution.executor import PREVIEW_ROWS, Executor
from plexsync.sync.execution.reader import with_link
from plexsync.sync.execution.sender import UNSENT
from plexsync.sync.execution.work import Outcomes
from plexsync.sync.rows import RowMaker
from plexsync.sync.run_scope import journaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import Change, ItemPlan, Link, MatchRow, Problem
    from plexsync.planning.planner import Planner
    from plexsync.state import Lineage, Session, State
    from plexsync.sync.execution.work import Ready, WorkItem
    from plexsync.sync.ports import Ports, WorkKind
    from plexsync.sync.rows import Pair
    from plexsync.sync.run_scope import Totals


class EarlierWork(Protocol):
    """What an undo or a saved plan is to carry out."""

    headline: str
    """Stands over what is shown; `{}` becomes `12 items`."""
    stale: str
    """What to say if not one item could be done because each is otherwise by now."""

    @property
    def plans(self) -> Iterable[ItemPlan]:
        """What was decided about its items."""

    def items(self) -> Sequence[WorkItem]:
        """Its items."""

    def remember(self, pair: Pair, outcome: Outcome, session: Session, /) -> None:
        """Remember how one ended. Its link knows what Plex was seen to hold."""


def replay(
    work: EarlierWork,
    ports: Ports,
    *,
    memory: tuple[State, Session | None],
    lineage: Lineage,
    planner: Planner,
    totals: Totals,
) -> None:
    """Carry out earlier work as a journaled run.

    Args:
        work: what to do.
        ports: the world.
        memory: what is remembered, and the means to remember more; None for a dry run.
        lineage: the servers that answered.
        planner: says what Plex shows alike.
        totals: counts, and shows.

    Raises:
        MismatchError: nothing could be done because everything is otherwise by now.
        PlexsyncError: it ended early.
    """
    outcomes = ReplayOutcomes(work, ports, totals, memory=memory)
    executor = Executor(ports, *memory, planner=planner, outcomes=outcomes, totals=totals)
    executor.reader.expect(work.plans)
    items = work.items()

    def show(ahead: list[Ready]) -> None:
        totals.reporter.preview(outcomes.preview(ahead, len(items)))

    with journaled(totals, ports, session=memory[1], lineage=lineage):
        batches = executor.looked_ahead(items, len(items), show)
        executor.write_all(batches, len(items))
        _check_stale(totals, work.stale)


def _check_stale(totals: Totals, message: str) -> None:
    counts = totals.counts
    done = counts.applied + counts.planned + counts.unchanged + counts.failed
    if not done and (counts.kept or counts.skipped):
        raise MismatchError(message)


class ReplayOutcomes(Outcomes):
    """Shows how each item of earlier work ended, and has it remembered.

    Args:
        work: remembers.
        ports: where the servers are.
        totals: counts, and shows.
        memory: what is remembered, and where results are noted: nowhere in a dry run.
    """

    def __init__(
        self,
        work: EarlierWork,
        ports: Ports,
        totals: Totals,
        *,
        memory: tuple[State, Session | None],
    ) -> None:
        self._work = work
        self._state, self._session = memory
        libraries = {one.section_id: one.title for one in ports.plex.sections(())}
        self._rows = RowMaker(ports, libraries)
        self._totals = totals

    def lose(self, pair: Pair, note: str) -> None:
        """Leave an item alone that is not what it was."""
        self.finish(pair, Outcome.SKIPPED, note=note)

    def finish(
        self,
        pair: Pair,
        outcome: Outcome,
        *,
        changes: tuple[Change, ...] = (),
        problem: Problem | None = None,
        note: str = "",
        again: bool = False,
        failed: WorkKind | None = None,  # noqa: ARG002 - a replay charges no scene
    ) -> None:
        """Show an outcome and remember it. `again`: something was not even tried."""
        if again and problem is None:
            outcome, problem = Outcome.FAILED, UNSENT
        self._totals.emit(self._row(pair, outcome, changes, problem=problem, note=note))
        if self._session is not None:
            self._work.remember(pair, outcome, self._session)

    def note_written(self, pair: Pair) -> None:
        """Remember what is ours on an item whose pictures are still to come."""
        if self._session is None:
            return
        key = pair.scene.scene_id
        if is_kept(key):
            self._session.keep(key, kept_with(self._state, pair))
        else:
            self._session.remember(key, with_link(self._state.get(key), pair.link))

    def preview(self, ready: Sequence[Ready], total: int) -> Preview:
        """Return what a person sees before the first write."""
        more = total > self._totals.done + len(ready)
        left = total - self._totals.done if more else len(ready)
        count = f"{'up to ' if more else ''}{left:,} {'item' if left == 1 else 'items'}"
        rows = [
            self._row(one.pair, Outcome.PLANNED, one.changes, note=one.decision.words())
            for one in ready[:PREVIEW_ROWS]
        ]
        return Preview(
            high=tuple(rows),
            high_total=total,
            more_changes=more,
            headline=self._work.headline.format(count),
        )

    def _row(
        self,
        pair: Pair,
        outcome: Outcome,
        changes: tuple[Change, ...],
        *,
        problem: Problem | None = None,
        note: str = "",
    ) -> MatchRow:
        # Stash is not asked for the titles of scenes; the item's says as much.
        row = self._rows.pair(pair, outcome, changes=changes, problem=problem, note=note)
        if row.scene.title:
            return row
        return replace(row, scene=replace(row.scene, title=pair.title))


def kept_with(state: State, pair: Pair) -> CollectionRecord | ShowRecord:
    """Return the record of a collection, show or season with the link of a pair.

    The next run looks at it again.
    """
    key, link = pair.scene.scene_id, pair.link
    record = state.kept(key)
    if record is None:
        kind = ShowRecord if is_show_key(key) else CollectionRecord
        return kind(link=link, title=pair.title)
    if isinstance(record, CollectionRecord):
        return replace(record, link=link, wanted="", members="", withheld=None)
    if record.link.rating_key != link.rating_key:
        return record  # an edit of the show that hit another item
    return replace(record, link=link, wanted="")


def known_link(state: State, plan: ItemPlan) -> Link | None:
    """Return the remembered link of a plan's scene to its item; None when there is none."""
    links: tuple[Link, ...] = ()
    if plan.kind in VIDEO_KINDS:
        links = record.links if (record := state.get(plan.scene_id)) else ()
    elif kept := state.kept(plan.scene_id):
        links = (kept.link,)
    return next((link for link in links if link.rating_key == plan.rating_key), None)
