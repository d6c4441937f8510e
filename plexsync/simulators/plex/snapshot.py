"""Plain copies of the simulated Plex server's items, for tests to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from plexsync.simulators.plex.store import TAG_KINDS

if TYPE_CHECKING:
    from plexsync.simulators.plex.store import Item


class ItemSnapshot(TypedDict):
    """Everything an edit can change of one item, as plain values.

    `tags` holds pairs of name and role by kind, `photos` the pictures of actors that have one, by
    name. `updated_at` is 0 unless clocks were asked for.
    """

    section: int
    type: str
    fields: dict[str, str]
    tags: dict[str, tuple[tuple[str, str], ...]]
    photos: dict[str, str]
    locks: tuple[str, ...]
    poster: str
    art: str
    rating: float | None
    files: tuple[str, ...]
    trashed: bool
    updated_at: int


Snapshot = dict[str, ItemSnapshot]
"""What `PlexSimulator.dump` gives: by rating key."""


def take_snapshot(item: Item, *, clocks: bool) -> ItemSnapshot:
    """One item as plain values; tags that are no longer there leave no trace."""
    return {
        "section": item.section.key,
        "type": item.kind.name.lower(),
        "fields": dict(sorted(item.fields.items())),
        "tags": {
            kind: tuple((worn.tag.name, worn.role) for worn in item.tags[kind])
            for kind in TAG_KINDS
            if item.tags.get(kind)
        },
        "photos": {
            worn.tag.name: worn.tag.thumb for worn in item.tags.get("actor", ()) if worn.tag.thumb
        },
        "locks": tuple(sorted(item.locks)),
        "poster": item.posters.selected,
        "art": item.arts.selected,
        "rating": item.user_rating,
        "files": tuple(part.file for part in item.parts),
        "trashed": bool(item.deleted_at),
        "updated_at": item.updated_at if clocks else 0,
    }
