"""A run that has nothing to do: what it loads, what it asks, what it leaves."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from plexsync.simulators.library.pairs import Case, LibrarySpec, demo_library, make_library
from plexsync.storage.journal import SceneKept, journal_path, read_journal
from plexsync.sync.ports import RunOptions
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

LISTING = (
    "import runpy, sys\n"
    "try:\n"
    "    runpy.run_module('plexsync', run_name='__main__')\n"
    "finally:\n"
    "    print('LOADED', *sorted(sys.modules))\n"
    "    for name, module in sorted(sys.modules.items()):\n"
    "        if name.startswith('plexsync.'):\n"
    "            for one in vars(module).values():\n"
    "                if hasattr(one, '__dataclass_fields__') and one.__module__ == name:\n"
    "                    print(name + ':dataclass')\n"
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

DATACLASSES = frozenset(
    f"plexsync.{name}:dataclass"
    for name in (
        "app.announcing",
        "config.secrets",
        "config.sections",
        "output.reporters",
        "sync.detection.detector",
        "transport.responses",
    )
)
"""Where a run that finds no work may make dataclasses: each costs as much as ten structs."""


def test_a_run_with_nothing_to_do_loads_nothing_to_do_it_with(tmp_path: Path) -> None:
    """No matching, planning, writing or tables; and plexapi is for signing in, not for a run.

    Where a linked scene was edited no titles are compared.
    """
    with World(demo_library(), tmp_path) as world:
        loaded = []
        for edited in (False, False, True):
            if edited:
                linked = next(scene_id for scene_id, _ in world.state().links())
                world.stash.edit_scene(int(linked), title="Another Title")
                world.wait(hours=0.1)
            done = subprocess.run(
                [sys.executable, "-c", LISTING, "run", "--force"],
                env=world.environ(),
                capture_output=True,
                text=True,
                check=True,
            )
            loaded.append(set(done.stdout.rpartition("LOADED")[2].split()))
    assert loaded[0] & UNNEEDED >= {"plexsync.matcher", "plexsync.sync.execution.executor"}
    assert loaded[1] & UNNEEDED == set()
    assert "plexsync.sync.execution.executor" in loaded[2]
    assert "rapidfuzz" not in loaded[2]
    assert not {"plexapi", "logging.handlers"} & (loaded[0] | loaded[1])
    assert {name for name in loaded[1] if name.endswith(":dataclass")} <= DATACLASSES


def test_a_full_run_that_changes_nothing_remembers_nothing_new(tmp_path: Path) -> None:
    """A record holds what the next run needs: that a value was written long ago is not of that."""
    mix = {Case.SAME: 3, Case.TWO_ITEMS: 1}
    spec = LibrarySpec(seed=5, scenes=16, mix=mix, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        assert world.run().summary.counts.applied
        full = world.run(RunOptions(full=True))
        entries = read_journal(journal_path(world.state_dir, full.summary.header.run_id))
        kept = [entry.scene_id for entry in entries if isinstance(entry, SceneKept)]
    assert full.summary.counts.unchanged
    assert kept == []
