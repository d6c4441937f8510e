"""A world of six plain scenes with known studios, tags, performers and groups, for collections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.simulators.plex.by_hand.collections import CollectionSnapshot

SCENES = 6
LOGO = b"\x89PNG\r\n\x1a\n" + b"a logo" * 20
OTHER_LOGO = b"\xff\xd8\xff\xe0" + b"another logo" * 20


def collection_world(directory: Path, **settings: str) -> World:
    """Return a world with studio collections on, unless `settings` says otherwise.

    Scenes 1 and 2 are Mother's, 3 and 4 her Daughter's. 1 and 2 have the tag Lake, the group Film
    and Ann; 1 is organized, 2 has 80 of 100.
    """
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    world = World(
        make_library(spec),
        directory,
        **{"PATHS": "/data/=/media/", "COLLECTIONS__STUDIOS": "true", **settings},
    )
    stash = world.stash
    stash.edit_studio(1, name="Mother", parent_id=None, details="Since 1999.")
    stash.edit_studio(2, name="Daughter", parent_id=1)
    stash.set_image("studio", 1, LOGO)
    stash.edit_tag(1, name="Lake", description="Fresh water.", parent_ids=())
    stash.edit_performer(1, name="Ann", details="An actor.")
    stash.edit_group(1, name="Film", synopsis="What happens.")
    plain = {
        "studio_id": None,
        "tag_ids": (),
        "performer_ids": (),
        "groups": (),
        "rating100": None,
        "organized": False,
    }
    for number in range(1, SCENES + 1):
        stash.edit_scene(number, **plain)
    for number, studio in ((1, 1), (2, 1), (3, 2), (4, 2)):
        stash.edit_scene(number, studio_id=studio)
    for number in (1, 2):
        stash.edit_scene(number, tag_ids=(1,), performer_ids=(1,), groups=((1, None),))
    stash.edit_scene(1, organized=True)
    stash.edit_scene(2, rating100=80)
    world.wait(1)
    return world


def titles(world: World) -> dict[str, set[str]]:
    """The scenes in each collection of Plex, by its title."""
    scenes = {world.key_of(str(number)): str(number) for number in range(1, SCENES + 1)}
    return {
        title: {scenes.get(key, key) for key in members}
        for title, members in world.plex.collections.titles().items()
    }


def shelf(world: World, title: str) -> CollectionSnapshot:
    """Everything of one collection."""
    return world.plex.collections.dump()[world.plex.collections.key_of(title)]


def whole(world: World) -> object:
    """All that can change in Plex, items and collections."""
    return world.plex.dump(), world.plex.collections.dump()
