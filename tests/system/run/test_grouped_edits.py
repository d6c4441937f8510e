"""Identical changes of many items: few requests, and every item right on every kind of server."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Outcome
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World, edited_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plexsync.simulators.http.wire import SimRequest
    from plexsync.simulators.library.pairs import Library

FORCED = RunOptions(full=True, force=True)
PLAIN = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"}
SCENES = 60
RENAMED = 1
ALSO = 2
PERSON = 1


def tagged_library(scenes: int = SCENES) -> Library:
    """Scenes with one tag all have, in another place among their others in each."""
    spec = LibrarySpec(seed=3, scenes=scenes, mix={Case.SAME: 1.0}, edited=0.0)
    library = make_library(spec)
    tags = [tag.id for tag in library.stash.tags if tag.id != RENAMED]
    made = []
    for place, scene in enumerate(library.stash.scenes):
        own = [tags[(place + step) % len(tags)] for step in range(place % 5)]
        own.insert(place % (len(own) + 1), RENAMED)
        made.append(replace(scene, tag_ids=tuple(own)))
    return replace(library, stash=replace(library.stash, scenes=tuple(made)))


def synced_world(directory: Path, scenes: int = SCENES, **settings: str) -> World:
    """A world to enter, where every third item has a genre somebody gave it by hand."""
    world = World(tagged_library(scenes), directory, **PLAIN, **settings)
    with_hand(world)
    return world


def with_hand(world: World) -> None:
    """Give every third item a genre that is not ours."""
    for scene in world.library.stash.scenes[::3]:
        world.plex.edit_by_hand(world.key_of(str(scene.id)), {"genre": ("By Hand",)})


def wanted_genres(world: World, scene_id: str) -> set[str]:
    """What the item of a scene must show: Stash's tags, and what was there by hand."""
    names = {tag.id: tag.name.casefold() for tag in world.stash.dump().tags}
    scene = world.stash.scene(scene_id)
    by_hand = {"by hand"} if (int(scene_id) - 1) % 3 == 0 else set()
    return {names[tag] for tag in scene.tag_ids} | by_hand


def assert_all_right(world: World) -> None:
    """Every item has the genres it must have, and nothing is left to write."""
    for scene in world.library.stash.scenes:
        shown = {name.casefold() for name in world.tags(world.key_of(str(scene.id)), "genre")}
        assert shown == wanted_genres(world, str(scene.id)), scene.id
    assert world.run(FORCED).puts == 0
    assert world.plex.misdeeds.total == 0


def shared_library(scenes: int) -> Library:
    """Scenes that have two tags and a performer in common, in other places in each."""
    library = tagged_library(scenes)
    made = []
    for place, scene in enumerate(library.stash.scenes):
        tags = [tag for tag in scene.tag_ids if tag != ALSO]
        tags.insert(place % (len(tags) + 1), ALSO)
        people = [one for one in scene.performer_ids if one != PERSON]
        people.insert(place % (len(people) + 1), PERSON)
        made.append(replace(scene, tag_ids=tuple(tags), performer_ids=tuple(people)))
    return replace(library, stash=replace(library.stash, scenes=tuple(made)))


def rename_two(world: World) -> None:
    """Two tags get other names between two runs."""
    world.stash.edit_tag(RENAMED, name="Another Name")
    world.stash.edit_tag(ALSO, name="A Name of Its Own")


CHANGES: dict[str, Callable[[World], object]] = {
    "a tag renamed": lambda world: world.stash.edit_tag(RENAMED, name="Another Name"),
    "a performer renamed": lambda world: world.stash.edit_performer(PERSON, name="Another One"),
    "two tags renamed": rename_two,
    "a tag removed": lambda world: world.stash.delete_tag(ALSO),
}


