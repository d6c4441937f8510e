"""`plexsync doctor --probe`: edits one item, says what Plex did, and leaves it as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.app.checkup.probe import Probe
from plexsync.errors import ExitCode, ServerError
from plexsync.models import RatingKey
from plexsync.plex.connection import plex_headers
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import demo_library
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import RetryPolicy
from tests.support.terminals import run_plexsync
from tests.support.typing_terminals import Person
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ITEM = RatingKey("101")
ONCE = RetryPolicy(attempts=1, seconds=1.0, first_wait_s=0.1, max_wait_s=0.1)


@pytest.fixture(name="world")
def make_world(tmp_path: Path) -> Iterator[World]:
    """Two well servers, after one run: the item has values and locks."""
    with World(demo_library(), tmp_path) as made:
        made.run()
        yield made


def probe_of(world: World) -> Probe:
    """A probe of one item."""
    headers = plex_headers("client", world.plex.token)
    transport = Transport(
        world.plex_url, name="Plex", headers=headers, secrets=(world.plex.token,), retry=ONCE
    )
    return Probe(transport, ITEM, world.state_dir)


def held(world: World) -> object:
    """Everything the item holds, but when it was touched."""
    shown = dict(world.plex.dump()[ITEM])
    return {name: value for name, value in shown.items() if name != "updatedAt"}


def test_a_probe_says_what_plex_does_and_leaves_the_item_as_it_was(world: World) -> None:
    """Values and locks; nothing is left on disk."""
    before, files = held(world), sorted(world.state_dir.iterdir())
    lines = list(probe_of(world).facts())
    assert len(lines) == 7
    assert any("updatedAt? yes" in line for line in lines)
    assert held(world) == before
    assert sorted(world.state_dir.iterdir()) == files


def test_a_probe_that_is_cut_off_is_undone(world: World) -> None:
    """By itself when it is left early, by the next one when Plex failed meanwhile."""
    before = held(world)
    started = probe_of(world).facts()
    next(started)
    assert held(world) != before
    started.close()
    assert held(world) == before

    world.plex_wire.faults.add(Fault("plex.put", 3, ErrorStatus(503), times=None))
    with pytest.raises(ServerError):
        list(probe_of(world).facts())
    assert held(world) != before
    world.plex_wire.faults.clear()
    probe_of(world)
    assert held(world) == before


def test_a_probe_asks_first(world: World) -> None:
    """No is no write; without a terminal there is nobody to ask."""
    writes = len(world.plex.writes)
    with Person(["doctor", "--probe", str(ITEM)], world.environ()) as person:
        person.sees("and put it back?")
        person.types("n\r")
        assert person.ends() == ExitCode.OK
    done = run_plexsync(["doctor", "--probe", str(ITEM)], world.environ())
    assert done.code == ExitCode.USAGE
    assert len(world.plex.writes) == writes
    with Person(["doctor", "--probe", str(ITEM)], world.environ()) as person:
        person.sees("and put it back?")
        person.types("y\r")
        person.sees("It is as it was.")
        assert person.ends() == ExitCode.OK
