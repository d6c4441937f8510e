"""How each show and season of a run ended: its row, and what is remembered of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.models import Outcome, ShowRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.models import Change, MatchRow, Problem, SceneId
    from plexsync.state import Session
    from plexsync.sync.rows import Pair, RowMaker
    from plexsync.sync.server_faults import WorkKind
    from plexsync.sync.shows.work import ShowWork

_GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED, Outcome.KEPT})


class ShowOutcomes:
    """Shows and remembers how shows and seasons ended.

    Args:
        session: where it is remembered; None for a dry run.
        rows: makes rows.
        emit: takes them.
    """

    def __init__(
        self, session: Session | None, *, rows: RowMaker, emit: Callable[[MatchRow], None]
    ) -> None:
        self._session = session
        self._rows = rows
        self._emit = emit
        self._works: dict[SceneId, ShowWork] = {}

    def open(self, work: ShowWork) -> None:
        """Take one into account, before it is worked on."""
        self._works[work.key] = work

    def finish(
        self,
        pair: Pair,
        outcome: Outcome,
        *,
        changes: tuple[Change, ...] = (),
        problem: Problem | None = None,
        note: str = "",
        again: bool = False,
        failed: WorkKind | None = None,  # noqa: ARG002 - no scene is charged with a show
    ) -> None:
        """Show an outcome, and remember it. `again`: something was not even tried."""
        work = self._works[pair.scene.scene_id]
        self._emit(self._rows.pair(pair, outcome, changes=changes, problem=problem, note=note))
        self._remember(work, done=outcome in _GOOD and problem is None and not again)

    def leave_alone(self, work: ShowWork) -> None:
        """Say why one is left alone, and remember that."""
        note = f"left alone: {work.apart}"
        self._emit(self._rows.pair(work.pair, Outcome.UNCHANGED, note=note))
        self._remember(work, done=False)

    def lose(self, pair: Pair, note: str) -> None:
        """Leave one alone that is not in Plex any more, until a full run looks again.

        Its episodes are elsewhere, which is seen when they are read.
        """
        work = self._works[pair.scene.scene_id]
        work.apart = note
        self._emit(self._rows.pair(pair, Outcome.UNCHANGED, note=f"left alone: {note}"))
        self._remember(work, done=True)

    def note_written(self, pair: Pair) -> None:
        """Remember what is ours on one that needs more."""
        self._remember(self._works[pair.scene.scene_id], done=False)

    def note_settled(self, pair: Pair) -> None:
        """Remember what is ours on one by writes of earlier runs."""
        self.note_written(pair)

    def _remember(self, work: ShowWork, *, done: bool) -> None:
        record = ShowRecord(
            link=work.pair.link,
            wanted=work.wanted if done else "",
            year=work.wish.year,
            apart=work.apart,
        )
        self._keep(work.key, record)

    def _keep(self, key: SceneId, record: ShowRecord | None) -> None:
        if self._session is not None:
            self._session.keep_show(key, record)
