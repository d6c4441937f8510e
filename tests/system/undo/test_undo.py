"""`plexsync undo` against both simulators over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.output.summary import next_steps
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.history import read_history
from plexsync.storage.journal import RunKind
from plexsync.sync.ports import RunOptions
from tests.support.world import World, edited_keys, scene_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.plex.build import Snapshot

FULL = RunOptions(full=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Twelve plain scenes, nothing synced yet."""
    spec = LibrarySpec(seed=3, scenes=12, mix={Case.SAME: 1.0}, extra_items=0.1, edited=0.3)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        yield made


@pytest.fixture
def synced(world: World) -> World:
    """The same after a first run."""
    assert world.run().count(Outcome.APPLIED) == 12
    return world


def comparable(snapshot: Snapshot) -> dict[str, object]:
    """Everything an edit can change; the order of tags means nothing to Plex."""
    return {
        key: (
            item["fields"],
            {kind: sorted(tags) for kind, tags in item["tags"].items()},
            item["locks"],
        )
        for key, item in snapshot.items()
    }


# ---- everything goes back ------------------------------------------------------------------------


def test_undo_of_a_first_run_leaves_plex_as_it_was(world: World) -> None:
    """Field for field, lock for lock."""
    before = comparable(world.plex.dump())
    ran = world.run()
    after = comparable(world.plex.dump())
    undone = world.undo(ran.summary.header.run_id)
    assert undone.summary.exit_code == ExitCode.OK
    assert undone.count(Outcome.APPLIED) == ran.count(Outcome.APPLIED)
    assert comparable(world.plex.dump()) == before
    assert before != after
    again = world.undo(undone.summary.header.run_id)
    assert again.summary.exit_code == ExitCode.OK
    assert comparable(world.plex.dump()) == after


@pytest.mark.parametrize("undone", [(1,), (2, 1), (1, 2)])
def test_a_name_a_person_took_out_stays_out_after_an_undo_and_a_full_run(
    world: World, undone: tuple[int, ...]
) -> None:
    """What the undos took back is written again, once a person asks for it, and nothing else."""
    key = world.key_of("7")
    one, two, three = (world.stash.add_tag(name) for name in ("One", "Two", "Three"))
    world.stash.edit_scene(7, tag_ids=(one, two))
    runs = {1: world.run()}
    world.plex.edit_by_hand(key, {"genre": ("Two",)})
    world.stash.edit_scene(7, tag_ids=(one, two, three))
    runs[2] = world.run()
    assert set(world.tags(key, "genre")) == {"Two", "Three"}
    for number in undone:
        world.undo(runs[number].summary.header.run_id)
    assert "Two" not in world.tags(key, "genre")

    world.run(FULL)

    assert set(world.tags(key, "genre")) == {"Two", "Three"}
    assert world.run(FULL).puts == 0


@pytest.mark.parametrize("policy", ["overwrite", "merge"])
@pytest.mark.parametrize("forth", [False, True])
def test_a_name_a_person_took_out_does_not_come_back_when_an_undo_is_repeated(
    world: World, policy: str, *, forth: bool
) -> None:
    """It was brought back and is not there any more: an undo of a run, and one of an undo."""
    key = world.key_of("7")
    world.settings["FIELDS__TAGS"] = policy
    one, two, three = (world.stash.add_tag(name) for name in ("One", "Two", "Three"))
    world.stash.edit_scene(7, tag_ids=(one, two, three))
    undone = world.run().summary.header.run_id
    if forth:
        undone = world.undo(undone, scenes=scene_ids(7)).summary.header.run_id
    else:
        world.stash.edit_scene(7, tag_ids=(one,))
        undone = world.run().summary.header.run_id
    world.undo(undone)
    assert set(world.tags(key, "genre")) >= {"One", "Two", "Three"}
    world.plex.edit_by_hand(key, {"genre": ("One", "Two")})

    world.undo(undone)

    assert set(world.tags(key, "genre")) == {"One", "Two"}


