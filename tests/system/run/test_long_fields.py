"""Fields that are longer than one request: lists in pieces, a text that no request can carry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.journal import RunKind
from plexsync.sync.ports import RunOptions
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORCED = RunOptions(full=True, force=True)
STASH_HAS_THE_LAST_WORD = {"FIELDS__TAGS": "overwrite", "APPLY__PRESERVE_PLEX_EDITS": "false"}
"""Also over a list that a person put in, which stays otherwise."""

NGINX_BYTES = 8_192
"""What reverse proxies take of an address. Source: docs/plex-api.md 6."""

MANY = tuple(
    f"{word} {number}"
    for number, word in enumerate(("lake", "a, b", '"quoted"', "50 % off", "😀 joy", "été") * 50)
)
LONG = "漢字 " * 1_400


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three plain scenes behind a proxy that takes addresses of 8 KB."""
    spec = LibrarySpec(seed=3, scenes=3, mix={Case.SAME: 1.0}, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        made.plex.switches.url_limit = NGINX_BYTES
        yield made


def give_tags(world: World, names: tuple[str, ...]) -> None:
    """The first scene has just these tags."""
    world.stash.edit_scene(1, tag_ids=tuple(world.stash.add_tag(name) for name in names))


def genres(world: World) -> set[str]:
    """Those of the first scene's item."""
    return set(world.tags(world.key_of("1"), "genre"))


@pytest.mark.parametrize("limit", [NGINX_BYTES, 4_096])
def test_300_tags_are_written_taken_away_and_put_back(world: World, limit: int) -> None:
    """Commas, quotes, emoji and all; behind a proxy that takes less than most do, too."""
    world.plex.switches.url_limit = limit
    key = world.key_of("1")
    world.plex.edit_by_hand(key, {"genre": [*MANY[:40], *(f"by hand {n}" for n in range(280))]})
    before = world.plex.dump()[key]
    give_tags(world, MANY)
    world.settings |= STASH_HAS_THE_LAST_WORD
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.OK
    assert genres(world) == set(MANY)
    assert world.run(FORCED).puts == 0

    world.undo()
    back = world.plex.dump()[key]
    assert set(back["tags"]["genre"]) == set(before["tags"]["genre"])
    assert back["locks"] == before["locks"]
    assert world.plex.misdeeds.total == 0


def test_a_long_list_of_a_person_stays(world: World) -> None:
    """By default also `overwrite` leaves what a person put in, and the row says so."""
    by_hand = tuple(f"by hand {number}" for number in range(280))
    world.plex.edit_by_hand(world.key_of("1"), {"genre": by_hand})
    give_tags(world, MANY)
    assert world.run(FIELDS__TAGS="overwrite").row("1").by_hand == ("tags",)
    assert genres(world) == set(by_hand)


def test_on_a_server_that_replaces_lists_nothing_is_lost(world: World) -> None:
    """Nobody has seen one. The names the item has and is to have stay; it is reported."""
    key = world.key_of("1")
    world.plex.switches.replace_tags = True
    world.plex.edit_by_hand(key, {"genre": MANY[:50]})
    give_tags(world, MANY)
    world.settings |= STASH_HAS_THE_LAST_WORD
    row = world.run().row("1")
    assert row.outcome is Outcome.FAILED
    assert row.error is not None
    assert row.error.kind == "not-stored"
    assert genres(world) >= set(MANY[:50])
    world.undo()
    assert genres(world) == set(MANY[:50])


@pytest.mark.parametrize("nth", range(1, 7))
@pytest.mark.parametrize("ours", [False, True], ids=["an-agents-list", "a-list-of-ours"])
def test_pieces_of_ours_are_not_taken_for_a_persons(world: World, nth: int, ours: bool) -> None:
    """A list that was written in part is ours, locked or not: the next run ends it."""
    key = world.key_of("1")
    former = tuple(f"former {number}" for number in range(200))
    if ours:
        give_tags(world, former)
        world.run(FIELDS__TAGS="overwrite")
        assert genres(world) == set(former)
    else:
        world.plex.edit_by_hand(key, {"genre": former}, lock=False)
    give_tags(world, MANY)
    effect = ErrorStatus(503) if nth % 2 else Reset(applied=True)
    world.plex_wire.faults.add(Fault("plex.put", nth, effect, None))
    world.run(FIELDS__TAGS="overwrite")
    world.plex_wire.faults.clear()
    world.wait(hours=1)
    ran = world.run(FORCED, FIELDS__TAGS="overwrite")
    assert genres(world) == set(MANY)
    assert all(row.by_hand == () for row in ran.rows)


@pytest.mark.parametrize("nth", range(1, 7))
def test_names_of_a_piece_go_again_with_their_tags(world: World, nth: int) -> None:
    """Merged into a person's list, those of a write that ended between two pieces are ours, too."""
    key = world.key_of("1")
    mine = tuple(f"mine {number}" for number in range(200))
    world.plex.edit_by_hand(key, {"genre": mine})
    give_tags(world, MANY)
    effect = ErrorStatus(503) if nth % 2 else Reset(applied=True)
    world.plex_wire.faults.add(Fault("plex.put", nth, effect, None))
    world.run()
    world.plex_wire.faults.clear()
    world.wait(hours=1)
    world.run(FORCED)
    give_tags(world, MANY[:1])
    world.run(FORCED)
    assert genres(world) == {*mine, MANY[0]}


@pytest.mark.parametrize("nth", range(1, 7))
def test_a_plex_that_dies_between_two_pieces_is_no_loss(world: World, nth: int) -> None:
    """No name is missing meanwhile, the next run ends it, and the undos take every piece back."""
    key = world.key_of("1")
    mine = tuple(f"mine {number}" for number in range(200))
    world.plex.edit_by_hand(key, {"genre": mine})
    before = world.plex.dump()[key]
    give_tags(world, MANY)
    effect = ErrorStatus(503) if nth % 2 else Reset(applied=True)
    world.plex_wire.faults.add(Fault("plex.put", nth, effect, None))
    world.run()
    assert set(mine) <= genres(world)
    world.plex_wire.faults.clear()
    world.wait(hours=1)
    world.run(FORCED)
    assert genres(world) == {*mine, *MANY}
    for run in reversed(world.state().runs):
        if run.kind is RunKind.RUN:
            world.undo(run.run_id)
    back = world.plex.dump()[key]
    assert set(back["tags"]["genre"]) == set(before["tags"]["genre"])
    assert back["fields"] == before["fields"]


def test_a_text_no_request_can_carry_is_reported_once_with_both_sizes(world: World) -> None:
    """Everything else of the scene is written; no later run sends anything for it."""
    key = world.key_of("1")
    world.stash.edit_scene(1, title="Written", details=LONG, tag_ids=())
    ran = world.run()
    error = ran.row("1").error
    assert error is not None
    assert error.kind == "too-long"
    assert "summary" in error.message
    assert "7,500" in error.message
    size = re.search(r"has ([0-9,]+) bytes", error.message)
    assert size is not None
    assert int(size[1].replace(",", "")) > len(quote(LONG.strip()))
    assert ran.summary.exit_code == ExitCode.SOME_FAILED
    assert ran.count(Outcome.APPLIED) == 2
    assert world.shown(key, "title") == "Written"
    assert world.tags(key, "actor")
    for _ in range(3):
        world.wait(hours=25)
        later = world.run()
        assert (later.puts, later.summary.exit_code) == (0, ExitCode.OK)
    world.wait(hours=24 * 8)
    assert world.run().puts == 0


def test_it_is_tried_again_once_it_may_fit(world: World) -> None:
    """A shorter text, a person who asks, or another configuration; not by itself."""
    world.stash.edit_scene(1, details=LONG)
    world.run()
    world.plex.switches.url_limit = 0
    world.wait(hours=25)
    assert world.run().puts == 0
    assert world.run(FORCED).row("1").outcome is Outcome.APPLIED
    assert world.shown(world.key_of("1"), "summary") == LONG.strip()


def test_a_shorter_text_ends_it(world: World) -> None:
    """The scene is due again because it changed."""
    world.stash.edit_scene(1, details=LONG)
    world.run()
    world.stash.edit_scene(1, details="short")
    assert world.run().outcomes() == {"1": "applied"}
    assert world.shown(world.key_of("1"), "summary") == "short"
