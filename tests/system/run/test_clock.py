"""A clock that was once wrong: nothing waits until the year it showed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.status import read_status
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

SPEC = LibrarySpec(seed=4, scenes=6, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
THEN = datetime(2045, 1, 1, tzinfo=UTC)


def test_a_run_in_2045_puts_off_no_later_one(tmp_path: Path) -> None:
    """The full sweep, the tries of what failed and the monitor go on as if it had not been."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as world:
        now = world.now
        world.now = THEN
        one = world.key_of("1")
        fault = Fault("plex.put", 1, ErrorStatus(500), times=None, match=lambda r: one in r.target)
        world.plex_wire.faults.add(fault)
        assert world.run().outcomes()["1"] == "failed"
        world.plex_wire.faults.clear()
        world.now = now
        assert not read_status(tmp_path / "state", now).is_fresh(1e9)
        ran = world.run()
        assert ran.summary.header.full
        assert ran.summary.exit_code == ExitCode.OK
        assert ran.row("1").outcome is Outcome.APPLIED
        assert read_status(tmp_path / "state", world.now).is_fresh(3600)
