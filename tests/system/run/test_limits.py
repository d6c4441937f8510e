"""Safety limits as a person meets them: the words, the exit code, and that nothing was written.

Each run is a process of its own, over real HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from plexsync.errors import ExitCode
from plexsync.models import Counts, Outcome, SceneId
from plexsync.planning.retry_schedule import iso
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.simulators.stash.simulator import StashSimulator
from plexsync.state import RunKind
from plexsync.storage.journal import End
from plexsync.storage.session import open_session
from plexsync.sync.ports import RunOptions
from tests.support.terminals import ProcessResult, plain, run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.models import SceneRecord

SCENES = 50


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[World]:
    """Fifty plain scenes after a first run: enough for a share to mean something."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    settings = {"PATHS": "/data/=/media/", "FIELDS__TAGS": "overwrite", "APPLY__EMPTY": "clear"}
    with World(make_library(spec), tmp_path, **settings) as world:
        assert world.run(APPLY__EMPTY="keep").summary.exit_code == ExitCode.OK
        yield world


def command(world: World, *arguments: str, **settings: str) -> ProcessResult:
    """`plexsync run` as cron starts it."""
    return run_plexsync(["run", *arguments], world.environ(**settings))


def wrong_database(world: World) -> None:
    """Stash comes up without its scenes, as from a volume that was not mounted."""
    spec = LibrarySpec(seed=3, scenes=0, mix={Case.SAME: 1.0})
    world.stash_wire.simulator = StashSimulator(
        make_library(spec), api_key="stash-key", clock=lambda: world.now
    )


def edit(world: World, scenes: range | list[int], **fields: object) -> None:
    """Somebody edits scenes, later than whatever came before, and is done with it for a minute."""
    world.wait(hours=1)
    world.stash.edit_scenes(scenes, **fields)
    world.wait(hours=1 / 60)


def rewrite(world: World, scene_id: str, record: SceneRecord) -> None:
    """Have the state remember something else of a scene."""
    with open_session(world.state_dir, now=world.now) as session:
        session.begin(
            run_id=f"{world.now:%Y%m%dT%H%M%SZ}-dead",
            kind=RunKind.RETRY,
            started_at=iso(world.now),
            lineage=session.state.lineage,
            version="0",
        )
        session.remember(SceneId(scene_id), record)
        session.end(world.now, End(exit_code=0, counts=Counts()))


def shorten(world: World, count: int) -> list[int]:
    """Somebody takes the first tag of so many scenes away, which have others left."""
    several = [scene for scene in world.library.stash.scenes if len(scene.tag_ids) > 1][:count]
    world.wait(hours=1)
    for scene in several:
        world.stash.edit_scene(scene.id, tag_ids=scene.tag_ids[1:])
    world.wait(hours=1 / 60)
    assert len(several) == count
    return [scene.id for scene in several]


def genres(world: World) -> dict[str, tuple[str, ...]]:
    """The tags of every item."""
    return {key: world.tags(key, "genre") for key in world.plex.rating_keys()}


def test_what_only_adds_is_never_limited(synced: World) -> None:
    """A tag more, a rating, another title where ours was: on every item, and the limit is one."""
    tag = synced.stash.add_tag("Brand New")
    for scene in synced.library.stash.scenes:
        synced.stash.edit_scene(scene.id, tag_ids=(*scene.tag_ids, tag), title="Another")
    synced.stash.edit_scenes(range(1, SCENES + 1), rating100=80)
    ran = synced.run(APPLY__MAX_CHANGES="1", APPLY__MAX_CLEARS="1", FIELDS__RATING="overwrite")
    assert ran.summary.exit_code == ExitCode.OK
    assert ran.count(Outcome.APPLIED) == SCENES


