"""Collections that are not there yet: journaled, made once, and found again by their title.

Plex answers a making with the new collection. Where that answer is lost the library's list tells:
the title was looked for right before, so a collection that has it now is the one that was made.
"""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from plexsync.errors import AuthError, ServerError
from plexsync.models import (
    Change,
    ItemDetail,
    ItemKind,
    Outcome,
    PlexField,
    Policy,
    RatingKey,
    Trace,
    as_problem,
)
from plexsync.state import Result, Settlement
from plexsync.sync.execution.reader import Reader, with_members
from plexsync.sync.ports import WorkKind
from plexsync.sync.rows import PairEnd, failed_end
from plexsync.text.normalize import tag_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from plexsync.models import ItemPlan, Link
    from plexsync.planning.planner import Planner
    from plexsync.plex.decode import CollectionEntry
    from plexsync.sync.execution.work import Outcomes, Ready, WorkItem
    from plexsync.sync.run_scope import RunScope

LISTED_S = 1.0
"""Seconds after which the collections of a library are listed again before one more is made.

Longer, and somebody could take its title meanwhile; shorter, and hundreds of makings would each
list hundreds of titles.
"""

_FIRST = (PlexField.EXISTENCE, PlexField.TITLE, PlexField.MEMBERS)
"""What making a collection writes."""


FIELD_PREFIX = "collections."
"""What the names of the fields of collections begin with."""

TEXTS = (PlexField.TITLE, PlexField.SORT_TITLE, PlexField.SUMMARY)
GOING = (PlexField.EXISTENCE, *TEXTS, PlexField.MODE, PlexField.MEMBERS, PlexField.POSTER)
"""The fields that go with a collection."""


class KnownCollections(NamedTuple):
    """The collections of a library; several may share a title, one of them chosen by a filter.

    `read_at` is when they were listed, in seconds on a clock that is never set.
    """

    read_at: float
    by_key: Mapping[RatingKey, CollectionEntry]
    by_title: Mapping[str, Sequence[CollectionEntry]]

    def called(self, title: str, but: Collection[RatingKey] = ()) -> Sequence[CollectionEntry]:
        """Return those of that title, as Plex compares titles, `but` for some."""
        same = self.by_title.get(tag_key(title), ())
        return [one for one in same if one.rating_key not in but]


