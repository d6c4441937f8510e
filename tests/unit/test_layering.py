"""The rings of docs/design.md: a module imports its own ring or lower, and the core stays pure."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import plexsync

PACKAGE = Path(plexsync.__file__).parent
DESIGN = Path(__file__).parents[2] / "docs" / "design.md"

RINGS: dict[int, tuple[str, ...]] = {
    # Words everybody uses.
    0: ("__init__", "errors", "models"),
    # The core: values in, values out.
    1: (
        "normalize",
        "names",
        "people",
        "answers",
        "path_rules",
        "tables",
        "blocking",
        "comparing",
        "evidence",
        "decision",
        "assignment",
        "match*",
        "templates",
        "fieldmap",
        "credits",
        "observed",
        "planner",
        "reversing",
        "spelling",
        "explanation",
        "pictures",
        "limits",
        "due",
        "waking",
        "relations",
    ),
    # The edges: files, servers, environment, terminal.
    2: (
        "config*",
        "secret",
        "transport*",
        "stash_*",
        "plex_*",
        "grouping",
        "durable",
        "lock",
        "places",
        "journal",
        "checkpoint",
        "state",
        "state_*",
        "history",
        "plan_file",
        "padding",
        "review",
        "review_*",
        "recalled",
        "keyboard",
        "pausing",
        "report*",
        "sinks",
        "json_report",
        "lines",
        "rows",
        "summary",
        "terminal",
        "console",
        "failure",
        "stop",
        "status",
        "hook",
        "schedule",
        "spool",
    ),
    # The shell: use cases and their composition.
    3: (
        "detect",
        "dictionary",
        "uneven",
        "strays",
        "watching",
        "scanning",
        "ports",
        "linking",
        "unwritten",
        "desk",
        "recall",
        "settling",
        "rivals",
        "reviewing",
        "sitting",
        "office",
        "ahead",
        "artwork",
        "painting",
        "uploading",
        "saved_pictures",
        "pipeline",
        "carrying",
        "accounts",
        "sending",
        "writing",
        "errands",
        "replay",
        "journaled",
        "undo",
        "apply",
        "delivery",
        "tally",
        "session",
        "reconcile",
        "noticing",
        "inventory",
        "outfit",
        "explain",
        "compose*",
        "demo*",
        "retrying",
        "doctor",
        "first_config",
        "cli*",
        "__main__",
    ),
}
"""The ring of each module, as patterns of its name. A new module gets its line here."""

IMPURE = frozenset(
    {
        "asyncio",
        "io",
        "logging",
        "os",
        "pathlib",
        "platformdirs",
        "plexapi",
        "random",
        "requests",
        "secrets",
        "shutil",
        "socket",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "uuid",
    }
)
"""What rings 0 and 1 never import: I/O, clock, randomness, environment, logging."""

IMPURE_CALLS = frozenset({"input", "now", "open", "print", "today", "utcnow"})
"""What they never call, as a function or a method."""

HEAVY = frozenset({"msgspec", "plexapi", "requests", "rich"})
"""What `plexsync --help` must not wait for. Source: docs/design.md, "Dependencies"."""


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module and where."""

    line: int
    module: str


def modules(folder: Path = PACKAGE) -> list[Path]:
    """The modules right in `folder`."""
    return sorted(folder.glob("*.py"))


def program() -> list[Path]:
    """The modules of the program, those of the one package in it included."""
    return modules() + modules(PACKAGE / "models")


def name_of(path: Path) -> str:
    """What the table knows a module by: its own name, or that of its package."""
    return path.stem if path.parent == PACKAGE else path.parent.name


def ring_of(name: str) -> int | None:
    """The ring of a module of plexsync; None when the table does not know it."""
    for ring, patterns in RINGS.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return ring
    return None


