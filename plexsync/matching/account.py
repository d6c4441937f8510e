"""The whole account of a decision: every candidate, its waterfall, and what HIGH would take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Unpack

import msgspec
from msgspec import structs

from plexsync.matching.answers import refuses
from plexsync.matching.comparing.evidence import Comparison, FolderLevel, Level, Spelling
from plexsync.matching.decision import rivals_of, score_option
from plexsync.matching.layout import split_prefixes
from plexsync.matching.scoring import refine
from plexsync.matching.verdicts import Known, Matching, prepare_matching
from plexsync.models import (
    Candidate,
    Confidence,
    Evidence,
    Match,
    RatingKey,
    SceneId,
    SceneRecord,
    id_order,
)
from plexsync.text.normalize import base_name, fold, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plexsync.matching.comparing.weighing import Option
    from plexsync.models import PlexItem, Scene


SCHEMA = "plexsync/explain/1"
"""What a JSON explanation calls itself."""


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One scene and one item.

    Attributes:
        scene_id: the scene.
        candidate: the item, its score, and evidence that adds up to it: the weights sum to log2
            of score / (1 - score). What rivals take away is evidence of its own.
        grade: why the pair is identity-grade; "" when it is not.
        obstacle: why it is not HIGH; "" when it is.
        would_raise: what would make it HIGH, as far as matching can tell.
    """

    scene_id: SceneId
    candidate: Candidate
    grade: str
    obstacle: str
    would_raise: tuple[str, ...]


