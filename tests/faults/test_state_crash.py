"""Crashes at every disk operation: nothing that was promised is lost, nothing is written twice.

The servers are two dictionaries: what each scene wants its item to say, and what the item says.
`synchronise` is the smallest honest user of the state: settle what is unsettled by reading, write
where needed, intent first, remember after.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import StateCorruptError, StateError
from plexsync.models import SceneId
from plexsync.state import load_state
from plexsync.storage.journal import DIRECTORY, Result, Settlement
from plexsync.storage.scenes.rows import PREVIOUS_NAME, STATE_NAME
from plexsync.storage.session import Session, open_session
from tests.support.disk_faults import FaultyDisk, Killed, MemoryDisk, Strike, dice
from tests.support.state_factories import NOW, begin, end, make_plan, make_record

if TYPE_CHECKING:
    from plexsync.state import State
    from plexsync.storage.filesystem import Filesystem

PLACE = Path("/nowhere/state")
SCENES = 5
BATCH = 2


class World:
    """Plex, and how often each item was written."""

    def __init__(self) -> None:
        self.items: dict[int, str] = {}
        self.writes: list[tuple[int, str]] = []

    def write(self, number: int, value: str) -> None:
        """What a PUT does."""
        self.items[number] = value
        self.writes.append((number, value))


def synchronise(session: Session, world: World, wanted: str, run: int) -> None:
    """One run that makes every item say `wanted`."""
    begin(session, run)
    for unsettled in session.state.unsettled:
        session.note(Result(unsettled.seq, Settlement.SETTLED, run_id=unsettled.run_id))
    due = [
        number
        for number in range(1, SCENES + 1)
        if session.state.version(SceneId(str(number))) != wanted
    ]
    for start in range(0, len(due), BATCH):
        _write_batch(session, world, due[start : start + BATCH], wanted)
    end(session, newest=wanted)


def _write_batch(session: Session, world: World, batch: list[int], wanted: str) -> None:
    stale = [number for number in batch if world.items.get(number) != wanted]
    plans = [
        make_plan(number, before=world.items.get(number, ""), after=wanted) for number in stale
    ]
    for number, seq in zip(stale, session.intend(plans), strict=True):
        world.write(number, wanted)
        session.note(Result(seq, Settlement.APPLIED))
    for number in batch:
        session.remember(SceneId(str(number)), make_record(number, updated_at=wanted))
    session.commit()


def run_until_struck(
    disk: MemoryDisk, world: World, at: int, strike: Strike, *, wanted: str = "v2", run: int = 3
) -> FaultyDisk:
    """A run over `disk` that `strike` ends at operation `at`."""
    faulty = FaultyDisk(disk, at=at, strike=strike)
    with suppress(Killed, StateError):
        synchronise(Session(PLACE, disk=faulty), world, wanted, run)
    return faulty


def two_runs_done() -> tuple[MemoryDisk, World]:
    """A library that was synchronised twice, so that there is a previous copy."""
    disk, world = MemoryDisk(), World()
    synchronise(Session(PLACE, disk=disk), world, "v0", 1)
    synchronise(Session(PLACE, disk=disk), world, "v1", 2)
    world.writes.clear()
    return disk, world


def operations_of_a_run() -> int:
    """How many operations a run has that nothing happens to."""
    disk, world = two_runs_done()
    return run_until_struck(disk, world, 0, Strike.KILL).operations


OPERATIONS = range(1, operations_of_a_run() + 1)


def known(state: State, wanted: str) -> set[int]:
    """The items the state can account for: remembered as `wanted`, or an intent of it is open."""
    remembered = {int(scene) for scene in state.scene_ids() if state.version(scene) == wanted}
    intended = {
        int(unsettled.plan.scene_id)
        for unsettled in state.unsettled
        if unsettled.plan.changes[0].after == wanted
    }
    return remembered | intended


def assert_recovers(disk: Filesystem, world: World) -> None:
    """Every write is accounted for; the next run ends it, writing nothing twice; then is peace."""
    before = load_state(PLACE, disk)
    assert {number for number, _ in world.writes} <= known(before, "v2")
    assert set(before.scene_ids()) == {SceneId(str(number)) for number in range(1, SCENES + 1)}

    synchronise(Session(PLACE, disk=disk), world, "v2", 4)

    assert sorted(world.writes) == [(number, "v2") for number in range(1, SCENES + 1)]
    assert known(load_state(PLACE, disk), "v2") == set(range(1, SCENES + 1))
    assert load_state(PLACE, disk).unsettled == ()

    synchronise(Session(PLACE, disk=disk), world, "v2", 5)

    assert len(world.writes) == SCENES


@pytest.mark.parametrize("strike", [Strike.KILL, Strike.KILL_AFTER])
@pytest.mark.parametrize("at", OPERATIONS)
def test_kill_at_any_operation_loses_nothing(at: int, strike: Strike) -> None:
    """The system keeps what a killed process wrote, be it half a batch; the next run goes on."""
    disk, world = two_runs_done()

    run_until_struck(disk, world, at, strike)

    assert_recovers(disk, world)


@pytest.mark.parametrize("strike", [Strike.KILL, Strike.KILL_AFTER])
@pytest.mark.parametrize("at", OPERATIONS)
def test_power_cut_at_any_operation_loses_nothing(at: int, strike: Strike) -> None:
    """What was not synced may be gone, cut short or zeros; what was promised is there."""
    for seed in range(25):
        disk, world = two_runs_done()

        run_until_struck(disk, world, at, strike)

        assert_recovers(disk.after_power_cut(dice(seed)), world)


@pytest.mark.parametrize("seed", range(20))
def test_crash_after_crash_converges(seed: int) -> None:
    """However many runs in a row lose power, the one that does not ends the work."""
    random = dice(seed)
    disk, world = two_runs_done()

    for run in range(10, 16):
        run_until_struck(disk, world, random.choice(OPERATIONS), Strike.KILL, run=run)
        disk = disk.after_power_cut(random)
    synchronise(Session(PLACE, disk=disk), world, "v2", 20)

    assert sorted(world.writes) == [(number, "v2") for number in range(1, SCENES + 1)]
    assert load_state(PLACE, disk).unsettled == ()


@pytest.mark.parametrize("seed", range(20))
def test_first_run_may_lose_power_too(seed: int) -> None:
    """With nothing there before, the journal alone carries what was done."""
    random = dice(seed)
    disk, world = MemoryDisk(), World()

    run_until_struck(disk, world, random.choice(OPERATIONS), Strike.KILL, wanted="v2", run=1)
    disk = disk.after_power_cut(random)
    synchronise(Session(PLACE, disk=disk), world, "v2", 2)

    assert sorted(world.writes) == [(number, "v2") for number in range(1, SCENES + 1)]


@pytest.mark.parametrize("strike", [Strike.FULL, Strike.READ_ONLY])
@pytest.mark.parametrize("at", OPERATIONS)
def test_full_disk_at_any_operation_stops_and_loses_nothing(at: int, strike: Strike) -> None:
    """The run ends with a StateError that says what to do; the state can be read as it was."""
    disk, world = two_runs_done()
    faulty = FaultyDisk(disk, at=at, strike=strike)

    with pytest.raises(StateError) as caught:
        synchronise(Session(PLACE, disk=faulty), world, "v2", 3)

    assert caught.value.exit_code == 9
    assert str(PLACE) in caught.value.context
    assert caught.value.hint
    assert_recovers(disk, world)


@pytest.mark.parametrize("at", OPERATIONS)
def test_full_disk_leaves_no_litter(at: int) -> None:
    """A draft that could not be finished is removed at once."""
    disk, world = two_runs_done()

    run_until_struck(disk, world, at, Strike.FULL)

    assert {path.name for path in disk.content() if path.parent == PLACE} <= {
        STATE_NAME,
        PREVIOUS_NAME,
    }


def test_no_write_without_its_intent_on_disk() -> None:
    """At the moment of a write, a load of what is synced already knows the value it replaces."""
    disk, world = two_runs_done()
    session = Session(PLACE, disk=disk)
    begin(session, 3)

    (seq,) = session.intend([make_plan(1, before=world.items[1], after="v2")])

    for seed in range(10):
        state = load_state(PLACE, disk.after_power_cut(dice(seed)))
        (unsettled,) = state.unsettled
        assert unsettled.seq == seq
        assert unsettled.plan.changes[0].before == "v1"


def journal_of_three_batches() -> tuple[MemoryDisk, Path]:
    """A run that was cut off after its beginning, two intents, and two results with scenes."""
    disk = MemoryDisk()
    session = Session(PLACE, disk=disk)
    run_id = begin(session)
    for seq in session.intend([make_plan(1), make_plan(2)]):
        session.note(Result(seq, Settlement.APPLIED))
    session.remember(SceneId("1"), make_record(1))
    session.remember(SceneId("2"), make_record(2))
    session.commit()
    return disk, PLACE / DIRECTORY / f"{run_id}.jsonl"


def disk_with(path: Path, content: bytes) -> MemoryDisk:
    """A disk with just this file."""
    disk = MemoryDisk()
    disk.write(disk.create(path), content)
    return disk


def test_journal_cut_off_at_any_byte_loads() -> None:
    """Whatever is left of a journal's end, it loads, and each batch counts wholly or not at all."""
    disk, path = journal_of_three_batches()
    content = disk.content()[path]

    for size_bytes in range(len(content) + 1):
        state = load_state(PLACE, disk_with(path, content[:size_bytes]))

        batches = [end for end in (1, 3, 7) if content[:size_bytes].count(b"\n") >= end]
        assert len(state.unsettled) == (2 if batches == [1, 3] else 0)
        assert len(state.scene_ids()) == (2 if batches == [1, 3, 7] else 0)


