"""From weighed pairs to matches: first all that are HIGH, then what is left for a person."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec

from plexsync.matching.answers import People, Pin, find_file, remembers
from plexsync.matching.decision import (
    MatchSettings,
    Option,
    ScoredOption,
    Table,
    find_other_version,
    find_stacked,
    judge,
    make_option,
    score_option,
)
from plexsync.matching.scoring import Scale, refine, tabulate
from plexsync.models import (
    Candidate,
    Confidence,
    Evidence,
    Match,
    PlexItem,
    RatingKey,
    Scene,
    SceneId,
    id_order,
)
from plexsync.text.normalize import holds_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.matching.evidence import Comparison
    from plexsync.models import PathRule

Judged = list[list[ScoredOption]]
"""The options of one scene, by file, the best first."""


class Matching(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything the decisions about a set of scenes rest on."""

    scenes: Sequence[Scene]
    items: Sequence[PlexItem]
    settings: MatchSettings
    people: People
    owners: Mapping[RatingKey, SceneId]
    """Items linked to scenes that are not among `scenes`."""
    table: Table
    scale: Scale
    by_key: Mapping[RatingKey, PlexItem]
    """The items people spoke of."""

    def decide(self) -> list[Match]:
        """All matches, in the order of the scenes."""
        found: list[list[Match]] = []
        open_: dict[int, Judged] = {}
        for position in range(len(self.scenes)):
            judged = self.judge(position)
            certain = self._certain(position, judged)
            if not certain:
                open_[position] = judged
            found.append(certain)
        taken = {
            made.candidates[0].rating_key: made.scene_id
            for several in found
            for made in several
            if made.confidence is Confidence.HIGH
        }
        for position, judged in open_.items():
            found[position] = [self._doubtful(position, judged, taken)]
        return [made for several in found for made in several]

    def judge(self, position: int) -> Judged:
        """Every option of one scene with its verdict."""
        rows = self.table.rows[position]
        return [self._judge_row(row, rows) for row in rows]

    # ---- One option ------------------------------------------------------------------------------

    def _judge_row(
        self, row: tuple[Option, ...], rows: Sequence[tuple[Option, ...]]
    ) -> list[ScoredOption]:
        rivals = _rivals(row, rows)
        verdicts = [
            ScoredOption(option=one, score=score_option(one, rivals, self.table.columns[one.item]))
            for one in row
        ]
        verdicts.sort(key=self._rank)
        return verdicts

    def _rank(self, verdict: ScoredOption) -> tuple[float, float, int, str]:
        key = self.items[verdict.option.item].rating_key
        return -verdict.score, -verdict.option.bits, *id_order(key)

    def row_of(self, option: Option) -> tuple[Option, ...]:
        """All options of the same file."""
        rows = self.table.rows[option.ours.scene]
        return next(one for one in rows if one[0].ours is option.ours)

    def suppose(self, option: Option, made: Comparison) -> str:
        """What would keep an option from HIGH if its comparison were `made`; "" for nothing."""
        scene = option.ours.scene
        changed = make_option(option.ours, option.theirs, made, self.scale.weigh(made))
        rows = [
            tuple(changed if one is option else one for one in row)
            for row in self.table.rows[scene]
        ]
        column = [
            changed if one.ours.scene == scene else one for one in self.table.columns[option.item]
        ]
        supposed = dataclasses.replace(
            self.table,
            rows=[*self.table.rows[:scene], rows, *self.table.rows[scene + 1 :]],
            columns={**self.table.columns, option.item: column},
            assigned={},
        )
        return msgspec.structs.replace(self, table=supposed).obstacle(changed)

    def obstacle(self, option: Option) -> str:
        """Why an option is not HIGH; "" when it is. Asked of the best options only."""
        rows = self.table.rows[option.ours.scene]
        row = self.row_of(option)
        scene = self.scenes[option.ours.scene].scene_id
        item = self.items[option.item]
        rivals = _rivals(row, rows)
        return (
            self._said(scene, item)
            or judge(option, rivals, self.table, self.settings)
            or self._find_better_whole(option, rows)
            or find_stacked(option, item, rows)
            or find_other_version(option, item)
        )

    def _said(self, scene: SceneId, item: PlexItem) -> str:
        """What people and earlier links have to say about a pair."""
        holders = self.people.pinned.get(item.rating_key, frozenset()) - {scene}
        if holders:
            return f"a person gave this item to scene {min(holders, key=id_order)}"
        if any(remembers(said, item) for said in self.people.refusals.get(scene, ())):
            return "a person refused this pair, but a file or the item changed since"
        owner = self.owners.get(item.rating_key, scene)
        return "" if owner == scene else f"the item is already linked to scene {owner}"

    def _find_better_whole(self, option: Option, rows: Sequence[tuple[Option, ...]]) -> str:
        """Whether all competing scenes together are served better another way."""
        best = self.table.assigned.get(option.ours.scene, option.item)
        if best == option.item or len(rows) > 1:
            return ""
        return "another item suits this scene better when its rivals are considered"

    # ---- One scene -------------------------------------------------------------------------------

    def _certain(self, position: int, judged: Judged) -> list[Match]:
        """What a person confirmed, and a match for each item that is HIGH for one of the files."""
        scene = self.scenes[position]
        pins = self.people.pins.get(scene.scene_id, ())
        if any(self._doubt(scene, pin) for pin in pins):
            return []
        found = [self._pinned(scene, pin, judged) for pin in pins]
        linked = {made.candidates[0].rating_key for made in found}
        # A person who said which item a file is said that it is no other one.
        settled = [find_file(scene, pin) for pin in pins]
        best: dict[RatingKey, Match] = {}
        for row in judged:
            key = self.items[row[0].option.item].rating_key
            if key in linked or row[0].option.ours.file in settled or self.obstacle(row[0].option):
                continue
            made = self._high(scene, row)
            if key not in best or made.score > best[key].score:
                best[key] = made
        return found + [best[key] for key in sorted(best, key=id_order)]

    def _high(self, scene: Scene, row: list[ScoredOption]) -> Match:
        best = row[0]
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.HIGH,
            reason=best.option.weighed.summary,
            score=best.score,
            margin=best.score - (row[1].score if len(row) > 1 else 0.0),
            candidates=(self._candidate(best),),
            candidate_count=len(row),
        )

    def _doubtful(self, position: int, judged: Judged, taken: Mapping[RatingKey, SceneId]) -> Match:
        """One LOW match over all files, each item once; items sure to be others' are left out."""
        scene = self.scenes[position]
        doubts = (self._doubt(scene, pin) for pin in self.people.pins.get(scene.scene_id, ()))
        doubt = next((one for one in doubts if one), "")
        best: dict[int, ScoredOption] = {}
        for verdict in (one for row in judged for one in self._refine(row, scene)):
            other = best.get(verdict.option.item)
            if other is None or self._rank(verdict) < self._rank(other):
                best[verdict.option.item] = verdict
        free = [one for one in best.values() if self._key(one) not in taken]
        if not free:
            return _nothing(
                scene,
                doubt or _why_nothing(scene, [taken[self._key(one)] for one in best.values()]),
            )
        # The item that is left when the rivals are served comes first, then the likeliest.
        mine = self.table.assigned.get(position, -1)
        ranked = sorted(free, key=lambda one: (one.option.item != mine, *self._rank(one)))
        first = ranked[0]
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.LOW,
            reason=doubt or self.obstacle(first.option) or _NOT_ALONE,
            score=first.score,
            margin=max(first.score - max((one.score for one in ranked[1:]), default=0.0), 0.0),
            candidates=tuple(map(self._candidate, ranked[: self.settings.most_candidates])),
            candidate_count=len(ranked),
        )

    def _refine(self, row: list[ScoredOption], scene: Scene) -> list[ScoredOption]:
        """Rank what is LOW anyway by all there is; no score is lifted over the threshold."""
        options = refine([one.option for one in row], scene, self.items, self.scale)
        return [
            msgspec.structs.replace(
                verdict,
                option=option,
                score=min(
                    score_option(option, options, self.table.columns[option.item]),
                    max(verdict.score, self.settings.least_score),
                ),
            )
            for verdict, option in zip(row, options, strict=True)
        ]

    # ---- Pins ------------------------------------------------------------------------------------

    def _doubt(self, scene: Scene, pin: Pin) -> str:
        """Why a person has to look at a pin again; "" while it holds."""
        item = self.by_key.get(pin.rating_key)
        if find_file(scene, pin) is None:
            return "a person confirmed an item for this scene, but its file changed since"
        if item is None or not holds_file(item, pin.item_path):
            return "a person confirmed an item for this scene, but Plex holds that file no more"
        if len(self.people.pinned[pin.rating_key]) > 1:
            return "the item a person confirmed was confirmed for another scene as well"
        return ""

    def _pinned(self, scene: Scene, pin: Pin, judged: Judged) -> Match:
        """The match of a pin that holds."""
        item = self.by_key[pin.rating_key]
        known = [one for row in judged for one in row if self._key(one) == pin.rating_key]
        file = find_file(scene, pin)
        candidate = Candidate(
            rating_key=item.rating_key,
            title=item.title,
            scene_path=file.path if file else pin.scene_path,
            item_path=pin.item_path,
            score=1.0,
            evidence=(_PINNED, *(known[0].option.weighed.evidence if known else ())),
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

    def _key(self, verdict: ScoredOption) -> RatingKey:
        return self.items[verdict.option.item].rating_key

    def _candidate(self, verdict: ScoredOption) -> Candidate:
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


def prepare_matching(
    scenes: Sequence[Scene],
    items: Sequence[PlexItem],
    *,
    rules: Sequence[PathRule],
    settings: MatchSettings,
    claims: Mapping[RatingKey, SceneId],
    hashes: Mapping[int, int],
    people: People,
) -> Matching:
    """Compare and weigh everything, so that `Matching.decide` can.

    An item or a scene that is given twice counts once.
    """
    scenes = list({one.scene_id: one for one in scenes}.values())
    items = _deduplicate(items)
    due = {scene.scene_id for scene in scenes}
    owners = {key: scene for key, scene in claims.items() if scene not in due}
    given = {key for key, several in people.pinned.items() if several - due}
    table, scale = tabulate(
        scenes,
        items,
        rules=rules,
        settings=settings,
        hashes=hashes,
        people=people,
        held=[
            at
            for at, one in enumerate(items)
            if one.rating_key in owners or one.rating_key in given
        ],
    )
    return Matching(
        scenes=scenes,
        items=items,
        settings=settings,
        people=people,
        owners=owners,
        table=table,
        scale=scale,
        by_key={one.rating_key: one for one in items if one.rating_key in people.pinned},
    )


# ---- Private -------------------------------------------------------------------------------------

_NOT_ALONE = "not the likeliest item of this file"
_PINNED = Evidence(name="pin", value="a person confirmed this pair", weight=64.0)


def _deduplicate(items: Sequence[PlexItem]) -> Sequence[PlexItem]:
    """Each rating key once, in its newest state: listings that move while read repeat items."""
    newest: dict[RatingKey, PlexItem] = {}
    for item in items:
        other = newest.get(item.rating_key)
        if other is None or _freshness(item) > _freshness(other):
            newest[item.rating_key] = item
    return items if len(newest) == len(items) else list(newest.values())


def _freshness(item: PlexItem) -> tuple[int, int, str]:
    return item.updated_at, len(item.files), repr(item)


def _rivals(row: tuple[Option, ...], rows: Sequence[tuple[Option, ...]]) -> Sequence[Option]:
    """A row without the items that other files of the scene are: linked anyway, so no rivals."""
    if len(rows) == 1:
        return row
    options = [(one, place) for place, other in enumerate(rows) for one in other]
    options.sort(key=lambda one: (-one[0].bits, one[0].ours.file.path, one[0].theirs.file.path))
    items_taken: dict[int, int] = {}
    rows_served: set[int] = set()
    for option, place in options:
        if option.item not in items_taken and place not in rows_served:
            items_taken[option.item] = place
            rows_served.add(place)
    own = {item for item, place in items_taken.items() if rows[place] is not row}
    return [one for one in row if one.item not in own]


def _nothing(scene: Scene, reason: str) -> Match:
    return Match(scene_id=scene.scene_id, confidence=None, reason=reason)


def _why_nothing(scene: Scene, owners: Sequence[SceneId]) -> str:
    if owners:
        return f"the item it resembles is that of scene {min(owners, key=id_order)}"
    return "no item resembles it" if scene.files else "the scene has no file"
