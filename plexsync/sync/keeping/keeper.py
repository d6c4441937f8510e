"""What keeps collections, shows and seasons in step with the scenes: what both kinds share.

Each gets its texts and its picture from an object of Stash that has a version of its own. All of it
is decided before the first of it is written, so that a limit can hold some of it back and a person
can say no; one that fails by its own fault is charged with a try, as a scene is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from msgspec.structs import replace

from plexsync.errors import DeclinedError, UnsafeError
from plexsync.models import (
    Desired,
    FieldRule,
    FieldRules,
    ItemDetail,
    ItemKind,
    KeptRecord,
    Outcome,
    PlexField,
    Policy,
    Preview,
    RelatedDetail,
    RelatedId,
    SceneDetail,
    SceneId,
)
from plexsync.planning.planner import Planned, Planner
from plexsync.planning.retry_schedule import has_come
from plexsync.sync.execution.charging import charge, next_try_of
from plexsync.sync.execution.executor import PREVIEW_ROWS, Executor
from plexsync.sync.execution.pictures.plan import Artwork
from plexsync.sync.execution.reader import READ_BATCH
from plexsync.sync.execution.work import Decision, Outcomes, Ready, WorkItem, blank_link
from plexsync.sync.ports import WorkKind
from plexsync.sync.rows import GOOD, Pair, PairEnd, called
from plexsync.text.folding import short_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.stash_client import StashClient
    from plexsync.sync.context import RunContext

SEEN = GOOD | {Outcome.PLANNED}
"""How a scene ended of which all is known."""

DIGITS = 16
"""Of the digests of what is wanted."""

_SILENT = RelatedDetail(updated_at="")


@dataclass(slots=True, kw_only=True)
class KeptWork(ABC):
    """A collection, show or season on its way through a run.

    Args:
        pair: what stands for the scene and the item of other work.
        kind: what it is in Plex.
        wanted: digest of all that is wanted.
        before: what is remembered of it; None for nothing.
        related: the object that gives it its texts and picture; None for none.
        says: what that says of itself, once it was asked.
    """

    pair: Pair
    kind: ItemKind
    wanted: str
    before: KeptRecord | None
    related: RelatedId | None
    says: RelatedDetail = _SILENT

    @property
    def key(self) -> SceneId:
        """What stands for it where others have a scene's id."""
        return self.pair.scene.scene_id

    @property
    def source(self) -> SceneDetail:
        """What Stash says of its object, as a picture is compared with that of a scene."""
        updated_at, cover_path = self.pair.scene.updated_at, self.says.image_path
        return SceneDetail(scene_id=self.key, updated_at=updated_at, cover_path=cover_path)

    @property
    def tries_before(self) -> int:
        """How often just this failed in a row."""
        before = self.before
        return before.attempts if before and before.wanted in {"", self.wanted} else 0

    @abstractmethod
    def record(self, *, done: bool) -> KeptRecord:
        """Return what is remembered of it; unless it is `done` the next run looks again."""


W = TypeVar("W", bound=KeptWork)


