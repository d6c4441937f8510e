"""What to write: the three-way difference of desired, observed and base, decided by policy.

For each field there are three values: *desired* (Stash now), *observed* (Plex now) and *base*
(what we last applied, kept as digests). Where desired equals observed there is nothing to do.
Otherwise the policy decides, and most policies ask one question: is the observed value somebody's
own word? It is, when Plex holds the field's lock and the value is not what we last applied: Plex
sets that lock on every edit by hand, and a metadata agent never touches a locked field
(Source: docs/plex-api.md 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from plexsync.models import LIST_FIELDS, Base, Change, PlexField, Policy
from plexsync.normalize import fold_tag, fold_whitespace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.models import Desired, ItemDetail, ItemPlan, SceneFile, Value

_ENTRY_DIGITS = 12
"""Hex digits per remembered name: 48 bits, so that a chance collision inside one item's list of
a few hundred names stays below one in a billion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decides besides the policies.

    Args:
        preserve_plex_edits: what a person put into Plex stays, whatever the policy.
        lock_fields: a written field is locked, so that no agent overwrites it.
        clear_empty: a field empty in Stash empties it in Plex; else it is left alone.
    """

    preserve_plex_edits: bool = False
    lock_fields: bool = True
    clear_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What one item needs.

    Args:
        changes: what to write; empty when nothing differs that may be written.
        kept: the configured names of fields whose value in Plex stays although Stash differs.
        base: what to remember once `changes` are applied and read back.
    """

    changes: tuple[Change, ...]
    kept: tuple[str, ...]
    base: dict[PlexField, Base]


def plan_item(
    desired: Sequence[Desired], detail: ItemDetail, base: Mapping[PlexField, Base], rules: Rules
) -> Planned:
    """Compare what one scene wants with what its item holds."""
    changes: list[Change] = []
    kept: list[str] = []
    new_base: dict[PlexField, Base] = dict(base)
    for want in desired:
        observed = detail.values.get(want.target, () if want.target in LIST_FIELDS else "")
        locked = want.target in detail.locked
        after = _after(want, observed, base.get(want.target), locked=locked, rules=rules)
        if after is None:
            kept.append(want.field)
            continue
        change = Change(
            field=want.field,
            target=want.target,
            before=observed,
            after=after,
            policy=want.policy,
            locked_before=locked,
        )
        if not equal(want.target, after, observed):
            changes.append(change)
        # Where Stash is silent and Plex keeps its value, that value is not ours to claim.
        if want.value or after != observed:
            new_base[want.target] = _base_after(change, base.get(want.target))
    return Planned(changes=tuple(changes), kept=tuple(kept), base=new_base)


def _after(
    want: Desired, observed: Value, base: Base | None, *, locked: bool, rules: Rules
) -> Value | None:
    """The value the field should have; None when Plex's own stays although Stash's differs."""
    if equal(want.target, want.value, observed):
        return observed
    if want.policy is Policy.MERGE and not isinstance(want.value, str):
        names = tuple(observed)
        return _merged(want.value, names, base, keep=locked and rules.preserve_plex_edits)
    # Absent is not empty: Stash's silence clears Plex only when the configuration says so.
    if not want.value and not rules.clear_empty:
        return observed
    theirs = locked and not _is_ours(want.target, observed, base)
    match want.policy:
        case Policy.FILL | Policy.MERGE:  # a text cannot be merged
            # What we once filled in is ours to bring up to date; all else is Plex's.
            ours = base is not None and _is_ours(want.target, observed, base)
            return want.value if ours or (not observed and not theirs) else None
        case Policy.KEEP:
            return None if theirs else want.value
        case _:
            return None if theirs and rules.preserve_plex_edits else want.value


def _merged(
    desired: tuple[str, ...], observed: tuple[str, ...], base: Base | None, *, keep: bool
) -> tuple[str, ...]:
    """Plex's list with ours added, and without what we once added and no longer want.

    With `keep` a name of ours that a person took out of Plex is not put back.
    """
    ours = _entries(base)
    wanted = {fold_tag(name) for name in desired}
    present = {fold_tag(name) for name in observed}
    stay = [n for n in observed if fold_tag(n) in wanted or _entry(n) not in ours]
    add = [n for n in desired if fold_tag(n) not in present and not (keep and _entry(n) in ours)]
    return (*stay, *add)


