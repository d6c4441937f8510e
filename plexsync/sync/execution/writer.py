"""The fields of a batch of items: intents on disk, requests, read back, verdicts.

The order is what makes a run safe to kill at any instant: the old values are durable in the journal
before the first request that replaces one, and a write counts only once Plex was seen to hold what
was sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import structs

from plexsync.errors import (
    AuthError,
    InterruptedRunError,
    MisdirectedEditError,
    ServerError,
)
from plexsync.models import LIST_FIELDS, ItemDetail, ItemKind, PlexField, Problem, as_problem
from plexsync.state import Result, Settlement
from plexsync.sync.execution.doors import EditDoors, harm_of
from plexsync.sync.execution.reader import Freshness, Reader, ReadItems
from plexsync.sync.execution.sender import MOVED, Sender, lists_harmed
from plexsync.sync.execution.work import Ready, WorkItem, Write, absent
from plexsync.sync.ports import WorkKind
from plexsync.text.differences import names_of
from plexsync.text.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import Change, ItemPlan, Value
    from plexsync.planning.planner import Planner
    from plexsync.sync.execution.work import Outcomes
    from plexsync.sync.run_scope import RunScope

NOT_STORED = "not-stored"
"""The kind of problem of a write that Plex accepted and does not show."""

NOT_SHOWN = "not-shown"
"""The same of a picture."""

_SHOWN_CHARACTERS = 60
"""As much of a value as an error shows."""


@dataclass(slots=True)
class FieldsWritten:
    """What became of a batch.

    Attributes:
        tried: what was sent, whatever Plex answered, each with what Plex holds of it.
        moved: what was not sent because the item was changed meanwhile: to be decided once more.
        ends: how intents ended; one of which that is not known stays unsettled.
        error: after which nothing more can be written: the token may not write, Plex is down, or
            the run is asked to stop.
    """

    tried: list[Write] = field(default_factory=list)
    moved: list[WorkItem] = field(default_factory=list)
    ends: list[Result] = field(default_factory=list)
    error: ServerError | InterruptedRunError | None = None


class FieldWriter:
    """Writes batches of plans.

    Args:
        scope: the work they are part of.
        reader: where they are read back.
        planner: says whether Plex shows what was sent.
        outcomes: says what a list can spare; see `Sender`.
    """

    def __init__(
        self, scope: RunScope, reader: Reader, planner: Planner, outcomes: Outcomes
    ) -> None:
        self._ports = ports = scope.ports
        self._session = session = scope.session
        self._doors = EditDoors(ports.plex, reader, planner)
        self._freshness = Freshness(reader, planner, ports.monotonic)
        self._sender = Sender(
            self._doors, ports, reader, self._freshness, session=session, spare=outcomes.spare
        )
        self._reader = reader
        self._planner = planner
        self._written = FieldsWritten()
        """What became of the batch under way."""

    def write(self, groups: Iterable[Sequence[Ready]]) -> FieldsWritten:
        """Write the fields of items, each another one, and read back what Plex holds.

        A group is taken when the one before it was sent, so that what it holds may have been made
        a moment ago. All are read back together.

        Nothing but intents is noted: note the ends together with what is remembered of the scenes.
        """
        written = self._written = FieldsWritten()
        refused: ServerError | None = None
        for work in groups:
            edits = [
                Write(ready=one, plan=one.plan, first=one.detail, read_at=one.read_at)
                for one in work
            ]
            self._intend(edits)
            for edit in self._sender.send(edits):
                refused = self._take(edit) or refused
            if refused is not None:
                break  # nothing is made any more, either
        self._sender.set_modes(written.tried)
        unread = self._read_back()
        fault = self._ports.faults.of(WorkKind.READ, WorkKind.EDIT)
        written.error = unread or refused or fault or self._ports.interruption()
        return written

    def _take(self, edit: Write) -> ServerError | None:
        """Take one edit into account; return the error after which nothing more is sent."""
        if edit.unsent is not None:
            self._note_unsent(edit, edit.unsent)
        elif isinstance(edit.error, AuthError):
            # A plan of several requests may have been written in part, so it stays open.
            edit.problem = as_problem(edit.error)
            self._end(edit, Settlement.UNKNOWN)
            return edit.error
        else:
            self._written.tried.append(edit)
            if isinstance(edit.error, MisdirectedEditError):
                self._note_harm(self._doors.harmed)
                return edit.error
        return None

    def _note_unsent(self, edit: Write, problem: Problem) -> None:
        """Note that nothing of an edit was sent, or arrived."""
        edit.problem, edit.missing = problem, edit.plan.changes
        self._end(edit, Settlement.FAILED)
        if problem is MOVED:
            self._written.moved.append(edit.ready.item)

    def _end(self, edit: Write, status: Settlement) -> None:
        """Have the end of an edit's intents noted."""
        missing = tuple(change.target for change in edit.missing)
        partly = self._planner.partly(edit.missing, edit.read_back) if edit.read_back else {}
        self._written.ends += [
            Result(seq, status, problem=edit.problem, missing=missing, partly=partly)
            for seq in edit.seqs
        ]

    def _note_harm(self, harmed: ItemPlan | None) -> None:
        """Journal what an edit did to an item it did not name, so that an undo takes it back."""
        for seq in self._session.intend([harmed] if harmed else []):
            self._written.ends.append(Result(seq, Settlement.APPLIED))

    def _intend(self, edits: Sequence[Write]) -> None:
        """Journal what is replaced."""
        numbers = self._session.intend([edit.plan for edit in edits])
        for edit, seq in zip(edits, numbers, strict=True):
            edit.seqs.append(seq)

    def _read_back(self) -> ServerError | None:
        """Decide by reading what became of each write, whatever its reply was."""
        written, tried = self._written, self._written.tried
        try:
            read_at = self._ports.monotonic()
            read = self._reader.read([one.place for one in tried if one.read_back is None])
            read |= {one.place: one.read_back for one in tried if one.read_back is not None}
            tried = written.tried = self._mended(tried, read, read_at)
            self._send_later(tried, read)
        except ServerError as unread:
            for edit in tried:
                edit.read_back, edit.missing = None, edit.plan.changes
                edit.problem = _unread_problem(unread)
            return unread
        written.tried = [edit for edit in tried if self._judge_item(edit, read)]
        return self._misdirected(tried)

    def _judge_item(self, edit: Write, read: ReadItems) -> bool:
        """Take what an item holds into account; False where somebody else was there before."""
        plan = edit.plan
        detail = read.get(plan.rating_key) or (absent(plan) if plan.may_drop else None)
        if not isinstance(detail, ItemDetail):
            cause = detail or edit.error or ServerError("the item vanished while it was written")
            # Without an end the intent stays unsettled, and the next run looks again.
            edit.read_back, edit.missing, edit.problem = None, plan.changes, as_problem(cause)
            return True
        if edit.error and self._came_too_late(edit, detail):
            self._note_unsent(edit, MOVED)
            return False
        self._judge(edit, detail)
        if edit.later is not None:
            self._judge(edit.later, detail)
            edit.problem = edit.problem or edit.later.problem
        others = self._freshness.changed_by_others(edit, detail) if detail.values else ()
        if others and any(one.plan.kind is ItemKind.COLLECTION for one in self._written.tried):
            # Members that come and go with a collection of the same batch show it themselves.
            others = tuple(one for one in others if one is not PlexField.COLLECTIONS)
        edit.others = others
        return True

    def _came_too_late(self, edit: Write, detail: ItemDetail) -> bool:
        """Whether nothing of a write that failed arrived, and somebody else was there before it."""
        missing = self._planner.not_stored(edit.plan, detail)
        arrived = len(missing) < len(edit.plan.changes) or self._planner.partly(missing, detail)
        return not arrived and self._freshness.is_disturbed(edit, detail)

    def _misdirected(self, tried: Sequence[Write]) -> MisdirectedEditError | None:
        """Return an error if an item lacks its own values and got those of another one.

        What that item held before is journaled: an undo puts it back.
        """
        for edit in self._written.tried:
            if not edit.missing or edit.read_back is None:
                continue
            for sent in tried:
                if sent is not edit and self._freshness.got(edit, edit.read_back, sent.plan):
                    meant = structs.replace(sent.plan, scene_id=edit.plan.scene_id)
                    self._note_harm(harm_of(meant, edit.first, edit.read_back, self._planner))
                    return MisdirectedEditError(
                        f"item {edit.plan.rating_key} holds what was sent to item "
                        f"{sent.plan.rating_key}: Plex, or a proxy before it, mixed up the items"
                    )
        return None

    def _send_later(self, tried: Sequence[Write], read: ReadItems) -> None:
        """Send what could be planned only once the first part was there; see `Planner.later`.

        It is an intent of its own, durable before it is sent. `read` is brought up to date.
        """
        read_at = self._ports.monotonic()
        for edit in tried:
            detail = read.get(edit.plan.rating_key)
            if isinstance(detail, ItemDetail) and (plan := self._planner.later(edit.plan, detail)):
                edit.later = Write(ready=edit.ready, plan=plan, first=detail, read_at=read_at)
        if later := [edit.later for edit in tried if edit.later is not None]:
            self._intend(later)
            for _ in self._sender.send(later):
                pass
            self._read_again(later, read)

    def _mended(self, tried: list[Write], read: ReadItems, read_at: float) -> list[Write]:
        """Return what was tried, that again which went out with others and did not arrive whole."""
        again = {
            edit: Write(
                ready=edit.ready, plan=edit.plan, first=detail, read_at=read_at, seqs=edit.seqs
            )
            for edit in tried
            if edit.together
            and isinstance(detail := read.get(edit.plan.rating_key), ItemDetail)
            and (self._planner.not_stored(edit.plan, detail) or lists_harmed(edit.plan, detail))
            and not self._freshness.is_disturbed(edit, detail)
        }
        if again:
            self._sender.mend(list(again.values()))
            self._read_again(again, read)
            for edit, second in again.items():
                second.first = edit.first
        return [again.get(edit, edit) for edit in tried]

    def _read_again(self, edits: Iterable[Write], read: ReadItems) -> None:
        """Bring `read` up to date with what else was sent."""
        keys = [edit.plan.rating_key for edit in edits]
        for key in keys:
            read.pop(key, None)  # an item that is gone by now is not what it was
        read.update(self._reader.read(keys))

    def _judge(self, edit: Write, detail: ItemDetail) -> None:
        """Say what is stored of an edit, and end its intents."""
        missing = edit.plan.changes
        if edit.unsent is None:
            # To a collection that is gone nothing is left to write.
            missing = self._planner.not_stored(edit.plan, detail) if detail.values else ()
        if len(missing) < len(edit.plan.changes):
            self._ports.faults.proven(WorkKind.EDIT)
        problem = edit.unsent or edit.problem or (as_problem(edit.error) if edit.error else None)
        problem = problem or _not_stored_problem(missing, detail) if missing else None
        edit.missing, edit.problem, edit.read_back = missing, problem, detail
        self._end(edit, Settlement.FAILED if missing else Settlement.APPLIED)


def _unread_problem(error: ServerError) -> Problem:
    return Problem(
        kind=error.kind,
        message=f"sent, but Plex could not be asked whether it holds it: {error}",
        hint="nothing is lost: the next run looks first, and writes only what is missing",
    )


def _not_stored_problem(missing: Sequence[Change], detail: ItemDetail) -> Problem:
    fields = "; ".join(_both_values(change, detail) for change in missing)
    return Problem(
        kind=NOT_STORED,
        message=f"Plex accepted the change but does not hold what was sent: {fields}",
        hint="compare the field in Plex; another program may be writing to it",
    )


def _both_values(change: Change, detail: ItemDetail) -> str:
    empty: Value = () if change.target in LIST_FIELDS else ""
    held = detail.values.get(change.target, empty)
    return f"{change.field} sent {_quoted(change.after)}, Plex holds {_quoted(held)}"


def _quoted(value: Value) -> str:
    return f"'{shortened(', '.join(names_of(value)), _SHOWN_CHARACTERS)}'"
