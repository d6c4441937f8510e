"""Every field on its way to Plex: ratings, templates, collections, odd texts, episodes."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import EVERYTHING, PLAIN, small_library
from tests.support.strategies import AWKWARD_PIECES
from tests.support.world import World, scene_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.library.pairs import Library

FULL = RunOptions(full=True)
FORCED = RunOptions(full=True, force=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Eight plain scenes, nothing synced yet."""
    with World(small_library(), tmp_path, **PLAIN) as made:
        yield made


def test_every_field_reaches_its_item(tmp_path: Path) -> None:
    """Texts, lists and the rating, under Plex's own names."""
    with World(small_library(), tmp_path, **EVERYTHING) as world:
        world.stash.edit_scene(
            5,
            title="Lake",
            code="L-1",
            date="2024-05",
            director="Ada, Ben",
            rating100=75,
            groups=((world.library.stash.groups[0].id, None),),
        )
        key = world.key_of("5")
        file = world.plex.dump()[key]["files"][0].rpartition("/")[2].rpartition(".")[0]

        ran = world.run()

        assert ran.outcomes()["5"] == "applied"
        wrote = {
            name: world.shown(key, name)
            for name in ("title", "titleSort", "originalTitle", "tagline", "contentRating")
        }
        assert wrote == {
            "title": "Lake",
            "titleSort": "2024-05 Lake",
            "originalTitle": file,
            "tagline": "L-1 Ada, Ben",
            "contentRating": "XXX",
        }
        assert world.shown(key, "originallyAvailableAt") == "2024-05-01"
        assert world.plex.dump()[key]["rating"] == 8
        assert world.tags(key, "director") == ("Ada", "Ben")
        assert world.tags(key, "label") == ("Stash 5",)
        assert world.library.stash.groups[0].name in world.tags(key, "collection")
        assert world.run(FULL).puts == 0


def test_an_item_joins_the_collection_of_its_studio_unless_switched_off(
    world: World,
) -> None:
    """By default; collections made by hand stay, and the old studio's goes with the studio."""
    scene = next(one for one in world.library.stash.scenes if one.studio_id)
    names = {one.id: one.name for one in world.library.stash.studios}
    key, old = world.key_of(str(scene.id)), names[scene.studio_id or 0]
    world.plex.edit_by_hand(key, {"collection": ("By Hand",)})
    world.run(FIELDS__STUDIO__COLLECTION="false")
    assert world.tags(key, "collection") == ("By Hand",)

    world.run()
    assert world.tags(key, "collection") == ("By Hand", old)

    other = next(number for number, name in names.items() if name != old)
    world.stash.edit_scene(scene.id, studio_id=other)
    world.run()
    assert world.tags(key, "collection") == ("By Hand", names[other])


def test_rows_name_every_field_of_a_shared_list(world: World) -> None:
    """Tags, groups and the studio make one list of collections."""
    ran = world.run(FIELDS__TAGS__TO="collection", FIELDS__GROUPS="merge")
    fields = {change.field for row in ran.rows for change in row.changes}
    assert "tags+groups+studio.collection" in fields
    assert not fields & {"tags", "groups", "studio.collection"}
    assert world.run(FULL, FIELDS__TAGS__TO="collection", FIELDS__GROUPS="merge").puts == 0


# ---- ratings -------------------------------------------------------------------------------------


def test_a_rating_goes_through_its_own_door(world: World) -> None:
    """One request, no lock, and gone again when Stash drops it and empty means clear."""
    world.settings.update(FIELDS__RATING="overwrite", APPLY__EMPTY="clear")
    world.run()
    key = world.key_of("5")
    world.stash.edit_scene(5, rating100=100)
    ran = world.run()
    assert ran.puts + ran.plex.get("plex.rate", 0) == 1
    assert world.plex.dump()[key]["rating"] == 10
    assert "userRating" not in world.plex.dump()[key]["locks"]
    world.stash.edit_scene(5, rating100=None)
    world.run()
    assert world.plex.dump()[key]["rating"] is None
    assert world.run(FULL).puts == 0


def test_a_rating_given_in_plex_is_kept_by_keep_and_fill(world: World) -> None:
    """A rating has no lock to say so; whoever gave it, it is not ours."""
    key = world.key_of("5")
    world.plex.set_rating(key, 3)
    world.stash.edit_scene(5, rating100=90)
    world.run(FIELDS__RATING="keep")
    assert world.plex.dump()[key]["rating"] == 3
    world.run(FULL, FIELDS__RATING="fill")
    assert world.plex.dump()[key]["rating"] == 3
    world.run(FULL, FIELDS__RATING="overwrite")
    assert world.plex.dump()[key]["rating"] == 3
    world.run(FULL, FIELDS__RATING="overwrite", APPLY__PRESERVE_PLEX_EDITS="false")
    assert world.plex.dump()[key]["rating"] == 9


