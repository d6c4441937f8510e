"""A person edits an item between two tries, or two requests, of one write.

The transport repeats a request that failed, a long list goes out in pieces, a group that failed is
sent again in parts: before each further request the item is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World, edited_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from plexsync.simulators.http.faults import Effect
    from plexsync.simulators.http.messages import SimRequest

SCENES = 4
FAILURES: dict[str, Effect] = {
    "busy": ErrorStatus(503),
    "busy-and-done": ErrorStatus(503, applied=True),
    "reset": Reset(),
    "reset-and-done": Reset(applied=True),
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Four synced scenes."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        made.run()
        yield made


def retitle(world: World) -> str:
    """Give each scene a title of its own; return the key of the last item to be written."""
    for number in range(1, SCENES + 1):
        world.stash.edit_scene(number, title=f"Title {number}")
    return world.key_of(str(SCENES))


def edit_after_put(
    world: World, key: str, values: Mapping[str, str | tuple[str, ...]], nth: int = 1
) -> None:
    """Have a person type `values` when the next request comes after the `nth` PUT of an item."""
    seen = {"puts": 0, "typed": 0}

    def watch(request: SimRequest) -> None:
        if seen["puts"] == nth and not seen["typed"]:
            seen["typed"] = 1
            world.plex.edit_by_hand(key, values)
        if world.plex.kind(request) == "plex.put" and key in edited_keys(request):
            seen["puts"] += 1

    world.plex_wire.on_request = watch


def fail_put(world: World, key: str, effect: Effect, nth: int = 1) -> None:
    """Let the `nth` PUT of an item fail."""
    concerns: Callable[[SimRequest], bool] = lambda request: key in edited_keys(request)  # noqa: E731 - typed
    world.plex_wire.faults.add(Fault("plex.put", nth, effect, match=concerns))


@pytest.mark.parametrize("failure", FAILURES)
def test_a_repeated_put_overwrites_no_edit_made_between_its_tries(
    world: World, failure: str
) -> None:
    """Whether the first try was carried out or not; the others are written."""
    key = retitle(world)
    fail_put(world, key, FAILURES[failure])
    edit_after_put(world, key, {"title": "By Hand"})
    ran = world.run()
    assert world.shown(key, "title") == "By Hand"
    assert ran.count(Outcome.APPLIED) == SCENES - 1
    world.plex_wire.on_request = None
    again = world.run(RunOptions(full=True))
    assert again.puts == 0
    assert again.row(str(SCENES)).by_hand == ("title",)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_put_is_repeated_where_nobody_was_at_work(world: World, failure: str) -> None:
    """Also where the first try was carried out, and beside an edit of another field."""
    key = retitle(world)
    fail_put(world, key, FAILURES[failure])
    edit_after_put(world, key, {"tagline": "By Hand"})
    ran = world.run()
    assert ran.count(Outcome.APPLIED) == SCENES
    assert world.shown(key, "title") == f"Title {SCENES}"
    assert world.shown(key, "tagline") == "By Hand"
    world.plex_wire.on_request = None
    world.undo()
    assert world.shown(key, "tagline") == "By Hand"
    assert world.shown(key, "title") != f"Title {SCENES}"


@pytest.mark.parametrize("failure", ["busy-and-done", "reset-and-done", "busy", "reset"])
def test_what_a_failed_group_wrote_can_be_taken_back(world: World, failure: str) -> None:
    """All of its tries fail, and it goes again in parts: what is there by then is journaled."""
    keys = [world.key_of(str(number)) for number in range(1, SCENES + 1)]
    before = {key: world.shown(key, "title") for key in keys}
    world.stash.edit_scenes(range(1, SCENES + 1), title="The Same")
    world.plex_wire.faults.add(Fault("plex.put", 1, FAILURES[failure], 5))
    edit_after_put(world, keys[0], {"title": "By Hand"})
    world.run(APPLY__MAX_SHARE="1.0")
    world.plex_wire.on_request = None
    world.plex_wire.faults.clear()
    assert [world.shown(key, "title") for key in keys] == ["By Hand", *["The Same"] * 3]
    world.undo()
    assert [world.shown(key, "title") for key in keys[1:]] == [before[key] for key in keys[1:]]
    assert world.shown(keys[0], "title") == "By Hand"


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_an_edit_between_two_pieces_of_a_long_list_stays(world: World, nth: int) -> None:
    """A person makes the list another one after the `nth` request: no later piece touches it."""
    world.plex.switches.url_limit = 4_096
    key = world.key_of("1")
    many = tuple(f"a tag with a number {number}" for number in range(300))
    world.stash.edit_scene(1, tag_ids=tuple(world.stash.add_tag(name) for name in many))
    edit_after_put(world, key, {"genre": ("By Hand",)}, nth)
    world.run()
    world.plex_wire.on_request = None
    assert world.tags(key, "genre") == ("By Hand",)


def test_a_value_many_items_get_is_no_sign_of_items_mixed_up(world: World) -> None:
    """A title typed before the read back, on an item that got the tag all others got, too."""
    tag = world.stash.add_tag("For All")
    for number in range(1, SCENES + 1):
        tags = (*world.stash.scene(str(number)).tag_ids, tag)
        title = {"title": "Title 1"} if number == 1 else {}
        world.stash.edit_scene(number, tag_ids=tags, **title)
    key = world.key_of("1")
    edit_after_put(world, key, {"title": "By Hand"})
    ran = world.run(APPLY__MAX_SHARE="1.0")
    assert ran.summary.error is None
    assert world.shown(key, "title") == "By Hand"
    assert all("For All" in world.tags(world.key_of(str(n)), "genre") for n in range(1, SCENES + 1))


def test_an_edit_between_the_two_addresses_of_a_first_write_stays(world: World) -> None:
    """A server without the newer address: the second request looks first."""
    world.plex.switches.edits_by_item = False
    key = world.key_of("1")
    world.stash.edit_scene(1, title="Title 1")
    edit_after_put(world, key, {"title": "By Hand"})
    world.run()
    assert world.shown(key, "title") == "By Hand"
