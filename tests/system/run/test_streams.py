"""`plexsync run` as a process: what it prints where, how signals end it, what it never prints."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from plexsync.errors import ExitCode
from plexsync.output.formats.tsv import COLUMNS
from plexsync.simulators.http.wire import LoopbackServer, Wired
from plexsync.simulators.library.pairs import demo_library
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.simulators.stash.simulator import StashSimulator
from plexsync.storage.status import read_status
from tests.support.terminals import ProcessResult, Terminal, plain, run_plexsync

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plexsync.simulators.http.messages import SimRequest

KEY, TOKEN = "canary-key-51b2", "canary-token-83e4"


class House:
    """Both servers on loopback, and a user's files."""

    def __init__(self, directory: Path) -> None:
        library = demo_library()
        self.directory = directory
        self.settings: dict[str, str] = {}
        self.stash = StashSimulator(library, api_key=KEY)
        self.plex = PlexSimulator(library, token=TOKEN)
        self.stash_server = LoopbackServer(Wired(self.stash))
        self.plex_server = LoopbackServer(Wired(self.plex))

    @property
    def environ(self) -> dict[str, str]:
        """Where everything is."""
        return {
            "PLEXSYNC_STASH__URL": self.stash_server.url,
            "PLEXSYNC_STASH__API_KEY": KEY,
            "PLEXSYNC_PLEX__URL": self.plex_server.url,
            "PLEXSYNC_PLEX__TOKEN": TOKEN,
            "PLEXSYNC_PATHS": "/data/=/media/",
            "PLEXSYNC_STATE_DIR": str(self.directory / "state"),
            "CACHE_DIRECTORY": str(self.directory / "cache"),
            **self.settings,
        }

    def run(
        self, *arguments: str, terminals: Sequence[str] = (), width: int = 100
    ) -> ProcessResult:
        """One run in a process of its own."""
        return run_plexsync(["run", *arguments], self.environ, terminals=terminals, width=width)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Servers that are up, and nothing synced yet."""
    built = House(tmp_path)
    with built.stash_server, built.plex_server:
        yield built


def outcomes(lines: str) -> list[str]:
    """The first column of each line."""
    return [line.split("\t")[0] for line in lines.splitlines()]


# ---- Who hears what ------------------------------------------------------------------------------


def test_cron_hears_what_changed_and_then_nothing(house: House) -> None:
    """First run: lines and a summary. Second run: silence. A change: its line alone."""
    first = house.run()
    second = house.run()
    clock, house.stash.clock = house.stash.clock, lambda: datetime(2026, 11, 22, tzinfo=UTC)
    house.stash.edit_scene(9, title="Otters")
    house.stash.clock = clock
    third = house.run()

    assert sorted(outcomes(first.out)) == ["applied"] * 10 + ["review", "unmatched"]
    assert first.err.startswith("10 written, 1 waiting for review, 1 without a candidate")
    assert (second.code, second.out, second.err) == (0, "", "")
    assert outcomes(third.out) == ["applied"]
    assert third.err.startswith("1 written.")


def test_pipe_gets_uncut_lines(house: House) -> None:
    """A terminal on stderr makes stdout a pipe: a line per match, words and bars elsewhere."""
    done = house.run("-n", terminals=("stderr",), width=40)

    rows = [line.split("\t") for line in done.out.splitlines()]
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert sorted(outcomes(done.out)) == ["planned"] * 10 + ["review", "unmatched"]
    assert any("filmed from a single place." in row[9] for row in rows)
    assert "Dry run, nothing was written" in done.err


@pytest.mark.parametrize("width", [60, 100, 200])
def test_terminal_gets_tables_that_fit(house: House, width: int) -> None:
    """HIGH, LOW, summary, next step; nothing beyond the right edge; the bar is gone."""
    done = house.run("-n", terminals=("stdout", "stderr"), width=width)

    text = plain(done.out)
    assert "HIGH: 10 matches would be written" in text
    assert "LOW: 1 match waits for a person" in text
    assert "    plexsync run" in text.splitlines()
    assert max(map(cell_len, text.splitlines())) <= width
    assert done.err.count("\x1b[?25h") >= done.err.count("\x1b[?25l") > 0


def test_terminal_without_the_letters_shows_others(house: House) -> None:
    """A title the terminal's encoding does not have ends no run."""
    house.stash.edit_scene(1, title="\u6f22\u5b57 \x1b[31m")
    environ = {**house.environ, "PYTHONIOENCODING": "ascii"}
    done = run_plexsync(["run"], environ, terminals=("stdout", "stderr"))
    assert done.code == ExitCode.OK
    assert "?? ?[31m" in plain(done.out)


