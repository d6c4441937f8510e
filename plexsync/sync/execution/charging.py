"""Who is charged with a try that failed, and when the next one is due.

A scene or a collection is charged with what is its own fault, and not with an outage.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from plexsync.errors import PictureFormatError, PictureSizeError, ServerError, TooLongError
from plexsync.models import Outcome, is_kept, noun_of
from plexsync.planning.retry_schedule import MOST_ATTEMPTS, PARKED
from plexsync.sync.execution.sender import UNSENT
from plexsync.sync.execution.writer import NOT_SHOWN, NOT_STORED
from plexsync.sync.ports import IN_A_ROW, ServerFaults, WorkKind
from plexsync.text.words import without_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

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


def charge(
    run: RunContext,
    uncharged: Mapping[SceneId, tuple[WorkKind, R]],
    remember: Callable[[SceneId, R], None],
    name: Callable[[SceneId], str],
) -> dict[SceneId, Problem]:
    """Charge what failed by its own fault with a try, now that all is known.

    The rest is due at the next run, as if it had not been tried.

    Args:
        run: what the run is about.
        uncharged: what failed, each with its record once it is charged.
        remember: takes the records of what is charged.
        name: says what a person calls one of them.

    Returns:
        What failed so often that it is parked now, which a person is shown.
    """
    _look_for_outage(run, uncharged)
    parked: dict[SceneId, Problem] = {}
    for key, record in () if run.options.dry_run else _own_failures(uncharged, run.ports.faults):
        remember(key, record)
        if record.due_at == PARKED and record.problem is not None:
            parked[key] = record.problem
    for message, keys in _group_by_cause(parked).items():
        nouns = " and ".join(sorted({f"{noun_of(key)}s" for key in keys}))
        many = f"{name(keys[0])} is" if len(keys) == 1 else f"{len(keys)} {nouns} are"
        again = f" {keys[0]}" if len(keys) == 1 and not is_kept(keys[0]) else ""
        run.totals.reporter.warn(
            f"{many} parked: {message}; a full sweep tries again, or now: plexsync retry{again}"
        )
    return parked


def _look_for_outage(run: RunContext, uncharged: Mapping[SceneId, tuple[WorkKind, R]]) -> None:
    """Ask Plex once more: a few items that fail right before an outage look like items at fault."""
    problems = [record.problem for _, record in uncharged.values()]
    asks = any(one is not None and one.kind not in GIVEN_UP for one in problems)
    if asks and not (run.options.dry_run or run.ports.should_stop()):
        try:
            run.ports.plex.sections()
        except ServerError as error:
            run.ports.faults.found(error)


def _own_failures(
    uncharged: Mapping[SceneId, tuple[WorkKind, R]], faults: ServerFaults
) -> Iterator[tuple[SceneId, R]]:
    """Yield what failed by its own fault or its item's, and not a server's, with its record.

    A server that answers and reads well, but does not store a value, may well not take it; only one
    that stores nothing of many items is at fault itself.
    """
    kinds = Counter(record.problem.kind for _, record in uncharged.values() if record.problem)
    for key, (failed, record) in uncharged.items():
        kind = record.problem.kind if record.problem else ""
        few = kind in GIVEN_UP and kinds[kind] < IN_A_ROW
        if kind != UNSENT.kind and (few or kind in OWN_FAULTS or faults.is_items_own(failed)):
            yield key, record


def _group_by_cause(problems: Mapping[SceneId, Problem]) -> dict[str, list[SceneId]]:
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