def test_too_many_losses_are_held_back_and_the_rest_goes_through(synced: World) -> None:
    """Exit 6 with count, limit, names and both ways out; other scenes are written."""
    losing = {str(one) for one in shorten(synced, 11)}
    other = next(s.id for s in synced.library.stash.scenes if str(s.id) not in losing)
    edit(synced, [other], title="Another Title")
    before = genres(synced)
    ran = synced.run(RunOptions(max_changes=10))
    assert ran.summary.exit_code == ExitCode.UNSAFE
    assert ran.summary.error is not None
    message = ran.summary.error.message
    assert f"11 of {SCENES} items synced before would lose something; the limit is 10" in message
    assert "held back: " in message
    assert "and 6 more" in message
    assert genres(synced) == before
    assert synced.shown(synced.key_of(str(other)), "title") == "Another Title"
    held = [row for row in ran.rows if row.outcome is Outcome.SKIPPED]
    assert {row.scene.id for row in held} == losing
    assert all(row.reason.endswith("held back by the limit max_changes") for row in held)
    assert all(row.changes for row in held)


def test_the_look_a_hint_names_shows_what_is_held_back(synced: World) -> None:
    """In a terminal; what is held back is neither nothing to change nor lost."""
    edit(synced, range(1, 12), tag_ids=())
    held = run_plexsync(
        ["run", "-v", "--max-changes", "10"], synced.environ(), terminals=("stdout",), width=200
    )
    assert held.code == ExitCode.UNSAFE
    assert " matches, 11 held back by a safety limit" in plain(held.out)
    assert plain(held.out).count("held back by the limit max_changes") == 11
    assert "lose all tags" not in held.out
    assert "look with 'plexsync run -n --force'" in held.err
    look = run_plexsync(["run", "-n", "--force"], synced.environ(), terminals=("stdout",))
    assert "HIGH: 11 matches would be written" in plain(look.out)
    assert "11 items lose all tags." in plain(look.out)


def test_what_was_held_back_is_held_back_alone(synced: World) -> None:
    """The next run comes to it again, and to nothing else; both ways out let it through."""
    losing = {str(one) for one in shorten(synced, 11)}
    assert synced.run(APPLY__MAX_CHANGES="10").summary.exit_code == ExitCode.UNSAFE
    again = synced.run(APPLY__MAX_CHANGES="10")
    assert again.summary.exit_code == ExitCode.UNSAFE
    assert {row.scene.id for row in again.rows} == losing
    printed = command(synced, "--max-changes", "10")
    assert printed.code == ExitCode.UNSAFE
    assert "once with 'plexsync run --force', or raise [apply] max_changes for good" in printed.err
    assert synced.run(APPLY__MAX_CHANGES="11").count(Outcome.APPLIED) == 11
    assert synced.run(APPLY__MAX_CHANGES="10").summary.exit_code == ExitCode.OK


def test_force_passes_the_limits_once(synced: World) -> None:
    """What was held back is written."""
    shorten(synced, 11)
    assert synced.run(RunOptions(max_changes=10)).count(Outcome.SKIPPED) == 11
    assert synced.run(RunOptions(max_changes=10, force=True)).count(Outcome.APPLIED) == 11


def test_too_large_a_share_says_so(synced: World) -> None:
    """Sixteen of fifty are more than 30 per cent, fifteen are not."""
    shorten(synced, 16)
    printed = command(synced)
    assert printed.code == ExitCode.UNSAFE
    assert f"16 of {SCENES} items synced before would lose something" in printed.err
    assert "the limit is 30% of them" in printed.err
    assert "or raise [apply] max_share for good" in printed.err
    assert synced.run(APPLY__MAX_SHARE="0.32").summary.exit_code == ExitCode.OK


def test_values_that_would_go_count_apart(synced: World) -> None:
    """Five scenes that lose all tags pass the limit of changes and not that of clearing."""
    tagged = [scene.id for scene in synced.library.stash.scenes if scene.tag_ids][:5]
    shortened = shorten(synced, 9)[5:]
    edit(synced, tagged, tag_ids=())
    before = genres(synced)
    printed = command(synced, "-n", APPLY__MAX_CLEARS="4")
    assert printed.code == ExitCode.UNSAFE
    lose = f"5 of {SCENES} items synced before would lose a value for good"
    assert f"{lose}; the limit is 4" in printed.err
    assert "once with 'plexsync run --force', or raise [apply] max_clears for good" in printed.err
    assert genres(synced) == before
    ran = synced.run(APPLY__MAX_CLEARS="4")
    assert ran.count(Outcome.SKIPPED) == 5
    assert {row.scene.id for row in ran.rows if row.outcome is Outcome.APPLIED} == set(
        map(str, set(shortened) - set(tagged))
    )
    assert synced.run(APPLY__MAX_CLEARS="5").summary.exit_code == ExitCode.OK


