"""What becomes of scenes Plex does not have: asked for, left in peace, woken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World, assert_quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


DRY = RunOptions(dry_run=True)
SETTINGS = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"}


@pytest.fixture
def lacking(tmp_path: Path) -> Iterator[World]:
    """Plex has not scanned all of Stash's files yet."""
    spec = LibrarySpec(seed=5, scenes=12, mix={Case.SAME: 2, Case.UNSCANNED: 1}, edited=0.0)
    with World(make_library(spec), tmp_path, **SETTINGS) as made:
        yield made


def scanned(world: World) -> list[str]:
    """The folders Plex was asked to scan."""
    return [path for _, path in world.plex.scans]


def test_plex_is_asked_to_scan_just_the_folders_it_lacks_files_of(lacking: World) -> None:
    """Once a folder; not again because of that scan, but when the scene's own time has come."""
    assert lacking.run(DRY, PLEX__SCAN="true").count(Outcome.UNMATCHED)
    assert len(scanned(lacking)) == 0
    missing = {
        row.scene.path.rpartition("/")[0].replace("/data/", "/media/")
        for row in lacking.run(PLEX__SCAN="true").rows
        if row.outcome is Outcome.UNMATCHED
    }
    asked = scanned(lacking)
    assert set(asked) == missing
    assert len(asked) == len(missing)
    lacking.run(PLEX__SCAN="true")
    lacking.run(PLEX__SCAN="true")
    assert len(scanned(lacking)) == len(missing)
    lacking.wait(hours=1)
    lacking.run(PLEX__SCAN="true")
    assert len(scanned(lacking)) == 2 * len(missing)


def test_a_scan_plex_refuses_is_a_word_and_no_failure(lacking: World) -> None:
    """The run did its work all the same."""
    lacking.plex_wire.faults.add(Fault("plex.scan", 1, ErrorStatus(400), None))
    ran = lacking.run(PLEX__SCAN="true")
    assert ran.summary.exit_code == ExitCode.OK
    assert any("does not scan" in warning for warning in ran.warnings)


def test_a_library_that_is_meant_to_lack_scenes_is_left_in_peace(lacking: World) -> None:
    """No try but once a week, or when files come to Plex."""
    first = lacking.run(PLEX__SUBSET="true")
    assert first.count(Outcome.UNMATCHED)
    assert first.summary.subset
    lacking.wait(hours=48)
    assert_quiet(lacking.run(PLEX__SUBSET="true"))
    late = next(row.scene.id for row in first.rows if row.outcome is Outcome.UNMATCHED)
    lacking.scan_in(late)
    assert lacking.run(PLEX__SUBSET="true").outcomes()[late] == "applied"


def test_only_those_are_due_for_which_something_came(lacking: World) -> None:
    """Plex finds one file of several it lacked: the others sleep on, and Stash is not asked."""
    first = lacking.run()
    waiting = [row.scene.id for row in first.rows if row.outcome is Outcome.UNMATCHED]
    assert len(waiting) > 2
    lacking.scan_in(waiting[1])
    ran = lacking.run()
    assert ran.outcomes() == {waiting[1]: "applied"}
    lacking.plex.scan_in(replace(lacking.video_of(1), media=(), title="Nobody's"))
    lacking.rescan()
    assert_quiet(lacking.run())


@pytest.mark.parametrize("lost", ["the cache", "what was found", "a dry run looked"])
def test_whoever_waits_is_woken_when_nobody_knows_what_came(lacking: World, lost: str) -> None:
    """What moved is known only from what lay in the cache; without it all are tried."""
    first = lacking.run()
    waiting = {row.scene.id for row in first.rows if row.outcome is Outcome.UNMATCHED}
    lacking.scan_in(min(waiting))
    for file in lacking.cache_dir.iterdir():
        if lost == "the cache" or (lost == "what was found" and "review" in file.name):
            file.unlink()
    if lost == "a dry run looked":
        assert min(waiting) in lacking.run(DRY).outcomes()
    assert set(lacking.run().outcomes()) == waiting
    assert_quiet(lacking.run())


def test_what_plex_lacks_is_matched_again_only_once_plex_changed(lacking: World) -> None:
    """Its time comes again and again; while Plex stands still no item is asked for."""
    assert lacking.run().count(Outcome.UNMATCHED) > 1
    lacking.wait(hours=1)
    assert_quiet(lacking.run())  # what was written moved Plex's counters, and nothing that waits
    for _ in range(2):
        lacking.wait(hours=25)
        lacking.plex_wire.counters.clear()
        assert_quiet(lacking.run())
        assert lacking.plex_wire.counters.requests("plex.listing") == 0


def test_a_file_that_came_without_a_scan_is_found_when_its_time_has_come(lacking: World) -> None:
    """Only Plex's other counters tell of it; the scenes without their files go on waiting."""
    waiting = [row.scene.id for row in lacking.run().rows if row.outcome is Outcome.UNMATCHED]
    file_id = lacking.stash.scene(waiting[0]).file_ids[0]
    lacking.plex.scan_in(lacking.video_of(file_id))
    assert_quiet(lacking.run())
    lacking.wait(hours=1)
    assert lacking.run().outcomes() == {waiting[0]: "applied"}
    lacking.wait(hours=1)
    assert_quiet(lacking.run())
