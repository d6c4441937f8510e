"""How a simulator is served, apart from any socket: counted, with faults, compressed."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from plexsync.simulators.http.faults import (
    Effect,
    ErrorStatus,
    Faults,
    Hang,
    Redirect,
    Reset,
    Rewrite,
)
from plexsync.simulators.http.messages import Headers, SimRequest, SimResponse

if TYPE_CHECKING:
    from collections.abc import Callable

_GZIP_LEVEL = 1
_GZIP_FROM_BYTES = 256


class Simulator(Protocol):
    """A server without a socket. Both methods are called from several threads at once."""

    def handle(self, request: SimRequest) -> SimResponse:
        """Do what is asked and answer."""

    def kind(self, request: SimRequest) -> str:
        """Return what the request counts as: `plex.put`, `stash.graphql`. Must not act."""


class Counters:
    """How many requests of each kind came, and how many body bytes went back; thread-safe.

    Args:
        keep_targets: also keep every request target, so that a test can look for secrets in them.
    """

    def __init__(self, *, keep_targets: bool = True) -> None:
        self._lock = threading.Lock()
        self._keep_targets = keep_targets
        self._requests: Counter[str] = Counter()
        self._bytes_out: Counter[str] = Counter()
        self._targets: list[str] = []

    def came(self, kind: str, target: str) -> None:
        """Count a request before anything is done about it."""
        with self._lock:
            self._requests[kind] += 1
            if self._keep_targets:
                self._targets.append(target)

    def went(self, kind: str, size_bytes: int) -> None:
        """Count an answer's body."""
        with self._lock:
            self._bytes_out[kind] += size_bytes

    def requests(self, kind: str | None = None) -> int:
        """Return the requests of one kind, or all; a name that ends in "." counts all under it."""
        with self._lock:
            return _total(self._requests, kind)

    def bytes_out(self, kind: str | None = None) -> int:
        """Body bytes sent for one kind, or for all, as `requests` counts them."""
        with self._lock:
            return _total(self._bytes_out, kind)

    def by_kind(self) -> dict[str, int]:
        """Return the requests of every kind that came."""
        with self._lock:
            return dict(self._requests)

    @property
    def targets(self) -> tuple[str, ...]:
        """Every request target, as sent."""
        with self._lock:
            return tuple(self._targets)

    def clear(self) -> None:
        """Start again from zero."""
        with self._lock:
            self._requests.clear()
            self._bytes_out.clear()
            self._targets.clear()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and how it travels; no answer when the connection ends without one."""

    response: SimResponse | None
    effect: Effect | None = None


@dataclass(slots=True)
class Wired:
    """A simulator with its faults and counters: what `LoopbackServer` and `SimAdapter` serve.

    Attributes:
        simulator: who answers.
        faults: what goes wrong.
        counters: what was asked.
        on_request: called in the serving thread before a request is handled, faults included; a
            crash test kills its process here.
        gzip: compress answers for clients that accept it.
        crashes: exceptions a simulator raised, which are bugs of the simulator. The client saw a
            500; `LoopbackServer` raises them when it closes.
    """

    simulator: Simulator
    faults: Faults = field(default_factory=Faults)
    counters: Counters = field(default_factory=Counters)
    on_request: Callable[[SimRequest], None] | None = None
    gzip: bool = False
    crashes: list[Exception] = field(default_factory=list)

    def serve(self, request: SimRequest) -> Reply:
        """Count, let the planned fault strike or the simulator answer, and say how to send it."""
        kind = self.simulator.kind(request)
        self.counters.came(kind, request.target)
        if self.on_request is not None:
            self.on_request(request)
        delivery = self._deliver(request, self.faults.take(kind, request))
        if delivery.response is not None:
            self.counters.went(kind, len(delivery.response.body))
        return delivery

    def _deliver(self, request: SimRequest, effect: Effect | None) -> Reply:
        """Decide whether the simulator acts, and what the client sees of it."""
        match effect:
            case ErrorStatus():
                if effect.applied:
                    self._handle(request)
                return Reply(SimResponse(effect.code, effect.headers, effect.body))
            case Redirect():
                return Reply(SimResponse(effect.code, (("Location", effect.location),)))
            case Reset() | Hang():
                if effect.applied:
                    self._handle(request)
                return Reply(None, effect)
            case Rewrite():
                whole = self._handle(request)
                changed = SimResponse(whole.status, whole.headers, effect.change(whole.body))
                return Reply(self._packed(request, changed))
            case _:
                return Reply(self._packed(request, self._handle(request)), effect)

    def _handle(self, request: SimRequest) -> SimResponse:
        """Let the simulator answer; its own failure is kept, because no client can see it."""
        try:
            return self.simulator.handle(request)
        except Exception as crash:  # noqa: BLE001 - a simulator's bug must reach the test, not die here
            self.crashes.append(crash)
            text = f"simulator crashed: {crash!r}"
            return SimResponse(500, (("Content-Type", "text/plain"),), text.encode())

    def _packed(self, request: SimRequest, response: SimResponse) -> SimResponse:
        """Return the answer, compressed where both sides want that."""
        if not self.gzip or len(response.body) < _GZIP_FROM_BYTES:
            return response
        if "gzip" not in request.headers.get("Accept-Encoding", ""):
            return response
        if not _compressible(Headers(response.headers).get("Content-Type", "")):
            return response
        headers = (*response.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
        return SimResponse(
            response.status, headers, gzip.compress(response.body, _GZIP_LEVEL, mtime=0)
        )


def _compressible(content_type: str) -> bool:
    """Whether Stash and Plex compress this type. Source: docs/stash-api.md 1.2."""
    media_type = content_type.partition(";")[0].strip()
    listed = ("application/json", "application/xml", "image/svg+xml")
    return media_type in listed or media_type.startswith("text/")


def _total(counts: Counter[str], kind: str | None) -> int:
    """Sum of one kind, of a family ("plex."), or of everything."""
    if kind is None:
        return counts.total()
    if kind.endswith("."):
        return sum(count for name, count in counts.items() if name.startswith(kind))
    return counts[kind]
