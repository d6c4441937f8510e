"""What a server says against itself is an error: nothing silent, nothing forgotten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Rewrite
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.http.wire import Effect

SCENES = 60
SPEC = LibrarySpec(seed=4, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)

NOTHING = Rewrite(lambda _: b'{"MediaContainer": {"size": 0}}')
"""An empty container where items were asked for."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Sixty scenes."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as made:
        yield made


@pytest.mark.parametrize("linked", [False, True], ids=["first run", "linked"])
@pytest.mark.parametrize("effect", [ErrorStatus(404), NOTHING], ids=["404", "empty"])
def test_items_that_are_listed_and_denied_end_the_run(
    world: World,
    effect: Effect,
    linked: bool,
) -> None:
    """Exit 4 after a few requests; healed, the next run writes all of them."""
    if linked:
        world.run()
        world.stash.edit_scenes(range(1, SCENES + 1), details="other")
        world.wait(hours=1)
    world.plex_wire.faults.add(Fault("plex.detail", 1, effect, times=None))
    options = RunOptions(force=True)
    ran = world.run(options)
    assert ran.summary.exit_code == ExitCode.SERVER
    assert ran.summary.error is not None
    assert "says of each that it is not there" in ran.summary.error.message
    assert ran.plex["plex.detail"] <= 30
    world.plex_wire.faults.clear()
    again = world.run(options)
    assert again.summary.exit_code == ExitCode.OK
    assert again.count(Outcome.APPLIED) == SCENES


def test_items_that_are_gone_are_no_contradiction(world: World) -> None:
    """Whatever is not listed either was removed: the run goes on without it."""
    world.run()
    world.stash.edit_scenes(range(1, SCENES + 1), details="other")
    world.wait(hours=1)
    for number in range(1, 11):
        world.plex.remove_item(world.key_of(str(number)))
    ran = world.run(RunOptions(force=True))
    assert ran.summary.exit_code == ExitCode.OK
    assert ran.count(Outcome.APPLIED) == SCENES - 10


def without_a_fifth(body: bytes) -> bytes:
    """A page of Stash that lost every fifth of its rows."""
    answer = json.loads(body)
    found = (answer.get("data") or {}).get("findScenes") or {}
    if len(found.get("scenes", ())) > 1:
        found["scenes"] = [row for at, row in enumerate(found["scenes"]) if at % 5]
    return json.dumps(answer).encode()


@pytest.mark.parametrize("full", [False, True], ids=["versions", "files"])
def test_a_sweep_that_lost_rows_is_an_error(
    world: World,
    full: bool,
) -> None:
    """What came is written, exit 4 says both numbers, nothing is forgotten or counts as seen."""
    world.run()
    world.stash.edit_scenes(range(1, SCENES + 1), details="other")
    world.wait(hours=1)
    fault = Fault("stash.graphql", 1, Rewrite(without_a_fifth), times=None)
    world.stash_wire.faults.add(fault)
    options = RunOptions(full=full, force=True)
    ran = world.run(options)
    assert ran.summary.exit_code == ExitCode.SERVER
    assert ran.summary.error is not None
    assert "48 scenes twice in a row, but counts 60" in ran.summary.error.message
    assert ran.count(Outcome.APPLIED) > 0
    world.stash_wire.faults.clear()
    again = world.run(RunOptions(force=True))
    assert again.summary.exit_code == ExitCode.OK
    assert ran.count(Outcome.APPLIED) + again.count(Outcome.APPLIED) == SCENES


def test_a_page_that_is_short_once_is_looked_at_again(world: World) -> None:
    """A scene that comes or goes meanwhile looks the same, so the first doubt is no error."""
    world.run()
    world.stash.edit_scenes(range(1, SCENES + 1), details="other")
    world.wait(hours=1)
    fault = Fault(
        "stash.graphql",
        1,
        Rewrite(without_a_fifth),
        match=lambda request: b"PlexsyncVersions" in request.body,
    )
    world.stash_wire.faults.add(fault)
    ran = world.run(RunOptions(force=True))
    assert ran.summary.exit_code == ExitCode.OK
    assert ran.count(Outcome.APPLIED) == SCENES
