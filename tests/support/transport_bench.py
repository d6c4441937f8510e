"""A server that answers as a test asks, a clock that obeys, and a transport between them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.simulators.http.wire import (
    Fault,
    Faults,
    LoopbackServer,
    SimRequest,
    SimResponse,
    Wired,
)
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import AnswerLimits, Repeat, RetryPolicy, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plexsync.simulators.http.wire import Effect

KEY = "canary-key+of/the=test"
"""A secret that changes when it is percent-encoded."""

JSON = (("Content-Type", "application/json"),)

ONCE = RetryPolicy(attempts=1)
"""No retries: what is wrong shows at once."""


@dataclass(slots=True)
class Clock:
    """Time that passes only when somebody sleeps."""

    now_s: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Seconds on this clock."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Let time pass, and remember it."""
        self.slept.append(seconds)
        self.now_s += seconds


@dataclass(slots=True)
class Scripted:
    """A simulator that answers with `response` and keeps what it was asked.

    `threads` holds the thread that served each request: there is one a connection.
    """

    response: SimResponse = field(default_factory=lambda: SimResponse(200, JSON, b"{}"))
    asked: list[SimRequest] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def handle(self, request: SimRequest) -> SimResponse:
        """Keep the request, answer as the test asked."""
        self.asked.append(request)
        self.threads.append(threading.current_thread())
        return self.response

    def kind(self, request: SimRequest) -> str:
        """Requests count by method."""
        return request.method


@dataclass(slots=True)
class Bench:
    """A transport on a loopback server."""

    transport: Transport
    server: LoopbackServer
    simulator: Scripted
    clock: Clock
    repeats: list[Repeat]

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.server.wired.faults

    @property
    def served(self) -> int:
        """How many requests reached the server."""
        return self.server.wired.counters.requests()


@contextmanager
def transport_bench(  # noqa: PLR0913 - every edge a test may want to turn
    *effects: Effect,
    body: bytes = b"{}",
    headers: tuple[tuple[str, str], ...] = JSON,
    status: int = 200,
    name: str = "Stash",
    key: str = KEY,
    retry: RetryPolicy = ONCE,
    chunked_from: int | None = None,
    real_time: bool = False,
    timeout_s: float = 60.0,
    deadline_s: float = 120.0,
    max_bytes: int = 1 << 20,
    breaker: int = 5,
    random: Callable[[], float] = lambda: 1.0,
) -> Iterator[Bench]:
    """A transport with first requests that meet `effects`, one each; `random` leaves no jitter."""
    simulator = Scripted(SimResponse(status, headers, body))
    planned = [Fault(None, at, effect) for at, effect in enumerate(effects, 1)]
    clock, repeats = Clock(), list[Repeat]()
    with LoopbackServer(Wired(simulator, Faults(*planned)), chunked_from=chunked_from) as server:
        transport = Transport(
            server.url,
            name=name,
            headers={"ApiKey": key} if key else {},
            secrets=(key,),
            retry=retry,
            timeout_s=timeout_s,
            limits=AnswerLimits(deadline_s, max_bytes),
            breaker=breaker,
            on_retry=repeats.append,
            timing=Timing(
                clock.sleep, time.monotonic if real_time else clock.monotonic, random=random
            ),
        )
        with transport:
            yield Bench(transport, server, simulator, clock, repeats)
