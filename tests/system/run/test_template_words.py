"""Words of templates over both servers: what they say, and that a late change makes a scene due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.models import Outcome
from tests.support.fields_world import PLAIN, small_library
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from plexsync.simulators.library.records import StashTag

ALL = (
    "{performers:gender=female,joiner= & }|{tags}|{rating}|{resolution}|{duration}|{stash_id}|"
    "{code}|{director}|{group}#{scene_index}|{studio.parent}|{custom.Shelf}"
)
_BOX = "https://stashdb.org/graphql"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Eight scenes, one of which says something for every word, on a Stash with custom fields."""
    with World(small_library(), tmp_path, **PLAIN, FIELDS__TITLE__TEMPLATE=ALL) as made:
        made.stash.facts.version = "v0.31.0"
        one = made.stash
        first, second = (row.id for row in list(one.studios)[:2])
        one.edit_studio(second, name="Site", parent_id=first)
        one.edit_studio(first, name="Network")
        people = one.add_performer("Bea", gender="FEMALE"), one.add_performer("Al", gender="MALE")
        group = one.add_group("Film")
        one.edit_scene(
            3,
            title="T",
            code="C",
            director="Dee",
            rating100=80,
            studio_id=second,
            performer_ids=(*people, one.add_performer("Ann", gender="FEMALE")),
            tag_ids=(one.add_tag("Shore"), one.add_tag("Reed")),
            groups=((group, 4),),
            stash_ids=((_BOX, "u-1"),),
            custom_fields={"Shelf": 7.0},
        )
        yield made


def title(world: World) -> str:
    """What Plex shows of the scene."""
    return world.shown(world.key_of("3"), "title")


def first_title(world: World) -> str:
    """What the template says of the scene before anything changes."""
    seconds = round(world.stash.files[world.stash.scene(3).file_ids[0]].duration)
    clock = f"{seconds // 60}:{seconds % 60:02}"
    return f"Ann & Bea|Reed, Shore|8|1080p|{clock}|u-1|C|Dee|Film#4|Network|7"


def named(world: World, table: str, name: str) -> int:
    """The id of a tag, performer, studio or group."""
    rows: Iterable[StashTag] = getattr(world.stash, table)
    return next(one.id for one in rows if one.name == name)


CHANGES: dict[str, tuple[Callable[[World], object], str, str]] = {
    "performer renamed": (
        lambda w: w.stash.edit_performer(named(w, "performers", "Ann"), name="Cyd"),
        "Ann & Bea",
        "Bea & Cyd",
    ),
    "gender": (
        lambda w: w.stash.edit_performer(named(w, "performers", "Al"), gender="FEMALE"),
        "Bea & Cyd",
        "Al & Bea & Cyd",
    ),
    "tag renamed": (
        lambda w: w.stash.edit_tag(named(w, "tags", "Reed"), name="Rush"),
        "Reed, Shore",
        "Rush, Shore",
    ),
    "rating": (lambda w: w.stash.edit_scene(3, rating100=40), "|8|", "|4|"),
    "stash id": (lambda w: w.stash.edit_scene(3, stash_ids=((_BOX, "u-2"),)), "u-1", "u-2"),
    "code": (lambda w: w.stash.edit_scene(3, code="D"), "|C|", "|D|"),
    "director": (lambda w: w.stash.edit_scene(3, director="Eli"), "Dee", "Eli"),
    "group renamed": (
        lambda w: w.stash.edit_group(named(w, "groups", "Film"), name="Movie"),
        "Film",
        "Movie",
    ),
    "place in the group": (
        lambda w: w.stash.edit_scene(3, groups=((named(w, "groups", "Movie"), 5),)),
        "#4",
        "#5",
    ),
    "studio above renamed": (
        lambda w: w.stash.edit_studio(named(w, "studios", "Network"), name="Net"),
        "Network",
        "Net",
    ),
    "studio without one above": (
        lambda w: w.stash.edit_studio(named(w, "studios", "Site"), parent_id=None),
        "|Net|",
        "||",
    ),
    "custom field": (
        lambda w: w.stash.edit_scene(3, custom_fields={"Shelf": "top"}),
        "|7",
        "|top",
    ),
}


def test_a_late_change_of_any_word_reaches_plex(world: World) -> None:
    """One after the other: each makes the scene due, by itself, in the next run."""
    assert world.run().count(Outcome.APPLIED) == 8
    expected = first_title(world)
    assert title(world) == expected
    for what, (change, before, after) in CHANGES.items():
        change(world)
        world.run()
        assert before in expected, what
        expected = expected.replace(before, after, 1)
        assert title(world) == expected, what
    assert world.run().puts == 0


def test_a_stash_without_custom_fields_costs_only_the_word(world: World) -> None:
    """The rest of the text is written, and one sentence says which word says nothing."""
    world.stash.facts.version = "v0.30.1"
    ran = world.run()
    assert title(world) == first_title(world).removesuffix("7")
    (warning,) = ran.warnings
    assert warning.startswith("{custom} of fields.title says nothing: this Stash has no custom")


def test_a_group_is_named_with_the_scenes_place_in_it(world: World) -> None:
    """In the collection of each of its groups."""
    stash = world.stash
    other = stash.add_group("Other")
    stash.edit_scene(3, groups=((named(world, "groups", "Film"), 4), (other, None)))
    world.run(FIELDS__GROUPS="merge", FIELDS__GROUPS__COLLECTION_NAME="{group} {scene_index}")
    found = world.tags(world.key_of("3"), "collection")
    assert "Film 4" in found
    assert not any(name.startswith("Other") for name in found)