class Account(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything about one scene or one item.

    Attributes:
        matches: what a run decides about the scene, or the item's scenes.
        standings: every candidate, the best first.
        refused: items a person refused for the scene.
        in_trash: items in Plex's trash that show a file of the scene's name.
        least_score: the score HIGH needs.
        lead_bits: the lead over any rival HIGH needs.
    """

    matches: tuple[Match, ...]
    standings: tuple[Standing, ...]
    refused: tuple[RatingKey, ...]
    in_trash: tuple[RatingKey, ...]
    least_score: float
    lead_bits: float


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A scene or an item as an explanation names it. `library` is "" for a scene."""

    id: str
    title: str
    paths: tuple[str, ...]
    library: str
    url: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to say.

    Attributes:
        subject: the scene or item it is about.
        is_item: it is about an item of Plex, shown from that side.
        account: candidates, evidence, obstacles, what would help.
        record: what earlier runs remember of the scene; None when nothing is.
        names: every scene and item the account speaks of.
        items_compared: how many items there are.
        notes: what else decides what becomes of it, as sentences.
    """

    schema: str = SCHEMA
    subject: Named
    is_item: bool
    account: Account
    record: SceneRecord | None
    names: dict[str, Named]
    items_compared: int
    notes: tuple[str, ...] = ()


def account(
    scene: Scene, items: Sequence[PlexItem], matches: Sequence[Match], **known: Unpack[Known]
) -> Account:
    """Give the account of one scene.

    Args:
        scene: the scene.
        items: see `matcher.match`.
        matches: what was decided about the scene.
        **known: see `Known`; `others` are all other scenes that may compete for its items.
    """
    matching = prepare_matching([scene], items, staged=False, **known)
    refusals = matching.people.refusals.get(scene.scene_id, ())
    names = {fold(base_name(normalize_path(file.path))) for file in scene.files}
    return Account(
        matches=tuple(matches),
        standings=_rank((_stand(matching, row) for row in matching.rows_of(0)), matches),
        refused=tuple(
            item.rating_key for item in items if any(refuses(one, scene, item) for one in refusals)
        ),
        in_trash=tuple(
            item.rating_key
            for item in items
            if item.trashed
            and any(fold(base_name(normalize_path(file.path))) in names for file in item.files)
        ),
        least_score=matching.settings.least_score,
        lead_bits=matching.settings.lead_bits,
    )


def account_of_item(
    rating_key: RatingKey,
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    matches: Iterable[Match],
    **known: Unpack[Known],
) -> Account:
    """Give the account from the other side: every scene that could be the item.

    The arguments are those of `matcher.match`, and what was decided about the scenes.
    """
    matching = prepare_matching(scenes, items, staged=False, **known)
    place = next(
        (at for at, one in enumerate(matching.keys.items) if one.rating_key == rating_key), None
    )
    column = matching.claims_to(place) if place is not None else ()
    ids = {one.ours.scene_id for one in column}
    matches = tuple(one for one in matches if one.scene_id in ids)
    return Account(
        matches=matches,
        standings=_rank((_stand_one(matching, one) for one in column), matches),
        refused=(),
        in_trash=(),
        least_score=matching.settings.least_score,
        lead_bits=matching.settings.lead_bits,
    )


_RIVALS_NAMED = 3
"""Rivals an explanation names; they are in the order of what speaks for them."""

# ---- Private -------------------------------------------------------------------------------------

_CONFIRMING = "a person confirming it in a review"


def _rank(several: Iterator[list[Standing]], matches: Sequence[Match]) -> tuple[Standing, ...]:
    """All standings, each pair of scene and item once, the likeliest first."""
    doubts = {one.scene_id: one.reason for one in matches if one.confidence is Confidence.LOW}
    best: dict[tuple[SceneId, RatingKey], Standing] = {}
    for standing in (_doubted(one, doubts) for row in several for one in row):
        pair = standing.scene_id, standing.candidate.rating_key
        if pair not in best or _worth(standing) > _worth(best[pair]):
            best[pair] = standing
    return tuple(
        sorted(
            best.values(),
            key=lambda one: (-one.candidate.score, id_order(one.candidate.rating_key)),
        )
    )


def _doubted(standing: Standing, doubts: Mapping[SceneId, str]) -> Standing:
    """Return a standing that is not HIGH where its scene is not, whatever the reason."""
    doubt = doubts.get(standing.scene_id)
    if standing.obstacle or doubt is None:
        return standing
    return structs.replace(standing, obstacle=doubt, would_raise=(_CONFIRMING,))


def _worth(standing: Standing) -> tuple[bool, float]:
    """Of several files of a scene, the one that makes the pair HIGH speaks for it."""
    return not standing.obstacle, standing.candidate.score


def _stand(matching: Matching, row: tuple[Option, ...]) -> list[Standing]:
    """Return the options of one file, weighed as `match` shows them."""
    sure = any(not matching.obstacle(one) for one in row)
    scene = matching.scenes[row[0].ours.scene]
    shown = row if sure else refine(row, scene, matching)
    return [
        _make_standing(matching, option, refined, rivals=shown)
        for option, refined in zip(row, shown, strict=True)
    ]


def _stand_one(matching: Matching, option: Option) -> list[Standing]:
    """One option of a file."""
    row = matching.row_of(option)
    return [
        standing
        for standing, other in zip(_stand(matching, row), row, strict=True)
        if other.item == option.item
    ]


def _make_standing(
    matching: Matching, option: Option, refined: Option, *, rivals: Sequence[Option]
) -> Standing:
    item = matching.keys.items[option.item]
    column = matching.table.column(option.item)
    against = rivals_of(refined, rivals, column, matching.settings)
    evidence = list(refined.weighed.evidence)
    if against:
        worth = math.fsum(math.exp2(min(one.bits, 900.0)) for one in against)
        value = _name_rivals(matching, option, against)
        evidence.append(Evidence(name="rivals", value=value, weight=-math.log2(1.0 + worth)))
    score = score_option(refined, rivals, matching.table, matching.settings)
    plain = score_option(option, matching.row_of(option), matching.table, matching.settings)
    most = max(plain, matching.settings.least_score)
    if refined is not option and score > most:
        weight = _odds(most) - _odds(score)
        value = "titles and dates lift nothing over the threshold"
        evidence.append(Evidence(name="limit", value=value, weight=weight))
        score = most
    obstacle = matching.reason(option)
    return Standing(
        scene_id=matching.scenes[option.ours.scene].scene_id,
        candidate=Candidate(
            rating_key=item.rating_key,
            title=item.title,
            scene_path=option.ours.file.path,
            item_path=option.theirs.file.path,
            score=score,
            evidence=tuple(evidence),
        ),
        grade=option.weighed.grade or "",
        obstacle=obstacle,
        would_raise=tuple(_raise(matching, option)) if obstacle else (),
    )


def _odds(score: float) -> float:
    """Log2 odds of a probability."""
    return math.log2(score) - math.log2(max(1.0 - score, 1e-300))


def _name_rivals(matching: Matching, option: Option, against: Sequence[Option]) -> str:
    """Return the strongest rivals by name, and how many more there are."""
    names: dict[str, None] = {}
    for one in sorted(against, key=lambda one: -one.bits):
        scene = matching.scenes[one.ours.scene]
        if one.ours.scene != option.ours.scene:
            names[f"scene {scene.scene_id} ({scene.title or base_name(one.ours.path)})"] = None
        else:
            item = matching.keys.items[one.item]
            names[f"item {item.rating_key} ({item.title or base_name(one.theirs.path)})"] = None
    shown = list(names)[:_RIVALS_NAMED]
    more = [f"{len(names) - len(shown)} more"] if len(names) > len(shown) else []
    return ", ".join([*shown, *more])


def _raise(matching: Matching, option: Option) -> Iterator[str]:
    """Yield what would make an option HIGH: each would do alone, most practical first."""
    for words, changed in _suppositions(option):
        if matching.suppose(option, changed):
            yield words
    yield _CONFIRMING


def _suppositions(option: Option) -> Iterator[tuple[str, Comparison]]:
    """Yield what may turn out about a pair that is one file."""
    made = option.made
    stash, plex = split_prefixes(option.ours.path, option.theirs.path)
    if made.place is not FolderLevel.PATH and made.spelling is Spelling.EXACT and stash != plex:
        ruled = made._replace(place=FolderLevel.PATH, ruled=True, merged=False, outside=False)
        yield f"a path rule {stash} -> {plex}", ruled
    if made.content is Level.UNKNOWN and made.size is not Level.DIFFERENT:
        yield "an equal content hash", made._replace(content=Level.EQUAL)
    if made.size is Level.UNKNOWN:
        yield (
            "an equal size, once both servers know it",
            made._replace(size=Level.EQUAL, size_bits=24, telling_size=True),
        )
    if made.duration is Level.UNKNOWN:
        yield "an equal duration, once both servers know it", made._replace(duration=Level.EQUAL)
    if Level.DIFFERENT in (made.size, made.duration, made.frame, made.content):
        yield (
            "a rescan, if it is the same file and one server has not noticed that it changed",
            made._replace(
                size=Level.EQUAL,
                size_bits=max(made.size_bits, 24),
                telling_size=made.telling_size or made.size is not Level.EQUAL,
                duration=max(made.duration, Level.EQUAL),
                frame=max(made.frame, Level.UNKNOWN),
                content=max(made.content, Level.UNKNOWN),
            ),
        )
