"""What is remembered: read without writing, never a silent fresh start."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from plexsync.errors import (
    ExitCode,
    StateCorruptError,
    StateError,
    StateMismatchError,
    StateVersionError,
)
from plexsync.models import Outcome, RatingKey, RelatedId, SceneId
from plexsync.state import State, load_state
from plexsync.storage.checkpoint import (
    SCHEMA,
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from plexsync.storage.journal import DIRECTORY, Lineage, Result, Settlement
from plexsync.storage.scenes.rows import PREVIOUS_NAME, STATE_NAME
from plexsync.storage.session import Session
from tests.support.disk_faults import FaultyDisk, MemoryDisk, Strike
from tests.support.state_factories import LINEAGE, begin, end, make_plan, make_record, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = Path("/nowhere/state")
ONE, TWO, TEN = SceneId("1"), SceneId("2"), SceneId("10")


def do_run(directory: Path, number: int, *scenes: int, version: str = "v1") -> str:
    """A run that remembers `scenes` as handled at `version`; returns its id."""
    session = Session(directory)
    run_id = begin(session, number)
    for scene in scenes:
        session.remember(SceneId(str(scene)), make_record(scene, updated_at=version))
    end(session)
    return run_id


def three_runs(directory: Path) -> list[str]:
    """Three runs with something to remember; returns their ids."""
    return [do_run(directory, number, number, version=f"v{number}") for number in range(1, 4)]


def snapshot(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below with its modification time and content."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in [directory, *directory.rglob("*")]
    }


# ---- Loading -------------------------------------------------------------------------------------


def test_nothing_there_is_a_first_run_and_stays_nothing(tmp_path: Path) -> None:
    """Loading from a directory that does not exist gives a new state, and makes no directory."""
    state = load_state(tmp_path / "state")

    assert state.is_new
    assert (state.runs, state.unsettled, state.notes) == ((), (), ())
    assert (state.version(ONE), state.get(ONE), state.claims()) == ("", None, {})
    assert not (tmp_path / "state").exists()


def test_loading_writes_nothing(tmp_path: Path) -> None:
    """A dry run leaves every byte and every time in the directory as it was."""
    three_runs(tmp_path)
    session = Session(tmp_path)
    begin(session, 9)
    session.intend([make_plan(1)])
    before = snapshot(tmp_path)

    state = load_state(tmp_path)

    assert len(state.unsettled) == 1
    assert snapshot(tmp_path) == before


def test_loading_needs_no_operation_that_writes(tmp_path: Path) -> None:
    """On a disk that refuses every change, loading succeeds and asks for none."""
    three_runs(tmp_path)
    disk = FaultyDisk(MemoryDisk(), at=1, strike=Strike.READ_ONLY)
    for path in [*tmp_path.glob("*.json*"), *tmp_path.glob("journal/*")]:
        memory = disk.disk
        memory.write(memory.create(path), path.read_bytes())

    state = load_state(tmp_path, disk)

    assert state.version(SceneId("3")) == "v3"
    assert disk.operations == 0


def test_state_json_is_json_a_person_can_read(tmp_path: Path) -> None:
    """One scene a line, sorted as numbers, under the schema's name."""
    do_run(tmp_path, 1, 10, 1, 2)

    text = (tmp_path / STATE_NAME).read_text()
    content = json.loads(text)

    assert content["schema"] == SCHEMA == "plexsync/state/3"
    assert list(content["scenes"]) == ["1", "2", "10"]
    outcome, ((rating_key, _, folder, path, base),), version = content["scenes"]["2"]
    assert (content["outcomes"][outcome], rating_key, version) == ("applied", "9002", "v1")
    assert content["texts"][folder - 1] + path == "/media/2.mp4"
    assert dict(zip(content["fields"], base, strict=False)) == {"title": "ASNFZ4mrze8"}
    assert content["lineage"] == {"plex": LINEAGE.plex, "stash": LINEAGE.stash}
    assert [line[:5] for line in text.splitlines() if ": [0," in line] == [
        '"1": ',
        '"2": ',
        '"10":',
    ]


