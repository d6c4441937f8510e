"""Which planned items can be written by one request: those whose edits are the same.

A tag renamed in Stash changes thousands of items alike. Plex takes many ids in one edit, so what
would be a request for each item is one for a hundred. To find the alike ones, more is planned
ahead of the first write than one read, but only while that pays: an item that is written alone is
written right after it was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from plexsync.models import LIST_FIELDS, ItemKind, PlexField
from plexsync.plex.edit_query import NONE_APPENDED, edits_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from plexsync.models import ItemPlan

MOST_ITEMS = 100
"""Items of one edit. Source: docs/plex-api.md 5 ("Many items": what Kometa sends)."""

MOST_AHEAD = 500
"""Planned items that wait for others like them; ten reads, so seconds."""

MOST_READS = 20
"""Reads during which a planned item waits for others like it."""


class HasPlan(Protocol):
    """Something that holds a plan."""

    @property
    def plan(self) -> ItemPlan:
        """What is to be written."""


P = TypeVar("P", bound=HasPlan)


def group_by_edit(
    edits: Iterable[P], *, appended: frozenset[PlexField] = NONE_APPENDED
) -> list[list[P]]:
    """`edits` by what is sent for them, at most `MOST_ITEMS` together, in the order they came.

    Args:
        edits: what to write, each for another item.
        appended: see `edit_query.edits_of`.
    """
    groups: dict[Hashable, list[P]] = {}
    found: list[list[P]] = []
    for edit in edits:
        key = _key(edit.plan, appended)
        group = groups.get(key)
        if group is None or len(group) == MOST_ITEMS:
            group = groups[key] = []
            found.append(group)
        group.append(edit)
    return found


def join_batches(batches: Iterable[list[P]]) -> Iterator[list[P]]:
    """`batches`, several joined where that brings items together that can be written together.

    Args:
        batches: what was read and planned, a read at a time; empty ones are left out.
    """
    held: list[P] = []
    reads = 0
    for batch in batches:
        held += batch
        reads += 1
        if len(held) < MOST_AHEAD and reads < MOST_READS and _pays(batch):
            continue
        if held:
            yield held
        held, reads = [], 0
    if held:
        yield held


def _pays(edits: Sequence[HasPlan]) -> bool:
    """Whether edits like these are worth waiting for: half of their requests could be saved."""
    return len(group_by_edit(edits, appended=LIST_FIELDS)) <= max(1, len(edits) // 2)


def _key(plan: ItemPlan, appended: frozenset[PlexField]) -> Hashable:
    """Equal for plans that one request can carry out."""
    # A rating goes to one item at a time, a plan of no edits to none, and no collection is another.
    rated = any(one.target is PlexField.RATING for one in plan.changes)
    if rated or not plan.changes or plan.kind is ItemKind.COLLECTION:
        return plan.scene_id, plan.rating_key
    return plan.section_id, plan.kind, edits_of(plan, appended=appended)
