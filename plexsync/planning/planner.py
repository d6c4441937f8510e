"""What to write: the three-way difference of desired, observed and base, decided by policy.

For each field there are three values: *desired* (Stash now), *observed* (Plex now) and *base*
(what we last applied, kept as digests). Where desired equals observed there is nothing to do.
Otherwise the policy decides, and most policies ask one question: is the observed value somebody's
own word? It is, when Plex holds the field's lock and the value is not what we last applied: Plex
sets that lock on every edit by hand, and a metadata agent never touches a locked field
(Source: docs/plex-api.md 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import asdict, replace

from plexsync.models import PICTURE_FIELDS, Base, Change, EmptyPolicy, PlexField, Policy, Trace
from plexsync.planning.credits import (
    Wisher,
    changed_credits,
    digest_text,
    later,
)
from plexsync.planning.observed import (
    Rules,
    former_digests,
    found_in,
    is_somebodys,
    lost_sort_title,
    staying_sort_title,
    with_title,
)
from plexsync.planning.write_memory import WriteMemory, trace_of
from plexsync.text.folding import short_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import Desired, ItemDetail, ItemPlan, Link, Value
    from plexsync.planning.observed import ObservedValue

_DIGITS = 16

NOTHING_HELD: Mapping[PlexField, str] = {}


class Planned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one item needs.

    Args:
        changes: what to write; empty when nothing differs that may be written.
        kept: the configured names of fields that keep their value in Plex although Stash differs.
        agreed: fields that need no write because Plex shows what Stash wants, as changes that
            change nothing: they become base all the same. Those that are base already are
            left out.
        held: the configured names of fields left alone because a person took back what Stash wants.
        by_hand: those of `kept` that stay because they were typed by hand in Plex, so that Stash
            has its way only if `Rules.taken` says so.
        waiting: the configured names of fields that stay as an earlier scene left them, until this
            one is curated.
    """

    changes: tuple[Change, ...]
    kept: tuple[str, ...]
    agreed: tuple[Change, ...] = ()
    held: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    @property
    def is_in_step(self) -> bool:
        """Whether nothing is to be written, and nothing to be pointed out."""
        return not (self.changes or self.kept or self.held or self.waiting)


AS_WANTED = Planned(changes=(), kept=())
"""What an item needs that shows all that is wanted, with nothing to be remembered of it."""

_SORT_TITLE, _MERGE = PlexField.SORT_TITLE, Policy.MERGE


class _Sorted(msgspec.Struct, gc=False):
    """The fields of one item on the way to `Planned`."""

    changes: list[Change] = []
    kept: list[str] = []
    agreed: list[Change] = []
    held: list[str] = []
    by_hand: list[str] = []
    waiting: list[str] = []

    def planned(self) -> Planned:
        """Return what was found."""
        return Planned(**{name: tuple(found) for name, found in asdict(self).items()})


