"""What is fetched in a thread of its own before it comes to the screen: comparisons and pictures.

Pictures are asked for with the credentials of their server. What is no JPEG, PNG, GIF or WebP by
its bytes, or too large, is no picture: a drawing with a script in it or a web page never reaches a
screen.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from plexsync.errors import ServerError
from plexsync.models import PlexField, RatingKey, SceneId
from plexsync.review.servers import LinkPreview
from plexsync.stash_client import picture_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plexsync.review.machine import Review


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
        self._closed = False
        # A server that hangs must not keep the program from ending.
        threading.Thread(target=self._work, daemon=True).start()

    def on_news(self, tell: Callable[[], object]) -> None:
        """Call `tell` from now on, in another thread, whenever something new is known."""
        self._tell = tell

    def want(self, jobs: Iterable[J]) -> None:
        """Say what is needed next, the most urgent first; what was wanted before is dropped."""
        with self._changed:
            self._wanted = deque(jobs)
            self._changed.notify_all()

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
        super().__init__(self._load)

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

    def _load(self, pairs: Pairs) -> bool:
        scene_id, keys = pairs
        known = self.known(scene_id)
        found = self._compare(scene_id, [key for key in keys if key not in known])
        with self._changed:
            self._known.setdefault(scene_id, {}).update(found)
        return bool(found)

    def _compare(
        self, scene_id: SceneId, keys: Sequence[RatingKey]
    ) -> Mapping[RatingKey, LinkPreview]:
        if keys and time.monotonic() >= self._down_until:
            try:
                return self._ask(scene_id, keys)
            except ServerError as error:
                self._problem = error.message
                self._down_until = time.monotonic() + _DOWN_FOR_S
        return {key: LinkPreview(problem=self._problem) for key in keys}


# ---- Pictures ------------------------------------------------------------------------------------


MOST_PICTURE_BYTES = 10 << 20
_MOST_KEPT_BYTES = 96 << 20
_MOST_WANTED = 120


class PictureKind(StrEnum):
    """What a picture is of."""

    COVER = "cover"
    FRAMES = "frames"
    POSTER = "poster"
    ART = "art"


class PictureKey(NamedTuple):
    """A picture: what it is of, and the id of the scene or the rating key of the item."""

    kind: PictureKind
    owner: str


class PictureCache(AheadWorker[PictureKey]):
    """Fetches pictures, keeps the last ones, and fetches ahead.

    Args:
        fetch: asks a server for the bytes of a picture; None where there is none.
    """

    def __init__(self, fetch: Callable[[PictureKey], bytes | None]) -> None:
        self._fetch = fetch
        self._kept: OrderedDict[PictureKey, bytes | None] = OrderedDict()
        self._bytes = 0
        super().__init__(lambda key: self.picture(key) is not None)

    def known(self, key: PictureKey) -> bytes | None:
        """Return a picture that was fetched already; None when there is none by now."""
        with self._changed:
            return self._kept.get(key)

    def picture(self, key: PictureKey) -> bytes | None:
        """Return a picture; None when there is none that can be shown."""
        with self._changed:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        try:
            found = shown_picture(self._fetch(key))
        except ServerError:
            # A server that is away now may have it later, so nothing is kept.
            return None
        with self._changed:
            if key not in self._kept:
                self._kept[key] = found
                self._bytes += len(found or b"")
            while self._bytes > _MOST_KEPT_BYTES:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped or b"")
        return found

    def want(self, jobs: Iterable[PictureKey]) -> None:
        """Fetch these ahead, in this order; what was wanted before is dropped."""
        super().want([key for key in jobs if key not in self._kept][:_MOST_WANTED])


def fetch_shown(review: Review, key: PictureKey) -> bytes | None:
    """Return the bytes of a picture of something that waits; of nothing else.

    Raises:
        ServerError: a server is down or refuses us.
    """
    if key.kind in {PictureKind.COVER, PictureKind.FRAMES}:
        waiting = review.queue.every.get(SceneId(key.owner))
        if waiting is None:
            return None
        if key.kind is PictureKind.COVER:
            return review.servers.stash_picture(f"/scene/{waiting.scene_id}/screenshot")
        hashes = (file.oshash for file in waiting.scene.files)
        oshash = next((one for one in hashes if one is not None), None)
        # The sheet of small frames that Stash makes of a file, once it has made it.
        sheet = f"/scene/{oshash:016x}_sprite.jpg" if oshash is not None else ""
        return review.servers.stash_picture(sheet) if sheet else None
    if not review.queue.has_item(RatingKey(key.owner)):
        return None
    field = PlexField.POSTER if key.kind is PictureKind.POSTER else PlexField.BACKGROUND
    return review.servers.item_picture(RatingKey(key.owner), field)


def shown_picture(body: bytes | None) -> bytes | None:
    """Return what is a picture by its bytes, not by what a server calls it; None for all else."""
    fits = body and len(body) <= MOST_PICTURE_BYTES and picture_type(body)
    return body if fits else None
