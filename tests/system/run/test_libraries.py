"""Fields of single libraries, over both servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.config.fields import FIELD_SETTINGS
from plexsync.models import Outcome
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import PLAIN
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Scenes that are movies of one library, and episodes of another."""
    mix = {Case.SAME: 1.0, Case.EPISODE: 1.0}
    library = make_library(LibrarySpec(seed=3, scenes=12, mix=mix, edited=0.0))
    with World(library, tmp_path, **PLAIN) as made:
        yield made


def say(world: World, text: str) -> None:
    """Write the configuration file."""
    path = world.directory / ".config" / "plexsync" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def titles_by_key(world: World) -> dict[str, str]:
    """The library of each item."""
    named = {one.id: one.title for one in world.library.plex.sections}
    return {str(one.rating_key): named[one.section_id] for one in world.library.plex.videos}


def films_key(world: World) -> str:
    """An item that is a movie."""
    return next(str(one.rating_key) for one in world.library.plex.videos if one.kind != "episode")


def test_each_library_gets_its_own_fields(world: World) -> None:
    """The same scenes' words reach two libraries by two rules, and stay there in later runs."""
    films = titles_by_key(world)[films_key(world)]
    say(world, f'[libraries."{films}".fields]\ntitle.template = "{{code}}"\nsummary = "off"\n')
    for scene_id in range(1, 13):
        world.stash.edit_scene(scene_id, title=f"T {scene_id}", code=f"C-{scene_id}", details="D")
    ran = world.run()
    assert ran.count(Outcome.APPLIED) == 12
    for row in ran.rows:
        assert row.item is not None
        own = row.item.library == films
        shown = (
            world.shown(row.item.rating_key, "title"),
            world.shown(row.item.rating_key, "summary"),
        )
        assert shown[0] == (f"C-{row.scene.id}" if own else f"T {row.scene.id}")
        assert (shown[1] == "D") is not own
    assert world.run(RunOptions(full=True)).puts == 0


def test_what_only_one_library_shows_makes_a_scene_due(world: World) -> None:
    """An edit of a value that nothing but its own rule speaks of."""
    key = films_key(world)
    (scene_id,) = [one for one, keys in world.library.truth.items() if key in keys]
    say(world, f'[libraries."{titles_by_key(world)[key]}".fields]\ntitle.template = "{{code}}"\n')
    world.stash.edit_scene(scene_id, title="T", code="C-1")
    world.run()
    world.stash.edit_scene(scene_id, code="C-2")
    assert world.run().outcomes() == {scene_id: "applied"}
    assert world.shown(key, "title") == "C-2"
    say(world, "")
    world.run(RunOptions(force=True))
    assert world.shown(key, "title") == "T"


@pytest.mark.parametrize("kind", ["movie", "episode"])
def test_a_library_in_which_all_fields_are_off_is_left_alone(world: World, kind: str) -> None:
    """It is not filled as the libraries without own rules are."""
    titles = titles_by_key(world)
    keys = [str(one.rating_key) for one in world.library.plex.videos if one.kind == kind]
    off = "".join(f'{field.name} = "off"\n' for field in FIELD_SETTINGS)
    say(world, f'[libraries."{titles[keys[0]]}".fields]\n{off}')
    for scene_id in range(1, 13):
        world.stash.edit_scene(scene_id, title=f"T {scene_id}")
    world.run()
    written = {key for write in world.plex.writes for key in write.rating_keys}
    assert written == {*titles} - {*keys}


def test_pictures_may_be_off_in_one_library(world: World) -> None:
    """The covers of its scenes are not sent."""
    films = titles_by_key(world)[films_key(world)]
    say(world, f'[libraries."{films}".fields]\nposter = "off"\n')
    world.stash.generate_covers()
    world.run(FIELDS__POSTER="overwrite")
    library = titles_by_key(world)
    sent = {library[w.rating_keys[0]] for w in world.plex.writes if w.path.endswith("/posters")}
    assert sent == {*library.values()} - {films}


def test_a_library_that_is_not_there_is_named_with_the_nearest(world: World) -> None:
    """And nothing else of the run changes."""
    films = titles_by_key(world)[films_key(world)]
    say(world, f'[libraries."{films}z".fields]\ntitle = "off"\n')
    ran = world.run()
    (warning,) = [one for one in ran.warnings if "libraries" in one]
    assert warning == f"[libraries] Plex has no library '{films}z'; did you mean '{films}'?"
    assert ran.count(Outcome.APPLIED) == 12
