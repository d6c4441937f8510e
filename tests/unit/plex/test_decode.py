"""Plex's JSON as our nouns: what is kept, what is dropped, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plexsync.errors import BadResponseError
from plexsync.models import (
    COLLECTION_FIELDS,
    PICTURE_FIELDS,
    ItemKind,
    PlexField,
    PlexFile,
    PlexItem,
    RatingKey,
)
from plexsync.plex.decode import decode_answers, decode_details, decode_hashes, decode_listing

PART: dict[str, Any] = {
    "id": 1701,
    "key": "/library/parts/1701/1749980000/file.mp4",
    "duration": 1_805_120,
    "file": "/data/A & B/lake.day.2021.mp4",
    "size": 1_155_219_456,
    "container": "mp4",
}
MEDIA: dict[str, Any] = {
    "id": 1501,
    "duration": 1_805_120,
    "width": 1920,
    "height": 1080,
    "Part": [PART],
}
ENTRY: dict[str, Any] = {
    "ratingKey": "901",
    "type": "movie",
    "subtype": "clip",
    "title": "lake.day.2021",
    "summary": "",
    "originallyAvailableAt": "2021-06-05",
    "updatedAt": 1_750_000_000,
    "Media": [MEDIA],
    "Genre": [{"tag": "Outdoor"}],
}
ITEM = PlexItem(
    rating_key=RatingKey("901"),
    section_id="3",
    kind=ItemKind.MOVIE,
    title="lake.day.2021",
    date="2021-06-05",
    files=(
        PlexFile(
            path="/data/A & B/lake.day.2021.mp4",
            size_bytes=1_155_219_456,
            duration_s=1805.12,
            width=1920,
            height=1080,
            part_id=1701,
            changed_at=1_749_980_000,
        ),
    ),
    updated_at=1_750_000_000,
)


def container(*entries: dict[str, Any], **attributes: object) -> bytes:
    """An answer with these entries."""
    about = {"size": len(entries), "totalSize": 4711, "offset": 200, "librarySectionID": 3}
    whole = {"MediaContainer": {**about, **attributes, "Metadata": list(entries)}}
    return json.dumps(whole).encode()


def one_item(**changes: object) -> PlexItem:
    """The one item of a listing with these members of its entry changed."""
    page = decode_listing(container({**ENTRY, **changes}))
    assert len(page.items) == 1
    return page.items[0]


def with_part(**changes: object) -> list[dict[str, Any]]:
    """The versions of an item with these members of its one part changed."""
    return [{**MEDIA, "Part": [{**PART, **changes}]}]


def test_a_listed_item_keeps_what_matching_needs() -> None:
    """Path, size, duration in seconds, picture size, part id, change stamp, title, date."""
    page = decode_listing(container(ENTRY))

    assert page.items == (ITEM,)
    assert (page.entries, page.total, page.offset) == (1, 4711, 200)


def test_the_section_asked_for_wins_over_the_containers() -> None:
    """A listing belongs to the section it was asked of."""
    assert decode_listing(container(ENTRY), section_id="8").items[0].section_id == "8"


def test_text_for_numbers_is_read() -> None:
    """Plex's JSON of older servers writes every attribute as text."""
    item = one_item(
        ratingKey=901,
        updatedAt="1750000000",
        Media=[
            {**MEDIA, "width": "1920", "height": "1080", "Part": with_part(id="1701")[0]["Part"]}
        ],
    )

    assert item == ITEM


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"originallyAvailableAt": "2021-06-05 00:00:00"}, {"date": "2021-06-05"}),
        ({"originallyAvailableAt": None}, {"date": ""}),
        ({"title": None}, {"title": ""}),
        ({"title": 1984}, {"title": "1984"}),
        ({"updatedAt": "soon"}, {"updated_at": 0}),
        ({"deletedAt": 1_750_001_234}, {"trashed": True}),
        ({"deletedAt": "1750001234"}, {"trashed": True}),
        ({"deletedAt": 0}, {"trashed": False}),
        ({"Media": []}, {"files": ()}),
        ({"Media": MEDIA}, {}),
        ({"type": "episode"}, {"kind": ItemKind.EPISODE}),
        ({"title": "[b]<i>50% & more</i>"}, {"title": "[b]<i>50% & more</i>"}),
        ({"title": "a\ud83d"}, {"title": "a\ufffd"}),
    ],
    ids=[
        "date with time",
        "date null",
        "title null",
        "title a number",
        "update time no number",
        "trashed",
        "trashed as text",
        "not trashed",
        "no versions yet",
        "one version not in a list",
        "episode",
        "markup",
        "half a surrogate pair",
    ],
)
def test_odd_members_are_read_or_dropped(
    changes: dict[str, object], expected: dict[str, object]
) -> None:
    """One odd member changes itself alone; the rest of the item stays as it was."""
    item = one_item(**changes)

    decoded = {name: getattr(item, name) for name in PlexItem.__struct_fields__}
    usual = {name: getattr(ITEM, name) for name in PlexItem.__struct_fields__}
    assert decoded == usual | expected


