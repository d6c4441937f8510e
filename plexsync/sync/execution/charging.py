"""Who is charged with a try that failed, and when the next one is due.

A scene or a collection is charged with what is its own fault, and not with an outage.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from plexsync.errors import PictureFormatError, PictureSizeError, TooLongError
from plexsync.models import Outcome
from plexsync.planning.retry_schedule import MOST_ATTEMPTS, PARKED
from plexsync.sync.execution.sender import UNSENT
from plexsync.sync.execution.writer import NOT_SHOWN, NOT_STORED
from plexsync.sync.ports import IN_A_ROW, ServerFaults, WorkKind
from plexsync.text.words import without_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexsync.models import KeptRecord, Problem, SceneId, SceneRecord
    from plexsync.sync.context import RunContext


UNUSABLE_PICTURES = frozenset({PictureFormatError.kind, PictureSizeError.kind})
"""Kinds of problem of a cover that stays what it is."""

OWN_FAULTS = UNUSABLE_PICTURES | {TooLongError.kind}
"""Kinds of problem that no server is to blame for, however many scenes have them."""

R = TypeVar("R", bound="SceneRecord | KeptRecord")

GIVEN_UP: Mapping[str, int] = {NOT_STORED: 2, NOT_SHOWN: 2, **dict.fromkeys(OWN_FAULTS, 1)}
"""How often the same values are sent where Plex accepts one and does not store it, or where one is
too long to be sent, by the kind of problem: no further try would end otherwise."""


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
