"""Uploading pictures and choosing them, and the proof that Plex shows them.

What is replaced is on disk before the first request that replaces it. An upload is never repeated
blindly: whatever became of the request, a look at the item's pictures decides.
Source: docs/plex-api.md 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import AuthError, ServerError
from plexsync.models import (
    ItemDetail,
    ItemPlan,
    PictureBase,
    PlexField,
    Problem,
    as_problem,
)
from plexsync.planning.picture_policy import UPLOADED
from plexsync.plex.pictures import selected_key
from plexsync.state import Result, Settlement
from plexsync.sync.execution.pictures.plan import let_go, note, shown_as
from plexsync.sync.execution.reader import FRESH_S, Lookahead, Reader
from plexsync.sync.execution.sender import MOVED, UNSENT
from plexsync.sync.execution.writer import NOT_SHOWN
from plexsync.sync.ports import WorkKind
from plexsync.text.words import file_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import RatingKey
    from plexsync.sync.execution.work import PictureChange, PictureResult, Ready
    from plexsync.sync.run_scope import RunScope

_PAUSE_S = 2.0
"""Seconds before a picture that was refused is sent once more: some refuse one right after another.

Source: docs/plex-api.md 1, status 413.
"""

_TOO_LARGE = 413


@dataclass(slots=True, kw_only=True, eq=False)
class PictureUpload:
    """A picture that is ready to be sent.

    Args:
        ready: the item.
        change: what is to be changed.
        before: the key of what Plex shows.
        there: the keys of all it could show.
        base: what is known when it is done; its key is that of what the item is to show.
        body: the bytes to upload, if that key is not among those that are `there`.
        read_at: when its item was looked at last.
        seq: the number of its intent, once there is one.
    """

    ready: Ready
    change: PictureChange
    before: str
    there: frozenset[str]
    base: PictureBase
    body: bytes
    read_at: float
    seq: int = 0

    @property
    def result(self) -> PictureResult:
        """Where to say what became of it."""
        return self.ready.pictures

    @property
    def place(self) -> tuple[RatingKey, PlexField]:
        """The item and its field."""
        return self.ready.plan.rating_key, self.change.rule.to

    def fits(self, item: ItemDetail) -> bool:
        """Return whether nobody chose a picture of an item that was not locked."""
        return self.change.rule.to not in item.locked

    @property
    def was_locked(self) -> bool:
        """Whether Plex locked what it shows."""
        return bool(self.change.shown.locked_before)

    @property
    def plan(self) -> ItemPlan:
        """What the journal keeps: the keys before and after."""
        keys = {"before": self.before, "after": self.base.key}
        change = replace(self.change.shown, **keys, locked_after=True)
        return replace(self.ready.plan, changes=(change,))


class Uploader:
    """Puts pictures up.

    To list an item's pictures is the proof of what it shows. It is saved where the item's detail,
    of which a request brings a hundred, proves as much: Plex locks a picture whenever one is
    chosen, so a lock that was not there before the upload came with it. The first picture of a run
    is proven by the list all the same, because that shows by which names this Plex calls uploads.
    Source: docs/plex-api.md 5.

    Args:
        scope: the work they are part of.
        reader: reads items afresh.
    """

    def __init__(self, scope: RunScope, reader: Reader) -> None:
        self._gallery = scope.ports.plex.pictures
        self._reader = reader
        self._ports = scope.ports
        self._session = scope.session
        self._lookahead: Lookahead[PictureUpload] = Lookahead(reader.read, self._ports.monotonic)
        self._names_are_known = False
        self._unproven: list[PictureUpload] = []

    def send(self, uploads: Sequence[PictureUpload]) -> None:
        """Journal what is replaced, then replace it, and prove that it was.

        Nothing but intents is noted: the results say how they ended.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        end = self.hand_over(uploads)
        try:
            self.prove()
        except ServerError as error:
            # Without a result the intents stay unsettled, and the next run looks again.
            end = end or error
        if end is not None:
            raise end

    def hand_over(self, uploads: Sequence[PictureUpload]) -> ServerError | None:
        """Journal what is replaced, then replace it; return what ended that, if anything did."""
        plans = [upload.plan for upload in uploads]
        numbers = self._session.intend(plans) if plans else ()
        for upload, seq in zip(uploads, numbers, strict=True):
            upload.seq = seq
        end: ServerError | None = None
        for at, upload in enumerate(uploads, 1):
            if end is not None or self._ports.ends(WorkKind.PICTURE):
                _note_end(upload, UNSENT)
                upload.result.unfinished = True
                continue
            try:
                if not self._send_one(upload, uploads[at:]):
                    upload.body = b""  # many may wait for their proof
                    self._unproven.append(upload)
            except ServerError as error:
                end = error
        return end

    def prove(self) -> None:
        """Have the locks of many items tell of what was handed over; where one does not, look.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        sent, self._unproven = self._unproven, []
        keys = dict.fromkeys(upload.ready.plan.rating_key for upload in sent)
        read = self._reader.read(tuple(keys)) if keys else {}
        for upload in sent:
            detail, rule = read.get(upload.ready.plan.rating_key), upload.change.rule
            if not isinstance(detail, ItemDetail) or rule.to not in detail.locked:
                self._look(upload)
                continue
            judged = upload.change.judged
            shown = shown_as(judged, rule, detail) if judged else ""
            self._applied(upload, replace(upload.base, shown=shown))

    def _send_one(self, upload: PictureUpload, coming: Sequence[PictureUpload]) -> bool:
        """Send one picture; once more where the first try failed and the item does not have it.

        `coming` are those after it.

        Returns:
            Whether it is known what became of it; else the item's lock will tell.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        if self._has_moved(upload, coming):
            _note_end(upload, MOVED)
            upload.result.unfinished = True
            return True
        refusal = self._hand_over(upload)
        if refusal is None:
            self._ports.faults.answered(WorkKind.PICTURE)
        if refusal is None and self._names_are_known and not upload.was_locked:
            return False
        self._look(upload, refusal)
        return True

    def _has_moved(self, upload: PictureUpload, coming: Sequence[PictureUpload]) -> bool:
        """Whether somebody chose a picture since it was decided, or that cannot be known.

        To choose one locks it; of one that was locked before the list tells.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        if not upload.was_locked:
            unlocked = [one for one in coming if not one.was_locked]
            return upload in self._lookahead.moved([upload], unlocked)
        if self._ports.monotonic() - upload.read_at <= FRESH_S:
            return False
        try:
            return selected_key(self._gallery.available(*upload.place)) != upload.before
        except ServerError as error:
            self._ports.raise_if_over(error)
            return True

    def _hand_over(self, upload: PictureUpload) -> ServerError | None:
        """Choose the picture if the item has it, else upload it; the error if that failed.

        Raises:
            AuthError: the token may not write.
        """
        try:
            if upload.base.key in upload.there:
                self._gallery.select(*upload.place, upload.base.key)
            else:
                self._gallery.upload(*upload.place, upload.body)
        except AuthError as error:
            _note_end(upload, as_problem(error))
            raise
        except ServerError as error:
            return error
        return None

    # ---- what became of it

    def _look(self, upload: PictureUpload, refusal: ServerError | None = None) -> None:
        """Have the item's list of pictures tell; where it was refused, send it once more.

        An intent of which nothing can be found out now is left open: the next run looks again.

        Raises:
            ServerError: a server is down, or refuses us.
        """
        try:
            selected = self._settle(upload)
            if refusal is not None and selected == upload.before:
                self._ports.sleep(_PAUSE_S)
                refusal = self._hand_over(upload)
                selected = self._settle(upload)
        except ServerError as error:
            self._ports.raise_if_over(error)
            upload.result.problem = as_problem(error)
            upload.result.refused.append(upload.change.shown)
        else:
            self._conclude(upload, selected, refusal)

    def _conclude(self, upload: PictureUpload, selected: str, refusal: ServerError | None) -> None:
        """Take into account what an item shows after the last try."""
        if _is_it(upload, selected):
            self._names_are_known |= selected == upload.base.key and selected not in upload.there
            self._applied(upload, replace(upload.base, key=selected))
            return
        problem = _refused_problem(refusal, upload) if refusal else _not_shown(upload, selected)
        if refusal is not None:
            self._ports.faults.failed(WorkKind.PICTURE, refusal)
        _note_end(upload, problem)
        upload.result.problem = problem
        upload.result.refused.append(upload.change.shown)

    def _settle(self, upload: PictureUpload) -> str:
        """Return the key of what the item shows in the end.

        A picture that came and was not chosen is chosen now.

        Raises:
            ServerError: nobody knows.
        """
        pictures = self._gallery.available(*upload.place)
        selected = selected_key(pictures)
        if _is_it(upload, selected) or upload.base.key not in {picture.key for picture in pictures}:
            return selected
        self._gallery.select(*upload.place, upload.base.key)
        return selected_key(self._gallery.available(*upload.place))

    def _applied(self, upload: PictureUpload, base: PictureBase) -> None:
        """Take into account a picture that Plex was seen to show."""
        _note_end(upload)
        upload.result.changes.append(upload.change.shown)
        pair, rule = upload.ready.pair, upload.change.rule
        note(pair, rule, base)
        let_go(pair, rule)


def _note_end(upload: PictureUpload, problem: Problem | None = None) -> None:
    """Have the end of an intent noted: Plex shows the picture, unless there is a problem."""
    status = Settlement.FAILED if problem else Settlement.APPLIED
    missing = (upload.change.rule.to,) if problem else ()
    upload.result.ends.append(Result(upload.seq, status, problem=problem, missing=missing))


def _is_it(upload: PictureUpload, selected: str) -> bool:
    """Whether what an item shows is what was sent."""
    # The name of an upload is Plex's affair: a new one that is shown can only be ours.
    return selected == upload.base.key or (
        selected.startswith(UPLOADED) and selected not in upload.there
    )


def _refused_problem(refusal: ServerError, upload: PictureUpload) -> Problem:
    problem = as_problem(refusal)
    message = f"{upload.change.rule.name}: {problem.message}"
    if refusal.status != _TOO_LARGE:
        return replace(problem, message=message)
    return replace(
        problem,
        message=f"{message} to a picture of {file_size(len(upload.body))}",
        hint="Plex, or a proxy before it (nginx: client_max_body_size), takes no pictures of this "
        "size, or none right after another; plexsync tries again with the next run",
    )


def _not_shown(upload: PictureUpload, selected: str) -> Problem:
    name = upload.change.rule.name
    return Problem(
        kind=NOT_SHOWN,
        message=(
            f"Plex accepted the change but does not hold what was sent: {name} sent "
            f"'{upload.base.key}', Plex shows '{selected}'"
        ),
        hint="look at the item in Plex; another program may be writing to it",
    )
