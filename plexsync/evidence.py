"""What two files have in common, and how much each point says: evidence in bits.

A weight is log2 of how much likelier the observation is for one file than for two different ones
(Fellegi and Sunter, as in Splink). Bits add up; with the prior they make log2 odds. How rare a
name, a folder or a size is in these very libraries decides what its equality is worth. Where the
numbers come from: docs/matching.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

from plexsync.models import Evidence


class Level(IntEnum):
    """How two values compare; from against to for, so that greater means nearer."""

    DIFFERENT = 0
    OFF = 1
    UNKNOWN = 2
    NEAR = 3
    CLOSE = 4
    EQUAL = 5


class Spelling(IntEnum):
    """How two base names compare."""

    DIFFERENT = 0
    STEM = 1
    """Equal but for the extension, case and form aside."""
    FOLDED = 2
    """Equal after folding case, width and composition."""
    FORM = 3
    """The same characters in another Unicode form (NFC, NFD)."""
    EXACT = 4


class Place(IntEnum):
    """How two folders compare, given what the path rules say."""

    APART = 0
    """No trailing folder is equal."""
    UNKNOWN = 1
    """One of the files lies in no folder below a root: nothing to compare."""
    FOLDERS = 2
    """At least one trailing folder is equal."""
    PATH_FOLDED = 3
    """The whole path is equal but for case or Unicode form."""
    PATH = 4


class Grade(StrEnum):
    """What makes a pair identity-grade. Source: docs/matching.md, "Identity-grade evidence"."""

    CONTENT = "content hash"
    PATH = "whole path"
    NAME_AND_SIZE = "name and size"
    NAME = "a name found nowhere else"


@dataclass(frozen=True, slots=True)
class Weights:
    """Every number the evidence rests on. Bits, unless a name says otherwise.

    `*_twins` are expected counts: how many *other* files in a library of any size carry the same
    value, beside those that can be seen. Source: docs/matching.md, "Where the weights come from".
    """

    least_items: int = 1024
    name_twins: float = 2.0**-10
    generic_twins: float = 8.0
    folder: float = 4.0
    generic_folder: float = 1.0
    folders_twins: float = 2.0**-14
    path_twins: float = 2.0**-18
    path_folded_twins: float = 2.0**-15
    other_form: float = -1.0
    other_case: float = -2.0
    other_extension: float = -5.0
    name_different: float = -5.0
    folders_agreed: float = 9.0
    folders_compared: float = 10.0
    elsewhere: float = -4.0
    spare: float = -3.0
    size_most: float = 24.0
    size_different: float = -6.0
    duration_equal: float = 11.0
    duration_close: float = 7.0
    duration_near: float = 2.0
    duration_off: float = -2.0
    duration_different: float = -8.0
    frame_equal: float = 1.0
    frame_different: float = -4.0
    hash_equal: float = 34.0
    hash_different: float = -12.0
    title_equal: float = 14.0
    title_close: float = 10.0
    title_near: float = 7.0
    date_equal: float = 3.0
    date_different: float = -1.0


DEFAULT_WEIGHTS = Weights()

DURATION_EQUAL_S = 0.1
DURATION_CLOSE_S = 1.0
DURATION_NEAR_S = 2.0
DURATION_OFF_S = 5.0
DURATION_OFF_SHARE = 0.01
FRAME_SLACK = 16
"""Coded heights are multiples of 16: 1088 stored, 1080 shown."""
TELLING_SIZE_BITS = 16
"""Cut, padded and recorded files have round sizes that many share; others differ by the byte."""
HASH_LEAST_BYTES = 131_072
"""Below two blocks of 64 KiB the hash's halves overlap. Source: docs/plex-api.md 3."""


class Comparison(NamedTuple):
    """Everything about a pair that its weight depends on; equal comparisons weigh the same.

    `others` counts the other files with this name, `tail_others` those that also share the equal
    folders; `folder_bits` is what these folders are worth by their own names. `title`, `date` and
    `spare` only rank what is LOW.
    """

    spelling: Spelling
    generic: bool
    others: int
    place: Place
    ruled: bool
    elsewhere: bool
    folders: int
    folder_bits: int
    tail_others: int
    size: Level
    size_bits: int
    duration: Level
    frame: Level
    content: Level
    title: Level = Level.UNKNOWN
    date: Level = Level.UNKNOWN
    spare: bool = False