def test_any_changed_byte_of_a_safe_batch_is_found() -> None:
    """No byte before the last batch can change without an error that names file and line."""
    disk, path = journal_of_three_batches()
    content = disk.content()[path]
    lines = content.splitlines(keepends=True)
    safe = sum(map(len, lines[:3]))

    for place in range(safe):
        damaged = bytearray(content)
        damaged[place] ^= 0x01
        with pytest.raises(StateCorruptError) as caught:
            load_state(PLACE, disk_with(path, bytes(damaged)))
        line = content[:place].count(b"\n") + 1
        assert f"line {line} " in caught.value.message
        assert caught.value.context == str(path)


CHILD = """
import sys
from pathlib import Path
from plexsync.storage.filesystem import DISK
from plexsync.storage.session import open_session
from tests.support.disk_faults import FaultyDisk, Strike
from tests.faults.test_state_crash import World, synchronise
from tests.support.state_factories import NOW

class LoggedWorld(World):
    def write(self, number, value):
        super().write(number, value)
        print(number, value, flush=True)

disk = FaultyDisk(DISK, at=int(sys.argv[2]), strike=Strike.SIGKILL)
with open_session(Path(sys.argv[1]), now=NOW, disk=disk) as session:
    synchronise(session, LoggedWorld(), "v2", 3)
"""


@pytest.mark.parametrize("at", [3, 7, 11, 16, 19])
def test_sigkill_frees_the_lock_and_loses_nothing(tmp_path: Path, at: int) -> None:
    """A process killed for real leaves a lock the next one takes, and a state it goes on from."""
    killed = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), str(at)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert killed.returncode == -9, killed.stderr
    world = World()
    for line in killed.stdout.splitlines():
        number, value = line.split()
        world.write(int(number), value)
    assert {number for number, _ in world.writes} <= known(load_state(tmp_path), "v2")

    with open_session(tmp_path, now=NOW) as session:
        synchronise(session, world, "v2", 4)

    assert sorted(world.writes) == [(number, "v2") for number in range(1, SCENES + 1)]
