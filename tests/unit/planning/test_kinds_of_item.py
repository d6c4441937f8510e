"""The table of what each kind of item stores: the guide, the field map and the wire agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from plexsync.config.loader import load_config
from plexsync.models import ItemKind, PlexField, Policy
from plexsync.planning.desired import SUPPORTED, unsupported_fields

GUIDE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")
NEEDED = {
    "PLEXSYNC_STASH__URL": "http://stash.test",
    "PLEXSYNC_PLEX__URL": "http://plex.test",
    "PLEXSYNC_PLEX__TOKEN": "t",
}


def table() -> dict[str, list[str]]:
    """The rows of the guide's table: first column to the others."""
    section = GUIDE.partition("### What each kind of item stores")[2].partition("\nPatterns")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return {first: rest for first, *rest in lines[2:]}


def lost(tmp_path: Path, kind: ItemKind, tags_to: str) -> set[str]:
    """The fields that are lost on a kind of item when every one is on."""
    environ = NEEDED | {"PLEXSYNC_FIELDS__TAGS__TO": tags_to}
    rules = load_config(None, environ, home=tmp_path).fields
    return set(unsupported_fields([replace(one, policy=Policy.MERGE) for one in rules], kind))


@pytest.mark.parametrize(("kind", "column"), [(ItemKind.MOVIE, 0), (ItemKind.EPISODE, 1)])
@pytest.mark.parametrize("tags_to", ["genre", "label", "collection"])
def test_the_guide_says_what_is_lost(
    tmp_path: Path, kind: ItemKind, column: int, tags_to: str
) -> None:
    """Every field that can be configured is in the table, with the truth in its columns."""
    documented = {
        first.partition(" ")[0]: cells[column]
        for first, cells in table().items()
        if not first.startswith("tags to") or tags_to in first
    }
    environ = NEEDED | {"PLEXSYNC_FIELDS__TAGS__TO": tags_to}
    names = {rule.name for rule in load_config(None, environ, home=tmp_path).fields}
    assert documented.keys() == names
    assert {name for name, cell in documented.items() if cell == "no"} == lost(
        tmp_path, kind, tags_to
    )


def test_extras_store_nothing() -> None:
    """They are no kind of item at all."""
    assert {cells[2] for cells in table().values()} == {"no"}
    assert "clip" not in set(ItemKind)
    assert SUPPORTED.keys() == set(ItemKind)
    assert SUPPORTED[ItemKind.MOVIE] == set(PlexField)
