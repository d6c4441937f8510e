"""No error leaves without a remedy, and each names what to change: a key, an option, a command."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import plexsync
from plexsync.errors import ConfigError, ParseError, PlexsyncError, ServerError
from plexsync.transport.wording import Remedy, ServerWords

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(plexsync.__file__).parent

NAMES_SOMETHING = re.compile(
    r"\[(stash|plex|paths|match|apply|fields|run|notify|metrics)\]"
    r"|\b(fields|notify|metrics)\.\w+"
    r"|\bplexsync [a-z]+|--[a-z]+|\b(PLEXSYNC_\w+|TMPDIR)\b|\bulimit\b|\bchmod\b|\bpipx install\b"
)
"""A key of the configuration, or an option, a command or a variable where there is no key."""


def _import_everything() -> None:
    for module in pkgutil.walk_packages(plexsync.__path__, "plexsync."):
        if not module.name.startswith("plexsync.simulators") and "__main__" not in module.name:
            importlib.import_module(module.name)


def _classes(root: type[PlexsyncError] = PlexsyncError) -> Iterator[type[PlexsyncError]]:
    yield root
    for one in root.__subclasses__():
        yield from _classes(one)


_import_everything()
CLASSES = {one.__name__: one for one in _classes() if one.__module__.startswith("plexsync")}


def _raised() -> Iterator[tuple[str, type[PlexsyncError], ast.Call]]:
    """Yield every place in which an error is made, with its class."""
    for path in sorted(PACKAGE.rglob("*.py")):
        where = path.relative_to(PACKAGE).as_posix()
        if where.startswith("simulators/"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                made = CLASSES.get(node.func.id)
                if made is not None:
                    yield f"{where}:{node.lineno}", made, node


def _texts(node: ast.AST) -> str:
    """The literal words in an expression."""
    found = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
    return " ".join(text for text in found if isinstance(text, str))


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == name), None)


@pytest.mark.parametrize("name", sorted(CLASSES.keys() - {"InterruptedRunError"}))
def test_every_kind_of_error_has_a_remedy_that_names_something(name: str) -> None:
    """For whoever raises it without one of its own; a run that was stopped needs none."""
    assert NAMES_SOMETHING.search(CLASSES[name].remedy), CLASSES[name].remedy


def test_every_error_that_is_made_names_what_to_change() -> None:
    """By its own words, or by its place; words that are worked out elsewhere have tests there."""
    nameless = []
    for place, made, call in _raised():
        hint = _argument(call, "hint")
        if hint is None or issubclass(made, ParseError):
            continue  # the class has a remedy; a value gets the place of its key where it is read
        if issubclass(made, ConfigError) and _argument(call, "context") is not None:
            continue  # its place is the key, or what was typed
        words = _texts(hint)
        from_words = "key(" in ast.unparse(hint) or "_key" in ast.unparse(hint)
        if words and not from_words and not NAMES_SOMETHING.search(words):
            nameless.append(f"{place} {made.__name__}: {words}")
    assert nameless == []


@pytest.mark.parametrize("server", ["Stash", "Plex"])
def test_every_word_about_a_server_names_its_section(server: str) -> None:
    """What the transport says of any failure leads to a key of that server."""
    words = ServerWords(name=server, base_url="http://localhost:1", has_secret=True)
    for remedy in Remedy:
        assert f"[{server.lower()}]" in words.hint(remedy), remedy
    assert f"[{server.lower()}]" in words.remedy(ServerError("anything"))
