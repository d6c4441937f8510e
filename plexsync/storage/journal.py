"""The write-ahead journal: what a run meant to do, did and learned, one checked line each.

A run appends to a file of its own, `journal/<run id>.jsonl`. Each line is a JSON object that starts
with the CRC-32 of the rest of the line. Lines go to disk in batches, each written and fsynced as
one; every line names the first line of its batch, and the last one closes it. A crash can only
harm the last batch, which was never reported as safe, so a reader drops it whole: a
batch counts entirely or not at all. A bad line that a later batch follows was safe once: that is
damage, and an error.
"""

import os
import re
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from plexsync.errors import StateCorruptError, StateError, StateVersionError
from plexsync.models import Counts, PlexField, Problem, RatingKey, Requests, SceneId
from plexsync.storage.filesystem import DISK, Filesystem, state_errors

SCHEMA = "plexsync/journal/3"
_READ = frozenset({SCHEMA, "plexsync/journal/2", "plexsync/journal/1"})
DIRECTORY = "journal"
SUFFIX = ".jsonl"

_TAIL_BYTES = 1 << 14
"""What the last line of a run that ended fits into many times."""

_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4,16}")
_OPENING = b'{"crc":"'
_CRC_END = len(_OPENING) + 8
_REST = _CRC_END + len(b'",')


# ---- What a journal says -------------------------------------------------------------------------


class RunKind(StrEnum):
    """What wrote a journal."""

    RUN = "run"
    APPLY = "apply"
    UNDO = "undo"
    REVIEW = "review"
    RETRY = "retry"


class Settlement(StrEnum):
    """What is known of an intent.

    APPLIED: Plex was seen to hold all of it. FAILED: it was not, see `Result.missing`. UNKNOWN: the
    reply was lost. SETTLED: found out later by reading Plex, whichever way it went.
    """

    APPLIED = "applied"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SETTLED = "settled"


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """Which servers a state belongs to: Plex's machine identifier and Stash's identity."""

    plex: str = ""
    stash: str = ""


class _Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One line. `seq` counts from 1 within the file; `batch` is the `seq` its batch starts at.

    Both are 0 until the entry is appended. `closes` marks the last line of a batch.
    """

    seq: int = 0
    batch: int = 0
    closes: bool = False


class Begin(_Entry, frozen=True, tag="begin"):
    """The first line. `serial` counts the runs of this state; the first one has 1."""

    schema: str
    run_id: str
    kind: RunKind
    serial: int
    started_at: str
    version: str
    lineage: Lineage = Lineage()


class Intent(_Entry, frozen=True, tag="intent"):
    """One item is about to be written; `plan` is its ItemPlan, see `intents.py`."""

    plan: msgspec.Raw


class Result(_Entry, frozen=True, tag="result"):
    """What became of an intent: line `intent` of this run, or of the earlier run `run_id`.

    `missing` are the fields of a failed one that Plex did not show; the others were written.
    `partly` holds, for a list among them of which a part was written, as much of it as Plex showed.
    `made` is the rating key of a collection the intent made.
    """

    intent: int
    status: Settlement = Settlement.APPLIED
    run_id: str = ""
    problem: Problem | None = None
    missing: tuple[PlexField, ...] = ()
    partly: dict[PlexField, tuple[str, ...]] = msgspec.field(default_factory=dict)
    made: RatingKey | None = None


class SceneKept(_Entry, frozen=True, tag="scene"):
    """What is remembered of a scene from here on, or null for nothing.

    `record` is a row, see `scenes/row.py`, or what an earlier version wrote, see
    `scenes/former.py`. `texts` are those numbers and texts in it that no line before has.
    """

    scene_id: SceneId
    record: msgspec.Raw
    texts: tuple[tuple[int, str], ...] = ()


class DecisionEntry(_Entry, frozen=True, tag="decision"):
    """What a person decided, under a key its owner chooses; null takes it back."""

    key: str
    value: msgspec.Raw


class End(_Entry, frozen=True, kw_only=True, tag="end"):
    """The last line of a run that came to its end. `full`: a full sweep was completed.

    `newest_updated_at` is the version text up to which all is handled; "" if that stays. `items` is
    how many items the run meant to write; None in journals that do not say. `by_library` is how
    many rows it wrote, by the title of their library.
    """

    finished_at: str = ""
    exit_code: int
    counts: Counts
    full: bool = False
    newest_updated_at: str = ""
    requests: Requests = Requests()
    items: int | None = None
    by_library: dict[str, int] = msgspec.field(default_factory=dict)


Entry = Begin | Intent | Result | SceneKept | DecisionEntry | End

E = TypeVar("E", bound=Entry)

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
"""What decoding raises; text that is no UTF-8 raises Python's own error."""

