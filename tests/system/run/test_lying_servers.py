"""A Plex that says 200 and does otherwise, a second run, a person at work at every request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Rewrite
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World, edited_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.http.messages import SimRequest
    from tests.support.world import Ran

SCENES = 6
FULL = RunOptions(full=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Six synced scenes, each with another title by now."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        made.run()
        for number in range(1, SCENES + 1):
            made.stash.edit_scene(number, title=f"Title {number}")
        yield made


def comparable(world: World) -> dict[str, object]:
    """Fields, locks and tags of every item, the tags in any order."""
    return {
        key: (item["fields"], item["locks"], {k: sorted(v) for k, v in item["tags"].items()})
        for key, item in world.plex.dump().items()
    }


def reordered(body: bytes) -> bytes:
    """The same details with every list of tags the other way round."""
    answer = json.loads(body)
    for item in answer.get("MediaContainer", {}).get("Metadata", ()):
        for value in item.values():
            if isinstance(value, list) and value and "tag" in value[0]:
                value.reverse()
    return json.dumps(answer).encode()


def test_tags_in_another_order_are_the_same_tags(world: World) -> None:
    """A server that shows them as it likes: nothing is written twice, and all goes back."""
    before = comparable(world)
    tag = world.stash.add_tag("New")
    for number in range(1, SCENES + 1):
        tags = (*world.stash.scene(str(number)).tag_ids, tag)
        world.stash.edit_scene(number, tag_ids=tags)
    world.plex_wire.faults.add(Fault("plex.detail", 1, Rewrite(reordered), None))
    assert world.run(APPLY__MAX_SHARE="1.0").count(Outcome.APPLIED) == SCENES
    assert world.run(FULL).puts == 0
    world.undo()
    assert comparable(world) == before


def test_a_server_that_stores_late_is_believed_when_it_shows_it(world: World) -> None:
    """Not stored when it was read back, there by the next run: nothing is sent again."""
    key = world.key_of("3")
    world.plex_wire.faults.add(
        Fault("plex.put", 1, ErrorStatus(200), None, lambda r: key in edited_keys(r))
    )
    ran = world.run()
    assert ran.row("3").outcome is Outcome.FAILED
    assert ran.count(Outcome.APPLIED) == SCENES - 1
    world.plex_wire.faults.clear()
    world.plex.edit_by_hand(key, {"title": "Title 3"})
    world.wait(hours=1)
    assert world.run().puts == 0
    assert world.run(FULL).count(Outcome.UNCHANGED) == SCENES
    world.stash.edit_scene(3, title="Later")
    world.run()
    assert world.shown(key, "title") == "Later", "the late value is ours, and no person's"


@pytest.mark.parametrize("stored", ["", "TITLE 3", "Title"], ids=["nothing", "capitals", "cut"])
def test_a_server_that_stores_something_else_fails_that_item_alone(
    world: World, stored: str
) -> None:
    """The row shows both values; the others are written as they were meant."""
    key = world.key_of("3")
    world.plex_wire.faults.add(
        Fault("plex.put", 1, ErrorStatus(200), None, lambda r: key in edited_keys(r))
    )

    def store(request: SimRequest) -> None:
        if world.plex.kind(request) == "plex.put" and key in edited_keys(request):
            world.plex.edit_by_hand(key, {"title": stored})

    world.plex_wire.on_request = store
    ran = world.run()
    row = ran.row("3")
    assert row.outcome is Outcome.FAILED
    assert row.error is not None
    assert row.error.kind == "not-stored"
    assert "sent 'Title 3'" in row.error.message
    assert [world.shown(world.key_of(str(n)), "title") for n in (1, 2, 4, 5, 6)] == [
        f"Title {n}" for n in (1, 2, 4, 5, 6)
    ]
    assert world.state().unsettled == ()


def test_a_second_run_writes_nothing_while_one_is_at_work(world: World) -> None:
    """It ends with exit 8, and the first one goes on."""
    others: list[Ran] = []

    def run_too(request: SimRequest) -> None:
        if world.plex.kind(request) == "plex.put" and not others:
            world.plex_wire.on_request = None
            others.append(world.run())

    world.plex_wire.on_request = run_too
    ran = world.run()
    (other,) = others
    assert other.summary.exit_code == ExitCode.LOCKED
    assert other.summary.requests.plex_writes == 0
    assert ran.count(Outcome.APPLIED) == SCENES
    assert world.run(FULL).puts == 0


def test_an_edit_at_any_request_of_a_run_stays_or_came_right_before_its_write(
    world: World,
) -> None:
    """A person edits one item at each request in turn, as often as a run makes requests."""
    key = world.key_of("3")
    lost = at = 0
    done = False
    while not done:
        at += 1
        events: list[str] = []

        def edit(request: SimRequest, at: int = at, events: list[str] = events) -> None:
            events.append(world.plex.kind(request) if key in edited_keys(request) else "another's")
            if len(events) == at:
                world.plex.edit_by_hand(key, {"summary": f"By Hand {at}"})

        world.stash.edit_scene(3, title=f"Title {at}", details=f"Text {at}")
        world.plex.edit_by_hand(key, {"summary": world.shown(key, "summary")})
        world.plex.set_locks(key, locked=())
        world.plex_wire.on_request = edit
        world.run(FULL)
        world.plex_wire.on_request = None
        done = len(events) < at
        if not done and world.shown(key, "summary") != f"By Hand {at}":
            lost += 1
            assert events[at - 1] == "plex.put", "it came between the last read and the write"
    assert at > 5
    assert lost <= 1
