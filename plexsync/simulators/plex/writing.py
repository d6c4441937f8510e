"""What the simulated Plex server does with requests that change something.

Every write answers an empty 200, whether it changed anything or not.

Source: docs/plex-api.md 5 and 8.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from plexsync.simulators.plex import answers
from plexsync.simulators.plex.collections.handlers import rename_edited
from plexsync.simulators.plex.edit import apply_edit, read_edit, set_rating
from plexsync.simulators.plex.parts import PlexWrite, RefusedError
from plexsync.simulators.plex.query import read_kind, select
from plexsync.simulators.plex.reading import find_items, find_section, gallery_of
from plexsync.simulators.plex.store import Item, PictureSet, picture_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexsync.simulators.http.messages import SimResponse
    from plexsync.simulators.plex.edit import EditRequest
    from plexsync.simulators.plex.parts import Asked, Parts

_FOLDERS = {"poster": "posters", "art": "art"}
_LOCKS = {"poster": "thumb", "art": "art"}
_HIGHEST_RATING = 10.0


def edit_section(parts: Parts, asked: Asked) -> SimResponse:
    """`PUT /library/sections/N/all`: edit every item the query selects, which without an id is all.

    Source: docs/plex-api.md 0 (3).
    """
    found = find_section(parts, asked)
    edit = _edit_of(parts, asked)
    if parts.switches.drop_edit_ids:
        edit.filters = [(name, value) for name, value in edit.filters if name != "id"]
    conditions = dict(edit.filters)
    if not conditions.get("id"):
        parts.diary.misdeeds.unguarded_puts += 1
        edit.filters = [(name, value) for name, value in edit.filters if name != "id"]
    kind = read_kind(conditions.get("type", ""), found.kind)
    _edit(parts, asked, edit, select(found, kind, edit.filters))
    return answers.done()


def edit_items(parts: Parts, asked: Asked) -> SimResponse:
    """`PUT /library/metadata/1,2`: the newer door to the same.

    Raises:
        RefusedError: 404, this server is too old for it.
    """
    if not parts.switches.edits_by_item:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    items = find_items(parts, asked)
    if parts.switches.ignore_edits_by_item:
        return answers.done()
    elsewhere = parts.switches.edits_land_at
    keys = (str(item.rating_key) for item in items)
    items = [parts.store.items[int(elsewhere.get(key, key))] for key in keys]
    _edit(parts, asked, _edit_of(parts, asked), items)
    return answers.done()


def rate(parts: Parts, asked: Asked) -> SimResponse:
    """`/:/rate`: the rating of the token's account; no clock of the library moves."""
    key, rating = asked.request.argument("key"), asked.request.argument("rating")
    item = parts.store.items.get(int(key)) if key.isdecimal() else None
    if item is None:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    if not set_rating(item, rating) or (item.user_rating or 0.0) > _HIGHEST_RATING:
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    parts.store.redraw(item)
    _note(parts, asked, [item])
    return answers.done()


def upload(parts: Parts, asked: Asked) -> SimResponse:
    """Take a new picture, as bytes or from an address; it is the selected one now, and locked."""
    (item,) = find_items(parts, asked)
    kind = asked.captured[1]
    body = _picture_sent(parts, asked)
    if len(body) > parts.switches.picture_limit:
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    parts.store.pictures[add_picture(parts, item, kind, body)] = body
    _note(parts, asked, [item])
    return answers.done()


def select_picture(parts: Parts, asked: Asked) -> SimResponse:
    """Select one of an item's pictures; what it does not have is no picture to select."""
    (item,) = find_items(parts, asked)
    kind, key = asked.captured[1], asked.request.argument("url")
    if key not in gallery_of(item, kind).keys:
        raise RefusedError(HTTPStatus.NOT_FOUND)
    _select(parts, item, kind, key)
    _note(parts, asked, [item])
    return answers.done()


def choose_none(parts: Parts, asked: Asked) -> SimResponse:
    """Show none of an item's pictures, and lock that; all of them stay.

    As published; a picture comes back with the next refresh, see `refresh`.
    Source: docs/plex-api.md 5, "Poster".
    """
    (item,) = find_items(parts, asked)
    kind = "poster" if asked.captured[1] == "thumb" else "art"
    gallery_of(item, kind).selected = ""
    item.locks.add(_LOCKS[kind])
    touch(parts, item)
    _note(parts, asked, [item])
    return answers.done()


def refresh(parts: Parts, asked: Asked) -> SimResponse:
    """Have an item that shows no picture show its first one again, unless that is locked."""
    (item,) = find_items(parts, asked)
    for kind, lock in _LOCKS.items():
        gallery = gallery_of(item, kind)
        if gallery.keys and not gallery.selected and lock not in item.locks:
            gallery.selected = gallery.keys[0]
            touch(parts, item)
    _note(parts, asked, [item])
    return answers.done()


def scan(parts: Parts, asked: Asked) -> SimResponse:
    """Look for new files in a library or in one folder of it."""
    found = find_section(parts, asked)
    path = asked.request.argument("path")
    parts.diary.scans.append((str(found.key), path))
    _note(parts, asked, [])
    parts.on_scan(found, path)
    return answers.done()


