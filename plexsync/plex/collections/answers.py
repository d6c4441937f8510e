"""Listings of collections and of their members, as our nouns. Pure.

Source: docs/plex-api.md 11.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from plexsync.errors import BadResponseError
from plexsync.models import RatingKey
from plexsync.plex.decode import called, has_key
from plexsync.plex.lenient import read_json
from plexsync.plex.wire import DetailsAnswer


class CollectionEntry(NamedTuple):
    """A collection, or a member of one, as a listing shows it."""

    rating_key: RatingKey
    title: str
    member_count: int
    smart: bool


class CollectionsPage(NamedTuple):
    """One page of collections or members: `entry_count` entries came, of `total`."""

    entries: tuple[CollectionEntry, ...]
    entry_count: int
    total: int


def decode_collections(body: bytes) -> CollectionsPage:
    """Return a page of the collections of a library, or of the members of one.

    Raises:
        BadResponseError: not a listing, cut short, or an entry has no rating key.
    """
    container = read_json(body, _DETAILS, DetailsAnswer).container
    entries = container.entries
    if container.size is not None and container.size != len(entries):
        raise BadResponseError(f"Plex announces {container.size} entries and sends {len(entries)}")
    if unusable := [called(entry) for entry in entries if not has_key(entry)]:
        raise BadResponseError(f"Plex sends an entry without a rating key: {unusable[0]}")
    found = tuple(
        CollectionEntry(
            RatingKey(str(entry.rating_key)), entry.title, entry.member_count, entry.smart
        )
        for entry in entries
    )
    total = len(entries) if container.total is None else container.total
    return CollectionsPage(found, len(entries), total)


_DETAILS = msgspec.json.Decoder(DetailsAnswer, strict=False)
