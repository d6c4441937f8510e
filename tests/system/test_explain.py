"""`plexsync explain` against both simulators: the whole account, true and readable."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.errors import ExitCode
from plexsync.matcher import Answer, Verb
from plexsync.models import Scene, SceneFile, SceneId
from plexsync.simulators.library.pairs import Case, LibrarySpec, demo_library, make_library
from plexsync.sync.ports import RunOptions
from tests.support.review_world import TWINS, low_world, store_of, waiting_in
from tests.support.show_world import season_of, show_of, show_world
from tests.support.terminals import ProcessResult, plain, run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOW, UNMATCHED, HIGH = "7", "8", "2"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The demo's library after a first run."""
    with World(demo_library(), tmp_path, PATHS="/data/=/media/") as made:
        made.run()
        yield made


def explain(world: World, *arguments: str) -> ProcessResult:
    """Run the command in a process of its own, without a terminal."""
    return run_plexsync(["explain", *arguments], world.environ())


def document(world: World, *arguments: str) -> dict[str, Any]:
    """What `--json` says."""
    done = explain(world, *arguments, "--json")
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_the_waterfall_adds_up_to_the_score(world: World) -> None:
    """The weights in bits are the log odds of the score, candidate by candidate."""
    found = document(world, LOW)
    assert found["schema"] == "plexsync/explain/1"
    assert len(found["account"]["standings"]) == 2
    for standing in found["account"]["standings"]:
        bits = sum(piece["weight"] for piece in standing["candidate"]["evidence"])
        score = standing["candidate"]["score"]
        assert bits == pytest.approx(math.log2(score / (1 - score)), abs=0.01)


@pytest.mark.parametrize("counts", [True, False])
def test_content_hashes_are_evidence_where_runs_count_them(tmp_path: Path, *, counts: bool) -> None:
    """An account of what a run never looked at would explain nothing."""
    with low_world(tmp_path, TWINS, MATCH__USE_CONTENT_HASH=str(counts)) as world:
        world.run()
        (best, *_) = document(world, waiting_in(world)[0].scene_id)["account"]["standings"]
    assert ("oshash" in {one["name"] for one in best["candidate"]["evidence"]}) is counts


def test_a_low_match_says_what_it_lacks(world: World) -> None:
    """The obstacle in words, what the last run made of it, and the names in the same order."""
    found = document(world, LOW)
    standings = found["account"]["standings"]
    assert all(standing["obstacle"] for standing in standings)
    items = [f"item {one['candidate']['rating_key']}" for one in standings]
    assert [*found["names"]] == [*items, f"scene {LOW}"]
    assert found["record"]["outcome"] == "review"


def test_a_high_match_has_no_obstacle(world: World) -> None:
    """HIGH is HIGH here as in the run."""
    found = document(world, HIGH)
    assert found["account"]["standings"][0]["obstacle"] == ""
    assert found["account"]["matches"][0]["confidence"] == "HIGH"
    assert found["record"]["outcome"] == "applied"


def test_a_scene_a_person_ignores_competes_in_no_account(tmp_path: Path) -> None:
    """From the answer on: the next run links the other one, and the account says so before it."""
    mix = {Case.DUPLICATE: 1.0}
    library = make_library(LibrarySpec(seed=3, scenes=2, mix=mix, extra_items=0.0, edited=0.0))
    with World(library, tmp_path) as world:
        world.plex.remove_item(str(library.plex.videos[1].rating_key))
        assert set(world.run().outcomes().values()) == {"review"}
        assert run_plexsync(["review", "ignore", "2"], world.environ()).code == 0

        (match,) = document(world, "1")["account"]["matches"]

        assert match["confidence"] == "HIGH"
        assert world.run().outcomes()["1"] == "applied"


def test_a_scene_with_a_lapsed_answer_is_low_from_either_side(world: World) -> None:
    """As in a run: a person ignored another scene of that id, and looks again."""
    reason = "a person ignored this scene, but its files changed since"
    former = Scene(scene_id=SceneId(HIGH), updated_at="", files=(SceneFile(path="/data/old.mp4"),))
    with store_of(world) as answers:
        answers.give([Answer(verb=Verb.IGNORE, scene=former)])
    assert world.run(RunOptions(full=True)).row(HIGH).reason == reason

    for arguments in ([HIGH], ["--item", world.key_of(HIGH)]):
        account = document(world, *arguments)["account"]
        (match,) = account["matches"]
        assert (match["confidence"], match["reason"]) == ("LOW", reason)
        assert account["standings"][0]["obstacle"] == reason


def test_an_item_is_explained_from_its_own_side(world: World) -> None:
    """Which scenes could be this item: the one it is linked with."""
    key = world.key_of(HIGH)
    found = document(world, "--item", key)
    assert found["is_item"] is True
    assert [one["scene_id"] for one in found["account"]["standings"]] == [HIGH]


