"""Every option and its verdict: why it is HIGH, or what stands in its way."""

from __future__ import annotations

import dataclasses
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, TypedDict, Unpack

import msgspec

from plexsync.matching.answers import AnsweredPair, People, find_file, listen, remembers
from plexsync.matching.comparing.blocking import FileKeys
from plexsync.matching.comparing.neighbours import find_neighbours
from plexsync.matching.decision import (
    DEFAULT_SETTINGS,
    MatchSettings,
    ScoredOption,
    find_better_whole,
    find_other_version,
    find_stacked,
    judge,
    score_option,
    score_row,
)
from plexsync.matching.layout import UNKNOWN_LAYOUT, Layout
from plexsync.matching.lone_pairs import Free
from plexsync.matching.scoring import Tabulated, find_resembling, tabulate, without_refused
from plexsync.matching.wording import Obstacle, ReasonNames, Why, scene_paths
from plexsync.models import PathRule, PlexItem, RatingKey, Scene, SceneId, id_order, pick
from plexsync.text.normalize import holds_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plexsync.matching.comparing.evidence import Comparison
    from plexsync.matching.comparing.weighing import Option
    from plexsync.matching.matches import SurePairs

    _Parted = tuple[Sequence[Scene], Sequence[Scene], dict[RatingKey, SceneId]]

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
        settled: pairs that were decided before about these very items, and stay; their scenes are
            among `others` only where they have a content hash with one that was read since.
    """

    others: Sequence[Scene]
    rules: Sequence[PathRule]
    settings: MatchSettings
    claims: Mapping[RatingKey, SceneId]
    hashes: Mapping[int, int] | None
    pins: Sequence[AnsweredPair]
    refusals: Sequence[AnsweredPair]
    layout: Layout | None
    libraries: Mapping[str, str]
    settled: SurePairs | None


class Matching(Tabulated, frozen=True, kw_only=True, gc=False):
    """All pairs compared and weighed, and all else decisions about a set of scenes rest on.

    Attributes:
        scenes: the scenes that are decided about, and after them those that may compete.
        due: how many of them are decided about.
        settings: where HIGH begins.
        people: people's answers.
        owners: items linked to scenes that are not decided about.
        by_key: the items people spoke of.
        names: how reasons name scenes and items.
        settled: pairs that were decided before.
        keys: what files are found by.
        found_by_title: the options of scenes nothing else was found for; None where it was not
            looked for them yet.
        served: of scenes with several files, as far as they were asked for, which file each item
            serves, by its place among them.
    """

    scenes: Sequence[Scene]
    due: int
    settings: MatchSettings
    people: People
    owners: Mapping[RatingKey, SceneId]
    by_key: Mapping[RatingKey, PlexItem]
    names: ReasonNames
    settled: SurePairs | None
    keys: FileKeys
    found_by_title: Mapping[int, tuple[Option, ...]] | None = None
    served: dict[int, dict[int, int]] = msgspec.field(default_factory=dict)

    def judge(self, position: int) -> Judged:
        """Every option of one scene with its verdict."""
        rows = self.table.rows[position]
        return [self._judge_row(row, rows) for row in rows]

    def rows_of(self, position: int) -> Sequence[tuple[Option, ...]]:
        """Return the options of each file of a scene, also those that only titles find."""
        return self.table.rows[position] or [row for _, row in self._resembling([position])]

    def claims_to(self, item: int) -> list[Option]:
        """Return the options of the scenes that are decided about for an item."""
        claims = [one for one in self.table.column(item) if one.ours.scene < self.due]
        lost = [one for one in range(self.due) if not self.table.rows[one]]
        found = (one for _, row in self._resembling(lost) for one in row)
        return claims + [one for one in found if one.item == item]

    def judge_resembling(self, lost: Sequence[int]) -> Iterator[tuple[int, Judged]]:
        """Yield what only titles find for scenes nothing else was found for, as far as they do."""
        for position, row in self._resembling(lost):
            yield position, [self._judge_row(row, [row])]

    def _resembling(self, lost: Sequence[int]) -> Iterator[tuple[int, tuple[Option, ...]]]:
        known = self.found_by_title
        if known is None:
            found = find_resembling(self, lost, self.scenes)
        else:
            found = ((one, known[one]) for one in lost if one in known)
        for position, options in found:
            scene = self.scenes[position]
            if row := without_refused(options, scene, self.keys.items, self.people):
                yield position, row

    # ---- One option ------------------------------------------------------------------------------

    def _judge_row(
        self, row: tuple[Option, ...], rows: Sequence[tuple[Option, ...]]
    ) -> list[ScoredOption]:
        rivals = self._rivals(row, rows)
        if rivals is row:
            scores = self.score_row(row)
        else:
            scores = [score_option(one, rivals, self.table, self.settings) for one in row]
        verdicts = list(map(self.scored, row, scores))
        verdicts.sort(key=_rank)
        return verdicts

    def _rivals(
        self, row: tuple[Option, ...], rows: Sequence[tuple[Option, ...]]
    ) -> Sequence[Option]:
        """Return a row without the items other files of the scene are: linked anyway, no rivals."""
        if len(rows) == 1:
            return row
        scene = row[0].ours.scene
        if scene not in self.served:
            self.served[scene] = _serve(rows)
        served = self.served[scene]
        return [one for one in row if one.item not in served or rows[served[one.item]] is row]

    def scored(self, option: Option, score: float) -> ScoredOption:
        """Return an option with its score; of a file's, the likeliest ranks first."""
        key = self.keys.item(option.item).rating_key
        return ScoredOption(option, score, (-score, -option.bits, *id_order(key)))

    def score_row(self, row: Sequence[Option]) -> list[float]:
        """Return the score of each option beside the others of the row."""
        return score_row(row, self.table, self.settings)

    def row_of(self, option: Option) -> tuple[Option, ...]:
        """All options of the same file."""
        for row in self.table.rows[option.ours.scene]:
            if row[0].ours is option.ours:
                return row
        return (option,)

    def suppose(self, option: Option, made: Comparison) -> bool:
        """Whether an option would be HIGH if its comparison were `made`."""
        scene = option.ours.scene
        scale = self.comparer.scale
        changed = scale.option(option.ours, option.theirs, scale.kind(made))
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
            asked={},
        )
        return msgspec.structs.replace(self, table=table, served={}).obstacle(changed) is None

    def obstacle(self, option: Option) -> Obstacle | None:
        """Why an option is not HIGH; None when it is. Asked of the best options only."""
        row = self.row_of(option)
        # What only ranks is left out: it says nothing about why a pair is not HIGH.
        return self.obstacle_in(row, next((one for one in row if one.item == option.item), option))

    def obstacle_in(self, row: tuple[Option, ...], option: Option) -> Obstacle | None:
        """Do so for one of a row of the table."""
        rows = self.table.rows[option.ours.scene]
        item = self.keys.item(option.item)
        return (
            self._answered(option, item)
            or judge(option, self._rivals(row, rows), self.table, self.settings)
            or (find_better_whole(option, self.table, self.settings) if len(rows) <= 1 else None)
            or find_stacked(option, item, rows)
            or find_other_version(option, item)
        )

    def reason(self, option: Option) -> str:
        """Say why an option is not HIGH; "" when it is."""
        obstacle = self.obstacle(option)
        return self.names.reason(obstacle) if obstacle else ""

    def _answered(self, option: Option, item: PlexItem) -> Obstacle | None:
        """Return what people and earlier links have to say about a pair."""
        scene, key = option.ours.scene_id, item.rating_key
        if key in self.people.pinned and (holders := self.people.pinned[key] - {scene}):
            return Obstacle(why=Why.PINNED, option=option, scene_id=min(holders, key=id_order))
        if any(remembers(answer, item) for answer in self.people.refusals.get(scene, ())):
            return Obstacle(why=Why.REFUSED, option=option)
        owner = self.owners.get(key, scene)
        return None if owner == scene else Obstacle(why=Why.LINKED, option=option, scene_id=owner)

    def doubt(self, scene: Scene, pin: AnsweredPair) -> str:
        """Why a person has to look at a pin again; "" while it holds."""
        item = self.by_key.get(pin.rating_key)
        if find_file(scene, pin) is None:
            return "a person confirmed an item for this scene, but its file changed since"
        if item is None or not holds_file(item, pin.item_path):
            return "a person confirmed an item for this scene, but Plex holds that file no more"
        if len(self.people.pinned[pin.rating_key]) > 1:
            return "the item a person confirmed was confirmed for another scene as well"
        return ""


