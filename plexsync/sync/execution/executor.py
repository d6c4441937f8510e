"""The one loop that writes to Plex: read, decide, journal, write, read back, remember.

A run, a saved plan and an undo are three sources of its work. Items flow through in batches of one
detail read, or of a few where their changes are alike: so a value is written seconds after it was
read, and memory holds batches and not the library. An item is remembered as written only after Plex
was seen to hold what was sent.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, islice
from math import inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import InterruptedRunError, ServerError
from plexsync.models import (
    LIST_FIELDS,
    ItemDetail,
    ItemKind,
    Outcome,
    PlexField,
    PlexItem,
    as_problem,
)
from plexsync.sync.execution.batching import join_batches
from plexsync.sync.execution.making import CollectionMaker
from plexsync.sync.execution.pictures.prepare import PictureWriter
from plexsync.sync.execution.pictures.upload import PictureResult
from plexsync.sync.execution.reader import DETAIL_BATCH, READ_BATCH, Reader, settle
from plexsync.sync.execution.work import Ready, place_of
from plexsync.sync.execution.writer import FieldWriter
from plexsync.sync.server_faults import WorkKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plexsync.models import Change, ItemPlan, Problem, RatingKey
    from plexsync.planning.planner import Planner
    from plexsync.state import Session, State, Unsettled
    from plexsync.sync.execution.work import Outcomes, Place, WorkItem
    from plexsync.sync.execution.writer import Verdict
    from plexsync.sync.ports import Ports
    from plexsync.sync.rows import Pair
    from plexsync.sync.totals import Totals

PREVIEW_ROWS = 50
"""Rows of each table a person is shown before the first write."""

_MOST_TRIES = 3
"""How often it is decided what to write to an item that is changed before its turn."""

_PREVIEW_BATCHES = 20
"""Detail reads after which the preview no longer waits for more changes to show."""


class Executor:
    """Carries out work items.

    Args:
        ports: where the servers are, and whether to go on.
        state: what is remembered.
        session: where the run is written down; None for a dry run, which writes nothing.
        planner: says what Plex shows alike, and what is ours once it was written.
        outcomes: shows and remembers how each item ended.
        totals: takes the progress.
        spare: see `Sender`; None where nothing is to be found out.
        save: takes what a dry run would write, and says why that failed; None for nobody.

    Attributes:
        reader: reads items afresh.
        health: says when to end.
        maker: makes collections, and knows which there are.
    """

    def __init__(
        self,
        ports: Ports,
        state: State,
        session: Session | None,
        *,
        planner: Planner,
        outcomes: Outcomes,
        totals: Totals,
        spare: Callable[[ItemPlan, Change], tuple[str, ...]] | None = None,
        save: Callable[[Ready], None] | None = None,
    ) -> None:
        self.reader = Reader(ports.plex, ports.health)
        self.health = ports.health
        self._monotonic = ports.monotonic
        self._state = state
        self._session = session
        self._planner = planner
        self._outcomes = outcomes
        self._totals = totals
        self._save = save
        self._unsettled: defaultdict[Place, list[Unsettled]] = defaultdict(list)
        for one in state.unsettled:
            self._unsettled[place_of(one.plan)].append(one)
        self.reader.expect(one.plan for one in state.unsettled)
        self._pictures = PictureWriter(ports, self.reader)
        self.maker = CollectionMaker(ports, planner, outcomes)
        if session is not None:
            self._fields = FieldWriter(
                ports.plex,
                self.reader,
                session,
                planner=planner,
                health=ports.health,
                spare=spare,
                monotonic=ports.monotonic,
            )

    def looked_ahead(
        self, items: Iterable[WorkItem], total: int, show: Callable[[list[Ready]], None]
    ) -> Iterator[list[Ready]]:
        """Show the first changes, and return all of them, to be given to `write_all`.

        Args:
            items: the work.
            total: rows there are in the end.
            show: shows the first items that will be written.

        Raises:
            ServerError: a server is down or refuses us; what was not reached can be tried again.
            InterruptedRunError: asked to stop.
        """
        batches = self.ready(items)
        ahead: list[list[Ready]] = []
        planned = 0
        for batch in islice(batches, _PREVIEW_BATCHES):
            ahead.append(batch)
            planned += len(batch)
            self._progress("comparing", planned, total)
            if planned >= PREVIEW_ROWS:
                break
        show([ready for batch in ahead for ready in batch])
        return chain(ahead, batches)

    def write_all(self, batches: Iterable[list[Ready]], total: int | None = None) -> None:
        """Write what is ready, alike changes together; a dry run shows it at once.

        Raises:
            ServerError: see `looked_ahead`.
            InterruptedRunError: asked to stop.
        """
        if self._session is None:
            for batch in batches:
                self._show(batch)
                self._progress("comparing", 0, total)
            return
        for batch in join_batches(batches):
            self._write(batch, self._session)
            self._progress("writing to Plex", 0, total)
        if (fault := self.health.faults.of()) is not None:
            raise fault

    def _progress(self, phase: str, planned: int, total: int | None) -> None:
        if total is not None:
            self._totals.reporter.progress(phase, self._totals.done + planned, total)

    # ---- reading and deciding

    def ready(self, items: Iterable[WorkItem]) -> Iterator[list[Ready]]:
        """Read and decide; each batch yielded holds those of one read that need writing.

        Items that need nothing are finished on the way.

        Raises:
            ServerError: a server is down, or refuses us.
            InterruptedRunError: asked to stop.
        """
        waiting = iter(items)
        size = DETAIL_BATCH
        while batch := list(islice(waiting, size)):
            self.health.check()
            read_at = self._monotonic()
            keys = (item.pair.link.rating_key for item in batch)
            read = self.reader.read([key for key in keys if key])
            decided = (self._decided(item, _found(item, read), read_at) for item in batch)
            found = [ready for ready in decided if ready is not None]
            size = READ_BATCH if self._session is None or _are_lists(found) else DETAIL_BATCH
            yield found

    def _decided(
        self, item: WorkItem, detail: ItemDetail | ServerError | None, read_at: float
    ) -> Ready | None:
        """Return what one item needs; None when it is finished."""
        pair = item.pair
        if isinstance(detail, ServerError):
            self._fail_reading(pair, detail)
            return None
        if detail is None:
            self._outcomes.lose(pair, "the item is not in Plex any more")
            return None
        if not item.holds(detail):
            self._outcomes.lose(pair, "the item holds another file by now")
            return None
        self.health.faults.proven(WorkKind.READ)
        pair.title = str(detail.values.get(PlexField.TITLE, pair.title))
        if detail.above != pair.link.above:
            pair.link = replace(pair.link, above=detail.above)
        self._settle(item, detail)
        try:
            ready = self._ready(item, detail, read_at)
        except ServerError as error:
            if self.health.ends_run(error):
                raise
            self._fail_reading(pair, error)
            return None
        decision = ready.decision
        if decision.plan.changes or decision.pictures:
            return ready
        if decision.agreed:
            pair.link = self._planner.link_after(pair.link, decision.agreed)
        self._outcomes.finish(
            pair,
            Outcome.FAILED if decision.problem else decision.outcome,
            problem=decision.problem,
            note=decision.words(),
            failed=WorkKind.PICTURE,
        )
        return None

    def _fail_reading(self, pair: Pair, error: ServerError) -> None:
        problem = as_problem(error)
        self._outcomes.finish(pair, Outcome.FAILED, problem=problem, failed=WorkKind.READ)

    def _finish_unmade(self, pair: Pair, problem: Problem, *, taken: bool) -> None:
        """Finish a collection that could not be made; one whose name is taken is left alone."""
        self._outcomes.finish(
            pair,
            Outcome.SKIPPED if taken else Outcome.FAILED,
            problem=None if taken else problem,
            note=problem.message if taken else "",
            failed=WorkKind.EDIT,
        )

    def _ready(self, item: WorkItem, detail: ItemDetail, read_at: float) -> Ready:
        """Decide what an item needs.

        Raises:
            ServerError: what else has to be known cannot be asked.
        """
        decision = item.decide(detail)
        pair = item.pair
        if decision.picture_bases:
            bases = {**pair.link.pictures, **decision.picture_bases}
            pair.link = replace(pair.link, pictures=bases)
        ready = Ready(item=item, decision=decision, detail=detail, read_at=read_at)
        if self._session is None and decision.pictures:
            ready.decision = self._pictures.compare(ready)
        return ready

    def _settle(self, item: WorkItem, detail: ItemDetail) -> None:
        """Bring the link up to date by writes of earlier runs whose result was never noted."""
        pair = item.pair
        scene_id = pair.scene.scene_id
        unsettled = self._unsettled.pop((scene_id, pair.link.rating_key), None)
        if unsettled is None:
            return
        pair.link = settle(
            pair.link, unsettled, detail, planner=self._planner, session=self._session
        )
        if self._session is not None:
            self._outcomes.note_settled(pair)

    # ---- only showing

    def _show(self, batch: Sequence[Ready]) -> None:
        """Finish items in a dry run: their changes are shown, and not written."""
        for ready in batch:
            if self._save is not None:
                self._save(ready)
            changes, problem = ready.changes, ready.decision.problem
            outcome = Outcome.PLANNED if changes else ready.decision.outcome
            self._outcomes.finish(
                ready.pair,
                Outcome.FAILED if problem else outcome,
                changes=changes,
                problem=problem,
                note=ready.decision.words(),
            )

    # ---- writing

    def _write(self, batch: Sequence[Ready], session: Session, tries: int = _MOST_TRIES) -> None:
        """Write `batch`, read it back, and remember what Plex was seen to hold.

        Items that were changed in Plex before their turn are decided about once more.
        """
        if any(not ready.pair.link.rating_key for ready in batch):
            batch = self._made(batch, session)
        edited = {place_of(ready.plan): ready for ready in batch if ready.plan.changes}
        left = [ready for ready in batch if not ready.plan.changes]
        moved: list[Place] = []
        end: ServerError | InterruptedRunError | None = None
        if edited:
            verdicts, moved, ends, end = self._fields.write(tuple(edited.values()))
            with session.batch():
                for ended in ends:
                    ended.note(session)
                for place, verdict in verdicts.items():
                    left += self._conclude_fields(edited[place], verdict)
        end = self._write_pictures(left, session, end) or end
        if end is not None:
            raise end
        self.health.check()
        self._write_again([edited[place].item for place in moved], session, tries - 1)

    def _made(self, batch: Sequence[Ready], session: Session) -> list[Ready]:
        """Make the collections that are not there yet, and decide what else they need.

        What was made is remembered before anything else is written.

        Raises:
            AuthError: the token may not write.
        """
        made: dict[RatingKey, Ready] = {}
        found = [ready for ready in batch if ready.pair.link.rating_key]
        for ready in batch:
            if ready.pair.link.rating_key:
                continue
            self.health.check()
            born = self.maker.make(ready, session)
            if born.problem is not None:
                with session.batch():
                    self._finish_unmade(ready.pair, born.problem, taken=born.taken)
                continue
            made[ready.pair.link.rating_key] = ready
        read = self.reader.read(tuple(made))
        for key, ready in made.items():
            detail = read.get(key)
            if not isinstance(detail, ItemDetail):
                unread = detail or ServerError("the new collection cannot be read")
                self._fail_reading(ready.pair, unread)
                continue
            # What was made a moment ago is not looked at once more before its next write.
            again = self._ready(ready.item, self.maker.known(ready, detail), inf)
            again.made = ready.made
            again.detail = detail
            if PlexField.MEMBERS in {change.target for change in again.plan.changes}:
                self.reader.expect([again.plan])
                again.detail = self.maker.known(ready, detail)
            found.append(again)
        return found

    def _write_again(self, items: Sequence[WorkItem], session: Session, tries: int) -> None:
        """Decide about items once more and write them, unless they keep changing."""
        if tries:
            for batch in self.ready(items):
                self._write(batch, session, tries)
            return
        for item in items:
            note = "Plex keeps changing it; next time again"
            self._outcomes.finish(item.pair, Outcome.SKIPPED, note=note)

    def _conclude_fields(self, ready: Ready, verdict: Verdict) -> list[Ready]:
        """Finish an item whose fields were sent; return it if pictures are still to come."""
        pair, plan = ready.pair, ready.plan
        if verdict.detail is None:
            self._outcomes.finish(
                pair,
                Outcome.FAILED,
                changes=plan.changes,
                problem=verdict.problem,
                failed=WorkKind.EDIT,
            )
            return []
        stored = verdict.stored(plan.changes)
        link = self._planner.link_after_part(pair.link, verdict.missing, verdict.detail)
        pair.link = self._planner.link_after(link, (*stored, *ready.decision.agreed))
        if verdict.problem:
            ready.failed = WorkKind.EDIT
        ready.decision = replace(
            ready.decision,
            problem=verdict.problem or ready.decision.problem,
            agreed=(),
            note="; ".join(filter(None, (ready.decision.note, _words(verdict.others)))),
        )
        if ready.decision.pictures:
            # The pictures may never be reached: what is ours among the fields is known even so.
            self._outcomes.note_written(pair)
            return [ready]
        self._finish(ready, PictureResult())
        return []

    def _write_pictures(
        self,
        work: Sequence[Ready],
        session: Session,
        end: ServerError | InterruptedRunError | None,
    ) -> ServerError | None:
        """Write pictures and finish their items; only that when the run is to end.

        Returns:
            The error after which nothing more can be done.
        """
        if end is not None:
            with session.batch():
                for ready in work:
                    self._finish(ready, PictureResult(unfinished=True))
            return None
        try:
            for results in self._pictures.write(work, session):
                with session.batch():
                    for ready, result in results:
                        for ended in result.ends:
                            ended.note(session)
                        self._finish(ready, result)
        except ServerError as error:
            return error
        return None

    def _finish(self, ready: Ready, result: PictureResult) -> None:
        """Finish an item that was written as far as it went."""
        decision = ready.decision
        changes = (*ready.made, *ready.plan.changes, *result.changes)
        shown = (*changes, *result.refused)
        if result.unfinished and not shown:
            return  # the run ends, and says so for this item as for all that are left
        if result.problem and not decision.problem:
            ready.failed = WorkKind.PICTURE
        if result.changes:
            self.health.faults.proven(WorkKind.PICTURE)
        problem = result.problem or decision.problem
        outcome = Outcome.KEPT if result.kept else decision.outcome
        ready.pair.link = self._planner.link_after(ready.pair.link, decision.agreed)
        self._outcomes.finish(
            ready.pair,
            Outcome.FAILED if problem else Outcome.APPLIED if changes else outcome,
            changes=shown,
            problem=problem,
            note=decision.words(*result.kept),
            again=result.unfinished,
            failed=ready.failed,
        )


def _are_lists(batch: Sequence[Ready]) -> bool:
    """Whether nothing but lists is to be written, if anything: a renamed tag, to many at once."""
    return all(
        change.target in LIST_FIELDS for ready in batch for change in ready.decision.plan.changes
    )


def _found(
    item: WorkItem, read: Mapping[RatingKey, ItemDetail | ServerError]
) -> ItemDetail | ServerError | None:
    """Return what was read of an item; None for a collection that is still to be made."""
    link = item.pair.link
    if link.rating_key or item.paths:
        return read.get(link.rating_key)
    place = PlexItem(
        rating_key=link.rating_key, section_id=link.section_id, kind=ItemKind.COLLECTION
    )
    return ItemDetail(item=place, values={})


def _words(others: Sequence[PlexField]) -> str:
    """Return what a row says of fields that somebody else changed while the item was written."""
    return f"somebody else changed {', '.join(others)} in Plex meanwhile" if others else ""
