"""What a run notices of files: moved, exchanged, merged, split, in Stash and in Plex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome, SceneId
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World, assert_quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.models import Link

DRY = RunOptions(dry_run=True)
SETTINGS = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Thirty plain scenes, nothing synced yet."""
    spec = LibrarySpec(seed=3, scenes=30, mix={Case.SAME: 1.0}, extra_items=0.1, edited=0.0)
    with World(make_library(spec), tmp_path, **SETTINGS) as made:
        yield made


@pytest.fixture
def synced(world: World) -> World:
    """The same after a first run."""
    assert world.run().count(Outcome.APPLIED) == 30
    return world


def move_in_plex(world: World, scene_id: str, path: str) -> str:
    """Plex scans and finds a scene's file elsewhere; the new item's rating key."""
    new = world.plex.move_file(world.plex.key_of(plex_path(world, scene_id)), path)
    world.rescan()
    return new


def plex_path(world: World, scene_id: str) -> str:
    """Where Plex should see a scene's file."""
    return world.stash.paths(scene_id)[0].replace("/data/", "/media/")


def test_a_file_that_moved_is_linked_again_by_the_next_run(synced: World) -> None:
    """Plex made a new item of it, bare; no time moved in Stash, and none needs to."""
    path = plex_path(synced, "7")
    moved = path.replace("/media/", "/media/moved/")
    new = move_in_plex(synced, "7", moved)
    synced.stash.move_file(synced.stash.scene(7).file_ids[0], moved.replace("/media/", "/data/"))
    ran = synced.run()
    assert ran.outcomes() == {"7": "applied"}
    assert synced.shown(new, "title") == synced.stash.scene(7).title.strip()
    assert ran.summary.index in {"cached", "updated"}
    assert_quiet(synced.run())


def test_a_file_that_moved_is_found_in_an_hour_if_no_scan_shows(synced: World) -> None:
    """Whether the scan of a single folder moves the time of the last scan is not known."""
    moved = plex_path(synced, "7").replace("/media/", "/media/moved/")
    new = synced.plex.move_file(synced.plex.key_of(plex_path(synced, "7")), moved)
    synced.stash.move_file(synced.stash.scene(7).file_ids[0], moved.replace("/media/", "/data/"))
    synced.run()
    synced.wait(hours=1)
    synced.run()
    assert synced.shown(new, "title") == synced.stash.scene(7).title.strip()
    synced.wait(hours=1)
    assert_quiet(synced.run())
    assert_quiet(synced.run())


@pytest.mark.parametrize("moves", [True, False], ids=["trash is a change", "trash is none"])
def test_six_files_that_moved_one_after_the_other_are_each_found(
    synced: World,
    moves: bool,
) -> None:
    """Plex keeps its trash; whether that moves an update time is not known of real servers."""
    synced.plex.switches.trash_moves_updated_at = moves
    for number in range(1, 7):
        path = plex_path(synced, str(number))
        moved = path.replace("/media/", "/media/moved/")
        new = move_in_plex(synced, str(number), moved)
        file_id = synced.stash.scene(number).file_ids[0]
        synced.stash.move_file(file_id, moved.replace("/media/", "/data/"))
        synced.wait(hours=1)
        assert synced.run().outcomes() == {str(number): "applied"}
        assert synced.shown(new, "title") == synced.stash.scene(number).title.strip()
    assert_quiet(synced.run())


@pytest.mark.parametrize("gone", ["moved", "moved, trash emptied", "deleted in Stash"])
def test_a_lost_write_to_an_item_nothing_leads_to_any_more_is_settled(
    synced: World, gone: str
) -> None:
    """Nobody knows what became of it, and its scene goes elsewhere: the item itself is read."""
    synced.stash.edit_scene(7, title="Another Title")
    synced.plex_wire.faults.add(Fault("plex.put", 1, Reset(applied=True), 1))
    synced.plex_wire.faults.add(Fault("plex.detail", 2, ErrorStatus(503), None))
    synced.run()
    synced.plex_wire.faults.clear()
    assert len(synced.state().unsettled) == 1
    synced.wait(hours=1)
    path = plex_path(synced, "7").replace("/media/", "/media/moved/")
    if gone == "deleted in Stash":
        synced.stash.delete_scene(7)
    else:
        move_in_plex(synced, "7", path)
        synced.stash.move_file(synced.stash.scene(7).file_ids[0], path.replace("/media/", "/data/"))
    if gone == "moved, trash emptied":
        synced.plex.empty_trash()
    assert synced.run().summary.exit_code == ExitCode.OK
    assert synced.state().unsettled == ()
    assert_quiet(synced.run())