@pytest.mark.parametrize("then", ["more", "fewer"])
@pytest.mark.parametrize("policy", ["overwrite", "keep", "merge"])
def test_a_list_that_only_runs_changed_stays_ours_after_an_undo(
    world: World, policy: str, then: str
) -> None:
    """The undo of an earlier run leaves what a later one added, and nobody typed that."""
    key = world.key_of("7")
    world.settings["FIELDS__TAGS"] = policy
    tags = tuple(world.stash.add_tag(name) for name in ("Lake", "Sea"))
    world.stash.edit_scene(7, tag_ids=tags)
    first = world.run().summary.header.run_id
    later = (*tags, world.stash.add_tag("Bay")) if then == "more" else tags[:1]
    world.stash.edit_scene(7, tag_ids=later)
    world.run()
    shown = world.tags(key, "genre")

    assert world.undo(first, scenes=scene_ids(7)).summary.exit_code == ExitCode.OK

    assert set(world.tags(key, "genre")) == set(shown) - {"Lake", "Sea"}
    assert world.run().puts == 0
    assert world.run(FULL).row("7").by_hand == ()
    assert set(world.tags(key, "genre")) == set(shown)
    world.stash.edit_scene(7, tag_ids=(world.stash.add_tag("Hill"),))
    world.run()
    assert "Hill" in world.tags(key, "genre")
    assert not set(world.tags(key, "genre")) & {"Lake", "Sea", "Bay"}


def test_undo_of_a_later_run_leaves_the_earlier_one(synced: World) -> None:
    """Only what that run wrote goes back."""
    before = comparable(synced.plex.dump())
    synced.stash.edit_scene(7, title="Another Title", tag_ids=())
    synced.stash.edit_scene(8, details="Another text")
    assert synced.run().count(Outcome.APPLIED) == 2
    undone = synced.undo()
    assert undone.puts == 2
    assert comparable(synced.plex.dump()) == before


def test_a_dry_run_of_an_undo_writes_nothing_anywhere(synced: World) -> None:
    """It shows what would go back."""
    files = {p: p.read_bytes() for p in sorted(synced.state_dir.rglob("*")) if p.is_file()}
    before = synced.plex.dump(clocks=True)
    shown = synced.undo(dry_run=True)
    assert shown.count(Outcome.PLANNED) == 12
    assert shown.puts == 0
    assert shown.preview is not None
    assert all(row.changes for row in shown.preview.high)
    assert {p: p.read_bytes() for p in sorted(synced.state_dir.rglob("*")) if p.is_file()} == files
    assert synced.plex.dump(clocks=True) == before


def test_undo_asks_stash_nothing(synced: World) -> None:
    """A Stash that is gone does not stand in the way."""
    undone = synced.undo()
    assert undone.stash == {}
    assert undone.summary.requests.plex_writes == 12


# ---- part of it ----------------------------------------------------------------------------------


def test_undo_of_one_scene_leaves_the_others(synced: World) -> None:
    """`--scene` narrows it down."""
    before = synced.plex.dump()
    undone = synced.undo(scenes=scene_ids(7))
    assert undone.outcomes() == {"7": "applied"}
    after = synced.plex.dump()
    assert {key for key in before if before[key] != after[key]} == {synced.key_of("7")}


def test_undo_of_one_field_leaves_the_others(synced: World) -> None:
    """`--field` narrows it down, by the name in the configuration."""
    key = synced.key_of("7")
    title = synced.shown(key, "title")
    assert synced.tags(key, "genre")
    undone = synced.undo(scenes=scene_ids(7), fields=("tags",))
    assert undone.puts == 1
    assert synced.shown(key, "title") == title
    assert not synced.tags(key, "genre")


@pytest.mark.parametrize(
    ("target", "fields"), [("20200101T000000Z-abcd", ()), ("../state", ()), ("last", ("nothing",))]
)
def test_what_is_not_known_is_an_error_of_usage(
    synced: World, target: str, fields: tuple[str, ...]
) -> None:
    """Exit 2, and nothing is asked of Plex."""
    undone = synced.undo(target, fields=fields)
    assert undone.summary.exit_code == ExitCode.USAGE
    assert undone.plex == {}


# ---- where somebody was faster -------------------------------------------------------------------


def test_what_a_person_changed_since_is_kept_and_named(synced: World) -> None:
    """Their value and their lock stay; the other fields go back."""
    key = synced.key_of("7")
    synced.plex.edit_by_hand(key, {"title": "By Hand"})
    undone = synced.undo(scenes=scene_ids(7))
    assert undone.outcomes() == {"7": "applied"}
    assert "title" in undone.row("7").reason
    assert synced.shown(key, "title") == "By Hand"
    assert "title" in synced.plex.dump()[key]["locks"]
    assert not synced.tags(key, "genre")


