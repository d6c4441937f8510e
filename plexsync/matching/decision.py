"""HIGH or LOW: which of the weighed pairs are certain, judged as a whole and never greedily.

A pair is HIGH when the evidence for it is identity-grade and uncontradicted, its score passes the
threshold, and it leads clearly over every other item its file could be and every other scene that
could claim its item. Items that show one file, or copies of it, are one answer and no rivals.
Source: docs/design.md, "Matching"; docs/matching.md, "The decision".
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.matching.comparing.evidence import (
    Comparison,
    FolderLevel,
    Level,
    Spelling,
)
from plexsync.matching.comparing.facts import compare_duration
from plexsync.matching.comparing.weighing import DEFAULT_WEIGHTS, Option, Weights
from plexsync.matching.wording import Obstacle, Why
from plexsync.models import ItemKind, PlexItem, SceneId, id_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """Where HIGH begins. Source: docs/matching.md, "The decision".

    Attributes:
        least_score: probability a HIGH match needs, 0 to 1.
        lead_bits: how far it must be ahead of any rival.
        plausible_bits: log2 odds below which a pair is not worth a person's time.
        most_candidates: how many candidates a match keeps.
        write_copies: byte-identical copies of the scene's file are its items, too.
        weights: what each piece of evidence says.
    """

    least_score: float = 0.99
    lead_bits: float = 7.0
    plausible_bits: float = -10.0
    most_candidates: int = 10
    write_copies: bool = True
    weights: Weights = DEFAULT_WEIGHTS


DEFAULT_SETTINGS = MatchSettings()


class Claims(NamedTuple):
    """The options of all scenes for one item, the likeliest first; ids settle ties.

    Attributes:
        ranked: the options.
        counts: how many of them have how many bits.
        by_scene: the bits by scene.
    """

    ranked: Sequence[Option]
    counts: Counter[float]
    by_scene: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Table:
    """All options, and what they say together.

    Attributes:
        items: every item.
        rows: by scene and file.
        columns: by item, the best option of each scene.
        places: for an item that shows the same file as others, the first of those.
        assigned: for scenes that compete, the place each gets when the whole group is served best.
        given: the scenes a person gave an item to, by the item's position.
        is_layout_known: certain pairs show where Plex keeps Stash's folders.
        asked: claims to items, as far as they were asked for.
        counted: the counts of claims by their bits, equal ones once.
    """

    items: Sequence[PlexItem]
    rows: Sequence[Sequence[tuple[Option, ...]]]
    columns: Mapping[int, Sequence[Option]]
    places: Mapping[int, int] = field(default_factory=dict)
    assigned: Mapping[int, int] = field(default_factory=dict)
    given: Mapping[int, frozenset[SceneId]] = field(default_factory=dict)
    is_layout_known: bool = False
    asked: dict[int, Claims] = field(default_factory=dict)
    counted: dict[tuple[float, ...], Counter[float]] = field(default_factory=dict)

    def column(self, item: int) -> Sequence[Option]:
        """Return the best option of each scene for an item."""
        return self.columns.get(item, ())

    def claims(self, item: int) -> Claims:
        """Return the column of an item in order, and the bits in it counted and by scene."""
        found = self.asked.get(item)
        if found is None:
            ranked = sorted(self.column(item), key=_likelihood, reverse=True)
            bits = tuple([one.bits for one in ranked])
            counts = self.counted.setdefault(bits, Counter(bits))
            found = Claims(ranked, counts, {one.ours.scene: one.bits for one in ranked})
            self.asked[item] = found
        return found

    def place_of(self, item: int) -> int:
        """Return the first of the items that show the same file."""
        return self.places.get(item, item)


class ScoredOption(msgspec.Struct, frozen=True, gc=False):
    """One option and how likely it is, all rivals considered; `rank` orders those of a scene."""

    option: Option
    score: float
    rank: tuple[float, float, int, str]


def exclusions_of(option: Option, row: Sequence[Option], settings: MatchSettings) -> list[Option]:
    """Return the options of one file that exclude this one: none of the same file or copies.

    Of two that look alike, the one at the whole path is the file itself and the other its copy.
    """
    if len(row) == 1:
        return []
    copies = settings.write_copies and option.weighed.copied
    at_path = option.made.place is FolderLevel.PATH and option.weighed.alike
    item, path = option.item, option.path
    return [
        one
        for one in row
        if one.item != item
        and one.path != path
        and not (copies and one.weighed.copied)
        and not (at_path and one.weighed.alike and one.made.place < FolderLevel.PATH_FOLDED)
    ]


def score_option(
    option: Option, row: Sequence[Option], table: Table, settings: MatchSettings
) -> float:
    """Probability of the pair among all that exclude it: no match, other items, other scenes."""
    rivals = Counter([one.bits for one in exclusions_of(option, row, settings)])
    claims = table.claims(option.item)
    rivals.update(claims.counts)
    if (own := claims.by_scene.get(option.ours.scene)) is not None:
        rivals.subtract([own])
    return _share(option.bits, rivals)


def score_row(row: Sequence[Option], table: Table, settings: MatchSettings) -> list[float]:
    """Return the score of each option of a file; equal pairs with equal rivals share one."""
    if len({one.path for one in row}) < len(row):
        return [score_option(one, row, table, settings) for one in row]
    known: dict[tuple[int, int, float | None], float] = {}
    scores = []
    for option in row:
        claims = table.claims(option.item)
        # Equal comparisons have one assessment, and equal claims one count.
        kind = id(option.weighed), id(claims.counts), claims.by_scene.get(option.ours.scene)
        score = known.get(kind)
        if score is None:
            score = known[kind] = score_option(option, row, table, settings)
        scores.append(score)
    return scores


def rivals_of(
    option: Option, row: Sequence[Option], column: Sequence[Option], settings: MatchSettings
) -> list[Option]:
    """Return all that excludes an option: the file's other items, the item's other scenes."""
    others = [one for one in column if one.ours.scene != option.ours.scene]
    return [*exclusions_of(option, row, settings), *others]


def lead_over(option: Option, rival: Option) -> float:
    """How many bits an option is ahead of a rival, by what is known of both.

    A fact that speaks for one and is unknown of the other must not tip the scale.
    """
    ahead = option.bits - rival.bits
    if rival.weighed.contradictions:
        return ahead
    known, made = option.weighed.known, rival.made
    if made.size is Level.UNKNOWN:
        ahead -= known.get("size", 0.0)
    if made.duration is Level.UNKNOWN:
        ahead -= known.get("duration", 0.0)
    if made.content is Level.UNKNOWN:
        ahead -= known.get("oshash", 0.0)
    return ahead


def judge(
    option: Option, row: Sequence[Option], table: Table, settings: MatchSettings
) -> Obstacle | None:
    """Why an option is not HIGH by the files alone; None when it is."""
    return (
        _find_contradiction(option)
        or _find_episodes(option, row, table)
        or _find_two_videos(option, table)
        or _find_claimant(option, table, settings)
        or _find_rival(option, row, settings)
        or _find_twin(option, row, table, settings)
        or _find_skipped_copy(option, settings)
        or _find_weakness(option, row, table, settings)
    )


def find_stacked(
    option: Option, item: PlexItem, rows: Sequence[tuple[Option, ...]]
) -> Obstacle | None:
    """Return what forbids a part of a stack, unless the scene holds the other parts too."""
    if not option.theirs.file.stacked:
        return None
    held = {
        one.path
        for row in rows
        for one in row
        if one.item == option.item and not one.weighed.contradictions
    }
    if all(file.path in held for file in item.files if file.stacked):
        return None
    return Obstacle(why=Why.STACKED, option=option)


def find_other_version(option: Option, item: PlexItem) -> Obstacle | None:
    """Return what forbids an item with versions of different length: it holds several videos."""
    length = option.theirs.file.duration_s
    for file in item.files:
        if file.stacked or file.path == option.path:
            continue
        if compare_duration(length, file.duration_s) is Level.DIFFERENT:
            return Obstacle(why=Why.OTHER_VERSION, option=option, file=file)
    return None


def find_better_whole(option: Option, table: Table, settings: MatchSettings) -> Obstacle | None:
    """Whether all competing scenes together are served better another way."""
    scene, place = option.ours.scene, table.place_of(option.item)
    best = table.assigned.get(scene, place)
    if best == place:
        return None
    if settings.write_copies and option.weighed.copied:
        return None
    return Obstacle(why=Why.BETTER_WHOLE, option=option, item=best)


# ---- Private -------------------------------------------------------------------------------------

_EPISODE = ItemKind.EPISODE


def _find_contradiction(option: Option) -> Obstacle | None:
    if not option.weighed.contradictions:
        return None
    return Obstacle(why=Why.CONTRADICTED, option=option)


def _find_episodes(option: Option, row: Sequence[Option], table: Table) -> Obstacle | None:
    """One file that holds several episodes is an item for each, and none of them is the scene."""
    if sum(one.path == option.path for one in row) == 1:
        return None
    item = table.items[option.item]
    if item.kind is not _EPISODE:
        return None
    episodes = {
        one.item
        for one in row
        if one.path == option.path
        and table.items[one.item].kind is _EPISODE
        and table.items[one.item].section_id == item.section_id
    }
    if len(episodes) <= 1:
        return None
    return Obstacle(why=Why.EPISODES, option=option, count=len(episodes))


def _find_two_videos(option: Option, table: Table) -> Obstacle | None:
    """Another scene that surely is another file of the same item: Plex merged two videos."""
    if option.weighed.grade is None:
        return None
    for one in table.column(option.item):
        if (
            one.ours.scene != option.ours.scene
            and one.path != option.path
            and one.weighed.grade is not None
            and not one.weighed.contradictions
        ):
            return Obstacle(why=Why.TWO_VIDEOS, option=option, scene_id=one.ours.scene_id)
    return None


def _find_claimant(option: Option, table: Table, settings: MatchSettings) -> Obstacle | None:
    """Another scene that the item fits about as well, or better."""
    scene = option.ours.scene
    for one in table.claims(option.item).ranked:
        if one.ours.scene != scene and lead_over(option, one) < settings.lead_bits:
            return Obstacle(why=Why.CLAIMED, option=option, scene_id=one.ours.scene_id)
    return None


def _find_rival(option: Option, row: Sequence[Option], settings: MatchSettings) -> Obstacle | None:
    """Another item that the file fits about as well, or better."""
    near = [
        one
        for one in exclusions_of(option, row, settings)
        if lead_over(option, one) < settings.lead_bits
    ]
    if not near:
        return None
    nearest = max(near, key=lambda one: (one.bits, one.path))
    return Obstacle(why=Why.RIVAL, option=option, item=nearest.item, count=1 + len(near))


def _find_twin(
    option: Option, row: Sequence[Option], table: Table, settings: MatchSettings
) -> Obstacle | None:
    """Whether a copy stands in the way, which only a whole path can tell from the original.

    A longer equal tail does not: a mount may begin further down than the copy's. But a copy that
    clearly is another scene's own is no rival.
    """
    if option.made.place is FolderLevel.PATH:
        return None
    scene = option.ours.scene
    for other in exclusions_of(option, row, settings):
        better_placed = (
            not other.weighed.contradictions
            and other.made.spelling >= Spelling.FOLDED
            and (other.made.place, other.made.folders) > (option.made.place, option.made.folders)
        )
        if better_placed and option.made.content is not Level.EQUAL:
            return Obstacle(why=Why.BETTER_PLACED, option=option, item=other.item)
        # A name that is equal here and not there tells them apart.
        renamed = other.made.spelling < Spelling.FOLDED <= option.made.spelling
        if not renamed and other.weighed.alike and not _is_owned(other, option, table, settings):
            return Obstacle(why=Why.COPY, option=option, item=other.item)
    for other in table.column(option.item):
        if other.ours.scene == scene or not other.weighed.alike:
            continue
        # Certain pairs lead to this place from our folder, and not from theirs.
        if option.made.led and not other.made.led:
            continue
        if not _has_own(other.ours.scene, option, table, settings):
            return Obstacle(why=Why.TWIN_SCENE, option=option, scene_id=other.ours.scene_id)
    return None


def _is_owned(other: Option, option: Option, table: Table, settings: MatchSettings) -> bool:
    """Whether a scene other than that of `option` has a clearly better claim to another item."""
    if table.given.get(other.item, frozenset()) - {option.ours.scene_id}:
        return True
    rivals = [one for one in table.column(other.item) if one.ours.scene != option.ours.scene]
    return any(lead_over(one, other) >= settings.lead_bits for one in rivals)


def _has_own(scene: int, option: Option, table: Table, settings: MatchSettings) -> bool:
    """Whether `scene` has a file of Plex clearly more its own than that of `option`."""
    for row in table.rows[scene]:
        here = max((one for one in row if one.item == option.item), key=_bits, default=None)
        if here is None:
            continue
        best = max((one for one in row if one.path != option.path), key=_bits, default=None)
        if best is None or lead_over(best, here) < settings.lead_bits:
            return False
    return True


def _bits(option: Option) -> float:
    return option.bits


def _likelihood(option: Option) -> tuple[float, int, str]:
    return option.bits, *id_order(option.ours.scene_id)


def _find_skipped_copy(option: Option, settings: MatchSettings) -> Obstacle | None:
    """Return what forbids a copy outside of the mapped folders, where copies are not written."""
    made = option.made
    if settings.write_copies or not made.outside or made.place >= FolderLevel.PATH_FOLDED:
        return None
    return Obstacle(why=Why.SKIPPED_COPY, option=option)


def _find_weakness(
    option: Option, row: Sequence[Option], table: Table, settings: MatchSettings
) -> Obstacle | None:
    """Evidence that is not identity-grade, or not likely enough."""
    score = score_option(option, row, table, settings)
    if option.weighed.grade is not None and score >= settings.least_score:
        return None
    return Obstacle(why=_name_weakness(option.made, table), option=option)


def _name_weakness(made: Comparison, table: Table) -> Why:
    """Return what exactly is missing."""
    if made.readable:
        return Why.UNREAD
    named = made.spelling is Spelling.EXACT and made.place < FolderLevel.PATH_FOLDED
    if named and not made.led and not made.generic and made.size is Level.UNKNOWN:
        return Why.STRANGE_PLACE if table.is_layout_known else Why.UNKNOWN_PLACE
    if named and not made.led and made.generic and made.size is Level.EQUAL:
        return Why.GENERIC
    return Why.WEAK


def _share(bits: float, rivals: Mapping[float, int]) -> float:
    """2**bits / (2**bits + sum of 2**rivals + 1), without overflow; `rivals` counts their bits."""
    # The sum is exact, in whatever order.
    shares = (math.exp2(min(rival - bits, 900.0)) * count for rival, count in rivals.items())
    return 1.0 / (1.0 + math.exp2(-bits) + math.fsum(shares))
