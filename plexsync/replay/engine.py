"""What undoes and saved plans share: read each item afresh, decide, show, write, remember.

Both write values that were decided earlier, so all they need of the world is Plex, and each item
must still be as they expect it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import AuthError, ExitCode, InterruptedRunError, ServerError
from plexsync.models import Outcome, PlexField, Preview, as_problem
from plexsync.plex.batching import join_batches
from plexsync.plex.pictures import PicturedItems
from plexsync.sync.execution.writer import (
    DETAIL_BATCH,
    UNSENT,
    Reader,
    Writer,
    settle,
    with_link,
)
from plexsync.sync.pictures.fetch import Painter
from plexsync.sync.pictures.upload import Job, Painted
from plexsync.sync.rows import Pair, RowMaker
from plexsync.sync.run_scope import carry_out
from plexsync.text.normalize import holds_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plexsync.models import (
        Change,
        ItemDetail,
        ItemPlan,
        Link,
        MatchRow,
        Problem,
        RatingKey,
        SceneId,
    )
    from plexsync.planning.planner import Planner
    from plexsync.replay.tasks import Decision, Errand, Occasion
    from plexsync.state import Lineage, Session, State, Unsettled
    from plexsync.sync.execution.writer import Verdict
    from plexsync.sync.ports import Ports
    from plexsync.sync.totals import Tally

PREVIEW_ROWS = 50
"""Rows a person is shown before the first write."""


@dataclass(slots=True, kw_only=True)
class _Ready:
    errand: Errand
    link: Link
    title: str
    decision: Decision
    plan: ItemPlan

    @property
    def changes(self) -> tuple[Change, ...]:
        """All that would change, as a person sees it."""
        return self.decision.changes + self.decision.wanted.changes


def replay(
    errands: Sequence[Errand],
    occasion: Occasion,
    ports: Ports,
    *,
    memory: tuple[State, Session | None],
    lineage: Lineage,
    planner: Planner,
    tally: Tally,
) -> None:
    """Carry out errands as a journaled run.

    Args:
        errands: what to do.
        occasion: why.
        ports: the world.
        memory: what is remembered, and the means to remember more; None for a dry run.
        lineage: the servers that answered.
        planner: says what Plex shows alike.
        tally: counts, and shows.

    Raises:
        MismatchError: nothing could be done because everything is otherwise by now.
        PlexsyncError: it ended early.
    """
    state, session = memory
    rows = RowMaker(
        scene_url=ports.stash.scene_url,
        item_url=ports.plex.item_url,
        libraries={one.section_id: one.title for one in ports.plex.sections(())},
    )
    replaying = Replay(ports, state, session, planner=planner, rows=rows, tally=tally)
    carry_out(
        lambda: replaying.carry_out(errands, occasion.headline),
        ports,
        tally,
        session,
        kind=occasion.kind,
        lineage=lineage,
        stale=occasion.stale,
    )


class Replay:
    """Carries out errands.

    Args:
        ports: where Plex is.
        state: what is remembered.
        session: where results are noted; None for a dry run, which writes nothing.
        planner: says what Plex shows alike.
        rows: makes rows.
        tally: counts, and shows.
    """

    def __init__(
        self,
        ports: Ports,
        state: State,
        session: Session | None,
        *,
        planner: Planner,
        rows: RowMaker,
        tally: Tally,
    ) -> None:
        self._ports = ports
        self._state = state
        self._session = session
        self._planner = planner
        self._rows = rows
        self._tally = tally
        self._plex = PicturedItems(ports.plex, ports.plex.pictures)
        self._plex.expect(one.plan for one in state.unsettled)
        self._reader = Reader(self._plex, plex_down=ports.plex_down)
        self._painter = Painter(
            ports.stash,
            ports.plex.pictures,
            Reader(ports.plex, plex_down=ports.plex_down).read,
            should_stop=ports.should_stop,
            servers_down=self._servers_down,
        )
        self._unsettled: dict[tuple[SceneId, RatingKey], list[Unsettled]] = {}
        for one in state.unsettled:
            key = one.plan.scene_id, one.plan.rating_key
            self._unsettled.setdefault(key, []).append(one)

    def carry_out(self, errands: Sequence[Errand], headline: str) -> None:
        """Show what changes, then write it, a batch at a time.

        Args:
            errands: what to do.
            headline: stands over what is shown; `{}` becomes `12 items`.

        Raises:
            ServerError: Plex is down or refuses us; what was not reached can be tried again.
            InterruptedRunError: asked to stop.
        """
        self._plex.expect(errand.plan for errand in errands)
        batches = join_batches(self._decided(errands))
        ahead: list[list[_Ready]] = []
        for batch in batches:
            ahead.append(batch)
            if sum(map(len, ahead)) >= PREVIEW_ROWS:
                break
        self._preview(list(chain.from_iterable(ahead)), len(errands), headline)
        phase = "comparing" if self._session is None else "writing to Plex"
        for batch in chain(ahead, batches):
            self._write(batch)
            self._tally.reporter.progress(phase, self._tally.done, len(errands))

    # ---- deciding

    def _decided(self, errands: Sequence[Errand]) -> Iterator[list[_Ready]]:
        waiting = iter(errands)
        while batch := list(islice(waiting, DETAIL_BATCH)):
            if self._ports.should_stop():
                raise InterruptedRunError(ExitCode.INTERRUPTED)
            read = self._reader.read([errand.plan.rating_key for errand in batch])
            decided = (self._decide(one, read.get(one.plan.rating_key)) for one in batch)
            yield [ready for ready in decided if ready is not None]

    def _decide(self, errand: Errand, detail: ItemDetail | ServerError | None) -> _Ready | None:
        """What one item needs; None when it is finished."""
        scene_id, key = errand.plan.scene_id, errand.plan.rating_key
        record = self._state.get(scene_id)
        known = {link.rating_key: link for link in record.links}.get(key) if record else None
        link = errand.link(known)
        if isinstance(detail, ServerError):
            self._finish(errand, link, Outcome.FAILED, problem=as_problem(detail))
            return None
        if detail is None:
            self._finish(errand, link, Outcome.SKIPPED, note="the item is not in Plex any more")
            return None
        if not any(holds_file(detail.item, path) for path in (errand.plan.path, link.path)):
            self._finish(errand, link, Outcome.SKIPPED, note="the item holds another file by now")
            return None
        link = self._settled(errand, link, detail)
        title = str(detail.values.get(PlexField.TITLE, ""))
        try:
            decision = errand.decide(detail, link)
        except ServerError as error:
            if isinstance(error, AuthError) or self._servers_down():
                raise
            self._finish(errand, link, Outcome.FAILED, problem=as_problem(error), title=title)
            return None
        link = replace(link, pictures={**link.pictures, **decision.pictures})
        if not decision.changes and not decision.wanted.strokes:
            link = self._planner.link_after(link, decision.agreed)
            self._finish(errand, link, decision.outcome, note=decision.note, title=title)
            return None
        plan = replace(
            errand.plan,
            section_id=detail.item.section_id,
            kind=detail.item.kind,
            changes=decision.changes,
        )
        return _Ready(errand=errand, link=link, title=title, decision=decision, plan=plan)

    def _settled(self, errand: Errand, link: Link, detail: ItemDetail) -> Link:
        scene_id = errand.plan.scene_id
        unsettled = self._unsettled.pop((scene_id, link.rating_key), [])
        link = settle(link, unsettled, detail, planner=self._planner, notebook=self._session)
        if unsettled and self._session is not None:
            self._session.remember(scene_id, with_link(self._state.get(scene_id), link))
        return link

    def _servers_down(self) -> bool:
        return self._ports.plex_down() or self._ports.stash_down()

    # ---- showing and writing

    def _preview(self, ready: Sequence[_Ready], total: int, headline: str) -> None:
        rows = [
            self._row(
                one.errand,
                one.link,
                Outcome.PLANNED,
                changes=one.changes,
                note=one.decision.note,
                title=one.title,
            )
            for one in ready[:PREVIEW_ROWS]
        ]
        more = total > self._tally.done + len(ready)
        left = total - self._tally.done if more else len(ready)
        count = f"{'up to ' if more else ''}{left:,} {'item' if left == 1 else 'items'}"
        self._tally.reporter.preview(
            Preview(
                high=tuple(rows),
                low=(),
                high_total=total,
                low_total=0,
                unmatched_total=0,
                more_changes=more,
                headline=headline.format(count),
            )
        )

    def _write(self, batch: Sequence[_Ready]) -> None:
        if self._session is None:
            for one in batch:
                self._conclude(one, one.link, Outcome.PLANNED, changes=one.changes)
            return
        if not batch:
            self._session.commit()
            return
        end: ServerError | InterruptedRunError | None = None
        painting = [
            (one, self._planner.link_after(one.link, one.decision.agreed))
            for one in batch
            if not one.plan.changes
        ]
        try:
            self._write_fields([one for one in batch if one.plan.changes], painting, self._session)
        except (ServerError, InterruptedRunError) as error:
            end = error
        end = self._paint(painting, end, self._session) or end
        if end is not None:
            raise end
        if self._ports.should_stop():
            raise InterruptedRunError(ExitCode.INTERRUPTED)

    def _write_fields(
        self, batch: Sequence[_Ready], painting: list[tuple[_Ready, Link]], session: Session
    ) -> None:
        """Write the fields of `batch`; those whose pictures are still to come go to `painting`.

        Raises:
            ServerError: see `Writer.write`.
            InterruptedRunError: see there.
        """
        if not batch:
            return
        writer = Writer(
            self._plex,
            self._reader,
            session,
            planner=self._planner,
            should_stop=self._ports.should_stop,
        )
        ready_for = {(one.plan.scene_id, one.plan.rating_key): one for one in batch}

        def conclude(plan: ItemPlan, verdict: Verdict) -> None:
            one = ready_for[plan.scene_id, plan.rating_key]
            stored = tuple(change for change in plan.changes if change not in verdict.missing)
            link = self._planner.link_after(one.link, (*stored, *one.decision.agreed))
            if verdict.missing or not one.decision.wanted.strokes:
                outcome = Outcome.FAILED if verdict.missing else Outcome.APPLIED
                self._conclude(
                    one,
                    link,
                    outcome,
                    changes=one.decision.changes,
                    problem=verdict.problem,
                )
                return
            # The pictures may never be reached: what is ours must be known even so.
            session.remember(plan.scene_id, with_link(self._state.get(plan.scene_id), link))
            painting.append((one, link))

        writer.write([one.plan for one in batch], conclude)

    def _paint(
        self,
        work: Sequence[tuple[_Ready, Link]],
        end: ServerError | InterruptedRunError | None,
        session: Session,
    ) -> ServerError | None:
        """Bring the pictures of a batch and finish its items; only that when the run is to end.

        Returns:
            The error after which nothing more can be done.
        """
        if not work:
            return None
        fatal: ServerError | None = None
        jobs = [
            Job(
                pair=Pair(scene=one.errand.scene, link=link, title=one.title),
                plan=one.plan,
                wanted=one.decision.wanted,
            )
            for one, link in work
        ]
        if end is None:
            done, fatal = self._painter.paint(jobs, session)
        else:
            done = [Painted(unfinished=True) for _ in jobs]
        for (one, _), job, painted in zip(work, jobs, done, strict=True):
            changes = (*one.decision.changes, *painted.changes)
            if painted.unfinished and not changes:
                continue  # the run ends, and nothing became of this item
            problem = painted.problem or (UNSENT if painted.unfinished else None)
            outcome = Outcome.APPLIED if changes else Outcome.UNCHANGED
            self._conclude(
                one,
                job.pair.link,
                Outcome.FAILED if problem else outcome,
                changes=changes,
                problem=problem,
            )
        session.commit()
        return fatal

    # ---- finishing

    def _conclude(
        self,
        ready: _Ready,
        link: Link,
        outcome: Outcome,
        *,
        changes: tuple[Change, ...],
        problem: Problem | None = None,
    ) -> None:
        """Finish an item that had changes; `changes` are those that were written, or would be."""
        note, title = ready.decision.note, ready.title
        self._finish(
            ready.errand,
            link,
            outcome,
            changes=changes,
            problem=problem,
            note=note,
            title=title,
        )

    def _finish(
        self,
        errand: Errand,
        link: Link,
        outcome: Outcome,
        *,
        changes: tuple[Change, ...] = (),
        problem: Problem | None = None,
        note: str = "",
        title: str = "",
    ) -> None:
        row = self._row(
            errand, link, outcome, changes=changes, problem=problem, note=note, title=title
        )
        self._tally.emit(row)
        if self._session is not None:
            errand.conclude(link, outcome, self._session)

    def _row(
        self,
        errand: Errand,
        link: Link,
        outcome: Outcome,
        *,
        changes: tuple[Change, ...] = (),
        problem: Problem | None = None,
        note: str = "",
        title: str = "",
    ) -> MatchRow:
        scene = errand.scene if errand.scene.title else replace(errand.scene, title=title)
        pair = Pair(scene=scene, link=link, title=title)
        row = self._rows.pair(pair, outcome, changes=changes, problem=problem)
        return replace(row, reason=f"{errand.reason}; {note}" if note else errand.reason)
