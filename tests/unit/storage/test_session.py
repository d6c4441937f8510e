"""A real run's hold on the state: what it costs on disk, what it keeps, what it lets go of."""

from __future__ import annotations

import zlib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from plexsync.errors import StateError, StateLockedError
from plexsync.models import Counts, SceneId
from plexsync.state import load_state
from plexsync.storage.checkpoint import Checkpoint, write_checkpoint
from plexsync.storage.journal import (
    DIRECTORY,
    Begin,
    End,
    RunKind,
    SceneKept,
    journal_runs,
    read_journal,
)
from plexsync.storage.scenes.rows import STATE_NAME
from plexsync.storage.session import Session, open_session
from tests.support.disk_faults import FaultyDisk, MemoryDisk, Strike
from tests.support.state_factories import LINEAGE, NOW, begin, end, make_plan, make_record, rows_of

PLACE = Path("/nowhere/state")
ONE = SceneId("1")


class Pin(msgspec.Struct, frozen=True):
    """Stands for what a person may decide."""

    rating_key: str


def library(scenes: int) -> MemoryDisk:
    """A disk with a state of so many scenes, as an earlier run left it."""
    disk = MemoryDisk()
    records = {SceneId(str(number)): make_record() for number in range(1, scenes + 1)}
    checkpoint = Checkpoint(serial=1, rows=rows_of(records))
    write_checkpoint(PLACE / STATE_NAME, checkpoint, disk)
    return disk


def be_interrupted(directory: Path) -> None:
    """A run that a signal ends after it noted something."""
    with open_session(directory, now=NOW) as session:
        begin(session)
        session.remember(ONE, make_record())
        raise KeyboardInterrupt


def run_that_changes(disk: MemoryDisk, changes: int) -> None:
    """A run after which so many scenes are remembered differently."""
    session = Session(PLACE, disk=disk)
    begin(session)
    for number in range(1, changes + 1):
        session.remember(SceneId(str(number)), make_record(number, updated_at="later"))
    end(session)


# ---- What a run may do ---------------------------------------------------------------------------


def test_first_session_makes_what_it_needs(tmp_path: Path) -> None:
    """The directory comes with the lock, the rest with the run."""
    directory = tmp_path / "deep" / "state"

    with open_session(directory, now=NOW) as session:
        begin(session)
        session.remember(ONE, make_record())
        end(session)

    assert {path.name for path in directory.iterdir()} == {STATE_NAME, "lock", DIRECTORY}
    assert load_state(directory).get(ONE) == make_record()


def test_second_session_is_refused(tmp_path: Path) -> None:
    """Not even this process may write twice at once."""
    with (
        open_session(tmp_path, now=NOW),
        pytest.raises(StateLockedError),
        open_session(tmp_path, now=NOW),
    ):
        pytest.fail("two sessions write")


def test_session_that_ends_in_an_error_keeps_what_was_noted(tmp_path: Path) -> None:
    """An interrupted run loses nothing it had noted, and frees the lock."""
    with pytest.raises(KeyboardInterrupt):
        be_interrupted(tmp_path)

    with open_session(tmp_path, now=NOW) as session:
        assert session.state.get(ONE) == make_record()


def test_directory_that_cannot_be_made_is_a_state_error(tmp_path: Path) -> None:
    """With the place in the error."""
    (tmp_path / "file").write_bytes(b"")

    with (
        pytest.raises(StateError, match="cannot create: not a directory"),
        open_session(tmp_path / "file" / "state", now=NOW),
    ):
        pytest.fail("a session without a directory")


def test_memory_and_reload_agree_at_every_commit(tmp_path: Path) -> None:
    """What the session remembers is what the next run will."""
    session = Session(tmp_path)
    begin(session)
    session.remember(ONE, make_record())
    session.decide("pin/1", Pin(rating_key="77"))
    session.commit()

    reloaded = load_state(tmp_path)

    assert reloaded.get(ONE) == session.state.get(ONE) == make_record()
    assert reloaded.decision("pin/1", Pin) == Pin(rating_key="77")
    assert set(reloaded.decision_keys()) == {"pin/1"}


def test_decision_can_be_taken_back(tmp_path: Path) -> None:
    """Through a checkpoint as well."""
    session = Session(tmp_path)
    begin(session, 1)
    session.decide("pin/1", Pin(rating_key="77"))
    end(session)
    begin(session, 2)
    session.decide("pin/1", None)
    end(session)

    assert session.state.decision("pin/1", Pin) is None
    assert load_state(tmp_path).decision("pin/1", Pin) is None


def test_nothing_but_a_run_id_names_a_journal(tmp_path: Path) -> None:
    """It becomes part of a path."""
    session = Session(tmp_path)

    with pytest.raises(ValueError, match="not a run id"):
        session.begin(run_id="../x", kind=RunKind.RUN, started_at="", lineage=LINEAGE, version="0")


