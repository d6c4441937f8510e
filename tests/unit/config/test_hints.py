"""Hints say what was meant, and never the contrary of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.config.configuration import KEYS
from plexsync.config.loader import load_config
from plexsync.config.sources import InvalidConfigError
from plexsync.config.values import key_hint, quotes_hint, word_hint

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-77"
SERVERS = """[stash]
url = "http://stash:9999"
[plex]
url = "http://plex:32400"
token = "t"
"""


def problem(home: Path, text: str, environ: dict[str, str] | None = None) -> tuple[str, str]:
    """Message and remedy of the one thing wrong."""
    path = home / "config.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidConfigError) as caught:
        load_config(path, environ or {}, home=home)
    (only,) = caught.value.problems
    return only.message, only.remedy


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("only_tags = ['a']", "include_tags"),
        ("include_tag = ['a']", 'Did you mean "include_tags"?'),
        ("exclude_tag = ['a']", 'Did you mean "exclude_tags"?'),
        ("apikey = 'a'", 'Did you mean "api_key"?'),
        ("password = 'a'", "plexsync init"),
    ],
)
def test_an_unknown_key_is_answered_with_what_was_meant(home: Path, line: str, hint: str) -> None:
    """Where only the contrary is near, with what there is instead."""
    _, remedy = problem(home, SERVERS.replace("[plex]", f"{line}\n[plex]"))
    assert hint in remedy
    assert not (line.startswith("include") and "exclude" in remedy)


def test_no_hint_names_the_contrary() -> None:
    """For every key, with the words of a pair exchanged."""
    names = [key.name.rpartition(".")[2] for key in KEYS]
    for one, other in (("include", "exclude"), ("max", "min"), ("exclude", "include")):
        for name in (name for name in names if one in name):
            turned = name.replace(one, other)
            assert f'"{name}"' not in key_hint(turned, set(names) - {turned})
    assert word_hint("titel", ["title"]) == 'Did you mean "title"?'


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('stash = "D:\\films"', "single quotes"),
        ('stash = "C:\\Users\\me"', "single quotes"),
        ("stash = /data/", "Write texts in quotes"),
        ('stash = "/data/', "at its beginning and at its end"),
        ("stash == 1", "https://toml.io"),
    ],
)
def test_a_file_that_is_no_toml_says_what_is_likely_wrong(home: Path, line: str, hint: str) -> None:
    """Backslashes in double quotes, and quotes that are missing."""
    text = SERVERS + f'[[paths]]\n{line}\nplex = "/media/"\n'
    assert hint in problem(home, text.replace("\\\\", "\\"))[1]


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize(
    "variable", ["PLEXSYNC_PLEX__TOKEN", "PLEXSYNC_STASH__URL", "PLEXSYNC_PATHS"]
)
def test_quotes_a_container_kept_are_named(home: Path, variable: str, quote: str) -> None:
    """Rather than sent to Plex; the value is not repeated."""
    path = home / "config.toml"
    path.write_text(SERVERS, "utf-8")
    with pytest.raises(InvalidConfigError) as caught:
        load_config(path, {variable: f"{quote}{CANARY}{quote}"}, home=home)
    first = caught.value.problems[0]
    assert (first.place, first.message) == (variable, "has quotes around its value")
    assert "Take the quotes off" in first.remedy
    assert CANARY not in str(caught.value)


def test_other_quotes_are_left_alone() -> None:
    """Within a value, or one alone."""
    assert [quotes_hint(text) for text in ("", '"', "it's", "a 'b'", "\"a'")] == [""] * 5


@pytest.fixture(name="home")
def make_home(tmp_path: Path) -> Path:
    """A home directory of this test alone."""
    return tmp_path
