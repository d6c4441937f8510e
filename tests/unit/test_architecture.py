"""What import-linter does not hold of docs/design.md, and that each of its contracts can fail."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import plexsync

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(plexsync.__file__).parent
ROOT = PACKAGE.parent

PURE = ("errors", "matcher", "matching", "models", "planning", "text")
"""The core; what it must not import is the contract `pure` in pyproject.toml."""

IMPURE_CALLS = frozenset({"input", "now", "open", "print", "today", "utcnow"})
"""What the core never calls, as a function or a method."""

SWALLOWING_CALLS = frozenset({"exists", "is_dir", "is_file", "is_mount", "is_symlink"})
"""Methods of a path that, from Python 3.14 on, raise nothing. Source: pathlib's documentation."""

MOST_MODULES = 13
"""Modules in one folder, its map apart. Source: docs/design.md."""

MOST_LINES, MOST_OF_A_FUNCTION = 450, 40
"""Lines of a module, and of a function with its docstring: what fits on a screen."""

HEAVY = frozenset(
    {
        "dataclasses",
        "filelock",
        "graphql",
        "hashlib",
        "jinja2",
        "msgspec",
        "plexapi",
        "prompt_toolkit",
        "rapidfuzz",
        "requests",
        "rich",
        "socket",
        "tempfile",
    }
)
"""What short commands must not wait for. Source: docs/design.md, "Dependencies"."""


def core() -> list[Path]:
    """The modules of the core."""
    return sorted(
        path
        for name in PURE
        for path in [*PACKAGE.glob(f"{name}.py"), *(PACKAGE / name).rglob("*.py")]
    )


def folders() -> list[Path]:
    """The folders of the package that hold modules."""
    return sorted({path.parent for path in PACKAGE.rglob("*.py")})


def impure_calls(source: str) -> list[str]:
    """The calls of a clock, a file or a terminal, as `line: name`."""
    wrong = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in IMPURE_CALLS:
                wrong.append(f"{node.lineno}: {name}()")
    return wrong


def swallowing_calls(source: str) -> list[str]:
    """The calls that answer, from Python 3.14 on, that nothing is there where it cannot be seen."""
    return [
        f"{node.lineno}: {node.func.attr}()"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in SWALLOWING_CALLS
    ]


