"""Uploading pictures and choosing them, and the proof that Plex shows them.

What is replaced is on disk before the first request that replaces it. An upload is never repeated
blindly: whatever became of the request, a look at the item's pictures decides.
Source: docs/plex-api.md 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from plexsync.artwork import note
from plexsync.errors import AuthError, ServerError
from plexsync.journal import Settlement
from plexsync.models import Change, ItemPlan, PictureBase, PlexField, Problem
from plexsync.pictures import UPLOADED
from plexsync.plex_pictures import selected_key
from plexsync.writing import UNSENT, as_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.artwork import Stroke, Wanted
    from plexsync.models import FieldRule, Picture, RatingKey
    from plexsync.rows import Pair
    from plexsync.writing import Notebook


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
class Brush:
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


class Uploader:
    """Puts pictures up.

    Args:
        gallery: where they go.
        should_stop: asked between requests.
        servers_down: True once a server failed so often that no further request is worth sending.
    """

    def __init__(
        self, gallery: Gallery, *, should_stop: Callable[[], bool], servers_down: Callable[[], bool]
    ) -> None:
        self._gallery = gallery
        self._should_stop = should_stop
        self._servers_down = servers_down

    def send(self, brushes: Sequence[Brush], notebook: Notebook) -> None:
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

    def _send_one(self, seq: int, brush: Brush, notebook: Notebook) -> None:
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

    def _hand_over(self, brush: Brush) -> ServerError | None:
        """Choose the picture if the item has it, else upload it; the error if that failed."""
        try:
            if brush.key in brush.there:
                self._gallery.select(*brush.place, brush.key)
            else:
                self._gallery.upload(*brush.place, brush.body)
        except ServerError as error:
            return error
        return None

    def _settle(self, brush: Brush) -> str:
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

    def _shown_as(self, brush: Brush) -> str:
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


# ---- Private -------------------------------------------------------------------------------------


def _release(pair: Pair, rule: FieldRule) -> None:
    """What an undo held back is ours to write again."""
    held = {target: digest for target, digest in pair.link.held.items() if target is not rule.to}
    pair.link = replace(pair.link, held=held)


def _not_shown(name: str) -> Problem:
    return Problem(
        kind="not-shown",
        message=f"Plex took the {name} but does not show it",
        hint="look at the item in Plex; another program may be writing to it",
    )
