"""A world of six scenes that are episodes of shows laid out as studio and year."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plexsync.simulators.library.maker import SHOWS
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.simulators.library.pairs import Library
    from plexsync.simulators.plex.simulator import ItemSnapshot

LOGO = b"\x89PNG\r\n\x1a\n" + b"a logo" * 20
OTHER_LOGO = b"\xff\xd8\xff\xe0" + b"another logo" * 20

LAYOUT = {
    "1": ("mother", 2021),
    "2": ("mother", 2021),
    "3": ("mother", 2022),
    "4": ("mixed", 2021),
    "5": ("mixed", 2021),
    "6": ("mother", 0),
}
"""The folder and the season of each scene's episode; season 0 is "Specials"."""


def show_world(directory: Path, **settings: str) -> World:
    """Return a world in which shows follow their studios, unless `settings` says otherwise.

    The show "mother" holds scenes 1, 2 (of 2021), 3 (of 2022) and 6 (of 2021, in "Specials"), all
    of the studio Mother or its Daughter. "mixed" holds 4 of Mother and 5 of Other.
    """
    spec = LibrarySpec(seed=3, scenes=6, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    world = World(
        _as_episodes(make_library(spec)),
        directory,
        **{"PATHS": "/data/=/media/", "SHOWS__STUDIOS": "true", **settings},
    )
    stash = world.stash
    stash.edit_studio(1, name="Mother", parent_id=None, details="Since 1999.")
    stash.edit_studio(2, name="Daughter", parent_id=1)
    stash.edit_studio(3, name="Other", parent_id=None)
    stash.set_image("studio", 1, LOGO)
    dates = {3: "2022-05-01"}
    studios = {3: 2, 5: 3}
    for number in range(1, 7):
        date, studio = dates.get(number, f"2021-0{number}-01"), studios.get(number, 1)
        stash.edit_scene(number, studio_id=studio, date=date)
    world.wait(1)
    return world


def _as_episodes(library: Library) -> Library:
    """Return the library with its items as episodes."""
    scene_of = {key: scene for scene, keys in library.truth.items() for key in keys}
    videos = []
    for number, video in enumerate(library.plex.videos, start=1):
        show, season = LAYOUT[scene_of[str(video.rating_key)]]
        place = {"show": show, "season": season, "episode": number}
        videos.append(
            replace(video, section_id=SHOWS.section_id, kind="episode", subtype="", **place)  # type: ignore[arg-type] # each has its own type
        )
    return replace(library, plex=replace(library.plex, videos=tuple(videos)))


def show_of(world: World, scene_id: str) -> str:
    """The rating key of the show that holds a scene's episode."""
    return world.plex.above(world.key_of(scene_id))[1]


def season_of(world: World, scene_id: str) -> str:
    """The rating key of the season that holds a scene's episode."""
    return world.plex.above(world.key_of(scene_id))[0]


def shown(world: World, rating_key: str) -> ItemSnapshot:
    """Everything of one show or season."""
    return world.plex.dump()[rating_key]


def title_of(world: World, rating_key: str) -> str:
    """What it is called."""
    return shown(world, rating_key)["fields"].get("title", "")
