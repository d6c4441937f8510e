"""Which address edits go to, found out with the first edit of a run.

An edit that names its items in the path cannot lose them on the way. Plex's published API has that
address; whether this server has it is proven by reading the first item back. One that lacks it gets
edits at the address of the library, where a lost id means every item: so after the first such edit
another item of the library is looked at, too. Source: docs/plex-api.md 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import (
    BadResponseError,
    MisdirectedEditError,
    NotFoundError,
    TooLongError,
    WebPageError,
)
from plexsync.models import COLLECTION_FIELDS, PICTURE_FIELDS, ItemDetail, ItemPlan, PlexField

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.models import Change, RatingKey
    from plexsync.planning.planner import Planner
    from plexsync.plex.client import PlexClient
    from plexsync.plex.edit_query import PlanEdits
    from plexsync.sync.execution.reader import Reader

_ELSEWHERE = PICTURE_FIELDS | COLLECTION_FIELDS | {PlexField.RATING}
"""What goes to addresses of its own."""


class EditDoors:
    """Sends edits where this server takes them.

    Args:
        plex: the server.
        reader: reads items back.
        planner: says whether an item shows what was sent.

    Attributes:
        harmed: what an edit did to an item it did not name; None for nothing.
        by_item: whether edits go to the items' own addresses; None while that is not known.
    """

    def __init__(self, plex: PlexClient, reader: Reader, planner: Planner) -> None:
        self.harmed: ItemPlan | None = None
        self._plex = plex
        self._reader = reader
        self._planner = planner
        self.by_item: bool | None = None

    def edit(self, plan: ItemPlan, hold: Callable[[], None]) -> ItemDetail | None:
        """Send the changes of one item; `hold`: see `PlexEditor.edit`.

        The first one goes to the item's own address, and if it does not arrive to the library's.

        Returns:
            The item as it was read back, where that was necessary.

        Raises:
            MisdirectedEditError: another item got them, too.
            ServerError: see `PlexEditor.edit`.
        """
        if self.by_item is not None or not _provable(plan):
            self._plex.editor.edit(plan, by_item=self.by_item is not False, hold=hold)
            return None
        refusal: NotFoundError | BadResponseError | None = None
        try:
            self._plex.editor.edit(plan, by_item=True, hold=hold)
        except (TooLongError, WebPageError):
            raise  # neither says anything about the address
        except (NotFoundError, BadResponseError) as error:
            refusal = error
        else:
            detail = self._read(plan.rating_key)
            if detail is None or self._arrived(plan, detail):
                self.by_item = None if detail is None else True
                return detail
        detail = self._edit_guarded(plan, hold)
        if detail is not None and self._arrived(plan, detail):
            self.by_item = False
        elif refusal is not None:
            raise refusal
        return detail

    def edit_alike(
        self,
        alike: Sequence[PlanEdits],
        appended: frozenset[PlexField],
        hold: Callable[[], None],
    ) -> None:
        """Send the same changes of several items; see `PlexEditor.edit_alike`.

        Raises:
            ServerError: see there; or they did not arrive, so that one item alone has to say why.
        """
        by_item = self.by_item is not False
        self._plex.editor.edit_alike(alike, appended=appended, by_item=by_item, hold=hold)
        plan = alike[0].plan
        if self.by_item is None and _provable(plan):
            detail = self._read(plan.rating_key)
            if detail is None or not self._arrived(plan, detail):
                raise BadResponseError("Plex took an edit of several items and did nothing")
            self.by_item = True

    def _edit_guarded(self, plan: ItemPlan, hold: Callable[[], None]) -> ItemDetail | None:
        """Send a plan to the address of the library, and see that a neighbour stays as it is."""
        key = self._plex.neighbour(plan)
        before = self._read(key) if key else None
        hold()
        self._plex.editor.edit(plan, hold=hold)
        after = self._read(key) if key else None
        if before and after:
            self._check(plan, before, after)
        return self._read(plan.rating_key)

    def _check(self, plan: ItemPlan, before: ItemDetail, after: ItemDetail) -> None:
        """Raise if a neighbour shows what was meant for another item."""
        harmed = [
            change
            for change in plan.changes
            if change.target not in _ELSEWHERE
            and self._planner.shows(after, change)
            and not self._planner.shows(before, change)
        ]
        if not harmed:
            return
        self.harmed = harm_of(replace(plan, changes=tuple(harmed)), before, after, self._planner)
        names = ", ".join(change.field for change in harmed)
        raise MisdirectedEditError(
            f"the edit of item {plan.rating_key} reached item {before.item.rating_key}, too "
            f"({names}): Plex, or a proxy before it, lost the id. Any item of that library may "
            "have been changed",
        )

    def _arrived(self, plan: ItemPlan, detail: ItemDetail) -> bool:
        """Whether an item shows anything of a plan; of a list it may hold more than was sent."""
        return any(
            self._planner.shows(detail, change) or self._planner.has_arrived(change, detail)
            for change in plan.changes
            if change.target not in _ELSEWHERE
        )

    def _read(self, key: RatingKey) -> ItemDetail | None:
        found = self._reader.read_one(key)
        return found if isinstance(found, ItemDetail) else None


def harm_of(plan: ItemPlan, before: ItemDetail, after: ItemDetail, planner: Planner) -> ItemPlan:
    """Return what a plan for another item did to an item, so that an undo takes it back."""
    return replace(
        plan.seen_on(before.item),
        rating_key=before.item.rating_key,
        path=before.item.files[0].path if before.item.files else "",
        changes=tuple(_done_to(before, after, change, planner) for change in plan.changes),
    )


def _provable(plan: ItemPlan) -> bool:
    """Whether an edit of a plan says anything about the address."""
    return any(change.target not in _ELSEWHERE for change in plan.changes)


def _done_to(before: ItemDetail, after: ItemDetail, change: Change, planner: Planner) -> Change:
    """Return what one change of a plan for another item did."""
    return replace(
        change,
        before=planner.observe(before, change.target),
        after=planner.observe(after, change.target),
        locked_before=change.target in before.locked,
        locked_after=change.target in after.locked,
        wanted="",
        trace_before=None,
        trace_after=None,
        credits_before=before.credits if change.target is PlexField.ACTORS else {},
        credits_after={},
    )
