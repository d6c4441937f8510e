"""How each collection of a run ended: its row, and what is remembered of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import (
    Outcome,
    PlexField,
    Withheld,
)
from plexsync.planning.retry_schedule import PARKED
from plexsync.state import SavedItem
from plexsync.sync.execution.charging import next_try_of, own_failures
from plexsync.sync.server_faults import WorkKind

if TYPE_CHECKING:
    from plexsync.models import Change, CollectionRecord, Problem, SceneId
    from plexsync.state import SavedPicture
    from plexsync.sync.collections.work import CollectionWork
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.work import Ready
    from plexsync.sync.rows import Pair

GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED, Outcome.KEPT})


class CollectionOutcomes:
    """Shows and remembers how collections ended.

    Args:
        run: what the run is about; in a dry run nothing is remembered.
    """

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._session = run.session
        self._rows = run.rows
        self._emit = run.totals.emit
        self._works: dict[SceneId, CollectionWork] = {}
        self._uncharged: dict[SceneId, tuple[WorkKind, CollectionRecord]] = {}

    def open(self, work: CollectionWork) -> None:
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
        failed: WorkKind | None = None,
    ) -> None:
        """Show an outcome, and remember it. `again`: something was not even tried."""
        work = self._works[pair.scene.scene_id]
        self._emit(self._rows.pair(pair, outcome, changes=changes, problem=problem, note=note))
        if outcome is Outcome.APPLIED and is_deletion(changes):
            self._keep(work, None)
            return
        if not pair.link.rating_key and outcome is Outcome.SKIPPED:
            # Nothing was made because somebody else's has the title.
            self._keep(work, replace(work.blank(), withheld=Withheld.TAKEN))
            return
        if problem is not None:
            record = work.failed(pair.link, problem)
            self._keep(work, record)
            self._uncharged[work.key] = failed or WorkKind.EDIT, record
            return
        good = outcome in GOOD and not again
        self._keep(work, work.record_of(pair.link, done=good))

    def charge(self) -> dict[SceneId, Problem]:
        """Charge the collections that failed by their own fault with a try; see `SceneOutcomes`.

        Returns:
            Those that failed so often that they are parked now, with the last reason.
        """
        failures = {key: (failed, one.problem) for key, (failed, one) in self._uncharged.items()}
        parked: dict[SceneId, Problem] = {}
        for key in own_failures(failures, self._run.ports.faults):
            work, (_, record) = self._works[key], self._uncharged[key]
            due_at = next_try_of(self._run, record.attempts + 1, record.problem)
            self._keep(work, work.charged(record, due_at))
            if due_at == PARKED and record.problem is not None:
                parked[key] = record.problem
        self._uncharged = {}
        return parked

    def title(self, key: SceneId) -> str:
        """Return what a collection of this run is to be called."""
        return self._works[key].wish.title

    def withhold(self, work: CollectionWork, why: Withheld, note: str, outcome: Outcome) -> None:
        """Leave a collection alone from now on, and say so once."""
        self._emit(self._rows.pair(work.pair, outcome, note=note))
        self._keep(work, replace(work.blank(), withheld=why))

    def postpone(self, work: CollectionWork, note: str) -> None:
        """Leave a collection to the next run."""
        self._emit(self._rows.pair(work.pair, Outcome.SKIPPED, note=note))

    def forget(self, work: CollectionWork) -> None:
        """Remember nothing of a collection that is not there, and that nothing belongs to."""
        self._keep(work, None)

    def lose(self, pair: Pair, note: str) -> None:
        """Leave a collection alone that a person deleted, or that is none any more."""
        del note
        work = self._works[pair.scene.scene_id]
        if not work.wish.members:
            self._keep(work, None)  # it went with its last member
            return
        self.withhold(
            work,
            Withheld.DELETED,
            "deleted in Plex, so it is not made again; plexsync run --full does",
            Outcome.SKIPPED,
        )

    def note_written(self, pair: Pair) -> None:
        """Remember what is ours on a collection that needs more."""
        work = self._works[pair.scene.scene_id]
        self._keep(work, work.record_of(pair.link, done=False))

    def note_settled(self, pair: Pair) -> None:
        """Remember what is ours on a collection by writes of earlier runs."""
        self.note_written(pair)

    def _keep(self, work: CollectionWork, record: CollectionRecord | None) -> None:
        if self._session is not None:
            self._session.keep_collection(work.key, record)


def is_deletion(changes: tuple[Change, ...]) -> bool:
    """Return whether a collection went."""
    return any(one.target is PlexField.EXISTENCE and not one.after for one in changes)


def saved_collection(ready: Ready, pictures: tuple[SavedPicture, ...]) -> SavedItem:
    """Return a planned collection as a plan file holds it."""
    pair = ready.pair
    return SavedItem(
        plan=ready.plan,
        pictures=pictures,
        agreed=ready.decision.agreed,
        scene_title=pair.scene.title,
        version=pair.scene.updated_at,
        reason=pair.reason,
    )
