"""HIGH or LOW: which of the weighed pairs are certain, judged as a whole and never greedily.

A pair is HIGH when the evidence for it is identity-grade and uncontradicted, its score passes the
threshold, and it leads clearly over every other item its file could be and every other scene that
could claim its item. Source: docs/design.md, "Matching"; docs/matching.md, "The decision".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from plexsync.matching.assignment import assign
from plexsync.matching.attributes import Level, compare_duration
from plexsync.matching.evidence import (
    DEFAULT_WEIGHTS,
    Assessment,
    Comparison,
    FolderLevel,
    Grade,
    Spelling,
    Weights,
)
from plexsync.matching.layout import split_prefixes
from plexsync.models import id_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.matching.blocking import Ours, Theirs
    from plexsync.models import PlexItem, Scene


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """Where HIGH begins. Source: docs/matching.md, "The decision".

    Attributes:
        least_score: probability a HIGH match needs, 0 to 1.
        lead_bits: how far it must be ahead of any rival.
        plausible_bits: log2 odds below which a pair is not worth a person's time.
        most_candidates: how many candidates a match keeps.
        weights: what each piece of evidence says.
    """

    least_score: float = 0.99
    lead_bits: float = 7.0
    plausible_bits: float = -10.0
    most_candidates: int = 10
    weights: Weights = DEFAULT_WEIGHTS


DEFAULT_SETTINGS = MatchSettings()


class Option(msgspec.Struct, frozen=True, gc=False):
    """One of our files and the part of one item that fits it best."""

    ours: Ours
    theirs: Theirs
    made: Comparison
    weighed: Assessment

    item: int
    """Position of the item."""
    bits: float
    """Log2 odds that the two are one file, others left aside."""


def make_option(ours: Ours, theirs: Theirs, made: Comparison, weighed: Assessment) -> Option:
    """An option with what is asked of it most at hand."""
    return Option(ours, theirs, made, weighed, theirs.item, weighed.bits)


@dataclass(frozen=True, slots=True)
class Table:
    """All options, and what they say together.

    Attributes:
        rows: by scene and file.
        columns: by item, the best option of each scene.
        roots: pairs of folders the libraries' certain pairs lie below; empty when unknown.
        assigned: for scenes that compete, the item each gets when the whole group is served best.
        held: items of scenes that are not looked at now, by a link or a person's word.
    """

    rows: Sequence[Sequence[tuple[Option, ...]]]
    columns: Mapping[int, Sequence[Option]]
    roots: frozenset[tuple[str, str]]
    assigned: Mapping[int, int]
    held: frozenset[int]


class ScoredOption(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One option and how likely it is, all rivals considered."""

    option: Option
    score: float


def look_alike(option: Option) -> bool:
    """Whether the pair could be told from a copy of the same file by its place alone."""
    made = option.made
    if Level.DIFFERENT in (made.size, made.duration, made.content):
        return False
    named = made.spelling >= Spelling.FOLDED and made.size is Level.EQUAL
    return named or made.content is Level.EQUAL


def score_option(option: Option, row: Sequence[Option], column: Sequence[Option]) -> float:
    """Probability of the pair among all that exclude it: no match, other items, other scenes."""
    return _share(option.bits, rival_bits(option, row, column))


def rival_bits(option: Option, row: Sequence[Option], column: Sequence[Option]) -> list[float]:
    """What speaks for all that excludes an option: the file's other items, the item's scenes."""
    rivals = [other.bits for other in row if other.item != option.item]
    rivals += [one.bits for one in column if one.ours.scene != option.ours.scene]
    return rivals


def group(
    rows: Sequence[Sequence[tuple[Option, ...]]],
    columns: Mapping[int, Sequence[Option]],
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    *,
    settings: MatchSettings,
) -> dict[int, int]:
    """Assign the items scenes compete for, each connected group as a whole.

    Scenes nobody competes with are left out, and so are groups of more than `_MOST_IN_GROUP`
    scenes, whose members are judged by their own rivals alone.
    """
    assigned: dict[int, int] = {}
    for rivals in _connect(columns):
        if len(rivals) > _MOST_IN_GROUP:
            continue
        # Ids settle ties, so that the order of the input does not matter.
        ranked = sorted(rivals, key=lambda one: id_order(scenes[one].scene_id))
        edges = [_edges(rows[scene], settings) for scene in ranked]
        order = sorted(
            {item for one in edges for item in one},
            key=lambda one: id_order(items[one].rating_key),
        )
        rank = {item: position for position, item in enumerate(order)}
        found = assign([{rank[item]: bits for item, bits in one.items()} for one in edges])
        for scene, column in zip(ranked, found, strict=True):
            if column is not None:
                assigned[scene] = order[column]
    return assigned


def judge(option: Option, row: Sequence[Option], table: Table, settings: MatchSettings) -> str:
    """Why an option is not HIGH by the files alone; "" when it is."""
    return (
        _find_contradiction(option)
        or _find_claimant(option, table, settings)
        or _find_rival(option, row, settings)
        or _find_twin(option, row, table, settings)
        or _find_stranger(option, table)
        or _find_weakness(option, row, table, settings)
    )


def find_stacked(option: Option, item: PlexItem, rows: Sequence[tuple[Option, ...]]) -> str:
    """A part of a stack stands for the whole only when the scene holds the other parts too."""
    if not option.theirs.file.stacked:
        return ""
    held = {
        one.theirs.file.path
        for row in rows
        for one in row
        if one.item == option.item and not one.weighed.contradictions
    }
    if all(file.path in held for file in item.files if file.stacked):
        return ""
    return "the file is one part of several that Plex plays as one video"


