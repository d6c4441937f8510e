"""A state and a saved plan that a version before made are read, settled, applied and undone.

`tests/system/upgrade` holds what plexsync wrote on three days while `lived` happened: a first run
with posters, a tag and a title a person changed in Plex, an undo of one title, a saved plan, and a
run that died after its only edit had reached Plex. Here the same happens again, so that Plex holds
what it held then; after that the old files take the place of ours.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.storage.history import read_history
from plexsync.storage.journal import RunKind
from plexsync.storage.scenes.rows import STATE_NAME
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import DiesAfterWriting, Killed
from tests.support.picture_world import PNG, made, poster, upload_key
from tests.support.world import World, scene_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = sorted((Path(__file__).parent / "upgrade").iterdir())
FIRST = "20261122T080100Z-0001"


def lived(world: World, plan: Path) -> None:
    """What happened while the version before ran."""
    world.stash.edit_scenes(range(1, 7), tag_ids=(1, 2))
    world.run()
    stays, _ = world.tags(world.key_of("1"), "genre")
    world.plex.edit_by_hand(world.key_of("1"), {"genre": (stays,)})
    world.plex.edit_by_hand(world.key_of("2"), {"title": "By Hand"})
    world.undo(scenes=scene_ids(3), fields=("title",))
    world.stash.edit_scene(1, tag_ids=(1, 2, 3))
    world.stash.edit_scene(4, title="Fourth Title", tag_ids=(2, 3))
    world.stash.set_cover(5, PNG + b"another")
    world.run(RunOptions(dry_run=True, save_plan=plan))
    world.stash.edit_scene(6, title="Sixth Title", tag_ids=(1, 3))
    with suppress(Killed):
        world.run(RunOptions(scenes=scene_ids(6)), disk=DiesAfterWriting(world.plex))


@pytest.fixture(params=VERSIONS, ids=lambda one: one.name)
def old(request: pytest.FixtureRequest) -> Path:
    """Where the files of a version before are."""
    return Path(request.param)


@pytest.fixture
def world(tmp_path: Path, old: Path) -> Iterator[World]:
    """A world with the files of a version before."""
    with made(tmp_path, scenes=6, APPLY__PRESERVE_PLEX_EDITS="true") as alike:
        lived(alike, tmp_path / "plan.json")
        shutil.rmtree(alike.state_dir)
        shutil.copytree(old, alike.state_dir, ignore=shutil.ignore_patterns("plan.json"))
        shutil.rmtree(alike.cache_dir)
        yield alike


def test_a_run_goes_on_from_the_state_of_the_version_before(world: World) -> None:
    """It settles the lost write, writes what Stash changed, and keeps what people did in Plex."""
    (lost,) = world.state().unsettled
    assert lost.plan.scene_id == "6"
    second, third = world.shown(world.key_of("2"), "title"), world.shown(world.key_of("3"), "title")
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.OK
    assert world.state().unsettled == ()
    written = {row.scene.id for row in ran.rows if row.outcome is Outcome.APPLIED}
    assert written == {"1", "4", "5"}
    assert world.tags(world.key_of("1"), "genre") == ("Aerial", "Black-and-white")
    assert world.shown(world.key_of("4"), "title") == "Fourth Title"
    assert poster(world, "5") == upload_key(PNG + b"another")
    assert world.shown(world.key_of("2"), "title") == second == "By Hand"
    assert world.shown(world.key_of("3"), "title") == third
    assert world.run().puts == 0
    asked = world.run(RunOptions(full=True))  # writes what the undo took back, too
    assert {row.scene.id for row in asked.rows if row.outcome is Outcome.APPLIED} == {"3"}


def test_a_plan_of_the_version_before_is_applied_and_undone(world: World, old: Path) -> None:
    """With its picture; what an undo of it puts back is what was there."""
    before = world.plex.dump()
    applied = world.apply(old / "plan.json")
    assert applied.summary.exit_code == ExitCode.OK
    assert {row.scene.id for row in applied.rows if row.outcome is Outcome.APPLIED} == {
        "1",
        "4",
        "5",
    }
    assert poster(world, "5") == upload_key(PNG + b"another")
    nothing = world.run()
    assert (nothing.puts, nothing.summary.exit_code) == (0, ExitCode.OK)
    assert world.undo(applied.summary.header.run_id).summary.exit_code == ExitCode.OK
    after = world.plex.dump()
    assert {key: item["fields"] for key, item in after.items()} == {
        key: item["fields"] for key, item in before.items()
    }
    assert {key: item["locks"] for key, item in after.items()} == {
        key: item["locks"] for key, item in before.items()
    }
    assert {key: item["poster"] for key, item in after.items()} == {
        key: item["poster"] for key, item in before.items()
    }


def test_runs_of_the_version_before_are_listed_and_undone(world: World) -> None:
    """The first run goes back, but for what people changed since, what was undone, and scene 6."""
    kinds = [run.kind for run in read_history(world.state_dir)]
    assert kinds == [RunKind.RUN, RunKind.UNDO, RunKind.RUN]
    undone = world.undo(FIRST)
    assert undone.summary.exit_code == ExitCode.OK
    assert undone.count(Outcome.APPLIED) == 6
    assert world.shown(world.key_of("2"), "title") == "By Hand"
    assert world.shown(world.key_of("6"), "title") == "Sixth Title"
    assert poster(world, "4") != upload_key(PNG + b"4")
    quiet = world.run()
    assert quiet.plex.get("plex.upload", 0) == 1  # the cover of scene 5 is another one by now


def test_the_files_before_a_fold_hold_as_much(world: World) -> None:
    """Without `state.json` its previous copy and the journals are read, whoever wrote them."""
    world.run()  # folds: journals of both versions are kept, of which the copy needs the newer ones
    whole = world.state()
    (world.state_dir / STATE_NAME).unlink()
    rest = world.state()
    assert {one: rest.get(one) for one in rest.scene_ids()} == {
        one: whole.get(one) for one in whole.scene_ids()
    }
