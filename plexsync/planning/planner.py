"""What to write: the three-way difference of desired, observed and base, decided by policy.

For each field there are three values: *desired* (Stash now), *observed* (Plex now) and *base*
(what we last applied, kept as digests). Where desired equals observed there is nothing to do.
Otherwise the policy decides, and most policies ask one question: is the observed value somebody's
own word? It is, when Plex holds the field's lock and the value is not what we last applied: Plex
sets that lock on every edit by hand, and a metadata agent never touches a locked field
(Source: docs/plex-api.md 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec.structs import replace

from plexsync.models import Base, Change, PlexField, Policy, Trace
from plexsync.planning.credits import (
    Wisher,
    changed_credits,
    digest_text,
    hold,
    later,
    remember_credits,
)
from plexsync.planning.observed import (
    Rules,
    found_in,
    held_for,
    is_somebodys,
    lost_sort_title,
    unlocked_sort_title,
    with_title,
)
from plexsync.text.folding import Spellings, short_digest, split_entries
from plexsync.text.normalize import fold_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.models import Desired, ItemDetail, ItemPlan, Link, Value
    from plexsync.planning.observed import ObservedValue

_DIGITS = 16

T = TypeVar("T")

NOTHING_HELD: Mapping[PlexField, str] = {}


class Planned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one item needs.

    Args:
        changes: what to write; empty when nothing differs that may be written.
        kept: the configured names of fields whose value in Plex stays although Stash differs.
        agreed: fields that need no write because Plex shows what Stash wants, as changes that
            change nothing: they become base all the same.
        held: the configured names of fields left alone because a person took back what Stash wants.
    """

    changes: tuple[Change, ...]
    kept: tuple[str, ...]
    agreed: tuple[Change, ...]
    held: tuple[str, ...] = ()


