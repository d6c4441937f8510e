"""Taking back what runs did to shows and seasons, against both simulators over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.sync.ports import RunOptions
from tests.support.show_world import OTHER_LOGO, season_of, show_of, show_world, title_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Shows follow studios; nothing is synced yet."""
    with show_world(tmp_path) as made:
        yield made


def test_an_undo_takes_everything_back_until_it_is_asked_for(world: World) -> None:
    """Texts, pictures and locks; the next run leaves them, a full one writes them again."""
    before = world.plex.dump()
    world.run()
    after = world.plex.dump()
    world.undo()
    assert world.plex.dump() == before

    world.run()
    assert title_of(world, show_of(world, "1")) == "mother"
    world.run(RunOptions(full=True))
    assert world.plex.dump() == after


def test_an_undo_takes_later_changes_back(world: World) -> None:
    """To what the run before wrote; a studio that moves on is followed again."""
    world.run()
    before = world.plex.dump()
    world.stash.edit_studio(1, name="Matriarch", details="Since 1998.")
    world.stash.set_image("studio", 1, OTHER_LOGO)
    world.wait(1)
    world.run()
    assert world.plex.dump() != before

    world.undo()
    assert world.plex.dump() == before
    world.run()
    assert world.plex.dump() == before

    world.stash.edit_studio(1, name="Dynasty")
    world.wait(1)
    world.run()
    assert title_of(world, show_of(world, "1")) == "Dynasty"


def test_a_poster_that_was_taken_back_is_chosen_once_it_is_asked_for(world: World) -> None:
    """The one before it has the lock of our choice, which is no word of a person."""
    world.run()
    before = world.plex.dump()
    world.stash.set_image("studio", 1, OTHER_LOGO)
    world.wait(1)
    world.run()
    after = world.plex.dump()
    world.undo()
    assert world.plex.dump() == before != after

    world.run(RunOptions(full=True))
    assert world.plex.dump() == after


def test_an_undo_leaves_what_a_person_did_since(world: World) -> None:
    """A title typed after the run stays; everything else goes back."""
    world.run()
    season = season_of(world, "1")
    world.plex.edit_by_hand(season, {"title": "Mine"})

    world.undo()

    assert title_of(world, season) == "Mine"
    assert "summary" not in world.plex.dump()[season]["fields"]


def test_an_edit_that_hit_another_show_is_taken_back_there(world: World) -> None:
    """And the show that was meant is still known as itself."""
    world.run(SHOWS__STUDIOS="false")
    shows = [show_of(world, one) for one in ("1", "4")]
    before = {key: world.plex.dump()[key] for key in shows}
    world.plex.switches.edits_by_item = False
    world.plex.switches.drop_edit_ids = True
    world.run()
    world.plex.switches.drop_edit_ids = False
    assert title_of(world, shows[1]) == "Mother"

    world.undo()

    assert {key: world.plex.dump()[key] for key in shows} == before
    known = world.state().shows()
    assert {key: one.link.rating_key for key, one in known.items() if one.link.base} == {}
    assert all(key.endswith(f":{one.link.rating_key}") for key, one in known.items())


def test_a_saved_plan_writes_shows(world: World) -> None:
    """As a run does; the run after it has nothing to do with them."""
    world.run(SHOWS__STUDIOS="false")
    plan = world.directory / "plan.json"
    world.run(RunOptions(dry_run=True, save_plan=plan))
    applied = world.apply(plan)
    ran = world.run()

    assert title_of(world, show_of(world, "1")) == "Mother"
    assert applied.summary.counts.failed == 0
    assert ran.summary.requests.plex_writes == 0
