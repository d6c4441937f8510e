"""What one edit of an item looks like on the wire. Pure; `plex_client` sends it.

`PUT /library/sections/{section}/all?type=T&id=KEY&...` edits *every* item that matches the query,
so the arguments always begin with a type and one id, and a plan without them is refused. Writing
an indexed tag (`genre[0].tag.tag=`) adds it to what is there; only `genre[].tag.tag-=` removes.
The whole wanted list goes out with the removal of the surplus, so that the item ends right on a
server that appends and on one that would replace.

Source: docs/plex-api.md 0.3 and 5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from plexsync.errors import UnsafeError
from plexsync.models import LIST_FIELDS, PlexField
from plexsync.plex_decode import FIELD_NAMES, TYPE_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plexsync.models import Change, ItemPlan, Value

URL_LIMIT_BYTES = 7_500
"""Longest path and query sent in one piece; reverse proxies stop at 8 KB (docs/plex-api.md 6)."""

_NUMBER = re.compile("[0-9]+")
_LINE_BREAK = re.compile("\r\n?|[\u2028\u2029\x85]")
# Illegal in XML, Plex's own format: a listing with one of these cannot be parsed any more.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

NO_LOCKS: Mapping[PlexField, bool] = {}


class Argument(NamedTuple):
    """One `name=value` of a query, not yet encoded."""

    name: str
    value: str


Arguments = tuple[Argument, ...]


def edit_arguments(plan: ItemPlan, *, locks: Mapping[PlexField, bool] = NO_LOCKS) -> Arguments:
    """Everything `plan` changes, as the arguments of one PUT; but for the rating, which has none.

    Args:
        plan: the changes; `before` of a list must be fresh, it says what there is to remove.
        locks: fields whose lock is to end set (True) or lifted (False) whatever the plan says.

    Raises:
        UnsafeError: the plan names no single item, or none of Plex's sections.
    """
    return _address(plan) + tuple(
        argument
        for change in plan.changes
        if change.target is not PlexField.RATING
        for argument in _change_arguments(change, plan, locks)
    )


def edit_paths(
    plan: ItemPlan,
    *,
    locks: Mapping[PlexField, bool] = NO_LOCKS,
    limit_bytes: int = URL_LIMIT_BYTES,
) -> tuple[str, ...]:
    """The requests that carry out `plan`: path and query, encoded; none for a plan of nothing.

    One, unless it would be longer than `limit_bytes`. Then the fields are spread, in order, over
    as few requests as hold them; the item is half edited between two of those. A single field is
    never cut: one that is longer than the limit goes alone and may be refused by a proxy. The
    user's rating always has a request of its own, the last one.

    Raises:
        UnsafeError: see `edit_arguments`.
    """
    address = _address(plan)
    start = f"/library/sections/{plan.section_id}/all?{encoded(address)}"
    paths: list[str] = []
    rated = [change for change in plan.changes if change.target is PlexField.RATING]
    for change in plan.changes:
        if change.target is PlexField.RATING:
            continue
        piece = encoded(_change_arguments(change, plan, locks))
        if not piece:
            continue
        if paths and len(paths[-1]) + 1 + len(piece) <= limit_bytes:
            paths[-1] += f"&{piece}"
        else:
            paths.append(f"{start}&{piece}")
    paths += [_rating_path(plan, _text_of(change)) for change in rated]
    return tuple(paths)


def _rating_path(plan: ItemPlan, stars: str) -> str:
    """The door for ratings: no lock, no section, one item; -1 takes a rating away.

    Source: docs/plex-api.md 5, "User rating".
    """
    arguments = (
        Argument("key", plan.rating_key),
        Argument("identifier", "com.plexapp.plugins.library"),
        Argument("rating", stars or "-1"),
    )
    return f"/:/rate?{encoded(arguments)}"


def encoded(arguments: Iterable[Argument]) -> str:
    """A query string. Every byte that means something in a URL is escaped, spaces as %20."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in arguments)


def cleaned(text: str) -> str:
    """`text` without what Plex cannot store: control characters, halves of surrogate pairs.

    Every kind of line break becomes a line feed; tabs stay.
    """
    return _FORBIDDEN.sub("", _LINE_BREAK.sub("\n", text))


# ---- One change ----------------------------------------------------------------------------------


def _address(plan: ItemPlan) -> Arguments:
    """Type and id. Without an id Plex would edit every item of the section."""
    if not _NUMBER.fullmatch(plan.rating_key) or not _NUMBER.fullmatch(plan.section_id):
        raise UnsafeError(
            "an edit must name exactly one item of one section",
            context=f"scene {plan.scene_id} > item {plan.rating_key!r} of {plan.section_id!r}",
        )
    return (Argument("type", str(TYPE_NUMBERS[plan.kind])), Argument("id", plan.rating_key))


def _change_arguments(change: Change, plan: ItemPlan, locks: Mapping[PlexField, bool]) -> Arguments:
    name = FIELD_NAMES[change.target]
    if change.target in LIST_FIELDS:
        values = _list_arguments(name, _list_of(change.before), _list_of(change.after))
    else:
        values = (Argument(f"{name}.value", _text_of(change)),)
    lock = change.locked_after if change.locked_after is not None else plan.lock or None
    return values + _lock_arguments(name, locks.get(change.target, lock))


def _lock_arguments(name: str, lock: bool | None) -> Arguments:  # noqa: FBT001 - None: leave it
    return () if lock is None else (Argument(f"{name}.locked", "1" if lock else "0"),)


def _list_arguments(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> Arguments:
    """The whole wanted list, then the removal of what else there is.

    Plex knows a tag by its name without regard to case, so `blonde` and `Blonde` are one tag,
    which must not be added and removed at once.
    """
    wanted = _wanted(after)
    surplus = [tag for tag in before if tag.casefold() not in wanted]
    added = tuple(Argument(f"{name}[{i}].tag.tag", tag) for i, tag in enumerate(wanted.values()))
    if not surplus:
        return added
    # Each name is encoded before they are joined, so that a comma inside one does not part it;
    # the query's own encoding comes on top.
    removed = ",".join(quote(tag, errors="replace") for tag in surplus)
    return (*added, Argument(f"{name}[].tag.tag-", removed))


def _wanted(names: Iterable[str]) -> dict[str, str]:
    """The names as they go out, by what they are compared by; the first spelling of each stays."""
    by_fold: dict[str, str] = {}
    for name in map(_line, names):
        if name:
            by_fold.setdefault(name.casefold(), name)
    return by_fold


def _text_of(change: Change) -> str:
    text = change.after if isinstance(change.after, str) else ", ".join(change.after)
    return cleaned(text) if change.target is PlexField.SUMMARY else _line(text)


def _list_of(value: Value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _line(text: str) -> str:
    return cleaned(text).replace("\n", " ").replace("\t", " ").strip()
