"""`plexsync doctor --report`: everything a bug report needs, and nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.simulators.library.pairs import demo_library
from tests.support.terminals import run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="world")
def make_world(tmp_path: Path) -> Iterator[World]:
    """Two well servers, after one run."""
    with World(demo_library(), tmp_path) as made:
        made.run()
        yield made


def test_a_report_holds_all_parts_and_no_secret(world: World, tmp_path: Path) -> None:
    """Written for its owner alone, and by reading alone."""
    log = tmp_path / "plexsync.log"
    log.write_text(f"a line with {world.plex.token} in it\n", "utf-8")
    before = len(world.plex.writes)
    file = tmp_path / "report.txt"
    done = run_plexsync(["doctor", "--report", str(file), "--log", str(log)], world.environ())
    assert done.code == ExitCode.OK
    text = file.read_text("utf-8")
    for title in ("versions", "configuration", "findings", "memory", "log", "this Plex server"):
        assert f"== {title}\n" in text
    for words in ("plexsync ", "Python 3", "plex.url = ", "ok Plex", "linked", "a line with"):
        assert words in text
    assert "Does a listing show which fields are locked? " in text
    assert world.plex.token not in text + done.out + done.err
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(world.plex.writes) == before


def test_a_report_of_what_does_not_work_is_written_all_the_same(tmp_path: Path) -> None:
    """That is when it is needed; a file that is there is not overwritten."""
    file = tmp_path / "report.txt"
    environ = {"PLEXSYNC_STATE_DIR": str(tmp_path / "state"), "HOME": str(tmp_path)}
    done = run_plexsync(["doctor", "--report", str(file)], environ)
    assert done.code == ExitCode.USAGE
    assert "no configuration yet" in file.read_text("utf-8")
    again = run_plexsync(["doctor", "--report", str(file)], environ)
    assert again.code == ExitCode.LOCAL_FILES
    assert "Traceback" not in again.err
