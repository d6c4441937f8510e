"""What a run notices that no scene's own time tells, and what waits in silence."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from plexsync.app.retry import retry
from plexsync.errors import ExitCode
from plexsync.integrations.stash_hook import SPOOL
from plexsync.models import Outcome, SceneId
from plexsync.planning.retry_schedule import PARKED
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.sync.ports import RunOptions
from tests.support.world import World, assert_quiet, scene_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.simulators.http.wire import SimRequest

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

    world.stash_wire.faults.add(Fault("stash.graphql", 1, ErrorStatus(500), None, strike))


# ---- other objects -------------------------------------------------------------------------------


def test_a_renamed_tag_reaches_the_scenes_that_wear_it_and_no_other(synced: World) -> None:
    """No scene's time moved; the dictionary tells, and the records know which."""
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
    synced.plex_wire.faults.add(Fault("plex.put", 2, ErrorStatus(503), None))
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
    """Eight tries while others are written, then silence; each way back is a fresh start."""
    bad = synced.key_of("4")
    synced.refuse_edits(bad, 400)
    synced.stash.edit_scene(4, title="Cursed")
    tries = 0
    for number in range(12):
        synced.stash.edit_scene(5, title=f"Written {number}")
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


def test_a_failed_scene_is_taken_up_by_the_very_next_change(synced: World) -> None:
    """It would wait five minutes; its curator need not, and neither need its tags."""
    bad = synced.key_of("4")
    synced.refuse_edits(bad, 400)
    synced.stash.edit_scene(4, title="Refused")
    synced.stash.edit_scene(5, title="Written")
    assert synced.run().outcomes() == {"4": "failed", "5": "applied"}
    assert_quiet(synced.run())
    synced.stash.edit_scene(4, title="Refused Again")
    assert synced.run().outcomes() == {"4": "failed"}
    synced.plex_wire.faults.clear()
    synced.stash.edit_tag(synced.stash.scene(4).tag_ids[0], name="Another Name")
    assert synced.run().outcomes()["4"] == "applied"
    assert synced.shown(synced.key_of("4"), "title") == "Refused Again"
    assert "Another Name" in genres(synced, "4")


def test_a_restored_database_of_plex_is_healed_by_a_full_run(synced: World) -> None:
    """The numbers are as they were, the values are those of before the first run, and no lock."""
    synced.plex_wire.simulator = synced.plex = PlexSimulator(synced.library)
    assert_quiet(synced.run())
    assert synced.run(RunOptions(full=True, force=True)).count(Outcome.APPLIED) == 30
    assert synced.shown(synced.key_of("7"), "title") == synced.stash.scene(7).title.strip()
    assert synced.run(RunOptions(full=True, force=True)).puts == 0


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


# ---- events --------------------------------------------------------------------------------------


def announce(world: World, content: str, *, age_s: float = 1.0, suffix: str = "json") -> Path:
    """Stash's hook leaves a note."""
    spool = world.state_dir / SPOOL
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
    assert list((synced.state_dir / SPOOL).iterdir()) == []
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
    synced.plex_wire.faults.add(Fault(None, 1, ErrorStatus(503), None))
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
    assert set((synced.state_dir / SPOOL).iterdir()) == {fresh, draft}
    synced.wait(hours=1)
    assert_quiet(synced.run())
    assert list((synced.state_dir / SPOOL).iterdir()) == []


def test_an_announced_scene_with_a_moved_file_is_matched_again(synced: World) -> None:
    """A rename that Stash noticed moves no time, but its hook tells; the link stays if it holds."""
    file = synced.stash.scene(7).file_ids[0]
    synced.stash.move_file(file, synced.stash.paths(7)[0].replace("/data/", "/data/new/"))
    announce(synced, event(7))
    ran = synced.run()
    assert set(ran.outcomes()) == {"7"}
    assert ran.puts == 0
