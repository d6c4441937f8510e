"""The step of a run that keeps collections, after all of its scenes.

A collection that is as it was wanted before costs no request. One that is not ours is touched in
two cases only: a person gave Stash the last word in it, or it is nothing but a name plexsync wrote
to each of its members.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import (
    MADE,
    Change,
    CollectionRecord,
    Desired,
    ItemKind,
    Link,
    Outcome,
    PlexField,
    Policy,
    RatingKey,
    Withheld,
    change_of,
)
from plexsync.planning.planner import Planned, Planner
from plexsync.planning.retry_schedule import PARKED
from plexsync.plex.pictures import selected_key
from plexsync.state import Result, Session, Settlement, Unsettled
from plexsync.sync.execution.making import (
    FIELD_PREFIX,
    TEXTS,
    going,
    taken_by_another,
)
from plexsync.sync.execution.settling import reread, settle_one
from plexsync.sync.execution.work import (
    Decision,
    absent,
    blank_link,
    decision_of,
    members_after,
    plan_of,
)
from plexsync.sync.keeping.keeper import Keeper
from plexsync.sync.keeping.wishes import CollectionWork, due_collections
from plexsync.text.normalize import tag_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plexsync.errors import UnsafeError
    from plexsync.models import ItemDetail, RelatedId, SceneId, Value
    from plexsync.plex.decode import CollectionEntry
    from plexsync.sync.context import RunContext
    from plexsync.sync.rows import Pair, PairEnd

_TAKEN = (
    "Plex has a collection of that title, which plexsync did not make: [collections] take_over, "
    "or plexsync run --take-over"
)
_STILL_OURS = (
    "another collection of plexsync has that title: a run follows once that one is renamed"
)
_DELETED = "deleted in Plex, so it is not made again; plexsync run --full does"

_UNNAMED = "unnamed"
"""Remembered in place of a digest of what is wanted while another collection of ours has the title:
each run that looks at collections looks whether it is free, and none is begun for that alone."""

_POSTER_RULE = f"{FIELD_PREFIX}{PlexField.POSTER}"
_WRITTEN = frozenset({*TEXTS, PlexField.POSTER, PlexField.MEMBERS})
"""The fields of a collection that plexsync locks."""


class CollectionKeeper(Keeper[CollectionWork]):
    """Keeps the collections of one run.

    Args:
        run: what the run is about.
        names: what Stash has; see `relations`.
    """

    noun = "collection"
    fields = frozenset(f"{FIELD_PREFIX}{target}" for target in PlexField)

    def __init__(self, run: RunContext, names: Mapping[RelatedId, str]) -> None:
        super().__init__(run, names)
        settings = run.config.collections
        self._artwork = self._posters(_POSTER_RULE, settings.poster)
        # For those in which Stash has the last word for once.
        self._taking = Planner(replace(run.config.apply.rules, taken=self.fields))
        self._settings = settings
        self._rules = settings.rules
        self._named = frozenset(map(tag_key, settings.take_over))
        self._records = dict(run.state.collections())
        self._claims = cache(run.state.claims)

    def keep(self) -> UnsafeError | None:
        """Bring every collection in step; see `Keeper.keep`."""
        self._settle()
        if not self._rules.kinds:
            return None
        works = self._due()
        synced = sum(bool(one.link.rating_key) for one in self._records.values())
        return self._write(works, synced=synced)

    # ---- what needs a look

    def _due(self) -> list[CollectionWork]:
        """Return what needs a look, each with the collection of Plex it is about."""
        found: list[CollectionWork] = []
        for work in due_collections(self._run, self._names, self._records):
            if self._needs_a_look(work):
                self._works[work.key] = work
                if self._attach(work):
                    found.append(work)
        return found

    def _needs_a_look(self, work: CollectionWork) -> bool:
        """Whether a collection may not be as it is wanted."""
        record = work.before
        if record is None:
            return bool(work.wish.members)
        if record.withheld is not None:
            same = record.title == work.wish.title
            again = self._run.is_asked_for or not same
            again = again or (self._run.compares_all and record.withheld is Withheld.TAKEN)
            return bool(work.wish.members) and again
        # What was unknown of a member may have it leave: the wish is the same then.
        is_known_now = not (record.due_at or work.placed.isdisjoint(record.unknown))
        return is_known_now or self._may_differ(work)

    def _attach(self, work: CollectionWork) -> bool:
        """Find the collection of Plex that work is about; False where nothing is to be done.

        Raises:
            ServerError: the collections, or the items, cannot be listed.
        """
        key, record = work.pair.link.rating_key, work.before
        if not key and not work.wish.members:
            self._run.session.keep(work.key, None)  # it is not there, and nothing belongs to it
            return False
        if not key:
            return self._claim_title(work)
        changed = record is None or record.members != work.members
        changed = changed or work.key in self._unsettled
        if self._run.compares_all:
            entry = self._executor.maker.listed(work.wish.section_id).by_key.get(key)
            if entry is None:
                return self._replace_gone(work)
            changed = changed or record is None or entry.member_count != record.count
        if changed:
            self._note_gone(work)
            self._executor.reader.expect_members(key)
        return True

    def _note_gone(self, work: CollectionWork) -> None:
        """Note which members Plex has no more: a scene that rests keeps its link to such an item.

        Where a library cannot be listed none counts as gone.

        Raises:
            ServerError: the only one cannot be listed.
        """
        if self._listed is not None:
            work.gone = frozenset(work.wish.members) - self._listed

    @cached_property
    def _listed(self) -> frozenset[RatingKey] | None:
        index = self._run.inventory.index()
        return None if index is None else frozenset(item.rating_key for item in index.items)

    def _claim_title(self, work: CollectionWork) -> bool:
        """Have a new collection made, or take one over that has the title; False for neither.

        Nothing is made of members that are gone.
        """
        self._note_gone(work)
        if work.gone.issuperset(work.wish.members):
            return False
        title, holders = work.wish.title, self._others_called(work)
        if not holders:
            return True
        if self._is_ours_among(holders):
            self._show(work.pair, Outcome.SKIPPED, _STILL_OURS)
            return False
        # A person gave Stash the last word in it, or in all of them for once.
        named = bool(self._taken) or tag_key(title) in self._named
        for holder in holders:
            if not holder.smart and (named or self._is_tagged_by_us(holder)):
                work.taking = named
                work.pair.link = replace(work.pair.link, rating_key=holder.rating_key)
                self._executor.reader.expect_members(holder.rating_key)
                return True
        self._withhold(work, Withheld.TAKEN, _TAKEN, Outcome.KEPT)
        return False

    def _others_called(self, work: CollectionWork) -> Sequence[CollectionEntry]:
        """Return the other collections that have the title one is to have.

        Raises:
            ServerError: the collections cannot be listed.
        """
        listed = self._executor.maker.listed(work.wish.section_id)
        return listed.called(work.wish.title, {work.pair.link.rating_key})

    def _is_ours_among(self, holders: Sequence[CollectionEntry]) -> bool:
        ours = {one.link.rating_key for one in self._records.values()}
        return any(one.rating_key in ours for one in holders)

    def _replace_gone(self, work: CollectionWork) -> bool:
        """Have one of ours that is gone made again, if a person asks; False where it is not."""
        if work.wish.members and self._run.is_asked_for:
            work.pair.link = blank_link(work.wish.section_id)
            return self._claim_title(work)
        self.lose(work.pair, "")
        return False

    def _is_tagged_by_us(self, entry: CollectionEntry) -> bool:
        """Whether a collection is just a name plexsync wrote to each of its members.

        Raises:
            ServerError: its members cannot be read.
        """
        members = self._run.ports.plex.collections.members(entry.rating_key)
        claims = self._claims()
        return bool(members) and all(
            key in claims and self._wrote_name(claims[key], key, entry.title) for key in members
        )

    def _wrote_name(self, scene_id: SceneId, rating_key: RatingKey, title: str) -> bool:
        record = self._run.state.get(scene_id)
        bases = [
            link.base.get(PlexField.COLLECTIONS)
            for link in (record.links if record else ())
            if link.rating_key == rating_key
        ]
        equality = self._planner.equality
        return any(bool(equality.owned_among((title,), base)) for base in bases)

    # ---- what each needs

    def _decide(self, work: CollectionWork, detail: ItemDetail) -> Decision:
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
        desired = self._desired(work, detail, exists=exists)
        planned = self._planned(work, desired, detail, planner)
        renamed = change_of(planned.changes, PlexField.TITLE) if exists else None
        work.unnamed = self._why_unnamed(work) if renamed else ""
        if work.unnamed:
            planned = replace(planned, changes=tuple(c for c in planned.changes if c != renamed))
        members = members_after(planned.changes, detail)
        work.count = detail.member_count if members is None else len(members)
        if exists and self._may_go(work, detail, planned):
            gone = tuple(going(self._planner, _with_poster(detail, pair.link), pair.link))
            return Decision(plan=replace(plan, changes=gone))
        changes = planned.changes if exists else (_coming(), *planned.changes)
        wanted = self._artwork.plan(pair, work.source, detail)
        decision = decision_of(replace(plan, changes=changes), planned, wanted, pair)
        if not work.unnamed:
            return decision
        outcome = Outcome.SKIPPED if work.unnamed == _STILL_OURS else Outcome.KEPT
        return replace(decision, outcome=outcome, note=work.unnamed)

    def _why_unnamed(self, work: CollectionWork) -> str:
        """Return why a collection is not renamed; "" where no other one has the new title.

        Raises:
            ServerError: the collections cannot be listed.
        """
        holders = self._others_called(work)
        if not holders:
            return ""
        ours = self._is_ours_among(holders)
        return _STILL_OURS if ours else taken_by_another(work.wish.title)

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
                yield _wish(PlexField.SUMMARY, work.says.text, self._settings.summary)
            if self._settings.mode != "library":
                yield _wish(PlexField.MODE, self._settings.mode.value, Policy.KEEP)
        if PlexField.MEMBERS in detail.values or not exists:
            held = detail.values.get(PlexField.MEMBERS, ())
            there = frozenset(wish.members)
            # Of an item nothing is known of, nothing follows.
            stay = [one for one in held if one not in there and one not in work.placed]
            work.unknown = frozenset(map(RatingKey, stay))
            come = (one for one in wish.members if one not in work.gone or one in held)
            found = _wish(PlexField.MEMBERS, (*come, *stay), Policy.MERGE)
            yield replace(found, wished=wish.members)

    def _may_go(self, work: CollectionWork, detail: ItemDetail, planned: Planned) -> bool:
        """Whether a collection is ours, empty once we are done, and as we left it.

        Raises:
            ServerError: its posters cannot be read.
        """
        base, is_base = work.pair.link.base, self._planner.equality.is_base
        is_ours = PlexField.EXISTENCE in base
        if work.wish.members or not is_ours or PlexField.MEMBERS not in detail.values:
            return False
        left, values = members_after(planned.changes, detail), detail.values
        if left or planned.held or values.get(PlexField.LABELS) or not detail.locked <= _WRITTEN:
            return False
        somebodys = detail.locked.intersection(TEXTS)
        somebodys |= {PlexField.MODE} if values.get(PlexField.MODE) else set()
        ours = all(
            is_base(base.get(target), target, str(values.get(target, ""))) for target in somebodys
        )
        return ours and self._is_our_poster(work, detail)

    def _is_our_poster(self, work: CollectionWork, detail: ItemDetail) -> bool:
        if PlexField.POSTER not in detail.locked:
            return True
        known = work.pair.link.pictures.get(PlexField.POSTER)
        if known is None or not known.key:
            return False
        key = detail.item.rating_key
        available = self._run.ports.plex.pictures.available(key, PlexField.POSTER)
        return selected_key(available) == known.key

    # ---- how each ended

    def _withhold(self, work: CollectionWork, why: Withheld, note: str, outcome: Outcome) -> None:
        """Leave a collection alone from now on, and say so once."""
        self._show(work.pair, outcome, note)
        self._run.session.keep(work.key, work.left_alone(why))

    def lose(self, pair: Pair, note: str) -> None:
        """Leave a collection alone that a person deleted, or that is none any more."""
        del note
        work = self._works[pair.scene.scene_id]
        if not work.wish.members:
            self._run.session.keep(work.key, None)  # it went with its last member
        else:
            self._withhold(work, Withheld.DELETED, _DELETED, Outcome.SKIPPED)

    def _record(
        self, work: CollectionWork, ending: PairEnd, *, done: bool
    ) -> CollectionRecord | None:
        if ending.gone:  # a person may have taken out what is wanted in it
            return work.left_alone(Withheld.DELETED) if work.wish.members else None
        if not work.pair.link.rating_key and ending.outcome is Outcome.SKIPPED:
            # Nothing was made because somebody else's has the title.
            return work.left_alone(Withheld.TAKEN)
        if work.unnamed != _STILL_OURS:
            return work.record(done=done and not self._is_known_soon(work))
        record = work.record(done=False)
        whole = ending.problem is None and not ending.again
        return replace(record, wanted=_UNNAMED) if whole else record

    def _is_known_soon(self, work: CollectionWork) -> bool:
        """Whether a member is the item of a scene that waits for the next run only."""
        owners = self._claims() if work.unknown else {}
        records = (self._run.state.get(owners[key]) for key in work.unknown & owners.keys())
        return any(
            one.outcome in {Outcome.FAILED, Outcome.SKIPPED} and one.due_at != PARKED
            for one in records
            if one is not None
        )

    # ---- writes of earlier runs

    def _settle(self) -> None:
        """Note what became of writes of earlier runs that the executor does not come across.

        Raises:
            ServerError: Plex cannot say.
        """
        session = self._run.session
        if self._run.options.dry_run:
            return
        unsettled = self._run.state.unsettled
        open_ones = [one for one in unsettled if one.plan.kind is ItemKind.COLLECTION]
        for one in [one for one in open_ones if not one.plan.rating_key]:
            self._settle_making(session, one)
        known = [one for one in open_ones if one.plan.rating_key]
        for one, detail in reread(self._executor.reader, known):
            if detail is None:
                gone = absent(one.plan) if one.plan.may_drop else None
                settle_one(session, one, gone, self._planner)
                if gone is not None:
                    session.keep(one.plan.scene_id, None)
            elif not self._rules.kinds:
                session.note(Result(one.seq, Settlement.SETTLED, run_id=one.run_id))
        session.commit()
        self._records = dict(self._run.state.collections())

    def _settle_making(self, session: Session, one: Unsettled) -> None:
        """Find out whether a collection was made: its title was free right before."""
        plan = one.plan
        known = {record.link.rating_key for record in self._records.values()}
        key = self._executor.maker.find_made(plan, known)
        if key is None:
            settle_one(session, one, None, self._planner)
            return
        link = Link(rating_key=key, section_id=plan.section_id, path="")
        link = self._planner.link_after(link, plan.changes)
        session.note(Result(one.seq, Settlement.APPLIED, made=key, run_id=one.run_id))
        session.keep(plan.scene_id, CollectionRecord(link=link, title=plan.title))


def _with_poster(detail: ItemDetail, link: Link) -> ItemDetail:
    """Return a collection with the key of its poster, which is ours, among its values."""
    known = link.pictures.get(PlexField.POSTER)
    values = {**detail.values, PlexField.POSTER: known.key if known else ""}
    return replace(detail, values=values)


def _coming() -> Change:
    target = PlexField.EXISTENCE
    return Change(field=_name(target), target=target, before="", after=MADE, policy=Policy.KEEP)


def _wish(target: PlexField, value: Value, policy: Policy) -> Desired:
    return Desired(field=_name(target), target=target, value=value, policy=policy)


def _name(target: PlexField) -> str:
    """Return what a field of a collection is called in rows, and after `--field`."""
    return f"{FIELD_PREFIX}{target}"
