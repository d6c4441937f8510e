"""Collections kept in step with scenes, against both simulators over real HTTP."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.state import read_history
from plexsync.sync.ports import RunOptions
from tests.support.collection_world import (
    LOGO,
    OTHER_LOGO,
    collection_world,
    shelf,
    titles,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import Ran, World

FULL = RunOptions(full=True)
ALL = {
    "COLLECTIONS__GROUPS": "true",
    "COLLECTIONS__PERFORMERS": "true",
    "COLLECTIONS__TAGS": "lake",
    "COLLECTIONS__RATINGS": "true",
    "COLLECTIONS__ORGANIZED": "true",
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Studio collections are on; nothing is synced yet."""
    with collection_world(tmp_path) as made:
        yield made


@pytest.fixture
def synced(world: World) -> World:
    """The same after a first run."""
    assert world.run().summary.exit_code == ExitCode.OK
    return world


def key_of(body: bytes) -> str:
    """What Plex calls an uploaded poster."""
    return f"upload://posters/{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"


def rows(ran: Ran) -> dict[str, str]:
    """How each collection ended, by what it is made from."""
    return {one.scene.id: one.outcome.value for one in ran.rows if one.is_collection}


def writes(ran: Ran) -> int:
    """Requests that changed something in Plex."""
    return ran.summary.requests.plex_writes


def assert_idle(world: World) -> None:
    """The next run writes nothing, and asks Plex for no collection."""
    before = whole(world)
    ran = world.run()
    assert (rows(ran), writes(ran)) == ({}, 0)
    assert not {"plex.listing", "plex.detail", "plex.members"} & ran.plex.keys()
    assert whole(world) == before


# ---- made ----------------------------------------------------------------------------------------


def test_nothing_is_asked_or_made_while_it_is_off(tmp_path: Path) -> None:
    """Off by default: no collection, and not one request more than without the feature."""
    off = {"COLLECTIONS__STUDIOS": "false", "FIELDS__STUDIO__COLLECTION": "false"}
    with collection_world(tmp_path, **off) as world:
        first, second = world.run(), world.run()

        assert titles(world) == {}
        assert "plex.make" not in first.plex
        assert rows(second) == {}
        assert first.stash["stash.graphql"] < 12


def test_a_collection_is_made_with_all_that_its_source_says(world: World) -> None:
    """Members, title, details as its summary, and the picture as its poster."""
    ran = world.run()

    mother = shelf(world, "Mother")
    assert titles(world) == {"Mother": {"1", "2", "3", "4"}, "Daughter": {"3", "4"}}
    assert mother["fields"] == {"title": "Mother", "summary": "Since 1999."}
    assert mother["poster"] == key_of(LOGO)
    assert set(mother["locks"]) == {"summary", "thumb"}
    assert rows(ran) == {"studio:1": "applied", "studio:2": "applied"}
    assert world.plex.misdeeds.total == 0
    assert_idle(world)


def test_every_kind_of_source_makes_its_collections(tmp_path: Path) -> None:
    """Groups, performers, chosen tags, ratings in stars, and what is organized."""
    with collection_world(tmp_path, **ALL, COLLECTIONS__SORT_TITLE="{kind} {name}") as world:
        world.run()

        assert titles(world) == {
            "Mother": {"1", "2", "3", "4"},
            "Daughter": {"3", "4"},
            "Film": {"1", "2"},
            "Ann": {"1", "2"},
            "Lake": {"1", "2"},
            "4 stars": {"2"},
            "Organized": {"1"},
        }
        texts = {name: shelf(world, name)["fields"].get("summary") for name in titles(world)}
        assert texts["Film"] == "What happens."
        assert (texts["Ann"], texts["Lake"]) == ("An actor.", "Fresh water.")
        assert shelf(world, "Lake")["fields"]["titleSort"] == "tag Lake"
        assert_idle(world)


def test_a_key_that_is_switched_on_later_reaches_what_is_linked(synced: World) -> None:
    """Also what no record names so far: ratings, and what is organized."""
    synced.run(COLLECTIONS__RATINGS="true", COLLECTIONS__ORGANIZED="true")

    assert titles(synced)["4 stars"] == {"2"}
    assert titles(synced)["Organized"] == {"1"}


