"""A run that has nothing to do: what it loads, what it asks, what it leaves."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from plexsync.simulators.library.pairs import demo_library
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

LISTING = (
    "import runpy, sys\n"
    "try:\n"
    "    runpy.run_module('plexsync', run_name='__main__')\n"
    "finally:\n"
    "    print('LOADED', *sorted(sys.modules))\n"
)

UNNEEDED = frozenset(
    {
        "graphql",
        "jinja2",
        "plexsync.matcher",
        "plexsync.planning.planner",
        "plexsync.sync.execution.executor",
        "prompt_toolkit",
        "rapidfuzz",
        "rich",
        "tenacity",
    }
)
"""What a run needs that finds work, and one that finds none does not."""


def test_a_run_with_nothing_to_do_loads_nothing_to_do_it_with(tmp_path: Path) -> None:
    """Two thirds of an idle run were imports: it needs no matching, planning, writing or tables."""
    with World(demo_library(), tmp_path) as world:
        loaded = []
        for _ in range(2):
            done = subprocess.run(  # noqa: S603 - our own interpreter and script
                [sys.executable, "-c", LISTING, "run", "--force"],
                env=world.environ(),
                capture_output=True,
                text=True,
                check=True,
            )
            loaded.append(set(done.stdout.rpartition("LOADED")[2].split()))
    assert loaded[0] & UNNEEDED >= {"plexsync.matcher", "plexsync.sync.execution.executor"}
    assert loaded[1] & UNNEEDED == set()
