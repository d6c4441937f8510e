"""Which scenes take part: tags, studios, folders and stash-box ids, over both servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.models import Outcome, RatingKey, SceneId
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import PLAIN, small_library
from tests.support.world import World, scene_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.models import SceneRecord


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Eight plain scenes, nothing synced yet."""
    with World(small_library(), tmp_path, **PLAIN) as made:
        yield made


def record_of(world: World, scene_id: str) -> SceneRecord:
    """What is remembered of a scene."""
    record = world.state().get(SceneId(scene_id))
    assert record is not None
    return record


def written_of(world: World) -> set[str]:
    """The scenes of the next run that were written."""
    return {key for key, value in world.run().outcomes().items() if value == "applied"}


def test_only_scenes_of_included_tags_and_studios_take_part(world: World) -> None:
    """A tag counts with those below it, a studio with its own, and both must agree."""
    above = world.stash.add_tag("For Plex")
    below = world.stash.add_tag("Film", parent_ids=(above,))
    network, site = (one.id for one in list(world.stash.studios)[:2])
    world.stash.edit_studio(site, parent_id=network)
    names = {one.id: one.name for one in world.stash.studios}
    for scene_id in range(1, 9):
        world.stash.edit_scene(scene_id, tag_ids=(), studio_id=None)
    world.stash.edit_scene(1, tag_ids=(above,), studio_id=site)
    world.stash.edit_scene(2, tag_ids=(below,), studio_id=network)
    world.stash.edit_scene(3, tag_ids=(below,))
    world.stash.edit_scene(4, studio_id=site)
    world.settings |= {"STASH__INCLUDE_TAGS": "for plex", "STASH__INCLUDE_STUDIOS": names[network]}
    ran = world.run()
    assert {key for key, value in ran.outcomes().items() if value == "applied"} == {"1", "2"}
    assert ran.count(Outcome.IGNORED) == 6
    assert ran.row("3").reason == "is of no included studio"
    assert ran.row("4").reason == "has no included tag"
    assert world.run().rows == ()


def test_a_scene_that_leaves_the_scope_rests_and_nothing_is_cleared(world: World) -> None:
    """Its link stays and Plex is not touched; back in scope it goes on where it was."""
    tag = world.stash.add_tag("Private")
    world.run(STASH__EXCLUDE_TAGS="private")
    key, before = world.key_of("3"), world.plex.dump()
    base = record_of(world, "3").links[0].base
    world.stash.edit_scene(3, tag_ids=(tag,), title="Not for Plex")
    left = world.run(STASH__EXCLUDE_TAGS="private")
    assert left.row("3").reason == "has an excluded tag (private)"
    assert left.puts == 0
    assert world.plex.dump() == before
    (link,) = record_of(world, "3").links
    assert (link.rating_key, link.base) == (key, base)
    world.stash.edit_scene(3, tag_ids=(), title="For Plex")
    back = world.run(STASH__EXCLUDE_TAGS="private")
    assert back.row("3").outcome is Outcome.APPLIED
    assert world.shown(key, "title") == "For Plex"


def test_a_scene_out_of_scope_does_not_keep_the_item_of_a_file_it_gave_away(world: World) -> None:
    """Whoever has the file now is linked with it, also where both are seen one after the other."""
    tag, key, (file,) = (
        world.stash.add_tag("Private"),
        world.key_of("3"),
        world.stash.scene(3).file_ids,
    )
    world.settings |= {"STASH__EXCLUDE_TAGS": "private", "RUN__FILES_EVERY": "0s"}
    world.run()
    other = world.stash.add_file("/data/other/z.mp4", size=12_345_678, duration=99.0, oshash=9)
    world.stash.add_to_scene(3, other)
    world.stash.set_primary(3, other)
    heir = world.stash.create_scene(title="The Heir", tag_ids=(tag,))
    world.stash.assign_file(file, heir)
    world.stash.edit_scene(3, tag_ids=(tag,))
    assert world.run().count(Outcome.IGNORED) == 2
    world.stash.edit_scene(heir, tag_ids=())
    assert world.run().outcomes() == {str(heir): "applied"}
    assert world.shown(key, "title") == "The Heir"


def test_a_tag_that_gets_another_parent_changes_who_takes_part(world: World) -> None:
    """The next run sees it although no scene's time moves."""
    above, tag = world.stash.add_tag("Private"), world.stash.add_tag("Garden")
    world.stash.edit_scene(3, tag_ids=(tag,))
    world.run(STASH__EXCLUDE_TAGS="Private")
    world.stash.edit_tag(tag, parent_ids=(above,))
    ran = world.run(STASH__EXCLUDE_TAGS="Private")
    assert ran.outcomes() == {"3": "ignored"}
    world.stash.edit_tag(above, name="Secret")
    again = world.run(STASH__EXCLUDE_TAGS="Private")
    assert again.outcomes() == {"3": "unchanged"}
    assert again.warnings == ("[stash] exclude_tags: Stash has no tag 'Private'",)