def test_a_studio_above_has_a_collection_of_its_own_scenes_alone_if_configured(
    tmp_path: Path,
) -> None:
    """`parent_studios = false`: each scene is in that of its own studio."""
    with collection_world(tmp_path, COLLECTIONS__PARENT_STUDIOS="false") as world:
        world.run()

        assert titles(world) == {"Mother": {"1", "2"}, "Daughter": {"3", "4"}}


@pytest.mark.parametrize(
    ("settings", "members"),
    [
        ({}, {"1", "2"}),
        # Which tags keep scenes out is decided with those above them, and nothing else.
        ({"STASH__EXCLUDE_TAGS": "Private"}, {"1", "2"}),
        ({"FIELDS__TAGS__PARENTS": "true"}, {"1", "2", "3"}),
    ],
    ids=["own tags", "some kept out", "with those above"],
)
def test_a_tag_above_counts_where_items_show_it(
    tmp_path: Path, settings: dict[str, str], members: set[str]
) -> None:
    """An item is in the collection of a tag if its tags in Plex are to have that."""
    with collection_world(tmp_path, COLLECTIONS__TAGS="lake", **settings) as world:
        world.stash.add_tag("Private")
        pond = world.stash.add_tag("Pond", parent_ids=(1,))
        world.stash.edit_scene(3, tag_ids=(pond,))
        world.wait(1)
        world.run()

        assert titles(world)["Lake"] == members


def test_a_mode_and_titles_are_as_configured(tmp_path: Path) -> None:
    """The mode goes out beside the fields."""
    settings = {"COLLECTIONS__MODE": "hide_items", "COLLECTIONS__TITLE": "Studio {name}"}
    with collection_world(tmp_path, **settings) as world:
        world.run()

        assert shelf(world, "Studio Mother")["prefs"] == {"collectionMode": "1"}
        assert_idle(world)


def test_two_collections_never_share_a_title(tmp_path: Path) -> None:
    """The first kind gets it, and a warning says how to tell them apart."""
    with collection_world(tmp_path, COLLECTIONS__PERFORMERS="true") as world:
        world.stash.edit_performer(1, name="mother")
        ran = world.run()

        assert titles(world)["Mother"] == {"1", "2", "3", "4"}
        assert [one for one in ran.warnings if "performer:1" in one]


# ---- late updates --------------------------------------------------------------------------------


def test_a_renamed_studio_renames_its_collection(synced: World) -> None:
    """No scene's time moves with it."""
    key = synced.plex.collections.key_of("Mother")
    synced.stash.edit_studio(1, name="Matriarch")
    synced.wait(1)
    ran = synced.run()

    assert synced.plex.collections.key_of("Matriarch") == key
    assert rows(ran)["studio:1"] == "applied"
    assert titles(synced).keys() == {"Matriarch", "Daughter"}
    assert_idle(synced)


def test_another_picture_and_text_of_a_studio_arrive(synced: World) -> None:
    """Each moves only the studio's own time."""
    synced.stash.set_image("studio", 1, OTHER_LOGO)
    synced.stash.edit_studio(1, details="Since 1998.")
    synced.wait(1)
    synced.run()

    assert shelf(synced, "Mother")["poster"] == key_of(OTHER_LOGO)
    assert shelf(synced, "Mother")["fields"]["summary"] == "Since 1998."
    assert_idle(synced)


def test_members_follow_their_scenes(synced: World) -> None:
    """One leaves its studio, one comes, and a studio gets another one above it."""
    synced.stash.edit_scene(1, studio_id=None)
    synced.stash.edit_scene(5, studio_id=2)
    synced.wait(1)
    synced.run()
    assert titles(synced) == {"Mother": {"2", "3", "4", "5"}, "Daughter": {"3", "4", "5"}}
    assert_idle(synced)

    synced.stash.edit_studio(2, parent_id=None)
    synced.wait(1)
    synced.run()
    assert titles(synced) == {"Mother": {"2"}, "Daughter": {"3", "4", "5"}}
    assert_idle(synced)


