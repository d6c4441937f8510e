"""Whether items are still as they were when it was decided what to write to them.

Items are read many at a time and written one by one, so a person may edit one in Plex in between.
What was not read a moment ago is looked at again right before it is written; one that moved is
decided about once more. What is left is the time between that read and its write: one request.
A write that is sent again, or goes on with a further request, looks first, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.errors import OvertakenError, ServerError
from plexsync.models import ItemDetail, PlexField

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.models import Change, ItemPlan, RatingKey
    from plexsync.planning.planner import Planner
    from plexsync.sync.execution.reader import Reader
    from plexsync.sync.execution.work import Edit

FRESH_S = 0.05
"""Seconds after which an item is looked at again before it is written.

About one write of a server nearby: the first items of a batch go out as they were read, and the
window of all others is that of a single read and write.
"""


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
        self._monotonic = monotonic

    def moved(self, edits: Sequence[Edit]) -> set[Edit]:
        """Return which edits are about items that are not as they were, or cannot be read."""
        now = self._monotonic()
        old = [edit for edit in edits if now - edit.read_at > FRESH_S]
        read = self._read(old)
        gone = {edit for edit in old if not _is_same(edit.first, read.get(edit.plan.rating_key))}
        for edit in old:
            edit.read_at = edit.read_at if edit in gone else now
        return gone

    def hold(self, edits: Sequence[Edit]) -> None:
        """Hold that a write that was sent, in part or whole, may be sent once more.

        Raises:
            OvertakenError: somebody else changed what it is about, or that cannot be known.
        """
        gone = self.overtaken(edits)
        for edit in edits:
            if edit in gone:
                raise overtaken_error(edit.plan.rating_key)

    def overtaken(self, edits: Sequence[Edit]) -> set[Edit]:
        """Return which edits somebody else changed the items of, or cannot be looked at."""
        read = self._read(edits)
        found = ((edit, read.get(edit.plan.rating_key)) for edit in edits)
        return {
            edit
            for edit, detail in found
            if not isinstance(detail, ItemDetail) or self.is_disturbed(edit, detail)
        }

    def is_disturbed(self, edit: Edit, detail: ItemDetail) -> bool:
        """Return whether an item holds what neither was there before `edit` nor comes of it."""
        return any(self._is_others(change, edit.first, detail) for change in edit.plan.changes)

    def got(self, edit: Edit, detail: ItemDetail, plan: ItemPlan) -> bool:
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

    def changed_by_others(self, edit: Edit, detail: ItemDetail) -> tuple[PlexField, ...]:
        """Return the fields `edit` does not write that were changed since they were read."""
        first, planner = edit.first, self._planner
        written = {change.target for change in edit.plan.changes}
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

    def _read(self, edits: Sequence[Edit]) -> dict[RatingKey, ItemDetail | ServerError]:
        """Return the items as they are now; none where they cannot be read."""
        try:
            return self._reader.read([edit.plan.rating_key for edit in edits]) if edits else {}
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


def _is_same(first: ItemDetail, now: ItemDetail | ServerError | None) -> bool:
    """Whether an item holds the same fields, locks and files."""
    return (
        isinstance(now, ItemDetail)
        and (first.values, first.locked, first.credits) == (now.values, now.locked, now.credits)
        and (first.item.files, first.item.trashed) == (now.item.files, now.item.trashed)
    )
