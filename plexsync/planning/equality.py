"""When two values are the same to Plex, and the digests by which that is known later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.models import PlexField
from plexsync.text.folding import Spellings, name_digest, short_digest, split_entries
from plexsync.text.normalize import fold_tag, fold_text, fold_whitespace

if TYPE_CHECKING:
    from collections.abc import Collection

    from plexsync.models import Base, Change, Value

_DIGITS = 16

_REPEATED = frozenset(
    {
        PlexField.DATE,
        PlexField.STUDIO,
        PlexField.CONTENT_RATING,
        PlexField.RATING,
        PlexField.COLLECTIONS,
    }
)
"""Fields whose values many items share, so that their digests are worked out once."""


class PlexEquality:
    """Compares values as Plex shows them: texts but for white space, names as `tag_key` says.

    Attributes:
        spellings: the names seen so far.
    """

    def __init__(self) -> None:
        self.spellings = Spellings()
        self._known: dict[tuple[PlexField, Value], str] = {}

    def equal(self, target: PlexField, one: Value, other: Value) -> bool:
        """Whether Plex would show the same, whatever the order of names."""
        if one == other:
            return True
        if not one or not other:
            # White space alone shows as nothing; a name is never empty.
            return not _shown(one or other)
        if isinstance(one, tuple) and frozenset(one) == frozenset(other):
            return True
        return self._comparable(target, one) == self._comparable(target, other)

    def respelled(self, one: Value, other: Value) -> dict[str, str]:
        """Return the names of `one` that are to Plex one of `other`, and look otherwise."""
        if isinstance(one, str) or isinstance(other, str) or not other:
            return {}
        if frozenset(other).issuperset(one):
            return {}
        keys = self.spellings.keys
        there = {keys[name]: name for name in other}
        pairs = [(name, there.get(keys[name], name)) for name in one]
        return {name: shown for name, shown in pairs if name != shown}

    def digest(self, target: PlexField, value: Value) -> str:
        """16 hex digits that agree for values `equal` calls the same.

        They also agree for a text whose letters are composed otherwise, which nobody would see.
        """
        if target not in _REPEATED:
            return self._digest(target, value)
        known = self._known.get((target, value))
        if known is None:
            known = self._known[target, value] = self._digest(target, value)
        return known

    def is_base(self, base: Base | None, target: PlexField, value: Value) -> bool:
        """Whether a value is what a base remembers; also one that an earlier version wrote."""
        if base is None or not base.digest:
            return False
        return base.digest in {self.digest(target, value), former_digest(value)}

    def is_remembered(self, target: PlexField, value: Value, base: Base, *, keeps: bool) -> bool:
        """Whether a base says already what it would say of a value that stays as it is.

        Args:
            target: the field.
            value: what it holds.
            base: what is remembered.
            keeps: each name that was in the list once is remembered.
        """
        if base.credits or base.digest != self.digest(target, value):
            return False
        if isinstance(value, str):
            return not (base.entries or base.seen)
        entry = self.spellings.entries
        there = {entry[name] for name in value}
        if keeps:
            return there <= split_entries(base.entries + base.seen)
        return split_entries(base.entries) <= there

    def owned_among(self, names: Collection[str], base: Base | None) -> frozenset[str]:
        """Those of `names` that we added, by what a base remembers."""
        owned = split_entries(base.entries) if base else frozenset()
        return frozenset(name for name in names if self.spellings.owns(owned, name))

    def seen_among(self, names: Collection[str], base: Base | None) -> frozenset[str]:
        """Those of `names` that Plex had before us, by what a base remembers."""
        seen = split_entries(base.seen) if base else frozenset()
        return frozenset(name for name in names if self.spellings.entries[name] in seen)

    def _digest(self, target: PlexField, value: Value) -> str:
        if isinstance(value, tuple):
            return name_digest("\x1f".join(sorted(self._keys(value))), _DIGITS)
        plain = value if target not in _REPEATED else str(self._comparable(target, value))
        return short_digest(fold_text(plain), _DIGITS)

    def _keys(self, names: tuple[str, ...]) -> frozenset[str]:
        return frozenset(map(self.spellings.keys.__getitem__, names))

    def _comparable(self, target: PlexField, value: Value) -> str | frozenset[str]:
        if isinstance(value, tuple):
            return self._keys(value)
        if target is PlexField.DATE:
            return value[:10]  # Plex sometimes adds a time part. Source: docs/plex-api.md 2.
        if target is PlexField.RATING:
            return value.removesuffix(".0")
        return fold_whitespace(value)


def was_by_hand(change: Change) -> bool:
    """Whether a change replaces what a person, or another program, typed and Plex locked."""
    base = change.trace_before.base if change.trace_before else None
    return change.locked_before and not PlexEquality().is_base(base, change.target, change.before)


def former_digest(value: Value) -> str:
    """Return what stood for a list when names were folded by Unicode; "" where it is the same.

    Of a list that folds to ASCII letters it would not tell how it was made.
    """
    if isinstance(value, str):
        return ""
    text = "\x1f".join(sorted({fold_tag(name) for name in value}))
    return "" if text.isascii() else short_digest(text, _DIGITS)


def _shown(value: Value) -> bool:
    """Whether anything of a value would be seen."""
    return any(map(str.strip, value)) if isinstance(value, tuple) else bool(value.strip())
