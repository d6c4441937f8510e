"""Libraries another program writes to: named by the check-up and by a first run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.models import ItemKind, Section
from plexsync.plex.connection import other_writer
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from tests.support.terminals import run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

WRITERS = [
    pytest.param("com.plexapp.agents.stashplexagent", "a Stash agent", id="legacy agent"),
    pytest.param("tv.plex.agents.custom.stash", "a custom metadata provider", id="provider"),
    pytest.param("tv.plex.agents.nfo.movie", "Plex's NFO agent", id="NFO"),
]
ALONE = ["com.plexapp.agents.none", "tv.plex.agents.none", "tv.plex.agents.movie", ""]


def world_with(agent: str, directory: Path) -> World:
    """A library with that agent."""
    spec = LibrarySpec(seed=3, scenes=3, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    library = make_library(spec)
    sections = tuple(replace(section, agent=agent) for section in library.plex.sections)
    library = replace(library, plex=replace(library.plex, sections=sections))
    return World(library, directory, PATHS="/data/=/media/")


@pytest.mark.parametrize(("agent", "words"), WRITERS)
def test_another_writer_is_named_and_adopt_is(tmp_path: Path, agent: str, words: str) -> None:
    """By the check-up every time, by runs only before anything was written."""
    with world_with(agent, tmp_path) as world:
        shown = run_plexsync(["doctor"], world.environ())
        assert words in shown.out
        assert "plexsync adopt" in shown.out
        warnings = [one for one in world.run().warnings if words in one]
        assert len(warnings) == len(world.library.plex.sections)
        assert all("plexsync adopt" in one for one in warnings)
        assert not [one for one in world.run().warnings if words in one]


@pytest.mark.parametrize("agent", ALONE)
def test_an_agent_that_knows_nothing_of_stash_is_no_writer(agent: str) -> None:
    """Plex's own ones, and none."""
    section = Section(section_id="1", title="Films", kind=ItemKind.MOVIE, agent=agent)
    assert other_writer(section) == ""