def prepare_matching(
    scenes: Sequence[Scene], items: Sequence[PlexItem], *, staged: bool, **known: Unpack[Known]
) -> Matching:
    """Compare and weigh everything, so that `resolve` can make matches.

    An item or a scene that is given twice counts once. When `staged`, pairs that nothing competes
    with are judged on the way and stand in no row: the same verdicts for less.
    """
    keys = _find_keys(items, known)
    parted = _part(scenes, known)
    scenes, others, _ = parted
    near = find_neighbours(scenes, others, keys)
    matching = _prepare(keys, parted, near, staged=staged, known=known)
    if not others:
        return matching
    lost = [at for at in range(matching.due) if not (matching.table.rows[at] or matching.sure[at])]
    titled = dict(find_resembling(matching, lost, scenes))
    resembling = {one.item for row in titled.values() for one in row}
    nearer = find_neighbours(scenes, others, keys, resembling) if resembling else near
    if len(nearer) > len(near):
        # Who shares a key with what only a title finds may have a better claim to it.
        return _prepare(keys, parted, nearer, staged=staged, known=known)
    return msgspec.structs.replace(matching, found_by_title=titled)


# ---- Private -------------------------------------------------------------------------------------

_rank = attrgetter("rank")


def _prepare(
    keys: FileKeys, parted: _Parted, near: Sequence[Scene], *, staged: bool, known: Known
) -> Matching:
    """Compare and weigh, with just those of the other scenes that are `near`."""
    scenes, others, owners = parted
    people = listen(known.get("pins", ()), known.get("refusals", ()))
    settings, layout = known.get("settings", DEFAULT_SETTINGS), known.get("layout")
    whole = [*scenes, *near] if near else scenes
    tabulated = tabulate(
        whole,
        keys,
        rules=known.get("rules", ()),
        settings=settings,
        # Of a part of the scenes nothing is learned: it would say less than all of them.
        layout=UNKNOWN_LAYOUT if layout is None and others else layout,
        free=Free(len(scenes) if staged else 0, people, owners),
    )
    named = {*owners.values(), *chain.from_iterable(people.pinned.values())}
    rivals = (whole[at] for at, row in enumerate(tabulated.table.rows) if row)
    every = chain(whole, others) if named else ()
    named_scenes = chain(rivals, (one for one in every if one.scene_id in named))
    return Matching(
        scenes=whole,
        due=len(scenes),
        settings=settings,
        people=people,
        owners=owners,
        **msgspec.structs.asdict(tabulated),
        by_key={one.rating_key: one for one in keys.items_of(people.pinned)},
        names=ReasonNames(scene_paths(named_scenes), keys.items, known.get("libraries", {})),
        settled=known.get("settled"),
        keys=keys,
    )


