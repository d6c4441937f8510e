"""Which waiting scenes are meant, and answers about them; the same for keys, commands and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.matcher import Answer, Target, Verb, split_prefixes
from plexsync.models import Candidate, Evidence, PathRule
from plexsync.text.normalize import apply_rules, fold, normalize_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from plexsync.models import PlexItem, RatingKey, Scene, SceneId
    from plexsync.state import Waiting

Pattern = tuple[tuple[tuple[str, int], ...], str]
"""The evidence of an only candidate without its values, each name and whether it is for or against;
and the reason it is not HIGH, without its numbers."""

NAMED = "person"
"""The evidence of a candidate that a person brought, and that no matching has weighed."""

NOTHING_WAITS = "Nothing waits for review."

_SHOWN = 6
"""Decimals JSON shows: a score that was copied from there must let its own scene pass."""

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which of the waiting scenes are meant.

    Args:
        score_min: the best candidate has at least this score.
        lead_min: and at least this lead over the next.
        reason: the reason it is not HIGH contains this text, case aside.
    """

    score_min: float | None = None
    lead_min: float | None = None
    reason: str = ""

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self.score_min is not None or self.lead_min is not None or bool(self.reason)

    def let_pass(self, waiting: Waiting) -> bool:
        """Whether a scene is meant."""
        match = waiting.match
        return (
            (self.score_min is None or round(match.score, _SHOWN) >= self.score_min)
            and (self.lead_min is None or round(match.margin, _SHOWN) >= self.lead_min)
            and fold(self.reason) in fold(match.reason)
        )


# ---- Answers -------------------------------------------------------------------------------------


def target_of(candidate: Candidate) -> Target:
    """A candidate as an answer names it."""
    return Target(
        rating_key=candidate.rating_key,
        scene_path=candidate.scene_path,
        item_path=candidate.item_path,
    )


def acceptance(waiting: Waiting, candidates: Sequence[Candidate]) -> Answer:
    """The scene is these items."""
    return Answer(verb=Verb.ACCEPT, scene=waiting.scene, targets=tuple(map(target_of, candidates)))


def rejection(
    waiting: Waiting, candidates: Sequence[Candidate], refused: Collection[RatingKey] = ()
) -> Answer:
    """The scene is none of these items; `refused` are those it is not already."""
    keys = {one.rating_key for one in candidates} | set(refused)
    left = any(one.rating_key not in keys for one in waiting.candidates)
    hidden = waiting.match.candidate_count > len(waiting.candidates)
    return Answer(
        verb=Verb.REJECT,
        scene=waiting.scene,
        targets=tuple(map(target_of, candidates)),
        open=left or hidden,
    )


def absence(waiting: Waiting) -> Answer:
    """The scene is not in Plex."""
    targets = tuple(map(target_of, waiting.candidates))
    return Answer(verb=Verb.ABSENT, scene=waiting.scene, targets=targets)


def ignoring(waiting: Waiting, reason: str = "") -> Answer:
    """The scene takes no part."""
    return Answer(verb=Verb.IGNORE, scene=waiting.scene, reason=reason.strip())


def resetting(waiting: Waiting) -> Answer:
    """Whatever was said about the scene is forgotten."""
    return Answer(verb=Verb.RESET, scene=waiting.scene, open=bool(waiting.candidates))


# ---- Items a person names ------------------------------------------------------------------------


def candidate_of(item: PlexItem, scene: Scene, *, found: str) -> Candidate:
    """An item a person named, as a candidate: the file to compare is the first of each."""
    return Candidate(
        rating_key=item.rating_key,
        title=item.title,
        scene_path=scene.files[0].path if scene.files else "",
        item_path=item.files[0].path if item.files else "",
        score=0.0,
        evidence=(Evidence(name=NAMED, value=found, weight=0.0),),
    )


def with_candidate(waiting: Waiting, candidate: Candidate, library: str) -> Waiting:
    """The same scene with one candidate more, which stands last."""
    match = replace(waiting.match, candidates=(*waiting.candidates, candidate))
    shown = (*waiting.libraries, *[""] * (len(waiting.candidates) - len(waiting.libraries)))
    return replace(waiting, match=match, libraries=(*shown, library))


# ---- Groups --------------------------------------------------------------------------------------


def pattern_of(waiting: Waiting) -> Pattern | None:
    """What makes scenes alike; None for one that has not just one candidate."""
    if len(waiting.candidates) != 1 or waiting.match.candidate_count > 1:
        return None
    signs = sorted((one.name, _sign(one.weight)) for one in waiting.candidates[0].evidence)
    return tuple(signs), _DIGITS.sub("#", waiting.match.reason)


def pattern_lines(candidate: Candidate) -> tuple[str, ...]:
    """What speaks for each candidate of a group, and what against; by name alone."""
    ordered = sorted(candidate.evidence, key=lambda one: -one.weight)
    sides = {1: "for", -1: "against"}
    told = {
        word: ", ".join(one.name for one in ordered if _sign(one.weight) == sign)
        for sign, word in sides.items()
    }
    return tuple(f"{word}: {names}" for word, names in told.items() if names)


def group_of(waiting: Waiting, others: Iterable[Waiting]) -> list[Waiting]:
    """Those of `others`, `waiting` first, that may be accepted with it.

    Same evidence pattern, same reason, one candidate each, and no two of them want one item.
    """
    pattern = pattern_of(waiting)
    if pattern is None:
        return []
    chosen = {waiting.candidates[0].rating_key: waiting}
    for one in others:
        if one.scene_id != waiting.scene_id and pattern_of(one) == pattern:
            chosen.setdefault(one.candidates[0].rating_key, one)
    return list(chosen.values())


def rivals_of(queue: Iterable[Waiting]) -> dict[RatingKey, list[SceneId]]:
    """The scenes each item is a candidate of."""
    wanted: dict[RatingKey, list[SceneId]] = {}
    for one in queue:
        for candidate in one.candidates:
            wanted.setdefault(candidate.rating_key, []).append(one.scene_id)
    return wanted


def owner_note(owner: SceneId | None) -> list[str]:
    """What a person should know before taking an item from its scene."""
    return [f"linked to scene {owner} already"] if owner else []


def rule_for(candidate: Candidate, known: Sequence[PathRule]) -> PathRule | None:
    """The path rule under which both files of a candidate are one path; None for none."""
    ours, theirs = normalize_path(candidate.scene_path), normalize_path(candidate.item_path)
    if not ours or not theirs or theirs in (ours, apply_rules(ours, known)):
        return None
    stash, plex = split_prefixes(ours, theirs)
    same_name = ours.rpartition("/")[2] == theirs.rpartition("/")[2]
    if not same_name or not stash or not plex or stash == plex:
        return None
    return PathRule(stash=stash, plex=plex)


def fitted_by(rule: PathRule, others: Iterable[Waiting]) -> list[Waiting]:
    """Those of `others` that have just one candidate whose path `rule` explains."""
    found = []
    for one in others:
        fits = [
            candidate
            for candidate in one.candidates
            if apply_rules(normalize_path(candidate.scene_path), [rule])
            == normalize_path(candidate.item_path)
        ]
        if len(fits) == 1:
            found.append(one)
    return found


def _sign(weight: float) -> int:
    return (weight > 0) - (weight < 0)
