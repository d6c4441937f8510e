"""Laws of reading Plex: every way of writing the same answer reads the same; nothing crashes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.errors import BadResponseError
from plexsync.models import PlexField
from plexsync.plex.decode import decode_details, decode_hashes, decode_listing
from plexsync.plex.last_details import LastDetails
from tests.support.strategies import items, texts, titles

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.models import PlexFile, PlexItem

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(("1", "true", "1e400", "-1")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = (
    "ratingKey type title originallyAvailableAt updatedAt deletedAt Media Part file key size "
    "duration Genre Role Field tag name locked librarySectionID MediaItem MediaPart id "
    "openSubtitleHash totalSize offset"
)
ENTRIES = st.dictionaries(st.sampled_from(NAMES.split()), JUNK, max_size=8)


def part_of(file: PlexFile) -> dict[str, Any]:
    """A part as Plex writes it, milliseconds whole."""
    return {
        "id": file.part_id,
        "key": f"/library/parts/{file.part_id}/{file.changed_at}/file.mp4",
        "file": file.path,
        **({"size": file.size_bytes} if file.size_bytes else {}),
        **({"duration": round(file.duration_s * 1000)} if file.duration_s else {}),
    }


def entry_of(item: PlexItem) -> dict[str, Any]:
    """An item as Plex writes it: one version a file."""
    return {
        "ratingKey": item.rating_key,
        "type": item.kind.value,
        "title": item.title,
        **({"originallyAvailableAt": item.date} if item.date else {}),
        "updatedAt": item.updated_at,
        **({"deletedAt": 1} if item.trashed else {}),
        "Guid": [{"id": "imdb://tt0"}, {"id": "stash://812"}],
        "Media": [
            {
                **({"width": file.width} if file.width else {}),
                **({"height": file.height} if file.height else {}),
                "Part": [part_of(file)],
            }
            for file in item.files
        ],
    }


def textual(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The same with every number as text, as servers without types wrote it."""
    if isinstance(value, dict):
        return {name: textual(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [textual(inner) for inner in value]
    return str(value) if isinstance(value, int) else value


def answer(entries: list[Any], write: Callable[[Any], Any] = lambda value: value) -> bytes:
    """A whole answer; half surrogates are escaped, as in any JSON."""
    container = {"size": len(entries), "totalSize": len(entries), "Metadata": entries}
    return json.dumps({"MediaContainer": write(container)}).encode()


@given(st.lists(items(), max_size=4))
@settings(max_examples=60)
def test_numbers_as_text_read_as_numbers(found: list[PlexItem]) -> None:
    """The strict and the lenient path agree on every item."""
    entries = [entry_of(item) for item in found]

    assert decode_listing(answer(entries)) == decode_listing(answer(entries, textual))


@given(items(), titles())
@settings(max_examples=60)
def test_an_odd_neighbour_changes_no_item(item: PlexItem, title: str) -> None:
    """A title that sends a page down the lenient path leaves the other items as they were."""
    entry = entry_of(item)
    odd = {"ratingKey": 7, "type": "movie", "title": title + "\ud800", "updatedAt": "?"}

    alone = decode_listing(answer([entry]))
    beside = decode_listing(answer([entry, odd]))

    assert beside.items[0] == alone.items[0]
    assert alone.items[0].stash_id == "812"


@given(
    st.lists(st.one_of(ENTRIES, JUNK), max_size=3), st.sampled_from(("Metadata", "MetadataItem"))
)
@settings(max_examples=150)
def test_whatever_comes_is_read_or_refused(entries: list[Any], name: str) -> None:
    """No answer ends a run with anything but our own error."""
    body = json.dumps({"MediaContainer": {"size": len(entries), name: entries}}).encode()

    for decode in (decode_listing, decode_details, decode_hashes):
        try:
            decode(body)
        except BadResponseError:
            continue


@given(st.binary(max_size=60))
@settings(max_examples=60)
def test_bytes_are_read_or_refused(body: bytes) -> None:
    """The same for what is no JSON at all."""
    for decode in (decode_listing, decode_details, decode_hashes):
        try:
            decode(body)
        except BadResponseError:
            continue


@given(texts(), st.lists(texts(), max_size=3))
@settings(max_examples=60)
def test_what_is_read_can_be_written(title: str, genres: list[str]) -> None:
    """No half of a surrogate pair gets in, so files and terminals can take every text."""
    entry = {
        "ratingKey": "1",
        "type": "movie",
        "title": title,
        "Genre": [{"tag": name} for name in genres],
    }

    (detail,) = decode_details(answer([entry]))

    str(detail.values[PlexField.TITLE]).encode()
    for name in detail.values[PlexField.GENRES]:
        name.encode()


def read(decode: Callable[[bytes], object], body: bytes) -> object:
    """What is read, or that it was refused."""
    try:
        return decode(body)
    except BadResponseError as error:
        return str(error)


FEW = st.lists(
    st.one_of(
        items().map(entry_of),
        ENTRIES,
        st.sampled_from([{"ratingKey": "7", "type": "movie", "title": t} for t in "ab"]),
    ),
    max_size=4,
)


@given(st.lists(FEW, min_size=1, max_size=4), st.data(), st.integers(0, 1))
@settings(max_examples=150)
def test_what_was_read_before_is_read_the_same_again(
    before: list[list[Any]], data: st.DataObject, section: int
) -> None:
    """Knowing an item by its bytes and decoding it agree, whatever was read in between."""
    last = LastDetails()
    for entries in before:
        read(last.decode, answer(entries))
    seen = [entry for entries in before for entry in entries]
    now = data.draw(st.lists(st.sampled_from(seen), max_size=4)) if seen else []

    def placed(container: dict[str, Any]) -> dict[str, Any]:
        return {**container, "librarySectionID": section} if section else container

    body = answer(now, placed)
    assert read(last.decode_again, body) == read(decode_details, body)
