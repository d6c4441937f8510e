"""From GraphQL answers to nouns: errors are kept apart, odd values made harmless."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plexsync.errors import BadResponseError, NotFoundError, ServerError, TransientError
from plexsync.models import RelatedId, SceneDetail, SceneFile, SceneId
from plexsync.planning.relations import above, name_in
from plexsync.stash.answers import (
    MissingSceneError,
    ResolverError,
    UnknownShapeError,
    UnreadableRow,
    decoder_of,
    rows_decoder,
)
from plexsync.stash.decode import SceneAnswer, detail_of
from plexsync.stash.objects import (
    performer_of,
    text_of_group,
    text_of_performer,
    text_of_studio,
    text_of_tag,
)
from plexsync.stash.wire import (
    ScenePage,
    WireDetail,
    WireObject,
    WirePerformer,
    WireStudio,
    WireTag,
    WireVersion,
)
from plexsync.transport.responses import HttpResponse

JSON = {"Content-Type": "application/json"}

DECODE_VERSIONS = decoder_of(ScenePage[WireVersion])
DECODE_DETAILS = decoder_of(ScenePage[WireDetail])


def answer(body: bytes, content_type: str = "application/json") -> HttpResponse:
    """A complete answer."""
    return HttpResponse(200, {"Content-Type": content_type}, body)


def errors(message: str, code: str | None = None) -> bytes:
    """A GraphQL answer that failed."""
    extensions = {"extensions": {"code": code}} if code else {}
    problem = {"message": message, "path": ["findScenes"], **extensions}
    return json.dumps({"errors": [problem], "data": None}).encode()


def wire_scene(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A scene as Stash writes it; keywords replace its fields."""
    return {
        "id": "7",
        "updated_at": "2025-07-01T10:00:00+02:00",
        "title": "",
        "code": "",
        "details": "",
        "director": "",
        "date": None,
        "rating100": None,
        "organized": False,
        "urls": [],
        "files": [],
        "paths": {"screenshot": "http://0.0.0.0:9999/scene/7/screenshot?t=1751356800"},
        "studio": None,
        "groups": [],
        "performers": [],
        "tags": [],
        **fields,
    }


def detail(**fields: Any) -> SceneDetail:  # noqa: ANN401 - JSON
    """That scene after decoding."""
    body = {"data": {"findScenes": {"scenes": [wire_scene(**fields)]}}}
    page = DECODE_DETAILS(answer(json.dumps(body).encode()))
    return detail_of(page.findScenes.scenes[0])


def file_of(**fields: Any) -> SceneFile:  # noqa: ANN401 - JSON
    """A file of that scene after decoding."""
    wire = {
        "path": "/data/a.mp4",
        "size": 1,
        "duration": 1.5,
        "width": 2,
        "height": 3,
        "oshash": "f",
        **fields,
    }
    return detail(files=[wire]).files[0]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (errors("database is locked (5) (SQLITE_BUSY)"), TransientError, "busy"),
        (errors("beginning transaction: no such luck"), TransientError, "busy"),
        (errors("context canceled"), TransientError, "busy"),
        (
            errors(
                "Internal system error. Error <runtime error: invalid memory address or "
                "nil pointer dereference>"
            ),
            TransientError,
            "not ready",
        ),
        (errors("tag with id 5 not found"), TransientError, "changed while it answered"),
        (errors("scene with id 42 not found"), MissingSceneError, "scene 42"),
        (errors("unknown field x", "GRAPHQL_VALIDATION_FAILED"), BadResponseError, "understand"),
        (errors("syntax", "GRAPHQL_PARSE_FAILED"), BadResponseError, "understand"),
        (errors("something else"), ResolverError, "something else"),
        (b'{"data": null}', BadResponseError, "without data"),
        (b"{}", BadResponseError, "without data"),
        (b'{"data": {"findScenes": {"scenes": [{"id": 7}]}}}', BadResponseError, "shape"),
        (b"[]", BadResponseError, "shape"),
        (b"", TransientError, "no JSON"),
        (b'{"data": {"findSc', TransientError, "no JSON"),
        (b"not found", TransientError, "no JSON"),
        (b"[" * 100_000, BadResponseError, "shape"),
        (b'{"x":' + b"[" * 100_000, TransientError, "no JSON"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, bytes) else None,
)
def test_an_answer_without_data_is_an_error(
    body: bytes, kind: type[ServerError], words: str
) -> None:
    """Each failure is recognised by what the answer says, with a 200 or not."""
    with pytest.raises(kind, match=words):
        DECODE_VERSIONS(answer(body))


