"""Plex's JSON answers as our nouns: listings, details, hashes. Pure; nothing is fetched here.

Each answer is decoded once into the few members we need; everything else is skipped unread. What
the strict parser refuses is read leniently, see `wire.py`.

Source: docs/plex-api.md 2, 3, 4 and 8.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from plexsync.errors import BadResponseError
from plexsync.models import (
    MADE,
    PICTURE_FIELDS,
    VIDEO_KINDS,
    Credit,
    ItemDetail,
    ItemKind,
    PlexField,
    PlexFile,
    PlexItem,
    RatingKey,
    Value,
)
from plexsync.plex.wire import (
    AnswerObject,
    ContainerObject,
    DetailObject,
    ItemObject,
    PartObject,
    RoleObject,
    TagObject,
    TreeObject,
    VersionObject,
    read_json,
)
from plexsync.text.normalize import tag_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

T = TypeVar("T")

_OPTIMISED = 42
"""`proxyType` of a version Plex made for streaming. Source: docs/plex-api.md 4."""

_LONGEST_NUMBER = 18
"""Decimal digits of a number that is below `MOST` for sure."""

_HASH = re.compile("[0-9A-Fa-f]{1,16}")
"""A hash of 64 bits."""

_SCENE_ID = "([1-9][0-9]{0,18})"
_GUID = re.compile(
    # The legacy StashPlexAgent returns the scene's id as the id of its result.
    rf"com\.plexapp\.agents\.stashplexagent://{_SCENE_ID}(?:[/?].*)?"
    # An NFO file's `<uniqueid type="stash">`.
    rf"|tv\.plex\.agents\.nfo\.[a-z]+://[^?]*\bstash_{_SCENE_ID}(?:\?.*)?"
    # A custom provider; which one, its name does not tell, so the file has to confirm the id.
    rf"|tv\.plex\.agents\.custom\.[^:/]+://(?:[^?]*[/-])?{_SCENE_ID}(?:\?.*)?"
    # External ids among an item's further ones.
    rf"|stash(?:app)?://(?:[a-z]+[/-])?{_SCENE_ID}"
)

_KINDS = {kind.value: kind for kind in ItemKind}
_DEPTHS: Mapping[str, int] = {ItemKind.EPISODE: 2, ItemKind.SEASON: 1}
"""How many levels stand above an item."""


# ---- What we make of it --------------------------------------------------------------------------


class ListingPage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One page of a library.

    Attributes:
        items: those of the kinds that count, trashed ones included.
        entries: how many entries the page holds, other kinds included.
        total: how many the library (or the filter) holds; None when the server did not say.
        offset: where the page starts; None when the server did not say.
        unusable: entries without a rating key, as far as they say what they are.
    """

    items: tuple[PlexItem, ...]
    entries: int
    total: int | None
    offset: int | None
    unusable: tuple[str, ...] = ()


TYPE_NUMBERS: Mapping[ItemKind, int] = {
    ItemKind.MOVIE: 1,
    ItemKind.EPISODE: 4,
    ItemKind.COLLECTION: 18,
    ItemKind.SHOW: 2,
    ItemKind.SEASON: 3,
}
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

MODES = {-1: "", 0: "hide", 1: "hide_items", 2: "show_items"}
"""What a collection's mode is as a text. Source: docs/plex-api.md 11."""

_FIELDS_BY_NAME = {name: field for field, name in FIELD_NAMES.items()}
_POSTER, _BACKGROUND, _COLLECTION = PlexField.POSTER, PlexField.BACKGROUND, ItemKind.COLLECTION
_TAG = attrgetter("tag")
_HELD = tuple([field for field in FIELD_NAMES if field not in PICTURE_FIELDS])
"""The values of an item, in the order of the names."""


def decode_listing(
    body: bytes, *, section_id: str = "", kinds: frozenset[ItemKind] = VIDEO_KINDS
) -> ListingPage:
    """One page of `/library/sections/{id}/all`.

    Args:
        body: the answer as received.
        section_id: the section that was asked; items carry it. Empty: the container's own.
        kinds: what counts as an item.

    Raises:
        BadResponseError: not a listing, or cut short (its `size` counts other entries than came).
    """
    container = read_json(body, _LISTING).container
    entries = whole_entries(container, container.entries)
    section = section_id or str(container.section_id)
    wanted = [entry for entry in entries if entry.type in kinds]
    return ListingPage(
        items=tuple(_item(entry, section) for entry in wanted if _has_key(entry)),
        entries=len(entries),
        total=container.total,
        offset=container.offset,
        unusable=tuple(_called(entry) for entry in wanted if not _has_key(entry)),
    )


