"""What comparisons say: levels, weights, grades and contradictions."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import pytest

from plexsync.matching.comparing.evidence import (
    Comparison,
    FolderLevel,
    Grade,
    Level,
    Spelling,
    find_contradictions,
    find_grade,
    is_copy,
    is_replaced,
)
from plexsync.matching.comparing.facts import (
    compare_content,
    compare_date,
    compare_duration,
    compare_frame,
    compare_size,
    is_telling_length,
    measure_size,
)
from plexsync.matching.comparing.weighing import DEFAULT_WEIGHTS, weigh
from plexsync.text.generic_names import (
    is_extra,
    is_generic_folder,
    is_generic_name,
    numbers,
    split_quality,
)

DOCS = Path(__file__).parents[3] / "docs" / "matching.md"

SILENT = Comparison(
    spelling=Spelling.DIFFERENT,
    generic=False,
    others=0,
    place=FolderLevel.UNKNOWN,
    ruled=False,
    merged=False,
    outside=False,
    folders=0,
    telling_folders=0,
    tail_others=0,
    size=Level.UNKNOWN,
    size_bits=0,
    telling_size=False,
    telling_length=False,
    size_rival=False,
    duration=Level.UNKNOWN,
    frame=Level.UNKNOWN,
    content=Level.UNKNOWN,
)
NAMED = SILENT._replace(spelling=Spelling.EXACT)
SIZED: dict[str, object] = {"size": Level.EQUAL, "size_bits": 24, "telling_size": True}


def bits(made: Comparison, items: int = 20_000) -> float:
    """What a comparison weighs."""
    return weigh(made, items=items, weights=DEFAULT_WEIGHTS).bits


def test_documented_weights_are_the_ones_in_use() -> None:
    """The table in docs/matching.md and the code hold the same numbers."""
    table = re.findall(r"^\| `(\w+)` \| (-?\d+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: float(value) for name, value in table} == dataclasses.asdict(DEFAULT_WEIGHTS)


@pytest.mark.parametrize(
    ("ours", "theirs", "level"),
    [
        (5, 5, Level.EQUAL),
        (5, 6, Level.DIFFERENT),
        (None, 6, Level.UNKNOWN),
        (0, 6, Level.UNKNOWN),
        (-1, -1, Level.UNKNOWN),
    ],
)
def test_sizes_compare_by_the_byte(ours: int | None, theirs: int | None, level: Level) -> None:
    """Nothing but the same number of bytes is equal; unset is unknown."""
    assert compare_size(ours, theirs) is level


@pytest.mark.parametrize(
    ("ours", "theirs", "level"),
    [
        (600.0, 600.1, Level.EQUAL),
        (600.0, 600.11, Level.CLOSE),
        (600.0, 601.0, Level.CLOSE),
        (600.0, 601.01, Level.NEAR),
        (600.0, 602.0, Level.NEAR),
        (600.0, 602.01, Level.OFF),
        (600.0, 606.06, Level.OFF),
        (600.0, 606.1, Level.DIFFERENT),
        (100.0, 105.0, Level.OFF),
        (100.0, 105.1, Level.DIFFERENT),
        (0.0, 600.0, Level.UNKNOWN),
        (math.inf, 600.0, Level.UNKNOWN),
        (math.nan, 600.0, Level.UNKNOWN),
        (None, None, Level.UNKNOWN),
    ],
)
def test_durations_compare_with_tolerance(
    ours: float | None, theirs: float | None, level: Level
) -> None:
    """Each limit holds on both sides."""
    assert compare_duration(ours, theirs) is level
    assert compare_duration(theirs, ours) is level


@pytest.mark.parametrize(
    ("ours", "theirs", "level"),
    [
        ((1920, 1080), (1920, 1080), Level.EQUAL),
        ((1920, 1080), (1920, 1088), Level.UNKNOWN),
        ((1920, 1080), (1080, 1920), Level.UNKNOWN),
        ((1920, 1080), (1280, 720), Level.DIFFERENT),
        ((None, None), (None, None), Level.UNKNOWN),
        ((1920, None), (1280, 720), Level.UNKNOWN),
        ((-1, -1), (1280, 720), Level.UNKNOWN),
    ],
)
def test_frames_compare_but_for_padding_and_rotation(
    ours: tuple[int | None, int | None], theirs: tuple[int | None, int | None], level: Level
) -> None:
    """Coded height and rotation are no difference, and no proof either."""
    assert compare_frame(ours, theirs) is level


@pytest.mark.parametrize(
    ("ours", "theirs", "size", "level"),
    [
        (7, 7, 10**9, Level.EQUAL),
        (7, 8, 10**9, Level.DIFFERENT),
        (7, 7, None, Level.EQUAL),
        (7, 7, 131_072, Level.EQUAL),
        (7, 8, 131_071, Level.UNKNOWN),
        (0, 0, 10**9, Level.UNKNOWN),
        (7, None, 10**9, Level.UNKNOWN),
    ],
)
def test_hashes_of_tiny_files_say_nothing(
    ours: int | None, theirs: int | None, size: int | None, level: Level
) -> None:
    """Below two blocks of 64 KiB the hash's halves overlap."""
    assert compare_content(ours, theirs, size) is level


