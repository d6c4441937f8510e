"""A full run does not compare scenes once more that are just as they were found in step.

That it says and does the same all the same is the law of tests/property/test_in_step_machine.py.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec
import pytest

from plexsync.models import Outcome, SceneId
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.state import read_pieces, write_pieces
from plexsync.sync.ports import RunOptions
from tests.support.picture_world import choose_by_hand
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plexsync.models import Link
    from plexsync.simulators.http.messages import SimRequest
    from tests.support.world import Ran

SCENES = 8
FULL = RunOptions(full=True, force=True)
LOOK = RunOptions(full=True, force=True, dry_run=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two servers that were brought into step, and found so by a full run."""
    spec = LibrarySpec(seed=5, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        world.run()
        world.run(FULL)
        yield world


def key_of(world: World, at: int) -> str:
    """The item of a scene."""
    scene = world.stash.scene(world.stash.scenes.ids[at])
    return world.plex.key_of(world.plex_path(scene.file_ids[0]))


def detail_reads(ran: Ran) -> int:
    """Reads of items: one where all are in step, and one more for what is compared."""
    return ran.plex["plex.detail"]


def cache(world: World) -> Path:
    """Where the digests lie."""
    (path,) = world.cache_dir.glob("in-step-*")
    return path


def test_scenes_in_step_are_read_once_and_say_the_same(world: World) -> None:
    """Their rows have the titles of their items; the digests and the records stay."""
    before = cache(world).read_bytes()

    in_step = world.run(FULL)

    assert (detail_reads(in_step), in_step.puts) == (1, 0)
    assert cache(world).read_bytes() == before
    cache(world).unlink()
    slow = world.run(FULL)
    assert (in_step.rows, in_step.summary.counts) == (slow.rows, slow.summary.counts)
    assert cache(world).read_bytes() == before
    assert {row.outcome for row in in_step.rows} == {Outcome.UNCHANGED}


def edit_title(world: World) -> None:
    """A person types another title in Plex."""
    world.plex.edit_by_hand(key_of(world, 2), {"title": "Mine"})


def unlock(world: World) -> None:
    """A person takes the locks away."""
    world.plex.set_locks(key_of(world, 2), locked=())


def silent_edit(world: World) -> None:
    """A scene says something else, and its time does not move."""
    scene_id = world.stash.scenes.ids[2]
    world.stash.write_silently(scene_id, details="Other words")


@pytest.mark.parametrize("change", [edit_title, unlock, silent_edit])
def test_a_scene_is_compared_again_that_moved_on_either_side(
    world: World, change: Callable[[World], None]
) -> None:
    """The others are not."""
    change(world)

    ran = world.run(FULL)

    assert detail_reads(ran) == 2 + ran.puts  # in step; compared; each write is read back
    assert cache(world).exists()


def test_another_configuration_compares_everything(world: World) -> None:
    """What did not move is wanted otherwise."""
    world.settings |= {"FIELDS__TAGLINE": "overwrite", "FIELDS__TAGLINE__TEMPLATE": "{title}"}

    assert world.run(FULL).puts == SCENES


def test_every_section_of_the_configuration_decides(world: World) -> None:
    """Whichever key moves, and be it of a section that comes later, all is compared once more."""
    seen = [decides_in(world)]
    for name, value in {
        "STASH__MISSING_TIMESTAMP": "skip",
        "PLEX__SCAN": "true",
        "PATHS": "/data/=/media/,/other/=/media/",
        "MATCH__LEAST_LOW": "0.8",
        "APPLY__MAX_CHANGES": "400",
        "FIELDS__TITLE": "keep",
        "COLLECTIONS__TITLE": "{kind} {name}",
        "SHOWS__NAME": "The {studio}",
    }.items():
        world.settings[name] = value
        world.run(FULL)  # what is wanted otherwise is remembered first
        world.run(FULL)
        seen.append(decides_in(world))

    assert len(set(seen)) == len(seen)


def decides_in(world: World) -> str:
    """The digest of what decided when the digests were found."""
    head, *_ = read_pieces(cache(world))
    decides: str = msgspec.msgpack.decode(head)[0]
    return decides


def test_what_is_kept_is_shown_in_every_full_run(world: World) -> None:
    """A title typed by hand is no reason to call a scene in step."""
    edit_title(world)

    ran = [world.run(FULL) for _ in range(3)]

    assert [(one.count(Outcome.KEPT), one.summary.counts.by_hand) for one in ran] == [(1, 1)] * 3


def test_a_name_spelled_otherwise_is_warned_of_in_every_full_run(world: World) -> None:
    """Though nothing is written for it."""
    tag = world.stash.scene(world.stash.scenes.ids[2]).tag_ids[0]
    world.stash.edit_tag(tag, name=world.stash.tags[tag].name.swapcase())

    first, second, third = (world.run(FULL).warnings for _ in range(3))

    assert any("spelling" in one for one in first)
    assert first == second == third


def test_a_blank_new_scene_is_named_in_every_full_run(world: World) -> None:
    """What an earlier scene gave to its item waits for what the new one will say."""
    file_ids = world.stash.scene(3).file_ids
    world.stash.delete_scene(3)
    blank = str(world.stash.create_scene(file_ids=file_ids))
    world.wait(hours=1)

    reasons = [world.run(FULL).row(blank).reason for _ in range(4)]

    assert all("blank and new in Stash" in reason for reason in reasons), reasons


@pytest.mark.parametrize("runs", [1, 2])
def test_an_older_state_is_compared_again(world: World, runs: int) -> None:
    """A backup brought back knows of an older version, and is brought up to date once more."""
    scene_id = world.stash.scenes.ids[2]
    world.stash.edit_scene(scene_id)  # its time brings a zone: no further text comes with the next
    world.wait(1)
    world.run(FULL)
    older = {path: path.read_bytes() for path in world.state_dir.rglob("*") if path.is_file()}
    world.stash.edit_scene(scene_id)
    world.wait(1)
    for _ in range(runs):
        world.run(FULL)
    newer = world.state().get(SceneId(str(scene_id)))

    shutil.rmtree(world.state_dir / "journal")
    for path, content in older.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    world.run(FULL)

    assert world.state().get(SceneId(str(scene_id))) == newer


def test_a_tag_renamed_to_and_fro_meanwhile_is_unknown(world: World) -> None:
    """The scene shows what it showed, the dictionary another name: the next run looks again."""
    tag = world.stash.scene(world.stash.scenes.ids[2]).tag_ids[0]
    name = world.stash.tags[tag].name
    world.stash.edit_tag(tag, name="Another")

    def back(request: SimRequest) -> bool:
        if b"Sweep" in request.body:
            world.stash.edit_tag(tag, name=name)
        return False

    world.stash_wire.faults.add(Fault("stash.graphql", 1, ErrorStatus(500), None, back))
    world.run(FULL)
    world.stash_wire.faults.clear()
    world.stash.edit_tag(tag, name="Another")

    assert (
        "Another"
        in {name for at in range(SCENES) for name in world.tags(key_of(world, at), "genre")}
        or world.run().puts
    )


def test_what_an_undo_holds_back_is_let_go_when_asked(world: World) -> None:
    """Also where the field is off by then, so that nothing else is to do."""
    world.stash.edit_scene(world.stash.scenes.ids[2], title="Another")
    world.wait(1)
    world.run()
    world.undo()
    world.settings["FIELDS__TITLE"] = "off"
    for _ in range(2):
        world.wait(24 * 8)
        world.run()
    assert any(link.held for link in links(world))

    world.run(FULL)

    assert not any(link.held for link in links(world))


def test_a_poster_that_a_person_chose_is_replaced_when_stash_takes_over(world: World) -> None:
    """Until then nothing is to do about it, and nothing to say."""
    world.settings["FIELDS__POSTER"] = "keep"
    world.run(FULL)
    choose_by_hand(world, str(world.stash.scenes.ids[2]))
    for _ in range(3):
        world.run(FULL)

    ran = world.run(RunOptions(full=True, force=True, take_over=True))

    assert ran.count(Outcome.APPLIED) == 1


def links(world: World) -> list[Link]:
    """What is remembered of all items."""
    state = world.state()
    records = filter(None, map(state.get, state.scene_ids()))
    return [link for record in records for link in record.links]


@pytest.mark.parametrize("content", [b"", b"nothing of ours", None])
def test_lost_or_damaged_digests_compare_everything(world: World, content: bytes | None) -> None:
    """They come back."""
    path = cache(world)
    kept = path.read_bytes()
    if content is None:
        path.write_bytes(kept[:-9] + bytes([kept[-9] ^ 1]) + kept[-8:])
    else:
        path.write_bytes(content)

    assert world.run(FULL).count(Outcome.UNCHANGED) == SCENES
    assert path.read_bytes() == kept


def test_a_cache_that_takes_no_digests_is_warned_of(world: World) -> None:
    """Nothing else comes of it."""
    path = cache(world)
    path.unlink()
    path.mkdir()

    ran = world.run(FULL)

    assert [one for one in ran.warnings if "in step cannot be kept" in one] == list(ran.warnings)
    assert (len(ran.warnings), ran.count(Outcome.UNCHANGED)) == (1, SCENES)


def test_digests_of_rows_with_other_numbers_compare_everything(world: World) -> None:
    """What the numbers in a row stand for is part of what it says."""
    path = cache(world)
    kept = path.read_bytes()
    head, *digests = read_pieces(path)
    decides, (length, texts) = msgspec.msgpack.decode(head)
    other = (decides, (length, texts[::-1]))
    write_pieces(path, [msgspec.msgpack.encode(other), *digests])

    world.run(FULL)

    assert path.read_bytes() == kept


def test_only_a_full_run_of_all_scenes_learns(world: World) -> None:
    """Another one does not look at every picture, or at every scene."""
    before = cache(world).read_bytes()
    world.stash.edit_scene(world.stash.scenes.ids[2])
    world.wait(1)

    world.run(RunOptions(full=True, force=True, limit=1))
    world.run()

    assert cache(world).read_bytes() == before


def test_a_dry_run_knows_what_is_in_step_and_learns_nothing(world: World) -> None:
    """It writes no digests."""
    before = cache(world).read_bytes()
    assert detail_reads(world.run(LOOK)) == 1
    unlock(world)

    world.run(LOOK)

    assert cache(world).read_bytes() == before
