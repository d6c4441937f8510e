"""A Plex Media Server on loopback: its answers, its edits and its awkwardness.

    simulator = PlexSimulator(library)
    with LoopbackServer(Wired(simulator)) as server:
        plexapi.server.PlexServer(server.url, simulator.token)

It copies what real servers do rather than what they document: listings that cut tag lists short,
unknown filters that are ignored, tags that are added to, empty 200s, edits without an id that hit
everything. `switches` decides what is open, `misdeeds` counts what no careful client does, and
`by_hand/` is what happens behind a client's back: a person edits, an agent refreshes, a file moves.

Source: docs/plex-api.md, section 8 above all.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from plexsync.simulators.plex import answers
from plexsync.simulators.plex.answers import FragmentCache
from plexsync.simulators.plex.build import ItemSnapshot, Snapshot, fill, take_snapshot
from plexsync.simulators.plex.by_hand.collections import CollectionsByHand
from plexsync.simulators.plex.by_hand.items import ItemsByHand
from plexsync.simulators.plex.parts import (
    Asked,
    Diary,
    Identity,
    Misdeeds,
    Parts,
    PlexWrite,
    RefusedError,
    Switches,
)
from plexsync.simulators.plex.routes import find_route
from plexsync.simulators.plex.store import MediaType, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plexsync.simulators.http.messages import SimRequest, SimResponse
    from plexsync.simulators.library.records import Library

__all__ = [
    "Identity",
    "ItemSnapshot",
    "Misdeeds",
    "PlexSimulator",
    "PlexWrite",
    "Snapshot",
    "Switches",
]


_TOKEN = "X-Plex-Token"  # noqa: S105 - the name of the header, no secret
_OPEN = "plex.identity"


class PlexSimulator(ItemsByHand):
    """A Plex server over one library; every method may be called from any thread.

    Args:
        library: the rows it starts with, its `plex` side.
        token: the owner's token.
        read_only_token: a token that may read but not write; "" for none.
        identity: who it says it is.
        switches: how it behaves where servers differ.
        now: its clock, whole epoch seconds; None for one that moves a second with every write.
        web: pictures on other hosts, by address.

    Attributes:
        token: see above.
        read_only_token: see above.
        identity: see above.
        switches: see above; may be changed at any time.
        collections: what a person does to collections, and what they hold.
    """

    def __init__(
        self,
        library: Library,
        *,
        token: str = "owner-token",  # noqa: S107 - a simulated server's token
        read_only_token: str = "",
        identity: Identity | None = None,
        switches: Switches | None = None,
        now: Callable[[], int] | None = None,
        web: Mapping[str, bytes] | None = None,
    ) -> None:
        self.token = token
        self.read_only_token = read_only_token
        self.identity = identity or Identity()
        self._diary = Diary()
        shelf = FragmentCache()
        latest = max((video.updated_at for video in library.plex.videos), default=0)
        clock = itertools.count(latest + 1).__next__ if now is None else now
        store = Store(now=clock, changed=shelf.forget)
        fill(store, library.plex)
        parts = Parts(
            identity=self.identity,
            store=store,
            shelf=shelf,
            web=web or {},
            on_scan=self._scanned,
            switches=switches or Switches(),
            diary=self._diary,
        )
        super().__init__(parts, threading.RLock())
        self.collections = CollectionsByHand(self._parts, self._lock)
        self._maintenance_left = 0
        self._appointments: list[tuple[str, list[int], Callable[[], object]]] = []

    # ---- the wire --------------------------------------------------------------------------------

    def kind(self, request: SimRequest) -> str:
        """Return what a request counts as: `plex.listing`, `plex.detail`, `plex.put` and so on."""
        found = find_route(request.method, request.path)
        return found[0].kind if found else "plex.unknown"

    def handle(self, request: SimRequest) -> SimResponse:
        """Answer one request."""
        with self._lock:
            self._keep_appointments(request)
            try:
                return self._answer(request)
            except RefusedError as refused:
                if refused.status is HTTPStatus.SERVICE_UNAVAILABLE:
                    return answers.maintenance()
                return answers.refusal(refused.status)

    # ---- switches with a count -------------------------------------------------------------------

    def startup_503(self, requests: int) -> None:
        """Answer the next `requests` requests, whatever they are, with "Maintenance"."""
        with self._lock:
            self._maintenance_left = requests

    def before(self, kind: str, nth: int, action: Callable[[], object]) -> None:
        """Call `action` just before the `nth` request of `kind` from now on is handled, once."""
        with self._lock:
            self._appointments.append((kind, [nth], action))

    # ---- what a test looks up --------------------------------------------------------------------

    @property
    def misdeeds(self) -> Misdeeds:
        """What a careful client never does, counted."""
        with self._lock:
            return replace(self._diary.misdeeds)

    @property
    def writes(self) -> tuple[PlexWrite, ...]:
        """Every request that meant to change something and was admitted."""
        with self._lock:
            return tuple(self._diary.writes)

    @property
    def scans(self) -> tuple[tuple[str, str], ...]:
        """Every scan asked for: library and path."""
        with self._lock:
            return tuple(self._diary.scans)

    def rating_keys(self, *, section: int | None = None) -> tuple[str, ...]:
        """Every item that is there, shows and seasons included, trashed ones too."""
        with self._lock:
            return tuple(
                str(item.rating_key)
                for item in self._store.items.values()
                if item.kind is not MediaType.COLLECTION
                and (section is None or item.section.key == section)
            )

    def key_of(self, file: str) -> str:
        """Return the rating key of the item that holds `file` and is not in the trash.

        Raises:
            KeyError: there is none.
        """
        with self._lock:
            for item in self._store.items.values():
                if not item.deleted_at and any(part.file == file for part in item.parts):
                    return str(item.rating_key)
        raise KeyError(file)

    def above(self, rating_key: str) -> tuple[str, ...]:
        """Return the season and the show of an episode, or the show of a season."""
        with self._lock:
            found, item = [], self._item(rating_key).parent
            while item is not None:
                found.append(str(item.rating_key))
                item = item.parent
            return tuple(found)

    def dump(self, *, clocks: bool = False) -> Snapshot:
        """Everything an edit can change, of every item, as plain comparable values.

        Collections have a dump of their own.

        Args:
            clocks: also updatedAt.
        """
        with self._lock:
            return {
                str(item.rating_key): take_snapshot(item, clocks=clocks)
                for item in self._store.items.values()
                if item.kind is not MediaType.COLLECTION
            }

    def picture(self, key: str) -> bytes:
        """Return an uploaded picture by its key.

        Raises:
            KeyError: nobody uploaded it.
        """
        with self._lock:
            return self._store.pictures[key]

    # ---- private ---------------------------------------------------------------------------------

    def _answer(self, request: SimRequest) -> SimResponse:
        """Let a request through the gate to its handler.

        Raises:
            RefusedError: it is answered with an error page.
        """
        found = find_route(request.method, request.path)
        owner = self._admit(request, found[0].kind if found else "")
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND)
        route, captured = found
        if route.writes and not owner:
            raise RefusedError(HTTPStatus.FORBIDDEN)
        return route.handler(self._parts, Asked(request, captured, owner))

    def _admit(self, request: SimRequest, kind: str) -> bool:
        """Whether the token may write.

        Raises:
            RefusedError: the request goes no further.
        """
        if self._maintenance_left > 0:
            self._maintenance_left -= 1
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
        in_query = request.argument(_TOKEN)
        if in_query:
            self._diary.misdeeds.tokens_in_query += 1
        if 0 < self.switches.url_limit < len(request.target):
            raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG)
        given = in_query or request.headers.get(_TOKEN, "")
        known = {self.token, self.read_only_token} - {""} if self.switches.accept_tokens else set()
        if given not in known and kind != _OPEN:
            raise RefusedError(HTTPStatus.UNAUTHORIZED)
        return given in known and given == self.token

    def _keep_appointments(self, request: SimRequest) -> None:
        """Do what was to happen before this request."""
        kind = self.kind(request)
        due = []
        for appointment in self._appointments:
            wanted, left, _ = appointment
            left[0] -= wanted == kind
            if left[0] == 0:
                due.append(appointment)
        for appointment in due:
            self._appointments.remove(appointment)
            appointment[2]()
