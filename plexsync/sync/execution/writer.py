"""The one loop that writes to Plex: intents on disk, requests, read back, results.

Runs, applied plans and undos all come by here. The order inside a batch is what makes them safe to
kill at any instant: the old values are durable in the journal before the first request that
replaces one, and a write counts only once Plex was seen to hold what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from plexsync.errors import (
    AuthError,
    ExitCode,
    InterruptedRunError,
    ServerError,
)
from plexsync.models import (
    LIST_FIELDS,
    ItemDetail,
    Outcome,
    Problem,
    RatingKey,
    SceneRecord,
    as_problem,
)
from plexsync.state import Settlement
from plexsync.sync.execution.sender import Sender, lists_harmed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from plexsync.models import Change, ItemPlan, Link, PlexField, SceneId, Value
    from plexsync.planning.planner import Planner
    from plexsync.state import Unsettled
    from plexsync.sync.execution.sender import Sent

DETAIL_BATCH = 50
"""Items per detail read. Source: docs/plex-api.md 3 (50 to 100 ids per request is prudent)."""

READ_BATCH = 100
"""Items read back at once, the most that is prudent: see `DETAIL_BATCH`."""

NOT_STORED = "not-stored"
"""The kind of problem of a write that Plex accepted and does not show."""

NOT_SHOWN = "not-shown"
"""The same of a picture."""

UNSENT = Problem(kind="interrupted", message="not sent: the run ended before its turn")
"""Why an intent was not carried out when the run ends early."""

_SHOWN_CHARACTERS = 60
"""As much of a value as an error shows."""


class PlexItems(Protocol):
    """What writing asks Plex."""

    def details(self, rating_keys: Sequence[RatingKey]) -> tuple[ItemDetail, ...]:
        """Fresh full reads; an item that is gone is left out."""

    def edit(self, plan: ItemPlan) -> None:
        """Send one item's changes."""

    def edit_alike(
        self, plans: Sequence[ItemPlan], *, appended: frozenset[PlexField] = ...
    ) -> None:
        """Send the same changes of several items."""


class Notebook(Protocol):
    """What a run writes down; durable when `intend` or `commit` returns."""

    def intend(self, plans: Sequence[ItemPlan], /) -> Sequence[int]:
        """Note what is about to be written; one number per plan."""

    def result(
        self,
        seq: int,
        status: Settlement,
        problem: Problem | None = None,
        /,
        *,
        missing: tuple[PlexField, ...] = (),
        partly: Mapping[PlexField, tuple[str, ...]] = ...,
    ) -> None:
        """Note what became of an intent; `missing` are the fields Plex does not show.

        `partly` is what it shows of lists among them of which a part was written.
        """

    def settle(
        self,
        unsettled: Unsettled,
        status: Settlement,
        /,
        *,
        missing: tuple[PlexField, ...] = (),
        partly: Mapping[PlexField, tuple[str, ...]] = ...,
    ) -> None:
        """Note that Plex was read and the end of an earlier run's intent is known."""

    def remember(self, scene_id: SceneId, record: SceneRecord, /) -> None:
        """Note what is now known of a scene."""

    def commit(self) -> None:
        """Make everything noted so far durable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one write.

    Args:
        missing: the changes Plex does not show; all of them when it could not be read.
        problem: why; None when everything is stored.
        detail: the item as it was read back; None when it could not be.
    """

    missing: tuple[Change, ...] = ()
    problem: Problem | None = None
    detail: ItemDetail | None = None


class Reader:
    """Reads items, and narrows an answer that fails down to the items that fail.

    Args:
        plex: where to read.
        plex_down: True once Plex failed so often that no further request is worth sending.
    """

    def __init__(self, plex: PlexItems, *, plex_down: Callable[[], bool]) -> None:
        self._plex = plex
        self.is_down = plex_down

    def read(self, keys: Sequence[RatingKey]) -> dict[RatingKey, ItemDetail | ServerError]:
        """Fresh details by rating key, or what went wrong; an item that is gone is left out.

        Raises:
            ServerError: Plex is down, or refuses us altogether.
        """
        found: dict[RatingKey, ItemDetail | ServerError] = {}
        for start in range(0, len(keys), READ_BATCH):
            found |= self._read(keys[start : start + READ_BATCH])
        return found

    def _read(self, keys: Sequence[RatingKey]) -> dict[RatingKey, ItemDetail | ServerError]:
        try:
            return {detail.item.rating_key: detail for detail in self._plex.details(keys)}
        except AuthError:
            raise
        except ServerError as error:
            if self.is_down():
                raise
            if len(keys) == 1:
                return {keys[0]: error}
        # One by one and not by halves: each half that fails brings Plex nearer to being given up.
        found: dict[RatingKey, ItemDetail | ServerError] = {}
        for key in keys:
            found |= self._read([key])
        return found


