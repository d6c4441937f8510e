"""What an item holds in one field, who wrote it, and when two values are the same to Plex.

Most fields are what Plex shows. A sort title is not: Plex shows one only where it differs from the
title, and where none is set makes one of the title, without its article. Nor does an unlocked one
survive a new title. Source: docs/plex-api.md 2 and 6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from plexsync.models import (
    FIELD_SEPARATOR,
    LIST_FIELDS,
    PICTURE_FIELDS,
    Change,
    EmptyPolicy,
    PlexField,
    Trace,
)
from plexsync.planning.picture_policy import CHOSEN_IN_PLEX
from plexsync.text.folding import (
    LIST_DIGITS,
    Spellings,
    join_entries,
    list_digest,
    name_digest,
    short_digest,
    split_entries,
)
from plexsync.text.normalize import fold_tag, fold_text, fold_whitespace, tag_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from plexsync.models import Base, Desired, ItemDetail, Value

_DIGITS = 16

_MOST_LISTS = 2048
"""Lists the keys of which are kept: each is compared several times while its item is written."""

_REPEATED = frozenset(
    {
        PlexField.DATE,
        PlexField.STUDIO,
        PlexField.CONTENT_RATING,
        PlexField.RATING,
        PlexField.COLLECTIONS,
    }
)
"""Fields with values that many items share: their digests are worked out once."""


class PlexEquality:
    """Compares values as Plex shows them: texts but for white space, names as `tag_key` says.

    Attributes:
        spellings: the names seen so far.
    """

    def __init__(self) -> None:
        self.spellings = Spellings()
        self._known: dict[tuple[PlexField, Value], str] = {}
        self._key_sets: dict[Value, frozenset[str]] = {}

    def equal(self, target: PlexField, one: Value, other: Value) -> bool:
        """Whether Plex would show the same, whatever the order of names."""
        if one == other:
            return True
        if not one or not other:
            # White space alone shows as nothing; a name is never empty.
            return not _shown(one or other)
        return self._comparable(target, one) == self._comparable(target, other)

    def respelled(self, one: Value, other: Value) -> dict[str, str]:
        """Return the names of `one` that are to Plex one of `other`, and look otherwise."""
        if isinstance(one, str) or isinstance(other, str) or not other:
            return {}
        new = set(one).difference(other)
        if not new:
            return {}
        theirs, keys = self.name_keys(other), self.spellings.keys
        if len(theirs) == len(other) and theirs.isdisjoint(map(keys.__getitem__, new)):
            return {}
        there = {keys[name]: name for name in reversed(other)}
        pairs = [(name, there.get(keys[name], name)) for name in one]
        return {name: shown for name, shown in pairs if name != shown}

    def digest(self, target: PlexField, value: Value) -> str:
        """16 hex digits that agree for values `equal` calls the same.

        They also agree for a text with letters composed otherwise, which nobody would see.
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
        return base.digest == self.digest(target, value) or base.digest in former_digests(value)

    def is_remembered(self, target: PlexField, value: Value, base: Base, *, keeps: bool) -> bool:
        """Whether a base says already what it would say of a value that stays as it is.

        Args:
            target: the field.
            value: what it holds.
            base: what is remembered.
            keeps: each name that was in the list once is remembered.
        """
        if base.credits:
            return False
        if isinstance(value, str):
            return base.digest == self.digest(target, value) and not (base.entries or base.seen)
        there = {*map(self.spellings.entries.__getitem__, value)}
        entries = join_entries(there)
        if base.digest != list_digest(entries):
            return False
        if base.entries == entries:
            return True  # all of them are ours
        if keeps:
            return there <= split_entries(base.entries + base.seen)
        return split_entries(base.entries) <= there

    def owned_among(self, names: Collection[str], base: Base | None) -> frozenset[str]:
        """Those of `names` that we added, by what a base remembers."""
        if base is None or not base.entries:
            return frozenset()
        return self.spellings.owned(split_entries(base.entries), names)

    def seen_among(self, names: Collection[str], base: Base | None) -> frozenset[str]:
        """Those of `names` that Plex had before us, by what a base remembers."""
        if base is None or not base.seen:
            return frozenset()
        seen, entries = split_entries(base.seen), self.spellings.entries
        return frozenset([name for name in names if entries[name] in seen])

    def is_shared(self, base: Base | None, value: Value, *, wholly: bool) -> bool:
        """Whether a list that was merged holds names besides ours and those Stash wanted.

        Args:
            base: what is remembered.
            value: what the field holds.
            wholly: whoever gave them; else only where a person, or another program, locked them.
        """
        if isinstance(value, str) or base is None or not (base.wanted and (base.found or wholly)):
            return False
        # Of actors with credits `wanted` is remembered whatever the policy.
        merged = base.found or base.seen or not base.credits
        return bool(merged) and len(self.owned_among(value, base)) < len(value)

    def _digest(self, target: PlexField, value: Value) -> str:
        if isinstance(value, tuple):
            return list_digest(join_entries({*map(self.spellings.entries.__getitem__, value)}))
        plain = value if target not in _REPEATED else str(self._comparable(target, value))
        return short_digest(fold_text(plain), _DIGITS)

    def name_keys(self, names: Value) -> frozenset[str]:
        """Return what makes each name of a list one tag to Plex."""
        known = self._key_sets.get(names)
        if known is None:
            if len(self._key_sets) >= _MOST_LISTS:
                self._key_sets.clear()
            known = frozenset(map(self.spellings.keys.__getitem__, names))
            self._key_sets[names] = known
        return known

    def _comparable(self, target: PlexField, value: Value) -> str | frozenset[str]:
        if isinstance(value, tuple):
            return self.name_keys(value)
        if target is PlexField.DATE:
            return value[:10]  # Plex sometimes adds a time part. Source: docs/plex-api.md 2.
        if target is PlexField.RATING:
            return value.removesuffix(".0")
        return fold_whitespace(value)