class Keeper(Outcomes, ABC, Generic[W]):
    """Keeps one kind in step; it shows and remembers how each ended, too.

    Args:
        run: what the run is about; in a dry run nothing is remembered.
        names: what Stash has; see `relations`.
    """

    noun: ClassVar[str]
    """What is written, for people: "collection"."""

    fields: ClassVar[frozenset[str]]
    """What the fields of the kind are called in rows."""

    def __init__(self, run: RunContext, names: Mapping[RelatedId, str]) -> None:
        self._run = run
        self._names = names
        self._stash = run.ports.stash
        self._works: dict[SceneId, W] = {}
        self._uncharged: dict[SceneId, tuple[WorkKind, KeptRecord]] = {}
        self._unsettled = {one.plan.scene_id for one in run.state.unsettled}
        # A person may have given Stash the last word for once, and not in single fields only.
        self._taken = (
            self.fields if run.options.take_over and not run.options.fields else frozenset()
        )
        self._planner = Planner(replace(run.config.apply.rules, taken=self._taken))
        self._executor = Executor(run, planner=self._planner, outcomes=self)

    @abstractmethod
    def keep(self) -> UnsafeError | None:
        """Bring all of the kind in step; return the limit that held some of it back.

        Raises:
            ServerError: a server is down, or refuses us.
            DeclinedError: a person was asked and declined.
            InterruptedRunError: asked to stop.
        """

    # ---- what is wanted

    def _may_differ(self, work: W) -> bool:
        """Whether one may not be as it is wanted, and does not wait for a later try."""
        before, wanted = work.before, work.wanted
        if before is None or self._run.compares_all or not wanted or before.wanted != wanted:
            return True
        if before.due_at:
            return has_come(before.due_at, self._run.ports.now())
        return work.key in self._unsettled

    def _ask_sources(self, works: Sequence[W]) -> None:
        """Have the objects of works say their texts and pictures.

        Raises:
            ServerError: Stash cannot say.
        """
        wanted = dict.fromkeys(work.related for work in works if work.related)
        known = self._stash.objects(tuple(wanted)) if wanted else {}
        for work in works:
            if work.related in known:
                work.says = known[work.related]

    def _posters(self, name: str, policy: Policy) -> Artwork:
        """Return what compares posters with the pictures of objects; rows call them `name`."""
        rule = FieldRule(name=name, policy=policy, to=PlexField.POSTER)
        rules = FieldRules(common=() if policy is Policy.OFF else (rule,), by_section={})
        return Artwork.of_run(self._run, rules, taken=self._taken, coverless=frozenset())

    # ---- writing

    @abstractmethod
    def _decide(self, work: W, detail: ItemDetail) -> Decision:
        """Compare one with what it should be.

        Raises:
            ServerError: a server refuses us, or is down.
        """

    def _planned(
        self, work: W, desired: Iterable[Desired], detail: ItemDetail, planner: Planner
    ) -> Planned:
        """Return what the fields of one need; what an undo took back waits to be asked for."""
        wanted, pair = tuple(desired), work.pair
        held = planner.still_held(wanted, pair.link.held, asked_for=self._run.is_asked_for)
        pair.link = replace(pair.link, held=held)
        return planner.plan(wanted, detail, pair.link.base, held)

    def _write(self, works: Sequence[W], *, synced: int) -> UnsafeError | None:
        """Carry works out, past the limits; return the one that is passed.

        Args:
            works: what to carry out.
            synced: how many of their kind were written before.
        """
        self._ask_sources(works)
        items = (
            WorkItem(pair=one.pair, decide=partial(self._decide, one), paths=(), kind=one.kind)
            for one in works
        )
        try:
            ready = list(chain.from_iterable(self._executor.ready(items)))
            unsafe, held = self._executor.hold_back(ready, synced=synced)
            ready = [one for one in ready if one not in held]
            if ready and self._run.options.ask:
                self._ask(ready)
            starts = range(0, len(ready), READ_BATCH)
            self._executor.write_all(ready[start : start + READ_BATCH] for start in starts)
        finally:
            charge(self._run, self._uncharged, self._run.session.keep, self._called)
        if (fault := self._run.ports.faults.of()) is not None:
            raise fault
        return unsafe

    def _called(self, key: SceneId) -> str:
        return called(self._works[key].pair)

    def _ask(self, ready: Sequence[Ready]) -> None:
        """Show what would be written, and have a person say yes.

        Raises:
            DeclinedError: the answer is no.
        """
        rows = [
            self._run.rows.pair(one.pair, PairEnd(Outcome.PLANNED, one.changes))
            for one in ready[:PREVIEW_ROWS]
        ]
        self._run.totals.reporter.preview(
            Preview(
                high=tuple(rows),
                high_total=len(ready),
                more_changes=len(ready) > len(rows),
                headline=f"{self.noun.upper()}S: {len(ready):,} will be written",
            )
        )
        if not self._run.ports.confirm(len(ready)):
            raise DeclinedError(f"{self.noun}s are not written, as you wish; they stay due")

    # ---- how each ended

    def _show(self, pair: Pair, outcome: Outcome, note: str) -> None:
        """Show how one ended of which nothing was written."""
        self._run.totals.emit(self._run.rows.pair(pair, PairEnd(outcome, note=note)))

    @abstractmethod
    def lose(self, pair: Pair, note: str) -> None:
        """Take one that is not in Plex any more, and say so."""

    def finish(self, pair: Pair, ending: PairEnd) -> None:
        """Show how one ended, and remember it."""
        work, problem = self._works[pair.scene.scene_id], ending.problem
        self._run.totals.emit(self._run.rows.pair(pair, ending))
        if ending.gone:
            pair.link = blank_link(pair.link.section_id)
        done = ending.outcome in GOOD and problem is None and not ending.again
        record = self._record(work, ending, done=done)
        if problem is not None and record is not None and not record.is_left_alone:
            # Due at once, until it is charged.
            record = replace(record, problem=problem)
            attempts = record.attempts + 1
            due_at = next_try_of(self._run, attempts, problem)
            charged = replace(record, wanted=work.wanted, attempts=attempts, due_at=due_at)
            self._uncharged[work.key] = ending.failed or WorkKind.EDIT, charged
        self._run.session.keep(work.key, record)

    def note_written(self, pair: Pair) -> None:
        """Remember what is ours on one that needs more."""
        work = self._works[pair.scene.scene_id]
        self._run.session.keep(work.key, work.record(done=False))

    def _record(self, work: W, ending: PairEnd, *, done: bool) -> KeptRecord | None:
        """Return what is remembered of one that ended; None for nothing."""
        del ending  # collections need it
        return work.record(done=done)


def wanted_digest(stash: StashClient, stamp: str, *parts: str) -> str:
    """Return one digest of all that is wanted; "" while the object may hide another edit.

    Args:
        stash: knows its own time.
        stamp: the version of the object; "" for none.
        parts: everything else that decides.
    """
    if stamp and not stash.is_settled(stamp):
        return ""
    return short_digest("\x1d".join((*parts, stamp)), DIGITS)
