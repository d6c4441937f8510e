"""How much each point of a comparison says: evidence in bits.

A weight is log2 of how much likelier the observation is for one file than for two different ones
(Fellegi and Sunter, as in Splink). Bits add up; with the prior they make log2 odds. How rare a
name, a folder or a size is in these very libraries decides what its equality is worth. Where the
numbers come from: docs/matching.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.matching.comparing.evidence import (
    DURATION_CLOSE_S,
    DURATION_EQUAL_S,
    DURATION_NEAR_S,
    Comparison,
    FolderLevel,
    Grade,
    Level,
    Spelling,
    find_contradictions,
    find_grade,
    is_confirmed,
    is_copy,
    is_replaced,
    look_alike,
    may_be_renamed,
    stands_in_place,
    teaches_layout,
)
from plexsync.models import Evidence

if TYPE_CHECKING:
    from plexsync.matching.comparing.blocking import Ours, Theirs


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
        name_words: another name of the same site, date and title words.
        name_different: another name altogether.
        folders_different: no trailing folder is equal.
        led: in the place certain pairs lead to, within `name_most`.
        identity: Plex's GUID names the scene.
        spare: in a folder for copies, or outside of every folder the path rules lead to; this one
            only ranks.
        size_most: an equal size that nobody shares.
        size_different: another size.
        size_replaced: another size at the same path, name and length.
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
    name_words: float = 6.0
    name_different: float = -5.0
    folders_different: float = -3.0
    led: float = 6.0
    identity: float = 20.0
    spare: float = -3.0
    size_most: float = 24.0
    size_different: float = -6.0
    size_replaced: float = -2.0
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


class Assessment(NamedTuple):
    """A comparison weighed: `bits` is the sum of the evidence, prior included.

    `known` are the bits of size, duration, frame, content hash and GUID that speak for the pair;
    `copied` and `alike` are what `is_copy` and `look_alike` say of it, `confirmed` that its bytes
    need no content hash, and `undecided` that one could still be read and settle it.
    """

    bits: float
    evidence: tuple[Evidence, ...]
    grade: Grade | None
    contradictions: tuple[str, ...]
    summary: str
    known: Mapping[str, float]
    copied: bool
    alike: bool
    confirmed: bool
    undecided: bool


class Kind:
    """Pairs that compare alike: their comparison, and what follows from it alone, found once.

    Attributes:
        made: the comparison.
        teaches: such pairs show where the libraries lie.
        may_be_renamed: a file of the pair may have been renamed.
        weighed: how much it says; None until it was asked for.
    """

    __slots__ = ("made", "may_be_renamed", "teaches", "weighed")

    def __init__(self, made: Comparison) -> None:
        self.made = made
        self.teaches = teaches_layout(made)
        self.may_be_renamed = may_be_renamed(made)
        self.weighed: Assessment | None = None


class Option(msgspec.Struct, frozen=True, gc=False):
    """One of our files and the part of one item that fits it best."""

    ours: Ours
    theirs: Theirs
    kind: Kind
    made: Comparison
    weighed: Assessment

    item: int
    """Position of the item."""
    bits: float
    """Log2 odds that the two are one file, others left aside."""
    path: str
    """The file of Plex: items with the same one are one answer."""


def weigh(made: Comparison, *, items: int, weights: Weights) -> Assessment:
    """Add up what `made` says.

    Args:
        made: the comparison.
        items: how many items Plex has.
        weights: the numbers.
    """
    count = max(items, weights.least_items)
    taken = "" if items == count else "as if "
    facts = _weigh_facts(made, weights)
    evidence = (
        Evidence(name="prior", value=f"{taken}one of {count:,} items", weight=-math.log2(count)),
        *_weigh_place(made, count, weights),
        *facts,
    )
    return Assessment(
        bits=math.fsum(one.weight for one in evidence),
        evidence=evidence,
        grade=find_grade(made),
        contradictions=find_contradictions(made),
        summary=_summarize(made),
        known={one.name: one.weight for one in facts if one.weight > 0},
        copied=is_copy(made),
        alike=look_alike(made),
        confirmed=is_confirmed(made) or is_replaced(made),
        undecided=made.readable and Level.DIFFERENT not in (made.size, made.duration),
    )


class Scale(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Weighs comparisons, each kind of them once, which keeps 100,000 of them small."""

    items: int
    weights: Weights
    kinds: dict[tuple[object, ...], Kind] = {}

    def kind(self, made: tuple[object, ...]) -> Kind:
        """Return the kind of pair that a comparison, or its fields in order, is of."""
        kind = self.kinds.get(made)
        if kind is None:
            known = made if isinstance(made, Comparison) else Comparison._make(made)
            kind = self.kinds[known] = Kind(known)
        return kind

    def option(self, ours: Ours, theirs: Theirs, kind: Kind) -> Option:
        """Return an option with what is asked of it most at hand."""
        weighed = kind.weighed
        if weighed is None:
            weighed = kind.weighed = weigh(kind.made, items=self.items, weights=self.weights)
        file = theirs.file
        return Option(ours, theirs, kind, kind.made, weighed, theirs.item, weighed.bits, file.path)


# ---- Private -------------------------------------------------------------------------------------


def _weigh_place(made: Comparison, items: int, weights: Weights) -> list[Evidence]:
    """Name and folders, or the whole path, which says all that both say."""
    if made.place >= FolderLevel.PATH_FOLDED:
        return [_weigh_path(made, weights)]
    found = [_weigh_name(made, items, weights)]
    if made.place is FolderLevel.FOLDERS:
        found.append(_weigh_folders(made, items, weights))
    elif made.place is FolderLevel.APART:
        found.append(
            Evidence(name="folders", value="none is equal", weight=weights.folders_different)
        )
    known = math.fsum(one.weight for one in found)
    if made.led and known < weights.name_most:
        worth = min(weights.led, weights.name_most - known)
        found.append(Evidence(name="place", value="where certain pairs lead", weight=worth))
    if made.spare:
        found.append(Evidence(name="copy", value="in a folder for copies", weight=weights.spare))
    return found


