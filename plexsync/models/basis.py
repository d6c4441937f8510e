"""What the other nouns are made of: ids, values, servers, outcomes, and the base all share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NewType

import msgspec

if TYPE_CHECKING:
    from plexsync.errors import PlexsyncError

SceneId = NewType("SceneId", str)
"""Stash's id of a scene: decimal text; a cache, not an identity (a full import restarts it)."""

RatingKey = NewType("RatingKey", str)
"""Plex's id of an item: decimal text; a cache, not an identity (a moved file gets a new one)."""

RelatedId = NewType("RelatedId", str)
"""What a scene shows of another object in Stash: `t12` is tag 12, `p7` a performer, `s3` a studio,
`g1` a group. See `relations`."""

Value = str | tuple[str, ...]
"""What a field holds: one text, or a list of names. Dates are `YYYY-MM-DD`."""


def id_order(number: str) -> tuple[int, str]:
    """Return what sorts ids, which are decimal text, as numbers without making numbers of them."""
    return len(number), number


class Noun(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What all nouns share: frozen, made by keyword, not tracked by the cyclic collector."""


class Server(Noun, frozen=True):
    """A server as its identity request describes it.

    `identity` is Plex's machine identifier, or for Stash the path of its database.
    """

    url: str
    version: str
    identity: str = ""


class Outcome(StrEnum):
    """What became of a row. Source: docs/contract.md."""

    PLANNED = "planned"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REVIEW = "review"
    UNMATCHED = "unmatched"
    IGNORED = "ignored"
    SKIPPED = "skipped"
    FAILED = "failed"


class Problem(Noun, frozen=True):
    """An error as data: what a row, a state record or a JSON document holds of it."""

    kind: str
    message: str
    hint: str = ""


def as_problem(error: PlexsyncError) -> Problem:
    """Return an error as data, where it happened included in the message."""
    return Problem(kind=error.kind, message=str(error), hint=error.hint)
