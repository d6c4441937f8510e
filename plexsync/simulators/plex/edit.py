"""How the simulated Plex server reads an edit, and what it does to an item.

An edit is the query of a PUT: `title.value`, `title.locked`, `genre[0].tag.tag`,
`actor[0].tagging.text`, `actor[0].tag.thumb`, `genre[].tag.tag-`, `genre[].tag`. What it does not
know it ignores, as Plex does.

Source: docs/plex-api.md 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import unquote

from plexsync.simulators.plex.store import TAG_KINDS, TEXT_FIELDS, Tagging, nocase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexsync.simulators.plex.store import Item, Store, Tag

_PLAIN = re.compile(r"^(\w+)\.(value|locked)$")
_INDEXED = re.compile(r"^(\w+)\[(\d+)\]\.(tag\.tag|tagging\.text|tag\.thumb)$")
_REMOVED = re.compile(r"^(\w+)\[\]\.tag\.tag-$")
_CLEARED = re.compile(r"^(\w+)\[\]\.tag$")
_NUMBERS = frozenset({"rating", "audienceRating"})
_NOT_WRITTEN = frozenset({"year"})
_OTHERS = frozenset({"thumb", "art", "userRating", "addedAt"})
"""Locks that are neither on a text field nor on a tag."""


@dataclass(slots=True)
class WantedTag:
    """One indexed tag of an edit; role and thumb are None where the edit does not speak of them."""

    name: str = ""
    role: str | None = None
    thumb: str | None = None


@dataclass(slots=True)
class EditRequest:
    """What one PUT asks for, taken apart.

    Attributes:
        values: new text by field, "" clears.
        locks: wanted lock state by field.
        tags: tags to add by kind, in index order.
        removals: tag names to take away by kind.
        cleared: kinds that lose all tags.
        filters: the arguments that are no edit: `id`, `type` and other conditions.
    """

    values: dict[str, str] = field(default_factory=dict)
    locks: dict[str, bool] = field(default_factory=dict)
    tags: dict[str, list[WantedTag]] = field(default_factory=dict)
    removals: dict[str, list[str]] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)
    filters: list[tuple[str, str]] = field(default_factory=list)

    @property
    def contradicts_itself(self) -> bool:
        """Whether it adds a tag it also removes, of which nobody knows what Plex makes."""
        return any(
            {nocase(name) for name in names}
            & {nocase(wanted.name) for wanted in self.tags.get(kind, ())}
            for kind, names in self.removals.items()
        )


def read_edit(arguments: Iterable[tuple[str, str]]) -> EditRequest:
    """Take the query of a PUT apart."""
    edit = EditRequest()
    indexed: dict[tuple[str, int], WantedTag] = {}
    for name, value in arguments:
        if plain := _PLAIN.match(name):
            _read_plain(edit, plain[1], plain[2], value)
        elif found := _INDEXED.match(name):
            _read_indexed(
                indexed.setdefault((found[1], int(found[2])), WantedTag()), found[3], value
            )
        elif removed := _REMOVED.match(name):
            # The names were percent-encoded before they were joined, so a comma in a name survives.
            edit.removals[removed[1]] = [unquote(part) for part in value.split(",") if part]
        elif cleared := _CLEARED.match(name):
            edit.cleared.add(cleared[1])
        else:
            edit.filters.append((name, value))
    for (kind, _), wanted in sorted(indexed.items(), key=lambda entry: entry[0]):
        if wanted.name:
            edit.tags.setdefault(kind, []).append(wanted)
    return edit


def apply_edit(store: Store, item: Item, edit: EditRequest, *, replace_tags: bool) -> None:
    """Do to `item` what `edit` says. Indexed tags are added to those it has, or replace them."""
    _apply_values(item, edit)
    for kind in TAG_KINDS:
        _apply_tags(store, item, kind, edit, replace_tags=replace_tags)
    for name, locked in edit.locks.items():
        _apply_lock(item, name, locked=locked)


def _read_plain(edit: EditRequest, name: str, what: str, value: str) -> None:
    """`X.value` or `X.locked`."""
    if what == "value":
        edit.values[name] = value
    else:
        edit.locks[name] = value not in ("0", "false", "")


def _read_indexed(wanted: WantedTag, what: str, value: str) -> None:
    """One argument of an indexed tag."""
    if what == "tag.tag":
        wanted.name = value
    elif what == "tagging.text":
        wanted.role = value
    else:
        wanted.thumb = value


def _apply_values(item: Item, edit: EditRequest) -> None:
    """Set the texts; a new title takes an unlocked sort title with it."""
    for name, value in edit.values.items():
        if name in TEXT_FIELDS - _NOT_WRITTEN and _acceptable(name, value):
            _set_text(item, name, value)
        elif name == "userRating":
            set_rating(item, value)
        elif name == "addedAt" and value.isdecimal():
            item.added_at = int(value)
    if "title" in edit.values and "titleSort" not in edit.values and "titleSort" not in item.locks:
        item.fields.pop("titleSort", None)


def _set_text(item: Item, name: str, value: str) -> None:
    """Set or, for "", clear one text."""
    if value:
        item.fields[name] = value
    else:
        item.fields.pop(name, None)


def _acceptable(name: str, value: str) -> bool:
    """Whether Plex stores the value; what it cannot read it ignores."""
    if not value:
        return True
    try:
        if name == "originallyAvailableAt":
            date.fromisoformat(value)
        elif name in _NUMBERS:
            float(value)
    except ValueError:
        return False
    return True


def set_rating(item: Item, value: str) -> bool:
    """Set the user's rating, 0 to 10; -1 or "" takes it away. False when it cannot be read."""
    try:
        rating = float(value or -1)
    except ValueError:
        return False
    item.user_rating = rating if rating >= 0 else None
    return True


def _apply_lock(item: Item, name: str, *, locked: bool) -> None:
    """Lock or unlock one field Plex knows."""
    if name not in TEXT_FIELDS and name not in TAG_KINDS and name not in _OTHERS:
        return
    if locked:
        item.locks.add(name)
    else:
        item.locks.discard(name)


def _apply_tags(
    store: Store, item: Item, kind: str, edit: EditRequest, *, replace_tags: bool
) -> None:
    """Clear, remove, then add the tags of one kind."""
    wanted = edit.tags.get(kind, [])
    if kind not in edit.cleared and kind not in edit.removals and not wanted:
        return
    drop_all = kind in edit.cleared or (replace_tags and bool(wanted))
    worn = {} if drop_all else {id(tagging.tag): tagging for tagging in item.tags.get(kind, ())}
    gone = {nocase(name) for name in edit.removals.get(kind, ())}
    worn = {key: tagging for key, tagging in worn.items() if nocase(tagging.tag.name) not in gone}
    for want in wanted:
        tag = store.tag(kind, want.name, item.section)
        tagging = worn.setdefault(id(tag), Tagging(tag))
        if want.role is not None:
            tagging.role = want.role
        _repaint(store, tag, want.thumb)
    item.tags[kind] = list(worn.values())


def _repaint(store: Store, tag: Tag, thumb: str | None) -> None:
    """Give a tag its picture; every item that wears the tag shows it from now on."""
    if thumb is None or thumb == tag.thumb:
        return
    tag.thumb = thumb
    store.redraw_all()
