"""What is to be sent of the pictures that need replacing: the bytes, fetched at the last moment.

Each item is looked at once more; `uploading` does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec.structs import replace

from plexsync.errors import AuthError, ServerError
from plexsync.models import PICTURE_FIELDS, ItemPlan, PictureBase, as_problem
from plexsync.planning.picture_policy import upload_key
from plexsync.plex.pictures import selected_key
from plexsync.plex.poster_padding import fitted, recipe
from plexsync.stash_client import Cover, NoCover, checksum
from plexsync.sync.pictures.plan import base_of, note, require_small
from plexsync.sync.pictures.upload import Brush, Painted, Uploader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from plexsync.models import ItemDetail, RatingKey
    from plexsync.state import SavedPicture
    from plexsync.sync.execution.writer import Notebook
    from plexsync.sync.pictures.plan import Artwork, Stroke, Wanted
    from plexsync.sync.pictures.upload import Gallery, Job

_HELD_BYTES = 32 << 20
"""Covers held at once before they are sent; what they replace goes to disk in one piece."""


class Covers(Protocol):
    """What is asked of Stash."""

    def cover(self, cover_path: str, /) -> Cover | NoCover:
        """A scene's cover, its bytes included."""


class Painter:
    """Brings pictures to Plex.

    Args:
        covers: where covers come from.
        gallery: where they go.
        read: fresh details of items by rating key; one that failed as its error.
        should_stop: asked between requests.
        servers_down: True once a server failed so often that no further request is worth sending.
    """

    def __init__(
        self,
        covers: Covers,
        gallery: Gallery,
        read: Callable[[Sequence[RatingKey]], Mapping[RatingKey, ItemDetail | ServerError]],
        *,
        should_stop: Callable[[], bool],
        servers_down: Callable[[], bool],
    ) -> None:
        self._covers = covers
        self._gallery = gallery
        self._should_stop = should_stop
        self._servers_down = servers_down
        self._uploader = Uploader(gallery, read, should_stop=should_stop, servers_down=servers_down)
        self._fetched: tuple[str, Cover | NoCover] = ("", NoCover.NONE)

    def seen(self, detail: ItemDetail, plan: ItemPlan) -> ItemDetail:
        """`detail` with the keys of what the item shows where `plan` would change pictures.

        Raises:
            ServerError: they cannot be read.
        """
        keys = {
            change.target: selected_key(self._gallery.available(plan.rating_key, change.target))
            for change in plan.changes
            if change.target in PICTURE_FIELDS
        }
        return replace(detail, values={**detail.values, **keys}) if keys else detail

    def paint(
        self, jobs: Sequence[Job], notebook: Notebook
    ) -> tuple[list[Painted], ServerError | None]:
        """Send what `jobs` want, and prove by reading that it came.

        The pairs' links hold what Plex was seen to show.

        Returns:
            What became of each job, and the error after which nothing more was tried.
        """
        done = [Painted() for _ in jobs]
        waiting: list[Brush] = []
        fatal: ServerError | None = None
        try:
            for job, painted in zip(jobs, done, strict=True):
                for stroke in job.wanted.strokes:
                    brush = self._prepare(job, stroke, painted)
                    waiting += [brush] if brush else []
                if sum(len(brush.body) for brush in waiting) >= _HELD_BYTES:
                    self._uploader.send(waiting, notebook)
                    waiting = []
            self._uploader.send(waiting, notebook)
        except ServerError as error:
            fatal = error
        finally:
            self._fetched = ("", NoCover.NONE)
        if fatal is not None:
            _mark_unfinished(jobs, done)
        return done, fatal

    def _prepare(self, job: Job, stroke: Stroke, painted: Painted) -> Brush | None:
        """Look at the item once more and fetch what is to be sent; None when nothing is.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        if self._should_stop():
            painted.unfinished = True
            return None
        place = job.plan.rating_key, stroke.rule.to
        try:
            cover = self._bytes_of(stroke)
            pictures = self._gallery.available(*place) if cover else ()
        except ServerError as error:
            self._give_up_if_down(error)
            painted.problem = as_problem(error)
            return None
        if cover is None:  # taken away since it was compared
            before = base_of(job.pair, stroke.rule)
            note(job.pair, stroke.rule, replace(before, stamp=stroke.stamp, etag=""))
            return None
        key = stroke.again or upload_key(stroke.rule.to, cover.body)
        made = recipe(stroke.rule)
        base = PictureBase(stamp=stroke.stamp, etag=cover.etag, key=key, made=made)
        selected = selected_key(pictures)
        if key == selected:
            note(job.pair, stroke.rule, base)
            return None
        if stroke.ask:
            painted.kept.append(stroke.rule.name)
            note(job.pair, stroke.rule, replace(base, key=""))
            return None
        return Brush(
            job=job,
            stroke=stroke,
            painted=painted,
            before=selected,
            there=frozenset(picture.key for picture in pictures),
            key=key,
            body=cover.body,
            base=base,
        )

    def _bytes_of(self, stroke: Stroke) -> Cover | None:
        """What is to be sent: nothing for a picture that is only to be chosen again.

        Raises:
            ServerError: the cover cannot be had, is too large, or cannot be made to fit.
        """
        if stroke.again:
            return Cover(content_type="", etag=stroke.etag, size_bytes=0, body=b"")
        cover = self._fetch(stroke.cover_path)
        if not isinstance(cover, Cover):
            return None
        if stroke.checksum not in {"", checksum(cover)}:
            raise ServerError(
                "the cover became another one while the plan was applied",
                hint="save the plan anew, or have a run bring the cover as it is",
            )
        require_small(cover)
        return replace(cover, body=fitted(stroke.rule, cover.body))

    def _fetch(self, cover_path: str) -> Cover | NoCover:
        """The cover; asked for once for all the pictures in a row that want it."""
        if self._fetched[0] != cover_path:
            self._fetched = (cover_path, self._covers.cover(cover_path))
        return self._fetched[1]

    def _give_up_if_down(self, error: ServerError) -> None:
        """Pass on an error after which asking on is of no use.

        Raises:
            ServerError: it.
        """
        if isinstance(error, AuthError) or self._servers_down():
            raise error


class Pictures(NamedTuple):
    """All there is to posters and backgrounds.

    Attributes:
        artwork: says which are to be replaced.
        painter: replaces them.
        save: puts those of one item into a plan, by its key.
    """

    artwork: Artwork
    painter: Painter
    save: Callable[[RatingKey, Wanted], tuple[SavedPicture, ...]]


# ---- Private -------------------------------------------------------------------------------------


def _mark_unfinished(jobs: Sequence[Job], done: Sequence[Painted]) -> None:
    """Say of jobs that lack something that they are to be tried again."""
    for job, painted in zip(jobs, done, strict=True):
        told = len(painted.changes) + len(painted.kept) + (painted.problem is not None)
        painted.unfinished |= told < len(job.wanted.strokes)