def test_claims_name_the_scene_with_the_lowest_id(tmp_path: Path) -> None:
    """Two scenes on one item is decided by number, not by the order of writing or of text."""
    session = Session(tmp_path)
    begin(session)
    for scene in (TEN, TWO):
        session.remember(scene, make_record(int(scene), rating_key="77"))
    session.remember(ONE, make_record(1, rating_key="78"))

    assert session.state.claims() == {RatingKey("77"): TWO, RatingKey("78"): ONE}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_waiting_names_what_is_left_to_do(tmp_path: Path, outcome: Outcome) -> None:
    """Failed, unmatched, skipped and reviewable scenes wait, the others do not; also reloaded."""
    session = Session(tmp_path)
    begin(session)
    session.remember(ONE, make_record(1, outcome=outcome))
    end(session)

    waits = outcome in {Outcome.FAILED, Outcome.UNMATCHED, Outcome.SKIPPED, Outcome.REVIEW}
    expected = [(ONE, make_record(1, outcome=outcome))] if waits else []
    assert list(session.state.waiting()) == expected
    assert list(load_state(tmp_path).waiting()) == expected


def test_waiting_scene_that_got_settled_or_forgotten_waits_no_more(tmp_path: Path) -> None:
    """The index follows every change."""
    session = Session(tmp_path)
    begin(session)
    session.remember(ONE, make_record(1, outcome=Outcome.FAILED))
    session.remember(TWO, make_record(2, outcome=Outcome.REVIEW))
    end(session)

    begin(session, 2)
    session.remember(ONE, make_record(1))
    session.forget(TWO)
    end(session)

    assert list(session.state.waiting()) == []
    assert list(load_state(tmp_path).waiting()) == []
    assert set(load_state(tmp_path).scene_ids()) == {ONE}


def test_unknown_write_stays_unsettled_until_settled(tmp_path: Path) -> None:
    """Through folding, reloading and further runs; a later run's word ends it."""
    session = Session(tmp_path)
    run_id = begin(session)
    lost, done = session.intend([make_plan(1), make_plan(2)])
    session.note(Result(lost, Settlement.UNKNOWN))
    session.note(Result(done, Settlement.APPLIED))
    session.remember(TWO, make_record(2))
    end(session)

    (unsettled,) = load_state(tmp_path).unsettled
    assert (unsettled.run_id, unsettled.seq, unsettled.plan) == (run_id, lost, make_plan(1))

    session = Session(tmp_path)
    begin(session, 2)
    session.note(Result(unsettled.seq, Settlement.SETTLED, run_id=unsettled.run_id))
    end(session)

    assert load_state(tmp_path).unsettled == ()


def test_full_sweep_and_watermark_are_remembered(tmp_path: Path) -> None:
    """A completed full sweep counts from its beginning; an ordinary run moves neither."""
    session = Session(tmp_path)
    begin(session, 1)
    end(session, full=True, newest="2026-11-21T10:00:00Z")
    begin(session, 2)
    end(session)

    state = load_state(tmp_path)
    assert state.checkpoint.last_full_at == state.runs[0].started_at == "2026-11-22T08:33:54Z"
    assert state.checkpoint.newest_updated_at == "2026-11-21T10:00:00Z"


def test_run_that_was_cut_off_shows_in_the_runs(tmp_path: Path) -> None:
    """It has no end, and the number of writes it intended."""
    session = Session(tmp_path)
    begin(session)
    session.intend([make_plan(1), make_plan(2)])

    (run,) = load_state(tmp_path).runs

    assert (run.exit_code, run.finished_at, run.written) == (None, "", 2)


# ---- Lineage -------------------------------------------------------------------------------------


