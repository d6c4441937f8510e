"""What taking a run back means for each item: a plan made from the journal in reverse.

A value goes back only where Plex still holds what was written; where somebody changed it since, it
stays. Names in a list stand each for itself: what was added goes, what was removed comes back, and
whatever else is there by now stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import FIELD_SEPARATOR, LIST_FIELDS, PICTURE_FIELDS, Base, PlexField, Trace
from plexsync.planning.credits import changed_credits, joined_changes, taken_back
from plexsync.planning.planner import Planned, Planner
from plexsync.text.folding import join_entries, split_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import (
        Change,
        Credit,
        ItemDetail,
        ItemPlan,
        Link,
        RatingKey,
        SceneId,
        Value,
    )


def merge_plans(plans: Iterable[ItemPlan]) -> tuple[ItemPlan, ...]:
    """One plan per scene and item of all that was written, oldest first.

    Of a field written more than once the first `before` and the last `after` stay. Every change
    says how its lock ended.
    """
    found: dict[tuple[SceneId, RatingKey], ItemPlan] = {}
    for plan in plans:
        key = plan.scene_id, plan.rating_key
        changes = {one.target: one for one in found[key].changes} if key in found else {}
        for change in plan.changes:
            first = changes.get(change.target)
            ended = plan.lock or change.locked_before
            ended = ended if change.locked_after is None else change.locked_after
            whole = replace(change, locked_after=ended)
            changes[change.target] = joined_changes(first, whole) if first else whole
        found[key] = replace(plan, changes=tuple(changes.values()))
    return tuple(found.values())


class Reverser:
    """Plans what takes changes back.

    Args:
        planner: says which values Plex shows alike, and what is remembered of a field.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._equality = planner.equality

    def plan(
        self, written: ItemPlan, detail: ItemDetail, link: Link, going: Iterable[str] = ()
    ) -> Planned:
        """Return what is to be written to `detail` so that it is as it was before `written`.

        What is kept are the fields somebody changed since.

        Args:
            written: what a run did to the item, as `merge_plans` gives it.
            detail: a fresh read.
            link: what is remembered of the item.
            going: the titles of collections that the run made and that go as well. That the item
                is in them is no change somebody made since.
        """
        changes: list[Change] = []
        as_left = self._without_going(detail, written, going)
        kept: list[str] = []
        for change in written.changes:
            after = self._after(change, detail, link.base.get(change.target))
            credits_after: dict[str, Credit] = {}
            if change.target is PlexField.ACTORS:
                names = self._planner.observe(detail, change.target) if after is None else after
                credits_after = taken_back(change, detail, names)
                after = names if credits_after else after
            if after is None or _followed(change, kept):
                kept.append(change.field)
                continue
            back = self._reversed(change, detail, after, link, as_left=as_left)
            back = replace(back, credits_after=credits_after)
            locks_differ = back.locked_after != back.locked_before
            same = self._planner.equality.equal(back.target, after, back.before) and not any(
                changed_credits(back)
            )
            if locks_differ or not same:
                changes.append(back)
        changes_ = self._planner.with_sort_title(changes, detail, link)
        return Planned(changes=changes_, kept=tuple(kept))

    # ---- one field

    def _after(self, change: Change, detail: ItemDetail, base: Base | None) -> Value | None:
        """Return the value to put back; Plex's where that was done already; None to keep Plex's."""
        observed, equal = self._planner.observe(detail, change.target), self._equality.equal
        before = change.before
        if change.target in LIST_FIELDS:
            before = self._less_taken_out(tuple(before), tuple(observed), base)
        if before == change.before and self._planner.shows_just(detail, change):
            return before
        if equal(change.target, observed, before):
            return observed
        if change.target not in LIST_FIELDS:
            return None
        after = self._without(replace(change, before=before), tuple(observed))
        return None if equal(change.target, after, observed) else after

    def _less_taken_out(
        self, names: tuple[str, ...], observed: tuple[str, ...], base: Base | None
    ) -> tuple[str, ...]:
        """Return names without those that are remembered and not there: a person took them out."""
        if base is None:
            return names
        keys, entry = self._equality.spellings.keys, self._equality.spellings.entries
        known, present = split_entries(base.entries + base.seen), {keys[name] for name in observed}
        return tuple([n for n in names if keys[n] in present or entry[n] not in known])

    def _without(self, change: Change, observed: tuple[str, ...]) -> tuple[str, ...]:
        """Return the list as it is now, less what was added, and with what was removed."""
        keys = self._equality.spellings.keys
        before = {keys[name] for name in change.before}
        after = {keys[name] for name in change.after}
        present = {keys[name] for name in observed}
        stay = [n for n in observed if keys[n] not in after or keys[n] in before]
        back = [n for n in change.before if keys[n] not in after and keys[n] not in present]
        return (*stay, *back)

    def _without_going(
        self, detail: ItemDetail, written: ItemPlan, going: Iterable[str]
    ) -> ItemDetail:
        """Return `detail` without the collections that go, but for those a run put it in itself."""
        keys, target = self._equality.spellings.keys, PlexField.COLLECTIONS
        put_in = {keys[n] for one in written.changes if one.target is target for n in one.after}
        others = {keys[name] for name in going} - put_in
        left = tuple(n for n in self._planner.observe(detail, target) if keys[n] not in others)
        return replace(detail, values={**detail.values, target: left}) if others else detail

    def _reversed(
        self, change: Change, detail: ItemDetail, after: Value, link: Link, *, as_left: ItemDetail
    ) -> Change:
        untouched = self._planner.shows_just(detail, change)
        locked = change.target in detail.locked
        if self._planner.shows_just(as_left, change) or self._is_half_back(change, detail):
            # A lock somebody set or lifted since is as much their word as a value.
            ours = locked == change.locked_after
        else:
            # Choosing a picture locks it. An undo that ended right then never came to the lock.
            ours = locked and change.target in PICTURE_FIELDS and change.target in link.held
        back = replace(
            change,
            before=self._planner.observe(detail, change.target),
            after=after,
            credits_before=detail.credits if change.target is PlexField.ACTORS else {},
            locked_before=locked,
            locked_after=change.locked_before if ours else locked,
            wanted="",
            trace_before=self._planner.trace(link, change.target),
        )
        return replace(back, trace_after=self._trace_after(change, back, link, untouched=untouched))

    def _is_half_back(self, change: Change, detail: ItemDetail) -> bool:
        """Whether an undo that ended between two requests left a long list as it is."""
        back = replace(
            change,
            before=change.after,
            after=change.before,
            locked_before=bool(change.locked_after),
        )
        return self._planner.part_on_the_way(back, detail) is not None

    def _trace_after(self, change: Change, back: Change, link: Link, *, untouched: bool) -> Trace:
        """Return what is remembered once `back` has taken the change back."""
        then, now = change.trace_before or Trace(), link.base.get(change.target)
        base = then.base if untouched else self._base_without(change, back, now, then.base)
        if change.trace_after is not None:
            # An undo is taken back: what it held back is free again.
            return replace(then, base=base)
        return Trace(base=base, held=self._planner.last_wanted(change, link))

    def _base_without(
        self, change: Change, back: Change, now: Base | None, then: Base | None
    ) -> Base | None:
        """Return the base of a list that was changed since: only names of ours go or come.

        Of those that a person took out it stays known that they were there.
        """
        entry = self._equality.spellings.entries
        before = {entry[name] for name in change.before}
        after = {entry[name] for name in change.after}
        owned = split_entries(now.entries) if now else frozenset()
        owned_then = {entry[name] for name in self._equality.owned_among(change.before, then)}
        left = (owned - (after - before)) | (owned_then - after)
        known = owned | split_entries(now.seen if now else "")
        seen = join_entries(known - {entry[name] for name in back.before})
        was_ours = self._equality.is_base(now, change.target, back.before)
        if was_ours and left.issuperset(entry[name] for name in back.after):
            # Only later runs changed it, so the list as a whole stays ours.
            digest = self._equality.digest(change.target, back.after)
            return Base(digest=digest, entries=join_entries(left), seen=seen)
        if not (left or seen):
            return None
        # The digest is that of no list Plex holds, so the list as a whole is not taken for ours.
        return Base(digest=now.digest if now else "", entries=join_entries(left), seen=seen)


def _followed(change: Change, kept: Sequence[str]) -> bool:
    """Whether a sort title followed a title that stays: it would not go with that one."""
    title, _, followed = change.field.partition(FIELD_SEPARATOR)
    return change.target is PlexField.SORT_TITLE and bool(followed) and title in kept
