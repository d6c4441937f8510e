"""Plex's JSON answers as our nouns: listings, details, hashes. Pure; nothing is fetched here.

Each answer is decoded once into the few members we need; everything else is skipped unread. What
the strict parser refuses is read leniently, see `plex_lenient`.

Source: docs/plex-api.md 2, 3, 4 and 8.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.errors import BadResponseError
from plexsync.models import (
    Credit,
    ItemDetail,
    ItemKind,
    Picture,
    PlexField,
    PlexFile,
    PlexItem,
    RatingKey,
    Value,
)
from plexsync.plex.lenient import read_json
from plexsync.text.normalize import fold_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_OPTIMISED = 42
"""`proxyType` of a version Plex made for streaming. Source: docs/plex-api.md 4."""

_KINDS = {kind.value: kind for kind in ItemKind}


# ---- What we read of the wire --------------------------------------------------------------------


_SPELLING = {
    "rating_key": "ratingKey",
    "date": "originallyAvailableAt",
    "updated_at": "updatedAt",
    "deleted_at": "deletedAt",
    "proxy_type": "proxyType",
    "section_id": "librarySectionID",
    "total": "totalSize",
    "sort_title": "titleSort",
    "original_title": "originalTitle",
    "content_rating": "contentRating",
    "user_rating": "userRating",
    "hash": "openSubtitleHash",
    "versions": "Media",
    "parts": "Part",
    "genres": "Genre",
    "roles": "Role",
    "directors": "Director",
    "labels": "Label",
    "collections": "Collection",
    "locks": "Field",
    "photo": "thumb",
    "entries": "Metadata",
    "photos": "Photo",
    "nodes": "MetadataItem",
    "tree_versions": "MediaItem",
    "tree_parts": "MediaPart",
    "container": "MediaContainer",
}


class _Wire(msgspec.Struct, gc=False, rename=_SPELLING):
    """What we read of one JSON object; lives until it is converted."""


class _Part(_Wire):
    id: int = 0
    key: str = ""
    file: str = ""
    size: int | None = None
    duration: int | None = None
    deleted_at: int = 0


class _Version(_Wire):
    parts: list[_Part] = []
    duration: int | None = None
    width: int | None = None
    height: int | None = None
    proxy_type: int = 0
    deleted_at: int = 0


class _Item(_Wire):
    rating_key: str | int
    type: str = ""
    title: str = ""
    date: str = ""
    updated_at: int = 0
    deleted_at: int = 0
    versions: list[_Version] = []


class _Tag(_Wire):
    tag: str = ""


class _Role(_Tag):
    role: str = ""
    photo: str = ""


class _Lock(_Wire):
    name: str = ""
    locked: bool = False


class _Detail(_Item):
    section_id: str | int = ""
    sort_title: str = ""
    original_title: str = ""
    summary: str = ""
    tagline: str = ""
    studio: str = ""
    content_rating: str = ""
    user_rating: float | None = None
    thumb: str = ""
    art: str = ""
    genres: list[_Tag] = []
    roles: list[_Role] = []
    directors: list[_Tag] = []
    labels: list[_Tag] = []
    collections: list[_Tag] = []
    locks: list[_Lock] = []


class _Container(_Wire):
    size: int | None = None
    total: int | None = None
    offset: int | None = None
    section_id: str | int = ""


class _Listing(_Container):
    entries: list[_Item] = []


class _Details(_Container):
    entries: list[_Detail] = []


class _TreePart(_Wire):
    id: int = 0
    hash: str = ""


class _TreeVersion(_Wire):
    tree_parts: list[_TreePart] = []


class _TreeNode(_Wire):
    id: int | str = ""
    tree_versions: list[_TreeVersion] = []
    nodes: list[_TreeNode] = []


class _Tree(_Wire):
    nodes: list[_TreeNode] = []


class _Picture(_Wire):
    rating_key: str = ""
    selected: bool = False


class _Pictures(_Container):
    entries: list[_Picture] = []
    photos: list[_Picture] = []


class _ListingAnswer(_Wire):
    container: _Listing


class _DetailsAnswer(_Wire):
    container: _Details


class _TreeAnswer(_Wire):
    container: _Tree


class _PicturesAnswer(_Wire):
    container: _Pictures


# ---- What we make of it --------------------------------------------------------------------------


class ListingPage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One page of a library.

    Attributes:
        items: its movies and episodes, trashed ones included.
        entries: how many entries the page holds, other kinds included.
        total: how many the library (or the filter) holds; None when the server did not say.
        offset: where the page starts; None when the server did not say.
    """

    items: tuple[PlexItem, ...]
    entries: int
    total: int | None
    offset: int | None