def _part(scenes: Sequence[Scene], known: Known) -> _Parted:
    """Return each scene once, as it came last; the others that are not due; the items of such."""
    places = {scene.scene_id: at for at, scene in enumerate(scenes)}
    if len(places) < len(scenes):
        scenes = pick(scenes, places.values())
    others = known.get("others", ())
    others = pick(others, (at for at, one in enumerate(others) if one.scene_id not in places))
    owners = {key: who for key, who in known.get("claims", {}).items() if who not in places}
    return scenes, others, owners


def _find_keys(items: Sequence[PlexItem], known: Known) -> FileKeys:
    """Return what files are found by, each item once."""
    hashes, settled = known.get("hashes"), known.get("settled")
    if settled is not None:
        return settled.keys.with_hashes(hashes)
    keys = FileKeys(items, hashes)
    return FileKeys(_newest(items), hashes) if keys.has_repeats else keys


def _newest(items: Sequence[PlexItem]) -> Sequence[PlexItem]:
    """Each rating key once, in its newest state: listings that move while read repeat items."""
    newest: dict[RatingKey, PlexItem] = {}
    for item in items:
        other = newest.get(item.rating_key)
        if other is None or _freshness(item) > _freshness(other):
            newest[item.rating_key] = item
    return list(newest.values())


def _freshness(item: PlexItem) -> tuple[int, int, str]:
    return item.updated_at, len(item.files), repr(item)


def _serve(rows: Sequence[tuple[Option, ...]]) -> dict[int, int]:
    """Give each file of a scene the likeliest item no other one has: by item, the file's place."""
    options = [(one, place) for place, row in enumerate(rows) for one in row]
    options.sort(key=lambda one: (-one[0].bits, one[0].ours.file.path, one[0].theirs.file.path))
    served: dict[int, int] = {}
    places: set[int] = set()
    for option, place in options:
        if option.item not in served and place not in places:
            served[option.item] = place
            places.add(place)
    return served
