"""Performers who share a name, and names that Plex spells otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.models import Outcome, SceneId
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import PLAIN, small_library
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = "{name} ({disambiguation})"
PLEX = {"FIELDS__PERFORMERS__NAME": LONG, "FIELDS__PERFORMERS__PHOTO": "{image}"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Eight scenes, each with one performer: two Anns, one Bea, and others."""
    with World(small_library(), tmp_path, **PLAIN) as made:
        for scene_id in range(1, 9):
            made.stash.edit_scene(scene_id, performer_ids=())
        made.stash.edit_scene(1, performer_ids=(performer(made, "Ann Lee", "1990"),))
        made.stash.edit_scene(2, performer_ids=(performer(made, "Bea", "dancer"),))
        yield made


def performer(world: World, name: str, disambiguation: str = "") -> int:
    """A new performer with a picture."""
    return world.stash.add_performer(
        name, disambiguation=disambiguation, has_image=True, alias_list=(f"{name} Alias",)
    )


def actors(world: World, scene_id: str) -> tuple[str, ...]:
    """The actors of a scene's item."""
    return world.tags(world.key_of(scene_id), "actor")


def photos(world: World, scene_id: str) -> dict[str, str]:
    """Their photos, by name."""
    found = world.plex.dump()[world.key_of(scene_id)]["photos"]
    return dict(found)


def test_only_a_shared_name_is_made_longer(world: World) -> None:
    """When a second one of the name comes, and back when it goes; no scene's time moves for it."""
    world.settings |= PLEX
    world.run()
    assert (actors(world, "1"), actors(world, "2")) == (("Ann Lee",), ("Bea",))
    second = performer(world, "ann  lee", "actress")
    world.stash.edit_scene(3, performer_ids=(second,))
    third = performer(world, "Ann Lee")
    ran = world.run()
    assert set(ran.outcomes()) == {"1", "3"}
    assert actors(world, "1") == ("Ann Lee (1990)",)
    assert actors(world, "3") == ("ann lee (actress)",)
    world.stash.delete_performer(third)
    world.stash.edit_performer(second, name="Someone Else")
    assert set(world.run().outcomes()) == {"1", "3"}
    assert (actors(world, "1"), actors(world, "3")) == (("Ann Lee",), ("Someone Else",))
    assert world.run(RunOptions(full=True)).puts == 0


def test_without_being_asked_a_shared_name_stays_as_it_is(world: World) -> None:
    """One actor to Plex, as before."""
    world.stash.edit_scene(3, performer_ids=(performer(world, "Ann Lee", "actress"),))
    world.run()
    assert actors(world, "1") == actors(world, "3") == ("Ann Lee",)


def test_a_unique_name_has_a_photo_although_it_has_a_disambiguation(world: World) -> None:
    """A shared one has it only where each is called otherwise in Plex."""
    world.run(FIELDS__PERFORMERS__PHOTO="{image}")
    assert "/performer/" in photos(world, "1")["Ann Lee"]
    assert "/performer/" in photos(world, "2")["Bea"]


def test_namesakes_that_are_called_the_same_get_no_photo_of_each_other(world: World) -> None:
    """Nobody knows of which it would be; with names of their own each has one."""
    world.stash.edit_scene(3, performer_ids=(performer(world, "Ann Lee", "actress"),))
    world.run(FIELDS__PERFORMERS__PHOTO="{image}")
    assert not photos(world, "1").get("Ann Lee")
    world.settings |= PLEX
    world.run(RunOptions(force=True))
    first, second = photos(world, "1"), photos(world, "3")
    assert first["Ann Lee (1990)"] != second["Ann Lee (actress)"]


def test_patterns_fit_the_name_of_stash_however_long_it_is_made(world: World) -> None:
    """`exclude` knows no disambiguation."""
    world.stash.edit_scene(3, performer_ids=(performer(world, "Ann Lee", "actress"),))
    world.settings |= {**PLEX, "FIELDS__PERFORMERS__INCLUDE": "Ann Lee"}
    world.run()
    assert (actors(world, "1"), actors(world, "2")) == (("Ann Lee (1990)",), ())


def test_a_run_of_named_scenes_knows_who_shares_a_name(world: World) -> None:
    """From the run before."""
    world.settings |= PLEX
    world.stash.edit_scene(3, performer_ids=(performer(world, "Ann Lee", "actress"),))
    world.run()
    named = world.run(RunOptions(scenes=(SceneId("1"),)))
    assert named.row("1").outcome is Outcome.UNCHANGED


def test_capitals_corrected_in_stash_are_reported(world: World) -> None:
    """Plex keeps its first spelling; nothing is written for it, and nothing on a quiet day."""
    (lee,) = world.stash.scene(1).performer_ids
    world.stash.edit_performer(lee, name="ann lee")
    world.run()
    world.stash.edit_performer(lee, name="Ann Lee")
    ran = world.run()
    assert ran.puts == 0
    (warning,) = ran.warnings
    assert warning.startswith("Plex keeps the spelling it was given first: 'ann lee' for 'Ann Lee'")
    assert world.run().warnings == ()


def test_aliases_reach_no_field_of_plex(world: World) -> None:
    """Only names do, whatever is on."""
    world.settings |= {**PLEX, "FIELDS__TITLE__TEMPLATE": "{performers}"}
    world.run(FIELDS__LABELS="overwrite")
    shown = repr(world.plex.dump())
    assert "Ann Lee" in shown
    assert "Alias" not in shown