@pytest.mark.parametrize(
    ("ours", "theirs", "level"),
    [
        ("2021-03-04", "2021-03-04", Level.EQUAL),
        ("2021", "2021-03-04", Level.EQUAL),
        ("2021-04", "2021-03-04", Level.DIFFERENT),
        ("", "2021-03-04", Level.UNKNOWN),
    ],
)
def test_dates_compare_as_far_as_known(ours: str, theirs: str, level: Level) -> None:
    """A year agrees with any day of it."""
    assert compare_date(ours, theirs) is level


@pytest.mark.parametrize(
    ("size", "others", "least", "most"),
    [
        (1_155_219_457, 0, 24, 31),
        (2**30, 0, 0, 0),
        (700_000_000, 0, 2, 2),
        (1_155_219_457, 10, 10, 12),
        (9_001, 0, 13, 13),
    ],
    ids=["any size", "power of two", "round", "shared", "small"],
)
def test_round_and_shared_sizes_are_worth_little(
    size: int, others: int, least: int, most: int
) -> None:
    """What recorders and people write is no coincidence of one in a billion."""
    assert least <= measure_size(size, others, 20_000)[0] <= most


GENERIC = (
    "video",
    "video (2)",
    "part 2",
    "img_0012",
    "00001",
    "scene 12",
    "trailer",
    "1080p",
    "s01e02",
    "gopr0123",
    "a",
    "screen recording",
)
TELLING = ("beach day", "alpha", "20240105_123456", "夏の海辺", "studio.23.01.02.ann.beach")


@pytest.mark.parametrize("stem", GENERIC)
def test_names_of_everybodys_are_generic(stem: str) -> None:
    """Unrelated files carry these names."""
    assert is_generic_name(stem)


@pytest.mark.parametrize("stem", TELLING)
def test_names_with_a_word_or_a_time_stamp_are_telling(stem: str) -> None:
    """One word that means something, or a number down to the minute, is enough."""
    assert not is_generic_name(stem)


@pytest.mark.parametrize(
    ("folder", "generic"),
    [("2024", True), ("01", True), ("videos", True), ("season 1", True), ("ann smith", False)],
)
def test_folders_of_layouts_are_generic(folder: str, generic: bool) -> None:
    """Years, numbers and words for collections are equal by the layout."""
    assert is_generic_folder(folder) is generic


def test_numbers_and_extras_of_a_name() -> None:
    """What tells parts and trailers apart."""
    assert numbers("part 2 of 10") == (2, 10)
    assert is_extra("the film-trailer")
    assert not is_extra("trailerpark boys")


@pytest.mark.parametrize(
    "nearer",
    [
        [SILENT, SILENT._replace(spelling=Spelling.STEM), NAMED],
        [NAMED._replace(place=place) for place in (FolderLevel.APART, FolderLevel.UNKNOWN)],
        [
            NAMED,
            NAMED._replace(place=FolderLevel.FOLDERS, folders=1),
            NAMED._replace(place=FolderLevel.FOLDERS, folders=1, telling_folders=1),
            NAMED._replace(place=FolderLevel.FOLDERS, folders=9, telling_folders=9),
            NAMED._replace(place=FolderLevel.PATH_FOLDED),
            NAMED._replace(place=FolderLevel.PATH),
        ],
        [NAMED._replace(spelling=spelling) for spelling in Spelling.all()],
        [NAMED._replace(others=others) for others in (10_000, 9, 1, 0)],
        [NAMED._replace(generic=True), NAMED],
        [NAMED._replace(duration=level) for level in Level.all()],
        [NAMED._replace(size=level, size_bits=1) for level in (Level.DIFFERENT, *Level.all())[::5]],
        [NAMED._replace(content=level) for level in (Level.DIFFERENT, Level.UNKNOWN, Level.EQUAL)],
        [NAMED._replace(frame=level) for level in (Level.DIFFERENT, Level.UNKNOWN, Level.EQUAL)],
    ],
)
def test_nearer_never_weighs_less(nearer: list[Comparison]) -> None:
    """Each step towards equality adds bits or leaves them."""
    found = [bits(made) for made in nearer]
    assert found == sorted(found)


