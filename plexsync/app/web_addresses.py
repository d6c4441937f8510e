"""Where a person opens a scene and an item, by the configuration alone: no server is asked.

Also the task of the Stash plugin: where in Plex each scene is, as lines for Stash's log, by what
earlier runs remember. Source: docs/stash-api.md 6.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from plexsync.config.loader import load_server_addresses
from plexsync.models import RatingKey, SceneId, id_order
from plexsync.plex.connection import item_address
from plexsync.stash_client import scene_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from plexsync.state import State


MOST_OPEN = 200
"""Scenes with an open matter that are named."""

MOST_NEWEST = 50
"""Other scenes that are named: those edited last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAddresses:
    """The pages of scenes and items; without a server's address there are none of it.

    Args:
        stash: the address of Stash.
        plex: the address of Plex.
        machine: the machine identifier of the Plex that the state belongs to.
    """

    stash: str = ""
    plex: str = ""
    machine: str = ""

    def of_scene(self, scene_id: SceneId) -> str:
        """Return the page of a scene; "" where it is not known."""
        return scene_address(self.stash, scene_id) if self.stash else ""

    def of_item(self, rating_key: RatingKey) -> str:
        """Return the page of an item; "" where it is not known."""
        if not (self.plex and self.machine and rating_key):
            return ""
        return item_address(self.plex, self.machine, rating_key)


def configured_addresses(
    path: Path | None, environ: Mapping[str, str], machine: str
) -> WebAddresses:
    """Return the pages by a configuration, in which anything may be missing or wrong.

    Args:
        path: `--config`.
        environ: the environment.
        machine: the machine identifier of the Plex that the state belongs to.
    """
    stash, plex = load_server_addresses(path, environ)
    return WebAddresses(stash=stash, plex=plex, machine=machine)


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
