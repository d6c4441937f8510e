"""Covers as Stash serves them. Source: docs/stash-api.md 5."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from plexsync.simulators.http.messages import SimRequest, SimResponse
from plexsync.simulators.http.pictures import drawn_picture
from plexsync.simulators.stash.rows import PLACEHOLDER, generated_cover

if TYPE_CHECKING:
    from plexsync.simulators.stash.store import StashStore

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"<!DOCTYPE html", "text/html; charset=utf-8"),
    (b"<html", "text/html; charset=utf-8"),
    (b"<svg", "image/svg+xml"),
)
_WEBP = (b"RIFF", b"WEBP")
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


def serve_cover(store: StashStore, request: SimRequest, scene_text: str) -> SimResponse:
    """Answer `GET /scene/<id>/screenshot`."""
    if not scene_text.isdecimal():
        return SimResponse(400, (("Content-Type", "text/plain; charset=utf-8"),), b"Bad Request\n")
    with store.lock:
        scene = store.scenes.get(int(scene_text))
        picture = None if scene is None else PLACEHOLDER
        if scene is not None and scene.cover is not None:
            picture = store.covers.get(scene.id, generated_cover(scene.cover))
    return _serve(picture, request)


def serve_image(store: StashStore, request: SimRequest, kind: str, id_text: str) -> SimResponse:
    """Answer `GET /studio/<id>/image` and the like."""
    with store.lock:
        picture = store.image(kind, int(id_text)) if id_text.isdecimal() else None
    return _serve(picture, request)


def _serve(picture: bytes | None, request: SimRequest) -> SimResponse:
    """Return the whole of a picture, a part of it, or that it is the one the client has."""
    if picture is None:
        return SimResponse(404, (("Content-Type", "text/plain; charset=utf-8"),), b"Not Found\n")
    if request.method != "GET":
        return SimResponse(405)
    etag = f'"{hashlib.md5(picture, usedforsecurity=False).hexdigest()}"'
    stamped = any(name == "t" for name, _ in request.query)
    caching = "private, max-age=31536000, immutable" if stamped else "no-cache"
    headers: tuple[tuple[str, str], ...] = (
        ("ETag", etag),
        ("Cache-Control", caching),
        ("X-Content-Type-Options", "nosniff"),
    )
    if request.headers.get("If-None-Match") == etag:
        return SimResponse(304, headers)
    headers = (("Content-Type", image_type(picture)), *headers)
    return _part(picture, request.headers.get("Range", ""), headers)


def serve_frames(request: SimRequest, name: str) -> SimResponse:
    """Answer `GET /scene/<hash>_sprite.jpg`: nine by nine frames of 160 by 90 pixels."""
    if request.method != "GET":
        return SimResponse(405)
    return SimResponse(200, (("Content-Type", "image/jpeg"),), drawn_picture(name, 1440, 810))


def _part(picture: bytes, wanted: str, headers: tuple[tuple[str, str], ...]) -> SimResponse:
    """Return the bytes a Range header asks for, as Go's `http.ServeContent` does; else all."""
    asked = _RANGE.fullmatch(wanted)
    if asked is None or not picture:
        return SimResponse(200, headers, picture)
    first, last = int(asked[1]), min(int(asked[2]), len(picture) - 1)
    if first > last:
        return SimResponse(416, (("Content-Range", f"bytes */{len(picture)}"),))
    content_range = ("Content-Range", f"bytes {first}-{last}/{len(picture)}")
    return SimResponse(206, (*headers, content_range), picture[first : last + 1])


def image_type(picture: bytes) -> str:
    """Return the type Go finds in the bytes."""
    if (picture[:4], picture[8:12]) == _WEBP:
        return "image/webp"
    return next(
        (kind for magic, kind in _MAGIC if picture.startswith(magic)), "application/octet-stream"
    )
