"""How actors are credited: the part one plays in an item, and the picture that goes with a name.

The part (*role*) is the item's own. The picture (*photo*) is not: Plex keeps one per name for the
whole server. So what an item shows of a name it already has is known before it is replaced; of a
name that is new to it the photo is seen only once the name is there, and is written after that, see
`later`. Credits are kept by `tag_key`; in a change, None means that a role or photo is not spoken
of. Source: docs/plex-api.md 5, "Actors".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import Credit, EmptyPolicy, PlexField, Policy
from plexsync.text.folding import ENTRY_DIGITS, name_digest, short_digest, split_entries
from plexsync.text.normalize import fold_whitespace, tag_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plexsync.models import Base, Change, Desired, ItemDetail, Value
    from plexsync.planning.observed import ObservedValue, Rules

Credits = dict[str, Credit]
"""Credits by `tag_key`."""

NOTHING = Credit(role="", photo="")
"""What is shown of an actor without role and photo."""

_ROLE, _PHOTO = "role", "photo"


# ---- wanting -------------------------------------------------------------------------------------


class Wisher:
    """Decides each role and each photo like a text of its own under the policy of the list.

    Args:
        want: what the scene wants.
        found: the names the item has.
        base: what we last applied to the list.
        rules: what decides besides the policy.
    """

    def __init__(
        self, want: Desired, found: ObservedValue, base: Base | None, rules: Rules
    ) -> None:
        self._want, self._present = want, keys_of(found.value)
        self._locked = found.locked and not rules.takes(want.field)
        self._given = given_in(base)
        self._added = split_entries(base.entries) if base else frozenset()
        self._rules = rules

    def wished(self, after: Value, detail: ItemDetail) -> Credits:
        """Return the credits an item is to have, as far as policy lets Stash have its way.

        Args:
            after: the names the item is to have.
            detail: the item.
        """
        result: Credits = {}
        for name in keys_of(after) & self._want.credits.keys():
            wish, now = self._want.credits[name], detail.credits.get(name, NOTHING)
            role, photo = wish.role or None, wish.photo or None
            if name in self._present:
                role = self._decided(_ROLE, name, wish.role, now.role or "")
                photo = self._decided(_PHOTO, name, wish.photo, now.photo or "")
            if role is not None or photo is not None:
                result[name] = Credit(role=role, photo=photo)
        return dict(sorted(result.items()))

    def _decided(self, kind: str, name: str, wish: str | None, shown: str) -> str | None:
        """Return what `shown` is to become, also where it is just that; None to leave it alone."""
        if wish is None or _same(wish, shown):
            return wish
        key = _entry(kind, name)
        ours = self._given.get(key) == _entry(kind, name, shown)
        if not wish and not self._clears(ours=ours):
            return None
        # The lock may be ours although the role is not: it was set with the names. The photo of a
        # name we added came with the name, which no person did.
        came_along = kind == _PHOTO and name_digest(name, ENTRY_DIGITS) in self._added
        shows = bool(shown) and not came_along
        theirs = self._locked and not ours and (shows or key in self._given)
        match self._want.policy:
            case Policy.FILL | Policy.MERGE:
                return wish if ours or not (shown or theirs) else None
            case Policy.KEEP:
                return None if theirs else wish
            case _:
                return None if theirs and self._rules.preserve_plex_edits else wish

    def _clears(self, *, ours: bool) -> bool:
        """Whether Stash's silence takes away what is shown."""
        empty = self._rules.empty
        return empty is EmptyPolicy.CLEAR or (empty is EmptyPolicy.OWN and ours)


# ---- remembering ---------------------------------------------------------------------------------


def given_in(base: Base | None) -> dict[str, str]:
    """Return the roles and photos a base remembers as ours, as digests by actor."""
    text, step = base.credits if base else "", 2 * ENTRY_DIGITS
    pairs = (text[at : at + step] for at in range(0, len(text), step))
    return {pair[:ENTRY_DIGITS]: pair[ENTRY_DIGITS:] for pair in pairs}


