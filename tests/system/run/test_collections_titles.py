"""Collections with titles that meet: those of filters, of other libraries, and those given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.errors import ExitCode
from plexsync.planning.retry_schedule import is_kept_due
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.collection_world import LOGO, collection_world, shelf, titles
from tests.support.fields_world import PLAIN
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import Ran

FULL = RunOptions(full=True)
BY_CRON = RunOptions(watched=False)


def rows(ran: Ran) -> dict[str, str]:
    """How each collection ended, by what it is made from."""
    return {one.scene.id: one.outcome.value for one in ran.rows if one.is_collection}


def test_a_collection_of_a_filter_hides_ours_of_the_same_title_from_nothing(
    tmp_path: Path,
) -> None:
    """Ours is found, and kept in step, whichever of both Plex lists first."""
    with collection_world(tmp_path) as world:
        world.run()
        world.plex.collections.make_smart(1, "MOTHER")
        world.stash.edit_studio(1, details="Since 1998.")
        world.wait(1)
        ran = world.run(FULL)

        assert rows(ran)["studio:1"] == "applied"
        assert shelf(world, "Mother")["fields"]["summary"] == "Since 1998."
        assert rows(world.run(FULL)) == {"studio:1": "unchanged", "studio:2": "unchanged"}


def test_a_collection_of_a_filter_is_never_taken_over(tmp_path: Path) -> None:
    """Not even by word: nothing can be put into it, and none of its title is made beside it."""
    with collection_world(tmp_path, COLLECTIONS__TAKE_OVER="Mother") as world:
        world.plex.collections.make_smart(1, "Mother")
        ran = world.run()

        assert rows(ran) == {"studio:1": "kept", "studio:2": "applied"}
        assert titles(world).keys() == {"Daughter"}
        assert rows(world.run()) == {}


def test_a_title_of_ours_that_is_given_up_is_free_in_the_next_run(tmp_path: Path) -> None:
    """A studio is renamed, and a new one has its old name: neither is mixed up with the other."""
    with collection_world(tmp_path) as world:
        world.run()
        key = world.plex.collections.key_of("Daughter")
        world.stash.edit_studio(2, name="Grown up")
        world.stash.edit_studio(3, name="Daughter", parent_id=None)
        world.stash.edit_scene(5, studio_id=3)
        world.wait(1)
        ran = world.run()
        assert rows(ran) == {"studio:2": "applied", "studio:3": "skipped"}
        assert world.plex.collections.key_of("Grown up") == key

        world.run()
        assert titles(world)["Grown up"] == {"3", "4"}
        assert titles(world)["Daughter"] == {"5"}
        assert rows(world.run()) == {}


def test_a_title_that_became_free_in_a_run_is_given_by_the_next_one(tmp_path: Path) -> None:
    """To one that is renamed and to a new one, also where nothing else moved and nobody watches."""
    often = {"RUN__SWEEP_EVERY": "1d", "COLLECTIONS__PERFORMERS": "true"}
    with collection_world(tmp_path, **often) as world:
        for _ in range(3):  # nothing is new by then
            world.run(BY_CRON)
            world.wait(1)
        world.stash.edit_studio(2, name="Grown up")
        world.stash.edit_studio(1, name="Daughter")
        world.stash.edit_performer(1, name="Bea")
        world.stash.edit_studio(3, name="Ann", parent_id=None)
        world.stash.edit_scene(5, studio_id=3)
        world.wait(1)
        first = rows(world.run(BY_CRON))
        assert (first["studio:1"], first["studio:3"]) == ("skipped", "skipped")

        assert rows(world.run(BY_CRON)) == {"studio:1": "applied", "studio:3": "applied"}
        assert titles(world).keys() == {"Daughter", "Grown up", "Ann", "Bea"}
        assert world.run(BY_CRON).rows == ()


def test_two_that_swap_titles_swap_their_collections(tmp_path: Path) -> None:
    """Each title has the scenes of what is called so now, after one run."""
    with collection_world(tmp_path) as world:
        world.run()
        keys = {one: world.plex.collections.key_of(one) for one in ("Mother", "Daughter")}
        world.stash.edit_studio(2, name="In between")
        world.stash.edit_studio(1, name="Daughter")
        world.stash.edit_studio(2, name="Mother")
        world.wait(1)
        ran = world.run()

        assert rows(ran) == {"studio:1": "applied", "studio:2": "applied"}
        assert titles(world) == {"Daughter": {"1", "2", "3", "4"}, "Mother": {"3", "4"}}
        assert {one: world.plex.collections.key_of(one) for one in keys} == keys
        assert rows(world.run()) == {}
        assert rows(world.run(FULL)) == {"studio:1": "unchanged", "studio:2": "unchanged"}


def test_after_a_full_import_collections_belong_to_what_has_their_titles(tmp_path: Path) -> None:
    """Every tag, performer, studio and group has another id: no collection is made or lost."""
    kinds = {f"COLLECTIONS__{kind}": "true" for kind in ("PERFORMERS", "GROUPS")}
    with collection_world(tmp_path, COLLECTIONS__TAGS="Lake", **kinds) as world:
        world.stash.edit_scene(5, performer_ids=(2,), groups=((2, None),), tag_ids=(2,))
        world.wait(1)
        world.run()
        before, shown = world.plex.dump(), world.plex.collections.dump()
        world.stash.full_import()
        for options in (RunOptions(), RunOptions(), FULL):
            world.wait(1)
            assert set(rows(world.run(options)).values()) <= {"unchanged"}

        assert world.plex.dump() == before
        assert world.plex.collections.dump() == shown


def test_what_a_person_decided_of_a_collection_holds_after_a_full_import(tmp_path: Path) -> None:
    """One that was deleted, or taken back, is not made again because its studio has another id."""
    with collection_world(tmp_path, COLLECTIONS__TAGS="Lake") as world:
        world.run()
        world.undo(fields=("collections.existence",))
        world.run(FULL)
        world.plex.collections.delete(world.plex.collections.key_of("Daughter"))
        world.run()
        world.stash.edit_scene(5, studio_id=2)
        world.wait(1)
        world.run()
        assert titles(world).keys() == {"Mother", "Lake"}
        world.stash.full_import()
        for _ in range(3):
            world.wait(1)
            world.run()
            assert titles(world).keys() == {"Mother", "Lake"}

        world.run(FULL)
        assert titles(world)["Daughter"] == {"3", "4", "5"}


def test_a_new_tag_of_a_name_that_another_one_gave_up_gets_its_collection(tmp_path: Path) -> None:
    """What is called otherwise now has none: only named tags have one."""
    with collection_world(tmp_path, COLLECTIONS__TAGS="Lake") as world:
        world.run()
        key = world.plex.collections.key_of("Lake")
        world.stash.edit_tag(1, name="Pond")
        world.stash.edit_scene(5, tag_ids=(world.stash.add_tag("Lake"),))
        world.wait(1)
        world.run()

        assert world.plex.collections.key_of("Lake") == key
        assert titles(world)["Lake"] == {"5"}
        assert rows(world.run()) == {}


def test_a_title_another_collection_of_ours_has_is_given_once_that_is_renamed(
    tmp_path: Path,
) -> None:
    """Until then a renamed one keeps its title, gets all else, and fails nothing."""
    with collection_world(tmp_path, COLLECTIONS__PERFORMERS="true") as world:
        world.run()
        keys = {one: world.plex.collections.key_of(one) for one in ("Mother", "Ann")}
        world.stash.edit_studio(1, name="Ann", details="Since 1998.")
        world.wait(1)
        for options, outcome in ((None, "applied"), (FULL, "skipped"), (None, "skipped")):
            ran = world.run(options)
            assert ran.summary.exit_code == ExitCode.OK
            assert rows(ran)["studio:1"] == outcome
            (row,) = [one for one in ran.rows if one.scene.id == "studio:1"]
            assert "another collection of plexsync has that title" in row.reason
        assert shelf(world, "Mother")["fields"]["summary"] == "Since 1998."
        # A look from afar that shows no movement is enough.
        due = [one for one in world.state().collections().values() if is_kept_due(one, world.now)]
        assert due == []

        world.stash.edit_performer(1, name="Bea")
        world.wait(1)
        world.run()
        world.run()
        assert world.plex.collections.key_of("Bea") == keys["Ann"]
        assert world.plex.collections.key_of("Ann") == keys["Mother"]
        assert rows(world.run()) == {}


def test_a_title_of_a_collection_of_a_person_is_given_once_it_is_free(tmp_path: Path) -> None:
    """A renamed one keeps its title beside it, as its row says once, and in each full run."""
    with collection_world(tmp_path) as world:
        world.run()
        theirs = world.plex.collections.make(1, "Sister", world.key_of("6"))
        world.stash.edit_studio(2, name="Sister")
        world.wait(1)
        ran = world.run()

        assert (ran.summary.exit_code, rows(ran)) == (ExitCode.OK, {"studio:2": "kept"})
        assert titles(world).keys() == {"Mother", "Daughter", "Sister"}
        assert rows(world.run()) == {}
        world.plex.collections.delete(theirs)
        assert rows(world.run(FULL))["studio:2"] == "applied"
        assert titles(world).keys() == {"Mother", "Sister"}
        world.stash.edit_studio(2, name="SISTER")
        world.wait(1)
        assert rows(world.run()) == {"studio:2": "applied"}
        assert titles(world)["SISTER"] == {"3", "4"}


def test_each_library_has_its_own_collection_of_a_studio(tmp_path: Path) -> None:
    """Of movies here, of episodes there, each with its own items; an undo takes both back."""
    mix = {Case.SAME: 1.0, Case.EPISODE: 1.0}
    library = make_library(LibrarySpec(seed=3, scenes=12, mix=mix, edited=0.0))
    with World(library, tmp_path, **PLAIN, COLLECTIONS__STUDIOS="true") as world:
        world.stash.edit_studio(1, name="Mother", parent_id=None, details="Since 1999.")
        world.stash.set_image("studio", 1, LOGO)
        for number in range(1, 13):
            world.stash.edit_scene(number, studio_id=1)
        world.wait(1)
        before = world.plex.dump(), world.plex.collections.dump()
        ran = world.run()

        assert ran.summary.exit_code == ExitCode.OK
        section_of = {str(one.rating_key): one.section_id for one in library.plex.videos}
        made = list(world.plex.collections.dump().values())
        assert [one["fields"]["title"] for one in made] == ["Mother", "Mother"]
        for one in made:
            assert {section_of[key] for key in one["members"]} == {one["section"]}
        assert sum(len(one["members"]) for one in made) == 12
        assert rows(world.run()) == {}

        world.undo(ran.summary.header.run_id)
        assert (world.plex.dump(), world.plex.collections.dump()) == before
