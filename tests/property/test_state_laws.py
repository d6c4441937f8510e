"""Laws of the state: what is remembered is what is read, by whatever way it went to disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.errors import StateError
from plexsync.models import (
    Base,
    Confidence,
    Link,
    Outcome,
    PlexField,
    Problem,
    RatingKey,
    SceneId,
    SceneRecord,
    id_order,
)
from plexsync.state import load_state
from plexsync.storage.checkpoint import (
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from plexsync.storage.journal import (
    DIRECTORY,
    Intent,
    Result,
    Settlement,
    encode_line,
    read_journal,
)
from plexsync.storage.scenes.rows import STATE_NAME
from plexsync.storage.session import Session
from tests.support.disk_faults import MemoryDisk, dice
from tests.support.state_factories import NOW, begin, end, make_plan, rows_of

if TYPE_CHECKING:
    from plexsync.state import State
    from plexsync.storage.journal import Entry

PLACE = Path("/nowhere/state")

scene_ids = st.integers(1, 12).map(str).map(SceneId)
texts = st.text(max_size=12)
bases = st.dictionaries(
    st.sampled_from(PlexField), st.builds(Base, digest=texts, entries=texts), max_size=4
)
links = st.builds(
    Link,
    rating_key=st.integers(1, 20).map(str).map(RatingKey),
    section_id=st.sampled_from(["1", "2"]),
    path=texts,
    confidence=st.sampled_from(Confidence),
    base=bases,
)
records = st.builds(
    SceneRecord,
    updated_at=texts,
    outcome=st.sampled_from(Outcome),
    files=texts,
    desired=texts,
    links=st.lists(links, max_size=3).map(tuple),
    attempts=st.integers(0, 10),
    due_at=texts,
    problem=st.none() | st.builds(Problem, kind=texts, message=texts),
)
steps = st.one_of(
    st.tuples(st.just("remember"), scene_ids, records),
    st.tuples(st.just("forget"), scene_ids, st.none()),
    st.tuples(st.just("commit"), st.none(), st.none()),
    st.tuples(st.just("write"), st.integers(1, 9), st.sampled_from(Settlement) | st.none()),
    st.tuples(st.just("end"), st.none(), st.none()),
    st.tuples(st.just("restart"), st.none(), st.none()),
    st.tuples(st.just("checkpoint"), st.none(), st.none()),
)


class Machine:
    """A session that is ended, restarted and folded at will, and a plain model of its memory."""

    def __init__(self) -> None:
        self.disk = MemoryDisk()
        self.session = Session(PLACE, disk=self.disk)
        self.model: dict[SceneId, SceneRecord] = {}
        self.open = 0
        self.runs = 0
        self.begin()

    def begin(self) -> None:
        """The next run."""
        self.runs += 1
        begin(self.session, self.runs)

    def step(self, name: str, subject: object, value: object) -> None:
        """Do one of `steps`."""
        getattr(self, f"do_{name}")(subject, value)

    def do_remember(self, scene_id: SceneId, record: SceneRecord) -> None:
        """Remember a scene."""
        self.session.remember(scene_id, record)
        self.model[scene_id] = record

    def do_forget(self, scene_id: SceneId, _: None) -> None:
        """Forget one."""
        self.session.forget(scene_id)
        self.model.pop(scene_id, None)

    def do_commit(self, *_: None) -> None:
        """Make it safe."""
        self.session.commit()

    def do_write(self, number: int, status: Settlement | None) -> None:
        """Intend a write, and maybe learn what became of it."""
        (seq,) = self.session.intend([make_plan(number)])
        if status is not None:
            self.session.note(Result(seq, status))
        self.open += status in {None, Settlement.UNKNOWN}

    def do_end(self, *_: None) -> None:
        """End the run, folding or not, and begin another."""
        end(self.session)
        self.begin()

    def do_restart(self, *_: None) -> None:
        """The process is gone, its notes committed; another begins a run."""
        self.session.close()
        self.session = Session(PLACE, disk=self.disk)
        self.begin()

    def do_checkpoint(self, *_: None) -> None:
        """Fold everything, then go on."""
        end(self.session)
        self.session.checkpoint(now=NOW)
        self.begin()


def contents(state: State) -> dict[SceneId, SceneRecord | None]:
    """Every record, decoded."""
    return {scene_id: state.get(scene_id) for scene_id in state.scene_ids()}


@given(script=st.lists(steps, max_size=30))
@settings(max_examples=60, deadline=None)
def test_what_is_remembered_is_what_is_read(script: list[tuple[str, object, object]]) -> None:
    """A load equals the model and the session, whatever was folded, ended or restarted before."""
    machine = Machine()
    for name, subject, value in script:
        machine.step(name, subject, value)
    machine.session.commit()

    loaded = load_state(PLACE, machine.disk)

    assert contents(loaded) == contents(machine.session.state) == machine.model
    assert len(loaded.unsettled) == machine.open
    assert loaded.unsettled == machine.session.state.unsettled
    assert loaded.runs == machine.session.state.runs
    assert list(loaded.waiting()) == list(machine.session.state.waiting())
    assert loaded.claims() == machine.session.state.claims()
    assert loaded.checkpoint.serial == machine.runs


@given(script=st.lists(steps, max_size=30), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_power_cut_takes_nothing_that_was_committed(
    script: list[tuple[str, object, object]], seed: int
) -> None:
    """After any power cut the load equals the model as of the last commit."""
    machine = Machine()
    for name, subject, value in script:
        machine.step(name, subject, value)
    machine.session.commit()
    committed = dict(machine.model)
    machine.session.remember(SceneId("99"), SceneRecord(updated_at="", outcome=Outcome.FAILED))

    survivor = machine.disk.after_power_cut(dice(seed))

    assert contents(load_state(PLACE, survivor)) == committed


@given(script=st.lists(steps, max_size=20))
@settings(max_examples=40, deadline=None)
def test_previous_copy_and_journals_hold_as_much(
    script: list[tuple[str, object, object]],
) -> None:
    """With `state.json` gone, a load gives the same."""
    machine = Machine()
    for name, subject, value in script:
        machine.step(name, subject, value)
    machine.session.commit()
    whole = load_state(PLACE, machine.disk)
    if STATE_NAME in machine.disk.names(PLACE):
        machine.disk.remove(PLACE / STATE_NAME)

    rest = load_state(PLACE, machine.disk)

    assert contents(rest) == contents(whole)
    assert rest.unsettled == whole.unsettled
    assert rest.runs == whole.runs


@given(scenes=st.dictionaries(scene_ids, records))
@settings(max_examples=60, deadline=None)
def test_checkpoint_round_trip(scenes: dict[SceneId, SceneRecord]) -> None:
    """What is written is read, each row the bytes it was noted with, in the order of ids."""
    disk, rows = MemoryDisk(), rows_of(scenes)
    noted = dict(rows)

    write_checkpoint(PLACE / STATE_NAME, Checkpoint(serial=1, rows=rows), disk)

    loaded = read_checkpoint(PLACE / STATE_NAME, disk)
    assert loaded is not None
    assert {key: loaded.rows.record(key) for key in loaded.rows} == scenes
    assert dict(loaded.rows) == noted
    assert list(loaded.rows) == sorted(scenes, key=id_order)
    write_checkpoint(PLACE / STATE_NAME, loaded, again := MemoryDisk())
    assert again.content() == disk.content()


@given(
    scenes=st.dictionaries(scene_ids, records, min_size=1),
    place=st.integers(0),
    bit=st.integers(0, 7),
)
@settings(max_examples=60, deadline=None)
def test_any_changed_bit_of_a_checkpoint_is_found(
    scenes: dict[SceneId, SceneRecord], place: int, bit: int
) -> None:
    """No single bit can change without an error of the state tree."""
    disk = MemoryDisk()
    write_checkpoint(PLACE / STATE_NAME, Checkpoint(serial=1, rows=rows_of(scenes)), disk)
    content = bytearray(disk.content()[PLACE / STATE_NAME])
    content[place % len(content)] ^= 1 << bit
    damaged = MemoryDisk()
    damaged.write(damaged.create(PLACE / STATE_NAME), bytes(content))

    with pytest.raises(StateError):
        read_checkpoint(PLACE / STATE_NAME, damaged)


@given(plans=st.lists(st.text(max_size=40), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_journal_lines_round_trip(plans: list[str]) -> None:
    """Whatever text is in them, lines come back one by one."""
    disk = MemoryDisk()
    session = Session(PLACE, disk=disk)
    run_id = begin(session)
    session.intend([make_plan(1, before=text) for text in plans])

    entries: list[Entry] = list(read_journal(PLACE / DIRECTORY / f"{run_id}.jsonl", disk))

    assert (
        b"".join(map(encode_line, entries)) == disk.content()[PLACE / DIRECTORY / f"{run_id}.jsonl"]
    )
    assert [entry.seq for entry in entries if isinstance(entry, Intent)] == list(
        range(2, len(plans) + 2)
    )


@given(ids=st.lists(st.integers(0, 10**6), unique=True))
def test_ids_sort_as_numbers(ids: list[int]) -> None:
    """Decimal text without leading zeros, sorted by length first, is sorted by value."""
    assert sorted(map(str, ids), key=id_order) == [str(number) for number in sorted(ids)]
