"""Whether the picture an item shows is to be replaced by the cover, decided by policy.

The question is the one of every field: is what Plex shows somebody's own word? Plex locks a
picture whenever one is chosen, by a person or by a program, and a metadata agent leaves a locked
one alone. So a locked picture that is not ours is a person's. Source: docs/plex-api.md 5.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha1

from plexsync.models import PlexField, Policy, SceneId, is_show_key, source_in

UPLOADED = "upload://"
"""What the key of every uploaded picture begins with."""

GENERATED = "media://"
"""What the key of a frame begins with that Plex took from the video itself."""

_STOCK = "/:/resources/"
"""What the address of a picture begins with that Plex shows for want of any."""

NO_PICTURE = "none"
"""What stands for the key of a picture where Plex shows none."""

CHOSEN_IN_PLEX = "picture chosen in Plex"
"""What a person sees of a picture that somebody chose."""

LIMIT_BYTES = 10_000_000
"""The largest picture Plex takes. Source: docs/plex-api.md 5."""

_FOLDERS = {PlexField.POSTER: "posters", PlexField.BACKGROUND: "art"}
_KILO = 1000
_TOLD_APART = 8
_KEY = "://"


class PictureChoice(StrEnum):
    """What is to become of the picture an item shows.

    RIGHT: it shows the cover. WRITE: it gets the cover. KEPT: it stays although it differs. ASK:
    it may be the cover, uploaded by a run that could not remember it; only the bytes can tell. If
    it is not, it stays.
    """

    RIGHT = "right"
    WRITE = "write"
    KEPT = "kept"
    ASK = "ask"


def choose_picture(
    policy: Policy, *, selected: str, locked: bool, ours: str, moved: bool, preserve: bool
) -> PictureChoice:
    """Choose between the picture an item shows and the cover its scene has.

    Args:
        policy: of the field; not OFF.
        selected: the key of what Plex shows; "" for nothing.
        locked: whether Plex holds the lock of the picture.
        ours: the key of what we chose last; "" for nothing.
        moved: the cover is not known to be the one `ours` was made from.
        preserve: what a person put into Plex stays, whatever the policy.
    """
    if ours and selected == ours:
        return PictureChoice.WRITE if moved else PictureChoice.RIGHT
    # A frame of the video is what Plex shows for want of a picture.
    blank = not selected or selected.startswith(GENERATED)
    fills = policy is Policy.FILL and blank and not locked
    if fills or replaces_anything(policy, locked=locked, preserve=preserve):
        return PictureChoice.WRITE
    unknown = moved and selected.startswith(UPLOADED)
    return PictureChoice.ASK if unknown else PictureChoice.KEPT


def replaces_anything(policy: Policy, *, locked: bool, preserve: bool) -> bool:
    """Whether the cover replaces whatever it is that the item shows; see `choose_picture`."""
    match policy:
        case Policy.FILL:
            return False
        case Policy.KEEP:
            return not locked
        case _:
            return not (locked and preserve)


def upload_key(field: PlexField, body: bytes) -> str:
    """Return the key Plex gives to an uploaded picture: so Plex's answer need not be asked for.

    Source: docs/plex-api.md 5, "Poster".
    """
    return f"{UPLOADED}{_FOLDERS[field]}/{sha1(body, usedforsecurity=False).hexdigest()}"


def cover_text(key: SceneId, size_bytes: int, *, padded: bool = False) -> str:
    """Return the cover as a person is shown it: `cover of scene 42 (1.2 MB), padded`.

    Collections, shows and seasons have the picture of what they are made from.
    """
    what, source = f"cover of scene {key}", source_in(key)
    if source is not None:
        what = f"picture of {source.text.replace(':', ' ')}"
    elif is_show_key(key):
        what = "picture of its studio"
    size = f" ({_size(size_bytes)})" if size_bytes else ""
    return f"{what}{size}{', padded' * padded}"


def picture_text(selected: str, *, locked: bool, ours: str = "") -> str:
    """Return what an item shows now, for a person; `selected` may be another name of it."""
    if not selected or selected.startswith(_STOCK):
        return NO_PICTURE
    if ours and selected == ours:
        return "earlier cover"
    if selected.startswith(GENERATED):
        return "frame of the video"
    return CHOSEN_IN_PLEX if locked else "picture found by Plex"


def key_text(text: str) -> str:
    """Plex's key of a picture, as history and undo know it, in words; other words stay as they are.

    Uploads differ by how their names begin.
    """
    if text.startswith(GENERATED):
        return "frame of the video"
    if text.startswith(UPLOADED):
        return f"uploaded picture {text.rpartition('/')[2][:_TOLD_APART]}"
    if _KEY in text.partition(" ")[0]:
        return "picture found by Plex"
    return text or NO_PICTURE


def _size(size_bytes: int) -> str:
    if size_bytes < _KILO:
        return f"{size_bytes} bytes"
    if size_bytes < _KILO**2:
        return f"{size_bytes / _KILO:.0f} kB"
    return f"{size_bytes / _KILO**2:.1f} MB"
