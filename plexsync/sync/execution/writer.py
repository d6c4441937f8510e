"""The fields of a batch of items: intents on disk, requests, read back, verdicts.

The order is what makes a run safe to kill at any instant: the old values are durable in the journal
before the first request that replaces one, and a write counts only once Plex was seen to hold what
was sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from plexsync.errors import (
    AuthError,
    InterruptedRunError,
    MisdirectedEditError,
    ServerError,
)
from plexsync.models import LIST_FIELDS, ItemDetail, Problem, as_problem
from plexsync.state import Settlement
from plexsync.sync.execution.doors import EditDoors
from plexsync.sync.execution.freshness import Freshness
from plexsync.sync.execution.sender import MOVED, UNSENT, Sender, lists_harmed
from plexsync.sync.execution.work import absent, deletes, place_of
from plexsync.sync.ports import WorkKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plexsync.models import Change, ItemPlan, PlexField, RatingKey, Value
    from plexsync.planning.planner import Planner
    from plexsync.state import Session
    from plexsync.sync.execution.reader import Reader
    from plexsync.sync.execution.sender import Sent
    from plexsync.sync.execution.work import Place, Ready
    from plexsync.sync.ports import Ports

NOT_STORED = "not-stored"
"""The kind of problem of a write that Plex accepted and does not show."""

NOT_SHOWN = "not-shown"
"""The same of a picture."""

_NONE_PARTLY: Mapping[PlexField, tuple[str, ...]] = {}

ReadItems = dict["RatingKey", "ItemDetail | ServerError"]
"""Items by their key, as they are now, or why one could not be read."""

_SHOWN_CHARACTERS = 60
"""As much of a value as an error shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one write that was tried.

    Args:
        missing: the changes Plex does not show; all of them when it could not be read.
        problem: why; None when everything is stored.
        detail: the item as it was read back; None when it could not be.
        later: what could be written only after that, and was stored.
        others: the fields that were not written, and that somebody else changed meanwhile.
    """

    missing: tuple[Change, ...] = ()
    problem: Problem | None = None
    detail: ItemDetail | None = None
    later: tuple[Change, ...] = ()
    others: tuple[PlexField, ...] = ()

    def stored(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Return those of `changes` that Plex was seen to hold, and what came after them."""
        return (*(change for change in changes if change not in self.missing), *self.later)


class IntentEnd(NamedTuple):
    """How an intent ended; see `Session.result`."""

    seq: int
    status: Settlement
    problem: Problem | None = None
    missing: tuple[PlexField, ...] = ()
    partly: Mapping[PlexField, tuple[str, ...]] = _NONE_PARTLY

    def note(self, session: Session) -> None:
        """Note it."""
        session.result(
            self.seq, self.status, self.problem, missing=self.missing, partly=self.partly
        )


@dataclass(slots=True)
class FieldsWritten:
    """What became of a batch.

    Attributes:
        freshness: says which of its items are as they were.
        verdicts: on each plan that was tried.
        moved: what was not sent because the item was changed meanwhile: to be decided once more.
        ends: how its intents ended, to be noted; one that is not known stays unsettled.
        numbers: those of its intents.
        tried: what was sent, whatever Plex answered.
        error: after which nothing more can be written: the token may not write, Plex is down, or
            the run is asked to stop.
    """

    freshness: Freshness
    verdicts: dict[Place, Verdict] = field(default_factory=dict)
    moved: list[Place] = field(default_factory=list)
    ends: list[IntentEnd] = field(default_factory=list)
    numbers: dict[Place, int] = field(default_factory=dict)
    tried: list[Sent] = field(default_factory=list)
    error: ServerError | InterruptedRunError | None = None

    def note_unsent(self, plan: ItemPlan, problem: Problem) -> None:
        """Note that nothing of a plan was sent, or arrived."""
        place, missing = place_of(plan), tuple(change.target for change in plan.changes)
        self.ends.append(IntentEnd(self.numbers[place], Settlement.FAILED, problem, missing))
        if problem is MOVED:
            self.moved.append(place)