def test_a_dry_run_holds_back_what_a_run_does(synced: World) -> None:
    """The same rows with the same words and changes; nothing is remembered."""
    shorten(synced, 11)
    dry = synced.run(RunOptions(dry_run=True, max_changes=10))
    real = synced.run(RunOptions(max_changes=10))
    words = [[(r.scene.id, r.reason, r.changes) for r in ran.rows] for ran in (dry, real)]
    assert sorted(words[0], key=str) == sorted(words[1], key=str)
    assert dry.summary.exit_code == real.summary.exit_code == ExitCode.UNSAFE


def test_an_empty_stash_stops_the_run_and_nothing_is_forgotten(synced: World) -> None:
    """Exit 6 with both ways out; once its scenes are back there is nothing to do."""
    whole = synced.stash_wire.simulator
    wrong_database(synced)
    before = synced.plex.dump(clocks=True)
    dry = synced.run(RunOptions(dry_run=True))
    assert dry.summary.exit_code == ExitCode.UNSAFE
    done = command(synced)
    assert done.code == ExitCode.UNSAFE
    lost = f"{SCENES} of {SCENES} scenes known from earlier runs are gone from Stash"
    assert f"{lost}; the limit is 30% of them" in done.err
    assert "once with 'plexsync run --force', or raise [apply] max_share for good" in done.err
    synced.stash_wire.simulator = whole
    back = synced.run(RunOptions(full=True))
    assert back.count(Outcome.UNCHANGED) == SCENES
    assert all("linked in an earlier run" in row.reason for row in back.rows)
    assert synced.plex.dump(clocks=True) == before


@pytest.mark.parametrize("force", [True, False], ids=["once", "for good"])
def test_scenes_that_are_meant_to_be_gone_are_forgotten(
    synced: World,
    force: bool,
) -> None:
    """Once by force, or for good by a limit that lets them go; Plex keeps what it holds."""
    for number in range(1, 17):
        synced.stash.delete_scene(number)
    before = synced.plex.dump(clocks=True)
    refused = synced.run().summary
    assert refused.exit_code == ExitCode.UNSAFE
    assert refused.error is not None
    assert f"16 of {SCENES} scenes known from earlier runs" in refused.error.message
    assert len(synced.state().scene_ids()) == SCENES
    passed = synced.run(RunOptions(force=force), APPLY__MAX_SHARE="0.3" if force else "1")
    assert passed.summary.exit_code == ExitCode.OK
    assert len(synced.state().scene_ids()) == SCENES - 16
    assert synced.plex.dump(clocks=True) == before


