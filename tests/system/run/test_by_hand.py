"""What was typed by hand in Plex: it stays, is shown, and is taken over by word only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.terminals import ProcessResult, run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAKE_OVER = RunOptions(full=True, take_over=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Five scenes nobody wrote to Plex yet; the item of the first was edited by hand."""
    spec = LibrarySpec(seed=3, scenes=5, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        world.plex.edit_by_hand(world.key_of("1"), {"title": "By Hand", "summary": "Mine"})
        yield world


def command(world: World, *arguments: str) -> ProcessResult:
    """`plexsync run` in a pipe."""
    return run_plexsync(["run", *arguments], world.environ())


def test_a_first_run_leaves_what_was_typed_and_says_so(world: World) -> None:
    """In the row, in its reason, and in the counts; everything else is written."""
    key = world.key_of("1")
    ran = world.run()
    row = ran.row("1")
    assert row.by_hand == ("title", "summary")
    assert "Plex's own kept for title (by hand), summary (by hand)" in row.reason
    assert ran.summary.counts.by_hand == 2
    assert row.outcome is Outcome.APPLIED
    assert (world.shown(key, "title"), world.shown(key, "summary")) == ("By Hand", "Mine")
    assert world.shown(key, "studio") != ""


def test_a_dry_run_counts_the_fields_and_names_the_option(world: World) -> None:
    """Lines, JSON and the sentences at the end."""
    done = command(world, "-n", "-v")
    assert "2 fields were typed by hand in Plex and stay" in done.out + done.err
    assert "plexsync run --take-over" in done.out + done.err
    document = json.loads(command(world, "-n", "--json").out)
    assert document["counts"]["by_hand"] == 2
    (match,) = [one for one in document["matches"] if one["scene"]["id"] == "1"]
    assert match["by_hand"] == ["title", "summary"]
    assert all(change["locked"] is False for change in match["changes"])


def test_a_locked_field_that_is_replaced_is_marked(world: World) -> None:
    """`locked` in JSON, a mark in lines."""
    document = json.loads(command(world, "-n", "--take-over", "--json").out)
    (match,) = [one for one in document["matches"] if one["scene"]["id"] == "1"]
    locked = {change["field"]: change["locked"] for change in match["changes"]}
    assert (locked["title"], locked["summary"], locked["studio"]) == (True, True, False)
    assert "title (by hand): By Hand -> " in command(world, "-n", "--take-over").out


def test_taking_over_is_journaled_and_happens_once(world: World) -> None:
    """An undo brings the hand-typed values back; what is typed afterwards stays again."""
    key = world.key_of("1")
    world.run()
    before = world.plex.dump()[key]
    taken = world.run(TAKE_OVER)
    assert {change.field for change in taken.row("1").changes} == {"title", "summary"}
    assert taken.summary.counts.by_hand == 0
    assert world.shown(key, "title") == world.stash.scene(1).title.strip()
    world.undo()
    assert world.plex.dump()[key] == before
    world.run(TAKE_OVER)
    world.plex.edit_by_hand(key, {"title": "Again"})
    assert world.run(RunOptions(full=True)).puts == 0
    assert world.shown(key, "title") == "Again"


def test_a_field_may_be_taken_over_alone(world: World) -> None:
    """And only one that is written."""
    key = world.key_of("1")
    world.run()
    options = RunOptions(full=True, take_over=True, fields=("summary",))
    world.run(options)
    assert world.shown(key, "title") == "By Hand"
    assert world.shown(key, "summary") == world.stash.scene(1).details.strip()
    done = command(world, "--take-over", "--field", "sumary")
    assert done.code == ExitCode.USAGE
    assert "no field 'sumary' is written to Plex" in done.err
    assert "title, " in done.err
    assert command(world, "--field", "title").code == ExitCode.USAGE


def test_a_poster_chosen_by_hand_is_taken_over_by_name(world: World) -> None:
    """Pictures are fields like others."""
    world.settings["FIELDS__POSTER"] = "keep"
    key = world.key_of("1")
    world.plex.choose_picture(key, "poster", b"\x89PNG\r\n\x1a\nby hand")
    chosen = world.plex.dump()[key]["poster"]
    world.run()
    assert world.plex.dump()[key]["poster"] == chosen
    world.run(RunOptions(full=True, take_over=True, fields=("poster",)))
    assert world.plex.dump()[key]["poster"] != chosen
    assert world.shown(key, "title") == "By Hand"


def test_items_that_lose_all_names_are_counted(world: World) -> None:
    """Both lists, or one of them."""
    world.run()
    world.stash.edit_scene(2, tag_ids=(), performer_ids=())
    world.stash.edit_scene(3, tag_ids=())
    world.wait(hours=1)
    ran = world.run()
    assert ran.summary.emptied == {"performers and tags": 1, "tags": 1}
