"""When a scene is due, when it is given up, and when its version can be trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from plexsync.models import Outcome, SceneRecord
from plexsync.planning.retry_schedule import (
    MOST_ATTEMPTS,
    PARKED,
    is_past,
    is_wait_over,
    iso,
    next_try,
    unsettled_s,
)

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def record(outcome: Outcome, *, due_at: str = "") -> SceneRecord:
    """What is remembered of a scene."""
    return SceneRecord(updated_at="v1", outcome=outcome, due_at=due_at)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.UNMATCHED, Outcome.REVIEW])
def test_a_waiting_scene_is_due_when_its_time_has_come(outcome: Outcome) -> None:
    """Both sides of the moment."""
    assert not is_wait_over(record(outcome, due_at=iso(NOW + timedelta(seconds=1))), NOW)
    assert is_wait_over(record(outcome, due_at=iso(NOW)), NOW)


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        (iso(NOW + timedelta(days=7)), False),
        (iso(NOW + timedelta(days=7, seconds=1)), True),
        ("2045-01-01T00:00:00Z", True),
        (PARKED, False),
    ],
)
def test_a_time_no_wait_reaches_has_come(moment: str, due: bool) -> None:
    """A clock that was once in 2045 puts off nothing until then."""
    assert is_wait_over(record(Outcome.UNMATCHED, due_at=moment), NOW) is due


@pytest.mark.parametrize(
    ("moment", "past"),
    [
        (iso(NOW - timedelta(hours=1)), True),
        (iso(NOW - timedelta(minutes=59)), False),
        (iso(NOW + timedelta(days=1)), False),
        (iso(NOW + timedelta(days=1, seconds=1)), True),
        ("2045-01-01T00:00:00Z", True),
        ("", True),
    ],
)
def test_a_moment_in_the_future_says_nothing(moment: str, past: bool) -> None:
    """What was last done in 2045 is done again at once; a clock a few hours off is forgiven."""
    assert is_past(moment, 3600, NOW) is past


@pytest.mark.parametrize("every_s", [999_999 * 86_400, 999_999 * 7 * 86_400], ids=["d", "w"])
def test_an_interval_longer_than_there_are_dates_is_never_over(every_s: int) -> None:
    """The longest that can be configured: only what was never done is due."""
    assert not is_past("0001-01-01T00:00:00Z", every_s, NOW)
    assert is_past("", every_s, NOW)


def test_a_change_of_plex_wakes_what_plex_may_settle() -> None:
    """Unmatched and LOW scenes are woken; a failed one waits for its time."""
    later = iso(NOW + timedelta(hours=1))
    assert is_wait_over(record(Outcome.UNMATCHED, due_at=later), NOW, woken=True)
    assert is_wait_over(record(Outcome.REVIEW, due_at=later), NOW, woken=True)
    assert not is_wait_over(record(Outcome.FAILED, due_at=later), NOW, woken=True)


@pytest.mark.parametrize(("outcome", "due"), [(Outcome.UNMATCHED, False), (Outcome.REVIEW, True)])
def test_time_alone_gives_a_scene_no_candidate(outcome: Outcome, due: bool) -> None:
    """One without is tried when its time has come only where Plex may be asked to scan."""
    assert is_wait_over(record(outcome, due_at=iso(NOW)), NOW)
    assert is_wait_over(record(outcome, due_at=iso(NOW)), NOW, timed=False) is due
    assert is_wait_over(record(outcome), NOW, timed=False)


def test_waits_double_up_to_a_day() -> None:
    """Five minutes, ten, twenty ... a day."""
    waits = [next_try(n, NOW, outcome=Outcome.UNMATCHED) for n in (1, 2, 3, 9, 10, 60)]
    expected = [5, 10, 20, 1280, 1440, 1440]
    assert waits == [iso(NOW + timedelta(minutes=minutes)) for minutes in expected]


def test_a_scene_that_keeps_failing_is_parked() -> None:
    """Seven failures leave it waiting, the eighth parks it; only a failure ever does."""
    assert next_try(MOST_ATTEMPTS - 1, NOW) != PARKED
    assert next_try(MOST_ATTEMPTS, NOW) == PARKED
    assert next_try(99, NOW, outcome=Outcome.UNMATCHED) == iso(NOW + timedelta(days=1))


def test_a_parked_scene_does_not_come_back_by_itself() -> None:
    """Neither time nor Plex wakes it."""
    late = NOW + timedelta(days=36500)
    assert not is_wait_over(record(Outcome.FAILED, due_at=PARKED), late, woken=True)


def test_what_plex_is_meant_to_lack_is_tried_once_a_week() -> None:
    """A library that holds a part of Stash does not cost more with every try."""
    week = iso(NOW + timedelta(days=7))
    assert next_try(1, NOW, outcome=Outcome.UNMATCHED, subset=True) == week
    assert next_try(1, NOW, outcome=Outcome.REVIEW, subset=True) == iso(NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("version", "left_s"),
    [
        pytest.param("2026-11-22T08:00:00Z", 5, id="this very second"),
        pytest.param("2026-11-22T09:59:56+02:00", 1, id="four seconds ago, elsewhere"),
        pytest.param("2026-11-22T07:59:55Z", 0, id="five seconds ago"),
        pytest.param("2026-11-22T08:00:04Z", 9, id="a clock a little ahead"),
        pytest.param("2026-11-22T10:00:00+02:00", 5, id="this second in another zone"),
        pytest.param("2026-11-22T08:00:00", 0, id="no zone"),
        pytest.param("2031-01-01T00:00:00Z", 0, id="a clock that once ran ahead"),
        pytest.param("garbage", 0, id="no time"),
        pytest.param("", 0, id="nothing"),
    ],
)
def test_a_version_of_this_moment_is_not_settled(version: str, left_s: float) -> None:
    """Another edit in the same second would not show in it, for so many seconds more."""
    assert unsettled_s(version, NOW) == left_s
    assert unsettled_s(version, None) == 0
