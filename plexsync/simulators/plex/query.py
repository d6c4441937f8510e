"""Which items a query selects, and in which order.

What it does not understand it ignores, so a mistyped filter selects the whole library. That is
what Plex does. A comma means "or", and a text filter without an operator means "contains".

Source: docs/plex-api.md 0 and 3.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

from plexsync.simulators.plex.store import TAG_KINDS, MediaType, nocase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plexsync.simulators.plex.store import Item, LibrarySection

    Test = Callable[[Item], bool]

_NAME = re.compile(r"^(\w+)(>>|<<|[<>!]?)$")
_SEPARATORS = re.compile(r"[/\\]")

_NUMBERS: dict[str, Callable[[Item], float | None]] = {
    "id": lambda item: item.rating_key,
    "addedAt": lambda item: item.added_at,
    "updatedAt": lambda item: item.updated_at,
    "year": lambda item: int(item.fields.get("year", 0)),
    "duration": lambda item: item.duration_ms,
    "userRating": lambda item: item.user_rating,
    "viewCount": lambda item: item.view_count,
    "trash": lambda item: bool(item.deleted_at),
}
_TEXTS: dict[str, Callable[[Item], str]] = {
    "title": lambda item: item.title,
    "studio": lambda item: item.fields.get("studio", ""),
    "contentRating": lambda item: item.fields.get("contentRating", ""),
    "guid": lambda item: item.guid,
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "": operator.eq,
    ">>": operator.gt,
    "<<": operator.lt,
    ">": operator.ge,
    "<": operator.le,
}
_SORTS: dict[str, Callable[[Item], float | str]] = {
    "titleSort": lambda item: item.sort_title.casefold(),
    "title": lambda item: item.title.casefold(),
    "addedAt": lambda item: item.added_at,
    "updatedAt": lambda item: item.updated_at,
    "id": lambda item: item.rating_key,
    "index": lambda item: item.index,
    "guid": lambda item: item.guid,
    "year": lambda item: item.fields.get("year", ""),
    "originallyAvailableAt": lambda item: item.fields.get("originallyAvailableAt", ""),
    "duration": lambda item: item.duration_ms or 0,
}


def select(
    section: LibrarySection, kind: MediaType | None, arguments: Iterable[tuple[str, str]]
) -> list[Item]:
    """Return the items of one kind that pass every argument that is a filter, sorted as asked."""
    arguments = list(arguments)
    tests = [test for name, value in arguments if (test := _test_of(name, value)) is not None]
    found = [
        item
        for item in _in_question(section, dict(arguments).get("id", ""))
        if item.kind is kind and all(test(item) for test in tests)
    ]
    wanted = dict(arguments)
    _sort(found, wanted.get("sort", "titleSort"))
    limit = wanted.get("limit", "")
    return found[: int(limit)] if limit.isdecimal() else found


def read_kind(text: str, default: MediaType) -> MediaType | None:
    """Return the item type of `type=`; None for one this server holds nothing of."""
    if not text:
        return default
    return MediaType(int(text)) if text.isdecimal() and int(text) in set(MediaType) else None


def _in_question(section: LibrarySection, ids: str) -> Iterable[Item]:
    """Return the items that can pass: all, or those named by id, so that edits cost little."""
    keys = ids.split(",")
    if not all(map(str.isdecimal, keys)):
        return section.items.values()
    return [section.items[key] for key in set(map(int, keys)) if key in section.items]


def _test_of(name: str, value: str) -> Test | None:
    """One argument as a test; None for what is no filter."""
    found = _NAME.match(name)
    if found is None:
        return None
    field, sign = found.groups()
    if field in _NUMBERS:
        return _number_test(_NUMBERS[field], sign, value)
    if field in _TEXTS:
        return _text_test(_TEXTS[field], sign, value)
    if field in TAG_KINDS:
        return _tag_test(field, sign, value)
    if field == "mediaSize":
        return _size_test(value)
    return _file_test(value) if field == "file" else None


def _number_test(read: Callable[[Item], float | None], sign: str, value: str) -> Test | None:
    """Compare a number; "!" means none of them. What is no number is ignored, filter and all."""
    try:
        numbers = [float(part) for part in value.split(",")]
    except ValueError:
        return None
    compare = _COMPARE.get(sign) or _COMPARE[""]

    def test(item: Item) -> bool:
        have = read(item)
        hit = have is not None and any(compare(have, number) for number in numbers)
        return hit is not (sign == "!")

    return test


def _text_test(read: Callable[[Item], str], sign: str, value: str) -> Test:
    """Compare a text without regard to case: contains, equals, begins, ends, or not."""
    exact = value.startswith("=")
    texts = [part.casefold() for part in value.removeprefix("=").split(",")]

    def hit(have: str) -> bool:
        if sign == "<":
            return any(have.startswith(text) for text in texts)
        if sign == ">":
            return any(have.endswith(text) for text in texts)
        return have in texts if exact else any(text in have for text in texts)

    return lambda item: hit(read(item).casefold()) is not (sign == "!")


def _size_test(value: str) -> Test | None:
    """Items with a file of exactly that many bytes."""
    if not value.isdecimal():
        return None
    return lambda item: any(part.size == int(value) for part in item.parts)


def _file_test(value: str) -> Test:
    """Items with the text in the path of a file; for an episode's path, its whole folder.

    Source: docs/plex-api.md 3, "`file=`".
    """
    texts = value.split(",")

    def hit(item: Item, path: str) -> bool:
        if any(text in path for text in texts):
            return True
        return item.kind is MediaType.EPISODE and any(_folder(text) in path for text in texts)

    return lambda item: any(hit(item, part.file) for part in item.parts)


def _folder(path: str) -> str:
    """Everything up to the last separator; the text itself when there is none."""
    cut = max((found.end() for found in _SEPARATORS.finditer(path)), default=0)
    return path[:cut] or path


def _tag_test(kind: str, sign: str, value: str) -> Test:
    """Items that wear one of the tags, named or numbered."""
    names = {nocase(part) for part in value.split(",")}

    def test(item: Item) -> bool:
        worn = item.tags.get(kind, ())
        hit = any(
            nocase(tagging.tag.name) in names or str(tagging.tag.tag_id).encode() in names
            for tagging in worn
        )
        return hit is not (sign == "!")

    return test


def _sort(items: list[Item], order: str) -> None:
    """Sort in place by `key:direction,key:direction`; unknown keys are ignored, ties go by key."""
    items.sort(key=lambda item: item.rating_key)
    for part in reversed(order.split(",")):
        name, _, direction = part.partition(":")
        if name in _SORTS:
            items.sort(key=_SORTS[name], reverse=direction == "desc")