def test_evidence_adds_up() -> None:
    """The bits are the sum of the evidence, prior included."""
    named = NAMED._replace(size=Level.EQUAL, size_bits=24)
    made = weigh(named, items=20_000, weights=DEFAULT_WEIGHTS)
    assert made.bits == math.fsum(one.weight for one in made.evidence)
    assert [one.name for one in made.evidence] == ["prior", "name", "size"]


GRADES = {
    "content": ({"content": Level.EQUAL}, Grade.CONTENT),
    "content of another size": ({"content": Level.EQUAL, "size": Level.DIFFERENT}, None),
    "path": ({"place": FolderLevel.PATH}, Grade.PATH),
    "telling path after a rule": ({"place": FolderLevel.PATH, "ruled": True}, Grade.PATH),
    "generic path after a rule": (
        {"place": FolderLevel.PATH, "ruled": True, "generic": True},
        None,
    ),
    "path of others after a rule": ({"place": FolderLevel.PATH, "ruled": True, "others": 1}, None),
    "generic path after a rule, where certain pairs lead": (
        {"place": FolderLevel.PATH, "ruled": True, "generic": True, "led": True},
        Grade.PATH,
    ),
    "path of others after a rule, long": (
        {"place": FolderLevel.PATH, "ruled": True, "others": 1, "duration": Level.CLOSE},
        Grade.PATH,
    ),
    "path of others below merged roots, where certain pairs lead": (
        {"place": FolderLevel.PATH, "merged": True, "others": 1, "led": True},
        None,
    ),
    "generic path below merged roots": (
        {"place": FolderLevel.PATH, "merged": True, "generic": True},
        None,
    ),
    "path of others below merged roots": (
        {"place": FolderLevel.PATH, "merged": True, "others": 1},
        None,
    ),
    "telling path below merged roots": ({"place": FolderLevel.PATH, "merged": True}, Grade.PATH),
    "path below merged roots, sized": (
        {"place": FolderLevel.PATH, "merged": True, "generic": True, **SIZED},
        Grade.PATH,
    ),
    "folded path": ({"place": FolderLevel.PATH_FOLDED}, None),
    "folded path, sized": ({"place": FolderLevel.PATH_FOLDED, **SIZED}, Grade.PATH),
    "folded path, long": ({"place": FolderLevel.PATH_FOLDED, "duration": Level.CLOSE}, Grade.PATH),
    "size": (SIZED, None),
    "name and size": ({"spelling": Spelling.EXACT, **SIZED}, Grade.NAME_AND_SIZE),
    "folded name and size": ({"spelling": Spelling.FOLDED, **SIZED}, Grade.NAME_AND_SIZE),
    "stem and size": ({"spelling": Spelling.STEM, **SIZED}, None),
    "name of others and size": ({"spelling": Spelling.EXACT, "others": 1, **SIZED}, None),
    "name of others, size, length": (
        {"spelling": Spelling.EXACT, "others": 1, "duration": Level.NEAR, **SIZED},
        Grade.NAME_AND_SIZE,
    ),
    "name where certain pairs lead": ({"spelling": Spelling.EXACT, "led": True}, Grade.NAME),
    "name anywhere": ({"spelling": Spelling.EXACT}, None),
    "name of others": ({"spelling": Spelling.EXACT, "others": 1, "led": True}, None),
    "name in another case": ({"spelling": Spelling.FOLDED, "led": True}, None),
    "name, a little longer": (
        {"spelling": Spelling.EXACT, "duration": Level.OFF, "led": True},
        None,
    ),
    "generic name": ({"spelling": Spelling.EXACT, "generic": True}, None),
    "generic name and size": ({"spelling": Spelling.EXACT, "generic": True, **SIZED}, None),
}
_GENERIC: dict[str, object] = {
    "spelling": Spelling.EXACT,
    "generic": True,
    "led": True,
    "frame": Level.EQUAL,
    "duration": Level.CLOSE,
    **SIZED,
}
_RENAMED: dict[str, object] = {
    "spelling": Spelling.WORDS,
    "place": FolderLevel.FOLDERS,
    "duration": Level.EQUAL,
    "alone_in_length": True,
    **SIZED,
}
_GUID: dict[str, object] = {"identity": True}
GRADES |= {
    "generic name in its place, all equal": (_GENERIC, Grade.NAME_AND_SIZE),
    "generic name in a foreign folder": (
        {**_GENERIC, "led": False, "place": FolderLevel.FOLDERS},
        None,
    ),
    "generic name in its place, another frame": ({**_GENERIC, "frame": Level.DIFFERENT}, None),
    "generic name in its place, no frame known": ({**_GENERIC, "frame": Level.UNKNOWN}, None),
    "generic name in its place, no length known": (
        {**_GENERIC, "frame": Level.UNKNOWN, "duration": Level.UNKNOWN},
        Grade.NAME_AND_SIZE,
    ),
    "generic name in its place, round size, no length known": (
        {**_GENERIC, "telling_size": False, "duration": Level.UNKNOWN},
        None,
    ),
    "another quality tag": (_RENAMED, Grade.RENAMED),
    "another quality tag, others as long": ({**_RENAMED, "alone_in_length": False}, None),
    "another quality tag, nearly as long": ({**_RENAMED, "duration": Level.CLOSE}, None),
    "another quality tag, round size": ({**_RENAMED, "telling_size": False}, None),
    "another quality tag elsewhere": ({**_RENAMED, "place": FolderLevel.APART}, None),
    "another name": ({**_RENAMED, "spelling": Spelling.DIFFERENT}, None),
    "id alone": (_GUID, None),
    "id and size": ({**_GUID, **SIZED}, Grade.IDENTITY),
    "id and length": ({**_GUID, "duration": Level.EQUAL}, None),
    "id and nearly the length": ({**_GUID, "duration": Level.CLOSE}, None),
    "id and round size": ({**_GUID, **SIZED, "telling_size": False}, None),
    "id, round size and length": (
        {**_GUID, **SIZED, "telling_size": False, "duration": Level.EQUAL},
        None,
    ),
    "id and length, another size": (
        {**_GUID, "duration": Level.EQUAL, "size": Level.DIFFERENT},
        None,
    ),
    "id and name": ({**_GUID, "spelling": Spelling.STEM}, Grade.IDENTITY),
    "id and a name of others": ({**_GUID, "spelling": Spelling.STEM, "others": 1}, None),
    "id, length and a name of others": (
        {**_GUID, "spelling": Spelling.STEM, "others": 1, "duration": Level.CLOSE},
        Grade.IDENTITY,
    ),
    "id and generic name": ({**_GUID, "spelling": Spelling.EXACT, "generic": True}, None),
}


