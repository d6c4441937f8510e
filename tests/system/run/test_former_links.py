"""What plexsync wrote to an item stays known when another scene takes the item over."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome, RatingKey, SceneId
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.session import open_session
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import DiesAfterWriting, Killed
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FULL = RunOptions(full=True, force=True)
SETTINGS = {
    "PLEX__LIBRARIES": "",
    "PATHS": "/data/=/media/",
    "APPLY__PRESERVE_PLEX_EDITS": "true",
}


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[World]:
    """Twelve plain scenes, in Plex as Stash has them; one is called Lake and tagged Summer."""
    spec = LibrarySpec(seed=3, scenes=12, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, **SETTINGS) as world:
        world.stash.edit_scene(7, title="Lake", tag_ids=(world.stash.add_tag("Summer"),))
        assert world.run().count(Outcome.APPLIED) == 12
        yield world


def replaced(world: World, title: str) -> str:
    """Scene 7 is deleted and its file scanned in again: the id of the new scene."""
    files = world.stash.scene(7).file_ids
    world.stash.delete_scene(7)
    return str(world.stash.create_scene(title=title, file_ids=files))


@pytest.mark.parametrize("run_between", [False, True])
def test_a_scene_that_is_scanned_again_owns_what_was_written(
    synced: World, *, run_between: bool
) -> None:
    """Its item's text and tags count as ours, not as a person's: they follow Stash."""
    key, file = synced.key_of("7"), synced.stash.scene(7).file_ids
    synced.plex.edit_by_hand(key, {"genre": ["Summer", "By Hand"]})
    synced.stash.delete_scene(7)
    if run_between:
        assert synced.run().puts == 0
    tag = synced.stash.add_tag("Winter")
    again = synced.stash.create_scene(title="Snow", file_ids=file, tag_ids=(tag,))
    assert synced.run().outcomes() == {str(again): "applied"}
    assert synced.shown(key, "title") == "Snow"
    assert sorted(synced.tags(key, "genre")) == ["By Hand", "Winter"]
    assert synced.run(RunOptions(full=True)).puts == 0


def test_what_a_person_wrote_is_still_theirs_under_another_scene(synced: World) -> None:
    """Only what Plex shows as we left it is ours."""
    key = synced.key_of("7")
    synced.plex.edit_by_hand(key, {"title": "Mine"})
    replaced(synced, title="Snow")
    synced.run()
    assert synced.shown(key, "title") == "Mine"


def test_a_dry_run_shows_what_becomes_of_an_item_that_lost_its_scene(synced: World) -> None:
    """The scene that is gone claims nothing any more, though nobody wrote that down yet."""
    again = replaced(synced, title="Snow")
    ran = synced.run(RunOptions(dry_run=True))
    assert ran.outcomes() == {again: "planned"}
    assert [change.after for change in ran.row(again).changes if change.field == "title"] == [
        "Snow"
    ]


def test_merged_scenes_hand_their_items_over(synced: World) -> None:
    """Both items say what the scene says that is left, tags of the other one go."""
    one, other = synced.key_of("7"), synced.key_of("9")
    synced.stash.merge_scenes([7], 9)
    title = synced.stash.scene(9).title.strip()
    synced.run()
    assert synced.shown(one, "title") == synced.shown(other, "title") == title
    assert "Summer" not in synced.tags(one, "genre")
    assert synced.run(RunOptions(full=True)).puts == 0


def test_a_refilled_database_owns_what_the_old_one_wrote(synced: World) -> None:
    """Every scene has another id, and many ids are those of other scenes before."""
    ids = synced.stash.full_import()
    synced.stash.edit_scene(ids[7], title="Snow", tag_ids=(synced.stash.add_tag("Winter"),))
    ran = synced.run(RunOptions(full=True, force=True))
    assert ran.summary.exit_code == ExitCode.OK
    key = synced.key_of("7")
    assert synced.shown(key, "title") == "Snow"
    assert synced.tags(key, "genre") == ("Winter",)
    assert ran.puts == 1


def test_items_taken_over_count_as_synced_before(synced: World) -> None:
    """They were changed by us once, so the limit on changes is about them, too."""
    for number in (3, 7):
        old = synced.stash.scene(number)
        synced.stash.delete_scene(number)
        synced.stash.create_scene(title="Snow", file_ids=old.file_ids)
    ran = synced.run(APPLY__MAX_CHANGES="1")
    assert ran.summary.exit_code == ExitCode.UNSAFE
    assert ran.puts == 0


def test_a_former_link_outlives_a_checkpoint(synced: World) -> None:
    """It is kept while nobody has the item, and let go of when somebody has."""
    key = RatingKey(synced.key_of("7"))
    old = synced.stash.scene(7)
    synced.stash.delete_scene(7)
    synced.run()
    before = synced.state().former(key)
    with open_session(synced.state_dir, now=synced.now) as session:
        session.checkpoint(now=synced.now)
    assert before is not None
    assert synced.state().former(key) == before
    synced.stash.create_scene(title="Snow", file_ids=old.file_ids)
    synced.run()
    assert synced.state().former(key) is None


def test_what_a_takeover_wrote_can_be_undone_and_is_ours_again(synced: World) -> None:
    """The item goes back to what the scene before it had, and follows Stash from there."""
    before = synced.plex.dump()
    again = replaced(synced, "Snow")
    synced.run()
    assert synced.undo("last").summary.exit_code == ExitCode.OK
    assert synced.plex.dump() == before
    assert synced.run(RunOptions(full=True)).outcomes()[again] == "applied"
    synced.stash.edit_scene(again, title="Rain")
    synced.run()
    assert synced.shown(synced.key_of("7"), "title") == "Rain"


@pytest.mark.parametrize("taken_over", [False, True])
def test_an_undo_after_the_scene_went_is_known_of_the_item(
    synced: World, *, taken_over: bool
) -> None:
    """Whether another scene has the item by then or none; it stays undone, and is ours."""
    key, file = synced.key_of("7"), synced.stash.scene(7).file_ids
    synced.stash.edit_scene(7, title="Ice")
    wrote = synced.run().summary.header.run_id
    synced.stash.delete_scene(7)
    tag = synced.stash.add_tag("Winter")

    def scan() -> int:
        return synced.stash.create_scene(title="Ice", file_ids=file, tag_ids=(tag,))

    again = scan() if taken_over else 0
    synced.run()

    assert synced.undo(wrote).summary.exit_code == ExitCode.OK

    assert synced.shown(key, "title") == "Lake"
    again = again or scan()
    synced.run()
    assert synced.shown(key, "title") == "Lake", "what was taken back stays, unless asked for"
    assert synced.tags(key, "genre") == ("Winter",)
    assert synced.run(RunOptions(full=True)).summary.counts.by_hand == 0
    assert synced.shown(key, "title") == "Ice"
    synced.stash.edit_scene(again, title="Rain")
    synced.run()
    assert synced.shown(key, "title") == "Rain"


def test_a_plan_of_a_scene_that_went_leaves_what_was_written_known(synced: World) -> None:
    """The fields it says nothing of are ours all the same, for the scene that comes next."""
    key, file = synced.key_of("7"), synced.stash.scene(7).file_ids
    synced.stash.edit_scene(7, title="Ice")
    plan = synced.directory / "plan.json"
    synced.run(RunOptions(dry_run=True, save_plan=plan))
    synced.stash.delete_scene(7)
    synced.run()

    assert synced.apply(plan).count(Outcome.APPLIED) == 1

    assert synced.shown(key, "title") == "Ice"
    tag = synced.stash.add_tag("Winter")
    synced.stash.create_scene(title="Snow", file_ids=file, tag_ids=(tag,))
    assert synced.run().summary.counts.by_hand == 0
    assert synced.shown(key, "title") == "Snow"
    assert synced.tags(key, "genre") == ("Winter",)


def test_a_plan_of_a_scene_that_went_leaves_the_item_to_the_next_one(synced: World) -> None:
    """It says nothing of what that one wants, and says so."""
    synced.stash.edit_scene(7, title="Ice")
    plan = synced.directory / "plan.json"
    synced.run(RunOptions(dry_run=True, save_plan=plan))
    again = replaced(synced, "Lake")
    synced.run()

    applied = synced.apply(plan)

    assert (applied.summary.exit_code, applied.puts) == (ExitCode.STALE, 0)
    assert f"linked to scene {again}" in applied.row("7").reason
    assert synced.shown(synced.key_of("7"), "title") == "Lake"
    synced.stash.edit_scene(again, title="Snow")
    assert synced.run().summary.counts.by_hand == 0
    assert synced.shown(synced.key_of("7"), "title") == "Snow"


@pytest.mark.parametrize("run_between", [False, True])
def test_a_write_of_a_killed_run_is_ours_though_its_scene_went(
    synced: World, *, run_between: bool
) -> None:
    """What it wrote counts as ours for the scene that gets the item, now or later."""
    key, file = synced.key_of("7"), synced.stash.scene(7).file_ids
    synced.stash.edit_scene(7, title="Ice", details="Cold.")
    with suppress(Killed):
        synced.run(disk=DiesAfterWriting(synced.plex))
    assert synced.shown(key, "title") == "Ice"
    synced.stash.delete_scene(7)
    if run_between:
        assert synced.run().puts == 0
        assert synced.state().unsettled == ()

    synced.stash.create_scene(title="Snow", details="White.", file_ids=file)

    assert synced.run().summary.counts.by_hand == 0
    assert synced.shown(key, "title") == "Snow"
    assert synced.shown(key, "summary") == "White."
    assert synced.run(RunOptions(full=True)).puts == 0
    assert synced.state().unsettled == ()


def test_a_write_to_an_item_that_left_plex_is_settled_once_all_is_listed(synced: World) -> None:
    """Its scene keeps the link, so no run reads the item; one 404 alone proves nothing."""
    key = synced.key_of("7")
    synced.stash.edit_scene(7, title="Ice")
    with suppress(Killed):
        synced.run(disk=DiesAfterWriting(synced.plex))
    synced.plex.remove_item(key)
    synced.run()
    record = synced.state().get(SceneId("7"))
    assert record is not None
    assert [link.rating_key for link in record.links] == [key]
    assert synced.state().unsettled == ()
    assert synced.run(RunOptions(full=True)).puts == 0


def test_a_write_to_an_item_that_is_only_refused_stays_unsettled(synced: World) -> None:
    """Plex lists it all the same: the next run that can read it finds what was written."""
    synced.stash.edit_scene(7, title="Ice")
    with suppress(Killed):
        synced.run(disk=DiesAfterWriting(synced.plex))
    synced.plex_wire.faults.add(Fault("plex.detail", 1, ErrorStatus(404), None))
    synced.run()
    assert len(synced.state().unsettled) == 1
    synced.plex_wire.faults.clear()
    synced.wait(hours=24 * 8)
    assert synced.run().summary.counts.by_hand == 0
    assert synced.state().unsettled == ()
    assert synced.run(RunOptions(full=True)).puts == 0


def test_what_was_written_is_forgotten_with_the_item(synced: World) -> None:
    """Not while its file is only away, and not what is in a library that takes no part."""
    key = synced.key_of("7")
    synced.stash.delete_scene(7)
    synced.plex.trash(key)
    synced.rescan()
    synced.run(FULL)
    assert synced.state().former(RatingKey(key)) is not None

    synced.plex.empty_trash()
    synced.rescan()
    others = synced.library.plex.sections[1].title
    synced.run(FULL, PLEX__LIBRARIES=others)
    assert synced.state().former(RatingKey(key)) is not None
    synced.run(FULL)

    assert synced.state().former(RatingKey(key)) is None