def remember_credits(change: Change, base: Base | None) -> str:
    """Return what `given_in` is to read once Plex holds what `change` says."""
    if not change.credits_after and not (base and base.credits):
        return ""
    names, there = keys_of(change.after), keys_of(change.before)
    keys = {_entry(kind, name) for name in names for kind in (_ROLE, _PHOTO)}
    given = {key: value for key, value in given_in(base).items() if key in keys}
    for name, credit in change.credits_after.items():
        for kind, text in ((_ROLE, credit.role), (_PHOTO, credit.photo)):
            # The photo of a name that is new to the item is not written yet, see `later`.
            if text is not None and name in (names & there if kind == _PHOTO else names):
                given[_entry(kind, name)] = _entry(kind, name, text)
    return "".join(f"{key}{value}" for key, value in sorted(given.items()))


def digest_text(credits_: Mapping[str, Credit]) -> str:
    """Return what a digest of wanted credits is made of; "" for none."""
    parts = (f"{name}\x1e{one.role}\x1e{one.photo}" for name, one in sorted(credits_.items()))
    return "\x1c".join(parts)


# ---- comparing -----------------------------------------------------------------------------------


def changed_credits(change: Change) -> Iterator[tuple[str, Credit, Credit]]:
    """Yield the actors a change credits otherwise: key of the name, before, after.

    Of an actor that is new to the item nothing is before.
    """
    for name, wish in change.credits_after.items():
        then = change.credits_before.get(name, NOTHING)
        after = _over(then, wish)
        if not _alike(after, then):
            yield name, then, after


def takes_role(change: Change) -> bool:
    """Whether a change leaves an actor without a role, or replaces one that is not ours."""
    base = change.trace_before.base if change.trace_before else None
    given = given_in(base)
    return any(
        not _same(after.role or "", then.role)
        and not (after.role and given.get(_entry(_ROLE, name)) == _entry(_ROLE, name, then.role))
        for name, then, after in changed_credits(change)
        if then.role
    )


def hold(detail: ItemDetail, change: Change) -> bool:
    """Whether an item shows the credits a change says, as far as its request could set them."""
    if not change.credits_after:
        return True
    before, after = keys_of(change.before), keys_of(change.after)
    for name, wish in change.credits_after.items():
        now = detail.credits.get(name, NOTHING)
        if name not in after:
            continue
        if wish.role is not None and not _same(wish.role, now.role or ""):
            return False
        if wish.photo is not None and name in before and wish.photo != now.photo:
            return False
    return True


def unmoved(detail: ItemDetail, change: Change) -> bool:
    """Whether an item still shows the credits a change means to replace."""
    return all(
        _alike(then, now)
        for name in change.credits_after.keys() & keys_of(change.before)
        for then in (change.credits_before.get(name, NOTHING),)
        for now in (detail.credits.get(name, NOTHING),)
    )


# ---- what comes after the names ------------------------------------------------------------------


def later(change: Change, detail: ItemDetail) -> Change | None:
    """Return the photos of actors a change has just brought to an item, now that their own is seen.

    Args:
        change: what was written.
        detail: the item as it was read back.

    Returns:
        None when there is none to write: they are right, or somebody else's and to be kept.
    """
    new = change.credits_after.keys() - keys_of(change.before)
    present = keys_of(detail.values.get(PlexField.ACTORS, ()))
    # What an undo puts back it puts only where Plex has nothing.
    replaces = change.trace_after is None and change.policy in {Policy.OVERWRITE, Policy.KEEP}
    photos: Credits = {}
    for name in sorted(new & present):
        wish, now = change.credits_after[name].photo, detail.credits.get(name, NOTHING).photo
        if wish and wish != now and (replaces or not now):
            photos[name] = Credit(photo=wish)
    if not photos:
        return None
    names = detail.values[PlexField.ACTORS]
    locked = PlexField.ACTORS in detail.locked
    return replace(
        change,
        before=names,
        after=names,
        locked_before=locked,
        locked_after=locked,
        credits_before=detail.credits,
        credits_after=photos,
    )


# ---- taking back ---------------------------------------------------------------------------------


