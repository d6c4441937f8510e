"""What ties the scenes of a review together: items several of them want, and the same evidence.

Found out when it is first asked for, once for the whole queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.review.selection import pattern_of, rivals_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from plexsync.models import RatingKey, SceneId
    from plexsync.review.selection import Pattern
    from plexsync.state import Waiting

_MOST_NAMED = 3


class Ties:
    """The ties of one queue.

    Args:
        queue: what waits, as it was when the review began.
    """

    def __init__(self, queue: Sequence[Waiting]) -> None:
        self._queue = tuple(queue)
        self._patterns: dict[Pattern, list[SceneId]] | None = None
        self._wanted: dict[RatingKey, list[SceneId]] | None = None

    def has_alike(self, waiting: Waiting, answered: Collection[SceneId]) -> bool:
        """Whether another scene, not answered yet, looks like this one; see `group_of`."""
        pattern = pattern_of(waiting)
        if pattern is None:
            return False
        if self._patterns is None:
            self._patterns = {}
            for one in self._queue:
                if found := pattern_of(one):
                    self._patterns.setdefault(found, []).append(one.scene_id)
        others = self._patterns.get(pattern, ())
        return any(one != waiting.scene_id and one not in answered for one in others)

    def rivals_note(
        self, rating_key: RatingKey, ours: SceneId, answered: Collection[SceneId]
    ) -> list[str]:
        """Which other scenes, not answered yet, an item is a candidate of; in words."""
        if self._wanted is None:
            self._wanted = rivals_of(self._queue)
        others = [
            one for one in self._wanted.get(rating_key, ()) if one != ours and one not in answered
        ]
        return [f"also a candidate of {_scenes(others)}"] if others else []


def _scenes(ids: Sequence[SceneId]) -> str:
    """A few scenes by their ids, more by their number."""
    if len(ids) > _MOST_NAMED:
        return f"{len(ids):,} other scenes"
    return f"scene {ids[0]}" if len(ids) == 1 else f"scenes {', '.join(ids)}"
