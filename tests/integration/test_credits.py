"""Roles and photos of actors: never lost, written if asked for, seen before they are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests

from plexsync.ports import RunOptions
from plexsync.simulators.library import Case, LibrarySpec, make_library
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.plex_snapshot import ItemSnapshot

FORCED = RunOptions(full=True, force=True)
PHOTO = "https://agent.example/neo.jpg"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Four plain scenes, nothing synced yet."""
    spec = LibrarySpec(seed=3, scenes=4, mix={Case.SAME: 1.0}, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        yield made


def put(world: World, key: str, **values: str) -> None:
    """An edit as another program sends it."""
    query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in values.items())
    section = world.library.plex.videos[0].section_id
    requests.put(
        f"{world.plex_url}/library/sections/{section}/all?type=1&id={key}&{query}",
        headers={"X-Plex-Token": world.plex.token},
        timeout=5,
    ).raise_for_status()


def credit(world: World, key: str, name: str, *, role: str = "", photo: str = "") -> None:
    """An agent credits an actor."""
    said = {"actor[0].tag.tag": name, "actor[0].tagging.text": role, "actor[0].tag.thumb": photo}
    put(world, key, **{argument: value for argument, value in said.items() if value})


def comparable(item: ItemSnapshot) -> object:
    """What an undo must bring back; the order of tags means nothing to Plex."""
    tags = {kind: sorted(worn) for kind, worn in item["tags"].items()}
    return item["fields"], tags, item["photos"], item["locks"]


# ---- never lost ----------------------------------------------------------------------------------


@pytest.mark.parametrize("forget", [False, True], ids=["tags stay", "unused tags go"])
def test_an_actor_that_comes_back_has_role_and_photo_again(
    world: World,
    forget: bool,  # noqa: FBT001 - a table of two
) -> None:
    """Though nothing of it was asked for; also where Plex forgot the name meanwhile."""
    world.plex.switches.forget_unused_tags = forget
    key = world.key_of("1")
    credit(world, key, "Keanu Example", role="Neo", photo=PHOTO)
    credit(world, key, "Plain Example")
    before = comparable(world.plex.dump()[key])
    world.run(FIELDS__PERFORMERS="overwrite")
    assert "Keanu Example" not in world.tags(key, "actor")
    world.undo()
    assert comparable(world.plex.dump()[key]) == before
    assert world.run(FORCED, FIELDS__PERFORMERS="overwrite").puts > 0


@pytest.mark.parametrize("replace_tags", [False, True])
def test_an_actor_that_stays_keeps_its_role(
    world: World,
    replace_tags: bool,  # noqa: FBT001 - a table of two
) -> None:
    """Whatever Plex does with lists: the role is said along with the name."""
    key = world.key_of("1")
    names = {one.id: one.name for one in world.library.stash.performers}
    mine = names[world.library.stash.scenes[0].performer_ids[0]]
    credit(world, key, mine, role="Herself")
    credit(world, key, "Keanu Example", role="Neo")
    world.plex.switches.replace_tags = replace_tags
    world.run()
    roles = dict(world.plex.dump()[key]["tags"]["actor"])
    assert roles[mine] == "Herself"
    assert roles["Keanu Example"] == "Neo"


def test_a_photo_somebody_gave_since_stays(world: World) -> None:
    """An undo brings back the name, and its photo only where Plex has none."""
    key, other = world.key_of("1"), world.key_of("2")
    credit(world, key, "Keanu Example", photo=PHOTO)
    credit(world, other, "Keanu Example")
    world.run(RunOptions(limit=1), FIELDS__PERFORMERS="overwrite")
    assert "Keanu Example" not in world.tags(key, "actor")
    credit(world, other, "Keanu Example", photo="https://since.example/new.jpg")
    world.undo()
    assert "Keanu Example" in world.tags(key, "actor")
    assert world.plex.dump()[key]["photos"]["Keanu Example"] == "https://since.example/new.jpg"
