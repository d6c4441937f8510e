"""What the journals tell of past runs: who ran when, and what each one meant to write and did."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ConfigError, MismatchError, StateCorruptError
from plexsync.storage.checkpoint import RunRecord
from plexsync.storage.filesystem import DISK, Filesystem
from plexsync.storage.intents import planned_item, unpack_plan
from plexsync.storage.journal import (
    UNREADABLE,
    Begin,
    End,
    Intent,
    Result,
    RunKind,
    Settlement,
    first_entry,
    is_run_id,
    journal_path,
    journal_runs,
    last_entry,
    read_journal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.models import ItemPlan, PlexField, Problem, RatingKey

LAST = "last"
"""Names the newest run that wrote something and is no undo."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """One item a run meant to write. `status` is None when the run ended before it could say.

    `missing` are the fields of a failed one that Plex did not show afterwards; `partly` what it
    showed of lists among them of which a part was written; `made` which collection was made.
    """

    seq: int
    plan: ItemPlan
    status: Settlement | None = None
    problem: Problem | None = None
    missing: tuple[PlexField, ...] = ()
    partly: dict[PlexField, tuple[str, ...]] = msgspec.field(default_factory=dict)
    made: RatingKey | None = None


class RunLog(msgspec.Struct, frozen=True, kw_only=True):
    """A run with everything it meant to write, in order."""

    run: RunRecord
    serial: int
    written: tuple[Written, ...]


def read_history(
    directory: Path, *, limit: int | None = None, disk: Filesystem = DISK
) -> tuple[RunRecord, ...]:
    """Return the runs with a kept journal, the last one first, whatever the clock showed then.

    Args:
        directory: the state directory.
        limit: how many at most; None for all.
        disk: where to read.

    Raises:
        StateError: a journal cannot be read.
    """
    most = None if limit is None else min(limit, sys.maxsize)
    return tuple(islice(_newest_first(directory, disk), most))


def _newest_first(directory: Path, disk: Filesystem) -> Iterator[RunRecord]:
    paths = [journal_path(directory, run_id) for run_id in journal_runs(directory, disk)]
    begun = [(begin, path) for path in paths if (begin := first_entry(path, disk)) is not None]
    begun.sort(key=lambda one: one[0].serial, reverse=True)
    for begin, path in begun:
        yield _record_of(begin, path, disk)


def _record_of(begin: Begin, path: Path, disk: Filesystem) -> RunRecord:
    """Return a run by its first and last line, if these say all that is listed of it."""
    end = last_entry(path, disk)
    if end is not None and end.items is not None:
        return _record(begin, end, end.items)
    return _read_log(begin, path, disk).record()


def _record(begin: Begin, end: End | None, items: int) -> RunRecord:
    record = msgspec.structs.replace(RunRecord.begun(begin), written=items)
    return record if end is None else record.ended(end)


def read_run(directory: Path, run_id: str, *, disk: Filesystem = DISK) -> RunLog | None:
    """Everything one run meant to write, and what became of it; None when it left no journal.

    What only a later run found out is included.

    Raises:
        StateError: a journal cannot be read.
    """
    if not is_run_id(run_id) or run_id not in journal_runs(directory, disk):
        return None
    path = journal_path(directory, run_id)
    begin = first_entry(path, disk)
    if begin is None:
        return None
    log = _read_log(begin, path, disk)
    if log.is_open:
        _add_later_results(directory, log, disk)
    try:
        return log.run_log()
    except UNREADABLE as error:
        raise StateCorruptError(
            f"an intent is not what plexsync writes: {error}",
            context=str(path),
            hint="Restore the file from a backup; else plexsync undo cannot take that run back.",
        ) from error


def find_run(directory: Path, target: str, *, disk: Filesystem = DISK) -> RunLog:
    """Return the run a person names.

    Args:
        directory: the state directory.
        target: the id of a run, or `LAST`.
        disk: where to read.

    Raises:
        ConfigError: there is no such run.
        MismatchError: `LAST` was asked for, and no run wrote anything.
        StateError: a journal cannot be read.
    """
    run_id = _last(directory, disk) if target == LAST else target
    log = read_run(directory, run_id, disk=disk)
    if log is None:
        raise ConfigError(
            f"there is no run {run_id!r}",
            hint="plexsync history lists those that are kept; [run] keep_days says for how long",
        )
    return log


class _Log(msgspec.Struct):
    """What the entries of one journal add up to."""

    begin: Begin
    end: End | None = None
    plans: dict[int, msgspec.Raw] = {}
    results: dict[int, Result] = {}

    @property
    def is_open(self) -> bool:
        """Whether it does not say of each intent what became of it."""
        found = map(self.results.get, self.plans)
        return any(one is None or one.status is Settlement.UNKNOWN for one in found)

    def record(self) -> RunRecord:
        items = len({planned_item(plan) for plan in self.plans.values()})
        return _record(self.begin, self.end, items)

    def run_log(self) -> RunLog:
        return RunLog(
            run=self.record(),
            serial=self.begin.serial,
            written=tuple(
                _written(seq, plan, self.results.get(seq)) for seq, plan in self.plans.items()
            ),
        )


def _written(seq: int, plan: msgspec.Raw, result: Result | None) -> Written:
    ended = ("status", "problem", "missing", "partly", "made") if result else ()
    known = {name: getattr(result, name) for name in ended}
    return Written(seq=seq, plan=unpack_plan(plan), **known)


def _last(directory: Path, disk: Filesystem) -> str:
    """Return the last run that wrote something and is no undo."""
    for run in _newest_first(directory, disk):
        if run.written and run.kind is not RunKind.UNDO:
            return run.run_id
    raise MismatchError(
        "there is no run that wrote anything", hint="plexsync history lists all runs"
    )


def _read_log(begin: Begin, path: Path, disk: Filesystem) -> _Log:
    log = _Log(begin)
    for entry in read_journal(path, disk):
        if isinstance(entry, Intent):
            log.plans[entry.seq] = entry.plan
        elif isinstance(entry, Result) and not entry.run_id:
            log.results[entry.intent] = entry
        elif isinstance(entry, End):
            log.end = entry
    return log


def _add_later_results(directory: Path, log: _Log, disk: Filesystem) -> None:
    """Names sort by clock, which may have been set back, so every other journal is asked."""
    for run_id in journal_runs(directory, disk):
        if run_id == log.begin.run_id:
            continue
        for entry in read_journal(journal_path(directory, run_id), disk):
            if isinstance(entry, Result) and entry.run_id == log.begin.run_id:
                log.results[entry.intent] = entry
