"""Scenes that were scanned again: what earlier ones gave to their items is not lost.

A drive that was not mounted while Stash cleaned up, a folder that was deleted and came back, one
scene that was deleted and scanned in again: the new scenes are blank, and decide nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SCENES = 60
FULL = RunOptions(full=True)


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[World]:
    """Sixty scenes after a first run, with default limits and policies."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    settings = {"PATHS": "/data/=/media/", "FIELDS__LABELS": "merge"}
    with World(make_library(spec), tmp_path, **settings) as world:
        assert world.run().summary.exit_code == ExitCode.OK
        yield world


def values(world: World) -> dict[str, object]:
    """All texts, tags and ratings of every item."""
    kept = ("fields", "tags", "rating", "locks")
    dump = world.plex.dump().items()
    return {
        key: {name: value for name, value in item.items() if name in kept} for key, item in dump
    }


def scan_again(world: World, scene_ids: Iterable[int]) -> list[str]:
    """Stash loses these scenes and finds their files again: other ids, and nothing else."""
    files = {scene_id: world.stash.scene(scene_id).file_ids for scene_id in scene_ids}
    for scene_id in files:
        world.stash.delete_scene(scene_id)
    return [str(world.stash.create_scene(file_ids=file_ids)) for file_ids in files.values()]


@pytest.mark.parametrize("between", [False, True], ids=["unnoticed", "a run between"])
@pytest.mark.parametrize("count", [1, 12, 41], ids=["one scene", "a folder", "a drive"])
def test_scenes_that_were_scanned_again_take_nothing_away(
    synced: World,
    count: int,
    between: bool,
) -> None:
    """Not in the next run, not in a full one, and not the one after that."""
    before = values(synced)
    ids = range(1, count + 1)
    files = {scene_id: synced.stash.scene(scene_id).file_ids for scene_id in ids}
    for scene_id in ids:
        synced.stash.delete_scene(scene_id)
    if between:
        synced.run()
    blank = {str(synced.stash.create_scene(file_ids=file_ids)) for file_ids in files.values()}
    synced.wait(hours=1)
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.OK
    assert values(synced) == before
    assert {row.scene.id for row in ran.rows if "blank and new in Stash" in row.reason} == blank
    for options in (FULL, RunOptions(), FULL):
        assert synced.run(options).puts == 0
    assert values(synced) == before


def test_a_scene_decides_once_it_is_curated(synced: World) -> None:
    """Then what it says goes, and what it does not say clears what the earlier one gave."""
    key = synced.key_of("1")
    had = synced.tags(key, "genre")
    assert had
    (blank,) = scan_again(synced, [1])
    synced.wait(hours=1)
    synced.run()
    assert synced.tags(key, "genre") == had
    synced.stash.edit_scene(int(blank), title="Curated")
    synced.wait(hours=1)
    ran = synced.run()
    assert ran.row(blank).outcome is Outcome.APPLIED
    assert synced.shown(key, "title") == "Curated"
    assert synced.tags(key, "genre") == ()
    assert synced.shown(key, "summary") == ""


def test_inherited_clears_count_against_the_linked_items(synced: World) -> None:
    """Many scenes curated with a title alone would clear as many items: held back, and reported."""
    ids = scan_again(synced, range(1, 42))
    for scene_id in ids:
        synced.stash.edit_scene(int(scene_id), title=f"Title {scene_id}")
    synced.wait(hours=1)
    before = values(synced)
    ran = synced.run()
    assert ran.summary.exit_code == ExitCode.UNSAFE
    assert ran.summary.error is not None
    assert f"41 of {SCENES} items synced before would lose something" in ran.summary.error.message
    assert ran.count(Outcome.SKIPPED) == 41
    assert values(synced) == before


def test_a_value_emptied_in_stash_goes_in_every_kind_of_field(synced: World) -> None:
    """Title, date, summary, studio, rating and lists alike; what somebody changed since stays."""
    synced.settings["FIELDS__RATING"] = "overwrite"
    synced.stash.edit_scene(1, rating100=80)
    synced.run()
    key = synced.key_of("1")
    synced.plex.edit_by_hand(key, {"summary": "By Hand"})
    synced.stash.edit_scene(
        1, title="", details="", date=None, studio_id=None, rating100=None, tag_ids=()
    )
    synced.wait(hours=1)
    ran = synced.run()
    item = synced.plex.dump()[key]
    assert (item["rating"], synced.tags(key, "genre")) == (None, ())
    assert [synced.shown(key, one) for one in ("title", "originallyAvailableAt", "studio")] == [
        "",
        "",
        "",
    ]
    assert synced.shown(key, "summary") == "By Hand"
    assert "Plex's own kept for summary" in ran.row("1").reason
    assert synced.run(FULL).puts == 0
