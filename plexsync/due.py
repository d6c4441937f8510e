"""When a scene is due: what changed, what waits, and for how long.

`updated_at` is an opaque version text: another text means another version, and nothing else is
read into it. Source: docs/stash-api.md 2.5.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from plexsync.models import Outcome

if TYPE_CHECKING:
    from plexsync.models import SceneRecord

WAITING = frozenset({Outcome.UNMATCHED, Outcome.REVIEW, Outcome.FAILED, Outcome.SKIPPED})
"""Outcomes after which a scene is tried again although nothing changed in Stash."""

WOKEN = frozenset({Outcome.UNMATCHED, Outcome.REVIEW})
"""Outcomes that a change of the Plex library may settle, so it ends their wait."""

PARKED = "9999-12-31T23:59:59Z"
"""When a scene is due that nothing but a change of the scene or of the configuration can help."""

_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(days=1)

# Stash compares the stored text, offsets and all: 26 hours of offset span, daylight saving and
# clocks that are a little off stay inside three days. Source: docs/stash-api.md 2.5.
_MARGIN = timedelta(days=3)


def is_due(
    version: str,
    record: SceneRecord | None,
    *,
    now: datetime,
    woken: bool = False,
    sync_unversioned: bool = True,
) -> bool:
    """Whether a scene is to be looked at in this run.

    Args:
        version: the scene's `updated_at` as Stash gives it now; "" when it gives none.
        record: what the last run remembered of it.
        now: aware UTC time.
        woken: the Plex library changed since the last run.
        sync_unversioned: a scene without a version is always due; else never.
    """
    if record is not None and record.updated_at == version and record.outcome in WAITING:
        return (woken and record.outcome in WOKEN) or record.due_at <= iso(now)
    if not version:
        return sync_unversioned
    return record is None or record.updated_at != version


def next_try(attempts: int, now: datetime) -> str:
    """When to try again after `attempts` tries in a row that did not end well, as ISO time.

    Five minutes, then twice as long each time, at most a day.
    """
    wait = _FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 16)
    return iso(now + min(wait, _LONGEST_WAIT))


def narrowing_bound(watermark: str, now: datetime) -> str:
    """The date after which Stash is asked for changed scenes: `YYYY-MM-DD`, or "" for all of them.

    It lies days below the newest version text of the last complete run, and below today, so that
    a clock that once ran ahead hides nothing.
    """
    try:
        newest = date.fromisoformat(watermark[:10])
        return (min(newest, now.date()) - _MARGIN).isoformat()
    except (ValueError, OverflowError):
        return ""


def iso(moment: datetime) -> str:
    """`moment`, an aware UTC time, as text that sorts by time: `2026-11-22T08:32:54Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
