"""The work of the executor: items of Plex, each with a way to decide what it needs.

A run, a saved plan and an undo are three sources of the same work items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

from plexsync.matcher import show_other_video
from plexsync.models import (
    Change,
    FieldRule,
    ItemDetail,
    ItemKind,
    ItemPlan,
    Link,
    Outcome,
    Picture,
    PlexField,
    PlexFile,
    PlexItem,
    Problem,
    RatingKey,
    SceneFile,
    SceneId,
    Value,
    Video,
    change_of,
)
from plexsync.plex.edit_query import PlanEdits
from plexsync.state import SavedItem
from plexsync.sync.ports import WorkKind
from plexsync.text.normalize import holds_file

if TYPE_CHECKING:
    from plexsync.errors import ServerError
    from plexsync.planning.planner import Planned
    from plexsync.state import Result, SavedPicture
    from plexsync.sync.rows import Pair, PairEnd


class PictureChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One picture of one item that is to be replaced.

    Args:
        rule: of the field.
        cover_path: where the cover is.
        stamp: of that address.
        again: the key of a picture of ours that is just to be chosen again; else "".
        etag: of the cover `again` was made from.
        ask: write nothing if what Plex shows turns out not to be the cover.
        shown: the change as a person sees it.
        checksum: the MD5 the cover must have; "" for whatever it is by now.
        kept: the key under which the bytes are kept, see `KeptPictures`; "" for those of the cover.
        judged: under which rule, as `PictureBase.shown` says it; "" where nothing is noted of that.
        seen: the pictures the item had when that was decided; None where they were not looked at.
    """

    rule: FieldRule
    shown: Change
    cover_path: str = ""
    stamp: str = ""
    again: str = ""
    etag: str = ""
    ask: bool = False
    checksum: str = ""
    kept: str = ""
    judged: str = ""
    seen: tuple[Picture, ...] | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the pictures of one item need.

    Args:
        pictures: what to write.
        kept: the names of fields that stay although the cover differs.
        problem: why one of them could not be compared.
    """

    pictures: tuple[PictureChange, ...] = ()
    kept: tuple[str, ...] = ()
    problem: Problem | None = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What would change, as a person sees it."""
        return tuple([one.shown for one in self.pictures if not one.ask])


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one item needs, found by a fresh read.

    Args:
        plan: the edit of its fields; without changes when at most pictures need some.
        agreed: what needs no writing because Plex shows it; remembered like what was written.
        pictures: the pictures to write.
        kept: the names of fields that stay as Plex has them although they differ, for people.
        left: what a row says of other fields that are left alone.
        outcome: of the row when nothing is written.
        problem: why one of the pictures could not be compared.
        note: a few words for the row.
    """

    plan: ItemPlan
    agreed: tuple[Change, ...] = ()
    pictures: tuple[PictureChange, ...] = ()
    kept: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    outcome: Outcome = Outcome.UNCHANGED
    problem: Problem | None = None
    note: str = ""

    def words(self, *kept: str) -> str:
        """Return what a row says of that which is left as Plex has it; `kept` are more names."""
        names = ", ".join((*self.kept, *kept))
        notes = (self.note, f"Plex's own kept for {names}" if names else "", *self.left)
        return "; ".join(filter(None, notes))


def plan_of(
    pair: Pair,
    detail: ItemDetail,
    changes: tuple[Change, ...] = (),
    *,
    lock: bool,
    member_kind: ItemKind | None = None,
) -> ItemPlan:
    """Return the plan to write `changes` to the item of a pair; `lock` the fields then."""
    return ItemPlan(
        scene_id=pair.scene.scene_id,
        rating_key=pair.link.rating_key,
        section_id=detail.item.section_id,
        kind=detail.item.kind,
        path=pair.link.path,
        lock=lock,
        changes=changes,
        member_kind=member_kind,
        videos=detail.item.videos,
    )


def decision_of(plan: ItemPlan, planned: Planned, wanted: Wanted, pair: Pair) -> Decision:
    """Return what an item needs: `plan`, and what else follows of its fields and pictures."""
    pair.by_hand, pair.undone = planned.by_hand, bool(planned.held)
    by_hand, others = planned.by_hand, (*planned.kept, *wanted.kept)
    kept = tuple([f"{name} (by hand)" if name in by_hand else name for name in others])
    left = (
        ("not written again since an undo", planned.held),
        ("blank and new in Stash, so what an earlier scene gave stays", planned.waiting),
    )
    stays = tuple([f"{why}: {', '.join(names)}" for why, names in left if names])
    return Decision(
        plan=plan,
        agreed=planned.agreed,
        pictures=wanted.pictures,
        kept=kept,
        left=stays,
        outcome=Outcome.KEPT if kept or stays else Outcome.UNCHANGED,
        problem=wanted.problem,
    )


Decide = Callable[["ItemDetail"], Decision]
"""Compares an item with what it should be. Raises ServerError: what else is needed is not known."""


class WorkItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One item that may have to be written.

    Args:
        pair: the scene and the link to the item, which knows what is ours on it.
        decide: says what it needs, once it was read.
        paths: it must hold one of these files; none for what has no file. A collection is to be
            made where the link has no rating key.
        kind: what it must be where it has no file.
        files: it must not show another video than all of these; none where that is not asked.
    """

    pair: Pair
    decide: Decide
    paths: tuple[str, ...]
    kind: ItemKind = ItemKind.COLLECTION
    files: tuple[SceneFile | Video, ...] = ()

    def holds(self, detail: ItemDetail) -> bool:
        """Return whether an item is the one that is meant; without a file its kind has to tell."""
        if not self.paths:
            return detail.item.kind is self.kind
        return any(holds_file(detail.item, path, self._may_be_ours) for path in self.paths)

    def _may_be_ours(self, file: PlexFile) -> bool:
        """Whether a file of Plex may be one of `files`."""
        return not self.files or not all(show_other_video(one, file) for one in self.files)


