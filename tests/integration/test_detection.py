"""What a run notices that no scene's own time tells, and what waits in silence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from plexsync.due import PARKED
from plexsync.errors import ExitCode
from plexsync.models import Outcome, SceneId
from plexsync.ports import RunOptions
from plexsync.retrying import retry
from plexsync.simulators.library import Case, LibrarySpec, make_library
from plexsync.simulators.wire import Fault, Reset, Status
from plexsync.spool import DIRECTORY
from tests.world import World, scene_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.models import Link
    from plexsync.simulators.wire import SimRequest
    from tests.world import Ran

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


def with_tag(world: World, tag: int) -> set[str]:
    """The scenes that wear a tag now."""
    return {str(s.id) for s in world.stash.dump().scenes if tag in s.tag_ids}


def with_performer(world: World, performer: int) -> set[str]:
    """The scenes a performer is in now."""
    return {str(s.id) for s in world.stash.dump().scenes if performer in s.performer_ids}


def genres(world: World, scene_id: str) -> set[str]:
    """What Plex shows of a scene's tags."""
    return set(world.tags(world.key_of(scene_id), "genre"))


def some_tag(world: World) -> int:
    """A tag that several scenes wear, but not all."""
    counts = {tag.id: len(with_tag(world, tag.id)) for tag in world.stash.dump().tags}
    return next(tag for tag, count in counts.items() if 2 <= count <= 10)


def before_details(world: World, action: Callable[[], object]) -> None:
    """Do something in Stash just before it is asked for details the next time."""
    left = [action]

    def strike(request: SimRequest) -> bool:
        if left and b"PlexsyncDetails" in request.body:
            left.pop()()
        return False

    world.stash_wire.faults.add(Fault("stash.graphql", 1, Status(500), None, strike))


def assert_quiet(ran: Ran) -> None:
    """The run looked at no scene."""
    assert ran.rows == ()
    assert ran.puts == 0


# ---- other objects -------------------------------------------------------------------------------


def test_a_renamed_tag_reaches_the_scenes_that_wear_it_and_no_other(synced: World) -> None:
    """No scene's time moved; the dictionary tells, and the records know whom."""
    tag = some_tag(synced)
    concerned = with_tag(synced, tag)
    synced.stash.edit_tag(tag, name="Quite Another Name")
    ran = synced.run()
    assert set(ran.outcomes()) == concerned
    assert ran.count(Outcome.APPLIED) == len(concerned)
    assert all("Quite Another Name" in genres(synced, one) for one in concerned)
    assert_quiet(synced.run())


def test_a_merged_tag_moves_no_time_and_is_found_all_the_same(synced: World) -> None:
    """Not even the destination's own time moves; the source is missing from the dictionary."""
    source = some_tag(synced)
    destination = synced.stash.add_tag("Merged Into")
    concerned = with_tag(synced, source)
    name = next(t.name for t in synced.stash.dump().tags if t.id == source)
    synced.stash.merge_tags([source], destination)
    ran = synced.run()
    assert set(ran.outcomes()) == concerned
    for one in concerned:
        assert "Merged Into" in genres(synced, one)
        assert name not in genres(synced, one)
    assert_quiet(synced.run())


def test_a_deleted_tag_leaves_the_items_it_was_written_to(synced: World) -> None:
    """Links cascade away in Stash; the records know where the tag went."""
    tag = some_tag(synced)
    concerned = with_tag(synced, tag)
    name = next(t.name for t in synced.stash.dump().tags if t.id == tag)
    synced.stash.delete_tag(tag)
    assert set(synced.run().outcomes()) == concerned
    assert not any(name in genres(synced, one) for one in concerned)


def test_a_tag_used_and_deleted_between_two_runs_is_found(synced: World) -> None:
    """A name this run saw for the first time is remembered before its scene is."""
    tag = synced.stash.add_tag("Short Lived")
    synced.stash.edit_scene(7, tag_ids=(tag,))
    synced.run()
    assert "Short Lived" in genres(synced, "7")
    synced.stash.delete_tag(tag)
    assert set(synced.run().outcomes()) == {"7"}
    assert "Short Lived" not in genres(synced, "7")


