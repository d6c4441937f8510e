"""docs/configuration.md tells what the code does: each key, its default, its variable, examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.config.configuration import KEYS, MINIMAL
from plexsync.config.forms import ENV_CONFIG, ENV_PATHS, ENV_STATE_DIR
from plexsync.config.loader import load_config
from plexsync.config.reference import key_row, with_tables
from plexsync.config.secrets import SOURCES
from plexsync.models import Policy

if TYPE_CHECKING:
    from plexsync.config.forms import Key

GUIDE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")

EXAMPLES = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)


def test_the_tables_are_those_of_the_declared_keys() -> None:
    """Each key once, in the section it belongs to; the command in the hint writes them."""
    hint = "python -m plexsync.config.reference docs/configuration.md"
    assert with_tables(GUIDE) == GUIDE, hint
    assert [line for line in GUIDE.splitlines() if line in map(key_row, KEYS)] == [
        key_row(key) for key in KEYS
    ]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_has_a_meaning(key: Key) -> None:
    """A sentence, at least, that fits into a cell."""
    assert key.meaning.endswith(".")
    assert "|" not in key.meaning
    assert "\n" not in key.meaning


@pytest.mark.parametrize("word", [ENV_CONFIG, ENV_STATE_DIR, ENV_PATHS, *SOURCES, *Policy])
def test_every_word_is_explained(word: str) -> None:
    """Variables that are no key, sources of secrets, policies."""
    rows = [line for line in GUIDE.splitlines() if line.startswith("|")]
    assert any(re.search(rf"\b{word}\b", row) for row in rows)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_works(text: str, tmp_path: Path) -> None:
    """What the guide shows can be copied; only the places of secrets are made up here."""
    token = tmp_path / "plex-token"
    token.write_text("token", "utf-8")
    text = text.replace("/run/secrets/stash", str(token)).replace("pass", "echo")
    text = text.replace('"show", "plex/token"', '"token"')
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    environ = {
        "PATH": "/usr/bin:/bin",
        "PLEXSYNC_STASH__URL": "http://stash",
        "PLEXSYNC_PLEX__URL": "http://plex",
    }
    if "[plex]" not in text:
        environ["PLEXSYNC_PLEX__TOKEN"] = "token"
    load_config(path, environ, home=tmp_path)


def test_the_smallest_example_is_the_one_the_program_shows() -> None:
    """One example, in two places."""
    assert EXAMPLES[0] == MINIMAL