def test_a_raw_control_character_does_not_hide_the_page() -> None:
    """Such titles exist, and make an answer that is strictly no JSON."""
    body = container(ENTRY, {**ENTRY, "ratingKey": "902"}).replace(b"lake.day", b"lake\x01day", 1)

    page = decode_listing(body)

    assert [item.rating_key for item in page.items] == ["901", "902"]
    assert page.items[0].title == "lake\x01day.2021"


def test_bytes_that_are_no_utf8_do_not_hide_the_page() -> None:
    """File names of old disks come as they are."""
    page = decode_listing(container(ENTRY).replace(b"A & B", b"A \xff B"))

    assert page.items[0].files[0].path == "/data/A \ufffd B/lake.day.2021.mp4"


@pytest.mark.parametrize(
    ("versions", "paths"),
    [
        ([MEDIA, {**MEDIA, "proxyType": 42}], 1),
        ([MEDIA, {**MEDIA, "proxyType": "42"}], 1),
        ([MEDIA, {**MEDIA, "deletedAt": 1}], 1),
        ([MEDIA, *with_part(deletedAt=1)], 1),
        ([MEDIA, *with_part(file="")], 1),
        ([MEDIA, MEDIA], 2),
        (with_part(deletedAt=1), 0),
    ],
    ids=[
        "optimised",
        "optimised as text",
        "deleted version",
        "deleted part",
        "no file",
        "two versions",
        "last part deleted",
    ],
)
def test_only_files_of_the_library_count(versions: list[dict[str, Any]], paths: int) -> None:
    """Optimised versions and what lies in the trash are no files to match with."""
    assert len(one_item(Media=versions).files) == paths


def test_parts_of_a_stack_are_marked_and_keep_their_own_duration() -> None:
    """Two parts of one version are half a video each."""
    stack = {**MEDIA, "Part": [PART, {**PART, "id": 1702, "duration": None}]}

    first, second = one_item(Media=[stack]).files

    assert (first.stacked, first.duration_s) == (True, 1805.12)
    assert (second.stacked, second.duration_s) == (True, None)


def test_a_stack_with_a_deleted_part_is_still_a_stack() -> None:
    """What is left of it is not the whole video."""
    stack = {**MEDIA, "Part": [PART, {**PART, "id": 1702, "deletedAt": 5}]}

    (file,) = one_item(Media=[stack]).files

    assert file.stacked


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"duration": None}, {"duration_s": 1805.12}),
        ({"duration": 0, "size": 0}, {"duration_s": 1805.12, "size_bytes": None}),
        ({"size": "many"}, {"size_bytes": None}),
        ({"key": "/library/parts/1701/file.mp4"}, {"changed_at": 0}),
        ({"key": ""}, {"changed_at": 0}),
        ({"file": "\\\\?\\UNC\\nas\\v\\a.mkv"}, {"path": "\\\\?\\UNC\\nas\\v\\a.mkv"}),
    ],
    ids=["no duration", "zeros", "size no number", "key of 2016", "no key", "long Windows path"],
)
def test_odd_parts_are_read_or_dropped(part: dict[str, Any], expected: dict[str, Any]) -> None:
    """A file not analysed yet, an old server's part key, paths that are left as they are."""
    (file,) = one_item(Media=with_part(**part)).files

    assert {name: getattr(file, name) for name in expected} == expected