def find_other_version(option: Option, item: PlexItem) -> str:
    """An item whose versions are of different length holds more than one video."""
    length = option.theirs.file.duration_s
    for file in item.files:
        if file.stacked or file.path == option.theirs.file.path:
            continue
        if compare_duration(length, file.duration_s) is Level.DIFFERENT:
            return "the item holds another video as well"
    return ""


# ---- Private -------------------------------------------------------------------------------------

_MOST_IN_GROUP = 500


def _connect(columns: Mapping[int, Sequence[Option]]) -> list[list[int]]:
    """The groups of scenes that compete for an item, directly or through others."""
    leader: dict[int, int] = {}

    def lead(scene: int) -> int:
        while leader[scene] != scene:
            leader[scene] = leader[leader[scene]]
            scene = leader[scene]
        return scene

    for column in columns.values():
        if len(column) > 1:
            first, *others = (one.ours.scene for one in column)
            leader.setdefault(first, first)
            for scene in others:
                leader.setdefault(scene, scene)
                leader[lead(scene)] = lead(first)
    groups: dict[int, list[int]] = {}
    for scene in leader:
        groups.setdefault(lead(scene), []).append(scene)
    return list(groups.values())


def _edges(rows: Sequence[tuple[Option, ...]], settings: MatchSettings) -> dict[int, float]:
    """What each item is worth to a scene, from just above 0 for a barely plausible one."""
    best: dict[int, float] = {}
    for option in (one for row in rows for one in row):
        worth = max(option.bits - settings.plausible_bits, 0.0) + 1e-6
        best[option.item] = max(best.get(option.item, 0.0), worth)
    return best


def _find_contradiction(option: Option) -> str:
    weighed = option.weighed
    if not weighed.contradictions:
        return ""
    return f"{weighed.summary}, but {' and '.join(weighed.contradictions)}"


def _find_claimant(option: Option, table: Table, settings: MatchSettings) -> str:
    """Another scene that the item fits about as well, or better."""
    scene = option.ours.scene
    rivals = [one.bits for one in table.columns[option.item] if one.ours.scene != scene]
    if option.bits - max(rivals, default=-math.inf) >= settings.lead_bits:
        return ""
    return f"another scene has as good a claim to this item ({option.weighed.summary})"


def _find_rival(option: Option, row: Sequence[Option], settings: MatchSettings) -> str:
    """Another item that the file fits about as well, or better."""
    rivals = [one.bits for one in row if one.item != option.item]
    if option.bits - max(rivals, default=-math.inf) >= settings.lead_bits:
        return ""
    alike = 1 + sum(option.bits - bits < settings.lead_bits for bits in rivals)
    return f"{alike} items fit about equally well ({option.weighed.summary})"


def _find_stranger(option: Option, table: Table) -> str:
    """A name alone proves nothing in a place where no certain pair lies."""
    if option.weighed.grade is not Grade.NAME or not table.roots:
        return ""
    if split_prefixes(option.ours.path, option.theirs.path) in table.roots:
        return ""
    return f"{option.weighed.summary}, but the item lies where no other file of that folder does"


def _find_weakness(
    option: Option, row: Sequence[Option], table: Table, settings: MatchSettings
) -> str:
    """Evidence that is not identity-grade, or not likely enough."""
    score = score_option(option, row, table.columns[option.item])
    if option.weighed.grade is not None and score >= settings.least_score:
        return ""
    return f"{option.weighed.summary}: not enough to be sure"


def _find_twin(option: Option, row: Sequence[Option], table: Table, settings: MatchSettings) -> str:
    """Whether a copy stands in the way, which only a whole path can tell from the original.

    A longer equal tail does not: a mount may begin further down than the copy's. But a copy that
    clearly is another scene's own is no rival.
    """
    if option.made.place is FolderLevel.PATH:
        return ""
    scene = option.ours.scene
    for other in row:
        if other.item == option.item:
            continue
        better_placed = (
            not other.weighed.contradictions
            and other.made.spelling >= Spelling.FOLDED
            and (other.made.place, other.made.folders) > (option.made.place, option.made.folders)
        )
        if better_placed and option.made.content is not Level.EQUAL:
            return "another item of that name lies in a better place"
        # A name that is equal here and not there tells them apart.
        renamed = other.made.spelling < Spelling.FOLDED <= option.made.spelling
        if not renamed and look_alike(other) and not _is_owned(other, scene, table, settings):
            return "a copy of the same file is another item"
    for other in table.columns[option.item]:
        if other.ours.scene == scene or not look_alike(other):
            continue
        if not _has_own(other.ours.scene, option.item, table, settings):
            return "another scene holds a copy of the same file"
    return ""


def _is_owned(other: Option, scene: int, table: Table, settings: MatchSettings) -> bool:
    """Whether a scene other than `scene` has a clearly better claim to the item of `other`."""
    if other.item in table.held:
        return True
    rivals = [one.bits for one in table.columns[other.item] if one.ours.scene != scene]
    return max(rivals, default=-math.inf) - other.bits >= settings.lead_bits


def _has_own(scene: int, item: int, table: Table, settings: MatchSettings) -> bool:
    """Whether `scene` has an item clearly more its own than `item`."""
    for row in table.rows[scene]:
        here = max((one.bits for one in row if one.item == item), default=-math.inf)
        if here == -math.inf:
            continue
        best = max((one.bits for one in row if one.item != item), default=-math.inf)
        if best - here < settings.lead_bits:
            return False
    return True


def _share(bits: float, rivals: Iterable[float]) -> float:
    """2**bits / (2**bits + sum of 2**rivals + 1), without overflow."""
    against = math.fsum(math.exp2(min(rival - bits, 900.0)) for rival in rivals)
    return 1.0 / (1.0 + math.exp2(-bits) + against)
