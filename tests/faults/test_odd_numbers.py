"""Every numeric field of both servers with numbers nobody can mean: no run ends as a bug."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import Fault, Rewrite
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STASH = ("id", "count", "size", "duration", "width", "height", "rating100", "appSchema")
PLEX = (
    "ratingKey",
    "size",
    "totalSize",
    "offset",
    "duration",
    "width",
    "height",
    "id",
    "updatedAt",
    "addedAt",
    "deletedAt",
    "librarySectionID",
    "userRating",
)
COUNTERS = ("contentChangedAt", "scannedAt", "updatedAt", "key")
NUMBERS = ("1" + "0" * 30, "-1", "NaN", "1e400", '"many"', "null")

TRUTHFUL = {ExitCode.OK, ExitCode.SOME_FAILED, ExitCode.SERVER, ExitCode.ACCESS, ExitCode.UNSAFE}

SPEC = LibrarySpec(seed=5, scenes=6, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)


def in_json(name: str, number: str) -> Callable[[bytes], bytes]:
    """Give a member that is a number, or a text that is one, another value, wherever it stands."""
    member = re.compile(rf'("{name}"\s*:\s*)("\d+"|-?\d[\d.eE+]*)'.encode())
    return lambda body: member.sub(lambda found: found[1] + number.encode(), body)


def in_xml(name: str, number: str) -> Callable[[bytes], bytes]:
    """Give an attribute another value."""
    attribute = re.compile(rf'(\b{name}=)"\d+"'.encode())
    value = number.strip('"').encode()
    return lambda body: attribute.sub(lambda found: found[1] + b'"' + value + b'"', body)


def check(world: World, spoil: Callable[[], object]) -> None:
    """Runs with odd numbers end in order; the run after the next one has put all right."""
    for late in (False, True):
        if late:
            world.wait(hours=1)
            world.stash.edit_scenes([scene.id for scene in world.stash.scenes], title="Other")
            world.wait(hours=1)
        spoil()
        ran = world.run()
        assert ran.summary.exit_code in TRUTHFUL
        world.stash_wire.faults.clear()
        world.plex_wire.faults.clear()
        world.wait(hours=2)
        world.run()
        world.wait(hours=30)
        last = world.run()
        assert last.summary.exit_code == ExitCode.OK, last.rows
    titles = {world.shown(world.key_of(str(scene.id)), "title") for scene in world.stash.scenes}
    assert titles == {"Other"}


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", STASH)
def test_a_number_of_stash(tmp_path: Path, name: str, number: str) -> None:
    """In every answer of Stash at once."""
    with World(
        make_library(SPEC), tmp_path, PATHS="/data/=/media/", FIELDS__RATING="overwrite"
    ) as world:
        fault = Fault("stash.graphql", 1, Rewrite(in_json(name, number)), times=None)
        check(world, lambda: world.stash_wire.faults.add(fault))


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", PLEX)
def test_a_number_of_plex(tmp_path: Path, name: str, number: str) -> None:
    """In every JSON answer of Plex at once."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as world:
        fault = Fault(None, 1, Rewrite(in_json(name, number)), times=None)
        check(world, lambda: world.plex_wire.faults.add(fault))


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", COUNTERS)
def test_a_counter_of_a_library(tmp_path: Path, name: str, number: str) -> None:
    """In the list of libraries, which comes as XML."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as world:
        fault = Fault("plex.sections", 1, Rewrite(in_xml(name, number)), times=None)
        check(world, lambda: world.plex_wire.faults.add(fault))
