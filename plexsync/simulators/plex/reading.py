"""What the simulated Plex server answers to reads.

Source: docs/plex-api.md 1 to 4 and 8.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from plexsync.simulators.http.pictures import drawn_picture
from plexsync.simulators.plex import answers, render
from plexsync.simulators.plex.answers import form_of
from plexsync.simulators.plex.collections.handlers import (
    list_collections,
    list_members,
    tell_members,
)
from plexsync.simulators.plex.element import Element
from plexsync.simulators.plex.parts import RefusedError
from plexsync.simulators.plex.query import read_kind
from plexsync.simulators.plex.render_files import View, tree_element
from plexsync.simulators.plex.store import MediaType

if TYPE_CHECKING:
    from plexsync.simulators.http.messages import SimRequest, SimResponse
    from plexsync.simulators.plex.element import Scalar
    from plexsync.simulators.plex.parts import Asked, Parts
    from plexsync.simulators.plex.store import Item, LibrarySection, PictureSet

_START = "X-Plex-Container-Start"
_SIZE = "X-Plex-Container-Size"
_HINT_FIELDS = frozenset({"summary", "tagline", "file"})
"""The attributes `excludeFields` can leave out. Source: docs/plex-api.md 2, "Switches"."""


def identity(parts: Parts, asked: Asked) -> SimResponse:
    """`/identity`, which needs no token."""
    attributes: dict[str, Scalar] = {
        "size": 0,
        "claimed": True,
        "machineIdentifier": parts.identity.machine,
        "version": parts.identity.version,
    }
    return answers.document(asked.request, Element("MediaContainer", attributes))


def root(parts: Parts, asked: Asked) -> SimResponse:
    """`/`: the server. Only an owner's token sees allowSync. Source: docs/plex-api.md 1."""
    attributes: dict[str, Scalar] = {
        "size": 1,
        "allowMediaDeletion": True,
        "allowSharing": True,
        **({"allowSync": True} if asked.owner else {}),
        "apiVersion": "1.2.0",
        "claimed": True,
        "friendlyName": parts.identity.name,
        "machineIdentifier": parts.identity.machine,
        "multiuser": True,
        "myPlex": True,
        "myPlexSubscription": parts.switches.plex_pass,
        "ownerFeatures": "",
        "platform": "Linux",
        "platformVersion": "6.1",
        "readOnlyLibraries": False,
        "transcoderActiveVideoSessions": 0,
        "updatedAt": parts.store.now(),
        "version": parts.identity.version,
    }
    children = [Element("Directory", {"count": 1, "key": "library", "title": "library"})]
    return answers.document(asked.request, Element("MediaContainer", attributes, children))


def library(parts: Parts, asked: Asked) -> SimResponse:
    """`/library`, which plexapi reads before it asks for the sections."""
    attributes: dict[str, Scalar] = {
        "size": 1,
        "allowSync": False,
        "art": "/:/resources/library-art.png",
        "identifier": render.IDENTIFIER,
        **render.MEDIA_TAGS,
        "title1": parts.identity.name,
    }
    children = [Element("Directory", {"key": "sections", "title": "Library Sections"})]
    return answers.document(asked.request, Element("MediaContainer", attributes, children))


def sections(parts: Parts, asked: Asked) -> SimResponse:
    """Every library."""
    attributes: dict[str, Scalar] = {
        "size": len(parts.store.sections),
        "allowSync": False,
        "title1": "Plex Library",
    }
    children = [render.section_element(section) for section in parts.store.sections.values()]
    return answers.document(asked.request, Element("MediaContainer", attributes, children))


def section(parts: Parts, asked: Asked) -> SimResponse:
    """One library, with the folders one can browse left out."""
    found = find_section(parts, asked)
    attributes: dict[str, Scalar] = {"size": 1, "allowSync": False, "title1": found.title}
    container = Element("MediaContainer", attributes, [render.section_element(found)])
    return answers.document(asked.request, container)


