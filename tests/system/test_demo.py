"""The demo: true from the first look to the run with nothing to do, on every terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from plexsync.app.demo import TO_TRY
from plexsync.errors import ExitCode
from tests.support.terminals import plain, run_plexsync

if TYPE_CHECKING:
    from pathlib import Path

CHAPTERS = ("1  Look first", "2  Write", "3  Somebody changes", "4  Nothing to do")


def test_demo_tells_the_whole_story_without_a_terminal(tmp_path: Path) -> None:
    """In CI: exit 0, all chapters in order, no escape sequence, nothing on stderr, no litter."""
    said = run_plexsync(["demo"], {"TMPDIR": str(tmp_path)})

    places = [said.out.index(chapter) for chapter in CHAPTERS]
    assert said.code == ExitCode.OK
    assert places == sorted(places)
    assert "\x1b" not in said.out
    assert said.err == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("width", [60, 100, 200])
def test_demo_fits_the_terminal(width: int, tmp_path: Path) -> None:
    """Nothing runs over the right edge, colours are there, the story is the same."""
    said = run_plexsync(
        ["demo"], {"TMPDIR": str(tmp_path)}, terminals=("stdout", "stderr"), width=width
    )

    lines = plain(said.out).splitlines()
    # What is meant to be copied is never wrapped.
    text = [line for line in lines if not line.startswith("    ")]
    assert said.code == ExitCode.OK
    assert max(map(cell_len, text)) <= width
    assert "\x1b[" in said.out
    assert all(any(chapter in line for line in lines) for chapter in CHAPTERS)


def test_demo_in_a_dumb_terminal_is_plain(tmp_path: Path) -> None:
    """TERM=dumb: not one escape sequence on either stream."""
    said = run_plexsync(
        ["demo"],
        {"TMPDIR": str(tmp_path), "TERM": "dumb"},
        terminals=("stdout", "stderr"),
    )

    assert said.code == ExitCode.OK
    assert "\x1b" not in said.out + said.err


def test_quiet_demo_says_nothing(tmp_path: Path) -> None:
    """`-q` leaves the exit code."""
    said = run_plexsync(["demo", "-q"], {"TMPDIR": str(tmp_path)})

    assert (said.code, said.out, said.err) == (0, "", "")


def test_kept_demo_can_be_used_from_elsewhere(tmp_path: Path) -> None:
    """What `--keep` says to type works, until a signal ends it and all of it is gone."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "plexsync", "demo", "--keep"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as demo:
        assert demo.stdout
        told = _read_until(demo.stdout, "Ctrl-C here ends")
        environ = dict(re.findall(r"export (\w+)=(\S+)", told))

        tried = [
            run_plexsync(command.split()[1:], environ)
            for command, _ in TO_TRY
            if command != "plexsync review"  # needs a terminal
        ]
        said = run_plexsync(["run", "--full", "--json"], environ)
        demo.send_signal(signal.SIGINT)
        demo.stdout.read()

    assert said.code == ExitCode.OK
    assert '"plex_writes":0' in said.out
    assert all(command in told for command, _ in TO_TRY)
    assert [(one.code, one.out != "") for one in tried] == [(0, True)] * len(tried)
    assert demo.returncode == ExitCode.OK
    assert list(tmp_path.iterdir()) == []


def test_demo_without_graphql_core_says_what_to_install() -> None:
    """A plain `pip install plexsync` lacks it: a sentence and a hint, no traceback."""
    script = (
        "import sys; sys.modules['graphql'] = None\n"
        "from plexsync.cli import run_command_line\n"
        "sys.exit(run_command_line(['demo']))"
    )

    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )

    assert done.returncode == ExitCode.USAGE
    assert "graphql" in done.stderr
    assert "pip install 'plexsync[demo]'" in done.stderr
    assert "Traceback" not in done.stderr


def _read_until(stream: object, words: str, longest_s: float = 60.0) -> str:
    """Lines up to the one that holds `words`."""
    told, end = "", time.monotonic() + longest_s
    for line in iter(stream.readline, ""):  # type: ignore[attr-defined] # a text stream
        told += line
        if words in line or time.monotonic() > end:
            break
    return told
