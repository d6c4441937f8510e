"""What one edit of an item looks like on the wire. Pure; `edits.py` sends it.

There are two addresses for an edit. `PUT /library/metadata/{key}?...` names the item in its path,
where nothing on the way can lose it. `PUT /library/sections/{section}/all?type=T&id=KEY&...` edits
*every* item that matches the query, so the arguments always begin with a type and one id, and a
plan without them is refused. Writing
an indexed tag (`genre[0].tag.tag=`) adds it to what is there; only `genre[].tag.tag-=` removes.
The whole wanted list goes out with the removal of the surplus, so that the item ends right on a
server that appends and on one that would replace. Only where this run has seen that it appends
(`sending`) may the names an item has stay unsaid; then one request can serve many items.

Source: docs/plex-api.md 0.3 and 5.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote

from plexsync.errors import UnsafeError
from plexsync.models import LIST_FIELDS, PICTURE_FIELDS, Credit, PlexField
from plexsync.plex.decode import FIELD_NAMES, TYPE_NUMBERS
from plexsync.text.normalize import tag_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plexsync.models import Change, ItemPlan, RatingKey, Value

URL_LIMIT_BYTES = 7_500
"""Longest path and query sent in one piece; reverse proxies stop at 8 KB (docs/plex-api.md 6)."""

SHORTEST_BYTES = 2_000
"""Longest request in which a list goes out in pieces where longer ones were refused."""

_LONGEST_WORD = 32
"""Characters of what is escaped once for all texts that have it; a text may be one word."""

ACTORS = PlexField.ACTORS

_NUMBER = re.compile("[0-9]+")
_FIELD = re.compile(r"([A-Za-z]+)(?:\.|\[)")
_LINE_BREAK = re.compile("\r\n?|[\u2028\u2029\x85]")
# Illegal in XML, Plex's own format: a listing with one of these cannot be parsed any more.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


Argument = tuple[str, str]
"""One `name=value` of a query, not yet encoded."""


class Edit(NamedTuple):
    """What one change comes to; equal edits are equal arguments.

    Attributes:
        target: the field.
        text: its new text; "" for a list.
        add: the names that are sent.
        remove: the names that are to go.
        credits: how actors among them are to be credited, by name as it is sent.
        lock: how its lock is to end; None leaves it.
    """

    target: PlexField
    text: str
    add: tuple[str, ...]
    remove: tuple[str, ...]
    lock: bool | None
    credits: tuple[tuple[str, Credit], ...] = ()


NONE_APPENDED: frozenset[PlexField] = frozenset()


class PlanEdits:
    """A plan, and what it comes to, worked out once for each way a server takes its lists.

    Args:
        plan: see `edits_of`.
    """

    __slots__ = ("_known", "_lists", "plan")

    def __init__(self, plan: ItemPlan) -> None:
        self.plan = plan
        self._lists = LIST_FIELDS.intersection(change.target for change in plan.changes)
        self._known: dict[frozenset[PlexField], tuple[Edit, ...]] = {}

    def given(self, appended: frozenset[PlexField] = NONE_APPENDED) -> tuple[Edit, ...]:
        """Return the edits of the plan; `appended`: see `edits_of`."""
        own = self._lists & appended
        known = self._known.get(own)
        if known is None:
            known = self._known[own] = edits_of(self.plan, appended=own)
        return known


def edits_of(plan: ItemPlan, *, appended: frozenset[PlexField] = NONE_APPENDED) -> tuple[Edit, ...]:
    """Return what `plan` comes to, field by field.

    Args:
        plan: the changes; `before` of a list must be fresh, it says what there is to remove.
        appended: lists where the server is known to add names to those an item has: of these only
            what is new is sent.
    """
    return tuple([_edit_of(change, plan, appended) for change in plan.changes])


def edit_paths(
    plan: ItemPlan,
    *,
    limit_bytes: int = URL_LIMIT_BYTES,
    others: Sequence[RatingKey] = (),
    appended: frozenset[PlexField] = NONE_APPENDED,
    by_item: bool = False,
) -> tuple[str, ...]:
    """Return the requests that carry out `plan`: path and query, encoded; none for no change.

    One, unless it would be longer than `limit_bytes`. Then the fields are spread, in order, over
    as few requests as hold them; the item is half edited between two of those. A list that is
    longer goes out in pieces, see `_pieces`. A text is never cut: one that is longer goes alone and
    may be refused by a proxy. The user's rating always has a request of its own, the last one.

    Args:
        plan: see `edits_of`.
        limit_bytes: see above; 0 gives each field requests of its own, the shortest there are.
        others: further items of the same section and kind that are to get the same edits.
        appended: see `edits_of`.
        by_item: name the items in the path instead of in the query.

    Raises:
        UnsafeError: the plan names no single item, or none of Plex's sections.
    """
    start = _start(plan, others, by_item=by_item)
    edits = edits_of(plan, appended=appended)
    limit = max(limit_bytes, SHORTEST_BYTES) - len(start) - 1
    paths: list[str] = []
    for change, edit in zip(plan.changes, edits, strict=True):
        pieces = [] if edit.target is PlexField.RATING else _pieces(edit, change.before, limit)
        for piece in pieces:
            if len(pieces) == 1 and paths and len(paths[-1]) + 1 + len(piece) <= limit_bytes:
                paths[-1] += f"&{piece}"
            else:
                paths.append(f"{start}&{piece}")
    rated = [edit.text for edit in edits if edit.target is PlexField.RATING]
    if rated and others:
        raise UnsafeError("a rating is one item's own", context=f"item {plan.rating_key}")
    return (*paths, *(_rating_path(plan, stars) for stars in rated))


def fields_of(path: str) -> tuple[str, ...]:
    """Return Plex's names of the fields of a request of `edit_paths`; none for a rating.

    Args:
        path: path and query, encoded.
    """
    names = (name for name, _ in parse_qsl(path.partition("?")[2], keep_blank_values=True))
    return tuple(dict.fromkeys(found[1] for name in names if (found := _FIELD.match(name))))


def _pieces(edit: Edit, before: Value, limit: int) -> list[str]:
    """Return the query of one edit; of a list that is longer than `limit` bytes, in several pieces.

    What is new comes first, then what stays, then what goes, so that between two requests no name
    is missing that was there or is to be. A server that replaced lists (docs/plex-api.md 5, nobody
    has seen one) would keep the last piece that has names: so what stays is sent last, and while
    that fits one request nothing the item had is lost on such a server either. The lock comes with
    the last piece.
    """
    leaving = tuple(name for name, _ in edit.credits if name in edit.remove)
    whole = encoded(_edit_arguments(edit))
    if edit.target not in LIST_FIELDS or (len(whole) <= limit and not leaving):
        return [whole] if whole else []
    there = {tag_key(tag) for tag in _list_of(before)}
    new = [tag for tag in edit.add if tag_key(tag) not in there]
    stays = [tag for tag in edit.add if tag_key(tag) in there]
    # A photo goes back by a name, so the name has to be there still.
    added = [names for some in (leaving, new, stays) for names in _cut(some, edit, limit)]
    parts = [edit._replace(add=names, remove=(), lock=None) for names in added]
    removed = _cut(edit.remove, edit, limit)
    parts += [edit._replace(add=(), remove=names, lock=None) for names in removed]
    last = parts[-1]._replace(lock=edit.lock)
    return [encoded(_edit_arguments(part)) for part in (*parts[:-1], last)]


def _cut(names: Sequence[str], edit: Edit, limit: int) -> list[tuple[str, ...]]:
    """`names` in as few runs as fit `limit` bytes each, whether they are added or removed."""
    field = FIELD_NAMES[edit.target]
    lock = encoded(_lock_arguments(field, lock=True))
    credits_ = dict(edit.credits)
    runs: list[list[str]] = []
    used = 0
    for name in names:
        # Removed names are encoded twice, which is never shorter than once.
        twice = quote(name, safe="", errors="replace")
        cost = len(encoded(_name_arguments(f"{field}[9999]", twice, credits_.get(name)))) + 1
        if not runs or used + cost > limit:
            runs.append([])
            used = len(lock) + 1
        runs[-1].append(name)
        used += cost
    return [tuple(run) for run in runs]


def _rating_path(plan: ItemPlan, stars: str) -> str:
    """Return the door for ratings: no lock, no section, one item; -1 takes a rating away.

    Source: docs/plex-api.md 5, "User rating".
    """
    key, place = ("key", plan.rating_key), ("identifier", "com.plexapp.plugins.library")
    return f"/:/rate?{encoded((key, place, ('rating', stars or '-1')))}"


def encoded(arguments: Iterable[Argument]) -> str:
    """Return a query string. Every byte that means something in a URL is escaped, spaces as %20."""
    return "&".join([f"{_escaped(name)}={_escaped(value)}" for name, value in arguments])


def _escaped(text: str) -> str:
    """Return a text escaped, word by word: most words come again and again."""
    return "%20".join(
        [
            _word(one) if len(one) <= _LONGEST_WORD else quote(one, safe="")
            for one in text.split(" ")
        ]
    )


@lru_cache(maxsize=4096)
def _word(text: str) -> str:
    return quote(text, safe="")


def cleaned(text: str) -> str:
    """`text` without what Plex cannot store: control characters, halves of surrogate pairs.

    Every kind of line break becomes a line feed; tabs stay.
    """
    return _FORBIDDEN.sub("", _LINE_BREAK.sub("\n", text))


# ---- One change ----------------------------------------------------------------------------------


def _start(plan: ItemPlan, others: Sequence[RatingKey], *, by_item: bool) -> str:
    """Return the address with type and ids. Without an id Plex would edit all of the section."""
    keys = (plan.rating_key, *others)
    if not all(map(_NUMBER.fullmatch, keys)) or not _NUMBER.fullmatch(plan.section_id):
        raise UnsafeError(
            "an edit must name each of its items, in one section",
            context=f"scene {plan.scene_id} > item {', '.join(keys)!r} of {plan.section_id!r}",
        )
    kind, ids = ("type", str(TYPE_NUMBERS[plan.kind])), ("id", ",".join(keys))
    if by_item:
        return f"/library/metadata/{ids[1]}?{encoded([kind])}"
    return f"/library/sections/{plan.section_id}/all?{encoded([kind, ids])}"


def _edit_of(change: Change, plan: ItemPlan, appended: frozenset[PlexField]) -> Edit:
    target = change.target
    lock = change.locked_after
    if lock is None and target not in PICTURE_FIELDS:
        lock = plan.lock or None
    if target not in LIST_FIELDS:
        return Edit(target, _text_of(change), (), (), lock)
    before, after = _list_of(change.before), _wanted(_list_of(change.after))
    # Plex knows a tag by its name but for ASCII case, so `blonde` and `Blonde` are one tag,
    # which must not be added and removed at once.
    there = {tag_key(tag) for tag in before} if target in appended else frozenset()
    remove = tuple([tag for tag in before if tag_key(tag) not in after])
    credits_ = _credits_of(change, (*after.values(), *remove)) if target is ACTORS else {}
    spoken = {tag_key(name) for name, one in credits_.items() if one != _as_before(change, name)}
    add = tuple([tag for key, tag in after.items() if key not in there or key in spoken])
    named = {*add, *(tag for tag in remove if tag in credits_ and credits_[tag].photo is not None)}
    sent_credits = tuple((name, one) for name, one in credits_.items() if name in named)
    return Edit(target, "", add, remove, lock, sent_credits)


def _as_before(change: Change, name: str) -> Credit:
    """Return what is sent of an actor who stays credited: only the role, if there is one."""
    then = change.credits_before.get(tag_key(name))
    return Credit(role=then.role or None) if then else Credit()


def _credits_of(change: Change, names: Iterable[str]) -> dict[str, Credit]:
    """Return what is sent of actors beside their names; of most nothing.

    The role an actor has is sent along with the name, because nobody knows whether Plex keeps it
    otherwise. A photo is sent only for a name the item has, where it differs; see `credits.later`.
    """
    if not (change.credits_before or change.credits_after):
        return {}
    present = {tag_key(tag) for tag in _list_of(change.before)}
    found: dict[str, Credit] = {}
    for name in names:
        key = tag_key(name)
        then = change.credits_before.get(key, Credit(role="", photo=""))
        wish = change.credits_after.get(key, Credit())
        role = _line(wish.role) if wish.role is not None else then.role or None
        differs = wish.photo is not None and key in present and wish.photo != then.photo
        one = Credit(role=role, photo=wish.photo if differs else None)
        if one.role is not None or one.photo is not None:
            found[name] = one
    return found


def _edit_arguments(edit: Edit) -> tuple[Argument, ...]:
    name = FIELD_NAMES[edit.target]
    lock = _lock_arguments(name, edit.lock)
    if edit.target in PICTURE_FIELDS:
        # A picture is chosen, not edited, and Plex locks it then: only a wanted lock is sent.
        return lock
    if edit.target not in LIST_FIELDS:
        return ((f"{name}.value", edit.text), *lock)
    credits_ = dict(edit.credits)
    added = [
        argument
        for i, tag in enumerate(edit.add)
        for argument in _name_arguments(f"{name}[{i}]", tag, credits_.get(tag))
    ]
    if edit.remove:
        # Each name is encoded before they are joined, so that a comma inside one does not part it;
        # the query's own encoding comes on top.
        removed = ",".join(quote(tag, errors="replace") for tag in edit.remove)
        added.append((f"{name}[].tag.tag-", removed))
    return (*added, *lock)


def _name_arguments(place: str, tag: str, credit: Credit | None) -> Iterator[Argument]:
    """One name of a list; of an actor also the part and the picture, where these are spoken of."""
    yield f"{place}.tag.tag", tag
    if credit and credit.role is not None:
        yield f"{place}.tagging.text", credit.role
    if credit and credit.photo is not None:
        yield f"{place}.tag.thumb", credit.photo


def _lock_arguments(name: str, lock: bool | None) -> tuple[Argument, ...]:  # noqa: FBT001 - None: leave it
    return () if lock is None else ((f"{name}.locked", "1" if lock else "0"),)


def _wanted(names: Iterable[str]) -> dict[str, str]:
    """Return the names to send, by what they are compared by; the first spelling stays."""
    by_key: dict[str, str] = {}
    for name in map(_line, names):
        if name:
            by_key.setdefault(tag_key(name), name)
    return by_key


def _text_of(change: Change) -> str:
    text = change.after if isinstance(change.after, str) else ", ".join(change.after)
    # Blanks around a text are somebody's: what Stash says was trimmed long ago.
    return cleaned(text) if change.target is PlexField.SUMMARY else _one_line(text)


def _list_of(value: Value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _line(text: str) -> str:
    return _one_line(text).strip()


def _one_line(text: str) -> str:
    # Nothing that would have to go, or be replaced, is printable; and most texts are nothing else.
    return text if text.isprintable() else cleaned(text).replace("\n", " ").replace("\t", " ")