def statements_in(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements right below one, in whichever of its blocks."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from statements_in(child)


def imported_at_once(body: list[ast.stmt]) -> set[str]:
    """What statements import as soon as their module is imported, names in it included."""
    found: set[str] = set()
    for node in body:
        match node:
            case ast.Import():
                found |= {one.name for one in node.names}
            case ast.ImportFrom():
                found |= {f"{node.module}.{one.name}" for one in node.names} | {str(node.module)}
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                found |= imported_at_once(node.orelse)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                pass
            case _:
                found |= imported_at_once(list(statements_in(node)))
    return found


@pytest.mark.parametrize("path", core(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_core_calls_no_clock_file_or_terminal(path: Path) -> None:
    """Values in, values out: the time and what files hold are arguments."""
    assert impure_calls(path.read_text("utf-8")) == []


@pytest.mark.parametrize("source", ["datetime.now()", "open(x)", "path.open()", "print(1)"])
def test_an_impure_call_is_seen(source: str) -> None:
    """The check itself can fail, for functions and methods."""
    assert len(impure_calls(source)) == 1


def test_no_failure_to_look_at_a_file_reads_as_absence() -> None:
    """`state.mode_of` says that something cannot be seen, with every version of Python."""
    modules = PACKAGE.rglob("*.py")
    calls = {str(one): swallowing_calls(one.read_text("utf-8")) for one in modules}
    assert {name: found for name, found in calls.items() if found} == {}


def test_a_swallowing_call_is_seen() -> None:
    """The check itself can fail."""
    assert swallowing_calls("x = path.parent.is_dir()") == ["1: is_dir()"]


@pytest.mark.parametrize("folder", folders(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_folder_can_be_taken_in_at_a_glance(folder: Path) -> None:
    """A folder says in its first lines what it is for, and holds few modules."""
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
    assert len(list(folder.glob("*.py"))) - 1 <= MOST_MODULES


def too_long(name: str, source: str) -> set[str]:
    """The name of a module that is too long, and of its functions that are."""
    found = {name} if len(source.splitlines()) > MOST_LINES else set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            found |= {f"{name}:{node.name}"} if lines > MOST_OF_A_FUNCTION else set()
    return found


def test_modules_and_functions_can_be_taken_in_at_a_glance() -> None:
    """A function fits on a screen, and a module has one idea."""
    modules = PACKAGE.rglob("*.py")
    found = [too_long(str(one.relative_to(PACKAGE)), one.read_text("utf-8")) for one in modules]
    assert set().union(*found) == set()


def test_what_is_too_long_is_found() -> None:
    """A line more than allowed counts, and a docstring counts as lines."""
    body = '    """Do."""\n' + "    x = 1\n" * (MOST_OF_A_FUNCTION - 2)
    assert too_long("a.py", f"def f():\n{body}") == set()
    assert too_long("a.py", f"def f():\n{body}    x = 1\n") == {"a.py:f"}
    assert too_long("a.py", "x = 1\n" * (MOST_LINES + 1)) == {"a.py"}


def unreasoned(source: str) -> list[str]:
    """The comments that silence a check and do not say why."""
    return re.findall(
        r"# (?:noqa|type: ignore)(?:: [A-Z0-9, ]+|\[[a-z, -]+\])?$", source, re.MULTILINE
    )


def test_whoever_silences_a_check_says_why() -> None:
    """A reason stands behind each, where the rule of pyproject.toml does not give it for all."""
    sources = [path for folder in ("plexsync", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert [str(path) for path in sources if unreasoned(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("silenced", ["x = 1  # noqa: ANN401", "x()  # type: ignore[arg-type]"])
def test_a_check_silenced_without_a_reason_is_seen(silenced: str) -> None:
    """The check itself can fail, and is content with a reason."""
    assert unreasoned(silenced)
    assert not unreasoned(f"{silenced} - the server's own choice")


def test_every_module_can_be_imported_first() -> None:
    """No module needs, while it is imported, one that needs it: then any order of imports works."""
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }
    needs = {
        name: imported_at_once(ast.parse(path.read_text("utf-8")).body) & paths.keys()
        for name, path in paths.items()
    }
    TopologicalSorter(needs).prepare()  # raises CycleError, which names the circle


def test_what_only_a_type_or_a_call_needs_is_not_imported_at_once() -> None:
    """All else is, by whatever way it is written."""
    source = """
from a import b
try:
    import c
except ImportError:
    import d
if TYPE_CHECKING:
    import types_alone
else:
    import e
def f():
    import called
class C:
    import g
"""
    found = imported_at_once(ast.parse(source).body)
    assert found == {"a", "a.b", "c", "d", "e", "g"}


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [
        ("layers", "text/normalize.py", "from plexsync.plex.client import PlexClient"),
        ("layers", "transport/client.py", "def f():\n    import plexsync.cli"),
        ("layers", "output/console.py", "from plexsync.integrations import schedule"),
        ("layers", "simulators/http/faults.py", "from plexsync.errors import ExitCode"),
        ("layers", "another/thing.py", "from plexsync.errors import ExitCode"),
        ("pure", "planning/limits.py", "import os.path"),
        ("pure", "text/normalize.py", "if TYPE_CHECKING:\n    from time import monotonic"),
        ("pure", "errors.py", "import requests"),
        ("demo", "plex/client.py", "import plexsync.simulators.plex.simulator"),
        ("door-cli", "__main__.py", "from plexsync.commands import run"),
        ("door-state", "sync/reconcile.py", "from plexsync.storage.journal import Intent"),
        ("door-stash", "sync/reconcile.py", "from plexsync.stash.wire import Names"),
        ("door-matcher", "sync/reconcile.py", "from plexsync.matching import evidence"),
        ("acyclic", "storage/filesystem.py", "from plexsync.storage import session"),
    ],
)
def test_a_contract_of_import_linter_can_fail(
    contract: str, module: str, line: str, tmp_path: Path
) -> None:
    """One import too many, wherever it stands, breaks the contract that forbids it."""
    shutil.copytree(PACKAGE, tmp_path / "plexsync", ignore=shutil.ignore_patterns("__pycache__"))
    broken = tmp_path / "plexsync" / module
    broken.parent.mkdir(exist_ok=True)
    (broken.parent / "__init__.py").touch()
    with broken.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")

    done = lint_imports(tmp_path, contract)

    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout or "Missing layers" in done.stdout


def lint_imports(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    """Hold one contract against the package in `folder`."""
    script = (
        "import sys\n"
        "from importlinter.cli import lint_imports_command\n"
        "lint_imports_command(sys.argv[1:])\n"
    )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return subprocess.run(
        [sys.executable, "-c", script, "--no-cache", "--contract", contract],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


@pytest.mark.parametrize(
    ("arguments", "allowed"), [("--help", set()), ("status", {"msgspec"}), ("hook", set())]
)
def test_short_commands_do_not_wait_for_heavy_imports(
    arguments: str, allowed: set[str], tmp_path: Path
) -> None:
    """Help, status in a pipe and Stash's hook answer without HTTP, tables or matching loaded."""
    script = (
        "import runpy, sys\n"
        "sys.argv = ['plexsync', sys.argv[1]]\n"
        "try:\n"
        "    runpy.run_module('plexsync', run_name='__main__')\n"
        "finally:\n"
        "    print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PLEXSYNC_STATE_DIR": str(tmp_path), "PATH": ""},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.rpartition("LOADED")[2].split()
    assert (HEAVY - allowed) & set(loaded) == set()