@pytest.mark.parametrize("way", ["held back", "takes no part"])
def test_a_member_leaves_once_its_scene_is_known_again(synced: World, way: str) -> None:
    """While the scene was not written it stayed; what its old studio wants is the same since."""
    tag = synced.stash.add_tag("Private")
    for number in (3, 4):
        synced.stash.edit_scene(number, studio_id=1, details="", tag_ids=(tag,))
    if way == "held back":
        assert synced.run(RunOptions(max_changes=1)).summary.exit_code == ExitCode.UNSAFE
    else:
        synced.run(STASH__EXCLUDE_TAGS="Private")
    assert titles(synced)["Daughter"] == {"3", "4"}
    synced.run(RunOptions(force=True))
    assert "Daughter" not in titles(synced)
    assert titles(synced)["Mother"] == {"1", "2", "3", "4"}


def test_an_item_of_a_scene_that_is_gone_stays(synced: World) -> None:
    """Absent is not empty."""
    synced.stash.delete_scene(1)
    synced.stash.edit_scene(2, studio_id=None)
    synced.wait(1)
    synced.run(RunOptions(force=True))

    assert titles(synced)["Mother"] == {"1", "3", "4"}


def test_an_item_that_leaves_plex_leaves_its_collection(synced: World) -> None:
    """Plex takes it out by itself, and nothing is left to fail over."""
    key = synced.key_of("3")
    synced.plex.remove_item(key)
    synced.rescan()
    ran = synced.run()
    again = synced.run(FULL)

    assert titles(synced) == {"Mother": {"1", "2", "4"}, "Daughter": {"4"}}
    assert "failed" not in {*rows(ran).values(), *rows(again).values()}


def test_a_dry_run_says_of_new_collections_what_the_run_says(tmp_path: Path) -> None:
    """Word for word, with the size of each poster, however many there are."""
    performers = tuple(range(1, 16))
    with collection_world(tmp_path, COLLECTIONS__PERFORMERS="true") as world:
        for one in performers:
            world.stash.edit_performer(one, name=f"Performer {one}")
            world.stash.set_image("performer", one, LOGO)
        world.stash.edit_scene(1, performer_ids=performers)
        world.wait(1)
        first, second = (
            sorted(
                (row.scene.id, one.field, one.before, one.after)
                for row in ran.rows
                if row.is_collection
                for one in row.changes
            )
            for ran in (world.run(RunOptions(dry_run=True)), world.run())
        )
    assert first == second
    assert len([field for _, field, *_ in first if field.endswith("poster")]) > len(performers)


# ---- emptied -------------------------------------------------------------------------------------


@pytest.mark.parametrize("drops", [False, True])
def test_an_empty_collection_of_ours_goes(synced: World, drops: bool) -> None:
    """Whether or not Plex drops it by itself with its last member."""
    synced.plex.switches.drop_empty_collections = drops
    for number in (3, 4):
        synced.stash.edit_scene(number, studio_id=1)
    synced.wait(1)
    ran = synced.run()

    assert titles(synced) == {"Mother": {"1", "2", "3", "4"}}
    assert rows(ran)["studio:2"] == "applied"
    assert synced.plex.misdeeds.media_deletions == 0
    assert_idle(synced)


@pytest.mark.parametrize("touch", ["summary", "poster", "member", "label"])
def test_an_empty_collection_somebody_touched_stays(synced: World, touch: str) -> None:
    """A text, a poster, a member or a label of a person's own keeps it."""
    key = synced.plex.collections.key_of("Daughter")
    match touch:
        case "summary":
            synced.plex.edit_by_hand(key, {"summary": "Mine"})
        case "poster":
            synced.plex.choose_picture(key, "poster", OTHER_LOGO)
        case "member":
            synced.plex.collections.put_in(key, synced.key_of("6"))
        case _:
            synced.plex.edit_by_hand(key, {"label": "Mine"})
    for number in (3, 4):
        synced.stash.edit_scene(number, studio_id=1)
    synced.wait(1)
    synced.run()

    assert titles(synced)["Daughter"] == ({"6"} if touch == "member" else set())
    assert_idle(synced)


