"""Thousands of crash points: whatever instant a command ends at, nothing is lost or done twice.

`make test` looks at a sample of 1,000 points, `make test-faults` at 10,000 and more; the seed is
printed, and PLEXSYNC_CRASH_SEED brings the same points back. Once in each scenario a process is
killed for real besides.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.broken_programs import BROKEN
from tests.support.crash_points import Scenario, sweep
from tests.support.crash_scenarios import scenarios
from tests.support.disk_faults import dice

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.one_process import OneProcess

PARTS = 16
SEED = int(os.environ.get("PLEXSYNC_CRASH_SEED", "1"))
POINTS = int(os.environ.get("PLEXSYNC_CRASH_POINTS", "1000"))
MOST_SCENARIOS = 4 if POINTS <= 1000 else 1000
"""In a part of a sample: what comes before the first point costs as much as ten points."""


@pytest.mark.parametrize("part", range(PARTS))
def test_a_crash_at_any_point_is_made_good(
    part: int, record_property: Callable[[str, object], None]
) -> None:
    """The next run ends the work as if nothing had happened, and all of it can be taken back."""
    mine = list(scenarios())[part::PARTS]
    dice(SEED + part).shuffle(mine)
    mine = mine[:MOST_SCENARIOS]
    wanted = -(-POINTS // PARTS)
    checked = killed = 0
    violations: list[str] = []
    for left, scenario in zip(range(len(mine), 0, -1), mine, strict=True):
        most = -(-(wanted - checked) // left)
        found = sweep(scenario, seed=SEED + part, most=most, kills=1)
        checked += found.checked
        killed += found.killed
        violations += found.violations
    record_property("crash points", checked)
    record_property("killed for real", killed)
    record_property("violations", len(violations))
    assert not violations, "\n\n".join(violations[:3])
    assert checked >= wanted
    assert killed == len(mine)


@pytest.mark.parametrize("name", BROKEN)
def test_a_sweep_finds_what_is_broken_on_purpose(name: str) -> None:
    """No fsync, requests before their journal, writes never settled: each is found."""

    def broken() -> OneProcess:
        stage = whole.make()
        BROKEN[name](stage)
        return stage

    (whole,) = [one for one in scenarios() if one.name == "edits alike, merge preserve"]
    scenario = Scenario(whole.name, broken, whole.before, whole.command, whole.finish)
    assert sweep(scenario, seed=5, most=48, until_found=True).violations