def test_other_kinds_are_counted_and_not_kept() -> None:
    """Completeness is judged by what came, not by what we want."""
    page = decode_listing(container(ENTRY, {"ratingKey": "7", "type": "clip", "title": "trailer"}))

    assert (len(page.items), page.entries) == (1, 2)


def test_an_empty_page_is_a_page() -> None:
    """Past the end Plex sends no Metadata at all."""
    body = b'{"MediaContainer": {"size": 0, "totalSize": 4711, "offset": 4711}}'

    assert decode_listing(body).entries == 0


@pytest.mark.parametrize("decode", [decode_listing, decode_details], ids=["listing", "details"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>log in</body></html>",
        b'<Response code="503" title="Maintenance"/>',
        b'<?xml version="1.0"?><MediaContainer size="0"/>',
        b"[]",
        b"null",
        b"{}",
        b'{"Response": {"code": 503}}',
        b'{"MediaContainer": []}',
        b'{"MediaContainer": {"size": 3, "Metadata": [{"ratingKey": "1", "type": "movie"}]}}',
        container(ENTRY)[:-40],
        b"[" * 100_000,
    ],
    ids=[
        "nothing",
        "web page",
        "maintenance",
        "XML",
        "list",
        "null",
        "empty object",
        "other object",
        "container no object",
        "fewer than announced",
        "cut short",
        "nested without end",
    ],
)
def test_what_is_no_container_is_an_error(decode: Any, body: bytes) -> None:  # noqa: ANN401 - two functions of different types
    """Nothing unreadable or short reads as an empty library."""
    with pytest.raises(BadResponseError):
        decode(body)


NO_KEY = [{}, {"ratingKey": None}, {"ratingKey": -1}, {"ratingKey": "x"}, {"ratingKey": 10**30}]


@pytest.mark.parametrize("key", NO_KEY, ids=str)
def test_an_entry_without_a_key_does_not_hide_the_others(key: dict[str, Any]) -> None:
    """It is counted and named, and the other entries are read."""
    odd = {name: value for name, value in ENTRY.items() if name != "ratingKey"} | key
    page = decode_listing(container(ENTRY, odd))

    assert (len(page.items), page.entries) == (1, 2)
    assert page.unusable == ("'lake.day.2021' /data/A & B/lake.day.2021.mp4",)


@pytest.mark.parametrize("entry", [None, 7, "x", []], ids=str)
def test_an_entry_that_is_no_object_counts_as_one(entry: Any) -> None:  # noqa: ANN401 - JSON
    """The page adds up, so what else it holds is believed."""
    page = decode_listing(container(ENTRY, entry))

    assert (len(page.items), page.entries) == (1, 2)


@pytest.mark.parametrize("key", NO_KEY, ids=str)
def test_a_detail_without_a_key_is_no_absence(key: dict[str, Any]) -> None:
    """It may be any of the items asked for."""
    odd = {name: value for name, value in ENTRY.items() if name != "ratingKey"} | key
    with pytest.raises(BadResponseError, match="without a rating key"):
        decode_details(container(ENTRY, odd))


def test_a_detail_knows_every_field_and_lock() -> None:
    """Full tags, each once, and the locks under our names."""
    entry = ENTRY | {
        "librarySectionID": "3",
        "titleSort": "lake",
        "originalTitle": "See",
        "summary": "Line\nbreak",
        "tagline": "t",
        "studio": "Example Films",
        "contentRating": "XXX",
        "userRating": 8.0,
        "Genre": [{"id": 77, "tag": "Outdoor"}, {"tag": "Day"}, {"tag": ""}],
        "Role": [{"tag": "Ann", "role": "A"}, {"tag": "Bo"}, {"tag": "Ann", "role": "B"}],
        "Director": [{"tag": "Dee"}],
        "Label": [{"tag": "Stash"}],
        "Collection": [{"tag": "All"}],
        "Producer": [{"tag": "Nobody"}],
        "Field": [
            {"locked": True, "name": "title"},
            {"locked": "1", "name": "genre"},
            {"locked": 1, "name": "actor"},
            {"locked": False, "name": "summary"},
            {"locked": True, "name": "thumb"},
        ],
    }

    (detail,) = decode_details(container(entry))

    assert detail.item == ITEM
    assert detail.values == {
        PlexField.TITLE: "lake.day.2021",
        PlexField.SORT_TITLE: "lake",
        PlexField.ORIGINAL_TITLE: "See",
        PlexField.SUMMARY: "Line\nbreak",
        PlexField.TAGLINE: "t",
        PlexField.DATE: "2021-06-05",
        PlexField.STUDIO: "Example Films",
        PlexField.CONTENT_RATING: "XXX",
        PlexField.RATING: "8",
        PlexField.GENRES: ("Outdoor", "Day"),
        PlexField.ACTORS: ("Ann", "Bo"),
        PlexField.DIRECTORS: ("Dee",),
        PlexField.LABELS: ("Stash",),
        PlexField.COLLECTIONS: ("All",),
    }
    assert detail.locked == {
        PlexField.TITLE,
        PlexField.GENRES,
        PlexField.ACTORS,
        PlexField.POSTER,
    }


