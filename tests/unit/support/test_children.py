"""A command in a copy of a process prints what one in a new interpreter prints, and ends alike."""

from __future__ import annotations

import importlib.util

import pytest

from tests.support.children import PRELOADED
from tests.support.terminals import run_plexsync


@pytest.mark.parametrize(
    ("arguments", "terminals"),
    [(["run"], ["stderr"]), (["config", "show"], []), (["--help"], ["stdout", "stderr"])],
    ids=" ".join,
)
def test_a_copy_is_like_a_new_interpreter(arguments: list[str], terminals: list[str]) -> None:
    """Otherwise what is cheap to start would be another program than the one people have."""
    environ = {"PLEXSYNC_PLEX__URL": "http://plex.invalid/\N{BLACK STAR}", "COLUMNS": "70"}
    copy = run_plexsync(arguments, environ, terminals=terminals)
    new = run_plexsync(arguments, {"PYTHONHASHSEED": "0", **environ}, terminals=terminals)
    assert copy == new
    assert new.out + new.err


@pytest.mark.parametrize("name", PRELOADED)
def test_what_is_imported_before_a_copy_is_there(name: str) -> None:
    """Python passes over a module it does not find, and each copy would import it by itself."""
    assert importlib.util.find_spec(name) is not None
