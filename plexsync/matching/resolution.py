"""From verdicts to matches: first all that are HIGH, then what is left for a person."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from msgspec import structs

from plexsync.matching.answers import AnsweredPair, find_file
from plexsync.matching.decision import ScoredOption, exclusions_of
from plexsync.matching.matches import Matches, SurePairs
from plexsync.matching.scoring import refine
from plexsync.matching.wording import compare_facts, scene_paths
from plexsync.models import (
    Candidate,
    Confidence,
    Evidence,
    Match,
    RatingKey,
    Scene,
    SceneId,
    id_order,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.matching.comparing.weighing import Option
    from plexsync.matching.verdicts import Judged, Matching
    from plexsync.matching.wording import Obstacle


def resolve(matching: Matching) -> Matches:
    """All matches, in the order of the scenes."""
    return _Resolution(matching).resolve()


# ---- Private -------------------------------------------------------------------------------------


class _Resolution:
    """Makes matches of the verdicts about a set of scenes."""

    def __init__(self, matching: Matching) -> None:
        self._matching = matching
        self._scenes = matching.scenes
        self._table = matching.table
        self._sure = matching.sure[: matching.due]
        self._settings = matching.settings
        self._people = matching.people
        self._names = matching.names
        self._pairs = SurePairs(
            self._scenes,
            matching.keys,
            partners=matching.partners,
            sure=self._sure,
            library=self._names.library,
        )
        self._taken: Mapping[RatingKey, SceneId] = {}
        """Items that are HIGH, and for which scene, as far as a match says so."""

    def resolve(self) -> Matches:
        """All matches, in the order of the scenes."""
        partners = self._matching.partners.items
        certain: dict[int, list[Match]] = {}
        open_: dict[int, Judged] = {}
        for position, sure in enumerate(self._sure):
            if sure is None:
                judged = self._matching.judge(position)
                # A pair that nothing competes with was judged, and is not sure.
                alone = partners[position] >= 0
                if found := [] if alone else self._certain(position, judged):
                    certain[position] = found
                else:
                    open_[position] = judged
            elif sure.is_open:
                certain[position] = [self._pairs.match(position)]
                self._names.paths.update(scene_paths([self._scenes[position]]))
        self._taken = {
            made.candidates[0].rating_key: made.scene_id
            for some in certain.values()
            for made in some
        }
        for position, found in certain.items():
            if len(self._scenes[position].files) > 1:
                certain[position] = self._with_other_files(position, found)
        lost = [position for position, judged in open_.items() if not judged]
        late = {
            position: self._doubtful(position, judged)
            for position, judged in self._matching.judge_resembling(lost)
        }
        slots: list[Match | int] = []
        for position, sure in enumerate(self._sure):
            if position in certain:
                slots += certain[position]
            elif sure is not None:
                slots.append(position)
            else:
                slots.append(late.get(position) or self._doubtful(position, open_[position]))
        return Matches(slots, self._pairs)

    # ---- One scene -------------------------------------------------------------------------------

    def _certain(self, position: int, judged: Judged) -> list[Match]:
        """Return what a person confirmed, and a match for each item HIGH for one of the files."""
        scene = self._scenes[position]
        pins = self._people.pins_of(scene)
        if any(self._matching.doubt(scene, pin) for pin in pins):
            return []
        found = [self._pinned(scene, pin, judged) for pin in pins]
        linked = {made.candidates[0].rating_key for made in found}
        # Accepting an item for a file refuses every other one.
        settled = [find_file(scene, pin) for pin in pins]
        best: dict[RatingKey, Match] = {}
        for whole, row in zip(self._table.rows[position], judged, strict=True):
            if row[0].option.ours.file in settled:
                continue
            for one in self._same_files(row):
                key = self._key(one)
                if key in linked or self._matching.obstacle_in(whole, one.option):
                    continue
                made = self._high(scene, one, row)
                if key not in best or made.score > best[key].score:
                    best[key] = made
        return found + [best[key] for key in sorted(best, key=id_order)]

    def _with_other_files(self, position: int, found: list[Match]) -> list[Match]:
        """Let the first match of a scene ask for what could make its other files certain, too."""
        settled = {made.candidates[0].scene_path for made in found}
        others = (
            one.option
            for row in self._matching.judge(position)
            for one in row
            if one.option.ours.file.path not in settled
            and one.option.weighed.undecided
            and self._holder(one.option) is None
        )
        first = found[0]
        unread = tuple(dict.fromkeys((*first.unread, *self._keys(others))))
        return [structs.replace(first, unread=unread), *found[1:]]

    def _same_files(self, row: list[ScoredOption]) -> list[ScoredOption]:
        """Return the best option of a file, and those that do not exclude it."""
        best = row[0].option
        excluded = {
            one.item for one in exclusions_of(best, [x.option for x in row], self._settings)
        }
        return [one for one in row if one.option.item not in excluded]

    def _high(self, scene: Scene, best: ScoredOption, row: list[ScoredOption]) -> Match:
        options = [one.option for one in row]
        excluded = {one.item for one in exclusions_of(best.option, options, self._settings)}
        rival = max((one.score for one in row if one.option.item in excluded), default=0.0)
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.HIGH,
            reason=best.option.weighed.summary,
            score=best.score,
            margin=max(best.score - rival, 0.0),
            candidates=(self._candidate(best.option, best.score),),
            candidate_count=len(row),
            unread=self._unread_beside(best.option, options),
        )

    def _unread_beside(self, option: Option, row: Sequence[Option]) -> tuple[RatingKey, ...]:
        """Items a content hash could refute, where the bytes confirm nothing, or prove copies."""
        copies = [
            one
            for one in row
            if self._settings.write_copies
            and one.item != option.item
            and one.path != option.path
            and one.weighed.alike
            and one.weighed.undecided
        ]
        # A copy is one of the file itself, so what is known of both has to be the same.
        own = option.weighed.undecided and (bool(copies) or not option.weighed.confirmed)
        return self._keys(chain([option] if own else [], copies))

    def _doubtful(self, position: int, judged: Judged) -> Match:
        """One LOW match over all files, each item once; items sure to be others' are left out."""
        scene = self._scenes[position]
        doubts = (self._matching.doubt(scene, pin) for pin in self._people.pins_of(scene))
        doubt = next((one for one in doubts if one), "")
        best = self._best_of_items(scene, judged)
        holders = {
            self._key(one): holder
            for one in best
            if (holder := self._holder(one.option)) is not None
        }
        free = [one for one in best if self._key(one) not in holders]
        if not free:
            return _nothing(scene, doubt or self._why_nothing(scene, list(holders.values())))
        # The item that is left when the rivals are served comes first, then the likeliest.
        mine = self._table.assigned.get(position, -1)
        free.sort(key=lambda one: (self._table.place_of(one.option.item) != mine, one.rank))
        return self._low(scene, free, doubt)

    def _low(self, scene: Scene, ranked: Sequence[ScoredOption], doubt: str) -> Match:
        first, shown = ranked[0], ranked[: self._settings.most_candidates]
        obstacles = [self._matching.obstacle(one.option) for one in shown]
        reason = self._names.reason(obstacles[0]) if obstacles[0] else _NOT_ALONE
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.LOW,
            reason=doubt or reason,
            score=first.score,
            margin=max(first.score - max((one.score for one in ranked[1:]), default=0.0), 0.0),
            candidates=tuple(map(self._shown, shown, obstacles)),
            candidate_count=len(ranked),
            unread=self._keys(one.option for one in ranked if one.option.weighed.undecided),
        )

    def _best_of_items(self, scene: Scene, judged: Judged) -> list[ScoredOption]:
        """Return the best file of the scene for each item."""
        best: dict[int, ScoredOption] = {}
        for verdict in (one for row in judged for one in self._refine(row, scene)):
            other = best.get(verdict.option.item)
            if other is None or verdict.rank < other.rank:
                best[verdict.option.item] = verdict
        return list(best.values())

    def _holder(self, option: Option) -> SceneId | None:
        """Return the scene that holds an item for good reasons, so that nobody has to be asked.

        A link of an earlier run is no good reason where this scene is the item beyond doubt, too.
        """
        key = self._matching.keys.item(option.item).rating_key
        if key in self._taken:
            return self._taken[key]
        for pairs in filter(None, (self._pairs, self._matching.settled)):
            if (scene := pairs.scene_of(option.item)) is not None:
                self._names.paths.update(scene_paths([scene]))
                return scene.scene_id
        weighed = option.weighed
        sure = weighed.grade is not None and not weighed.contradictions
        return None if sure else self._matching.owners.get(key)

    def _refine(self, row: list[ScoredOption], scene: Scene) -> list[ScoredOption]:
        """Rank what is LOW anyway by all there is; no score is lifted over the threshold."""
        most = self._settings.least_score
        options = refine([one.option for one in row], scene, self._matching)
        scores = self._matching.score_row(options)
        return [
            self._matching.scored(option, min(score, max(verdict.score, most)))
            for verdict, option, score in zip(row, options, scores, strict=True)
        ]

    # ---- Pins ------------------------------------------------------------------------------------

    def _pinned(self, scene: Scene, pin: AnsweredPair, judged: Judged) -> Match:
        """Return the match of a pin that holds."""
        item = self._matching.by_key[pin.rating_key]
        known = [one for row in judged for one in row if self._key(one) == pin.rating_key]
        file = find_file(scene, pin)
        candidate = Candidate(
            rating_key=item.rating_key,
            title=item.title,
            scene_path=file.path if file else pin.scene_path,
            item_path=pin.item_path,
            score=1.0,
            evidence=(_PINNED, *(known[0].option.weighed.evidence if known else ())),
            library=self._names.library(item),
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

    # ---- Words -----------------------------------------------------------------------------------

    def _keys(self, options: Iterable[Option]) -> tuple[RatingKey, ...]:
        """Those of the items that no other scene is linked to."""
        keys = dict.fromkeys(self._matching.keys.item(one.item).rating_key for one in options)
        return tuple(one for one in keys if one not in self._matching.owners)

    def _key(self, verdict: ScoredOption) -> RatingKey:
        return self._matching.keys.item(verdict.option.item).rating_key

    def _candidate(
        self, option: Option, score: float, *, facts: str = "", against: tuple[str, ...] = ()
    ) -> Candidate:
        item = self._matching.keys.item(option.item)
        return Candidate(
            rating_key=item.rating_key,
            title=item.title,
            scene_path=option.ours.file.path,
            item_path=option.path,
            score=score,
            evidence=option.weighed.evidence,
            library=self._names.library(item),
            facts=facts,
            contradictions=against,
        )

    def _shown(self, scored: ScoredOption, obstacle: Obstacle | None) -> Candidate:
        """Return a candidate with its facts, as it is shown to a person."""
        option = scored.option
        against: tuple[str, ...] = ()
        if obstacle and obstacle.is_contradiction:
            against = option.weighed.contradictions or (self._names.reason(obstacle),)
        facts = compare_facts(option.ours.file, option.theirs.file)
        return self._candidate(option, scored.score, facts=facts, against=against)

    def _why_nothing(self, scene: Scene, holders: Sequence[SceneId]) -> str:
        if holders:
            return (
                f"the item it resembles is that of {self._names.scene(min(holders, key=id_order))}"
            )
        return "no item resembles it" if scene.files else "the scene has no file"


_NOT_ALONE = "not the likeliest item of this file"
_PINNED = Evidence(name="pin", value="a person confirmed this pair", weight=64.0)


def _nothing(scene: Scene, reason: str) -> Match:
    return Match(scene_id=scene.scene_id, confidence=None, reason=reason)