def test_a_touched_collection_plex_drops_as_empty_is_made_again_once_it_is_wanted(
    synced: World,
) -> None:
    """It went with its last member: that is no failure, and nobody deleted it."""
    synced.plex.switches.drop_empty_collections = True
    synced.plex.edit_by_hand(synced.plex.collections.key_of("Daughter"), {"summary": "Mine"})
    for number in (3, 4):
        synced.stash.edit_scene(number, studio_id=1)
    synced.wait(1)
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.OK
    assert rows(ran)["studio:2"] == "applied"
    assert_idle(synced)

    synced.stash.edit_scene(3, studio_id=2)
    synced.wait(1)
    synced.run()
    assert titles(synced)["Daughter"] == {"3"}


def test_a_studio_that_is_deleted_takes_its_collection_along(synced: World) -> None:
    """Its scenes belong to no studio then."""
    synced.stash.delete_studio(2)
    synced.wait(1)
    synced.run()

    assert titles(synced) == {"Mother": {"1", "2"}}


# ---- a person's --------------------------------------------------------------------------------


def test_a_collection_of_a_person_is_left_alone(world: World) -> None:
    """It has the title: nothing is put in, and that is reported once."""
    world.plex.collections.make(1, "mother", world.key_of("6"))
    before = shelf(world, "mother")
    ran = world.run()

    assert shelf(world, "mother") == before
    assert rows(ran) == {"studio:1": "kept", "studio:2": "applied"}
    assert_idle(world)


@pytest.mark.parametrize("by", ["word", "option"])
def test_a_collection_is_taken_over_by_word(world: World, by: str) -> None:
    """Its own members stay, and it never goes by itself."""
    world.plex.collections.make(1, "Mother", world.key_of("6"))
    if by == "word":
        world.run(COLLECTIONS__TAKE_OVER="mother")
    else:
        world.run()
        world.run(RunOptions(full=True, take_over=True))
    assert titles(world)["Mother"] == {"1", "2", "3", "4", "6"}
    assert shelf(world, "Mother")["poster"] == key_of(LOGO)

    for number in (1, 2, 3, 4):
        world.stash.edit_scene(number, studio_id=None)
    world.wait(1)
    world.run()
    assert titles(world) == {"Mother": {"6"}}


def test_what_a_person_typed_or_took_out_stays(synced: World) -> None:
    """A summary, a title and a member; a member that was put in stays as well."""
    key = synced.plex.collections.key_of("Mother")
    synced.plex.edit_by_hand(key, {"summary": "Mine", "title": "My Mother"})
    synced.plex.collections.take_out(key, synced.key_of("1"))
    synced.plex.collections.put_in(key, synced.key_of("6"))
    synced.stash.edit_studio(1, details="Since 1998.", name="Matriarch")
    synced.stash.edit_scene(5, studio_id=1)
    synced.wait(1)
    ran = synced.run()

    assert titles(synced)["My Mother"] == {"2", "3", "4", "5", "6"}
    assert shelf(synced, "My Mother")["fields"]["summary"] == "Mine"
    assert rows(ran)["studio:1"] == "applied"
    assert_idle(synced)


def test_a_collection_a_person_deleted_stays_away(synced: World) -> None:
    """Until a person asks for everything."""
    synced.plex.collections.delete(synced.plex.collections.key_of("Mother"))
    synced.stash.edit_scene(5, studio_id=1)
    synced.wait(1)
    ran = synced.run()
    assert rows(ran) == {"studio:1": "skipped"}
    assert titles(synced).keys() == {"Daughter"}
    assert_idle(synced)

    synced.run(FULL)
    assert titles(synced)["Mother"] == {"1", "2", "3", "4", "5"}


