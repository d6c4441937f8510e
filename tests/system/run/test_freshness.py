"""A person edits and locks an item in Plex while its batch is being written.

Items are read many at a time. What was read a moment ago is written as it was read; everything
else is looked at again right before its own write, at a quick pace a few at a time.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.execution.reader import FRESH_S
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import dice
from tests.support.world import World, edited_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.http.messages import SimRequest

SCENES = 6
FAST_S, SLOW_S = 1.1 * FRESH_S, 30.0
QUICK_S = 0.004
"""So long takes an edit of a server nearby."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Six synced scenes that got another title each, so that all are written one by one."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    settings = {"PATHS": "/data/=/media/", "APPLY__PRESERVE_PLEX_EDITS": "true"}
    with World(make_library(spec), tmp_path, **settings) as made:
        made.run()
        for number in range(1, SCENES + 1):
            made.stash.edit_scene(number, title=f"Title {number}")
        yield made


def tick(world: World, seconds: float) -> None:
    """Let each edit that reached Plex take so long."""
    start = len(world.plex.writes)
    world.monotonic = lambda: (len(world.plex.writes) - start) * seconds


def order_of_writes(world: World) -> list[str]:
    """The items in the order a run writes them; that of the scenes' ids."""
    return [world.key_of(str(number)) for number in range(1, SCENES + 1)]


@pytest.mark.parametrize("seconds", [FAST_S, SLOW_S], ids=["fast", "slow"])
@pytest.mark.parametrize("place", range(1, SCENES))
def test_an_edit_made_while_the_batch_is_written_stays(
    world: World, place: int, seconds: float
) -> None:
    """Whichever item is being written, and whichever of those to come is edited."""
    tick(world, seconds)
    keys = order_of_writes(world)

    def edit() -> None:
        for key in keys[place:]:
            world.plex.edit_by_hand(key, {"title": f"By Hand {key}"})

    world.plex.before("plex.put", place, edit)
    ran = world.run()
    assert [world.shown(key, "title") for key in keys[place:]] == [
        f"By Hand {key}" for key in keys[place:]
    ]
    assert ran.count(Outcome.APPLIED) == place
    assert ran.count(Outcome.KEPT) == SCENES - place
    assert world.state().unsettled == ()
    nothing = world.run(RunOptions(full=True))
    assert nothing.puts == 0
    assert nothing.count(Outcome.KEPT) == SCENES - place


def test_an_edit_is_replaced_where_that_is_wanted_and_can_be_taken_back(world: World) -> None:
    """Without preserving, the person's value is what the journal keeps as the one before."""
    tick(world, SLOW_S)
    key = order_of_writes(world)[-1]
    world.plex.before("plex.put", 1, lambda: world.plex.edit_by_hand(key, {"title": "By Hand"}))
    ran = world.run(APPLY__PRESERVE_PLEX_EDITS="false")
    assert ran.count(Outcome.APPLIED) == SCENES
    assert world.shown(key, "title") == f"Title {SCENES}"
    world.undo()
    assert world.shown(key, "title") == "By Hand"


def test_an_item_that_keeps_changing_waits_for_the_next_run(world: World) -> None:
    """It is decided about three times, and then left alone; nothing of it is lost or written."""
    clock = count(0.0, SLOW_S)
    world.monotonic = lambda: next(clock)
    key = order_of_writes(world)[-1]
    turns = count()

    def edit() -> None:
        world.plex.edit_by_hand(key, {"summary": f"Text {next(turns)}"})

    for nth in range(1, 60):
        world.plex.before(
            "plex.detail", nth + world.plex_wire.counters.requests("plex.detail"), edit
        )
    ran = world.run(APPLY__PRESERVE_PLEX_EDITS="false")
    assert ran.row(str(SCENES)).outcome is Outcome.SKIPPED
    assert "keeps changing" in ran.row(str(SCENES)).reason
    assert world.shown(key, "title") != f"Title {SCENES}"


def test_what_others_changed_beside_a_write_is_reported(world: World) -> None:
    """A field that was not sent and moved between the read and the read back."""
    key = order_of_writes(world)[-1]
    world.plex.before(
        "plex.put", SCENES, lambda: world.plex.edit_by_hand(key, {"studio": "By Hand"})
    )
    ran = world.run()
    row = ran.row(str(SCENES))
    assert row.outcome is Outcome.APPLIED
    assert "somebody else changed studio in Plex meanwhile" in row.reason
    assert world.shown(key, "studio") == "By Hand"
    assert all("somebody" not in other.reason for other in ran.rows if other is not row)


def test_an_item_that_cannot_be_read_again_is_not_written(world: World) -> None:
    """Its value may be a person's by now."""
    tick(world, SLOW_S)
    key = order_of_writes(world)[-1]
    world.plex_wire.faults.add(Fault("plex.detail", SCENES, ErrorStatus(500), None))
    world.run()
    assert world.shown(key, "title") != f"Title {SCENES}"


