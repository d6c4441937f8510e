"""Fresh reads of items: what they hold, and whether they are as they were.

Items are read many at a time and written one by one, so a person may edit one in Plex in between.
What was not read a moment ago is looked at again right before it is written; one that moved is
decided about once more. What is left is the time between that read and its write: one request.
A write that is sent again, or goes on with a further request, looks first, too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from msgspec.structs import replace

from plexsync.errors import AuthError, OvertakenError, ServerError
from plexsync.models import (
    PICTURE_FIELDS,
    ItemDetail,
    ItemKind,
    PlexField,
    RatingKey,
)
from plexsync.plex.pictures import selected_key
from plexsync.sync.ports import Ports, WorkKind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from plexsync.models import Change, ItemPlan, Value
    from plexsync.planning.planner import Planner
    from plexsync.sync.execution.work import Ready, Write

DETAIL_BATCH = 50
"""Items per read where each is then written by itself: those read last wait for all before them."""

READ_BATCH = 500
"""Items per read where they are only compared, or written together. What the answer to so many
brings into trouble is read in smaller parts: see `Reader`."""

FRESH_S = 0.05
"""Seconds after which an item is looked at again before it is written.

About one write of a server nearby: the first items of a batch go out as they were read, and the
window of all others is that of a single read and write.
"""

_AHEAD_S = 0.02
"""How long the items that are looked at along with another one may wait for their write: no longer
than one waits anyway on a server that takes so long for a request."""

MOST_LOOKED = 15
"""Items that are looked at along with another one, at the most."""

ReadItems = dict[RatingKey, ItemDetail | ServerError]
"""Items by their key, as they are now, or why one could not be read."""

NO_VALUES: Mapping[PlexField, Value] = {}


class Reader:
    """Reads items, and narrows an answer that fails down to the items that fail.

    Args:
        ports: where to read; says when Plex was given up.
    """

    def __init__(self, ports: Ports) -> None:
        self._plex = ports.plex
        self._ports = ports
        self._pictures: defaultdict[RatingKey, set[PlexField]] = defaultdict(set)
        self._members: set[RatingKey] = set()

    def expect(self, plans: Iterable[ItemPlan]) -> None:
        """Read the pictures and members `plans` are about from now on, too: one request each."""
        for plan in plans:
            targets = {change.target for change in plan.changes}
            if fields := targets & PICTURE_FIELDS:
                self._pictures[plan.rating_key] |= fields
            if PlexField.MEMBERS in targets:
                self.expect_members(plan.rating_key)

    def expect_members(self, rating_key: RatingKey) -> None:
        """Read the members of a collection from now on, too."""
        if rating_key:
            self._members.add(rating_key)

    def read(self, keys: Sequence[RatingKey], *, again: bool = False) -> ReadItems:
        """Return fresh details by rating key, or what went wrong; an item that is gone is left out.

        The keys of expected pictures and members are among the values.

        Args:
            keys: the items.
            again: see `PlexClient.details`.

        Raises:
            ServerError: Plex is down, or refuses us altogether.
        """
        found: ReadItems = {}
        for start in range(0, len(keys), READ_BATCH):
            found |= self._read(keys[start : start + READ_BATCH], again=again)
        return found

    def read_one(self, key: RatingKey) -> ItemDetail | ServerError | None:
        """Return the fresh details of one item; None where it is gone. Raises as `read` does."""
        return self.read((key,)).get(key)

    def _read(self, keys: Sequence[RatingKey], *, again: bool) -> ReadItems:
        try:
            details = self._plex.details(keys, again=again)
            found = {one.item.rating_key: self._with_more(one) for one in details}
        except AuthError:
            raise
        except ServerError as error:
            if len(keys) == 1:
                self._ports.faults.failed(WorkKind.READ, error)
            if self._ports.plex_given_up():
                raise self._ports.faults.of(WorkKind.READ) or error from error
            if len(keys) == 1:
                return {keys[0]: error}
        else:
            self._ports.faults.answered(WorkKind.READ)
            return dict(found)
        # Not by halves: each half that fails brings Plex nearer to being given up.
        step = DETAIL_BATCH if len(keys) > DETAIL_BATCH else 1
        parts: ReadItems = {}
        for start in range(0, len(keys), step):
            parts |= self._read(keys[start : start + step], again=again)
        return parts

    def _with_more(self, detail: ItemDetail) -> ItemDetail:
        """Return the item with the pictures and members that are expected of it."""
        key = detail.item.rating_key
        more: dict[PlexField, Value] = {
            field: selected_key(self._plex.pictures.available(key, field))
            for field in sorted(self._pictures.get(key, ()))
        }
        if key in self._members and detail.item.kind is ItemKind.COLLECTION:
            return with_members(detail, self._plex.collections.members(key), more)
        return replace(detail, values={**detail.values, **more}) if more else detail


def with_members(
    detail: ItemDetail, members: tuple[RatingKey, ...], more: Mapping[PlexField, Value] = NO_VALUES
) -> ItemDetail:
    """Return a collection with its members among its values.

    No lock says that a person took one out, so all of them count as a person's word.
    """
    values: dict[PlexField, Value] = {**detail.values, **more, PlexField.MEMBERS: members}
    return replace(detail, values=values, locked=detail.locked | {PlexField.MEMBERS})


# ---- whether items are as they were --------------------------------------------------------------


class Due(Protocol):
    """A write that is to be sent.

    Attributes:
        ready: the item it is for.
        read_at: when the item was last seen to be as it was, in seconds on a clock that is never
            set; minus infinity where it is not.
    """

    ready: Ready
    read_at: float

    @property
    def place(self) -> Hashable:
        """What it is written to."""

    def fits(self, item: ItemDetail, /) -> bool:
        """Return whether the item is as it was when the write was decided."""


D = TypeVar("D", bound=Due)


@dataclass
class Lookahead(Generic[D]):
    """Looks again at items that were not read a moment ago, and at the next ones in turn.

    Args:
        read: reads items.
        monotonic: seconds on a clock that is never set.
        looked_at: when it looked last.
        writes: how many were to be sent then.
    """

    read: Callable[[Sequence[RatingKey]], ReadItems]
    monotonic: Callable[[], float]
    looked_at: float = -inf
    writes: int = 1

    def moved(self, now_due: Sequence[D], coming: Sequence[D] = ()) -> set[D]:
        """Return which writes are about items that are not as they were, or cannot be read.

        Args:
            now_due: those to be sent now.
            coming: those after them. As many as will be sent in a moment, as far as those since
                the last look tell, are looked at along with one that was not read a moment ago; one
                that moved, or cannot be read, is looked at again in its turn.
        """
        now = self.monotonic()
        old = [one for one in now_due if now - one.read_at > FRESH_S]
        if not old:
            return set()
        each_s = (now - self.looked_at) / self.writes
        next_ones = reversed(coming[: int(_AHEAD_S / each_s) if each_s > 0 else 0])
        # Of a place with two writes the second is no longer as it was after the first.
        first_ones = {one.place: one for one in next_ones}
        own = {one.place for one in old}
        ahead = [
            one for place, one in first_ones.items() if place not in own and one.read_at > -inf
        ]
        self.looked_at, self.writes = now, 1 + len(ahead)
        old += ahead
        read = self.read(list(dict.fromkeys(one.ready.plan.rating_key for one in old)))
        for one in old:
            item = read.get(one.ready.plan.rating_key)
            one.read_at = now if isinstance(item, ItemDetail) and one.fits(item) else -inf
        if ahead and self.monotonic() - now > FRESH_S:
            return self.moved(now_due)  # one of the others failed, or the server is slow by now
        return {one for one in now_due if one.read_at == -inf}


class Freshness:
    """Looks at items again.

    Args:
        reader: reads them.
        planner: says what Plex shows alike.
        monotonic: seconds on a clock that is never set.
    """

    def __init__(self, reader: Reader, planner: Planner, monotonic: Callable[[], float]) -> None:
        self._reader = reader
        self._planner = planner
        self._lookahead: Lookahead[Write] = Lookahead(self._read, monotonic)

    def moved(self, edits: Sequence[Write], coming: Sequence[Write] = ()) -> set[Write]:
        """See `Lookahead.moved`; what cannot be read for an outage has moved."""
        return self._lookahead.moved(edits, coming)

    def hold(self, edits: Sequence[Write]) -> None:
        """Hold that a write that was sent, in part or whole, may be sent once more.

        Raises:
            OvertakenError: somebody else changed what it is about, or that cannot be known.
        """
        gone = self.overtaken(edits)
        for edit in edits:
            if edit in gone:
                raise overtaken_error(edit.plan.rating_key)

    def overtaken(self, edits: Sequence[Write]) -> set[Write]:
        """Return which edits somebody else changed the items of, or cannot be looked at."""
        read = self._read([edit.plan.rating_key for edit in edits])
        found = ((edit, read.get(edit.plan.rating_key)) for edit in edits)
        return {
            edit
            for edit, detail in found
            if not isinstance(detail, ItemDetail) or self.is_disturbed(edit, detail)
        }

    def is_disturbed(self, edit: Write, detail: ItemDetail) -> bool:
        """Return whether an item holds what neither was there before `edit` nor comes of it."""
        follows = any(change.target is PlexField.TITLE for change in edit.plan.changes)
        return any(
            self._is_others(change, edit.first, detail)
            for change in edit.plan.changes
            # An unlocked sort title follows the title until its own text arrives.
            if not (
                follows
                and change.target is PlexField.SORT_TITLE
                and not self._planner.observe(detail, change.target)
            )
        )

    def got(self, edit: Write, detail: ItemDetail, plan: ItemPlan) -> bool:
        """Return whether an item got all that `plan` means for another one, and not for it."""
        shows = self._planner.shows
        own = {change.target: change for change in edit.plan.changes}
        foreign = [
            change
            for change in plan.changes
            if change.after and not self._says(own.get(change.target), change)
        ]
        return bool(foreign) and all(
            shows(detail, change) and not shows(edit.first, change) for change in foreign
        )

    def changed_by_others(self, edit: Write, detail: ItemDetail) -> tuple[PlexField, ...]:
        """Return the fields `edit` does not write that were changed since they were read."""
        first, planner = edit.first, self._planner
        written = {change.target for change in edit.plan.changes}
        if PlexField.TITLE in written:
            # An unlocked sort title follows the title.
            written.add(PlexField.SORT_TITLE)
        there = {target: first.values[target] for target in written & first.values.keys()}
        if {**detail.values, **there} == first.values and detail.locked ^ first.locked <= written:
            return ()  # to the letter, as nearly always
        return tuple(
            target
            for target in sorted((first.values.keys() | detail.values.keys()) - written)
            if (target in first.locked) != (target in detail.locked)
            or not planner.equality.equal(
                target, planner.observe(first, target), planner.observe(detail, target)
            )
        )

    def _read(self, keys: Sequence[RatingKey]) -> ReadItems:
        """Return items as they are now; none where they cannot be read."""
        try:
            return self._reader.read(keys, again=True)
        except ServerError:
            return {}

    def _says(self, own: Change | None, other: Change) -> bool:
        """Whether a change brings all that another one of the same field does."""
        if own is None:
            return False
        if isinstance(own.after, str) or isinstance(other.after, str):
            return self._planner.equality.equal(own.target, own.after, other.after)
        keys = self._planner.equality.spellings.keys
        return {keys[name] for name in other.after} - {keys[name] for name in other.before} <= {
            keys[name] for name in own.after
        }

    def _is_others(self, change: Change, first: ItemDetail, now: ItemDetail) -> bool:
        """Whether the field of a change holds somebody else's word.

        Of a list names may have come and gone as far as the change says so; on a server that
        replaces lists only the new ones are left.
        """
        planner, target = self._planner, change.target
        held, before = planner.observe(now, target), planner.observe(first, target)
        if isinstance(held, tuple) and isinstance(change.after, tuple):
            keys = planner.equality.spellings.keys
            holds, had, wants = (
                {keys[name] for name in names} for names in (held, before, change.after)
            )
            # Whoever gets another role leaves the list for a moment.
            stay = had & wants - {keys[name] for name in change.credits_after}
            return not (stay <= holds <= had | wants or (holds and holds <= wants - had))
        return not any(
            planner.equality.equal(target, held, known) for known in (before, change.after)
        )


def overtaken_error(key: RatingKey) -> OvertakenError:
    """Return the error of a write that somebody else was in the way of."""
    return OvertakenError(
        f"item {key} was changed in Plex, or could not be read, while it was written; the rest was "
        "not sent"
    )