class ItemAnswer:
    """All that Plex says of an item of a library, made into a noun only when it is asked for."""

    __slots__ = ("_entry", "_section_id", "rating_key", "title")

    def __init__(self, entry: DetailObject, section_id: str) -> None:
        self._entry = entry
        self._section_id = section_id
        self.rating_key = RatingKey(str(entry.rating_key))
        self.title = entry.title

    def packed(self) -> bytes:
        """Return it as bytes: equal ones are equal items."""
        return self._section_id.encode() + b"\0" + _ENCODER.encode(self._entry)

    def detail(self) -> ItemDetail:
        """Return what the item holds."""
        return _detail(self._entry, self._section_id)


def decode_answers(body: bytes) -> tuple[ItemAnswer, ...]:
    """Return the items of `/library/metadata/{ids}` that are of an `ItemKind`.

    Raises:
        BadResponseError: not a container of items, or cut short.
    """
    container = read_json(body, _DETAILS).container
    # One without a key may be any of those asked for: read one by one, the others are readable.
    entries = _with_keys(container)
    hoisted = container.section_id
    return tuple(
        [
            ItemAnswer(entry, str(entry.section_id or hoisted))
            for entry in entries
            if entry.type in _KINDS
        ]
    )


def decode_details(body: bytes) -> tuple[ItemDetail, ...]:
    """Return what the items of `decode_answers` hold. Raises as that does."""
    return tuple([one.detail() for one in decode_answers(body)])


def decode_hashes(body: bytes) -> dict[str, dict[int, int]]:
    """Return the hashes of `/library/metadata/{id}/tree` by part id, for each item in it.

    They are integers, because zero padding is not promised; parts without one are left out.
    Source: docs/plex-api.md 3.

    Raises:
        BadResponseError: not a tree.
    """
    found: dict[str, dict[int, int]] = {}
    waiting = list(read_json(body, _TREE).container.nodes)
    while waiting:
        node = waiting.pop()
        waiting += node.nodes
        found[str(node.id)] = {
            part.id: int(part.hash, 16)
            for version in node.tree_versions
            for part in version.tree_parts
            if part.id and _HASH.fullmatch(part.hash)
        }
    return found


class CollectionEntry(NamedTuple):
    """A collection, or a member of one, as a listing shows it."""

    rating_key: RatingKey
    title: str
    member_count: int
    smart: bool


def decode_collections(body: bytes) -> tuple[list[CollectionEntry], int]:
    """Return a page of the collections of a library, or of the members of one; and of how many.

    Raises:
        BadResponseError: not a listing, cut short, or an entry has no rating key.
    """
    container = read_json(body, _DETAILS).container
    entries = _with_keys(container)
    found = [
        CollectionEntry(RatingKey(str(one.rating_key)), one.title, one.member_count, one.smart)
        for one in entries
    ]
    return found, len(entries) if container.total is None else container.total


def stash_id_of(guids: Iterable[str]) -> str:
    """Return the id of the scene that one of an item's GUIDs names; "" for none."""
    for guid in guids:
        if found := _GUID.fullmatch(guid):
            return str(found[found.lastindex or 0])
    return ""


def whole_entries(container: ContainerObject[T], entries: list[T]) -> list[T]:
    """Return the entries of a container, unless it was cut short."""
    if container.size is not None and container.size != len(entries):
        raise BadResponseError(f"Plex announces {container.size} items and sends {len(entries)}")
    return entries


def _with_keys(container: ContainerObject[DetailObject]) -> list[DetailObject]:
    """Return the entries of a container, unless it was cut short or one has no rating key."""
    entries = whole_entries(container, container.entries)
    if unusable := [_called(entry) for entry in entries if not _has_key(entry)]:
        raise BadResponseError(f"Plex sends an item without a rating key: {unusable[0]}")
    return entries


# ---- Items ---------------------------------------------------------------------------------------


def _has_key(entry: ItemObject) -> bool:
    """Whether an entry can be asked for again: rating keys are whole numbers above 0."""
    return _is_key(str(entry.rating_key))


def _is_key(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) <= _LONGEST_NUMBER and int(key) > 0


def _called(entry: ItemObject) -> str:
    """Return what an entry says of itself."""
    files = [part.file for version in entry.versions for part in version.parts if part.file]
    return " ".join(filter(None, [repr(entry.title), *files[:1]]))


