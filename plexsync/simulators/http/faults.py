"""Faults: what goes wrong between a client and a simulated server, and at which request."""

from __future__ import annotations

import threading
from collections.abc import Callable  # noqa: TC003 - a field of a dataclass
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexsync.simulators.http.messages import SimRequest


@dataclass(frozen=True, slots=True)
class ErrorStatus:
    """Answer `code` with `body` instead of the simulator; `applied` lets it act first."""

    code: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    applied: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the client elsewhere; the simulator never sees the request."""

    location: str
    code: int = 302


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection without an answer; `applied` means the work was done, the reply lost."""

    applied: bool = False


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer: the connection closes at `Faults.release` or when the server ends."""

    applied: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Act, answer, and end the connection after `share` of the body.

    `chunked` leaves out the last chunk, as an answer without Content-Length is cut.
    """

    share: float = 0.5
    chunked: bool = False


@dataclass(frozen=True, slots=True)
class Drip:
    """Act and send the body in steps of `step_bytes` with a pause of `pause_s` before each."""

    step_bytes: int = 1
    pause_s: float = 0.05


@dataclass(frozen=True, slots=True)
class Latency:
    """Act and answer as always, `wait_s` later."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class Stale:
    """Act, answer with keep-alive, and close: the next request on this connection meets a reset."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Act and answer, but with another body: `change` is given the one that was to be sent."""

    change: Callable[[bytes], bytes]


Effect = ErrorStatus | Redirect | Reset | Hang | Cut | Drip | Latency | Stale | Rewrite


def garbage(body: bytes = b'{"data": {"findSc') -> ErrorStatus:
    """Return a 200 that says JSON and holds something else."""
    return ErrorStatus(200, body, (("Content-Type", "application/json"),))


def html(code: int = 200, text: str = "It works!") -> ErrorStatus:
    """Return a web page where an answer was expected, as proxies and login pages give it."""
    body = f"<!DOCTYPE html><html><head><title>{text}</title></head><body>{text}</body></html>"
    return ErrorStatus(code, body.encode(), (("Content-Type", "text/html; charset=utf-8"),))


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned failure.

    Args:
        kind: the kind of request it waits for (`Simulator.kind`); None takes every kind.
        nth: the first matching request it strikes, counted from 1 since it was added.
        effect: what happens.
        times: how many matching requests in a row it strikes; None never ends.
        match: a further condition on the request.
    """

    kind: str | None
    nth: int
    effect: Effect
    times: int | None = 1
    match: Callable[[SimRequest], bool] | None = None


class Faults:
    """The failures planned for one server; thread-safe, and changeable while it serves."""

    def __init__(self, *faults: Fault) -> None:
        self._changed = threading.Condition()
        self._planned: list[tuple[Fault, list[int]]] = []
        self._releases = 0
        self.add(*faults)

    def add(self, *faults: Fault) -> None:
        """Plan more; each counts its own matching requests from now on."""
        with self._changed:
            self._planned.extend((fault, [0]) for fault in faults)

    def clear(self) -> None:
        """Nothing goes wrong any more, and whatever hangs is let go."""
        with self._changed:
            self._planned.clear()
        self.release()

    def take(self, kind: str, request: SimRequest) -> Effect | None:
        """Return what strikes this request: the first planned fault that is due; all count it."""
        struck: Effect | None = None
        with self._changed:
            for fault, seen in self._planned:
                if not _concerns(fault, kind, request):
                    continue
                seen[0] += 1
                if struck is None and _due(fault, seen[0]):
                    struck = fault.effect
        return struck

    def hold(self, closing: Callable[[], bool]) -> None:
        """Block until `release` is called, or `closing` is true at a release."""
        with self._changed:
            before = self._releases
            self._changed.wait_for(lambda: self._releases != before or closing())

    def release(self) -> None:
        """Let every hanging request go: its connection closes without an answer."""
        with self._changed:
            self._releases += 1
            self._changed.notify_all()


def _concerns(fault: Fault, kind: str, request: SimRequest) -> bool:
    """Whether the request is one the fault counts."""
    if fault.kind is not None and fault.kind != kind:
        return False
    return fault.match is None or fault.match(request)


def _due(fault: Fault, seen: int) -> bool:
    """Whether the `seen`-th matching request is struck."""
    if seen < fault.nth:
        return False
    return fault.times is None or seen < fault.nth + fault.times
