"""How deep a write lies: the functions of ours between the command line and a request to Plex."""

from __future__ import annotations

import sys
import traceback
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import plexsync
from plexsync.cli import run_command_line
from plexsync.simulators.library.demo import demo_library
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(plexsync.__file__).parent

MOST_FRAMES = 18
"""Functions of ours from the command line to the request. Source: docs/design.md."""

_watchers: list[list[list[str]]] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """Note the functions of ours that are under way when a PUT leaves, if anybody wants to know."""
    if event == "http.client.send" and _watchers and _method(arguments[1]) == b"PUT":
        frames = traceback.extract_stack()
        paths = [(Path(one.filename), one.name) for one in frames]
        _watchers[-1].append(
            [
                f"{path.relative_to(PACKAGE)}:{name}"
                for path, name in paths
                if path.is_relative_to(PACKAGE) and not path.is_relative_to(PACKAGE / "simulators")
            ]
        )


def _method(sent: object) -> bytes:
    return sent.partition(b" ")[0] if isinstance(sent, bytes) else b""


@contextmanager
def puts_watched() -> Iterator[list[list[str]]]:
    """Yield the functions under way at each PUT, outermost first."""
    _hook()
    _watchers.append([])
    yield _watchers[-1]
    _watchers.pop()


@cache
def _hook() -> None:
    """Have `_watch` called; for good, since Python takes no such hook back."""
    sys.addaudithook(_watch)


@pytest.mark.parametrize("command", ["run", "apply", "undo"])
def test_few_functions_lie_between_the_command_line_and_a_write(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the work comes from, a reader of a PUT follows few calls, over real HTTP."""
    with World(demo_library(), tmp_path) as world:
        for name, value in world.environ().items():
            monkeypatch.setenv(name, value)
        plan = str(tmp_path / "plan.json")
        before = {"run": [], "apply": [["run", "--save-plan", plan]], "undo": [["run"]]}[command]
        for arguments in before:
            assert run_command_line(["-q", *arguments]) == 0
        given = {"run": ["run"], "apply": ["apply", plan], "undo": ["undo", "last"]}[command]
        with puts_watched() as puts:
            assert run_command_line(["-q", *given]) == 0
    assert puts
    deepest = max(puts, key=len)
    assert len(deepest) <= MOST_FRAMES, "\n".join(deepest)
