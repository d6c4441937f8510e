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
        assert f"{SCENES} of {SCENES} scenes are certain" in shown.out
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


def test_without_an_agent_there_is_nothing_to_adopt(tmp_path: Path) -> None:
    """It says so, and ends well."""
    with World(make_library(LibrarySpec(seed=5, scenes=3)), tmp_path) as world:
        done = run_plexsync(["adopt"], world.environ())
        assert done.code == 0, done.err
        assert "0 items name a scene" in done.out
        assert not world.plex_wire.counters.by_kind().get("plex.put")
