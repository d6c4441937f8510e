"""Another video under the path of a linked one: the item goes to the scene that has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.matcher import Verb
from plexsync.models import Outcome, SceneId
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.review_world import store_of, waiting_in
from tests.support.world import World, assert_quiet, scene_ids, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.library.pairs import StashFile

FULL = RunOptions(full=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Twelve plain scenes, each with its item; nothing is synced yet."""
    spec = LibrarySpec(seed=3, scenes=12, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    settings = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"}
    with World(make_library(spec), tmp_path, **settings) as made:
        yield made


@pytest.fixture
def synced(world: World) -> World:
    """All of them are written."""
    assert world.run().count(Outcome.APPLIED) == 12
    return world


def file_of(world: World, scene: int) -> StashFile:
    """The file of a scene, as Stash knows it."""
    return world.stash.files[world.stash.scene(scene).file_ids[0]]


def show_video(world: World, scene: int, shown: StashFile) -> str:
    """Plex finds another video where it had that of a scene; returns the item's rating key."""
    key = world.key_of(str(scene))
    length = round(shown.duration * 1000)
    world.plex.rewrite_file(key, size=shown.size, oshash=shown.oshash, duration_ms=length)
    world.rescan()
    return key


def changed(file: StashFile, *, longer_by: float) -> StashFile:
    """Another file."""
    return replace(file, size=file.size + 4_711, oshash=7, duration=file.duration + longer_by)


def links(world: World, scene: int) -> list[str]:
    """The items a scene is remembered to be written to."""
    record = world.state().get(SceneId(str(scene)))
    return [link.rating_key for link in record.links] if record else []


@pytest.mark.parametrize("options", [None, FULL, RunOptions(scenes=scene_ids(7))])
def test_another_video_under_the_path_is_not_written(
    synced: World, options: RunOptions | None
) -> None:
    """Whatever has the scene looked at; it waits for a person, and its row says why."""
    key = show_video(synced, 7, changed(file_of(synced, 7), longer_by=300.0))
    held = snapshot_of(synced)[key]
    synced.stash.edit_scene(7, title="Edited meanwhile")

    ran = synced.run(options)

    row = ran.row("7")
    assert row.outcome is Outcome.REVIEW
    assert "the size differs and the duration differs" in row.reason
    assert snapshot_of(synced)[key] == held
    assert synced.run().puts == synced.run(FULL).puts == 0


def test_a_video_that_both_servers_see_replaced_is_written_again(synced: World) -> None:
    """Plex scanned it before Stash did; what is ours on the item is still known as such."""
    key = show_video(synced, 7, changed(file_of(synced, 7), longer_by=300.0))
    synced.run(FULL)
    new = changed(file_of(synced, 7), longer_by=300.0)
    synced.stash.rewrite_file(new.id, size=new.size, duration=new.duration, oshash=new.oshash)
    synced.stash.edit_scene(7, title="Replaced on both sides")

    synced.run()

    assert synced.shown(key, "title") == "Replaced on both sides"
    assert links(synced, 7) == [key]


def test_a_better_version_of_the_same_length_stays_linked(synced: World) -> None:
    """Replaced in place: another size, and the same video."""
    key = show_video(synced, 7, changed(file_of(synced, 7), longer_by=0.2))
    synced.stash.edit_scene(7, title="In better quality")

    assert synced.run().outcomes() == {"7": "applied"}
    assert links(synced, 7) == [key]


def test_videos_that_changed_places_in_plex_take_their_scenes_along(synced: World) -> None:
    """As where another disk is mounted in the place of one: the paths say nothing any more."""
    one, other = (file_of(synced, scene) for scene in (7, 8))
    here, there = show_video(synced, 7, other), show_video(synced, 8, one)

    synced.run(FULL)

    assert (links(synced, 7), links(synced, 8)) == ([there], [here])
    assert synced.shown(here, "title") == synced.stash.scene(8).title
    assert_quiet(synced.run())


def test_a_video_a_person_gave_to_a_scene_stays_its_own(synced: World) -> None:
    """However far apart the two are: a person knows."""
    key = show_video(synced, 7, changed(file_of(synced, 7), longer_by=300.0))
    synced.run(FULL)
    with store_of(synced) as answers:
        (waiting,) = waiting_in(synced)
        answers.give([answers.answer_about(waiting, Verb.ACCEPT, waiting.candidates[:1])])
    synced.run()
    for title in ("As a person knows", "And again"):
        synced.stash.edit_scene(7, title=title)
        ran = synced.run()
        assert ran.outcomes() == {"7": "applied"}
        assert "plex.listing" not in ran.plex
        assert synced.shown(key, "title") == title


# ---- saved plans


def plan_of(world: World) -> Path:
    """A saved plan of all that is to be written."""
    path = world.directory / "plan.json"
    assert world.run(RunOptions(dry_run=True, save_plan=path)).count(Outcome.PLANNED)
    return path


def test_a_plan_is_not_written_to_another_video(world: World) -> None:
    """The item has the path still; its scene is matched by the next run."""
    plan = plan_of(world)
    key = show_video(world, 7, changed(file_of(world, 7), longer_by=300.0))
    held = snapshot_of(world)[key]

    applied = world.apply(plan)

    assert applied.row("7").outcome is Outcome.SKIPPED
    assert applied.row("7").reason.endswith("the item holds another file by now")
    assert snapshot_of(world)[key] == held
    assert applied.count(Outcome.APPLIED) == 11
    assert world.run().row("7").outcome is Outcome.REVIEW


def test_a_plan_is_written_to_a_better_version_of_the_video(world: World) -> None:
    """Replaced in place: another size, and the same length."""
    plan = plan_of(world)
    show_video(world, 7, changed(file_of(world, 7), longer_by=0.2))

    assert world.apply(plan).count(Outcome.APPLIED) == 12


def test_a_plan_is_written_to_what_a_person_gave_to_a_scene(synced: World) -> None:
    """What counts is the video Plex showed when the plan was saved, not the file of the scene."""
    key = show_video(synced, 7, changed(file_of(synced, 7), longer_by=300.0))
    synced.run(FULL)
    with store_of(synced) as answers:
        (waiting,) = waiting_in(synced)
        answers.give([answers.answer_about(waiting, Verb.ACCEPT, waiting.candidates[:1])])
    synced.run()
    synced.stash.edit_scene(7, title="Planned")

    assert synced.apply(plan_of(synced)).outcomes() == {"7": "applied"}
    assert synced.shown(key, "title") == "Planned"


# ---- undo


def test_an_undo_gives_no_values_to_another_video(synced: World) -> None:
    """What the item held before was of the video that is gone."""
    key = show_video(synced, 7, changed(file_of(synced, 7), longer_by=300.0))
    held = snapshot_of(synced)[key]

    undone = synced.undo()

    assert undone.row("7").outcome is Outcome.SKIPPED
    assert undone.row("7").reason.endswith("the item holds another file by now")
    assert snapshot_of(synced)[key] == held
    assert undone.count(Outcome.APPLIED) == 11


def test_an_undo_reaches_a_better_version_and_its_undo_what_it_saw(world: World) -> None:
    """Each run says which video it wrote to, and a version replaced in place is the same one."""
    before = snapshot_of(world)
    world.run()
    written = snapshot_of(world)
    show_video(world, 7, changed(file_of(world, 7), longer_by=0.2))

    undone = world.undo()

    assert undone.count(Outcome.APPLIED) == 12
    assert snapshot_of(world) == before
    show_video(world, 8, changed(file_of(world, 8), longer_by=300.0))
    assert world.undo(undone.summary.header.run_id).outcomes()["8"] == "skipped"
    key = world.key_of("8")
    assert snapshot_of(world) == {**written, key: before[key]}
