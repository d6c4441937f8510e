"""What tests of many fields share: a configuration with every field on, and agents at work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import requests

from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library

if TYPE_CHECKING:
    from plexsync.simulators.library.pairs import Library
    from tests.support.world import World

PLAIN = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"}
EVERYTHING = {
    **PLAIN,
    "FIELDS__SORT_TITLE": "overwrite",
    "FIELDS__ORIGINAL_TITLE": "overwrite",
    "FIELDS__TAGLINE": "overwrite",
    "FIELDS__TAGLINE__TEMPLATE": "{code} {director}",
    "FIELDS__CONTENT_RATING": "overwrite",
    "FIELDS__DIRECTORS": "overwrite",
    "FIELDS__GROUPS": "overwrite",
    "FIELDS__LABELS": "overwrite",
    "FIELDS__RATING": "overwrite",
    "FIELDS__PERFORMERS": "overwrite",
    "FIELDS__TAGS": "overwrite",
}
CREDITS = {"FIELDS__PERFORMERS__ROLE": "{gender}", "FIELDS__PERFORMERS__PHOTO": "{image}"}

PHOTO = "https://agent.example/neo.jpg"


def small_library(scenes: int = 8, **fields: object) -> Library:
    """Scenes that all have their item."""
    spec = LibrarySpec(seed=3, scenes=scenes, mix={Case.SAME: 1.0}, edited=0.0)
    return make_library(replace(spec, **fields))  # type: ignore[arg-type]  # by replace


def credit(
    world: World, key: str, name: str, *, role: str = "", photo: str = "", clear: bool = False
) -> None:
    """An agent credits an actor, through Plex's own door; with `clear` the role may be nothing."""
    arguments = {
        "actor[0].tag.tag": name,
        "actor[0].tagging.text": role,
        "actor[0].tag.thumb": photo,
    }
    kept = {one: text for one, text in arguments.items() if text or (clear and "text" in one)}
    query = "&".join(f"{quote(one)}={quote(text, safe='')}" for one, text in kept.items())
    item = next(one for one in world.library.plex.videos if str(one.rating_key) == key)
    kind = 4 if item.kind == "episode" else 1
    requests.put(
        f"{world.plex_url}/library/sections/{item.section_id}/all?type={kind}&id={key}&{query}",
        headers={"X-Plex-Token": world.plex.token},
        timeout=120,
    ).raise_for_status()