@pytest.mark.parametrize("first", ["stash", "plex"])
def test_a_folder_that_moved_is_found_whoever_notices_first(synced: World, first: str) -> None:
    """Until both did, nothing wrong is written; then every scene has its item again."""
    folder = synced.stash.paths(7)[0].rpartition("/")[0]
    inside = [
        str(s.id)
        for s in synced.stash.dump().scenes
        if synced.stash.paths(s.id)[0].startswith(f"{folder}/")
    ]
    places = {one: plex_path(synced, one) for one in inside}
    target = f"{folder}-moved"

    def in_stash() -> None:
        synced.stash.rename_folder(folder, target)

    def in_plex() -> None:
        for place in places.values():
            old = folder.replace("/data/", "/media/")
            synced.plex.move_file(
                synced.plex.key_of(place), place.replace(old, target.replace("/data/", "/media/"))
            )
        synced.rescan()

    for step in (in_stash, in_plex) if first == "stash" else (in_plex, in_stash):
        step()
        assert synced.run().summary.exit_code == ExitCode.OK
    synced.wait(hours=1)
    synced.run()
    for one in inside:
        item = synced.plex.key_of(plex_path(synced, one))
        assert synced.shown(item, "title") == synced.stash.scene(one).title.strip()
    assert_quiet(synced.run())


def test_a_scan_that_found_nothing_wakes_nobody(synced: World) -> None:
    """Plex scans every hour; what did not change is not compared again."""
    synced.plex.trash(synced.key_of("7"))
    synced.rescan()
    assert synced.run().outcomes() == {"7": "unmatched"}
    synced.rescan()
    assert_quiet(synced.run())


def with_second_file(world: World, scene_id: str, name: str = "second") -> int:
    """A scan found another file of scene `scene_id` and Plex has it, too; the file's id."""
    folder = world.stash.paths(scene_id)[0].rpartition("/")[0]
    file = world.stash.add_file(f"{folder}/{name}.mp4", size=987_654, duration=77.0, oshash=77)
    world.stash.add_to_scene(scene_id, file)
    world.plex.scan_in(world.video_of(file))
    world.rescan()
    return file


def test_a_file_assigned_to_another_scene_is_found_by_the_next_run(synced: World) -> None:
    """No time moves at all; but a scene has several files, or had them, and those are compared."""
    file = with_second_file(synced, "7")
    assert synced.run().outcomes() == {"7": "applied"}
    key = synced.plex.key_of(synced.plex_path(file))
    assert synced.shown(key, "title") == synced.stash.scene(7).title.strip()
    synced.stash.assign_file(file, 9)
    ran = synced.run()
    assert set(ran.outcomes()) == {"7", "9"}
    assert ran.outcomes()["9"] == "applied"
    assert synced.shown(key, "title") == synced.stash.scene(9).title.strip()
    assert [link.rating_key for link in links(synced, "7")] == [synced.key_of("7")]
    assert_quiet(synced.run())


def test_a_deleted_secondary_file_is_found_by_the_next_run(synced: World) -> None:
    """The scene lets go of the item that showed it; the item itself is left alone."""
    file = with_second_file(synced, "7")
    synced.run()
    assert len(links(synced, "7")) == 2
    before = synced.plex.dump()
    synced.stash.delete_file(file)
    assert set(synced.run().outcomes()) == {"7"}
    assert [link.rating_key for link in links(synced, "7")] == [synced.key_of("7")]
    assert synced.plex.dump() == before
    assert_quiet(synced.run())


def test_files_that_were_exchanged_while_runs_failed_are_found_afterwards(synced: World) -> None:
    """What a run saw counts only once it got through."""
    file = with_second_file(synced, "7")
    synced.run()
    synced.stash.assign_file(file, 9)
    synced.plex_wire.faults.add(Fault(None, 3, ErrorStatus(503), None))
    assert synced.run().summary.exit_code == ExitCode.SERVER
    synced.plex_wire.faults.clear()
    assert synced.run().outcomes()["9"] == "applied"
    assert_quiet(synced.run())


def test_a_file_with_changed_content_is_found_by_the_sweep_of_files(synced: World) -> None:
    """A rescan moves the file's time alone; the scene is matched again within a day."""
    synced.stash.rewrite_file(synced.stash.scene(7).file_ids[0], size=1_234_567)
    assert_quiet(synced.run())
    synced.wait(hours=25)
    ran = synced.run()
    assert set(ran.outcomes()) == {"7"}
    assert not ran.summary.header.full
    assert_quiet(synced.run())


def links(world: World, scene_id: str) -> tuple[Link, ...]:
    """The items a scene is remembered to be written to."""
    record = world.state().get(SceneId(scene_id))
    return record.links if record else ()