class Assessment(NamedTuple):
    """A comparison weighed: `bits` is the sum of the evidence, prior included."""

    bits: float
    evidence: tuple[Evidence, ...]
    grade: Grade | None
    contradictions: tuple[str, ...]
    summary: str


def compare_size(ours: int | None, theirs: int | None) -> Level:
    """Bytes are equal or they are not; zero and less mean unknown."""
    if not ours or not theirs or ours < 0 or theirs < 0:
        return Level.UNKNOWN
    return Level.EQUAL if ours == theirs else Level.DIFFERENT


def compare_duration(ours: float | None, theirs: float | None) -> Level:
    """Seconds, with a tolerance: containers round, and servers measure by different streams."""
    if not ours or not theirs or not (0 < ours < math.inf and 0 < theirs < math.inf):
        return Level.UNKNOWN
    gap = abs(ours - theirs)
    if gap <= DURATION_EQUAL_S + 1e-9:
        return Level.EQUAL
    if gap <= DURATION_CLOSE_S:
        return Level.CLOSE
    if gap <= DURATION_NEAR_S:
        return Level.NEAR
    if gap <= max(DURATION_OFF_S, DURATION_OFF_SHARE * max(ours, theirs)):
        return Level.OFF
    return Level.DIFFERENT


def compare_frame(
    ours: tuple[int | None, int | None], theirs: tuple[int | None, int | None]
) -> Level:
    """Width and height; a rotated or padded frame says nothing."""
    if ours == theirs:
        return Level.EQUAL if ours[0] and ours[1] else Level.UNKNOWN
    wide, high = ours
    other_wide, other_high = theirs
    if not (wide and high and other_wide and other_high):
        return Level.UNKNOWN
    if min(wide, high, other_wide, other_high) < 0:
        return Level.UNKNOWN
    straight = abs(wide - other_wide) <= FRAME_SLACK and abs(high - other_high) <= FRAME_SLACK
    turned = abs(wide - other_high) <= FRAME_SLACK and abs(high - other_wide) <= FRAME_SLACK
    return Level.UNKNOWN if straight or turned else Level.DIFFERENT


def compare_content(ours: int | None, theirs: int | None, size_bytes: int | None) -> Level:
    """OpenSubtitles hashes; zero means unknown, and tiny files have none worth comparing."""
    if not ours or not theirs or (size_bytes is not None and 0 < size_bytes < HASH_LEAST_BYTES):
        return Level.UNKNOWN
    return Level.EQUAL if ours == theirs else Level.DIFFERENT


def compare_date(ours: str, theirs: str) -> Level:
    """Dates as far as both are known: `2021` agrees with `2021-03-04`."""
    if not ours or not theirs:
        return Level.UNKNOWN
    known = min(len(ours), len(theirs), 10)
    return Level.EQUAL if ours[:known] == theirs[:known] else Level.DIFFERENT


def measure_size(size_bytes: int, others: int, items: int, most: float) -> int:
    """How many bits the equality of this size is worth.

    Sizes vary by the byte, unless a recorder or a person made them round: then by their largest
    power of two from a disk block up, or of ten. Other files of this size tell how common it is.
    """
    block = size_bytes & -size_bytes
    step = max(block if block >= 4096 else 1, _largest_power_of_ten(size_bytes))  # noqa: PLR2004 - a disk block
    bits = min(most, math.log2(size_bytes / step))
    if others:
        bits = min(bits, math.log2(max(items / others, 1.0)))
    return int(bits)


def weigh(made: Comparison, *, items: int, agreement: float, weights: Weights) -> Assessment:
    """Add up what `made` says.

    Args:
        made: the comparison.
        items: how many items Plex has.
        agreement: share of true pairs whose last folder is equal (`folder_agreement`).
        weights: the numbers.
    """
    size = max(items, weights.least_items)
    evidence = [Evidence(name="prior", value=f"one of {items:,} items", weight=-_log2(size))]
    evidence += _weigh_place(made, size, agreement, weights)
    evidence += _weigh_facts(made, weights)
    return Assessment(
        bits=math.fsum(one.weight for one in evidence),
        evidence=tuple(evidence),
        grade=find_grade(made),
        contradictions=find_contradictions(made),
        summary=_summarize(made),
    )


def folder_agreement(agreed: int, compared: int, weights: Weights) -> float:
    """Share of true pairs whose last folder is equal, from certain pairs and a prior belief."""
    return (agreed + weights.folders_agreed) / (compared + weights.folders_compared)


