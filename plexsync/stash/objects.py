"""Studios, groups, performers and tags by themselves: when edited, what they say, their pictures.

A scene's time does not move with any of that. Source: docs/stash-api.md 3.2 and 4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from plexsync.models import RELATED_KINDS, CollectionKind, RelatedDetail, RelatedId
from plexsync.stash.addresses import own_path
from plexsync.stash.answers import decoder_of
from plexsync.stash.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from plexsync.transport.responses import HttpResponse

OBJECT_BATCH = 200
"""Objects asked for at once."""


class _Words(NamedTuple):
    """What Stash calls the text and the picture of a kind of object."""

    text: str
    image: str = "image_path"
    place: str = "image"


_WORDS: Mapping[CollectionKind, _Words] = {
    CollectionKind.STUDIO: _Words("details"),
    CollectionKind.GROUP: _Words("synopsis", "front_image_path", "frontimage"),
    CollectionKind.PERFORMER: _Words("details"),
    CollectionKind.TAG: _Words("description"),
}

_LETTERS = {kind: letter for letter, kind in RELATED_KINDS.items()}


class _Row(Wire, frozen=True):
    id: str
    updated_at: str | None = None
    text: str | None = None
    image: str | None = None


class _Rows(Wire, frozen=True):
    rows: tuple[_Row, ...] = ()


def stamps_query(kinds: Collection[CollectionKind]) -> str:
    """Return the question when each object of these kinds was edited."""
    parts = [
        _part(kind, 'filter: {per_page: -1, sort: "id"}', "id updated_at")
        for kind in _WORDS
        if kind in kinds
    ]
    return f"query PlexsyncStamps {{ {' '.join(parts)} }}"


def objects_query(kind: CollectionKind) -> str:
    """Return the question what some objects of a kind say, and where their pictures are."""
    words = _WORDS[kind]
    fields = f"id updated_at text: {words.text} image: {words.image}"
    return f"query PlexsyncObjects($ids: [ID!]) {{ {_part(kind, 'ids: $ids', fields)} }}"


def _part(kind: CollectionKind, which: str, fields: str) -> str:
    return f"{kind}: find{kind.title()}s({which}) {{ rows: {kind}s {{ {fields} }} }}"


def stamps_decoder() -> Callable[[HttpResponse], dict[RelatedId, str]]:
    """Return a function that reads the answer to `stamps_query`."""
    decode = decoder_of(dict[str, _Rows])

    def read(answer: HttpResponse) -> dict[RelatedId, str]:
        found = decode(answer)
        return {
            RelatedId(f"{letter}{row.id}"): row.updated_at or ""
            for kind, letter in _LETTERS.items()
            for row in found.get(kind, _Rows()).rows
        }

    return read


def objects_decoder(
    kind: CollectionKind,
) -> Callable[[HttpResponse], dict[RelatedId, RelatedDetail]]:
    """Return a function that reads the answer to `objects_query`."""
    decode, place = decoder_of(dict[str, _Rows]), _WORDS[kind].place

    def read(answer: HttpResponse) -> dict[RelatedId, RelatedDetail]:
        return {
            RelatedId(f"{_LETTERS[kind]}{row.id}"): RelatedDetail(
                updated_at=row.updated_at or "",
                text=(row.text or "").strip(),
                image_path=own_path(f"/{kind}/{row.id}/{place}", row.image or ""),
            )
            for row in decode(answer).get(kind, _Rows()).rows
        }

    return read
