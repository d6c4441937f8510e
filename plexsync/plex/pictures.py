"""Plex's posters and backgrounds: which there are, a new one, another one.

Pictures are sent as bytes, never as an address for Plex to fetch: Plex would keep the address and
log it. Source: docs/plex-api.md 5, "Poster".
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from msgspec.structs import replace

from plexsync.errors import AuthError, BadResponseError, NotFoundError, ServerError
from plexsync.models import PICTURE_FIELDS, PlexField
from plexsync.plex.decode import decode_pictures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import Change, ItemDetail, ItemPlan, Picture, RatingKey
    from plexsync.transport.client import Transport

_JSON = (("Accept", "application/json"),)
_DONE = frozenset({200, 201, 204})

_PLACES = {PlexField.POSTER: "poster", PlexField.BACKGROUND: "art"}
"""The last word of the address that selects; with an s the one that lists and takes."""

_SHOWN = {PlexField.POSTER: "thumb", PlexField.BACKGROUND: "art"}
"""The last word of the address of what is shown."""


class Items(Protocol):
    """What is asked of a `PlexClient` here."""

    def details(self, rating_keys: Sequence[RatingKey], /) -> tuple[ItemDetail, ...]:
        """Fresh full reads."""

    def edit(self, plan: ItemPlan, /) -> None:
        """Send one item's changes."""

    def edit_alike(
        self, plans: Sequence[ItemPlan], /, *, appended: frozenset[PlexField] = ...
    ) -> None:
        """Send the same changes of several items."""


class PlexPictures:
    """The pictures of one Plex server's items.

    Args:
        transport: to the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def available(self, rating_key: RatingKey, field: PlexField) -> tuple[Picture, ...]:
        """The posters or backgrounds an item can choose from. One request.

        Raises:
            NotFoundError: there is no such item any more.
            ServerError: they cannot be read.
        """
        path = f"{_address(rating_key, _PLACES[field])}s"
        return self._transport.ask(
            "GET", path, lambda answer: decode_pictures(answer.body), headers=_JSON
        )

    def upload(self, rating_key: RatingKey, field: PlexField, body: bytes) -> None:
        """Give an item a new picture, which Plex selects and locks. One request, never repeated.

        Raises:
            ServerError: it was refused, or the answer was lost: look before trying again.
        """
        self._transport.request(
            "POST",
            f"{_address(rating_key, _PLACES[field])}s",
            body=body,
            write=True,
            repeatable=False,
            accept_status=_DONE,
        )

    def select(self, rating_key: RatingKey, field: PlexField, key: str) -> None:
        """Choose one of the pictures an item has, which Plex locks.

        Raises:
            ServerError: it was refused, or the answer was lost.
        """
        path = f"{_address(rating_key, _PLACES[field])}?url={quote(key, safe='')}"
        self._transport.request("PUT", path, write=True, accept_status=_DONE)

    def unselect(self, rating_key: RatingKey, field: PlexField) -> None:
        """Choose none of the pictures an item has.

        Raises:
            ServerError: it was refused, or the answer was lost.
        """
        path = _address(rating_key, _SHOWN[field])
        self._transport.request("DELETE", path, write=True, accept_status=_DONE)


class PicturedItems:
    """Plex's items, of some of which the pictures matter like any other field.

    Args:
        items: the items.
        pictures: their pictures.
    """

    def __init__(self, items: Items, pictures: PlexPictures) -> None:
        self._items = items
        self._pictures = pictures
        self._wanted: defaultdict[RatingKey, set[PlexField]] = defaultdict(set)

    def expect(self, plans: Iterable[ItemPlan]) -> None:
        """From now on read the pictures `plans` are about, too: one request each."""
        for plan in plans:
            fields = {change.target for change in plan.changes} & PICTURE_FIELDS
            if fields:
                self._wanted[plan.rating_key] |= fields

    def details(self, rating_keys: Sequence[RatingKey]) -> tuple[ItemDetail, ...]:
        """Fresh full reads, the keys of expected pictures among the values.

        Raises:
            ServerError: an item or its pictures could not be read.
        """
        return tuple(self._with_pictures(detail) for detail in self._items.details(rating_keys))

    def edit(self, plan: ItemPlan) -> None:
        """Choose the pictures of `plan`, then write its other changes and all of its locks.

        A picture that cannot be chosen keeps its lock and stops nothing else.

        Raises:
            ServerError: as `PlexClient.edit`; or a picture is not there any more.
        """
        failed: dict[PlexField, ServerError] = {}
        for change in plan.changes:
            try:
                self._choose(plan.rating_key, change)
            except AuthError:
                raise
            except ServerError as error:
                failed[change.target] = error
        left = tuple(change for change in plan.changes if change.target not in failed)
        if left:
            self._items.edit(replace(plan, changes=left))
        if failed:
            raise next(iter(failed.values()))

    def edit_alike(
        self, plans: Sequence[ItemPlan], *, appended: frozenset[PlexField] = frozenset()
    ) -> None:
        """The same for several items whose changes are alike.

        Raises:
            ServerError: see `edit`.
        """
        for plan in plans:
            for change in plan.changes:
                self._choose(plan.rating_key, change)
        self._items.edit_alike(plans, appended=appended)

    def _choose(self, rating_key: RatingKey, change: Change) -> None:
        if change.target not in PICTURE_FIELDS or change.after == change.before:
            return
        if not change.after:
            self._pictures.unselect(rating_key, change.target)
            return
        try:
            self._pictures.select(rating_key, change.target, str(change.after))
        except NotFoundError as error:
            raise NotFoundError(
                f"Plex does not have the {change.field} any more that is to be shown again",
                hint="choose one in Plex",
            ) from error

    def _with_pictures(self, detail: ItemDetail) -> ItemDetail:
        key = detail.item.rating_key
        keys = {
            field: selected_key(self._pictures.available(key, field))
            for field in sorted(self._wanted.get(key, ()))
        }
        return replace(detail, values={**detail.values, **keys}) if keys else detail


def selected_key(pictures: Iterable[Picture]) -> str:
    """The key of what an item shows; "" for nothing."""
    return next((picture.key for picture in pictures if picture.selected), "")


def _address(rating_key: RatingKey, place: str) -> str:
    if not (rating_key.isascii() and rating_key.isdecimal()):
        raise BadResponseError(f"{rating_key!r} is not an id Plex gives to anything")
    return f"/library/metadata/{rating_key}/{place}"
