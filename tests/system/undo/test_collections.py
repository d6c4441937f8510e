"""Taking back what runs did to collections, against both simulators over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.sync.ports import RunOptions
from tests.support.collection_world import (
    OTHER_LOGO,
    collection_world,
    shelf,
    titles,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World

FULL = RunOptions(full=True)
ALL = {
    "COLLECTIONS__GROUPS": "true",
    "COLLECTIONS__TAGS": "lake",
    "COLLECTIONS__ORGANIZED": "true",
    "COLLECTIONS__MODE": "hide_items",
    "COLLECTIONS__SORT_TITLE": "{kind} {name}",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Many kinds of collections are on; nothing is synced yet."""
    with collection_world(tmp_path, **ALL) as made:
        yield made


def test_an_undo_takes_everything_back(world: World) -> None:
    """Items and collections are as before the run, and the next one makes none again."""
    before = whole(world)
    world.run()
    assert len(titles(world)) == 5

    undone = world.undo()
    assert whole(world) == before
    assert undone.summary.counts.failed == 0

    world.run()
    assert titles(world) == {}
    world.run(FULL)
    assert len(titles(world)) == 5


def test_an_undo_takes_later_changes_back(world: World) -> None:
    """Another title, text, poster and other members, of collections that were there."""
    world.run()
    before = world.plex.collections.dump()
    world.stash.edit_studio(1, name="Matriarch", details="Since 1998.")
    world.stash.set_image("studio", 1, OTHER_LOGO)
    world.stash.edit_scene(1, studio_id=2)
    world.stash.edit_scene(5, studio_id=1)
    world.wait(1)
    world.run()
    assert world.plex.collections.dump() != before

    world.undo()
    assert world.plex.collections.dump() == before
    world.run()
    assert world.plex.collections.dump() == before


def test_members_that_were_taken_back_are_written_once_they_are_asked_for(world: World) -> None:
    """One that came and one that went; also after a run that left both alone."""
    world.run()
    before = titles(world)
    world.stash.edit_scene(3, studio_id=None)
    world.stash.edit_scene(5, studio_id=1)
    world.wait(1)
    world.run()
    after = titles(world)
    world.undo()
    world.run()
    assert titles(world) == before

    world.run(FULL)
    assert titles(world) == after


def test_a_poster_that_was_taken_back_is_chosen_once_it_is_asked_for(world: World) -> None:
    """Also after a run that looked at everything because a week was over, and left it alone."""
    world.run()
    before = shelf(world, "Mother")["poster"]
    world.stash.set_image("studio", 1, OTHER_LOGO)
    world.wait(1)
    world.run()
    after = shelf(world, "Mother")["poster"]
    world.undo()
    world.wait(hours=24 * 8)
    assert world.run().summary.header.full
    assert shelf(world, "Mother")["poster"] == before

    world.run(FULL)
    assert shelf(world, "Mother")["poster"] == after != before


def test_a_poster_that_was_asked_for_and_failed_is_tried_again(world: World) -> None:
    """By the next run, though nobody asks a second time."""
    world.run()
    world.stash.set_image("studio", 1, OTHER_LOGO)
    world.wait(1)
    world.run()
    after = shelf(world, "Mother")["poster"]
    world.undo()
    world.plex_wire.faults.add(Fault("plex.select", 1, ErrorStatus(400), None))
    assert world.run(FULL).summary.counts.failed == 1
    world.plex_wire.faults.clear()
    world.wait(hours=1)

    world.run()
    assert shelf(world, "Mother")["poster"] == after


def test_members_that_were_taken_back_stay_out_beside_one_nothing_is_known_of(world: World) -> None:
    """Scene 6 is gone from Stash; its item, which the undo takes out as well, is not its word."""
    world.run()
    before = titles(world)
    for number in (5, 6):
        world.stash.edit_scene(number, studio_id=1)
    world.wait(1)
    written = world.run().summary.header.run_id
    world.stash.delete_scene(6)
    world.wait(1)
    world.run(RunOptions(force=True))
    assert titles(world)["Mother"] == {"1", "2", "3", "4", "5", "6"}
    world.undo(written)
    assert titles(world) == before
    world.run()
    assert titles(world) == before


def test_an_undo_of_a_collection_that_went_makes_it_again(world: World) -> None:
    """Under another key, with its poster, which Plex forgot and Stash does not have any more."""
    world.stash.set_image("studio", 2, OTHER_LOGO)
    world.wait(1)
    world.run()
    before = shelf(world, "Daughter")
    assert before["poster"].startswith("upload://")
    for number in (3, 4):
        world.stash.edit_scene(number, studio_id=1)
    world.wait(1)
    world.run()
    assert "Daughter" not in titles(world)
    world.stash.delete_studio(2)

    world.undo()
    assert shelf(world, "Daughter") == before


