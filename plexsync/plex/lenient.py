"""Plex's JSON, read strictly, and leniently where that fails. Pure.

Plex is not strict about types (numbers as text, booleans as 0, 1, "1" or true) and titles come from
file names, so an answer the strict parser refuses is read a second time: a number that is none, or
out of all bounds, is dropped, a control character is kept, half a surrogate pair becomes U+FFFD.
Only what is no JSON, or not the container asked for, is an error.

Source: docs/plex-api.md 2 and 8.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import fields

from plexsync.errors import BadResponseError
from plexsync.plex.wire import MOST, JsonObject

T = TypeVar("T")

_SURROGATES = re.compile("[\ud800-\udfff]")


def read_json(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Return what a decoder reads of an answer.

    Raises:
        BadResponseError: it is no JSON, or not of its shape.
    """
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_leniently(body, decoder.type)


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
            hint="check that [plex] url leads to Plex itself, not to a login page or another "
            "service",
        ) from error


@cache
def _members(kind: str) -> frozenset[str]:
    """Return the names of all members we read that are lists, numbers or flags."""
    found: set[str] = set()
    shapes = [JsonObject]
    for shape in shapes:
        shapes += shape.__subclasses__()
        for field in fields(shape):
            found |= {field.encode_name} if _kind_of(field.type) == kind else set()
    return frozenset(found)


def _kind_of(declared: Any) -> str:  # noqa: ANN401 - a type as it was written down
    if get_origin(declared) is list:
        return "list"
    if declared is bool:
        return "flag"
    # Bounds are written to numbers alone, which may be missing.
    bounded = any(get_origin(one) is Annotated for one in (declared, *get_args(declared)))
    return "number" if bounded else ""


def _mended(value: Any, name: str = "") -> Any:  # noqa: ANN401 - JSON enters here
    """Return the same JSON with every member we read in a type we accept, or left out."""
    if name in _members("list"):
        entries = value if isinstance(value, list) else [value]
        # What is no object still counts as an entry.
        return [_mended(entry) if isinstance(entry, dict) else {} for entry in entries]
    if isinstance(value, dict):
        mended = ((key, _mended(inner, key)) for key, inner in value.items())
        return {key: inner for key, inner in mended if inner is not None}
    if name in _members("number"):
        return _number_called(name, value)
    if name in _members("flag"):
        return str(value).lower() in {"1", "true"}
    if isinstance(value, list):
        return None
    return None if value is None else _SURROGATES.sub("\ufffd", str(value))


def _number_called(name: str, value: Any) -> float | None:  # noqa: ANN401 - JSON enters here
    if name == "userRating":
        return _decimal(value)
    number = _whole(value)
    # Whatever the time is: something that was deleted at one is deleted.
    return 1 if number is None and name == "deletedAt" and value else number


def _decimal(value: Any) -> float | None:  # noqa: ANN401 - JSON enters here
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= MOST else None


def _whole(value: Any) -> int | None:  # noqa: ANN401 - JSON enters here
    try:
        number = int(float(value)) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= MOST else None
