"""What Plex's JSON looks like on the wire, read strictly, and leniently where that fails. Pure.

Plex is not strict about types (numbers as text, booleans as 0, 1, "1" or true) and titles come from
file names, so an answer the strict parser refuses is read a second time: a number that is none, or
out of all bounds, is dropped, a control character is kept, half a surrogate pair becomes U+FFFD.
Only what is no JSON, or not the container asked for, is an error.

Source: docs/plex-api.md 2, 3 and 8.
"""

import json
import re
from contextlib import suppress
from functools import cache
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import fields

from plexsync.errors import BadResponseError

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


class JsonObject(msgspec.Struct, gc=False, omit_defaults=True, rename=_SPELLING):
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
    nodes: list["TreeNodeObject"] = []


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


# ---- Reading -------------------------------------------------------------------------------------

_SURROGATES = re.compile("[\ud800-\udfff]")


def read_json(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Return what a decoder reads of an answer.

    Raises:
        BadResponseError: it is no JSON, or not of its shape.
    """
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        return decoder.decode(body)
    try:  # many times slower, so only now
        loose = json.loads(body.decode("utf-8", "replace"), strict=False)
        return msgspec.convert(_mended(loose, decoder.type), decoder.type, strict=False)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise BadResponseError(
            "Plex sent something else than the JSON asked for",
            hint="check that [plex] url leads to Plex itself, not to a login page or another "
            "service",
        ) from error


@cache
def _members(declared: Any) -> dict[str, Any]:  # noqa: ANN401 - a type as it was written down
    """Return the types of the members we read of an object, by their names; none of other types."""
    shape = get_origin(declared) or declared
    is_object = isinstance(shape, type) and issubclass(shape, JsonObject)
    return {field.encode_name: field.type for field in fields(declared)} if is_object else {}


@cache
def _is_number(declared: Any) -> bool:  # noqa: ANN401 - see above
    """Whether this is a number: only these have bounds, and may be missing."""
    return any(get_origin(one) is Annotated for one in (declared, *get_args(declared)))


def _mended(value: Any, declared: Any, name: str = "") -> Any:  # noqa: ANN401 - JSON enters here
    """Return the same JSON with every member we read in a type we accept, or left out."""
    if get_origin(declared) is list:
        entries = value if isinstance(value, list) else [value]
        # What is no object still counts as an entry.
        objects = (entry if isinstance(entry, dict) else {} for entry in entries)
        return [_mended(entry, get_args(declared)[0]) for entry in objects]
    members = _members(declared)
    if members and isinstance(value, dict):
        mended = ((key, _mended(value[key], members[key], key)) for key in members.keys() & value)
        return {key: one for key, one in mended if one is not None}
    if members or value is None or isinstance(value, (dict, list)):
        return None
    if _is_number(declared):
        return _number_called(name, value)
    if declared is bool:
        return str(value).lower() in {"1", "true"}
    return _SURROGATES.sub("\ufffd", str(value))


def _number_called(name: str, value: Any) -> float | None:  # noqa: ANN401 - JSON enters here
    kind = float if name == "userRating" else int
    try:
        number = kind(float(value) if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if 0 <= number <= MOST:
        return number
    # Whatever the time is: something that was deleted at one is deleted.
    return 1 if name == "deletedAt" and value else None
