"""Where nobody watches an outage is reported once when it begins and once when it is over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import pytest

from plexsync.app.failures import make_run_id
from plexsync.app.retry import retry
from plexsync.cli import run_command_line
from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SCENES = 6


class Mail(NamedTuple):
    """What cron gets of a run."""

    code: int
    out: str
    err: str


@pytest.fixture(name="world")
def make_world(tmp_path: Path) -> Iterator[World]:
    """Two well servers, and a few scenes that are in step."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/", PLEX__LIBRARIES="") as made:
        made.run()
        yield made


@pytest.fixture(name="cron")
def make_cron(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Mail]:
    """Run a command with no terminal on any stream; keywords are settings."""

    def cron(*arguments: str, **settings: str) -> Mail:
        with monkeypatch.context() as patch:
            for name, value in world.environ(**settings).items():
                patch.setenv(name, value)
            code = run_command_line(["run", *arguments])
        return Mail(code, *capsys.readouterr())

    return cron


def test_an_outage_is_two_mails_whatever_it_is_made_of(cron: Callable[..., Mail]) -> None:
    """Both streams stay empty in between, and the exit code stays what it is.

    A mistake in the configuration is no outage: each run reports it.
    """
    cron()
    nights = [cron(PLEX__TOKEN="wrong") for _ in range(3)]
    wrong = [cron(PLEX__URL="no address") for _ in range(2)]
    well = [cron() for _ in range(2)]

    assert [night.code for night in nights] == [ExitCode.ACCESS] * 3
    assert "Plex" in nights[0].err
    assert [night.out + night.err for night in nights[1:]] == ["", ""]
    assert [night.code for night in wrong] == [ExitCode.USAGE] * 2
    assert all("PLEXSYNC_PLEX__URL" in one.err for one in wrong)
    assert "runs end well again; 3 runs failed since " in well[0].err
    assert well[1] == (0, "", "")


def test_scenes_that_fail_alike_are_one_line(world: World, cron: Callable[..., Mail]) -> None:
    """With a count, in the one mail of their outage; and another one when they are written.

    A run between that has nothing to do does not end it: they wait for another try.
    """
    keys = [world.key_of(str(number)) for number in (2, 3, 4)]
    fault = Fault(
        "plex.put",
        1,
        ErrorStatus(418),
        times=None,
        match=lambda one: any(key in one.target for key in keys),
    )
    world.plex_wire.faults.add(fault)
    for number in range(1, SCENES + 1):
        world.stash.edit_scene(number, title=f"New Title {number}")
    world.wait(hours=1)
    first, second = cron(), cron()
    retried(world)
    third = cron()
    world.plex_wire.faults.clear()
    retried(world)
    well = cron()

    failed = [line for line in first.out.splitlines() if line.startswith("failed")]
    assert [one.code for one in (first, second, third)] == [3, 0, 3]
    assert len(failed) == 1
    assert failed[0].endswith("(and 2 more)")
    assert [one.out + one.err for one in (second, third)] == ["", ""]
    assert well.code == ExitCode.OK
    assert "runs end well again" in well.err


def retried(world: World) -> None:
    """What failed is due."""
    now = datetime.now(UTC)
    retry(world.state_dir, (), now=now, run_id=make_run_id(now))


def test_who_asks_for_a_scene_gets_an_answer(cron: Callable[..., Mail]) -> None:
    """Unchanged as it may be, and also while an outage lasts that was reported before."""
    again = cron("--scene", "2")
    assert again.out.startswith("unchanged\t")
    assert "1 unchanged" in again.err
    failed = [cron("--scene", "2", PLEX__TOKEN="wrong") for _ in range(2)]
    assert all("Plex" in one.err for one in failed)


def test_a_dry_run_remembers_no_outage(world: World, cron: Callable[..., Mail]) -> None:
    """It writes nothing, so it is never silent about a failure."""
    failed = [cron("-n", PLEX__TOKEN="wrong") for _ in range(2)]
    assert all("Plex" in one.err for one in failed)
    assert not (world.state_dir / "outage.json").exists()