class Planner(WriteMemory):
    """Decides field by field.

    Args:
        rules: what decides besides the policies.
        agrees: also return what needs no write but is to be remembered, see `Planned.agreed`.
    """

    def __init__(self, rules: Rules, *, agrees: bool = True) -> None:
        super().__init__(rules)
        self._agrees = agrees

    def plan(
        self,
        desired: Sequence[Desired],
        detail: ItemDetail,
        base: Mapping[PlexField, Base],
        held: Mapping[PlexField, str] = NOTHING_HELD,
        *,
        uncurated: bool = False,
    ) -> Planned:
        """Compare what one scene wants with what its item holds.

        Args:
            desired: what the scene wants.
            detail: what the item holds.
            base: what we last applied to it.
            held: see `models.Link`; as `still_held` left it.
            uncurated: the scene is blank and new: what an earlier one gave the item stays.

        Returns:
            `AS_WANTED` where all fields show just that, to the letter.
        """
        special = held or uncurated
        open_ones = desired if special else self._open_ones(desired, detail.values, base)
        if not (special or open_ones):
            return AS_WANTED
        found = _Sorted()
        for want in open_ones:
            if want.target in held:
                found.held.append(want.field)
            elif uncurated and (want.target in base or not want.value):
                found.waiting += [want.field] if want.target in base else []
            else:
                self._compare(want, detail, base.get(want.target), found)
        if loose := lost_sort_title(detail, found.changes):
            agreed_one = [one for one in found.agreed if one.target is PlexField.SORT_TITLE]
            trace = trace_of(base, held, PlexField.SORT_TITLE)
            found.changes += agreed_one or [with_title(loose, found.changes, trace, desired)]
            found.agreed = [one for one in found.agreed if one not in agreed_one]
        return found.planned()

    def _open_ones(
        self,
        desired: Sequence[Desired],
        values: Mapping[PlexField, Value],
        base: Mapping[PlexField, Base],
    ) -> list[Desired]:
        """Return the fields that do not show what is wanted to the letter, or are of interest."""
        found = []
        for want in desired:
            value, target = want.value, want.target
            shown = values.get(target)
            if (
                shown is None
                or not (shown == value or _are_same_names(shown, value))
                or not self._needs_nothing(want, shown, base.get(target))
            ):
                found.append(want)
        return found

    def _compare(self, want: Desired, detail: ItemDetail, base: Base | None, into: _Sorted) -> None:
        """Decide about one field."""
        found = found_in(detail, want.target)
        same = self.equality.equal(want.target, want.value, found.shown)
        if same and self._needs_nothing(want, found.value, base):
            return
        after = _as_shown(want, found) if same else self._after(want, found, base)
        if after is None:
            into.kept.append(want.field)
            if want.value and self._after(want, found, base, taken=True) is not None:
                into.by_hand.append(want.field)
            return
        differs = (
            not same
            and after != found.value
            # What Stash wants was compared just now.
            and (after is want.value or not self.equality.equal(want.target, after, found.shown))
        )
        if not (differs or want.value):
            # Where Stash is silent and Plex keeps its value, that value is not ours to claim.
            return
        credit = Wisher(want, found, base, self._rules) if want.credits else None
        change = Change(
            field=want.field,
            target=want.target,
            before=found.value,
            after=after,
            policy=want.policy,
            locked_before=found.locked,
            wanted=self._wanted(want, after),
            trace_before=Trace(base=base) if base else None,
            credits_before=detail.credits if want.target is PlexField.ACTORS else {},
            credits_after=credit.wished(after, detail) if credit else {},
        )
        writes = differs or (credit and any(changed_credits(change)))
        (into.changes if writes else into.agreed).append(change)

    def _needs_nothing(self, want: Desired, held: Value, base: Base | None) -> bool:
        """Whether a field that shows what is wanted is of no further interest."""
        # A loose sort title goes along with a new title, and credits are compared one by one.
        if want.target is _SORT_TITLE or want.credits:
            return False
        if not (want.value and self._agrees):
            return True
        if base is None or base.wanted != self._wanted(want, held):
            return False
        keeps = want.policy is _MERGE and self._rules.preserve_plex_edits
        return self.equality.is_remembered(want.target, held, base, keeps=keeps)

    def still_held(
        self, desired: Sequence[Desired], held: Mapping[PlexField, str], *, asked_for: bool = False
    ) -> dict[PlexField, str]:
        """Return the entries of `held` but for fields a person asked for, or Stash wants otherwise.

        A picture is held until it is chosen again, or turns out to be a person's: see `Artwork`.
        """
        wanted = {want.target: want for want in desired if want.target in held} if held else {}
        return {
            target: digest
            for target, digest in held.items()
            if target in PICTURE_FIELDS
            or not (
                asked_for
                or (target in wanted and digest not in self._whole_digests(wanted[target]))
            )
        }

    def with_sort_title(
        self, changes: Sequence[Change], detail: ItemDetail, link: Link
    ) -> tuple[Change, ...]:
        """Return `changes` and a sort title they would take away with the title, to stay."""
        loose = lost_sort_title(detail, changes)
        if not loose:
            return tuple(changes)
        trace = self.trace(link, PlexField.SORT_TITLE)
        return (*changes, staying_sort_title(loose, changes, trace))

    def later(self, plan: ItemPlan, detail: ItemDetail) -> ItemPlan | None:
        """Return what can be written only now that `plan` was, or None: see `credits.later`."""
        found = (later(change, detail) for change in plan.changes if change.credits_after)
        changes = tuple(change for change in found if change is not None)
        return replace(plan, changes=changes) if changes else None

    def spare(self, desired: Sequence[Desired], change: Change) -> tuple[str, ...]:
        """Return the names of a changed list that would come back by themselves if Plex lost them.

        Plex has them, Stash wants them, and nothing tells the next run that a person took them
        out: see `settle`. In Plex's order and spelling.
        """
        if isinstance(change.before, str):
            return ()
        # With a list as a whole a lost name would make it look like a person's.
        preserve = self._rules.preserve_plex_edits
        risky = {Policy.MERGE} if preserve else {Policy.OVERWRITE, Policy.MERGE}
        if change.policy not in risky:
            return ()
        keys = self._keys
        wanted = {
            keys[name] for want in desired if want.target is change.target for name in want.value
        }
        # Of a name that is left out the credits could not be written, either.
        stays = {keys[name] for name in change.after} & wanted - change.credits_after.keys()
        return tuple([name for name in change.before if keys[name] in stays])

    def desired_digest(self, desired: Sequence[Desired]) -> str:
        """One digest of all a scene wants and how: while it stands, Stash's side has not moved."""
        rules = self._rules
        parts = [f"{rules.lock_fields}{rules.preserve_plex_edits}{rules.empty}"]
        parts += ["\x1e".join((w.field, w.policy, w.target, _spelled(w.value))) for w in desired]
        parts += [digest_text(w.credits) for w in desired if w.credits]
        return short_digest("\x1d".join(parts), _DIGITS)

    # ---- one field

    def _after(
        self, want: Desired, found: ObservedValue, base: Base | None, *, taken: bool = False
    ) -> Value | None:
        """Return the value a field that differs should have; None when Plex's own stays even so.

        `taken` asks what it would be if Stash had the last word.
        """
        taken = taken or self._rules.takes(want.field)
        preserve = self._rules.preserve_plex_edits and not taken
        observed = found.value
        if not want.value and self._rules.empty is not EmptyPolicy.CLEAR:
            return self._silenced(want, found, base)
        if want.policy is Policy.MERGE and not isinstance(want.value, str):
            keep = found.locked and preserve
            return self._merged(want.value, tuple(observed), base, keep=keep)
        if not want.value and found.made:
            return observed  # what Plex makes by itself cannot be cleared
        # A list that was merged is not ours as a whole once another policy holds.
        fills = want.policy is Policy.FILL
        shared = self.equality.is_shared(base, observed, wholly=fills)
        ours = not shared and self.equality.is_base(base, want.target, found.shown)
        theirs = not (ours or taken) and is_somebodys(want.target, found, base)
        match want.policy:
            case Policy.FILL | Policy.MERGE:  # a text cannot be merged
                # What we once filled in is ours to bring up to date; all else is Plex's.
                return want.value if ours or (not observed and not theirs) else None
            case Policy.KEEP:
                return None if theirs else self._respelled(want.value, observed)
            case _:
                stays = theirs and preserve
                return None if stays else self._respelled(want.value, observed)

    def _silenced(self, want: Desired, found: ObservedValue, base: Base | None) -> Value | None:
        """Return the value of a field Stash says nothing of; None when it is kept from clearing.

        Absent is not empty: what goes is what we wrote ourselves, as far as nobody touched it, and
        only where configured. Of a list that is merged each name counts for itself.
        """
        observed, equality = found.value, self.equality
        if self._rules.empty is EmptyPolicy.KEEP or found.made or base is None:
            return observed
        merged = want.policy is Policy.MERGE and isinstance(observed, tuple)
        if merged or equality.is_base(base, want.target, found.shown):
            if isinstance(observed, tuple):
                ours = equality.owned_among(observed, base)
                if merged or ours:
                    return tuple([name for name in observed if name not in ours])
            elif not base.found:
                return ""
        was_empty = base.digest == equality.digest(want.target, type(observed)())
        return observed if was_empty else None

    def _respelled(self, desired: Value, observed: Value) -> Value:
        """Names Plex has already stay spelled as there, so that none is added a second time.

        Plex knows one tag per name, but tells letters beyond ASCII apart by their case.
        Source: docs/plex-api.md 5, "Tags".
        """
        there = self.equality.respelled(desired, observed)
        return tuple([there.get(name, name) for name in desired]) if there else desired

    def _merged(
        self,
        desired: tuple[str, ...],
        observed: tuple[str, ...],
        base: Base | None,
        *,
        keep: bool,
    ) -> tuple[str, ...]:
        """Plex's list with ours added, and without what we once added and no longer want.

        With `keep` a name that a person took out of Plex is not put back, be it ours or not.
        """
        if not observed and not keep:
            return desired
        keys = self._keys
        ours = self.equality.owned_among({*observed, *desired}, base)
        known = ours | self.equality.seen_among(desired, base) if keep else ()
        wanted, present = self.equality.name_keys(desired), self.equality.name_keys(observed)
        stay = [n for n in observed if keys[n] in wanted or n not in ours]
        add = [n for n in desired if keys[n] not in present and n not in known]
        return (*stay, *add)

    def _wanted(self, want: Desired, after: Value) -> str:
        """Digest of what Stash wants where that is not just `after`, else nothing."""
        if want.credits:
            return self._whole_digest(want)
        if want.policy is not _MERGE or isinstance(after, str):
            return ""
        own = want.own_value
        same = _are_same_names(own, after) or self.equality.equal(want.target, after, own)
        if len(after) == len(own) and same:
            return ""
        return self.equality.digest(want.target, own)

    def _whole_digest(self, want: Desired) -> str:
        """Return a digest of what Stash wants, the credits of actors included."""
        return _with_credits(self.equality.digest(want.target, want.own_value), want)

    def _whole_digests(self, want: Desired) -> set[str]:
        """Return that, and what stood for the same in earlier versions."""
        former = former_digests(want.own_value)
        return {self._whole_digest(want), *former, *(_with_credits(one, want) for one in former)}


def _with_credits(names: str, want: Desired) -> str:
    if not want.credits:
        return names
    return short_digest(f"{names}\x1d{digest_text(want.credits)}", _DIGITS)


def _are_same_names(one: Value, other: Value) -> bool:
    """Whether two lists have the same names to the letter; Plex has them in an order of its own."""
    return isinstance(one, tuple) and isinstance(other, tuple) and set(one) == set(other)


def _as_shown(want: Desired, found: ObservedValue) -> Value:
    """Return the value of a field that shows what is wanted; a sort title may be Plex's own."""
    return want.value if want.target is PlexField.SORT_TITLE else found.value


def _spelled(value: Value) -> str:
    return value if isinstance(value, str) else "\x1f".join(value)
