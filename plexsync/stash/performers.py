"""Performers as Stash tells of them: their names, and if asked for all that credits are made of."""

from __future__ import annotations

import msgspec

from plexsync.models import Performer
from plexsync.planning.relations import performer_text

_DEFAULT_IMAGE = "default=true"
"""What the address of a picture says that Stash shows for want of one."""

_KEY = "apikey"


class WirePerformer(msgspec.Struct, frozen=True, gc=False):
    """A performer; all but id and name only if the cast was asked for, and then a list at least."""

    id: str
    name: str = ""
    disambiguation: str | None = None
    gender: str | None = None
    alias_list: tuple[str, ...] | None = None
    image_path: str | None = None


def performer_of(wire: WirePerformer) -> Performer:
    """Return what Stash knows of a performer."""
    return Performer(
        performer_id=wire.id,
        name=wire.name,
        disambiguation=wire.disambiguation or "",
        gender=wire.gender or "",
        aliases=wire.alias_list or (),
        image_path=own_image_path(f"/performer/{wire.id}/image", wire.image_path or ""),
    )


def shown_text(wire: WirePerformer) -> str:
    """Return what a scene may show of a performer, as far as it was asked for; see `relations`."""
    if wire.alias_list is None:
        return wire.name
    known = performer_of(wire)
    facts = (known.disambiguation, known.gender, *known.aliases, known.image_path)
    return performer_text(known.name, facts)


def own_image_path(place: str, url: str) -> str:
    """Path and query of an object's picture below the configured address, without any key.

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