@pytest.mark.parametrize(
    ("command", "shown"),
    [("run -n", " a..."), ("explain 7", " #####"), ("status", "##:")],
    ids=["run", "explain", "status"],
)
def test_what_plexsync_draws_is_drawn_without_unicode_too(
    house: House, command: str, shown: str
) -> None:
    """In other letters: a "?" is for those of a server alone."""
    if command == "status":
        house.run("-q")
    environ = {**house.environ, "PYTHONIOENCODING": "ascii"}
    done = run_plexsync(command.split(), environ, terminals=("stdout", "stderr"), width=100)
    assert shown in plain(done.out)
    # Texts of a run hold letters of a server.
    assert command == "run -n" or "?" not in plain(done.out)


def test_json_is_one_document_everywhere(house: House) -> None:
    """The same keys with and without terminals, one row per due scene."""
    alone = json.loads(house.run("-n", "--json").out)
    watched = json.loads(house.run("-n", "--json", terminals=("stdout", "stderr")).out)

    assert alone["counts"] == watched["counts"]
    assert alone["counts"]["planned"] == 10
    assert len(alone["matches"]) == alone["counts"]["scenes_due"] == 12
    assert alone["servers"]["stash"]["version"] == "v0.30.1"
    assert alone["error"] is None


def test_json_lines_come_in_order(house: House) -> None:
    """Started first, finished last, a match per due scene."""
    events = [json.loads(line) for line in house.run("--jsonl").out.splitlines()]

    names = [event["event"] for event in events]
    assert names[0] == "started"
    assert names[-1] == "finished"
    assert names.count("match") == 12


def test_json_of_a_server_that_is_gone_is_a_document(house: House) -> None:
    """Plex refuses the token: exit 5, servers that answered are named."""
    house.plex.token = "another"

    done = house.run("--json")

    found = json.loads(done.out)
    assert done.code == found["exit_code"] == ExitCode.ACCESS
    assert found["error"]["kind"] == "auth"
    assert found["matches"] == []


def test_dry_run_leaves_plex_and_state_alone(house: House) -> None:
    """Nothing in Plex, no state, no client identifier; the cache is no memory."""
    before = house.plex.dump()

    house.run("-n")

    assert house.plex.dump() == before
    assert {path.name for path in house.directory.iterdir()} <= {"cache"}


@pytest.mark.parametrize(("arguments", "code"), [([], 10), (["-n"], 10)], ids=["real", "dry"])
def test_detailed_exit_code_tells_of_changes(house: House, arguments: list[str], code: int) -> None:
    """10 for changes, made or pending; 11 once only LOW waits."""
    first = house.run("--detailed-exitcode", *arguments)
    house.run()
    later = house.run("--detailed-exitcode", *arguments)

    assert first.code == code
    assert later.code == ExitCode.ONLY_REVIEW


def test_a_pipe_on_the_same_screen_shows_every_line_whole(house: House) -> None:
    """`plexsync run | cat` in a terminal: no line is drawn over by the bar, buffered or not."""
    house.settings["PYTHONUNBUFFERED"] = "1"
    terminal = Terminal(100)
    words = [sys.executable, "-m", "plexsync", "run", "-n"]
    environ = {**os.environ, "TERM": "xterm", **house.environ}
    with subprocess.Popen(
        words, stdin=terminal.writing, stdout=subprocess.PIPE, stderr=terminal.writing, env=environ
    ) as run:
        subprocess.run(["cat"], stdin=run.stdout, stdout=terminal.writing, check=True)  # noqa: S607 - any cat will do
    shown = terminal.close()

    lines = [line for line in shown.splitlines() if line.startswith("planned\t")]
    assert len(lines) == 10
    after_the_first = shown.partition("planned\t")[2]
    assert "Comparing" not in after_the_first


def test_readme_shows_what_a_run_prints(house: House) -> None:
    """The sample in the README is a real one, but for addresses, the run's name and its time."""
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    sample = re.findall(r"```text\n(.*?)```", readme, re.DOTALL)[0]
    for scene_id in (1, 3, 5, 6, 8, 9, 10, 11, 12):
        house.stash.delete_scene(scene_id)
    for rating_key in house.plex.dump().keys() - {"102", "104", "107", "108"}:
        house.plex.remove_item(rating_key)

    done = house.run("-n", terminals=("stdout",), width=96)

    shown = [line.rstrip() for line in plain(done.out).splitlines()]
    assert shown[2:-1] == sample.splitlines()[2:-1]
    assert _without_names(shown[-1]) == _without_names(sample.splitlines()[-1])