def taken_back(change: Change, detail: ItemDetail, after: Value) -> Credits:
    """Return what the credits of an item must say so that `change` is taken back.

    Only where Plex still shows what was written. A photo that was not seen before stays.

    Args:
        change: what was written.
        detail: the item now.
        after: the names it is to have.
    """
    present, stay = keys_of(detail.values.get(PlexField.ACTORS, ())), keys_of(after)
    seen = keys_of(change.before) | change.credits_before.keys()
    result: Credits = {}
    for name in sorted(present | stay):
        then = change.credits_before.get(name, NOTHING)
        if name not in present:
            one = Credit(role=then.role or None, photo=then.photo or None)
        elif name not in seen or name not in change.credits_after:
            continue
        else:
            wish, now = change.credits_after[name], detail.credits.get(name, NOTHING)
            role = name in stay and then.role != now.role and _was(wish.role, now.role)
            photo = then.photo != now.photo and _was(wish.photo, now.photo)
            one = Credit(role=then.role if role else None, photo=then.photo if photo else None)
        if one.role is not None or one.photo is not None:
            result[name] = one
    return result


def joined_changes(first: Change, last: Change) -> Change:
    """Return what two changes of one field come to, one after the other."""
    known = keys_of(first.before) | first.credits_before.keys()
    seen = {
        name: last.credits_before.get(name, NOTHING)
        for name in keys_of(last.before) - known
        if last.target is PlexField.ACTORS
    }
    stay = keys_of(last.after) | last.credits_after.keys()
    after = {name: one for name, one in first.credits_after.items() if name in stay}
    for name, one in last.credits_after.items():
        after[name] = _over(after.get(name, one), one)
    return replace(
        last,
        before=first.before,
        locked_before=first.locked_before,
        trace_before=first.trace_before,
        credits_before={**seen, **first.credits_before},
        credits_after=after,
    )


# ---- telling -------------------------------------------------------------------------------------


def shown_values(change: Change) -> tuple[Value, Value]:
    """Before and after as a person reads them: names, with their credits where these move."""
    moving = {name: (then, now) for name, then, now in changed_credits(change)}
    if not moving or isinstance(change.before, str) or isinstance(change.after, str):
        return change.before, change.after
    return (
        tuple(_credited(name, moving, 0) for name in change.before),
        tuple(_credited(name, moving, 1) for name in change.after),
    )


def spelled(change: Change) -> Iterator[tuple[str, Credit, Credit]]:
    """As `changed_credits`, but with the name as it is spelled in the change."""
    names: dict[str, str] = {}
    for value in (change.before, change.after):
        names.update((tag_key(name), name) for name in value if not isinstance(value, str))
    for name, then, after in changed_credits(change):
        yield names.get(name, name), then, after


def _credited(name: str, moving: Mapping[str, tuple[Credit, Credit]], side: int) -> str:
    both = moving.get(tag_key(name))
    if both is None:
        return name
    one, other = both[side], both[1 - side]
    role = f" as {one.role}" if one.role else ""
    photo = f" (photo {one.photo})" if one.photo and one.photo != other.photo else ""
    return f"{name}{role}{photo}"


# ---- Private -------------------------------------------------------------------------------------


def keys_of(names: Value | Iterable[str]) -> set[str]:
    """Return what makes the names of a list one tag each to Plex."""
    return set() if isinstance(names, str) else {tag_key(name) for name in names}


def _same(one: str, other: str) -> bool:
    return one == other or fold_whitespace(one) == fold_whitespace(other)


def _alike(one: Credit, other: Credit) -> bool:
    return _same(one.role or "", other.role or "") and one.photo == other.photo


def _over(then: Credit, wish: Credit) -> Credit:
    """Return a credit after a change that may not speak of both."""
    return Credit(
        role=then.role if wish.role is None else wish.role,
        photo=then.photo if wish.photo is None else wish.photo,
    )


def _was(written: str | None, now: str | None) -> bool:
    """Whether Plex still shows what was written."""
    return written is not None and _same(written, now or "")


def _entry(*words: str) -> str:
    return short_digest("\x1f".join(words), ENTRY_DIGITS)