def test_names_a_person_added_since_stay_when_ours_go(synced: World) -> None:
    """A list is taken back name by name."""
    key = synced.key_of("7")
    ours = synced.tags(key, "genre")
    synced.plex.edit_by_hand(key, {"genre": (*ours[1:], "By Hand")})
    synced.undo(scenes=scene_ids(7))
    assert synced.tags(key, "genre") == ("By Hand",)
    synced.run(RunOptions(scenes=scene_ids(7)))
    synced.stash.edit_scene(7, tag_ids=())
    synced.run()
    assert synced.tags(key, "genre") == ("By Hand",), "it was never ours"


def test_a_name_added_to_all_of_ours_stays_alone(synced: World) -> None:
    """Ours go although each of them is still there, theirs stays, and so does their lock."""
    key = synced.key_of("7")
    synced.plex.edit_by_hand(key, {"genre": (*synced.tags(key, "genre"), "By Hand")})
    synced.undo(scenes=scene_ids(7))
    assert synced.tags(key, "genre") == ("By Hand",)
    assert "genre" in synced.plex.dump()[key]["locks"]


def test_a_target_that_is_stale_as_a_whole_ends_with_7(synced: World) -> None:
    """Nothing can be put back: Plex holds other values in everything that was written."""
    synced.stash.edit_scene(7, title="Another Title")
    synced.run()
    synced.plex.edit_by_hand(synced.key_of("7"), {"title": "By Hand"})
    undone = synced.undo()
    assert undone.summary.exit_code == ExitCode.STALE
    assert undone.outcomes() == {"7": "kept"}
    assert undone.puts == 0


def test_an_item_that_holds_another_file_is_left_alone(synced: World) -> None:
    """A rating key is no identity."""
    key = synced.key_of("7")
    synced.exchange_file(key, "/media/somebody/else.mp4")
    before = synced.plex.dump()[key]
    undone = synced.undo()
    assert undone.row("7").outcome is Outcome.SKIPPED
    assert synced.plex.dump()[key] == before
    assert undone.count(Outcome.APPLIED) == 11


def test_an_undo_repeated_finds_nothing_to_do(synced: World) -> None:
    """`last` names the same run again, and all of it is as before already."""
    synced.undo()
    again = synced.undo()
    assert again.preview is not None
    assert again.preview.headline.endswith(": nothing is left to take back")
    assert again.summary.exit_code == ExitCode.OK
    assert again.puts == 0
    assert again.count(Outcome.UNCHANGED) == 12


# ---- afterwards ----------------------------------------------------------------------------------


def test_what_was_taken_back_is_not_written_again_by_itself(synced: World) -> None:
    """Not by the next run, nor by a full one that comes by itself, nor when a cover is made."""
    synced.undo()
    before = comparable(synced.plex.dump())
    assert synced.run().puts == 0
    synced.stash.generate_covers()
    assert synced.run().puts == 0
    synced.wait(hours=24 * 8)
    weekly = synced.run()
    assert weekly.summary.header.full is True
    assert weekly.puts == 0
    assert weekly.count(Outcome.KEPT) == 12
    assert comparable(synced.plex.dump()) == before


def test_a_field_that_stash_changes_is_written_again_alone(synced: World) -> None:
    """The others of the scene stay as the undo left them."""
    key = synced.key_of("7")
    synced.undo()
    synced.stash.edit_scene(7, title="Another Title")
    ran = synced.run()
    assert ran.outcomes() == {"7": "applied"}
    assert synced.shown(key, "title") == "Another Title"
    assert not synced.tags(key, "genre")
    assert synced.run().puts == 0


def test_a_run_says_how_to_write_again_what_was_taken_back(synced: World) -> None:
    """With a command for the first of them, which does just that; then there is one less."""
    synced.undo(scenes=scene_ids(7, 8))
    note = "2 items stay as an undo left them until Stash says something else."
    for left in (2, 1, 0):
        synced.wait(hours=24 * 8)
        notes = next_steps(synced.run().summary)
        codes = [code for one in notes if "undo" in one.text for code in one.code]
        assert any(one.text.startswith(note) for one in notes) is (left == 2)
        assert len(codes) == bool(left)
        for code in codes:
            scene = code.removeprefix("plexsync run --scene ")
            assert synced.run(RunOptions(scenes=scene_ids(scene))).outcomes() == {scene: "applied"}