def test_an_item_is_not_given_the_reason_of_another(world: World) -> None:
    """Of two items that fit equally well, the second one's rival is the first."""
    first, second = (
        one["candidate"]["rating_key"] for one in document(world, LOW)["account"]["standings"]
    )
    done = run_plexsync(
        ["explain", "--item", second], world.environ(), terminals=["stdout"], width=250
    )
    (line,) = [one for one in plain(done.out).splitlines() if f"LOW for scene {LOW}" in one]
    assert f"the other one is item {first} " in line


def test_little_is_read_and_nothing_is_written(world: World) -> None:
    """Stash is greeted and asked for the scene; Plex and the state stay as they are."""
    world.stash_wire.counters.clear()
    plex = world.plex.dump(clocks=True)
    files = {p: p.read_bytes() for p in world.state_dir.rglob("*") if p.is_file()}
    assert explain(world, LOW).code == 0
    assert world.plex.dump(clocks=True) == plex
    assert {p: p.read_bytes() for p in world.state_dir.rglob("*") if p.is_file()} == files
    assert world.stash_wire.counters.requests("stash.") == 2


def test_a_pipe_gets_one_line_a_piece_of_evidence(world: World) -> None:
    """Tab-separated, nothing cut, no headline."""
    lines = explain(world, LOW).out.splitlines()
    assert lines
    assert all(len(line.split("\t")) == 7 for line in lines)
    assert {line.split("\t")[0] for line in lines} == {LOW}


def test_a_pipe_gets_a_line_where_nothing_resembles_the_scene(world: World) -> None:
    """An answer in as many columns, not nothing."""
    (line,) = explain(world, UNMATCHED).out.splitlines()
    scene_id, _, _, _, name, why, _ = line.split("\t")
    assert (scene_id, name) == (UNMATCHED, "no candidate")
    assert "items resembles it" in why


@pytest.mark.parametrize("columns", [60, 100, 200])
def test_a_terminal_shows_it_whole_at_any_width(world: World, columns: int) -> None:
    """Words are there, and no line is wider than the screen."""
    done = run_plexsync(
        ["explain", LOW], world.environ(), terminals=["stdout", "stderr"], width=columns
    )
    shown = plain(done.out)
    assert done.code == 0
    assert "Evening Concert in Kotor" in shown
    assert "not HIGH" in shown
    assert "-0.0" not in shown
    assert max(map(len, shown.splitlines())) <= columns
    headline, *facts = shown.partition("\n\n")[0].splitlines()
    assert headline.startswith("Scene ")
    assert all(line.startswith("  ") for line in facts)


def test_an_unmatched_scene_says_that_nothing_resembles_it(world: World) -> None:
    """With the number of items looked at, and what to expect."""
    scene = next(s.id for s in world.library.stash.scenes if not world.library.truth.get(str(s.id)))
    found = document(world, str(scene))
    assert found["account"]["standings"] == []
    assert found["items_compared"] == len(world.plex.rating_keys())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["999"], "Stash has no scene 999", id="unknown scene"),
        pytest.param(["--item", "999"], "rating key 999", id="unknown item"),
        pytest.param([], "Say which", id="nothing named"),
        pytest.param(["7", "--item", "5"], "Say which", id="both named"),
        pytest.param(["x"], "no scene id", id="no id"),
        pytest.param(["--item", "x"], "no rating key", id="no key"),
    ],
)
def test_a_wrong_question_gets_a_clear_answer(
    world: World, arguments: list[str], words: str
) -> None:
    """One line that says what and a hint, exit 2."""
    done = explain(world, *arguments)
    assert done.code == ExitCode.USAGE
    assert words in done.err
    assert done.out == ""


def test_a_scene_that_takes_no_part_says_which_key_decides(world: World) -> None:
    """In every form; and one that takes part says nothing of it."""
    tag = world.stash.add_tag("Private")
    world.stash.edit_scene(int(UNMATCHED), tag_ids=(tag,))
    world.settings |= {"STASH__EXCLUDE_TAGS": "private"}
    note = "takes no part: has an excluded tag (private) ([stash] exclude_tags)"

    assert document(world, UNMATCHED)["notes"] == [note]
    assert [UNMATCHED, "", "", "-", "note", note, ""] in [
        line.split("\t") for line in explain(world, UNMATCHED).out.splitlines()
    ]
    assert document(world, LOW)["notes"] == []


def test_an_episode_says_why_its_show_is_left_alone(tmp_path: Path) -> None:
    """Or else its season."""
    with show_world(tmp_path) as world:
        world.run()
        mixed = f"its show (item {show_of(world, '4')}) is left alone: its scenes are of 2 studios"
        specials = f"its season (item {season_of(world, '6')}) is left alone: it is not called 2021"

        for arguments in (["4"], ["--item", world.key_of("4")]):
            (*_, note) = document(world, *arguments)["notes"]
            assert note.startswith(mixed)
        (*_, note) = document(world, "6")["notes"]
        assert note.startswith(specials)
        assert all("left alone" not in one for one in document(world, "1")["notes"])
        shown = json.loads(run_plexsync(["status", "--json"], world.environ()).out)
        assert shown["shows"] == {
            "kept": 3,
            "waiting": 0,
            "parked": 0,
            "left_alone": 3,
            "failing": [],
        }
