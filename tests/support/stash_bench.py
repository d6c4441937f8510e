"""A simulated Stash on loopback, and our client on it, for the contract tests."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.config.values import stash_url
from plexsync.simulators.http.wire import Fault, Faults, LoopbackServer, SimAdapter, Wired
from plexsync.simulators.library.records import (
    Library,
    StashFile,
    StashFolder,
    StashGroup,
    StashPerformer,
    StashScene,
    StashSide,
    StashStudio,
    StashTag,
)
from plexsync.simulators.stash.simulator import StashSimulator
from plexsync.stash_client import StashClient, stash_headers
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import RetryPolicy, Timing
from tests.support.transport_bench import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.simulators.http.wire import Effect

KEY = "canary-stash-key"

FOLDERS = (StashFolder(1, "/data/scenes"), StashFolder(2, "D:\\Videos"))
TAGS = (StashTag(1, "Outdoor"), StashTag(2, "Day"))
PERFORMERS = (StashPerformer(1, "Ann Example"), StashPerformer(2, "Bo Example"))
STUDIOS = (StashStudio(1, "Parent"), StashStudio(2, "Child", parent_id=1))
GROUPS = (StashGroup(1, "Group One"),)


def make_file(number: int, **fields: object) -> StashFile:
    """File `number` of the first folder."""
    values: dict[str, object] = {
        "id": number,
        "folder_id": 1,
        "basename": f"scene {number}.mp4",
        "size": 1_000_000 + number,
        "duration": 600.5 + number,
        "oshash": 0xABC + number,
        **fields,
    }
    return StashFile(**values)  # type: ignore[arg-type]  # the keywords of a test, checked by its run


def make_scene(number: int, **fields: object) -> StashScene:
    """Scene `number`, which has file `number`."""
    values: dict[str, object] = {
        "id": number,
        "title": f"Scene {number}",
        "file_ids": (number,),
        "tag_ids": (1,),
        "updated_at": f"2025-01-{1 + number % 28:02}T10:00:00+01:00",
        **fields,
    }
    return StashScene(**values)  # type: ignore[arg-type]  # same


def make_library(
    scenes: int = 12,
    *,
    odd_scenes: tuple[StashScene, ...] = (),
    odd_files: tuple[StashFile, ...] = (),
) -> Library:
    """Scenes are numbered from 1."""
    return Library(
        stash=StashSide(
            scenes=(*(make_scene(number) for number in range(1, scenes + 1)), *odd_scenes),
            files=(*(make_file(number) for number in range(1, scenes + 1)), *odd_files),
            folders=FOLDERS,
            performers=PERFORMERS,
            tags=TAGS,
            studios=STUDIOS,
            groups=GROUPS,
        )
    )


@dataclass(slots=True)
class Bench:
    """A client, and what it talks to."""

    client: StashClient
    simulator: StashSimulator
    server: LoopbackServer
    transport: Transport
    clock: Clock

    @property
    def asked(self) -> int:
        """How many GraphQL requests arrived."""
        return self.server.wired.counters.requests("stash.graphql")

    def strike(self, *effects: Effect, nth: int = 1) -> None:
        """Let the nth GraphQL request from now, and those after it, meet `effects`, one each."""
        faults = (Fault("stash.graphql", at, effect) for at, effect in enumerate(effects, nth))
        self.server.wired.faults.add(*faults)


@contextmanager
def stash_bench(  # noqa: PLR0913 - every edge a test may want to turn
    library: Library | None = None,
    *,
    version: str = "v0.30.1",
    server_key: str = KEY,
    key: str = KEY,
    page_size: int = 5,
    detail_batch: int = 5,
    sockets: bool = True,
    suffix: str = "",
    compiled: bool = True,
) -> Iterator[Bench]:
    """A client with small pages, so that a dozen scenes are several.

    Without sockets no time passes: a server that hangs has timed out at once.
    """
    simulator = StashSimulator(
        library or make_library(), version=version, api_key=server_key, compiled=compiled
    )
    clock = Clock()
    wired = Wired(simulator, Faults(), gzip=True)
    with LoopbackServer(wired, chunked_from=2000) as server:
        url = stash_url(server.url + suffix)
        transport = Transport(
            url,
            name="Stash",
            headers=stash_headers(key),
            secrets=(key,),
            retry=RetryPolicy(attempts=3),
            timing=Timing(sleep=clock.sleep),
            adapter=None if sockets else SimAdapter(wired),
        )
        client = StashClient(
            transport,
            url=url,
            page_size=page_size,
            sweep_size=page_size,
            detail_batch=detail_batch,
        )
        with transport:
            yield Bench(client, simulator, server, transport, clock)
