"""Taking back what was done to collections: those made go, those that went are made again.

One that was made goes only as it was left: whoever changed it since keeps it, without the members
plexsync put in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import (
    CollectionRecord,
    FieldRule,
    ItemKind,
    Outcome,
    PlexField,
    Policy,
    Trace,
    Withheld,
)
from plexsync.sync.execution.making import find_made, going
from plexsync.sync.execution.work import Decision, PictureChange, blank_link, deletes, members_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plexsync.models import Change, ItemDetail, ItemPlan
    from plexsync.planning.planner import Planner
    from plexsync.planning.reversal import Reverser
    from plexsync.plex.client import PlexClient
    from plexsync.state import Session, State
    from plexsync.sync.execution.pictures.kept import KeptPictures
    from plexsync.sync.rows import Pair


def makes(plan: ItemPlan) -> bool:
    """Return whether a plan made a collection."""
    return any(one.target is PlexField.EXISTENCE and bool(one.after) for one in plan.changes)


def with_keys(plans: Iterable[ItemPlan], plex: PlexClient) -> list[ItemPlan]:
    """Return `plans`, those of a making that was cut off with the key of what it came to.

    One that came to nothing is left out.

    Raises:
        ServerError: Plex cannot say.
    """
    plans = list(plans)
    known = {plan.rating_key for plan in plans}
    found: list[ItemPlan] = []
    for plan in plans:
        if plan.rating_key or plan.kind is not ItemKind.COLLECTION:
            found.append(plan)
        elif key := find_made(plex, plan, known):
            found.append(replace(plan, rating_key=key))
    return found


class CollectionReverser:
    """Plans what takes changes of collections back.

    Args:
        planner: says what Plex shows alike.
        reverser: takes single fields back.
        kept: has the posters of those that went.
    """

    def __init__(self, planner: Planner, reverser: Reverser, kept: KeptPictures) -> None:
        self._planner = planner
        self._kept = kept
        self._reverser = reverser

    def decide(self, plan: ItemPlan, pair: Pair, detail: ItemDetail) -> Decision:
        """Put back what Plex still holds."""
        base = replace(plan, rating_key=pair.link.rating_key, changes=())
        if deletes(plan.changes):
            changes = tuple(self._again(plan, detail))
            poster = self._poster(plan, detail)
            note = "its poster is not kept any more" if poster and not poster.kept else ""
            pictures = (poster,) if poster and poster.kept else ()
            return Decision(plan=replace(base, changes=changes), pictures=pictures, note=note)
        found = self._reverser.plan(plan, detail, pair.link)
        changes, kept = found.changes, found.kept
        if makes(plan):
            if self._is_untouched(plan, detail, changes, kept):
                gone = tuple(going(self._planner, detail, pair.link))
                return Decision(plan=replace(base, changes=gone))
            stays = {PlexField.EXISTENCE, PlexField.TITLE}
            changes = tuple(one for one in changes if one.target not in stays)
            kept = (*kept, "collections.existence")
        return put_back(base, changes, kept)

    def _is_untouched(
        self,
        plan: ItemPlan,
        detail: ItemDetail,
        changes: tuple[Change, ...],
        kept: tuple[str, ...],
    ) -> bool:
        """Whether a collection is just what the run made of it."""
        if kept or PlexField.MEMBERS not in detail.values or detail.smart:
            return False
        left = members_after(changes, detail)
        written = {change.target for change in plan.changes}
        others = detail.locked - written - {PlexField.MEMBERS}
        mode = detail.values.get(PlexField.MODE) if PlexField.MODE not in written else ""
        return not (left or others or mode or detail.values.get(PlexField.LABELS))

    def _poster(self, plan: ItemPlan, detail: ItemDetail) -> PictureChange | None:
        """Return what brings the poster of a collection back that went; None where there is none.

        Raises:
            StateError: what is kept cannot be read.
        """
        went = next((one for one in plan.changes if one.target is PlexField.POSTER), None)
        if went is None or not went.before or PlexField.POSTER in detail.locked:
            return None
        key = str(went.before)
        return PictureChange(
            rule=FieldRule(name=went.field, policy=Policy.KEEP, to=PlexField.POSTER),
            shown=replace(went, before="", after="the poster it had", locked_before=False),
            kept=key if self._kept.get(key) else "",
        )

    def _again(self, plan: ItemPlan, detail: ItemDetail) -> Iterator[Change]:
        """Yield what brings a collection back that went, as far as it is not there yet."""
        for change in plan.changes:
            if change.target is PlexField.POSTER:
                continue
            observed = self._planner.observe(detail, change.target)
            same = self._planner.equality.equal(change.target, observed, change.before)
            if same or not change.before:
                continue
            is_list = isinstance(change.before, tuple)
            yield replace(
                change,
                before=observed,
                after=change.before,
                policy=Policy.MERGE if is_list else Policy.KEEP,
                locked_before=change.target in detail.locked,
                locked_after=change.locked_before,
                trace_before=None,
                trace_after=change.trace_before or Trace(),
            )


def put_back(plan: ItemPlan, changes: tuple[Change, ...], kept: tuple[str, ...]) -> Decision:
    """Return the decision to write `changes`, and to leave what was changed since."""
    note = "" if changes or kept else "is already as before"
    if kept:
        note = f"changed since and kept: {', '.join(kept)}"
    return Decision(
        plan=replace(plan, changes=changes),
        outcome=Outcome.KEPT if kept else Outcome.UNCHANGED,
        note=note,
    )


def remember_undone(
    state: State, session: Session, plan: ItemPlan, pair: Pair, *, outcome: Outcome
) -> None:
    """Remember what became of a collection whose changes were taken back."""
    key, link = pair.scene.scene_id, pair.link
    record = state.kept(key)
    if not isinstance(record, CollectionRecord):
        record = CollectionRecord(link=link, title=pair.title)
    if makes(plan) and outcome is Outcome.APPLIED and PlexField.EXISTENCE not in link.base:
        blank = blank_link(link.section_id)
        session.keep(key, replace(record, link=blank, wanted="", withheld=Withheld.UNDONE))
    elif link.rating_key and (record.link.rating_key in {"", link.rating_key}):
        session.keep(key, replace(record, link=link, wanted="", withheld=None))
