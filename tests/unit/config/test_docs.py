"""docs/configuration.md tells what the code does: each key, its default, its variable, examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plexsync.config.loader import load_config
from plexsync.config.schema import ENV_CONFIG, ENV_PATHS, ENV_STATE_DIR, KEYS, MINIMAL, Key
from plexsync.config.secrets import SOURCES
from plexsync.models import Policy

GUIDE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")

ROWS = {
    cells[0].strip("` "): [cell.strip() for cell in cells[1:]]
    for line in GUIDE.splitlines()
    if line.startswith("| `") and len(cells := line.strip("|").split(" | ")) == 4
}
"""The rows of the tables of keys: default, variable and meaning by key."""

EXAMPLES = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_is_documented(key: Key) -> None:
    """With the default and the variable it has in the code, and a meaning."""
    default, variable, meaning = ROWS[key.name]
    expected = "required" if key.required else f"`{key.default}`" if key.default else "none"
    assert default == expected
    assert variable == f"`{key.variable}`"
    assert meaning.endswith(".")


def test_nothing_else_is_documented() -> None:
    """A key that was taken away leaves the guide, too."""
    assert list(ROWS) == [key.name for key in KEYS]


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
