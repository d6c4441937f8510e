"""What the simulated Plex server says of versions, files and streams, and of their hashes.

Source: docs/plex-api.md 2, 3 and 8; names and types are those of tests/contract/shapes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from plexsync.simulators.plex.element import Element, Scalar

if TYPE_CHECKING:
    from plexsync.simulators.library.records import PlexMedia, PlexPart
    from plexsync.simulators.plex.store import Item

OPTIMISED = 42
"""The proxyType of an optimised version. Source: docs/plex-api.md 4."""

_UNDER_HEIGHT = ((480, "480"), (576, "576"), (720, "720"), (1080, "1080"))


class View(NamedTuple):
    """Which answer an item is written for.

    Attributes:
        full: a detail answer: all tags with ids, locks, streams, the section on the item.
        guids: external ids as children (`includeGuids=1`).
        preferences: how a collection is shown and sorted (`includePreferences=1`).
        check_files: say of each file whether it is there (`checkFiles=1`).
        without_elements: children left out (`excludeElements=`).
        without_fields: attributes left out (`excludeFields=`), of `summary tagline file` only.
    """

    full: bool = False
    guids: bool = False
    preferences: bool = False
    check_files: bool = False
    without_elements: frozenset[str] = frozenset()
    without_fields: frozenset[str] = frozenset()


def media_element(media: PlexMedia, view: View) -> Element:
    """One version; what was not analysed yet is absent."""
    shape = _shape(media.width or 0, media.height or 0)
    known: dict[str, Scalar | None] = {
        "id": media.id,
        "duration": media.duration_ms,
        "bitrate": media.bitrate,
        "width": media.width,
        "height": media.height,
        "aspectRatio": shape.ratio or None,
        "audioChannels": 2,
        "audioCodec": media.audio_codec,
        "videoCodec": media.video_codec,
        "videoResolution": shape.resolution if media.height else None,
        "container": media.container,
        "videoFrameRate": "24p",
        "audioProfile": "lc",
        "videoProfile": "high",
        "proxyType": OPTIMISED if media.optimized else None,
        "title": "Optimized for Mobile" if media.optimized else None,
        "deletedAt": media.deleted_at,
    }
    shown = {name: value for name, value in known.items() if value is not None}
    return Element("Media", shown, [_part_element(part, media, view) for part in media.parts])


def tree_element(item: Item, *, hashes: bool = True) -> Element:
    """Return an item with its files' hashes, and all below it. Source: docs/plex-api.md 3."""
    attributes: dict[str, Scalar] = {
        "id": item.rating_key,
        "title": item.title,
        "guid": item.guid,
        "parentTitle": "",
        "instanceRatingKey": "",
        "index": item.index or 1,
        "originallyAvailableAt": item.fields.get("originallyAvailableAt", ""),
        "addedAt": item.added_at,
        "refreshedAt": item.updated_at,
    }
    below = [tree_element(child, hashes=hashes) for child in item.children]
    versions = [_tree_version(media, hashes=hashes) for media in item.media]
    return Element("MetadataItem", attributes, [*below, *versions])


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a version's picture size makes Plex say of it."""

    ratio: float
    resolution: str


def _shape(width: int, height: int) -> _Shape:
    """Aspect ratio and the name of the resolution."""
    ratio = round(width / height, 2) if height else 0.0
    for limit, name in _UNDER_HEIGHT:
        if height <= limit:
            return _Shape(ratio, name)
    return _Shape(ratio, "4k")


def _part_element(part: PlexPart, media: PlexMedia, view: View) -> Element:
    """One file."""
    known: dict[str, Scalar | None] = {
        "id": part.id,
        "key": f"/library/parts/{part.id}/{part.changed_at}/file.{part.container}",
        "duration": part.duration_ms,
        "file": None if "file" in view.without_fields else part.file,
        "size": part.size,
        "audioProfile": "lc",
        "container": part.container,
        "videoProfile": "high",
        "deletedAt": part.deleted_at,
        "exists": part.exists if view.check_files else None,
        "accessible": part.exists if view.check_files else None,
    }
    shown = {name: value for name, value in known.items() if value is not None}
    return Element("Part", shown, _streams(part, media) if view.full else [])


def _streams(part: PlexPart, media: PlexMedia) -> list[Element]:
    """Return a picture and a sound stream, where the file was analysed."""
    if media.width is None or media.height is None:
        return []
    first = part.id * 2
    name = f"{_shape(media.width, media.height).resolution}p (H.264)"
    picture: dict[str, Scalar] = {
        "id": first,
        "streamType": 1,
        "default": True,
        "codec": media.video_codec,
        "index": 0,
        "height": media.height,
        "profile": "high",
        "width": media.width,
        "displayTitle": name,
        "extendedDisplayTitle": name,
    }
    sound: dict[str, Scalar] = {
        "id": first + 1,
        "streamType": 2,
        "selected": True,
        "default": True,
        "codec": media.audio_codec,
        "index": 1,
        "channels": 2,
        "profile": "lc",
        "displayTitle": "Unknown (AAC Stereo)",
        "extendedDisplayTitle": "Unknown (AAC Stereo)",
    }
    return [Element("Stream", picture), Element("Stream", sound)]


def _tree_version(media: PlexMedia, *, hashes: bool) -> Element:
    """One version with its files."""
    parts = [_tree_part(part, hashes=hashes and part.oshash is not None) for part in media.parts]
    return Element("MediaItem", {"id": media.id}, parts)


def _tree_part(part: PlexPart, *, hashes: bool) -> Element:
    """One file with the hashes Plex has of it; none before it was analysed."""
    known: dict[str, Scalar | None] = {
        "id": part.id,
        "file": part.file,
        "size": part.size,
        "openSubtitleHash": f"{part.oshash:016x}" if hashes else None,
        "hash": _content_hash(part) if hashes else None,
        "duration": part.duration_ms,
    }
    shown = {name: value for name, value in known.items() if value is not None}
    stream: dict[str, Scalar] = {
        "id": part.id * 2,
        "index": 0,
        "type": 1,
        "codec": "h264",
        "requiredBandwidths": ",".join(["5000"] * 8),
    }
    return Element("MediaPart", shown, [Element("MediaStream", stream)])


def _content_hash(part: PlexPart) -> str:
    """Forty hex digits that belong to the file; made up, because there is no file."""
    seed = f"{part.size} {part.oshash}".encode()
    return hashlib.sha1(seed, usedforsecurity=False).hexdigest()