def test_an_item_in_two_kinds_of_collections_has_no_lock_left(tmp_path: Path) -> None:
    """One its studio put it in, which locks the list, and one that was made of its tag."""
    with collection_world(
        tmp_path, COLLECTIONS__STUDIOS="false", COLLECTIONS__TAGS="lake"
    ) as world:
        before = world.plex.dump()
        world.run()
        assert {"Mother", "Lake"} <= set(titles(world))

        world.undo()

        assert world.plex.dump() == before


def test_a_collection_that_went_and_came_again_goes_with_the_run_that_made_it(
    world: World,
) -> None:
    """Undo after undo leads to the start, although Plex gave it another number meanwhile."""
    before = whole(world)
    first = world.run().summary.header.run_id
    world.stash.edit_scenes((3, 4), studio_id=1)
    world.wait(1)
    second = world.run().summary.header.run_id
    assert "Daughter" not in titles(world)

    world.undo(second)
    world.run()
    world.undo(first)

    assert whole(world) == before


def test_a_collection_that_is_there_again_has_its_locks(world: World) -> None:
    """Also that of a title it was renamed to."""
    world.run()
    world.stash.edit_studio(2, name="Son")
    world.wait(1)
    world.run()
    before = shelf(world, "Son")
    assert "title" in before["locks"]
    for number in (3, 4):
        world.stash.edit_scene(number, studio_id=1)
    world.wait(1)
    world.run()
    world.undo()
    assert shelf(world, "Son") == before

    world.run()
    assert shelf(world, "Son") == before


def test_a_collection_that_is_there_again_stays_until_it_is_asked_for(world: World) -> None:
    """Nothing belongs to it, which is what the undo took back."""
    world.run()
    members = titles(world)["Organized"]
    world.stash.edit_scene(1, organized=False)
    world.wait(1)
    world.run()
    world.undo()
    for _ in range(2):
        world.run()
        assert titles(world)["Organized"] == members

    world.run(FULL)
    assert "Organized" not in titles(world)


def test_a_collection_that_was_empty_when_it_went_holds_up_no_other(world: World) -> None:
    """A person took its members out; Plex makes no collection without any."""
    world.run()
    world.plex.collections.take_out(
        world.plex.collections.key_of("Daughter"), world.key_of("3"), world.key_of("4")
    )
    before = shelf(world, "Film")
    world.stash.edit_scene(3, studio_id=None)
    world.stash.edit_scene(4, studio_id=None)
    world.stash.edit_group(1, name="Another Film")
    world.run()
    assert "Daughter" not in titles(world)
    undone = world.undo()
    assert undone.summary.exit_code == ExitCode.OK
    assert shelf(world, "Film") == before
    (row,) = [row for row in undone.rows if row.item and row.item.title == "Daughter"]
    assert "had no members" in row.reason


def test_an_undo_can_be_undone(world: World) -> None:
    """What was made, and went by the undo, is there again."""
    world.run()
    before = {one["fields"]["title"]: one for one in world.plex.collections.dump().values()}
    undone = world.undo()
    assert titles(world) == {}

    world.undo(undone.summary.header.run_id)

    after = {one["fields"]["title"]: one for one in world.plex.collections.dump().values()}
    for title in before:
        assert after[title]["members"] == before[title]["members"]
        assert after[title]["fields"] == before[title]["fields"]
        assert after[title]["prefs"] == before[title]["prefs"]
        assert after[title]["poster"] == before[title]["poster"]
        assert after[title]["locks"] == before[title]["locks"]


def test_what_a_later_run_made_is_not_called_somebody_elses(world: World) -> None:
    """An undo is taken back after a full run has made all of it again."""
    world.run()
    undone = world.undo().summary.header.run_id
    world.run(FULL)
    again = world.undo(undone)

    reasons = [row.reason for row in again.rows if row.is_collection]
    assert all("another collection" in one for one in reasons), reasons


def test_a_collection_that_was_touched_outlives_the_undo(world: World) -> None:
    """Without the members plexsync put in, and with what a person did."""
    world.run()
    key = world.plex.collections.key_of("Mother")
    world.plex.edit_by_hand(key, {"summary": "Mine"})
    world.plex.collections.put_in(key, world.key_of("6"))

    world.undo()

    assert titles(world) == {"Mother": {"6"}}
    assert shelf(world, "Mother")["fields"]["summary"] == "Mine"