# ---- looking at several items at once ------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path) -> Iterator[World]:
    """Forty synced scenes that got another title each, and a server that takes 4 ms for an edit."""
    spec = LibrarySpec(seed=3, scenes=40, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    settings = {"PATHS": "/data/=/media/", "APPLY__PRESERVE_PLEX_EDITS": "true"}
    with World(make_library(spec), tmp_path, **settings) as made:
        made.run()
        for number in range(1, 41):
            made.stash.edit_scene(number, title=f"Title {number}")
        tick(made, QUICK_S)
        yield made


def test_no_item_is_written_that_was_not_read_a_moment_ago(many: World) -> None:
    """At a quick pace one request looks at several items; each is written soon after it."""
    read: dict[str, float] = {}
    ages: list[float] = []
    looks: list[int] = []

    def watch(request: SimRequest) -> None:
        kind, keys = many.plex.kind(request), edited_keys(request)
        if kind == "plex.detail":
            read.update(dict.fromkeys(keys, many.monotonic()))
            looks.append(len(keys))
        elif kind == "plex.put":
            ages.extend(many.monotonic() - read[key] for key in keys)

    many.plex_wire.on_request = watch
    assert many.run().puts == len(ages) == 40
    assert max(ages) <= FRESH_S
    again = looks[1:-1]  # the first read is of all of them, the last one reads back
    assert len(again) < 15, "most items are looked at along with another one"
    assert max(again) <= 1 + 0.02 / QUICK_S


@pytest.mark.parametrize("place", [5, 20])
def test_an_edit_of_an_item_that_is_looked_at_along_with_another_one_stays(
    many: World, place: int
) -> None:
    """One that moved is not written, and decided about once more in its turn."""
    keys = [many.key_of(str(number)) for number in range(1, 41)]
    late = keys[place + 13 :]

    def edit() -> None:
        for key in late:
            many.plex.edit_by_hand(key, {"title": f"By Hand {key}"})

    many.plex.before("plex.put", place, edit)
    ran = many.run()
    assert [many.shown(key, "title") for key in late] == [f"By Hand {key}" for key in late]
    assert ran.count(Outcome.APPLIED) == 40 - len(late)
    assert ran.count(Outcome.KEPT) == len(late)
    assert many.state().unsettled == ()


# ---- a person at work all the time ---------------------------------------------------------------


class Person:
    """Somebody who edits and locks a title or a summary in Plex before every third request.

    Attributes:
        events: what happened to each item, in order: `read`, `put`, or the value that was typed.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.events: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        self._chance = dice(seed)

    def watch(self, request: SimRequest) -> None:
        """Note a request, after maybe having typed something."""
        keys = self.world.plex.rating_keys()
        if self._chance.random() < 1 / 3:
            key, field = self._chance.choice(keys), self._chance.choice(["title", "summary"])
            value = f"By Hand {len(self.events[key])} {field}"
            self.world.plex.edit_by_hand(key, {field: value})
            self.events[key].append(("typed", field, value))
        kind = self.world.plex.kind(request).removeprefix("plex.")
        if kind in {"detail", "put"}:
            for key in edited_keys(request):
                self.events[key].append((kind, "", ""))

    def lost(self) -> tuple[int, int]:
        """Return how many edits are gone: those made right before a write, and all others."""
        right_before = others = 0
        for key, events in self.events.items():
            last = {field: at for at, (kind, field, _) in enumerate(events) if kind == "typed"}
            for field, at in last.items():
                if self.world.shown(key, field) == events[at][2]:
                    continue
                after = [kind for kind, _, _ in events[at + 1 :] if kind != "typed"]
                right_before += after[:1] == ["put"]
                others += after[:1] != ["put"]
        return right_before, others


@pytest.mark.parametrize("seconds", [FAST_S, SLOW_S], ids=["fast", "slow"])
@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_person_types_during_runs_stays(tmp_path: Path, seed: int, seconds: float) -> None:
    """Three runs of 30 scenes: nothing is lost but what falls between a read and its own write."""
    spec = LibrarySpec(seed=seed, scenes=30, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        tick(world, seconds)
        person = Person(world, seed)
        world.plex_wire.on_request = person.watch
        for number in range(3):
            world.stash.edit_scenes(range(1, 31), details=f"Text {number} of Stash")
            # What was typed between a write and its read back is a write that was not stored.
            assert world.run().summary.exit_code in {ExitCode.OK, ExitCode.SOME_FAILED}
        world.plex_wire.on_request = None
        right_before, others = person.lost()
        typed = sum(kind == "typed" for one in person.events.values() for kind, _, _ in one)
        assert typed > 20
        assert others == 0
        assert right_before <= 2
        kept = world.run(RunOptions(full=True))
        assert kept.puts == 0
