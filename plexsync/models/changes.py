"""What is to be written to one item, and what was before."""

from __future__ import annotations

import msgspec

from plexsync.models.basis import Noun, RatingKey, SceneId, Value
from plexsync.models.plex import Credit, ItemKind, PlexField
from plexsync.models.wishes import Policy


class Base(Noun, frozen=True):
    """What we last applied to one field of one item, as digests.

    `entries` holds, for a list, a digest of each name we added, run together: merge removes only
    those. `seen` holds the same of names Plex had before us, so that it is known when a person
    takes one out. `wanted` is the digest of what Stash wanted where merging made another list of
    it.
    `found` says that Plex held the value before plexsync ever wrote the field: it is ours to bring
    up to date, and not ours to clear.
    `credits` holds the roles and photos of ours, see `credits.given_in`.
    """

    digest: str
    entries: str = ""
    wanted: str = ""
    credits: str = ""
    found: bool = False
    seen: str = ""


class Trace(Noun, frozen=True):
    """What is remembered of one field of a linked item beside its policy: see `Link`."""

    base: Base | None = None
    held: str = ""


class Change(Noun, frozen=True):
    """One field, before and after, with all that undo needs to put it back.

    Attributes:
        field: the name under `[fields]` in the configuration.
        target: the field in Plex.
        before: what Plex held.
        after: what it is to hold.
        policy: why.
        locked_before: Plex's lock before.
        locked_after: how the lock is to end; None for what the plan says of all its fields.
        wanted: digest of what Stash wants where `after` is not just that.
        trace_before: what was remembered of the field before; None for nothing.
        trace_after: what is to be remembered once Plex shows `after`; None where that follows from
            the change itself. An undo says it, because what it puts back is not ours.
        credits_before: how actors were credited, by `tag_key`; those not named were not.
        credits_after: how they are to be credited; those not named stay as they are.
        risked: a name of a list that stays, and that Plex may lose all the same if plexsync dies
            while it finds out what the server does with lists; see `Sender`.
    """

    field: str
    target: PlexField
    before: Value
    after: Value
    policy: Policy
    locked_before: bool = False
    locked_after: bool | None = None
    wanted: str = ""
    trace_before: Trace | None = None
    trace_after: Trace | None = None
    credits_before: dict[str, Credit] = msgspec.field(default_factory=dict)
    credits_after: dict[str, Credit] = msgspec.field(default_factory=dict)
    risked: str = ""


class ItemPlan(Noun, frozen=True):
    """All changes of one item for one scene.

    One PUT. `path` is the file the item must still hold when it is written. Of a collection
    `scene_id` is its `collection_key`, and `member_kind` the kind of its members; of a show or a
    season it is its `show_key`.
    """

    scene_id: SceneId
    rating_key: RatingKey
    section_id: str
    kind: ItemKind
    path: str
    lock: bool
    changes: tuple[Change, ...]
    member_kind: ItemKind | None = None