def test_a_tag_made_while_a_run_was_under_way_is_not_forgotten(synced: World) -> None:
    """The dictionary was read before the tag existed, the scene after; then the tag goes."""
    made: list[int] = []

    def meanwhile() -> None:
        made.append(synced.stash.add_tag("In Between"))
        synced.stash.write_silently(7, tag_ids=(made[0],))

    synced.stash.edit_scene(7, title="Another Title")
    before_details(synced, meanwhile)
    synced.run()
    assert "In Between" in genres(synced, "7")
    synced.stash.delete_tag(made[0])
    assert set(synced.run().outcomes()) == {"7"}
    assert "In Between" not in genres(synced, "7")


def test_a_tag_renamed_there_and_back_around_a_run_is_found(synced: World) -> None:
    """The run wrote the name in between; the dictionary reads as before, and yet it is looked."""
    tag = some_tag(synced)
    one = min(with_tag(synced, tag), key=int)
    name = next(t.name for t in synced.stash.dump().tags if t.id == tag)
    synced.stash.edit_scene(one, title="Another Title")
    before_details(synced, lambda: synced.stash.edit_tag(tag, name="For A Moment"))
    synced.run()
    assert "For A Moment" in genres(synced, one)
    synced.stash.edit_tag(tag, name=name)
    synced.run()
    assert "For A Moment" not in genres(synced, one)
    assert name in genres(synced, one)


def test_a_rename_that_met_a_dead_plex_is_not_forgotten(synced: World) -> None:
    """The run wrote nothing and says so; the name comes back; in the end all is as it was."""
    tag = some_tag(synced)
    name = next(t.name for t in synced.stash.dump().tags if t.id == tag)
    concerned = with_tag(synced, tag)
    synced.stash.edit_tag(tag, name="Not Yet")
    synced.plex_wire.faults.add(Fault("plex.put", 2, Status(503), None))
    assert synced.run().summary.exit_code != ExitCode.OK
    synced.plex_wire.faults.clear()
    synced.stash.edit_tag(tag, name=name)
    synced.wait(hours=1)
    synced.run()
    synced.wait(hours=1)
    synced.run()
    for one in concerned:
        assert name in genres(synced, one)
        assert "Not Yet" not in genres(synced, one)


def test_a_renamed_performer_reaches_the_scenes(synced: World) -> None:
    """As for tags, and merging people is found in the same way."""
    performer = next(
        p.id for p in synced.stash.dump().performers if len(with_performer(synced, p.id)) > 1
    )
    concerned = with_performer(synced, performer)
    synced.stash.edit_performer(performer, name="Somebody Else")
    assert set(synced.run().outcomes()) == concerned
    for one in concerned:
        assert "Somebody Else" in synced.tags(synced.key_of(one), "actor")
    other = synced.stash.add_performer("The Real One")
    synced.stash.merge_performers([performer], other)
    assert set(synced.run().outcomes()) == concerned
    for one in concerned:
        assert "The Real One" in synced.tags(synced.key_of(one), "actor")
        assert "Somebody Else" not in synced.tags(synced.key_of(one), "actor")


def test_a_renamed_studio_reaches_its_scenes_and_a_deleted_one_is_noticed(synced: World) -> None:
    """Absent is not empty: the deleted studio's name stays in Plex, by policy."""
    studio = next(s.studio_id for s in synced.stash.dump().scenes if s.studio_id)
    concerned = {str(s.id) for s in synced.stash.dump().scenes if s.studio_id == studio}
    synced.stash.edit_studio(studio, name="Renamed Studio")
    assert set(synced.run().outcomes()) >= concerned
    assert {synced.shown(synced.key_of(one), "studio") for one in concerned} == {"Renamed Studio"}
    synced.stash.delete_studio(studio)
    ran = synced.run(APPLY__EMPTY="clear")
    assert set(ran.outcomes()) >= concerned
    assert {synced.shown(synced.key_of(one), "studio") for one in concerned} == {""}


