"""The one loop that writes to Plex: read, decide, journal, write, read back, remember.

A run, its collections, a saved plan and an undo are sources of its work. Items flow through in
batches of one detail read, or of a few where their changes are alike: so a value is written seconds
after it was read, and memory holds batches and not the library. An item is remembered as written
only after Plex was seen to hold what was sent.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import InterruptedRunError, ServerError
from plexsync.models import LIST_FIELDS, Change, ItemDetail, ItemKind, Outcome, PlexField, RatingKey
from plexsync.planning.limits import MAX_CLEARS, clears_any, loses
from plexsync.sync.execution.making import CollectionMaker
from plexsync.sync.execution.pictures.prepare import PictureWriter
from plexsync.sync.execution.reader import DETAIL_BATCH, READ_BATCH, Reader
from plexsync.sync.execution.sender import join_batches
from plexsync.sync.execution.settling import has_lost_its_scene, settle
from plexsync.sync.execution.work import PictureResult, Ready, absent
from plexsync.sync.execution.writer import FieldsWritten, FieldWriter
from plexsync.sync.ports import WorkKind
from plexsync.sync.rows import PairEnd, called, failed_end

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from plexsync.errors import UnsafeError
    from plexsync.planning.planner import Planner
    from plexsync.state import Unsettled
    from plexsync.sync.execution.work import Outcomes, WorkItem, Write
    from plexsync.sync.run_scope import RunScope

PREVIEW_ROWS = 50
"""Rows of each table a person is shown before the first write."""

_MOST_TRIES = 3
"""How often it is decided what to write to an item that is changed before its turn."""

_PREVIEW_BATCHES = 20
"""Detail reads after which the preview no longer waits for more changes to show."""


class Executor:
    """Carries out work items.

    Args:
        scope: the work they are part of.
        planner: says what Plex shows alike, and what is ours once it was written.
        outcomes: shows and remembers how each item ended.

    Attributes:
        reader: reads items afresh.
        maker: makes collections, and knows which there are.
    """

    def __init__(self, scope: RunScope, *, planner: Planner, outcomes: Outcomes) -> None:
        ports, session = scope.ports, scope.session
        self.reader = Reader(ports)
        self._scope = scope
        self._ports = ports
        self._session = session
        self._planner = planner
        self._outcomes = outcomes
        self._totals = scope.totals
        self._unsettled: defaultdict[RatingKey, list[Unsettled]] = defaultdict(list)
        for one in scope.state.unsettled:
            self._unsettled[one.plan.rating_key].append(one)
        self.reader.expect(one.plan for one in scope.state.unsettled)
        self.maker = CollectionMaker(scope, self.reader, planner, outcomes)
        self._pictures = PictureWriter(scope, self.reader)
        self._moved: list[WorkItem] = []
        self._fields = FieldWriter(scope, self.reader, planner, outcomes)

    def looked_ahead(
        self, items: Iterable[WorkItem], total: int
    ) -> tuple[list[Ready], Iterator[list[Ready]]]:
        """Return the first items that will be written, and all of them, for `write_all`.

        Args:
            items: the work.
            total: rows there are in the end.

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
        return list(chain.from_iterable(ahead)), chain(ahead, batches)

    def write_all(self, batches: Iterable[list[Ready]], total: int | None = None) -> None:
        """Write what is ready, alike changes together, and remember what Plex is seen to hold.

        A dry run shows it at once.

        Raises:
            ServerError: see `looked_ahead`.
            InterruptedRunError: asked to stop.
        """
        if self._scope.options.dry_run:
            self._show_all(batches, total)
            return
        for batch in self._until_still(join_batches(batches)):
            new = [ready for ready in batch if not ready.pair.link.rating_key]
            there = [ready for ready in batch if ready.pair.link.rating_key]
            left = [ready for ready in there if not ready.plan.changes]
            edited = [ready for ready in there if ready.plan.changes]
            written = self._fields.write(self._groups(edited, new, left))
            left += self._note_fields(written)
            end = written.error or self.maker.end
            if end := self._write_pictures(left, end) or end:
                raise end
            self._ports.check()
            self._progress("writing to Plex", 0, total)
        if (fault := self._ports.faults.of()) is not None:
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
            self._ports.check()
            read_at = self._ports.monotonic()
            keys = (item.pair.link.rating_key for item in batch)
            read = self.reader.read([key for key in keys if key])
            decided = (self._decided(item, _found(item, read), read_at) for item in batch)
            found = [ready for ready in decided if ready is not None]
            size = READ_BATCH if self._scope.options.dry_run or _are_lists(found) else DETAIL_BATCH
            yield found

    def _decided(
        self, item: WorkItem, detail: ItemDetail | ServerError | None, read_at: float
    ) -> Ready | None:
        """Return what one item needs; None when it is finished."""
        pair = item.pair
        if isinstance(detail, ServerError):
            self._outcomes.finish(pair, failed_end(detail, WorkKind.READ))
            return None
        if detail is None:
            self._outcomes.lose(pair, "the item is not in Plex any more")
            return None
        if not item.holds(detail):
            other = "the item holds another file by now"
            self._outcomes.lose(pair, other if item.paths else f"it is no {item.kind} any more")
            return None
        self._ports.faults.proven(WorkKind.READ)
        pair.title = str(detail.values.get(PlexField.TITLE, pair.title))
        if detail.above != pair.link.above:
            pair.link = replace(pair.link, above=detail.above)
        self._settle(item, detail)
        try:
            ready = self._ready(item, detail, read_at)
        except ServerError as error:
            self._ports.raise_if_over(error)
            self._outcomes.finish(pair, failed_end(error, WorkKind.READ))
            return None
        if ready.plan.changes or ready.decision.pictures:
            return ready
        self._finish(ready, Outcome.PLANNED, ready.changes)
        return None

    def _ready(self, item: WorkItem, detail: ItemDetail, read_at: float) -> Ready:
        """Decide what an item needs.

        Raises:
            ServerError: what else has to be known cannot be asked.
        """
        ready = Ready(item=item, decision=item.decide(detail), detail=detail, read_at=read_at)
        if self._scope.options.dry_run and ready.decision.pictures:
            self._pictures.compare(ready)
        return ready

    def _settle(self, item: WorkItem, detail: ItemDetail) -> None:
        """Bring the link up to date by writes of earlier runs without a noted result.

        They may be those of another scene, which was merged into this one, or deleted, or of what
        a collection was of until its title was that of something else.
        """
        pair = item.pair
        scene_id = pair.scene.scene_id
        there = self._unsettled.get(pair.link.rating_key, ())
        unsettled = [
            one
            for one in there
            if one.plan.scene_id == scene_id
            or (one.plan.kind is ItemKind.COLLECTION and one.plan.rating_key)
            or has_lost_its_scene(self._scope.state, one.plan)
        ]
        if not unsettled:
            return
        self._unsettled[pair.link.rating_key] = [one for one in there if one not in unsettled]
        pair.link = settle(
            pair.link, unsettled, detail, planner=self._planner, session=self._session
        )
        self._outcomes.note_settled(pair)

    def hold_back(
        self, ready: Sequence[Ready], *, synced: int
    ) -> tuple[UnsafeError | None, Collection[Ready]]:
        """Finish what the limits hold back.

        Args:
            ready: what counts of that which is to be written.
            synced: how many of the kind were written before.

        Returns:
            What the run ends with, None when no limit is passed; and what is held back.
        """
        if self._scope.options.force:
            return None, ()
        limits, equality = self._scope.limits(), self._planner.equality
        clearing = [one for one in ready if clears_any(one.plan.changes)]
        gone = frozenset(clearing)
        losing = [o for o in ready if o in gone or any(loses(c, equality) for c in o.changes)]
        passed = limits.passed(losses=len(losing), clears=len(clearing), synced=synced)
        if not passed:
            return None, ()
        held = losing if any(one.key != MAX_CLEARS for one in passed) else clearing
        self._scope.totals.held_back += len(held)
        for one in held:
            note = f"held back by the limit {passed[0].key}"
            self._outcomes.finish(one.pair, PairEnd(Outcome.SKIPPED, one.changes, note=note))
        return passed[0].error([called(one.pair) for one in held]), frozenset(held)

    # ---- only showing

    def _show_all(self, batches: Iterable[list[Ready]], total: int | None) -> None:
        """Finish the items of a dry run."""
        for batch in batches:
            for ready in batch:
                if self._scope.save is not None:
                    self._scope.save(ready, self._outcomes)
                self._finish(ready, Outcome.PLANNED, ready.changes)
            self._progress("comparing", 0, total)

    # ---- writing

    def _until_still(self, batches: Iterable[list[Ready]]) -> Iterator[list[Ready]]:
        """Yield each batch, then those of its items that were changed in Plex before their turn.

        They are decided about once more, unless they keep changing.
        """
        for batch in batches:
            yield batch
            for _ in range(1, _MOST_TRIES):
                moved, self._moved = self._moved, []
                yield from self.ready(moved)
            for item in self._moved:
                note = "Plex keeps changing it; next time again"
                self._outcomes.finish(item.pair, PairEnd(Outcome.SKIPPED, note=note))
            self._moved = []

    def _groups(
        self, edited: list[Ready], new: list[Ready], left: list[Ready]
    ) -> Iterator[Sequence[Ready]]:
        """Yield what is edited one group after the other: what is there, then each new collection.

        A new one is edited by the request right after the one that made it, and the one after that
        brings its poster: so nobody was there in between. `left` takes it where nothing is edited.
        """
        if edited:
            for ready in edited:
                self._pictures.keep(ready)
            yield tuple(edited)
        for ready in self.maker.make_all(new, self._ready):
            if ready.plan.changes:
                yield (ready,)
            else:
                left.append(ready)
            if ready.decision.pictures:
                self._pictures.write_ahead(ready)

    def _note_fields(self, written: FieldsWritten) -> list[Ready]:
        """Note and remember what became of fields; return the items with pictures to come."""
        self._moved += written.moved
        with self._session.batch():
            for result in written.ends:
                self._session.note(result)
            return [edit.ready for edit in written.tried if self._end_fields(edit)]

    def _write_pictures(
        self,
        work: Sequence[Ready],
        end: ServerError | InterruptedRunError | None,
    ) -> ServerError | None:
        """Write pictures and finish their items; only that when the run is to end.

        Returns:
            The error after which nothing more can be done.
        """
        if end is not None:
            with self._session.batch():
                for ready in work:
                    ready.pictures = PictureResult(unfinished=True)
                    self._end_written(ready)
            return None
        try:
            for done in self._pictures.write(work):
                with self._session.batch():
                    for ready in done:
                        for result in ready.pictures.ends:
                            self._session.note(result)
                        self._end_written(ready)
        except ServerError as error:
            return error
        return None

    # ---- how each ends

    def _end_fields(self, edit: Write) -> bool:
        """Take what became of the fields of an item, and end it unless pictures are to come.

        Returns:
            Whether they are.
        """
        ready, pair = edit.ready, edit.ready.pair
        if edit.read_back is None:
            changes, problem = edit.plan.changes, edit.problem
            ending = PairEnd(Outcome.FAILED, changes, problem, failed=WorkKind.EDIT)
            self._outcomes.finish(pair, ending)
            return False
        link = self._planner.link_after_part(pair.link, edit.missing, edit.read_back)
        link = self._planner.link_after(link, (*edit.stored, *ready.decision.agreed))
        pair.link = self._planner.with_put_back(link, edit.stored, edit.read_back)
        ready.gone = not edit.read_back.values
        if edit.problem:
            ready.failed = WorkKind.EDIT
        names = ", ".join(edit.others)
        others = f"somebody else changed {names} in Plex meanwhile" if names else ""
        ready.decision = replace(
            ready.decision,
            problem=edit.problem or ready.decision.problem,
            agreed=(),
            note="; ".join(filter(None, (ready.decision.note, others))),
        )
        if ready.decision.pictures and not ready.gone:
            # The pictures may never be reached: what is ours among the fields is known even so.
            self._outcomes.note_written(pair)
            return True
        self._end_written(ready)
        return False

    def _end_written(self, ready: Ready) -> None:
        """End an item that was written as far as it went."""
        pictures = ready.pictures
        changes = (*ready.made, *ready.plan.changes, *pictures.changes)
        if pictures.unfinished and not (changes or pictures.refused):
            return  # the run ends, and says so for this item as for all that are left
        if pictures.changes:
            self._ports.faults.proven(WorkKind.PICTURE)
        self._finish(ready, Outcome.APPLIED, changes)

    def _finish(self, ready: Ready, done: Outcome, changes: tuple[Change, ...]) -> None:
        """End an item as `done` where it has changes. What Plex shows already is ours, too."""
        decision, pictures = ready.decision, ready.pictures
        problem = pictures.problem or decision.problem
        outcome = Outcome.KEPT if pictures.kept else decision.outcome
        if decision.agreed:
            ready.pair.link = self._planner.link_after(ready.pair.link, decision.agreed)
        ending = PairEnd(
            Outcome.FAILED if problem else done if changes else outcome,
            (*changes, *pictures.refused),
            problem,
            decision.words(*pictures.kept),
            again=pictures.unfinished,
            failed=ready.failed,
            gone=ready.gone,
        )
        self._outcomes.finish(ready.pair, ending)


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
    return read.get(link.rating_key) if link.rating_key or item.paths else absent(link)
