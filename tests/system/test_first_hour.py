"""The first hour: from an empty home to a dry run by a few keys; every line as it is printed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.config.loader import load_config
from plexsync.errors import ExitCode
from tests.support.first_hour import TOKEN, FirstHour, first_hour
from tests.support.stand_ins import STAND_INS, run_crontab
from tests.support.terminals import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FIRST_PAGES = (ROOT / "README.md", ROOT / "docs" / "tutorial.md")
HOW_TO = sorted((ROOT / "docs" / "how-to").glob("*.md"))
COMMENTED = (ROOT / "Containerfile", ROOT / "compose.yaml")
"""Files that how-tos hand out, with lines to type in their comments."""

IN_A_CLONE = {"README.md", "containers.md", "Containerfile", "compose.yaml"}
FIRST = {
    "alerts.md": "plexsync run",
    "cron.md": "plexsync run",
    "review.md": "plexsync run -n",
    "undo.md": "plexsync run",
}
"""What readers of a page have done."""

BY_KEYS = "plexsync review"

MINIMAL = '[stash]\nurl = "http://stash"\n[plex]\nurl = "http://plex"\ntoken = "a-long-token"\n'


@pytest.fixture(name="hour")
def make_hour(tmp_path: Path) -> Iterator[FirstHour]:
    """Both servers and an empty home."""
    with first_hour(tmp_path) as hour:
        yield hour


def printed_lines(page: Path) -> list[str]:
    """Return every line to type on a page in its order, what a comment offers instead included.

    On a page of words those are the indented lines, also of what plexsync prints there, and what
    stands in the text of a program other than plexsync; in other files the indented comments.
    """
    text = page.read_text("utf-8")
    if page.suffix != ".md":
        return re.findall(r"^#   (\S.*)$", text, re.MULTILINE)
    others = "|".join(STAND_INS)
    found = re.findall(rf"^    (\S.*)$|`((?:{others}) [^`]+)`", text, re.MULTILINE)
    lines = [indented or spoken for indented, spoken in found]
    return [one for line in lines for one in (line, *re.findall(r"#.*\bor: (.+)$", line))]


WITH_LINES = [page for page in (*HOW_TO, *COMMENTED) if printed_lines(page)]


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
    where = hour.clone() if page.name in IN_A_CLONE else hour.home
    for line in printed_lines(page):
        command = re.split(r"\s+#", line)[0]
        if command == "plexsync init":
            assert hour.init_by_keys() == ExitCode.OK
        elif command.endswith(BY_KEYS):
            assert hour.by_keys(line, ("scene 7", "q"), where=where) == ExitCode.OK
        else:
            done = hour.type(line, where=where)
            assert done.returncode == ExitCode.OK, (page.name, line, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr


@pytest.mark.parametrize("page", FIRST_PAGES, ids=lambda page: str(page.name))
def test_every_line_of_the_first_pages_works_as_printed(hour: FirstHour, page: Path) -> None:
    """From an empty home, in the order of the page."""
    type_page(hour, page)
    assert hour.plex.writes


@pytest.mark.parametrize("page", WITH_LINES, ids=lambda page: str(page.name))
def test_every_line_of_a_how_to_works_as_printed(hour: FirstHour, page: Path) -> None:
    """For somebody who has done the first steps."""
    assert hour.type("plexsync init --yes", servers=True).returncode == ExitCode.OK
    if page.name in FIRST:
        assert hour.type(FIRST[page.name]).returncode == ExitCode.OK
    type_page(hour, page)


def test_the_printed_crontab_runs(hour: FirstHour) -> None:
    """With nothing but what it sets itself."""
    assert hour.type("plexsync init --yes", servers=True).returncode == ExitCode.OK
    printed = hour.type("plexsync schedule cron").stdout

    assert run_crontab(printed, hour.home) == 1
    assert hour.plex.writes


def test_the_example_of_a_crontab_runs(hour: FirstHour) -> None:
    """From an empty home, once its comments are followed and its addresses are those of here."""
    text = (ROOT / "cron.example").read_text("utf-8").replace("/home/you", str(hour.home))
    for line in printed_lines(ROOT / "cron.example"):
        assert hour.type(line).returncode == ExitCode.OK, line
    (hour.home / ".local/bin").mkdir(parents=True)
    (hour.home / ".local/bin/plexsync").symlink_to(hour.programs / "plexsync")

    for usual, here in ((":9999", hour.stash_url), (":32400", hour.plex_url)):
        text = text.replace(f"http://localhost{usual}", here)
    assert run_crontab(text, hour.home) == 1
    assert hour.plex.writes


@pytest.mark.parametrize("page", [*FIRST_PAGES, *HOW_TO], ids=lambda page: str(page.name))
def test_every_fenced_block_can_be_used_as_it_is(page: Path, tmp_path: Path) -> None:
    """As a file or as variables; what README shows of a run has a test of its own."""
    token, config = tmp_path / "plex-token", tmp_path / "config.toml"
    for file, content in ((token, TOKEN), (config, "")):
        file.write_text(content, "utf-8")
        file.chmod(0o600)
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for kind, text in blocks:
        path: Path | None = config
        variables: dict[str, str] = {}
        if kind == "toml":
            config.write_text(text if "[plex]" in text else MINIMAL + text, "utf-8")
        elif kind == "dotenv":
            given = text.replace("/run/secrets/plex", str(token))
            path, variables = None, dict(line.split("=", 1) for line in given.splitlines())
        else:
            assert (page.name, kind) == ("README.md", "text")
            continue
        assert load_config(path, variables, home=tmp_path).warnings == ()
