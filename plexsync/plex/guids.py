"""Stash's ids in Plex's GUIDs: what an agent, a provider or an NFO file left of a scene.

Source: docs/plex-api.md 7.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCENE_ID = r"(?P<id>[1-9][0-9]{0,18})"
_GUIDS = (
    # The legacy StashPlexAgent returns the scene's id as the id of its result.
    re.compile(rf"com\.plexapp\.agents\.stashplexagent://{_SCENE_ID}(?:[/?].*)?"),
    # An NFO file's `<uniqueid type="stash">`.
    re.compile(rf"tv\.plex\.agents\.nfo\.[a-z]+://[^?]*\bstash_{_SCENE_ID}(?:\?.*)?"),
    # A custom provider; which one, its name does not tell, so the file has to confirm the id.
    re.compile(rf"tv\.plex\.agents\.custom\.[^:/]+://(?:[^?]*[/-])?{_SCENE_ID}(?:\?.*)?"),
    # External ids among an item's further ones.
    re.compile(rf"stash(?:app)?://(?:[a-z]+[/-])?{_SCENE_ID}"),
)


def scene_id_in(guids: Iterable[str]) -> str:
    """Return the id of the scene that one of an item's GUIDs names; "" for none."""
    for guid in guids:
        for form in _GUIDS:
            if found := form.fullmatch(guid):
                return found["id"]
    return ""
