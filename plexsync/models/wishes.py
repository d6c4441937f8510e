"""What a scene says each Plex field should be, by which rules, and what is to be written of it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Self

import msgspec

from plexsync.models.servers import (
    Credit,
    ItemKind,
    Noun,
    PlexField,
    PlexItem,
    RatingKey,
    SceneId,
    Value,
    Video,
)


class Policy(StrEnum):
    """Who wins. Source: docs/design.md, "Deciding what to write"."""

    OVERWRITE = "overwrite"
    FILL = "fill"
    MERGE = "merge"
    KEEP = "keep"
    OFF = "off"


class EmptyPolicy(StrEnum):
    """What a value that is empty in Stash does to Plex.

    OWN: it clears what plexsync wrote and nobody touched since. KEEP: nothing. CLEAR: it clears
    whatever the policy of the field lets Stash replace.
    """

    OWN = "own"
    KEEP = "keep"
    CLEAR = "clear"


class FieldRule(Noun, frozen=True):
    """How one scene field reaches Plex: one entry of `[fields]` in the configuration.

    `to` is the Plex field it is written to. `include` and `exclude` are shell patterns over the
    names of a list, compared case-folded; an empty `include` lets every name in. `templates` are
    what a text, or each name of a list, is made by; none means the field's own value as it is.
    `by_tag` holds pairs of a tag's pattern and the text a scene with such a tag gets instead.
    `joins` says that the rule has no policy of its own: where other rules write to the same list
    it follows theirs. `parents` adds the tags above a scene's tags. `pad` makes a cover as tall as
    a poster. `role` and `photo` are the templates of how performers are credited; "" leaves that
    alone. `display` is that of the name of a performer who shares it with another one; "" for just
    the name.
    """

    name: str
    policy: Policy
    to: PlexField
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    by_tag: tuple[tuple[str, str], ...] = ()
    joins: bool = False
    parents: bool = False
    pad: bool = False
    role: str = ""
    photo: str = ""
    display: str = ""


class FieldRules(Noun, frozen=True):
    """The rules of all fields in all libraries: one rule per field, those that are off included.

    `common` holds in every library but those of `by_section`, which have rules of their own.
    """

    common: tuple[FieldRule, ...]
    by_section: dict[str, tuple[FieldRule, ...]] = msgspec.field(default_factory=dict)

    def of(self, section_id: str) -> tuple[FieldRule, ...]:
        """Return the rules of one library."""
        return self.by_section.get(section_id, self.common)


FIELD_SEPARATOR = "+"
"""Joins the names of several configured fields that make one Plex field together."""


class Desired(Noun, frozen=True):
    """What a scene says one Plex field should be.

    `field` is the name under `[fields]` in the configuration; where several make one list it is
    all their names, joined by `FIELD_SEPARATOR`. `credits` are those wanted of actors, by
    `tag_key`. `wished` is what Stash wants, where something else is to stay beside it; None where
    that is the value.
    """

    field: str
    target: PlexField
    value: Value
    policy: Policy
    credits: dict[str, Credit] = msgspec.field(default_factory=dict)
    wished: Value | None = None

    @property
    def own_value(self) -> Value:
        """What Stash wants."""
        return self.value if self.wished is None else self.wished


# ---- Changes -------------------------------------------------------------------------------------


class Base(Noun, frozen=True):
    """What we last applied to one field of one item, as digests.

    `entries` holds, for a list, a digest of each name we added, run together: merge removes only
    those. `seen` holds the same of names Plex had before us, so that it is known when a person
    takes one out. `wanted` is the digest of what Stash wanted where merging made another list of
    it.
    `found` says that Plex held the value before plexsync ever wrote the field: it is ours to bring
    up to date, and not ours to clear. Of a list that was merged it says that somebody had locked it
    with names besides ours.
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

    One PUT. `path` is the file the item must still hold when it is written, and `videos`
    what its files held when that was decided: later on it must not show another video. Of a
    collection `scene_id` is its `collection_key`, and `member_kind` the kind of its members; of a
    show or a season it is its `show_key`.
    """

    scene_id: SceneId
    rating_key: RatingKey
    section_id: str
    kind: ItemKind
    path: str
    lock: bool
    changes: tuple[Change, ...]
    member_kind: ItemKind | None = None
    videos: tuple[Video, ...] = ()

    def seen_on(self, item: PlexItem) -> Self:
        """Return the plan for an item as it is now."""
        return msgspec.structs.replace(
            self, section_id=item.section_id, kind=item.kind, videos=item.videos
        )

    def change_of(self, target: PlexField) -> Change | None:
        """Return the change of one field; None for none."""
        return change_of(self.changes, target)

    @property
    def makes(self) -> bool:
        """Whether a collection is made."""
        return any(one.after for one in self.changes if one.target is PlexField.EXISTENCE)

    @property
    def deletes(self) -> bool:
        """Whether a collection is gone in the end."""
        return any(not one.after for one in self.changes if one.target is PlexField.EXISTENCE)

    @property
    def may_drop(self) -> bool:
        """Whether a collection may be gone in the end: Plex drops some without members."""
        members = self.change_of(PlexField.MEMBERS)
        return self.deletes or (members is not None and not members.after)

    @property
    def title(self) -> str:
        """The title it gives; "" for none."""
        title = self.change_of(PlexField.TITLE)
        return str(title.after) if title else ""

    @property
    def mode(self) -> Change | None:
        """How a collection is to be shown; None where that stays as it is."""
        return None if self.deletes else self.change_of(PlexField.MODE)


def change_of(changes: Iterable[Change], target: PlexField) -> Change | None:
    """Return the change of one field; None for none."""
    return next((one for one in changes if one.target is target), None)