def test_errors_beat_data() -> None:
    """A partial answer is no answer: what failed to resolve is null in it."""
    body = {"errors": [{"message": "boom"}], "data": {"findScenes": {"scenes": []}}}
    with pytest.raises(ResolverError, match="boom"):
        DECODE_VERSIONS(answer(json.dumps(body).encode()))


def test_errors_explain_a_shape_we_do_not_know() -> None:
    """Words of the server say more than ours about its data."""
    body = {"errors": [{"message": "database is locked"}], "data": {"findScenes": None}}
    with pytest.raises(TransientError, match="locked"):
        DECODE_VERSIONS(answer(json.dumps(body).encode()))


def test_a_poisoned_page_names_its_scene() -> None:
    """The one message that says which row is bad is read."""
    with pytest.raises(ResolverError) as caught:
        DECODE_VERSIONS(
            answer(errors("internal error: multiple rows returned for single scene id 812"))
        )
    assert caught.value.scene_id == SceneId("812")


def test_a_missing_scene_is_a_named_thing_that_is_gone() -> None:
    """Callers of the error tree see NotFoundError."""
    with pytest.raises(NotFoundError) as caught:
        DECODE_VERSIONS(answer(errors("scene with id 42 not found")))
    assert isinstance(caught.value, MissingSceneError)
    assert caught.value.scene_id == SceneId("42")


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (rb'"a\ud800b"', "a\N{REPLACEMENT CHARACTER}b"),
        (rb'"\udc00"', "\N{REPLACEMENT CHARACTER}"),
        (rb'"\ud83d\ude00 \ud83d"', "\U0001f600 \N{REPLACEMENT CHARACTER}"),
        (rb'"\\ud800"', r"\ud800"),
        (b'"a\xffb"', "a\N{REPLACEMENT CHARACTER}b"),
        (b'"two\nlines"', "two\nlines"),
        (b'"\xf0\x9f\x98\x80"', "\U0001f600"),
        (rb'"nul\u0000"', "nul\0"),
    ],
    ids=[
        "lone high",
        "lone low",
        "pair and lone",
        "escaped",
        "not utf-8",
        "control",
        "emoji",
        "nul",
    ],
)
def test_odd_text_costs_a_character_never_the_answer(raw: bytes, title: str) -> None:
    """Half a surrogate pair or a broken byte in one title leaves the page readable."""
    plain = json.dumps({"data": {"findScenes": {"scenes": [wire_scene(title="TITLE")]}}})
    body = plain.encode().replace(b'"TITLE"', raw)
    page = DECODE_DETAILS(answer(body))
    assert detail_of(page.findScenes.scenes[0]).title == title


def page_of(*scenes: dict[str, Any]) -> HttpResponse:
    """An answer with these scenes."""
    return answer(json.dumps({"data": {"findScenes": {"scenes": scenes}}}).encode())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("files", None),
        ("title", 7),
        ("organized", "yes"),
        ("tags", {}),
        ("paths", None),
        ("rating100", "good"),
        ("files", [{"path": None}]),
        ("files", [{"path": "/x", "size": "large"}]),
    ],
    ids=str,
)
def test_a_scene_of_another_shape_does_not_hide_the_others(field: str, value: Any) -> None:  # noqa: ANN401 - JSON
    """It comes as what cannot be read, with its id and why; the others come as ever."""
    rows = rows_decoder(WireDetail, lists=("paths",))(
        page_of(wire_scene(id="6"), wire_scene(**{field: value}), wire_scene(id="8"))
    )

    assert [row.id for row in rows] == ["6", "7", "8"]
    assert [isinstance(row, UnreadableRow) for row in rows] == [False, True, False]
    assert isinstance(rows[1], UnreadableRow)
    assert field in rows[1].why


def test_a_page_most_of_which_has_another_shape_is_at_fault_itself() -> None:
    """Twenty odd scenes of thirty are another Stash, not odd scenes."""
    odd = [wire_scene(id=str(number), files=None) for number in range(1, 21)]
    even = [wire_scene(id=str(number)) for number in range(21, 31)]
    with pytest.raises(UnknownShapeError, match="another shape") as caught:
        rows_decoder(WireDetail)(page_of(*odd, *even))
    assert "[stash] url" in caught.value.hint


def test_a_scene_without_an_id_is_no_scene() -> None:
    """Nothing is known of it, and a walk cannot go on after it."""
    with pytest.raises(UnknownShapeError, match="without an id"):
        rows_decoder(WireDetail)(page_of(wire_scene(id=None)))


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"size": 10**30}, None),
        ({"size": -1}, None),
        ({"size": 2**63 - 1}, 2**63 - 1),
        ({"size": 2**63}, None),
        ({"size": 1e300}, None),
    ],
)
def test_a_size_no_file_has_is_unknown(wire: dict[str, Any], expected: int | None) -> None:
    """Whatever is decoded can be stored."""
    (file,) = detail(files=[{"path": "/x", **wire}]).files
    assert file.size_bytes == expected