class Planner:
    """Decides field by field.

    Args:
        rules: what decides besides the policies.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._spellings = Spellings()

    def plan(
        self,
        desired: Sequence[Desired],
        detail: ItemDetail,
        base: Mapping[PlexField, Base],
        held: Mapping[PlexField, str] = NOTHING_HELD,
    ) -> Planned:
        """Compare what one scene wants with what its item holds.

        Args:
            desired: what the scene wants.
            detail: what the item holds.
            base: what we last applied to it.
            held: see `models.Link`; as `still_held` left it.
        """
        changes: list[Change] = []
        agreed: list[Change] = []
        kept: list[str] = []
        taken_back: list[str] = []
        for want in desired:
            target, value = want.target, want.value
            if target in held:
                taken_back.append(want.field)
                continue
            found = found_in(detail, target)
            ours = base.get(target)
            same = self.equal(target, value, found.shown)
            after = _as_shown(want, found) if same else self._after(want, found, ours)
            if after is None:
                kept.append(want.field)
                continue
            differs = (
                not same
                and after != found.value
                # What Stash wants was compared just now.
                and (after is value or not self.equal(target, after, found.shown))
            )
            if not (differs or value):
                # Where Stash is silent and Plex keeps its value, that value is not ours to claim.
                continue
            credit = Wisher(ours, self._rules) if want.credits else None
            change = Change(
                field=want.field,
                target=target,
                before=found.value,
                after=after,
                policy=want.policy,
                locked_before=found.locked,
                wanted=self._wanted(want, after),
                trace_before=Trace(base=ours) if ours else None,
                credits_before=detail.credits if target is PlexField.ACTORS else {},
                credits_after=credit.wished(want, after, found, detail) if credit else {},
            )
            if differs or (credit and any(changed_credits(change))):
                changes.append(change)
            else:
                agreed.append(change)
        if loose := lost_sort_title(detail, changes):
            agreed_one = [one for one in agreed if one.target is PlexField.SORT_TITLE]
            trace = _trace(base, held, PlexField.SORT_TITLE)
            changes += agreed_one or [with_title(loose, desired, changes, trace)]
            agreed = [one for one in agreed if one not in agreed_one]
        return Planned(
            changes=tuple(changes),
            kept=tuple(kept),
            agreed=tuple(agreed),
            held=tuple(taken_back),
        )

    def still_held(
        self, desired: Sequence[Desired], held: Mapping[PlexField, str]
    ) -> dict[PlexField, str]:
        """The entries of `held` but those whose field Stash wants otherwise by now."""
        wanted = {want.target: want for want in desired if want.target in held}
        return {
            target: digest
            for target, digest in held.items()
            if target not in wanted or self._whole_digest(wanted[target]) == digest
        }

    def link_after(self, link: Link, changes: Iterable[Change]) -> Link:
        """The link once Plex was seen to hold what `changes` say."""
        base, held = dict(link.base), dict(link.held)
        for change in changes:
            target, trace = change.target, change.trace_after
            if trace is None:
                trace = Trace(base=self._base_of(change, base.get(target)))
            _put(base, target, trace.base)
            _put(held, target, trace.held)
        return replace(link, base=base, held=held)

    def settle(self, link: Link, changes: Iterable[Change], detail: ItemDetail) -> Link:
        """The link after an interrupted write: where Plex holds what was being written, it was.

        `changes` are those of an intent whose result is unknown; the others of its fields stay as
        remembered, and the next plan compares them as if the write had never been tried.
        """
        return self.link_after(link, (one for one in changes if self.shows(detail, one)))

    def with_sort_title(
        self, changes: Sequence[Change], detail: ItemDetail, link: Link
    ) -> tuple[Change, ...]:
        """`changes`, and a sort title they would take away with the title, to stay as it is."""
        loose = lost_sort_title(detail, changes)
        if not loose:
            return tuple(changes)
        (title,) = [change for change in changes if change.target is PlexField.TITLE]
        trace = self.trace(link, PlexField.SORT_TITLE)
        stays = unlocked_sort_title(
            title.field, title.policy, before=loose, after=loose, trace=trace
        )
        return (*changes, stays)

    def trace(self, link: Link, target: PlexField) -> Trace | None:
        """What is remembered of one field; None for nothing."""
        return _trace(link.base, link.held, target)

    def last_wanted(self, change: Change, link: Link) -> str:
        """Digest of what Stash wanted of a field when a run last wrote it.

        The link knows of later runs; without it the change itself says it.
        """
        target = change.target
        base = link.base.get(target)
        if target in link.held:
            return link.held[target]
        if base is not None:
            return base.wanted or base.digest
        return change.wanted or self.digest(target, change.after)

    def not_stored(self, plan: ItemPlan, detail: ItemDetail) -> tuple[Change, ...]:
        """The changes of an applied plan that a read back does not show."""
        return tuple(change for change in plan.changes if not self.shows(detail, change))

    def partly(
        self, missing: Iterable[Change], detail: ItemDetail
    ) -> dict[PlexField, tuple[str, ...]]:
        """As much of the lists among `missing` as was written, where that is anything at all.

        Names that are no business of the change are left out.
        """
        found: dict[PlexField, tuple[str, ...]] = {}
        folded = self._spellings.folded
        for change in missing:
            held = self.observe(detail, change.target)
            if isinstance(held, str):
                continue
            known = {folded[name] for name in (*change.before, *change.after)}
            part = tuple([name for name in held if folded[name] in known])
            if not self.equal(change.target, part, change.before):
                found[change.target] = part
        return found

    def shows(self, detail: ItemDetail, change: Change) -> bool:
        """Whether an item holds what `change` says; what others added to a list does not matter."""
        if not hold(detail, change):
            return False
        held = held_for(detail, change)
        if change.policy is Policy.MERGE and isinstance(held, tuple):
            return self._merged_into(held, change)
        return self.equal(change.target, change.after, held)

    def shows_just(self, detail: ItemDetail, change: Change) -> bool:
        """Whether an item holds that and nothing else: under merge, no more names either."""
        same = self.equal(change.target, change.after, held_for(detail, change))
        return same and hold(detail, change)

    def later(self, plan: ItemPlan, detail: ItemDetail) -> ItemPlan | None:
        """What can be written only now that `plan` was: see `credits.later`; None for nothing."""
        found = (later(change, detail) for change in plan.changes if change.credits_after)
        changes = tuple(change for change in found if change is not None)
        return replace(plan, changes=changes) if changes else None

    def observe(self, detail: ItemDetail, target: PlexField) -> Value:
        """What an item holds in one field, as `Change.before` has it."""
        return found_in(detail, target).value

    def spare(self, desired: Sequence[Desired], change: Change) -> tuple[str, ...]:
        """The names of a changed list that would come back by themselves if Plex lost them.

        Plex has them, Stash wants them, and nothing tells the next run that a person took them
        out. In Plex's order and spelling.
        """
        if self._rules.preserve_plex_edits or isinstance(change.before, str):
            return ()
        if change.policy not in {Policy.OVERWRITE, Policy.MERGE}:
            return ()
        folded = self._spellings.folded
        wanted = {
            folded[name] for want in desired if want.target is change.target for name in want.value
        }
        # Of a name that is left out the credits could not be written, either.
        stays = {folded[name] for name in change.after} & wanted - change.credits_after.keys()
        return tuple([name for name in change.before if folded[name] in stays])

    def equal(self, target: PlexField, one: Value, other: Value) -> bool:
        """Whether Plex would show the same: texts up to white space, names up to case and order."""
        if one == other:
            return True
        if not one or not other:
            # White space alone shows as nothing; a name is never empty.
            return not _shown(one or other)
        return self._comparable(target, one) == self._comparable(target, other)

    def digest(self, target: PlexField, value: Value) -> str:
        """16 hex digits that agree for values `equal` calls the same."""
        form = self._comparable(target, value)
        text = form if isinstance(form, str) else "\x1f".join(sorted(form))
        return short_digest(text, _DIGITS)

    def desired_digest(self, desired: Sequence[Desired]) -> str:
        """One digest of all a scene wants and how: while it stands, Stash's side has not moved."""
        rules = self._rules
        parts = [f"{rules.lock_fields}{rules.preserve_plex_edits}{rules.clear_empty}"]
        parts += [f"{w.field}\x1e{w.policy}\x1e{w.target}\x1e{_spelled(w.value)}" for w in desired]
        parts += [digest_text(w.credits) for w in desired if w.credits]
        return short_digest("\x1d".join(parts), _DIGITS)

    # ---- one field

    def _after(self, want: Desired, found: ObservedValue, base: Base | None) -> Value | None:
        """The value a field that differs should have; None when Plex's own stays even so."""
        rules = self._rules
        observed = found.value
        if want.policy is Policy.MERGE and not isinstance(want.value, str):
            keep = found.locked and rules.preserve_plex_edits
            return self._merged(want.value, tuple(observed), base, keep=keep)
        # Absent is not empty: Stash's silence clears Plex only when the configuration says so.
        # What Plex makes by itself cannot be cleared.
        if not want.value and (found.made or not rules.clear_empty):
            return observed
        ours = self._is_ours(want.target, found.shown, base)
        theirs = not ours and is_somebodys(want.target, found, base)
        match want.policy:
            case Policy.FILL | Policy.MERGE:  # a text cannot be merged
                # What we once filled in is ours to bring up to date; all else is Plex's.
                return want.value if ours or (not observed and not theirs) else None
            case Policy.KEEP:
                return None if theirs else self._respelled(want.value, observed)
            case _:
                stays = theirs and rules.preserve_plex_edits
                return None if stays else self._respelled(want.value, observed)

    def _respelled(self, desired: Value, observed: Value) -> Value:
        """Names Plex has already stay spelled as there, so that none is added a second time.

        Plex knows one tag per name, but tells letters beyond ASCII apart by their case.
        Source: docs/plex-api.md 5, "Tags".
        """
        if isinstance(desired, str) or isinstance(observed, str):
            return desired
        folded = self._spellings.folded
        there = {folded[name]: name for name in reversed(observed)}
        return tuple([there.get(folded[name], name) for name in desired])

    def _merged(
        self,
        desired: tuple[str, ...],
        observed: tuple[str, ...],
        base: Base | None,
        *,
        keep: bool,
    ) -> tuple[str, ...]:
        """Plex's list with ours added, and without what we once added and no longer want.

        With `keep` a name of ours that a person took out of Plex is not put back.
        """
        if not observed and not keep:
            return desired
        folded, entry = self._spellings.folded, self._spellings.entries
        ours = _entries(base)
        wanted = {folded[name] for name in desired}
        present = {folded[name] for name in observed}
        stay = [n for n in observed if folded[n] in wanted or entry[n] not in ours]
        add = [n for n in desired if folded[n] not in present and not (keep and entry[n] in ours)]
        return (*stay, *add)

    def _wanted(self, want: Desired, after: Value) -> str:
        """Digest of what Stash wants where that is not just `after`, else nothing."""
        if want.credits:
            return self._whole_digest(want)
        if want.policy is not Policy.MERGE or after is want.value or isinstance(after, str):
            return ""
        if len(after) == len(want.value) and self.equal(want.target, after, want.value):
            return ""
        return self.digest(want.target, want.value)

    def _whole_digest(self, want: Desired) -> str:
        """A digest of what Stash wants, the credits of actors included."""
        names = self.digest(want.target, want.value)
        if not want.credits:
            return names
        return short_digest(f"{names}\x1d{digest_text(want.credits)}", _DIGITS)

    def _base_of(self, change: Change, base: Base | None) -> Base:
        stored, wanted = self.digest(change.target, change.after), change.wanted
        if isinstance(change.after, str) or isinstance(change.before, str):
            return Base(digest=stored, wanted=wanted)
        # Under merge, a name that was in Plex before us is somebody else's even if Stash has it.
        folded, entry = self._spellings.folded, self._spellings.entries
        merging = change.policy is Policy.MERGE
        foreign = {folded[name] for name in change.before} if merging else frozenset()
        owned = _entries(base)
        mine = {
            entry[name]
            for name in change.after
            if folded[name] not in foreign or entry[name] in owned
        }
        if merging and self._rules.preserve_plex_edits:
            # Of a name a person took out it must be known for good that it was ours once.
            mine |= owned - {entry[name] for name in change.before}
        return Base(
            digest=stored,
            entries="".join(sorted(mine)),
            wanted=wanted,
            credits=remember_credits(change, base),
        )

    def _is_ours(self, target: PlexField, observed: Value, base: Base | None) -> bool:
        return base is not None and self.digest(target, observed) == base.digest

    def _merged_into(self, held: tuple[str, ...], change: Change) -> bool:
        """Whether our names are in and those taken out are gone; others' may come and go."""
        folded = self._spellings.folded
        holds = {folded[name] for name in held}
        after = {folded[name] for name in change.after}
        before = {folded[name] for name in change.before}
        return after - before <= holds and not (before - after) & holds

    def _comparable(self, target: PlexField, value: Value) -> str | frozenset[str]:
        if isinstance(value, tuple):
            return frozenset(map(self._spellings.folded.__getitem__, value))
        if target is PlexField.DATE:
            return value[:10]  # Plex sometimes adds a time part. Source: docs/plex-api.md 2.
        if target is PlexField.RATING:
            return value.removesuffix(".0")
        return fold_text(value)


def _as_shown(want: Desired, found: ObservedValue) -> Value:
    """The value of a field that shows what is wanted; a sort title may be Plex's own making."""
    return want.value if want.target is PlexField.SORT_TITLE else found.value


def _trace(
    base: Mapping[PlexField, Base], held: Mapping[PlexField, str], target: PlexField
) -> Trace | None:
    trace = Trace(base=base.get(target), held=held.get(target, ""))
    return trace if trace.base or trace.held else None


def _put(where: dict[PlexField, T], target: PlexField, value: T | None) -> None:
    """Set an entry, or take it out."""
    if value:
        where[target] = value
    else:
        where.pop(target, None)


def _shown(value: Value) -> bool:
    """Whether anything of a value would be seen."""
    return any(map(str.strip, value)) if isinstance(value, tuple) else bool(value.strip())


def _entries(base: Base | None) -> frozenset[str]:
    return split_entries(base.entries) if base else frozenset()


def _spelled(value: Value) -> str:
    return value if isinstance(value, str) else "\x1f".join(value)
