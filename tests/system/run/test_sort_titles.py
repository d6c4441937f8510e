"""Sort titles that are not ours: what a new title does to them, and what an undo gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.state import read_history
from plexsync.sync.ports import RunOptions
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TITLE, BY_THE_AGENT = "The Space Odyssey: 2", "Space Odyssey 2, The"
BY_HAND = "Series 03"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two plain scenes; an agent gave the item of the first a sort title and locked nothing."""
    spec = LibrarySpec(seed=3, scenes=2, mix={Case.SAME: 1.0}, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        made.plex.agent_refresh(made.key_of("1"), {"title": TITLE, "titleSort": BY_THE_AGENT})
        yield made


def test_while_it_is_off_it_follows_the_title_and_undo_gives_it_back(world: World) -> None:
    """Shown as a change, taken back with the title alone, and unlocked all the time."""
    key = world.key_of("1")
    before = world.plex.dump()[key]
    ran = world.run()
    followed = [one for one in ran.row("1").changes if one.field == "title+sort_title"]
    assert [(one.before, one.after) for one in followed] == [(BY_THE_AGENT, "")]
    assert world.shown(key, "titleSort") == ""
    world.undo(fields=("title",))
    back = world.plex.dump()[key]
    assert back["fields"]["titleSort"] == BY_THE_AGENT
    assert back["fields"]["title"] == before["fields"]["title"]
    assert "titleSort" not in back["locks"]
    assert world.run().puts == 0


def test_one_set_by_hand_stays_also_where_it_is_not_locked(world: World) -> None:
    """It is not made of the title, so it does not follow it; an undo finds it there, too."""
    key = world.key_of("1")
    world.plex.edit_by_hand(key, {"titleSort": BY_HAND}, lock=False)
    before = world.plex.dump()[key]
    world.run()
    assert world.shown(key, "titleSort") == BY_HAND
    assert "titleSort" not in world.plex.dump()[key]["locks"]
    world.stash.edit_scene(1, title="Another Title")
    world.run()
    assert world.shown(key, "titleSort") == BY_HAND
    for run in [entry.run_id for entry in read_history(world.state_dir)]:
        world.undo(run)
    assert world.plex.dump()[key] == before


def test_undoing_the_undo_follows_the_title_again(world: World) -> None:
    """Whatever way, field for field."""
    world.run()
    after = world.plex.dump()[world.key_of("1")]
    back = world.undo()
    world.undo(back.summary.header.run_id)
    assert world.plex.dump()[world.key_of("1")] == after


@pytest.mark.parametrize("policy", ["fill", "keep", "overwrite"])
def test_while_it_is_on_and_nothing_is_written_it_stays(world: World, policy: str) -> None:
    """Filled only where there is none, or Stash has nothing to say: a title takes nothing away."""
    key = world.key_of("1")
    world.settings.update(
        FIELDS__SORT_TITLE=policy,
        FIELDS__SORT_TITLE__TEMPLATE="{date} {title}" if policy == "fill" else "{code}",
    )
    world.stash.edit_scene(1, code="", title="Another Title")
    world.run()
    assert world.shown(key, "title") == "Another Title"
    assert world.shown(key, "titleSort") == BY_THE_AGENT
    assert "titleSort" not in world.plex.dump()[key]["locks"]
    world.undo()
    assert world.shown(key, "titleSort") == BY_THE_AGENT


def test_undo_keeps_a_sort_title_that_was_sent_along(world: World) -> None:
    """Ours and unlocked: the first run's sort title outlives a second run and its undo."""
    world.settings.update(
        FIELDS__SORT_TITLE="overwrite",
        FIELDS__SORT_TITLE__TEMPLATE="{code}",
        APPLY__LOCK_FIELDS="false",
    )
    world.stash.edit_scene(1, code="L-1")
    world.run()
    world.stash.edit_scene(1, title="The New One")
    world.run()
    world.undo()
    assert world.shown(world.key_of("1"), "titleSort") == "L-1"


def test_a_sort_title_stays_gone_where_the_title_stays(world: World) -> None:
    """A person gave another title since: the old sort title would not go with it."""
    key = world.key_of("1")
    world.run()
    world.plex.edit_by_hand(key, {"title": "By Hand"})
    world.undo()
    assert world.shown(key, "title") == "By Hand"
    assert world.shown(key, "titleSort") == ""


def test_a_saved_plan_leaves_a_sort_title_that_came_since(world: World, tmp_path: Path) -> None:
    """What the plan knew nothing of is sent along with its title."""
    key = world.key_of("2")
    file = tmp_path / "plan.json"
    world.run(RunOptions(dry_run=True, save_plan=file))
    world.plex.agent_refresh(key, {"titleSort": "Came Since"})
    world.apply(file)
    assert world.shown(key, "titleSort") == "Came Since"
