"""A run over some libraries or scenes: what it leaves out is done by the next whole run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome, SceneId
from plexsync.output.summary import next_steps
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.cases import Case
from plexsync.simulators.library.maker import DATA, NAS
from plexsync.simulators.library.pairs import LibrarySpec, make_library
from plexsync.sync.detection.seen import read_unread
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import DiesAfterWriting, Killed
from tests.support.fields_world import PLAIN
from tests.support.world import World, scene_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = RunOptions(libraries=("Scenes",))
ELSEWHERE = NAS.section_id


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Scenes in step; some have two files, which are items of two libraries."""
    mix = {Case.SAME: 1.0, Case.TWO_ITEMS: 1.0}
    library = make_library(LibrarySpec(seed=3, scenes=4, mix=mix, extra_items=0.0, edited=0.0))
    second = {keys[1] for keys in library.truth.values() if len(keys) > 1}
    videos = tuple(
        replace(one, section_id=ELSEWHERE if str(one.rating_key) in second else DATA.section_id)
        for one in library.plex.videos
    )
    library = replace(library, plex=replace(library.plex, videos=videos))
    with World(library, tmp_path, **PLAIN) as made:
        made.run()
        yield made


def in_two(world: World) -> tuple[str, str, str]:
    """A scene that is in both libraries, and its items."""
    return next((one, *keys) for one, keys in world.library.truth.items() if len(keys) == 2)


def over_one_library(world: World, how: str) -> None:
    """Run over the first library only: by an option, by the configuration, or by a saved plan."""
    if how == "configuration":
        assert world.run(PLEX__LIBRARIES="Scenes").count(Outcome.APPLIED)
        return
    if how == "option":
        assert world.run(FIRST).count(Outcome.APPLIED)
        return
    file = world.directory / "plan.json"
    world.run(RunOptions(libraries=FIRST.libraries, dry_run=True, save_plan=file))
    assert world.apply(file).count(Outcome.APPLIED)


WAYS = pytest.mark.parametrize("how", ["option", "configuration", "plan"])


@WAYS
def test_an_edit_reaches_the_other_library_with_the_next_whole_run(world: World, how: str) -> None:
    """The scene was written to one of its items only, and is not done by that."""
    scene_id, first, second = in_two(world)
    world.stash.edit_scene(scene_id, title="Second Edition")
    over_one_library(world, how)
    before = world.shown(second, "title")
    assert (world.shown(first, "title"), before != "Second Edition") == ("Second Edition", True)
    world.run()
    assert world.shown(second, "title") == "Second Edition"
    assert world.run().rows == ()


@WAYS
def test_a_new_scene_gets_its_item_in_the_other_library(world: World, how: str) -> None:
    """Plex had both items before, so nothing moves there that would tell."""
    files = [
        world.stash.add_file(f"/data/new/{n}.mp4", size=10**7 + n, duration=99.0, oshash=n)
        for n in (1, 2)
    ]
    world.plex.scan_in(world.video_of(files[0]))
    other = world.plex.scan_in(replace(world.video_of(files[1]), section_id=ELSEWHERE))
    world.rescan()
    world.run()
    world.stash.create_scene(title="Brand New", file_ids=tuple(files))
    over_one_library(world, how)
    world.run()
    assert world.shown(other, "title") == "Brand New"


@WAYS
def test_a_file_given_to_another_scene_is_not_written_by_the_old_one(
    world: World, how: str
) -> None:
    """Its item lies in the library that was left out while the file changed hands."""
    scene_id, _, second = in_two(world)
    heir = next(one for one, keys in world.library.truth.items() if len(keys) == 1)
    world.stash.assign_file(world.stash.scene(scene_id).file_ids[1], heir)
    world.stash.edit_scene(scene_id, title="The Giver")
    world.stash.edit_scene(heir, title="The Heir")
    over_one_library(world, how)
    world.run()
    assert world.shown(second, "title") == "The Heir"
    assert world.run(RunOptions(full=True)).puts == 0


