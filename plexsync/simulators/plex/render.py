"""What the simulated Plex server says of a library, an item, a version, a tag.

Source: docs/plex-api.md 2, 4 and 8; names and types are those of tests/contract/shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.simulators.plex.element import Element, Scalar
from plexsync.simulators.plex.render_files import media_element
from plexsync.simulators.plex.store import TAG_KINDS, MediaType

if TYPE_CHECKING:
    from plexsync.simulators.plex.render_files import View
    from plexsync.simulators.plex.store import Item, LibrarySection, Tagging, TagKind

IDENTIFIER = "com.plexapp.plugins.library"
MEDIA_TAGS: dict[str, Scalar] = {
    "mediaTagPrefix": "/system/bundle/media/flags/",
    "mediaTagVersion": 1775731696,
}
TYPE_NAMES = {
    MediaType.MOVIE: "movie",
    MediaType.SHOW: "show",
    MediaType.SEASON: "season",
    MediaType.EPISODE: "episode",
    MediaType.ARTIST: "artist",
    MediaType.PHOTO: "photo",
    MediaType.COLLECTION: "collection",
}


_FOLDERS = (MediaType.SHOW, MediaType.SEASON, MediaType.COLLECTION)
"""What holds other items."""

_MODES = (
    "-1:Library default|0:Hide collection|1:Hide items in this collection|"
    "2:Show this collection and its items"
)

_PREFERENCES: dict[str, tuple[str, str]] = {
    "collectionMode": ("-1", _MODES),
    "collectionSort": ("0", "0:Release date|1:Alphabetical|2:Custom"),
}
"""The preferences of a collection: default, and the values there are."""


def section_element(section: LibrarySection) -> Element:
    """Return a library as `/library/sections` lists it."""
    pictures = _section_pictures(section)
    attributes: dict[str, Scalar] = {
        "allowSync": True,
        "art": pictures["art"],
        "composite": f"/library/sections/{section.key}/composite/{section.scanned_at}",
        "filters": True,
        "refreshing": section.refreshing,
        "thumb": pictures["thumb"],
        "key": str(section.key),
        "type": TYPE_NAMES[section.kind],
        "title": section.title,
        "agent": section.agent,
        "scanner": section.scanner,
        "language": section.language,
        "uuid": section.uuid,
        "updatedAt": section.updated_at,
        "createdAt": section.created_at,
        "scannedAt": section.scanned_at,
        "content": True,
        "directory": True,
        "contentChangedAt": section.content_changed_at,
        "hidden": 0,
    }
    folders = [Element("Location", {"id": key, "path": path}) for key, path in section.locations]
    return Element("Directory", attributes, folders)


def listing_container(
    section: LibrarySection, kind: MediaType, counts: dict[str, Scalar]
) -> Element:
    """Return the container of a listing; `counts` is size and, when paged, more."""
    pictures = _section_pictures(section)
    return Element(
        "MediaContainer",
        {
            **counts,
            "allowSync": True,
            "art": pictures["art"],
            "identifier": IDENTIFIER,
            **_hoisted(section),
            **MEDIA_TAGS,
            "thumb": pictures["thumb"],
            "title1": section.title,
            "title2": f"All {section.title}",
            "viewGroup": TYPE_NAMES[kind],
            "viewMode": 65592,
        },
    )


def children_container(parent: Item, size: int) -> Element:
    """Return the container around an item's children, which carries what they have in common."""
    if parent.kind is MediaType.COLLECTION:
        return _members_container(parent, size)
    top = parent.parent if parent.kind is MediaType.SEASON and parent.parent else parent
    attributes: dict[str, Scalar] = {
        "size": size,
        "allowSync": True,
        "art": _picture(top, "art"),
        "identifier": IDENTIFIER,
        "key": str(parent.rating_key),
        **_hoisted(parent.section),
        **MEDIA_TAGS,
        "nocache": True,
        "parentIndex": parent.index,
        "parentTitle": "" if parent.kind is MediaType.SEASON else parent.title,
        "thumb": _picture(parent, "thumb"),
        "title1": top.title,
        "title2": parent.title,
        "viewGroup": "episode" if parent.kind is MediaType.SEASON else "season",
        "viewMode": 65592,
    }
    if parent.kind is MediaType.SEASON:
        attributes["grandparentRatingKey"] = top.rating_key
        attributes["grandparentTitle"] = top.title
        attributes["grandparentThumb"] = _picture(top, "thumb")
    return Element("MediaContainer", attributes)


def _members_container(collection: Item, size: int) -> Element:
    """Return the container around the members of a collection."""
    attributes: dict[str, Scalar] = {
        "size": size,
        "allowSync": True,
        "identifier": IDENTIFIER,
        **_hoisted(collection.section),
        **MEDIA_TAGS,
        "title1": collection.section.title,
        "title2": collection.title,
        "viewGroup": TYPE_NAMES[collection.holds or MediaType.MOVIE],
    }
    return Element("MediaContainer", attributes)


