"""Saved plans that make and change collections, against both simulators over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.sync.ports import RunOptions
from tests.support.collection_world import collection_world, shelf, titles, whole

if TYPE_CHECKING:
    from pathlib import Path

ALL = {"COLLECTIONS__TAGS": "lake", "COLLECTIONS__MODE": "hide_items"}


def test_a_saved_plan_makes_what_the_run_would_have_made(tmp_path: Path) -> None:
    """The same collections, texts, posters and modes; the next run finds them right."""
    path = tmp_path / "plan.json"
    with collection_world(tmp_path / "run", **ALL) as world:
        world.run()
        expected = [{**one, "members": None} for one in world.plex.collections.dump().values()]
        members = titles(world)
    with collection_world(tmp_path / "plan", **ALL) as world:
        before = whole(world)
        world.run(RunOptions(dry_run=True, save_plan=path))
        assert whole(world) == before

        world.apply(path)

        found = [{**one, "members": None} for one in world.plex.collections.dump().values()]
        assert found == expected
        assert titles(world) == members
        settled = world.plex.collections.dump()
        world.run()
        assert world.plex.collections.dump() == settled


def test_a_saved_plan_leaves_alone_what_moved_since(tmp_path: Path) -> None:
    """A title that is taken by now, and a summary that a person typed."""
    path = tmp_path / "plan.json"
    with collection_world(tmp_path, **ALL) as world:
        world.run(RunOptions(dry_run=True, save_plan=path))
        world.plex.collections.make(1, "Mother", world.key_of("6"))
        world.apply(path)
        assert titles(world)["Mother"] == {"6"}

        world.run()
        world.stash.edit_studio(2, details="New.")
        world.wait(1)
        world.run(RunOptions(dry_run=True, save_plan=path))
        key = world.plex.collections.key_of("Daughter")
        world.plex.edit_by_hand(key, {"summary": "Mine"})
        world.apply(path)
        assert shelf(world, "Daughter")["fields"]["summary"] == "Mine"


def test_a_saved_plan_renames_to_no_title_another_collection_has_by_now(tmp_path: Path) -> None:
    """The row says so, and nothing is asked of Plex that it refuses."""
    path = tmp_path / "plan.json"
    with collection_world(tmp_path) as world:
        world.run()
        world.stash.edit_studio(1, name="Matriarch")
        world.wait(1)
        world.run(RunOptions(dry_run=True, save_plan=path))
        world.plex.collections.make(1, "Matriarch", world.key_of("6"))
        applied = world.apply(path)

        assert titles(world)["Mother"] == {"1", "2", "3", "4"}
        (row,) = [row for row in applied.rows if row.is_collection]
        assert row.outcome.value == "skipped"
        assert "another collection 'Matriarch'" in row.reason


def test_a_saved_plan_makes_no_second_collection_by_another_title(tmp_path: Path) -> None:
    """One that a run made since, by another configuration, is the only one and stays known."""
    path = tmp_path / "plan.json"
    with collection_world(tmp_path) as world:
        world.run(RunOptions(dry_run=True, save_plan=path), COLLECTIONS__TITLE="Studio {name}")
        world.run()
        before = whole(world)
        assert "Mother" in titles(world)

        ran = world.apply(path)

        assert whole(world) == before
        assert ran.outcomes()["studio:1"] == ran.outcomes()["studio:2"] == "skipped"
        assert "by now" in ran.row("studio:1").reason
        world.run(RunOptions(full=True))
        assert whole(world) == before


def test_a_saved_plan_makes_a_collection_again_that_was_deleted_in_plex(tmp_path: Path) -> None:
    """The one that is remembered is gone, so it is no other one of the same source."""
    path = tmp_path / "plan.json"
    with collection_world(tmp_path) as world:
        world.run()
        members = titles(world)
        world.plex.collections.delete(world.plex.collections.key_of("Mother"))
        world.run(RunOptions(full=True, dry_run=True, save_plan=path))

        ran = world.apply(path)

        assert ran.outcomes()["studio:1"] == "applied"
        assert titles(world) == members
        assert world.run(RunOptions(full=True)).puts == 0
        assert titles(world) == members


def test_a_saved_plan_leaves_a_collection_to_what_has_its_title_by_now(tmp_path: Path) -> None:
    """Two studios swapped names since, and with them their collections."""
    path = tmp_path / "plan.json"
    with collection_world(tmp_path) as world:
        world.run()
        world.stash.edit_scene(5, studio_id=2)
        world.wait(1)
        world.run(RunOptions(dry_run=True, save_plan=path))
        for number, name in ((2, "In between"), (1, "Daughter"), (2, "Mother")):
            world.stash.edit_studio(number, name=name)
        world.wait(1)
        world.run()
        settled = titles(world)

        row = world.apply(path).row("studio:2")

        assert "the collection of something else in Stash since the plan was saved" in row.reason
        world.run(RunOptions(full=True))
        assert titles(world) == settled
