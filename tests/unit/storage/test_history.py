"""What the journals tell of past runs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from plexsync.errors import StateCorruptError
from plexsync.models import Problem, SceneId
from plexsync.storage.history import LAST, Written, find_run, read_history, read_run
from plexsync.storage.journal import DIRECTORY, End, Result, Settlement, encode_line, read_journal
from plexsync.storage.session import Session
from tests.support.disk_faults import FaultyDisk, MemoryDisk
from tests.support.state_factories import NOW, begin, end, make_plan, make_record

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = Problem(kind="server", message="Plex answered 400")


def test_history_is_newest_first_and_stops_at_its_limit(tmp_path: Path) -> None:
    """Each run with its end and how much it wrote; one that was cut off has no end."""
    session = Session(tmp_path)
    first = begin(session, 1)
    session.intend([make_plan(1), make_plan(2)])
    end(session, full=True)
    second = begin(session, 2)

    runs = read_history(tmp_path)

    assert [run.run_id for run in runs] == [second, first]
    assert [(run.exit_code, run.written, run.full) for run in runs] == [
        (None, 0, False),
        (0, 2, True),
    ]
    assert [run.run_id for run in read_history(tmp_path, limit=1)] == [second]
    assert read_history(tmp_path, limit=0) == ()
    assert read_history(tmp_path, limit=10**20) == runs


def test_the_last_run_is_the_last_one_whatever_the_clock_showed(tmp_path: Path) -> None:
    """One of 2045 comes before those after it, in the list and for an undo of the last one."""
    for number, at in enumerate([NOW + timedelta(days=7000), NOW], 1):
        session = Session(tmp_path)
        run_id = begin(session, number, at=at)
        session.intend([make_plan(number)])
        end(session, at=at)

    assert read_history(tmp_path, limit=1)[0].run_id == run_id
    assert find_run(tmp_path, LAST).run.run_id == run_id


def test_an_item_with_words_and_a_poster_is_one_item_written(tmp_path: Path) -> None:
    """Both are intents of their own; who counts items counts it once."""
    session = Session(tmp_path)
    begin(session, 1)
    session.intend([make_plan(1), make_plan(2)])
    session.intend([make_plan(1, before="poster")])
    end(session)

    assert [run.written for run in read_history(tmp_path)] == [2]


def test_a_list_of_runs_reads_the_ends_of_a_journal_alone(tmp_path: Path) -> None:
    """What a run wrote is not read to say when it was, and what is wrong there spoils no list."""
    session = Session(tmp_path)
    begin(session, 1)
    for number in range(200):
        session.intend([make_plan(number)])
    end(session)
    listed = read_history(tmp_path)
    journal = next((tmp_path / DIRECTORY).iterdir())
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[100] = lines[100].replace(b"intent", b"INTENT")
    journal.write_bytes(b"".join(lines))
    assert read_history(tmp_path) == listed
    assert listed[0].written == 200
    with pytest.raises(StateCorruptError):
        read_run(tmp_path, listed[0].run_id)


def test_a_run_that_does_not_say_how_many_items_it_wrote_is_read(tmp_path: Path) -> None:
    """Journals of earlier versions end without that number, and so does a run that was killed."""
    session = Session(tmp_path)
    begin(session, 1)
    session.intend([make_plan(1), make_plan(2)])
    end(session)
    journal = next((tmp_path / DIRECTORY).iterdir())
    entries = list(read_journal(journal))
    older = [replace(one, items=None) if isinstance(one, End) else one for one in entries]
    journal.write_bytes(b"".join(map(encode_line, older)))
    assert [run.written for run in read_history(tmp_path)] == [2]
    journal.write_bytes(b"".join(map(encode_line, older[:-1])))
    assert [(run.written, run.exit_code) for run in read_history(tmp_path)] == [(2, None)]


def test_no_history_without_a_state(tmp_path: Path) -> None:
    """Nothing ran here, and nothing is made."""
    assert read_history(tmp_path / "state") == ()
    assert read_run(tmp_path / "state", "20261122T083254Z-3f9a") is None
    assert not (tmp_path / "state").exists()


def test_run_tells_each_intent_and_its_result(tmp_path: Path) -> None:
    """With values and problem, in the order of writing."""
    session = Session(tmp_path)
    run_id = begin(session)
    first, second, third = session.intend([make_plan(number) for number in (1, 2, 3)])
    session.note(Result(first, Settlement.APPLIED))
    session.note(Result(second, Settlement.FAILED, problem=REFUSED))
    session.remember(SceneId("1"), make_record(1))
    end(session)

    log = read_run(tmp_path, run_id)

    assert log is not None
    assert (log.serial, log.run.written) == (1, 3)
    assert log.written == (
        Written(seq=first, plan=make_plan(1), status=Settlement.APPLIED),
        Written(seq=second, plan=make_plan(2), status=Settlement.FAILED, problem=REFUSED),
        Written(seq=third, plan=make_plan(3)),
    )


def test_what_a_later_run_found_out_counts(tmp_path: Path) -> None:
    """The reply of a write was lost; the next run read Plex."""
    session = Session(tmp_path)
    run_id = begin(session, 1)
    (lost,) = session.intend([make_plan(1)])
    session.note(Result(lost, Settlement.UNKNOWN))
    end(session)
    begin(session, 2)
    open_one = session.state.unsettled[0]
    session.note(Result(open_one.seq, Settlement.APPLIED, run_id=open_one.run_id))
    end(session)

    log = read_run(tmp_path, run_id)

    assert log is not None
    assert [written.status for written in log.written] == [Settlement.APPLIED]


@pytest.mark.parametrize("run_id", ["last", "../state", "20261122T083354Z-ffff", ""])
def test_unknown_run_is_none(tmp_path: Path, run_id: str) -> None:
    """Whatever a person types, only journals are opened."""
    session = Session(tmp_path)
    begin(session)
    end(session)

    assert read_run(tmp_path, run_id) is None


def test_journal_without_a_beginning_is_no_run(tmp_path: Path) -> None:
    """Its run was cut off before it did anything."""
    (tmp_path / DIRECTORY).mkdir()
    (tmp_path / DIRECTORY / "20261122T083354Z-0001.jsonl").write_bytes(b"")

    assert read_history(tmp_path) == ()
    assert read_run(tmp_path, "20261122T083354Z-0001") is None


def test_reading_history_writes_nothing(tmp_path: Path) -> None:
    """No operation but reads."""
    memory = MemoryDisk()
    session = Session(tmp_path, disk=memory)
    run_id = begin(session)
    session.intend([make_plan(1)])
    disk = FaultyDisk(memory)

    read_history(tmp_path, disk=disk)
    read_run(tmp_path, run_id, disk=disk)

    assert disk.operations == 0