def test_a_title_somebody_took_meanwhile_stays_theirs(world: World) -> None:
    """Everything else goes back, and the row says what does not."""
    world.run()
    before = shelf(world, "Mother")
    world.stash.edit_studio(1, name="Matriarch", details="Since 1998.")
    world.stash.edit_scene(5, studio_id=1)
    world.wait(1)
    world.run()
    world.plex.collections.make(1, "Mother", world.key_of("6"))
    undone = world.undo()

    after = shelf(world, "Matriarch")
    assert undone.summary.exit_code == ExitCode.OK
    assert after["members"] == before["members"]
    assert after["fields"]["summary"] == before["fields"]["summary"]
    (row,) = [row for row in undone.rows if row.is_collection]
    assert "another collection 'Mother'" in row.reason


def test_what_an_undo_does_to_collections_is_no_doing_of_somebody_else(world: World) -> None:
    """The items that come and go show it, and are written in the same batch."""
    world.run()
    world.stash.edit_scene(3, studio_id=None)
    world.stash.edit_scene(5, studio_id=1)
    world.wait(1)
    world.run()
    undone = world.undo()

    assert undone.summary.counts.applied > 1
    assert [row.reason for row in undone.rows if "somebody else" in row.reason] == []


def test_a_touched_collection_plex_drops_as_empty_is_no_failure_of_the_undo(world: World) -> None:
    """Nor does the next run make it again."""
    world.plex.switches.drop_empty_collections = True
    world.run()
    world.plex.edit_by_hand(world.plex.collections.key_of("Daughter"), {"summary": "Mine"})
    undone = world.undo()

    assert undone.summary.exit_code == ExitCode.OK
    assert titles(world) == {}
    world.run()
    assert titles(world) == {}


def test_a_dry_undo_writes_nothing(world: World) -> None:
    """It lists what would go."""
    world.run()
    before = whole(world)

    dry = world.undo(dry_run=True)

    assert whole(world) == before
    assert len([row for row in dry.rows if row.is_collection]) == 5


@pytest.mark.parametrize("kind", ["plex.make", "plex.put", "plex.upload", "plex.prefs"])
def test_what_was_written_before_a_failure_is_taken_back(world: World, kind: str) -> None:
    """Whatever request of the run failed."""
    before = whole(world)
    world.plex_wire.faults.add(Fault(kind, 2, ErrorStatus(500), times=3))
    world.run()

    world.undo()

    assert whole(world) == before


def test_an_undo_makes_no_second_collection_by_another_title(world: World) -> None:
    """One that a later run made of the same source is the only one and stays known."""
    world.run()
    world.stash.edit_scenes((1, 2, 3, 4), studio_id=None)
    world.wait(1)
    world.run()
    (*_, went) = world.state().runs
    assert "Mother" not in titles(world)
    world.stash.edit_scenes((1, 2), studio_id=1)
    world.wait(1)
    world.settings["COLLECTIONS__TITLE"] = "All of {name}"
    world.run()

    row = world.undo(went.run_id).row("studio:1")

    assert (row.outcome.value, "by now" in row.reason) == ("skipped", True)
    assert "Daughter" in titles(world)
    assert {"Mother", "All of Mother"} & set(titles(world)) == {"All of Mother"}
    world.run(FULL)
    assert titles(world)["All of Mother"] == {"1", "2"}
    assert "Mother" not in titles(world)


def swap_names(world: World) -> None:
    """Let two studios have each other's name, and a run see it."""
    for number, name in ((2, "In between"), (1, "Daughter"), (2, "Mother")):
        world.stash.edit_studio(number, name=name)
    world.wait(1)
    world.run()


def test_an_undo_leaves_each_its_own_where_two_swapped_names(world: World) -> None:
    """A collection belongs to what has its title: that the run filled it for the other is past."""
    world.run()
    (*_, made) = world.state().runs
    swap_names(world)

    world.undo(made.run_id)

    for _ in range(2):
        ran = world.run(FULL)
        assert ran.summary.counts.skipped == 0
    assert titles(world)["Daughter"] == {"1", "2", "3", "4"}
    assert titles(world)["Mother"] == {"3", "4"}


def test_an_undo_takes_no_collection_for_one_that_went_and_was_of_its_source(world: World) -> None:
    """Two swapped names, and one of their collections was deleted since."""
    world.run()
    (*_, made) = world.state().runs
    swap_names(world)
    world.plex.collections.delete(world.plex.collections.key_of("Mother"))

    undone = world.undo(made.run_id)

    assert undone.summary.exit_code == ExitCode.OK
    assert undone.row("studio:2").outcome.value == "skipped"
    assert titles(world)["Daughter"] == {"1", "2"}
