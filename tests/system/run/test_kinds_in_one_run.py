"""Two libraries of different kinds in one run, and a library of home videos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.models import Outcome
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import CREDITS, EVERYTHING
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORCED = RunOptions(full=True, force=True)
LOST_ON_EPISODES = ("originalTitle", "tagline", "studio", "genre", "actor")


@pytest.fixture
def both(tmp_path: Path) -> Iterator[World]:
    """Scenes with movies as items, and scenes with episodes as items; every field is on."""
    mix = {Case.SAME: 1.0, Case.EPISODE: 1.0}
    library = make_library(LibrarySpec(seed=3, scenes=12, mix=mix, edited=0.0))
    with World(library, tmp_path, **EVERYTHING, **CREDITS) as world:
        yield world


def kinds(world: World) -> dict[str, str]:
    """Rating key to what the item is."""
    return {key: item["type"] for key, item in world.plex.dump().items()}


def test_each_kind_gets_what_it_stores_and_the_loss_is_reported_once(both: World) -> None:
    """In one run: movies get everything, episodes what they show, and nothing more is sent."""
    ran = both.run()
    assert ran.count(Outcome.APPLIED) == 12
    assert len([one for one in ran.warnings if "episodes" in one]) == 1
    kind_of = kinds(both)
    pictures = ("/posters", "/poster", "/arts", "/art")
    written = [one for one in both.plex.writes if not one.path.endswith(pictures)]
    sent: dict[str, set[str]] = {"movie": set(), "episode": set()}
    for write in written:
        assert {kind_of[key] for key in write.rating_keys} == {kind_of[write.rating_keys[0]]}
        names = {name.partition(".")[0].partition("[")[0] for name, _ in write.arguments}
        sent[kind_of[write.rating_keys[0]]] |= names
    assert set(LOST_ON_EPISODES) <= sent["movie"]
    assert not set(LOST_ON_EPISODES) & sent["episode"]
    assert both.run(FORCED).puts == 0
    assert both.plex.misdeeds.total == 0


def test_an_episode_of_a_show_goes_back_like_a_movie(both: World) -> None:
    """And its show and season are never touched."""
    before = both.plex.dump()
    both.run()
    above = {key: item for key, item in before.items() if item["type"] in {"show", "season"}}
    assert above
    assert {key: both.plex.dump()[key] for key in above} == above
    both.undo()
    assert {key: (item["fields"], item["locks"]) for key, item in both.plex.dump().items()} == {
        key: (item["fields"], item["locks"]) for key, item in before.items()
    }


def test_home_videos_are_movies_with_everything(both: World) -> None:
    """Their items say `clip` as a subtype; they are written as movies."""
    both.run()
    clips = [one for one in both.library.plex.videos if one.subtype == "clip"]
    written = {key for write in both.plex.writes for key in write.rating_keys}
    movies = [one for one in clips if str(one.rating_key) in written and one.kind == "movie"]
    assert movies
    types = {
        dict(write.arguments)["type"]
        for write in both.plex.writes
        for key in write.rating_keys
        if key in {str(one.rating_key) for one in movies} and "type" in dict(write.arguments)
    }
    assert types == {"1"}