def test_a_renamed_excluded_tag_lets_its_scenes_in_and_keeps_others_out(synced: World) -> None:
    """What keeps a scene out is a name, and names change."""
    tag = some_tag(synced)
    name = next(t.name for t in synced.stash.dump().tags if t.id == tag)
    concerned = with_tag(synced, tag)
    ran = synced.run(STASH__EXCLUDE_TAGS=name)
    assert {row.scene.id for row in ran.rows if row.outcome is Outcome.IGNORED} == concerned
    synced.stash.edit_tag(tag, name="Harmless")
    ran = synced.run(STASH__EXCLUDE_TAGS=name)
    assert {row.scene.id for row in ran.rows if row.outcome is Outcome.APPLIED} == concerned
    synced.stash.edit_tag(tag, name=name)
    ran = synced.run(STASH__EXCLUDE_TAGS=name)
    assert {row.scene.id for row in ran.rows if row.outcome is Outcome.IGNORED} == concerned
    synced.stash.delete_tag(tag)
    ran = synced.run(STASH__EXCLUDE_TAGS=name)
    assert {row.scene.id for row in ran.rows if row.outcome is Outcome.APPLIED} == concerned


# ---- times ---------------------------------------------------------------------------------------


def test_an_old_time_is_as_good_as_a_new_one(synced: World) -> None:
    """An import wrote a time of years ago: another version is another version."""
    synced.stash.write_silently(7, title="Imported", updated_at="2001-01-01T00:00:00Z")
    assert synced.run().outcomes() == {"7": "applied"}
    assert_quiet(synced.run())


def test_clocks_and_zones_may_do_as_they_like(synced: World) -> None:
    """Daylight saving, another zone and a clock set back move texts backwards, and hide nothing."""
    for number, hours in enumerate((2, 1, -11, 0)):
        synced.stash.zone = timezone(timedelta(hours=hours))
        synced.stash.edit_scene(7, title=f"Title {number}")
        assert synced.run().outcomes() == {"7": "applied"}
    here = synced.now
    synced.now -= timedelta(days=400)
    synced.stash.edit_scene(7, title="From the past")
    synced.now = here
    assert synced.run().outcomes() == {"7": "applied"}
    assert_quiet(synced.run())


def test_a_scene_that_is_being_edited_waits_in_silence(synced: World) -> None:
    """A run gives it a few seconds; whoever goes on editing is not interrupted."""
    edit_at(synced, just_before_the_next_run(synced), "Half a Ti")
    synced.meanwhile = lambda: synced.stash.edit_scene(7, title="Half a Title")
    ran = synced.run()
    assert_quiet(ran)
    assert ran.summary.waiting == 1
    assert ran.summary.exit_code == ExitCode.OK
    synced.meanwhile = lambda: None
    synced.wait(hours=1)
    assert synced.run().outcomes() == {"7": "applied"}
    assert synced.shown(synced.key_of("7"), "title") == "Half a Title"


def test_an_edit_a_moment_ago_is_written_after_a_moment(synced: World) -> None:
    """The second edit came in the same second, and is what Plex gets; nothing is written twice."""
    moment = just_before_the_next_run(synced)
    edit_at(synced, moment, "Half a Ti")
    synced.meanwhile = lambda: edit_at(synced, moment, "Half a Title")
    assert synced.run().outcomes() == {"7": "applied"}
    assert synced.shown(synced.key_of("7"), "title") == "Half a Title"
    synced.meanwhile = lambda: None
    assert_quiet(synced.run())


@pytest.mark.parametrize(("age_s", "waited_s"), [(0, 6), (2, 4), (4, 2), (5, 0), (60, 0)])
def test_a_run_waits_no_longer_than_an_edit_needs_to_settle(
    synced: World, age_s: float, waited_s: float
) -> None:
    """The rest of five seconds, and the one that versions and clocks are cut to."""
    edit_at(synced, just_before_the_next_run(synced, age_s), "Another Title")
    before = synced.now
    assert synced.run().outcomes() == {"7": "applied"}
    assert synced.now - before == timedelta(minutes=1, seconds=waited_s)
    assert_quiet(synced.run())


def test_a_dry_run_waits_for_nobody(synced: World) -> None:
    """It remembers nothing, so nothing can be lost."""
    edit_at(synced, just_before_the_next_run(synced), "Half a Ti")
    before = synced.now
    assert synced.run(DRY).outcomes() == {"7": "planned"}
    assert synced.now - before == timedelta(minutes=1)


