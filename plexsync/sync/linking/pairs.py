"""The pairs of a run: those of scenes and items nothing is remembered of are made at their turn."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from plexsync.models import Confidence, Deferred, Link, Match, PlexField, PlexItem, Scene, SceneId
from plexsync.sync.rows import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from plexsync.matcher import SurePairs

NOTHING: dict[PlexField, Any] = {}
"""Stands for each empty part of a link that waits: one for all of them saves memory."""


class Pairs(Deferred[Pair]):
    """Pairs in the order in which they are written.

    A number among the `slots` is the position of a scene among the sure pairs of matching: it has
    one item, and neither was linked before.

    Args:
        slots: the pairs and positions.
        sure: what the positions are about; None where there are none.
    """

    def __init__(self, slots: Iterable[Pair | int] = (), sure: SurePairs | None = None) -> None:
        super().__init__(slots)
        self._sure = sure

    def make(self, number: int) -> Pair:
        """Return the pair of the scene at a position."""
        assert self._sure  # noqa: S101 - without it there are no positions
        scene, item = self._sure.of(number)
        return new_pair(scene, item, self._sure.match(number))

    def after(self, others: Iterable[Pair]) -> Pairs:
        """Return other pairs, and behind them these."""
        return Pairs([*others, *self.slots], self._sure)

    def by_scene(self) -> Iterator[list[Pair]]:
        """Yield the pairs of each scene, the scenes in the order of their first pairs."""
        several: defaultdict[SceneId, list[Pair]] = defaultdict(list)
        for pair in self.made():
            several[pair.scene.scene_id].append(pair)
        for slot in self.slots:
            if isinstance(slot, int):
                yield [self.value(slot)]
            elif slot.scene.scene_id in several:
                yield several.pop(slot.scene.scene_id)

    def of_scenes(self, is_wanted: Callable[[SceneId], bool]) -> Iterator[Pair]:
        """Yield the pairs of the scenes that are wanted."""
        for slot in self.slots:
            if is_wanted(self._scene_of(slot).scene_id):
                yield self.value(slot)

    def _scene_of(self, slot: Pair | int) -> Scene:
        if not isinstance(slot, int):
            return slot.scene
        assert self._sure  # noqa: S101 - see above
        return self._sure.scenes[slot]


def new_pair(scene: Scene, item: PlexItem, found: Match) -> Pair:
    """Return the pair of a match, as if nothing were remembered of it."""
    link = Link(
        rating_key=item.rating_key,
        section_id=item.section_id,
        path=found.candidates[0].item_path,
        confidence=found.confidence or Confidence.LOW,
        base=NOTHING,
        held=NOTHING,
        pictures=NOTHING,
    )
    return Pair(scene=scene, link=link, match=found, title=item.title)
