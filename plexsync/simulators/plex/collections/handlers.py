"""What the simulated Plex server answers to requests about collections.

Source: docs/plex-api.md 5 and 11.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from plexsync.simulators.plex import answers, render
from plexsync.simulators.plex.answers import form_of
from plexsync.simulators.plex.collections.membership import (
    collections_in,
    drop_collection,
    make_collection,
    members_of,
    put_in,
    rename_collection,
    take_out,
)
from plexsync.simulators.plex.parts import PlexWrite, RefusedError
from plexsync.simulators.plex.query import read_kind
from plexsync.simulators.plex.render_files import View
from plexsync.simulators.plex.store import MediaType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexsync.simulators.http.messages import SimResponse
    from plexsync.simulators.plex.edit import EditRequest
    from plexsync.simulators.plex.parts import Asked, Parts
    from plexsync.simulators.plex.store import Item, LibrarySection

_FULL = View(full=True)
_PREFERENCES = frozenset({"collectionMode", "collectionSort"})


def create(parts: Parts, asked: Asked) -> SimResponse:
    """`POST /library/collections`: a new one, or more members for the one that has the title."""
    request = asked.request
    section = parts.store.sections.get(_number(request.argument("sectionId")))
    title, kind = request.argument("title"), read_kind(request.argument("type"), MediaType.MOVIE)
    if section is None or not title or kind is None:
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    items = _items_named(parts, request.argument("uri"), section)
    if not items:
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    collection = make_collection(parts.store, section, title, kind)
    _fill(parts, collection, items)
    _note(parts, asked, [collection])
    tell_members(parts, [collection])
    fragments = parts.shelf.fragments([collection], form_of(request), _FULL)
    return answers.document(request, render.detail_container([collection]), fragments)


def add_members(parts: Parts, asked: Asked) -> SimResponse:
    """`PUT /library/collections/N/items?uri=`: more members; those that are gone are left out."""
    collection = find_collection(parts, asked)
    items = _items_named(parts, asked.request.argument("uri"), collection.section)
    _fill(parts, collection, items)
    _note(parts, asked, [collection])
    return answers.done()


def remove_member(parts: Parts, asked: Asked) -> SimResponse:
    """`DELETE /library/collections/N/items/M`: one member less."""
    collection = find_collection(parts, asked)
    wanted = [one for one in members_of(parts.store, collection) if _is(one, asked.captured[1])]
    if not wanted:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    take_out(parts.store, collection, wanted)
    if parts.switches.drop_empty_collections and not members_of(parts.store, collection):
        drop_collection(parts.store, collection)
    _note(parts, asked, [collection])
    return answers.done()


def delete(parts: Parts, asked: Asked) -> SimResponse:
    """Forget a collection. For any other item this address deletes its files."""
    key = _number(asked.captured[0])
    if key in parts.store.items and parts.store.items[key].kind is not MediaType.COLLECTION:
        parts.diary.misdeeds.media_deletions += 1
        raise RefusedError(HTTPStatus.FORBIDDEN)
    collection = find_collection(parts, asked)
    drop_collection(parts.store, collection)
    _note(parts, asked, [collection])
    return answers.done()


def set_preferences(parts: Parts, asked: Asked) -> SimResponse:
    """`PUT /library/metadata/N,M/prefs`: how collections are shown and sorted."""
    found = [_collection(parts, key) for key in asked.captured[0].split(",")]
    for name, value in asked.request.query:
        if name in _PREFERENCES:
            for collection in found:
                collection.prefs[name] = value
                parts.store.touch(collection, stamp=parts.switches.bump_updated_at)
    _note(parts, asked, found)
    return answers.done()


def list_members(parts: Parts, collection: Item) -> list[Item]:
    """Return what `/children` of a collection lists, in the order of the keys."""
    return sorted(members_of(parts.store, collection), key=lambda item: item.rating_key)


def find_collection(parts: Parts, asked: Asked) -> Item:
    """Return the collection an address names.

    Raises:
        RefusedError: 404, there is none.
    """
    return _collection(parts, asked.captured[0])


def tell_members(parts: Parts, items: Iterable[Item]) -> None:
    """Have the collections among `items` say how many members they have now."""
    for item in items:
        if item.kind is MediaType.COLLECTION:
            item.member_count = len(members_of(parts.store, item))
            parts.shelf.forget(item)


def list_collections(parts: Parts, section: LibrarySection) -> None:
    """Put every collection of a library where listings look for items."""
    tell_members(parts, collections_in(parts.store, section))


def rename_edited(parts: Parts, item: Item, edit: EditRequest) -> None:
    """Rename a collection when its title is edited.

    Raises:
        RefusedError: 409, another one has that title.
    """
    title = edit.values.get("title", "")
    if item.kind is not MediaType.COLLECTION or not title:
        return
    if not rename_collection(parts.store, item, title):
        raise RefusedError(HTTPStatus.CONFLICT)


def _fill(parts: Parts, collection: Item, items: list[Item]) -> None:
    """Put items in.

    Raises:
        RefusedError: 400, one is of another kind than those that are in it.
    """
    if any(item.kind is not (collection.holds or item.kind) for item in items):
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    put_in(parts.store, collection, items)


def _items_named(parts: Parts, uri: str, section: LibrarySection) -> list[Item]:
    """Return the items of a library that a `server://` address names.

    Raises:
        RefusedError: 400, it is no such address, or that of another server.
    """
    root = f"server://{parts.identity.machine}/com.plexapp.plugins.library/library/metadata/"
    if not uri.startswith(root):
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    keys = dict.fromkeys(map(_number, uri.removeprefix(root).split(",")))
    return [section.items[key] for key in keys if key in section.items]


def _collection(parts: Parts, key: str) -> Item:
    found = parts.store.items.get(_number(key))
    if found is None or found.kind is not MediaType.COLLECTION:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    return found


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _is(item: Item, key: str) -> bool:
    return str(item.rating_key) == key


def _note(parts: Parts, asked: Asked, items: list[Item]) -> None:
    """Write the request into the diary."""
    request = asked.request
    arguments = tuple((name, value) for name, value in request.query if name != "X-Plex-Token")
    keys = tuple(str(item.rating_key) for item in items)
    parts.diary.writes.append(PlexWrite(request.method, request.path, arguments, keys))