def assert_guarded(asked: list[tuple[str, frozenset[str]]]) -> None:
    """Every item an edit names was read since the edit before, and is read again after it."""
    fresh: set[str] = set()
    unread: set[str] = set()
    for kind, keys in asked:
        if kind == "plex.detail":
            fresh |= keys
            unread -= keys
        elif kind == "plex.put":
            assert keys <= fresh, keys - fresh
            fresh -= keys
            unread |= keys
    assert not unread


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_one_change_of_many_items_takes_few_requests(
    tmp_path: Path, change: Callable[[World], object]
) -> None:
    """One edit for a hundred items, two reads for fifty; each item read before and after it."""
    scenes = 120
    asked: list[tuple[str, frozenset[str]]] = []
    with World(shared_library(scenes), tmp_path, **PLAIN, FIELDS__POSTER="off") as world:
        with_hand(world)
        world.run()
        change(world)
        world.plex_wire.on_request = lambda request: asked.append(
            (world.plex.kind(request), named_items(request))
        )

        ran = world.run(FORCED)

        assert ran.count(Outcome.APPLIED) == scenes
        assert ran.puts <= 2 * math.ceil(scenes / 100)
        assert ran.plex["plex.detail"] <= 2 * math.ceil(scenes / 50)
        assert_guarded(asked)
        assert_all_right(world)


def test_a_server_that_replaces_tags_loses_none(tmp_path: Path) -> None:
    """One item tells, and gets its list at once; all others get their whole lists."""
    with synced_world(tmp_path) as world:
        world.plex.switches.replace_tags = True
        world.run()
        world.stash.edit_tag(RENAMED, name="Another Name")

        ran = world.run(FORCED)

        assert ran.summary.exit_code == ExitCode.OK
        assert ran.count(Outcome.APPLIED) == SCENES
        assert ran.puts <= SCENES + 1
        assert_all_right(world)


@pytest.mark.parametrize("preserve", ["true", "false"])
def test_dying_right_after_finding_out_costs_nothing(tmp_path: Path, preserve: str) -> None:
    """The one name that was left out comes back by itself, and is not taken for a person's word."""
    with synced_world(tmp_path, APPLY__PRESERVE_PLEX_EDITS=preserve) as world:
        world.plex.switches.replace_tags = True
        world.run()
        world.stash.edit_tag(RENAMED, name="Another Name")
        before = len(world.plex.writes)

        def die() -> bool:
            if len(world.plex.writes) > before:
                raise KeyboardInterrupt
            return False

        with pytest.raises(KeyboardInterrupt):
            world.run(FORCED, should_stop=die)
        assert len(world.plex.writes) == before + 1

        world.run(FORCED)
        assert_all_right(world)


@pytest.mark.parametrize("policy", ["overwrite", "fill", "keep"])
@pytest.mark.parametrize("replace_tags", [False, True])
def test_every_policy_ends_right(
    tmp_path: Path,
    policy: str,
    replace_tags: bool,
) -> None:
    """Where a lost name would not come back, nothing is risked to find out."""
    with World(tagged_library(), tmp_path, **PLAIN, FIELDS__TAGS=policy) as world:
        world.plex.switches.replace_tags = replace_tags
        world.run()
        world.stash.edit_tag(RENAMED, name="Another Name")
        ran = world.run(FORCED)
        assert ran.count(Outcome.APPLIED) == SCENES
        names = {tag.id: tag.name.casefold() for tag in world.stash.dump().tags}
        for scene in world.library.stash.scenes:
            shown = {name.casefold() for name in world.tags(world.key_of(str(scene.id)), "genre")}
            assert shown == {names[tag] for tag in scene.tag_ids}
        assert world.run(FORCED).puts == 0


