"""What is kept in step with the scenes, on its way through a run: its row, record and tries.

Collections, shows and seasons share all of it: when one needs a look, what is remembered of it, and
that one which fails by its own fault is charged with a try, as a scene is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec.structs import replace

from plexsync.models import KeptRecord, Outcome, noun_of
from plexsync.planning.retry_schedule import PARKED, has_come
from plexsync.sync.execution.charging import group_by_cause, next_try_of, own_failures
from plexsync.sync.server_faults import WorkKind

if TYPE_CHECKING:
    from plexsync.models import Change, Link, Problem, SceneDetail, SceneId
    from plexsync.sync.context import RunContext
    from plexsync.sync.rows import Pair

GOOD = frozenset({Outcome.APPLIED, Outcome.UNCHANGED, Outcome.KEPT})
"""How something ended that is as it is wanted."""


@dataclass(slots=True, kw_only=True)
class KeptWork:
    """A collection, show or season on its way through a run.

    Args:
        pair: what stands for the scene and the item of other work.
        wanted: digest of all that is wanted.
        before: what is remembered of it; None for nothing.
        source: what Stash says of its source, as its picture is compared.
        summary: what its summary is to be.
    """

    pair: Pair
    wanted: str
    before: KeptRecord | None
    source: SceneDetail
    summary: str = ""

    @property
    def key(self) -> SceneId:
        """What stands for it where others have a scene's id."""
        return self.pair.scene.scene_id

    @property
    def tries_before(self) -> int:
        """How often just this failed in a row."""
        before = self.before
        return before.attempts if before and before.wanted in {"", self.wanted} else 0

    def may_differ(self, run: RunContext, *, unsettled: bool) -> bool:
        """Return whether it may not be as it is wanted, and does not wait for a later try.

        Args:
            run: what the run is about.
            unsettled: nobody knows whether the last write reached Plex.
        """
        before = self.before
        if before is None or run.compares_all or not self.wanted or before.wanted != self.wanted:
            return True
        return has_come(before.due_at, run.ports.now()) if before.due_at else unsettled


W = TypeVar("W", bound=KeptWork)
R = TypeVar("R", bound=KeptRecord)


class KeptOutcomes(ABC, Generic[W, R]):
    """Shows and remembers how what is kept in step with the scenes ended.

    Args:
        run: what the run is about; in a dry run nothing is remembered.
    """

    def __init__(self, run: RunContext) -> None:
        self._run = run
        self._session = run.session
        self._rows = run.rows
        self._emit = run.totals.emit
        self._works: dict[SceneId, W] = {}
        self._uncharged: dict[SceneId, tuple[WorkKind, R]] = {}

    def open(self, work: W) -> None:
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
        done = outcome in GOOD and problem is None and not again
        record = self._ended(work, pair.link, outcome, changes, done=done)
        if problem is not None and record is not None and not record.is_left_alone:
            # Due at once, until it is charged.
            record = replace(record, problem=problem)
            self._uncharged[work.key] = failed or WorkKind.EDIT, record
        self._keep(work.key, record)

    def charge(self, nouns: str) -> None:
        """Charge what failed by its own fault with a try, and say what is parked by that.

        Args:
            nouns: what several of them are, for people: "collections".
        """
        failures = {key: (failed, one.problem) for key, (failed, one) in self._uncharged.items()}
        parked: dict[SceneId, Problem] = {}
        for key in own_failures(failures, self._run.ports.faults):
            work, (_, record) = self._works[key], self._uncharged[key]
            attempts = record.attempts + 1
            due_at = next_try_of(self._run, attempts, record.problem)
            self._keep(key, replace(record, wanted=work.wanted, attempts=attempts, due_at=due_at))
            if due_at == PARKED and record.problem is not None:
                parked[key] = record.problem
        self._uncharged = {}
        self._warn_of(parked, nouns)

    def note_written(self, pair: Pair) -> None:
        """Remember what is ours on one that needs more."""
        work = self._works[pair.scene.scene_id]
        self._keep(work.key, self._record_of(work, pair.link, done=False))

    def note_settled(self, pair: Pair) -> None:
        """Remember what is ours on one by writes of earlier runs."""
        self.note_written(pair)

    def _warn_of(self, parked: dict[SceneId, Problem], nouns: str) -> None:
        for message, keys in group_by_cause(parked).items():
            one = f"{noun_of(keys[0])} '{self._works[keys[0]].pair.title}' is"
            many = one if len(keys) == 1 else f"{len(keys)} {nouns} are"
            self._run.totals.reporter.warn(
                f"{many} parked after too many failed tries: {message}; a full sweep tries again, "
                "or now: plexsync retry"
            )

    def _ended(
        self,
        work: W,
        link: Link,
        outcome: Outcome,  # noqa: ARG002 - some need it
        changes: tuple[Change, ...],  # noqa: ARG002 - some need it
        *,
        done: bool,
    ) -> R | None:
        """Return what is remembered of one that ended; None for nothing."""
        return self._record_of(work, link, done=done)

    @abstractmethod
    def _record_of(self, work: W, link: Link, *, done: bool) -> R:
        """Return what is remembered of one; unless it is `done` the next run looks again."""

    @abstractmethod
    def _keep(self, key: SceneId, record: R | None) -> None:
        """Remember it, if this is no dry run."""
