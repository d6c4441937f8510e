"""What Plex's JSON looks like on the wire: as much of each answer as we read.

Source: docs/plex-api.md 2, 3 and 8.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec

MOST = 2**63 - 1
"""The largest number we believe: SQLite's integers end here, and no file, time or id comes near it.
What is larger, or negative, is no number of a library."""

T = TypeVar("T")

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
    "guids": "Guid",
    "photo": "thumb",
    "entries": "Metadata",
    "photos": "Photo",
    "member_count": "childCount",
    "mode": "collectionMode",
    "parent": "parentRatingKey",
    "grandparent": "grandparentRatingKey",
    "nodes": "MetadataItem",
    "tree_versions": "MediaItem",
    "tree_parts": "MediaPart",
    "container": "MediaContainer",
}


WholeNumber = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
"""What is out of these bounds goes through the lenient reading, which drops it."""


class JsonObject(msgspec.Struct, gc=False, rename=_SPELLING):
    """What we read of one JSON object; lives until it is converted."""


class PartObject(JsonObject):
    """A file."""

    id: WholeNumber = 0
    key: str = ""
    file: str = ""
    size: WholeNumber | None = None
    duration: WholeNumber | None = None
    deleted_at: WholeNumber = 0


class VersionObject(JsonObject):
    """A version, of one file or of several parts."""

    parts: list[PartObject] = []
    duration: WholeNumber | None = None
    width: WholeNumber | None = None
    height: WholeNumber | None = None
    proxy_type: WholeNumber = 0
    deleted_at: WholeNumber = 0


class GuidObject(JsonObject):
    """A further id of an item."""

    id: str = ""


class ItemObject(JsonObject):
    """An item as listings show it."""

    rating_key: str | int = ""
    guid: str = ""
    guids: list[GuidObject] = []
    type: str = ""
    title: str = ""
    date: str = ""
    updated_at: WholeNumber = 0
    deleted_at: WholeNumber = 0
    versions: list[VersionObject] = []


class TagObject(JsonObject):
    """A tag."""

    tag: str = ""


class RoleObject(TagObject):
    """An actor."""

    role: str = ""
    photo: str = ""


class LockObject(JsonObject):
    """A field, and whether it is locked."""

    name: str = ""
    locked: bool = False


class DetailObject(ItemObject):
    """An item in full."""

    section_id: str | int = ""
    sort_title: str = ""
    original_title: str = ""
    summary: str = ""
    tagline: str = ""
    studio: str = ""
    content_rating: str = ""
    user_rating: Annotated[float, msgspec.Meta(ge=0, le=MOST)] | None = None
    thumb: str = ""
    art: str = ""
    member_count: WholeNumber = 0
    mode: int = -1
    smart: bool = False
    parent: str | int = ""
    grandparent: str | int = ""
    index: int = 0
    genres: list[TagObject] = []
    roles: list[RoleObject] = []
    directors: list[TagObject] = []
    labels: list[TagObject] = []
    collections: list[TagObject] = []
    locks: list[LockObject] = []


class ContainerObject(JsonObject, Generic[T]):
    """Entries, and how many there are of them."""

    size: WholeNumber | None = None
    total: WholeNumber | None = None
    offset: WholeNumber | None = None
    section_id: str | int = ""
    entries: list[T] = []


class TreePartObject(JsonObject):
    """A file of a tree."""

    id: WholeNumber = 0
    hash: str = ""


class TreeVersionObject(JsonObject):
    """A version of a tree."""

    tree_parts: list[TreePartObject] = []


class TreeNodeObject(JsonObject):
    """An item of a tree."""

    id: int | str = ""
    tree_versions: list[TreeVersionObject] = []
    nodes: list[TreeNodeObject] = []


class TreeObject(JsonObject):
    """A tree."""

    nodes: list[TreeNodeObject] = []


class PictureObject(JsonObject):
    """A poster or background."""

    rating_key: str = ""
    selected: bool = False


class PicturesObject(ContainerObject[PictureObject]):
    """The posters or backgrounds of an item."""

    photos: list[PictureObject] = []


class AnswerObject(JsonObject, Generic[T]):
    """What every answer is wrapped in."""

    container: T
