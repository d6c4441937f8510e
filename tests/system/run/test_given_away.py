"""A file given to another scene: its item follows, however the scene that had it stands.

No full run and no daily look at files is due: each of these would find it, too.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.matcher import Verb
from plexsync.models import Match, Outcome, Scene, SceneFile, SceneId
from plexsync.planning.retry_schedule import MOST_ATTEMPTS, PARKED
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case
from plexsync.state import Waiting
from plexsync.sync.ports import RunOptions
from tests.support.fields_world import PLAIN, small_library
from tests.support.review_world import low_world, store_of, waiting_in
from tests.support.world import World, edited_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.models import SceneRecord

GIVER, HEIR = SceneId("7"), SceneId("5")
SECOND = "/media/new/two.mp4"
"""Where Plex sees the giver's second file."""

LATE = {"RUN__FULL_EVERY": "900d", "RUN__FILES_EVERY": "900d"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Eight scenes in step; the giver has a second file, which is an item of its own."""
    with World(small_library(), tmp_path, **PLAIN, **LATE) as made:
        made.stash.edit_scenes(range(1, 9), organized=True, date="2020-01-01")
        made.stash.edit_scene(GIVER, title="The Giver", tag_ids=(made.stash.add_tag("Old"),))
        made.stash.edit_scene(HEIR, title="The Heir", tag_ids=(made.stash.add_tag("New"),))
        second = add_file(made, "two", 987_654)
        made.plex.scan_in(made.video_of(second))
        made.rescan()
        assert set(made.run().outcomes().values()) == {"applied"}
        assert key_of_second(made) in linked(made, GIVER)
        yield made


def add_file(world: World, name: str, size: int) -> int:
    """Return the id of another file of the giver."""
    path = f"/data/new/{name}.mp4"
    file = world.stash.add_file(path, size=size, duration=77.0, oshash=size)
    world.stash.add_to_scene(GIVER, file)
    return file


def key_of_second(world: World) -> str:
    """Return the item of the giver's second file."""
    return world.plex.key_of(SECOND)


def give(world: World, file: str = SECOND) -> None:
    """Give a file of the giver's to the heir; no time moves in Stash."""
    files = world.stash.scene(GIVER).file_ids
    world.stash.assign_file(next(one for one in files if world.plex_path(one) == file), HEIR)


def record_of(world: World, scene_id: SceneId) -> SceneRecord:
    """Return what is remembered of a scene."""
    record = world.state().get(scene_id)
    assert record is not None
    return record


def linked(world: World, scene_id: SceneId) -> set[str]:
    """Return the items a scene is linked to."""
    return {link.rating_key for link in record_of(world, scene_id).links}


# ---- how the giver may stand ---------------------------------------------------------------------


def leave_linked(_: World) -> None:
    """The giver is in step."""


def park(world: World) -> None:
    """Plex refuses what the giver says of its first item until no run tries any more."""
    key = world.key_of(GIVER)
    refused = Fault(
        "plex.put", 1, ErrorStatus(500), None, match=lambda one: key in edited_keys(one)
    )
    world.plex_wire.faults.add(refused)
    world.stash.edit_scene(GIVER, title="Refused")
    for attempt in range(MOST_ATTEMPTS):
        world.stash.edit_scene(2, title=f"title {attempt}")
        world.wait(hours=25)
        world.run()
    world.plex_wire.faults.clear()
    assert record_of(world, GIVER).due_at == PARKED


def ignore(world: World) -> None:
    """A person wants the giver left alone."""
    rows = [world.stash.files[one] for one in world.stash.scene(GIVER).file_ids]
    files = [
        SceneFile(path=world.stash.path(one), size_bytes=one.size, oshash=one.oshash)
        for one in rows
    ]
    scene = Scene(scene_id=GIVER, updated_at="", files=tuple(files))
    match = Match(scene_id=GIVER, confidence=None, reason="")
    with store_of(world) as answers:
        answers.give([answers.answer_about(Waiting(scene=scene, match=match), Verb.IGNORE)])
    world.run()
    assert record_of(world, GIVER).outcome is Outcome.IGNORED


def have_wait(world: World) -> None:
    """A person is asked about the giver: it was ignored, and has another file since."""
    ignore(world)
    add_file(world, "three", 55_555)
    world.run()
    assert record_of(world, GIVER).outcome is Outcome.REVIEW


def exclude(world: World) -> None:
    """The giver has a tag that takes no part."""
    world.settings["STASH__EXCLUDE_TAGS"] = "private"
    world.stash.edit_scene(GIVER, tag_ids=(world.stash.add_tag("Private"),))
    world.run()
    assert record_of(world, GIVER).outcome is Outcome.IGNORED


def have_unorganized(world: World) -> None:
    """The giver is not organized any more."""
    world.settings["STASH__ORGANIZED_ONLY"] = "true"
    world.stash.edit_scene(GIVER, organized=False)
    world.run()
    assert record_of(world, GIVER).outcome is Outcome.IGNORED


def have_incomplete(world: World) -> None:
    """The giver lacks a value it needs."""
    world.settings["STASH__REQUIRED"] = "date"
    world.stash.edit_scene(GIVER, date="")
    world.run()
    assert record_of(world, GIVER).outcome is Outcome.IGNORED


STANDS = pytest.mark.parametrize(
    "stand",
    [leave_linked, park, ignore, have_wait, exclude, have_unorganized, have_incomplete],
    ids=lambda one: one.__name__,
)


def assert_handed_over(world: World) -> None:
    """The item says what the heir says, nothing of the giver, and belongs to the heir alone."""
    key = key_of_second(world)
    assert (world.shown(key, "title"), world.tags(key, "genre")) == ("The Heir", ("New",))
    assert key in linked(world, HEIR)
    assert key not in linked(world, GIVER)
    assert world.run(RunOptions(full=True)).puts == 0


@STANDS
def test_the_next_run_gives_the_item_to_the_scene_that_has_the_file(
    world: World, stand: Callable[[World], None]
) -> None:
    """Both scenes are among those with several files, or were."""
    stand(world)
    give(world)
    world.run()
    assert_handed_over(world)


@STANDS
def test_a_scene_that_comes_later_gets_the_item_of_its_file(
    world: World, stand: Callable[[World], None]
) -> None:
    """The heir takes no part while the file changes hands, and moves no file when it does."""
    world.settings["STASH__EXCLUDE_TAGS"] = "private"
    own = world.stash.scene(HEIR).tag_ids
    private = world.stash.add_tag("Private")
    stand(world)
    world.stash.edit_scene(HEIR, tag_ids=(*own, private))
    world.run()
    give(world)
    world.run()
    assert key_of_second(world) not in linked(world, GIVER)
    world.stash.edit_scene(HEIR, tag_ids=own)
    world.run()
    assert_handed_over(world)


@STANDS
def test_a_giver_that_is_ignored_keeps_no_item_of_a_file_it_gave(
    world: World, stand: Callable[[World], None]
) -> None:
    """A person answers before a run saw that the file changed hands."""
    stand(world)
    give(world)
    ignore(world)
    assert_handed_over(world)


# ---- who waits for it ----------------------------------------------------------------------------


def delete(world: World) -> None:
    """Stash has the scene no more."""
    world.stash.delete_scene(2)


def have_other_file(world: World) -> None:
    """The scene has another video's file now."""
    file = world.stash.add_file("/data/other.mp4", size=55_555, duration=7.0, oshash=55_555)
    world.stash.edit_scene(2, file_ids=(file,))


@contextmanager
def waiting_for_one(directory: Path, *, scenes: int = 2) -> Iterator[World]:
    """Scene 1 waits for the item of scene 2, which a person gave to that one."""
    with low_world(directory, {Case.DUPLICATE: 1.0}, scenes=scenes, **LATE) as world:
        world.plex.remove_item(str(world.library.plex.videos[1].rating_key))
        world.run()
        with store_of(world) as answers:
            for waiting in waiting_in(world)[1:]:
                best = waiting.candidates[:1]
                answers.give([answers.answer_about(waiting, Verb.ACCEPT, best)])
        assert world.run().outcomes()["1"] == "unmatched"
        assert world.run().rows == ()
        yield world


@pytest.mark.parametrize(("let_go", "then"), [(delete, "applied"), (have_other_file, "review")])
def test_a_scene_that_waits_for_an_item_is_tried_once_that_is_free(
    tmp_path: Path, let_go: Callable[[World], None], then: str
) -> None:
    """In the run after, long before its time; a person has to look where one gave it away."""
    with waiting_for_one(tmp_path) as world:
        let_go(world)
        world.wait(hours=1 / 60)
        world.run()

        assert world.run().outcomes()["1"] == then
        assert world.run().rows == ()


def test_who_waits_for_a_freed_item_is_found_without_a_question(tmp_path: Path) -> None:
    """A run that only loses scenes asks Plex no more than one that has nothing to do."""
    with waiting_for_one(tmp_path) as world:
        quiet = world.run()
        delete(world)
        world.wait(hours=1 / 60)
        losing = world.run()

        assert losing.plex == quiet.plex
        assert world.run().outcomes()["1"] == "applied"


def test_who_waits_for_a_freed_item_is_tried_although_nothing_is_known_of_it(
    tmp_path: Path,
) -> None:
    """What was found for those that wait lies in the cache, which may be lost."""
    with waiting_for_one(tmp_path) as world:
        delete(world)
        for path in world.cache_dir.glob("review-*"):
            path.unlink()
        world.wait(hours=1 / 60)
        world.run()

        assert world.run().outcomes()["1"] == "applied"


def test_who_waits_for_a_freed_item_is_tried_although_the_run_was_cut_off(tmp_path: Path) -> None:
    """The scene that had it is forgotten by then, and no later run learns of it."""
    with waiting_for_one(tmp_path, scenes=4) as world:
        world.stash.edit_scenes((3, 4), title="Another Title")
        delete(world)
        world.wait(hours=1 / 60)
        world.plex_wire.faults.add(Fault("plex.put", 1, ErrorStatus(401), times=None))
        assert world.run().summary.exit_code == ExitCode.ACCESS
        world.plex_wire.faults.clear()

        assert world.run().outcomes()["1"] == "applied"
