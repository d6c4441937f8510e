"""What undoes and saved plans share: a journaled run of work that was decided earlier.

All it needs of the world is Plex, and each item must still be as it is expected.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import MismatchError
from plexsync.models import (
    VIDEO_KINDS,
    CollectionRecord,
    ItemKind,
    Link,
    Outcome,
    PlexField,
    Preview,
    ShowRecord,
    change_of,
    is_kept,
    is_show_key,
)
from plexsync.sync.execution.executor import PREVIEW_ROWS, Executor
from plexsync.sync.execution.sender import UNSENT
from plexsync.sync.execution.settling import known_link, with_link
from plexsync.sync.execution.work import (
    Decision,
    Outcomes,
    Ready,
    WorkItem,
    blank_link,
)
from plexsync.sync.rows import Pair, PairEnd, RowMaker
from plexsync.sync.run_scope import RunScope, journaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.models import Change, ItemDetail, ItemPlan, MatchRow, RatingKey, SceneId
    from plexsync.planning.planner import Planner
    from plexsync.state import Lineage


@dataclass(kw_only=True)
class EarlierWork(Outcomes, ABC):
    """What an undo or a saved plan carries out; it shows and remembers how each item ended, too.

    Args:
        scope: what it has from its beginning to its end.
        planner: says what Plex shows alike.
        headline: stands over what is shown; `{}` becomes `12 items`.
        done: stands there instead where nothing is left to do.
        stale: what to say if not one item could be done because each is otherwise by now.
    """

    scope: RunScope
    planner: Planner
    headline: str
    done: str
    stale: str
    _rows: RowMaker = field(init=False)

    def carry_out(
        self, items: Sequence[WorkItem], plans: Iterable[ItemPlan], lineage: Lineage
    ) -> None:
        """Carry items out as a journaled run.

        Args:
            items: what to do.
            plans: what was decided about them.
            lineage: the servers that answered.

        Raises:
            MismatchError: nothing could be done because everything is otherwise by now.
            PlexsyncError: it ended early.
        """
        ports, totals, total = self.scope.ports, self.scope.totals, len(items)
        executor = self._executor
        executor.reader.expect(plans)
        libraries = {one.section_id: one.title for one in ports.plex.sections(())}
        self._rows = RowMaker(ports.stash.scene_url, ports.plex.item_url, libraries)

        with journaled(self.scope, lineage):
            ahead, batches = executor.looked_ahead(items, total)
            totals.reporter.preview(self._preview(ahead, total))
            executor.write_all(batches, total)
            counts = totals.counts
            done = counts.applied + counts.planned + counts.unchanged + counts.failed
            if not done and (counts.kept or counts.skipped):
                raise MismatchError(self.stale)

    @abstractmethod
    def _remember(self, pair: Pair, outcome: Outcome) -> None:
        """Remember how one ended. Its link knows what Plex was seen to hold."""

    def lose(self, pair: Pair, note: str) -> None:
        """Leave an item alone that is not what it was."""
        self.finish(pair, PairEnd(Outcome.SKIPPED, note=note))

    def finish(self, pair: Pair, ending: PairEnd) -> None:
        """Show how an item ended, and remember it."""
        if ending.again and ending.problem is None:
            ending = ending._replace(outcome=Outcome.FAILED, problem=UNSENT)
        self.scope.totals.emit(self._row(pair, ending))
        if ending.gone:
            pair.link = blank_link(pair.link.section_id)
        self._remember(pair, ending.outcome)

    def _is_made(self, plan: ItemPlan) -> bool:
        """Whether Plex has a collection by now of what a plan would make one of.

        Raises:
            ServerError: the collections of its library cannot be listed.
        """
        record = self.scope.state.kept(plan.scene_id)
        there = self._executor.maker.listed(plan.section_id).by_key
        return record is not None and record.link.rating_key in there

    def _why_unnamed(self, detail: ItemDetail, changes: Iterable[Change]) -> str:
        """Return why a collection is not renamed as changes say; "" where nothing is in the way.

        Raises:
            ServerError: the collections of its library cannot be listed.
        """
        item, renamed = detail.item, change_of(changes, PlexField.TITLE)
        if renamed is None or item.kind is not ItemKind.COLLECTION or not item.rating_key:
            return ""
        title = str(renamed.after)
        others = self._executor.maker.listed(item.section_id).called(title, {item.rating_key})
        return f"keeps its title: Plex has another collection '{title}' by now" if others else ""

    def note_written(self, pair: Pair) -> None:
        """Remember what is ours on an item with pictures still to come."""
        key, session, state = pair.scene.scene_id, self.scope.session, self.scope.state
        if is_kept(key):
            session.keep(key, self._kept_with(pair))
        else:
            session.remember(key, with_link(state.get(key), pair.link))

    def _preview(self, ready: Sequence[Ready], total: int) -> Preview:
        """Return what a person sees before the first write."""
        done = self.scope.totals.done
        more = total > done + len(ready)
        has_failed = bool(self.scope.totals.counts.failed)
        left = total - done if more else len(ready)
        count = f"{'up to ' if more else ''}{left:,} {'item' if left == 1 else 'items'}"
        rows = [
            self._row(one.pair, PairEnd(Outcome.PLANNED, one.changes, note=one.decision.words()))
            for one in ready[:PREVIEW_ROWS]
        ]
        return Preview(
            high=tuple(rows),
            high_total=total,
            more_changes=more,
            headline=self.headline.format(count) if left or has_failed else self.done,
        )

    def _row(self, pair: Pair, ending: PairEnd) -> MatchRow:
        # Stash is not asked for the titles of scenes; the item's says as much.
        row = self._rows.pair(pair, ending)
        if row.scene.title:
            return row
        return replace(row, scene=replace(row.scene, title=pair.title))

    def _kept_with(self, pair: Pair) -> CollectionRecord | ShowRecord:
        """Return the record of a collection, show or season with the link of a pair.

        The next run looks at it again.
        """
        key, link = pair.scene.scene_id, pair.link
        record = self.scope.state.kept(key)
        if record is None:
            kind = ShowRecord if is_show_key(key) else CollectionRecord
            return kind(link=link, title=pair.title)
        if isinstance(record, CollectionRecord):
            return replace(record, link=link, wanted="", members="", withheld=None)
        if record.link.rating_key != link.rating_key:
            return record  # an edit of the show that hit another item
        return replace(record, link=link, wanted="")

    @cached_property
    def _executor(self) -> Executor:
        return Executor(self.scope, planner=self.planner, outcomes=self)

    @cached_property
    def _claims(self) -> Mapping[RatingKey, SceneId]:
        return self.scope.state.claims()

    @cached_property
    def _sources(self) -> Mapping[RatingKey, SceneId]:
        records = self.scope.state.collections().items()
        return {one.link.rating_key: key for key, one in records if one.link.rating_key}

    def _owner(self, plan: ItemPlan) -> SceneId:
        """Return the scene that is linked to a plan's item by now; the plan's own where none is.

        That one may have been merged into another, or have got another id by a full import. So may
        what a collection is of.
        """
        if plan.kind is ItemKind.COLLECTION:
            return self._sources.get(plan.rating_key, plan.scene_id)
        if plan.kind not in VIDEO_KINDS or known_link(self.scope.state, plan) is not None:
            return plan.scene_id
        return self._claims.get(plan.rating_key, plan.scene_id)

    def _link_of(self, plan: ItemPlan) -> Link:
        """Return the link of a plan's scene to its item, with what is remembered of it."""
        state = self.scope.state
        found = known_link(state, plan) or state.former(plan.rating_key)
        kept = state.kept(plan.scene_id) if is_kept(plan.scene_id) else None
        if kept is not None and kept.link.rating_key == plan.rating_key:
            found = kept.link
        blank = Link(rating_key=plan.rating_key, section_id=plan.section_id, path=plan.path)
        return found or blank


def unmade(plan: ItemPlan) -> Decision:
    """Make no second collection of what Plex has one of by now."""
    return Decision(
        plan=replace(plan, changes=()),
        outcome=Outcome.SKIPPED,
        note="Plex has another collection of it by now, perhaps by another title",
    )