@pytest.mark.parametrize("few", [RunOptions(scenes=scene_ids(1)), RunOptions(limit=1)])
def test_a_file_of_a_scene_that_was_not_looked_at_is_linked_later(
    world: World, few: RunOptions
) -> None:
    """What it was linked with still counted as its own when the scene that has it now was."""
    scene_id, _, second = in_two(world)
    world.stash.assign_file(world.stash.scene(scene_id).file_ids[1], 1)
    world.stash.edit_scene(1, title="The Heir")
    assert world.run(few).outcomes() == {"1": "applied"}
    assert world.shown(second, "title") != "The Heir"
    world.run()
    assert world.shown(second, "title") == "The Heir"


@pytest.mark.parametrize(
    ("refused", "status"), [("plex.listing", 400), ("plex.detail", 401), ("plex.put", 401)]
)
def test_a_whole_run_that_ends_early_leaves_that_to_the_next_one(
    world: World, refused: str, status: int
) -> None:
    """Whether a library cannot be listed, or Plex goes away before the item is written."""
    scene_id, _, second = in_two(world)
    world.stash.assign_file(world.stash.scene(scene_id).file_ids[1], 1)
    world.stash.edit_scene(1, title="The Heir")
    world.run(RunOptions(limit=1))
    world.plex_wire.faults.add(Fault(refused, 1, ErrorStatus(status), None))
    assert world.run().summary.exit_code in {ExitCode.SERVER, ExitCode.ACCESS}
    world.plex_wire.faults.clear()
    world.run()
    assert world.shown(second, "title") == "The Heir"


@pytest.mark.parametrize("how", ["deleted", "out of scope"])
def test_a_scene_that_is_left_alone_is_not_to_be_matched_once_more(world: World, how: str) -> None:
    """Else it would be asked for in each run, and none could go by a look from afar."""
    scene_id, _, _ = in_two(world)
    tag = world.stash.add_tag("Private")
    world.stash.assign_file(world.stash.scene(scene_id).file_ids[1], 1)
    world.run(RunOptions(scenes=scene_ids(1)))
    assert read_unread(world.state()) == set(scene_ids(1))
    if how == "deleted":
        world.stash.delete_scene(1)
    else:
        world.stash.edit_scene(1, tag_ids=(tag,))
    world.run(STASH__EXCLUDE_TAGS="private", APPLY__MAX_SHARE="1")
    assert read_unread(world.state()) == frozenset()


def test_a_plan_of_several_items_keeps_the_link_to_the_library_it_leaves_out(world: World) -> None:
    """The first item that is written is remembered before the plan is through with its scene."""
    scene_id, first, second = in_two(world)
    world.plex.scan_in(world.video_of(world.stash.scene(scene_id).file_ids[0]))
    world.rescan()
    world.run(RunOptions(full=True))
    assert list(world.state().claims().values()).count(SceneId(scene_id)) == 3
    world.stash.edit_scene(scene_id, title="Second Edition")
    over_one_library(world, "plan")
    assert world.shown(first, "title") == "Second Edition"
    world.run()
    assert world.shown(second, "title") == "Second Edition"


@pytest.mark.parametrize("options", [RunOptions(limit=9), FIRST], ids=["limit", "library"])
def test_of_time_that_passed_a_partial_run_becomes_no_other_one(
    world: World, options: RunOptions
) -> None:
    """Neither one of files, nor a full one: that is left to the next whole run."""
    world.stash.rewrite_file(world.stash.scene(1).file_ids[0], size=1_234_567)
    for hours in (25, 24 * 7):
        world.wait(hours=hours)
        ran = world.run(options)
        assert not ran.summary.header.full
        assert "1" not in ran.outcomes()
    assert world.run().summary.header.full


def test_a_full_run_of_a_named_scene_is_called_a_full_one(world: World) -> None:
    """It looks at nothing but that scene, and the next full one is due as before."""
    before = world.state().checkpoint.last_full_at
    ran = world.run(RunOptions(full=True, scenes=(SceneId("1"),)))
    assert ran.summary.header.full
    assert set(ran.outcomes()) == {"1"}
    assert world.state().checkpoint.last_full_at == before