def listing(parts: Parts, asked: Asked) -> SimResponse:
    """`/library/sections/N/all`: a page of items, or all of them to who asks for no page."""
    request = asked.request
    found = find_section(parts, asked)
    filters = _filters(request)
    if "file" in dict(filters) and not request.argument("type"):
        raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR)
    kind = read_kind(request.argument("type"), found.kind)
    if kind is MediaType.COLLECTION:
        list_collections(parts, found)
    items = parts.selection(found, kind, filters)
    page = _page(parts, request, len(items))
    if page is None:
        parts.diary.misdeeds.unpaged_listings += 1
        if parts.switches.require_container_size:
            raise RefusedError(HTTPStatus.BAD_REQUEST)
        return _items_document(parts, asked, items, {"size": len(items)})
    start, size = page
    shown = items[start : start + size]
    counts: dict[str, Scalar] = {"size": len(shown), "totalSize": len(items), "offset": start}
    return _items_document(parts, asked, shown, counts)


def detail(parts: Parts, asked: Asked) -> SimResponse:
    """`/library/metadata/1,2,3`: those that exist, in full; 404 when none does."""
    request = asked.request
    if request.argument("includeBandwidths"):
        parts.diary.misdeeds.costly_details += 1
    items = known_items(parts, asked)
    if not items and not parts.switches.missing_is_empty:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    tell_members(parts, items)
    view = _view(request, full=True)
    fragments = parts.shelf.fragments(items, form_of(request), view)
    return answers.document(request, render.detail_container(items), fragments)


def tree(parts: Parts, asked: Asked) -> SimResponse:
    """`/library/metadata/1/tree`: files with hashes, and everything below."""
    items = find_items(parts, asked)
    if "," in asked.captured[0] and not parts.switches.multi_id_tree:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    container = render.tree_container(len(items))
    hashes = parts.switches.tree_hashes
    container.children.extend(tree_element(item, hashes=hashes) for item in items)
    return answers.document(asked.request, container)


def children(parts: Parts, asked: Asked) -> SimResponse:
    """Return the seasons of a show or the episodes of a season."""
    (item,) = find_items(parts, asked)
    collection = item.kind is MediaType.COLLECTION
    below = list_members(parts, item) if collection else list(item.children)
    return _children_document(parts, asked.request, item, below)


def all_leaves(parts: Parts, asked: Asked) -> SimResponse:
    """Every episode of a show."""
    (item,) = find_items(parts, asked)
    episodes = [episode for season in item.children for episode in season.children]
    return _children_document(parts, asked.request, item, episodes)


def pictures(parts: Parts, asked: Asked) -> SimResponse:
    """Return the posters or backgrounds an item can choose from."""
    (item,) = find_items(parts, asked)
    gallery = gallery_of(item, asked.captured[1])
    container = Element("MediaContainer", {"size": len(gallery.keys), **_library_identifier()})
    container.children.extend(
        render.photo_element(item, key, selected=key == gallery.selected) for key in gallery.keys
    )
    return answers.document(asked.request, container)


def read_picture(parts: Parts, asked: Asked) -> SimResponse:
    """Return the bytes of an uploaded picture, or of a frame the server took itself."""
    (item,) = find_items(parts, asked)
    place = asked.captured[1]
    shown = item.arts.selected if place == "art" else item.posters.selected
    key = asked.request.argument("url") if place == "file" else shown
    if key in parts.store.pictures:
        return answers.picture_response(parts.store.pictures[key])
    if not key.startswith("media://"):
        raise RefusedError(HTTPStatus.NOT_FOUND)
    return answers.picture_response(drawn_picture(key, 160, 90))


def activities(parts: Parts, asked: Asked) -> SimResponse:
    """Return what the server is busy with: one scan for every library that is refreshing."""
    busy = [found for found in parts.store.sections.values() if found.refreshing]
    container = Element("MediaContainer", {"size": len(busy)})
    container.children.extend(_scan_element(found) for found in busy)
    return answers.document(asked.request, container)