def detail_container(items: list[Item]) -> Element:
    """Return the container around details; it names the library when all items share one."""
    attributes: dict[str, Scalar] = {
        "size": len(items),
        "allowSync": True,
        "identifier": IDENTIFIER,
    }
    if len({item.section.key for item in items}) == 1:
        attributes |= _hoisted(items[0].section)
    return Element("MediaContainer", attributes | MEDIA_TAGS)


def item_element(item: Item, view: View) -> Element:
    """Return an item, in a listing or in full."""
    name = "Directory" if item.kind in _FOLDERS else "Video"
    attributes = _item_attributes(item, full=view.full)
    for hidden in view.without_fields:
        attributes.pop(hidden, None)
    children = [
        child for child in _item_children(item, view) if child.name not in view.without_elements
    ]
    if "Part" in view.without_elements:
        for child in children:
            child.children.clear()
    return Element(name, attributes, children, list_name="Metadata")


def tree_container(size: int) -> Element:
    """Return the container around a tree."""
    return Element("MediaContainer", {"size": size, "identifier": IDENTIFIER, **MEDIA_TAGS})


def photo_element(item: Item, key: str, *, selected: bool) -> Element:
    """One picture an item can choose."""
    shown = f"/library/metadata/{item.rating_key}/file?url={key.replace(':', '%3A')}"
    return Element(
        "Photo",
        {"key": shown, "ratingKey": key, "selected": selected, "thumb": shown},
        list_name="Metadata",
    )


def _section_pictures(section: LibrarySection) -> dict[str, str]:
    """Return the pictures every library of a kind has."""
    kind = TYPE_NAMES[section.kind]
    thumb = "video" if section.is_personal else kind
    return {
        "art": f"/:/resources/{kind}-fanart.jpg",
        "thumb": f"/:/resources/{thumb}.png",
    }


def _hoisted(section: LibrarySection) -> dict[str, Scalar]:
    """Return the library, as a container names it."""
    return {
        "librarySectionID": section.key,
        "librarySectionTitle": section.title,
        "librarySectionUUID": section.uuid,
    }


def _picture(item: Item, kind: str) -> str:
    """Return an item's picture's address, which ends in updatedAt. Source: docs/plex-api.md 2."""
    return f"/library/metadata/{item.rating_key}/{kind}/{item.updated_at}"


def _item_attributes(item: Item, *, full: bool) -> dict[str, Scalar]:
    """Return an item's attributes in Plex's order; of empty ones only title and summary."""
    fields = item.fields
    known: dict[str, Scalar | None] = {
        "ratingKey": str(item.rating_key),
        "key": _key(item),
        **_parent_keys(item),
        "guid": item.guid,
        "editionTitle": fields.get("editionTitle"),
        "studio": fields.get("studio"),
        "type": TYPE_NAMES[item.kind],
        "title": item.title,
        "titleSort": item.sort_title if item.sort_title != item.title else None,
        "subtype": item.subtype,
        **(_section_of(item) if full else {}),
        "originalTitle": fields.get("originalTitle"),
        **_parent_names(item),
        "contentRating": fields.get("contentRating"),
        "rating": _number(fields.get("rating")),
        "audienceRating": _number(fields.get("audienceRating")),
        "userRating": item.user_rating,
        "index": item.index or None,
        "parentIndex": _parent_index(item),
        "year": _whole(fields.get("year")),
        "tagline": fields.get("tagline"),
        "thumb": _thumb(item),
        "art": _picture(item, "art") if item.arts.selected else None,
        **_parent_pictures(item),
        "duration": item.duration_ms,
        "originallyAvailableAt": fields.get("originallyAvailableAt"),
        "viewCount": item.view_count or None,
        **_counts_below(item),
        **_collection_attributes(item),
        "addedAt": item.added_at,
        "updatedAt": item.updated_at,
        "deletedAt": item.deleted_at or None,
    }
    shown = {name: value for name, value in known.items() if value not in (None, "")}
    return shown | {"title": item.title, "summary": fields.get("summary", "")}


def _parent_index(item: Item) -> int | None:
    return item.parent.index if item.kind is MediaType.EPISODE and item.parent else None


def _key(item: Item) -> str:
    """Return the address of an item; shows, seasons and collections point at their children."""
    place = "collections" if item.kind is MediaType.COLLECTION else "metadata"
    below = "/children" if item.kind in _FOLDERS and not item.media else ""
    return f"/library/{place}/{item.rating_key}{below}"


def _collection_attributes(item: Item) -> dict[str, Scalar | None]:
    """Return what only a collection says; its counts and preferences are texts."""
    if item.kind is not MediaType.COLLECTION:
        return {}
    return {
        "subtype": TYPE_NAMES[item.holds] if item.holds else None,
        "childCount": str(item.member_count),
        "smart": str(int(item.smart)),
        "collectionMode": item.prefs.get("collectionMode"),
        "collectionSort": item.prefs.get("collectionSort"),
    }


def _section_of(item: Item) -> dict[str, Scalar | None]:
    """Return the library, as a detail answer names it on the item."""
    return {
        "librarySectionTitle": item.section.title,
        "librarySectionID": item.section.key,
        "librarySectionKey": f"/library/sections/{item.section.key}",
    }