TYPE_NUMBERS: Mapping[ItemKind, int] = {ItemKind.MOVIE: 1, ItemKind.EPISODE: 4}
"""What Plex calls our kinds in queries. Source: docs/plex-api.md 2."""

FIELD_NAMES: Mapping[PlexField, str] = {
    PlexField.TITLE: "title",
    PlexField.SORT_TITLE: "titleSort",
    PlexField.ORIGINAL_TITLE: "originalTitle",
    PlexField.SUMMARY: "summary",
    PlexField.TAGLINE: "tagline",
    PlexField.DATE: "originallyAvailableAt",
    PlexField.STUDIO: "studio",
    PlexField.CONTENT_RATING: "contentRating",
    PlexField.RATING: "userRating",
    PlexField.GENRES: "genre",
    PlexField.ACTORS: "actor",
    PlexField.DIRECTORS: "director",
    PlexField.LABELS: "label",
    PlexField.COLLECTIONS: "collection",
    PlexField.POSTER: "thumb",
    PlexField.BACKGROUND: "art",
}
"""What Plex calls our fields in edits and locks. Source: docs/plex-api.md 5."""

_FIELDS_BY_NAME = {name: field for field, name in FIELD_NAMES.items()}


def decode_listing(body: bytes, *, section_id: str = "") -> ListingPage:
    """One page of `/library/sections/{id}/all`.

    Args:
        body: the answer as received.
        section_id: the section that was asked; items carry it. Empty: the container's own.

    Raises:
        BadResponseError: not a listing, or cut short (its `size` counts other entries than came).
    """
    container = read_json(body, _LISTING, _ListingAnswer).container
    entries = container.entries
    if container.size is not None and container.size != len(entries):
        raise BadResponseError(
            f"Plex's listing announces {container.size} items and holds {len(entries)}"
        )
    section = section_id or str(container.section_id)
    items = tuple(_item(entry, section) for entry in entries if entry.type in _KINDS)
    return ListingPage(
        items=items, entries=len(entries), total=container.total, offset=container.offset
    )


def decode_details(body: bytes) -> tuple[ItemDetail, ...]:
    """The items of `/library/metadata/{ids}`; other kinds than movies and episodes are left out.

    Raises:
        BadResponseError: not a container of items, or cut short.
    """
    container = read_json(body, _DETAILS, _DetailsAnswer).container
    entries = container.entries
    if container.size is not None and container.size != len(entries):
        raise BadResponseError(f"Plex announces {container.size} items and sends {len(entries)}")
    hoisted = container.section_id
    return tuple(
        _detail(entry, str(entry.section_id or hoisted))
        for entry in entries
        if entry.type in _KINDS
    )


class Hashes(NamedTuple):
    """What a tree says of files.

    Attributes:
        by_part: part id to OpenSubtitles hash; parts without one are left out.
        items: the rating keys it speaks of.
    """

    by_part: dict[int, int]
    items: frozenset[str]


def decode_hashes(body: bytes) -> Hashes:
    """The hashes of `/library/metadata/{ids}/tree`.

    They are integers, because zero padding is not promised.
    Source: docs/plex-api.md 3.

    Raises:
        BadResponseError: not a tree.
    """
    tree = read_json(body, _TREE, _TreeAnswer).container
    hashes: dict[int, int] = {}
    items: set[str] = set()
    waiting = list(tree.nodes)
    while waiting:
        node = waiting.pop()
        waiting.extend(node.nodes)
        items.add(str(node.id))
        for version in node.tree_versions:
            for part in version.tree_parts:
                number = _hexadecimal(part.hash)
                if part.id and number is not None:
                    hashes[part.id] = number
    return Hashes(hashes, frozenset(items))


def decode_pictures(body: bytes) -> tuple[Picture, ...]:
    """The pictures of `/library/metadata/{id}/posters` or `/arts`, in Plex's order.

    Raises:
        BadResponseError: not a container of pictures, or cut short.
    """
    container = read_json(body, _PICTURES, _PicturesAnswer).container
    # Plex calls every entry of a JSON answer Metadata; the XML name is Photo.
    entries = container.entries or container.photos
    if container.size is not None and container.size != len(entries):
        raise BadResponseError(f"Plex announces {container.size} pictures, sends {len(entries)}")
    return tuple(
        Picture(key=entry.rating_key, selected=entry.selected)
        for entry in entries
        if entry.rating_key
    )


