"""Which address of the simulated Plex server means what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from plexsync.simulators.plex import reading, writing
from plexsync.simulators.plex.collections import handlers as collections

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.simulators.http.messages import SimResponse
    from plexsync.simulators.plex.parts import Asked, Parts

    Handler = Callable[[Parts, Asked], SimResponse]


class Route(NamedTuple):
    """One address.

    Attributes:
        kind: what it counts as.
        methods: the methods it takes.
        pattern: its path; what the groups capture goes to the handler.
        handler: who answers.
        writes: whether a token that may only read is refused.
    """

    kind: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    handler: Handler
    writes: bool


_COLLECTION = re.compile(r"^/library/collections/(\d+)")


def find_route(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Return the route of a request and what its pattern captured.

    An address below a collection's is that below the item of the same id.
    Source: docs/plex-api.md 11.
    """
    path = _COLLECTION.sub(r"/library/metadata/\1", path)
    for route in ROUTES:
        if method in route.methods and (found := route.pattern.match(path)):
            return route, found.groups()
    return None


def _get(kind: str, pattern: str, handler: Handler) -> Route:
    """Return an address to read."""
    return Route(f"plex.{kind}", frozenset({"GET"}), re.compile(pattern), handler, writes=False)


def _write(kind: str, methods: str, pattern: str, handler: Handler) -> Route:
    """Return an address to change something with."""
    wanted = frozenset(methods.split())
    return Route(f"plex.{kind}", wanted, re.compile(pattern), handler, writes=True)


_SECTION = r"^/library/sections/(\d+)"
_ITEM = r"^/library/metadata/(\d+)"
_ITEMS = r"^/library/metadata/(\d+(?:,\d+)*)"

ROUTES = (
    _get("listing", _SECTION + r"/all$", reading.listing),
    _get("detail", _ITEMS + r"$", reading.detail),
    _write("put", "PUT", _SECTION + r"/all$", writing.edit_section),
    _write("put", "PUT", _ITEMS + r"$", writing.edit_items),
    _get("tree", _ITEMS + r"/tree$", reading.tree),
    _get("identity", r"^/identity$", reading.identity),
    _get("root", r"^/$", reading.root),
    _get("library", r"^/library/?$", reading.library),
    _get("sections", r"^/library/sections/?$", reading.sections),
    _get("sections", _SECTION + r"$", reading.section),
    _get("children", _ITEM + r"/children$", reading.children),
    _get("children", _ITEM + r"/allLeaves$", reading.all_leaves),
    _get("members", _ITEM + r"/items$", reading.children),
    _write("make", "POST", r"^/library/collections/?$", collections.create),
    _write("fill", "PUT", _ITEM + r"/items$", collections.add_members),
    _write("take_out", "DELETE", _ITEM + r"/items/(\d+)$", collections.remove_member),
    _write("delete", "DELETE", _ITEM + r"$", collections.delete),
    _write("prefs", "PUT", _ITEMS + r"/prefs$", collections.set_preferences),
    _get("pictures", _ITEM + r"/(poster|art)s$", reading.pictures),
    _get("picture", _ITEM + r"/(thumb|art|file)(?:/\d+)?$", reading.read_picture),
    _get("activities", r"^/activities/?$", reading.activities),
    _write("upload", "POST", _ITEM + r"/(poster|art)s$", writing.upload),
    _write("select", "PUT", _ITEM + r"/(poster|art)s?$", writing.select_picture),
    _write("unselect", "DELETE", _ITEM + r"/(thumb|art)$", writing.choose_none),
    _write("rate", "PUT", r"^/:/rate$", writing.rate),
    _write("scan", "GET POST", _SECTION + r"/refresh$", writing.scan),
    _write("scan", "DELETE", _SECTION + r"/refresh$", writing.noted),
    _write("trash", "PUT", _SECTION + r"/emptyTrash$", writing.empty_trash),
    _write("merge", "PUT", _ITEM + r"/merge$", writing.merge),
    _write("split", "PUT", _ITEM + r"/split$", writing.answer_split),
    _write("refresh", "PUT", _ITEM + r"/refresh$", writing.refresh),
    _write("refresh", "PUT", _ITEM + r"/analyze$", writing.noted),
)