@pytest.mark.parametrize("rating", [-1, 101, 10**30, 1e300])
def test_a_rating_out_of_bounds_is_none(rating: float) -> None:
    """Stash rates from 1 to 100."""
    assert detail(rating100=rating).rating100 is None


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_unknown(number: str) -> None:
    """JSON has no such numbers, but some writers do."""
    body = page_of(wire_scene(rating100=4711)).body.replace(b"4711", number.encode())
    (row,) = rows_decoder(WireDetail)(answer(body))
    assert isinstance(row, WireDetail)
    assert detail_of(row).rating100 is None


@pytest.mark.parametrize("number", [2**64, -(2**64), 7, 7.5])
def test_a_scene_with_a_number_of_any_size_is_packed_and_comes_back(number: float) -> None:
    """A person may put any number into a custom field, and Stash writes 1e20 in full."""
    body = {"data": {"findScenes": {"scenes": [wire_scene(custom_fields={"Shelf": number})]}}}
    (row,) = DECODE_DETAILS(answer(json.dumps(body).encode())).findScenes.scenes

    packed = SceneAnswer(SceneId("7"), row).packed()

    assert SceneAnswer(SceneId("7"), packed).detail() == detail_of(row)
    assert SceneAnswer(SceneId("7"), packed).packed() == packed


def test_unset_texts_are_empty() -> None:
    """Absent, null and empty look the same."""
    unset = dict.fromkeys(("title", "code", "details", "director", "date", "updated_at"))
    empty = detail(**unset)
    assert (empty.title, empty.code, empty.details, empty.director) == ("", "", "", "")
    assert (empty.date, empty.updated_at, empty.rating100, empty.studios) == ("", "", None, ())


def test_everything_a_scene_says_is_kept() -> None:
    """Lists become tuples of names, in the server's order; studios run up to the parents."""
    full = detail(
        title="A \U0001f600 title",
        details="two\r\nlines",
        rating100=85,
        organized=True,
        urls=["https://example.com/1"],
        studio={
            "id": "1",
            "name": "S",
            "parent_studio": {
                "id": "2",
                "name": "P",
                "parent_studio": {"id": "3", "name": "G", "parent_studio": {"id": "4"}},
            },
        },
        groups=[{"group": {"id": "9", "name": "Group"}}],
        performers=[{"id": "7", "name": "Bo"}, {"id": "5", "name": "Ann"}],
        tags=[{"id": "11", "name": "t1"}, {"id": "12", "name": "t2"}],
    )
    assert full == SceneDetail(
        scene_id=SceneId("7"),
        updated_at="2025-07-01T10:00:00+02:00",
        title="A \U0001f600 title",
        details="two\r\nlines",
        rating100=85,
        organized=True,
        urls=("https://example.com/1",),
        studios=("S", "P", "G"),
        groups=("Group",),
        scene_indexes=(None,),
        performers=("Bo", "Ann"),
        tags=("t1", "t2"),
        cover_path="/scene/7/screenshot?t=1751356800",
        related={
            RelatedId("t11"): "t1",
            RelatedId("t12"): "t2",
            RelatedId("p7"): "Bo",
            RelatedId("p5"): "Ann",
            RelatedId("g9"): "Group",
            RelatedId("s1"): "S\x1f2",
            RelatedId("s2"): "P\x1f3",
            RelatedId("s3"): "G\x1f4",
        },
        over=frozenset({RelatedId("s2"), RelatedId("s3")}),
    )


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2024-05-01", "2024-05-01"),
        ("2024-05", "2024-05"),
        ("2024", "2024"),
        ("2024-05-01T00:00:00Z", "2024-05-01"),
        ("0001-01-01", ""),
        ("0001-01-01T00:00:00Z", ""),
        ("", ""),
        ("May 2024", ""),
        ("20240501", ""),
        ("2024-5-1", ""),
        ("\u0662\u0660\u0662\u0664", ""),
    ],
)
def test_dates_are_partial_dates_or_nothing(date: str, expected: str) -> None:
    """Go's zero time and anything unreadable is no date."""
    assert detail(date=date).date == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"size": -1, "duration": -1, "width": -1, "height": -1}, (None, None, None, None)),
        ({"size": 0, "duration": 0, "width": 0, "height": 0}, (None, None, None, None)),
        ({"size": 1.5e12, "duration": 61, "width": 1.92e3}, (1_500_000_000_000, 61.0, 1920, 3)),
        ({"size": 2**63 - 1, "duration": 0.04}, (2**63 - 1, 0.04, 2, 3)),
    ],
    ids=["unset", "zero", "floats", "large"],
)
def test_unknown_numbers_are_none(
    fields: dict[str, float], expected: tuple[int | None, float | None, int | None, int | None]
) -> None:
    """-1 is Stash's "unset", and no video has a size or length of 0; floats may be whole."""
    file = file_of(**fields)
    assert (file.size_bytes, file.duration_s, file.width, file.height) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00ab5f0000000001", 0x00AB5F0000000001),
        ("ab5f0000000001", 0x00AB5F0000000001),
        ("AB5F0000000001", 0x00AB5F0000000001),
        ("ffffffffffffffff", 2**64 - 1),
        ("0000000000000000", None),
        ("", None),
        (None, None),
        ("1ffffffffffffffff", None),
        ("0x1f", None),
        ("1_f", None),
        ("unset", None),
    ],
)
def test_an_oshash_is_a_number(text: str | None, expected: int | None) -> None:
    """Padding and case do not matter; what is no hash, or 0, identifies nothing."""
    assert file_of(oshash=text).oshash == expected


