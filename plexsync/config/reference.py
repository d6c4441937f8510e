"""The tables of keys in docs/configuration.md, made from the declarations of the keys.

`python -m plexsync.config.reference docs/configuration.md` writes them into the file.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from plexsync.config.schema import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.config.keys import Key

TABLE_HEAD = "| key | default | variable | meaning |"
_SECTION = re.compile(r"## `\[(\w+)\]`")


def with_tables(guide: str) -> str:
    """Return the guide with the table of each section as the keys are declared now."""
    return "\n".join(_lines(guide.split("\n")))


def key_row(key: Key) -> str:
    """Return the row of one key."""
    default = "required" if key.required else f"`{key.default}`" if key.default else "none"
    return f"| `{key.name}` | {default} | `{key.variable}` | {key.meaning} |"


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


def _main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(with_tables(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    _main()
