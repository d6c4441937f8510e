"""From weighed pairs to matches: first all that are HIGH, then what is left for a person."""

from __future__ import annotations

import dataclasses
from itertools import chain
from typing import TYPE_CHECKING, TypedDict

import msgspec

from plexsync.matching.answers import People, Pin, find_file, listen, remembers
from plexsync.matching.blocking import find_neighbours
from plexsync.matching.decision import (
    DEFAULT_SETTINGS,
    MatchSettings,
    ScoredOption,
    Table,
    exclusions_of,
    find_better_whole,
    find_other_version,
    find_stacked,
    judge,
    look_alike,
    score_option,
)
from plexsync.matching.evidence import Grade, Level
from plexsync.matching.layout import UNKNOWN_LAYOUT
from plexsync.matching.scoring import (
    Tabulated,
    find_resembling,
    refine,
    tabulate,
    without_refused,
)
from plexsync.matching.weighing import Option, make_option
from plexsync.matching.wording import Obstacle, ReasonNames, Why, compare_facts, scene_paths
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
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Unpack

    from plexsync.matching.answers import Refusal
    from plexsync.matching.evidence import Comparison
    from plexsync.matching.layout import Layout
    from plexsync.models import PathRule

Judged = list[list[ScoredOption]]
"""The options of one scene, by file, the best first."""


class Known(TypedDict, total=False):
    """What is known beside the scenes and the items.

    Attributes:
        others: the scenes that are not due; they may have a better claim.
        rules: how Plex sees Stash's folders.
        settings: where HIGH begins.
        claims: items already linked, and to which scene; a scene that is due has no claim but its
            evidence.
        hashes: Plex's `openSubtitleHash` by part id, as far as it was asked for; 0 for a part
            that has none. None, or nothing, when it is not to be asked for.
        pins: pairs a person has confirmed, of any scene.
        refusals: pairs a person has refused, of any scene.
        layout: how the libraries lie to each other; without it that is learned from the scenes
            that are due, if they are all there are.
        libraries: titles of libraries by section id, for the reasons.
    """

    others: Sequence[Scene]
    rules: Sequence[PathRule]
    settings: MatchSettings
    claims: Mapping[RatingKey, SceneId]
    hashes: Mapping[int, int] | None
    pins: Sequence[Pin]
    refusals: Sequence[Refusal]
    layout: Layout | None
    libraries: Mapping[str, str]


