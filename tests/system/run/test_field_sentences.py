"""What the guide promises of single fields, sentence by sentence, seen in Plex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import PLAIN
from tests.support.world import World, scene_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORCED = RunOptions(full=True, force=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Four plain scenes, nothing synced yet."""
    spec = LibrarySpec(seed=3, scenes=4, mix={Case.SAME: 1.0}, edited=0.0)
    with World(make_library(spec), tmp_path, **PLAIN) as made:
        yield made


def test_the_scene_can_be_found_from_plex(world: World) -> None:
    """Its id as a label, its page in the summary; written once, taken back."""
    key = world.key_of("1")
    before = world.plex.dump()[key]
    world.settings.update(
        FIELDS__LABELS="merge",
        FIELDS__LABELS__NAMES="Stash {id}, {stash_url}",
        FIELDS__SUMMARY__TEMPLATE="{details}\n\n{stash_url}",
    )
    world.stash.edit_scene(1, details="At the lake.")
    world.run()
    page = f"{world.stash_url}/scenes/1"
    assert world.shown(key, "summary") == f"At the lake.\n\n{page}"
    assert [name.casefold() for name in world.tags(key, "label")] == ["stash 1", page]
    assert world.run(FORCED).puts == 0
    world.undo()
    assert world.plex.dump()[key]["fields"] == before["fields"]
    assert world.tags(key, "label") == ()


def test_collections_are_named_by_their_templates(world: World) -> None:
    """The studio's and the groups', beside those made by hand."""
    key = world.key_of("1")
    studio, group = world.library.stash.studios[0], world.library.stash.groups[0]
    world.stash.edit_scene(1, studio_id=studio.id, groups=((group.id, None),))
    world.plex.edit_by_hand(key, {"collection": ("By Hand",)})
    world.settings.update(
        FIELDS__GROUPS="merge",
        FIELDS__GROUPS__COLLECTION_NAME="{group} (series)",
        FIELDS__STUDIO__COLLECTION_NAME="Studio {studio}",
    )
    world.run()
    made = {f"{group.name} (series)", f"Studio {studio.name}"}
    assert set(world.tags(key, "collection")) == {"By Hand", *made}
    assert world.run(FORCED).puts == 0


def test_patterns_decide_which_tags_come_and_which_go(world: World) -> None:
    """A tag that is let in no longer is taken out again, if it is ours."""
    key = world.key_of("1")
    names = ("Place: Lake", "place: temp", "Dog")
    world.stash.edit_scene(1, tag_ids=tuple(world.stash.add_tag(name) for name in names))
    world.plex.edit_by_hand(key, {"genre": ("place: temp",)}, lock=False)
    world.run(FIELDS__TAGS__INCLUDE="place: *", FIELDS__TAGS__EXCLUDE="*temp")
    assert set(world.tags(key, "genre")) == {"place: temp", "Place: Lake"}
    world.run(FORCED, FIELDS__TAGS__INCLUDE="dog")
    assert set(world.tags(key, "genre")) == {"place: temp", "Dog"}


def test_everything_of_an_item_goes_out_in_one_request(world: World) -> None:
    """Texts, names that come and names that go, and locks."""
    key = world.key_of("1")
    world.plex.edit_by_hand(key, {"genre": ("Gone",), "label": ("Gone",)}, lock=False)
    world.settings.update(FIELDS__TAGS="overwrite", FIELDS__LABELS="overwrite")
    world.run()
    (write,) = [one for one in world.plex.writes if key in one.rating_keys]
    arguments = dict(write.arguments)
    assert {
        "title.value",
        "title.locked",
        "genre[0].tag.tag",
        "genre[].tag.tag-",
    } <= arguments.keys()
    assert {
        "label[0].tag.tag",
        "label[].tag.tag-",
        "label.locked",
        "genre.locked",
    } <= arguments.keys()


def test_names_go_back_in_their_old_order_on_the_wire(world: World) -> None:
    """Whether Plex takes the order over is its own affair; for the order alone nothing is sent."""
    key = world.key_of("1")
    old = ("Zoe Example", "Mia Example", "Ada Example")
    world.plex.edit_by_hand(key, {"actor": old}, lock=False)
    world.run(FIELDS__PERFORMERS="overwrite")
    world.undo()
    last = [one for one in world.plex.writes if key in one.rating_keys][-1]
    arguments = dict(last.arguments)
    assert [arguments[f"actor[{index}].tag.tag"] for index in range(3)] == list(old)

    performers = tuple(world.stash.add_performer(name) for name in reversed(old))
    world.stash.edit_scene(1, performer_ids=performers)
    ran = world.run(RunOptions(scenes=scene_ids(1)), FIELDS__PERFORMERS="overwrite")
    assert "performers" not in {change.field for change in ran.row("1").changes}


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param("a\r\nb", "a\nb", id="line breaks"),
        pytest.param("a", "a  \n", id="blanks at the end"),
        pytest.param("a b", "a\u00a0b", id="another blank"),
    ],
)
def test_a_text_spelled_otherwise_is_not_written_again(
    world: World, first: str, again: str
) -> None:
    """Not as the title, and not as the summary."""
    world.stash.edit_scene(1, title=first, details=first)
    world.run()
    world.stash.edit_scene(1, title=again, details=again)
    assert world.run().puts == 0


def test_a_text_composed_otherwise_is_another_text(world: World) -> None:
    """Plex keeps the letters it is given, so they are written once more, and then no more."""
    world.stash.edit_scene(1, title="caf\u00e9")
    world.run()
    world.stash.edit_scene(1, title="cafe\u0301")
    assert world.run().puts == 1
    assert world.shown(world.key_of("1"), "title") == "cafe\u0301"
    assert world.run(FORCED).puts == 0
