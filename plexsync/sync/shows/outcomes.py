"""How each show and season of a run ended: its row, and what is remembered of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.models import Outcome, ShowRecord
from plexsync.sync.execution.kept import KeptOutcomes

if TYPE_CHECKING:
    from plexsync.models import Link, SceneId
    from plexsync.sync.rows import Pair
    from plexsync.sync.shows.work import ShowWork


class ShowOutcomes(KeptOutcomes["ShowWork", ShowRecord]):
    """Shows and remembers how shows and seasons ended."""

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

    def _remember(self, work: ShowWork, *, done: bool) -> None:
        self._keep(work.key, self._record_of(work, work.pair.link, done=done))

    def _record_of(self, work: ShowWork, link: Link, *, done: bool) -> ShowRecord:
        return ShowRecord(
            link=link,
            title=work.wish.title,
            wanted=work.wanted if done else "",
            attempts=0 if done else work.tries_before,
            year=_taken_for(work),
            apart=work.apart,
        )

    def _keep(self, key: SceneId, record: ShowRecord | None) -> None:
        if self._session is not None:
            self._session.keep_show(key, record)


def _taken_for(work: ShowWork) -> str:
    """Return the year something was last written for; what is left alone keeps it."""
    if not work.apart:
        return work.wish.year
    return work.before.year if work.before else ""
