"""The pairs of a run: those of scenes and items nothing is remembered of are made at their turn.

A full run has a pair for every scene, and what is ours on its item is ten times as large as the
pair. So what is remembered of an item's fields is left in the records until the item's turn, and a
pair lets go of it once it is done.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from plexsync.models import Confidence, Deferred, Link, Match, PlexField, PlexItem, Scene, SceneId
from plexsync.sync.rows import Pair
from plexsync.text.normalize import same_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from plexsync.matcher import SurePairs
    from plexsync.state import State

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

    def parted(self, is_wanted: Callable[[SceneId], bool]) -> tuple[Pairs, Pairs]:
        """Return the pairs of the scenes that are wanted, and those of all others."""
        parts: tuple[list[Pair | int], list[Pair | int]] = [], []
        for slot in self.slots:
            parts[not is_wanted(self._scene_of(slot).scene_id)].append(slot)
        wanted, others = parts
        return Pairs(wanted, self._sure), Pairs(others, self._sure)

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


def bare(link: Link) -> Link:
    """Return a link without what is remembered of the item's fields."""
    if not (link.base or link.held or link.pictures):
        return link
    return replace(link, base=NOTHING, held=NOTHING, pictures=NOTHING)


def find_origin(pair: Pair, records: State, owner: SceneId | None) -> None:
    """Find what remembers a pair's item: its own scene's record, that of `owner`, or a former one.

    What another scene gave to the item is inherited.
    """
    scene_id = pair.scene.scene_id
    known = earlier(records, pair.link, (scene_id, owner))
    if known is not None:
        before, of = known
        inherited = of != scene_id or before.inherited
        pair.link = replace(pair.link, inherited=inherited)
        pair.known, pair.origin = True, of or scene_id


def recall(pair: Pair, records: State) -> None:
    """Give a pair back what is remembered of its item's fields; once, for it may have changed."""
    if pair.origin is None:
        return
    link, known = pair.link, earlier(records, pair.link, (pair.origin,))
    pair.origin = None
    if known is not None:
        found, _ = known
        # An item that got another number is another one to Plex, and has none of our pictures.
        pictures = found.pictures if found.rating_key == link.rating_key else {}
        pair.link = replace(link, base=found.base, held=found.held, pictures=pictures)


def earlier(
    records: State, place: Link, scene_ids: Iterable[SceneId | None]
) -> tuple[Link, SceneId | None] | None:
    """Return what is known of an item, and the scene with a record of that; None for nothing.

    Of what these scenes are linked to, and of what the item was linked to when it lost its scene,
    it is what shows the same file under the same key, or else the same file: an item has another
    key once Plex was restored. Else it is what has the key.
    """
    scenes = [scene_id for scene_id in scene_ids if scene_id]
    known: list[tuple[Link, SceneId | None]] = [
        (link, scene_id)
        for scene_id in scenes
        if (record := records.get(scene_id))
        for link in record.links
    ]
    if former := records.former(place.rating_key):
        known.append((former, None))

    def likeness(one: tuple[Link, SceneId | None]) -> tuple[bool, bool]:
        link, _ = one
        return same_path(link.path, place.path), link.rating_key == place.rating_key

    best = max(known, key=likeness, default=None)
    return best if best and any(likeness(best)) else None