NULL = msgspec.Raw(b"null")
"""The record or value of an entry that takes one back."""

_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)


def is_run_id(text: str) -> bool:
    """Whether `text` has the form of `20261122T083254Z-3f9a`; nothing else is part of a path."""
    return _RUN_ID.fullmatch(text) is not None


def began_at(run_id: str) -> datetime:
    """Return when a run began, to the second, by the clock of that time."""
    return datetime.strptime(run_id[: len("20261122T083254Z")], "%Y%m%dT%H%M%SZ").replace(
        tzinfo=UTC
    )


def journal_path(directory: Path, run_id: str) -> Path:
    """Where the journal of a run is."""
    return directory / DIRECTORY / f"{run_id}{SUFFIX}"


def journal_runs(directory: Path, disk: Filesystem = DISK) -> tuple[str, ...]:
    """Return the ids of the runs that left a journal, in the order of their names.

    Raises:
        StateError: the directory cannot be read.
    """
    place = directory / DIRECTORY
    with state_errors("read", place):
        names = disk.names(place)
    return tuple(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))


# ---- Lines ---------------------------------------------------------------------------------------


def encode_line(entry: Entry) -> bytes:
    """Return the line that holds `entry`, newline included."""
    rest = _ENCODER.encode(entry)[1:]
    return b'%b%08x",%b\n' % (_OPENING, zlib.crc32(rest), rest)


def _sound(line: bytes) -> bool:
    """Whether `line` is complete and holds what was written."""
    rest = line[_REST:-1]
    return (
        line.startswith(_OPENING)
        and line.endswith(b"\n")
        and line[len(_OPENING) : _REST] == b'%08x",' % zlib.crc32(rest)
    )


# ---- Reading -------------------------------------------------------------------------------------


def read_journal(path: Path, disk: Filesystem = DISK) -> Generator[Entry, None, None]:
    """Yield the entries of one journal, without a last batch that a crash left incomplete.

    An entry comes only when its whole batch is known to be there.

    Raises:
        StateCorruptError: a line that was safely on disk is not what was written.
        StateVersionError: a newer plexsync wrote the journal.
        StateError: the file cannot be read.
    """
    with state_errors("read", path), disk.read(path) as stream:
        yield from _safe_entries(stream, path)


def first_entry(path: Path, disk: Filesystem = DISK) -> Begin | None:
    """Return the beginning of a journal; None when the run was cut off before it began."""
    with closing(read_journal(path, disk)) as entries:
        entry = next(entries, None)
    return entry if isinstance(entry, Begin) else None


def last_entry(path: Path, disk: Filesystem = DISK) -> End | None:
    """Return the end of a journal, if its last line is that; reads little else."""
    with state_errors("read", path), disk.read(path) as stream:
        size_bytes = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size_bytes - _TAIL_BYTES))
        _, _, line = stream.read().removesuffix(b"\n").rpartition(b"\n")
    line += b"\n"
    if not _sound(line):
        return None
    entry = _decode(line, path, 0)
    return entry if isinstance(entry, End) and entry.closes else None


def _safe_entries(stream: BinaryIO, path: Path) -> Iterator[Entry]:
    batch: list[Entry] = []
    expected = 1
    for line in stream:
        if not _sound(line):
            _require_unsafe(stream, path, expected)
            return
        entry = _decode(line, path, expected)
        if not _follows(entry, expected, batch):
            raise _damaged(path, expected)
        batch.append(entry)
        expected += 1
        if entry.closes:
            yield from batch
            batch.clear()


