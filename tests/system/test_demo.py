"""The demo: true from the first look to the run with nothing to do, on every terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from rich.cells import cell_len

from plexsync.app.demo import TO_TRY
from plexsync.errors import ExitCode
from tests.support.terminals import plain, run_plexsync

CHAPTERS = ("1  Look first", "2  Write", "3  Somebody changes", "4  Nothing to do")


def test_demo_tells_the_whole_story_without_a_terminal(tmp_path: Path) -> None:
    """In CI: exit 0, all chapters in order, no escape sequence, nothing on stderr, no litter."""
    done = run_plexsync(["demo"], {"TMPDIR": str(tmp_path)})

    places = [done.out.index(chapter) for chapter in CHAPTERS]
    assert done.code == ExitCode.OK
    assert places == sorted(places)
    assert "\x1b" not in done.out
    assert done.err == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("width", [60, 100, 200])
def test_demo_fits_the_terminal(width: int, tmp_path: Path) -> None:
    """Nothing runs over the right edge, colours are there, the story is the same."""
    done = run_plexsync(
        ["demo"], {"TMPDIR": str(tmp_path)}, terminals=("stdout", "stderr"), width=width
    )

    lines = plain(done.out).splitlines()
    # What is meant to be copied is never wrapped.
    text = [line for line in lines if not line.startswith("    ")]
    assert done.code == ExitCode.OK
    assert max(map(cell_len, text)) <= width
    assert "\x1b[" in done.out
    assert all(any(chapter in line for line in lines) for chapter in CHAPTERS)


def test_demo_in_a_dumb_terminal_is_plain(tmp_path: Path) -> None:
    """TERM=dumb: not one escape sequence on either stream."""
    done = run_plexsync(
        ["demo"],
        {"TMPDIR": str(tmp_path), "TERM": "dumb"},
        terminals=("stdout", "stderr"),
    )

    assert done.code == ExitCode.OK
    assert "\x1b" not in done.out + done.err


def test_quiet_demo_says_nothing(tmp_path: Path) -> None:
    """`-q` leaves the exit code."""
    done = run_plexsync(["demo", "-q"], {"TMPDIR": str(tmp_path)})

    assert (done.code, done.out, done.err) == (0, "", "")


def test_kept_demo_can_be_used_from_elsewhere(tmp_path: Path) -> None:
    """What `--keep` says to type works, until a signal ends it and all of it is gone."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "plexsync", "demo", "--keep"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as demo:
        assert demo.stdout
        printed = _read_until(demo.stdout, "Ctrl-C here ends")
        environ = dict(re.findall(r"export (\w+)=(\S+)", printed))

        tried = [
            run_plexsync(command.split()[1:], environ)
            for command, _ in TO_TRY
            if command != "plexsync review"  # needs a terminal
        ]
        done = run_plexsync(["run", "--full", "--json"], environ)
        demo.send_signal(signal.SIGINT)
        demo.stdout.read()

    assert done.code == ExitCode.OK
    assert '"plex_writes":0' in done.out
    assert all(command in printed for command, _ in TO_TRY)
    assert [(one.code, one.out != "") for one in tried] == [(0, True)] * len(tried)
    assert demo.returncode == ExitCode.OK
    assert list(tmp_path.iterdir()) == []


def test_a_plain_install_brings_all_the_demo_needs() -> None:
    """No extra is needed to try plexsync."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    assert any(one.startswith("graphql-core") for one in project["dependencies"])
    assert project["optional-dependencies"]["demo"] == []


@pytest.mark.parametrize("width", [100, 200])
def test_the_demo_fits_two_screens_and_ends_with_what_comes_next(
    width: int, tmp_path: Path
) -> None:
    """Two screens of 55 rows; each film's changes once; the last line is where to begin."""
    done = run_plexsync(
        ["demo"], {"TMPDIR": str(tmp_path)}, terminals=("stdout", "stderr"), width=width
    )
    lines = [line.rstrip() for line in plain(done.out).splitlines()]
    assert len(lines) <= 110
    assert sum("Tides of the" in line for line in lines) <= 3
    assert lines[-1] == "Now yours: plexsync init"
    for command in ("plexsync review", "plexsync explain 7", "plexsync undo last -n"):
        assert any(line.startswith(f"    {command}") for line in lines)


def _read_until(stream: object, words: str, longest_s: float = 180.0) -> str:
    """Lines up to the one that holds `words`."""
    printed, end = "", time.monotonic() + longest_s
    for line in iter(stream.readline, ""):  # type: ignore[attr-defined] # a text stream
        printed += line
        if words in line or time.monotonic() > end:
            break
    return printed
