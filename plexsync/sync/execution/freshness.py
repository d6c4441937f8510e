"""Whether items are still as they were when it was decided what to write to them.

Items are read many at a time and written one by one, so a person may edit one in Plex in between.
What was not read a moment ago is looked at again right before it is written; one that moved is
decided about once more. What is left is the time between that read and its write: one request.
A write that is sent again, or goes on with a further request, looks first, too.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import OvertakenError, ServerError
from plexsync.models import ItemDetail, PlexField
from plexsync.sync.execution.doors import harm_of
from plexsync.sync.execution.work import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plexsync.models import Change, ItemPlan, RatingKey
    from plexsync.planning.planner import Planner
    from plexsync.sync.execution.reader import Reader
    from plexsync.sync.execution.work import Place

FRESH_S = 0.05
"""Seconds after which an item is looked at again before it is written.

About one write of a server nearby: the first items of a batch go out as they were read, and the
window of all others is that of a single read and write.
"""


class Freshness:
    """Looks at the items of one batch again.

    Args:
        reader: reads them.
        planner: says what Plex shows alike.
        monotonic: seconds on a clock that is never set.
    """

    def __init__(self, reader: Reader, planner: Planner, monotonic: Callable[[], float]) -> None:
        self._plans: dict[Place, ItemPlan] = {}
        self._details: dict[Place, ItemDetail] = {}
        self._read_at: dict[Place, float] = {}
        self._reader = reader
        self._planner = planner
        self._monotonic = monotonic

    def note(self, seen: Iterable[tuple[ItemPlan, ItemDetail, float]]) -> None:
        """Note each plan, the item as it was read and decided about, and when that was.

        That is in seconds of `monotonic`.
        """
        for plan, detail, read_at in seen:
            self._plans[place_of(plan)] = plan
            self._details[place_of(plan)] = detail
            self._read_at[place_of(plan)] = read_at

    def moved(self, plans: Sequence[ItemPlan]) -> set[Place]:
        """Return which of `plans` are about items that are not as they were, or cannot be read."""
        now = self._monotonic()
        old = [plan for plan in plans if now - self._read_at[place_of(plan)] > FRESH_S]
        read = self._read(old)
        gone = {place_of(plan) for plan in old if not self._is_same(plan, read)}
        self._read_at.update((place_of(plan), now) for plan in old if place_of(plan) not in gone)
        return gone

    def doubt(self, plans: Sequence[ItemPlan]) -> None:
        """Have the items looked at again before anything else is written to them."""
        self._read_at.update((place_of(plan), -inf) for plan in plans)

    def hold(self, plans: Sequence[ItemPlan]) -> None:
        """Hold that a write that was sent, in part or whole, may be sent once more.

        Raises:
            OvertakenError: somebody else changed what it is about, or that cannot be known.
        """
        gone = self.overtaken(plans)
        for plan in plans:
            if place_of(plan) in gone:
                raise overtaken_error(plan.rating_key)

    def overtaken(self, plans: Sequence[ItemPlan]) -> set[Place]:
        """Return which of `plans` somebody else changed the items of, or cannot be looked at."""
        read = self._read(plans)
        found = ((plan, read.get(plan.rating_key)) for plan in plans)
        return {
            place_of(plan)
            for plan, detail in found
            if not isinstance(detail, ItemDetail) or self.is_disturbed(plan, detail)
        }

    def is_disturbed(self, plan: ItemPlan, detail: ItemDetail) -> bool:
        """Return whether an item holds what neither was there before `plan` nor comes of it."""
        first = self._details[place_of(plan)]
        return any(self._is_others(change, first, detail) for change in plan.changes)

    def got(self, place: Place, detail: ItemDetail, plan: ItemPlan) -> bool:
        """Return whether an item got all that `plan` means for another one, and not for it."""
        first, shows = self._details[place], self._planner.shows
        own = {change.target: change for change in self._plans[place].changes}
        foreign = [
            change
            for change in plan.changes
            if change.after and not self._says(own.get(change.target), change)
        ]
        return bool(foreign) and all(
            shows(detail, change) and not shows(first, change) for change in foreign
        )

    def harm(self, place: Place, detail: ItemDetail, plan: ItemPlan) -> ItemPlan:
        """Return what `plan`, meant for another item, did to one."""
        made = replace(plan, scene_id=place[0])
        return harm_of(made, self._details[place], detail, self._planner)

    def changed_by_others(self, plan: ItemPlan, detail: ItemDetail) -> tuple[PlexField, ...]:
        """Return the fields `plan` does not write that were changed since they were read."""
        first, planner = self._details[place_of(plan)], self._planner
        written = {change.target for change in plan.changes}
        if PlexField.TITLE in written:
            # An unlocked sort title follows the title.
            written.add(PlexField.SORT_TITLE)
        return tuple(
            target
            for target in sorted((first.values.keys() | detail.values.keys()) - written)
            if (target in first.locked) != (target in detail.locked)
            or not planner.equality.equal(
                target, planner.observe(first, target), planner.observe(detail, target)
            )
        )

    def _read(self, plans: Sequence[ItemPlan]) -> dict[RatingKey, ItemDetail | ServerError]:
        """Return the items as they are now; none where they cannot be read."""
        try:
            return self._reader.read([plan.rating_key for plan in plans]) if plans else {}
        except ServerError:
            return {}

    def _is_same(self, plan: ItemPlan, read: Mapping[RatingKey, ItemDetail | ServerError]) -> bool:
        detail = read.get(plan.rating_key)
        first = self._details[place_of(plan)]
        return isinstance(detail, ItemDetail) and _are_same(first, detail)

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


def _are_same(first: ItemDetail, now: ItemDetail) -> bool:
    """Whether an item holds the same fields, locks and files."""
    return (first.values, first.locked, first.credits) == (
        now.values,
        now.locked,
        now.credits,
    ) and (first.item.files, first.item.trashed) == (now.item.files, now.item.trashed)
