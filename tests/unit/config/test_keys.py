"""One declaration a key: what reads, shows, checks and names it follows from that alone."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from plexsync.config import forms
from plexsync.config.configuration import (
    BY_NAME,
    FIELDS,
    KEYS,
    LIBRARIES,
    PATHS,
    SECTIONS,
    Config,
)
from plexsync.config.loader import load_config
from plexsync.config.reference import config_schema
from plexsync.config.secrets import HIDDEN
from plexsync.text.toml import toml_value
from tests.support.toml_schema import fits

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.config.forms import Key

NEEDED = {
    "stash.url": "http://stash:9999",
    "plex.url": "http://plex:32400",
    "plex.token": "token-in-file",
}

SAMPLES: dict[int, tuple[object, str]] = {
    id(forms.FLAG): (True, "yes"),
    id(forms.COUNT): (7, "7"),
    id(forms.SHARE): (0.25, "0.25"),
    id(forms.NAMES): (["a", "b c"], "a, b c"),
    id(forms.FOLDERS): (["/data/a", "//nas/b c"], "/data/a, //nas/b c"),
    id(forms.FIELD_NAMES): (["title", "date"], "title,date"),
    id(forms.DURATION): ("1h30m", "1h30m"),
    id(forms.ADDRESS): ("https://lan/sub", "https://lan/sub/"),
    id(forms.STASH_ADDRESS): ("https://lan/sub/graphql", "https://lan/sub"),
    id(forms.VERIFY): (False, "off"),
    id(forms.SECRET): ("canary-1", "canary-1"),
    id(forms.HEADERS): ({"X-A": "canary-1", "X-B": "canary-2"}, "X-A=canary-1, X-B=canary-2"),
    id(forms.POLICY): ("fill", "fill"),
    id(forms.TEXT_POLICY): ("fill", "fill"),
    id(forms.TAG_TARGET): ("label", "label"),
    id(forms.BY_TAG): (["soft* = R"], "soft* = R"),
    id(forms.ROLE): ("{name}", "{name}"),
    id(forms.SHARED_NAME): ("{name} ({id})", "{name} ({id})"),
    id(forms.PHOTO): ("{image}", "{image}"),
    id(forms.COLLECTION_TITLE): ("{kind} {name}", "{kind} {name}"),
    id(forms.COLLECTION_SORT_TITLE): ("{kind} {name}", "{kind} {name}"),
    id(forms.SHOW_TITLE): ("The {studio}", "The {studio}"),
    id(forms.SEASON_TITLE): ("{studio} {year}", "{studio} {year}"),
    id(forms.TEMPLATES): (["{id}", "b"], "{id}, b"),
    id(forms.SECRETS): (["canary-1", "canary-2"], "canary-1, canary-2"),
    id(forms.NEW_FILE): ("/plexsync.prom", "/plexsync.prom"),
}
"""What a file says and what a variable says to mean the same, by form."""


def sample(key: Key) -> tuple[object, str]:
    """A value of `key` in a file, and in a variable."""
    if id(key.form) in SAMPLES:
        return SAMPLES[id(key.form)]
    items = key.form.schema.get("items")
    if isinstance(items, dict) and "enum" in items:
        return items["enum"][1:], ",".join(items["enum"][1:])
    words = key.form.schema.get("enum")
    text = str(words[-1]) if isinstance(words, list) else "made of {title}"
    return text, text


def nested(pairs: dict[str, object]) -> dict[str, Any]:
    """A document with these keys; a field that has parts becomes a table."""
    document: dict[str, Any] = {}
    for name, value in pairs.items():
        *path, last = name.split(".")
        table = document
        for step in path:
            table = table.setdefault(step, {})
        table[last] = value
    return document


def as_toml(document: dict[str, Any]) -> str:
    """The document, each section's keys on a line of its own."""
    lines = []
    for section, table in document.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {toml_value(value)}" for name, value in table.items()]
    return "\n".join(lines)


def from_file(home: Path, pairs: dict[str, object]) -> Config:
    """The configuration of a file that says `pairs` and what is needed."""
    path = home / "config.toml"
    path.write_text(as_toml(nested({**NEEDED, **pairs})), "utf-8")
    path.chmod(0o600)
    return load_config(path, {}, home=home)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_key_says_the_same_in_a_file_and_in_a_variable(key: Key, tmp_path: Path) -> None:
    """And differs from what counts without it, where it has a default."""
    written, text = sample(key)
    by_file = from_file(tmp_path, {key.name: written})
    environ = {BY_NAME[name].variable: value for name, value in NEEDED.items()}
    by_variable = load_config(None, {**environ, key.variable: text}, home=tmp_path)
    same: dict[str, Any] = {"source": None, "settings": (), "warnings": ()}
    assert replace(by_file, **same) == replace(by_variable, **same)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_key_is_shown_with_its_value_and_never_with_a_secret(key: Key, tmp_path: Path) -> None:
    """What is shown reads back, but for what is hidden; all secrets are known to whoever prints."""
    written, _ = sample(key)
    config = from_file(tmp_path, {key.name: written})
    (shown,) = [one.value for one in config.settings if one.key == key.name]
    assert "canary" not in shown
    if HIDDEN not in shown:
        assert tomllib.loads(f"x = {shown}")["x"] == written
    text = json.dumps(written)
    known = {secret.reveal() for secret in config.secrets}
    assert {word for word in ("canary-1", "canary-2") if word in text} <= known


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_key_fits_the_schema(key: Key) -> None:
    """As a sample has it, and not as a list of numbers."""
    written, _ = sample(key)
    assert fits(nested({key.name: written}), config_schema())
    assert not fits(nested({key.name: [1]}), config_schema())


def test_every_section_is_declared_once() -> None:
    """In the order of the file, in `Config`, and with keys no other has."""
    assert {name for name, made in SECTIONS.items() if made is None} == {PATHS, FIELDS, LIBRARIES}
    assert set(Config.__struct_fields__) >= set(SECTIONS)
    assert len({key.name for key in KEYS}) == len(KEYS)