def test_a_named_scene_is_written_at_once_and_looked_at_again(synced: World) -> None:
    """A person who names a scene does not wait; a second edit in that second is not lost."""
    moment = just_before_the_next_run(synced)
    edit_at(synced, moment, "First")
    assert synced.run(RunOptions(scenes=scene_ids(7))).outcomes() == {"7": "applied"}
    edit_at(synced, moment, "Second")
    assert synced.run().outcomes() == {"7": "applied"}
    assert synced.shown(synced.key_of("7"), "title") == "Second"


def edit_at(world: World, moment: datetime, title: str) -> None:
    """Somebody saves scene 7 at that moment."""
    world.stash.clock = lambda: moment
    world.stash.edit_scene(7, title=title)
    world.stash.clock = lambda: world.now


def just_before_the_next_run(world: World, seconds: float = 2) -> datetime:
    """The moment: a run comes every minute."""
    return world.now + timedelta(minutes=1, seconds=-seconds)


# ---- files ---------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("gone", ["moved", "moved, trash emptied", "deleted in Stash"])
def test_a_lost_write_to_an_item_nothing_leads_to_any_more_is_settled(
    synced: World, gone: str
) -> None:
    """Nobody knows what became of it, and its scene goes elsewhere: the item itself is read."""
    synced.stash.edit_scene(7, title="Another Title")
    synced.plex_wire.faults.add(Fault("plex.put", 1, Reset(applied=True), 1))
    synced.plex_wire.faults.add(Fault("plex.detail", 2, Status(503), None))
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
    synced.plex_wire.faults.add(Fault(None, 3, Status(503), None))
    assert synced.run().summary.exit_code == ExitCode.SERVER
    synced.plex_wire.faults.clear()
    assert synced.run().outcomes()["9"] == "applied"
    assert_quiet(synced.run())


def test_a_file_whose_content_changed_is_found_by_the_sweep_of_files(synced: World) -> None:
    """A rescan moves the file's time alone; the scene is matched anew within a day."""
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


def test_ids_given_anew_never_write_to_the_wrong_item(synced: World) -> None:
    """After a full import scene 7 is another one: its files say so, and all are matched anew."""
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


# ---- gone, parked, not ready ---------------------------------------------------------------------


def test_a_deleted_scene_is_forgotten_by_the_next_run_and_its_item_left_alone(
    synced: World,
) -> None:
    """Absent is not empty; and another scene may have its item."""
    key, file = synced.key_of("7"), synced.stash.scene(7).file_ids[0]
    before = synced.plex.dump()[key]
    synced.stash.delete_scene(7)
    assert_quiet(synced.run())
    assert synced.state().get(SceneId("7")) is None
    assert synced.plex.dump()[key] == before
    again = synced.stash.create_scene(title="Scanned Again", file_ids=(file,))
    assert synced.run().outcomes() == {str(again): "applied"}
    assert synced.shown(key, "title") == "Scanned Again"


def test_a_scene_that_keeps_failing_is_parked_until_it_changes_or_is_asked_for(
    synced: World,
) -> None:
    """Eight tries, then silence; each way back is a fresh start."""
    bad = synced.key_of("4")
    synced.plex_wire.faults.add(
        Fault("plex.put", 1, Status(400), None, lambda request: request.argument("id") == bad)
    )
    synced.stash.edit_scene(4, title="Cursed")
    tries = 0
    for _ in range(12):
        tries += synced.run().count(Outcome.FAILED)
        synced.wait(hours=25)
    assert tries == 8
    record = synced.state().get(SceneId("4"))
    assert record is not None
    assert record.due_at == PARKED
    assert synced.run(RunOptions(full=True)).outcomes()["4"] == "failed", "asked for everything"
    retry(synced.state_dir, scene_ids(4), now=synced.now, run_id="20261231T000000Z-ffff")
    assert synced.run().outcomes() == {"4": "failed"}
    synced.stash.edit_scene(4, title="Blessed")
    synced.plex_wire.faults.clear()
    assert synced.run().outcomes() == {"4": "applied"}