def _item(entry: ItemObject, section_id: str) -> PlexItem:
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
        stash_id=stash_id_of([entry.guid, *[one.id for one in entry.guids]]),
    )


def _files(versions: list[VersionObject]) -> tuple[PlexFile, ...]:
    """Return the parts that are files of the library: none optimised, none in the trash."""
    return tuple(
        [
            _file(part, version)
            for version in versions
            if version.proxy_type != _OPTIMISED and not version.deleted_at
            for part in version.parts
            if part.file and not part.deleted_at
        ]
    )


def _file(part: PartObject, version: VersionObject) -> PlexFile:
    # A stack stays one when some of its parts are gone: what is left is still not the whole.
    stacked = len(version.parts) > 1
    duration_ms = part.duration or (None if stacked else version.duration)
    return PlexFile(
        path=part.file,
        size_bytes=part.size or None,
        duration_s=duration_ms / 1000 if duration_ms else None,
        width=_side(version.width),
        height=_side(version.height),
        part_id=part.id,
        changed_at=_change_stamp(part.key),
        stacked=stacked,
    )


@cache  # few numbers are those of many files: one object for all of them saves memory
def _side(number: int | None) -> int | None:
    return number or None


def _change_stamp(key: str) -> int:
    """Return the stamp in `/library/parts/{id}/{change stamp}/file.ext`; 0 for none."""
    steps = key.split("/", 5)
    stamp = steps[4] if len(steps) > 4 else ""  # noqa: PLR2004 - the fourth step, see above
    return int(stamp) if stamp.isdecimal() and len(stamp) <= _LONGEST_NUMBER else 0


def _detail(entry: DetailObject, section_id: str) -> ItemDetail:
    rating, genres, roles = entry.user_rating, entry.genres, entry.roles
    directors, labels, groups = entry.directors, entry.labels, entry.collections
    held: tuple[Value, ...] = (
        entry.title,
        entry.sort_title,
        entry.original_title,
        entry.summary,
        entry.tagline,
        # Some agents store a time with the date. Source: docs/plex-api.md 2.
        entry.date[:10],
        entry.studio,
        entry.content_rating,
        "" if rating is None else f"{rating:g}",
        _names(genres) if genres else (),
        _names(roles) if roles else (),
        _names(directors) if directors else (),
        _names(labels) if labels else (),
        _names(groups) if groups else (),
    )
    values = dict(zip(_HELD, held, strict=True))
    if entry.type == _COLLECTION:
        values[PlexField.EXISTENCE] = MADE
        values[PlexField.MODE] = MODES.get(entry.mode, "")
    locks = [_FIELDS_BY_NAME.get(lock.name) for lock in entry.locks if lock.locked]
    return ItemDetail(
        item=_item(entry, section_id),
        values=values,
        locked=frozenset([field for field in locks if field]),
        shown={_POSTER: entry.thumb, _BACKGROUND: entry.art},
        credits=_credits(roles) if roles else {},
        member_count=entry.member_count,
        smart=entry.smart,
        above=_above(entry),
        number=entry.index,
    )


def _above(entry: DetailObject) -> tuple[RatingKey, ...]:
    """Return the season and the show of an episode, or the show of a season, if it names them."""
    depth = _DEPTHS.get(entry.type, 0)
    keys = (str(entry.parent), str(entry.grandparent))[:depth]
    return tuple(map(RatingKey, keys)) if all(map(_is_key, keys)) else ()


def _credits(roles: Iterable[RoleObject]) -> dict[str, Credit]:
    """How actors are credited, by `tag_key`; of one that comes twice, the first time."""
    found: dict[str, Credit] = {}
    for one in roles:
        if one.tag and (one.role or one.photo):
            found.setdefault(tag_key(one.tag), Credit(role=one.role, photo=one.photo))
    return found


def _names(tags: Sequence[TagObject]) -> tuple[str, ...]:
    """Return the tags in order, each once: an actor with two roles comes twice."""
    names = dict.fromkeys(map(_TAG, tags))
    names.pop("", None)
    return tuple(names)


# ---- Reading -------------------------------------------------------------------------------------

_ENCODER = msgspec.json.Encoder()
_LISTING = msgspec.json.Decoder(AnswerObject[ContainerObject[ItemObject]], strict=False)
_DETAILS = msgspec.json.Decoder(AnswerObject[ContainerObject[DetailObject]], strict=False)
_TREE = msgspec.json.Decoder(AnswerObject[TreeObject], strict=False)
