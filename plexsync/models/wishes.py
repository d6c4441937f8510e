"""What a scene says each Plex field should be, and the rules that make it say so."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from plexsync.models.basis import Noun, Value
from plexsync.models.plex import Credit, PlexField


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
    `tag_key`.
    """

    field: str
    target: PlexField
    value: Value
    policy: Policy
    credits: dict[str, Credit] = msgspec.field(default_factory=dict)
