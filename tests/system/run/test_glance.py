"""Runs that nobody watches: a look from afar, and a close one where anything moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from plexsync.models import Outcome, SceneId
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.state import load_state
from plexsync.sync.detection.seen import KEY, Seen
from plexsync.sync.ports import RunOptions
from plexsync.sync.reconcile import run
from tests.support.world import World, assert_quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.world import Ran

BY_CRON = RunOptions(watched=False)
FAR = (1, 1)
"""Requests to Stash and to Plex of a run that finds nothing moved."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Twelve scenes in step, and a configuration that goes by a look from afar for an hour."""
    spec = LibrarySpec(seed=5, scenes=12, mix={Case.SAME: 1}, edited=0.0)
    settings = {"PATHS": "/data/=/media/", "RUN__SWEEP_EVERY": "1h"}
    with World(make_library(spec), tmp_path, **settings) as made:
        made.run()
        made.run(BY_CRON)  # compares with what the first one wrote
        yield made


def asked(ran: Ran) -> tuple[int, int]:
    """How many requests a run sent to Stash and to Plex."""
    requests = ran.summary.requests
    return requests.stash, requests.plex_reads


def test_where_nothing_moved_a_run_asks_each_server_once(world: World) -> None:
    """It ends well, is a run of the history, and knows both servers."""
    ran = world.run(BY_CRON)
    assert asked(ran) == FAR
    assert_quiet(ran)
    assert ran.summary.header.plex is not None
    assert ran.summary.header.plex.identity == load_state(world.state_dir).lineage.plex
    assert load_state(world.state_dir).runs[-1].run_id == ran.summary.header.run_id
    assert load_state(world.state_dir).checkpoint.last_success_at == ran.summary.finished_at


def test_a_run_that_is_watched_looks_at_every_scene(world: World) -> None:
    """Who types the command gets the whole answer."""
    assert asked(world.run()) > FAR


def test_a_small_library_is_looked_at_in_every_run_unless_configured(world: World) -> None:
    """Up to 20,000 scenes the close look is a few requests."""
    del world.settings["RUN__SWEEP_EVERY"]
    assert asked(world.run(BY_CRON)) > FAR
    assert asked(world.run(BY_CRON)) > FAR


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.stash.edit_scene(3, title="Another Title"),
        lambda world: world.stash.create_scene(title="A Scene Without Files"),
        lambda world: world.stash.delete_scene(12),
        lambda world: world.stash.edit_tag(min(world.stash.tags.ids), name="Another Name"),
        lambda world: world.stash.delete_tag(min(world.stash.tags.ids)),
        lambda world: world.stash.edit_performer(min(world.stash.performers.ids), name="Another"),
        lambda world: world.stash.delete_performer(min(world.stash.performers.ids)),
        lambda world: world.stash.edit_studio(min(world.stash.studios.ids), name="Another"),
        lambda world: world.rescan(),
    ],
    ids=["edit", "make", "delete", "rename", "untag", "recast", "fire", "studio", "scan"],
)
def test_a_change_on_either_side_is_found_by_the_next_run(
    world: World, change: Callable[[World], object]
) -> None:
    """Counts, sums, and what was edited last show it."""
    assert asked(world.run(BY_CRON)) == FAR
    change(world)
    world.wait(hours=0.1)
    assert asked(world.run(BY_CRON)) > FAR
    world.run(BY_CRON)
    assert asked(world.run(BY_CRON)) == FAR


def test_a_scene_that_alone_was_edited_is_read_without_the_others(world: World) -> None:
    """Eight requests: two looks, a word to each server, scene and item, the edit, its proof."""
    world.stash.edit_scene(3, title="Another Title")
    world.wait(hours=0.1)
    ran = world.run(BY_CRON)
    assert ran.count(Outcome.APPLIED) == 1
    assert asked(ran) == (3, 4)
    assert ran.summary.requests.plex_writes == 1
    assert ran.summary.counts.scenes_read == 0
    assert asked(world.run(BY_CRON)) == FAR


@pytest.mark.parametrize(
    "also",
    [
        lambda world: world.stash.edit_tag(min(world.stash.tags.ids), name="Another Name"),
        lambda world: [world.stash.edit_scene(n, title=f"Title {n}") for n in range(1, 13)],
        lambda world: world.settings.update(STASH__EXCLUDE_STUDIOS="Nobody's"),
        lambda world: world.settings.update(COLLECTIONS__STUDIOS="true"),
    ],
    ids=["a tag", "the last of those listed", "studios decide", "collections are kept"],
)
def test_an_edit_beside_what_may_concern_others_is_a_reason_to_look_at_all(
    world: World, also: Callable[[World], object]
) -> None:
    """What else moved, or would go unseen, only a look at every scene's version tells."""
    world.run(BY_CRON)
    world.stash.edit_scene(3, title="Another Title")
    also(world)
    world.wait(hours=0.1)
    ran = world.run(BY_CRON)
    assert ran.summary.counts.scenes_read == 12
    assert ran.count(Outcome.APPLIED) >= 1