class Writer:
    """Writes batches of plans.

    Args:
        plex: where changes go.
        reader: where they are read back.
        notebook: where intents and results are written down.
        planner: says whether Plex shows what was sent.
        should_stop: asked between requests; True ends the run in good order.
        spare: see `sending.Sender`.
    """

    def __init__(
        self,
        plex: PlexItems,
        reader: Reader,
        notebook: Notebook,
        *,
        planner: Planner,
        should_stop: Callable[[], bool],
        spare: Callable[[ItemPlan, Change], tuple[str, ...]] | None = None,
    ) -> None:
        self._sender = Sender(
            plex, reader, should_stop=lambda: reader.is_down() or should_stop(), spare=spare
        )
        self._reader = reader
        self._notebook = notebook
        self._planner = planner
        self._should_stop = should_stop

    def write(
        self, plans: Sequence[ItemPlan], conclude: Callable[[ItemPlan, Verdict], None]
    ) -> None:
        """Write `plans`, read them back, and note what Plex was seen to hold.

        Args:
            plans: what to write, each for another item.
            conclude: told what became of each plan that was sent. What it notes is on disk
                together with the result, or not at all.

        Raises:
            AuthError: the token may not write.
            ServerError: Plex is down; what was sent is settled by a later run.
            InterruptedRunError: asked to stop; what was sent is read back and remembered.
        """
        numbers = dict(zip(map(_name, plans), self._notebook.intend(plans), strict=True))
        tried: list[Sent] = []
        refused: AuthError | None = None
        for sent in self._sender.send(plans):
            number = numbers[_name(sent.plan)]
            if sent.unsent:
                unsent = tuple(change.target for change in sent.plan.changes)
                self._notebook.result(number, Settlement.FAILED, UNSENT, missing=unsent)
            elif isinstance(sent.error, AuthError):
                # A plan of several requests may have been written in part, so it stays open.
                self._notebook.result(number, Settlement.UNKNOWN, as_problem(sent.error))
                refused = sent.error
            else:
                tried.append(sent)
        try:
            self._read_back(tried, numbers, conclude)
        finally:
            self._notebook.commit()
        if refused is not None:
            raise refused
        if self._should_stop():
            raise InterruptedRunError(ExitCode.INTERRUPTED)

    def _read_back(
        self,
        tried: Sequence[Sent],
        numbers: Mapping[tuple[SceneId, RatingKey], int],
        conclude: Callable[[ItemPlan, Verdict], None],
    ) -> None:
        """Decide by reading what became of each write, whatever its reply said."""
        try:
            read = self._reader.read([sent.plan.rating_key for sent in tried])
            tried = self._mended(tried, read)
            later = self._send_later(tried, read)
        except ServerError as unread:
            for sent in tried:
                verdict = Verdict(missing=sent.plan.changes, problem=_unread_problem(unread))
                conclude(sent.plan, verdict)
            raise
        for plan, error, *_ in tried:
            seq, detail = numbers[_name(plan)], read.get(plan.rating_key)
            if detail is None or isinstance(detail, ServerError):
                cause = detail or error or ServerError("the item vanished while it was written")
                # Without a result the intent stays unsettled, and the next run looks again.
                conclude(plan, Verdict(missing=plan.changes, problem=as_problem(cause)))
                continue
            verdict = self._judge(plan, detail, error)
            self._note(seq, verdict)
            if _name(plan) in later:
                verdict = self._both(plan, verdict, *later[_name(plan)], detail)
            conclude(plan, verdict)

    def _note(self, seq: int, verdict: Verdict) -> None:
        status = Settlement.FAILED if verdict.missing else Settlement.APPLIED
        missing = tuple(change.target for change in verdict.missing)
        detail = verdict.detail
        partly = self._planner.partly(verdict.missing, detail) if detail else {}
        self._notebook.result(seq, status, verdict.problem, missing=missing, partly=partly)

    def _send_later(
        self, tried: Sequence[Sent], read: dict[RatingKey, ItemDetail | ServerError]
    ) -> dict[tuple[SceneId, RatingKey], tuple[int, Sent]]:
        """Send what could be planned only once the first part was there; see `Planner.later`.

        It is an intent of its own, durable before it is sent; the results of both are noted after
        it. `read` is brought up to date.
        """
        found = (
            self._planner.later(sent.plan, detail)
            for sent in tried
            if isinstance(detail := read.get(sent.plan.rating_key), ItemDetail)
        )
        plans = [plan for plan in found if plan is not None]
        if not plans:
            return {}
        numbers = dict(zip(map(_name, plans), self._notebook.intend(plans), strict=True))
        done = {_name(sent.plan): sent for sent in self._sender.send(plans)}
        read.update(self._reader.read([plan.rating_key for plan in plans]))
        return {name: (numbers[name], sent) for name, sent in done.items()}

    def _both(  # noqa: PLR0917 - two plans of one item, and how both ended
        self, plan: ItemPlan, verdict: Verdict, seq: int, sent: Sent, detail: ItemDetail
    ) -> Verdict:
        """The verdict on a plan and on what came after it."""
        second = self._judge(sent.plan, detail, sent.error)
        if sent.unsent:
            second = dataclass_replace(second, problem=UNSENT, missing=sent.plan.changes)
        self._note(seq, second)
        lost = {change.target for change in (*verdict.missing, *second.missing)}
        return dataclass_replace(
            verdict,
            missing=tuple(change for change in plan.changes if change.target in lost),
            problem=verdict.problem or second.problem,
        )

    def _mended(
        self, tried: Sequence[Sent], read: dict[RatingKey, ItemDetail | ServerError]
    ) -> list[Sent]:
        """`tried`, those again that went out with others and did not arrive whole.

        `read` is brought up to date with what their items hold then.
        """
        broken = [sent.plan for sent in tried if sent.together and self._lacks(sent.plan, read)]
        if not broken:
            return list(tried)
        again = {_name(sent.plan): sent for sent in self._sender.mend(broken, read)}
        read.update(self._reader.read([plan.rating_key for plan in broken]))
        return [again.get(_name(sent.plan), sent) for sent in tried]

    def _lacks(self, plan: ItemPlan, read: Mapping[RatingKey, ItemDetail | ServerError]) -> bool:
        detail = read.get(plan.rating_key)
        if not isinstance(detail, ItemDetail):
            return False
        return bool(self._planner.not_stored(plan, detail) or lists_harmed(plan, detail))

    def _judge(self, plan: ItemPlan, detail: ItemDetail, error: ServerError | None) -> Verdict:
        missing = self._planner.not_stored(plan, detail)
        problem = None
        if missing:
            problem = as_problem(error) if error else _not_stored_problem(missing, detail)
        return Verdict(missing=missing, problem=problem, detail=detail)


