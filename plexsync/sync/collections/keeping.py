"""The step of a run that keeps collections: which there should be, and which need a look.

It comes after the scenes, of all that the records of linked scenes show by then. A collection that
is as it was wanted before costs no request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import (
    CollectionRecord,
    CollectionWish,
    FieldRule,
    FieldRules,
    ItemKind,
    Link,
    Outcome,
    PlexField,
    Policy,
    RatingKey,
    Scene,
    SceneDetail,
    Withheld,
    source_in,
)
from plexsync.planning.layout.collections import Placing, wished_collections
from plexsync.planning.planner import Planner
from plexsync.state import Settlement
from plexsync.sync.collections.outcomes import GOOD, CollectionOutcomes
from plexsync.sync.collections.work import POSTER_RULE, CollectionDecider, CollectionWork
from plexsync.sync.execution.executor import Executor
from plexsync.sync.execution.making import FIELD_PREFIX, find_made
from plexsync.sync.execution.pictures.plan import Artwork
from plexsync.sync.execution.work import deletes
from plexsync.sync.limited_writes import LimitedWriter
from plexsync.sync.rows import Pair
from plexsync.text.folding import short_digest
from plexsync.text.normalize import fold_tag, tag_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from plexsync.errors import UnsafeError
    from plexsync.models import RelatedId, SceneId
    from plexsync.planning.layout.collections import WishedCollections
    from plexsync.plex.collections.answers import CollectionEntry
    from plexsync.state import Unsettled
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.work import Ready

_DIGITS = 16
_SEEN = GOOD | {Outcome.PLANNED}
"""How a scene ended of which all is known."""


class CollectionKeeper:
    """Keeps the collections of one run.

    Args:
        run: what the run is about.
        names: what Stash has; see `relations`.
        save: takes what a dry run would write; None for nobody.
    """

    def __init__(
        self,
        run: RunContext,
        names: Mapping[RelatedId, str],
        save: Callable[[Ready], None] | None,
    ) -> None:
        self._run = run
        self._rows = run.rows
        self._names = names
        self._settings = run.config.collections
        self._rules = self._settings.rules
        self._records = run.state.collections()
        self._stamps: dict[RelatedId, str] = {}
        self._kinds = {one.section_id: one.kind for one in run.sections}
        planner = Planner(run.config.apply.rules)
        self._outcomes = CollectionOutcomes(run.session, rows=run.rows, emit=run.totals.emit)
        self._executor = Executor(
            run.ports,
            run.state,
            run.session,
            planner=planner,
            outcomes=self._outcomes,
            totals=run.totals,
            save=save,
        )
        self._maker = self._executor.maker
        self._planner = planner
        self._decider = self._made_decider(planner)
        self._unsettled = {
            one.plan.scene_id for one in run.state.unsettled if one.plan.kind is ItemKind.COLLECTION
        }

    def keep(self) -> UnsafeError | None:
        """Bring every collection in step; return the limit that held some of it back.

        Raises:
            ServerError: a server is down, or refuses us.
            DeclinedError: a person was asked and declined.
            InterruptedRunError: asked to stop.
        """
        self._settle()
        if not self._rules.kinds:
            return None
        wished = wished_collections(self._rules, self._names, self._placings())
        for clash in wished.clashes:
            self._run.totals.reporter.warn(
                f"'{clash.title}' is the title of two collections; none is made for "
                f"{clash.source.text}: [collections] title tells them apart with {{kind}}"
            )
        self._stamps = self._run.ports.stash.stamps(sorted(self._rules.kinds))
        works = list(self._due(wished))
        self._ask_stash(works)
        held = self._write(works)
        if (fault := self._run.ports.health.faults.of()) is not None:
            raise fault
        return held

    # ---- what there should be

    def _placings(self) -> Iterator[Placing]:
        """Yield the linked scenes of which all is known, as this run leaves them."""
        planned = self._run.planned
        for scene_id, placed in self._run.state.placings():
            one = planned.get(scene_id, placed)
            if scene_id not in planned and one.outcome in GOOD:
                yield self._placing(one.related, one.marks, one.links)
        for record in planned.values():
            if record.outcome in _SEEN:
                yield self._placing(record.related, record.marks, record.links)

    def _placing(self, related: str, marks: str, links: Sequence[object]) -> Placing:
        kinds = self._kinds
        items = [
            (link.section_id, kinds[link.section_id], link.rating_key)  # type: ignore[attr-defined] # a Link or as much of one
            for link in links
            if link.section_id in kinds  # type: ignore[attr-defined] # likewise
        ]
        return Placing(related, marks, tuple(items))

    def _due(self, wished: WishedCollections) -> Iterator[CollectionWork]:
        """Yield the collections that need a look."""
        wishes = {wish.key: wish for wish in wished.wishes}
        clashes = {wish.key for wish in wished.clashes}
        for key in [*wishes, *(key for key in self._records if key not in wishes)]:
            record = self._records.get(key)
            wish = wishes.get(key) or self._emptied(key, record)
            if wish is None or key in clashes:
                continue
            work = self._work(wish, record, wished.placed.get(wish.section_id, frozenset()))
            if work is not None:
                yield work

    def _emptied(self, key: SceneId, record: CollectionRecord | None) -> CollectionWish | None:
        """Return a collection no scene belongs to any more; None where it is left alone for now."""
        source = source_in(key)
        if source is None or record is None or source.kind not in self._rules.kinds:
            return None
        section_id = key.partition(".")[0]
        if section_id not in self._kinds or not self._is_chosen(source.related):
            return None
        return CollectionWish(
            source=source,
            section_id=section_id,
            kind=self._kinds[section_id],
            name=record.title,
            title=record.title,
        )

    def _is_chosen(self, related: RelatedId | None) -> bool:
        """Whether what a collection is made from may have one; a tag only if it is named."""
        if related is None or not related.startswith("t") or related not in self._names:
            return True
        name = self._names[related].partition("\x1f")[0]
        return fold_tag(name) in self._rules.tags

    def _work(
        self,
        wish: CollectionWish,
        record: CollectionRecord | None,
        placed: frozenset[RatingKey],
    ) -> CollectionWork | None:
        """Return what is to be done about a collection; None for nothing."""
        asked, full = self._run.is_asked_for, self._run.compares_all
        members = short_digest(" ".join(wish.members), _DIGITS)
        stamp = self._stamp(wish)
        wanted = self._wanted(wish, members, stamp)
        blank = Link(rating_key=RatingKey(""), section_id=wish.section_id, path="")
        link = record.link if record else blank
        work = CollectionWork(
            wish=wish,
            pair=Pair(
                scene=Scene(scene_id=wish.key, updated_at=stamp, title=wish.name),
                link=link,
                title=wish.title,
                known=bool(link.rating_key),
                reason=f"collection of {wish.source.text}",
            ),
            placed=placed,
            wanted=wanted,
            members=members,
            source=SceneDetail(scene_id=wish.key, updated_at=stamp),
            count=record.count if record else 0,
        )
        self._outcomes.open(work)
        if record is not None and record.withheld is not None:
            same = record.title == wish.title
            again = asked or not same or (full and record.withheld is Withheld.TAKEN)
            if not wish.members or not again:
                return None
        elif record is not None and wanted and record.wanted == wanted and not full:
            return work if wish.key in self._unsettled else None
        return self._with_collection(work, record)

    def _with_collection(
        self, work: CollectionWork, record: CollectionRecord | None
    ) -> CollectionWork | None:
        """Return the work with the collection it is about; None where it is to be left alone.

        Raises:
            ServerError: the collections cannot be listed.
        """
        wish, key = work.wish, work.pair.link.rating_key
        if key and self._run.compares_all:
            entries = self._maker.titles(wish.section_id).values()
            entry = next((one for one in entries if one.rating_key == key), None)
            if entry is None:
                return self._vanished(work)
            if record is None or entry.member_count != record.count:
                self._executor.reader.expect_members(key)
        if key:
            if record is None or record.members != work.members or key in self._unsettled_keys():
                self._executor.reader.expect_members(key)
            return work
        if not wish.members:
            return None
        taken = self._maker.titles(wish.section_id).get(tag_key(wish.title))
        if taken is None:
            return work
        named = self._takes_over(wish.title)
        if named or self._is_tagged_by_us(taken):
            work.taking = named
            work.pair.link = replace(work.pair.link, rating_key=taken.rating_key)
            self._executor.reader.expect_members(taken.rating_key)
            return work
        note = "Plex has a collection of that title, which plexsync did not make"
        hint = f"{note}: [collections] take_over, or plexsync run --take-over"
        self._outcomes.withhold(work, Withheld.TAKEN, hint, Outcome.KEPT)
        return None

    def _vanished(self, work: CollectionWork) -> CollectionWork | None:
        """Return what to do about one of ours that is not in Plex any more."""
        if work.wish.members and self._run.is_asked_for:
            blank = Link(rating_key=RatingKey(""), section_id=work.wish.section_id, path="")
            work.pair.link = blank
            return self._with_collection(work, None)
        self._outcomes.lose(work.pair, "")
        return None

    def _unsettled_keys(self) -> set[RatingKey]:
        return {
            one.plan.rating_key
            for one in self._run.state.unsettled
            if one.plan.kind is ItemKind.COLLECTION
        }

    def _is_tagged_by_us(self, entry: CollectionEntry) -> bool:
        """Whether a collection is just a name plexsync wrote to each of its members.

        Raises:
            ServerError: its members cannot be read.
        """
        if entry.smart:
            return False
        members = self._run.ports.plex.collections.members(entry.rating_key)
        claims = self._run.state.claims()
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

    def _takes_over(self, title: str) -> bool:
        named = {tag_key(one) for one in self._settings.take_over}
        return self._takes_all or tag_key(title) in named

    @property
    def _takes_all(self) -> bool:
        """Whether a person gave Stash the last word for once, and not in single fields only."""
        options = self._run.options
        return options.take_over and not options.fields

    def _wanted(self, wish: CollectionWish, members: str, stamp: str) -> str:
        """One digest of all that is wanted; "" while the source may hide another edit."""
        if stamp and not self._run.ports.stash.is_settled(stamp):
            return ""
        settings, apply = self._settings, self._run.config.apply.rules
        parts = (wish.title, wish.sort_title, settings.mode, settings.summary, settings.poster)
        text = "\x1d".join((*parts, repr(apply), stamp, members))
        return short_digest(text, _DIGITS)

    def _stamp(self, wish: CollectionWish) -> str:
        """Return the time of the source, as an opaque text; "" where it has none."""
        related = wish.source.related
        return self._stamps.get(related, "") if related else ""

    # ---- what Stash says

    def _ask_stash(self, works: Sequence[CollectionWork]) -> None:
        """Have the sources of what needs a look say their texts and pictures."""
        wanted = [one for work in works if work.wish.members and (one := work.wish.source.related)]
        known = self._run.ports.stash.objects(wanted) if wanted else {}
        for work in works:
            related = work.wish.source.related
            seen = known.get(related) if related else None
            if seen is not None:
                work.summary = seen.text
                work.source = replace(work.source, cover_path=seen.image_path)

    # ---- writing

    def _write(self, works: Sequence[CollectionWork]) -> UnsafeError | None:
        """Carry works out, past the limits; return the one that is passed."""
        items = [self._decider.item(work) for work in works]
        synced = sum(bool(one.link.rating_key) for one in self._records.values())
        writer = LimitedWriter(
            self._run, self._executor, self._outcomes, self._planner.equality, noun="collection"
        )
        return writer.write(items, synced=synced)

    # ---- writes of earlier runs

    def _settle(self) -> None:
        """Note what became of writes of earlier runs that the executor does not come across.

        Raises:
            ServerError: Plex cannot say.
        """
        session = self._run.session
        if session is None:
            return
        open_ones = [one for one in session.state.unsettled if one.plan.kind is ItemKind.COLLECTION]
        keys = tuple({one.plan.rating_key for one in open_ones if one.plan.rating_key})
        read = self._executor.reader.read(keys) if keys else {}
        for one in open_ones:
            if not one.plan.rating_key:
                self._settle_making(one)
            elif one.plan.rating_key not in read:
                gone = deletes(one.plan)
                missing = () if gone else tuple(change.target for change in one.plan.changes)
                status = Settlement.APPLIED if gone else Settlement.FAILED
                session.settle(one, status, missing=missing)
                if gone:
                    session.keep_collection(one.plan.scene_id, None)
            elif not self._rules.kinds:
                session.settle(one, Settlement.SETTLED)
        session.commit()
        self._records = session.state.collections()

    def _settle_making(self, one: Unsettled) -> None:
        """Find out whether a collection was made: its title was free right before."""
        session = self._run.session
        assert session is not None  # noqa: S101 - see `_settle`
        plan = one.plan
        known = {record.link.rating_key for record in self._records.values()}
        key = find_made(self._run.ports.plex, plan, known)
        if key is None:
            missing = tuple(change.target for change in plan.changes)
            session.settle(one, Settlement.FAILED, missing=missing)
            return
        link = Link(rating_key=key, section_id=plan.section_id, path="")
        link = self._planner.link_after(link, plan.changes)
        session.settle(one, Settlement.APPLIED, made=key)
        title = next(str(c.after) for c in plan.changes if c.target is PlexField.TITLE)
        session.keep_collection(plan.scene_id, CollectionRecord(link=link, title=title))

    # ---- parts

    def _made_decider(self, planner: Planner) -> CollectionDecider:
        run, settings = self._run, self._settings
        preserve = run.config.apply.preserve_plex_edits
        taken = frozenset({f"{FIELD_PREFIX}{target}" for target in PlexField})
        rules = run.config.apply.rules
        taking = Planner(replace(rules, taken=taken))
        rule = FieldRule(name=POSTER_RULE, policy=settings.poster, to=PlexField.POSTER)
        on = () if settings.poster is Policy.OFF else (rule,)
        return CollectionDecider(
            taking if self._takes_all else planner,
            taking,
            artwork=Artwork(
                run.ports.stash,
                run.ports.plex.pictures,
                rules=FieldRules(common=on, by_section={}),
                preserve=preserve,
                taken=taken if self._takes_all else frozenset(),
                compare_all=run.compares_all,
                asked_for=run.is_asked_for,
                servers_down=run.ports.health.servers_down,
                coverless=frozenset(),
            ),
            gallery=run.ports.plex.pictures,
            summary=settings.summary,
            mode="" if settings.mode == "library" else settings.mode.value,
            lock_fields=run.config.apply.lock_fields,
            asked_for=run.is_asked_for,
        )