def _weigh_path(made: Comparison, weights: Weights) -> Evidence:
    how = "after a path rule" if made.ruled else "as it is"
    if made.learned:
        how = "in the place certain pairs lead to"
    if made.place is FolderLevel.PATH:
        return Evidence(name="path", value=f"equal {how}", weight=weights.path)
    value = f"equal {how}, but for case or Unicode form"
    return Evidence(name="path", value=value, weight=weights.path_folded)


def _weigh_name(made: Comparison, items: int, weights: Weights) -> Evidence:
    if made.spelling is Spelling.DIFFERENT:
        return Evidence(name="name", value="different", weight=weights.name_different)
    if made.spelling is Spelling.WORDS:
        value = "another one of the same site, date and title words"
        return Evidence(name="name", value=value, weight=weights.name_words)
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
    """Return what equal folders add to an equal name; next to another name they are a hint."""
    value = f"the last {made.folders} are equal" if made.folders > 1 else "the last one is equal"
    plain = made.folders - made.telling_folders
    worth = made.telling_folders * weights.folder + plain * weights.generic_folder
    if made.spelling <= Spelling.WORDS:
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
    """Return the facts that are known on both sides."""
    guid = Evidence(name="guid", value="names the scene", weight=weights.identity)
    return [
        *_weigh_sizes(made, weights),
        *_weigh_lengths(made, weights),
        *_weigh_content(made, weights),
        *([guid] if made.identity else ()),
        *_weigh_texts(made, weights),
    ]


_Meanings = Mapping[Level, tuple[str, float]]
"""What each level of a fact says in words, and in bits."""


def _weigh_fact(name: str, level: Level, meanings: _Meanings) -> list[Evidence]:
    """Return what a fact says at its level, nothing where that is not known."""
    found = meanings.get(level)
    return [] if found is None else [Evidence(name=name, value=found[0], weight=found[1])]


def _weigh_sizes(made: Comparison, weights: Weights) -> list[Evidence]:
    different = ("different", weights.size_different)
    if is_replaced(made):
        different = ("different, as after a replacement", weights.size_replaced)
    worth = min(float(made.size_bits), weights.size_most)
    meanings = {Level.EQUAL: ("equal to the byte", worth), Level.DIFFERENT: different}
    return _weigh_fact("size", made.size, meanings)


def _weigh_lengths(made: Comparison, weights: Weights) -> list[Evidence]:
    meanings = {
        Level.EQUAL: (f"equal within {DURATION_EQUAL_S:g} s", weights.duration_equal),
        Level.CLOSE: (f"equal within {DURATION_CLOSE_S:g} s", weights.duration_close),
        Level.NEAR: (f"equal within {DURATION_NEAR_S:g} s", weights.duration_near),
        Level.OFF: ("a few seconds apart", weights.duration_off),
        Level.DIFFERENT: ("different", weights.duration_different),
    }
    return _weigh_fact("duration", made.duration, meanings)


def _weigh_content(made: Comparison, weights: Weights) -> list[Evidence]:
    """Return what the frame, unless it was scanned before a change, and the content hash say."""
    frame = {
        Level.EQUAL: ("equal width and height", weights.frame_equal),
        Level.DIFFERENT: ("different width or height", weights.frame_different),
    }
    content = {
        Level.EQUAL: ("equal to Plex's content hash", weights.hash_equal),
        Level.DIFFERENT: ("differs from Plex's content hash", weights.hash_different),
    }
    scanned_before = is_replaced(made) or (made.frame is Level.DIFFERENT and stands_in_place(made))
    framed = [] if scanned_before else _weigh_fact("frame", made.frame, frame)
    return [*framed, *_weigh_fact("oshash", made.content, content)]


def _weigh_texts(made: Comparison, weights: Weights) -> list[Evidence]:
    """Return what title and date say, which only rank."""
    title = {
        Level.EQUAL: ("equal", weights.title_equal),
        Level.CLOSE: ("nearly equal", weights.title_close),
        Level.NEAR: ("similar", weights.title_near),
    }
    date = {
        Level.EQUAL: ("equal", weights.date_equal),
        Level.DIFFERENT: ("different", weights.date_different),
    }
    return [*_weigh_fact("title", made.title, title), *_weigh_fact("date", made.date, date)]


def _summarize(made: Comparison) -> str:
    """Return what agrees, in few words, strongest first."""
    named = (
        ("content hash equal", made.content is Level.EQUAL),
        ("Plex's GUID names the scene", made.identity),
        (_summarize_place(made), True),
        ("size equal", made.size is Level.EQUAL),
        ("duration equal", made.duration >= Level.CLOSE),
        ("title similar", made.title >= Level.NEAR),
    )
    return ", ".join(words for words, holds in named if holds and words) or "only a resemblance"


def _summarize_place(made: Comparison) -> str:
    if made.place >= FolderLevel.PATH_FOLDED:
        if made.learned:
            return "path equal below the folder certain pairs lead to"
        return "mapped path equal" if made.ruled else "path equal"
    if made.spelling >= Spelling.FOLDED:
        return "name equal"
    return {
        Spelling.STEM: "name equal but for the extension",
        Spelling.WORDS: "another name of the same words",
    }.get(made.spelling, "")
