"""From the rows of a library to the simulated Plex server's items, and to plain copies of them."""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, TypedDict

from plexsync.simulators.plex.store import (
    TAG_KINDS,
    Item,
    LibrarySection,
    MediaType,
    PictureSet,
    Tagging,
)

if TYPE_CHECKING:
    from plexsync.simulators.library.records import PlexLibrarySection, PlexSide, PlexVideo
    from plexsync.simulators.plex.store import Store

_KINDS = {
    "movie": MediaType.MOVIE,
    "show": MediaType.SHOW,
    "season": MediaType.SEASON,
    "episode": MediaType.EPISODE,
    "artist": MediaType.ARTIST,
    "photo": MediaType.PHOTO,
}
_SECTION_EPOCH = 1_735_000_000


def fill(store: Store, side: PlexSide) -> None:
    """Put a whole server's rows into an empty store."""
    for row in side.sections:
        store.add_section(section_of(row))
    for video in side.videos:
        store.reserve(max(video.rating_key, _highest_id(video)))
    for video in side.videos:
        store.add(item_of(store, video))


def section_of(row: PlexLibrarySection) -> LibrarySection:
    """Return a library, scanned once."""
    return LibrarySection(
        key=row.id,
        title=row.title,
        kind=_KINDS[row.kind],
        agent=row.agent,
        scanner=row.scanner,
        language=row.language,
        uuid=row.uuid or str(uuid.uuid5(uuid.NAMESPACE_URL, f"section {row.id}")),
        locations=list(enumerate(row.locations, start=row.id * 100)),
        created_at=_SECTION_EPOCH,
        updated_at=_SECTION_EPOCH,
        scanned_at=_SECTION_EPOCH,
        content_changed_at=0,
    )


def item_of(store: Store, video: PlexVideo) -> Item:
    """Return an item as `video` describes it, not yet stored; store its show and season.

    Raises:
        KeyError: its library is not known.
    """
    section = store.sections[video.section_id]
    store.reserve(max(video.rating_key, _highest_id(video)))
    parent = _season(store, section, video) if video.show else None
    return Item(
        rating_key=video.rating_key,
        section=section,
        kind=_KINDS[video.kind],
        guid=video.guid or _guid(section, video),
        fields=_fields(video),
        tags=_tags(store, section, video),
        media=video.media,
        added_at=video.added_at,
        updated_at=video.updated_at,
        subtype=video.subtype if section.is_personal and video.kind == "movie" else "",
        locks=set(video.locked),
        deleted_at=video.deleted_at or 0,
        user_rating=video.user_rating,
        view_count=video.view_count,
        parent=parent,
        index=video.episode or 0,
        posters=_first_picture("posters", video.rating_key),
        arts=PictureSet() if section.is_personal else _first_picture("art", video.rating_key),
    )


def _highest_id(video: PlexVideo) -> int:
    """Return the highest number among its versions and files."""
    ids = [part.id for media in video.media for part in media.parts]
    ids.extend(media.id for media in video.media)
    return max(ids, default=0)


def _guid(section: LibrarySection, video: PlexVideo) -> str:
    """Personal videos are named by a hash of their path, unmatched ones by their key."""
    if not section.is_personal:
        return f"local://{video.rating_key}"
    path = video.media[0].parts[0].file if video.media and video.media[0].parts else video.title
    digest = hashlib.sha1(path.encode("utf-8", "surrogatepass"), usedforsecurity=False)
    return f"{section.agent}://{digest.hexdigest()}?lang={section.language}"


def _fields(video: PlexVideo) -> dict[str, str]:
    """Return the texts that are set."""
    known = {
        "title": video.title,
        "titleSort": video.title_sort,
        "originalTitle": video.original_title,
        "summary": video.summary,
        "tagline": video.tagline,
        "studio": video.studio,
        "contentRating": video.content_rating,
        "originallyAvailableAt": video.originally_available_at,
        "year": video.originally_available_at[:4],
    }
    return {name: text for name, text in known.items() if text}


