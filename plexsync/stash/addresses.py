"""Where a Stash is: the address it is asked at, and those a person follows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plexsync.errors import ConfigError
from plexsync.models import is_show_key, source_in

if TYPE_CHECKING:
    from plexsync.models import SceneId

GRAPHQL = "/graphql"

_DEFAULT_IMAGE = "default=true"
"""What the address of a picture says that Stash shows for want of one."""

_KEY = "apikey"


def base_url(url: str) -> str:
    """Return the address of a Stash from what a person wrote: with or without `/graphql`.

    Raises:
        ConfigError: there is no `http://` or `https://` in front.
    """
    trimmed = url.strip().rstrip("/")
    if not re.match(r"https?://", trimmed, re.IGNORECASE):
        raise ConfigError(
            "the address of Stash needs http:// or https:// in front",
            context="[stash] url",
            hint='write it like "http://localhost:9999"',
        )
    return trimmed.removesuffix(GRAPHQL).rstrip("/")


def scene_address(url: str, scene_id: SceneId) -> str:
    """Where a person finds a scene in Stash, or what a collection is made from; "" for neither."""
    if is_show_key(scene_id):
        return ""
    if source := source_in(scene_id):
        return f"{url}/{source.kind}s/{source.number}" if source.related else url
    return f"{url}/scenes/{scene_id}"


def stash_headers(api_key: str) -> dict[str, str]:
    """Return the headers a Stash transport sends with every request.

    A Stash without a login refuses every key, so none is sent when none is configured.
    Source: docs/stash-api.md 1.3.
    """
    return {"ApiKey": api_key} if api_key else {}


def own_path(place: str, url: str) -> str:
    """Return path and query of a picture below the configured address, without any key.

    Host and prefix of the URL are what a proxy or `external_host` made of them, so only what
    follows is kept. "" for the picture Stash shows for want of one.
    Source: docs/stash-api.md 3.2.
    """
    at = url.rfind(place)
    path, _, query = url[at:].partition("?") if at >= 0 else ("", "", "")
    words = [word for word in query.split("&") if word]
    if _DEFAULT_IMAGE in words:
        return ""
    kept = "&".join(word for word in words if word.partition("=")[0].lower() != _KEY)
    return f"{path}?{kept}" if kept else path
