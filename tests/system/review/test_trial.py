"""`plexsync review` works on what a dry run found, before any run has written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.cli import run_command_line
from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.output.console import Invocation
from plexsync.output.streams import Shape
from plexsync.review.context import open_review
from plexsync.simulators.plex.parts import Identity
from plexsync.sync.ports import RunOptions
from tests.support.review_world import STRANGERS, TWINS, low_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World


@pytest.fixture(name="world")
def make_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """LOW scenes with one candidate each, after nothing was run."""
    with low_world(tmp_path, STRANGERS) as made:
        for name, value in made.environ().items():
            monkeypatch.setenv(name, value)
        yield made


def review(capsys: pytest.CaptureFixture[str], *words: str) -> Any:  # noqa: ANN401 - decoded JSON
    """The document of `plexsync review`."""
    capsys.readouterr()
    assert run_command_line(["review", *words, "--json"]) == ExitCode.OK
    return json.loads(capsys.readouterr().out)


def waiting(capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The scenes that wait."""
    return {one["scene"]["id"] for one in review(capsys, "list")["scenes"]}


def test_what_a_dry_run_found_can_be_settled_at_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer holds for the first run, and nothing else was remembered."""
    dry = world.run(RunOptions(dry_run=True))
    low = {row.scene.id for row in dry.rows if row.outcome is Outcome.REVIEW}
    assert low
    assert not world.state_dir.exists()
    assert waiting(capsys) == low

    first = min(low, key=int)
    review(capsys, "accept", first)
    assert waiting(capsys) == low - {first}
    review(capsys, "reset", first)
    assert waiting(capsys) == low
    review(capsys, "accept", first)
    ran = world.run()
    assert [row.outcome for row in ran.rows if row.scene.id == first] == [Outcome.APPLIED]
    assert waiting(capsys) == low - {first}


def test_an_answer_before_the_first_run_can_be_taken_back_after_a_look(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dry run shows what accepting would write; the person finds that wrong."""
    world.run(RunOptions(dry_run=True))
    before = waiting(capsys)
    scene = min(before)
    review(capsys, "accept", scene)
    world.run(RunOptions(dry_run=True))
    assert review(capsys, "show", scene)["scenes"][0]["said"]["accepted"]
    review(capsys, "reset", scene)
    world.run(RunOptions(dry_run=True))
    assert waiting(capsys) == before


def test_a_refused_candidate_leaves_the_others_to_answer_before_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scene goes on waiting until an answer settles it, as after a run."""
    with low_world(tmp_path, TWINS) as world:
        for name, value in world.environ().items():
            monkeypatch.setenv(name, value)
        world.run(RunOptions(dry_run=True))
        low = waiting(capsys)
        scene, *others = review(capsys, "list")["scenes"]
        first, second = (one["rating_key"] for one in scene["candidates"])
        review(capsys, "reject", scene["scene"]["id"], "--item", first)
        assert waiting(capsys) == low
        review(capsys, "reject", scene["scene"]["id"], "--item", second)
        assert waiting(capsys) == {one["scene"]["id"] for one in others}


@pytest.mark.parametrize("answer", ["accept", "ignore"])
def test_an_answer_about_a_file_that_changed_hides_nothing_a_dry_run_found(
    world: World, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    """What a dry run names as waiting can be settled, whatever was answered about other files."""
    world.run(RunOptions(dry_run=True))
    scene = min(waiting(capsys), key=int)
    review(capsys, answer, scene)
    assert scene not in waiting(capsys)
    file_id = next(one.file_ids[0] for one in world.stash.scenes if str(one.id) == scene)
    world.stash.rewrite_file(file_id, oshash=0x1234_5678_9ABC)
    dry = world.run(RunOptions(dry_run=True))
    low = {row.scene.id for row in dry.rows if row.outcome is Outcome.REVIEW}
    assert scene in low
    assert waiting(capsys) == low


def test_a_page_of_plex_is_found_before_the_first_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing remembers which Plex it is, so it is asked; one that is away is named as that."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    world.run(RunOptions(dry_run=True))
    with open_review(Invocation(Shape())) as context:
        one = context.waiting[0]
        pages = context.servers.browse(one.scene_id, one.candidates[0].rating_key).split()
    assert pages[0].endswith(f"/scenes/{one.scene_id}")
    assert f"/server/{Identity().machine}/details" in pages[1]

    monkeypatch.setenv("PLEXSYNC_PLEX__URL", "http://127.0.0.1:9")
    with open_review(Invocation(Shape())) as context:
        shown = context.servers.browse(one.scene_id, one.candidates[0].rating_key)
    assert shown.startswith(pages[0])
    assert "Plex cannot be reached" in shown


def test_a_later_look_takes_the_place_of_an_earlier_one(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run that finds nothing LOW leaves nothing to review."""
    world.run(RunOptions(dry_run=True))
    assert waiting(capsys)
    for scene in list(world.stash.scenes):
        world.stash.delete_scene(scene.id)
    world.run(RunOptions(dry_run=True, force=True))
    assert waiting(capsys) == set()
