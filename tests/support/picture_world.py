"""A world of scenes with covers, and what is seen of them in Plex."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from tests.support.world import World, scene_ids

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.models import Link
    from tests.support.world import Ran

POSTERS = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/", "FIELDS__POSTER": "overwrite"}
PNG = b"\x89PNG\r\n\x1a\n" + b"one picture" * 20
OTHER = b"\xff\xd8\xff\xe0" + b"another picture" * 30


def made(directory: Path, scenes: int = 7, **settings: str) -> World:
    """A world of plain scenes, each with a cover of its own."""
    spec = LibrarySpec(seed=3, scenes=scenes, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    world = World(make_library(spec), directory, **(POSTERS | settings))
    for number in range(1, scenes + 1):
        world.stash.set_cover(number, PNG + str(number).encode())
    return world


def upload_key(body: bytes, folder: str = "posters") -> str:
    """What Plex calls an uploaded picture."""
    return f"upload://{folder}/{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"


def poster(world: World, scene_id: str) -> str:
    """The key of what the item of a scene shows."""
    return world.plex.dump()[world.key_of(scene_id)]["poster"]


def choose_by_hand(world: World, scene_id: str, body: bytes = OTHER) -> str:
    """A person uploads a picture in Plex; its key."""
    world.plex.choose_picture(world.key_of(scene_id), "poster", body)
    return upload_key(body)


def uploads(ran: Ran) -> int:
    """Pictures that reached Plex."""
    return ran.plex.get("plex.upload", 0)


def covers(ran: Ran) -> int:
    """Requests for covers."""
    return ran.stash.get("stash.cover", 0)


def only_link(world: World, scene_id: str) -> Link:
    """The remembered link of a scene."""
    record = world.state().get(scene_ids(scene_id)[0])
    assert record is not None
    (link,) = record.links
    return link