def empty_trash(parts: Parts, asked: Asked) -> SimResponse:
    """Forget the items of a library that lost their files."""
    found = find_section(parts, asked)
    gone = [item for item in found.items.values() if item.deleted_at]
    for item in gone:
        parts.store.remove(item)
    _note(parts, asked, gone)
    return answers.done()


def merge(parts: Parts, asked: Asked) -> SimResponse:
    """Make other items versions of this one; their rating keys vanish."""
    (item,) = find_items(parts, asked)
    keys = asked.request.argument("ids").split(",")
    others = [parts.store.items.get(int(key)) for key in keys if key.isdecimal()]
    merge_items(parts, item, [other for other in others if other is not None])
    _note(parts, asked, [item])
    return answers.done()


def answer_split(parts: Parts, asked: Asked) -> SimResponse:
    """Make every version but the first an item of its own."""
    (item,) = find_items(parts, asked)
    split_item(parts, item)
    _note(parts, asked, [item])
    return answers.done()


def noted(parts: Parts, asked: Asked) -> SimResponse:
    """Take the request and do nothing a client could see."""
    _note(parts, asked, [])
    return answers.done()


def add_picture(parts: Parts, item: Item, kind: str, body: bytes) -> str:
    """Show an uploaded picture from now on, locked; its key."""
    key = picture_key(_FOLDERS[kind], body)
    gallery = gallery_of(item, kind)
    if key not in gallery.keys:
        gallery.keys.append(key)
    _select(parts, item, kind, key)
    return key


def offer_picture(parts: Parts, item: Item, kind: str, key: str) -> None:
    """Show a picture an agent found, unless the present one is locked."""
    gallery = gallery_of(item, kind)
    if key not in gallery.keys:
        gallery.keys.append(key)
    if _LOCKS[kind] not in item.locks:
        gallery.selected = key
    touch(parts, item)


def merge_items(parts: Parts, item: Item, others: Iterable[Item]) -> None:
    """Give `item` the versions of `others` and forget those."""
    for other in others:
        if other is not item:
            item.media = (*item.media, *other.media)
            parts.store.remove(other)
    touch(parts, item)


def split_item(parts: Parts, item: Item) -> list[Item]:
    """Give every version of `item` but the first an item of its own; those are returned."""
    rest, item.media = item.media[1:], item.media[:1]
    made = []
    for media in rest:
        new = replace(
            item,
            rating_key=parts.store.next_id(),
            fields=dict(item.fields),
            tags={kind: [replace(one) for one in worn] for kind, worn in item.tags.items()},
            locks=set(),
            media=(media,),
            posters=PictureSet(list(item.posters.keys), item.posters.selected),
            arts=PictureSet(list(item.arts.keys), item.arts.selected),
        )
        parts.store.add(new)
        made.append(new)
    touch(parts, item)
    return made


def touch(parts: Parts, item: Item) -> None:
    """Note a change by an edit: the counter moves, and updatedAt where that is switched on."""
    parts.store.touch(item, stamp=parts.switches.bump_updated_at)


def _edit_of(parts: Parts, asked: Asked) -> EditRequest:
    """Return the edit a PUT carries.

    Raises:
        RefusedError: 400, an edition title without Plex Pass.
    """
    edit = read_edit(asked.request.query)
    if "editionTitle" in edit.values and not parts.switches.plex_pass:
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    if edit.contradicts_itself:
        parts.diary.misdeeds.contradictory_puts += 1
    if parts.switches.fold_line_breaks:
        edit.values = {
            name: "\n".join(value.splitlines()).strip() for name, value in edit.values.items()
        }
    return edit


def _edit(parts: Parts, asked: Asked, edit: EditRequest, items: list[Item]) -> None:
    """Edit every item alike."""
    for item in items:
        rename_edited(parts, item, edit)
        apply_edit(parts.store, item, edit, replace_tags=parts.switches.replace_tags)
        touch(parts, item)
    if parts.switches.forget_unused_tags:
        parts.store.forget_unused_tags()
    _note(parts, asked, items)


def _picture_sent(parts: Parts, asked: Asked) -> bytes:
    """Return the picture of an upload.

    Raises:
        RefusedError: 500, the address gives no picture; 400, there is none at all.
    """
    address = asked.request.argument("url")
    if address:
        if address not in parts.web:
            raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR)
        return parts.web[address]
    if not asked.request.body:
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    return asked.request.body


def _select(parts: Parts, item: Item, kind: str, key: str) -> None:
    """Show that picture from now on, and lock it."""
    gallery_of(item, kind).selected = key
    item.locks.add(_LOCKS[kind])
    touch(parts, item)


def _note(parts: Parts, asked: Asked, items: list[Item]) -> None:
    """Write the request into the diary."""
    request = asked.request
    arguments = tuple((name, value) for name, value in request.query if name != "X-Plex-Token")
    keys = tuple(str(item.rating_key) for item in items)
    parts.diary.writes.append(PlexWrite(request.method, request.path, arguments, keys))
