"""What one collection needs: its texts, its members, its poster; or to be made, or to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import (
    MADE,
    Change,
    CollectionRecord,
    Desired,
    Link,
    Outcome,
    PlexField,
    Policy,
    RatingKey,
)
from plexsync.planning.planner import Planner
from plexsync.plex.pictures import selected_key
from plexsync.sync.execution.making import FIELD_PREFIX, TEXTS, going
from plexsync.sync.execution.work import Decision, blank_link, decision_of, members_after, plan_of
from plexsync.sync.keeper import KeptWork, planned_for, wish_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.models import CollectionWish, ItemDetail, Value
    from plexsync.planning.planner import Planned
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.pictures.plan import Artwork

POSTER_RULE = f"{FIELD_PREFIX}{PlexField.POSTER}"
FIELDS = frozenset(f"{FIELD_PREFIX}{target}" for target in PlexField)
"""What the fields of collections are called in rows."""

_WRITTEN = frozenset({*TEXTS, PlexField.POSTER, PlexField.MEMBERS})
"""The fields of a collection that plexsync locks."""


@dataclass(slots=True, kw_only=True)
class CollectionWork(KeptWork):
    """One collection on its way through a run.

    Args:
        wish: what the scenes say it should be.
        placed: the items of its library whose scenes are known: only these may be taken out.
        members: digest of the members that are wanted.
        before: what is remembered of it; None for nothing.
        taking: its title is that of a collection Stash has the last word in for once.
        count: how many members it has in the end.
    """

    wish: CollectionWish
    placed: frozenset[RatingKey]
    members: str
    before: CollectionRecord | None
    taking: bool = False
    count: int = 0

    @property
    def is_made(self) -> bool:
        """Whether plexsync made it."""
        return PlexField.EXISTENCE in self.pair.link.base

    def blank(self) -> CollectionRecord:
        """Return what is remembered of one that is not there."""
        return self.record_of(blank_link(self.wish.section_id), done=True)

    def record_of(self, link: Link, *, done: bool) -> CollectionRecord:
        """Return what is remembered of it; unless it is `done` the next run looks again."""
        return CollectionRecord(
            link=link,
            title=self.wish.title,
            wanted=self.wanted if done else "",
            members=self.members if done else "",
            count=self.count,
            attempts=0 if done else self.tries_before,
        )


class CollectionDecider:
    """Decides what collections need.

    Args:
        run: what the run is about.
        planner: decides field by field.
        artwork: compares posters.
    """

    def __init__(self, run: RunContext, planner: Planner, artwork: Artwork) -> None:
        self._run = run
        self._planner = planner
        # For those in which Stash has the last word for once.
        self._taking = Planner(replace(run.config.apply.rules, taken=FIELDS))
        self._artwork = artwork
        self._settings = run.config.collections

    def decide(self, work: CollectionWork, detail: ItemDetail) -> Decision:
        """Compare a collection with what it should be.

        Raises:
            ServerError: a server refuses us, or is down.
        """
        pair = work.pair
        lock = self._run.config.apply.lock_fields
        plan = plan_of(pair, detail, lock=lock, member_kind=work.wish.kind)
        if detail.smart:
            note = "a filter chooses its members, so it is left alone"
            return Decision(plan=plan, outcome=Outcome.KEPT, note=note)
        planner = self._taking if work.taking else self._planner
        exists = bool(detail.values.get(PlexField.EXISTENCE))
        desired = tuple(self._desired(work, detail, exists=exists))
        planned = planned_for(self._run, pair, desired, detail, planner=planner)
        work.count = _count(detail, planned)
        if exists and self._may_go(work, detail, planned):
            gone = tuple(going(self._planner, _with_poster(detail, pair.link), pair.link))
            return Decision(plan=replace(plan, changes=gone))
        changes = planned.changes if exists else (_coming(), *planned.changes)
        wanted = self._artwork.plan(pair, work.source, detail)
        return decision_of(replace(plan, changes=changes), planned, wanted, pair)

    def _desired(
        self, work: CollectionWork, detail: ItemDetail, *, exists: bool
    ) -> Iterator[Desired]:
        """Yield what a collection should hold; without members it keeps its texts."""
        wish = work.wish
        if wish.members:
            yield _wish(PlexField.TITLE, wish.title, Policy.KEEP)
            if wish.sort_title:
                yield _wish(PlexField.SORT_TITLE, wish.sort_title, Policy.KEEP)
            if self._settings.summary is not Policy.OFF:
                yield _wish(PlexField.SUMMARY, work.summary, self._settings.summary)
            if self._settings.mode != "library":
                yield _wish(PlexField.MODE, self._settings.mode.value, Policy.KEEP)
        if PlexField.MEMBERS in detail.values or not exists:
            held = detail.values.get(PlexField.MEMBERS, ())
            there = frozenset(wish.members)
            # Of an item nothing is known of, nothing follows.
            stay = (one for one in held if one not in there and one not in work.placed)
            members = (*wish.members, *stay)
            yield _wish(PlexField.MEMBERS, members, Policy.MERGE)

    # ---- going

    def _may_go(self, work: CollectionWork, detail: ItemDetail, planned: Planned) -> bool:
        """Whether a collection is ours, empty once we are done, and as we left it.

        Raises:
            ServerError: its posters cannot be read.
        """
        if work.wish.members or not work.is_made or PlexField.MEMBERS not in detail.values:
            return False
        left = members_after(planned.changes, detail)
        if left or planned.held or not detail.locked <= _WRITTEN:
            return False
        if detail.values.get(PlexField.LABELS) or any(
            self._is_theirs(work, detail, target) for target in TEXTS
        ):
            return False
        mode = str(detail.values.get(PlexField.MODE, ""))
        if mode and not self._is_ours(work, PlexField.MODE, mode):
            return False
        return self._is_our_poster(work, detail)

    def _is_theirs(self, work: CollectionWork, detail: ItemDetail, target: PlexField) -> bool:
        value = str(detail.values.get(target, ""))
        return target in detail.locked and not self._is_ours(work, target, value)

    def _is_ours(self, work: CollectionWork, target: PlexField, value: str) -> bool:
        base = work.pair.link.base.get(target)
        return self._planner.equality.is_base(base, target, value)

    def _is_our_poster(self, work: CollectionWork, detail: ItemDetail) -> bool:
        if PlexField.POSTER not in detail.locked:
            return True
        known = work.pair.link.pictures.get(PlexField.POSTER)
        if known is None or not known.key:
            return False
        key = detail.item.rating_key
        available = self._run.ports.plex.pictures.available(key, PlexField.POSTER)
        return selected_key(available) == known.key


def _with_poster(detail: ItemDetail, link: Link) -> ItemDetail:
    """Return a collection with the key of its poster, which is ours, among its values."""
    known = link.pictures.get(PlexField.POSTER)
    values = {**detail.values, PlexField.POSTER: known.key if known else ""}
    return replace(detail, values=values)


def _coming() -> Change:
    target = PlexField.EXISTENCE
    return Change(field=_name(target), target=target, before="", after=MADE, policy=Policy.KEEP)


def _wish(target: PlexField, value: Value, policy: Policy) -> Desired:
    return wish_of(_name(target), target, value, policy)


def _name(target: PlexField) -> str:
    """Return what a field of a collection is called in rows, and after `--field`."""
    return f"{FIELD_PREFIX}{target}"


def _count(detail: ItemDetail, planned: Planned) -> int:
    """How many members a collection has once the plan is carried out."""
    members = members_after(planned.changes, detail)
    return detail.member_count if members is None else len(members)