def test_a_sub_studio_follows_its_network(world: World) -> None:
    """One that is put below an included studio is in from then on."""
    network, site = (one for one in list(world.stash.studios)[:2])
    for scene_id in range(1, 9):
        world.stash.edit_scene(scene_id, studio_id=network.id if scene_id < 3 else site.id)
    world.settings |= {"STASH__INCLUDE_STUDIOS": network.name}
    assert written_of(world) == {"1", "2"}
    world.stash.edit_studio(site.id, parent_id=network.id)
    assert written_of(world) == {str(number) for number in range(3, 9)}


def test_folders_are_those_of_stash_and_a_moved_file_changes_sides(world: World) -> None:
    """The move is seen when the files are looked at; what is ours stays known of the item."""
    (file_id,) = world.stash.scene(2).file_ids
    path = world.stash.paths(2)[0]
    folder = path.rpartition("/")[0]
    world.settings |= {"STASH__EXCLUDE_PATHS": f"{folder}/private/", "RUN__FILES_EVERY": "0s"}
    world.run()
    key, (link,) = RatingKey(world.key_of("2")), record_of(world, "2").links
    world.stash.move_file(file_id, f"{folder}/private/{path.rpartition('/')[2]}")
    ran = world.run()
    assert ran.row("2").reason == "has a file in an excluded folder"
    assert ran.puts == 0
    assert world.state().former(key) == link
    world.stash.move_file(file_id, path)
    assert world.run().outcomes() == {"2": "unchanged"}
    assert record_of(world, "2").links[0].base == link.base


def test_a_scene_waits_for_a_stash_box_id_and_an_address(world: World) -> None:
    """In silence, as for every other value it needs."""
    world.stash.edit_scene(2, stash_ids=(("https://stashdb.org/graphql", "u-1"),), urls=("x",))
    world.stash.edit_scene(3, stash_ids=(("https://stashdb.org/graphql", "u-2"),), urls=())
    world.settings |= {"STASH__REQUIRE_STASH_ID": "true", "STASH__REQUIRED": "url"}
    assert set(world.run().outcomes()) == {"2"}
    world.stash.edit_scene(3, urls=("y",))
    assert set(world.run().outcomes()) == {"3"}


def test_a_wrong_spelling_is_answered_with_what_was_meant(world: World) -> None:
    """Once a run, and nothing is written that was not meant."""
    world.stash.add_tag("For Plex")
    ran = world.run(STASH__INCLUDE_TAGS="For Pelx")
    assert ran.warnings == (
        "[stash] include_tags: Stash has no tag 'For Pelx'; did you mean 'For Plex'?",
    )
    assert ran.puts == 0


def test_a_scene_that_is_named_takes_part_whatever_its_tags(world: World) -> None:
    """A person asked for just this one."""
    tag = world.stash.add_tag("Private")
    world.stash.edit_scene(3, tag_ids=(tag,))
    world.run(STASH__EXCLUDE_TAGS="Private")
    named = world.run(RunOptions(scenes=scene_ids(3)), STASH__EXCLUDE_TAGS="Private")
    assert named.row("3").outcome is Outcome.APPLIED


@pytest.mark.parametrize(
    "settings",
    [
        {"STASH__EXCLUDE_TAGS": "private"},
        {"STASH__INCLUDE_TAGS": "shown"},
        {"STASH__ORGANIZED_ONLY": "true"},
        {"STASH__REQUIRED": "date"},
    ],
    ids=["exclude", "include", "organized", "required"],
)
def test_a_scene_out_of_scope_counts_for_nothing_until_it_is_back(
    world: World, settings: dict[str, str]
) -> None:
    """Whatever keeps it out; one that a person named counts in that run alone."""
    private, shown = world.stash.add_tag("Private"), world.stash.add_tag("Shown")
    inside = {"organized": True, "tag_ids": (shown,), "date": "2021-01-01"}
    outside = {"organized": False, "tag_ids": (private,), "date": ""}
    world.stash.edit_scenes(range(1, 9), **inside)
    world.settings |= settings
    world.wait(1)
    world.run()
    links = record_of(world, "3").links
    world.stash.edit_scene(3, **outside)
    world.wait(1)

    for named in (False, True):
        if named:
            assert world.run(RunOptions(scenes=scene_ids(3))).outcomes() != {}
        world.run()
        record = record_of(world, "3")
        assert (record.outcome, record.links[0].rating_key) == ("ignored", links[0].rating_key)
        assert world.run().rows == ()
    world.stash.edit_scene(3, **inside)
    world.wait(1)
    assert written_of(world) == {"3"}


