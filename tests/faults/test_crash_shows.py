"""A run that writes to shows and seasons, killed at every write to Plex, before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.deadly_runs import killed_run, undo_since
from tests.support.show_world import show_of, show_world, title_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("applied", [False, True])
def test_shows_end_as_after_one_run_whatever_write_a_run_dies_at(
    tmp_path: Path,
    applied: bool,
) -> None:
    """The run after it completes them; undoing all of it leaves Plex as it was."""
    at, whole = 0, None
    while True:
        at += 1
        with show_world(tmp_path / str(at)) as world:
            world.stash.edit_scene(3, date="2021-03-01")
            world.run(SHOWS__STUDIOS="false")
            before, known = world.plex.dump(), {one.run_id for one in world.state().runs}
            writes = killed_run(world, at=at, applied=applied)
            world.run()
            whole = whole or world.plex.dump()

            assert world.plex.dump() == whole, at
            assert not world.state().unsettled, at
            undo_since(world, known)
            assert world.plex.dump() == before, at
            if writes < at:
                break
    assert at > 4


def test_what_a_killed_run_wrote_is_known_though_shows_are_left_alone_since(
    tmp_path: Path,
) -> None:
    """It can be taken back, and followed again."""
    with show_world(tmp_path) as world:
        world.run(SHOWS__STUDIOS="false")
        before, known = world.plex.dump(), {one.run_id for one in world.state().runs}
        killed_run(world, at=1, applied=True)
        assert world.state().unsettled

        world.run(SHOWS__STUDIOS="false")
        assert not world.state().unsettled
        undo_since(world, known)
        assert world.plex.dump() == before


def test_what_a_killed_run_wrote_is_no_persons_word(tmp_path: Path) -> None:
    """A studio that moves on before the next run is followed."""
    with show_world(tmp_path) as world:
        world.run(SHOWS__STUDIOS="false")
        killed_run(world, at=1, applied=True)
        assert title_of(world, show_of(world, "1")) == "Mother"
        world.stash.edit_studio(1, name="Dynasty")
        world.wait(1)
        world.run()

        assert title_of(world, show_of(world, "1")) == "Dynasty"
