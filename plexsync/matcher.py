"""Scenes x items: which Plex item shows which file of which scene, and how sure that is.

Blocking chooses the pairs worth comparing, each comparison becomes evidence in bits, and a
decision over all pairs at once makes them HIGH, LOW or nothing. Pure and linear in the library.
Source: docs/design.md, "Matching"; docs/matching.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.decision import (
    DEFAULT_SETTINGS,
    MatchSettings,
    Option,
    Table,
    Verdict,
    judge,
    score_option,
)
from plexsync.evidence import Level, compare_duration
from plexsync.models import Candidate, Confidence, Evidence, Match, RatingKey, SceneId
from plexsync.path_rules import propose_rules
from plexsync.people import Pin, Refusal, find_file, holds_path, listen, remembers
from plexsync.tables import tabulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.models import PathRule, PlexItem, Scene
    from plexsync.people import People

__all__ = [
    "DEFAULT_SETTINGS",
    "MatchSettings",
    "Pin",
    "Refusal",
    "match",
    "propose_rules",
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
    people = listen(pins, refusals)
    judged = _Matching(
        scenes=scenes,
        items=items,
        settings=settings,
        claims=claims or {},
        people=people,
        table=tabulate(
            scenes, items, rules=rules, settings=settings, hashes=hashes or {}, people=people
        ),
        due={scene.scene_id for scene in scenes},
        by_key={one.rating_key: one for one in items if one.rating_key in people.pinned},
    )
    return [made for position in range(len(scenes)) for made in judged.decide(position)]


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
    weights = {one.name: one.weight for one in candidate.evidence}
    if "pin" in weights or "oshash" in weights:
        return False
    if made.confidence is Confidence.HIGH:
        return "path" not in weights and "size" not in weights
    return all(weights.get(name, 0.0) >= 0 for name in ("size", "frame")) and (
        weights.get("duration", 0.0) > DEFAULT_SETTINGS.weights.duration_different
    )


class _Matching(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything a decision rests on."""

    scenes: Sequence[Scene]
    items: Sequence[PlexItem]
    settings: MatchSettings
    claims: Mapping[RatingKey, SceneId]
    people: People
    table: Table
    due: set[SceneId]
    by_key: Mapping[RatingKey, PlexItem]

    def decide(self, position: int) -> list[Match]:
        """The matches of one scene."""
        scene = self.scenes[position]
        rows = self.table.rows[position]
        verdicts = [self._judge_row(row, rows) for row in rows]
        pinned = self._pinned(scene, verdicts)
        stale = [made for made in pinned if made.confidence is not Confidence.HIGH]
        if stale:
            return stale[:1]
        linked = {made.candidates[0].rating_key for made in pinned}
        found = pinned + [
            made
            for made in self._certain(scene, verdicts)
            if made.candidates[0].rating_key not in linked
        ]
        if found:
            return found
        return [self._doubtful(scene, verdicts) if verdicts else _nothing(scene)]

    def _pinned(self, scene: Scene, verdicts: Sequence[Sequence[Verdict]]) -> list[Match]:
        """A match for each pin of the scene: HIGH while it holds, else LOW with the reason."""
        return [
            self._keep_pin(scene, pin, verdicts) for pin in self.people.pins.get(scene.scene_id, ())
        ]

    def _keep_pin(self, scene: Scene, pin: Pin, verdicts: Sequence[Sequence[Verdict]]) -> Match:
        item = self.by_key.get(pin.rating_key)
        file = find_file(scene, pin)
        doubt = ""
        if file is None:
            doubt = "a person confirmed an item for this scene, but its file changed since"
        elif item is None or not holds_path(item, pin.item_path):
            doubt = "a person confirmed an item for this scene, but Plex holds that file no more"
        elif len(self.people.pinned[pin.rating_key]) > 1:
            doubt = "the item it was confirmed for was confirmed for another scene as well"
        if doubt or item is None or file is None:
            best = self._doubtful(scene, verdicts) if verdicts else _nothing(scene)
            return msgspec.structs.replace(best, reason=doubt)
        known = [one for row in verdicts for one in row if self.items[one.option.item] is item]
        evidence = known[0].option.weighed.evidence if known else ()
        candidate = Candidate(
            rating_key=item.rating_key,
            title=item.title,
            scene_path=file.path,
            item_path=pin.item_path,
            score=1.0,
            evidence=(_PINNED, *evidence),
        )
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.HIGH,
            reason="confirmed by a person",
            score=1.0,
            margin=1.0,
            candidates=(candidate,),
            candidate_count=1,
        )

    def _judge_row(
        self, row: tuple[Option, ...], rows: Sequence[tuple[Option, ...]]
    ) -> list[Verdict]:
        """The options of one file, best first."""
        own = _siblings(row, rows)
        verdicts = []
        for option in row:
            rivals = [one for one in row if one.item == option.item or one.item not in own]
            column = self.table.columns[option.item]
            score = score_option(option, rivals, column)
            verdicts.append(
                Verdict(
                    option=option,
                    score=score,
                    margin=score,
                    obstacle=self._obstacle(option, rivals, rows),
                )
            )
        verdicts.sort(key=self._rank)
        return verdicts

    def _rank(self, verdict: Verdict) -> tuple[float, float, int, str]:
        key = self.items[verdict.option.item].rating_key
        return -verdict.score, -verdict.option.bits, len(key), key

    def _obstacle(
        self, option: Option, row: Sequence[Option], rows: Sequence[tuple[Option, ...]]
    ) -> str:
        """Why an option is not HIGH; "" when it is."""
        scene = self.scenes[option.ours.scene].scene_id
        item = self.items[option.item]
        holders = self.people.pinned.get(item.rating_key, frozenset()) - {scene}
        if holders:
            return f"a person gave this item to scene {min(holders)}"
        if any(remembers(said, item) for said in self.people.refusals.get(scene, ())):
            return "a person refused this pair; a file or the item changed since"
        claimant = self.claims.get(item.rating_key, scene)
        if claimant != scene and claimant not in self.due:
            return f"the item is already linked to scene {claimant}"
        return (
            judge(option, row, self.table, self.settings)
            or _find_stacked(option, item, rows)
            or _find_other_version(option, item)
        )

    def _certain(self, scene: Scene, verdicts: Sequence[Sequence[Verdict]]) -> list[Match]:
        """A match for each item that is HIGH for one of the files."""
        found: dict[int, Verdict] = {}
        for row in verdicts:
            best = row[0]
            if best.obstacle:
                continue
            other = found.get(best.option.item)
            if other is None or best.option.bits > other.option.bits:
                found[best.option.item] = best
        return [self._high(scene, one, verdicts) for one in sorted(found.values(), key=self._rank)]

    def _high(self, scene: Scene, best: Verdict, verdicts: Sequence[Sequence[Verdict]]) -> Match:
        row = next(row for row in verdicts if row[0] is best)
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.HIGH,
            reason=best.option.weighed.summary,
            score=best.score,
            margin=best.score - (row[1].score if len(row) > 1 else 0.0),
            candidates=(self._candidate(best),),
            candidate_count=len(row),
        )

    def _doubtful(self, scene: Scene, verdicts: Sequence[Sequence[Verdict]]) -> Match:
        """One LOW match over all files, each item once."""
        best: dict[int, Verdict] = {}
        for verdict in (one for row in verdicts for one in row):
            other = best.get(verdict.option.item)
            if other is None or self._rank(verdict) < self._rank(other):
                best[verdict.option.item] = verdict
        ranked = sorted(best.values(), key=self._rank)
        first = ranked[0]
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.LOW,
            reason=first.obstacle,
            score=first.score,
            margin=first.score - (ranked[1].score if len(ranked) > 1 else 0.0),
            candidates=tuple(map(self._candidate, ranked[: self.settings.most_candidates])),
            candidate_count=len(ranked),
        )

    def _candidate(self, verdict: Verdict) -> Candidate:
        option = verdict.option
        item = self.items[option.item]
        return Candidate(
            rating_key=item.rating_key,
            title=item.title,
            scene_path=option.ours.file.path,
            item_path=option.theirs.file.path,
            score=verdict.score,
            evidence=option.weighed.evidence,
        )