def test_another_plex_server_is_an_error(tmp_path: Path) -> None:
    """Its rating keys mean other items: the way out is another directory."""
    do_run(tmp_path, 1, 1)

    with pytest.raises(StateMismatchError, match="plex-machine, but other answers") as caught:
        load_state(tmp_path).check_lineage(Lineage(plex="other", stash=LINEAGE.stash))

    assert "PLEXSYNC_STATE_DIR" in caught.value.hint
    assert caught.value.exit_code is ExitCode.LOCAL_FILES


def test_another_stash_database_is_only_reported(tmp_path: Path) -> None:
    """A moved database is no other library; scenes are recognised by their files."""
    do_run(tmp_path, 1, 1)
    state = load_state(tmp_path)

    assert state.check_lineage(LINEAGE) == ""
    assert "/other.sqlite" in state.check_lineage(Lineage(plex=LINEAGE.plex, stash="/other.sqlite"))


def test_new_state_fits_every_server(tmp_path: Path) -> None:
    """There is nothing yet that could belong to somebody else."""
    assert load_state(tmp_path).check_lineage(Lineage(plex="any", stash="any")) == ""


# ---- Damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[: len(content) // 2], "checksum does not fit"),
        (lambda content: json.dumps(json.loads(content)).encode(), "checksum does not fit"),
        (lambda content: content[:-1], "checksum does not fit"),
        (lambda content: content.replace(b'"9003"', b'"9004"'), "checksum does not fit"),
        (lambda content: content + b"\n", "checksum does not fit"),
        (lambda content: content.replace(b"sync/state", b"sync/st\xe1te"), "not whole JSON"),
        (lambda _: b"", "not whole JSON"),
        (lambda _: b"\0" * 500, "not whole JSON"),
        (lambda _: b"{}", "not whole JSON"),
        (lambda _: b'{"schema": "somebody/else/1"}', "no plexsync state"),
    ],
    ids=[
        "half",
        "reformatted",
        "last byte",
        "edited",
        "longer",
        "no text",
        "empty",
        "zeros",
        "bare",
        "foreign",
    ],
)
def test_damaged_state_stops_with_a_way_out(
    tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    """It is never read as a first run; the error says what to type, and exits with 9."""
    three_runs(tmp_path)
    path = tmp_path / STATE_NAME
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(StateCorruptError, match=message) as caught:
        load_state(tmp_path)

    assert caught.value.exit_code is ExitCode.LOCAL_FILES
    assert caught.value.context == str(path)
    assert f"cp -p '{path}.previous' '{path}'" in caught.value.hint


def test_the_way_out_of_a_damaged_state_loses_nothing(tmp_path: Path) -> None:
    """The previous copy, put back as the error says, and the journals hold it all."""
    three_runs(tmp_path)
    (tmp_path / STATE_NAME).write_bytes((tmp_path / PREVIOUS_NAME).read_bytes())

    state = load_state(tmp_path)

    assert [state.version(SceneId(str(number))) for number in (1, 2, 3)] == ["v1", "v2", "v3"]
    assert len(state.runs) == 3


def test_missing_state_is_read_from_the_previous_copy_and_reported(tmp_path: Path) -> None:
    """The instant between the two renames of a checkpoint looks like this, and loses nothing."""
    three_runs(tmp_path)
    (tmp_path / STATE_NAME).unlink()

    state = load_state(tmp_path)

    assert [state.version(SceneId(str(number))) for number in (1, 2, 3)] == ["v1", "v2", "v3"]
    assert [PREVIOUS_NAME in note for note in state.notes] == [True]


def test_damaged_previous_copy_stops_when_it_is_needed(tmp_path: Path) -> None:
    """With no whole copy left there is no guessing, and nothing to copy is named."""
    three_runs(tmp_path)
    (tmp_path / STATE_NAME).unlink()
    (tmp_path / PREVIOUS_NAME).write_bytes(b"{")

    with pytest.raises(StateCorruptError) as caught:
        load_state(tmp_path)

    assert "cp -p" not in caught.value.hint
    assert "Restore a backup" in caught.value.hint


def test_no_previous_copy_is_offered_that_is_not_there(tmp_path: Path) -> None:
    """The way out of a damaged first checkpoint is a backup, or a fresh start."""
    three_runs(tmp_path)
    (tmp_path / STATE_NAME).write_bytes(b"{")
    (tmp_path / PREVIOUS_NAME).unlink()

    with pytest.raises(StateCorruptError) as caught:
        load_state(tmp_path)

    assert PREVIOUS_NAME not in caught.value.hint
    assert f"move the whole directory '{tmp_path}' away" in caught.value.hint


def test_both_copies_gone_is_no_first_run(tmp_path: Path) -> None:
    """Journals that build on a lost state stop the run, which says how to start afresh."""
    first, *_ = three_runs(tmp_path)
    (tmp_path / STATE_NAME).unlink()
    (tmp_path / PREVIOUS_NAME).unlink()
    (tmp_path / DIRECTORY / f"{first}.jsonl").unlink()

    with pytest.raises(StateCorruptError, match=r"state\.json is missing, though") as caught:
        load_state(tmp_path)

    assert f"move the whole directory '{tmp_path}' away" in caught.value.hint


def test_complete_journals_are_as_good_as_a_state(tmp_path: Path) -> None:
    """From the first run on without a gap, they hold everything."""
    three_runs(tmp_path)
    (tmp_path / STATE_NAME).unlink()
    (tmp_path / PREVIOUS_NAME).unlink()

    state = load_state(tmp_path)

    assert [state.version(SceneId(str(number))) for number in (1, 2, 3)] == ["v1", "v2", "v3"]


def test_missing_journal_is_noticed(tmp_path: Path) -> None:
    """One that the state does not hold yet, while a later one is there."""
    _, second, _ = three_runs(tmp_path)
    (tmp_path / STATE_NAME).unlink()
    (tmp_path / PREVIOUS_NAME).unlink()
    (tmp_path / DIRECTORY / f"{second}.jsonl").unlink()

    with pytest.raises(StateCorruptError, match=r"is missing, though") as caught:
        load_state(tmp_path)

    assert "backup" in caught.value.hint


def test_journal_under_another_name_is_noticed(tmp_path: Path) -> None:
    """A copied journal would count twice."""
    _, _, third = three_runs(tmp_path)
    place = tmp_path / DIRECTORY
    (place / "20270101T000000Z-0000.jsonl").write_bytes((place / f"{third}.jsonl").read_bytes())

    with pytest.raises(StateCorruptError, match=f"journal of another run, {third}"):
        load_state(tmp_path)


def test_two_journals_of_one_number_are_noticed(tmp_path: Path) -> None:
    """As after running from a restored backup and putting newer journals back."""
    disk = MemoryDisk()
    for number in (1, 2):
        other = MemoryDisk()
        run_id = begin(Session(tmp_path, disk=other), number)
        path = tmp_path / DIRECTORY / f"{run_id}.jsonl"
        disk.write(disk.create(path), other.content()[path])

    with pytest.raises(StateCorruptError, match="two journals are of run number 1"):
        load_state(tmp_path, disk)


def test_clock_set_back_does_not_hide_a_run(tmp_path: Path) -> None:
    """Runs are counted, not ordered by the clock in their names."""
    do_run(tmp_path, 60, 1, version="v1")
    session = Session(tmp_path)
    begin(session, 5)
    session.remember(ONE, make_record(1, updated_at="v2"))
    session.commit()

    assert load_state(tmp_path).version(ONE) == "v2"


def test_clock_set_back_between_two_unfolded_runs_keeps_their_order() -> None:
    """The later run's word stands, though its name sorts first."""
    disk = MemoryDisk()
    for minute, version in ((60, "v1"), (5, "v2")):
        session = Session(PLACE, disk=disk)
        begin(session, minute)
        session.remember(ONE, make_record(1, updated_at=version))
        session.commit()

    assert load_state(PLACE, disk).version(ONE) == "v2"


def test_damaged_journal_of_a_folded_run_is_not_even_read(tmp_path: Path) -> None:
    """What it held is in the state; only history and undo need it."""
    first, *_ = three_runs(tmp_path)
    path = tmp_path / DIRECTORY / f"{first}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"begin", b"began", 1))

    assert len(load_state(tmp_path).scene_ids()) == 3


def test_newer_state_is_not_read(tmp_path: Path) -> None:
    """Whatever else it holds, it is not damaged: plexsync is too old."""
    (tmp_path / STATE_NAME).write_bytes(b'{"schema": "plexsync/state/4", "all": "different"}\n')

    with pytest.raises(StateVersionError, match="plexsync/state/4") as caught:
        load_state(tmp_path)

    assert "Update plexsync" in caught.value.hint
    assert caught.value.exit_code is ExitCode.LOCAL_FILES


@pytest.mark.parametrize(
    ("record", "place"),
    [
        (b"[0,[],true]", r"\$\[2\]"),
        (b'[99,[],"v"]', r"\$\[0\]"),
        (b'[0,[[]],"v"]', r"\$\[1\]\[0\]"),
        (b'[0,[],"v",0,[],"no digest"]', "stands for nothing"),
        (b'[0,[["1","1",7,"x.mp4"]],"v"]', "stands for nothing"),
        (b"[0,[],1790000000,7]", "stands for nothing"),
        (b'[0,[],"v",0,[7]]', "stands for nothing"),
    ],
    ids=["type", "outcome", "missing", "digest", "folder", "zone", "object"],
)
def test_record_that_is_none_is_named(tmp_path: Path, record: bytes, place: str) -> None:
    """A wrong record under a right checksum names the scene and the place in it."""
    keep_as_first(tmp_path / STATE_NAME, record)

    with pytest.raises(StateCorruptError, match=place) as caught:
        load_state(tmp_path).get(ONE)

    assert caught.value.context == f"{tmp_path / STATE_NAME} > scenes.1"


@pytest.mark.parametrize("row", [b'[0,[["1"', b'[99,[],"v"]', b'[0,[["\xff"]],"v"]'])
@pytest.mark.parametrize(
    "ask", [lambda state: list(state.standings()), lambda state: list(state.placings())]
)
def test_record_that_is_none_is_named_where_all_are_counted(
    tmp_path: Path, ask: Callable[[State], object], row: bytes
) -> None:
    """Also one that is no JSON at all, which has the records around it look damaged."""
    keep_as_first(tmp_path / STATE_NAME, row)

    with pytest.raises(StateCorruptError, match="not what plexsync writes") as caught:
        ask(load_state(tmp_path))

    assert caught.value.context == f"{tmp_path / STATE_NAME} > scenes.1"
    assert "Restore a backup; to start afresh" in caught.value.hint


def test_record_that_is_none_is_named_by_a_run_that_writes_all_rows(tmp_path: Path) -> None:
    """Which numbers all texts again once they are many; the file stays what it was."""
    path = tmp_path / STATE_NAME
    keep_as_first(path, b'[0,[["1","1",7,"x.mp4"]],"v"]', texts=b'"a","b","c","d",')
    before = path.read_bytes()

    with pytest.raises(StateCorruptError, match="stands for nothing") as caught:
        do_run(tmp_path, 2, 2, 10)

    assert caught.value.context == f"{path} > scenes.1"
    assert path.read_bytes() == before


@pytest.mark.parametrize("ask", [lambda state: state.get(ONE), lambda state: list(state.links())])
def test_shared_texts_that_are_none_are_named(
    tmp_path: Path, ask: Callable[[State], object]
) -> None:
    """Under a right checksum, too: they are decoded when the first row is, not while loading."""
    path = tmp_path / STATE_NAME
    write_checkpoint(path, Checkpoint(serial=1, rows=rows_of({ONE: make_record()})))
    body = b"".join(path.read_bytes().splitlines(keepends=True)[:-2])
    body = body.replace(b'"texts": [', b'"texts": [\n7')
    path.write_bytes(b'%b"checksum": "crc32:%08x"\n}\n' % (body, zlib.crc32(body)))

    with pytest.raises(StateCorruptError, match="not what plexsync writes") as caught:
        ask(load_state(tmp_path))

    assert caught.value.context == f"{path} > texts"
    assert "Restore a backup; to start afresh" in caught.value.hint


def keep_as_first(path: Path, row: bytes, *, texts: bytes = b"") -> None:
    """Make a state of one scene with any bytes as row, under a right checksum."""
    write_checkpoint(path, Checkpoint(serial=1, rows=rows_of({ONE: make_record()})))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[lines.index(b'"scenes": {\n') + 1] = b'"1": %b\n' % row
    body = b"".join(lines[:-2]).replace(b'"texts": [', b'"texts": [' + texts)
    path.write_bytes(b'%b"checksum": "crc32:%08x"\n}\n' % (body, zlib.crc32(body)))


def test_texts_that_no_row_has_any_more_go(tmp_path: Path) -> None:
    """Once there are twice as many as there were, however few rows are new; until then all stay."""
    everyone = ("1", "2", "3", "4", "5")
    noted = {1: [1], 2: [1, 2], 3: [3, 1], 4: [3, 1, 4], 5: [3, 1, 4, 5], 6: [6, 1]}
    for number, texts in noted.items():
        session = Session(tmp_path)
        begin(session, number)
        for scene in everyone if number == 1 else ("1",):
            record = make_record(updated_at=f"2026-11-2{number}T10:00:00+0{number}:00")
            session.remember(SceneId(scene), msgspec.structs.replace(record, links=()))
        end(session)
        kept = json.loads((tmp_path / STATE_NAME).read_bytes())["texts"]
        assert kept == [f"+0{one}:00" for one in texts]


def test_folders_with_a_space_are_no_objects(tmp_path: Path) -> None:
    """Shared texts are of all kinds, and what stands behind a space is no digest in each."""
    session = Session(tmp_path)
    begin(session)
    for scene, related in (("1", "t1"), ("2", "t2")):
        record = make_record()
        link = msgspec.structs.replace(record.links[0], path=f"/t1 of mine/{scene}.mp4")
        record = msgspec.structs.replace(record, links=(link,), related=related)
        session.remember(SceneId(scene), record)
    end(session)
    assert load_state(tmp_path).showing({RelatedId("t1")}) == {ONE}


def test_state_of_another_shape_is_named(tmp_path: Path) -> None:
    """A right checksum over something that is no checkpoint."""
    write_checkpoint(tmp_path / STATE_NAME, msgspec.structs.replace(Checkpoint(), serial="x"))

    with pytest.raises(StateCorruptError, match="does not hold a state"):
        load_state(tmp_path)


def test_unreadable_state_is_no_first_run(tmp_path: Path) -> None:
    """Whatever keeps the file from being read is reported as such."""
    (tmp_path / STATE_NAME).mkdir()

    with pytest.raises(StateError, match="cannot read: is a directory"):
        load_state(tmp_path)


def test_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    """Empty, it is read as it was written."""
    write_checkpoint(tmp_path / STATE_NAME, Checkpoint(serial=3))

    assert read_checkpoint(tmp_path / STATE_NAME) == Checkpoint(serial=3)


def test_state_knows_where_it_lives(tmp_path: Path) -> None:
    """Errors name the file even before there is one."""
    assert State(tmp_path / STATE_NAME).path == tmp_path / STATE_NAME