def test_notes_need_a_run_and_runs_do_not_overlap(tmp_path: Path) -> None:
    """Both are mistakes of the caller, reported as such."""
    session = Session(tmp_path)
    with pytest.raises(RuntimeError, match="no run has begun"):
        session.remember(ONE, make_record())

    begin(session, 1)

    with pytest.raises(RuntimeError, match="a run is under way"):
        begin(session, 2)
    with pytest.raises(RuntimeError, match="a run is under way"):
        session.checkpoint(now=NOW)


def test_failed_intent_is_not_in_memory_either(tmp_path: Path) -> None:
    """A failed write leaves the memory as it was."""
    disk = FaultyDisk(MemoryDisk())
    session = Session(tmp_path, disk=disk)
    begin(session)
    disk.at, disk.strike = disk.operations + 1, Strike.FULL

    with pytest.raises(StateError):
        session.intend([make_plan(1)])

    assert session.state.unsettled == ()


# ---- What a run costs ----------------------------------------------------------------------------


def test_remembering_the_same_writes_nothing() -> None:
    """A scene that was looked at and is as it was costs no line; nor does forgetting nothing."""
    disk = library(3)
    session = Session(PLACE, disk=disk)
    run_id = begin(session)

    session.remember(ONE, make_record())
    session.forget(SceneId("99"))
    end(session)

    entries = read_journal(PLACE / DIRECTORY / f"{run_id}.jsonl", disk)
    assert [type(entry) for entry in entries] == [Begin, End]


def test_run_without_news_does_not_rewrite_the_state() -> None:
    """It costs its two lines, and is seen as the last run all the same."""
    disk = library(3)
    before = disk.content()[PLACE / STATE_NAME]

    run_that_changes(disk, 0)

    assert disk.content()[PLACE / STATE_NAME] == before
    assert load_state(PLACE, disk).runs[-1].exit_code == 0


@pytest.mark.parametrize(
    ("scenes", "changes", "folded"),
    [
        (100, 1, True),
        (10_000, 1, False),
        (20_000, 199, False),
        (20_000, 200, True),
    ],
    ids=["one of a hundred", "one of many", "below one percent", "one percent"],
)
def test_state_is_rewritten_only_when_worth_it(scenes: int, changes: int, folded: bool) -> None:
    """A handful of scenes of a big library stay in the journal, and are remembered from there."""
    disk = library(scenes)
    before = disk.content()[PLACE / STATE_NAME]

    run_that_changes(disk, changes)

    assert (disk.content()[PLACE / STATE_NAME] != before) is folded
    assert load_state(PLACE, disk).version(SceneId(str(changes))) == "later"


def test_run_without_news_after_one_that_was_folded_rewrites_nothing() -> None:
    """What is in the state already counts no more, in the same process either."""
    disk = library(3)
    session = Session(PLACE, disk=disk)
    begin(session, 1)
    session.remember(ONE, make_record(1, updated_at="later"))
    end(session)
    before = disk.content()[PLACE / STATE_NAME]

    begin(session, 2)
    end(session)

    assert disk.content()[PLACE / STATE_NAME] == before


def test_changes_of_several_runs_add_up() -> None:
    """Two runs of half a percent each are worth a rewrite together, also across processes."""
    disk = library(20_000)
    before = disk.content()[PLACE / STATE_NAME]
    session = Session(PLACE, disk=disk)
    begin(session, 1)
    for number in range(1, 101):
        session.remember(SceneId(str(number)), make_record(number, updated_at="later"))
    end(session)
    assert disk.content()[PLACE / STATE_NAME] == before

    session = Session(PLACE, disk=disk)
    begin(session, 2)
    for number in range(101, 201):
        session.remember(SceneId(str(number)), make_record(number, updated_at="later"))
    end(session)

    assert disk.content()[PLACE / STATE_NAME] != before


# ---- What is let go of ---------------------------------------------------------------------------


def test_empty_runs_leave_twenty_journals_at_most_beyond_the_unfolded() -> None:
    """Cron finds nothing to do all day: the directory stays small, and the runs are listed."""
    disk = library(3)

    for number in range(1, 300):
        session = Session(PLACE, disk=disk)
        begin(session, number)
        end(session)

    # Fifty runs are folded at a time; the previous copy needs those of the last two times.
    assert len(journal_runs(PLACE, disk)) <= 20 + 50 + 50
    assert len(load_state(PLACE, disk).runs) >= 50


