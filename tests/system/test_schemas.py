"""The schemas of documents and events, held against what the program really prints."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import msgspec
import pytest

import plexsync
from plexsync.output.formats.documents import FORMS, schema_text
from tests.support.demo_servers import DemoServers
from tests.support.terminals import run_plexsync

PACKAGE = Path(plexsync.__file__).parent
SCHEMAS = PACKAGE.parent / "docs" / "schemas"

OWN_FILES = frozenset({"state", "journal"})
"""What plexsync writes for itself alone."""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    """What commands printed as JSON, by the name in its `schema`; one state after the other."""
    folder = tmp_path_factory.mktemp("printed")
    plan = folder / "plan.json"
    servers = DemoServers(folder)
    calls = (
        ("run", "-n", "--json"),
        ("run", "--save-plan", str(plan), "--json"),
        ("apply", "-n", str(plan), "--jsonl"),
        ("apply", str(plan), "--json"),
        ("run", "--jsonl"),
        ("status", "--json"),
        ("history", "--json"),
        ("history", "last", "--json"),
        ("explain", "1", "--json"),
        ("explain", "7", "--json"),
        ("review", "list", "--json"),
        ("review", "show", "7", "--json"),
        ("review", "accept", "7", "107", "--json"),
        ("review", "export", str(folder / "low.csv"), "--json"),
        ("retry", "--json"),
        ("adopt", "-n", "--json"),
        ("undo", "last", "-n", "--jsonl"),
        ("undo", "last", "--json"),
        ("status", "--json"),
        ("doctor", "--json"),
        ("config", "show", "--json"),
        ("config", "path", "--json"),
        ("config", "validate", "--json"),
        ("schedule", "cron", "--json"),
        ("history", "no-such-run", "--json"),
    )
    found: dict[str, list[bytes]] = {"plan": []}
    with servers.stash, servers.plex:
        for call in calls:
            out = run_plexsync(call, servers.environ).out.encode()
            if "--jsonl" in call:
                found.setdefault(f"{call[0]}-events", []).extend(out.splitlines())
            else:
                found.setdefault(name_of(out), []).append(out)
        found["plan"].append(plan.read_bytes())
    return found


def meaning_of(schema: str) -> object:
    """What a schema says: versions of msgspec write alternatives in an order of their own."""

    def ordered(part: dict[str, object]) -> dict[str, object]:
        alternatives = part.get("anyOf")
        if isinstance(alternatives, list):
            alternatives.sort(key=json.dumps)
        return part

    return json.loads(schema, object_hook=ordered)


def name_of(document: bytes) -> str:
    """The word between the slashes of a document's `schema`."""
    schema = msgspec.json.decode(document)["schema"]
    assert isinstance(schema, str)
    return schema.split("/")[1]


@pytest.mark.xdist_group("printed")
@pytest.mark.parametrize("name", FORMS)
def test_what_is_printed_is_what_the_schema_allows(
    name: str, printed: dict[str, list[bytes]]
) -> None:
    """Every key is declared, every declared one is there, and each value is of its type."""
    assert printed.get(name), f"nothing prints {name}"
    for document in printed[name]:
        msgspec.json.decode(document, type=FORMS[name])


@pytest.mark.parametrize("name", FORMS)
def test_the_documents_hold_the_schema_as_it_is(name: str) -> None:
    """Written by `python -m plexsync.output.formats.documents docs/schemas`."""
    assert meaning_of((SCHEMAS / f"{name}.json").read_text("utf-8")) == meaning_of(
        schema_text(name)
    )


@pytest.mark.parametrize("name", FORMS)
def test_a_schema_is_the_same_on_every_python(name: str) -> None:
    """Python 3.13 takes the indentation off docstrings, which describe the types."""
    assert "\\n " not in schema_text(name)


def test_every_document_has_a_schema() -> None:
    """Whatever calls itself `plexsync/.../1` in the source is among them."""
    named = {
        found[1]
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (found := re.fullmatch(r"plexsync/([a-z-]+)/\d", node.value))
    }
    assert named - OWN_FILES <= set(FORMS)
    assert {path.stem for path in SCHEMAS.glob("*.json")} == set(FORMS)


def test_the_command_prints_one_and_lists_all() -> None:
    """A name gives its schema, a wrong one the names there are."""
    assert run_plexsync(["schema", "run"], {}).out == schema_text("run")
    wrong = run_plexsync(["schema", "nonsense"], {})
    assert wrong.code == 2
    assert "run-events" in wrong.err
