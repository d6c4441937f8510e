"""Plex's JSON, read strictly, and leniently where that fails. Pure.

Plex is not strict about types (numbers as text, booleans as 0, 1, "1" or true) and titles come from
file names, so an answer the strict parser refuses is read a second time: a number that is none is
dropped, a control character is kept, half a surrogate pair becomes U+FFFD. Only what is no JSON, or
not the container asked for, is an error.

Source: docs/plex-api.md 2 and 8.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import msgspec

from plexsync.errors import BadResponseError

T = TypeVar("T")

_NUMBERS = frozenset(
    {
        "id",
        "size",
        "totalSize",
        "offset",
        "duration",
        "width",
        "height",
        "proxyType",
        "updatedAt",
        "deletedAt",
        "userRating",
    }
)
_LISTS = frozenset(
    {
        "Metadata",
        "Photo",
        "Media",
        "Part",
        "Genre",
        "Role",
        "Director",
        "Label",
        "Collection",
        "Field",
        "MetadataItem",
        "MediaItem",
        "MediaPart",
    }
)
_FLAGS = frozenset({"locked", "selected"})
_SURROGATES = re.compile("[\ud800-\udfff]")


def read_json(body: bytes, decoder: msgspec.json.Decoder[T], shape: type[T]) -> T:
    """Read an answer.

    Args:
        body: as received.
        decoder: of `shape`.
        shape: what is read of the answer.

    Raises:
        BadResponseError: it is no JSON, or not of this shape.
    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_leniently(body, shape)


def _read_leniently(body: bytes, shape: type[T]) -> T:
    """Read what the strict parser refused; many times slower, so only then.

    Raises:
        BadResponseError: it is no JSON, or not of this shape.
    """
    try:
        loose = json.loads(body.decode("utf-8", "replace"), strict=False)
        return msgspec.convert(_mended(loose), shape, strict=False)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise BadResponseError(
            "Plex sent something else than the JSON asked for",
            hint="check that the URL leads to Plex itself, not to a login page or another service",
        ) from error


def _mended(value: Any, name: str = "") -> Any:  # noqa: ANN401 - JSON enters here
    """The same JSON with every member we read in a type we accept, or left out."""
    if name in _LISTS:
        entries = value if isinstance(value, list) else [value]
        return [_mended(entry) for entry in entries if isinstance(entry, dict)]
    if isinstance(value, dict):
        mended = ((key, _mended(inner, key)) for key, inner in value.items())
        return {key: inner for key, inner in mended if inner is not None}
    if name in _NUMBERS:
        return _decimal(value) if name == "userRating" else _whole(value)
    if name in _FLAGS:
        return str(value).lower() in {"1", "true"}
    if isinstance(value, list):
        return None
    return None if value is None else _SURROGATES.sub("\ufffd", str(value))


def _decimal(value: Any) -> float | None:  # noqa: ANN401 - JSON enters here
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _whole(value: Any) -> int | None:  # noqa: ANN401 - JSON enters here
    try:
        return int(float(value)) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
