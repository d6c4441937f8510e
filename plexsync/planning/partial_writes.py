"""Lists of which a write that failed left a part: that part is ours, and no person's word.

A list that is longer than one request goes out in pieces: names are added, then others taken away
(`edit_query`). Where it ends between two of those, Plex holds neither what we last applied nor what
was to be, under a lock that may be ours. Not remembered, it would be kept for good as a
person's edit, and names of ours in it would never be taken out again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.models import PlexField

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import Change, Value
    from plexsync.planning.equality import PlexEquality

ONE_REQUEST_BYTES = 2_000
"""A list that is shorter is never cut, whatever a proxy takes: it is written whole or not at all.
The same as `edit_query.SHORTEST_BYTES`."""

_NAME_BYTES = 20
"""What a name costs in a request beside itself, at the least."""


def part_of(change: Change, held: Value, equality: PlexEquality) -> tuple[str, ...] | None:
    """Return as much of a list as was written; None where that is nothing at all.

    Names that are no business of the change are left out.
    """
    if isinstance(held, str):
        return None
    keys = equality.spellings.keys
    known = {keys[name] for name in (*change.before, *change.after)}
    part = tuple([name for name in held if keys[name] in known])
    return None if equality.equal(change.target, part, change.before) else part


def is_on_the_way(
    change: Change, part: tuple[str, ...], keys: Mapping[str, str], *, locked: bool
) -> bool:
    """Whether a change that goes out in pieces comes by `part`; else somebody else made that.

    New names come in their order, then surplus ones go in theirs, and the lock comes last.

    Args:
        change: what was sent.
        part: see `part_of`.
        keys: when two names are one.
        locked: whether Plex locks the list now.
    """
    if locked != change.locked_before or isinstance(change.before, str):
        return False
    before, after = [list(dict.fromkeys(keys[n] for n in v)) for v in (change.before, change.after)]
    new = [key for key in after if key not in before]
    gone = [key for key in before if key not in after]
    sent_bytes = sum(_bytes_of(key) for key in (*after, *gone))
    if sent_bytes <= ONE_REQUEST_BYTES:
        return False
    holds = {keys[name] for name in part}
    added = [key in holds for key in new]
    stays = [key in holds for key in gone]
    return (
        holds.issuperset(key for key in before if key in after)
        and added == sorted(added, reverse=True)
        and stays == sorted(stays)
        and (all(added) or all(stays))
    )


def is_one_request(changes: Sequence[Change]) -> bool:
    """Whether changes surely went out in one request, so that all of them arrived or none did.

    The rating is not among them: it has a request of its own.
    """
    values = [
        value
        for change in changes
        if change.target is not PlexField.RATING
        for whole in (change.before, change.after)
        for value in ((whole,) if isinstance(whole, str) else whole)
    ]
    return sum(map(_bytes_of, values)) <= ONE_REQUEST_BYTES


def has_arrived(change: Change, held: Value, equality: PlexEquality) -> bool:
    """Whether a field shows something of a change that was not there before.

    A name that was to go and is gone, or one that was to come and is there; or the text.
    """
    before, after, target = change.before, change.after, change.target
    if target is PlexField.RATING or equality.equal(target, before, after):
        return False
    if isinstance(held, str) or isinstance(before, str) or isinstance(after, str):
        return equality.equal(target, held, after)
    keys = equality.spellings.keys
    had, wants, holds = ({keys[name] for name in names} for names in (before, after, held))
    return bool((wants - had) & holds or (had - wants) - holds)


def _bytes_of(name: str) -> int:
    """Return what a name costs in a request, where most bytes but letters and digits are three."""
    size = len(name.encode(errors="replace"))
    plain = sum(one.isascii() and one.isalnum() for one in name)
    return _NAME_BYTES + plain + 3 * (size - plain)
