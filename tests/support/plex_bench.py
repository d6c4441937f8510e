"""A simulated Plex on loopback, and our client on it, for the contract tests."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexsync.models import Change, ItemPlan, PlexField, Policy, RatingKey, SceneId, Value
from plexsync.plex.client import PlexClient
from plexsync.plex.connection import plex_headers
from plexsync.simulators.http.wire import Faults, LoopbackServer, Wired
from plexsync.simulators.library.records import (
    Library,
    PlexLibrarySection,
    PlexMedia,
    PlexPart,
    PlexSide,
    PlexVideo,
)
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.sync.ports import Ports
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import RetryPolicy, Timing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plexsync.models import ItemDetail, Section


def ports_on(plex: PlexClient, transport: Transport) -> Ports:
    """Return the world of work that asks for nothing but Plex."""
    nothing: Any = None
    return Ports(
        stash=nothing,
        plex=plex,
        requests=nothing,
        state_dir=Path(),
        cache_dir=Path(),
        now=lambda: datetime.now(UTC),
        run_id="",
        should_stop=lambda: False,
        plex_down=lambda: transport.down,
    )


SCENES = PlexLibrarySection(1, "Scenes", ("/media/scenes",), uuid="u-1")
SHOWS = PlexLibrarySection(2, "Shows", ("/media/shows", "/media/more"), kind="show", uuid="u-2")
MUSIC = PlexLibrarySection(3, "Music", ("/media/music",), kind="artist", uuid="u-3")
EMPTY = PlexLibrarySection(4, "Empty", ("/media/empty",), uuid="u-4")

KEY = RatingKey("1001")
"""The first movie's."""

CLIENT_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
BASE_EPOCH = 1_750_000_000


def make_video(number: int, **fields: object) -> PlexVideo:
    """Movie `number` of the library Scenes, later ones added and updated later."""
    part = PlexPart(
        id=50_000 + number,
        file=f"/media/scenes/scene {number}.mp4",
        size=1_000_000 + number,
        duration_ms=600_000 + number,
        oshash=0xABC0000000000000 + number,
    )
    values: dict[str, object] = {
        "rating_key": 1000 + number,
        "section_id": SCENES.id,
        "title": f"scene {number}",
        "media": (PlexMedia(60_000 + number, (part,), part.duration_ms),),
        "added_at": BASE_EPOCH + number,
        "updated_at": BASE_EPOCH + number,
        **fields,
    }
    return PlexVideo(**values)  # type: ignore[arg-type]  # the keywords of a test, checked by its run


def make_episode(number: int) -> PlexVideo:
    """An episode of the library Shows."""
    return make_video(
        number,
        section_id=SHOWS.id,
        kind="episode",
        subtype="",
        show="A Show",
        season=1,
        episode=number,
    )


def make_library(movies: int = 5, episodes: int = 0, *videos: PlexVideo) -> Library:
    """Four libraries; movies are numbered from 1, episodes from 8001."""
    return Library(
        plex=PlexSide(
            sections=(SCENES, SHOWS, MUSIC, EMPTY),
            videos=(
                *(make_video(number) for number in range(1, movies + 1)),
                *(make_episode(8000 + number) for number in range(1, episodes + 1)),
                *videos,
            ),
        )
    )


@dataclass
class Bench:
    """Everything a test turns or looks at."""

    simulator: PlexSimulator
    wired: Wired
    transport: Transport
    client: PlexClient

    def section(self, name: str = "Scenes") -> Section:
        """One library, fresh from the server."""
        (found,) = self.client.sections([name])
        return found

    def spent(self) -> dict[str, int]:
        """Requests by kind since the last call."""
        counted = self.wired.counters.by_kind()
        self.wired.counters.clear()
        return counted


@contextmanager
def plex_bench(
    library: Library | None = None,
    *faults: object,
    token: str | None = None,
    page_size: int = 500,
    detail_batch: int = 50,
    url_limit_bytes: int = 7500,
) -> Iterator[Bench]:
    """A server and a client that waits for nothing between its attempts."""
    simulator = PlexSimulator(library or make_library(), read_only_token="guest-token")
    wired = Wired(simulator, Faults(*faults))  # type: ignore[arg-type]  # checked by the test that passes them
    token = simulator.token if token is None else token
    with LoopbackServer(wired) as server:
        transport = Transport(
            server.url,
            name="Plex",
            headers=plex_headers(CLIENT_ID, token),
            secrets=(token,),
            retry=RetryPolicy(attempts=4),
            timing=Timing(sleep=lambda _seconds: None),
        )
        with transport:
            client = PlexClient(
                transport,
                url=server.url,
                page_size=page_size,
                detail_batch=detail_batch,
                url_limit_bytes=url_limit_bytes,
            )
            yield Bench(simulator, wired, transport, client)
            assert simulator.misdeeds.total == 0, simulator.misdeeds
            assert not any(token in target for target in wired.counters.targets if token)


def plan_for(
    detail: ItemDetail, wanted: Mapping[str, Value] = {}, *, lock: bool = True, **more: Value
) -> ItemPlan:
    """A plan that brings the named fields of a freshly read item to these values."""
    changes = tuple(
        Change(
            field=name,
            target=PlexField(name),
            before=detail.values[PlexField(name)],
            after=after,
            policy=Policy.OVERWRITE,
        )
        for name, after in {**wanted, **more}.items()
    )
    item = detail.item
    return ItemPlan(
        scene_id=SceneId("42"),
        rating_key=item.rating_key,
        section_id=item.section_id,
        kind=item.kind,
        path=item.files[0].path,
        lock=lock,
        changes=changes,
    )


def detail_of(bench: Bench, key: RatingKey = KEY) -> ItemDetail:
    """One item, freshly read."""
    (detail,) = bench.client.details([key])
    return detail