@pytest.mark.parametrize("options", [FULL, RunOptions(scenes=scene_ids(*range(1, 13)))])
def test_whoever_asks_gets_it_written_again(synced: World, options: RunOptions) -> None:
    """`--full` and `--scene` are a person's word."""
    after = comparable(synced.plex.dump())
    synced.undo()
    assert synced.run(options).count(Outcome.APPLIED) == 12
    assert comparable(synced.plex.dump()) == after


def test_values_put_back_are_not_taken_for_ours(synced: World) -> None:
    """Under preserve_plex_edits what was there before us is somebody's word again."""
    key = synced.key_of("7")
    synced.undo()
    synced.plex.edit_by_hand(key, {"title": synced.shown(key, "title")})
    synced.stash.edit_scene(7, title="Another Title")
    ran = synced.run(APPLY__PRESERVE_PLEX_EDITS="true")
    assert ran.outcomes() == dict.fromkeys(ran.outcomes(), "kept") | {"7": "kept"}
    assert synced.shown(key, "title") != "Another Title"


def test_values_of_an_earlier_run_are_ours_again(synced: World) -> None:
    """What the first run wrote and the undo put back may be changed like before."""
    synced.stash.edit_scene(7, title="Second", tag_ids=())
    synced.run()
    synced.undo()
    synced.stash.edit_scene(7, title="Third")
    ran = synced.run(APPLY__PRESERVE_PLEX_EDITS="true")
    assert ran.row("7").outcome is Outcome.APPLIED
    assert synced.shown(synced.key_of("7"), "title") == "Third"


def test_undo_is_in_the_history(synced: World) -> None:
    """As a run of its own kind, with what it wrote."""
    synced.undo()
    newest, first = read_history(synced.state_dir)
    assert (newest.kind, newest.written, newest.exit_code) == (RunKind.UNDO, 12, 0)
    assert first.kind is RunKind.RUN


# ---- faults --------------------------------------------------------------------------------------


def test_a_plex_that_dies_mid_undo_loses_nothing(world: World) -> None:
    """Exit 4; the same command again ends the work."""
    before = comparable(world.plex.dump())
    world.run()
    world.plex_wire.faults.add(Fault("plex.put", 5, ErrorStatus(503), None))
    assert world.undo().summary.exit_code in {ExitCode.SERVER, ExitCode.SOME_FAILED}
    world.plex_wire.faults.clear()
    assert world.undo().summary.exit_code == ExitCode.OK
    assert comparable(world.plex.dump()) == before
    assert world.run().puts == 0


def test_an_undo_that_cannot_read_the_libraries_never_began(synced: World) -> None:
    """Exit 4, and the history knows nothing of it: it wrote nothing."""
    synced.plex_wire.faults.add(Fault("plex.sections", 1, ErrorStatus(503), None))
    assert synced.undo().summary.exit_code == ExitCode.SERVER
    (only,) = read_history(synced.state_dir)
    assert only.kind is RunKind.RUN


def test_a_reply_lost_after_the_undo_counts_as_done(synced: World) -> None:
    """Reading decides, not the reply."""
    synced.plex_wire.faults.add(Fault("plex.put", 1, Reset(applied=True)))
    undone = synced.undo()
    assert undone.count(Outcome.APPLIED) == 12


def test_an_undo_asked_to_stop_can_be_ended_later(world: World) -> None:
    """What was put back is remembered; the next undo does the rest."""
    before = comparable(world.plex.dump())
    world.run()
    asked = iter(range(10_000))
    stopped = world.undo(should_stop=lambda: next(asked) > 4)
    assert stopped.summary.exit_code == ExitCode.INTERRUPTED
    assert 0 < stopped.puts < 12
    rest = world.undo()
    assert stopped.puts + rest.puts == 12
    assert comparable(world.plex.dump()) == before


def test_a_field_the_run_did_not_store_is_not_taken_back(world: World) -> None:
    """What a failed write left as it was, and a later run wrote, belongs to that later run."""
    bad = world.key_of("4")
    world.plex_wire.faults.add(
        Fault("plex.put", 1, ErrorStatus(500), None, lambda request: edited_keys(request) == (bad,))
    )
    first = world.run()
    assert first.row("4").outcome is Outcome.FAILED
    world.plex_wire.faults.clear()
    world.wait(hours=1)
    assert world.run().outcomes() == {"4": "applied"}
    after = world.plex.dump()[bad]
    undone = world.undo(first.summary.header.run_id)
    assert "4" not in undone.outcomes()
    assert world.plex.dump()[bad] == after
