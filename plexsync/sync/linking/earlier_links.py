"""What earlier runs remember of an item's fields, left in the records until the item's turn.

A full run has a pair for every scene, and what is ours on its item is ten times as large as the
pair. So a pair waits without it, and lets go of it once it is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from plexsync.text.normalize import same_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import Candidate, Link, PlexField, RatingKey, SceneId, SceneRecord
    from plexsync.sync.rows import Pair


class LinkingRecords(Protocol):
    """What linking asks of memory."""

    def get(self, scene_id: SceneId, *, bare: bool = False) -> SceneRecord | None:
        """Return what is remembered of a scene; a bare record says nothing of items' fields."""

    def claims(self) -> Mapping[RatingKey, SceneId]:
        """Which scene each remembered item is linked to."""

    def former(self, rating_key: RatingKey) -> Link | None:
        """Return the link of an item that is linked to no scene any more."""


NOTHING: dict[PlexField, Any] = {}
"""Stands for each empty part of a link that waits: one for all of them saves memory."""


def bare(link: Link) -> Link:
    """Return a link without what is remembered of the item's fields."""
    if not (link.base or link.held or link.pictures):
        return link
    return replace(link, base=NOTHING, held=NOTHING, pictures=NOTHING)


def recall(pair: Pair, records: LinkingRecords) -> None:
    """Give a pair back what is remembered of its item's fields; once, for it may have changed."""
    if pair.origin is None:
        return
    link, record = pair.link, records.get(pair.origin)
    found = link_to(record.links, link.rating_key, link.path) if record else None
    found = found or records.former(link.rating_key)
    pair.origin = None
    if found is not None:
        # An item that got another number is another one to Plex, and has none of our pictures.
        pictures = found.pictures if found.rating_key == link.rating_key else {}
        pair.link = replace(link, base=found.base, held=found.held, pictures=pictures)


def link_to(links: Sequence[Link], rating_key: RatingKey, path: str) -> Link | None:
    """Return the link to this item, which may have another key since Plex was restored."""
    for link in links:
        if link.rating_key == rating_key:
            return link
    return next((link for link in links if same_path(link.path, path)), None)


def earlier(
    records: LinkingRecords, best: Candidate, scene_ids: Sequence[SceneId | None]
) -> tuple[Link, SceneId | None] | None:
    """Return what is known of an item, and the scene of whose record that is; None for nothing.

    It is the first of the scenes that has it, or none where the item lost its scene.
    """
    for scene_id in scene_ids:
        record = records.get(scene_id) if scene_id else None
        link = link_to(record.links, best.rating_key, best.item_path) if record else None
        if link is not None:
            return link, scene_id
    former = records.former(best.rating_key)
    return None if former is None else (former, None)
