"""Everything to put a simulator on a wire: requests, faults, counters, a server, an adapter.

    faults = Faults(Fault("plex.put", 1, Reset(applied=True)))
    with LoopbackServer(Wired(simulator, faults)) as server:
        requests.get(server.url)

`SimAdapter` serves the same without a socket.
"""

from __future__ import annotations

from plexsync.simulators.http.adapter import SimAdapter
from plexsync.simulators.http.exchange import Counters, Reply, Simulator, Wired
from plexsync.simulators.http.faults import (
    Cut,
    Drip,
    Effect,
    ErrorStatus,
    Fault,
    Faults,
    Hang,
    Latency,
    Redirect,
    Reset,
    Rewrite,
    Stale,
    garbage,
    html,
)
from plexsync.simulators.http.loopback import LoopbackServer
from plexsync.simulators.http.messages import Headers, SimRequest, SimResponse

__all__ = [
    "Counters",
    "Cut",
    "Drip",
    "Effect",
    "ErrorStatus",
    "Fault",
    "Faults",
    "Hang",
    "Headers",
    "Latency",
    "LoopbackServer",
    "Redirect",
    "Reply",
    "Reset",
    "Rewrite",
    "SimAdapter",
    "SimRequest",
    "SimResponse",
    "Simulator",
    "Stale",
    "Wired",
    "garbage",
    "html",
]
