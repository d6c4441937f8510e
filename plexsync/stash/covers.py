"""Covers: one conditional GET each, and what its answer means.

Stash never says "there is none": a scene without a cover shows a drawing of its own, and whatever
somebody once stored as a cover comes back as it is. What is no picture by its bytes is no cover.
Source: docs/stash-api.md 5.
"""

from __future__ import annotations

import re
from enum import StrEnum
from hashlib import md5
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import BadResponseError, TransientError

if TYPE_CHECKING:
    from plexsync.transport.client import HttpResponse, Transport

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
_MD5 = re.compile("[0-9a-f]{32}")
_TOTAL = re.compile(r"bytes \d+-\d+/(\d+)")


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
        BadResponseError: again and again the bytes are not those Stash has counted.
        AuthError: Stash sends us to its log-in page.
        ServerError: Stash fails.
    """
    headers = [("Accept", "image/*")]
    if etag:
        headers.append(("If-None-Match", etag if etag.startswith("W/") else f'"{etag}"'))
    if not whole:
        headers.append(("Range", f"bytes=0-{_GLIMPSE_BYTES - 1}"))
    decode = _Decoder().decode
    # Whatever somebody stored as a cover comes back, web pages included.
    return transport.ask(
        "GET",
        cover_path,
        decode,
        headers=headers,
        accept_status=_ANSWERS,
        takes_web_pages=True,
    )


class _Decoder:
    """Reads the answers to one question, of which the first ones need not be believed."""

    def __init__(self) -> None:
        self._doubts = 0

    def decode(self, answer: HttpResponse) -> Cover | NoCover:
        """What an answer says.

        Raises:
            TransientError: it is to be asked again.
            BadResponseError: the bytes are damaged every time.
        """
        if answer.status == _UNCHANGED:
            return NoCover.UNCHANGED
        if answer.status == _MISSING:
            # A failed look into Stash's database is a 404 as well.
            self._doubt("Stash finds no such scene (404)")
            return NoCover.NONE
        content_type = picture_type(answer.body)
        if answer.status == _NO_RANGE or not content_type:
            return NoCover.NONE
        etag = _etag_of(answer)
        if answer.status == _PARTIAL:
            size_bytes = _total_of(answer)
        else:
            size_bytes = len(answer.body)
            self._check(answer.body, etag)
        return Cover(content_type=content_type, etag=etag, size_bytes=size_bytes, body=answer.body)

    def _check(self, body: bytes, etag: str) -> None:
        """Compare the bytes with the sum Stash sends along."""
        if not _MD5.fullmatch(etag) or md5(body, usedforsecurity=False).hexdigest() == etag:
            return
        self._doubt("the cover came damaged")
        raise BadResponseError(
            "the cover does not have the checksum Stash sends with it",
            hint="something between plexsync and Stash changes pictures; use the direct address",
        )

    def _doubt(self, message: str) -> None:
        self._doubts += 1
        if self._doubts < _ATTEMPTS:
            raise TransientError(message)


def checksum(cover: Cover) -> str:
    """The MD5 of a cover's bytes, in hexadecimal; "" where only all of them would tell.

    Source: docs/stash-api.md 5: the entity tag is just that, since v0.21.
    """
    if _MD5.fullmatch(cover.etag):
        return cover.etag
    if len(cover.body) < cover.size_bytes:
        return ""
    return md5(cover.body, usedforsecurity=False).hexdigest()


def picture_type(body: bytes) -> str:
    """The type of a picture Plex can show; "" for anything else, drawings and pages included."""
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
