"""A part that fails does not take the whole: one library, one entry of a listing, one scene."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Rewrite, html
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import SocketlessWorld, World, assert_quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.simulators.http.wire import SimRequest

SPEC = LibrarySpec(seed=4, scenes=6, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
RULE = {"PATHS": "/data/=/media/"}
ARCHIVE = 2
"""The second library."""


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[World]:
    """All libraries in step."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as world:
        assert world.run().summary.exit_code == ExitCode.OK
        yield world


def listing_of(section: int) -> Callable[[SimRequest], bool]:
    """Requests that list one library."""
    return lambda request: request.path == f"/library/sections/{section}/all"


def edit(world: World, *scenes: int, **fields: object) -> None:
    """Somebody edits scenes, later than whatever came before, and is done with it for a minute."""
    world.wait(hours=1)
    world.stash.edit_scenes(scenes, **fields)
    world.wait(hours=1 / 60)


def test_a_library_that_cannot_be_listed_stops_no_other(synced: World) -> None:
    """Linked scenes are written, exit 4 names the library, and nothing counts as seen."""
    edit(synced, 1, title="New")
    synced.rescan()
    fault = Fault("plex.listing", 1, ErrorStatus(500), times=None, match=listing_of(ARCHIVE))
    synced.plex_wire.faults.add(fault)
    ran = synced.run()
    assert ran.outcomes() == {"1": "applied"}
    assert ran.summary.exit_code == ExitCode.SERVER
    error = ran.summary.error
    assert error is not None
    assert "'Archive'" in error.message
    assert "[plex] libraries" in error.hint
    assert synced.shown(synced.key_of("1"), "title") == "New"


def test_what_needs_the_whole_picture_waits_for_it(synced: World) -> None:
    """A new scene is not matched while a library is unknown, and is with the run after."""
    file_id = synced.stash.scene("2").file_ids[0]
    video = synced.video_of(file_id)
    synced.plex.remove_item(synced.key_of("2"))
    edit(synced, 2, title="New")
    key = synced.plex.scan_in(video)
    synced.rescan()
    fault = Fault("plex.listing", 1, ErrorStatus(500), times=None, match=listing_of(ARCHIVE))
    synced.plex_wire.faults.add(fault)
    assert synced.run().summary.exit_code == ExitCode.SERVER
    assert synced.shown(key, "title") != "New"
    synced.plex_wire.faults.clear()
    assert synced.run().summary.exit_code == ExitCode.OK
    assert synced.shown(key, "title") == "New"
    assert_quiet(synced.run())


def test_whenever_stash_goes_while_a_library_cannot_be_listed_the_run_ends_with_4(
    tmp_path: Path,
) -> None:
    """It names the server that failed it first, and the next run does what is left."""
    named = set()
    for request in range(1, 10):
        with SocketlessWorld(make_library(SPEC), tmp_path / str(request), **RULE) as world:
            world.run()
            edit(world, 1, 2, title="New")
            world.plex.remove_item(world.key_of("3"))
            world.stash.edit_scene(3, title="New")
            world.wait(hours=1)
            world.rescan()
            fault = Fault("plex.listing", 1, ErrorStatus(500), None, match=listing_of(ARCHIVE))
            world.plex_wire.faults.add(fault)
            world.stash_wire.faults.add(Fault("stash.graphql", request, ErrorStatus(503), None))
            ended = world.run().summary
            assert ended.exit_code is ExitCode.SERVER
            assert ended.error is not None
            named.add("Stash" if "Stash" in ended.error.message else "Archive")
            world.plex_wire.faults.clear()
            world.stash_wire.faults.clear()
            assert world.run().summary.exit_code is ExitCode.OK
            assert {world.shown(world.key_of(one), "title") for one in "12"} == {"New"}
    assert named == {"Stash", "Archive"}


def with_entry(entry: dict[str, Any]) -> Rewrite:
    """Every listing holds one entry more, and says so."""

    def change(body: bytes) -> bytes:
        answer = json.loads(body)
        container = answer["MediaContainer"]
        if "Metadata" in container:
            container["Metadata"].append(entry)
            container["size"] += 1
        container["totalSize"] += 1
        return json.dumps(answer).encode()

    return Rewrite(change)


ODD: list[dict[str, Any]] = [
    {"type": "movie", "title": "odd one", "Media": [{"Part": [{"file": "/media/z.mp4"}]}]},
    {"type": "movie", "title": "odd one", "ratingKey": None},
    {"type": "movie", "title": "odd one", "ratingKey": -7},
]