@pytest.mark.parametrize(
    "path", [r"D:\Videos\a b.mp4", r"\\nas\share\x.mkv", "/data/100%_x.mp4", "/data/e\u0301.mp4"]
)
def test_paths_are_left_as_they_are(path: str) -> None:
    """Windows, UNC, odd and decomposed names are normalised elsewhere, once."""
    assert file_of(path=path).path == path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h:9999/scene/7/screenshot?t=1", "/scene/7/screenshot?t=1"),
        ("https://ext.example/stash/scene/7/screenshot?t=1", "/scene/7/screenshot?t=1"),
        ("http://h/scene/7/screenshot", "/scene/7/screenshot"),
        ("http://h/scene/77/screenshot?t=1", ""),
        (None, ""),
        ("", ""),
    ],
)
def test_a_cover_path_stands_below_our_own_address(url: str | None, expected: str) -> None:
    """Host and prefix of a generated URL are a proxy's business and are not used."""
    assert detail(paths={"screenshot": url}).cover_path == expected


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://stash:9999/performer/7/image?t=12", "/performer/7/image?t=12"),
        ("https://x/sub/performer/7/image?t=12&apikey=abc", "/performer/7/image?t=12"),
        ("https://x/performer/7/image?ApiKey=abc", "/performer/7/image"),
        ("http://stash:9999/performer/7/image?t=12&default=true", ""),
        ("http://stash:9999/performer/71/image?t=12", ""),
        ("", ""),
    ],
)
def test_a_performers_picture_has_no_host_and_no_key(url: str, path: str) -> None:
    """Host and prefix are a proxy's; the picture Stash shows for want of one is none."""
    wire = WirePerformer(id="7", name="Ann", alias_list=(), image_path=url)
    assert performer_of(wire).image_path == path


def test_a_performer_reads_as_a_name_unless_more_was_asked_for() -> None:
    """Whatever credits are made of is in the dictionary, and moves it."""
    plain = WirePerformer(id="7", name="Ann")
    known = WirePerformer(id="7", name="Ann", alias_list=("A",), gender="FEMALE")
    assert text_of_performer(plain) == "Ann"
    others = (
        WirePerformer(id="7", name="Ann", alias_list=("A",)),
        WirePerformer(id="7", name="Ann", alias_list=("B",), gender="FEMALE"),
        WirePerformer(id="7", name="Ann", alias_list=("A",), gender="FEMALE", disambiguation="x"),
    )
    assert len({text_of_performer(one) for one in (known, *others)}) == 4
    assert {name_in(text_of_performer(one)) for one in (known, *others)} == {"Ann"}


def test_a_name_that_holds_what_parts_texts_is_not_cut_there() -> None:
    """The control character goes, as it does on the way to Plex, and names nothing above."""
    name = "Ann\x1f12"
    texts = (
        text_of_tag(WireTag(id="7", name=name)),
        text_of_tag(WireTag(id="7", name=name, parents=(WireTag(id="3"),))),
        text_of_studio(WireStudio(id="7", name=name)),
        text_of_performer(WirePerformer(id="7", name=name)),
        text_of_performer(WirePerformer(id="7", name=name, alias_list=("A",))),
        text_of_group(WireObject(id="7", name=name)),
    )
    assert {name_in(text) for text in texts} == {"Ann12"}
    assert [above(RelatedId("t7"), text) for text in texts[:2]] == [(), (RelatedId("t3"),)]