def test_previous_copy_keeps_the_empty_journals_it_needs() -> None:
    """Runs are counted without a gap, so an empty one it lacks is needed as well."""
    disk = library(3)
    for number in range(1, 152):
        session = Session(PLACE, disk=disk)
        begin(session, number)
        end(session)
    disk.remove(PLACE / STATE_NAME)

    assert load_state(PLACE, disk).checkpoint.serial == 152


def test_journals_with_writes_are_kept_their_time() -> None:
    """History and undo reach back `keep_days`; older ones go, once nothing needs them."""
    disk = MemoryDisk()
    for number, age_days in enumerate([91, 90, 1, 0], 1):
        session = Session(PLACE, disk=disk, keep_days=90)
        at = NOW - timedelta(days=age_days)
        begin(session, number, at=at)
        session.remember(ONE, make_record(1, updated_at=f"v{number}"))
        end(session, at=at)

    session = Session(PLACE, disk=disk, keep_days=90)
    session.checkpoint(now=NOW)

    assert [run_id[:8] for run_id in journal_runs(PLACE, disk)] == [
        "20260824",
        "20261121",
        "20261122",
    ]
    assert load_state(PLACE, disk).version(ONE) == "v4"


def test_who_knows_no_configuration_takes_no_history_away() -> None:
    """A retry or an answer in a review does not know how long history is to be kept."""
    disk = MemoryDisk()
    for number, age_days in enumerate([300, 200, 100, 0], 1):
        session = Session(PLACE, disk=disk)
        at = NOW - timedelta(days=age_days)
        begin(session, number, at=at)
        session.remember(ONE, make_record(1, updated_at=f"v{number}"))
        end(session, at=at)

    Session(PLACE, disk=disk).checkpoint(now=NOW)

    assert len(journal_runs(PLACE, disk)) == 4


@pytest.mark.parametrize("off", [timedelta(days=7000), timedelta(days=-9000)])
def test_a_clock_that_was_wrong_takes_no_history_away(off: timedelta) -> None:
    """Runs of 2045, or of 2002, neither make the others old nor are old themselves."""
    disk = MemoryDisk()
    moments = [NOW - timedelta(days=1), NOW, NOW + off, NOW + off + timedelta(days=1), NOW, NOW]
    for number, at in enumerate(moments, 1):
        session = Session(PLACE, disk=disk, keep_days=90)
        begin(session, number, at=at)
        session.remember(ONE, make_record(1, updated_at=f"v{number}"))
        end(session, at=at)

    assert len(journal_runs(PLACE, disk)) == len(moments)


def test_previous_copy_keeps_the_journals_it_needs() -> None:
    """However old they are: with `state.json` gone, nothing is."""
    disk = MemoryDisk()
    long_ago = NOW - timedelta(days=1000)
    for number in (1, 2, 3):
        session = Session(PLACE, disk=disk, keep_days=1)
        begin(session, number, at=long_ago)
        session.remember(SceneId(str(number)), make_record(number))
        session.end(NOW, End(exit_code=0, counts=Counts()))
    disk.remove(PLACE / STATE_NAME)

    state = load_state(PLACE, disk)

    assert set(state.scene_ids()) == {"1", "2", "3"}


def test_journal_of_a_run_that_never_began_is_cleared_away() -> None:
    """Its file was made, and then the power went."""
    disk = library(3)
    disk.create(PLACE / DIRECTORY / "20261101T000000Z-0000.jsonl")

    run_that_changes(disk, 1)

    assert len(journal_runs(PLACE, disk)) == 1


def test_forgotten_scene_is_gone_from_the_journal_on() -> None:
    """A line with null takes it out."""
    disk = library(20_000)
    session = Session(PLACE, disk=disk)
    run_id = begin(session)
    session.forget(ONE)
    end(session)

    _, forgotten, _ = read_journal(PLACE / DIRECTORY / f"{run_id}.jsonl", disk)
    assert isinstance(forgotten, SceneKept)
    assert load_state(PLACE, disk).get(ONE) is None


def test_the_next_run_writes_a_state_of_objects_as_rows(tmp_path: Path) -> None:
    """Once, even if nothing happened, so that not every run makes rows of them."""
    body = b'{\n"schema": "plexsync/state/1",\n"serial": 1,\n"scenes": {"1": %b},\n' % (
        msgspec.json.encode(make_record())
    )
    seal = b'"checksum": "crc32:%08x"\n}\n' % zlib.crc32(body)
    (tmp_path / STATE_NAME).write_bytes(body + seal)
    for number, folds in ((2, True), (3, False)):
        before = (tmp_path / STATE_NAME).read_bytes()
        session = Session(tmp_path)
        begin(session, number)
        end(session)
        assert ((tmp_path / STATE_NAME).read_bytes() != before) is folds
        assert load_state(tmp_path).get(ONE) == make_record()
    assert b'"plexsync/state/3"' in (tmp_path / STATE_NAME).read_bytes()
