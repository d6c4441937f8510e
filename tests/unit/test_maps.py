"""The map of every folder, its `__init__.py`: true, complete, and nothing but a map."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import plexsync

PACKAGE = Path(plexsync.__file__).parent
FOLDERS = sorted(
    str(path.parent.relative_to(PACKAGE))
    for path in PACKAGE.rglob("__init__.py")
    if path.parent != PACKAGE
)
_LEAST_LINES, _MOST_LINES = 6, 18


def map_of(folder: str) -> str:
    """Return the docstring of a folder."""
    tree = ast.parse((PACKAGE / folder / "__init__.py").read_text(encoding="utf-8"))
    return ast.get_docstring(tree) or ""


def modules_of(folder: str) -> set[str]:
    """Return what lies in a folder, as a map writes it: `name.py` or `name/`."""
    parts = {path.name for path in (PACKAGE / folder).glob("*.py")} - {"__init__.py"}
    return parts | {f"{path.parent.name}/" for path in (PACKAGE / folder).glob("*/__init__.py")}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_map_says_what_flows_and_where_to_begin(folder: str) -> None:
    """In, out, and the file to read first, on less than a screen."""
    text = map_of(folder)
    assert [word for word in ("In: ", "Out:", "Read first: `") if word not in text] == []
    assert _LEAST_LINES <= len(text.splitlines()) <= _MOST_LINES


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_map_names_what_is_there(folder: str) -> None:
    """A module that goes takes its line on the map with it, and one that comes brings one."""
    named = set(re.findall(r"`(\w+(?:\.py|/))`", map_of(folder)))
    assert named == modules_of(folder)


@pytest.mark.parametrize("folder", [name for name in FOLDERS if name != "models"])
def test_a_map_hands_out_no_names(folder: str) -> None:
    """A name has one address, that of the module it stands in; only the nouns have a short one."""
    tree = ast.parse((PACKAGE / folder / "__init__.py").read_text(encoding="utf-8"))
    assert [type(node).__name__ for node in tree.body] == ["Expr"]
