"""Thousands of crash points: whatever instant a command ends at, nothing is lost or done twice.

`make test` looks at a sample of 1,000 points, `make test-faults` at 10,000 and more; the seed is
printed, and PLEXSYNC_CRASH_SEED brings the same points back.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.crash_points import sweep
from tests.support.crash_scenarios import scenarios
from tests.support.disk_faults import dice

if TYPE_CHECKING:
    from collections.abc import Callable

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
    checked = 0
    violations: list[str] = []
    for left, scenario in zip(range(len(mine), 0, -1), mine, strict=True):
        found = sweep(scenario, seed=SEED + part, most=-(-(wanted - checked) // left))
        checked += found.checked
        violations += found.violations
    record_property("crash points", checked)
    record_property("violations", len(violations))
    assert not violations, "\n\n".join(violations[:3])
    assert checked >= wanted
