"""The collector of cyclic garbage is seldom at work, off during a run, and then as it was."""

from __future__ import annotations

import gc

import pytest

from plexsync.__main__ import collect_seldom
from plexsync.app.runs import uncollected


@uncollected()
def fail_uncollected() -> None:
    """Fail in the middle of it."""
    assert not gc.isenabled()
    raise ValueError("the run fails")


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_off_meanwhile_and_then_as_it_was(enabled: bool) -> None:
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


def test_the_collector_lets_a_start_pass_by() -> None:
    """A short command ends before it looks through what was imported for it."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        collect_seldom()
        assert gc.isenabled()
        assert gc.get_threshold()[0] > 20 * 700
        assert gc.get_threshold()[1:] == (10, 10)
    finally:
        gc.set_threshold(*before)
