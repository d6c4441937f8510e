"""The first hour: from an empty home to a dry run by a few keys; every line as it is printed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from tests.support.first_hour import TOKEN, FirstHour, first_hour
from tests.support.terminals import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HOW_TO = sorted((ROOT / "docs" / "how-to").glob("*.md"))
NEEDS_A_RUN = {"undo.md", "alerts.md", "cron.md"}
OF_OTHERS = ("pipx ", "make ", "systemctl ", "loginctl ", "journalctl ", "podman ", "docker ")
"""Lines that call other programs, which are not to be had, or not to be started, in a test."""


@pytest.fixture(name="hour")
def make_hour(tmp_path: Path) -> Iterator[FirstHour]:
    """Both servers and an empty home."""
    with first_hour(tmp_path) as hour:
        yield hour


def printed_lines(page: Path) -> list[str]:
    """Every line to type on a page, without the comment behind it."""
    found = re.findall(r"^    (\S.*?)(?:\s+#.*)?$", page.read_text("utf-8"), re.MULTILINE)
    return [re.split(r"\s{2,}", line)[0] for line in found]


def test_a_stranger_gets_to_a_dry_run_by_a_few_keys(hour: FirstHour) -> None:
    """No file is edited, no token is typed, and the dry run is the first thing on the screen."""
    assert hour.init_by_keys() == ExitCode.OK
    seen = plain(hour.seen[0])
    assert "Dry run, nothing was written: 10 would be written, 1 waiting for review" in seen
    assert "    plexsync run\n" in seen
    assert "plexsync schedule cron" in seen
    assert TOKEN not in hour.seen[0]
    assert hour.keys == len(hour.stash_url) + 7
    config = tomllib.loads((hour.home / ".config/plexsync/config.toml").read_text("utf-8"))
    assert config["plex"]["token"] == {"file": "plex-token"}
    assert config["paths"] == [{"stash": "/data/", "plex": "/media/"}]
    assert config["apply"]["preserve_plex_edits"] is True
    assert hour.plex.writes == ()


def type_page(hour: FirstHour, page: Path) -> None:
    """Type every line of a page in its order."""
    for line in printed_lines(page):
        if line.startswith(OF_OTHERS):
            continue
        if line == "plexsync init":
            assert hour.init_by_keys() == ExitCode.OK
        elif line == "plexsync review":
            assert hour.by_keys(line, ("scene 7", "q")) == ExitCode.OK
        else:
            done = hour.type(line)
            assert done.returncode == ExitCode.OK, (page.name, line, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "tutorial.md"], ids=str)
def test_every_line_of_the_first_pages_works_as_printed(hour: FirstHour, page: Path) -> None:
    """From an empty home, in the order of the page."""
    type_page(hour, page)
    assert hour.plex.writes


@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: str(page.name))
def test_every_line_of_a_how_to_works_as_printed(hour: FirstHour, page: Path) -> None:
    """For somebody who has done the first steps."""
    assert hour.type("plexsync init --yes", servers=True).returncode == ExitCode.OK
    first = "plexsync run" if page.name in NEEDS_A_RUN else "plexsync run -n"
    assert hour.type(first).returncode == ExitCode.OK
    type_page(hour, page)