def test_runs_with_a_limit_come_to_every_scene(world: World) -> None:
    """Those with several files stay due until a whole run, but come after all others."""
    new = []
    for at in range(3):
        files = [
            world.stash.add_file(f"/data/new/{at}.{n}.mp4", size=size, duration=99.0, oshash=size)
            for n, size in enumerate((10**7 + at, 10**8 + at))
        ]
        for file in files:
            world.plex.scan_in(world.video_of(file))
        new.append(files)
    world.rescan()
    world.run()
    scenes = [str(world.stash.create_scene(title="New", file_ids=tuple(one))) for one in new]
    for scene_id in scenes:
        assert world.run(RunOptions(limit=1)).outcomes() == {scene_id: "applied"}
    assert world.run().outcomes() == dict.fromkeys(scenes, "unchanged")
    assert world.run().rows == ()


def test_a_run_with_a_limit_says_how_many_it_leaves(world: World) -> None:
    """A person sees how much is still to come; the last one has nothing to say."""
    for scene in (1, 2, 3):
        world.stash.edit_scene(scene, title=f"Another {scene}")
    for dry_run, limit, left in ((True, 1, 2), (False, 1, 2), (False, 2, 0)):
        ran = world.run(RunOptions(limit=limit, dry_run=dry_run))
        notes = [one.text for one in next_steps(ran.summary)]
        words = f"{left} more scenes are due: --limit leaves them to later runs."
        assert (words in notes) is bool(left)
        assert any("--limit" in one for one in notes) is bool(left)


def test_runs_with_a_limit_come_to_every_scene_of_a_renamed_tag(world: World) -> None:
    """No edit makes these due, so each was handled as it is, and all are due until a whole run."""
    tag = world.stash.add_tag("Summer")
    world.stash.edit_scenes(range(1, 5), tag_ids=(tag,))
    world.run()
    world.stash.edit_tag(tag, name="Winter")
    dry = world.run(RunOptions(limit=1, dry_run=True)).outcomes()
    assert world.run(RunOptions(limit=1)).outcomes().keys() == dry.keys()
    for _ in range(3):
        world.run(RunOptions(limit=1))
    assert {world.tags(key, "genre") for key in world.plex.rating_keys()} == {("Winter",)}


def test_runs_with_a_limit_come_to_every_scene_of_a_tag_beside_edited_ones(world: World) -> None:
    """Edited scenes come first, so each run takes some of the others only."""
    tag = world.stash.add_tag("Summer")
    world.stash.edit_scenes((1, 2), tag_ids=(tag,))
    world.run()
    world.stash.edit_tag(tag, name="Winter")
    for at in range(2):
        world.stash.edit_scene(3, title=f"Edited {at}")
        world.wait(1)
        assert world.run(RunOptions(limit=2)).outcomes()["3"] == "applied"
    shown = {world.tags(key, "genre") for one in "12" for key in world.library.truth[one]}
    assert shown == {("Winter",)}


def test_runs_with_a_limit_that_are_killed_write_nothing_twice(world: World) -> None:
    """Each dies after its write reached Plex; what it wrote is looked at, and then others come."""
    world.stash.edit_scenes(range(1, 5), title="New")
    before = len(world.plex.writes)
    for _ in range(3):
        with suppress(Killed):
            world.run(RunOptions(limit=1), disk=DiesAfterWriting(world.plex))
    for _ in range(5):
        world.run(RunOptions(limit=1))
    assert {world.shown(key, "title") for key in world.plex.rating_keys()} == {"New"}
    assert len(world.plex.writes) - before == len(world.plex.rating_keys())
    assert world.state().unsettled == ()


def test_an_item_that_moved_meanwhile_does_not_end_what_is_owed_elsewhere(world: World) -> None:
    """Its scene is matched again in the middle of the run, and has an item in the other library."""
    scene_id = next(one for one, keys in world.library.truth.items() if len(keys) == 1)
    video = world.video_of(world.stash.scene(scene_id).file_ids[0])
    copy = world.plex.scan_in(video)
    world.rescan()
    second = world.plex.scan_in(replace(video, section_id=ELSEWHERE))
    world.rescan()
    world.run(RunOptions(full=True))
    world.stash.edit_scene(scene_id, title="Second Edition")
    path = str(world.plex.dump()[copy]["files"][0])

    def move() -> None:
        world.plex.move_file(world.plex.move_file(copy, f"{path}.moved"), path)

    world.plex.before("plex.detail", 1, move)
    ran = world.run(FIRST)
    assert ran.count(Outcome.SKIPPED) == 1
    assert world.shown(second, "title") != "Second Edition"
    world.run()
    assert world.shown(second, "title") == "Second Edition"
