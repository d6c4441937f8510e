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

from plexsync.matching.attributes import DURATION_CLOSE_S, DURATION_EQUAL_S, DURATION_NEAR_S, Level
from plexsync.models import Evidence


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


class FolderLevel(IntEnum):
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
    """Every number the evidence rests on, in bits. Source: docs/matching.md, "Weights".

    Attributes:
        least_items: the prior takes no library for smaller than this (a count, not bits).
        name: an equal telling name that no other file bears, as far as can be seen.
        generic_name: an equal name anybody gives, `video.mp4`.
        folder: each equal trailing folder on top of the name, when its own name is telling.
        generic_folder: the same for `2024`, `01`, `videos`.
        name_most: name and folders together, as long as the whole path is not equal.
        path: the whole path, which stands for name and folders.
        path_folded: the whole path but for case or Unicode form.
        other_form: a name in another Unicode form.
        other_case: a name in other case or width.
        other_extension: a name with another extension.
        name_different: another name altogether.
        folders_agreed: prior belief, in pairs: whose last folders are equal.
        folders_compared: prior belief, in pairs: seen in all.
        elsewhere: outside of every folder the path rules lead to.
        spare: in a folder for copies.
        size_most: an equal size that nobody shares.
        size_different: another size.
        duration_equal: within 0.1 s.
        duration_close: within 1 s.
        duration_near: within 2 s.
        duration_off: within 5 s or 1 %.
        duration_different: further apart.
        frame_equal: equal width and height.
        frame_different: another frame, neither padded nor turned.
        hash_equal: equal content hashes.
        hash_different: other content hashes.
        title_equal: equal titles; these three only rank.
        title_close: nearly equal titles.
        title_near: similar titles.
        date_equal: equal dates; these two only rank.
        date_different: other dates.
    """

    least_items: int = 1024
    name: float = 20.0
    generic_name: float = 7.0
    folder: float = 4.0
    generic_folder: float = 1.0
    name_most: float = 24.0
    path: float = 28.0
    path_folded: float = 25.0
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

TELLING_SIZE_BITS = 16
"""Cut, padded and recorded files have round sizes that many share; others differ by the byte."""


class Comparison(NamedTuple):
    """Everything about a pair that its weight depends on; equal comparisons weigh the same.

    Attributes:
        spelling: how the base names compare.
        generic: the name is one anybody gives.
        numbered: it has at least a number of some length, as cameras and catalogues give.
        others: other files of this name, on both sides.
        place: how the folders compare.
        ruled: a path rule covers our file.
        merged: several roots of Stash lead to this root of Plex, so a path alone proves less.
        elsewhere: a path rule covers our file, and theirs lies in no folder the rules lead to.
        folders: equal trailing folders.
        telling_folders: those of them whose own name is telling.
        tail_others: other items that share name and equal folders.
        size: how the sizes compare.
        size_bits: what the equality of this size is worth.
        duration: how the durations compare.
        frame: how width and height compare.
        content: how the content hashes compare.
        title: how the titles compare; like the next two it only ranks what is LOW.
        date: how the dates compare.
        spare: the item, unlike our file, lies in a folder for copies.
    """

    spelling: Spelling
    generic: bool
    numbered: bool
    others: int
    place: FolderLevel
    ruled: bool
    merged: bool
    elsewhere: bool
    folders: int
    telling_folders: int
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


