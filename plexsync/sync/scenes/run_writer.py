"""Write what a run linked: past the limits, after a preview, and to items that moved meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.errors import (
    DeclinedError,
    InterruptedRunError,
    PlanError,
    ServerError,
    UnsafeError,
)
from plexsync.models import Outcome, PlexItem, Preview, RatingKey, Scene, SceneId
from plexsync.planning.limits import MAX_CLEARS
from plexsync.sync.execution.endings import group_by_cause
from plexsync.sync.execution.executor import PREVIEW_ROWS, Executor
from plexsync.sync.linking.linker import Linked
from plexsync.sync.linking.pairs import Pairs
from plexsync.sync.rows import Pair, PairEnd
from plexsync.text.normalize import holds_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from plexsync.planning.observed import PlexEquality
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.work import Ready
    from plexsync.sync.scenes.outcomes import SceneOutcomes
    from plexsync.sync.scenes.run_items import RunItems
    from plexsync.sync.scenes.unmatched import Unwritten

_SHOWN = 3
"""So many names a sentence shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWriter:
    """Takes linked pairs to Plex.

    Args:
        run: what the run is about.
        claims: returns the items earlier runs wrote to; it reads every record.
        equality: says what is ours.
        items: makes work items of pairs.
        executor: reads, decides and writes.
        outcomes: knows how each pair ended.
        unwritten: takes the scenes that go nowhere.
        link_again: matches scenes against a fresh listing.
    """

    run: RunContext
    claims: Callable[[], Mapping[RatingKey, SceneId]]
    equality: PlexEquality
    items: RunItems
    executor: Executor
    outcomes: SceneOutcomes
    unwritten: Unwritten
    link_again: Callable[[Sequence[Scene]], Linked]

    def write(self, pairs: Pairs, linked: Linked) -> UnsafeError | None:
        """Take `pairs` to Plex, show and remember the rest of `linked`.

        Returns:
            Which limit held something back; None when none did.

        Raises:
            DeclinedError: a person was asked and declined; nothing was written.
            ServerError: a server is down or refuses us; the rest is due next time.
            InterruptedRunError: asked to stop.
        """
        try:
            unsafe = self._guard(pairs, linked)
            if self.run.options.ask:
                self._ask(pairs, linked)
            total = self.run.totals.done + len(pairs)
            ahead, batches = self.executor.looked_ahead(self.items.of(pairs), total)
            if not self.run.options.ask:
                self._preview(total, ahead, linked)
            self._place(linked)
            self.executor.write_all(batches, total)
            self._match_again()
            self.outcomes.close()
        except (PlanError, ServerError, InterruptedRunError):
            # Whatever stops the writing, what waits was found, and is shown and remembered.
            self._place(linked)
            raise
        finally:
            self._warn_of_covers()
            self._warn_of_spellings()
            self._charge()
            for pair in self.outcomes.unfinished(pairs):
                note = "the run ended before its turn"
                self.run.totals.emit(self.run.rows.pair(pair, PairEnd(Outcome.SKIPPED, note=note)))
        return unsafe

    def _charge(self) -> None:
        """Charge scenes with their failures, and say which are parked by that."""
        parked = self.outcomes.charge()
        self.run.totals.parked |= {one: problem.message for one, problem in parked.items()}
        for message, scenes in group_by_cause(parked).items():
            many = f"scene {scenes[0]} is" if len(scenes) == 1 else f"{len(scenes)} scenes are"
            self.run.totals.reporter.warn(
                f"{many} parked after too many failed tries: {message}; a full sweep tries again, "
                f"or now: plexsync retry{f' {scenes[0]}' if len(scenes) == 1 else ''}"
            )

    def _warn_of_covers(self) -> None:
        if count := self.items.covers_elsewhere():
            what = "1 cover leads" if count == 1 else f"{count:,} covers lead"
            self.run.totals.reporter.warn(
                f"the address of {what} to another place than its scene on [stash] url, and is "
                "not followed: nothing goes to a server that is not configured"
            )

    def _warn_of_spellings(self) -> None:
        """Say which names Plex spells otherwise: it keeps the first spelling it was given."""
        spellings = sorted(self.items.spellings.items())
        if not spellings:
            return
        shown = ", ".join(f"{there!r} for {name!r}" for name, there in spellings[:_SHOWN])
        more = f" and {len(spellings) - _SHOWN:,} more" if len(spellings) > _SHOWN else ""
        self.run.totals.reporter.warn(
            f"Plex keeps the spelling it was given first: {shown}{more}; to correct one, rename it "
            "in Plex, or remove it from all items and run again"
        )

    def _guard(self, pairs: Pairs, linked: Linked) -> UnsafeError | None:
        """Hold back what a run would take away of more items synced before than the limits allow.

        Counting costs reading everything twice that changes, so it is done only where the known
        pairs are so many that they could pass a limit at all. Items that moved are looked up before
        they are counted: under another path they are no less known. The rest goes on.

        Returns:
            What the run ends with; None when no limit is passed.
        """
        known = [pair for pair in pairs.made() if pair.known]
        limits = self.run.limits()
        if self.run.options.force or not limits.could_be_exceeded(len(known)):
            return None
        synced = len({*self.claims(), *(pair.link.rating_key for pair in known)})
        if not limits.could_be_exceeded(len(known), synced):
            return None
        new = [one for one in pairs.slots if isinstance(one, int) or not one.known]
        changing = self._postponed(Pairs(known))
        again = self._link_orphans(linked)
        planned = {(one.plan.scene_id, one.plan.rating_key) for one in changing}
        found = [p for p in again.made() if (p.scene.scene_id, p.link.rating_key) not in planned]
        changing += self._postponed(Pairs(pair for pair in found if pair.known))
        unsafe, rest = self._hold_back(changing, synced)
        pairs.slots[:] = [one.pair for one in rest] + new
        pairs.slots += [pair for pair in found if not pair.known]
        return unsafe

    def _hold_back(
        self, changing: Sequence[Ready], synced: int
    ) -> tuple[UnsafeError | None, list[Ready]]:
        """Finish the items of each limit that is passed; return the error, and the items left."""
        clearing = [one for one in changing if one.clears]
        losing = [one for one in changing if one.clears or one.is_loss(self.equality)]
        passed = self.run.limits().passed(losses=len(losing), clears=len(clearing), synced=synced)
        if not passed:
            return None, list(changing)
        group = losing if any(one.key != MAX_CLEARS for one in passed) else clearing
        held = {id(one) for one in group}
        for one in group:
            self.outcomes.open(one.pair)
            note = f"held back by the limit {passed[0].key}"
            self.outcomes.finish(one.pair, PairEnd(Outcome.SKIPPED, one.changes, note=note))
        unsafe = passed[0].error([_name(one.pair) for one in group])
        return unsafe, [one for one in changing if id(one) not in held]

    def _ask(self, pairs: Pairs, linked: Linked) -> None:
        """Compare everything, show it, and have a person say yes.

        What is to be written is read and planned once more afterwards: thinking takes time.

        Raises:
            DeclinedError: the answer is no.
        """
        changing = self._postponed(pairs)
        changing += self._postponed(self._link_orphans(linked))
        pairs.slots[:] = [ready.pair for ready in changing]
        self._preview(self.run.totals.done + len(pairs), changing, linked)
        if changing and not self.run.ports.confirm(len(changing)):
            raise DeclinedError("not written, as you wish; all of it stays due")

    def _postponed(self, pairs: Pairs) -> list[Ready]:
        """Return what `pairs` need now, taken back."""
        changing: list[Ready] = []
        for batch in self.executor.ready(self.items.of(pairs)):
            for ready in batch:
                self.outcomes.drop(ready.pair)
                changing.append(ready)
            self.run.totals.reporter.progress("comparing", self.run.totals.done, None)
        return changing

    def _place(self, linked: Linked) -> None:
        """Settle what waits, each scene once however often this is called."""
        for waiting, outcome in (
            (linked.review, Outcome.REVIEW),
            (linked.unmatched, Outcome.UNMATCHED),
        ):
            settled, waiting[:] = tuple(waiting), ()
            for one in settled:
                self.unwritten.place(one, outcome)

    def _preview(self, total: int, ready: Sequence[Ready], linked: Linked) -> None:
        high = tuple(
            self.run.rows.pair(one.pair, PairEnd(Outcome.PLANNED, one.changes))
            for one in [one for one in ready if one.changes][:PREVIEW_ROWS]
        )
        low = tuple(
            self.run.rows.unlinked(one.scene, one.match, Outcome.REVIEW)
            for one in linked.review[:PREVIEW_ROWS]
        )
        self.run.totals.reporter.preview(
            Preview(
                high=high,
                low=low,
                high_total=total,
                low_total=len(linked.review),
                unmatched_total=len(linked.unmatched),
                more_changes=total > self.run.totals.done + len(high),
                proposed_rules=self.run.totals.proposed,
            )
        )

    def _link_orphans(self, linked: Linked) -> Pairs:
        """Match scenes again where the item was gone, or held another file, when it was read.

        Returns:
            The pairs that were found; what waits is added to `linked`.
        """
        lost = self.outcomes.take_orphans()
        if not lost:
            return Pairs()
        scenes = {pair.scene.scene_id: pair.scene for pair, _ in lost}
        again = self.link_again(tuple(scenes.values()))
        linked.review += again.review
        linked.unmatched += again.unmatched
        found = self._items_of(again.pairs)
        for scene_id in scenes.keys() - found.keys():
            self.outcomes.forgo(scene_id)
        for pair, note in lost:
            if pair.scene.scene_id in found:
                self._show_lost(pair, note, found[pair.scene.scene_id])
        return again.pairs

    def _items_of(self, pairs: Sequence[Pair]) -> dict[SceneId, list[PlexItem]]:
        """Return the items each scene goes to, by one walk over Plex's list."""
        index = self.run.inventory.index() if pairs else None
        keys = {one.link.rating_key for one in pairs}
        listed = index.items if index else ()
        items = {item.rating_key: item for item in listed if item.rating_key in keys}
        found: dict[SceneId, list[PlexItem]] = {}
        for one in pairs:
            found.setdefault(one.scene.scene_id, []).append(items[one.link.rating_key])
        return found

    def _show_lost(self, pair: Pair, note: str, theirs: Sequence[PlexItem]) -> None:
        """Show a pair that is no more, unless its scene goes to that item all the same."""
        key = pair.link.rating_key
        if any(item.rating_key == key for item in theirs):
            return
        holder = next((item for item in theirs if holds_file(item, pair.link.path)), None)
        where = f"; its file is in item {holder.rating_key} now" if holder else ""
        merged = " (merged)" if holder and len(holder.files) > 1 else ""
        self.outcomes.give_up(pair, f"item {key}: {note}{where}{merged}")

    def _match_again(self) -> None:
        """Take orphans to the items they belong to now."""
        if self.run.options.ask:
            # Nobody was shown what would be written there.
            for pair, _ in self.outcomes.orphans:
                self.outcomes.skip(pair, "Plex changed it while you were asked; next time again")
            return
        linked = Linked()
        pairs = self._link_orphans(linked)
        self._place(linked)
        self.executor.write_all(self.executor.ready(self.items.of(pairs)))
        denied = list(self.outcomes.orphans)
        for pair, _ in denied:
            self.outcomes.skip(pair, "Plex keeps changing it; next time again")
        self.executor.health.faults.check_denied(len(denied))


def _name(pair: Pair) -> str:
    """Return what a person calls the scene of a pair."""
    scene_id = f"scene {pair.scene.scene_id}"
    return f"'{pair.scene.title}' ({scene_id})" if pair.scene.title else scene_id
