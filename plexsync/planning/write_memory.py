"""What is remembered of an item once it was written: what Plex was seen to hold becomes base.

After a write that failed, or with no end noted, what the item holds says how far it came. A
list that is longer than one request goes out in pieces: names are added, then others taken away
(`edit_query`). Where it ends between two of those, Plex holds neither what we last applied nor what
was to be, under a lock that may be ours. Not remembered, it would be kept for good as a person's
edit, and names of ours in it would never be taken out again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import PICTURE_FIELDS, Base, PictureBase, PlexField, Policy, Trace
from plexsync.planning.credits import hold, remember_credits
from plexsync.planning.observed import PlexEquality, Rules, former_digests, found_in, held_for
from plexsync.planning.picture_policy import NO_PICTURE
from plexsync.text.folding import join_entries, split_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.models import Change, ItemDetail, ItemPlan, Link, Value

ONE_REQUEST_BYTES = 2_000
"""A list that is shorter is never cut, whatever a proxy takes: it is written whole or not at all.
The same as `edit_query.SHORTEST_BYTES`."""

_NAME_BYTES = 20
"""What a name costs in a request beside itself, at the least."""


class WriteMemory:
    """Knows which changes an item shows, and what is ours on it then.

    Args:
        rules: what decides besides the policies.

    Attributes:
        equality: when two values are the same to Plex.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.equality = PlexEquality()
        self._keys = self.equality.spellings.keys

    def link_after(self, link: Link, changes: Iterable[Change]) -> Link:
        """Return the link once Plex was seen to hold what `changes` say."""
        base: dict[PlexField, Base | None] = dict(link.base)
        held = dict(link.held)
        for change in changes:
            target, trace = change.target, change.trace_after
            if trace is None:
                trace = Trace(base=self._base_of(change, base.get(target)))
            base[target], held[target] = trace.base, trace.held
        return replace(
            link,
            base={target: one for target, one in base.items() if one},
            held={target: one for target, one in held.items() if one},
        )

    def link_after_part(self, link: Link, missing: Iterable[Change], detail: ItemDetail) -> Link:
        """Return the link once Plex was seen to hold a part of the lists of a write that failed."""
        bases = dict(link.base)
        for change in missing:
            target, part = change.target, self.part_on_the_way(change, detail)
            if part is None or change.trace_after is not None:
                continue
            base = bases.get(target)
            bases[target] = replace(
                self._base_of(replace(change, after=part), base),
                wanted=change.wanted or self.equality.digest(target, change.after),
                credits=base.credits if base else "",
            )
        return replace(link, base=bases)

    def with_put_back(self, link: Link, stored: Iterable[Change], detail: ItemDetail) -> Link:
        """Return the link, knowing of each picture an undo put back and could not unlock.

        Choosing a picture locks it, so it looks as if a person had chosen that one.
        """
        pictures = dict(link.pictures)
        for change in stored:
            known = pictures.get(change.target)
            if known and change.locked_after is False and change.target in detail.locked:
                pictures[change.target] = replace(known, former=str(change.after) or NO_PICTURE)
        return replace(link, pictures=pictures)

    def is_half_written(self, change: Change, held: Value, link: Link) -> bool:
        """Whether a list is as an interrupted write of this very change left it."""
        base = link.base.get(change.target)
        if base is None or not self.equality.is_base(base, change.target, held):
            return False
        either = map(self.equality.name_keys, (change.before, change.after))
        if not self.equality.name_keys(held) <= frozenset().union(*either):
            return False  # names others added since: it was written to its end
        wanted = change.wanted or self.equality.digest(change.target, change.after)
        return base.wanted == wanted or base.wanted in former_digests(change.after)

    def settle(self, link: Link, changes: Iterable[Change], detail: ItemDetail) -> Link:
        """Return the link after an interrupted write: what Plex holds of it was written.

        `changes` are those of an intent with an unknown result; the others of its fields stay as
        remembered, and the next plan compares them as if the write had never been tried. A name
        that was risked and is gone was not taken out by a person: it is ours no more, so that the
        next plan adds it. Of a write that arrived, as another field of it shows, the other names
        that are gone were taken out by somebody. A picture that was sent is ours.
        """
        changes = tuple(changes)
        if is_upload(changes):
            return self._with_upload(link, changes[0], detail)
        shown = [one for one in changes if self.shows(detail, one)]
        # Members go out in requests of their own, one after the other.
        together = [one for one in changes if one.target is not PlexField.MEMBERS]
        if any(self.has_arrived(one, detail) for one in together):
            merged = [one for one in together if one.policy is Policy.MERGE and one not in shown]
            shown += merged if _is_one_request(together) else []
        link = self.with_put_back(self.link_after(link, shown), shown, detail)
        link = self.link_after_part(link, (one for one in changes if one not in shown), detail)
        bases = dict(link.base)
        for change in changes:
            base, held = bases.get(change.target), self.observe(detail, change.target)
            if (
                not change.risked
                or base is None
                or self._keys[change.risked] in map(self._keys.__getitem__, held)
            ):
                continue
            gone = {self.equality.spellings.entries[change.risked]}
            left = (split_entries(base.entries) - gone, split_entries(base.seen) - gone)
            bases[change.target] = replace(
                base, entries=join_entries(left[0]), seen=join_entries(left[1])
            )
        return replace(link, base=bases)

    def trace(self, link: Link, target: PlexField) -> Trace | None:
        """Return what is remembered of one field; None for nothing."""
        return trace_of(link.base, link.held, target)

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
        return change.wanted or self.equality.digest(target, change.after)

    def not_stored(self, plan: ItemPlan, detail: ItemDetail) -> tuple[Change, ...]:
        """Return the changes of an applied plan that a read back does not show."""
        return tuple(change for change in plan.changes if not self.shows(detail, change))

    def partly(
        self, missing: Iterable[Change], detail: ItemDetail
    ) -> dict[PlexField, tuple[str, ...]]:
        """As much of the lists among `missing` as was written, where that is anything at all."""
        parts = {change.target: self._part(change, detail) for change in missing}
        return {target: part for target, part in parts.items() if part is not None}

    def _part(self, change: Change, detail: ItemDetail) -> tuple[str, ...] | None:
        """Return as much of a list as was written; None where that is nothing at all.

        Names that are no business of the change are left out.
        """
        held = self.observe(detail, change.target)
        if isinstance(held, str):
            return None
        known = {self._keys[name] for name in (*change.before, *change.after)}
        part = tuple([name for name in held if self._keys[name] in known])
        return None if self.equality.equal(change.target, part, change.before) else part

    def part_on_the_way(self, change: Change, detail: ItemDetail) -> tuple[str, ...] | None:
        """Return a part by which a change comes that goes out in pieces; None if others made it.

        New names come in their order, then surplus ones go in theirs, and the lock comes last.
        """
        part, keys = self._part(change, detail), self._keys
        if part is None or (change.target in detail.locked) != change.locked_before:
            return None
        before, after = (
            list(dict.fromkeys(keys[n] for n in v)) for v in (change.before, change.after)
        )
        new = [key for key in after if key not in before]
        gone = [key for key in before if key not in after]
        is_short = sum(map(_bytes_of, (*after, *gone))) <= ONE_REQUEST_BYTES
        if is_short and change.target is not PlexField.MEMBERS:
            return None
        holds = {keys[name] for name in part}
        added = [key in holds for key in new]
        stays = [key in holds for key in gone]
        is_one = (
            holds.issuperset(key for key in before if key in after)
            and added == sorted(added, reverse=True)
            and stays == sorted(stays)
            and (all(added) or all(stays))
        )
        return part if is_one else None

    def has_arrived(self, change: Change, detail: ItemDetail) -> bool:
        """Whether a field shows something of a change that was not there before.

        A name that was to go and is gone, or one that was to come and is there; or the text.
        """
        before, after, target = change.before, change.after, change.target
        if target is PlexField.RATING or self.equality.equal(target, before, after):
            return False
        held, keys = self.observe(detail, target), self._keys
        if isinstance(held, str) or isinstance(before, str) or isinstance(after, str):
            return self.equality.equal(target, held, after)
        had, wants, holds = ({keys[name] for name in names} for names in (before, after, held))
        return bool((wants - had) & holds or (had - wants) - holds)

    def shows(self, detail: ItemDetail, change: Change) -> bool:
        """Whether an item holds what `change` says; what others added to a list does not matter."""
        if detail.values.get(change.target) == change.after and not change.credits_after:
            return True  # to the letter, as nearly always
        if not hold(detail, change):
            return False
        held = held_for(detail, change)
        if change.policy is Policy.MERGE and isinstance(held, tuple):
            return self._merged_into(held, change)
        return self.equality.equal(change.target, change.after, held)

    def shows_just(self, detail: ItemDetail, change: Change) -> bool:
        """Whether an item holds that and nothing else: under merge, no more names either."""
        same = self.equality.equal(change.target, change.after, held_for(detail, change))
        return same and hold(detail, change)

    def observe(self, detail: ItemDetail, target: PlexField) -> Value:
        """Return what an item holds in one field, as `Change.before` has it."""
        return found_in(detail, target).value

    def _base_of(self, change: Change, base: Base | None) -> Base:
        stored, wanted = self.equality.digest(change.target, change.after), change.wanted
        if isinstance(change.after, str) or isinstance(change.before, str):
            same = self.equality.equal(change.target, change.before, change.after)
            found = same and bool(change.after) and (base is None or base.found)
            return Base(digest=stored, wanted=wanted, found=found)
        # A name that was in Plex before us is somebody else's even if Stash has it.
        keys, entry = self._keys, self.equality.spellings.entries
        foreign = self.equality.name_keys(change.before)
        owned = self.equality.owned_among(change.after, base)
        mine = {entry[name] for name in change.after if keys[name] not in foreign or name in owned}
        merges = change.policy is Policy.MERGE
        others = {entry[name] for name in change.after} - mine
        is_known = self.equality.is_base(base, change.target, change.before)
        locked = base.found if base and is_known else change.locked_before
        seen: set[str] = set()
        if merges and self._rules.preserve_plex_edits:
            seen = others
            if base:
                # Of a name a person took out it must be known for good that it was there once.
                there = {entry[name] for name in change.before}
                mine |= split_entries(base.entries) - there
                seen |= split_entries(base.seen) - there - mine
        return Base(
            digest=stored,
            entries=join_entries(mine),
            seen=join_entries(seen),
            wanted=wanted,
            credits=remember_credits(change, base),
            found=merges and bool(others) and locked,
        )

    def _with_upload(self, link: Link, change: Change, detail: ItemDetail) -> Link:
        """Return the link after an upload that may have arrived; of which cover is not known."""
        key, target = str(change.after), change.target
        known = link.pictures.get(target) or PictureBase(stamp="")
        if known.key == key or not self.shows(detail, change):
            return link
        ours = PictureBase(stamp="", key=key, made=known.made, former=known.key)
        held = {field: digest for field, digest in link.held.items() if field is not target}
        return replace(link, held=held, pictures={**link.pictures, target: ours})

    def _merged_into(self, held: tuple[str, ...], change: Change) -> bool:
        """Whether our names are in and those taken out are gone; others' may come and go."""
        lists = (held, change.after, change.before)
        holds, after, before = map(self.equality.name_keys, lists)
        return after - before <= holds and not (before - after) & holds


def is_upload(changes: Sequence[Change]) -> bool:
    """Whether a plan is that of a cover that becomes a picture of its item; see `PictureUpload`."""
    return len(changes) == 1 and changes[0].target in PICTURE_FIELDS and not changes[0].trace_after


def trace_of(
    base: Mapping[PlexField, Base], held: Mapping[PlexField, str], target: PlexField
) -> Trace | None:
    """Return what is remembered of one field by its base and what holds it; None for nothing."""
    trace = Trace(base=base.get(target), held=held.get(target, ""))
    return trace if trace.base or trace.held else None


def _is_one_request(changes: Sequence[Change]) -> bool:
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


def _bytes_of(name: str) -> int:
    """Return what a name costs in a request, where most bytes but letters and digits are three."""
    size = len(name.encode(errors="replace"))
    plain = sum(one.isascii() and one.isalnum() for one in name)
    return _NAME_BYTES + plain + 3 * (size - plain)