@pytest.mark.parametrize(
    "settings",
    [{"STASH__EXCLUDE_TAGS": "private"}, {"STASH__ORGANIZED_ONLY": "true"}],
    ids=["exclude", "organized"],
)
def test_a_scene_out_of_scope_that_was_named_and_failed_is_let_go(
    world: World, settings: dict[str, str]
) -> None:
    """By the next run, whatever keeps it out; it does not count as failing for good."""
    private = world.stash.add_tag("Private")
    world.stash.edit_scenes(range(1, 9), organized=True)
    world.settings |= settings
    world.wait(1)
    world.run()
    world.stash.edit_scene(3, organized=False, tag_ids=(private,), title="Refused")
    world.refuse_edits(world.key_of("3"), 400)
    world.wait(1)
    assert world.run(RunOptions(scenes=scene_ids(3))).outcomes() == {"3": "failed"}

    assert world.run().outcomes() == {"3": "ignored"}
    assert record_of(world, "3").outcome is Outcome.IGNORED
    assert world.run().rows == ()


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize(
    "settings",
    [{"STASH__EXCLUDE_TAGS": "private"}, {"STASH__ORGANIZED_ONLY": "true"}],
    ids=["exclude", "organized"],
)
def test_a_scene_out_of_scope_that_could_not_be_read_is_let_go_once_it_can(
    world: World, settings: dict[str, str], *, linked: bool
) -> None:
    """Whether or not it was ever linked; until then it is tried at longer and longer intervals."""
    outside = {"organized": False, "tag_ids": (world.stash.add_tag("Private"),)}
    world.stash.edit_scenes(range(1, 9), organized=True)
    if linked:
        world.run()
    world.stash.edit_scene(3, **outside)
    world.stash.poison(3)
    world.wait(1)
    world.settings |= settings
    assert world.run(RunOptions(full=True)).row("3").outcome is Outcome.FAILED

    world.stash.cure(3)
    world.wait(1)
    assert world.run().outcomes() == {"3": "ignored"}
    assert record_of(world, "3").outcome is Outcome.IGNORED
    assert world.run().rows == ()


WAITING = LibrarySpec(seed=5, scenes=6, mix={Case.UNSCANNED: 1.0}, extra_items=0.0, edited=0.0)


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[World]:
    """Six scenes Plex does not have."""
    with World(make_library(WAITING), tmp_path, **PLAIN) as made:
        assert set(made.run().outcomes().values()) == {"unmatched"}
        yield made


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"STASH__EXCLUDE_TAGS": "private"}, "has an excluded tag (private)"),
        ({"STASH__INCLUDE_TAGS": "Shown"}, "has no included tag"),
        ({"STASH__ORGANIZED_ONLY": "true"}, "is not organized"),
    ],
    ids=["exclude", "include", "organized"],
)
def test_another_scope_holds_for_what_waits_at_once(
    waiting: World, settings: dict[str, str], why: str
) -> None:
    """Also if no try of it is near; and so does the old scope again."""
    private, shown = waiting.stash.add_tag("Private"), waiting.stash.add_tag("Shown")
    for scene_id in range(1, 7):
        waiting.stash.edit_scene(scene_id, tag_ids=(shown,), organized=True)
    waiting.stash.edit_scene(3, tag_ids=(private,), organized=False)
    waiting.run()

    before = dict(waiting.settings)
    waiting.settings |= settings
    ran = waiting.run()
    assert (ran.row("3").outcome, ran.row("3").reason) == (Outcome.IGNORED, why)
    assert waiting.run().rows == ()
    waiting.settings = before
    assert waiting.run().outcomes()["3"] == "unmatched"


def test_a_renamed_tag_decides_about_what_waits_at_once(waiting: World) -> None:
    """No record of a scene that was never linked says which tags it has."""
    tag = waiting.stash.add_tag("Garden")
    waiting.stash.edit_scene(3, tag_ids=(tag,))
    waiting.settings |= {"STASH__EXCLUDE_TAGS": "Private"}
    waiting.run()
    waiting.stash.edit_tag(tag, name="Private")

    assert waiting.run().outcomes()["3"] == "ignored"
    waiting.stash.edit_tag(tag, name="Garden")
    assert waiting.run().outcomes()["3"] == "unmatched"
