"""What scenes show of other objects: tags, performers, studios and groups, and how these changed.

A scene's `updated_at` does not move when one of them is renamed, merged, re-parented or deleted.
So each run compares the dictionary of their names with the one remembered, and each scene's record
remembers which of them the scene showed. Source: docs/stash-api.md 4.1 and 4.3.

Three rules keep this exact although names change while a run is under way:

- Whatever a record names is in the remembered dictionary, and is there first.
- A text is remembered as known only once every scene that showed another one was handled.
- A scene that shows something else than the dictionary makes the text unknown again.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from plexsync.models import RELATED_KINDS, RelatedId
from plexsync.text.folding import short_digest
from plexsync.text.normalize import fold_whitespace, tag_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

UNKNOWN = ""
"""The remembered text of an object that may have changed since a scene was handled."""

ABOVE = "|"
"""Between the objects a scene has itself and those above these, in what `join_related` makes."""

_PART = "\x1f"
_DIGITS = 12


def related_id(kind: str, number: str) -> RelatedId:
    """Return how an object of a kind is remembered; see `RELATED_KINDS` for its letter."""
    return RelatedId(f"{kind}{number}")


def shared_names(names: Mapping[RelatedId, str]) -> frozenset[str]:
    """Return the names several performers have, as `tag_key` has them: one actor to Plex."""
    kept = (name_in(text) for one, text in names.items() if one.startswith("p"))
    counts = Counter(tag_key(fold_whitespace(name)) for name in kept if name)
    return frozenset(name for name, count in counts.items() if count > 1)


def namesakes_moved(
    before: Mapping[RelatedId, str], now: Mapping[RelatedId, str]
) -> frozenset[RelatedId]:
    """Return the performers who share a name now and did not before, or the other way round."""
    moved = shared_names(before) ^ shared_names(now)
    if not moved:
        return frozenset()
    return frozenset(
        one
        for one, text in now.items()
        if one.startswith("p") and tag_key(fold_whitespace(name_in(text))) in moved
    )


def described(one: RelatedId) -> str:
    """Return a word for it: `tag 12`."""
    return f"{RELATED_KINDS[one[0]]} {one[1:]}"


def plain_text(name: str) -> str:
    """Return what a scene may show of an object that has a name alone.

    The control character that parts texts is no part of a name to Plex, either.
    """
    return name.replace(_PART, "")


def nested_text(name: str, *parents: str) -> str:
    """Return what a scene may show of a tag or studio: its name, and by those above it others.

    Args:
        name: the name.
        parents: their ids; "" for none.
    """
    return _PART.join((plain_text(name), *sorted(filter(None, parents))))


def name_in(text: str) -> str:
    """Return the name in what `plain_text`, `nested_text` or `performer_text` made."""
    return text.partition(_PART)[0]


def above(one: RelatedId, text: str) -> tuple[RelatedId, ...]:
    """Return the tags right above a tag, or the studio above a studio, in what its text says."""
    if not one.startswith(("t", "s")):
        return ()
    return tuple(related_id(one[0], number) for number in text.split(_PART)[1:])


def performer_text(name: str, facts: Collection[str]) -> str:
    """Return what a scene may show of a performer: the name, and what credits are made of.

    Args:
        name: the name.
        facts: everything else that may be shown, in an order of its own.
    """
    return f"{plain_text(name)}{_PART}{short_digest(_PART.join(facts), _DIGITS)}"


def join_related(own: Iterable[RelatedId], over: Iterable[RelatedId] = ()) -> str:
    """Return the objects a scene shows, as its record keeps them; always in the same order.

    Args:
        own: those it has itself.
        over: the tags and studios that are only above these.
    """
    rest = sorted(over)
    return " ".join((*sorted(own), *((ABOVE, *rest) if rest else ())))


def own_related(related: str) -> list[RelatedId]:
    """Return the objects a scene has itself, of what `join_related` made."""
    return list(map(RelatedId, related.partition(ABOVE)[0].split()))


def over_related(related: str) -> list[RelatedId]:
    """Return the tags and studios that are only above those a scene has itself."""
    return list(map(RelatedId, related.partition(ABOVE)[2].split()))


def own_studio(related: str, names: Mapping[RelatedId, str]) -> RelatedId | None:
    """Return the studio a scene has itself; None for none.

    Records of earlier versions did not tell it from those above it, which the dictionary does.

    Args:
        related: what `join_related` made.
        names: the dictionary of what Stash has.
    """
    studios = [one for one in own_related(related) if one.startswith("s")]
    over = {up for one in studios for up in above(one, names.get(one, ""))}
    return next((one for one in studios if one not in over), None)


def changed(
    remembered: Mapping[RelatedId, str], present: Mapping[RelatedId, str]
) -> frozenset[RelatedId]:
    """Return the remembered objects that read differently now, or are gone."""
    return frozenset(one for one, text in remembered.items() if present.get(one) != text)
