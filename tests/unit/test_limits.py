"""Safety limits, on both sides of each."""

from __future__ import annotations

import pytest

from plexsync.errors import ExitCode, UnsafeError
from plexsync.limits import MIN_SYNCED, Limits

LIMITS = Limits(max_changes=500, max_share=0.3)


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
        LIMITS.check(501, 10_000)
    error = caught.value
    assert error.exit_code is ExitCode.UNSAFE
    assert "501 of 10000" in str(error)
    assert "500" in str(error)
    assert "--force" in error.hint
    assert "max_changes" in error.hint


def test_the_share_is_named_when_it_is_the_share() -> None:
    """The limit that was passed is the limit that is named."""
    with pytest.raises(UnsafeError, match="30%") as caught:
        LIMITS.check(400, 1_000)
    assert "max_share" in caught.value.hint
