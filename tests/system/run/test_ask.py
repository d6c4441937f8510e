"""`plexsync run --ask`: nothing is written before a person agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from plexsync.cli import run_command_line
from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from plexsync.sync.reconcile import run
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.world import Ran


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Six plain scenes, nothing synced yet."""
    spec = LibrarySpec(seed=3, scenes=6, mix={Case.SAME: 1.0}, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        yield made


def ask(world: World, confirm: Callable[[int], bool]) -> Ran:
    """One run with somebody to ask."""
    options = RunOptions(ask=True)
    return world.act(
        lambda config, ports, reporter: run(
            config, options, replace(ports, confirm=confirm), reporter
        )
    )


def test_no_means_that_nothing_is_written_and_all_stays_due(world: World) -> None:
    """Exit 0, everything skipped; the next run writes it."""
    asked: list[int] = []

    def refuse(items: int) -> bool:
        asked.append(items)
        return False

    ran = ask(world, refuse)
    assert asked == [6]
    assert ran.summary.exit_code == ExitCode.OK
    assert ran.summary.error is not None
    assert ran.summary.error.kind == "declined"
    assert ran.puts == 0
    assert ran.count(Outcome.SKIPPED) == 6
    assert world.run().count(Outcome.APPLIED) == 6


def test_yes_writes_what_was_shown_after_reading_it_once_more(world: World) -> None:
    """What a person changed in Plex while thinking is seen."""
    key = world.key_of("2")

    def think(_items: int) -> bool:
        assert world.plex.writes == ()
        title = world.stash.scene(2).title.strip()
        world.plex.edit_by_hand(key, {"title": title})
        return True

    ran = ask(world, think)
    assert ran.preview is not None
    assert len(ran.preview.high) == 6
    assert ran.count(Outcome.APPLIED) == 6
    assert "title" not in {change.field for change in ran.row("2").changes}


def test_nobody_is_asked_when_nothing_changes(world: World) -> None:
    """A run with nothing to do just ends."""
    world.run()
    assert ask(world, lambda _items: pytest.fail("asked")).summary.exit_code == ExitCode.OK


@pytest.mark.parametrize("more", [[], ["--json"], ["-n"], ["-q"]])
def test_asking_without_a_terminal_is_an_error_of_usage(more: list[str]) -> None:
    """As under cron: nobody could answer."""
    assert run_command_line(["run", "--ask", *more]) == ExitCode.USAGE
