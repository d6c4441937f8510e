"""When a scene is due: what changed, what waits, and for how long.

`updated_at` is an opaque version text: another text means another version, and nothing else is
read into it. Source: docs/stash-api.md 2.5.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from plexsync.models import KeptRecord, Outcome, SceneId, SceneRecord

if TYPE_CHECKING:
    from collections.abc import Iterable


WAITING = frozenset({Outcome.UNMATCHED, Outcome.REVIEW, Outcome.FAILED, Outcome.SKIPPED})
"""Outcomes after which a scene is tried again although nothing changed in Stash."""

WOKEN = frozenset({Outcome.UNMATCHED, Outcome.REVIEW})
"""Outcomes that a change of the Plex library may settle, so it ends their wait."""

PARKED = "9999-12-31T23:59:59Z"
"""When a scene is due that failed too often: no run comes to it by itself."""

MOST_ATTEMPTS = 8
"""Failed tries in a row after which a scene is parked: with the waits between them that is half a
day, so that no restart, scan or night of backups parks anything."""

SETTLED_S = 5
"""A scene changed within so many seconds of Stash's clock may be changed again in the same second,
which its version would not show. Source: docs/stash-api.md 2.5, "Same-second edits"."""

CLOCK_MARGIN = timedelta(days=1)
"""How far in the future a remembered moment may lie that is believed: time zones of clocks that
were set wrong, and a little more."""

_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(days=1)
_SUBSET_WAIT = timedelta(days=7)


class Backlog(msgspec.Struct):
    """The scenes that wait for a later try.

    Attributes:
        count: how many there are.
        review: how many of them wait for a person.
        failing: how many of them failed.
        parked: those of them that failed too often, each with its problem.
    """

    count: int = 0
    review: int = 0
    failing: int = 0
    parked: dict[SceneId, str] = msgspec.field(default_factory=dict)

    def add(self, scene_id: SceneId, record: SceneRecord | None) -> None:
        """Count a scene, with what is remembered of it."""
        self.count += 1
        if record is None:
            return
        self.review += record.outcome is Outcome.REVIEW
        self.failing += record.outcome is Outcome.FAILED
        if record.due_at == PARKED:
            self.parked[scene_id] = record.problem.message if record.problem else ""


def is_wait_over(
    record: SceneRecord, now: datetime, *, woken: bool = False, timed: bool = True
) -> bool:
    """Whether a scene that waits is to be tried again, although nothing changed in Stash.

    Args:
        record: what the last run remembered of it.
        now: aware UTC time.
        woken: the Plex library changed in what concerns it.
        timed: a scene without a candidate is tried when its time has come, too; else only once it
            is woken, since nothing but a change in Plex can give it one.
    """
    if woken and record.outcome in WOKEN:
        return True
    if record.outcome is Outcome.UNMATCHED and record.due_at and not timed:
        return False
    return has_come(record.due_at, now)


def is_kept_due(record: KeptRecord, now: datetime) -> bool:
    """Whether a collection, show or season is looked at although nothing changed in Stash."""
    if record.is_left_alone:
        return False
    return has_come(record.due_at, now) if record.due_at else not record.wanted


def has_come(moment: str, now: datetime) -> bool:
    """Whether a remembered time to try again has come.

    One that is further away than any wait was noted by a clock that was wrong, and has come, too.
    """
    if moment == PARKED:
        return False
    return moment <= iso(now) or moment > iso(now + _SUBSET_WAIT)


def is_search_due(waiting: Iterable[tuple[SceneId, SceneRecord]], now: datetime) -> bool:
    """Whether the time of a scene without candidate has come."""
    return any(
        record.outcome is Outcome.UNMATCHED and has_come(record.due_at, now)
        for _, record in waiting
    )


def is_past(moment: str, every_s: float, now: datetime) -> bool:
    """Whether what was last done at `moment` is to be done again, `every_s` seconds later.

    A moment in the future was noted by a clock that was wrong, and says nothing.
    """
    return moment <= iso_before(now, every_s) or moment > iso(now + CLOCK_MARGIN)


def next_try(
    attempts: int, now: datetime, *, outcome: Outcome = Outcome.FAILED, subset: bool = False
) -> str:
    """When to try again after `attempts` tries in a row that did not end well, as ISO time.

    Five minutes, then twice as long each time, at most a day. A scene that failed
    `MOST_ATTEMPTS` times is parked; one that waits for Plex or for a person never is. A doubtful
    match stays doubtful until something changes, which ends its wait anyway: a day at once.

    Args:
        attempts: at least 1.
        now: aware UTC time.
        outcome: what the last try ended in.
        subset: Plex is meant to lack scenes, so one without a candidate is tried once a week.
    """
    if outcome is Outcome.FAILED and attempts >= MOST_ATTEMPTS:
        return PARKED
    if outcome is Outcome.UNMATCHED and subset:
        return iso(now + _SUBSET_WAIT)
    if outcome is Outcome.REVIEW:
        return iso(now + _LONGEST_WAIT)
    wait = _FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 16)
    return iso(now + min(wait, _LONGEST_WAIT))


def unsettled_s(version: str, server_time: datetime | None) -> float:
    """For how many seconds more another edit may hide behind a scene's version.

    Args:
        version: the scene's `updated_at`; text that is no time counts as settled.
        server_time: Stash's own clock when it gave the version; None when it did not say.
    """
    if server_time is None:
        return 0.0
    try:
        age = server_time - datetime.fromisoformat(version)
    except (ValueError, TypeError):  # TypeError: a version without a zone
        return 0.0
    age_s = age.total_seconds()
    return SETTLED_S - age_s if abs(age_s) < SETTLED_S else 0.0


def iso(moment: datetime) -> str:
    """`moment`, an aware UTC time, as text that sorts by time: `2026-11-22T08:32:54Z`."""
    return f"{moment.isoformat()[:19]}Z"


def iso_before(now: datetime, seconds: float) -> str:
    """Return the time so many seconds before `now`, see `iso`; "" where it is before all dates."""
    try:
        return iso(now - timedelta(seconds=seconds))
    except OverflowError:
        return ""