class FieldWriter:
    """Writes batches of plans.

    Args:
        ports: where changes go, and whether to go on.
        reader: where they are read back.
        session: where intents are noted.
        planner: says whether Plex shows what was sent.
        spare: see `Sender`.
    """

    def __init__(
        self,
        ports: Ports,
        reader: Reader,
        session: Session,
        *,
        planner: Planner,
        spare: Callable[[ItemPlan, Change], tuple[str, ...]] | None,
    ) -> None:
        self._health = ports
        self._doors = EditDoors(ports.plex, reader, planner)
        self._sender = Sender(
            self._doors, reader, self._health, note_risk=self._note_risk, spare=spare
        )
        self._risky: dict[Place, int] = {}
        self._reader = reader
        self._session = session
        self._planner = planner
        self._monotonic = ports.monotonic

    def write(self, groups: Iterable[Sequence[Ready]]) -> FieldsWritten:
        """Write the fields of items, each another one, and read back what Plex holds.

        A group is taken when the one before it was sent, so that what it holds may have been made
        a moment ago. All are read back together.

        Nothing but intents is noted: note the ends together with what is remembered of the scenes.
        """
        written = FieldsWritten(self._freshness(()))
        refused: AuthError | MisdirectedEditError | None = None
        for work in groups:
            plans = [ready.plan for ready in work]
            written.numbers |= self._intend(plans)
            written.freshness.note((one.plan, one.detail, one.read_at) for one in work)
            for sent in self._sender.send(plans, written.freshness):
                refused = self._take(sent, written) or refused
            if refused is not None:
                break  # nothing is made any more, either
        written.tried = self._sender.set_modes(written.tried, written.freshness)
        unread = self._read_back(written)
        written.ends.extend(self._risky_ends(written))
        fault = self._health.faults.of(WorkKind.READ, WorkKind.EDIT)
        written.error = unread or refused or fault or self._health.interruption()
        return written

    def _take(self, sent: Sent, written: FieldsWritten) -> AuthError | MisdirectedEditError | None:
        """Take one plan into account; return the error after which nothing more is sent."""
        if sent.unsent or sent.moved:
            written.note_unsent(sent.plan, UNSENT if sent.unsent else MOVED)
        elif isinstance(sent.error, AuthError):
            # A plan of several requests may have been written in part, so it stays open.
            seq = written.numbers[place_of(sent.plan)]
            written.ends.append(IntentEnd(seq, Settlement.UNKNOWN, as_problem(sent.error)))
            return sent.error
        else:
            written.tried.append(sent)
            if isinstance(sent.error, MisdirectedEditError):
                written.ends.extend(self._note_harm(self._doors.harmed))
                return sent.error
        return None

    def _note_risk(self, plan: ItemPlan) -> None:
        """Journal a plan once more, with the name that is risked."""
        self._risky |= self._intend([plan])

    def _risky_ends(self, written: FieldsWritten) -> list[IntentEnd]:
        """Return the ends of plans that were journaled once more: those of the plans themselves."""
        known, numbers = {end.seq: end for end in written.ends}, written.numbers
        risky, self._risky = self._risky, {}
        return [
            known[numbers[place]]._replace(seq=seq)
            for place, seq in risky.items()
            if numbers[place] in known
        ]

    def _note_harm(self, harmed: ItemPlan | None) -> list[IntentEnd]:
        """Journal what an edit did to an item it did not name, so that an undo takes it back."""
        numbers = self._intend([harmed] if harmed else [])
        return [IntentEnd(seq, Settlement.APPLIED) for seq in numbers.values()]

    def _freshness(self, seen: Iterable[tuple[ItemPlan, ItemDetail, float]]) -> Freshness:
        made = Freshness(self._reader, self._planner, self._monotonic)
        made.note(seen)
        return made

    def _intend(self, plans: Sequence[ItemPlan]) -> dict[Place, int]:
        return dict(zip(map(place_of, plans), self._session.intend(plans), strict=True))

    def _read_back(self, written: FieldsWritten) -> ServerError | None:
        """Decide by reading what became of each write, whatever its reply was."""
        tried = written.tried
        try:
            read_at = self._monotonic()
            read = self._reader.read([s.plan.rating_key for s in tried if s.detail is None])
            read |= {sent.plan.rating_key: sent.detail for sent in tried if sent.detail is not None}
            tried = written.tried = self._mended(written, read, read_at)
            later = self._send_later(tried, read)
        except ServerError as unread:
            for sent in tried:
                verdict = Verdict(missing=sent.plan.changes, problem=_unread_problem(unread))
                written.verdicts[place_of(sent.plan)] = verdict
            return unread
        for sent in tried:
            plan, place = sent.plan, place_of(sent.plan)
            detail = read.get(plan.rating_key) or (absent(plan) if deletes(plan.changes) else None)
            if not isinstance(detail, ItemDetail):
                cause = (
                    detail or sent.error or ServerError("the item vanished while it was written")
                )
                # Without an end the intent stays unsettled, and the next run looks again.
                verdict = Verdict(missing=plan.changes, problem=as_problem(cause))
            elif sent.error and self._came_too_late(plan, detail, written.freshness):
                written.note_unsent(plan, MOVED)
                continue
            else:
                verdict = self._judge(sent, detail)
                written.ends.append(self._end(written.numbers[place], verdict, detail))
                if place in later:
                    verdict = self._both(verdict, later[place], detail, written)
                others = written.freshness.changed_by_others(plan, detail)
                verdict = replace(verdict, others=others)
            written.verdicts[place] = verdict
        return self._misdirected(written)

    def _came_too_late(self, plan: ItemPlan, detail: ItemDetail, freshness: Freshness) -> bool:
        """Whether nothing of a write that failed arrived, and somebody else was there before it."""
        missing = self._planner.not_stored(plan, detail)
        arrived = len(missing) < len(plan.changes) or self._planner.partly(missing, detail)
        return not arrived and freshness.is_disturbed(plan, detail)

    def _misdirected(self, written: FieldsWritten) -> MisdirectedEditError | None:
        """Return an error if an item lacks its own values and got those of another one.

        What that item held before is journaled: an undo puts it back.
        """
        freshness = written.freshness
        for place, verdict in written.verdicts.items():
            if not verdict.missing or verdict.detail is None:
                continue
            for sent in written.tried:
                if place_of(sent.plan) != place and freshness.got(place, verdict.detail, sent.plan):
                    harmed = freshness.harm(place, verdict.detail, sent.plan)
                    written.ends.extend(self._note_harm(harmed))
                    return MisdirectedEditError(
                        f"item {place[1]} holds what was sent to item {sent.plan.rating_key}: "
                        "Plex, or a proxy before it, mixed up the items"
                    )
        return None

    def _end(self, seq: int, verdict: Verdict, detail: ItemDetail) -> IntentEnd:
        return IntentEnd(
            seq,
            Settlement.FAILED if verdict.missing else Settlement.APPLIED,
            verdict.problem,
            tuple(change.target for change in verdict.missing),
            self._planner.partly(verdict.missing, detail),
        )

    def _send_later(self, tried: Sequence[Sent], read: ReadItems) -> dict[Place, tuple[int, Sent]]:
        """Send what could be planned only once the first part was there; see `Planner.later`.

        It is an intent of its own, durable before it is sent. `read` is brought up to date.
        """
        read_at = self._monotonic()
        seen = [
            (later, detail, read_at)
            for sent in tried
            if isinstance(detail := read.get(sent.plan.rating_key), ItemDetail)
            and (later := self._planner.later(sent.plan, detail)) is not None
        ]
        if not seen:
            return {}
        numbers = self._intend([plan for plan, _, _ in seen])
        done = self._send_again(seen, read, self._sender.send)
        return {place: (numbers[place], sent) for place, sent in done.items()}

    def _both(
        self,
        verdict: Verdict,
        later: tuple[int, Sent],
        detail: ItemDetail,
        written: FieldsWritten,
    ) -> Verdict:
        """Return the verdict on a plan and on what came after it."""
        seq, sent = later
        second = self._judge(sent, detail)
        if sent.unsent or sent.moved:
            second = replace(second, problem=sent.problem, missing=sent.plan.changes)
        written.ends.append(self._end(seq, second, detail))
        # What came first is ours, and so is its lock, whatever became of the rest.
        missing = {change.target for change in (*verdict.missing, *second.missing)}
        stored = tuple(change for change in sent.plan.changes if change.target not in missing)
        return replace(verdict, problem=verdict.problem or second.problem, later=stored)

    def _mended(
        self,
        written: FieldsWritten,
        read: ReadItems,
        read_at: float,
    ) -> list[Sent]:
        """Return what was tried, that again which went out with others and did not arrive whole."""
        seen = [
            (sent.plan, detail, read_at)
            for sent in written.tried
            if sent.together
            and isinstance(detail := read.get(sent.plan.rating_key), ItemDetail)
            and self._lacks(sent.plan, detail)
            and not written.freshness.is_disturbed(sent.plan, detail)
        ]
        if not seen:
            return written.tried
        again = self._send_again(
            seen, read, lambda plans, freshness: self._sender.mend(plans, read, freshness)
        )
        return [again.get(place_of(sent.plan), sent) for sent in written.tried]

    def _send_again(
        self,
        seen: Sequence[tuple[ItemPlan, ItemDetail, float]],
        read: ReadItems,
        send: Callable[[list[ItemPlan], Freshness], Iterable[Sent]],
    ) -> dict[Place, Sent]:
        """Send more to items as they were `seen`, and bring `read` up to date with that."""
        plans = [plan for plan, _, _ in seen]
        done = {place_of(sent.plan): sent for sent in send(plans, self._freshness(seen))}
        read.update(self._reader.read([plan.rating_key for plan in plans]))
        return done

    def _lacks(self, plan: ItemPlan, detail: ItemDetail) -> bool:
        return bool(self._planner.not_stored(plan, detail) or lists_harmed(plan, detail))

    def _judge(self, sent: Sent, detail: ItemDetail) -> Verdict:
        missing = self._planner.not_stored(sent.plan, detail)
        if len(missing) < len(sent.plan.changes):
            self._health.faults.proven(WorkKind.EDIT)
        problem = sent.problem or _not_stored_problem(missing, detail) if missing else None
        return Verdict(missing=missing, problem=problem, detail=detail)


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
    return f"{change.field} sent {_shortened(change.after)}, Plex holds {_shortened(held)}"


def _shortened(value: Value) -> str:
    text = value if isinstance(value, str) else ", ".join(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = f"{text[: _SHOWN_CHARACTERS - 1]}…"
    return f"'{text}'"
