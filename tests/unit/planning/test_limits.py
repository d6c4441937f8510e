"""Safety limits, on both sides of each."""

from __future__ import annotations

import pytest

from plexsync.errors import ExitCode, UnsafeError
from plexsync.models import Change, PlexField, Policy
from plexsync.planning.limits import MIN_SYNCED, Limits, clears_any

LIMITS = Limits(max_changes=500, max_clears=100, max_share=0.3)


@pytest.mark.parametrize(
    ("changes", "synced", "passes"),
    [
        pytest.param(500, 10_000, False, id="as many as allowed"),
        pytest.param(501, 10_000, True, id="one too many"),
        pytest.param(300, 1_000, False, id="the share exactly"),
        pytest.param(301, 1_000, True, id="just above the share"),
        pytest.param(MIN_SYNCED - 1, MIN_SYNCED - 1, False, id="a share of few says nothing"),
        pytest.param(MIN_SYNCED, MIN_SYNCED, True, id="a share of enough does"),
        pytest.param(0, 0, False, id="nothing"),
    ],
)
def test_a_limit_holds_on_both_sides(
    changes: int,
    synced: int,
    passes: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    """Exactly the limit goes, one more does not."""
    assert LIMITS.exceeded(changes, synced) is passes


def test_the_error_says_count_limit_and_both_ways_out() -> None:
    """A person learns how many, what the limit is, and how to pass it once or for good."""
    with pytest.raises(UnsafeError) as caught:
        LIMITS.check(changes=501, clears=0, synced=10_000)
    error = caught.value
    assert error.exit_code is ExitCode.UNSAFE
    assert "501 of 10000" in str(error)
    assert "500" in str(error)
    assert "--force" in error.hint
    assert "max_changes" in error.hint


def test_the_share_is_named_when_it_is_the_share() -> None:
    """The limit that was passed is the limit that is named."""
    with pytest.raises(UnsafeError, match="30%") as caught:
        LIMITS.check(changes=400, clears=0, synced=1_000)
    assert "max_share" in caught.value.hint


def test_values_that_go_count_apart_from_values_that_change() -> None:
    """A hundred emptied items are as many as allowed; one more is too many, however few change."""
    LIMITS.check(changes=100, clears=100, synced=10_000)
    with pytest.raises(UnsafeError, match="101 of 10000") as caught:
        LIMITS.check(changes=101, clears=101, synced=10_000)
    assert "max_clears" in caught.value.hint


@pytest.mark.parametrize("items", [100, 101])
def test_counting_is_worth_while_only_where_a_limit_could_be_passed(items: int) -> None:
    """By the lowest limit there is."""
    assert LIMITS.could_be_exceeded(items, 10_000) is (items > 100)


@pytest.mark.parametrize(
    ("gone", "remembered", "share", "passes"),
    [
        pytest.param(300, 1_000, 0.3, False, id="as many as allowed"),
        pytest.param(301, 1_000, 0.3, True, id="one too many"),
        pytest.param(49, 49, 0.3, True, id="a few, but all of them"),
        pytest.param(48, 49, 0.3, False, id="most of a few"),
        pytest.param(0, 0, 0.3, False, id="nothing was there"),
        pytest.param(1_000, 1_000, 1.0, False, id="all, as configured"),
    ],
)
def test_a_stash_may_only_shrink_so_much(
    gone: int,
    remembered: int,
    share: float,
    passes: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    """An empty one is never believed, unless the configuration says that all of it may go."""
    limits = Limits(max_changes=1, max_clears=1, max_share=share)
    if not passes:
        limits.check_gone(gone, remembered)
        return
    with pytest.raises(UnsafeError, match=f"{gone} of {remembered} scenes") as caught:
        limits.check_gone(gone, remembered)
    assert "--force" in caught.value.hint
    assert "max_share" in caught.value.hint


@pytest.mark.parametrize(
    ("before", "after", "clears"),
    [
        pytest.param("old", "", True, id="a text goes"),
        pytest.param("old", "new", False, id="a text changes"),
        pytest.param("", "", False, id="there was none"),
        pytest.param(("a", "b"), (), True, id="a list goes"),
        pytest.param(("a", "b"), ("b",), False, id="a list shrinks"),
    ],
)
def test_only_a_value_that_goes_without_another_is_cleared(
    before: str | tuple[str, ...],
    after: str | tuple[str, ...],
    clears: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    """One field of an item is enough."""
    other = Change(
        field="title",
        target=PlexField.TITLE,
        before="a",
        after="b",
        policy=Policy.OVERWRITE,
    )
    change = Change(
        field="tags", target=PlexField.GENRES, before=before, after=after, policy=Policy.OVERWRITE
    )
    assert clears_any([other, change]) is clears