_PINNED = Evidence(name="pin", value="a person confirmed this pair", weight=64.0)


def _siblings(row: tuple[Option, ...], rows: Sequence[tuple[Option, ...]]) -> set[int]:
    """Items that other files of the same scene are: linked anyway, so no rivals."""
    if len(rows) == 1:
        return set()
    taken: set[int] = set()
    files: set[int] = set()
    mine = -1
    options = [(one, place) for place, other in enumerate(rows) for one in other]
    for option, place in sorted(options, key=lambda one: (-one[0].bits, one[0].theirs.file.path)):
        if option.item in taken or place in files:
            continue
        files.add(place)
        taken.add(option.item)
        if rows[place] is row:
            mine = option.item
    return taken - {mine}


def _nothing(scene: Scene) -> Match:
    reason = "no item resembles it" if scene.files else "the scene has no file"
    return Match(scene_id=scene.scene_id, confidence=None, reason=reason)


def _find_stacked(option: Option, item: PlexItem, rows: Sequence[tuple[Option, ...]]) -> str:
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


def _find_other_version(option: Option, item: PlexItem) -> str:
    """An item whose versions are of different length holds more than one video."""
    if len(item.files) == 1:
        return ""
    length = option.theirs.file.duration_s
    for file in item.files:
        if file.stacked or file.path == option.theirs.file.path:
            continue
        if compare_duration(length, file.duration_s) is Level.DIFFERENT:
            return "the item holds another video as well"
    return ""