def test_a_scene_without_a_required_field_waits_in_silence(world: World) -> None:
    """It is read once, then not even that, until its curator is done."""
    for number in range(1, 31):
        world.stash.write_silently(number, date="2024-05-01", title=f"Title {number}")
    world.stash.write_silently(7, date=None)
    needed = "title,date"
    ran = world.run(STASH__REQUIRED=needed)
    assert ran.count(Outcome.APPLIED) == 29
    assert "7" not in ran.outcomes()
    assert_quiet(world.run(STASH__REQUIRED=needed))
    world.stash.edit_scene(7, date="2024-05-02")
    assert world.run(STASH__REQUIRED=needed).outcomes() == {"7": "applied"}


# ---- what Plex lacks -----------------------------------------------------------------------------


@pytest.fixture
def lacking(tmp_path: Path) -> Iterator[World]:
    """Plex has not scanned all of Stash's files yet."""
    spec = LibrarySpec(seed=5, scenes=12, mix={Case.SAME: 2, Case.UNSCANNED: 1}, edited=0.0)
    with World(make_library(spec), tmp_path, **SETTINGS) as made:
        yield made


def scanned(world: World) -> list[str]:
    """The folders Plex was asked to scan."""
    return [path for _, path in world.plex.scans]


def test_plex_is_asked_to_scan_just_the_folders_it_lacks_files_of(lacking: World) -> None:
    """Once a folder; not again because of that scan, but when the scene's own time has come."""
    assert lacking.run(DRY, PLEX__SCAN="true").count(Outcome.UNMATCHED)
    assert len(scanned(lacking)) == 0
    missing = {
        row.scene.path.rpartition("/")[0].replace("/data/", "/media/")
        for row in lacking.run(PLEX__SCAN="true").rows
        if row.outcome is Outcome.UNMATCHED
    }
    asked = scanned(lacking)
    assert set(asked) == missing
    assert len(asked) == len(missing)
    lacking.run(PLEX__SCAN="true")
    lacking.run(PLEX__SCAN="true")
    assert len(scanned(lacking)) == len(missing)
    lacking.wait(hours=1)
    lacking.run(PLEX__SCAN="true")
    assert len(scanned(lacking)) == 2 * len(missing)


def test_a_scan_plex_refuses_is_a_word_and_no_failure(lacking: World) -> None:
    """The run did its work all the same."""
    lacking.plex_wire.faults.add(Fault("plex.scan", 1, Status(400), None))
    ran = lacking.run(PLEX__SCAN="true")
    assert ran.summary.exit_code == ExitCode.OK
    assert any("does not scan" in warning for warning in ran.warnings)


def test_a_library_that_is_meant_to_lack_scenes_is_left_in_peace(lacking: World) -> None:
    """No try but once a week, or when files come to Plex."""
    first = lacking.run(PLEX__SUBSET="true")
    assert first.count(Outcome.UNMATCHED)
    assert first.summary.subset
    lacking.wait(hours=48)
    assert_quiet(lacking.run(PLEX__SUBSET="true"))
    late = next(row.scene.id for row in first.rows if row.outcome is Outcome.UNMATCHED)
    lacking.scan_in(late)
    assert lacking.run(PLEX__SUBSET="true").outcomes()[late] == "applied"


def test_only_those_wake_for_whom_something_came(lacking: World) -> None:
    """Plex finds one file of several it lacked: the others sleep on, and Stash is not asked."""
    first = lacking.run()
    waiting = [row.scene.id for row in first.rows if row.outcome is Outcome.UNMATCHED]
    assert len(waiting) > 2
    lacking.scan_in(waiting[1])
    ran = lacking.run()
    assert ran.outcomes() == {waiting[1]: "applied"}
    lacking.plex.scan_in(replace(lacking.video_of(1), media=(), title="Nobody's"))
    lacking.rescan()
    assert_quiet(lacking.run())


