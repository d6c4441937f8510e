"""A doubtful second file beside a certain one: it is shown, and a person can settle it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.models import Outcome, SceneId
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import PLAIN, small_library
from tests.support.terminals import run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCENE = SceneId("7")
FOLDERS = ("b", "d")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A linked scene got a second file, which two items fit equally well."""
    with World(small_library(), tmp_path, **PLAIN) as made:
        made.run()
        file = made.stash.add_file(
            "/data/new/video.mp4", size=50_000_000, duration=77.0, oshash=None
        )
        made.stash.add_to_scene(SCENE, file)
        video = made.video_of(file)
        for folder in FOLDERS:
            part = replace(video.media[0].parts[0], file=f"/media/{folder}/video.mp4")
            media = replace(video.media[0], parts=(part,), width=None, height=None)
            made.plex.scan_in(replace(video, media=(media,)))
        made.rescan()
        assert made.run().outcomes() == {SCENE: "unchanged"}
        assert linked(made) == {made.key_of(SCENE)}
        yield made


def key_in(world: World, folder: str) -> str:
    """Return the item in a folder."""
    return world.plex.key_of(f"/media/{folder}/video.mp4")


def linked(world: World) -> set[str]:
    """Return the items the scene is linked to."""
    record = world.state().get(SCENE)
    return {link.rating_key for link in record.links} if record else set()


def command(world: World, *arguments: str) -> Any:  # noqa: ANN401 - decoded JSON
    """Return what a command says with `--json`."""
    done = run_plexsync([*arguments, "--json"], world.environ())
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_explain_names_the_doubt_from_both_sides(world: World) -> None:
    """Of the scene with its certain item, and of each item it may be as well."""
    keys = {key_in(world, folder) for folder in FOLDERS}
    sides = [("explain", SCENE), *(("explain", "--item", key) for key in keys)]
    for arguments in sides:
        standings = command(world, *arguments)["account"]["standings"]
        doubtful = {one["candidate"]["rating_key"] for one in standings if one["obstacle"]}
        assert doubtful == (keys if arguments[-1] == SCENE else {arguments[-1]})


def test_an_item_that_is_accepted_is_that_of_the_file_it_shows(world: World) -> None:
    """The scene goes on with its certain item as well, and the other doubtful one is settled."""
    key = key_in(world, "b")
    command(world, "review", "accept", SCENE, "--item", key)
    ran = world.run()
    assert {row.item.rating_key for row in ran.rows if row.item} == {world.key_of(SCENE), key}
    assert ran.count(Outcome.APPLIED) == 1
    assert linked(world) == {world.key_of(SCENE), key}
    assert world.run(RunOptions(full=True)).puts == 0
    command(world, "review", "accept", SCENE, "--item", key)
    world.run()
    assert linked(world) == {world.key_of(SCENE), key}
