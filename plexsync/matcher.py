"""Scenes x items: which Plex item shows which file of which scene, and how sure that is.

Blocking chooses the pairs worth comparing, each comparison becomes evidence in bits, and a
decision over all pairs at once makes them HIGH, LOW or nothing. Pure, and linear in the library.
Source: docs/design.md, "Matching"; docs/matching.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.matching.account import (
    Account,
    Explanation,
    Named,
    Standing,
    account,
    account_of_item,
)
from plexsync.matching.answers import (
    ANSWER_PREFIX,
    NO_ANSWERS,
    NOTHING,
    AllAnswers,
    Answer,
    Pin,
    Refusal,
    SceneAnswers,
    Target,
    Verb,
    accept,
    answer_key,
    collect_answers,
    ignore,
    listen,
    refuse,
)
from plexsync.matching.blocking import prepare_files, split_name
from plexsync.matching.decision import DEFAULT_SETTINGS, MatchSettings
from plexsync.matching.layout import propose_rules, split_prefixes
from plexsync.matching.resolution import prepare_matching
from plexsync.matching.title_similarity import (
    Text,
    are_near,
    telling_words,
    texts_of_item,
    texts_of_scene,
)
from plexsync.models import Confidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import Candidate, Match, PathRule, PlexItem, RatingKey, Scene, SceneId

__all__ = [
    "ANSWER_PREFIX",
    "DEFAULT_SETTINGS",
    "NOTHING",
    "NO_ANSWERS",
    "Account",
    "AllAnswers",
    "Answer",
    "Explanation",
    "MatchSettings",
    "Named",
    "Pin",
    "Refusal",
    "SceneAnswers",
    "Standing",
    "Target",
    "Text",
    "Verb",
    "accept",
    "account",
    "account_of_item",
    "answer_key",
    "are_near",
    "collect_answers",
    "ignore",
    "match",
    "prepare_files",
    "propose_rules",
    "refuse",
    "split_name",
    "split_prefixes",
    "telling_words",
    "texts_of_item",
    "texts_of_scene",
    "wanted_hashes",
]


def match(
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    *,
    rules: Sequence[PathRule] = (),
    settings: MatchSettings = DEFAULT_SETTINGS,
    claims: Mapping[RatingKey, SceneId] | None = None,
    hashes: Mapping[int, int] | None = None,
    pins: Sequence[Pin] = (),
    refusals: Sequence[Refusal] = (),
) -> list[Match]:
    """Decide which items the scenes are.

    Args:
        scenes: the scenes that are due; each gets one match, or one for each item its files are.
        items: every item of the chosen libraries, so that rarity is known.
        rules: how Plex sees Stash's folders.
        settings: where HIGH begins.
        claims: items already linked, and to which scene; a scene in `scenes` has no claim but
            its evidence.
        hashes: Plex's `openSubtitleHash` by part id, as far as it is known.
        pins: pairs a person has confirmed, of any scene.
        refusals: pairs a person has refused, of any scene.

    Returns:
        Matches in the order of `scenes`; the order of `items` never matters.
    """
    matching = prepare_matching(
        scenes,
        items,
        rules=rules,
        settings=settings,
        claims=claims or {},
        hashes=hashes or {},
        people=listen(pins, refusals),
    )
    return matching.decide()


def wanted_hashes(
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    matches: Sequence[Match],
    *,
    claims: Mapping[RatingKey, SceneId] | None = None,
    hashes: Mapping[int, int] | None = None,
    limit: int = 1000,
) -> tuple[RatingKey, ...]:
    """Items whose content hash could change what `match` decided.

    That is a candidate of a LOW match that neither size nor duration rules out already, and the
    item of a HIGH match that rests on its name alone. A second `match` with the hashes decides.

    Args:
        scenes: what `match` was given.
        items: what `match` was given.
        matches: what it answered.
        claims: what it was given; items of other scenes stay theirs whatever the hash.
        hashes: known by part id already; not asked for again.
        limit: most items to ask for: each costs a request.
    """
    hashable = {one.scene_id for one in scenes if any(file.oshash for file in one.files)}
    claimed, known = claims or {}, hashes or {}
    wanted: dict[RatingKey, str] = {}
    for made in matches:
        if made.scene_id not in hashable:
            continue
        for candidate in made.candidates:
            owner = claimed.get(candidate.rating_key, made.scene_id)
            if owner == made.scene_id and _could_decide(made, candidate):
                wanted.setdefault(candidate.rating_key, candidate.item_path)
    unknown = {
        item.rating_key
        for item in items
        if item.rating_key in wanted
        and any(file.part_id and file.part_id not in known for file in item.files)
    }
    return tuple(key for key in wanted if key in unknown)[:limit]


# ---- Private -------------------------------------------------------------------------------------


def _could_decide(made: Match, candidate: Candidate) -> bool:
    """Whether a hash could settle a pair, for or against."""
    named = {one.name: one for one in candidate.evidence}
    if "pin" in named or "oshash" in named or "rule" in named:
        return False
    if made.confidence is Confidence.HIGH:
        return "path" not in named and "size" not in named
    facts = (named[name] for name in ("size", "duration", "frame") if name in named)
    return not any(one.weight < 0 and one.value.startswith("different") for one in facts)
