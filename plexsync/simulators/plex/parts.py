"""The parts of the simulated Plex server its handlers share, and what a handler is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from plexsync.simulators.plex.query import select
from plexsync.simulators.plex.switches import Diary, Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http import HTTPStatus

    from plexsync.simulators.http.exchange import SimRequest
    from plexsync.simulators.plex.answers import FragmentCache
    from plexsync.simulators.plex.store import Item, LibrarySection, MediaType, Store


class Identity(NamedTuple):
    """Who the server says it is."""

    machine: str = "5e5ea2c1b7d94d3fa2f0a1c6e8b49d07a3c15f62"
    name: str = "Simulated Plex"
    version: str = "1.43.1.10611-1e34174b1"


class RefusedError(Exception):
    """The request is answered with an error page."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """One request on its way to a handler.

    Attributes:
        request: as it came.
        captured: what the address pattern captured.
        owner: whether the token may write.
    """

    request: SimRequest
    captured: tuple[str, ...]
    owner: bool


@dataclass(slots=True)
class Parts:
    """Everything the handlers work on. Not thread-safe: the simulator holds the lock.

    Attributes:
        identity: who the server says it is.
        web: pictures on other hosts, by address, for uploads by `?url=`.
        on_scan: called with the library and the path a scan is asked for.
    """

    identity: Identity
    store: Store
    shelf: FragmentCache
    web: Mapping[str, bytes]
    on_scan: Callable[[LibrarySection, str], None]
    switches: Switches = field(default_factory=Switches)
    diary: Diary = field(default_factory=Diary)
    _selections: dict[tuple[object, ...], list[Item]] = field(default_factory=dict)
    _selected_at: int = -1

    def selection(
        self,
        section: LibrarySection,
        kind: MediaType | None,
        arguments: tuple[tuple[str, str], ...],
    ) -> list[Item]:
        """`plex_query.select`, remembered until anything changes, so that paging is cheap."""
        if self._selected_at != self.store.generation:
            self._selections.clear()
            self._selected_at = self.store.generation
        key = (section.key, kind, arguments)
        if key not in self._selections:
            self._selections[key] = select(section, kind, arguments)
        return self._selections[key]