# ---- Items ---------------------------------------------------------------------------------------


def _item(entry: _Item, section_id: str) -> PlexItem:
    return PlexItem(
        rating_key=RatingKey(str(entry.rating_key)),
        section_id=section_id,
        kind=_KINDS[entry.type],
        title=entry.title,
        # Few dates are shared by many items: one text for all of them saves memory.
        date=sys.intern(entry.date[:10]),
        files=_files(entry.versions),
        trashed=entry.deleted_at != 0,
        updated_at=entry.updated_at,
    )


def _files(versions: list[_Version]) -> tuple[PlexFile, ...]:
    """The parts that are files of the library: no optimised versions, nothing in the trash."""
    return tuple(
        [
            _file(part, version)
            for version in versions
            if version.proxy_type != _OPTIMISED and not version.deleted_at
            for part in version.parts
            if part.file and not part.deleted_at
        ]
    )


def _file(part: _Part, version: _Version) -> PlexFile:
    # A stack stays one when some of its parts are gone: what is left is still not the whole.
    stacked = len(version.parts) > 1
    duration_ms = part.duration or (None if stacked else version.duration)
    return PlexFile(
        path=part.file,
        size_bytes=part.size or None,
        duration_s=duration_ms / 1000 if duration_ms else None,
        width=version.width or None,
        height=version.height or None,
        part_id=part.id,
        changed_at=_change_stamp(part.key),
        stacked=stacked,
    )


def _change_stamp(key: str) -> int:
    """The fourth step of `/library/parts/{id}/{change stamp}/file.ext`; 0 when there is none."""
    steps = key.split("/", 5)
    stamp = steps[4] if len(steps) > 4 else ""  # noqa: PLR2004 - the fourth step, see above
    return int(stamp) if stamp.isdecimal() else 0


def _detail(entry: _Detail, section_id: str) -> ItemDetail:
    values: dict[PlexField, Value] = {
        PlexField.TITLE: entry.title,
        PlexField.SORT_TITLE: entry.sort_title,
        PlexField.ORIGINAL_TITLE: entry.original_title,
        PlexField.SUMMARY: entry.summary,
        PlexField.TAGLINE: entry.tagline,
        # Some agents store a time with the date. Source: docs/plex-api.md 2.
        PlexField.DATE: entry.date[:10],
        PlexField.STUDIO: entry.studio,
        PlexField.CONTENT_RATING: entry.content_rating,
        PlexField.RATING: "" if entry.user_rating is None else f"{entry.user_rating:g}",
        PlexField.GENRES: _names(entry.genres),
        PlexField.ACTORS: _names(entry.roles),
        PlexField.DIRECTORS: _names(entry.directors),
        PlexField.LABELS: _names(entry.labels),
        PlexField.COLLECTIONS: _names(entry.collections),
    }
    locked = frozenset(
        [
            _FIELDS_BY_NAME[lock.name]
            for lock in entry.locks
            if lock.locked and lock.name in _FIELDS_BY_NAME
        ]
    )
    return ItemDetail(
        item=_item(entry, section_id),
        values=values,
        locked=locked,
        shown={PlexField.POSTER: entry.thumb, PlexField.BACKGROUND: entry.art},
        credits=_credits(entry.roles) if entry.roles else {},
    )


def _credits(roles: Iterable[_Role]) -> dict[str, Credit]:
    """How actors are credited, by folded name; of one that comes twice, the first time."""
    found: dict[str, Credit] = {}
    for one in roles:
        if one.tag and (one.role or one.photo):
            found.setdefault(fold_tag(one.tag), Credit(role=one.role, photo=one.photo))
    return found


def _names(tags: Sequence[_Tag]) -> tuple[str, ...]:
    """The tags in order, each once: an actor with two roles comes twice."""
    if not tags:
        return ()
    return tuple(dict.fromkeys([tag.tag for tag in tags if tag.tag]))


def _hexadecimal(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None


# ---- Reading -------------------------------------------------------------------------------------

_LISTING = msgspec.json.Decoder(_ListingAnswer, strict=False)
_DETAILS = msgspec.json.Decoder(_DetailsAnswer, strict=False)
_TREE = msgspec.json.Decoder(_TreeAnswer, strict=False)
_PICTURES = msgspec.json.Decoder(_PicturesAnswer, strict=False)
