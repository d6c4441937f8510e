"""Plex's posters and backgrounds: which there are, a new one, another one.

Pictures are sent as bytes, never as an address for Plex to fetch: Plex would keep the address and
log it. Source: docs/plex-api.md 5, "Poster".
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from plexsync.errors import BadResponseError
from plexsync.models import PlexField
from plexsync.plex_decode import decode_pictures

if TYPE_CHECKING:
    from plexsync.models import Picture, RatingKey
    from plexsync.transport import Transport

_JSON = (("Accept", "application/json"),)
_DONE = frozenset({200, 201, 204})

_PLACES = {PlexField.POSTER: "poster", PlexField.BACKGROUND: "art"}
"""The last word of the address that selects; with an s the one that lists and takes."""


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
        path = f"{_address(rating_key, field)}s"
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
            f"{_address(rating_key, field)}s",
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
        path = f"{_address(rating_key, field)}?url={quote(key, safe='')}"
        self._transport.request("PUT", path, write=True, accept_status=_DONE)


def _address(rating_key: RatingKey, field: PlexField) -> str:
    if not (rating_key.isascii() and rating_key.isdecimal()):
        raise BadResponseError(f"{rating_key!r} is not an id Plex gives to anything")
    return f"/library/metadata/{rating_key}/{_PLACES[field]}"