class CollectionMaker:
    """Makes collections.

    Args:
        scope: the work they are part of.
        reader: reads them afresh.
        planner: says what is ours of what was made.
        outcomes: shows and remembers what became of each.

    Attributes:
        end: after which nothing more can be made; None while that is not so.
    """

    def __init__(
        self, scope: RunScope, reader: Reader, planner: Planner, outcomes: Outcomes
    ) -> None:
        self.end: ServerError | None = None
        self._session = scope.session
        self._reader = reader
        self._ports = scope.ports
        self._planner = planner
        self._outcomes = outcomes
        self._known: dict[str, KnownCollections] = {}

    def listed(self, section_id: str, *, within_s: float = inf) -> KnownCollections:
        """Return the collections of a library, listed so many seconds ago at most.

        Raises:
            ServerError: they cannot be listed.
        """
        known = self._known.get(section_id)
        now = self._ports.monotonic()
        if known is None or now - known.read_at > within_s:
            entries = self._ports.plex.collections.listing(section_id)
            by_title: defaultdict[str, list[CollectionEntry]] = defaultdict(list)
            for one in entries:
                by_title[tag_key(one.title)].append(one)
            known = KnownCollections(now, {one.rating_key: one for one in entries}, by_title)
            self._known[section_id] = known
        return known

    def find_made(self, plan: ItemPlan, known: Collection[RatingKey]) -> RatingKey | None:
        """Return the collection an interrupted making came to; None for none.

        Its title was free right before, so one that has it now, and nothing but members that were
        sent, is it.

        Args:
            plan: what was sent.
            known: those that are remembered, which are others.

        Raises:
            ServerError: that cannot be found out.
        """
        for entry in self.listed(plan.section_id).called(plan.title, known)[:1]:
            members = frozenset(self._ports.plex.collections.members(entry.rating_key))
            return entry.rating_key if members.issubset(plan.changes[-1].after) else None
        return None

    def make_all(
        self, batch: Iterable[Ready], decided: Callable[[WorkItem, ItemDetail, float], Ready]
    ) -> Iterator[Ready]:
        """Make collections; yield each with what else it needs, for the requests right after.

        Plex answers with the new collection, which is a read as fresh as one can be. What was made
        is remembered before anything else is written.

        Args:
            batch: what to make.
            decided: says what one needs, as it was read then.
        """
        for ready in batch:
            if self._ports.ends(WorkKind.EDIT):
                break
            try:
                ending = self._made(ready)
                if ending is None:
                    yield self._next(ready, decided)
                    continue
            except ServerError as error:
                if self._ports.ends_run(error):
                    self.end = error  # the next run settles the intent
                    break
                ending = failed_end(error, WorkKind.EDIT)
            with self._session.batch():
                self._outcomes.finish(ready.pair, ending)
        self._known = {}  # without what was made

    def _made(self, ready: Ready) -> PairEnd | None:
        """Make a collection as far as one request does it, and remember it.

        Its pair's link has its key then, and `ready.detail` is the answer, where that came.

        Returns:
            How it ended where there is none; one with a taken title is left alone.

        Raises:
            AuthError: the token may not write.
            ServerError: it is not known whether it was made, so the next run looks again.
        """
        first = self._first(ready.plan)
        title = first.title
        if self.listed(first.section_id, within_s=LISTED_S).called(title):
            return PairEnd(Outcome.SKIPPED, note=taken_by_another(title))
        (seq,) = self._session.intend([first])
        answer, refusal = self._send(first)
        key = answer.item.rating_key if answer else self._found(first, title, refusal)
        if key is None:
            why = refusal or ServerError("Plex accepted a new collection and does not show it")
            missing = tuple(change.target for change in first.changes)
            failed = Result(seq, Settlement.FAILED, problem=as_problem(why), missing=missing)
            self._session.note(failed)
            return failed_end(why, WorkKind.EDIT)
        self._ports.faults.answered(WorkKind.EDIT)
        link = replace(ready.pair.link, rating_key=key, section_id=first.section_id)
        ready.pair.link = self._planner.link_after(link, first.changes)
        ready.made = first.changes
        with self._session.batch():
            self._session.note(Result(seq, Settlement.APPLIED, made=key))
            self._outcomes.note_written(ready.pair)
        found = answer or self._reader.read_one(key)
        if not isinstance(found, ItemDetail):
            raise found or ServerError("the new collection cannot be read")
        ready.detail = found
        return None

    def _found(self, first: ItemPlan, title: str, refusal: ServerError | None) -> RatingKey | None:
        """Return the collection that was made although its answer was lost; None for none."""
        try:
            found = self.listed(first.section_id, within_s=-1).called(title)
        except ServerError as unread:
            raise refusal or unread from unread
        return found[0].rating_key if found else None

    def _next(self, ready: Ready, decided: Callable[[WorkItem, ItemDetail, float], Ready]) -> Ready:
        """Return what else a new collection needs; it is not looked at again before that.

        Of its pictures that is shown which a dry run shows: Plex makes one of its members.
        """
        again = decided(ready.item, self._with_members(ready), inf)
        again.made = ready.made
        shown = {one.rule: one.shown for one in ready.decision.pictures}
        pictures = [replace(p, shown=shown.get(p.rule, p.shown)) for p in again.decision.pictures]
        again.decision = replace(again.decision, pictures=tuple(pictures))
        if PlexField.MEMBERS in {change.target for change in again.plan.changes}:
            self._reader.expect([again.plan])
        else:
            again.detail = ready.detail
        return again

    def _with_members(self, ready: Ready) -> ItemDetail:
        """Return a new collection with its members, where their number is that of those sent."""
        detail = ready.detail
        (members,) = [one for one in ready.made if one.target is PlexField.MEMBERS]
        sent = tuple(map(RatingKey, members.after))
        if detail.member_count == len(sent):
            return with_members(detail, sent)
        return with_members(detail, self._ports.plex.collections.members(detail.item.rating_key))

    def _first(self, plan: ItemPlan) -> ItemPlan:
        """Return what the first request writes of all that is planned."""
        changes = {change.target: change for change in plan.changes}
        members = changes[PlexField.MEMBERS]
        piece = self._ports.plex.collections.first_piece(tuple(map(RatingKey, members.after)))
        changes[PlexField.MEMBERS] = replace(members, after=piece)
        return replace(plan, lock=False, changes=tuple(changes[target] for target in _FIRST))

    def _send(self, first: ItemPlan) -> tuple[ItemDetail | None, ServerError | None]:
        """Ask for it; the answer, or why that is not known.

        Raises:
            AuthError: the token may not write.
        """
        members = first.changes[-1].after
        kind = first.member_kind or ItemKind.MOVIE
        try:
            made = self._ports.plex.collections.make(
                first.section_id, kind, first.title, tuple(map(RatingKey, members))
            )
        except AuthError:
            raise
        except ServerError as error:
            self._ports.faults.failed(WorkKind.EDIT, error)
            return None, error
        return made, None


def taken_by_another(title: str) -> str:
    """Return what a row says of a title that another collection has, whoever made it."""
    return f"Plex has another collection '{title}' already"


def going(planner: Planner, detail: ItemDetail, link: Link) -> Iterator[Change]:
    """Yield all that goes with a collection, so that an undo can make it again as it was."""
    for target in GOING:
        before = planner.observe(detail, target)
        if target is PlexField.POSTER and target not in detail.locked:
            continue  # Plex's own, made of its members
        yield Change(
            field=f"{FIELD_PREFIX}{target}",
            target=target,
            before=before,
            after=() if isinstance(before, tuple) else "",
            policy=Policy.KEEP,
            locked_before=target in detail.locked,
            locked_after=False,
            trace_before=planner.trace(link, target),
            trace_after=Trace(),
        )