def find_grade(made: Comparison) -> Grade | None:
    """Why a pair is identity-grade; None when it is not. One comment per rule."""
    # Equal hashes with different sizes cannot be: one server's record is stale.
    if made.content is Level.EQUAL and made.size is not Level.DIFFERENT:
        return Grade.CONTENT
    if made.place is Place.PATH:
        return Grade.PATH
    # Case and Unicode twins are two files on Linux: something else has to agree as well.
    agreed = made.size is Level.EQUAL or made.duration >= Level.CLOSE
    if made.place is Place.PATH_FOLDED and agreed:
        return Grade.PATH
    return _grade_name(made) if made.spelling >= Spelling.FOLDED else None


def find_contradictions(made: Comparison) -> tuple[str, ...]:
    """What forbids HIGH whatever else agrees."""
    against = []
    if made.content is Level.DIFFERENT:
        against.append("the content hash differs")
    if made.size is Level.DIFFERENT:
        against.append("the size differs")
    if made.duration is Level.DIFFERENT:
        against.append("the duration differs")
    if made.frame is Level.DIFFERENT and made.size is not Level.EQUAL:
        against.append("the resolution differs")
    if made.elsewhere and made.place < Place.PATH_FOLDED:
        against.append("a path rule expects the file in another place")
    return tuple(against)


# ---- Private -------------------------------------------------------------------------------------


def _grade_name(made: Comparison) -> Grade | None:
    """What an equal name is worth, with what else agrees."""
    if made.size is Level.EQUAL:
        # Everybody has a video.mp4: a telling size, the length and the folder together, or nothing.
        telling = made.size_bits >= TELLING_SIZE_BITS and made.duration >= Level.CLOSE
        placed = telling and made.place is Place.FOLDERS
        return Grade.NAME_AND_SIZE if placed or not made.generic else None
    # The classic rule: the one file of that name, when nothing else is known that could speak.
    alone = made.others == 0 and not made.generic and made.spelling is Spelling.EXACT
    silent = made.duration is not Level.OFF and not made.ruled
    return Grade.NAME if alone and silent else None


def _weigh_place(
    made: Comparison, items: int, agreement: float, weights: Weights
) -> list[Evidence]:
    """Name and folders, or the whole path, which says all that both say."""
    if made.place >= Place.PATH_FOLDED:
        return [_weigh_path(made, items, weights)]
    found = [_weigh_name(made, items, weights)]
    if made.place is Place.FOLDERS:
        found.append(_weigh_folders(made, items, weights))
    elif made.place is Place.APART:
        # Two files share their last folder by accident so rarely that only `agreement` counts.
        weight = _log2(max(1.0 - agreement, 1e-9))
        found.append(Evidence(name="folders", value="none is equal", weight=weight))
    if made.elsewhere:
        value = "outside of every folder the path rules name"
        found.append(Evidence(name="rule", value=value, weight=weights.elsewhere))
    if made.spare:
        found.append(Evidence(name="copy", value="in a folder for copies", weight=weights.spare))
    return found


def _weigh_path(made: Comparison, items: int, weights: Weights) -> Evidence:
    how = "after a path rule" if made.ruled else "as it is"
    if made.place is Place.PATH:
        weight = _log2(items / weights.path_twins)
        return Evidence(name="path", value=f"equal {how}", weight=weight)
    weight = _log2(items / weights.path_folded_twins)
    value = f"equal {how}, but for case or Unicode form"
    return Evidence(name="path", value=value, weight=weight)


def _weigh_name(made: Comparison, items: int, weights: Weights) -> Evidence:
    if made.spelling is Spelling.DIFFERENT:
        return Evidence(name="name", value="different", weight=weights.name_different)
    twins = made.others + _twins(made, weights)
    rare = max(_log2(items / twins), 0.0)
    how, cost = {
        Spelling.STEM: ("equal but for the extension", weights.other_extension),
        Spelling.FOLDED: ("equal but for case or width", weights.other_case),
        Spelling.FORM: ("equal but for the Unicode form", weights.other_form),
        Spelling.EXACT: ("equal", 0.0),
    }[made.spelling]
    kind = "a generic name" if made.generic else "a name"
    spread = f"shared by {made.others} more" if made.others else "found nowhere else"
    return Evidence(name="name", value=f"{how}, {kind} {spread}", weight=rare + cost)