def weigh(made: Comparison, *, items: int, agreement: float, weights: Weights) -> Assessment:
    """Add up what `made` says.

    Args:
        made: the comparison.
        items: how many items Plex has.
        agreement: share of true pairs whose last folder is equal (`folder_agreement`).
        weights: the numbers.
    """
    count = max(items, weights.least_items)
    evidence = (
        Evidence(name="prior", value=f"one of {count:,} items", weight=-math.log2(count)),
        *_weigh_place(made, count, agreement, weights),
        *_weigh_facts(made, weights),
    )
    return Assessment(
        bits=math.fsum(one.weight for one in evidence),
        evidence=evidence,
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
    # Case and Unicode twins are two files on Linux, and so are files of two roots that rules make
    # one: there something else has to agree, or at least no other file has the name.
    agreed = made.size is Level.EQUAL or made.duration >= Level.CLOSE
    alone = not made.merged or (made.others == 0 and not made.generic)
    if made.place is FolderLevel.PATH and (agreed or alone):
        return Grade.PATH
    if made.place is FolderLevel.PATH_FOLDED and agreed:
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
    if made.elsewhere and made.place < FolderLevel.PATH_FOLDED:
        against.append("a path rule expects the file in another place")
    return tuple(against)


# ---- Private -------------------------------------------------------------------------------------


def _grade_name(made: Comparison) -> Grade | None:
    """What an equal name is worth, with what else agrees."""
    if made.size is Level.EQUAL and made.generic:
        return Grade.NAME_AND_SIZE if _is_backed(made) else None
    if made.size is Level.EQUAL:
        # Sizes do coincide; where other files have the name, length or folder has to agree too.
        backed = made.duration >= Level.NEAR or made.telling_folders > 0
        return Grade.NAME_AND_SIZE if backed or made.others == 0 else None
    # The classic rule: the one file of that name, when nothing else is known that could speak.
    alone = made.others == 0 and not made.generic and made.spelling is Spelling.EXACT
    silent = made.duration is not Level.OFF and not made.ruled
    return Grade.NAME if alone and silent else None


def _is_backed(made: Comparison) -> bool:
    """Whether a generic name and an equal size are enough together with the rest.

    Everybody has a video.mp4: a telling size, the length and the folder have to agree with it. A
    number nobody else has may stand for the folder, when the length is exactly equal.
    """
    if made.size_bits < TELLING_SIZE_BITS or made.duration < Level.CLOSE:
        return False
    alone = made.numbered and made.others == 0 and made.duration is Level.EQUAL
    return made.place is FolderLevel.FOLDERS or alone


def _weigh_place(
    made: Comparison, items: int, agreement: float, weights: Weights
) -> list[Evidence]:
    """Name and folders, or the whole path, which says all that both say."""
    if made.place >= FolderLevel.PATH_FOLDED:
        return [_weigh_path(made, weights)]
    found = [_weigh_name(made, items, weights)]
    if made.place is FolderLevel.FOLDERS:
        found.append(_weigh_folders(made, items, weights))
    elif made.place is FolderLevel.APART:
        # Two files share their last folder by accident so rarely that only `agreement` counts.
        weight = math.log2(max(1.0 - agreement, 1e-9))
        found.append(Evidence(name="folders", value="none is equal", weight=weight))
    if made.elsewhere:
        value = "outside of every folder the path rules lead to"
        found.append(Evidence(name="rule", value=value, weight=weights.elsewhere))
    if made.spare:
        found.append(Evidence(name="copy", value="in a folder for copies", weight=weights.spare))
    return found


def _weigh_path(made: Comparison, weights: Weights) -> Evidence:
    how = "after a path rule" if made.ruled else "as it is"
    if made.place is FolderLevel.PATH:
        return Evidence(name="path", value=f"equal {how}", weight=weights.path)
    value = f"equal {how}, but for case or Unicode form"
    return Evidence(name="path", value=value, weight=weights.path_folded)


def _weigh_name(made: Comparison, items: int, weights: Weights) -> Evidence:
    if made.spelling is Spelling.DIFFERENT:
        return Evidence(name="name", value="different", weight=weights.name_different)
    how, cost = {
        Spelling.STEM: ("equal but for the extension", weights.other_extension),
        Spelling.FOLDED: ("equal but for case or width", weights.other_case),
        Spelling.FORM: ("equal but for the Unicode form", weights.other_form),
        Spelling.EXACT: ("equal", 0.0),
    }[made.spelling]
    kind = "a generic name" if made.generic else "a name"
    verb = "file bears" if made.others == 1 else "files bear"
    spread = f"{made.others:,} more {verb}" if made.others else "no other file bears"
    rare = _rarity(_name_bits(made, weights), made.others, items)
    return Evidence(name="name", value=f"{how}, {kind} {spread}", weight=rare + cost)


def _weigh_folders(made: Comparison, items: int, weights: Weights) -> Evidence:
    """What equal folders add to an equal name; next to another name they are a hint."""
    value = f"the last {made.folders} are equal" if made.folders > 1 else "the last one is equal"
    plain = made.folders - made.telling_folders
    worth = made.telling_folders * weights.folder + plain * weights.generic_folder
    if made.spelling is Spelling.DIFFERENT:
        weight = min(worth, weights.name_most) / 2
        return Evidence(name="folders", value=value, weight=weight)
    name = _name_bits(made, weights)
    tail = _rarity(min(name + worth, weights.name_most), made.tail_others, items)
    if made.tail_others:
        value = f"{value}, as in {made.tail_others:,} more"
    weight = max(tail - _rarity(name, made.others, items), 0.0)
    return Evidence(name="folders", value=value, weight=weight)


def _name_bits(made: Comparison, weights: Weights) -> float:
    return weights.generic_name if made.generic else weights.name


def _rarity(most: float, others: int, items: int) -> float:
    """Bits of a value's equality: at most `most`, less the more other files share it.

    The term frequency adjustment of Splink: u is the value's own frequency.
    """
    return max(-math.log2(others / items + 2.0**-most), 0.0)


def _weigh_facts(made: Comparison, weights: Weights) -> list[Evidence]:
    """The facts that are known on both sides."""
    size = {
        Level.EQUAL: ("equal to the byte", min(float(made.size_bits), weights.size_most)),
        Level.DIFFERENT: ("different", weights.size_different),
    }
    duration = {
        Level.EQUAL: (f"equal within {DURATION_EQUAL_S:g} s", weights.duration_equal),
        Level.CLOSE: (f"equal within {DURATION_CLOSE_S:g} s", weights.duration_close),
        Level.NEAR: (f"equal within {DURATION_NEAR_S:g} s", weights.duration_near),
        Level.OFF: ("a few seconds apart", weights.duration_off),
        Level.DIFFERENT: ("different", weights.duration_different),
    }
    frame = {
        Level.EQUAL: ("equal width and height", weights.frame_equal),
        Level.DIFFERENT: ("different width or height", weights.frame_different),
    }
    content = {
        Level.EQUAL: ("equal to Plex's content hash", weights.hash_equal),
        Level.DIFFERENT: ("differs from Plex's content hash", weights.hash_different),
    }
    title = {
        Level.EQUAL: ("equal", weights.title_equal),
        Level.CLOSE: ("nearly equal", weights.title_close),
        Level.NEAR: ("similar", weights.title_near),
    }
    date = {
        Level.EQUAL: ("equal", weights.date_equal),
        Level.DIFFERENT: ("different", weights.date_different),
    }
    said = (
        ("size", size.get(made.size)),
        ("duration", duration.get(made.duration)),
        ("frame", frame.get(made.frame)),
        ("oshash", content.get(made.content)),
        ("title", title.get(made.title)),
        ("date", date.get(made.date)),
    )
    return [Evidence(name=name, value=found[0], weight=found[1]) for name, found in said if found]


def _summarize(made: Comparison) -> str:
    """What agrees, in few words, strongest first."""
    parts = []
    if made.content is Level.EQUAL:
        parts.append("content hash equal")
    if made.place >= FolderLevel.PATH_FOLDED:
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
