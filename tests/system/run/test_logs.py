"""Logs beside the output: a file that is rotated, JSON lines, and the journal's priorities."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ConfigError, ExitCode
from plexsync.models import Outcome
from plexsync.output.console import LogOptions
from plexsync.output.log import Log, logged
from plexsync.simulators.http.wire import ErrorStatus, Fault
from tests.support.demo_servers import KEY, TOKEN, DemoServers
from tests.support.factories import make_row
from tests.support.terminals import run_plexsync

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.output.streams import Reporter


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[DemoServers]:
    """Servers that are up, and nothing synced yet."""
    made = DemoServers(tmp_path)
    with made.stash, made.plex:
        yield made


def test_a_log_in_words_holds_the_run_from_its_servers_to_its_exit_code(
    servers: DemoServers, tmp_path: Path
) -> None:
    """Each line has a time, a level and what happened; the output stays what it was."""
    file = tmp_path / "run.log"
    environ = servers.environ

    without = run_plexsync(["run", "-n"], environ)
    done = run_plexsync(["run", "-n", "--log-file", str(file)], environ)

    lines = [line.split(" ", 2) for line in file.read_text("utf-8").splitlines()]
    assert (done.code, done.out) == (without.code, without.out)
    assert all(len(stamp) == 20 and stamp.endswith("Z") for stamp, _, _ in lines)
    assert [level for _, level, _ in lines].count("WARNING") == 2
    assert "Stash v" in lines[0][2]
    assert lines[-1][1:] == ["INFO", lines[-1][2]]
    assert lines[-1][2].endswith("Exit code 0.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_log_in_json_holds_the_events_with_time_and_level(
    servers: DemoServers, tmp_path: Path
) -> None:
    """The lines of --jsonl, in the same order, each with two keys more; no secret is among them."""
    file = tmp_path / "run.log"

    done = run_plexsync(
        ["run", "--log-format", "json", "--log-level=debug", "--log-file", str(file), "--jsonl"],
        servers.environ,
    )

    events = [json.loads(line) for line in done.out.splitlines()]
    logged_events = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    bare = [{k: v for k, v in one.items() if k not in {"time", "level"}} for one in logged_events]
    assert bare == [event for event in events if event["event"] != "progress"]
    assert {one["level"] for one in logged_events} == {"info", "warning"}
    assert KEY not in file.read_text("utf-8")
    assert TOKEN not in file.read_text("utf-8")


def test_an_error_is_in_the_log_at_its_level(servers: DemoServers, tmp_path: Path) -> None:
    """Of a server as of the configuration, whether the run began or not."""
    file = tmp_path / "run.log"
    servers.plex.wired.faults.add(Fault(None, 1, ErrorStatus(401)))

    refused = run_plexsync(["run", "--log-file", str(file)], servers.environ)
    wrong = {**servers.environ, "PLEXSYNC_RUN__FULL_EVERY": "soon"}
    invalid = run_plexsync(["run", "--log-file", str(file)], wrong)

    assert (refused.code, invalid.code) == (ExitCode.ACCESS, ExitCode.USAGE)
    errors = [line for line in file.read_text("utf-8").splitlines() if " ERROR " in line]
    assert "Exit code 5." in errors[0]
    assert "PLEXSYNC_RUN__FULL_EVERY: must be" in errors[1]


def test_a_level_leaves_out_what_is_less(servers: DemoServers, tmp_path: Path) -> None:
    """`warning` leaves what waits and what failed."""
    file = tmp_path / "run.log"
    run_plexsync(["run", "--log-file", str(file), "--log-level", "warning"], servers.environ)
    assert {line.split(" ")[1] for line in file.read_text("utf-8").splitlines()} == {"WARNING"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--log-format", "json"], ExitCode.USAGE, "--log-format needs --log-file"),
        (["--log-level", "debug"], ExitCode.USAGE, "--log-level needs --log-file"),
        (["--log-file", "no/such/folder/log"], ExitCode.LOCAL_FILES, "cannot be opened"),
    ],
)
def test_a_log_that_cannot_be_is_an_error_before_anything_is_asked(
    servers: DemoServers, arguments: list[str], code: ExitCode, words: str
) -> None:
    """Whoever asks for a log must not learn later that there is none."""
    done = run_plexsync(["run", *arguments], servers.environ)
    assert (done.code, words in done.err) == (code, True)
    assert servers.stash.wired.counters.requests() == 0


def test_a_full_file_is_kept_and_a_new_one_begun(tmp_path: Path) -> None:
    """At most five of them, each no larger than it may be."""
    file = tmp_path / "run.log"
    log = Log(LogOptions(file=file))
    for number in range(700):
        log.write(logging.INFO, f"{number} " + "x" * 100_000, b"{}\n")
    log.close()

    assert {path.name for path in tmp_path.iterdir()} == {
        "run.log",
        *(f"run.log.{number}" for number in range(1, 6)),
    }
    assert all(path.stat().st_size <= 10_000_000 for path in tmp_path.iterdir())
    assert " 699 " in file.read_text("utf-8").splitlines()[-1][:40]


class _Silent:
    """A reporter that shows nothing."""

    failure: OSError | None = None

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


def test_a_log_on_a_full_disk_ends_no_run_and_is_not_hushed_up() -> None:
    """The first error is kept, for the exit code. Source of the device: full(4)."""
    silent: Reporter = _Silent()  # type: ignore[assignment] # takes every call
    with logged(silent, LogOptions(file=Path("/dev/full"))) as reporter:
        reporter.row(make_row(outcome=Outcome.APPLIED))
        assert reporter.failure is not None
        assert "space" in str(reporter.failure)


def test_an_error_before_the_run_is_logged_and_goes_on(tmp_path: Path) -> None:
    """The log takes nothing away."""
    file = tmp_path / "run.log"
    silent: Reporter = _Silent()  # type: ignore[assignment] # same
    with (
        pytest.raises(ConfigError),
        logged(silent, LogOptions(file=file, json=True)),
    ):
        raise ConfigError("the url is wrong", hint="write another")
    event = json.loads(file.read_text("utf-8"))
    assert (event["level"], event["event"], event["exit_code"]) == ("error", "error", 2)
    assert event["error"]["message"] == "the url is wrong"


# ---- The journal of systemd ----------------------------------------------------------------------


@pytest.mark.parametrize("connected", [True, False], ids=["journal", "something else"])
def test_lines_for_the_journal_begin_with_their_priority(
    servers: DemoServers,
    connected: bool,
) -> None:
    """An error is 3, what was done 6; only where stderr is what $JOURNAL_STREAM names."""
    servers.plex.wired.faults.add(Fault(None, 1, ErrorStatus(401)))
    read_end, write_end = os.pipe()
    there = os.fstat(write_end)
    named = f"{there.st_dev}:{there.st_ino}" if connected else "1:2"

    done = subprocess.run(
        [sys.executable, "-m", "plexsync", "run", "-v"],
        env={**os.environ, **servers.environ, "JOURNAL_STREAM": named},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=write_end,
        check=False,
    )
    os.close(write_end)
    with os.fdopen(read_end, encoding="utf-8") as pipe:
        lines = pipe.read().splitlines()

    assert done.returncode == ExitCode.ACCESS
    if connected:
        assert lines[0].startswith("<3>plexsync: GET /: Plex refuses")
        assert lines[-1].startswith("<6>")
        assert all(line[:3] in {"<3>", "<4>", "<6>"} for line in lines)
    else:
        assert lines[0].startswith("plexsync: GET /: Plex refuses")
