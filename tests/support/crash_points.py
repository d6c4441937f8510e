"""Scenarios of crashes, and the sweep that forks at each of their points.

A point is a place (a disk operation, a request) together with what the disk holds after the crash:
all that was written, only what was synced, or that and a random part of the rest. The copy that
dies there recovers, is compared with the same scenario without a crash, takes everything back, and
is compared with that again. At a few places a process is killed for real besides, and what it
leaves is compared with what the sweep believes it leaves.
"""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from plexsync.errors import ExitCode
from plexsync.models import RunSummary
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import Killed, MemoryDisk, dice
from tests.support.one_process import OneProcess, in_fork
from tests.support.real_kills import Remains, believed, killed_at, on_disk

if TYPE_CHECKING:
    from random import Random

    from plexsync.simulators.http.wire import SimRequest
    from plexsync.simulators.plex.build import Snapshot

Step = Callable[[OneProcess], object]

GOOD = {ExitCode.OK, ExitCode.STALE}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One command that may end at any point.

    Args:
        name: for messages.
        make: both servers as they are before anything, in a directory of their own.
        before: what happened before the command.
        command: what may end at any point.
        finish: what the person does then; at last a run.
    """

    name: str
    make: Callable[[], OneProcess]
    before: tuple[Step, ...]
    command: Step
    finish: tuple[Step, ...]

    def ready(self) -> OneProcess:
        """Everything up to the command."""
        stage = self.make()
        # What is the same in every copy is worked out once: parsed queries, decoders.
        stage.run(RunOptions(dry_run=True))
        for step in self.before:
            do(stage, step)
        gc.collect()
        gc.freeze()
        return stage


IMAGES: Mapping[str, Callable[[MemoryDisk, Random], MemoryDisk]] = {
    "all writes": lambda disk, _: disk.after_kill(),
    "synced only": lambda disk, _: disk.after_hard_cut(),
    "torn": lambda disk, random: disk.after_power_cut(random),
    "torn otherwise": lambda disk, random: disk.after_power_cut(random),
}
"""What the disk may hold when the power is back."""


@dataclass(frozen=True, slots=True)
class Crash:
    """One crash: in which scenario, what is left, and what it has to come to."""

    scenario: Scenario
    image: str
    random: Random
    expected: tuple[Snapshot, Snapshot]


@dataclass(slots=True)
class Sweep:
    """What came of a sweep."""

    points: int = 0
    checked: int = 0
    killed: int = 0
    violations: list[str] = field(default_factory=list)


def do(stage: OneProcess, step: Step) -> None:
    """One step that must end well."""
    done = step(stage)
    if isinstance(done, RunSummary):
        assert done.exit_code in GOOD, done


def sweep(
    scenario: Scenario, *, seed: int, most: int, kills: int = 0, until_found: bool = False
) -> Sweep:
    """Fork at points of a scenario.

    Args:
        scenario: what happens.
        seed: of which points, of what the disk loses, and of second crashes.
        most: how many points, if there are so many.
        kills: at how many places a process is killed for real, too.
        until_found: fork no more after the first violation.
    """
    stage = scenario.ready()
    try:
        expected: tuple[Snapshot, Snapshot]
        copy = forked(partial(without_crash, stage, scenario))
        places, expected, asked = pickle.loads(copy)  # noqa: S301 - our own copy wrote it
        # No copy has to parse what another one asked.
        for request in asked:
            stage.stash.handle(request)
        points = range(1, places * len(IMAGES) + 1)
        chosen = frozenset(dice(seed).sample(points, min(most, len(points))))
        sweeping = _Sweeping(stage, scenario, expected, seed)
        for place in dice(seed).sample(range(1, places + 1), min(kills, places)):
            sweeping.kill_at(place)
        return sweeping.fork_at(chosen, until_found=until_found)
    finally:
        stage.clean()


class _Sweeping:
    """One sweep over the points of a scenario.

    Args:
        stage: ready for the command.
        scenario: what happens.
        expected: what Plex shows in the end, and when all was taken back.
        seed: see `sweep`.
    """

    def __init__(
        self, stage: OneProcess, scenario: Scenario, expected: tuple[Snapshot, Snapshot], seed: int
    ) -> None:
        self._stage = stage
        self._scenario = scenario
        self._expected = expected
        self._seed = seed
        self._left: dict[int, Remains] = {}
        self._found = Sweep()
        self._place = 0

    def kill_at(self, place: int) -> None:
        """Kill a process for real at the `place`-th place, and see what a next run comes to."""
        work = partial(killed_for_real, self._stage, self._scenario, self._expected, place)
        good, printed = in_fork(work)
        self._found.killed += 1
        if good:
            self._left[place] = pickle.loads(printed)  # noqa: S301 - our own copy wrote it
        else:
            self._note(f"killed for real at place {place}", printed.decode())

    def fork_at(self, chosen: Collection[int], *, until_found: bool) -> Sweep:
        """Do the command, and fork at each of the chosen points."""

        def come_to(name: str) -> None:
            self._place += 1
            if (left := self._left.get(self._place)) and left != (
                believed_here := believed(self._stage)
            ):
                self._note(f"place {self._place}, {name}", f"{left} instead of {believed_here}")
            for image in IMAGES:
                self._found.points += 1
                ended = until_found and self._found.violations
                if self._found.points in chosen and not ended:
                    self._fork(name, image)

        self._stage.hit = come_to
        do(self._stage, self._scenario.command)
        return self._found

    def _fork(self, name: str, image: str) -> None:
        """Let a copy die here, with this left of the disk."""
        point = self._found.points
        self._found.checked += 1
        crash = Crash(self._scenario, image, dice(self._seed * 1_000_003 + point), self._expected)
        good, printed = in_fork(partial(check, self._stage, crash))
        if not good:
            self._note(f"point {point}, {name}, {image}", printed.decode())

    def _note(self, where: str, what: str) -> None:
        self._found.violations.append(f"{self._scenario.name}: {where}, seed {self._seed}\n{what}")


def forked(work: Callable[[], bytes]) -> bytes:
    """What `work` returns, done in a copy of this process."""
    good, printed = in_fork(work)
    assert good, printed.decode()
    return printed


def without_crash(stage: OneProcess, scenario: Scenario) -> bytes:
    """How many places there are, what Plex shows in the end and when all was taken back.

    And what Stash was asked, each query once.
    """
    stage.keep_cache()
    places: list[str] = []
    asked: dict[bytes, SimRequest] = {}
    stage.stash_wire.on_request = lambda request: asked.update({request.body: request})
    stage.hit = places.append
    do(stage, scenario.command)
    stage.hit = lambda _: None
    ends = ending(stage, scenario, quietly=True)
    return pickle.dumps((len(places), ends, tuple(asked.values())))


def ending(stage: OneProcess, scenario: Scenario, *, quietly: bool) -> tuple[Snapshot, Snapshot]:
    """Finish, look, hold that nothing is left to do, take everything back, look again."""
    stage.pass_time(hours=1)
    for step in scenario.finish:
        do(stage, step)
    after = stage.shown()
    if quietly:
        quiet = stage.run()
        assert quiet.exit_code == ExitCode.OK, quiet
        assert quiet.requests.plex_writes == 0, "a run with nothing new writes"
    stage.undo_everything()
    stage.clean()
    return after, stage.shown()


def check(stage: OneProcess, crash: Crash) -> None:
    """Crash here, perhaps once more in the recovery, recover, and compare."""
    stage.crash(IMAGES[crash.image](stage.memory, crash.random))
    if crash.random.randrange(4) == 0:
        crash_again(stage, crash)
    compare(ending(stage, crash.scenario, quietly=crash.random.randrange(3) == 0), crash.expected)
    assert stage.plex.misdeeds.total == 0


def killed_for_real(
    stage: OneProcess, scenario: Scenario, expected: tuple[Snapshot, Snapshot], place: int
) -> bytes:
    """Kill a process at a place, recover on the real disk, and compare; what the process left."""
    with on_disk(stage):
        left = killed_at(stage, scenario.command, place)
        compare(ending(stage, scenario, quietly=True), expected)
    return pickle.dumps(left)


def compare(found: tuple[Snapshot, Snapshot], expected: tuple[Snapshot, Snapshot]) -> None:
    """Hold that a scenario ended as it does without a crash, and was taken back as it is then."""
    for one, other in zip(found, expected, strict=True):
        assert one == other, difference(one, other)


def crash_again(stage: OneProcess, crash: Crash) -> None:
    """Let the first step of the recovery end at some point, too."""
    left = crash.random.randrange(60)

    def strike(_: str) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Killed

    stage.pass_time(hours=1)
    stage.hit = strike
    with suppress(Killed):
        crash.scenario.finish[0](stage)
    stage.crash(IMAGES[crash.image](stage.memory, crash.random))


def difference(found: Snapshot, expected: Snapshot) -> str:
    """Where two snapshots differ."""
    return "\n".join(_differences(found, expected))


def _differences(found: Snapshot, expected: Snapshot) -> Iterator[str]:
    for key in sorted(found.keys() | expected.keys()):
        here, there = found.get(key), expected.get(key)
        if here == there:
            continue
        names = set(here or ()) | set(there or ())
        for name in sorted(names):
            one, other = dict(here or {}).get(name), dict(there or {}).get(name)
            if one != other:
                yield f"item {key}, {name}: {one!r} instead of {other!r}"