@pytest.mark.parametrize(
    ("policy", "made", "later"),
    [("off", None, None), ("fill", LOGO, OTHER_LOGO), ("overwrite", LOGO, OTHER_LOGO)],
)
def test_policies_count_for_texts_and_posters(
    tmp_path: Path, policy: str, made: bytes | None, later: bytes | None
) -> None:
    """Off writes neither, fill nothing over a person's, overwrite also over what one typed."""
    settings = {"COLLECTIONS__SUMMARY": policy, "COLLECTIONS__POSTER": policy}
    with collection_world(tmp_path, **settings, APPLY__PRESERVE_PLEX_EDITS="false") as world:
        world.run()
        first = shelf(world, "Mother")
        assert first["poster"] == (key_of(made) if made else "")
        assert first["fields"].get("summary") == ("Since 1999." if made else None)

        world.plex.edit_by_hand(world.plex.collections.key_of("Mother"), {"summary": "Mine"})
        world.stash.edit_studio(1, details="Since 1998.")
        world.stash.set_image("studio", 1, OTHER_LOGO)
        world.wait(1)
        world.run()
        then = shelf(world, "Mother")
        assert then["poster"] == (key_of(later) if later else "")
        assert then["fields"]["summary"] == ("Since 1998." if policy == "overwrite" else "Mine")
        assert_idle(world)


@pytest.mark.parametrize("policy", ["fill", "keep", "overwrite", "off"])
@pytest.mark.parametrize("preserve", [True, False])
def test_a_dry_run_lists_the_posters_that_the_run_after_it_writes(
    tmp_path: Path, policy: str, preserve: bool
) -> None:
    """Of new collections, of another picture in Stash, and of one that a person chose in Plex."""
    settings = {"COLLECTIONS__POSTER": policy, "APPLY__PRESERVE_PLEX_EDITS": str(preserve)}
    with collection_world(tmp_path, COLLECTIONS__PERFORMERS="true", **settings) as world:
        for at in range(4):
            if at == 1:
                world.stash.set_image("studio", 1, OTHER_LOGO)
            if at >= 2:
                mother = world.plex.collections.key_of("Mother")
                world.plex.choose_picture(mother, "poster", b"by hand" * 20)
                world.stash.set_image("studio", 1, LOGO if at == 2 else OTHER_LOGO)
            if at == 3:
                shutil.rmtree(world.state_dir)
            world.wait(1)
            before = whole(world)
            shown = world.run(RunOptions(full=True, dry_run=True))
            assert whole(world) == before
            assert collection_changes(shown) == collection_changes(world.run(FULL)), at


def collection_changes(ran: Ran) -> list[tuple[str, ...]]:
    """How a run ends, or would end, with each collection, and what it changes."""
    return sorted(
        (
            row.scene.id,
            row.outcome.replace("planned", "applied"),
            *sorted(f"{one.field}: {one.before} -> {one.after}" for one in row.changes),
        )
        for row in ran.rows
        if row.is_collection
    )


# ---- limits, dry runs ----------------------------------------------------------------------------


def test_a_dry_run_lists_the_rows_of_the_run(tmp_path: Path) -> None:
    """The same collections with the same changes, and nothing is written."""
    with collection_world(tmp_path, **ALL) as world:
        before = whole(world)
        dry = world.run(RunOptions(dry_run=True))
        assert whole(world) == before
        ran = world.run()

        def shown(one: Ran) -> dict[str, set[str]]:
            return {
                row.scene.id: {change.field for change in row.changes}
                for row in one.rows
                if row.is_collection
            }

        assert shown(dry) == shown(ran)
        assert set(rows(dry).values()) == {"planned"}


def test_limits_hold_back_collections_that_would_lose_much(tmp_path: Path) -> None:
    """Each collection counts as an item: exit code 6, and `--force` passes the limit."""
    with collection_world(tmp_path, FIELDS__STUDIO="off") as world:
        world.run()
        before = titles(world)
        for number in (1, 2, 3, 4):
            world.stash.edit_scene(number, studio_id=None)
        world.wait(1)
        ran = world.run(RunOptions(max_changes=1))

        assert titles(world) == before
        assert ran.summary.exit_code == ExitCode.UNSAFE
        assert set(rows(ran).values()) == {"skipped"}

        world.run(RunOptions(force=True))
        assert titles(world) == {}


