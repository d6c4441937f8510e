"""Saved plans of lists that were merged and moved on, over both servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.sync.ports import RunOptions
from tests.support.fields_world import PLAIN, small_library
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path


def test_an_old_plan_takes_no_name_out_that_somebody_added_since(tmp_path: Path) -> None:
    """A list that was written in full and merged with others' names is no half-written one."""
    path = tmp_path / "plan.json"
    with World(small_library(2), tmp_path, **PLAIN) as world:
        world.run()
        world.stash.edit_scene(1, tag_ids=(1, 2))
        world.wait(1)
        world.run(RunOptions(dry_run=True, save_plan=path))
        world.run()
        key = world.key_of("1")
        names = {*world.tags(key, "genre"), "Typed"}
        world.plex.edit_by_hand(key, {"genre": sorted(names)})
        world.run(RunOptions(full=True))
        world.apply(path)
        assert set(world.tags(key, "genre")) == names