def _base_after(change: Change, base: Base | None) -> Base:
    stored = digest(change.target, change.after)
    if isinstance(change.after, str) or isinstance(change.before, str):
        return Base(digest=stored)
    # Under merge, a name that was in Plex before us is somebody else's even if Stash has it too.
    merging = change.policy is Policy.MERGE
    foreign = {fold_tag(name) for name in change.before} if merging else frozenset()
    owned = _entries(base)
    mine = {
        _entry(name)
        for name in change.after
        if fold_tag(name) not in foreign or _entry(name) in owned
    }
    return Base(digest=stored, entries="".join(sorted(mine)))


def _is_ours(target: PlexField, observed: Value, base: Base | None) -> bool:
    return base is not None and digest(target, observed) == base.digest


def equal(target: PlexField, one: Value, other: Value) -> bool:
    """Whether Plex would show the same: texts up to white space, names up to case and order."""
    return one == other or _comparable(target, one) == _comparable(target, other)


def _comparable(target: PlexField, value: Value) -> str | frozenset[str]:
    if isinstance(value, tuple):
        return frozenset(map(fold_tag, value))
    if target is PlexField.DATE:
        return value[:10]  # Plex sometimes adds a time part. Source: docs/plex-api.md 2.
    return fold_whitespace(value)


def digest(target: PlexField, value: Value) -> str:
    """16 hex digits that agree for values `equal` calls the same."""
    form = _comparable(target, value)
    text = form if isinstance(form, str) else "\x1f".join(sorted(form))
    return _hash(text, 16)


def desired_digest(desired: Sequence[Desired], rules: Rules) -> str:
    """One digest of all a scene wants and how: while it stands, Stash's side has not moved."""
    parts = [f"{rules.lock_fields}{rules.preserve_plex_edits}{rules.clear_empty}"]
    parts += [f"{w.field}\x1e{w.policy}\x1e{w.target}\x1e{_spelled(w.value)}" for w in desired]
    return _hash("\x1d".join(parts), 16)


def files_digest(files: Sequence[SceneFile]) -> str:
    """One digest of a scene's files: while it stands, a remembered link is still about them."""
    parts = sorted(f"{f.path}\x1e{f.size_bytes}\x1e{f.oshash}" for f in files)
    return _hash("\x1d".join(parts), 16)


def settled_base(
    base: Mapping[PlexField, Base], changes: Iterable[Change], detail: ItemDetail
) -> dict[PlexField, Base]:
    """The base after an interrupted write: where Plex holds what was being written, it was written.

    `changes` are those of an intent whose result is unknown; the others of its fields keep their
    base, and the next plan compares them as if the write had never been tried.
    """
    settled = dict(base)
    for change in changes:
        if equal(change.target, change.after, detail.values.get(change.target, "")):
            settled[change.target] = _base_after(change, base.get(change.target))
    return settled


def not_stored(plan: ItemPlan, detail: ItemDetail) -> tuple[Change, ...]:
    """The changes of an applied plan that a read back does not show."""
    return tuple(
        change
        for change in plan.changes
        if not equal(change.target, change.after, detail.values.get(change.target, ""))
    )


def _entries(base: Base | None) -> frozenset[str]:
    text = base.entries if base else ""
    return frozenset(text[i : i + _ENTRY_DIGITS] for i in range(0, len(text), _ENTRY_DIGITS))


def _entry(name: str) -> str:
    return _hash(fold_tag(name), _ENTRY_DIGITS)


def _spelled(value: Value) -> str:
    return value if isinstance(value, str) else "\x1f".join(value)


def _hash(text: str, digits: int) -> str:
    # Texts from servers may hold lone surrogates, which have bytes only with "surrogatepass".
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=digits // 2).hexdigest()
