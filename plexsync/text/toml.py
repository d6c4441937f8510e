"""Values as TOML text: the one writer for every file that is made and every rule that is shown.

What is written reads back equal, and holds no character a terminal could act on: whatever is not
printable (controls, direction marks, odd spaces) is written as an escape.
Source: https://toml.io/en/v1.0.0, "String" and "Inline Table".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexsync.models import PathRule

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LAST_OF_FOUR_DIGITS = "\uffff"


def toml_string(text: str) -> str:
    """Return `text` as a basic string. Lone surrogates, which no TOML can hold, are escaped too."""
    return '"' + "".join(_escaped(char) for char in text) + '"'


def toml_value(value: object) -> str:
    """Return a text, number, flag, list or table on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return toml_string(value)
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(name)} = {toml_value(one)}" for name, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(one) for one in value) + "]"
    return str(value)


def rule_lines(rule: PathRule) -> tuple[str, ...]:
    """Return a path rule as the lines of a configuration file."""
    return ("[[paths]]", f"stash = {toml_string(rule.stash)}", f"plex = {toml_string(rule.plex)}")


def rule_table(rule: PathRule) -> str:
    """Return a path rule as an inline table, an element of `paths = [...]`."""
    return toml_value({"stash": rule.stash, "plex": rule.plex})


def rules_text(rules: Iterable[PathRule]) -> str:
    """Return path rules as a part of a configuration file, an empty line between them."""
    return "\n".join("\n".join((*rule_lines(rule), "")) for rule in rules)


def rule_arrow(rule: PathRule) -> str:
    """Return a path rule for a sentence: `/data/ -> /media/`."""
    return f"{shown_path(rule.stash)} -> {shown_path(rule.plex)}"


def shown_path(path: str) -> str:
    """Return a path as it is where it can be shown, else as a string with escapes."""
    return path if path.isprintable() and path == path.strip() else toml_string(path)


# ---- Private -------------------------------------------------------------------------------------


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04X}" if char <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08X}"


def _key(name: object) -> str:
    text = str(name)
    return text if _BARE_KEY.fullmatch(text) else toml_string(text)