def was_by_hand(change: Change) -> bool:
    """Whether a change replaces what a person, or another program, typed and Plex locked.

    Of a picture nothing is remembered that it could be compared with: its words say who chose it.
    """
    if change.target in PICTURE_FIELDS:
        return change.before == CHOSEN_IN_PLEX
    base = change.trace_before.base if change.trace_before else None
    return change.locked_before and not PlexEquality().is_base(base, change.target, change.before)


def former_digests(value: Value) -> frozenset[str]:
    """Return what stood for a list in earlier versions: a digest of its names, folded as then.

    When names were folded by Unicode, a list that folds to ASCII letters has no digest that would
    tell how it was made.
    """
    if isinstance(value, str):
        return frozenset()
    found = {name_digest(_joined(map(tag_key, value)), LIST_DIGITS)}
    text = _joined(map(fold_tag, value))
    return frozenset(found if text.isascii() else {*found, short_digest(text, LIST_DIGITS)})


def _joined(names: Iterable[str]) -> str:
    return "\x1f".join(sorted({*names}))


def _shown(value: Value) -> bool:
    """Whether anything of a value would be seen."""
    return any(map(str.strip, value)) if isinstance(value, tuple) else bool(value.strip())


# ---- One field of an item ------------------------------------------------------------------------

_ARTICLES = ("the ", "a ", "an ")
"""What Plex drops from the front of a title to sort by it. Source: docs/plex-api.md 6."""

_ARTICLE_WORDS = frozenset(article.strip() for article in _ARTICLES)

_WORD = re.compile(r"\w+")


class ObservedValue(msgspec.Struct, frozen=True, gc=False):
    """What an item holds in one field.

    Attributes:
        value: what is stored.
        shown: what it comes to; another thing only for a sort title, see `found_in`.
        locked: whether Plex locks it.
        made: whether it is what Plex would make of another field by itself.
    """

    value: Value
    shown: Value
    locked: bool
    made: bool = False


def found_in(detail: ItemDetail, target: PlexField) -> ObservedValue:
    """Return what `detail` holds of `target`."""
    value = detail.values.get(target, () if target in LIST_FIELDS else "")
    locked = target in detail.locked
    if target is not PlexField.SORT_TITLE:
        return ObservedValue(value, value, locked)
    title = str(detail.values.get(PlexField.TITLE, ""))
    shown = value or title
    # One that Plex made counts as none: put back as a text, it would no longer follow the title. A
    # locked one does not follow it anyway.
    made = shown in {title, _without_article(title)}
    return ObservedValue(shown if locked or not made else "", shown, locked, made)