def test_a_limit_of_what_goes_holds_back_no_collection_that_only_shrinks(tmp_path: Path) -> None:
    """As it holds back no item that only loses a name."""
    on = {"COLLECTIONS__PERFORMERS": "true", "COLLECTIONS__GROUPS": "true"}
    off = {f"FIELDS__{name}": "off" for name in ("STUDIO", "PERFORMERS", "GROUPS")}
    with collection_world(tmp_path, **on, **off) as world:
        world.run()
        for number in (1, 2):
            world.stash.edit_scene(number, performer_ids=(), groups=())
        world.stash.edit_scene(4, studio_id=None)
        world.wait(1)
        ran = world.run(APPLY__MAX_CLEARS="1")

        assert rows(ran) == {
            "performer:1": "skipped",
            "group:1": "skipped",
            "studio:1": "applied",
            "studio:2": "applied",
        }
        assert ran.summary.exit_code == ExitCode.UNSAFE


def test_collections_that_were_names_alone_are_taken_over(tmp_path: Path) -> None:
    """Those plexsync wrote to each member before [collections] was there."""
    with collection_world(tmp_path, COLLECTIONS__STUDIOS="false") as world:
        world.run()
        assert titles(world) == {"Mother": {"1", "2"}, "Daughter": {"3", "4"}}

        world.run(COLLECTIONS__STUDIOS="true")
        assert titles(world) == {"Mother": {"1", "2", "3", "4"}, "Daughter": {"3", "4"}}
        assert shelf(world, "Mother")["fields"]["summary"] == "Since 1999."


def test_a_part_of_a_run_leaves_collections_for_the_next(world: World) -> None:
    """A run for one scene does not know the others."""
    world.run(RunOptions(limit=2))
    assert titles(world) == {}
    world.run()
    assert titles(world).keys() == {"Mother", "Daughter"}


def test_a_new_collection_is_written_by_requests_in_a_row(tmp_path: Path) -> None:
    """Made, edited, its poster: nothing in between; the mode of all of them is one request."""
    with collection_world(tmp_path, FIELDS__STUDIO="off", COLLECTIONS__MODE="hide_items") as world:
        world.stash.edit_studio(2, details="Her daughter.")
        world.stash.set_image("studio", 2, OTHER_LOGO)
        world.wait(1)
        before = len(world.plex.writes)
        ran = world.run()

        key, other = (world.plex.collections.key_of(title) for title in ("Mother", "Daughter"))
        written = [(one.method, one.path) for one in world.plex.writes[before:]]
        start = written.index(("POST", "/library/collections"))
        each = [
            [
                ("POST", "/library/collections"),
                ("PUT", f"/library/metadata/{one}"),
                ("POST", f"/library/metadata/{one}/posters"),
            ]
            for one in (key, other)
        ]
        assert written[start:] == [
            *each[0],
            *each[1],
            ("PUT", f"/library/metadata/{key},{other}/prefs"),
        ]
        assert "plex.members" not in ran.plex
        assert_idle(world)


@pytest.mark.parametrize("ended", [True, False], ids=["its end says", "its intents say"])
@pytest.mark.parametrize("poster", ["off", "overwrite"])
def test_history_counts_each_collection_that_was_made(
    tmp_path: Path, poster: str, *, ended: bool
) -> None:
    """None has a key when its intent is noted; each counts once, and so does one with a poster."""
    with collection_world(tmp_path, COLLECTIONS__POSTER=poster, **ALL) as world:
        ran = world.run()
        (journal,) = (world.state_dir / "journal").iterdir()
        if not ended:
            lines = journal.read_bytes().splitlines(keepends=True)
            journal.write_bytes(b"".join(lines[:-1]))
        (known,) = read_history(world.state_dir)
    written = {row.item.rating_key for row in ran.rows if row.item}
    assert len(world.plex.collections.dump()) == 7
    assert known.written == len(written)
