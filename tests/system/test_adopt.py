"""`plexsync adopt`: what an agent matched is taken over by the ids it left, and no path rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from plexsync.simulators.library.pairs import LibrarySpec, make_library
from tests.support.agent_library import agent_library
from tests.support.terminals import run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCENES = 8

FORMS: dict[str, Callable[[str], str]] = {
    "legacy agent": lambda one: f"com.plexapp.agents.stashplexagent://{one}?lang=en",
    "NFO": lambda one: f"tv.plex.agents.nfo.movie://movie/stash_{one}",
    "custom provider": lambda one: f"tv.plex.agents.custom.mine://movie/scene-{one}",
}


@pytest.mark.parametrize("guid", FORMS.values(), ids=FORMS)
def test_items_of_an_agent_are_taken_over(guid: Callable[[str], str], tmp_path: Path) -> None:
    """Shown with what the agent left, then linked and written; nothing is left to do."""
    with World(agent_library(guid, scenes=SCENES), tmp_path) as world:
        shown = run_plexsync(["adopt", "-n"], world.environ())
        assert shown.code == 0, shown.err
        assert f"{SCENES} of {SCENES} scenes certain" in shown.out
        assert "locks title" in shown.out
        assert "collections Of the Agent" in shown.out
        assert not world.plex_wire.counters.by_kind().get("plex.put")
        done = run_plexsync(["adopt"], world.environ())
        assert done.code == 0, done.err
        assert world.plex_wire.counters.by_kind()["plex.put"]
        assert world.run().puts == 0
        assert len(world.state().claims()) == SCENES


def test_ids_that_started_again_link_nothing_wrong(tmp_path: Path) -> None:
    """A GUID that names another scene is contradicted by the file."""
    with World(agent_library(FORMS["legacy agent"], scenes=SCENES, shift=1), tmp_path) as world:
        shown = run_plexsync(["adopt", "-n", "--json"], world.environ())
        assert shown.code == 0, shown.err
        found = json.loads(shown.out)
        assert found["items"] == SCENES
        assert [one for one in found["scenes"] if one["confidence"] == "HIGH"] == []


def test_scenes_that_take_no_part_are_not_adopted(tmp_path: Path) -> None:
    """As a run does, it leaves them alone, and says why: that a GUID names one asks for nothing."""
    library = agent_library(FORMS["legacy agent"], scenes=SCENES)
    scope = {"EXCLUDE_TAGS": "Private", "ORGANIZED_ONLY": "true", "REQUIRED": "date"}
    with World(library, tmp_path, **{f"STASH__{key}": one for key, one in scope.items()}) as world:
        for scene in world.stash.scenes:
            world.stash.edit_scene(scene.id, organized=True, date="2020-01-02", tag_ids=())
        world.stash.edit_scene(1, tag_ids=(world.stash.add_tag("Private"),))
        world.stash.edit_scene(2, organized=False)
        world.stash.edit_scene(3, date=None)
        keys = [world.key_of(one) for one in ("1", "2", "3")]
        before = [world.plex.dump()[key] for key in keys]
        done = run_plexsync(["adopt"], world.environ())
        assert done.code == 0, done.err
        assert "scene 1: takes no part: has an excluded tag (Private)" in done.out
        assert "scene 2: takes no part: is not organized" in done.out
        assert "scene 3: takes no part: waits for date" in done.out
        assert f"{SCENES - 3} of {SCENES} scenes certain" in done.out
        assert len(world.state().claims()) == SCENES - 3
        assert [world.plex.dump()[key] for key in keys] == before


def test_without_an_agent_there_is_nothing_to_adopt(tmp_path: Path) -> None:
    """It says so, and ends well."""
    with World(make_library(LibrarySpec(seed=5, scenes=3)), tmp_path) as world:
        done = run_plexsync(["adopt"], world.environ())
        assert done.code == 0, done.err
        assert "No item names a scene in its GUID" in done.out
        assert not world.plex_wire.counters.by_kind().get("plex.put")