def settle(
    link: Link,
    unsettled: Sequence[Unsettled],
    detail: ItemDetail,
    *,
    planner: Planner,
    notebook: Notebook | None,
) -> Link:
    """The link brought up to date by earlier writes whose result nobody noted.

    What became of them is noted in `notebook`, None in a dry run. Remember the link before anything
    is committed: a result on disk without it would lose what is ours.

    Args:
        link: as it is remembered.
        unsettled: the intents that concern it, oldest first.
        detail: a fresh read of the item.
        planner: says whether Plex shows what was sent.
        notebook: where results are noted.
    """
    for one in unsettled:
        link = planner.settle(link, one.plan.changes, detail)
        if notebook is not None:
            missing = planner.not_stored(one.plan, detail)
            notebook.settle(
                one,
                Settlement.FAILED if missing else Settlement.APPLIED,
                missing=tuple(change.target for change in missing),
                partly=planner.partly(missing, detail),
            )
    return link


def with_link(record: SceneRecord | None, link: Link) -> SceneRecord:
    """The record with `link` in place of the one to the same item; without record one that waits.

    Such a scene is due, and is matched again.
    """
    if record is None:
        return SceneRecord(updated_at="", outcome=Outcome.SKIPPED, links=(link,))
    others = tuple(one for one in record.links if one.rating_key != link.rating_key)
    return replace(record, links=(*others, link))


def _name(plan: ItemPlan) -> tuple[SceneId, RatingKey]:
    """What tells plans of one batch apart."""
    return plan.scene_id, plan.rating_key


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