def held_for(detail: ItemDetail, change: Change) -> Value:
    """Return what is to be compared with the value a change wrote."""
    found = found_in(detail, change.target)
    if change.after:
        return found.shown
    return "" if found.made else found.value


def lost_sort_title(detail: ItemDetail, changes: Iterable[Change]) -> str:
    """Return the sort title an item would lose by `changes`; "" for none, or where they name it.

    That is one that is set, and not locked.
    """
    if not detail.values.get(PlexField.SORT_TITLE):
        return ""
    targets = {change.target for change in changes}
    if PlexField.TITLE not in targets or PlexField.SORT_TITLE in targets:
        return ""
    found = found_in(detail, PlexField.SORT_TITLE)
    return "" if found.locked else str(found.value)


def with_title(
    loose: str, changes: Sequence[Change], trace: Trace | None, desired: Sequence[Desired]
) -> Change:
    """Return what becomes of a loose sort title that is not ours when the title is written.

    A field that is on stays as its policy left it. While it is off, one that was made of the old
    title follows the new one, as Plex would have it anyway; the change is there to be shown, and
    taken back. Any other one is a person's, who did not lock it: it is sent along, and stays.
    """
    stays = staying_sort_title(loose, changes, trace)
    for want in desired:
        if want.target is PlexField.SORT_TITLE:
            return replace(stays, field=want.field)
    (title,) = [str(change.before) for change in changes if change.target is PlexField.TITLE]
    follows = _sorted_words(loose) == _sorted_words(title)
    name = FIELD_SEPARATOR.join((stays.field, PlexField.SORT_TITLE))
    return replace(stays, field=name, after="" if follows else loose)


def staying_sort_title(loose: str, changes: Sequence[Change], trace: Trace | None) -> Change:
    """Return a change of a sort title that is not ours: it stays unlocked, and is not remembered.

    Args:
        loose: what Plex holds, and is to hold.
        changes: one of them is of the title.
        trace: what is remembered.
    """
    (title,) = [change for change in changes if change.target is PlexField.TITLE]
    return Change(
        field=title.field,
        target=PlexField.SORT_TITLE,
        before=loose,
        after=loose,
        policy=title.policy,
        locked_after=False,
        trace_before=trace,
        trace_after=trace or Trace(),
    )


def is_somebodys(target: PlexField, found: ObservedValue, base: Base | None) -> bool:
    """Whether a value that is not ours is a person's word, which most of the time the lock says.

    A rating has no lock, and no agent gives one: what is there, or was taken away after us, is
    the word of the account's owner. Source: docs/plex-api.md 5, "User rating".
    """
    if target is PlexField.RATING:
        return bool(found.value) or base is not None
    return found.locked


def _sorted_words(text: str) -> list[str]:
    """Return what a sort title says, in whatever order: agents make such ones of titles."""
    return sorted(set(_WORD.findall(text.casefold())) - _ARTICLE_WORDS)


def _without_article(title: str) -> str:
    lowered = title.lower()
    for article in _ARTICLES:
        if lowered.startswith(article):
            return title[len(article) :]
    return title


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What decides besides the policies.

    Args:
        preserve_plex_edits: what a person put into Plex stays, whatever the policy.
        lock_fields: a written field is locked, so that no agent overwrites it.
        empty: what a value that is empty in Stash does.
        taken: the configured names of fields in which Stash has the last word for once, over what
            was typed by hand or by another program.
    """

    preserve_plex_edits: bool = True
    lock_fields: bool = True
    empty: EmptyPolicy = EmptyPolicy.OWN
    taken: frozenset[str] = frozenset()

    def takes(self, field: str) -> bool:
        """Whether Stash has the last word in a field for once; any of the rules that make it."""
        return bool(self.taken) and not self.taken.isdisjoint(field.split(FIELD_SEPARATOR))