@pytest.mark.parametrize("lost", ["the cache", "what was found", "a dry run looked"])
def test_whoever_waits_is_woken_when_nobody_knows_what_came(lacking: World, lost: str) -> None:
    """What moved is known only from what lay in the cache; without it all are tried."""
    first = lacking.run()
    waiting = {row.scene.id for row in first.rows if row.outcome is Outcome.UNMATCHED}
    lacking.scan_in(min(waiting))
    for file in lacking.cache_dir.iterdir():
        if lost == "the cache" or (lost == "what was found" and "review" in file.name):
            file.unlink()
    if lost == "a dry run looked":
        assert min(waiting) in lacking.run(DRY).outcomes()
    assert set(lacking.run().outcomes()) == waiting
    assert_quiet(lacking.run())


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


# ---- events --------------------------------------------------------------------------------------


def announce(world: World, content: str, *, age_s: float = 1.0, suffix: str = "json") -> Path:
    """Stash's hook leaves a note."""
    spool = world.state_dir / DIRECTORY
    spool.mkdir(exist_ok=True)
    at_ns = int((world.now.timestamp() - age_s) * 1e9)
    note = spool / f"{at_ns}-{len(content)}.{suffix}"
    note.write_text(content)
    return note


def event(scene_id: object, kind: str = "Scene.Update.Post") -> str:
    """What a note holds."""
    return json.dumps({"id": scene_id, "type": kind})


def test_announced_scenes_come_first_and_their_notes_go(synced: World) -> None:
    """Each once, before the others that changed; what is no scene's is let go, too."""
    synced.stash.edit_scenes((3, 21, 8), title="New")
    events = (event(21), event(8), event(21), event(5, "Tag.Update.Post"), event(99))
    for number, content in enumerate(events):
        announce(synced, content, age_s=9 - number)
    ran = synced.run()
    assert [row.scene.id for row in ran.rows] == ["21", "8", "3"]
    assert set(ran.outcomes()) == {"3", "21", "8"}
    assert list((synced.state_dir / DIRECTORY).iterdir()) == []
    assert_quiet(synced.run())


def test_an_announced_scene_is_written_at_once(synced: World) -> None:
    """Whoever saved it a moment ago wants to see it; one more look follows."""
    edit_at(synced, just_before_the_next_run(synced), "Saved Just Now")
    announce(synced, event(7))
    assert synced.run().outcomes() == {"7": "applied"}
    assert synced.run().outcomes() == {"7": "unchanged"}
    assert_quiet(synced.run())


def test_notes_outlive_a_run_that_did_not_get_through(synced: World) -> None:
    """They are removed only after the scenes are handled."""
    synced.stash.edit_scene(7, title="Another Title")
    note = announce(synced, event(7))
    assert synced.run(DRY).outcomes() == {"7": "planned"}
    assert note.exists()
    synced.plex_wire.faults.add(Fault(None, 1, Status(503), None))
    assert synced.run().summary.exit_code == ExitCode.SERVER
    assert note.exists()
    synced.plex_wire.faults.clear()
    assert synced.run().outcomes() == {"7": "applied"}
    assert not note.exists()


def test_torn_and_foreign_notes_do_no_harm(synced: World) -> None:
    """What says nothing goes, but not while somebody may still be writing it."""
    odd = ("", "{", "[]", '{"id": "x"}', '{"id": -4}', '{"id": 1e99}', "\x00\x01", event(2**70))
    for number, content in enumerate(odd):
        announce(synced, content, age_s=1000 + number)
    fresh = announce(synced, "{", age_s=-58)
    draft = announce(synced, event(7), age_s=-57, suffix="tmp")
    assert_quiet(synced.run())
    assert set((synced.state_dir / DIRECTORY).iterdir()) == {fresh, draft}
    synced.wait(hours=1)
    assert_quiet(synced.run())
    assert list((synced.state_dir / DIRECTORY).iterdir()) == []


def test_an_announced_scene_whose_file_moved_is_matched_again(synced: World) -> None:
    """A rename that Stash noticed moves no time, but its hook tells; the link stays if it holds."""
    file = synced.stash.scene(7).file_ids[0]
    synced.stash.move_file(file, synced.stash.paths(7)[0].replace("/data/", "/data/new/"))
    announce(synced, event(7))
    ran = synced.run()
    assert set(ran.outcomes()) == {"7"}
    assert ran.puts == 0
