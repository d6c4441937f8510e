"""What happens to a run while it runs: both servers are changed under its hands, or go away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ConfigError, ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World, edited_keys, stops_after

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.http.wire import SimRequest, SimResponse
    from plexsync.simulators.library.records import PlexVideo

MOVIES_ONLY = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"}
SPEC = LibrarySpec(seed=3, scenes=20, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Twenty plain scenes, nothing synced yet."""
    with World(make_library(SPEC), tmp_path, **MOVIES_ONLY) as made:
        yield made


@pytest.fixture
def synced(world: World) -> World:
    """The same after a first run."""
    assert world.run().count(Outcome.APPLIED) == 20
    return world


# ---- Stash ---------------------------------------------------------------------------------------


def test_a_scene_is_written_nowhere_if_its_file_is_exchanged_while_it_is_read(
    synced: World,
) -> None:
    """Its values are those of another file by then; next time it is linked again."""
    synced.stash.edit_scene(5, title="Second Title")
    handle = synced.stash.handle

    def exchange_file(request: SimRequest) -> SimResponse:
        if b"PlexsyncDetails" in request.body and synced.stash.scene(5).title == "Second Title":
            synced.wait(hours=1)
            file = synced.stash.add_file("/data/new.mp4", size=5_000_001, duration=77.0, oshash=9)
            synced.stash.edit_scene(5, title="Third Title", file_ids=(file,))
        return handle(request)

    synced.stash.handle = exchange_file  # type: ignore[method-assign] # a person, mid-request
    ran = synced.run()
    assert ran.outcomes() == {"5": "skipped"}
    assert ran.puts == 0
    after = synced.run()
    assert after.outcomes() == {"5": "unmatched"}
    assert after.puts == 0


# ---- Plex ----------------------------------------------------------------------------------------


def test_a_plex_without_libraries_is_reported_and_a_failure(tmp_path: Path) -> None:
    """Who empties Plex, or points at the wrong one, hears of it."""
    library = make_library(SPEC)
    bare = replace(library, plex=replace(library.plex, sections=(), videos=()))
    with World(bare, tmp_path, **MOVIES_ONLY) as world:
        ran = world.run()
    assert ran.summary.exit_code == ExitCode.ACCESS
    assert ran.summary.error is not None
    assert ran.summary.error.kind == "library-missing"


def test_writes_plex_took_before_it_died_are_reported_as_unknown(world: World) -> None:
    """They were sent, so they are not called skipped; the next run finds them done."""
    world.plex.before("plex.put", 10, lambda: world.plex.startup_503(10_000))
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.SERVER
    unknown = [row for row in ran.rows if row.outcome is Outcome.FAILED]
    assert len(unknown) >= 9
    assert all(row.error and "the next run looks first" in row.error.hint for row in unknown)
    world.plex.startup_503(0)
    after = world.run()
    assert after.summary.exit_code == ExitCode.OK
    assert after.count(Outcome.UNCHANGED) == 9
    assert after.puts == 11


def test_writes_before_a_refusal_are_read_back_and_reported(world: World) -> None:
    """A right that is lost half-way undoes nothing of what was written until then."""
    world.plex_wire.faults.add(Fault("plex.put", 6, ErrorStatus(403), None))
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.ACCESS
    assert ran.count(Outcome.APPLIED) == 5
    world.plex_wire.faults.clear()
    assert world.run().puts == 15


def test_a_tag_given_by_hand_while_we_write_is_kept_and_no_failure(synced: World) -> None:
    """Under merge others may add what they like; our own names are remembered as ours."""
    key = synced.key_of("5")
    genres = synced.tags(key, "genre")
    synced.stash.edit_scene(5, tag_ids=(1, 2, 3))
    synced.plex.before(
        "plex.put", 1, lambda: synced.plex.edit_by_hand(key, {"genre": [*genres, "By Hand"]})
    )
    ran = synced.run()
    assert ran.outcomes() == {"5": "applied"}
    assert "By Hand" in synced.tags(key, "genre")
    synced.stash.edit_scene(5, tag_ids=())
    synced.run()
    assert synced.tags(key, "genre") == ("By Hand",)


def test_what_is_ours_is_still_known_when_plex_numbers_its_items_otherwise(synced: World) -> None:
    """After a database was restored, names we added can still be taken back."""
    key = synced.key_of("5")
    assert synced.tags(key, "genre")
    video = next(v for v in synced.library.plex.videos if str(v.rating_key) == key)
    _renumber(synced, video, 880_001)
    synced.stash.edit_scene(5, tag_ids=())
    synced.run()
    assert synced.tags("880001", "genre") == ()


def test_moving_every_file_opens_no_way_past_the_limits(synced: World) -> None:
    """Items found again under another path were synced before all the same."""
    synced.stash.edit_scenes(range(1, 21), tag_ids=())
    for video in synced.library.plex.videos:
        (part,) = video.media[0].parts
        moved = part.file.replace("/media/", "/media2/")
        synced.plex.replace_file(str(video.rating_key), moved)
    ran = synced.run(RunOptions(max_changes=10), PATHS="/data/=/media2/")
    assert ran.summary.exit_code == ExitCode.UNSAFE
    assert ran.puts == 0
    assert len(ran.rows) == 20
    forced = synced.run(RunOptions(force=True), PATHS="/data/=/media2/")
    assert forced.count(Outcome.APPLIED) == 20
    assert synced.run(RunOptions(full=True), PATHS="/data/=/media2/").puts == 0


def _renumber(world: World, video: PlexVideo, rating_key: int) -> None:
    """The same item, with all it holds, under another key."""
    key = str(video.rating_key)
    held = {name: world.tags(key, name) for name in ("genre", "actor")}
    world.plex.remove_item(key)
    world.plex.add_item(replace(video, rating_key=rating_key))
    world.plex.edit_by_hand(str(rating_key), {"genre": held["genre"], "actor": held["actor"]})


# ---- Signals -------------------------------------------------------------------------------------


def test_an_interrupted_run_says_so_though_a_scene_failed_before(world: World) -> None:
    """3 would say that it finished."""
    bad = world.key_of("1")
    world.plex_wire.faults.add(
        Fault("plex.put", 1, ErrorStatus(409), None, lambda request: edited_keys(request) == (bad,))
    )
    ran = world.run(should_stop=stops_after(12))
    assert ran.count(Outcome.FAILED) == 1
    assert ran.summary.exit_code == ExitCode.INTERRUPTED


# ---- The environment -----------------------------------------------------------------------------


def test_a_path_rule_that_is_no_text_is_refused_by_its_name(world: World) -> None:
    """A folder's name in the environment may be any bytes; a rule made of it could not be shown."""
    with pytest.raises(ConfigError, match="PLEXSYNC_PATHS: stash is no UTF-8") as refused:
        world.run(RunOptions(dry_run=True), PATHS="/data/=/media/,/old\udcff=/new")
    assert refused.value.exit_code == ExitCode.USAGE