class PictureResult(msgspec.Struct, kw_only=True, gc=False):
    """What became of the pictures of one item.

    Attributes:
        changes: what was written, as a person sees it.
        refused: what could not be written.
        kept: the names of fields that stay.
        problem: why something could not be written.
        unfinished: something was not even tried.
        ends: how intents ended; one of which that is not known stays unsettled.
        sent_ahead: they were sent right behind the fields, and are still to be proven.
    """

    changes: list[Change] = []
    refused: list[Change] = []
    kept: list[str] = []
    problem: Problem | None = None
    unfinished: bool = False
    ends: list[Result] = []
    sent_ahead: bool = False


class Ready(msgspec.Struct, kw_only=True, gc=False, eq=False):
    """An item that was read and has something to write.

    Args:
        item: the item of work.
        decision: what it needs.
        detail: what it held when that was decided.
        read_at: when that was, in seconds on a clock that is never set.
    """

    item: WorkItem
    decision: Decision
    detail: ItemDetail
    read_at: float
    failed: WorkKind = WorkKind.PICTURE
    """What the decision's problem is about."""
    made: tuple[Change, ...] = ()
    """What was written already by making the collection."""
    pictures: PictureResult = msgspec.field(default_factory=PictureResult)
    """What became of its pictures."""
    gone: bool = False
    """Whether it is a collection that is not there any more."""
    _edits: PlanEdits | None = None

    @property
    def edits(self) -> PlanEdits:
        """What is sent of its fields, worked out once."""
        if self._edits is None or self._edits.plan is not self.plan:
            self._edits = PlanEdits(self.plan)
        return self._edits

    @property
    def pair(self) -> Pair:
        """The scene and the link to the item."""
        return self.item.pair

    @property
    def plan(self) -> ItemPlan:
        """The edit of its fields."""
        return self.decision.plan

    @property
    def changes(self) -> tuple[Change, ...]:
        """All that would change, as a person sees it."""
        pictures = [one.shown for one in self.decision.pictures if not one.ask]
        return (*self.made, *self.plan.changes, *pictures)


