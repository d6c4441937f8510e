"""Whether items are still as they were when it was decided what to write to them.

Items are read many at a time and written one by one, so a person may edit one in Plex in between.
What was not read a moment ago is looked at again right before it is written; one that moved is
decided about once more. What is left is the time between that read and its write: one request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.errors import ServerError
from plexsync.models import ItemDetail, PlexField
from plexsync.sync.execution.work import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.models import ItemPlan
    from plexsync.planning.planner import Planner
    from plexsync.sync.execution.reader import Reader
    from plexsync.sync.execution.work import Place, Ready

FRESH_S = 0.05
"""Seconds after which an item is looked at again before it is written.

About one write of a server nearby: the first items of a batch go out as they were read, and the
window of all others is that of a single read and write.
"""


class Freshness:
    """Looks at the items of one batch again.

    Args:
        work: the items, as they were read and decided about.
        reader: reads them.
        planner: says what Plex shows alike.
        monotonic: seconds on a clock that is never set.
    """

    def __init__(
        self,
        work: Sequence[Ready],
        reader: Reader,
        planner: Planner,
        monotonic: Callable[[], float],
    ) -> None:
        self._details = {place_of(ready.plan): ready.detail for ready in work}
        self._read_at = {place_of(ready.plan): ready.read_at for ready in work}
        self._reader = reader
        self._planner = planner
        self._monotonic = monotonic

    def moved(self, plans: Sequence[ItemPlan]) -> set[Place]:
        """Return which of `plans` are about items that are not as they were, or cannot be read."""
        now = self._monotonic()
        old = [plan for plan in plans if now - self._read_at[place_of(plan)] > FRESH_S]
        if not old:
            return set()
        try:
            read = self._reader.read([plan.rating_key for plan in old])
        except ServerError:
            return {place_of(plan) for plan in old}
        self._read_at.update((place_of(plan), now) for plan in old)
        return {
            place_of(plan)
            for plan in old
            if not _is_same(self._details[place_of(plan)], read.get(plan.rating_key))
        }

    def got(self, place: Place, detail: ItemDetail, plan: ItemPlan) -> bool:
        """Return whether an item got all that `plan` means for another one."""
        first, shows = self._details[place], self._planner.shows
        return all(
            shows(detail, change) and not shows(first, change)
            for change in plan.changes
            if change.after
        ) and any(change.after for change in plan.changes)

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


def _is_same(first: ItemDetail, now: ItemDetail | ServerError | None) -> bool:
    """Whether an item holds the same fields, locks and files."""
    return (
        isinstance(now, ItemDetail)
        and (first.values, first.locked, first.credits) == (now.values, now.locked, now.credits)
        and (first.item.files, first.item.trashed) == (now.item.files, now.item.trashed)
    )
