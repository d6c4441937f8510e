"""Edits of items: which requests carry out a plan, and what is done where Plex refuses one.

The address of an edit is complete already (`edit_query.py`), so plexapi has no part in it.
Source: docs/plex-api.md 5.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypedDict, Unpack

import msgspec

from plexsync.errors import BadResponseError, TooLongError, UnsafeError
from plexsync.models import COLLECTION_FIELDS, PICTURE_FIELDS, ItemPlan, PlexField, RatingKey
from plexsync.plex.connection import change_rules
from plexsync.plex.edit_query import NONE_APPENDED, PlanEdits, edit_paths, fields_of
from plexsync.transport.outgoing import always

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from plexsync.plex.collections import PlexCollections
    from plexsync.plex.pictures import PlexPictures
    from plexsync.transport.client import Transport

_SPLIT_STATUSES = frozenset({400, 413, 414, 431})
"""What servers and proxies answer to a request that is too long, or to a field they do not take:
only then may shorter requests with a field each get further."""

_FIELDS_IN_A_ROW = 3
"""Fields refused one after the other, none taken, after which no other one is tried alone."""

_SURELY_SHORT_BYTES = 2000
"""No server or proxy in use refuses an address up to here for its length."""


_ELSEWHERE = PICTURE_FIELDS | COLLECTION_FIELDS
"""What goes out before the edit itself."""


class EditRules(TypedDict, total=False):
    """How an edit is sent.

    Attributes:
        appended: lists where the server was seen to add names to those an item has. Of these only
            what is new is sent; where that was untrue, the items would lose names.
        by_item: send it to the address of the item, not to that of its library.
        hold: called before whatever is not the first request, be it a repeated one; raises where
            somebody else changed the item meanwhile.
    """

    appended: frozenset[PlexField]
    by_item: bool
    hold: Callable[[], None]


class PlexEditor(msgspec.Struct, frozen=True):
    """Edits the items of one Plex server.

    Args:
        transport: to the server.
        pictures: chooses those a plan names.
        collections: writes what only they have.
        limit_bytes: longest edit sent in one request; see `edit_query.edit_paths`.
    """

    transport: Transport
    pictures: PlexPictures
    collections: PlexCollections
    limit_bytes: int

    def edit(
        self,
        plan: ItemPlan,
        *,
        others: Sequence[RatingKey] = (),
        **rules: Unpack[EditRules],
    ) -> None:
        """Choose the pictures of `plan`, then write its other changes: one request, as a rule.

        What only collections have goes first, see `PlexCollections.write`. Plex answers 200
        whatever it does, so only reading back proves a write. Where one would be too long, or is
        refused, the fields go out in order: those that are taken are written.

        Args:
            plan: what to write.
            others: items that get the same edits; see `edit_alike`, which checks that.
            rules: see `EditRules`.

        Raises:
            UnsafeError: the plan does not name exactly one item. Nothing was sent.
            AuthError: the token may not edit; only the owner's may.
            TooLongError: a text is longer than a request may be. All other fields were sent.
            ServerError: the write failed, or its answer was lost: it may have been applied.
        """
        hold, by_item = rules.get("hold", always), rules.get("by_item", False)
        appended = rules.get("appended", NONE_APPENDED)
        begun = any(change.target in _ELSEWHERE for change in plan.changes)
        plan, failed = self.pictures.choose(self.collections.write(plan, hold), hold)
        paths = partial(edit_paths, plan, others=others, appended=appended, by_item=by_item)
        if plan.changes:
            self._put_all(paths, hold, begun=begun)
        if failed is not None:
            raise failed

    def edit_alike(self, alike: Sequence[PlanEdits], **rules: Unpack[EditRules]) -> None:
        """Write the same changes to several items at once: one request, as a rule. See `edit`.

        Args:
            alike: what to write, at least one; all to items of one section and kind.
            rules: see `EditRules`.

        Raises:
            UnsafeError: the plans do not come to the same edits. Nothing was sent.
            AuthError: see `edit`.
            ServerError: see `edit`; any number of the items may have been written.
        """
        first, *rest = (one.plan for one in alike)
        appended = rules.get("appended", NONE_APPENDED)
        edits = alike[0].given(appended)
        for one, plan in zip(alike[1:], rest, strict=True):
            same_place = (plan.section_id, plan.kind) == (first.section_id, first.kind)
            if not same_place or one.given(appended) != edits:
                raise UnsafeError(
                    "items that are edited together must get the same edits",
                    context=f"items {first.rating_key} and {plan.rating_key}",
                )
        for plan in rest:
            _, failed = self.pictures.choose(plan, rules.get("hold", always))
            if failed is not None:
                raise failed
        self.edit(first, others=[plan.rating_key for plan in rest], **rules)

    def _put_all(
        self, paths: Callable[..., tuple[str, ...]], hold: Callable[[], None], *, begun: bool
    ) -> None:
        refused: dict[str, BadResponseError] = {}
        fields: set[str] = set()
        put = partial(self.transport.request, "PUT", **change_rules(hold))
        for path in paths(limit_bytes=self.limit_bytes):
            if fields and not fields.isdisjoint(fields_of(path)):
                # A later piece would set the lock of a list that is not there.
                fields.update(fields_of(path))
                continue
            if begun:
                hold()
            begun = True
            try:
                put(path)
            except BadResponseError as error:
                if error.status not in _SPLIT_STATUSES:
                    raise
                refused[path] = error
                fields.update(fields_of(path))
        if refused:
            self._put_shorter(paths, refused, fields, hold=hold)

    def _put_shorter(
        self,
        paths: Callable[..., tuple[str, ...]],
        refused: Mapping[str, BadResponseError],
        fields: AbstractSet[str],
        *,
        hold: Callable[[], None],
    ) -> None:
        """Send `fields` again in shorter requests if possible, see `_SPLIT_STATUSES`.

        Raises:
            BadResponseError: the first that is still refused.
        """
        shortest = paths(limit_bytes=0)
        left = {path: error for path, error in refused.items() if path in shortest}
        put, in_a_row = partial(self.transport.request, "PUT", **change_rules(hold)), 0
        for path in shortest:
            if path in left or not fields >= set(fields_of(path)):
                continue
            hold()
            try:
                put(path)
            except BadResponseError as error:
                left[path] = error
                in_a_row += 1
                if in_a_row == _FIELDS_IN_A_ROW:
                    break
            else:
                in_a_row = -len(shortest)
        for path, refusal in left.items():
            raise self._refusal_of(path, refusal)

    def _refusal_of(self, path: str, error: BadResponseError) -> BadResponseError:
        """Return the error for a field: its own text is too long, or whatever the server says."""
        too_long = isinstance(error, TooLongError) and len(path) > _SURELY_SHORT_BYTES
        if not too_long and len(path) <= self.limit_bytes:
            # A short request that is too long for a server says nothing of this field.
            plain = BadResponseError(error.message, context=error.context, hint=error.hint)
            plain.status = error.status
            return plain
        problem = TooLongError(
            f"{', '.join(fields_of(path))} is too long to be sent: the request has {len(path):,} "
            f"bytes, and Plex or a proxy before it takes less; {self.limit_bytes:,} pass "
            f"nearly everywhere ({error.message})",
            hint="shorten it in Stash, switch the field off, or let the proxy take longer "
            "requests; plexsync tries again when the scene or the configuration changes, or "
            "after plexsync retry",
        )
        problem.__cause__ = error
        return problem
