"""What comparisons say: levels, weights, grades and contradictions."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import pytest

from plexsync.matching.attributes import (
    Level,
    compare_content,
    compare_date,
    compare_duration,
    compare_frame,
    compare_size,
    measure_size,
)
from plexsync.matching.evidence import (
    DEFAULT_WEIGHTS,
    Comparison,
    FolderLevel,
    Grade,
    Spelling,
    find_contradictions,
    find_grade,
    folder_agreement,
    weigh,
)
from plexsync.text.generic_names import (
    is_extra,
    is_generic_folder,
    is_generic_name,
    is_numbered,
    numbers,
)

DOCS = Path(__file__).parents[3] / "docs" / "matching.md"

SILENT = Comparison(
    spelling=Spelling.DIFFERENT,
    generic=False,
    numbered=False,
    others=0,
    place=FolderLevel.UNKNOWN,
    ruled=False,
    merged=False,
    elsewhere=False,
    folders=0,
    telling_folders=0,
    tail_others=0,
    size=Level.UNKNOWN,
    size_bits=0,
    duration=Level.UNKNOWN,
    frame=Level.UNKNOWN,
    content=Level.UNKNOWN,
)
NAMED = SILENT._replace(spelling=Spelling.EXACT)
SIZED: dict[str, object] = {"size": Level.EQUAL, "size_bits": 24}


def bits(made: Comparison, items: int = 20_000) -> float:
    """What a comparison weighs."""
    return weigh(made, items=items, agreement=0.9, weights=DEFAULT_WEIGHTS).bits


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
    assert least <= measure_size(size, others, 20_000) <= most


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
def test_folders_of_layouts_are_generic(folder: str, generic: bool) -> None:  # noqa: FBT001 - a table
    """Years, numbers and words for collections are equal by the layout."""
    assert is_generic_folder(folder) is generic


def test_numbers_and_extras_of_a_name() -> None:
    """What tells parts and trailers apart."""
    assert numbers("part 2 of 10") == (2, 10)
    assert is_numbered("img_0012")
    assert not is_numbered("clip 12")
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
        [NAMED._replace(spelling=spelling) for spelling in Spelling],
        [NAMED._replace(others=others) for others in (10_000, 9, 1, 0)],
        [NAMED._replace(generic=True), NAMED],
        [NAMED._replace(duration=level) for level in Level],
        [NAMED._replace(size=level, size_bits=1) for level in (Level.DIFFERENT, *Level)[::5]],
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
    made = weigh(named, items=20_000, agreement=0.9, weights=DEFAULT_WEIGHTS)
    assert made.bits == math.fsum(one.weight for one in made.evidence)
    assert [one.name for one in made.evidence] == ["prior", "name", "size"]


def test_folders_that_differ_weigh_more_where_folders_always_agree() -> None:
    """What certain pairs of these libraries have in common is learned from them."""
    apart = NAMED._replace(place=FolderLevel.APART)
    usual, strict = (
        folder_agreement(0, 0, DEFAULT_WEIGHTS),
        folder_agreement(990, 990, DEFAULT_WEIGHTS),
    )
    weights = [
        weigh(apart, items=9, agreement=one, weights=DEFAULT_WEIGHTS).bits
        for one in (usual, strict)
    ]
    assert weights[0] - weights[1] > 5


GRADES = {
    "content": ({"content": Level.EQUAL}, Grade.CONTENT),
    "content of another size": ({"content": Level.EQUAL, "size": Level.DIFFERENT}, None),
    "path": ({"place": FolderLevel.PATH}, Grade.PATH),
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
    "name": ({"spelling": Spelling.EXACT}, Grade.NAME),
    "name of others": ({"spelling": Spelling.EXACT, "others": 1}, None),
    "name in another case": ({"spelling": Spelling.FOLDED}, None),
    "name where a rule looked elsewhere": ({"spelling": Spelling.EXACT, "ruled": True}, None),
    "name, a little longer": ({"spelling": Spelling.EXACT, "duration": Level.OFF}, None),
    "generic name": ({"spelling": Spelling.EXACT, "generic": True}, None),
    "generic name and size": ({"spelling": Spelling.EXACT, "generic": True, **SIZED}, None),
}
_GENERIC: dict[str, object] = {
    "spelling": Spelling.EXACT,
    "generic": True,
    "duration": Level.EQUAL,
    **SIZED,
}
GRADES |= {
    "generic name, size, length": (_GENERIC, None),
    "generic name, size, length, folder": (
        {**_GENERIC, "place": FolderLevel.FOLDERS},
        Grade.NAME_AND_SIZE,
    ),
    "generic name, round size, length, folder": (
        {**_GENERIC, "place": FolderLevel.FOLDERS, "size_bits": 15},
        None,
    ),
    "number, size, length": ({**_GENERIC, "numbered": True}, Grade.NAME_AND_SIZE),
    "number, size, nearly length": (
        {**_GENERIC, "numbered": True, "duration": Level.CLOSE},
        None,
    ),
    "number of others, size, length": ({**_GENERIC, "numbered": True, "others": 1}, None),
}


@pytest.mark.parametrize(("facts", "grade"), GRADES.values(), ids=GRADES)
def test_grade_of_evidence(facts: dict[str, object], grade: Grade | None) -> None:
    """Each rule of identity-grade evidence, on both sides of its limit."""
    assert find_grade(SILENT._replace(**facts)) is grade  # type: ignore[arg-type] # a table of facts


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
        ({"elsewhere": True}, "path rule"),
        ({"elsewhere": True, "place": FolderLevel.PATH}, ""),
    ],
)
def test_contradictions(facts: dict[str, object], words: str) -> None:
    """What forbids HIGH, and what does not."""
    found = find_contradictions(SILENT._replace(**facts))  # type: ignore[arg-type] # a table of facts
    assert bool(found) == bool(words)
    assert words in " ".join(found)
