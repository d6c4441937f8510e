"""The JSON schema of the configuration file, for editors that check while one types.

Made from the same table of keys that reads the file, so the two cannot differ. It is less strict
than plexsync itself, which also checks addresses, durations, templates and files.
Source: https://json-schema.org/draft/2020-12.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from plexsync.config.schema import (
    KEYS,
    PATHS,
    SECTIONS,
    EmptyPolicy,
    Key,
    MissingTimestamp,
    ValueKind,
)
from plexsync.config.secrets import SOURCES
from plexsync.models import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import StrEnum

Json: TypeAlias = dict[str, object]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Json = {"type": "string"}
_NAMES: Json = {"type": "array", "items": _TEXT}

_WORDS: dict[str, type[StrEnum]] = {
    "stash.missing_timestamp": MissingTimestamp,
    "apply.empty": EmptyPolicy,
}
"""Keys that take one of a few words."""

_LIST_SOURCE = "command"
"""The source of a secret that is a list: a program and its arguments."""


def config_schema() -> Json:
    """The schema of the whole file."""
    # A required key may also stand in a variable, so the file alone need not have it.
    sections = {name: _section(name) for name in SECTIONS if name != PATHS}
    return {
        "$schema": _DRAFT,
        "title": "plexsync configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {**sections, PATHS: _paths()},
    }


# ---- Private -------------------------------------------------------------------------------------


def _section(name: str) -> Json:
    below = [key for key in KEYS if key.name.startswith(f"{name}.") and key.name.count(".") == 1]
    return _table({key.name.partition(".")[2]: _key(key) for key in below})


def _paths() -> Json:
    rule = _table({"stash": _TEXT, "plex": _TEXT})
    return {"type": "array", "items": {**rule, "required": ["stash", "plex"]}}


def _table(properties: Json) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _key(key: Key) -> Json:
    """The schema of a key's value; of a field, also that of its table."""
    if not key.name.startswith("fields."):
        return _described(key, _value(key))
    start = f"{key.name}."
    more = {one.name.removeprefix(start): _value(one) for one in KEYS if one.name.startswith(start)}
    policy = _one_of(Policy)
    return _described(key, {"anyOf": [policy, _table({"policy": policy, **more})]})


def _described(key: Key, schema: Json) -> Json:
    default = f" Default: {key.default}." if key.default else ""
    return {**schema, "description": f"Also {key.variable}.{default}"}


def _value(key: Key) -> Json:
    words = _WORDS.get(key.name)
    return _one_of(words) if words else _FORMS[key.kind]


def _secret_source(name: str) -> Json:
    value = {**_NAMES, "minItems": 1} if name == _LIST_SOURCE else _TEXT
    return {**_table({name: value}), "required": [name]}


def _one_of(words: Iterable[StrEnum]) -> Json:
    return {"enum": [word.value for word in words]}


_FORMS: dict[ValueKind, Json] = {
    ValueKind.TEXT: _TEXT,
    ValueKind.FLAG: {"type": "boolean"},
    ValueKind.COUNT: {"type": "integer", "minimum": 0},
    ValueKind.SHARE: {"type": "number", "minimum": 0},
    ValueKind.NAMES: _NAMES,
    ValueKind.SECRET: {"anyOf": [_TEXT, *map(_secret_source, SOURCES)]},
    ValueKind.VERIFY: {"anyOf": [{"type": "boolean"}, _TEXT]},
}
"""How each kind of value is written."""
