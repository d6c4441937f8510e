"""What a review learns from the servers about a pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexsync.models import Change, PlexItem


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPreview:
    """What linking a scene to an item would write.

    Args:
        changes: field by field.
        kept: fields that differ but stay as Plex has them, by policy.
        problem: why it cannot be told; "" when it can.
        item: the item as Plex has it.
    """

    changes: tuple[Change, ...] = ()
    kept: tuple[str, ...] = ()
    problem: str = ""
    item: PlexItem | None = None