class Matching(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything the decisions about a set of scenes rest on.

    Attributes:
        scenes: the scenes that are decided about, and after them those that may compete.
        due: how many of them are decided about.
        settings: where HIGH begins.
        people: people's answers.
        owners: items linked to scenes that are not decided about.
        tabulated: all pairs, compared and weighed.
        by_key: the items people spoke of.
        names: how reasons name scenes and items.
    """

    scenes: Sequence[Scene]
    due: int
    settings: MatchSettings
    people: People
    owners: Mapping[RatingKey, SceneId]
    tabulated: Tabulated
    by_key: Mapping[RatingKey, PlexItem]
    names: ReasonNames

    @property
    def table(self) -> Table:
        """The options."""
        return self.tabulated.table

    @property
    def items(self) -> Sequence[PlexItem]:
        """Every item."""
        return self.tabulated.table.items

    def decide(self) -> list[Match]:
        """All matches, in the order of the scenes."""
        found: list[list[Match]] = []
        open_: dict[int, Judged] = {}
        for position in range(self.due):
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
        lost = [position for position, judged in open_.items() if not judged]
        open_ |= self._judge_resembling(lost)
        for position, judged in open_.items():
            found[position] = [self._doubtful(position, judged, taken)]
        return [made for several in found for made in several]

    def judge(self, position: int) -> Judged:
        """Every option of one scene with its verdict."""
        rows = self.table.rows[position]
        return [self._judge_row(row, rows) for row in rows]

    def rows_of(self, position: int) -> Sequence[tuple[Option, ...]]:
        """The options of each file of a scene, also those that only titles find."""
        return self.table.rows[position] or list(self._resembling([position]).values())

    def claims_to(self, item: int) -> list[Option]:
        """The options of the scenes that are decided about for an item."""
        claims = [one for one in self.table.column(item) if one.ours.scene < self.due]
        lost = [one for one in range(self.due) if not self.table.rows[one]]
        found = (one for row in self._resembling(lost).values() for one in row)
        return claims + [one for one in found if one.item == item]

    def _judge_resembling(self, lost: Sequence[int]) -> dict[int, Judged]:
        """What only titles find for the scenes nothing else was found for."""
        found = self._resembling(lost)
        return {position: [self._judge_row(row, [row])] for position, row in found.items()}

    def _resembling(self, lost: Sequence[int]) -> dict[int, tuple[Option, ...]]:
        found = {
            position: without_refused(options, self.scenes[position], self.items, self.people)
            for position, options in find_resembling(self.tabulated, lost, self.scenes)
        }
        return {position: row for position, row in found.items() if row}

    # ---- One option ------------------------------------------------------------------------------

    def _judge_row(
        self, row: tuple[Option, ...], rows: Sequence[tuple[Option, ...]]
    ) -> list[ScoredOption]:
        rivals = _rivals(row, rows)
        verdicts = [ScoredOption(option=one, score=self._score(one, rivals)) for one in row]
        verdicts.sort(key=self._rank)
        return verdicts

    def _rank(self, verdict: ScoredOption) -> tuple[float, float, int, str]:
        key = self.items[verdict.option.item].rating_key
        return -verdict.score, -verdict.option.bits, *id_order(key)

    def _score(self, option: Option, row: Sequence[Option]) -> float:
        return score_option(option, row, self.table.column(option.item), self.settings)

    def row_of(self, option: Option) -> tuple[Option, ...]:
        """All options of the same file."""
        rows = self.table.rows[option.ours.scene]
        return next((one for one in rows if one[0].ours is option.ours), (option,))

    def suppose(self, option: Option, made: Comparison) -> bool:
        """Whether an option would be HIGH if its comparison were `made`."""
        scene = option.ours.scene
        changed = make_option(option.ours, option.theirs, made, self.tabulated.scale.weigh(made))
        rows = [
            tuple(changed if one is option else one for one in row)
            for row in self.table.rows[scene]
        ]
        column = [
            changed if one.ours.scene == scene else one for one in self.table.column(option.item)
        ]
        table = dataclasses.replace(
            self.table,
            rows=[*self.table.rows[:scene], rows, *self.table.rows[scene + 1 :]],
            columns={**self.table.columns, option.item: column},
            assigned={},
        )
        tabulated = msgspec.structs.replace(self.tabulated, table=table)
        return msgspec.structs.replace(self, tabulated=tabulated).obstacle(changed) is None

    def obstacle(self, option: Option) -> Obstacle | None:
        """Why an option is not HIGH; None when it is. Asked of the best options only."""
        rows = self.table.rows[option.ours.scene]
        row = self.row_of(option)
        # What only ranks is left out: it says nothing about why a pair is not HIGH.
        option = next((one for one in row if one.item == option.item), option)
        rivals = _rivals(row, rows)
        item = self.items[option.item]
        return (
            self._answered(option, item)
            or judge(option, rivals, self.table, self.settings)
            or (find_better_whole(option, self.table, self.settings) if len(rows) <= 1 else None)
            or find_stacked(option, item, rows)
            or find_other_version(option, item)
        )

    def reason(self, option: Option) -> str:
        """Say why an option is not HIGH; "" when it is."""
        obstacle = self.obstacle(option)
        return self.names.reason(obstacle) if obstacle else ""

    def _answered(self, option: Option, item: PlexItem) -> Obstacle | None:
        """What people and earlier links have to say about a pair."""
        scene = option.ours.scene_id
        holders = self.people.pinned.get(item.rating_key, frozenset()) - {scene}
        if holders:
            return Obstacle(why=Why.PINNED, option=option, scene_id=min(holders, key=id_order))
        if any(remembers(answer, item) for answer in self.people.refusals.get(scene, ())):
            return Obstacle(why=Why.REFUSED, option=option)
        owner = self.owners.get(item.rating_key, scene)
        return None if owner == scene else Obstacle(why=Why.LINKED, option=option, scene_id=owner)

    # ---- One scene -------------------------------------------------------------------------------

    def _certain(self, position: int, judged: Judged) -> list[Match]:
        """What a person confirmed, and a match for each item that is HIGH for one of the files."""
        scene = self.scenes[position]
        pins = self.people.pins.get(scene.scene_id, ())
        if any(self._doubt(scene, pin) for pin in pins):
            return []
        found = [self._pinned(scene, pin, judged) for pin in pins]
        linked = {made.candidates[0].rating_key for made in found}
        # Accepting an item for a file refuses every other one.
        settled = [find_file(scene, pin) for pin in pins]
        best: dict[RatingKey, Match] = {}
        for row in judged:
            if row[0].option.ours.file in settled:
                continue
            for one in self._same_files(row):
                key = self._key(one)
                if key in linked or self.obstacle(one.option):
                    continue
                made = self._high(scene, one, row)
                if key not in best or made.score > best[key].score:
                    best[key] = made
        return found + [best[key] for key in sorted(best, key=id_order)]

    def _same_files(self, row: list[ScoredOption]) -> list[ScoredOption]:
        """The best option of a file, and those that do not exclude it."""
        best = row[0].option
        excluded = {one.item for one in exclusions_of(best, [x.option for x in row], self.settings)}
        return [one for one in row if one.option.item not in excluded]

    def _high(self, scene: Scene, best: ScoredOption, row: list[ScoredOption]) -> Match:
        options = [one.option for one in row]
        excluded = {one.item for one in exclusions_of(best.option, options, self.settings)}
        rival = max((one.score for one in row if one.option.item in excluded), default=0.0)
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.HIGH,
            reason=best.option.weighed.summary,
            score=best.score,
            margin=max(best.score - rival, 0.0),
            candidates=(self._candidate(best),),
            candidate_count=len(row),
            unread=self._unread_beside(best.option, options),
        )

    def _unread_beside(self, option: Option, row: Sequence[Option]) -> tuple[RatingKey, ...]:
        """Items whose content hash could refute a name alone, or prove a copy."""
        copies = [
            one
            for one in row
            if self.settings.write_copies
            and one.item != option.item
            and one.path != option.path
            and look_alike(one)
            and _could_decide(one)
        ]
        # A copy is one of the file itself, so what is known of both has to be the same.
        own = bool(copies) or option.weighed.grade is Grade.NAME
        return self._keys(chain([option] if own and _could_decide(option) else [], copies))

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
        holders = {
            self._key(one): holder
            for one in best.values()
            if (holder := self._holder(one.option, taken)) is not None
        }
        free = [one for one in best.values() if self._key(one) not in holders]
        if not free:
            return _nothing(scene, doubt or self._why_nothing(scene, list(holders.values())))
        # The item that is left when the rivals are served comes first, then the likeliest.
        mine = self.table.assigned.get(position, -1)
        ranked = sorted(
            free,
            key=lambda one: (self.table.place_of(one.option.item) != mine, *self._rank(one)),
        )
        first = ranked[0]
        obstacle = self.obstacle(first.option)
        reason = self.names.reason(obstacle) if obstacle else _NOT_ALONE
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.LOW,
            reason=doubt or reason,
            score=first.score,
            margin=max(first.score - max((one.score for one in ranked[1:]), default=0.0), 0.0),
            candidates=tuple(
                self._candidate(one, shown=True) for one in ranked[: self.settings.most_candidates]
            ),
            candidate_count=len(ranked),
            unread=self._keys(one.option for one in ranked if _could_decide(one.option)),
        )

    def _holder(self, option: Option, taken: Mapping[RatingKey, SceneId]) -> SceneId | None:
        """The scene that holds an item for good reasons, so that nobody has to be asked about it.

        A link of an earlier run is no good reason where this scene is the item beyond doubt, too.
        """
        key = self.items[option.item].rating_key
        if key in taken:
            return taken[key]
        weighed = option.weighed
        sure = weighed.grade is not None and not weighed.contradictions
        return None if sure else self.owners.get(key)

    def _refine(self, row: list[ScoredOption], scene: Scene) -> list[ScoredOption]:
        """Rank what is LOW anyway by all there is; no score is lifted over the threshold."""
        options = refine([one.option for one in row], scene, self.items, self.tabulated.scale)
        return [
            msgspec.structs.replace(
                verdict,
                option=option,
                score=min(
                    self._score(option, options),
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
            library=self.names.library(item),
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
        keys = dict.fromkeys(self.items[one.item].rating_key for one in options)
        return tuple(one for one in keys if one not in self.owners)

    def _key(self, verdict: ScoredOption) -> RatingKey:
        return self.items[verdict.option.item].rating_key

    def _candidate(self, scored: ScoredOption, *, shown: bool = False) -> Candidate:
        """A candidate; one that is `shown` to a person comes with its facts."""
        option = scored.option
        item = self.items[option.item]
        against: tuple[str, ...] = ()
        if shown and (obstacle := self.obstacle(option)) and obstacle.is_contradiction:
            against = option.weighed.contradictions or (self.names.reason(obstacle),)
        return Candidate(
            rating_key=item.rating_key,
            title=item.title,
            scene_path=option.ours.file.path,
            item_path=option.theirs.file.path,
            score=scored.score,
            evidence=option.weighed.evidence,
            library=self.names.library(item),
            facts=compare_facts(option.ours.file, option.theirs.file) if shown else "",
            contradictions=against,
        )

    def _why_nothing(self, scene: Scene, holders: Sequence[SceneId]) -> str:
        if holders:
            return (
                f"the item it resembles is that of {self.names.scene(min(holders, key=id_order))}"
            )
        return "no item resembles it" if scene.files else "the scene has no file"


def prepare_matching(
    scenes: Sequence[Scene], items: Sequence[PlexItem], **known: Unpack[Known]
) -> Matching:
    """Compare and weigh everything, so that `Matching.decide` can.

    An item or a scene that is given twice counts once.
    """
    scenes = list({one.scene_id: one for one in scenes}.values())
    items = _deduplicate(items)
    due = {scene.scene_id for scene in scenes}
    others = [one for one in known.get("others", ()) if one.scene_id not in due]
    hashes = known.get("hashes")
    people = listen(known.get("pins", ()), known.get("refusals", ()))
    settings = known.get("settings", DEFAULT_SETTINGS)
    layout = known.get("layout")
    whole = [*scenes, *find_neighbours(scenes, others, items, hashes or {})]
    tabulated = tabulate(
        whole,
        items,
        rules=known.get("rules", ()),
        settings=settings,
        hashes=hashes,
        people=people,
        # Of a part of the scenes nothing is learned: it would say less than all of them.
        layout=UNKNOWN_LAYOUT if layout is None and others else layout,
    )
    claims = known.get("claims", {})
    return Matching(
        scenes=whole,
        due=len(scenes),
        settings=settings,
        people=people,
        owners={key: scene for key, scene in claims.items() if scene not in due},
        tabulated=tabulated,
        by_key={one.rating_key: one for one in items if one.rating_key in people.pinned},
        names=ReasonNames(
            paths=scene_paths([*whole, *others]), items=items, libraries=known.get("libraries", {})
        ),
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


def _could_decide(option: Option) -> bool:
    """Whether a content hash could settle a pair, for or against."""
    made = option.made
    if not made.readable or Level.DIFFERENT in (made.size, made.duration):
        return False
    return made.frame is not Level.DIFFERENT or made.size is Level.EQUAL
