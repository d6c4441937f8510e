"""Proxies that ask for credentials, before either server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.app.opening import config_secrets
from plexsync.app.runs import open_ports
from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync import reconcile
from plexsync.sync.ports import RunOptions
from tests.support.world import Recorder, World

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.models import RunSummary
    from plexsync.simulators.http.wire import SimRequest

SPEC = LibrarySpec(seed=4, scenes=6, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
CREDENTIALS = "Basic dXNlcjpjYW5hcnk="


def stranger(request: SimRequest) -> bool:
    """Whether a request comes without what the proxy asks for."""
    return request.headers.get("Authorization", "") != CREDENTIALS


def run(world: World, **settings: str) -> RunSummary:
    """A run as the command line composes it, without its retries."""
    config, reporter = world.config(**settings), Recorder()
    with open_ports(config, world.environ(**settings), reporter.warn, read_only=False) as ports:
        return reconcile.run(config, RunOptions(), ports, reporter)


def test_headers_open_the_proxies_before_both_servers(tmp_path: Path) -> None:
    """Without them exit 5 names the key; with them all is written, and the value is a secret."""
    with World(make_library(SPEC), tmp_path, PATHS="/data/=/media/") as world:
        refusal = ErrorStatus(401, headers=(("WWW-Authenticate", 'Basic realm="home"'),))
        for wire in (world.stash_wire, world.plex_wire):
            wire.faults.add(Fault(None, 1, refusal, times=None, match=stranger))
        refused = run(world)
        assert refused.exit_code == ExitCode.ACCESS
        assert refused.error is not None
        assert "[stash] headers" in refused.error.hint
        both = dict.fromkeys(("STASH__HEADERS", "PLEX__HEADERS"), f"Authorization={CREDENTIALS}")
        assert run(world, **both).exit_code == ExitCode.OK
        assert CREDENTIALS in config_secrets(world.config(**both))
