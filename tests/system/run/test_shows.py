"""Shows and seasons laid out as studio and year, against both simulators over real HTTP."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import PlexField
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.sync.ports import RunOptions
from tests.support.show_world import (
    LOGO,
    OTHER_LOGO,
    season_of,
    show_of,
    show_world,
    shown,
    title_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import Ran, World

FULL = RunOptions(full=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Shows follow studios; nothing is synced yet."""
    with show_world(tmp_path) as made:
        yield made


@pytest.fixture
def synced(world: World) -> World:
    """The same after a first run."""
    assert world.run().summary.exit_code == ExitCode.OK
    return world


def key_of(body: bytes) -> str:
    """What Plex calls an uploaded poster."""
    return f"upload://posters/{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"


def rows(ran: Ran) -> dict[str, tuple[str, str]]:
    """How each show and season ended, and why, by its rating key."""
    return {
        one.item.rating_key: (one.outcome.value, one.reason)
        for one in ran.rows
        if one.is_show and one.item
    }


def assert_idle(world: World) -> None:
    """The next run asks Plex for no item and writes nothing."""
    before = world.plex.dump()
    ran = world.run()
    assert (rows(ran), ran.summary.requests.plex_writes) == ({}, 0)
    assert not {"plex.listing", "plex.detail", "plex.pictures"} & ran.plex.keys()
    assert world.plex.dump() == before


def test_nothing_is_asked_or_written_while_it_is_off(tmp_path: Path) -> None:
    """Off by default: shows and seasons stay, and no request is added."""
    with show_world(tmp_path, SHOWS__STUDIOS="false") as world:
        ran = world.run()

        assert title_of(world, show_of(world, "1")) == "mother"
        assert rows(ran) == {}


def test_a_show_gets_what_its_studio_says(world: World) -> None:
    """Name, details and picture; and the seasons that are a year of its scenes."""
    ran = world.run()

    show, season = show_of(world, "1"), season_of(world, "1")
    assert shown(world, show)["fields"] == {"title": "Mother", "summary": "Since 1999."}
    assert shown(world, season)["fields"] == {"title": "2021", "summary": "Since 1999."}
    assert title_of(world, season_of(world, "3")) == "2022"
    for key in (show, season):
        assert shown(world, key)["poster"] == key_of(LOGO)
        assert set(shown(world, key)["locks"]) == {"title", "summary", "thumb"}
    assert rows(ran)[show][0] == "applied"
    assert world.plex.misdeeds.total == 0
    assert_idle(world)


def test_a_show_of_a_studio_below_another_one_is_that_studios(world: World) -> None:
    """Not its mother's, though a scene of the daughter shows both."""
    for number in (4, 5):
        world.stash.edit_scene(number, studio_id=2)
    world.wait(1)
    world.run()

    assert title_of(world, show_of(world, "4")) == "Daughter"
    assert_idle(world)


def test_what_is_no_studio_or_no_year_is_left_alone_with_a_reason(world: World) -> None:
    """A show of two studios with its season, and "Specials", once."""
    ran = world.run()

    mixed, specials = show_of(world, "4"), season_of(world, "6")
    assert (title_of(world, mixed), title_of(world, specials)) == ("mixed", "Specials")
    found = rows(ran)
    assert found[mixed] == (
        "unchanged",
        "show; left alone: its scenes are of 2 studios: Mother, Other",
    )
    assert "its show is left alone" in found[season_of(world, "4")][1]
    assert "it is not called 2021, the year of its scenes" in found[specials][1]
    assert_idle(world)


def test_a_renamed_studio_renames_its_show(synced: World) -> None:
    """No scene's time moves with it; nor with its text and picture."""
    synced.stash.edit_studio(1, name="Matriarch", details="Since 1998.")
    synced.stash.set_image("studio", 1, OTHER_LOGO)
    synced.wait(1)
    synced.run()

    show = shown(synced, show_of(synced, "1"))
    assert show["fields"] == {"title": "Matriarch", "summary": "Since 1998."}
    assert show["poster"] == key_of(OTHER_LOGO)
    assert_idle(synced)


def test_a_show_follows_its_scenes(synced: World) -> None:
    """It becomes one studio's when its last foreign scene does; a season the year of its scenes."""
    synced.stash.edit_scene(5, studio_id=1)
    synced.stash.edit_scene(3, date="2021-05-01")
    synced.wait(1)
    ran = synced.run()

    assert title_of(synced, show_of(synced, "4")) == "Mother"
    assert "not called 2021" in rows(ran)[season_of(synced, "3")][1]
    assert title_of(synced, season_of(synced, "3")) == "2022"
    assert_idle(synced)


