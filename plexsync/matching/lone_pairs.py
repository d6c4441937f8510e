"""Pairs that nothing competes with: judged by their comparison alone, each kind of it once.

Most files of two libraries share no key with any file but their own counterpart. Nothing about the
others can change what such a pair is, so it needs no row, no column and no group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from plexsync.matching.decision import MatchSettings, Table, judge, score_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.matching.answers import People
    from plexsync.matching.comparing.blocking import Ours, Theirs
    from plexsync.matching.comparing.weighing import Assessment, Kind, Option, Scale
    from plexsync.models import PlexItem, RatingKey, Scene, SceneId


class LonePair(NamedTuple):
    """A pair that is HIGH, whatever becomes of all others, and its score."""

    ours: Ours
    theirs: Theirs
    weighed: Assessment
    score: float


class LonePairs:
    """Judges pairs that nothing competes with.

    Args:
        scenes: the scenes that are decided about; those after them are left alone.
        items: every item.
        people: what people answered; scenes and items they spoke of are left alone.
        owners: items linked to other scenes, which are left alone.
        settings: where HIGH begins.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        items: Sequence[PlexItem],
        *,
        people: People,
        owners: Mapping[RatingKey, SceneId],
        settings: MatchSettings,
    ) -> None:
        self._scenes = scenes
        self._items = items
        self._spoken = people.pins.keys() | people.refusals.keys()
        self._held = people.pinned.keys() | owners.keys()
        self._settings = settings
        self._scores: dict[Kind, float | None] = {}

    def judge(self, ours: Ours, kind: Kind, part: Theirs, scale: Scale) -> LonePair | None:
        """Return a pair that nothing competes with if it is HIGH."""
        if not self._is_free(ours, part):
            return None
        if kind not in self._scores:
            self._scores[kind] = self._score(scale.option(ours, part, kind))
        score = self._scores[kind]
        return None if score is None else LonePair(ours, part, scale.weigh(kind), score)

    def _is_free(self, ours: Ours, part: Theirs) -> bool:
        """Whether scene and item are one file each, and nobody spoke of them or holds them."""
        if ours.scene >= len(self._scenes) or len(self._scenes[ours.scene].files) > 1:
            return False
        item = self._items[part.item]
        return (
            len(item.files) == 1
            and ours.scene_id not in self._spoken
            and item.rating_key not in self._held
        )

    def _score(self, option: Option) -> float | None:
        """Judge an option as if it were the only one; None when it is not HIGH."""
        row = (option,)
        table = Table(
            items=self._items,
            rows=[],
            columns={option.item: row},
            places={},
            assigned={},
            given={},
            is_layout_known=False,
        )
        if judge(option, row, table, self._settings) is not None:
            return None
        return score_option(option, row, row, self._settings)
