"""The task of the Stash plugin: where in Plex each scene is, as lines for Stash's log.

No server is asked: all of it is what earlier runs remember. Source: docs/stash-api.md 6.
"""

from __future__ import annotations

import heapq
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from plexsync.models import id_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plexsync.app.web_addresses import WebAddresses
    from plexsync.models import RatingKey, SceneId
    from plexsync.state import State

MOST_OPEN = 200
"""Scenes with an open matter that are named."""

MOST_NEWEST = 50
"""Other scenes that are named: those edited last."""


class LogEntry(NamedTuple):
    """One line of Stash's log; `level` is one of Stash's letters."""

    level: str
    text: str


def task_entries(state: State, addresses: WebAddresses) -> tuple[LogEntry, ...]:
    """Return both pages of each scene with an open matter, and of those edited last; a summary.

    Args:
        state: what runs remember.
        addresses: where the pages are.
    """
    named = (*islice(_open(state, addresses), MOST_OPEN), *_newest(state, addresses))
    linked = sum(1 for _ in state.links())
    words = f"{len(named):,} scenes named; {linked:,} are linked and wait for nothing"
    if not (addresses.stash and addresses.plex):
        words += ". No configuration names both servers: add --config FILE to the task's execArgs"
    return (*named, LogEntry("i", words))


def _open(state: State, addresses: WebAddresses) -> Iterator[LogEntry]:
    """Yield the linked scenes that wait, with the reason."""
    for scene_id, record in state.waiting():
        if record.links:
            keys = (link.rating_key for link in record.links)
            why = record.problem.message if record.problem else record.outcome.value
            yield LogEntry("w", f"{_both(scene_id, keys, addresses)}: {why}")


def _newest(state: State, addresses: WebAddresses) -> Iterator[LogEntry]:
    """Yield the linked scenes Stash says were edited last."""
    newest = heapq.nlargest(
        MOST_NEWEST, state.links(), key=lambda one: (state.version(one[0]), id_order(one[0]))
    )
    for scene_id, links in newest:
        yield LogEntry("i", _both(scene_id, (one.rating_key for one in links), addresses))


def _both(scene_id: SceneId, keys: Iterable[RatingKey], addresses: WebAddresses) -> str:
    """Return both sides of a scene, by page where that is known and by id where not."""
    scene = addresses.of_scene(scene_id) or f"scene {scene_id}"
    return f"{scene} is in Plex {', '.join(addresses.of_item(key) or key for key in keys)}"