@pytest.mark.parametrize(("facts", "grade"), GRADES.values(), ids=GRADES)
def test_grade_of_evidence(facts: dict[str, object], grade: Grade | None) -> None:
    """Each rule of identity-grade evidence, on both sides of its limit."""
    assert find_grade(SILENT._replace(**facts)) is grade  # type: ignore[arg-type] # a table of facts


def test_the_place_certain_pairs_lead_to_weighs_less_than_a_whole_path() -> None:
    """It says more than folders that happen to be equal."""
    tail = NAMED._replace(place=FolderLevel.FOLDERS, folders=2, telling_folders=2)
    whole = NAMED._replace(place=FolderLevel.PATH)
    assert bits(tail) <= bits(tail._replace(led=True)) < bits(whole) - 3
    common = tail._replace(generic=True)
    assert bits(common) < bits(common._replace(led=True)) < bits(whole)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ""),
        ({"size": Level.DIFFERENT}, "size"),
        ({"duration": Level.DIFFERENT}, "duration"),
        ({"duration": Level.OFF}, ""),
        ({"content": Level.DIFFERENT}, "content hash"),
        ({"frame": Level.DIFFERENT}, "resolution"),
        ({"frame": Level.DIFFERENT, **SIZED}, ""),
        ({"frame": Level.DIFFERENT, **SIZED, "telling_size": False}, "resolution"),
        ({"frame": Level.DIFFERENT, "content": Level.EQUAL}, ""),
        ({"outside": True}, ""),
        (
            {"place": FolderLevel.PATH, "size": Level.DIFFERENT, "duration": Level.CLOSE},
            "",
        ),
        (
            {
                "place": FolderLevel.PATH,
                "frame": Level.DIFFERENT,
                "duration": Level.CLOSE,
                **SIZED,
                "telling_size": False,
            },
            "",
        ),
        (
            {"place": FolderLevel.PATH, "size": Level.DIFFERENT, "duration": Level.NEAR},
            "size",
        ),
    ],
)
def test_contradictions(facts: dict[str, object], words: str) -> None:
    """What forbids HIGH, and what does not."""
    found = find_contradictions(SILENT._replace(**facts))  # type: ignore[arg-type] # a table of facts
    assert bool(found) == bool(words)
    assert words in " ".join(found)


