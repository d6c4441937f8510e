"""Collections that are not there yet: journaled, made once, and found again by their title.

Plex answers a making with the new collection. Where that answer is lost the library's list tells:
the title was looked for right before, so a collection that has it now is the one that was made.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from plexsync.errors import AuthError, ServerError
from plexsync.models import (
    Change,
    ItemKind,
    PlexField,
    Policy,
    Problem,
    RatingKey,
    Trace,
    as_problem,
)
from plexsync.state import Settlement
from plexsync.sync.execution.reader import with_members
from plexsync.sync.server_faults import WorkKind
from plexsync.text.normalize import tag_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from plexsync.models import ItemDetail, ItemPlan, Link
    from plexsync.planning.planner import Planner
    from plexsync.plex.client import PlexClient
    from plexsync.plex.collections.answers import CollectionEntry
    from plexsync.state import Session
    from plexsync.sync.execution.work import Outcomes, Ready
    from plexsync.sync.ports import Ports

_FIRST = (PlexField.EXISTENCE, PlexField.TITLE, PlexField.MEMBERS)
"""What making a collection writes."""


FIELD_PREFIX = "collections."
"""What the names of the fields of collections begin with."""

TEXTS = (PlexField.TITLE, PlexField.SORT_TITLE, PlexField.SUMMARY)
GOING = (PlexField.EXISTENCE, *TEXTS, PlexField.MODE, PlexField.MEMBERS)
"""The fields that go with a collection; a picture does not come back."""


class Making(NamedTuple):
    """What became of one.

    Attributes:
        problem: why there is none; None where there is one now.
        taken: another collection of the library has the title.
    """

    problem: Problem | None = None
    taken: bool = False


class KnownCollections(NamedTuple):
    """The collections of a library; several may share a title, one of them chosen by a filter."""

    by_key: Mapping[RatingKey, CollectionEntry]
    by_title: Mapping[str, Sequence[CollectionEntry]]

    def called(self, title: str) -> Sequence[CollectionEntry]:
        """Return those of that title, as Plex compares titles."""
        return self.by_title.get(tag_key(title), ())


class CollectionMaker:
    """Makes collections.

    Args:
        ports: where Plex is.
        planner: says what is ours of what was made.
        outcomes: remembers it.
    """

    def __init__(self, ports: Ports, planner: Planner, outcomes: Outcomes) -> None:
        self._plex = ports.plex
        self._health = ports.health
        self._planner = planner
        self._outcomes = outcomes
        self._known: dict[str, KnownCollections] = {}

    def listed(self, section_id: str, *, again: bool = False) -> KnownCollections:
        """Return the collections of a library; asked once, or `again`.

        Raises:
            ServerError: they cannot be listed.
        """
        if again or section_id not in self._known:
            entries = self._plex.collections.listing(section_id)
            by_title: defaultdict[str, list[CollectionEntry]] = defaultdict(list)
            for one in entries:
                by_title[tag_key(one.title)].append(one)
            by_key = {one.rating_key: one for one in entries}
            self._known[section_id] = KnownCollections(by_key, by_title)
        return self._known[section_id]

    def make(self, ready: Ready, session: Session) -> Making:
        """Make a collection as far as one request does it, and remember it.

        Its pair's link has its key then.

        Raises:
            AuthError: the token may not write.
            ServerError: Plex is down.
        """
        first = self._first(ready.plan)
        title = _title_of(first)
        try:
            taken = bool(self.listed(first.section_id).called(title))
        except ServerError as error:
            return self._failed(error)
        if taken:
            message = f"Plex has a collection '{title}' already, which plexsync did not make"
            return Making(Problem(kind="taken", message=message), taken=True)
        (seq,) = session.intend([first])
        key, refusal = self._send(first)
        if key is None:
            try:
                found = self.listed(first.section_id, again=True).called(title)
            except ServerError as unread:
                return self._failed(refusal or unread)  # the next run looks again
            if not found:
                why = refusal or ServerError("Plex accepted a new collection and does not show it")
                missing = tuple(change.target for change in first.changes)
                session.result(seq, Settlement.FAILED, as_problem(why), missing=missing)
                return self._failed(why)
            key = found[0].rating_key
        self._health.faults.answered(WorkKind.EDIT)
        self.adopt(ready, first, key)
        with session.batch():
            session.result(seq, Settlement.APPLIED, made=key)
            self._outcomes.note_written(ready.pair)
        return Making()

    def adopt(self, ready: Ready, first: ItemPlan, key: RatingKey) -> None:
        """Take what was made for ours."""
        link = replace(ready.pair.link, rating_key=key, section_id=first.section_id)
        ready.pair.link = self._planner.link_after(link, first.changes)
        ready.made = first.changes

    def known(self, ready: Ready, detail: ItemDetail) -> ItemDetail:
        """Return a new collection with its members, where their number is that of those sent."""
        (members,) = [one for one in ready.made if one.target is PlexField.MEMBERS]
        sent = tuple(map(RatingKey, members.after))
        if detail.member_count == len(sent):
            return with_members(detail, sent)
        return with_members(detail, self._plex.collections.members(detail.item.rating_key))

    def _first(self, plan: ItemPlan) -> ItemPlan:
        """Return what the first request writes of all that is planned."""
        changes = {change.target: change for change in plan.changes}
        members = changes[PlexField.MEMBERS]
        piece = self._plex.collections.first_piece(tuple(map(RatingKey, members.after)))
        changes[PlexField.MEMBERS] = replace(members, after=piece)
        return replace(plan, lock=False, changes=tuple(changes[target] for target in _FIRST))

    def _send(self, first: ItemPlan) -> tuple[RatingKey | None, ServerError | None]:
        """Ask for it; the key, or why that is not known."""
        members = first.changes[-1].after
        kind = first.member_kind or ItemKind.MOVIE
        try:
            key = self._plex.collections.make(
                first.section_id, kind, _title_of(first), tuple(map(RatingKey, members))
            )
        except AuthError:
            raise  # nothing was made; the intent is settled by the next run
        except ServerError as error:
            self._health.faults.failed(WorkKind.EDIT, error)
            return None, error
        return key, None

    def _failed(self, error: ServerError) -> Making:
        if self._health.ends_run(error):
            raise error
        return Making(as_problem(error))


def find_made(plex: PlexClient, plan: ItemPlan, known: Collection[RatingKey]) -> RatingKey | None:
    """Return the collection an interrupted making came to; None for none.

    Its title was free right before, so one that has it now, and nothing but members that were sent,
    is it.

    Args:
        plex: where to look.
        plan: what was sent.
        known: those that are remembered, which are others.

    Raises:
        ServerError: that cannot be found out.
    """
    title, sent = tag_key(_title_of(plan)), frozenset(plan.changes[-1].after)
    for entry in plex.collections.listing(plan.section_id):
        if tag_key(entry.title) == title and entry.rating_key not in known:
            members = frozenset(plex.collections.members(entry.rating_key))
            return entry.rating_key if members <= sent else None
    return None


def going(planner: Planner, detail: ItemDetail, link: Link) -> Iterator[Change]:
    """Yield all that goes with a collection, so that an undo can make it again as it was."""
    for target in GOING:
        before = planner.observe(detail, target)
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


def _title_of(plan: ItemPlan) -> str:
    return next(str(one.after) for one in plan.changes if one.target is PlexField.TITLE)
