"""Covers: one conditional GET each, and what its answer means.

Stash never says "there is none": a scene without a cover shows a drawing (SVG) of its own. Whatever
somebody once stored as a cover comes back as it is. Anything else that is no picture by its bytes
is a failed answer: a page of a proxy, nothing at all, or a 404 for a scene that was just listed.
Source: docs/stash-api.md 5.
"""

from __future__ import annotations

import re
from enum import StrEnum
from hashlib import md5
from itertools import count
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import BadResponseError, PictureFormatError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.transport.client import Transport
    from plexsync.transport.responses import HttpResponse

_GLIMPSE_BYTES = 512
"""Enough to know a picture by; Go looks at as many."""

_ATTEMPTS = 3
"""How often an answer is asked for that may be a passing failure which looks like an answer."""

_OK, _PARTIAL, _UNCHANGED, _MISSING, _NO_RANGE = 200, 206, 304, 404, 416
_ANSWERS = frozenset({_OK, _PARTIAL, _UNCHANGED, _MISSING, _NO_RANGE})

_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_OTHER_PICTURES = (
    (b"BM", 0, "BMP"),
    (b"II*\x00", 0, "TIFF"),
    (b"MM\x00*", 0, "TIFF"),
    (b"\xff\x0a", 0, "JPEG XL"),
    (b"JXL ", 4, "JPEG XL"),
    (b"ftypavi", 4, "AVIF"),
    (b"ftyphei", 4, "HEIF"),
    (b"ftypmif1", 4, "HEIF"),
)
"""How pictures begin that Plex does not show, and where."""

_MD5 = re.compile("[0-9a-f]{32}")
_TOTAL = re.compile(r"bytes \d+-\d+/(\d{1,18})")


class NoCover(StrEnum):
    """Why an answer holds no cover."""

    UNCHANGED = "unchanged"
    NONE = "none"


class Cover(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A scene's cover.

    Attributes:
        content_type: by its bytes, not by what the server calls it.
        etag: for the next conditional GET; the MD5 of the bytes, or "".
        size_bytes: of the whole.
        body: the bytes, or just how they begin.
    """

    content_type: str
    etag: str
    size_bytes: int
    body: bytes


def fetch_cover(
    transport: Transport, cover_path: str, etag: str = "", *, whole: bool = True
) -> Cover | NoCover:
    """Ask for a cover. One request, as a rule.

    Args:
        transport: to Stash.
        cover_path: path and query below the configured address.
        etag: of the cover that is known; UNCHANGED is the answer while it stands.
        whole: False to learn what there is without fetching it.

    Raises:
        BadResponseError: again and again it is no picture, or not the bytes Stash has counted.
        PictureFormatError: it is a picture of a kind Plex does not show.
        AuthError: Stash sends us to its log-in page.
        ServerError: Stash fails.
    """
    headers = [("Accept", "image/*")]
    if etag:
        headers.append(("If-None-Match", etag if etag.startswith("W/") else f'"{etag}"'))
    if not whole:
        headers.append(("Range", f"bytes=0-{_GLIMPSE_BYTES - 1}"))
    doubts = count(1)

    def doubt(message: str, hint: str) -> BadResponseError:
        """Return the error for an answer that is to be believed by now; ask again until then."""
        if next(doubts) < _ATTEMPTS:
            raise TransientError(message)
        return BadResponseError(message, hint=hint)

    # Whatever somebody stored as a cover comes back, web pages included.
    return transport.ask(
        "GET",
        cover_path,
        lambda answer: _cover_in(answer, doubt),
        headers=headers,
        accept_status=_ANSWERS,
        takes_web_pages=True,
    )


def _cover_in(
    answer: HttpResponse, doubt: Callable[[str, str], BadResponseError]
) -> Cover | NoCover:
    """Return what an answer says; raises what `fetch_cover` does, and `doubt` of what is odd."""
    if answer.status == _UNCHANGED:
        return NoCover.UNCHANGED
    # A failed look into Stash's database is a 404 as well.
    is_missing = answer.status == _MISSING
    content_type = "" if is_missing else picture_type(answer.body)
    if not content_type:
        sent = "404 for the cover of a scene it has" if is_missing else _sent_instead(answer.body)
        if not sent:
            return NoCover.NONE
        raise doubt(
            f"Stash, or a proxy before it, sent {sent} instead of a cover",
            "open the cover's address in a browser; plexsync tries again",
        )
    etag = _etag_of(answer)
    if answer.status == _PARTIAL:
        size_bytes = _total_of(answer)
    else:
        size_bytes = len(answer.body)
        if _MD5.fullmatch(etag) and _md5(answer.body) != etag:
            raise doubt(
                "the cover does not have the checksum Stash sends with it",
                "something between plexsync and Stash changes pictures; use the direct address",
            )
    return Cover(content_type=content_type, etag=etag, size_bytes=size_bytes, body=answer.body)


def _sent_instead(body: bytes) -> str:
    """Return what came instead of a picture; "" for what Stash shows for want of a cover.

    Raises:
        PictureFormatError: it is a picture of a kind Plex does not show.
    """
    if b"<svg" in body[:_GLIMPSE_BYTES].lower() and body.lstrip()[:1] == b"<":
        return ""
    for magic, at, name in _OTHER_PICTURES:
        if body[at:].startswith(magic):
            raise PictureFormatError(f"the cover is a picture of the kind {name}")
    return "something else than a picture" if body else "nothing"


def _md5(body: bytes) -> str:
    return md5(body, usedforsecurity=False).hexdigest()


def checksum(cover: Cover) -> str:
    """Return the MD5 of a cover's bytes, in hexadecimal; "" where only all of them would tell.

    Source: docs/stash-api.md 5: the entity tag is just that, since v0.21.
    """
    if _MD5.fullmatch(cover.etag):
        return cover.etag
    if len(cover.body) < cover.size_bytes:
        return ""
    return _md5(cover.body)


def picture_type(body: bytes) -> str:
    """Return the type of a picture Plex can show; "" for all else, drawings and pages included."""
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if body.startswith(magic)), "")


def _etag_of(answer: HttpResponse) -> str:
    etag = answer.headers.get("ETag", "").strip()
    return etag if etag.startswith("W/") else etag.strip('"')


def _total_of(answer: HttpResponse) -> int:
    total = _TOTAL.fullmatch(answer.headers.get("Content-Range", "").strip())
    if total is None:
        raise BadResponseError("Stash sends part of a cover and does not say of how much")
    return int(total[1])
