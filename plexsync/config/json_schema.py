"""The JSON schema of the configuration file, for editors that check while one types.

Made from the same table of keys that reads the file, so the two cannot differ. It is less strict
than plexsync itself, which also checks addresses, durations, templates and files.
Source: https://json-schema.org/draft/2020-12.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plexsync.config.forms import TEXT_SCHEMA, Json, table_schema
from plexsync.config.schema import FIELDS, KEYS, PATHS, SECTIONS
from plexsync.config.sources import POLICY_KEY

if TYPE_CHECKING:
    from plexsync.config.keys import Key

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


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
    return table_schema({key.name.partition(".")[2]: _key(key) for key in below})


def _paths() -> Json:
    rule = table_schema({"stash": TEXT_SCHEMA, "plex": TEXT_SCHEMA})
    return {"type": "array", "items": {**rule, "required": ["stash", "plex"]}}


def _key(key: Key) -> Json:
    """Return the schema of a key's value; of a field, also that of its table."""
    described = _described(key)
    if not key.name.startswith(f"{FIELDS}."):
        return described
    start = f"{key.name}."
    parts = [one for one in KEYS if one.name.startswith(start)]
    table: Json = {POLICY_KEY: key.form.schema}
    table |= {one.name.removeprefix(start): _described(one) for one in parts}
    either = {"anyOf": [key.form.schema, table_schema(table)]}
    return {**either, "description": described["description"]}


def _described(key: Key) -> Json:
    """Return the schema of a key's value, with the meaning of the guide without its links."""
    meaning = _LINK.sub(r"\1", key.meaning)
    default = f" Default: {key.default}." if key.default else ""
    return {**key.form.schema, "description": f"{meaning} Also {key.variable}.{default}"}