@pytest.mark.parametrize("entry", ODD, ids=["no key", "null", "negative"])
def test_an_entry_without_a_rating_key_costs_one_warning(
    tmp_path: Path, entry: dict[str, Any]
) -> None:
    """All others are matched and written; the entry is named once."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as world:
        fault = Fault("plex.listing", 1, with_entry(entry), times=None, match=listing_of(1))
        world.plex_wire.faults.add(fault)
        ran = world.run()
        assert ran.summary.exit_code == ExitCode.OK
        assert ran.count(Outcome.APPLIED) == SPEC.scenes
        (warning,) = [one for one in ran.warnings if "rating key" in one]
        assert "odd one" in warning


def spoiled(scene: str, field: str, value: object) -> Rewrite:
    """One scene has a value of another type wherever it stands."""

    def change(body: bytes) -> bytes:
        answer = json.loads(body)
        found = (answer.get("data") or {}).get("findScenes") or {}
        for row in found.get("scenes", ()):
            if row["id"] == scene and field in row:
                row[field] = value
        return json.dumps(answer).encode()

    return Rewrite(change)


@pytest.mark.parametrize(
    ("field", "value"), [("files", None), ("title", 7), ("organized", "x"), ("tags", "a")]
)
def test_an_ill_typed_scene_fails_alone(tmp_path: Path, field: str, value: object) -> None:
    """The row names its id; the others are written; well again, it is written too."""
    settings = {"PATHS": "/data/=/media/", "STASH__EXCLUDE_TAGS": "never"}
    with World(make_library(SPEC), tmp_path, **settings) as world:
        fault = Fault("stash.graphql", 1, spoiled("3", field, value), times=None)
        world.stash_wire.faults.add(fault)
        ran = world.run()
        assert ran.summary.exit_code == ExitCode.SOME_FAILED
        assert ran.outcomes().pop("3") == "failed"
        assert ran.count(Outcome.APPLIED) == SPEC.scenes - 1
        problem = ran.row("3").error
        assert problem is not None
        assert "scene 3" in problem.message
        assert field in problem.message
        world.stash_wire.faults.clear()
        world.wait(hours=1)
        again = world.run()
        assert again.outcomes() == {"3": "applied"}


@pytest.mark.parametrize("kind", ["plex.root", "plex.sections", "plex.listing", "plex.detail"])
def test_one_web_page_of_a_proxy_costs_nothing(tmp_path: Path, kind: str) -> None:
    """Every question is asked a second time."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as world:
        world.plex_wire.faults.add(Fault(kind, 1, html()))
        world.stash_wire.faults.add(Fault("stash.graphql", 2, html()))
        ran = world.run()
        assert ran.summary.exit_code == ExitCode.OK
        assert ran.count(Outcome.APPLIED) == SPEC.scenes


# ---- Plex is smaller than it was -----------------------------------------------------------------


@pytest.fixture
def fifty(tmp_path: Path) -> Iterator[World]:
    """Fifty linked scenes: enough for a share to mean something."""
    with World(make_library(replace(SPEC, scenes=50)), tmp_path, PATHS="/data/=/media/") as world:
        assert world.run().summary.exit_code == ExitCode.OK
        yield world


def empty_listing(_: bytes) -> bytes:
    """A library without anything in it."""
    return b'{"MediaContainer": {"size": 0, "totalSize": 0, "offset": 0}}'


def test_an_empty_plex_is_not_believed(synced: World) -> None:
    """Exit 6, nothing forgotten, nothing cached: the run after finds all as it was."""
    edit(synced, 1, title="New")
    synced.rescan()
    synced.plex_wire.faults.add(Fault("plex.listing", 1, Rewrite(empty_listing), times=None))
    before = synced.plex.dump()
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.UNSAFE
    assert ran.summary.error is not None
    assert "6 of 6 items linked in earlier runs are gone from Plex" in ran.summary.error.message
    assert synced.plex.dump() == before
    synced.plex_wire.faults.clear()
    again = synced.run()
    assert again.outcomes() == {"1": "applied"}
    assert again.summary.exit_code == ExitCode.OK


@pytest.mark.parametrize(("lost", "code"), [(15, ExitCode.OK), (16, ExitCode.UNSAFE)])
def test_a_plex_that_lost_a_third_is_not_believed(fifty: World, lost: int, code: ExitCode) -> None:
    """Both sides of 30 %; `--force` says that it is meant."""
    for scene in range(1, lost + 1):
        fifty.plex.remove_item(fifty.key_of(str(scene)))
    fifty.rescan()
    assert fifty.run().summary.exit_code == code
    assert fifty.run(RunOptions(force=True)).summary.exit_code == ExitCode.OK


def test_a_plex_that_was_made_again_is_believed(fifty: World) -> None:
    """Every item has another key and the same file: nothing is lost."""
    for scene in range(1, 51):
        video = fifty.video_of(fifty.stash.scene(str(scene)).file_ids[0])
        fifty.plex.remove_item(fifty.key_of(str(scene)))
        fifty.plex.scan_in(video)
    fifty.rescan()
    ran = fifty.run(RunOptions(full=True), APPLY__MAX_CHANGES="100", APPLY__MAX_SHARE="1")
    assert ran.summary.exit_code == ExitCode.OK, ran.summary
    assert ran.count(Outcome.APPLIED) == 50