def _follows(entry: Entry, expected: int, batch: list[Entry]) -> bool:
    """Whether `entry` is the one that comes after the entries of `batch`."""
    return (
        entry.seq == expected
        and entry.batch == (batch[0].seq if batch else expected)
        and isinstance(entry, Begin) == (expected == 1)
    )


def _require_unsafe(stream: BinaryIO, path: Path, missing: int) -> None:
    """Raise unless every sound line after the bad one is of the batch the bad one was in."""
    for line in stream:
        if _sound(line) and _decode(line, path, missing).batch > missing:
            raise _damaged(path, missing)


def _decode(line: bytes, path: Path, number: int) -> Entry:
    try:
        entry = _DECODER.decode(line)
    except UNREADABLE as error:
        # The line is exactly what was written, so whoever wrote it knows more than we do.
        raise _newer(path, number) from error
    if isinstance(entry, Begin) and entry.schema not in _READ:
        raise _newer(path, number)
    return entry


def _damaged(path: Path, number: int) -> StateCorruptError:
    return StateCorruptError(
        f"line {number} is missing or not what was written",
        context=str(path),
        hint=(
            "Restore the file from a backup. Without one, move it away: what that run wrote can "
            "then not be undone, and plexsync says so if it needs the file to go on."
        ),
    )


def _newer(path: Path, number: int) -> StateVersionError:
    return StateVersionError(
        f"line {number} was written by a newer plexsync",
        context=str(path),
        hint="Update plexsync to at least the version that ran here last.",
    )


# ---- Writing -------------------------------------------------------------------------------------


class JournalWriter:
    """Appends to a new journal.

    After a failed write it refuses every further one: once an fsync has failed, nobody knows what
    the disk holds, so only the next run, which reads it, may go on.

    Args:
        path: the file to make; its directory must exist.
        disk: where to write.

    Raises:
        StateError: the file cannot be made, or is there already.
    """

    def __init__(self, path: Path, disk: Filesystem = DISK) -> None:
        self._path = path
        self._disk = disk
        self._entries: list[Entry] = []
        self._batch = 1
        self._next = 1
        self._size_bytes = 0
        self._failure: StateError | None = None
        with state_errors("create", path):
            self._handle: int | None = _create(disk, path)

    def append(self, entry: E) -> E:
        """Put `entry` at the end and return it with its number. It is safe after `commit`."""
        numbered = msgspec.structs.replace(entry, seq=self._next, batch=self._batch)
        self._entries.append(numbered)
        self._next += 1
        return numbered

    def commit(self) -> None:
        """Return when everything appended so far is safe on disk.

        Raises:
            StateError: it is not, and nothing will be any more.
        """
        if self._failure is not None:
            raise self._failure
        if not self._entries or self._handle is None:
            return
        content = _encode_batch(self._entries)
        try:
            with state_errors("write", self._path):
                self._disk.write(self._handle, content)
                self._disk.sync(self._handle)
        except BaseException as error:
            self._cut_back(self._handle, error)
            raise
        self._size_bytes += len(content)
        self._entries.clear()
        self._batch = self._next

    def close(self) -> None:
        """Commit, unless an earlier write failed, and let go of the file. May be repeated.

        Raises:
            StateError: the last batch could not be written.
        """
        if self._handle is None:
            return
        try:
            if self._failure is None:
                self.commit()
        finally:
            handle, self._handle = self._handle, None
            self._disk.close(handle)

    def _cut_back(self, handle: int, error: BaseException) -> None:
        """Leave just what was safe before, so that nothing is ever appended to half a line.

        An interruption, unlike a failing disk, may be followed by another try.
        """
        try:
            self._disk.truncate(handle, self._size_bytes)
        except OSError:
            self._failure = StateError("a write was cut short", context=str(self._path))
        if isinstance(error, StateError):
            self._failure = error


def _encode_batch(entries: list[Entry]) -> bytes:
    closing_entry = msgspec.structs.replace(entries[-1], closes=True)
    return b"".join(map(encode_line, [*entries[:-1], closing_entry]))


def _create(disk: Filesystem, path: Path) -> int:
    """Create the file so that its name survives a crash, or leave nothing behind."""
    handle = disk.create(path)
    try:
        disk.sync_directory(path.parent)
    except OSError:
        disk.close(handle)
        disk.remove(path)
        raise
    return handle
