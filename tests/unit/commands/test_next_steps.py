"""Every command an error, a row or a warning names reads the configuration that was given."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import plexsync
from plexsync.app.announcing import Announcement
from plexsync.app.failures import report_failure
from plexsync.app.runs import Truthful
from plexsync.cli import cli
from plexsync.errors import PlexsyncError
from plexsync.output.console import Invocation, with_option
from plexsync.output.reporters import PipeReporter
from plexsync.output.streams import Shape, Sink
from tests.support.factories import make_problem, make_row, make_summary

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(plexsync.__file__).parent
FILE = Path("other one.toml")
OPTION = " --config 'other one.toml'"
READ_NONE = frozenset({"completion", "demo", "hook", "schema"})
"""Commands that read no configuration, or find it in another way."""
NAMED = re.compile(rf"\bplexsync (?!--)(?:{'|'.join(sorted({*cli.commands} - READ_NONE))})\b")

ENDS = re.compile(rf"{OPTION}| (?:-h|--help)\b")


def texts() -> Iterator[str]:
    """Yield every text of the package that names a command, but docstrings and lists of options."""
    for file in sorted(ROOT.rglob("*.py")):
        if file.is_relative_to(ROOT / "simulators"):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and id(node) not in alone and NAMED.search(value):
                yield value


def commands(group: click.Group, *above: str) -> Iterator[str]:
    """Yield the names of all commands, those above included."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)
        else:
            yield " ".join((*above, name))


def kinds(kind: type[PlexsyncError]) -> Iterator[type[PlexsyncError]]:
    """Yield a class of errors and all below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


@pytest.mark.parametrize("name", [*commands(cli), "review"])
def test_a_command_that_is_named_reads_the_same_file(name: str) -> None:
    """Right after its name, once, and only where it reads one."""
    sentence = f"look: plexsync {name} shows it (plexsync {name} --help)"
    option = "" if name in READ_NONE else OPTION
    named = f"look: plexsync {name}{option} shows it (plexsync {name} --help)"
    assert with_option(sentence, FILE) == named
    assert with_option(named, FILE) == named
    assert with_option(sentence, None) == sentence


def test_no_text_names_a_command_that_would_read_another_file() -> None:
    """Whatever part of the program says it."""
    every = list(texts())
    assert len(every) > 50
    for text in every:
        named = with_option(text, FILE)
        assert len(NAMED.findall(text)) == len(ENDS.findall(named)), text


@pytest.mark.parametrize("as_json", [False, True], ids=["words", "document"])
def test_an_error_names_the_file(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """Of any kind, with the remedy of its kind or another."""
    invocation = Invocation(Shape(json=as_json))
    invocation.config, invocation.command = FILE, "status"
    for kind in kinds(PlexsyncError):
        if "__init__" not in vars(kind) or kind is PlexsyncError:
            report_failure(kind("it failed"), invocation)
    report_failure(PlexsyncError("it failed", hint="plexsync history lists all runs"), invocation)
    shown = "".join(capsys.readouterr())
    assert "plexsync history --config 'other one.toml' lists" in shown
    assert len(NAMED.findall(shown)) == shown.count(OPTION) > 8


def test_a_run_names_the_file() -> None:
    """With the error of a row and of the whole, with a reason, and with a warning."""
    out, err = io.BytesIO(), io.BytesIO()
    invocation = Invocation(Shape(verbosity=1))
    invocation.config = FILE
    failure = make_problem(hint="plexsync retry tries again")
    announcement = Announcement(environ={}, warn=print, complain=print, typed=str, wanted=False)
    shown = PipeReporter(Sink(out), Sink(err), invocation.shape)
    reporter = Truthful(shown, invocation, announcement)
    reporter.warn("plexsync adopt takes it over")
    reporter.row(make_row(changes=(), reason="or plexsync run --take-over"))
    reporter.row(make_row(error=failure))
    reporter.finished(make_summary(error=failure))
    text = (out.getvalue() + err.getvalue()).decode()
    for command in ("adopt", "run", "retry"):
        assert f"plexsync {command}{OPTION}" in text
    assert len(NAMED.findall(text)) == text.count(OPTION)