@pytest.mark.parametrize("policy", ["overwrite", "merge"])
def test_what_finds_out_about_lists_names_its_item_in_the_path(tmp_path: Path, policy: str) -> None:
    """As every edit does; it is sent once, and a proxy that loses ids cannot harm the library."""
    settings = {"APPLY__PRESERVE_PLEX_EDITS": "false", "FIELDS__TAGS": policy}
    with World(tagged_library(), tmp_path, **PLAIN, **settings) as world:
        world.run()
        world.plex.switches.drop_edit_ids = True
        before = len(world.plex.writes)
        world.stash.edit_tag(RENAMED, name="Another Name")

        ran = world.run(FORCED)

        assert ran.summary.exit_code == ExitCode.OK
        assert ran.count(Outcome.APPLIED) == SCENES
        written = world.plex.writes[before:]
        assert {write.path.rstrip("0123456789,") for write in written} == {"/library/metadata/"}
        edited = [key for write in written for key in write.rating_keys]
        assert len(edited) == len(set(edited))
        assert world.plex.misdeeds.total == 0


def test_the_same_text_for_many_items_is_one_edit(tmp_path: Path) -> None:
    """A studio renamed: nothing needs to be found out for a text."""
    with World(tagged_library(), tmp_path, **PLAIN, FIELDS__STUDIO__COLLECTION="false") as world:
        world.run()
        world.stash.edit_scenes(range(1, 31), studio_id=2)
        world.run(FORCED)
        world.stash.edit_studio(2, name="Another Studio")
        concerned = [one for one in world.stash.dump().scenes if one.studio_id == 2]
        ran = world.run(FORCED)
        assert ran.count(Outcome.APPLIED) == len(concerned) > 1
        assert ran.puts <= math.ceil(len(concerned) / 50)
        for scene in concerned:
            assert world.shown(world.key_of(str(scene.id)), "studio") == "Another Studio"


# ---- faults --------------------------------------------------------------------------------------


def named_items(request: SimRequest) -> frozenset[str]:
    """The items a read or an edit is about."""
    return frozenset(edited_keys(request))


def names_item(request: SimRequest, rating_key: str) -> bool:
    """Whether an edit goes to an item, alone or with others."""
    return rating_key in edited_keys(request)


def test_one_bad_item_in_a_group_fails_alone(tmp_path: Path) -> None:
    """The group is refused, so each goes out by itself; nobody else pays."""
    with synced_world(tmp_path, 40) as world:
        world.run()
        world.stash.edit_scenes(range(1, 21), details="The same for all.")
        bad = world.key_of("4")
        world.plex_wire.faults.add(
            Fault("plex.put", 1, ErrorStatus(500), None, lambda request: names_item(request, bad))
        )
        ran = world.run(RunOptions(force=True))
        assert ran.count(Outcome.APPLIED) == 19
        assert ran.row("4").outcome is Outcome.FAILED
        world.plex_wire.faults.clear()
        world.wait(hours=1)
        assert world.run().outcomes() == {"4": "applied"}
        assert_all_right(world)


def test_a_group_that_lost_its_reply_is_read_back(tmp_path: Path) -> None:
    """Applied, then cut off: nothing is lost, and nothing is written twice to no avail."""
    with synced_world(tmp_path, 60) as world:
        world.run()
        world.stash.edit_tag(RENAMED, name="Another Name")
        world.plex_wire.faults.add(Fault("plex.put", 2, Reset(applied=True)))
        ran = world.run(FORCED)
        assert ran.count(Outcome.APPLIED) == 60
        assert_all_right(world)


def test_a_server_that_starts_to_replace_is_noticed_and_mended(tmp_path: Path) -> None:
    """What was found out is checked on every item all the same, and whole lists bring it back."""
    with synced_world(tmp_path) as world:
        world.run()
        world.stash.edit_tag(RENAMED, name="Another Name")

        def turn() -> None:
            world.plex.switches.replace_tags = True

        world.plex.before("plex.put", 2, turn)
        ran = world.run(FORCED)
        assert ran.count(Outcome.APPLIED) == SCENES
        assert_all_right(world)


