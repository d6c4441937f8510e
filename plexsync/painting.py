"""Sending pictures to Plex, and the proof that it shows them.

The bytes are fetched where they are about to be sent. An upload is never repeated blindly: whatever
became of the request, a look at the item's pictures decides. Source: docs/plex-api.md 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec.structs import replace

from plexsync.artwork import base_of, note, require_small
from plexsync.errors import AuthError, ServerError
from plexsync.journal import Settlement
from plexsync.models import PICTURE_FIELDS, Change, ItemPlan, PictureBase, PlexField, Problem
from plexsync.padding import fitted, recipe
from plexsync.pictures import UPLOADED, upload_key
from plexsync.plex_pictures import selected_key
from plexsync.stash_covers import Cover, NoCover, checksum
from plexsync.writing import UNSENT, as_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.artwork import Artwork, Stroke, Wanted
    from plexsync.models import FieldRule, ItemDetail, Picture, RatingKey
    from plexsync.plan_file import SavedPicture
    from plexsync.rows import Pair
    from plexsync.writing import Notebook

_HELD_BYTES = 32 << 20
"""Covers held at once before they are sent; what they replace goes to disk in one piece."""


class Covers(Protocol):
    """What is asked of Stash."""

    def cover(self, cover_path: str, /) -> Cover | NoCover:
        """A scene's cover, its bytes included."""


class Gallery(Protocol):
    """What is asked of Plex."""

    def available(self, rating_key: RatingKey, field: PlexField, /) -> Sequence[Picture]:
        """The pictures an item can choose from."""

    def upload(self, rating_key: RatingKey, field: PlexField, body: bytes, /) -> None:
        """A new one, which becomes the chosen one."""

    def select(self, rating_key: RatingKey, field: PlexField, key: str, /) -> None:
        """Choose one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The pictures of one pair. `plan` says which item and scene; its changes do not matter."""

    pair: Pair
    plan: ItemPlan
    wanted: Wanted


@dataclass(slots=True, kw_only=True)
class Painted:
    """What became of a job.

    Attributes:
        changes: what was written, as a person sees it.
        kept: the names of fields that stay.
        problem: why something could not be written.
        unfinished: something was not even tried.
    """

    changes: list[Change] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    problem: Problem | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Brush:
    """A stroke that is ready to be sent.

    Args:
        job: what it is part of.
        stroke: the stroke.
        painted: where to say what became of it.
        before: the key of what Plex shows.
        there: the keys of all it could show.
        key: the key of what it is to show.
        body: the bytes to upload, if `key` is not among those that are `there`.
        base: what is known when it is done.
    """

    job: Job
    stroke: Stroke
    painted: Painted
    before: str
    there: frozenset[str]
    key: str
    body: bytes
    base: PictureBase

    @property
    def place(self) -> tuple[RatingKey, PlexField]:
        """The item and its field."""
        return self.job.plan.rating_key, self.stroke.rule.to

    @property
    def plan(self) -> ItemPlan:
        """What the journal keeps: the keys before and after."""
        keys = {"before": self.before, "after": self.key}
        change = replace(self.stroke.shown, **keys, locked_after=True)
        return replace(self.job.plan, changes=(change,))


