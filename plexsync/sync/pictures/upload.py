"""Uploading pictures and choosing them, and the proof that Plex shows them.

What is replaced is on disk before the first request that replaces it. An upload is never repeated
blindly: whatever became of the request, a look at the item's pictures decides.
Source: docs/plex-api.md 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from plexsync.errors import AuthError, ServerError
from plexsync.models import (
    Change,
    ItemDetail,
    ItemPlan,
    PictureBase,
    PlexField,
    Problem,
    as_problem,
)
from plexsync.planning.picture_policy import UPLOADED
from plexsync.plex.pictures import selected_key
from plexsync.state import Settlement
from plexsync.sync.execution.writer import NOT_SHOWN, UNSENT
from plexsync.sync.pictures.plan import note, shown_as

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from plexsync.models import FieldRule, Picture, RatingKey
    from plexsync.sync.execution.writer import Notebook
    from plexsync.sync.pictures.plan import Stroke, Wanted
    from plexsync.sync.rows import Pair


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

    To list an item's pictures is the proof of what it shows. It is saved where the item's detail,
    of which a request brings a hundred, proves as much: Plex locks a picture whenever one is
    chosen, so a lock that was not there before the upload came with it. The first picture of a run
    is proven by the list all the same, because that shows by which names this Plex calls uploads.
    Source: docs/plex-api.md 5.

    Args:
        gallery: where they go.
        read: fresh details of items by rating key; one that failed as its error.
        should_stop: asked between requests.
        servers_down: True once a server failed so often that no further request is worth sending.
    """

    def __init__(
        self,
        gallery: Gallery,
        read: Callable[[Sequence[RatingKey]], Mapping[RatingKey, ItemDetail | ServerError]],
        *,
        should_stop: Callable[[], bool],
        servers_down: Callable[[], bool],
    ) -> None:
        self._gallery = gallery
        self._read = read
        self._should_stop = should_stop
        self._servers_down = servers_down
        self._names_are_known = False

    def send(self, brushes: Sequence[Brush], notebook: Notebook) -> None:
        """Write down what is replaced, then replace it.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        seqs = notebook.intend([brush.plan for brush in brushes]) if brushes else ()
        unproven: list[tuple[int, Brush]] = []
        end: ServerError | None = None
        for seq, brush in zip(seqs, brushes, strict=True):
            if end is not None or self._should_stop():
                notebook.result(seq, Settlement.FAILED, UNSENT, missing=(brush.stroke.rule.to,))
                brush.painted.unfinished = True
                continue
            try:
                if not self._send_one(seq, brush, notebook):
                    unproven.append((seq, brush))
            except ServerError as error:
                end = error
        try:
            self._prove(unproven, notebook)
        except ServerError as error:
            # Without a result the intents stay unsettled, and the next run looks again.
            end = end or error
        if end is not None:
            raise end

    def _send_one(self, seq: int, brush: Brush, notebook: Notebook) -> bool:
        """Send one picture.

        Returns:
            Whether it is known what became of it; else the item's lock will tell.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        refusal = self._hand_over(brush)
        if isinstance(refusal, AuthError):
            missing = (brush.stroke.rule.to,)
            notebook.result(seq, Settlement.FAILED, as_problem(refusal), missing=missing)
            raise refusal
        locked = brush.stroke.shown.locked_before
        if refusal is None and self._names_are_known and not locked:
            return False
        self._look(seq, brush, refusal, notebook)
        return True

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

    # ---- what became of it

    def _prove(self, sent: Sequence[tuple[int, Brush]], notebook: Notebook) -> None:
        """Have the locks of many items tell; where one does not, look.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        keys = dict.fromkeys(brush.job.plan.rating_key for _, brush in sent)
        read = self._read(tuple(keys)) if keys else {}
        for seq, brush in sent:
            detail, rule = read.get(brush.job.plan.rating_key), brush.stroke.rule
            if not isinstance(detail, ItemDetail) or rule.to not in detail.locked:
                self._look(seq, brush, None, notebook)
                continue
            judged = brush.stroke.judged
            shown = shown_as(judged, rule, detail) if judged else ""
            _conclude(seq, brush, replace(brush.base, shown=shown), notebook)

    def _look(
        self, seq: int, brush: Brush, refusal: ServerError | None, notebook: Notebook
    ) -> None:
        """Have the item's list of pictures tell.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        try:
            selected = self._settle(brush)
        except ServerError as error:
            # Without a result the intent stays unsettled, and the next run looks again.
            self._give_up_if_down(error)
            brush.painted.problem = as_problem(error)
            return
        if _is_it(brush, selected):
            self._names_are_known |= selected == brush.key and selected not in brush.there
            _conclude(seq, brush, replace(brush.base, key=selected), notebook)
            return
        problem = as_problem(refusal) if refusal else _not_shown(brush, selected)
        notebook.result(seq, Settlement.FAILED, problem, missing=(brush.stroke.rule.to,))
        brush.painted.problem = problem

    def _settle(self, brush: Brush) -> str:
        """The key of what the item shows in the end.

        A picture that came and was not chosen is chosen now.

        Raises:
            ServerError: nobody knows.
        """
        pictures = self._gallery.available(*brush.place)
        selected = selected_key(pictures)
        if _is_it(brush, selected) or brush.key not in {picture.key for picture in pictures}:
            return selected
        self._gallery.select(*brush.place, brush.key)
        return selected_key(self._gallery.available(*brush.place))

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


def _is_it(brush: Brush, selected: str) -> bool:
    """Whether what an item shows is what was sent."""
    # The name of an upload is Plex's affair: a new one that is shown can only be ours.
    return selected == brush.key or (selected.startswith(UPLOADED) and selected not in brush.there)


def _conclude(seq: int, brush: Brush, base: PictureBase, notebook: Notebook) -> None:
    """Note a picture that Plex was seen to show."""
    notebook.result(seq, Settlement.APPLIED)
    brush.painted.changes.append(brush.stroke.shown)
    note(brush.job.pair, brush.stroke.rule, base)
    _release(brush.job.pair, brush.stroke.rule)


def _not_shown(brush: Brush, selected: str) -> Problem:
    name = brush.stroke.rule.name
    return Problem(
        kind=NOT_SHOWN,
        message=(
            f"Plex accepted the change but does not hold what was sent: {name} sent "
            f"'{brush.key}', Plex shows '{selected}'"
        ),
        hint="look at the item in Plex; another program may be writing to it",
    )
