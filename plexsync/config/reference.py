"""What the declarations of the keys are made into: the guide's tables, and the file's JSON schema.

`python -m plexsync.config.reference docs/configuration.md` writes the tables into the guide. The
schema is for editors that check while one types. It is less strict than plexsync itself, which
also checks addresses, durations, templates and files.
Source: https://json-schema.org/draft/2020-12.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from plexsync.config.configuration import FIELDS, KEYS, LIBRARIES, PATHS, SECTIONS
from plexsync.config.forms import TEXT_SCHEMA, Json, Key, table_schema
from plexsync.config.sources import POLICY_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator


TABLE_HEAD = "| key | default | variable | meaning |"
_SECTION = re.compile(r"## `\[(\w+)\]`")
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def with_tables(guide: str) -> str:
    """Return the guide with the table of each section as the keys are declared now."""
    return "\n".join(_lines(guide.split("\n")))


def key_row(key: Key) -> str:
    """Return the row of one key."""
    default = "required" if key.required else f"`{key.default}`" if key.default else "none"
    return f"| `{key.name}` | {default} | `{key.variable}` | {key.meaning} |"


def config_schema() -> Json:
    """Return the schema of the whole file."""
    # A required key may also stand in a variable, so the file alone need not have it.
    sections = {name: _table(name) for name in SECTIONS if name not in {PATHS, LIBRARIES}}
    library = table_schema({FIELDS: sections[FIELDS]})
    return {
        "$schema": _DRAFT,
        "title": "plexsync configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **sections,
            PATHS: _paths(),
            LIBRARIES: {"type": "object", "additionalProperties": library},
        },
    }


# ---- Private -------------------------------------------------------------------------------------


def _lines(lines: list[str]) -> Iterator[str]:
    section, inside = "", False
    for line in lines:
        if heading := _SECTION.fullmatch(line):
            section = heading[1]
        inside = line == TABLE_HEAD or (inside and line.startswith("|"))
        if line == TABLE_HEAD:
            yield from (line, "|---|---|---|---|")
            yield from (key_row(key) for key in KEYS if key.name.startswith(f"{section}."))
        elif not inside:
            yield line


def _table(name: str) -> Json:
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


def _main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(with_tables(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    _main()
