"""Studios, groups, performers and tags by themselves: when edited, what they say, their pictures.

A scene's time does not move with any of that. Source: docs/stash-api.md 3.2 and 4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

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
    """What Stash calls a kind of object, its text and its picture."""

    root: str
    rows: str
    text: str
    image: str
    place: str


_WORDS: Mapping[CollectionKind, _Words] = {
    CollectionKind.STUDIO: _Words("findStudios", "studios", "details", "image_path", "image"),
    CollectionKind.GROUP: _Words(
        "findGroups", "groups", "synopsis", "front_image_path", "frontimage"
    ),
    CollectionKind.PERFORMER: _Words(
        "findPerformers", "performers", "details", "image_path", "image"
    ),
    CollectionKind.TAG: _Words("findTags", "tags", "description", "image_path", "image"),
}

_LETTERS = {kind: letter for letter, kind in RELATED_KINDS.items()}


class _Row(Wire, frozen=True):
    id: str
    updated_at: str | None = None
    text: str | None = None
    image: str | None = None


class _Rows(Wire, frozen=True):
    rows: tuple[_Row, ...] = ()


class _Objects(Wire, frozen=True):
    studio: _Rows = _Rows()
    group: _Rows = _Rows()
    performer: _Rows = _Rows()
    tag: _Rows = _Rows()


def stamps_query(kinds: Collection[CollectionKind]) -> str:
    """Return the question when each object of these kinds was edited."""
    parts = [
        f'{kind}: {words.root}(filter: {{per_page: -1, sort: "id"}}) '
        f"{{ rows: {words.rows} {{ id updated_at }} }}"
        for kind, words in _WORDS.items()
        if kind in kinds
    ]
    return f"query PlexsyncStamps {{ {' '.join(parts)} }}"


def objects_query(kind: CollectionKind) -> str:
    """Return the question what some objects of a kind say, and where their pictures are."""
    words = _WORDS[kind]
    return (
        f"query PlexsyncObjects($ids: [ID!]) {{ {kind}: {words.root}(ids: $ids) {{ rows: "
        f"{words.rows} {{ id updated_at text: {words.text} image: {words.image} }} }} }}"
    )


def stamps_decoder() -> Callable[[HttpResponse], dict[RelatedId, str]]:
    """Return a function that reads the answer to `stamps_query`."""
    decode = decoder_of(_Objects)

    def read(answer: HttpResponse) -> dict[RelatedId, str]:
        found = decode(answer)
        return {
            RelatedId(f"{letter}{row.id}"): row.updated_at or ""
            for kind, letter in _LETTERS.items()
            for row in _rows_of(found, kind)
        }

    return read


def objects_decoder(
    kind: CollectionKind,
) -> Callable[[HttpResponse], dict[RelatedId, RelatedDetail]]:
    """Return a function that reads the answer to `objects_query`."""
    decode, place = decoder_of(_Objects), _WORDS[kind].place

    def read(answer: HttpResponse) -> dict[RelatedId, RelatedDetail]:
        return {
            RelatedId(f"{_LETTERS[kind]}{row.id}"): RelatedDetail(
                updated_at=row.updated_at or "",
                text=(row.text or "").strip(),
                image_path=own_path(f"/{kind}/{row.id}/{place}", row.image or ""),
            )
            for row in _rows_of(decode(answer), kind)
        }

    return read


def _rows_of(found: _Objects, kind: CollectionKind) -> tuple[_Row, ...]:
    part: _Rows = msgspec.structs.asdict(found)[kind.value]
    return part.rows
