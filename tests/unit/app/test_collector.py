"""The collector of cyclic garbage is off during a run, and as it was afterwards."""

from __future__ import annotations

import gc

import pytest

from plexsync.app.collector import uncollected


@uncollected()
def fail_uncollected() -> None:
    """Fail in the middle of it."""
    assert not gc.isenabled()
    raise ValueError("the run fails")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_off_meanwhile_and_then_as_it_was(enabled: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Also where a run fails, and where somebody else had it off."""
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ValueError, match="the run fails"):
            fail_uncollected()
        assert gc.isenabled() is enabled
        assert gc.get_freeze_count() == 0
    finally:
        (gc.enable if before else gc.disable)()