_REPLACED: dict[str, object] = {
    "spelling": Spelling.EXACT,
    "place": FolderLevel.PATH,
    "size": Level.DIFFERENT,
    "duration": Level.CLOSE,
    "frame": Level.DIFFERENT,
}


@pytest.mark.parametrize(
    ("facts", "replaced"),
    [
        ({}, True),
        ({"size_rival": True}, False),
        ({"generic": True}, False),
        ({"place": FolderLevel.PATH_FOLDED}, False),
        ({"duration": Level.NEAR}, False),
        ({"merged": True}, True),
        ({"merged": True, "others": 1}, False),
    ],
)
def test_a_file_is_replaced_in_place_only_if_it_can_be_no_other(
    facts: dict[str, object],
    replaced: bool,
) -> None:
    """Path, telling name and length, and no other part of our size."""
    made = SILENT._replace(**{**_REPLACED, **facts})  # type: ignore[arg-type] # a table of facts
    assert is_replaced(made) is replaced
    assert (find_contradictions(made) == ()) is replaced


_COPY: dict[str, object] = {"spelling": Spelling.EXACT, "duration": Level.CLOSE, **SIZED}


@pytest.mark.parametrize(
    ("facts", "copy"),
    [
        ({}, True),
        ({"readable": True}, False),
        ({"readable": True, "content": Level.EQUAL}, True),
        ({"generic": True}, False),
        ({"generic": True, "content": Level.EQUAL}, True),
        ({"content": Level.DIFFERENT}, False),
        ({"telling_size": False}, False),
        ({"duration": Level.UNKNOWN}, False),
        ({"spelling": Spelling.STEM}, False),
    ],
)
def test_a_copy_is_the_same_content_beyond_doubt(
    facts: dict[str, object],
    copy: bool,
) -> None:
    """By its hash, or, where that cannot be had, by telling name, telling size and length."""
    made = SILENT._replace(**{**_COPY, **facts})  # type: ignore[arg-type] # a table of facts
    assert is_copy(made) is copy


@pytest.mark.parametrize(
    ("size", "others", "telling"),
    [
        (1_155_219_457, 0, True),
        (1_155_219_457, 7, True),
        (1_155_219_457, 8, False),
        (2**30, 0, False),
    ],
)
def test_a_size_is_telling_unless_somebody_chose_it(
    size: int,
    others: int,
    telling: bool,
) -> None:
    """A few copies of a file change nothing; many files of one size were made so."""
    assert measure_size(size, others, 20_000)[1] is telling


@pytest.mark.parametrize(
    ("length", "telling"), [(600.0, False), (3600.9, False), (89.1, False), (1805.12, True)]
)
def test_a_length_is_telling_unless_somebody_chose_it(
    length: float,
    telling: bool,
) -> None:
    """People cut, and recorders write, by the ten seconds; servers are a second apart."""
    assert is_telling_length(length) is telling


@pytest.mark.parametrize(
    ("name", "rest", "date"),
    [
        ("site.23.04.05.ann.beach.1080p.web-dl.x264", "site ann beach", "23-04-05"),
        ("site - 2023-04-05 - beach 4k", "site beach", "23-04-05"),
        ("beach day 99.99.99", "beach day 99 99 99", ""),
        ("xxxtra webber", "xxxtra webber", ""),
    ],
)
def test_tags_of_quality_and_dates_leave_a_name(name: str, rest: str, date: str) -> None:
    """What is left are the words that say which video it is."""
    left, found = split_quality(name)
    assert " ".join(re.findall(r"[a-z0-9]+", left)) == rest
    assert found == date
