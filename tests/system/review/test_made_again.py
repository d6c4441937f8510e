"""Answers about files that Plex scanned again: other items, and the same files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.models import Confidence, Outcome
from plexsync.simulators.library.pairs import Case
from plexsync.sync.ports import RunOptions
from tests.support.review_world import low_world, review_order
from tests.support.terminals import run_plexsync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.library.records import PlexPart
    from tests.support.world import World

AGAIN = 77


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Scenes with one candidate each, of another size, after a first run."""
    with low_world(tmp_path, {Case.REMUXED: 1}, scenes=4) as made:
        made.run()
        yield made


def make_again(world: World, **changes: int) -> None:
    """Delete the library, make it again and scan, with other contents of its files if wanted."""

    def changed(part: PlexPart) -> PlexPart:
        return replace(part, **changes)  # type: ignore[arg-type] # by replace

    (old,) = {video.section_id for video in world.library.plex.videos}
    world.plex.remake_library(old, AGAIN)
    for video in world.library.plex.videos:
        media = tuple(replace(one, parts=tuple(map(changed, one.parts))) for one in video.media)
        world.plex.scan_in(replace(video, rating_key=0, section_id=AGAIN, media=media))
    world.plex.set_refreshing(AGAIN, refreshing=False)


def answer(world: World, *arguments: str) -> None:
    """Answer by a command."""
    done = run_plexsync(["review", *arguments], world.environ())
    assert done.code == 0, done.err


def test_what_was_accepted_and_refused_holds_for_the_same_file(world: World) -> None:
    """The accepted one is written and stays so; the refused one does not come up again."""
    one, other, *_ = review_order(world)
    yes, no = one.scene_id, other.scene_id
    answer(world, "accept", yes, "--best")
    answer(world, "reject", no, "--item", other.candidates[0].rating_key)
    world.run()
    make_again(world)
    ran = world.run()
    assert ran.outcomes()[yes] == Outcome.APPLIED
    assert ran.row(no).confidence is None
    for options in (RunOptions(), RunOptions(full=True)):
        assert world.run(options).puts == 0
    assert {one.scene_id for one in review_order(world)}.isdisjoint({yes, no})


def test_another_video_under_the_path_is_asked_about(world: World) -> None:
    """Size and length tell that it is not what a person confirmed."""
    yes = review_order(world)[0].scene_id
    answer(world, "accept", yes, "--best")
    world.run()
    make_again(world, size=12_345, duration_ms=60_000)
    ran = world.run()
    assert ran.puts == 0
    assert ran.row(yes).confidence is not Confidence.HIGH


def test_a_later_answer_about_the_new_item_counts(world: World) -> None:
    """What was accepted under the old key is refused under the new one."""
    yes = review_order(world)[0].scene_id
    answer(world, "accept", yes, "--best")
    world.run()
    make_again(world)
    ran = world.run()
    item = ran.row(yes).item
    assert item is not None
    answer(world, "reject", yes, "--item", item.rating_key)
    world.stash.edit_scene(int(yes), title="Another Title")
    world.wait(1)
    assert world.run(RunOptions(full=True)).puts == 0