class Painter:
    """Brings pictures to Plex.

    Args:
        covers: where covers come from.
        gallery: where they go.
        should_stop: asked between requests.
        servers_down: True once a server failed so often that no further request is worth sending.
    """

    def __init__(
        self,
        covers: Covers,
        gallery: Gallery,
        *,
        should_stop: Callable[[], bool],
        servers_down: Callable[[], bool],
    ) -> None:
        self._covers = covers
        self._gallery = gallery
        self._should_stop = should_stop
        self._servers_down = servers_down
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
        waiting: list[_Brush] = []
        fatal: ServerError | None = None
        try:
            for job, painted in zip(jobs, done, strict=True):
                for stroke in job.wanted.strokes:
                    brush = self._prepare(job, stroke, painted)
                    waiting += [brush] if brush else []
                if sum(len(brush.body) for brush in waiting) >= _HELD_BYTES:
                    self._send(waiting, notebook)
                    waiting = []
            self._send(waiting, notebook)
        except ServerError as error:
            fatal = error
        finally:
            self._fetched = ("", NoCover.NONE)
        if fatal is not None:
            _mark_unfinished(jobs, done)
        return done, fatal

    def _prepare(self, job: Job, stroke: Stroke, painted: Painted) -> _Brush | None:
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
        return _Brush(
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

    def _send(self, brushes: Sequence[_Brush], notebook: Notebook) -> None:
        """Write down what is replaced, then replace it.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        seqs = notebook.intend([brush.plan for brush in brushes]) if brushes else ()
        for at, (seq, brush) in enumerate(zip(seqs, brushes, strict=True)):
            if self._should_stop():
                notebook.result(seq, Settlement.FAILED, UNSENT, missing=(brush.stroke.rule.to,))
                brush.painted.unfinished = True
                continue
            try:
                self._send_one(seq, brush, notebook)
            except ServerError:
                for later, left in zip(seqs[at + 1 :], brushes[at + 1 :], strict=True):
                    missing = (left.stroke.rule.to,)
                    notebook.result(later, Settlement.FAILED, UNSENT, missing=missing)
                raise

    def _send_one(self, seq: int, brush: _Brush, notebook: Notebook) -> None:
        missing = (brush.stroke.rule.to,)
        refusal = self._hand_over(brush)
        if isinstance(refusal, AuthError):
            notebook.result(seq, Settlement.FAILED, as_problem(refusal), missing=missing)
            raise refusal
        try:
            selected = self._settle(brush)
        except AuthError:
            raise
        except ServerError as error:
            # Without a result the intent stays unsettled, and the next run looks again.
            self._give_up_if_down(error)
            brush.painted.problem = as_problem(error)
            return
        if not selected:
            problem = as_problem(refusal) if refusal else _not_shown(brush.stroke.rule.name)
            notebook.result(seq, Settlement.FAILED, problem, missing=missing)
            brush.painted.problem = problem
            return
        notebook.result(seq, Settlement.APPLIED)
        brush.painted.changes.append(brush.stroke.shown)
        note(brush.job.pair, brush.stroke.rule, replace(brush.base, key=selected))
        _release(brush.job.pair, brush.stroke.rule)

    def _hand_over(self, brush: _Brush) -> ServerError | None:
        """Choose the picture if the item has it, else upload it; the error if that failed."""
        try:
            if brush.key in brush.there:
                self._gallery.select(*brush.place, brush.key)
            else:
                self._gallery.upload(*brush.place, brush.body)
        except ServerError as error:
            return error
        return None

    def _settle(self, brush: _Brush) -> str:
        """The key under which the item shows the picture now; "" when it does not.

        A picture that came and was not chosen is chosen now.

        Raises:
            ServerError: nobody knows.
        """
        shown = self._shown_as(brush)
        if shown:
            return shown
        if brush.key in {picture.key for picture in self._gallery.available(*brush.place)}:
            self._gallery.select(*brush.place, brush.key)
            return self._shown_as(brush)
        return ""

    def _shown_as(self, brush: _Brush) -> str:
        selected = selected_key(self._gallery.available(*brush.place))
        # The name of an upload is Plex's affair: a new one that is shown can only be ours.
        new = selected.startswith(UPLOADED) and selected not in brush.there
        return selected if new or selected == brush.key else ""

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


def _release(pair: Pair, rule: FieldRule) -> None:
    """What an undo held back is ours to write again."""
    held = {target: digest for target, digest in pair.link.held.items() if target is not rule.to}
    pair.link = replace(pair.link, held=held)


def _mark_unfinished(jobs: Sequence[Job], done: Sequence[Painted]) -> None:
    """Say of jobs that lack something that they are to be tried again."""
    for job, painted in zip(jobs, done, strict=True):
        told = len(painted.changes) + len(painted.kept) + (painted.problem is not None)
        painted.unfinished |= told < len(job.wanted.strokes)


def _not_shown(name: str) -> Problem:
    return Problem(
        kind="not-shown",
        message=f"Plex took the {name} but does not show it",
        hint="look at the item in Plex; another program may be writing to it",
    )
