"""Scenes that wait for a person and could claim an item that another scene is about to get.

Which scenes are due is chance: of two with an equal claim to one item, only one may have been
edited. The other one counts all the same, or the item would go to whoever comes alone.
Source: docs/design.md, "Matching" (no other scene with an equal claim).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from plexsync.state import Waiting, load_waiting, waiting_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from plexsync.models import RatingKey, Scene, SceneId
    from plexsync.stash_client import Fetched
    from plexsync.state import State


class SceneReader(Protocol):
    """What is asked of Stash."""

    def scenes(self, ids: Sequence[SceneId]) -> Fetched[Scene]:
        """The named scenes with what matching needs."""


@dataclass(slots=True, kw_only=True)
class Rivals:
    """Finds them where earlier runs left them; Stash is asked only for those the cache has lost.

    Args:
        state: says which scenes wait.
        queue: where what was found for them lies.
        stash: knows the scenes.
    """

    state: State
    queue: Path
    stash: SceneReader
    _known: dict[SceneId, Waiting] | None = None

    def __call__(self, keys: Collection[RatingKey], ours: Collection[SceneId]) -> list[Scene]:
        """The waiting scenes, `ours` apart, that could claim one of the items `keys`.

        Raises:
            ServerError: the cache is lost and Stash cannot tell.
        """
        ids = [one for one in waiting_ids(self.state) if one not in ours] if keys else []
        if not ids:
            return []
        if self._known is None:
            self._known = {one.scene_id: one for one in load_waiting(self.queue, self.state)}
        known = self._known
        near = [known[one].scene for one in ids if one in known and _claims(known[one], keys)]
        lost = tuple(one for one in ids if one not in known)
        return [*near, *(self.stash.scenes(lost).found if lost else ())]


def _claims(waiting: Waiting, keys: Collection[RatingKey]) -> bool:
    """Whether a scene could claim one of the items; one with too many candidates to list may."""
    hidden = waiting.match.candidate_count > len(waiting.candidates)
    return hidden or any(one.rating_key in keys for one in waiting.candidates)
