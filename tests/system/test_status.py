"""`plexsync status` after real runs against both simulators."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from plexsync.app.retry import retry
from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.status import read_status
from plexsync.sync.ports import RunOptions
from tests.support.terminals import plain, run_plexsync
from tests.support.world import World, edited_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.storage import status

SCENES = 20


@pytest.fixture(name="world")
def make_world(tmp_path: Path) -> Iterator[World]:
    """Scenes that all have their item, and no path rule that says so."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.1, edited=0.0)
    with World(make_library(spec), tmp_path, PLEX__LIBRARIES="") as made:
        yield made


def status_of(world: World) -> status.Status:
    """How things stand now."""
    return read_status(world.state_dir, world.now)


def _assert_pages(world: World, failing: status.Trouble) -> None:
    """The document has the pages of a scene that fails; without addresses it has none."""
    kept = {key: value for key, value in world.environ().items() if not key.endswith("__URL")}
    away = {
        "PLEXSYNC_STASH__URL": "http://stash.invalid",
        "PLEXSYNC_PLEX__URL": "http://plex.invalid",
    }
    page = f"http://plex.invalid/web/index.html#!/server/{status_of(world).lineage.plex}/details"
    item = f"{page}?key=%2Flibrary%2Fmetadata%2F{failing.rating_keys[0]}"
    scene = f"http://stash.invalid/scenes/{failing.scene_id}"
    for environ, expected in ((kept | away, (scene, [item])), (kept, (None, []))):
        (one,) = json.loads(run_plexsync(["status", "--json"], environ).out)["failing"]
        assert (one["scene_url"], one["item_urls"]) == expected


def test_a_run_is_reported_with_what_it_wrote(world: World) -> None:
    """Numbers of the run's own report."""
    ran = world.run()

    found = status_of(world)
    assert [run.counts for run in found.runs] == [ran.summary.counts]
    assert found.coverage.linked == found.coverage.scenes == SCENES
    assert found.last_success_at == ran.summary.finished_at
    assert found.last_full_at == ran.summary.header.started_at


def test_a_monitor_is_content_after_a_good_run(world: World) -> None:
    """Nothing is parked and nothing is old: one line, exit 0."""
    assert run_plexsync(["run"], world.environ()).code == ExitCode.OK

    checked = run_plexsync(["status", "--check"], world.environ())

    assert checked.out.startswith("plexsync OK: the last run that ended well was ")
    assert checked.code == ExitCode.OK


def test_proposed_rules_are_reported_until_they_are_followed(world: World) -> None:
    """A run that matches nothing does not forget them."""
    proposed = world.run().summary.proposed_rules
    assert proposed

    world.run()
    assert status_of(world).proposed == proposed

    rule = proposed[0]
    world.run(PATHS=f"{rule.stash}={rule.plex}")
    assert status_of(world).proposed == proposed[1:]


def test_a_dry_run_is_not_reported(world: World) -> None:
    """It leaves nothing to tell of."""
    world.run(RunOptions(dry_run=True))

    assert status_of(world).runs == ()


def test_a_failed_scene_is_reported_and_tried_again_at_once(world: World) -> None:
    """Why, how often, when; after `retry` the next run is the time."""
    world.run()
    number, other = (scene.id for scene in world.library.stash.scenes[:2])
    world.stash.edit_scene(number, title="Another title")
    world.stash.edit_scene(other, title="One that is written, so that the failure counts")
    bad = world.key_of(str(number))
    world.plex_wire.faults.add(
        Fault("plex.put", 1, ErrorStatus(500), None, lambda one: edited_keys(one) == (bad,))
    )
    assert world.run().summary.exit_code == ExitCode.SOME_FAILED
    (failing,) = status_of(world).failing
    assert (failing.scene_id, failing.attempts) == (str(number), 1)
    assert failing.problem
    assert failing.due_at > f"{world.now:%Y-%m-%dT%H:%M:%SZ}"
    _assert_pages(world, failing)

    world.plex_wire.faults.clear()
    retry(world.state_dir, (), now=world.now, run_id="20261122T090000Z-abcd")
    assert status_of(world).due == 1

    assert world.run().summary.counts.applied == 1
    assert status_of(world).failing == ()


def test_retry_denies_no_failure_that_is_due_already(world: World) -> None:
    """The next run tries it; `status` names it all the same."""
    world.run()
    world.stash.edit_scene(1, title="Another")
    world.wait(hours=1)
    world.refuse_edits(world.key_of("1"))
    assert world.run().summary.counts.failed == 1
    retry(world.state_dir, (), now=world.now, run_id="20261122T090000Z-abcd")
    assert status_of(world).failing
    printed = run_plexsync(["retry"], world.environ()).out
    assert printed == "Nothing that failed waits for a later try.\n"


def test_what_waits_is_counted_by_library(tmp_path: Path) -> None:
    """A LOW scene by that of its best candidate; what has none is in none."""
    mix = {Case.SAME: 3.0, Case.DECOY: 1.0}
    spec = LibrarySpec(seed=11, scenes=40, mix=mix, hashed=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PLEX__LIBRARIES="") as world:
        world.run()
        found = read_status(world.state_dir, world.now, cache_dir=world.cache_dir)
        titles = {section.title for section in world.library.plex.sections}
        assert found.review
        assert sum(count for _, count in found.review_libraries) == len(found.review)
        assert {title for title, _ in found.review_libraries} <= titles
        shown = json.loads(run_plexsync(["status", "--json"], world.environ()).out)["metrics"]
        low = [
            one["value"]
            for one in shown
            if one["name"] == "plexsync_waiting_scenes"
            and one["labels"]["state"] == "low"
            and one["labels"]["library"] in titles
        ]
        assert sum(low) == len(found.review)


def test_a_first_look_names_the_first_command(tmp_path: Path) -> None:
    """A run needs a configuration: without one, `init` comes first, for the same file."""
    file = tmp_path / "here.toml"
    environ = {
        "PLEXSYNC_STATE_DIR": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "configs"),
    }
    ready = environ | {"PLEXSYNC_PLEX__URL": "http://plex.invalid"}

    def begin(*arguments: str, environ: dict[str, str]) -> str:
        out = run_plexsync(["status", *arguments], environ, terminals=("stdout",), width=200).out
        return plain(out).splitlines()[0].partition("Begin with: ")[2]

    assert begin(environ=environ) == "plexsync init"
    assert begin("-c", str(file), environ=environ) == f"plexsync init --config {file}"
    assert begin(environ=ready) == "plexsync run -n"
    file.write_text("wrong", "utf-8")
    assert begin("-c", str(file), environ=environ) == f"plexsync run -n --config {file}"


def test_commands_to_type_name_the_configuration(tmp_path: Path) -> None:
    """As they stand they read the same file as the `status` that names them."""
    spec = LibrarySpec(seed=11, scenes=9, mix={Case.DECOY: 1.0}, hashed=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PLEX__LIBRARIES="") as world:
        world.run()
        assert status_of(world).review
        arguments = ["status", "-c", str(tmp_path / "here.toml")]
        shown = run_plexsync(arguments, world.environ(), terminals=("stdout",), width=200)

    assert f"plexsync review --config {tmp_path / 'here.toml'}" in plain(shown.out)