def test_scenes_that_got_other_ids_are_not_gone(tmp_path: Path) -> None:
    """A Stash that was imported again knows most of them by other numbers; their files tell."""
    spec = LibrarySpec(seed=3, scenes=80, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        for number in range(1, 31):
            world.stash.delete_scene(number)
        assert world.run().count(Outcome.APPLIED) == 50
        world.stash.full_import()
        world.wait(hours=1)
        ran = world.run()
        assert ran.summary.exit_code == ExitCode.OK
        assert ran.puts == 0
        assert {int(one) for one in world.state().scene_ids()} == set(range(1, 51))


def test_an_item_merged_into_another_is_named_and_its_link_dropped(tmp_path: Path) -> None:
    """Its row says where the file went, not that the run ended; the next run has no such link."""
    spec = LibrarySpec(seed=3, scenes=1, mix={Case.TWO_ITEMS: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        first, second = sorted(row.item.rating_key for row in world.run().rows if row.item)
        world.plex.merge(first, second)
        ran = world.run(RunOptions(full=True))
        (row,) = [row for row in ran.rows if row.item and row.item.rating_key == second]
        assert row.outcome is Outcome.SKIPPED
        assert f"item {second}: the item is not in Plex any more" in row.reason
        assert f"its file is in item {first} now (merged)" in row.reason
        assert "ended before its turn" not in row.reason
        record = world.state().get(row.scene.id)
        assert record is not None
        assert [link.rating_key for link in record.links] == [first]
        assert world.run(RunOptions(full=True)).rows[0].outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("losing", [("first", "second"), ("first",), ("second",)])
def test_a_scene_that_is_held_back_keeps_all_of_its_items(
    losing: tuple[str, ...], tmp_path: Path
) -> None:
    """One item may be held back and another written: the scene goes on having both."""
    mix = {Case.TWO_ITEMS: 1.0}
    library = make_library(LibrarySpec(seed=3, scenes=3, mix=mix, extra_items=0.0, edited=0.0))
    with World(library, tmp_path, PATHS="/data/=/media/") as world:
        world.run()
        items = [
            dict(zip(("first", "second"), keys, strict=True)) for keys in library.truth.values()
        ]
        for keys in items:
            for name in keys.keys() - losing:
                world.plex.edit_by_hand(keys[name], {"summary": ""}, lock=False)
        edit(world, range(1, 4), title="Another Title", details="")
        assert world.run(RunOptions(max_changes=1)).summary.exit_code == ExitCode.UNSAFE
        for keys in items:
            written = {
                name for name, key in keys.items() if world.shown(key, "title") == "Another Title"
            }
            assert written == keys.keys() - losing
        world.run(RunOptions(force=True))
        for keys in items:
            assert [world.shown(key, "title") for key in keys.values()] == ["Another Title"] * 2
            assert [world.shown(key, "summary") for key in keys.values()] == ["", ""]
        assert world.run().rows == ()


@pytest.mark.parametrize("details", ["", "Another text"])
def test_a_scene_that_gets_a_further_item_keeps_the_one_it_has(
    details: str, tmp_path: Path
) -> None:
    """Where so much is due that losses are counted, what is new to a scene is not all it has."""
    mix = {Case.TWO_ITEMS: 1.0}
    library = make_library(LibrarySpec(seed=3, scenes=3, mix=mix, extra_items=0.0, edited=0.0))
    videos = {str(one.rating_key): one for one in library.plex.videos}
    later = [keys[1] for keys in library.truth.values()]
    with World(library, tmp_path, PATHS="/data/=/media/") as world:
        for key in later:
            world.plex.remove_item(key)
        world.run()
        for key in later:
            world.plex.scan_in(videos[key])
        world.rescan()
        edit(world, range(1, 4), details=details)
        held = world.run(RunOptions(max_changes=1)).summary.exit_code
        assert held == (ExitCode.OK if details else ExitCode.UNSAFE)
        for scene_id, keys in library.truth.items():
            record = world.state().get(SceneId(scene_id))
            assert record is not None
            assert {link.rating_key for link in record.links} == set(keys)


@pytest.mark.parametrize("case", [Case.TWO_ITEMS, Case.SAME], ids=["two files", "one file twice"])
def test_a_full_run_finds_the_items_a_record_lost(case: Case, tmp_path: Path) -> None:
    """An earlier version remembered only the last item of a scene; nothing tells of the others."""
    library = make_library(
        LibrarySpec(seed=3, scenes=3, mix={case: 1.0}, extra_items=0.0, edited=0.0)
    )
    with World(library, tmp_path, PATHS="/data/=/media/") as world:
        if case is Case.SAME:
            world.plex.scan_in(world.video_of(world.stash.scene(1).file_ids[0]))
        world.run()
        world.wait(hours=1)
        world.run()
        record = world.state().get(SceneId("1"))
        assert record is not None
        assert len(record.links) == 2
        rewrite(world, "1", replace(record, links=record.links[:1]))
        edit(world, [1], title="Another Title")
        world.run()
        lost = record.links[1].rating_key
        assert world.shown(lost, "title") != "Another Title"
        world.run(RunOptions(full=True))
        assert world.shown(lost, "title") == "Another Title"
        assert world.run(RunOptions(full=True)).puts == 0
