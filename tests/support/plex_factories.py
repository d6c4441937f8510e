"""Made-up rows for the simulated Plex server, and a way to ask it without a socket."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from plexsync.simulators.http.messages import Headers, SimRequest
from plexsync.simulators.library.records import (
    Library,
    PlexLibrarySection,
    PlexMedia,
    PlexPart,
    PlexSide,
    PlexVideo,
)
from plexsync.simulators.plex.simulator import PlexSimulator

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.simulators.http.messages import SimResponse

SCENES = PlexLibrarySection(1, "Scenes", ("/media",))
MOVIES = PlexLibrarySection(
    2, "Movies", ("/films",), agent="tv.plex.agents.movie", scanner="Plex Movie", language="en-US"
)
SHOWS = PlexLibrarySection(
    3, "Series", ("/tv",), kind="show", agent="tv.plex.agents.series", scanner="Plex TV Series"
)
SECTIONS = (SCENES, MOVIES, SHOWS)


def make_media(number: int, file: str, **fields: Any) -> PlexMedia:  # noqa: ANN401 - any field
    """One version with one file of ten minutes; `number` makes its ids."""
    part = PlexPart(
        id=2000 + number, file=file, size=1_000_000 + number, duration_ms=600_000, oshash=number
    )
    made = PlexMedia(id=1000 + number, parts=(part,), duration_ms=600_000)
    return replace(made, **fields)


def make_video(rating_key: int, **fields: Any) -> PlexVideo:  # noqa: ANN401 - any field
    """A personal video in the library `SCENES`, of which little is set."""
    made = PlexVideo(
        rating_key=rating_key,
        section_id=SCENES.id,
        title=f"Clip {rating_key}",
        media=(make_media(rating_key, f"/media/clip{rating_key}.mp4"),),
        originally_available_at="2024-05-01",
        updated_at=1_740_000_000 + rating_key,
    )
    return replace(made, **fields)


def make_film(rating_key: int, **fields: Any) -> PlexVideo:  # noqa: ANN401 - any field
    """A film in the library `MOVIES`, of which everything is set."""
    made = make_video(
        rating_key,
        section_id=MOVIES.id,
        subtype="",
        guid=f"plex://movie/{rating_key:024x}",
        original_title="Le Film",
        summary="A film about films.",
        tagline="See it.",
        studio="Film Works",
        content_rating="R",
        genres=("Drama", "Comedy", "Crime", "Noir"),
        actors=(("Ann", "Herself"), ("Bo", ""), ("Cy", ""), ("Di", "A dog")),
        directors=("Eve",),
        writers=("Flo", "Gus", "Hal"),
        producers=("Ida",),
        countries=("Chad",),
        labels=("Seen",),
        collections=("Best",),
        locked=frozenset({"title", "genre"}),
        user_rating=8.0,
        view_count=2,
    )
    return replace(made, **fields)


def make_episode(rating_key: int, **fields: Any) -> PlexVideo:  # noqa: ANN401 - any field
    """An episode of the show "Show" in the library `SHOWS`."""
    made = make_video(
        rating_key,
        section_id=SHOWS.id,
        kind="episode",
        subtype="",
        summary="Things happen.",
        writers=("Flo",),
        show="Show",
        season=1,
        episode=rating_key,
        media=(make_media(rating_key, f"/tv/Show/S01/e{rating_key}.mkv", container="mkv"),),
    )
    return replace(made, **fields)


def make_plex(
    *videos: PlexVideo,
    sections: tuple[PlexLibrarySection, ...] = SECTIONS,
    **options: Any,  # noqa: ANN401 - whatever the simulator takes
) -> PlexSimulator:
    """A server with these items."""
    return PlexSimulator(Library(plex=PlexSide(sections=sections, videos=videos)), **options)


def ask(
    plex: PlexSimulator,
    target: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    token: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> SimResponse:
    """Send one request; `token` None is the owner's, "" is none."""
    given = plex.token if token is None else token
    with_token = (("X-Plex-Token", given), *headers) if given else headers
    return plex.handle(SimRequest.from_target(method, target, Headers(with_token), body))


def ask_json(
    plex: PlexSimulator, target: str, *, headers: tuple[tuple[str, str], ...] = ()
) -> dict[str, Any]:
    """The container of a JSON answer."""
    wanted = (("Accept", "application/json"), *headers)
    answer = ask(plex, target, headers=wanted)
    assert answer.status == 200, answer
    container: dict[str, Any] = json.loads(answer.body)["MediaContainer"]
    return container


def ask_xml(plex: PlexSimulator, target: str) -> ET.Element:
    """The container of an XML answer."""
    answer = ask(plex, target)
    assert answer.status == 200, answer
    return ET.fromstring(answer.body)  # noqa: S314 - our own simulator wrote it


def put(plex: PlexSimulator, target: str) -> SimResponse:
    """Send an edit."""
    return ask(plex, target, method="PUT")


def every_page(
    fetch: Callable[[int], dict[str, Any]],
) -> list[dict[str, Any]]:
    """All items of a listing read page by page until an empty one."""
    items: list[dict[str, Any]] = []
    while page := fetch(len(items)).get("Metadata"):
        items.extend(page)
    return items
