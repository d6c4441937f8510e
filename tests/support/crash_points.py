"""Scenarios of crashes, and the sweep that forks at each of their points.

A point is a place (a disk operation, a request) together with what the disk holds after the crash:
all that was written, only what was synced, or that and a random part of the rest. The copy that
dies there recovers, is compared with the same scenario without a crash, takes everything back, and
is compared with that again.
"""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from plexsync.errors import ExitCode
from plexsync.models import RunSummary
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import Killed, MemoryDisk, dice
from tests.support.one_process import OneProcess, in_fork

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
    violations: list[str] = field(default_factory=list)


def do(stage: OneProcess, step: Step) -> None:
    """One step that must end well."""
    done = step(stage)
    if isinstance(done, RunSummary):
        assert done.exit_code in GOOD, done


def sweep(scenario: Scenario, *, seed: int, most: int) -> Sweep:
    """Fork at points of a scenario.

    Args:
        scenario: what happens.
        seed: of which points, of what the disk loses, and of second crashes.
        most: how many points, if there are so many.
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
        return _forking(stage, scenario, expected, chosen, seed)
    finally:
        stage.clean()


def _forking(  # noqa: PLR0917 - what one sweep is made of
    stage: OneProcess,
    scenario: Scenario,
    expected: tuple[Snapshot, Snapshot],
    chosen: frozenset[int],
    seed: int,
) -> Sweep:
    """Do the command, and fork at each chosen point."""
    found = Sweep()

    def fork_here(place: str) -> None:
        for image in IMAGES:
            found.points += 1
            if found.points not in chosen:
                continue
            found.checked += 1
            crash = Crash(scenario, image, dice(seed * 1_000_003 + found.points), expected)
            good, printed = in_fork(partial(check, stage, crash))
            if not good:
                where = f"{scenario.name}: point {found.points}, {place}, {image}, seed {seed}"
                found.violations.append(f"{where}\n{printed.decode()}")

    stage.hit = fork_here
    do(stage, scenario.command)
    return found


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
    stage.crash(IMAGES[crash.image](stage.disk, crash.random))
    if crash.random.randrange(4) == 0:
        crash_again(stage, crash)
    after, end = ending(stage, crash.scenario, quietly=crash.random.randrange(3) == 0)
    assert after == crash.expected[0], difference(after, crash.expected[0])
    assert end == crash.expected[1], difference(end, crash.expected[1])
    assert stage.plex.misdeeds.total == 0


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
    stage.crash(IMAGES[crash.image](stage.disk, crash.random))


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
