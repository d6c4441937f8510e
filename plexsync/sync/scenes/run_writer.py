"""Write what a run linked: past the limits, after a preview, and to items that moved meanwhile.

Imported when there is such work: a run that has nothing to do needs none of it.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from plexsync.errors import (
    DeclinedError,
    InterruptedRunError,
    PlanError,
    ServerError,
    UnsafeError,
)
from plexsync.models import Outcome, PlexItem, Preview, SceneId
from plexsync.sync.execution.executor import PREVIEW_ROWS, Executor
from plexsync.sync.execution.settling import settle_gone, settle_unlinked
from plexsync.sync.execution.work import Ready, place_of
from plexsync.sync.linking.linker import Linked
from plexsync.sync.linking.pairs import Pairs
from plexsync.sync.rows import Pair, PairEnd
from plexsync.sync.scenes.outcomes import SceneOutcomes
from plexsync.sync.scenes.run_items import RunItems
from plexsync.sync.scenes.scans import request_scans, wanted_scans
from plexsync.text.normalize import holds_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.unversioned import Dictionary
    from plexsync.sync.execution.work import WorkItem
    from plexsync.sync.scenes.due_work import DueWork


class RunWriter:
    """Takes linked pairs to Plex.

    Args:
        run: what the run is about.
        work: links scenes again where an item moved.
        dictionary: has the names that scenes show.
    """

    def __init__(self, run: RunContext, work: DueWork, dictionary: Dictionary) -> None:
        self._run, self._work = run, work
        self._planner = planner = run.planner()
        self._outcomes = outcomes = SceneOutcomes(run, planner)
        self._items = RunItems(run, outcomes, planner=planner, dictionary=dictionary)
        self._executor = Executor(run, planner=planner, outcomes=outcomes)

    def write(self, linked: Linked) -> UnsafeError | None:
        """Take the pairs to Plex, show and remember the rest of `linked`.

        What was found is kept however that ends.

        Returns:
            Which limit held something back; None when none did.

        Raises:
            DeclinedError: a person was asked and declined; nothing was written.
            ServerError: a server is down or refuses us; the rest is due next time.
            InterruptedRunError: asked to stop.
        """
        scans, is_done = wanted_scans(self._run, linked.unmatched), False
        try:
            unsafe, items, count = self._work_of(linked)
            total = self._run.totals.done + count
            ahead, batches = self._executor.looked_ahead(items, total)
            if not self._run.options.ask:
                self._preview(total, ahead, linked)
            self._place(linked)
            self._executor.write_all(batches, total)
            self._match_again()
            self._outcomes.close()
            self._work.note_written()
            is_done = True
        except (PlanError, ServerError, InterruptedRunError):
            # Whatever stops the writing, what waits was found, and is shown and remembered.
            self._place(linked)
            raise
        finally:
            self._end(linked, is_done=is_done)
        if (fault := self._run.ports.faults.of()) is not None:
            raise fault
        if not (self._run.options.dry_run or self._run.options.partial):
            self._settle_rest()
        request_scans(self._run, scans)
        return unsafe

    def _settle_rest(self) -> None:
        """Settle earlier writes to items that no scene has led to.

        Raises:
            ServerError: Plex is down, or refuses us altogether.
        """
        session, reader = self._run.session, self._executor.reader
        settle_unlinked(session, reader, self._planner)
        if (index := self._run.inventory.had) is not None:
            settle_gone(session, reader, self._planner, index)

    def _end(self, linked: Linked, *, is_done: bool) -> None:
        """Say what is left to say, and keep what was found about the scenes."""
        try:
            self._items.warn()
            self._outcomes.charge()
            self._outcomes.show_unfinished(linked.pairs)
        finally:
            work, in_step = self._work, self._items.in_step
            work.queue.close()
            work.catalogue.keep()
            in_step.keep(whole=is_done)
            for kept in (work.queue, work.catalogue, in_step):
                if kept.problem:
                    self._run.totals.reporter.warn(kept.problem)
        if not self._run.options.dry_run:
            work.rouse_heirs()

    def _work_of(self, linked: Linked) -> tuple[UnsafeError | None, Iterable[WorkItem], int]:
        """Return what is to be written, without what a limit holds back or a person declines.

        Known pairs are compared ahead only where they are so many that they could pass a limit at
        all, and all pairs where a person is asked: what is left is read and planned once more at
        its turn. Items that moved are looked up before they are counted: under another path they
        are no less known.

        Returns:
            What the run ends with, None when no limit is passed; the work; how much that is.

        Raises:
            DeclinedError: a person was asked, and the answer is no.
        """
        pairs, asks = linked.pairs, self._run.options.ask
        known = [pair for pair in pairs.made() if pair.known]
        synced = self._synced(known)
        if not (synced or asks):
            return None, self._items.of(pairs), len(pairs)
        # What is new to a scene comes with what is known of it: a scene is remembered once.
        scenes = {pair.scene.scene_id for pair in known}
        now, later = pairs.parted(lambda scene_id: asks or scene_id in scenes)
        ready = self._compared(now)
        planned = {place_of(one.plan) for one in ready}
        found = self._link_orphans(linked)
        ready += self._compared(
            Pairs(p for p in found if (p.scene.scene_id, p.link.rating_key) not in planned)
        )
        counted = [one for one in ready if one.pair.known] if synced else []
        unsafe, held = self._executor.hold_back(counted, synced=synced)
        ready = [one for one in ready if one not in held]
        pairs.slots[:] = [*(one.pair for one in ready), *later.slots]
        if asks:
            self._preview(self._run.totals.done + len(ready), ready, linked)
            if ready and not self._run.ports.confirm(len(ready)):
                raise DeclinedError("not written, as you wish; all of it stays due")
        left = chain((one.item for one in ready), self._items.of(later))
        return unsafe, left, len(pairs)

    def _synced(self, known: Sequence[Pair]) -> int:
        """Return how many items were written before; 0 where `known` cannot pass a limit."""
        limits = self._run.limits()
        if self._run.options.force or not limits.could_be_exceeded(len(known)):
            return 0
        synced = len({*self._work.claims(), *(pair.link.rating_key for pair in known)})
        return synced if limits.could_be_exceeded(len(known), synced) else 0

    def _compared(self, pairs: Pairs) -> list[Ready]:
        """Return what `pairs` need now; the others are done."""
        changing: list[Ready] = []
        for batch in self._executor.ready(self._items.of(pairs)):
            changing += batch
            self._run.totals.reporter.progress("comparing", self._run.totals.done, None)
        return changing

    def _place(self, linked: Linked) -> None:
        """Settle what waits, each scene once however often this is called."""
        for waiting, outcome in (
            (linked.review, Outcome.REVIEW),
            (linked.unmatched, Outcome.UNMATCHED),
        ):
            settled, waiting[:] = tuple(waiting), ()
            for one in settled:
                self._work.place(one, outcome)

    def _preview(self, total: int, ready: Sequence[Ready], linked: Linked) -> None:
        high = tuple(
            self._run.rows.pair(one.pair, PairEnd(Outcome.PLANNED, one.changes))
            for one in [one for one in ready if one.changes][:PREVIEW_ROWS]
        )
        low = tuple(
            self._run.rows.unlinked(one.scene, one.match, Outcome.REVIEW)
            for one in linked.review[:PREVIEW_ROWS]
        )
        self._run.totals.reporter.preview(
            Preview(
                high=high,
                low=low,
                high_total=total,
                low_total=len(linked.review),
                unmatched_total=len(linked.unmatched),
                more_changes=total > self._run.totals.done + len(high),
                proposed_rules=self._run.totals.proposed,
                held=self._run.totals.held_back,
            )
        )

    def _link_orphans(self, linked: Linked) -> Pairs:
        """Match scenes again where the item was gone, or held another file, when it was read.

        Returns:
            The pairs that were found; what waits is added to `linked`.
        """
        lost = self._outcomes.take_orphans()
        if not lost:
            return Pairs()
        scenes = {pair.scene.scene_id: pair.scene for pair, _ in lost}
        again = self._work.link_again(tuple(scenes.values()), force=True)
        linked.review += again.review
        linked.unmatched += again.unmatched
        index = self._run.inventory.index() if again.pairs else None
        keys = {one.link.rating_key for one in again.pairs}
        listed = index.items if index else ()  # walked once
        items = {item.rating_key: item for item in listed if item.rating_key in keys}
        found: dict[SceneId, list[PlexItem]] = {}
        for one in again.pairs:
            found.setdefault(one.scene.scene_id, []).append(items[one.link.rating_key])
        for scene_id in scenes.keys() - found.keys():
            self._outcomes.forgo(scene_id)
        for pair, note in lost:
            if pair.scene.scene_id in found:
                self._show_lost(pair, note, found[pair.scene.scene_id])
        return again.pairs

    def _show_lost(self, pair: Pair, note: str, theirs: Sequence[PlexItem]) -> None:
        """Show a pair that is no more, unless its scene goes to that item all the same."""
        key = pair.link.rating_key
        if any(item.rating_key == key for item in theirs):
            return
        holder = next((item for item in theirs if holds_file(item, pair.link.path)), None)
        where = f"; its file is in item {holder.rating_key} now" if holder else ""
        merged = " (merged)" if holder and len(holder.files) > 1 else ""
        self._outcomes.give_up(pair, f"item {key}: {note}{where}{merged}")

    def _match_again(self) -> None:
        """Take orphans to the items they belong to now."""
        if self._run.options.ask:
            # Nobody was shown what would be written there.
            for pair, _ in self._outcomes.orphans:
                self._outcomes.skip(pair, "Plex changed it while you were asked; next time again")
            return
        linked = Linked()
        pairs = self._link_orphans(linked)
        self._place(linked)
        self._executor.write_all(self._executor.ready(self._items.of(pairs)))
        denied = list(self._outcomes.orphans)
        for pair, _ in denied:
            self._outcomes.skip(pair, "Plex keeps changing it; next time again")
        self._run.ports.faults.check_denied(len(denied))
