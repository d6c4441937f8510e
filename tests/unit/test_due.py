"""When a scene is due, and how far back Stash is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plexsync.due import is_due, iso, narrowing_bound, next_try
from plexsync.models import Outcome, SceneRecord

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SUMMER, WINTER = "2026-10-25T02:30:00+02:00", "2026-10-25T02:10:00+01:00"


def record(outcome: Outcome, *, version: str = "v1", due_at: str = "") -> SceneRecord:
    """What is remembered of a scene."""
    return SceneRecord(updated_at=version, outcome=outcome, due_at=due_at)


def test_a_scene_nobody_remembers_is_due() -> None:
    """The first sight of a scene is a change."""
    assert is_due("v1", None, now=NOW)


@pytest.mark.parametrize("outcome", [Outcome.APPLIED, Outcome.UNCHANGED, Outcome.KEPT])
def test_a_scene_that_was_handled_is_not_due(outcome: Outcome) -> None:
    """The same version, handled well, is left alone, even when Plex changed."""
    assert not is_due("v1", record(outcome), now=NOW, woken=True)


def test_another_version_is_due_even_if_its_text_is_smaller() -> None:
    """Daylight saving moves the text backwards; only equality means anything."""
    assert WINTER < SUMMER
    assert is_due(WINTER, record(Outcome.APPLIED, version=SUMMER), now=NOW)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNMATCHED, Outcome.REVIEW])
def test_a_waiting_scene_is_due_when_its_time_has_come(outcome: Outcome) -> None:
    """Both sides of the moment."""
    assert not is_due("v1", record(outcome, due_at=iso(NOW + timedelta(seconds=1))), now=NOW)
    assert is_due("v1", record(outcome, due_at=iso(NOW)), now=NOW)


def test_a_change_of_plex_wakes_what_plex_may_settle() -> None:
    """Unmatched and LOW scenes are woken; a failed one waits for its time."""
    later = iso(NOW + timedelta(hours=1))
    assert is_due("v1", record(Outcome.UNMATCHED, due_at=later), now=NOW, woken=True)
    assert is_due("v1", record(Outcome.REVIEW, due_at=later), now=NOW, woken=True)
    assert not is_due("v1", record(Outcome.FAILED, due_at=later), now=NOW, woken=True)


def test_a_scene_without_a_version_follows_the_configuration() -> None:
    """`missing_timestamp` decides, whatever is remembered."""
    assert is_due("", record(Outcome.APPLIED, version=""), now=NOW, sync_unversioned=True)
    assert not is_due("", None, now=NOW, sync_unversioned=False)


def test_a_scene_without_a_version_that_failed_waits_its_turn() -> None:
    """Trouble reading a scene is not a reason to try it on every run."""
    waiting = record(Outcome.FAILED, version="", due_at=iso(NOW + timedelta(hours=1)))
    assert not is_due("", waiting, now=NOW, sync_unversioned=True)


def test_waits_double_up_to_a_day() -> None:
    """Five minutes, ten, twenty ... a day."""
    waits = [next_try(n, NOW) for n in (1, 2, 3, 9, 10, 60)]
    expected = [5, 10, 20, 1280, 1440, 1440]
    assert waits == [iso(NOW + timedelta(minutes=minutes)) for minutes in expected]


@pytest.mark.parametrize(
    ("watermark", "bound"),
    [
        pytest.param("2026-11-21T23:59:59+02:00", "2026-11-18", id="three days below"),
        pytest.param("2031-01-01T00:00:00Z", "2026-11-19", id="a clock that ran ahead"),
        pytest.param("2020-05-05T00:00:00Z", "2020-05-02", id="an old library"),
        pytest.param("", "", id="nothing seen yet"),
        pytest.param("garbage", "", id="no date"),
        pytest.param("0001-01-01T00:00:00Z", "", id="before all dates"),
    ],
)
def test_stash_is_asked_from_days_below_what_was_seen(watermark: str, bound: str) -> None:
    """The bound is a date well below the watermark and below today; in doubt there is none."""
    assert narrowing_bound(watermark, NOW) == bound
