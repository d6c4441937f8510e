"""JSON schemas of the documents and events: what `plexsync schema` prints.

Run `python -m plexsync.output.formats.schemas FOLDER` to write them all, as docs/schemas has them.
Source: JSON Schema 2020-12; msgspec, "JSON Schema".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

from plexsync.output.formats.documents import FORMS


def schema_text(name: str) -> str:
    """Return the JSON schema of the document called `name`, one of `FORMS`."""
    found = msgspec.json.schema(FORMS[name])
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"plexsync/{name}/1",
    }
    return json.dumps(head | found, indent=1) + "\n"


def write_schemas(folder: Path) -> None:
    """Write every schema into `folder`, which must exist."""
    for name in FORMS:
        (folder / f"{name}.json").write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
