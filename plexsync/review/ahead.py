"""What accepting would write, found out in a thread of its own before it comes to the screen."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from plexsync.errors import ServerError, StateMismatchError
from plexsync.models import Change, PlexItem, RatingKey, SceneId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


J = TypeVar("J")

Pairs = tuple[SceneId, tuple[RatingKey, ...]]
"""A scene, and the items to compare it with."""

_DOWN_FOR_S = 30.0
"""Seconds a server that failed is not asked again."""


class AheadWorker(Generic[J]):
    """Does what is wanted, the most urgent first, until it is closed.

    Args:
        work: does one job; returns whether something new is known then.
    """

    def __init__(self, work: Callable[[J], bool]) -> None:
        self._do = work
        self._tell: Callable[[], object] = lambda: None
        self._wanted: deque[J] = deque()
        self._changed = threading.Condition()
        self._begun = self._closed = False

    def on_news(self, tell: Callable[[], object]) -> None:
        """Call `tell` from now on, in another thread, whenever something new is known."""
        self._tell = tell

    def want(self, jobs: Iterable[J]) -> None:
        """Say what is needed next, the most urgent first; what was wanted before is dropped."""
        with self._changed:
            self._wanted = deque(jobs)
            self._changed.notify_all()
            if not self._begun:
                self._begun = True
                # A server that hangs must not keep the program from ending.
                threading.Thread(target=self._work, daemon=True).start()

    def close(self) -> None:
        """Ask nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._closed)
                if self._closed:
                    return
                job = self._wanted.popleft()
            if self._do(job):
                with self._changed:
                    self._changed.notify_all()
                self._tell()


class LinkPreview(NamedTuple):
    """What linking a scene to an item would write.

    Args:
        changes: field by field.
        kept: fields that differ but stay as Plex has them: by policy, since an undo, or while the
            scene is blank and new.
        problem: why it is unknown; "" when it is known.
        item: the item as Plex has it.
        owed: a server was away, so both are asked again later.
    """

    changes: tuple[Change, ...] = ()
    kept: tuple[str, ...] = ()
    problem: str = ""
    item: PlexItem | None = None
    owed: bool = False


class PreviewLoader(AheadWorker[Pairs]):
    """Compares scenes with their candidates before they come to the screen.

    Args:
        compare: asks the servers what linking a scene to each item would write.
    """

    def __init__(
        self, compare: Callable[[SceneId, Sequence[RatingKey]], Mapping[RatingKey, LinkPreview]]
    ) -> None:
        self._ask = compare
        self._known: dict[SceneId, dict[RatingKey, LinkPreview]] = {}
        self._down_until = 0.0
        self._problem = ""
        super().__init__(self.load)

    def known(self, scene_id: SceneId) -> Mapping[RatingKey, LinkPreview]:
        """Return what is known of a scene's candidates by now."""
        with self._changed:
            return dict(self._known.get(scene_id, {}))

    def wait_for(self, scene_id: SceneId, key: RatingKey, seconds: float) -> None:
        """Wait until a pair is known, at most so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or key in self._known.get(scene_id, {}), seconds
            )

    def load(self, pairs: Pairs, *, at_once: bool = False) -> bool:
        """Compare what is not known yet, or is owed; returns whether there is news.

        A server that failed a moment ago, maybe about another scene, is asked `at_once` only where
        nobody asks again later.
        """
        scene_id, keys = pairs
        known, asks = self.known(scene_id), at_once or time.monotonic() >= self._down_until
        wanted = [key for key in keys if key not in known or (asks and known[key].owed)]
        found = self._compare(scene_id, wanted, asks=asks)
        with self._changed:
            self._known.setdefault(scene_id, {}).update(found)
        return any(known.get(key) != one for key, one in found.items())

    def _compare(
        self, scene_id: SceneId, keys: Sequence[RatingKey], *, asks: bool
    ) -> Mapping[RatingKey, LinkPreview]:
        if keys and asks:
            try:
                return self._ask(scene_id, keys)
            except (ServerError, StateMismatchError) as error:
                self._problem = error.message
                self._down_until = time.monotonic() + _DOWN_FOR_S
        return {key: LinkPreview(problem=self._problem, owed=True) for key in keys}
