"""One name means one thing: no class and no public function of the package has a namesake."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import plexsync

PACKAGE = Path(plexsync.__file__).parent


def names_in(code: str) -> list[str]:
    """Return the classes and public functions a module defines."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    defined = [node for node in ast.parse(code).body if isinstance(node, kinds)]
    return [one.name for one in defined if not one.name.startswith("_")]


def namesakes(modules: dict[str, str]) -> dict[str, list[str]]:
    """Return each name that several modules define, with those modules."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for place, code in sorted(modules.items()):
        for name in names_in(code):
            places[name].append(place)
    return {name: found for name, found in places.items() if len(found) > 1}


def test_a_name_means_one_thing() -> None:
    """The simulators count, too: whoever searches for a name finds one definition."""
    modules = {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
    }
    assert namesakes(modules) == {}


def test_a_namesake_is_found() -> None:
    """Classes, functions and both at once; private ones and methods may repeat."""
    one = "class Row: ...\ndef read(): ...\ndef _own(): ...\nasync def wait(): ..."
    other = "def Row(): ...\ndef wait(): ...\ndef _own(): ...\nclass Box:\n    def read(self): ..."
    assert namesakes({"a.py": one, "b.py": other}) == {
        "Row": ["a.py", "b.py"],
        "wait": ["a.py", "b.py"],
    }