def imports(tree: ast.Module) -> list[Import]:
    """Every import of a module, those inside functions and for type checking included."""
    found: list[Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [Import(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            base = node.module or ""
            # `from plexsync import config` names a module, `from plexsync import __version__` not.
            names = [f"{base}.{alias.name}" for alias in node.names if base == "plexsync"]
            found += [Import(node.lineno, name) for name in names or [base]]
    return found


def violations(name: str, source: str) -> list[str]:
    """The imports of a module of plexsync that reach outwards, as `line: module`."""
    own = ring_of(name)
    assert own is not None
    wrong = []
    for one in imports(ast.parse(source)):
        package, _, rest = one.module.partition(".")
        target = rest.partition(".")[0]
        ours = (PACKAGE / f"{target}.py").is_file() or target == "models"
        if package != "plexsync" or not ours:
            # Not ours, a name of the package itself, or the simulators, which have a test below.
            continue
        ring = ring_of(target)
        if ring is None or ring > own:
            wrong.append(f"{one.line}: {one.module}")
    return wrong


def impurities(source: str) -> list[str]:
    """The imports and calls a core module must not have, as `line: name`."""
    tree = ast.parse(source)
    wrong = [
        f"{one.line}: {one.module}"
        for one in imports(tree)
        if one.module.partition(".")[0] in IMPURE
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in IMPURE_CALLS:
                wrong.append(f"{node.lineno}: {name}()")
    return wrong


def rooms() -> list[tuple[int, list[str]]]:
    """The rooms of docs/design.md: the ring of each, and the patterns of its modules."""
    table = DESIGN.read_text(encoding="utf-8").partition("| Room |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| [^|]*\((?:ring )?(\d)\) \| ([^|]*) \|", table, re.MULTILINE)
    return [(int(ring), re.findall(r"`([a-z_*]+)`", cell)) for ring, cell in rows]


def rooms_of(name: str) -> list[int]:
    """The rings of the rooms a module is in; its whole name counts before a pattern."""
    named = [ring for ring, words in rooms() if name in words]
    return named or [ring for ring, words in rooms() if any(fnmatchcase(name, w) for w in words)]


def test_every_module_has_one_room_in_its_ring() -> None:
    """Whoever reads the table of docs/design.md has seen all there is, and nothing that is not."""
    names = {name_of(path) for path in program()} - {"__init__", "__main__"}
    whole = {word for _, words in rooms() for word in words if "*" not in word}

    assert {name: rooms_of(name) for name in names if rooms_of(name) != [ring_of(name)]} == {}
    assert whole - names == set()


@pytest.mark.parametrize("path", program(), ids=lambda path: path.stem)
def test_a_module_imports_its_own_ring_or_lower(path: Path) -> None:
    """Dependencies point inwards only."""
    name = name_of(path)
    assert ring_of(name) is not None, f"{name} is in no ring: add it to RINGS"
    assert violations(name, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "path",
    [path for path in program() if ring_of(name_of(path)) in {0, 1}],
    ids=lambda path: path.stem,
)
def test_the_core_is_pure(path: Path) -> None:
    """No I/O, clock, randomness, environment or logging in rings 0 and 1."""
    assert impurities(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", modules(PACKAGE / "simulators"), ids=lambda path: path.stem)
def test_a_simulator_knows_nothing_of_plexsync(path: Path) -> None:
    """A simulator that shared code with the program would share its mistakes."""
    named = [one.module for one in imports(ast.parse(path.read_text("utf-8")))]
    ours = [module for module in named if module.partition(".")[0] == "plexsync"]
    assert [module for module in ours if not module.startswith("plexsync.simulators")] == []


@pytest.mark.parametrize(
    "path", [path for path in modules() if ring_of(path.stem) != 3], ids=lambda path: path.stem
)
def test_only_the_shell_knows_the_simulators(path: Path) -> None:
    """The program must not depend on its test ground."""
    named = [one.module for one in imports(ast.parse(path.read_text("utf-8")))]
    assert [module for module in named if module.startswith("plexsync.simulators")] == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("normalize", "from plexsync.config.loader import load_config"),
        ("planner", "from plexsync import reconcile"),
        ("transport", "def f():\n    import plexsync.cli"),
        ("models", "if TYPE_CHECKING:\n    from plexsync.planning.planner import Rules"),
    ],
)
def test_an_import_outwards_is_seen(name: str, source: str) -> None:
    """The check itself can fail, wherever the import stands."""
    assert len(violations(name, source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "from time import monotonic",
        "import os.path as p",
        "datetime.now()",
        "open(x)",
        "path.open()",
    ],
)
def test_an_impurity_is_seen(source: str) -> None:
    """The check itself can fail, for imports and for calls."""
    assert len(impurities(source)) == 1


def test_help_does_not_wait_for_heavy_imports() -> None:
    """`plexsync --help` answers without HTTP, tables or codecs loaded."""
    script = (
        "import runpy, sys\n"
        "sys.argv = ['plexsync', '--help']\n"
        "try:\n"
        "    runpy.run_module('plexsync', run_name='__main__')\n"
        "finally:\n"
        "    print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    text, _, loaded = done.stdout.rpartition("LOADED")
    assert "Usage" in text
    assert HEAVY & set(loaded.split()) == set()
