"""Without strict matching: what a run over one scene decides is what a run over all decides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.models import Confidence, SceneId
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import PLAIN, small_library
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.models import Link

BOLD = {"MATCH__STRICT_MATCHING": "false", "MATCH__LEAST_LOW": "0.1"}
FULL = RunOptions(full=True)


def add_scene(world: World, title: str, folder: str, duration: float) -> str:
    """Return a new scene with a file that is called as many others are."""
    path = f"/data/{folder}/video.mp4"
    number = len(world.stash.scenes.ids) + 100
    file = world.stash.add_file(path, size=50_000_000, duration=duration, oshash=number)
    return str(world.stash.create_scene(title=title, file_ids=(file,)))


def add_item(world: World, folder: str) -> str:
    """Return a new item with such a file, of which Plex knows no frame."""
    file = world.stash.add_file(
        f"/data/elsewhere/{folder}.mp4", size=50_000_000, duration=100.0, oshash=None
    )
    video = world.video_of(file)
    part = replace(video.media[0].parts[0], file=f"/media/{folder}/video.mp4")
    media = replace(video.media[0], parts=(part,), width=None, height=None)
    key = world.plex.scan_in(replace(video, media=(media,)))
    world.rescan()
    return key


@pytest.fixture
def taken_over(tmp_path: Path) -> Iterator[tuple[World, str, str, str]]:
    """An item that was written LOW by one scene, and then by a later one that fits better."""
    with World(small_library(), tmp_path, **PLAIN, **BOLD) as world:
        world.run()
        key, other = add_item(world, "c"), add_item(world, "d")
        first = add_scene(world, "First", "a", duration=101.5)
        assert world.run().row(first).confidence is Confidence.LOW
        assert world.shown(key, "title") == "First"
        world.plex.remove_item(other)
        world.rescan()
        second = add_scene(world, "Second", "b", duration=100.0)
        world.wait(hours=48)
        ran = world.run(FULL)
        assert ran.row(second).confidence is Confidence.LOW
        assert (ran.outcomes()[first], ran.outcomes()[second]) == ("review", "applied")
        assert len({link.rating_key for one in (first, second) for link in links(world, one)}) == 1
        yield world, first, second, key


def links(world: World, scene_id: str) -> tuple[Link, ...]:
    """Return what a scene is linked to."""
    record = world.state().get(SceneId(scene_id))
    return record.links if record else ()


def test_a_scene_that_is_edited_alone_keeps_its_low_link(
    taken_over: tuple[World, str, str, str],
) -> None:
    """The scene that had the item before waits, and claims it no more."""
    world, _, second, key = taken_over
    world.stash.edit_scene(second, title="Second Edition")
    assert world.run().outcomes() == {second: "applied"}
    assert world.shown(key, "title") == "Second Edition"


def test_a_scene_that_is_edited_alone_takes_no_item_back(
    taken_over: tuple[World, str, str, str],
) -> None:
    """A run over all scenes gave it to another one."""
    world, first, _, key = taken_over
    world.stash.edit_scene(first, title="First Edition")
    assert world.run().outcomes()[first] in {"review", "unmatched"}
    assert world.shown(key, "title") == "Second"
    assert world.run(FULL).puts == 0
