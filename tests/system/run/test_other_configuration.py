"""Another configuration holds from the next run on, whatever earlier runs went by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.sync.ports import RunOptions
from tests.support.fields_world import PLAIN, small_library
from tests.support.world import World, assert_quiet, scene_ids, stops_after

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import Ran

SCENES = 6
TRIED = "{title} (tried)"
FULL = RunOptions(full=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Every scene is in Plex, and written."""
    with World(small_library(SCENES), tmp_path, **PLAIN) as made:
        made.run()
        made.wait(1)
        assert_quiet(made.run())
        yield made


def titles(world: World) -> list[str]:
    """What the items are called."""
    return [world.shown(world.key_of(str(one)), "title") for one in range(1, SCENES + 1)]


def tried(world: World, how: str) -> Ran:
    """A run by other rules that comes to some scenes only."""
    if how == "stopped":
        return world.run(should_stop=stops_after(5), FIELDS__TITLE__TEMPLATE=TRIED)
    options = {
        "one scene": RunOptions(scenes=scene_ids(3)),
        "a limit": RunOptions(limit=2, full=True),
        "a library": RunOptions(libraries=("Scenes",), full=True),
    }
    return world.run(options[how], FIELDS__TITLE__TEMPLATE=TRIED)


@pytest.mark.parametrize("how", ["stopped", "one scene", "a limit", "a library"])
def test_what_was_tried_on_some_scenes_goes_once_the_configuration_is_put_back(
    world: World, how: str
) -> None:
    """The next run writes what it says, and one more has nothing to do."""
    before = titles(world)
    assert tried(world, how).puts
    assert titles(world) != before
    world.run()
    assert titles(world) == before
    assert_quiet(world.run())


def test_a_run_of_one_scene_by_the_same_rules_makes_no_other_run_a_full_one(world: World) -> None:
    """Nothing is forgotten for it."""
    world.run(RunOptions(scenes=scene_ids(3)))
    world.run(RunOptions(libraries=("Scenes",)))
    assert_quiet(world.run())


def test_a_library_has_the_fields_that_go_by_its_title(world: World) -> None:
    """One renamed in Plex has those of everywhere, and its own again with its former title."""
    file = world.directory / "own.toml"
    file.write_text('[libraries."Scenes".fields]\ntitle.template = "{title} (own)"\n', "utf-8")
    plain = titles(world)
    world.settings["CONFIG"] = str(file)
    world.run()
    own = titles(world)
    assert own == [f"{one} (own)" for one in plain]
    for title, wanted in (("Clips", plain), ("Scenes", own)):
        world.plex.rename_library(1, title)
        world.run()
        assert titles(world) == wanted
        assert_quiet(world.run())


def test_a_run_of_one_library_is_no_other_configuration_of_the_others(world: World) -> None:
    """Fields of a library that takes no part in a run are not forgotten."""
    file = world.directory / "own.toml"
    file.write_text('[libraries."Archive".fields]\ntitle = "off"\n', "utf-8")
    world.settings["CONFIG"] = str(file)
    world.run()
    world.run(RunOptions(libraries=("Scenes",)))
    assert_quiet(world.run())


@pytest.mark.parametrize(
    "settings",
    [
        {"FIELDS__SUMMARY__TEMPLATE": "{details} {stash_url}"},
        {"FIELDS__PERFORMERS__PHOTO": "{image}"},
    ],
    ids=["links to scenes", "photos"],
)
def test_another_address_of_stash_is_shown_where_plex_shows_it(
    world: World, settings: dict[str, str]
) -> None:
    """The run after the address changed writes it everywhere."""
    world.settings |= settings
    world.run()
    assert_quiet(world.run())
    world.stash_url = world.stash_url.replace("127.0.0.1", "localhost")
    assert world.run().puts
    assert world.run(FULL).puts == 0


def test_another_address_of_stash_costs_nothing_where_plex_does_not_show_it(world: World) -> None:
    """No run becomes a full one for it."""
    world.stash_url = world.stash_url.replace("127.0.0.1", "localhost")
    assert_quiet(world.run())


def test_copies_are_written_and_left_alone_as_the_configuration_has_it(world: World) -> None:
    """From the next run on, and what was written to a copy still counts as plexsync's."""
    video = world.library.plex.videos[0]
    (media,) = video.media
    (part,) = media.parts
    elsewhere = replace(part, id=9_001, file=part.file.replace("/media/", "/backup/"))
    copy = world.plex.scan_in(
        replace(video, rating_key=0, media=(replace(media, id=9_002, parts=(elsewhere,)),))
    )
    world.rescan()
    scene_id = next(one for one, keys in world.library.truth.items() if "1000" in keys)
    names = ["First", "Second", "Third"]
    shown = []
    for title, policy in zip(names, ("write", "skip", "write"), strict=True):
        world.settings["MATCH__COPIES"] = policy
        world.run()
        world.stash.edit_scene(scene_id, title=title)
        world.wait(1)
        world.run()
        shown.append(world.shown(copy, "title"))
        assert world.run(FULL).puts == 0
    assert shown == ["First", "First", "Third"]


@pytest.mark.parametrize("lock", [True, False], ids=["typed", "of an agent"])
@pytest.mark.parametrize("preserve", ["true", "false"])
@pytest.mark.parametrize("policy", ["overwrite", "keep", "fill"])
def test_names_of_others_in_a_merged_list_count_as_before_under_another_policy(
    world: World, policy: str, preserve: str, *, lock: bool
) -> None:
    """Those a person typed stay where a typed value does, and all of them under `fill`."""
    world.settings["APPLY__PRESERVE_PLEX_EDITS"] = preserve
    key = world.key_of("1")
    world.stash.edit_scene(1, tag_ids=(1, 2), performer_ids=(1,))
    world.plex.agent_refresh(key, {"genre": []})
    world.plex.set_locks(key, locked=())
    world.plex.edit_by_hand(key, {"genre": ["Other"]}, lock=lock)
    world.wait(1)
    world.run(FULL)
    merged = world.tags(key, "genre")
    assert {"Other", *named(world, 1, 2)} == set(merged)
    world.settings["FIELDS__TAGS"] = policy
    world.run()
    stays = policy == "fill" or (lock and (policy == "keep" or preserve == "true"))
    assert set(world.tags(key, "genre")) == (set(merged) if stays else named(world, 1, 2))
    assert world.run(FULL).puts == 0
    world.stash.edit_scene(1, tag_ids=(2, 3))
    world.wait(1)
    world.run()
    assert set(world.tags(key, "genre")) == (set(merged) if stays else named(world, 2, 3))


def test_a_name_typed_into_a_merged_list_stays_under_another_policy(world: World) -> None:
    """Also one that came after the first write, and a take-over replaces it."""
    key = world.key_of("1")
    world.stash.edit_scene(1, tag_ids=(1, 2))
    world.wait(1)
    world.run()
    world.plex.edit_by_hand(key, {"genre": ["Typed", *world.tags(key, "genre")]})
    world.run(FULL)
    world.settings["FIELDS__TAGS"] = "overwrite"
    world.run()
    assert "Typed" in world.tags(key, "genre")
    world.run(RunOptions(take_over=True, full=True))
    assert "Typed" not in world.tags(key, "genre")
    world.stash.edit_scene(1, tag_ids=(3,))
    world.wait(1)
    world.run()
    assert set(world.tags(key, "genre")) >= named(world, 3)
    assert not set(world.tags(key, "genre")) & named(world, 1, 2)


def named(world: World, *tags: int) -> set[str]:
    """The names of tags."""
    return {world.stash.tags[one].name for one in tags}
