"""What one show or season needs: the title, text and picture of its studio."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import Desired, ItemKind, ItemPlan, Outcome, PlexField, Policy
from plexsync.planning.layout.shows import is_year_of
from plexsync.sync.execution.kept import KeptWork
from plexsync.sync.execution.work import Decision, WorkItem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.models import ItemDetail, RelatedId, ShowRecord, ShowWish
    from plexsync.planning.planner import Planner
    from plexsync.sync.execution.pictures.plan import Artwork

FIELD_PREFIX = "shows."
"""What the names of the fields of shows and seasons begin with."""

POSTER = f"{FIELD_PREFIX}poster"
FIELDS = (f"{FIELD_PREFIX}title", f"{FIELD_PREFIX}season_title", f"{FIELD_PREFIX}summary", POSTER)


@dataclass(slots=True, kw_only=True)
class ShowWork(KeptWork):
    """One show or season on its way through a run.

    Args:
        wish: what the scenes say it should be.
        before: what is remembered of it; None for nothing.
        apart: why it is left alone; "" where it is not.
    """

    wish: ShowWish
    before: ShowRecord | None
    apart: str = ""

    @property
    def related(self) -> RelatedId | None:
        """The studio that gives it all; None where it is left alone."""
        return self.wish.studio


class ShowDecider:
    """Decides what shows and seasons need.

    Args:
        planner: decides field by field.
        artwork: compares posters.
        titles: the policy of the title, by kind.
        summary: the policy of the summary.
        lock_fields: a written field is locked.
        asked_for: what was taken back is written again.
    """

    def __init__(
        self,
        planner: Planner,
        artwork: Artwork,
        *,
        titles: dict[ItemKind, Policy],
        summary: Policy,
        lock_fields: bool,
        asked_for: bool,
    ) -> None:
        self._planner = planner
        self._artwork = artwork
        self._titles = titles
        self._summary = summary
        self._lock_fields = lock_fields
        self._asked_for = asked_for

    def item(self, work: ShowWork) -> WorkItem:
        """Return the work item of a show or season."""
        decide = partial(self._decide, work)
        return WorkItem(pair=work.pair, decide=decide, paths=(), kind=work.wish.kind)

    def _decide(self, work: ShowWork, detail: ItemDetail) -> Decision:
        """Compare a show or season with what it should be.

        Raises:
            ServerError: a server refuses us, or is down.
        """
        pair, wish = work.pair, work.wish
        plan = ItemPlan(
            scene_id=work.key,
            rating_key=wish.rating_key,
            section_id=detail.item.section_id,
            kind=wish.kind,
            path="",
            lock=self._lock_fields,
            changes=(),
        )
        work.apart = self._why_apart(work, detail)
        if work.apart:
            return Decision(plan=plan, note=f"left alone: {work.apart}")
        desired = tuple(self._desired(work))
        held = {} if self._asked_for else self._planner.still_held(desired, pair.link.held)
        pair.link = replace(pair.link, held=held)
        planned = self._planner.plan(desired, detail, pair.link.base, held)
        wanted = self._artwork.plan(pair, work.source, detail)
        pair.by_hand = planned.by_hand
        kept = (*planned.kept, *wanted.kept)
        return Decision(
            plan=replace(plan, changes=planned.changes),
            agreed=planned.agreed,
            pictures=wanted.pictures,
            kept=kept,
            held=planned.held,
            by_hand=planned.by_hand,
            outcome=Outcome.KEPT if kept or planned.held else Outcome.UNCHANGED,
            problem=wanted.problem,
        )

    def _why_apart(self, work: ShowWork, detail: ItemDetail) -> str:
        """Why an item is not to be written to, as Plex shows it; "" where it is."""
        wish = work.wish
        title = str(detail.values.get(PlexField.TITLE, ""))
        if wish.kind is ItemKind.SHOW or is_year_of(wish.year, title, detail.number):
            return ""
        base = work.pair.link.base.get(PlexField.TITLE)
        taken_for = work.before.year if work.before else ""
        if taken_for == wish.year and self._planner.equality.is_base(base, PlexField.TITLE, title):
            return ""  # plexsync gave it the title it has
        return f"it is not called {wish.year}, the year of its scenes"

    def _desired(self, work: ShowWork) -> Iterator[Desired]:
        """Yield what a show or season should hold."""
        kind = work.wish.kind
        policy = self._titles[kind]
        if policy is not Policy.OFF and work.wish.title:
            name = "title" if kind is ItemKind.SHOW else "season_title"
            yield _wish(name, PlexField.TITLE, work.wish.title, policy)
        if self._summary is not Policy.OFF:
            yield _wish("summary", PlexField.SUMMARY, work.summary, self._summary)


def _wish(name: str, target: PlexField, value: str, policy: Policy) -> Desired:
    return Desired(field=f"{FIELD_PREFIX}{name}", target=target, value=value, policy=policy)
