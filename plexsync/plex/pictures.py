"""Plex's posters and backgrounds: which there are, a new one, another one.

Pictures are sent as bytes, never as an address for Plex to fetch: Plex would keep the address and
log it. Source: docs/plex-api.md 5, "Poster".
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from plexsync.errors import AuthError, BadResponseError, NotFoundError, ServerError
from plexsync.models import PICTURE_FIELDS, Change, ItemPlan, Picture, PlexField, RatingKey
from plexsync.plex.connection import DONE, ask_plex, change_rules, checked_id
from plexsync.plex.decode import whole_entries
from plexsync.plex.wire import AnswerObject, PicturesObject, read_json
from plexsync.transport.outgoing import AnswerLimits, always

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plexsync.transport.client import Transport

_OWN_PICTURES = ("/library/", "/:/resources/", "/photo/")
_SHOWN_PICTURE = AnswerLimits(deadline_s=20.0, max_bytes=10 << 20, slow_attempts=1)

_PLACES = {PlexField.POSTER: "poster", PlexField.BACKGROUND: "art"}
"""The last word of the address that selects; with an s the one that lists and takes."""

_SHOWN = {PlexField.POSTER: "thumb", PlexField.BACKGROUND: "art"}
"""The last word of the address of what is shown."""

_DECODER = msgspec.json.Decoder(AnswerObject[PicturesObject], strict=False)


class PlexPictures:
    """The pictures of one Plex server's items.

    Args:
        transport: to the server.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def available(self, rating_key: RatingKey, field: PlexField) -> tuple[Picture, ...]:
        """Return the posters or backgrounds an item can choose from. One request.

        A collection that is still to be made has no key, and none of them.

        Raises:
            NotFoundError: there is no such item any more.
            ServerError: they cannot be read.
        """
        if not rating_key:
            return ()
        path = f"{_address(rating_key, _PLACES[field])}s"
        return ask_plex(self._transport, path, decode_pictures)

    def fetch(self, address: str) -> bytes:
        """Return the bytes of a picture at an address Plex gave, below ours. One request.

        Raises:
            BadResponseError: the address leads elsewhere, or the picture is too large.
            ServerError: it cannot be had.
        """
        if not address.startswith(_OWN_PICTURES):
            raise BadResponseError("the picture is not on this Plex server")
        return self._transport.request("GET", address, limits=_SHOWN_PICTURE).body

    def original(self, rating_key: RatingKey, key: str) -> bytes:
        """Return the bytes of one of the pictures an item has. One request.

        Raises:
            ServerError: it cannot be had.
        """
        return self.fetch(f"{_address(rating_key, 'file')}?url={quote(key, safe='')}")

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
            accept_status=DONE,
        )

    def select(
        self,
        rating_key: RatingKey,
        field: PlexField,
        key: str,
        hold: Callable[[], None] = always,
    ) -> None:
        """Choose one of the pictures an item has, which Plex locks.

        `hold` is called before it is sent once more, and raises where that must not be.

        Raises:
            ServerError: it was refused, or the answer was lost.
        """
        path = f"{_address(rating_key, _PLACES[field])}?url={quote(key, safe='')}"
        self._transport.request("PUT", path, **change_rules(hold))

    def choose(
        self, plan: ItemPlan, hold: Callable[[], None] = always
    ) -> tuple[ItemPlan, ServerError | None]:
        """Choose the pictures `plan` says by their keys; a picture is chosen, not edited.

        `hold`: see `select`.

        Returns:
            The plan, which still says the locks, without pictures that cannot be chosen: such a
            one keeps its lock and stops nothing else; and the first error.

        Raises:
            AuthError: the token may not write.
        """
        failed: dict[PlexField, ServerError] = {}
        for change in plan.changes:
            if change.target not in PICTURE_FIELDS or change.after == change.before:
                continue
            try:
                self._choose(plan.rating_key, change, hold)
            except AuthError:
                raise
            except ServerError as error:
                failed[change.target] = error
        if not failed:
            return plan, None
        left = tuple(change for change in plan.changes if change.target not in failed)
        return replace(plan, changes=left), next(iter(failed.values()))

    def _choose(self, rating_key: RatingKey, change: Change, hold: Callable[[], None]) -> None:
        if not change.after:
            path = _address(rating_key, _SHOWN[change.target])
            self._transport.request("DELETE", path, **change_rules(hold))
            return
        try:
            self.select(rating_key, change.target, str(change.after), hold)
        except NotFoundError as error:
            raise NotFoundError(
                f"Plex does not have the {change.field} any more that is to be shown again",
                hint="choose one in Plex; plexsync run looks again",
            ) from error


def decode_pictures(body: bytes) -> tuple[Picture, ...]:
    """Return the pictures of `/library/metadata/{id}/posters` or `/arts`, in Plex's order.

    Raises:
        BadResponseError: not a container of pictures, or cut short.
    """
    container = read_json(body, _DECODER).container
    # Plex calls every entry of a JSON answer Metadata; the XML name is Photo.
    entries = whole_entries(container, container.entries or container.photos)
    return tuple(
        Picture(key=entry.rating_key, selected=entry.selected)
        for entry in entries
        if entry.rating_key
    )


def selected_key(pictures: Iterable[Picture]) -> str:
    """Return the key of what an item shows; "" for nothing."""
    return next((picture.key for picture in pictures if picture.selected), "")


def _address(rating_key: RatingKey, place: str) -> str:
    return f"/library/metadata/{checked_id(rating_key)}/{place}"