@dataclass(slots=True, kw_only=True, eq=False)
class Write:
    """One plan on its way to its item, and what became of it.

    Args:
        ready: the item it is for.
        plan: what is sent.
        first: the item as it was when that was decided.
        read_at: when it was last seen to be so, in seconds on a clock that is never set.
        seqs: the numbers of its intents.
        error: what Plex answered; None for success, which proves nothing.
        unsent: why nothing was sent; None where something was.
        together: whether it went out with others, so that a second try alone is worth while.
        read_back: the item as it was then; None while it was not, or could not be.
        missing: the changes Plex does not show; all of them when it could not be read.
        problem: why, where that is known; None when everything is stored.
        later: what could be written only after that.
        others: the fields that were not written, and that somebody else changed meanwhile.
    """

    ready: Ready
    plan: ItemPlan
    first: ItemDetail
    read_at: float
    seqs: list[int] = field(default_factory=list)
    error: ServerError | None = None
    unsent: Problem | None = None
    together: bool = False
    read_back: ItemDetail | None = None
    missing: tuple[Change, ...] = ()
    problem: Problem | None = None
    later: Write | None = None
    others: tuple[PlexField, ...] = ()

    @property
    def place(self) -> RatingKey:
        """The item."""
        return self.plan.rating_key

    def fits(self, item: ItemDetail) -> bool:
        """Return whether an item has the same fields, locks and files still."""
        first = self.first
        return item is first or (
            (first.values, first.locked, first.credits) == (item.values, item.locked, item.credits)
            and (first.item.files, first.item.trashed) == (item.item.files, item.item.trashed)
        )

    @property
    def edits(self) -> PlanEdits:
        """What is sent."""
        edits = self.ready.edits
        return edits if edits.plan is self.plan else PlanEdits(self.plan)

    @property
    def stored(self) -> tuple[Change, ...]:
        """What Plex was seen to hold of it, and of what came after it."""
        stored = [change for change in self.plan.changes if change not in self.missing]
        if self.later is not None:
            # What came first is ours, and so is its lock, whatever became of the rest.
            missing = {change.target for change in (*self.missing, *self.later.missing)}
            stored += [one for one in self.later.plan.changes if one.target not in missing]
        return tuple(stored)


def blank_link(section_id: str) -> Link:
    """Return the link of a collection that is not there."""
    return Link(rating_key=RatingKey(""), section_id=section_id, path="")


def absent(place: ItemPlan | Link) -> ItemDetail:
    """Return what is read of a collection that is not there: nothing."""
    key, section_id = place.rating_key, place.section_id
    item = PlexItem(rating_key=key, section_id=section_id, kind=ItemKind.COLLECTION)
    return ItemDetail(item=item, values={})


def members_after(changes: Iterable[Change], detail: ItemDetail) -> Value | None:
    """Return the members of a collection once it is changed; None where they were not read."""
    members = change_of(changes, PlexField.MEMBERS)
    return members.after if members else detail.values.get(PlexField.MEMBERS)


Place = tuple["SceneId", "RatingKey"]
"""What tells the plans of one batch apart: the scene and the item."""


def place_of(plan: ItemPlan) -> Place:
    """Return what tells plans of one batch apart."""
    return plan.scene_id, plan.rating_key


class Outcomes(Protocol):
    """Shows how each item ended, and remembers it the way its source needs."""

    def lose(self, pair: Pair, note: str, /) -> None:
        """Take a pair with an item that is gone or holds another file, and say so."""

    def finish(self, pair: Pair, ending: PairEnd, /) -> None:
        """Show how a pair ended, and remember it."""

    def note_written(self, pair: Pair, /) -> None:
        """Remember what is ours on an item with pictures still to come."""

    def note_settled(self, pair: Pair, /) -> None:
        """Remember what is ours on an item by writes of earlier runs."""
        self.note_written(pair)

    def spare(self, plan: ItemPlan, change: Change, /) -> tuple[str, ...]:
        """Return the names of a list that Stash wants and Plex has already, in Plex's order.

        The next run would write them again if they were lost.
        """
        del plan, change
        return ()

    def saved(self, ready: Ready, pictures: tuple[SavedPicture, ...], /) -> SavedItem:
        """Return what is planned as a plan file holds it; to be asked before it is finished."""
        pair = ready.pair
        return SavedItem(
            plan=ready.plan,
            pictures=pictures,
            agreed=ready.decision.agreed,
            scene_title=pair.scene.title,
            version=pair.scene.updated_at,
            reason=pair.reason,
        )