def _weigh_folders(made: Comparison, items: int, weights: Weights) -> Evidence:
    count = f"the last {made.folders} are equal" if made.folders > 1 else "the last one is equal"
    if made.spelling is Spelling.DIFFERENT:
        return Evidence(name="folders", value=count, weight=made.folder_bits / 2)
    twins = _twins(made, weights)
    rest = max(twins * 2.0**-made.folder_bits, min(twins, weights.folders_twins))
    before = min(made.others + twins, items)
    weight = max(_log2(before / (made.tail_others + rest)), 0.0)
    value = count if not made.tail_others else f"{count}, as in {made.tail_others} more"
    return Evidence(name="folders", value=value, weight=weight)


def _weigh_facts(made: Comparison, weights: Weights) -> list[Evidence]:
    said = (
        ("size", made.size, _size_words(made, weights)),
        ("duration", made.duration, _duration_words(made, weights)),
        ("frame", made.frame, _FRAME_WORDS.get(made.frame)),
        ("oshash", made.content, _HASH_WORDS.get(made.content)),
        ("title", made.title, _TITLE_WORDS.get(made.title)),
        ("date", made.date, _DATE_WORDS.get(made.date)),
    )
    return [
        Evidence(name=name, value=words[0], weight=_resolve(words[1], weights))
        for name, _, words in said
        if words is not None
    ]


def _resolve(weight: float | str, weights: Weights) -> float:
    return float(getattr(weights, weight)) if isinstance(weight, str) else weight


def _size_words(made: Comparison, weights: Weights) -> tuple[str, float | str] | None:
    if made.size is Level.EQUAL:
        return "equal to the byte", min(float(made.size_bits), weights.size_most)
    return ("different", "size_different") if made.size is Level.DIFFERENT else None


def _duration_words(made: Comparison, _weights: Weights) -> tuple[str, float | str] | None:
    return _DURATION_WORDS.get(made.duration)


_DURATION_WORDS: dict[Level, tuple[str, float | str]] = {
    Level.EQUAL: (f"equal within {DURATION_EQUAL_S} s", "duration_equal"),
    Level.CLOSE: (f"equal within {DURATION_CLOSE_S:g} s", "duration_close"),
    Level.NEAR: (f"equal within {DURATION_NEAR_S:g} s", "duration_near"),
    Level.OFF: ("a few seconds apart", "duration_off"),
    Level.DIFFERENT: ("different", "duration_different"),
}
_FRAME_WORDS: dict[Level, tuple[str, float | str]] = {
    Level.EQUAL: ("equal width and height", "frame_equal"),
    Level.DIFFERENT: ("different width or height", "frame_different"),
}
_HASH_WORDS: dict[Level, tuple[str, float | str]] = {
    Level.EQUAL: ("equal to Plex's content hash", "hash_equal"),
    Level.DIFFERENT: ("differs from Plex's content hash", "hash_different"),
}
_TITLE_WORDS: dict[Level, tuple[str, float | str]] = {
    Level.EQUAL: ("equal", "title_equal"),
    Level.CLOSE: ("nearly equal", "title_close"),
    Level.NEAR: ("similar", "title_near"),
}
_DATE_WORDS: dict[Level, tuple[str, float | str]] = {
    Level.EQUAL: ("equal", "date_equal"),
    Level.DIFFERENT: ("different", "date_different"),
}


def _summarize(made: Comparison) -> str:
    """What agrees, in few words, strongest first."""
    parts = []
    if made.content is Level.EQUAL:
        parts.append("content hash equal")
    if made.place >= Place.PATH_FOLDED:
        parts.append("mapped path equal" if made.ruled else "path equal")
    elif made.spelling >= Spelling.FOLDED:
        parts.append("name equal")
    elif made.spelling is Spelling.STEM:
        parts.append("name equal but for the extension")
    if made.size is Level.EQUAL:
        parts.append("size equal")
    if made.duration >= Level.CLOSE:
        parts.append("duration equal")
    if made.title >= Level.NEAR:
        parts.append("title similar")
    return ", ".join(parts) or "nothing but a resemblance"


def _twins(made: Comparison, weights: Weights) -> float:
    return weights.generic_twins if made.generic else weights.name_twins


def _largest_power_of_ten(number: int) -> int:
    power = 1
    while number % (power * 10) == 0:
        power *= 10
    return power


def _log2(number: float) -> float:
    return math.log2(number)