def find_section(parts: Parts, asked: Asked) -> LibrarySection:
    """Return the library an address names.

    Raises:
        RefusedError: 404, there is none.
    """
    found = parts.store.sections.get(int(asked.captured[0]))
    if found is None:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    return found


def find_items(parts: Parts, asked: Asked) -> list[Item]:
    """Return the items an address names, those that are gone left out.

    Raises:
        RefusedError: 404, all of them are gone.
    """
    found = known_items(parts, asked)
    if not found:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    return found


def known_items(parts: Parts, asked: Asked) -> list[Item]:
    """Those of the items an address names that exist, each once."""
    keys = dict.fromkeys(int(key) for key in asked.captured[0].split(","))
    return [parts.store.items[key] for key in keys if key in parts.store.items]


def gallery_of(item: Item, kind: str) -> PictureSet:
    """Return an item's posters or backgrounds."""
    return item.posters if kind == "poster" else item.arts


def _library_identifier() -> dict[str, Scalar]:
    """Return what containers of pictures carry."""
    return {"identifier": render.IDENTIFIER, **render.MEDIA_TAGS}


def _filters(request: SimRequest) -> tuple[tuple[str, str], ...]:
    """Return the arguments that may select or sort."""
    return tuple((name, value) for name, value in request.query if not name.startswith("X-Plex-"))


def _page(parts: Parts, request: SimRequest, total: int) -> tuple[int, int] | None:
    """Start and size of the page asked for in the query or the headers; None for none."""
    size = request.argument(_SIZE) or request.headers.get(_SIZE, "")
    start = request.argument(_START) or request.headers.get(_START, "")
    if not size.isdecimal():
        return None
    cap = parts.switches.page_cap or total
    return int(start) if start.isdecimal() else 0, min(int(size), cap)


def _view(request: SimRequest, *, full: bool) -> View:
    """Which version of the items is asked for."""
    elements = request.argument("excludeElements")
    fields = request.argument("excludeFields")
    return View(
        full=full,
        guids=request.argument("includeGuids") == "1",
        preferences=full and request.argument("includePreferences") == "1",
        check_files=full and request.argument("checkFiles") == "1",
        without_elements=frozenset(elements.split(",")) if elements else frozenset(),
        without_fields=frozenset(fields.split(",")) & _HINT_FIELDS,
    )


def _items_document(
    parts: Parts, asked: Asked, items: list[Item], counts: dict[str, Scalar]
) -> SimResponse:
    """Return a listing of items of one library."""
    request, found = asked.request, find_section(parts, asked)
    kind = read_kind(request.argument("type"), found.kind) or found.kind
    fragments = parts.shelf.fragments(items, form_of(request), _view(request, full=False))
    total = int(counts.get("totalSize", len(items)))
    page = (int(counts.get("offset", 0)), total)
    container = render.listing_container(found, kind, counts)
    return answers.document(request, container, fragments, page=page)


def _children_document(
    parts: Parts, request: SimRequest, parent: Item, items: list[Item]
) -> SimResponse:
    """Return a listing of what hangs below an item."""
    if parent.kind is not MediaType.COLLECTION:
        items.sort(key=lambda item: ((item.parent.index if item.parent else 0), item.index))
    page = _page(parts, request, len(items))
    start, size = page if page is not None else (0, len(items))
    shown = items[start : start + size]
    container = render.children_container(parent, len(shown))
    if page is not None:
        container.attributes |= {"totalSize": len(items), "offset": start}
    fragments = parts.shelf.fragments(shown, form_of(request), _view(request, full=False))
    return answers.document(request, container, fragments, page=(start, len(items)))


def _scan_element(found: LibrarySection) -> Element:
    """Return a running scan."""
    attributes: dict[str, Scalar] = {
        "uuid": found.uuid,
        "type": "library.update.section",
        "cancellable": True,
        "userID": 1,
        "title": f"Scanning {found.title}",
        "subtitle": "",
        "progress": 40,
    }
    return Element("Activity", attributes, [Element("Context", {"librarySectionID": found.key})])
