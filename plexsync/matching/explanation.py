"""An explanation as a value: the account of a decision with names for all it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from plexsync.matching.account import Account
    from plexsync.models import SceneRecord

SCHEMA = "plexsync/explain/1"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A scene or an item as an explanation names it. `library` is "" for a scene."""

    id: str
    title: str
    paths: tuple[str, ...]
    library: str
    url: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to say.

    Attributes:
        subject: whom it is about.
        is_item: it is about an item of Plex, told from that side.
        account: candidates, evidence, obstacles, what would help.
        record: what earlier runs remember of the scene; None when nothing is.
        names: every scene and item the account speaks of.
        items_compared: how many items there are.
    """

    schema: str = SCHEMA
    subject: Named
    is_item: bool
    account: Account
    record: SceneRecord | None
    names: dict[str, Named]
    items_compared: int
