"""What an item holds in one field, and whose word it is.

Most fields are what Plex shows. A sort title is not: Plex shows one only where it differs from the
title, and where none is set makes one of the title, without its article. Nor does an unlocked one
survive a new title. Source: docs/plex-api.md 2 and 6.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from plexsync.models import (
    FIELD_SEPARATOR,
    LIST_FIELDS,
    Change,
    EmptyPolicy,
    PlexField,
    Trace,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import Base, Desired, ItemDetail, Policy, Value

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
    loose: str, desired: Sequence[Desired], changes: Sequence[Change], trace: Trace | None
) -> Change:
    """Return what becomes of a loose sort title that is not ours when the title is written.

    A field that is on stays as its policy left it. While it is off, one that was made of the old
    title follows the new one, as Plex would have it anyway; the change is there to be shown, and
    taken back. Any other one is a person's, who did not lock it: it is sent along, and stays.
    """
    (title,) = [change for change in changes if change.target is PlexField.TITLE]
    own = [want.field for want in desired if want.target is PlexField.SORT_TITLE]
    return unlocked_sort_title(
        own[0] if own else FIELD_SEPARATOR.join((title.field, PlexField.SORT_TITLE)),
        title.policy,
        before=loose,
        after="" if not own and _is_made_of(loose, str(title.before)) else loose,
        trace=trace,
    )


def unlocked_sort_title(
    field: str, policy: Policy, *, before: str, after: str, trace: Trace | None
) -> Change:
    """Return a change of a sort title that is not ours: it stays unlocked, and is not remembered.

    Args:
        field: the configured name.
        policy: why.
        before: what Plex holds.
        after: what it is to hold; "" for what Plex makes of the title.
        trace: what is remembered.
    """
    return Change(
        field=field,
        target=PlexField.SORT_TITLE,
        before=before,
        after=after,
        policy=policy,
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


def _is_made_of(sort_title: str, title: str) -> bool:
    """Whether a sort title says the words of a title, in whatever order: agents make such ones."""
    return _sorted_words(sort_title) == _sorted_words(title)


def _sorted_words(text: str) -> list[str]:
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