def test_a_refused_token_leaves_a_group_open(tmp_path: Path) -> None:
    """Nobody knows what was written; the next run looks."""
    with synced_world(tmp_path, 60) as world:
        world.run()
        world.stash.edit_tag(RENAMED, name="Another Name")
        world.plex_wire.faults.add(Fault("plex.put", 2, ErrorStatus(401), None))
        assert world.run(FORCED).summary.exit_code == ExitCode.ACCESS
        world.plex_wire.faults.clear()
        assert world.run(FORCED).summary.exit_code == ExitCode.OK
        assert_all_right(world)


def test_a_stop_between_groups_loses_nothing(tmp_path: Path) -> None:
    """What went out is remembered; the rest was never sent."""
    with synced_world(tmp_path, 150) as world:
        world.run()
        world.stash.edit_tag(RENAMED, name="Another Name")
        before = len(world.plex.writes)
        ran = world.run(FORCED, should_stop=lambda: len(world.plex.writes) >= before + 2)
        assert ran.summary.exit_code == ExitCode.INTERRUPTED
        assert ran.puts == 2
        assert ran.count(Outcome.APPLIED) == 101
        world.run(FORCED)
        assert_all_right(world)


@pytest.mark.parametrize(("replaces_from", "sent"), [(1, 1), (2, 2)], ids=["probe", "group"])
def test_what_arrived_before_a_stop_goes_back_with_an_undo(
    tmp_path: Path, replaces_from: int, sent: int
) -> None:
    """The lists were to go out once more, and did not; the texts beside them are there."""
    with synced_world(tmp_path, 30) as world:
        world.run()
        keys = [world.key_of(str(scene.id)) for scene in world.library.stash.scenes]
        first = {key: world.shown(key, "summary") for key in keys}
        world.stash.edit_scenes(range(1, 31), details="The same for all.")
        world.stash.edit_tag(RENAMED, name="Another Name")

        def turn() -> None:
            world.plex.switches.replace_tags = True

        world.plex.before("plex.put", replaces_from, turn)
        before = len(world.plex.writes)
        ran = world.run(FORCED, should_stop=lambda: len(world.plex.writes) >= before + sent)
        assert ran.summary.exit_code == ExitCode.INTERRUPTED
        assert "The same for all." in {world.shown(key, "summary") for key in keys}

        world.undo()
        assert {key: world.shown(key, "summary") for key in keys} == first


def test_a_group_that_lost_its_reply_is_read_back_after_a_stop_as_well(tmp_path: Path) -> None:
    """It was to go out item by item, and did not; what Plex took of it goes back with an undo."""
    with synced_world(tmp_path, 30) as world:
        world.run()
        before = world.plex.dump()
        world.stash.edit_scenes(range(1, 31), details="The same for all.")
        sent = len(world.plex.writes)
        world.plex_wire.faults.add(Fault("plex.put", 1, Reset(applied=True), None))
        ran = world.run(FORCED, should_stop=lambda: len(world.plex.writes) > sent)
        assert ran.summary.exit_code == ExitCode.INTERRUPTED
        assert ran.count(Outcome.APPLIED) == 30

        world.plex_wire.faults.clear()
        world.undo()
        assert world.plex.dump() == before


def test_an_item_plex_cannot_edit_is_no_reason_to_give_up_on_the_others(tmp_path: Path) -> None:
    """It is the one to find out with; another one tells as well."""
    bad: list[str] = []

    def is_first(request: SimRequest) -> bool:
        bad.extend([] if bad else edited_keys(request))
        return names_item(request, bad[0])

    with synced_world(tmp_path) as world:
        world.run()
        world.stash.edit_tag(RENAMED, name="Another Name")
        world.plex_wire.faults.add(Fault("plex.put", 1, ErrorStatus(500), None, is_first))
        ran = world.run(FORCED)
        assert ran.count(Outcome.APPLIED) == SCENES - 1
        assert ran.count(Outcome.FAILED) == 1
        groups = [len(write.rating_keys) for write in world.plex.writes if write.rating_keys]
        assert max(groups) >= SCENES - 2
