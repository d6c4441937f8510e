"""Tables of rows, and how times, paths and hierarchies are kept in them."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Generic, TypeVar

from plexsync.simulators.library.records import (
    StashFile,
    StashFolder,
    StashGroup,
    StashPerformer,
    StashScene,
    StashStudio,
    StashTag,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row = TypeVar(
    "Row",
    StashScene,
    StashFile,
    StashFolder,
    StashPerformer,
    StashTag,
    StashStudio,
    StashGroup,
)

_NUMBER_IN_TEXT = re.compile(r"(\d+)", re.ASCII)


class RowTable(Generic[Row]):
    """Rows by id. An id is never used again. Source: docs/stash-api.md 2.2."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: dict[int, Row] = {row.id: row for row in rows}
        self._ids = sorted(self._rows)
        self._next_id = self._ids[-1] + 1 if self._ids else 1

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, row_id: int) -> bool:
        return row_id in self._rows

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __getitem__(self, row_id: int) -> Row:
        return self._rows[row_id]

    def get(self, row_id: int | None) -> Row | None:
        """Return the row, or None."""
        return None if row_id is None else self._rows.get(row_id)

    @property
    def ids(self) -> list[int]:
        """All ids, ascending. Not to be changed."""
        return self._ids

    def change(self, row_id: int, **changes: object) -> Row:
        """Replace some values of a row."""
        row = self._rows[row_id]
        changed = replace(row, **changes)  # type: ignore[arg-type] # by replace
        self._rows[row_id] = changed
        return changed

    def add(self, row: Row) -> Row:
        """Keep a row under the next free id."""
        added = replace(row, id=self._next_id)
        self._rows[added.id] = added
        self._ids.append(added.id)
        self._next_id += 1
        return added

    def remove(self, row_id: int) -> None:
        """Forget a row."""
        del self._rows[row_id]
        del self._ids[bisect_left(self._ids, row_id)]


def stored_time(moment: datetime, zone: tzinfo) -> str:
    """RFC 3339 in local time, whole seconds; offset zero is `Z`. Source: docs/stash-api.md 2.5."""
    local = moment.astimezone(zone).replace(microsecond=0)
    text = local.isoformat()
    return text.removesuffix("+00:00") + "Z" if local.utcoffset() == timedelta(0) else text


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """Return what names and titles sort by: no case, and numbers by what they count."""
    parts = _NUMBER_IN_TEXT.split(text.casefold())
    return tuple((int(part), "") if at % 2 else (-1, part) for at, part in enumerate(parts))


def split_path(path: str) -> tuple[str, str]:
    """Folder and base name."""
    separator = "\\" if "\\" in path else "/"
    folder, _, basename = path.rpartition(separator)
    return folder, basename


def within(path: str, folder: str) -> bool:
    """Whether a folder is another one or lies below it."""
    return path == folder or path.startswith((folder + "/", folder + "\\"))


def descendants(
    roots: Iterable[int], parents: Iterable[tuple[int, Iterable[int]]], depth: int
) -> set[int]:
    """Return the roots and what is below them, `depth` generations deep (-1: all)."""
    children: dict[int, list[int]] = {}
    for child, above in parents:
        for parent in above:
            children.setdefault(parent, []).append(child)
    found = set(roots)
    front = set(found)
    while front and depth != 0:
        front = {child for parent in front for child in children.get(parent, ())} - found
        found |= front
        depth -= 1
    return found
