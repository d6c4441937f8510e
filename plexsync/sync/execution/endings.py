"""How items end: what is ours on them then, what their rows say, and who is charged with a try.

A scene or a collection is charged with what is its own fault, and not with an outage.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from plexsync.errors import PictureFormatError, PictureSizeError, ServerError, TooLongError
from plexsync.models import Outcome, as_problem
from plexsync.planning.retry_schedule import MOST_ATTEMPTS, PARKED
from plexsync.sync.execution.sender import UNSENT
from plexsync.sync.execution.writer import NOT_SHOWN, NOT_STORED
from plexsync.sync.ports import IN_A_ROW, ServerFaults, WorkKind
from plexsync.sync.rows import Pair, PairEnd
from plexsync.text.words import without_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import Change, KeptRecord, PlexField, Problem, SceneId, SceneRecord
    from plexsync.planning.planner import Planner
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.work import Outcomes, Ready, Write


UNUSABLE_PICTURES = frozenset({PictureFormatError.kind, PictureSizeError.kind})
"""Kinds of problem of a cover that stays what it is."""

OWN_FAULTS = UNUSABLE_PICTURES | {TooLongError.kind}
"""Kinds of problem that no server is to blame for, however many scenes have them."""

R = TypeVar("R", bound="SceneRecord | KeptRecord")

GIVEN_UP: Mapping[str, int] = {NOT_STORED: 2, NOT_SHOWN: 2, **dict.fromkeys(OWN_FAULTS, 1)}
"""How often the same values are sent where Plex accepts one and does not store it, or where one is
too long to be sent, by the kind of problem: no further try would end otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEndings:
    """Ends items, each once.

    Args:
        outcomes: shows and remembers how each ended.
        planner: says what is ours on an item by what Plex was seen to hold.
        faults: takes what worked.
    """

    outcomes: Outcomes
    planner: Planner
    faults: ServerFaults

    def unread(self, pair: Pair, error: ServerError) -> None:
        """End an item that could not be read, or not be compared."""
        problem = as_problem(error)
        failed = PairEnd(Outcome.FAILED, problem=problem, failed=WorkKind.READ)
        self.outcomes.finish(pair, failed)

    def unwritten(self, ready: Ready) -> None:
        """End an item that needs nothing, or is only shown because the run is a dry one."""
        self._finish(ready, Outcome.PLANNED, ready.changes)

    def fields_sent(self, edit: Write) -> bool:
        """Take what became of the fields of an item, and end it unless pictures are to come.

        Returns:
            Whether they are.
        """
        ready, pair = edit.ready, edit.ready.pair
        if edit.held is None:
            changes, problem = edit.plan.changes, edit.problem
            ending = PairEnd(Outcome.FAILED, changes, problem, failed=WorkKind.EDIT)
            self.outcomes.finish(pair, ending)
            return False
        link = self.planner.link_after_part(pair.link, edit.missing, edit.held)
        pair.link = self.planner.link_after(link, (*edit.stored, *ready.decision.agreed))
        if edit.problem:
            ready.failed = WorkKind.EDIT
        ready.decision = replace(
            ready.decision,
            problem=edit.problem or ready.decision.problem,
            agreed=(),
            note="; ".join(filter(None, (ready.decision.note, _words(edit.others)))),
        )
        if ready.decision.pictures:
            # The pictures may never be reached: what is ours among the fields is known even so.
            self.outcomes.note_written(pair)
            return True
        self.written(ready)
        return False

    def written(self, ready: Ready) -> None:
        """End an item that was written as far as it went."""
        pictures = ready.pictures
        changes = (*ready.made, *ready.plan.changes, *pictures.changes)
        if pictures.unfinished and not (changes or pictures.refused):
            return  # the run ends, and says so for this item as for all that are left
        if pictures.problem and not ready.decision.problem:
            ready.failed = WorkKind.PICTURE
        if pictures.changes:
            self.faults.proven(WorkKind.PICTURE)
        self._finish(ready, Outcome.APPLIED, changes)

    def _finish(self, ready: Ready, done: Outcome, changes: tuple[Change, ...]) -> None:
        """End an item as `done` where it has changes. What Plex shows already is ours, too."""
        decision, pictures = ready.decision, ready.pictures
        problem = pictures.problem or decision.problem
        outcome = Outcome.KEPT if pictures.kept else decision.outcome
        if decision.agreed:
            ready.pair.link = self.planner.link_after(ready.pair.link, decision.agreed)
        ending = PairEnd(
            Outcome.FAILED if problem else done if changes else outcome,
            (*changes, *pictures.refused),
            problem,
            decision.words(*pictures.kept),
            again=pictures.unfinished,
            failed=ready.failed,
        )
        self.outcomes.finish(ready.pair, ending)


def _words(others: Sequence[PlexField]) -> str:
    """Return what a row says of fields that somebody else changed while the item was written."""
    return f"somebody else changed {', '.join(others)} in Plex meanwhile" if others else ""


# ---- who is at fault -----------------------------------------------------------------------------


def own_failures(
    uncharged: Mapping[SceneId, tuple[WorkKind, R]], faults: ServerFaults
) -> dict[SceneId, R]:
    """Return what failed by its own fault or its item's, and not a server's, with its record.

    A server that answers and reads well, but does not store a value, may well not take it; only one
    that stores nothing of many items is at fault itself.
    """
    kinds = Counter(record.problem.kind for _, record in uncharged.values() if record.problem)
    found = {}
    for key, (failed, record) in uncharged.items():
        kind = record.problem.kind if record.problem else ""
        few = kind in GIVEN_UP and kinds[kind] < IN_A_ROW
        if kind != UNSENT.kind and (few or kind in OWN_FAULTS or faults.is_items_own(failed)):
            found[key] = record
    return found


def group_by_cause(problems: Mapping[SceneId, Problem]) -> dict[str, list[SceneId]]:
    """Return what has each cause, in the words of the first of them."""
    words: dict[str, str] = {}
    found: dict[str, list[SceneId]] = {}
    for scene_id, problem in problems.items():
        message = words.setdefault(without_ids(problem.message), problem.message)
        found.setdefault(message, []).append(scene_id)
    return found


def next_try_of(run: RunContext, attempts: int, problem: Problem | None) -> str:
    """Return when what failed so often in a row, last with `problem`, is tried again, as ISO."""
    if problem and attempts >= GIVEN_UP.get(problem.kind, MOST_ATTEMPTS):
        return PARKED
    return run.retry_at(attempts, Outcome.FAILED)