def _ancestors(item: Item) -> list[tuple[str, Item]]:
    """Return what stands above an item, with the prefix its attributes carry."""
    above: list[tuple[str, Item]] = []
    if item.parent is not None:
        above.append(("parent", item.parent))
        if item.parent.parent is not None:
            above.append(("grandparent", item.parent.parent))
    return above


def _parent_keys(item: Item) -> dict[str, Scalar | None]:
    """Keys and guids of what stands above."""
    found: dict[str, Scalar | None] = {}
    for prefix, above in _ancestors(item):
        found[f"{prefix}RatingKey"] = str(above.rating_key)
        found[f"{prefix}Key"] = f"/library/metadata/{above.rating_key}"
        found[f"{prefix}Guid"] = above.guid
    return found


def _parent_names(item: Item) -> dict[str, Scalar | None]:
    """Titles of what stands above."""
    return {f"{prefix}Title": above.title for prefix, above in _ancestors(item)}


def _parent_pictures(item: Item) -> dict[str, Scalar | None]:
    """Pictures of what stands above."""
    return {f"{prefix}Thumb": _picture(above, "thumb") for prefix, above in _ancestors(item)}


def _counts_below(item: Item) -> dict[str, Scalar | None]:
    """How much hangs below a show or a season."""
    if item.kind is MediaType.SHOW:
        leaves = sum(len(season.children) for season in item.children)
        return {"leafCount": leaves, "viewedLeafCount": 0, "childCount": len(item.children)}
    if item.kind is MediaType.SEASON:
        return {"leafCount": len(item.children), "viewedLeafCount": 0}
    return {}


def _thumb(item: Item) -> str:
    """Return the poster's address; else that of a stock picture, or one made of members'."""
    if item.posters.selected:
        return _picture(item, "thumb")
    if item.kind is MediaType.COLLECTION:
        place = f"/library/collections/{item.rating_key}/composite"
        return f"{place}/{item.updated_at}?width=400&height=600"
    return "/:/resources/video.png"


def _item_children(item: Item, view: View) -> list[Element]:
    """Versions, pictures, ids, tags and locks."""
    children = [media_element(media, view) for media in item.media]
    children.extend(_images(item))
    if view.guids or view.full:
        children.extend(_guids(item))
    for kind in TAG_KINDS.values():
        children.extend(_tag_elements(item.tags.get(kind.field, ()), kind, full=view.full))
    if view.full:
        locks = sorted(item.locks)
        children.extend(Element("Field", {"locked": True, "name": name}) for name in locks)
    if view.preferences and item.kind is MediaType.COLLECTION:
        children.append(_preferences(item))
    return children


def _preferences(item: Item) -> Element:
    """How a collection is shown and sorted, with all that may be chosen."""
    settings = [
        Element(
            "Setting",
            {
                "id": name,
                "type": "int",
                "default": default,
                "value": item.prefs.get(name, default),
                "enumValues": values,
            },
        )
        for name, (default, values) in _PREFERENCES.items()
    ]
    return Element("Preferences", {}, settings, alone=True)


def _images(item: Item) -> list[Element]:
    """Return the pictures as PMS 1.43 repeats them."""
    found = []
    if item.posters.selected:
        url = _picture(item, "thumb")
        found.append(Element("Image", {"alt": item.title, "type": "coverPoster", "url": url}))
    if item.arts.selected:
        url = _picture(item, "art")
        found.append(Element("Image", {"alt": item.title, "type": "background", "url": url}))
    if found:
        shade = f"{item.rating_key & 0xFFFFFF:06x}"
        corners = ("topLeft", "topRight", "bottomRight", "bottomLeft")
        found.append(Element("UltraBlurColors", dict.fromkeys(corners, shade), alone=True))
    return found


def _guids(item: Item) -> list[Element]:
    """External ids; only items an agent matched have them."""
    if not item.guid.startswith("plex://"):
        return []
    return [Element("Guid", {"id": f"tmdb://{item.rating_key}"})]


def _tag_elements(
    taggings: list[Tagging] | tuple[()], kind: TagKind, *, full: bool
) -> list[Element]:
    """Return an item's tags of one kind: the first few by name alone, or all with everything."""
    if not full:
        return [Element(kind.element, {"tag": worn.tag.name}) for worn in taggings[: kind.listed]]
    return [_full_tag(worn, kind) for worn in taggings]


def _full_tag(worn: Tagging, kind: TagKind) -> Element:
    """One tag of a detail answer."""
    attributes: dict[str, Scalar] = {
        "id": worn.tag.tag_id,
        "filter": f"{kind.field}={worn.tag.tag_id}",
        "tag": worn.tag.name,
    }
    if worn.role:
        attributes["role"] = worn.role
    if worn.tag.thumb:
        attributes["thumb"] = worn.tag.thumb
    return Element(kind.element, attributes)


def _number(text: str | None) -> float | None:
    """Return a rating."""
    return float(text) if text else None


def _whole(text: str | None) -> int | None:
    """Return a year."""
    return int(text) if text else None
