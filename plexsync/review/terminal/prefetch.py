"""Comparing scenes with their candidates before they come to the screen of a review."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from plexsync.errors import ServerError
from plexsync.review.interfaces import LinkPreview

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from plexsync.models import RatingKey, SceneId
    from plexsync.review.actions import ReviewActions
    from plexsync.review.context import ReviewContext

_DOWN_FOR_S = 30.0
"""Seconds a server that failed is not asked again."""


class PreviewLoader:
    """Compares scenes with their candidates before they come to the screen.

    Args:
        actions: whose lock is held while a server is asked.
        context: has the servers to ask.
        ring: called when something new is known.
    """

    def __init__(
        self, actions: ReviewActions, context: ReviewContext, ring: Callable[[], None]
    ) -> None:
        self._actions, self._context, self._ring = actions, context, ring
        self._wanted: list[tuple[SceneId, tuple[RatingKey, ...]]] = []
        self._known: dict[SceneId, dict[RatingKey, LinkPreview]] = {}
        self._changed = threading.Condition()
        self._down_until = 0.0
        self._problem = ""
        self._closed = False
        # A server that hangs must not keep the program from ending.
        threading.Thread(target=self._work, daemon=True).start()

    def want(self, wanted: Sequence[tuple[SceneId, tuple[RatingKey, ...]]]) -> None:
        """Say what is needed next, the most urgent first; what was wanted before is dropped."""
        with self._changed:
            self._wanted = list(wanted)
            self._changed.notify_all()

    def known(self, scene_id: SceneId) -> Mapping[RatingKey, LinkPreview]:
        """What is known of a scene's candidates by now."""
        with self._changed:
            return dict(self._known.get(scene_id, {}))

    def pause(self, seconds: float) -> None:
        """Wait until something new is known, at most so long."""
        with self._changed:
            self._changed.wait(max(seconds, 0.0))

    def close(self) -> None:
        """Ask nothing more."""
        with self._changed:
            self._closed = True
            self._wanted = []
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                job = self._next()
                while job is None and not self._closed:
                    self._changed.wait()
                    job = self._next()
                if job is None:
                    return
            scene_id, keys = job
            found = self._compare(scene_id, keys)
            with self._changed:
                self._known.setdefault(scene_id, {}).update(found)
                self._changed.notify_all()
            self._ring()

    def _next(self) -> tuple[SceneId, tuple[RatingKey, ...]] | None:
        for scene_id, keys in self._wanted:
            known = self._known.get(scene_id, {})
            lost = tuple(key for key in keys if key not in known)
            if lost:
                return scene_id, lost
        return None

    def _compare(
        self, scene_id: SceneId, keys: tuple[RatingKey, ...]
    ) -> Mapping[RatingKey, LinkPreview]:
        if time.monotonic() < self._down_until:
            return {key: LinkPreview(problem=self._problem) for key in keys}
        with self._actions.asking:
            context = self._context
            try:
                return context.servers.compare(scene_id, keys, context.answers.state)
            except ServerError as error:
                self._problem = error.message
                self._down_until = time.monotonic() + _DOWN_FOR_S
        return {key: LinkPreview(problem=self._problem) for key in keys}
