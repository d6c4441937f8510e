"""Killing what a crash test runs in a process of its own, at a chosen moment."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from plexsync.simulators.http.wire import Fault, Reset
from tests.support.children import CHILDREN

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.simulators.http.wire import SimRequest
    from tests.support.world import World


def killed_at(
    world: World, at: int, target: Callable[..., None], *arguments: object, applied: bool
) -> bool:
    """Kill `target` when its `at`-th request reaches Plex; False if it ends before that.

    Args:
        world: the one with the Plex that is asked.
        at: the number of the request, from 1.
        target: what runs.
        *arguments: what it is given.
        applied: whether Plex does what that request asks.
    """
    child = CHILDREN.Process(target=target, args=arguments)
    seen = 0

    def strike(_request: SimRequest) -> None:
        nonlocal seen
        seen += 1
        if seen == at and child.pid:
            os.kill(child.pid, signal.SIGKILL)

    world.plex_wire.faults.add(Fault(None, at, Reset(applied=applied)))
    world.plex_wire.on_request = strike
    child.start()
    child.join(60)
    killed = child.exitcode == -signal.SIGKILL
    child.close()
    world.plex_wire.on_request = None
    world.plex_wire.faults.clear()
    return killed