def test_a_rating_is_journaled_before_it_is_replaced(world: World) -> None:
    """A reply that was lost is settled by reading; the old value is in the journal."""
    world.run()
    world.plex.set_rating(world.key_of("5"), 3)
    world.stash.edit_scene(5, rating100=90)
    world.plex_wire.faults.add(
        Fault(None, 1, Reset(applied=True), match=lambda r: r.path == "/:/rate")
    )
    ran = world.run(FIELDS__RATING="overwrite", APPLY__PRESERVE_PLEX_EDITS="false")
    assert ran.outcomes()["5"] == "applied"
    (change,) = ran.row("5").changes
    assert (change.before, change.after) == ("3", "9")


# ---- never again for spelling --------------------------------------------------------------------


def odd_text(chance: random.Random) -> str:
    """A few awkward pieces and words."""
    words = ("lake", "Lake", "THE ", "a ", "ÉTÉ", "été", "straße", "x, y", "50%", "%2C", "a&b=c")
    return "".join(chance.choice((*AWKWARD_PIECES, *words, " ", "\n")) for _ in range(4))


def odd_library(seed: int) -> Library:
    """Every text Stash has is odd, and names differ by case and spacing alone."""
    chance = random.Random(seed)  # noqa: S311 - test values
    library = small_library(24)
    side = library.stash

    def renamed(rows: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(
            replace(row, name=odd_text(chance) or "n")  # type: ignore[type-var]  # all have a name
            for row in rows
        )

    scenes = tuple(
        replace(
            scene,
            title=odd_text(chance),
            details=odd_text(chance) + "\r\n\r\n" + odd_text(chance),
            code=odd_text(chance),
            director=odd_text(chance),
            date=chance.choice((None, "2021", "2021-06", "2021-06-05", "0001-01-01")),
            rating100=chance.choice((None, 1, 44, 45, 100)),
            tag_ids=tuple(tag.id for tag in chance.sample(side.tags, 5)),
            performer_ids=tuple(one.id for one in chance.sample(side.performers, 3)),
            groups=tuple((one.id, None) for one in chance.sample(side.groups, 2)),
        )
        for scene in side.scenes
    )
    made = {
        "scenes": scenes,
        "tags": renamed(side.tags),
        "performers": renamed(side.performers),
        "studios": renamed(side.studios),
        "groups": renamed(side.groups),
    }
    return replace(library, stash=replace(side, **made))  # type: ignore[arg-type]  # by replace


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tags_to", ["genre", "label", "collection"])
def test_odd_texts_are_written_once(tmp_path: Path, seed: int, tags_to: str) -> None:
    """Case, spacing, line breaks, tags' first spelling, a label's capital: never a second edit."""
    settings = {**EVERYTHING, "FIELDS__TAGS__TO": tags_to, "FIELDS__TAGS": "overwrite"}
    with World(odd_library(seed), tmp_path, **settings) as world:
        world.plex.switches.fold_line_breaks = bool(seed & 1)
        world.plex.switches.replace_tags = bool(seed & 2)
        first = world.run()
        assert first.summary.exit_code == ExitCode.OK
        assert first.count(Outcome.APPLIED) == 24
        again = world.run(FORCED)
        assert [(row.outcome, row.changes) for row in again.rows if row.changes] == []
        assert again.puts == 0
        assert world.plex.misdeeds.unguarded_puts == 0


def test_what_an_agent_overwrites_is_seen_and_repaired(world: World) -> None:
    """Nothing was locked, so a refresh put its own words there; nothing moved in Stash."""
    world.settings.update(APPLY__LOCK_FIELDS="false")
    world.run()
    key = world.key_of("5")
    before = world.plex.dump()
    world.plex.agent_refresh(key, {"title": "As the Agent Has It", "summary": "Found online."})
    assert world.run().puts == 0, "an ordinary run asks Plex only about what changed"
    ran = world.run(FULL)
    assert ran.outcomes()["5"] == "applied"
    assert ran.puts == 1
    assert world.plex.dump() == before
    assert world.run(FULL).puts == 0


# ---- sort titles, episodes -----------------------------------------------------------------------


def test_a_sort_title_survives_a_new_title(world: World) -> None:
    """Without locks Plex would make it of every title that is written."""
    world.settings.update(
        FIELDS__SORT_TITLE="overwrite",
        FIELDS__SORT_TITLE__TEMPLATE="{code}",
        APPLY__LOCK_FIELDS="false",
    )
    world.stash.edit_scene(5, code="L-1")
    world.run()
    world.stash.edit_scene(5, title="The New One")
    world.run()
    assert world.shown(world.key_of("5"), "titleSort") == "L-1"
    assert world.run(FULL).puts == 0


def test_episodes_get_what_they_store_and_the_rest_is_reported_once(tmp_path: Path) -> None:
    """A table by kind; what an episode does not store is in no request."""
    library = make_library(LibrarySpec(seed=3, scenes=12, mix={Case.EPISODE: 1.0}, edited=0.0))
    with World(library, tmp_path, **EVERYTHING) as world:
        world.stash.edit_scene(3, director="Ada", rating100=60)
        ran = world.run()
        warnings = [one for one in ran.warnings if "episode" in one]
        assert len(warnings) == 1
        for name in ("original_title", "tagline", "studio", "performers", "tags"):
            assert name in warnings[0]
        assert ran.count(Outcome.APPLIED) > 0
        key = world.key_of("3")
        assert world.tags(key, "director") == ("Ada",)
        assert world.tags(key, "label") == ("Stash 3",)
        assert world.plex.dump()[key]["rating"] == 6
        sent = {name for write in world.plex.writes for name, _ in write.arguments}
        refused = ("genre", "actor", "studio", "tagline", "originalTitle")
        assert not [name for name in sent if name.startswith(refused)]
        assert world.run(RunOptions(scenes=scene_ids(3))).puts == 0


# ---- the hierarchy of tags -----------------------------------------------------------------------


def test_parents_come_along_only_if_asked_for(world: World) -> None:
    """A tag's parents and theirs; renaming one is noticed like renaming a tag of the scene."""
    low, middle, high = (tag.id for tag in world.library.stash.tags[:3])
    names = {tag.id: tag.name for tag in world.library.stash.tags}
    world.stash.edit_tag(low, parent_ids=(middle,))
    world.stash.edit_tag(middle, parent_ids=(high, low))
    world.stash.edit_scene(5, tag_ids=(low,))
    key = world.key_of("5")
    world.run()
    assert {name.casefold() for name in world.tags(key, "genre")} == {names[low].casefold()}

    world.settings.update(FIELDS__TAGS__PARENTS="true")
    world.run(FORCED)
    shown = {name.casefold() for name in world.tags(key, "genre")}
    assert shown == {names[one].casefold() for one in (low, middle, high)}

    world.stash.edit_tag(high, name="Above All")
    world.run()
    assert "Above All" in world.tags(key, "genre")
    assert world.run(FORCED).puts == 0


def test_a_tag_that_gets_another_parent_is_noticed_by_the_next_run(world: World) -> None:
    """No scene's time moves; the dictionary says which lies above which, as far up as is shown."""
    world.settings.update(FIELDS__TAGS__PARENTS="true", FIELDS__TAGS="overwrite")
    tags = [world.stash.add_tag(f"Level {number}") for number in range(5)]
    for below, above in itertools.pairwise(tags):
        world.stash.edit_tag(below, parent_ids=(above,))
    other = world.stash.add_tag("Another Way Up")
    world.stash.edit_scene(5, tag_ids=(tags[0],))
    key = world.key_of("5")

    def shown() -> set[str]:
        return set(world.tags(key, "genre"))

    world.run()
    assert shown() == {"Level 0", "Level 1", "Level 2", "Level 3"}
    world.stash.edit_tag(tags[3], parent_ids=(other,))
    assert set(world.run().outcomes()) == {"5"}, "looked at, though its fourth level is not shown"
    world.stash.edit_tag(tags[1], parent_ids=(other,))
    assert world.run().outcomes() == {"5": "applied"}
    assert shown() == {"Level 0", "Level 1", "Another Way Up"}
    world.stash.merge_tags([tags[1]], tags[4])
    assert world.run().outcomes() == {"5": "applied"}
    assert shown() == {"Level 0", "Level 4", "Another Way Up"}
    world.stash.delete_tag(other)
    assert world.run().outcomes() == {"5": "applied"}
    assert shown() == {"Level 0", "Level 4"}
    assert world.run().rows == ()


# ---- labels --------------------------------------------------------------------------------------

LABELS = ("été", "\u0131ss\u0131z", "ßeta", "ǆep", "漢字", "😀 joy", "a, b", '"quoted"', "_x", "éa")


@pytest.mark.parametrize("policy", ["overwrite", "merge"])
def test_labels_are_written_once_whatever_letter_they_begin_with(world: World, policy: str) -> None:
    """Plex gives each a capital; neither that nor a later change of one writes the others."""
    world.settings.update(FIELDS__TAGS__TO="label", FIELDS__TAGS=policy)
    tags = [tag.id for tag in world.library.stash.tags[: len(LABELS)]]
    for tag, name in zip(tags, LABELS, strict=True):
        world.stash.edit_tag(tag, name=name)
    world.stash.edit_scene(5, tag_ids=tuple(tags))
    key = world.key_of("5")
    world.run()
    shown = world.tags(key, "label")
    assert len(shown) == len(LABELS)
    assert world.run(FORCED).puts == 0

    world.stash.edit_tag(tags[0], name="hiver")
    assert world.run().puts == 1
    assert set(world.tags(key, "label")) == {*shown} - {"Été"} | {"Hiver"}
    assert world.run(FORCED).puts == 0