def test_what_a_dry_run_offers_to_type_writes_what_it_showed(house: House) -> None:
    """The same scenes, and the configuration that was named."""
    named = house.directory / "my config.toml"
    named.write_text("", encoding="utf-8")
    dry = house.run("-n", "--scene", "2", "-c", str(named), terminals=("stdout",))
    shown = plain(dry.out).split("To write these changes:\n")[1].splitlines()[0]

    program, command, *words = shlex.split(shown)
    wrote = house.run(*words, "--json")

    assert (program, command) == ("plexsync", "run")
    assert words == ["--scene", "2", "--config", str(named)]
    assert [row["scene"]["id"] for row in json.loads(wrote.out)["matches"]] == ["2"]
    assert json.loads(wrote.out)["counts"]["applied"] == 1


def _without_names(cost: str) -> str:
    return re.sub(r"Run \S+ took \d+ s", "Run", cost)


# ---- Signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.TERMINATED)],
    ids=["SIGINT", "SIGTERM"],
)
def test_signal_ends_a_run_in_good_order(
    house: House, number: signal.Signals, code: ExitCode
) -> None:
    """Between two writes: what was written is remembered, the next run does exactly the rest.

    The journal notes the exit code the process ends with.
    """
    children: list[int] = []

    def interrupt(request: SimRequest) -> None:
        if house.plex.kind(request) == "plex.put" and len(house.plex.writes) == 2:
            os.kill(children[0], number)

    house.plex_server.wired.on_request = interrupt
    house.settings["PLEXSYNC_FIELDS__POSTER"] = "off"
    with _started(house) as child:
        children.append(child.pid)
        out, _ = child.communicate(timeout=180)
    written = len(house.plex.writes)
    noted = read_status(house.directory / "state", datetime.now(UTC)).runs[-1].exit_code
    rest = json.loads(house.run("--json").out)

    found = json.loads(out)
    assert child.returncode == found["exit_code"] == noted == code
    assert found["error"]["kind"] == "interrupted"
    assert "3 written, the rest waits for the next run" in found["error"]["message"]
    assert found["counts"]["applied"] == written == 3
    assert rest["counts"]["applied"] == 7
    assert len(house.plex.writes) == 10


def test_second_signal_ends_a_run_at_once(house: House) -> None:
    """While Plex does not answer: 143 at once, and later runs settle what was under way.

    Signals that come too close together count as one, so it takes more than two; those that come
    after the second must not end in a traceback or in another exit code.
    """
    children: list[int] = []
    ended = threading.Event()

    def insist(request: SimRequest) -> None:
        if house.plex.kind(request) == "plex.put":
            while not ended.wait(0.05):
                os.kill(children[0], signal.SIGTERM)

    house.plex_server.wired.on_request = insist
    with _started(house) as child:
        children.append(child.pid)
        _, err = child.communicate(timeout=180)
        ended.set()
    rest = json.loads(house.run("--json").out)
    last = json.loads(house.run("--full", "--json").out)

    # A shell calls both 143: the second is a signal that met the interpreter on its way out.
    assert child.returncode in {ExitCode.TERMINATED, -signal.SIGTERM}
    assert err == b""
    assert rest["exit_code"] == ExitCode.OK
    assert last["counts"]["unchanged"] == 10
    assert last["requests"]["plex_writes"] == 0


def _started(house: House) -> subprocess.Popen[bytes]:
    """A run under way, its document in a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "plexsync", "run", "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **house.environ},
    )


# ---- Secrets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["-vv"], ["--json"], ["--jsonl"]], ids=" ".join)
def test_no_secret_is_printed_or_kept(house: House, arguments: list[str]) -> None:
    """In no output, no address, and no file; neither when all goes well nor when it does not."""
    well = house.run(*arguments, terminals=("stdout", "stderr"))
    house.plex.token = "another"
    badly = house.run(*arguments)

    done = well.out + well.err + badly.out + badly.err
    asked = [
        target
        for server in (house.stash_server, house.plex_server)
        for target in server.wired.counters.targets
    ]
    kept = [path.read_bytes() for path in house.directory.rglob("*") if path.is_file()]
    assert well.code == ExitCode.OK
    assert badly.code == ExitCode.ACCESS
    for secret in (KEY, TOKEN):
        assert secret not in done
        assert not any(secret in target for target in asked)
        assert not any(secret.encode() in content for content in kept)
