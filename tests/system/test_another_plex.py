"""What is remembered is used with its own Plex only, whatever the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.simulators.library.pairs import demo_library
from plexsync.simulators.plex.simulator import Identity, PlexSimulator
from tests.support.terminals import run_plexsync
from tests.support.typing_terminals import Person
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="world")
def make_world(tmp_path: Path) -> Iterator[World]:
    """A run has written; then `[plex] url` leads to a server with the same items."""
    library = demo_library()
    with World(library, tmp_path) as made:
        made.run()
        made.plex = PlexSimulator(library, identity=Identity(machine="f" * 40))
        made.plex_wire.simulator = made.plex
        made.plex_wire.counters.clear()
        yield made


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "run --dry-run",
        "undo last",
        "explain 1",
        "adopt",
        "review accept 7 --item 101",
        "doctor",
    ],
)
def test_a_command_that_asks_plex_ends_before_anything_is_taken_for_the_same(
    world: World, command: str
) -> None:
    """Exit code 9, both servers named, and nothing remembered or written."""
    before = (world.state_dir / "state.json").read_bytes()

    ended = run_plexsync(command.split(), world.environ())

    assert ended.code == ExitCode.LOCAL_FILES
    assert "f" * 40 in ended.out + ended.err
    assert (world.state_dir / "state.json").read_bytes() == before
    assert "plex.put" not in world.plex_wire.counters.by_kind()


def test_a_review_says_so_and_goes_on(world: World) -> None:
    """What waits is known from the last run; what accepting would change, this Plex cannot say."""
    with Person(["review"], world.environ()) as person:
        person.screen("the state belongs to Plex server")
        person.types("q")
        assert person.ends() == ExitCode.OK