def test_a_detail_without_anything_has_every_field_empty() -> None:
    """What is absent on Plex is empty, for every field there is; the section may be hoisted."""
    (detail,) = decode_details(container({"ratingKey": 5, "type": "episode"}))

    assert set(detail.values) == set(PlexField) - PICTURE_FIELDS - COLLECTION_FIELDS
    assert set(detail.shown) == PICTURE_FIELDS
    assert not any(detail.values.values())
    assert detail.locked == frozenset()
    assert (detail.item.rating_key, detail.item.section_id) == ("5", "3")


def test_an_item_with_a_number_of_any_size_is_packed() -> None:
    """Whatever Plex says of where an episode stands."""
    body = container({**ENTRY, "index": 2**64}, {**ENTRY, "index": 2**64 + 1})

    one, other = decode_answers(body)

    assert one.packed() != other.packed()


def test_an_odd_lock_is_no_lock() -> None:
    """A lock state nobody can read hides neither the item nor the other locks."""
    fields = [{"locked": "maybe", "name": "title"}, {"locked": "1", "name": "summary"}]

    (detail,) = decode_details(container({**ENTRY, "Field": fields}))

    assert detail.locked == {PlexField.SUMMARY}


def test_hashes_are_found_at_every_depth() -> None:
    """One tree of a show holds all its episodes; unanalysed and unreadable parts are left out."""
    parts = [
        {"id": 868, "openSubtitleHash": "65f52aa3bd4025d4"},
        {"id": "869", "openSubtitleHash": "ab5f"},
        {"id": 870},
        {"id": 871, "openSubtitleHash": "not hex"},
    ]
    episode = {"id": 156, "MediaItem": [{"id": 380, "MediaPart": parts}]}
    tree = {"MetadataItem": [{"MetadataItem": [{"MetadataItem": [episode]}]}]}

    hashes = decode_hashes(json.dumps({"MediaContainer": tree}).encode())

    assert hashes["156"] == {868: 0x65F52AA3BD4025D4, 869: 0xAB5F}


def test_a_web_page_is_no_tree() -> None:
    """A log-in page does not read as "no hashes"."""
    with pytest.raises(BadResponseError):
        decode_hashes(b"<html></html>")


def test_a_show_in_a_listing_of_episodes_is_no_item() -> None:
    """It has no file, and no scene may be linked to it."""
    page = decode_listing(container(ENTRY, {**ENTRY, "ratingKey": "77", "type": "show"}))

    assert [item.rating_key for item in page.items] == [ENTRY["ratingKey"]]
    assert page.entries == 2


def test_an_episode_names_its_season_and_its_show() -> None:
    """Both or none; a season its show, and its number."""
    keys = {"parentRatingKey": "78", "grandparentRatingKey": "77"}
    (episode,) = decode_details(container({**ENTRY, "type": "episode", **keys}))
    (lone,) = decode_details(container({**ENTRY, "type": "episode", "parentRatingKey": "78"}))
    season_entry = {**ENTRY, "type": "season", "parentRatingKey": "77", "index": 2021}
    (season,) = decode_details(container(season_entry))

    assert episode.above == ("78", "77")
    assert lone.above == ()
    assert (season.above, season.number) == (("77",), 2021)
