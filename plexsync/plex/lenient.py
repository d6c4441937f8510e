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
        return msgspec.convert(_mended(loose, shape), shape, strict=False)
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise BadResponseError(
            "Plex sent something else than the JSON asked for",
            hint="check that [plex] url leads to Plex itself, not to a login page or another "
            "service",
        ) from error


@cache
def _members(declared: Any) -> dict[str, Any]:  # noqa: ANN401 - a type as it was written down
    """Return the types of the members we read of an object, by their names; none of other types."""
    shape = get_origin(declared) or declared
    is_object = isinstance(shape, type) and issubclass(shape, JsonObject)
    return {field.encode_name: field.type for field in fields(declared)} if is_object else {}


@cache
def _is_number(declared: Any) -> bool:  # noqa: ANN401 - see above
    """Whether this is a number: only these have bounds, and may be missing."""
    return any(get_origin(one) is Annotated for one in (declared, *get_args(declared)))


def _mended(value: Any, declared: Any, name: str = "") -> Any:  # noqa: ANN401 - JSON enters here
    """Return the same JSON with every member we read in a type we accept, or left out."""
    if get_origin(declared) is list:
        entries = value if isinstance(value, list) else [value]
        # What is no object still counts as an entry.
        objects = (entry if isinstance(entry, dict) else {} for entry in entries)
        return [_mended(entry, get_args(declared)[0]) for entry in objects]
    members = _members(declared)
    if members and isinstance(value, dict):
        mended = ((key, _mended(value[key], members[key], key)) for key in members.keys() & value)
        return {key: one for key, one in mended if one is not None}
    if members or value is None or isinstance(value, (dict, list)):
        return None
    if _is_number(declared):
        return _number_called(name, value)
    if declared is bool:
        return str(value).lower() in {"1", "true"}
    return _SURROGATES.sub("\ufffd", str(value))


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
