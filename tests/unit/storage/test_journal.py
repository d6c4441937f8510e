"""The journal: lines anybody can read, batches that count wholly or not at all, damage is found."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from plexsync.app.failures import make_run_id
from plexsync.errors import StateCorruptError, StateError, StateVersionError
from plexsync.models import SceneId
from plexsync.storage.filesystem import DISK
from plexsync.storage.journal import (
    NULL,
    SCHEMA,
    Begin,
    Entry,
    Intent,
    JournalWriter,
    Lineage,
    Result,
    RunKind,
    SceneKept,
    Settlement,
    encode_line,
    first_entry,
    is_run_id,
    read_journal,
)
from tests.support.disk_faults import FaultyDisk, MemoryDisk, Strike

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = Path("/nowhere/journal/20261122T083254Z-3f9a.jsonl")
BEGIN = Begin(
    schema=SCHEMA,
    run_id=PATH.stem,
    kind=RunKind.RUN,
    serial=1,
    started_at="2026-11-22T08:32:54Z",
    version="0.1.0",
    lineage=Lineage(plex="p", stash="s"),
)
INTENT = Intent(plan=msgspec.Raw(b'{"scene_id":"1"}'))
RESULT = Result(intent=2, status=Settlement.APPLIED)
FORGOTTEN = SceneKept(scene_id=SceneId("1"), record=NULL)


def written(*batches: list[Entry]) -> MemoryDisk:
    """A disk with a journal of these batches."""
    disk = MemoryDisk()
    writer = JournalWriter(PATH, disk)
    for batch in batches:
        for entry in batch:
            writer.append(entry)
        writer.commit()
    writer.close()
    return disk


def lines_of(disk: MemoryDisk) -> list[bytes]:
    """The lines of the journal, newlines included."""
    return disk.content()[PATH].splitlines(keepends=True)


def read_lines(lines: list[bytes]) -> list[Entry]:
    """What a journal of these lines reads as."""
    disk = MemoryDisk()
    disk.write(disk.create(PATH), b"".join(lines))
    return list(read_journal(PATH, disk))


def test_entries_come_back_numbered_and_in_order() -> None:
    """What was appended is read; numbers count on, batches name their first line."""
    disk = written([BEGIN], [INTENT, INTENT], [RESULT, FORGOTTEN])

    entries = list(read_journal(PATH, disk))

    assert [type(entry) for entry in entries] == [Begin, Intent, Intent, Result, SceneKept]
    assert [(entry.seq, entry.batch) for entry in entries] == [
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 4),
        (5, 4),
    ]
    assert [entry.closes for entry in entries] == [True, False, True, False, True]


def test_a_line_is_json_and_its_checksum_can_be_recomputed() -> None:
    """`jq` reads it; the CRC-32 is of everything after the checksum itself."""
    (line,) = lines_of(written([BEGIN]))

    content = json.loads(line)
    _, _, rest = line.rstrip(b"\n").partition(b'",')
    assert content["type"] == "begin"
    assert content["lineage"] == {"plex": "p", "stash": "s"}
    assert content["crc"] == f"{zlib.crc32(rest):08x}"


def test_empty_commit_costs_nothing() -> None:
    """Without news there is neither a write nor an fsync."""
    disk = FaultyDisk(MemoryDisk())
    writer = JournalWriter(PATH, disk)
    writer.append(BEGIN)
    writer.commit()
    operations = disk.operations

    writer.commit()
    writer.close()

    assert disk.operations == operations


def test_a_batch_costs_one_write_and_one_fsync() -> None:
    """However many intents are in it."""
    disk = FaultyDisk(MemoryDisk())
    writer = JournalWriter(PATH, disk)
    operations = disk.operations

    writer.append(BEGIN)
    for _ in range(100):
        writer.append(INTENT)
    writer.commit()

    assert disk.operations == operations + 2


@pytest.mark.parametrize("at", [3, 4], ids=["write", "fsync"])
def test_after_a_failed_write_nothing_is_appended_any_more(at: int) -> None:
    """What was safe stays, the rest is cut off, and every further commit fails the same way."""
    disk = MemoryDisk()
    writer = JournalWriter(PATH, FaultyDisk(disk, at=at, strike=Strike.FULL))
    writer.append(BEGIN)

    with pytest.raises(StateError, match="no space left") as first:
        writer.commit()
    with pytest.raises(StateError) as second:
        writer.commit()
    writer.close()

    assert second.value is first.value
    assert disk.content()[PATH] == b""


class InterruptedDisk(MemoryDisk):
    """A signal handler raises half-way through the second write."""

    writes = 0

    def write(self, handle: int, content: bytes) -> None:
        """See `MemoryDisk`."""
        self.writes += 1
        if self.writes == 2:
            super().write(handle, content[: len(content) // 2])
            raise KeyboardInterrupt
        super().write(handle, content)


def test_interrupted_write_can_be_repeated() -> None:
    """Half a line is cut off first, so that the second try is not appended to it."""
    disk = InterruptedDisk()
    writer = JournalWriter(PATH, disk)
    writer.append(BEGIN)
    writer.commit()
    writer.append(INTENT)
    with pytest.raises(KeyboardInterrupt):
        writer.commit()

    writer.append(RESULT)
    writer.close()

    assert [type(entry) for entry in read_journal(PATH, disk)] == [Begin, Intent, Result]


class StuckDisk(InterruptedDisk):
    """Nothing can be cut off either."""

    def truncate(self, handle: int, size_bytes: int) -> None:
        """See `MemoryDisk`."""
        del handle, size_bytes
        raise OSError


def test_interrupted_write_that_cannot_be_cut_off_is_the_last() -> None:
    """Rather no more notes than notes behind half a line."""
    disk = StuckDisk()
    writer = JournalWriter(PATH, disk)
    writer.append(BEGIN)
    writer.commit()
    writer.append(INTENT)
    with pytest.raises(KeyboardInterrupt):
        writer.commit()

    with pytest.raises(StateError, match="cut short"):
        writer.commit()

    assert [type(entry) for entry in read_journal(PATH, disk)] == [Begin]


def test_journal_that_is_there_is_not_overwritten() -> None:
    """A run id used twice is an error."""
    disk = written([BEGIN])

    with pytest.raises(StateError, match="file exists"):
        JournalWriter(PATH, disk)

    assert len(lines_of(disk)) == 1


def test_a_journal_is_not_left_behind_if_its_name_cannot_be_made_durable() -> None:
    """A failed fsync of the directory removes the empty file again."""
    disk = MemoryDisk()

    with pytest.raises(StateError):
        JournalWriter(PATH, FaultyDisk(disk, at=2, strike=Strike.FULL))

    assert disk.content() == {}


@pytest.mark.parametrize("tail", [b"", b"{", b"\0" * 300, b"\0" * 300 + b"\n", b"garbage\n"])
def test_unsafe_end_is_dropped_with_its_whole_batch(tail: bytes) -> None:
    """Of a batch that a crash left incomplete nothing counts, not even its whole lines."""
    lines = lines_of(written([BEGIN], [INTENT, INTENT, INTENT]))

    entries = read_lines([*lines[:3], tail])

    assert [type(entry) for entry in entries] == [Begin]


def test_hole_in_the_unsafe_batch_is_dropped_too() -> None:
    """Pages may reach the disk in any order: a later line of the same batch proves nothing."""
    lines = lines_of(written([BEGIN], [INTENT, INTENT, INTENT]))

    entries = read_lines([lines[0], b"\0" * len(lines[1]), *lines[2:]])

    assert [type(entry) for entry in entries] == [Begin]


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (lambda lines: [lines[0], lines[1].replace(b"1", b"2", 1), *lines[2:]], 2),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: [lines[0], lines[0], *lines[1:]], 2),
        (lambda lines: [lines[0], lines[2], lines[1], lines[3]], 2),
        (lambda lines: [*lines, lines[-1]], 5),
        (lambda lines: lines[1:], 1),
    ],
    ids=["byte", "line gone", "line twice", "lines swapped", "last line twice", "beginning gone"],
)
def test_damage_before_the_end_is_an_error_with_its_line(
    edit: Callable[[list[bytes]], list[bytes]], line: int
) -> None:
    """What was safe once and is not what was written stops the run, naming file and line."""
    lines = lines_of(written([BEGIN], [INTENT], [RESULT], [FORGOTTEN]))

    with pytest.raises(StateCorruptError, match=f"line {line} is missing or not") as caught:
        read_lines(edit(lines))

    assert caught.value.context == str(PATH)
    assert "backup" in caught.value.hint
    assert caught.value.exit_code == 9


@pytest.mark.parametrize(
    "line",
    [
        encode_line(msgspec.structs.replace(BEGIN, schema="plexsync/journal/4", seq=1, batch=1)),
        b'{"crc":"%08x",%b\n' % (zlib.crc32(rest := b'"type":"poem","seq":1}'), rest),
    ],
    ids=["schema", "entry type"],
)
def test_journal_of_a_newer_plexsync_is_not_read(line: bytes) -> None:
    """A sound line that cannot be understood was written by somebody who knows more."""
    with pytest.raises(StateVersionError, match="newer plexsync") as caught:
        read_lines([line])

    assert "Update plexsync" in caught.value.hint


def test_first_entry_reads_no_further(tmp_path: Path) -> None:
    """A journal's beginning is had without its thousands of lines; none has none."""
    (line,) = lines_of(written([BEGIN]))
    path = tmp_path / PATH.name
    path.write_bytes(line + b"garbage\n")

    begin = first_entry(path, DISK)

    assert begin is not None
    assert begin.run_id == PATH.stem


def test_empty_journal_has_no_beginning(tmp_path: Path) -> None:
    """A run that was cut off before it began left nothing that counts."""
    path = tmp_path / PATH.name
    path.write_bytes(b"")

    assert first_entry(path, DISK) is None


def test_run_ids_sort_by_time() -> None:
    """The name says when, to the second, in UTC."""
    early = make_run_id(datetime(2026, 11, 22, 8, 32, 54, tzinfo=UTC))

    assert early.startswith("20261122T083254Z-")
    assert is_run_id(early)
    assert early < make_run_id(datetime(2026, 11, 22, 8, 32, 55, tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["", "last", "../20261122T083254Z-3f9a", "20261122T083254Z-3F9A", "20261122T083254Z"]
)
def test_nothing_else_is_a_run_id(text: str) -> None:
    """What is not exactly of the form never becomes part of a path."""
    assert is_run_id("20261122T083254Z-3f9a")
    assert not is_run_id(text)