def test_a_show_that_gets_a_second_studio_keeps_what_it_has(synced: World) -> None:
    """Two studios that take turns write nothing."""
    show = show_of(synced, "1")
    for studio in (3, 1, 3):
        synced.stash.edit_scene(1, studio_id=studio)
        synced.wait(1)
        ran = synced.run()

        assert title_of(synced, show) == "Mother"
        assert all(outcome == "unchanged" for outcome, _ in rows(ran).values())


def test_a_season_that_was_left_alone_for_a_while_is_still_the_one_that_was_written(
    tmp_path: Path,
) -> None:
    """The title it has is plexsync's for its year, though its scenes were another's meanwhile."""
    with show_world(tmp_path, SHOWS__SEASON_NAME="{studio}") as world:
        season = season_of(world, "6")
        world.plex.edit_by_hand(season, {"title": "2021"}, lock=False)
        world.run()
        assert title_of(world, season) == "Mother"
        world.stash.edit_scene(6, date="2022-06-01")
        world.wait(1)
        world.run()
        world.stash.edit_scene(6, date="2021-06-01")
        world.stash.edit_studio(1, name="Matriarch")
        world.wait(1)
        world.run()

        assert title_of(world, season) == "Matriarch"


def test_what_a_person_typed_stays(synced: World) -> None:
    """The title of a show, the picture of a season; --take-over has Stash's word for once."""
    show, season = show_of(synced, "1"), season_of(synced, "1")
    synced.plex.edit_by_hand(show, {"title": "Mine"})
    synced.plex.choose_picture(season, "poster", OTHER_LOGO)
    synced.stash.edit_studio(1, name="Matriarch", details="Since 1998.")
    synced.stash.set_image("studio", 1, LOGO + b"2")
    synced.wait(1)
    ran = synced.run()

    assert shown(synced, show)["fields"] == {"title": "Mine", "summary": "Since 1998."}
    assert shown(synced, season)["poster"] == key_of(OTHER_LOGO)
    assert "shows.title (by hand)" in rows(ran)[show][1]
    assert_idle(synced)

    synced.run(RunOptions(full=True, take_over=True))
    assert title_of(synced, show) == "Matriarch"
    assert shown(synced, season)["poster"] == key_of(LOGO + b"2")


def test_titles_and_policies_are_as_configured(tmp_path: Path) -> None:
    """A season may be called after its studio, too; what is off stays."""
    settings = {
        "SHOWS__SEASON_NAME": "{studio} {year}",
        "SHOWS__TITLE": "off",
        "SHOWS__POSTER": "off",
        "SHOWS__SUMMARY": "fill",
    }
    with show_world(tmp_path, **settings) as world:
        world.run()

        assert title_of(world, show_of(world, "1")) == "mother"
        assert title_of(world, season_of(world, "1")) == "Mother 2021"
        assert "thumb" not in shown(world, show_of(world, "1"))["locks"]
        world.stash.edit_studio(1, name="Matriarch")
        world.wait(1)
        world.run()
        assert title_of(world, season_of(world, "1")) == "Matriarch 2021"
        assert_idle(world)


def test_a_studio_without_text_and_picture_gives_its_name(world: World) -> None:
    """What it does not have changes nothing."""
    for number in (4, 5):
        world.stash.edit_scene(number, studio_id=3)
    world.plex.edit_by_hand(show_of(world, "4"), {"summary": "Plex's own"}, lock=False)
    world.wait(1)
    world.run()

    show = shown(world, show_of(world, "4"))
    assert show["fields"] == {"title": "Other", "summary": "Plex's own"}
    assert show["locks"] == ("title",)
    assert_idle(world)


def test_a_dry_run_lists_what_the_run_writes(world: World) -> None:
    """Row by row, and field by field."""
    before = world.plex.dump()
    dry = world.run(RunOptions(dry_run=True))
    assert world.plex.dump() == before
    ran = world.run()

    def changes(done: Ran) -> dict[str, set[PlexField]]:
        return {
            row.scene.id: {one.target for one in row.changes} for row in done.rows if row.is_show
        }

    assert changes(dry) == changes(ran)
    assert set(changes(ran)[f"show:{show_of(world, '1')}"]) == {
        PlexField.TITLE,
        PlexField.SUMMARY,
        PlexField.POSTER,
    }


@pytest.mark.parametrize("way", ["gone", "left out", "unorganized"])
def test_a_dry_run_counts_no_scene_the_run_does_not_count(world: World, way: str) -> None:
    """Without scene 5, which is gone or takes no part by now, its show is one studio's."""
    private = world.stash.add_tag("Private")
    world.stash.edit_scenes(range(1, 7), organized=True)
    world.settings |= {"STASH__EXCLUDE_TAGS": "Private", "STASH__ORGANIZED_ONLY": "true"}
    world.wait(1)
    world.run()
    if way == "gone":
        world.stash.delete_scene(5)
    elif way == "left out":
        world.stash.edit_scene(5, tag_ids=(private,))
    else:
        world.stash.edit_scene(5, organized=False)
    world.wait(1)
    dry = world.run(RunOptions(dry_run=True))
    ran = world.run()

    changed = {row.scene.id for row in ran.rows if row.is_show and row.changes}
    assert f"show:{show_of(world, '4')}" in changed
    assert {row.scene.id for row in dry.rows if row.is_show and row.changes} == changed


