"""Carries out what was planned for pairs: first their fields, then their pictures.

A pair is done when both are; what is ours among the fields is known even if the run ends between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ExitCode, InterruptedRunError, ServerError
from plexsync.models import Outcome
from plexsync.sync.execution.writer import Verdict
from plexsync.sync.pictures.plan import NOTHING, Wanted
from plexsync.sync.pictures.upload import Job, Painted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.models import Change, ItemPlan
    from plexsync.planning.planner import Planned
    from plexsync.sync.execution.outcomes import Accounts
    from plexsync.sync.execution.writer import Notebook, Writer
    from plexsync.sync.pictures.fetch import Painter
    from plexsync.sync.rows import Pair


class Ready(msgspec.Struct, kw_only=True, gc=False):
    """A pair that was read and planned, and has changes to write.

    Args:
        pair: the pair.
        planned: what its fields need.
        plan: the edit that carries `planned` out; without changes when only pictures need some.
        wanted: what its pictures need.
    """

    pair: Pair
    planned: Planned
    plan: ItemPlan
    wanted: Wanted = NOTHING

    @property
    def changes(self) -> tuple[Change, ...]:
        """All that would change, as a person sees it."""
        return self.planned.changes + self.wanted.changes

    @property
    def is_counted(self) -> bool:
        """Whether safety limits count it: a first picture replaces nothing that was synced."""
        return bool(self.planned.changes or not self.wanted.first)


class Carrier:
    """Writes what is ready, in a run that writes at all.

    Args:
        writer: sends fields and reads them back.
        painter: brings pictures up to date.
        notebook: where the run is written down.
        accounts: told what became of each pair.
        should_stop: asked between requests; True ends the run in good order.
    """

    def __init__(
        self,
        writer: Writer,
        painter: Painter,
        notebook: Notebook,
        *,
        accounts: Accounts,
        should_stop: Callable[[], bool],
    ) -> None:
        self._writer = writer
        self._painter = painter
        self._notebook = notebook
        self._accounts = accounts
        self._should_stop = should_stop

    def write(self, batch: Sequence[Ready]) -> None:
        """Write `batch`, read it back, and remember what Plex was seen to hold.

        Raises:
            AuthError: the token may not write.
            ServerError: Plex is down; what was sent is settled by the next run.
            InterruptedRunError: asked to stop; what was sent is read back and remembered.
        """
        ready_for = {(ready.plan.scene_id, ready.plan.rating_key): ready for ready in batch}
        edits = [ready.plan for ready in batch if ready.planned.changes]
        edited: list[tuple[Ready, Verdict]] = []
        end: ServerError | InterruptedRunError | None = None
        try:
            if edits:
                self._writer.write(
                    edits,
                    lambda plan, verdict: self._conclude(
                        ready_for[plan.scene_id, plan.rating_key], verdict, edited
                    ),
                )
        except (ServerError, InterruptedRunError) as error:
            end = error
        pictures = [(ready, Verdict()) for ready in batch if not ready.planned.changes]
        end = self._paint(edited + pictures, end) or end
        if end is not None:
            raise end
        if self._should_stop():
            raise InterruptedRunError(ExitCode.INTERRUPTED)

    def _conclude(
        self, ready: Ready, verdict: Verdict, edited: list[tuple[Ready, Verdict]]
    ) -> None:
        """Finish a pair whose fields were sent, unless its pictures are still to come."""
        planned, pair = ready.planned, ready.pair
        if verdict.detail is None:
            self._accounts.finish(
                pair, Outcome.FAILED, changes=planned.changes, problem=verdict.problem
            )
            return
        stored = tuple(change for change in planned.changes if change not in verdict.missing)
        holds = (*stored, *planned.agreed)
        if not ready.wanted.strokes:
            self._finish_painted(ready, verdict, Painted(), holds=holds)
            return
        # The pictures may never be reached: what is ours among the fields must be known even so.
        self._accounts.note_written(pair, holds)
        edited.append((ready, verdict))

    def _paint(
        self, work: Sequence[tuple[Ready, Verdict]], end: ServerError | InterruptedRunError | None
    ) -> ServerError | None:
        """Bring pictures up to date and finish their pairs; only that when the run is to end.

        Returns:
            The error after which nothing more can be done.
        """
        fatal: ServerError | None = None
        if end is None:
            jobs = [Job(pair=one.pair, plan=one.plan, wanted=one.wanted) for one, _ in work]
            done, fatal = self._painter.paint(jobs, self._notebook)
        else:
            done = [Painted(unfinished=True) for _ in work]
        for (ready, verdict), painted in zip(work, done, strict=True):
            agreed = () if ready.planned.changes else ready.planned.agreed
            self._finish_painted(ready, verdict, painted, holds=agreed)
        self._notebook.commit()
        return fatal

    def _finish_painted(
        self, ready: Ready, verdict: Verdict, painted: Painted, *, holds: tuple[Change, ...]
    ) -> None:
        changes = (*ready.planned.changes, *painted.changes)
        if painted.unfinished and not changes:
            return  # the run ends, and says so for this pair as for all that are left
        planned, pictures = ready.planned, (*ready.wanted.kept, *painted.kept)
        kept = planned.kept or planned.held or pictures
        problem = verdict.problem or painted.problem or ready.wanted.problem
        outcome = Outcome.APPLIED if changes else Outcome.KEPT if kept else Outcome.UNCHANGED
        self._accounts.finish(
            ready.pair,
            Outcome.FAILED if problem else outcome,
            changes=changes,
            holds=holds,
            problem=problem,
            note=kept_note(planned, *pictures),
            again=painted.unfinished,
        )


def kept_note(planned: Planned, *pictures: str) -> str:
    """What a row says of that which is left as Plex has it; `pictures` are names of fields."""
    notes = []
    if kept := (*planned.kept, *pictures):
        notes.append(f"Plex's own kept for {', '.join(kept)}")
    if planned.held:
        notes.append(f"not written again since an undo: {', '.join(planned.held)}")
    return "; ".join(notes)
