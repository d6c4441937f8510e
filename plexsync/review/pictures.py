"""Pictures of what waits, of both servers, fetched before a screen needs them.

They are asked for with the credentials of their server. What is no JPEG, PNG, GIF or WebP by its
bytes, or too large, is no picture: a drawing with a script in it or a web page never reaches a
screen.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from plexsync.errors import ServerError, StateMismatchError
from plexsync.models import PlexField, RatingKey, SceneId
from plexsync.review.ahead import AheadWorker
from plexsync.stash_client import picture_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plexsync.review.machine import Review


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
        review: what waits, and who has the pictures; those of nothing else are fetched.
        make: makes what is shown of what a server gave; None where it cannot be shown.
    """

    def __init__(self, review: Review, make: Callable[[bytes | None], bytes | None]) -> None:
        self._review, self._make_shown = review, make
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
            found = self._make_shown(_fetched(self._review, key))
        except (ServerError, StateMismatchError):
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


def _fetched(review: Review, key: PictureKey) -> bytes | None:
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