def test_other_ids_never_write_to_the_wrong_item(synced: World) -> None:
    """After a full import scene 7 is another one: its files say so, and all are matched again."""
    titles = {plex_path(synced, str(s.id)): s.title.strip() for s in synced.stash.dump().scenes}
    for number in range(1, 31):  # times that differ, as in a real library
        synced.stash.write_silently(number, updated_at=f"2025-01-{number:02}T00:00:00Z")
    synced.run()
    synced.stash.full_import()
    ran = synced.run(RunOptions(force=True))
    assert ran.puts == 0
    assert ran.summary.exit_code == ExitCode.OK
    for path, title in titles.items():
        assert synced.shown(synced.plex.key_of(path), "title") == title
    synced.stash.edit_scene(7, title="The New Seven")
    assert synced.run().outcomes() == {"7": "applied"}
    assert synced.shown(synced.plex.key_of(plex_path(synced, "7")), "title") == "The New Seven"
    assert_quiet(synced.run())


def test_the_second_file_of_a_scene_is_linked_when_plex_finds_it(synced: World) -> None:
    """A scene with a link does not wait for Plex; one of its files does."""
    folder = synced.stash.paths(7)[0].rpartition("/")[0]
    file = synced.stash.add_file(f"{folder}/late.mp4", size=987_654, duration=77.0, oshash=77)
    synced.stash.add_to_scene(7, file)
    assert synced.run().outcomes() == {"7": "unchanged"}
    synced.rescan()
    assert_quiet(synced.run())
    key = synced.plex.scan_in(synced.video_of(file))
    synced.rescan()
    assert synced.run().outcomes() == {"7": "applied"}
    assert synced.shown(key, "title") == synced.stash.scene(7).title.strip()
    assert_quiet(synced.run())


# ---- Plex's own merging and splitting ------------------------------------------------------------


def test_a_merged_item_belongs_to_the_scene_that_had_it(synced: World) -> None:
    """The other scene's number vanished: it waits for a person, and is written nowhere."""
    one, other = synced.key_of("7"), synced.key_of("8")
    synced.plex.merge(one, other)
    synced.rescan()
    ran = synced.run()
    assert ran.outcomes() == {"8": "review"}
    assert ran.puts == 0
    synced.stash.edit_scene(7, title="Still Mine")
    synced.stash.edit_scene(8, title="Not Here")
    assert synced.run().outcomes() == {"7": "applied", "8": "review"}
    assert synced.shown(one, "title") == "Still Mine"
    assert_quiet(synced.run())


def test_split_items_go_back_to_their_scenes(synced: World) -> None:
    """Plex gives the split version a new number, and the scene that waited for it wakes."""
    one, other = synced.key_of("7"), synced.key_of("8")
    synced.plex.merge(one, other)
    synced.rescan()
    synced.run()
    (new,) = synced.plex.split(one)
    synced.rescan()
    assert synced.run().outcomes() == {"8": "applied"}
    assert synced.shown(new, "title") == synced.stash.scene(8).title.strip()
    assert synced.shown(one, "title") == synced.stash.scene(7).title.strip()
    assert_quiet(synced.run())


def test_merged_versions_of_one_scene_stay_its_own(synced: World) -> None:
    """Two files of a scene become versions of one item, and two items again."""
    folder = synced.stash.paths(7)[0].rpartition("/")[0]
    length = synced.stash.files[synced.stash.scene(7).file_ids[0]].duration
    file = synced.stash.add_file(f"{folder}/4k.mp4", size=987_654, duration=length, oshash=77)
    synced.stash.add_to_scene(7, file)
    synced.plex.scan_in(synced.video_of(file))
    synced.rescan()
    synced.run()
    one, other = (link.rating_key for link in links(synced, "7"))
    synced.plex.merge(one, other)
    synced.rescan()
    assert synced.run().outcomes() == {"7": "unchanged"}
    assert [link.rating_key for link in links(synced, "7")] == [one]
    (new,) = synced.plex.split(one)
    synced.rescan()
    synced.stash.edit_scene(7, title="Twice")
    assert set(synced.run().outcomes().values()) == {"applied"}
    assert {synced.shown(key, "title") for key in (one, new)} == {"Twice"}
    assert_quiet(synced.run())


def test_a_merged_scene_takes_the_items_of_those_it_swallowed(synced: World) -> None:
    """The files move, the sources go; the destination's time moves, and no hook tells."""
    keys = [synced.key_of("7"), synced.key_of("8"), synced.key_of("9")]
    synced.stash.merge_scenes([8, 9], 7)
    ran = synced.run()
    assert {row.scene.id for row in ran.rows} == {"7"}
    assert ran.puts == 2
    title = synced.stash.scene(7).title.strip()
    assert [synced.shown(key, "title") for key in keys] == [title] * 3
    assert sorted(link.rating_key for link in links(synced, "7")) == sorted(keys)
    assert synced.state().get(SceneId("8")) is None
    assert_quiet(synced.run())