def test_limits_hold_shows_back(synced: World) -> None:
    """Texts that would be cleared in more of them than a run may."""
    synced.stash.edit_studio(1, details="")
    synced.wait(1)
    ran = synced.run(APPLY__MAX_CLEARS="1")

    assert ran.summary.exit_code == ExitCode.UNSAFE
    assert shown(synced, show_of(synced, "1"))["fields"]["summary"] == "Since 1999."
    synced.run(RunOptions(force=True))
    assert "summary" not in shown(synced, show_of(synced, "1"))["fields"]


@pytest.mark.parametrize("kind", ["plex.put", "plex.upload"])
def test_a_server_that_dies_between_show_and_season_is_caught_up_with(
    world: World, kind: str
) -> None:
    """What was written counts; the rest comes with the first run after the wait of a failure."""
    world.run(SHOWS__STUDIOS="false")
    world.plex_wire.faults.add(Fault(kind, 2, ErrorStatus(503), times=40))
    broken = world.run()
    world.plex_wire.faults.clear()
    world.wait(hours=1)
    world.run()

    assert broken.summary.exit_code != ExitCode.OK
    for key in (show_of(world, "1"), season_of(world, "1"), season_of(world, "3")):
        assert shown(world, key)["poster"] == key_of(LOGO)
        assert shown(world, key)["fields"]["summary"] == "Since 1999."
    assert_idle(world)


def test_an_episode_that_could_not_be_read_leaves_no_show_to_one_studio(world: World) -> None:
    """Nobody knows which show it is in, so none is written until Plex says so."""
    key = world.key_of("5")
    names = [title_of(world, show_of(world, one)) for one in ("1", "4")]
    world.plex_wire.faults.add(
        Fault("plex.detail", 1, ErrorStatus(500), times=None, match=lambda one: key in one.path)
    )
    broken = world.run()
    world.plex_wire.faults.clear()

    assert broken.summary.exit_code != ExitCode.OK
    assert [title_of(world, show_of(world, one)) for one in ("1", "4")] == names
    world.wait(hours=1)
    world.run()
    assert title_of(world, show_of(world, "1")) == "Mother"
    assert title_of(world, show_of(world, "4")) == names[1]


def test_a_scene_stash_cannot_tell_about_still_counts_with_its_year(synced: World) -> None:
    """Its season is of two years, so it is left alone, as before."""
    season = season_of(synced, "1")
    synced.stash.edit_scene(2, date="2022-02-01")
    synced.wait(1)
    synced.run()
    synced.stash.edit_scene(2)
    synced.stash.poison(2)
    synced.stash.edit_studio(1, details="Since 1998.")
    synced.wait(1)
    synced.run()

    assert shown(synced, show_of(synced, "1"))["fields"]["summary"] == "Since 1998."
    assert shown(synced, season)["fields"]["summary"] == "Since 1999."


def test_a_plex_that_knows_edits_of_libraries_only_is_served(tmp_path: Path) -> None:
    """The edit names the kind of a show and of a season, and reaches no other item."""
    with show_world(tmp_path) as world:
        world.plex.switches.edits_by_item = False
        world.run()

        assert title_of(world, show_of(world, "1")) == "Mother"
        assert title_of(world, show_of(world, "4")) == "mixed"
        assert world.plex.misdeeds.total == 0


def test_a_show_that_leaves_plex_is_forgotten(synced: World) -> None:
    """A full run finds it gone, and its seasons."""
    synced.plex.remove_item(show_of(synced, "1"))
    synced.rescan()
    synced.run(RunOptions(full=True, force=True))

    mixed = {f"show:{show_of(synced, '4')}", f"season:{season_of(synced, '4')}"}
    assert synced.state().shows().keys() == mixed


def test_a_show_its_episodes_left_is_asked_for_once(synced: World) -> None:
    """They are remembered below it until they are read; the full run does."""
    show = show_of(synced, "1")
    for scene_id in ("1", "2", "3", "6"):
        synced.plex.move_episode(synced.key_of(scene_id), season_of(synced, "4"))
    synced.plex.remove_item(show)
    synced.stash.edit_studio(1, details="Since 1998.")
    synced.wait(1)

    assert "not in Plex any more" in rows(synced.run())[show][1]
    assert_idle(synced)
    synced.run(FULL)
    assert f"show:{show}" not in synced.state().shows()
    assert title_of(synced, show_of(synced, "1")) == "mixed"