def _tags(store: Store, section: LibrarySection, video: PlexVideo) -> dict[str, list[Tagging]]:
    """Return the tags of every kind that has any."""
    known = {
        "genre": video.genres,
        "country": video.countries,
        "director": video.directors,
        "writer": video.writers,
        "producer": video.producers,
        "collection": video.collections,
        "label": video.labels,
    }
    tags = {kind: store.taggings(kind, names, section) for kind, names in known.items() if names}
    if video.actors:
        tags["actor"] = [
            Tagging(store.tag("actor", name, section), role) for name, role in video.actors
        ]
    return tags


def _first_picture(folder: str, rating_key: int) -> PictureSet:
    """Return the picture Plex made or found itself."""
    key = f"media://{folder}/{rating_key}.jpg"
    return PictureSet([key], key)


def _season(store: Store, section: LibrarySection, video: PlexVideo) -> Item:
    """Return the season an episode belongs to, made with its show where they are new."""
    show = _above(store, section, None, video.show)
    number = video.season or 0
    return _above(store, section, show, f"Season {number}" if number else "Specials", index=number)


def _above(
    store: Store, section: LibrarySection, parent: Item | None, title: str, *, index: int = 0
) -> Item:
    """Return the show (without a parent) or season of that name, made if it is new."""
    kind = MediaType.SHOW if parent is None else MediaType.SEASON
    place = (section.key, 0 if parent is None else parent.rating_key, title)
    known = store.above.get(place)
    if known is not None and known.rating_key in store.items:
        return known
    rating_key = store.next_id()
    item = store.above[place] = Item(
        rating_key=rating_key,
        section=section,
        kind=kind,
        guid=f"local://{rating_key}",
        fields={"title": title},
        tags={},
        media=(),
        added_at=_SECTION_EPOCH,
        updated_at=_SECTION_EPOCH,
        parent=parent,
        index=index,
        posters=_first_picture("posters", rating_key),
        arts=_first_picture("art", rating_key),
    )
    store.add(item)
    return item


def file_title(file: str) -> str:
    """Return a file's name without folder and ending, which is a personal video's first title."""
    name = file.replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def lies_in(video: PlexVideo, path: str) -> bool:
    """Whether a file of the item is in the folder; "" is the whole library."""
    return any(part.file.startswith(path) for media in video.media for part in media.parts)


class ItemSnapshot(TypedDict):
    """Everything an edit can change of one item, as plain values.

    `tags` holds pairs of name and role by kind, `photos` the pictures of actors that have one, by
    name. `updated_at` is 0 unless clocks were asked for.
    """

    section: int
    type: str
    fields: dict[str, str]
    tags: dict[str, tuple[tuple[str, str], ...]]
    photos: dict[str, str]
    locks: tuple[str, ...]
    poster: str
    art: str
    rating: float | None
    files: tuple[str, ...]
    trashed: bool
    updated_at: int


Snapshot = dict[str, ItemSnapshot]
"""What `PlexSimulator.dump` gives: by rating key."""


def take_snapshot(item: Item, *, clocks: bool) -> ItemSnapshot:
    """One item as plain values; tags that are no longer there leave no trace."""
    return {
        "section": item.section.key,
        "type": item.kind.name.lower(),
        "fields": dict(sorted(item.fields.items())),
        "tags": {
            kind: tuple((worn.tag.name, worn.role) for worn in item.tags[kind])
            for kind in TAG_KINDS
            if item.tags.get(kind)
        },
        "photos": {
            worn.tag.name: worn.tag.thumb for worn in item.tags.get("actor", ()) if worn.tag.thumb
        },
        "locks": tuple(sorted(item.locks)),
        "poster": item.posters.selected,
        "art": item.arts.selected,
        "rating": item.user_rating,
        "files": tuple(part.file for part in item.parts),
        "trashed": bool(item.deleted_at),
        "updated_at": item.updated_at if clocks else 0,
    }
