"""A real run's hold on the state: under the lock, every change in the journal before it counts."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from plexsync.planning.retry_schedule import iso
from plexsync.storage.checkpoint import write_checkpoint
from plexsync.storage.filesystem import DISK, Filesystem, state_errors
from plexsync.storage.intents import pack_plan, written_item
from plexsync.storage.journal import (
    DIRECTORY,
    NULL,
    SCHEMA,
    Begin,
    DecisionEntry,
    End,
    Intent,
    JournalWriter,
    Lineage,
    Result,
    RunKind,
    SceneKept,
    began_at,
    first_entry,
    is_run_id,
    journal_path,
    journal_runs,
)
from plexsync.storage.loading import load_state
from plexsync.storage.locations import hold_lock
from plexsync.storage.memory import kept_key
from plexsync.storage.scenes.rows import STATE_NAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from plexsync.models import (
        ItemPlan,
        KeptRecord,
        PlexItem,
        SceneId,
        SceneRecord,
    )

_LONGEST_PAUSE = timedelta(days=366)
_CLOCK_SET = timedelta(days=1)  # a clock set back by less was right, more or less
_FOR_GOOD = 36_500
"""More days than that are none: there is no date before the first year."""

_WORTH_SHARE = 0.01
_MOST_RUNS = 50
_IDLE_KEPT = 20

_ENCODER = msgspec.json.Encoder(order="deterministic")


@contextmanager
def open_session(
    directory: Path,
    *,
    now: datetime,
    wait_s: float = 0.0,
    keep_days: int = _FOR_GOOD,
    disk: Filesystem = DISK,
) -> Iterator[Session]:
    """Take the lock of `directory`, making it if need be, and load what it remembers.

    Args:
        directory: the state directory.
        now: the time, aware.
        wait_s: how long to wait for another run to end, in seconds.
        keep_days: how long journals of runs that wrote something are kept, in days. Who does not
            know what is configured takes none away.
        disk: where to read and write.

    Raises:
        StateLockedError: another run holds the lock.
        StateError: see `load_state`; or the directory cannot be written.
    """
    with state_errors("create", directory):
        disk.make_directory(directory)
    with hold_lock(directory, since=iso(now.astimezone(UTC)), wait_s=wait_s):
        session = Session(directory, keep_days=keep_days, disk=disk)
        try:
            yield session
        finally:
            session.close()


class Session:
    """Remembers for one process, which must hold the lock; `open_session` sees to that.

    A run is `begin`, then any of the others, then `end`. Everything but an intent waits in memory
    for the next `commit`, `intend` or `end`, and then counts entirely or not at all; a crash before
    that only costs reading Plex again. So note a result and what is remembered of its scene without
    one of these between them.

    Args:
        directory: the state directory, which must exist.
        keep_days: how long journals of runs that wrote something are kept, in days. Who does not
            know what is configured takes none away.
        disk: where to read and write.

    Attributes:
        planned: what a dry run would remember of scenes, None for nothing; empty in another run,
            which does.
    """

    def __init__(
        self, directory: Path, *, keep_days: int = _FOR_GOOD, disk: Filesystem = DISK
    ) -> None:
        self.state = load_state(directory, disk)
        self.planned: dict[SceneId, SceneRecord | None] = {}
        self._directory = directory
        self._keep_days = keep_days
        self._disk = disk
        self._run_id = ""
        self._journal: JournalWriter | None = None
        self._in_batch = False
        self._items: set[str] = set()

    def begin(
        self, *, run_id: str, kind: RunKind, started_at: str, lineage: Lineage, version: str
    ) -> None:
        """Begin a run. Safe on disk when this returns, so a full disk stops a run that did nothing.

        Args:
            run_id: see `is_run_id`.
            kind: what kind of run.
            started_at: the time, ISO.
            lineage: the servers that answered; see `State.check_lineage`.
            version: plexsync's own.

        Raises:
            StateError: the journal cannot be written.
        """
        self._require_no_run()
        if not is_run_id(run_id):
            raise ValueError(f"not a run id: {run_id!r}")
        place = self._directory / DIRECTORY
        with state_errors("create", place):
            self._disk.make_directory(place)
        self._run_id = run_id
        self._items = set()
        self._journal = JournalWriter(journal_path(self._directory, run_id), self._disk)
        serial = self.state.checkpoint.serial + 1
        entry = self._journal.append(
            Begin(
                schema=SCHEMA,
                run_id=run_id,
                kind=kind,
                serial=serial,
                started_at=started_at,
                version=version,
                lineage=lineage,
            )
        )
        self._journal.commit()
        self.state.apply(run_id, entry)

    def intend(self, plans: Sequence[ItemPlan]) -> tuple[int, ...]:
        """Note that `plans` are about to be written; safe on disk, values and all, on return.

        Returns:
            The number of each plan, for its `Result`.

        Raises:
            StateError: nothing may be written to Plex.
        """
        if self._in_batch:
            raise RuntimeError("an intent would part what is noted together")
        journal = self._running()
        entries = [journal.append(Intent(plan=pack_plan(plan))) for plan in plans]
        journal.commit()
        for entry in entries:
            self.state.apply(self._run_id, entry)
        self._items.update(map(written_item, plans))
        return tuple(entry.seq for entry in entries)

    def note(self, entry: Result | SceneKept | DecisionEntry) -> None:
        """Note what became of a plan, by the number `intend` gave it, or what is remembered now."""
        self.state.apply(self._run_id, self._running().append(entry))

    def remember(self, scene_id: SceneId, record: SceneRecord) -> None:
        """Remember `record` of a scene. Costs nothing on disk if just that is remembered."""
        if self.state.get(scene_id) != record:
            row, texts = self.state.pack(record)
            self.note(SceneKept(scene_id=scene_id, record=msgspec.Raw(row), texts=texts))

    def forget(self, scene_id: SceneId) -> None:
        """Remember nothing of a scene any more."""
        if scene_id in self.state.scene_ids():
            self.note(SceneKept(scene_id=scene_id, record=NULL))

    def forget_items(self, section_ids: Collection[str], there: Iterable[PlexItem]) -> None:
        """Let go of what was written to items of these libraries that are not `there` any more.

        No journal says so: until the next checkpoint a load knows it again.
        """
        former = self.state.checkpoint.former
        gone = set(former)
        if gone:
            gone.difference_update(item.rating_key for item in there)
        for rating_key in gone:
            link = self.state.former(rating_key)
            if link is not None and link.section_id in section_ids:
                del former[rating_key]
                self.state.changes_since_checkpoint += 1

    def decide(self, key: str, value: msgspec.Struct | None) -> None:
        """Keep what a person decided under `key`; None takes it back."""
        raw = NULL if value is None else _raw(value)
        self.note(DecisionEntry(key=key, value=raw))

    def keep(self, key: SceneId, record: KeptRecord | None) -> None:
        """Remember `record` of a collection, show or season; None for nothing any more."""
        if self.state.kept(key) != record:
            self.decide(kept_key(key), record)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Note what belongs together: all that is noted inside is on disk, or none of it.

        A crash in between only costs reading Plex again.

        Raises:
            StateError: see `commit`.
        """
        self._in_batch = True
        try:
            yield
        finally:
            self._in_batch = False
        self.commit()

    def commit(self) -> None:
        """Return when everything noted so far is safe on disk.

        Raises:
            StateError: it is not. The run must stop writing: nothing can be noted any more.
        """
        self._running().commit()

    def end(self, finished_at: datetime, how: End) -> None:
        """End the run, and fold the journals into `state.json` where that is worth its price.

        Args:
            finished_at: the time, aware.
            how: what else is known of the end but the number of items.

        Raises:
            StateError: a file could not be written; `state.json` comes last, and holds no more.
        """
        finished = iso(finished_at.astimezone(UTC))
        end = msgspec.structs.replace(how, finished_at=finished, items=len(self._items))
        entry = self._running().append(end)
        self.commit()
        self.state.apply(self._run_id, entry)
        self.close()
        self._fold_seldom(finished_at)

    def checkpoint(self, *, now: datetime) -> None:
        """Fold all journals into `state.json` and let go of those kept long enough.

        Raises:
            StateError: `state.json` could not be written, and is what it was.
        """
        self._require_no_run()
        journals = frozenset(journal_runs(self._directory, self._disk))
        covered = self.state.covered
        path = self._directory / STATE_NAME
        write_checkpoint(path, self.state.complete(journals), self._disk)
        self.state.checkpointed()
        self._prune(*covered, journals, now)

    def close(self) -> None:
        """Commit what is noted and let go of the journal. May be repeated.

        Raises:
            StateError: the last notes could not be written.
        """
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()

    def _fold_seldom(self, now: datetime) -> None:
        """Fold where that is worth it: a big `state.json` is not rewritten for a few scenes."""
        many = max(1, len(self.state.scene_ids()) * _WORTH_SHARE)
        runs, changes = self.state.runs_since_checkpoint, self.state.changes_since_checkpoint
        if runs >= _MOST_RUNS or changes >= many:
            self.checkpoint(now=now)

    def _running(self) -> JournalWriter:
        if self._journal is None:
            raise RuntimeError("no run has begun")
        return self._journal

    def _require_no_run(self) -> None:
        if self._journal is not None:
            raise RuntimeError("a run is under way")

    def _prune(
        self,
        busy: Sequence[str],
        idle: Sequence[str],
        journals: frozenset[str],
        now: datetime,
    ) -> None:
        """Remove journals that neither `state.json` nor its previous copy needs.

        Args:
            busy: the runs in the previous copy in which something happened.
            idle: the others in it.
            journals: the runs that left a journal.
            now: the time.
        """
        old = self._old(busy, now)
        folded, folded_idle = self.state.covered
        left = [run_id for run_id in idle if run_id in journals]
        needless = set(left[: max(0, len(folded_idle) - _IDLE_KEPT)])
        unknown = journals.difference(folded, folded_idle)
        never_begun = {
            run_id
            for run_id in unknown
            if first_entry(journal_path(self._directory, run_id), self._disk) is None
        }
        for run_id in sorted((old | needless | never_begun) & journals):
            path = journal_path(self._directory, run_id)
            with state_errors("remove", path):
                self._disk.remove(path)

    def _old(self, run_ids: Sequence[str], now: datetime) -> set[str]:
        """Return the runs that were kept long enough.

        Their age is counted from run to run, back from now: a step back in time, or of more than a
        year, is a clock that was wrong and adds nothing, so such runs take no history away.

        Args:
            run_ids: in the order of the runs.
            now: the time.
        """
        kept = timedelta(days=min(self._keep_days, _FOR_GOOD))
        longest = max(kept, _LONGEST_PAUSE)
        age, later, old = timedelta(0), now, set()
        for run_id in reversed(run_ids):
            began = began_at(run_id)
            if later < began < later + _CLOCK_SET:
                began = later
            if later - began <= longest:
                age += max(later - began, timedelta(0))
            later = began
            if age > kept:
                old.add(run_id)
        return old


class DrySession(Session):
    """The session of a dry run, which needs no lock: what is noted in it is remembered nowhere.

    It takes no intent, so that nothing can be written to Plex.
    """

    def begin(self, **_about: object) -> None:
        """Begin a run of which nothing is written down."""

    def note(self, entry: Result | SceneKept | DecisionEntry) -> None:
        """Let go of it."""

    def remember(self, scene_id: SceneId, record: SceneRecord) -> None:
        """Keep it for the rest of the run only."""
        self.planned[scene_id] = record

    def forget(self, scene_id: SceneId) -> None:
        """Take it as forgotten for the rest of the run only."""
        self.planned[scene_id] = None

    def decide(self, key: str, value: msgspec.Struct | None) -> None:
        """Let go of it."""

    def commit(self) -> None:
        """Return: nothing is noted."""

    def end(self, finished_at: datetime, how: End) -> None:
        """End the run."""


def _raw(value: msgspec.Struct) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(value))