@pytest.mark.parametrize(
    "settings",
    [
        {"FIELDS__DATE": "off"},
        {"MATCH__STRICT_MATCHING": "false"},
        {"PLEX__LIBRARIES": "Scenes"},
    ],
    ids=["fields", "matching", "libraries"],
)
def test_another_configuration_is_a_reason_to_look_closely(
    world: World, settings: dict[str, str]
) -> None:
    """Nothing else moved, on neither side."""
    assert asked(world.run(BY_CRON)) == FAR
    world.settings.update(settings)
    assert asked(world.run(BY_CRON)) > FAR


def test_an_edit_does_not_put_off_the_next_close_look(world: World) -> None:
    """It was a look at a few scenes only."""
    world.settings["RUN__SWEEP_EVERY"] = "30m"
    world.wait(hours=0.2)
    world.stash.edit_scene(3, title="Another Title")
    world.wait(hours=0.1)
    assert world.run(BY_CRON).summary.counts.scenes_read == 0
    assert asked(world.run(BY_CRON)) == FAR
    world.wait(hours=0.2)
    assert asked(world.run(BY_CRON)) > FAR


def test_an_edit_that_is_not_listed_is_found_though_all_that_are_listed_are_known(
    tmp_path: Path,
) -> None:
    """A run of some scenes learns the versions of those edited last; the others wait no longer."""
    spec = LibrarySpec(seed=5, scenes=24, mix={Case.SAME: 1}, edited=0.0)
    settings = {"PATHS": "/data/=/media/", "RUN__SWEEP_EVERY": "1h"}
    with World(make_library(spec), tmp_path, **settings) as world:
        world.run()
        world.run(BY_CRON)
        for number in range(1, 25):
            world.stash.edit_scene(number, title=f"Title {number}")
            world.wait(hours=0.01)
        world.run(RunOptions(scenes=tuple(SceneId(str(number)) for number in range(4, 25))))
        assert world.run(BY_CRON).count(Outcome.APPLIED) == 3


def test_where_ids_have_moved_beside_an_edit_all_scenes_are_read(world: World) -> None:
    """An edited scene has the files of another one: what that means only all of them tell."""
    files = [world.stash.scene(number).file_ids for number in (3, 4)]
    world.stash.write_silently(4, file_ids=files[0])
    world.stash.edit_scene(3, file_ids=files[1], title="Another Title")
    world.wait(hours=0.1)
    ran = world.run(BY_CRON)
    assert ran.summary.counts.scenes_read == 12
    assert world.shown(world.key_of("4"), "title") == "Another Title"


def test_a_list_of_plex_that_was_read_beside_an_edit_is_compared_by_the_next_run(
    world: World,
) -> None:
    """Which scenes have several files was not asked, so a second item may be one of theirs."""
    path = "/data/elsewhere/late.mp4"
    file = world.stash.add_file(path, size=987_654, duration=77.0, oshash=77)
    world.stash.add_to_scene(7, file)
    world.plex.remove_item(world.key_of("3"))
    world.rescan()
    world.wait(hours=0.1)
    world.run()
    world.run(BY_CRON)
    late = world.plex.scan_in(world.video_of(file))
    world.stash.edit_scene(3, title="Another Title")
    world.wait(hours=0.01)
    ran = world.run(BY_CRON)
    assert ran.summary.counts.scenes_read == 0
    assert ran.summary.index != "none"

    world.rescan()
    assert world.run(BY_CRON).outcomes()["7"] == "applied"
    assert world.shown(late, "title") == world.stash.scene(7).title.strip()


def test_an_hour_that_ends_while_an_edit_is_handled_has_plex_compared_by_the_next_run(
    world: World,
) -> None:
    """Which scenes have several files was not asked, so the file of one would not be found."""
    gone = world.stash.files[world.stash.scene(12).file_ids[0]]
    world.stash.delete_scene(12)
    second = world.stash.add_file(
        "/data/second.mp4", size=gone.size, duration=gone.duration, oshash=gone.oshash
    )
    world.stash.add_to_scene(5, second)
    world.run()
    world.run()
    world.wait(hours=0.5)
    world.run()
    key = world.plex.move_file(world.key_of("12"), world.plex_path(second))
    world.stash.edit_scene(3, title="Another Title")
    seen = world.state().decision(KEY, Seen)
    assert seen is not None
    whole_hour = datetime.fromisoformat(seen.listed_at) + timedelta(hours=1)

    def now() -> datetime:
        is_met = world.stash_wire.counters.requests("stash.graphql") > 1
        return whole_hour - timedelta(seconds=0 if is_met else 1)

    ran = world.act(
        lambda config, ports, reporter: run(config, BY_CRON, replace(ports, now=now), reporter)
    )
    assert ran.outcomes() == {"3": "applied"}
    world.now = whole_hour
    world.run(BY_CRON)
    assert world.shown(key, "title") == world.stash.scene(5).title.strip()


