"""Finding rows on the Stash simulator: ids, pages, sorts and criteria, pitfalls included."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.simulators.library.pairs import Library, LibrarySpec, make_library
from plexsync.simulators.library.records import (
    StashFile,
    StashFolder,
    StashGroup,
    StashPerformer,
    StashScene,
    StashSide,
    StashStudio,
    StashTag,
)
from plexsync.simulators.stash.simulator import StashSimulator

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)

_SIDE = StashSide(
    scenes=(
        StashScene(
            1,
            "Rain",
            organized=True,
            studio_id=1,
            performer_ids=(1,),
            file_ids=(1,),
            updated_at="2025-07-01T10:00:00+02:00",
        ),
        StashScene(
            2,
            "rain 100%",
            studio_id=2,
            tag_ids=(1,),
            file_ids=(2, 3),
            updated_at="2025-07-01T05:00:00-05:00",
            rating100=80,
        ),
        StashScene(
            3,
            "Snow_",
            studio_id=3,
            performer_ids=(1, 2),
            tag_ids=(1, 2),
            groups=((1, None),),
            file_ids=(),
            updated_at="2025-10-26T02:30:00+02:00",
        ),
        StashScene(5, "Ice", tag_ids=(3,), updated_at="2025-10-26T02:10:00+01:00", cover=5),
    ),
    files=(
        StashFile(1, 1, "a.mp4", 100, 60.5, 0xAB),
        StashFile(2, 1, "b_100%.mp4", 200, 10.0, 0xCD),
        StashFile(3, 2, "my video.mp4", 300, 20.0, 0xEF),
    ),
    folders=(StashFolder(1, "/data/One"), StashFolder(2, "D:\\Two")),
    performers=(
        StashPerformer(1, "Ann", updated_at="2025-01-01T00:00:00Z"),
        StashPerformer(2, "Bo", updated_at="2026-01-01T00:00:00Z"),
    ),
    tags=(
        StashTag(1, "sea", updated_at="2025-01-01T00:00:00Z"),
        StashTag(2, "Birds", updated_at="2026-01-01T00:00:00Z"),
        StashTag(3, "Gull", parent_ids=(2,), updated_at="2025-01-01T00:00:00Z"),
    ),
    studios=(
        StashStudio(1, "Top", updated_at="2026-01-01T00:00:00Z"),
        StashStudio(2, "Middle", parent_id=1),
        StashStudio(3, "Low", parent_id=2),
    ),
    groups=(StashGroup(1, "Film"),),
)


@pytest.fixture
def stash() -> StashSimulator:
    """Four scenes and what belongs to them."""
    return StashSimulator(Library(stash=_SIDE), clock=lambda: NOW)


def _ask(stash: StashSimulator, arguments: str) -> dict[str, object]:
    answer: dict[str, object] = stash.query(
        f"{{ findScenes({arguments}) {{ count scenes {{ id }} }} }}"
    )
    return answer


def _ids(stash: StashSimulator, arguments: str) -> list[int]:
    answer = stash.query(f"{{ findScenes({arguments}) {{ scenes {{ id }} }} }}")
    return [int(scene["id"]) for scene in answer["data"]["findScenes"]["scenes"]]


def _where(stash: StashSimulator, criteria: str) -> list[int]:
    return _ids(stash, f'scene_filter: {{{criteria}}}, filter: {{sort: "id", per_page: -1}}')


def _message(answer: dict[str, object]) -> str:
    assert answer["data"] is None
    errors = answer["errors"]
    assert isinstance(errors, list)
    return str(errors[0]["message"])


# ---- ids and pages -------------------------------------------------------------------------------


def test_ids_win_over_everything_and_keep_their_order(stash: StashSimulator) -> None:
    """Filter and paging are ignored when ids are given."""
    arguments = (
        'ids: ["3", "1"], scene_filter: {organized: true}, filter: {per_page: 1, sort: "nonsense"}'
    )

    assert _ids(stash, arguments) == [3, 1]
    assert _ids(stash, "scene_ids: [5, 2]") == [5, 2]


def test_empty_ids_mean_no_ids(stash: StashSimulator) -> None:
    """An empty list asks for everything."""
    assert sorted(_ids(stash, "ids: []")) == [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ('"1", "4"', "scene with id 4 not found"),
        ('"1", "1"', "validating ids: duplicate id found: 1"),
        ('"1", "x"', 'converting ids: strconv.Atoi: parsing "x": invalid syntax'),
    ],
)
def test_one_bad_id_fails_the_whole_query(stash: StashSimulator, ids: str, message: str) -> None:
    """Missing, repeated and non-numeric ids are errors, not gaps."""
    assert _message(_ask(stash, f"ids: [{ids}]")) == message


def test_missing_single_scene_is_null(stash: StashSimulator) -> None:
    """`findScene` of a missing id is no error."""
    assert stash.query('{ findScene(id: "4") { id } }') == {"data": {"findScene": None}}
    assert stash.query('{ findScene(id: "5") { id } }')["data"]["findScene"] == {"id": "5"}


@pytest.mark.parametrize(
    ("paging", "ids"),
    [
        ("per_page: 2", [1, 2]),
        ("per_page: 2, page: 2", [3, 5]),
        ("per_page: 2, page: 3", []),
        ("per_page: 2, page: 0", [1, 2]),
        ("per_page: 2, page: -4", [1, 2]),
        ("per_page: 0", []),
        ("per_page: -1", [1, 2, 3, 5]),
        ("per_page: -7, page: 3", [1, 2, 3, 5]),
        ("per_page: 3, direction: DESC", [5, 3, 2]),
    ],
)
def test_pages(stash: StashSimulator, paging: str, ids: list[int]) -> None:
    """Zero is nothing, negative is everything, pages below one are the first."""
    assert _ids(stash, f'filter: {{sort: "id", {paging}}}') == ids


def test_page_size_defaults_to_25() -> None:
    """The default is 25, and count is of all."""
    big = StashSimulator(make_library(LibrarySpec(scenes=30)))

    answer = big.query("{ findScenes { count scenes { id } } }")["data"]["findScenes"]

    assert answer["count"] == 30
    assert len(answer["scenes"]) == 25


def test_without_a_sort_there_is_no_order(stash: StashSimulator) -> None:
    """A client that relies on the order of ids is found out."""
    for arguments in ("filter: {per_page: -1}", 'filter: {per_page: -1, sort: ""}'):
        assert sorted(_ids(stash, arguments)) == [1, 2, 3, 5]
        assert _ids(stash, arguments) != [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("title", [5, 1, 2, 3]),
        ("updated_at", [2, 1, 5, 3]),
        ("file_count", [5, 3, 1, 2]),
        ("rating", [5, 1, 3, 2]),
        ("path", [5, 3, 1, 2]),
    ],
)
def test_sorts(stash: StashSimulator, sort: str, ids: list[int]) -> None:
    """By the stored text for times; without case for titles."""
    assert _ids(stash, f'filter: {{sort: "{sort}"}}') == ids


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_scenes_edited_in_one_second_come_by_title(direction: str) -> None:
    """Whichever way times are sorted, equals are in natural order of their titles or ids."""
    titles = ("Part 10", "part 9", "", "Part 1b", "7")
    scenes = (StashScene(number, title) for number, title in enumerate(titles, 1))
    stash = StashSimulator(Library(stash=StashSide(scenes=tuple(scenes))))

    found = _ids(stash, f'filter: {{sort: "updated_at", direction: {direction}}}')

    assert [titles[one - 1] for one in found] == ["", "7", "Part 1b", "part 9", "Part 10"]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_rows_edited_in_one_second_come_by_name(direction: str) -> None:
    """So it is with tags, performers, studios and groups."""
    tags = tuple(StashTag(number, name) for number, name in enumerate(("b", "A10", "a9"), 1))
    stash = StashSimulator(Library(stash=StashSide(tags=tags)))
    which = f'filter: {{sort: "updated_at", direction: {direction}}}'

    answer = stash.query(f"{{ findTags({which}) {{ tags {{ name }} }} }}")

    assert [tag["name"] for tag in answer["data"]["findTags"]["tags"]] == ["a9", "A10", "b"]


def test_tags_of_a_scene_come_in_natural_order() -> None:
    """By sort name or name, without case; numbers count."""
    tags = (StashTag(1, "a10"), StashTag(2, "A9"), StashTag(3, "zoo", sort_name="a1"))
    scene = StashScene(1, tag_ids=(1, 2, 3))
    stash = StashSimulator(Library(stash=StashSide(scenes=(scene,), tags=tags)))

    answer = stash.query("{ findScene(id: 1) { tags { name } } }")

    assert [tag["name"] for tag in answer["data"]["findScene"]["tags"]] == ["zoo", "A9", "a10"]


def test_unknown_sort_is_refused(stash: StashSimulator) -> None:
    """The server keeps a list of sorts."""
    assert _message(_ask(stash, 'filter: {sort: "id; DROP"}')) == "invalid sort: id; DROP"


def test_keyset_pages_cover_everything_once() -> None:
    """Pages by `id GREATER_THAN` meet every scene once, in order, whatever else is filtered."""
    stash = StashSimulator(make_library(LibrarySpec(scenes=95)))
    wanted = [scene.id for scene in stash.scenes if scene.organized]
    seen: list[int] = []
    after = 0
    while page := _ids(
        stash,
        f"scene_filter: {{organized: true, id: {{value: {after}, modifier: GREATER_THAN}}}}, "
        'filter: {sort: "id", per_page: 7}',
    ):
        seen += page
        after = page[-1]

    assert seen == wanted
    assert _where(stash, "id: {value: 10, value2: 12, modifier: BETWEEN}") == [10, 11, 12]


def test_offset_pages_skip_when_a_scene_disappears(stash: StashSimulator) -> None:
    """The trap keyset paging avoids."""
    first = _ids(stash, 'filter: {sort: "id", per_page: 2}')
    stash.delete_scene(1)
    second = _ids(stash, 'filter: {sort: "id", per_page: 2, page: 2}')

    assert (first, second) == ([1, 2], [5])


def test_aggregates_add_up_all_files(stash: StashSimulator) -> None:
    """Every file counts, and large floats have exponents."""
    stash.rewrite_file(1, size=1_200_000_000_000)

    answer = stash.query("{ findScenes(filter: {per_page: 0}) { count duration filesize } }")

    assert answer["data"]["findScenes"] == {
        "count": 4,
        "duration": 90.5,
        "filesize": 1_200_000_000_500.0,
    }


# ---- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("2025-07-01T08:30:00Z", [1, 3, 5]),
        ("2025-10-26T02:30:00+02:00", []),
        ("2025-10-26T02:10:00+01:00", [3]),
        ("2025-10-20", [3, 5]),
        ("2026", [1, 2, 3, 5]),
        ("20250101", [1, 2, 3, 5]),
        ("1e3", [1, 2, 3, 5]),
        ("", [1, 2, 3, 5]),
        ("garbage", []),
        ("<4h", []),
    ],
)
def test_times_compare_as_text(stash: StashSimulator, value: str, ids: list[int]) -> None:
    """Offsets are ignored, a number is less than every text, garbage is no error."""
    criterion = f"{{value: {json.dumps(value)}, modifier: GREATER_THAN}}"

    assert _where(stash, f"updated_at: {criterion}") == ids


@pytest.mark.parametrize(
    ("criterion", "ids"),
    [
        ('{value: "2025-10-26T02:10:00+01:00", modifier: EQUALS}', [5]),
        ('{value: "2025-10-26T02:10:00+01:00", modifier: NOT_EQUALS}', [1, 2, 3]),
        ('{value: "2025-07-01T10:00:00+02:00", modifier: LESS_THAN}', [2]),
        ('{value: "2025-07-02", modifier: BETWEEN}', [3, 5]),
        ('{value: "2025-07-01T06", value2: "2025-07-02", modifier: BETWEEN}', [1]),
        ('{value: "2025-07-01T06", value2: "2025-07-02", modifier: NOT_BETWEEN}', [2, 3, 5]),
        ('{value: "2026", modifier: LESS_THAN}', []),
        ('{value: "", modifier: IS_NULL}', []),
        ('{value: "", modifier: NOT_NULL}', [1, 2, 3, 5]),
    ],
)
def test_time_modifiers(stash: StashSimulator, criterion: str, ids: list[int]) -> None:
    """Strict comparisons, inclusive ranges; a missing end is tomorrow."""
    assert _where(stash, f"updated_at: {criterion}") == ids


def test_other_time_modifiers_panic(stash: StashSimulator) -> None:
    """200, and the words of a panic."""
    criteria = 'updated_at: {value: "x", modifier: INCLUDES}'

    assert _message(_ask(stash, f"scene_filter: {{{criteria}}}")).startswith(
        "Internal system error."
    )


# ---- criteria ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criteria", "ids"),
    [
        ("organized: true", [1]),
        ("organized: false", [2, 3, 5]),
        ("tags: {value: [1], modifier: INCLUDES}", [2, 3]),
        ("tags: {value: [2], modifier: INCLUDES}", [3]),
        ("tags: {value: [2], modifier: INCLUDES, depth: -1}", [3, 5]),
        ("tags: {value: [1, 2], modifier: INCLUDES_ALL}", [3]),
        ("tags: {value: [1, 2], modifier: EQUALS}", [3]),
        ("tags: {value: [1], modifier: EXCLUDES}", [1, 5]),
        ("tags: {value: [1], modifier: INCLUDES, excludes: [2]}", [2]),
        ("tags: {modifier: IS_NULL}", [1]),
        ("tags: {value: [], modifier: INCLUDES}", [1, 2, 3, 5]),
        ("tags: {modifier: INCLUDES}", [1, 2, 3, 5]),
        ("performers: {value: [2], modifier: INCLUDES}", [3]),
        ("performers: {value: [], modifier: INCLUDES}", [1, 2, 3, 5]),
        ("studios: {value: [1], modifier: INCLUDES}", [1]),
        ("studios: {value: [1], modifier: INCLUDES, depth: 1}", [1, 2]),
        ("studios: {value: [1], modifier: INCLUDES, depth: -1}", [1, 2, 3]),
        ("studios: {modifier: IS_NULL}", [5]),
        ("groups: {value: [1], modifier: INCLUDES}", [3]),
        ('is_missing: "cover"', [1, 2, 3]),
        ('is_missing: "studio"', [5]),
        ("rating100: {value: 0, modifier: NOT_NULL}", [2]),
        ("rating100: {value: 0, modifier: IS_NULL}", [1, 3, 5]),
        ("file_count: {value: 0, modifier: GREATER_THAN}", [1, 2]),
        ("id: {value: 3, modifier: LESS_THAN}", [1, 2]),
        ("id: {value: 2, value2: 3, modifier: NOT_BETWEEN}", [1, 5]),
        ('title: {value: "RAIN", modifier: EQUALS}', [1]),
        ('title: {value: "rain%", modifier: EQUALS}', [1, 2]),
        ('title: {value: "Sno__", modifier: EQUALS}', [3]),
        ('title: {value: "rain", modifier: NOT_EQUALS}', [2, 3, 5]),
        ('path: {value: "/data/one/a.mp4", modifier: EQUALS}', [1]),
        ('path: {value: "D:\\\\Two\\\\my video.mp4", modifier: EQUALS}', [2]),
        ('path: {value: "a.mp4 video", modifier: INCLUDES}', [1, 2]),
        ('path: {value: "\\"my video\\"", modifier: INCLUDES}', [2]),
        ('path: {value: "/One/b_", modifier: INCLUDES}', [2]),
        ('path: {value: "^/data/.*mp4$", modifier: MATCHES_REGEX}', [1, 2]),
        ('oshash: {value: "00000000000000ef", modifier: EQUALS}', [2]),
        ('tags_filter: {updated_at: {value: "2025-06", modifier: GREATER_THAN}}', [3]),
        ('performers_filter: {name: {value: "ann", modifier: EQUALS}}', [1, 3]),
        ('studios_filter: {updated_at: {value: "2025-06", modifier: GREATER_THAN}}', [1]),
        ("organized: false, AND: {tags: {value: [1], modifier: INCLUDES}}", [2, 3]),
        ("organized: true, OR: {tags: {value: [1], modifier: INCLUDES}}", [1, 2, 3]),
        ("OR: {organized: true}", [1]),
        ("organized: false, NOT: {tags: {value: [1], modifier: INCLUDES}}", [5]),
        ("id: {value: 2, modifier: GREATER_THAN}, OR: {organized: true}", [1, 3, 5]),
    ],
)
def test_criteria(stash: StashSimulator, criteria: str, ids: list[int]) -> None:
    """Each criterion as the real server evaluates it; an empty id list is ignored."""
    assert _where(stash, criteria) == ids
    assert stash.query(f"{{ findScenes(scene_filter: {{{criteria}}}) {{ count }} }}") == {
        "data": {"findScenes": {"count": len(ids)}}
    }


def test_or_of_related_filters_drops_scenes_without_either(stash: StashSimulator) -> None:
    """Inner joins are shared: only scenes with a performer and a tag remain."""
    criteria = """performers_filter: {name: {value: "Ann", modifier: EQUALS}},
        OR: {tags_filter: {name: {value: "sea", modifier: EQUALS}}}"""

    assert _where(stash, criteria) == [3]


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ("AND: {organized: true}, OR: {organized: true}", "cannot have AND and OR"),
        ("OR: {organized: true}, NOT: {organized: true}", "cannot have OR and NOT"),
        ("resume_time: {value: 1, modifier: EQUALS}", "not simulated"),
    ],
)
def test_refused_filters(stash: StashSimulator, criteria: str, message: str) -> None:
    """One sub-filter a level; what is not simulated says so instead of matching everything."""
    assert _message(_ask(stash, f"scene_filter: {{{criteria}}}")).startswith(message)


# ---- other rows ----------------------------------------------------------------------------------


def test_rows_sort_by_name_by_default(stash: StashSimulator) -> None:
    """Tags come by name without case; an empty sort is an error there."""
    by_name = stash.query("{ findTags { count tags { name } } }")["data"]["findTags"]
    by_id = stash.query('{ findTags(filter: {sort: "id", per_page: 2}) { tags { name } } }')

    assert by_name == {"count": 3, "tags": [{"name": "Birds"}, {"name": "Gull"}, {"name": "sea"}]}
    assert by_id["data"]["findTags"]["tags"] == [{"name": "sea"}, {"name": "Birds"}]
    assert _message(stash.query('{ findTags(filter: {sort: ""}) { count } }')) == "invalid sort: "


def test_rows_filter_by_time_and_name(stash: StashSimulator) -> None:
    """The dictionaries have the same text-compared times."""
    answer = stash.query(
        """{ findPerformers(
                 performer_filter: {updated_at: {value: "2025-06", modifier: GREATER_THAN}}
               ) { performers { name } }
             findStudios(studio_filter: {name: {value: "%o%", modifier: EQUALS}})
               { studios { name } }
             findGroups(ids: [1]) { groups { name date } } }"""
    )

    assert answer["data"] == {
        "findPerformers": {"performers": [{"name": "Bo"}]},
        "findStudios": {"studios": [{"name": "Low"}, {"name": "Top"}]},
        "findGroups": {"groups": [{"name": "Film", "date": None}]},
    }


_TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda t: t.isoformat() + "Z")  # noqa: DTZ001 - text in the end


@settings(max_examples=25, deadline=None)
@given(stored=st.lists(_TIMES, max_size=8), bound=_TIMES)
def test_time_filter_is_a_plain_text_compare(stored: list[str], bound: str) -> None:
    """For well-formed bounds the filter keeps exactly the greater texts."""
    scenes = tuple(StashScene(i, updated_at=text) for i, text in enumerate(stored, 1))
    stash = StashSimulator(Library(stash=StashSide(scenes=scenes)))

    found = _where(stash, f'updated_at: {{value: "{bound}", modifier: GREATER_THAN}}')

    assert found == [i for i, text in enumerate(stored, 1) if text > bound]