def test_what_the_hook_noted_is_looked_at(world: World) -> None:
    """A note means that something happened, whatever the servers show from afar."""
    spool = world.state_dir / "spool"
    spool.mkdir()
    (spool / "1-1.json").write_text('{"id": 3, "type": "Scene.Update.Post"}')
    assert asked(world.run(BY_CRON)) > FAR
    assert asked(world.run(BY_CRON)) == FAR


def test_a_scene_that_failed_is_tried_again_when_its_time_has_come(world: World) -> None:
    """Waiting is no change, and ends all the same."""
    world.stash.edit_scene(3, title="Another Title")
    world.wait(hours=0.1)
    world.plex_wire.faults.add(Fault("plex.put", 1, ErrorStatus(500), None))
    assert world.run(BY_CRON).count(Outcome.FAILED) == 1
    world.plex_wire.faults.clear()
    world.wait(hours=0.5)
    assert world.run(BY_CRON).count(Outcome.APPLIED) == 1


@pytest.mark.parametrize(("scan", "is_far"), [("false", True), ("true", False)])
def test_a_scene_plex_lacks_is_tried_by_time_only_where_plex_may_scan(
    world: World, scan: str, *, is_far: bool
) -> None:
    """Nothing but a change in Plex gives it a candidate, and that shows from afar."""
    world.settings["PLEX__SCAN"] = scan
    world.stash.create_scene(title="A Scene Without Files")
    world.wait(hours=0.1)
    assert world.run(BY_CRON).count(Outcome.UNMATCHED) == 1
    world.run(BY_CRON)
    assert asked(world.run(BY_CRON)) == FAR
    world.wait(hours=0.2)
    assert (asked(world.run(BY_CRON)) == FAR) is is_far


def test_a_look_from_afar_tells_what_waits_as_a_close_one_does(world: World) -> None:
    """What failed and waits for its next try still fails, though nothing moved."""
    key = world.key_of("3")
    fault = Fault("plex.put", 1, ErrorStatus(418), None, lambda one: key in one.target)
    world.plex_wire.faults.add(fault)
    for scene in (3, 4):
        world.stash.edit_scene(scene, title=f"Another Title {scene}")
    world.wait(hours=0.1)
    assert world.run(BY_CRON).count(Outcome.FAILED) == 1
    near, far = world.run(BY_CRON), world.run(BY_CRON)
    assert asked(near) > asked(far) == FAR
    assert near.summary.failing == far.summary.failing == 1
    assert near.summary.waiting == far.summary.waiting


def test_what_cannot_be_seen_from_afar_is_found_within_the_hour(world: World) -> None:
    """An edit that moves neither a time nor a count waits for the next close look."""
    tag = max(world.stash.tags, key=lambda one: one.name.casefold())
    world.stash.tags.change(tag.id, name=f"{tag.name} Renamed Silently")
    assert asked(world.run(BY_CRON)) == FAR
    world.wait(hours=1)
    ran = world.run(BY_CRON)
    assert asked(ran) > FAR


def test_a_run_of_some_scenes_is_no_look_at_all(world: World) -> None:
    """It does not put off the next one."""
    world.wait(hours=0.9)
    world.run(RunOptions(scenes=(SceneId("1"),)))
    assert asked(world.run(BY_CRON)) == FAR
    world.wait(hours=0.2)
    assert asked(world.run(BY_CRON)) > FAR


def test_a_stash_that_does_not_answer_the_look_is_looked_at_closely(world: World) -> None:
    """The run is as long as it used to be, and no worse."""
    refused = Fault("stash.graphql", 1, ErrorStatus(422), None, lambda one: b"Look" in one.body)
    world.stash_wire.faults.add(refused)
    ran = world.run(BY_CRON)
    assert asked(ran) > FAR
    assert_quiet(ran)


def test_an_answer_of_a_person_is_seen_by_the_next_run(world: World) -> None:
    """A session that was no run may have made scenes due."""
    world.undo()
    assert asked(world.run(BY_CRON)) > FAR
