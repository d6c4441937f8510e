"""Roles and photos of actors: never lost, written if asked for, seen before they are replaced."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from plexsync.planning.credits import shown_values
from plexsync.simulators.http.wire import ErrorStatus, Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.filesystem import DISK
from plexsync.storage.journal import RunKind
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import FaultyDisk, Killed, Strike
from tests.support.fields_world import PHOTO, credit
from tests.support.world import World, edited_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from plexsync.simulators.http.messages import SimRequest
    from plexsync.simulators.plex.build import ItemSnapshot

FORCED = RunOptions(full=True, force=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Four plain scenes, nothing synced yet."""
    spec = LibrarySpec(seed=3, scenes=4, mix={Case.SAME: 1.0}, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        yield made


def comparable(item: ItemSnapshot) -> object:
    """What an undo must bring back; the order of tags means nothing to Plex."""
    tags = {kind: sorted(worn) for kind, worn in item["tags"].items()}
    return item["fields"], tags, item["photos"], item["locks"]


# ---- never lost ----------------------------------------------------------------------------------


@pytest.mark.parametrize("forget", [False, True], ids=["tags stay", "unused tags go"])
def test_an_actor_that_comes_back_has_role_and_photo_again(
    world: World,
    forget: bool,
) -> None:
    """Though nothing of it was asked for; also where Plex forgot the name meanwhile."""
    world.plex.switches.forget_unused_tags = forget
    key = world.key_of("1")
    credit(world, key, "Keanu Example", role="Neo", photo=PHOTO)
    credit(world, key, "Plain Example")
    before = comparable(world.plex.dump()[key])
    world.run(FIELDS__PERFORMERS="overwrite")
    assert "Keanu Example" not in world.tags(key, "actor")
    world.undo()
    assert comparable(world.plex.dump()[key]) == before
    assert world.run(FORCED, FIELDS__PERFORMERS="overwrite").puts > 0


@pytest.mark.parametrize("first", ["fill", "overwrite"])
@pytest.mark.parametrize("role", ["", "{gender}"], ids=["plain", "with a role"])
def test_actors_that_were_found_in_plex_are_filled_with_or_without_roles(
    world: World, role: str, first: str
) -> None:
    """No policy merged them, so the list follows Stash under `fill` in both cases."""
    key = world.key_of("1")
    world.stash.edit_performer(1, name="Ann", gender="FEMALE")
    world.stash.edit_scene(1, performer_ids=(1,))
    world.plex.agent_refresh(key, {"actor": ["Ann"]})
    world.wait(1)
    world.run(FIELDS__PERFORMERS=first, FIELDS__PERFORMERS__ROLE=role)
    world.run(FIELDS__PERFORMERS="fill", FIELDS__PERFORMERS__ROLE=role)
    world.stash.edit_scene(1, performer_ids=(1, 2))
    world.wait(1)
    world.run(FIELDS__PERFORMERS="fill", FIELDS__PERFORMERS__ROLE=role)
    assert set(world.tags(key, "actor")) == {"Ann", world.stash.performers[2].name}


@pytest.mark.parametrize("replace_tags", [False, True])
def test_an_actor_that_stays_keeps_its_role(
    world: World,
    replace_tags: bool,
) -> None:
    """Whatever Plex does with lists: the role is sent along with the name."""
    key = world.key_of("1")
    names = {one.id: one.name for one in world.library.stash.performers}
    mine = names[world.library.stash.scenes[0].performer_ids[0]]
    credit(world, key, mine, role="Herself")
    credit(world, key, "Keanu Example", role="Neo")
    world.plex.switches.replace_tags = replace_tags
    world.run()
    roles = dict(world.plex.dump()[key]["tags"]["actor"])
    assert roles[mine] == "Herself"
    assert roles["Keanu Example"] == "Neo"


def test_a_photo_somebody_gave_since_stays(world: World) -> None:
    """An undo brings back the name, and its photo only where Plex has none."""
    key, other = world.key_of("1"), world.key_of("2")
    credit(world, key, "Keanu Example", photo=PHOTO)
    credit(world, other, "Keanu Example")
    world.run(RunOptions(limit=1), FIELDS__PERFORMERS="overwrite")
    assert "Keanu Example" not in world.tags(key, "actor")
    credit(world, other, "Keanu Example", photo="https://since.example/new.jpg")
    world.undo()
    assert "Keanu Example" in world.tags(key, "actor")
    assert world.plex.dump()[key]["photos"]["Keanu Example"] == "https://since.example/new.jpg"


# ---- asked for -----------------------------------------------------------------------------------

ROLE = {"FIELDS__PERFORMERS__ROLE": "{disambiguation}", "FIELDS__PERFORMERS": "overwrite"}
PHOTOS = {"FIELDS__PERFORMERS__PHOTO": "{image}", "FIELDS__PERFORMERS": "overwrite"}


def cast(world: World, scene: int, **people: Mapping[str, object]) -> list[int]:
    """A scene has just these performers; their ids."""
    ids = [
        world.stash.add_performer(name.replace("_", " "), **values)
        for name, values in people.items()
    ]
    world.stash.edit_scene(scene, performer_ids=tuple(ids))
    return ids


def roles(world: World, key: str) -> dict[str, str]:
    """The parts actors play in an item."""
    return dict(world.plex.dump()[key]["tags"]["actor"])


def photos(world: World, key: str) -> dict[str, str]:
    """The pictures an item shows of its actors."""
    return world.plex.dump()[key]["photos"]


def test_nothing_is_asked_or_sent_unless_it_is_on(world: World) -> None:
    """By default Stash is asked for names alone, and Plex is sent names alone."""
    cast(world, 1, Ann={"disambiguation": "the tall one", "has_image": True})
    world.run()
    sent = {name for write in world.plex.writes for name, _ in write.arguments}
    assert not [name for name in sent if "tagging" in name or "thumb" in name]


def test_a_role_is_made_of_what_stash_knows(world: World) -> None:
    """Written once, brought up to date when the performer changes, and taken back."""
    key = world.key_of("1")
    ann, _ = cast(
        world,
        1,
        Ann={"disambiguation": "the tall one", "gender": "TRANSGENDER_FEMALE"},
        Bo={"alias_list": ("B", "Bobo")},
    )
    before = comparable(world.plex.dump()[key])
    world.settings.update(
        FIELDS__PERFORMERS="overwrite",
        FIELDS__PERFORMERS__ROLE="{disambiguation} {gender} {aliases}",
    )
    first = world.run()
    assert roles(world, key) == {"Ann": "the tall one Transgender female", "Bo": "B, Bobo"}
    assert world.run(FORCED).puts == 0

    world.stash.edit_performer(ann, disambiguation="the small one")
    ran = world.run()
    assert (ran.outcomes(), ran.puts) == ({"1": "applied"}, 1)
    assert roles(world, key)["Ann"] == "the small one Transgender female"
    assert world.run().rows == ()

    world.undo()
    assert roles(world, key)["Ann"] == "the tall one Transgender female"
    world.undo(first.summary.header.run_id)
    assert comparable(world.plex.dump()[key]) == before
    assert world.run().puts == 0


@pytest.mark.parametrize(
    ("policy", "kept"),
    [("overwrite", False), ("merge", True), ("fill", True), ("keep", True)],
)
def test_a_role_somebody_gave_follows_the_policy_of_the_list(
    world: World,
    policy: str,
    kept: bool,
) -> None:
    """Ours is brought up to date under every policy, a person's only where it may be."""
    key = world.key_of("1")
    ann, bo = cast(world, 1, Ann={"disambiguation": "one"}, Bo={"disambiguation": "two"})
    world.settings.update(ROLE)
    world.run()
    credit(world, key, "Bo", role="By Hand")
    world.settings.update(FIELDS__PERFORMERS=policy, APPLY__PRESERVE_PLEX_EDITS="false")
    world.stash.edit_performer(ann, disambiguation="ein")
    world.stash.edit_performer(bo, disambiguation="zwei")
    world.run(FORCED)
    assert roles(world, key) == {"Ann": "ein", "Bo": "By Hand" if kept else "zwei"}
    assert world.run(FORCED).puts == 0


def test_roles_are_shown_like_every_change(world: World) -> None:
    """In a dry run and in rows: the same names, credited otherwise."""
    (ann,) = cast(world, 1, Ann={"disambiguation": "one"})
    world.settings.update(ROLE)
    world.run()
    world.stash.edit_performer(ann, disambiguation="two")
    (change,) = world.run(RunOptions(dry_run=True)).row("1").changes
    assert shown_values(change) == (("Ann as one",), ("Ann as two",))


def test_a_photo_is_the_address_of_the_picture_in_stash(world: World) -> None:
    """Without the key, skipped where Stash has none of its own; never written twice."""
    key = world.key_of("1")
    ann, _, _ = cast(
        world,
        1,
        Ann={"has_image": True},
        Bo={"has_image": False},
        Cy={"has_image": True, "disambiguation": "the other"},
    )
    before = comparable(world.plex.dump()[key])
    world.settings.update(PHOTOS)
    ran = world.run()
    assert ran.outcomes()["1"] == "applied"
    shown = photos(world, key)
    assert set(shown) == {"Ann", "Cy"}
    assert shown["Ann"].startswith(f"{world.stash_url}/performer/{ann}/image?t=")
    assert "stash-key" not in str(world.plex.writes)
    assert world.run(FORCED).puts == 0

    world.now += timedelta(hours=1)
    world.stash.edit_performer(ann, gender="FEMALE")
    assert world.run().puts == 1
    assert photos(world, key) != shown
    assert world.run(FORCED).puts == 0
    world.undo()
    assert photos(world, key) == shown
    world.undo(ran.summary.header.run_id)
    assert comparable(world.plex.dump()[key]) == before


@pytest.mark.parametrize("forget", [False, True], ids=["tags stay", "unused tags go"])
def test_a_photo_the_name_has_elsewhere_is_seen_before_it_is_replaced(
    world: World,
    forget: bool,
) -> None:
    """It is in the journal, and an undo gives it back although the actor leaves the item."""
    world.plex.switches.forget_unused_tags = forget
    key, elsewhere = world.key_of("1"), world.key_of("2")
    cast(world, 1, Ann={"has_image": True})
    cast(world, 2)
    credit(world, elsewhere, "Ann", photo=PHOTO)
    before = {one: comparable(item) for one, item in world.plex.dump().items()}
    world.stash.edit_scene(2, performer_ids=())
    world.settings.update(PHOTOS)
    world.run()
    assert photos(world, elsewhere)["Ann"] != PHOTO
    assert photos(world, elsewhere) == photos(world, key)
    assert world.run(FORCED).puts == 0
    world.undo()
    assert {one: comparable(item) for one, item in world.plex.dump().items()} == before


def test_under_merge_a_photo_somebody_gave_stays(world: World) -> None:
    """It is not ours, and Plex has something."""
    key, elsewhere = world.key_of("1"), world.key_of("2")
    cast(world, 1, Ann={"has_image": True})
    credit(world, elsewhere, "Ann", photo=PHOTO)
    world.settings.update(PHOTOS, FIELDS__PERFORMERS="merge")
    world.run()
    assert photos(world, key) == {"Ann": PHOTO}
    assert world.run(FORCED).puts == 0


def test_a_photo_may_be_served_elsewhere(world: World) -> None:
    """By its path on Stash, or by name, which is fit for an address then."""
    key = world.key_of("1")
    cast(world, 1, Ann_Ex={"has_image": True})
    world.settings.update(PHOTOS, FIELDS__PERFORMERS__PHOTO="https://photos.lan{image_path}")
    world.run()
    assert photos(world, key)["Ann Ex"].startswith("https://photos.lan/performer/")
    world.settings.update(FIELDS__PERFORMERS__PHOTO="https://photos.lan/{name}.jpg")
    world.run(FORCED)
    assert photos(world, key) == {"Ann Ex": "https://photos.lan/Ann%20Ex.jpg"}


@pytest.mark.parametrize("argument", ["tagging.text", "tag.thumb"])
def test_a_role_or_photo_plex_does_not_store_is_reported(world: World, argument: str) -> None:
    """Read back like everything else; twice, and then it is left."""
    cast(world, 1, Ann={"disambiguation": "one"}, Bo={"has_image": True})
    world.settings.update(PHOTOS, **ROLE)
    key = world.key_of("1")
    world.plex_wire.faults.add(
        Fault(
            "plex.put",
            1,
            ErrorStatus(200),
            None,
            lambda one: argument in one.target and edited_keys(one) == (key,),
        )
    )
    row = world.run().row("1")
    assert row.error is not None
    assert row.error.kind == "not-stored"
    sent = 0
    for _ in range(3):
        world.wait(hours=25)
        sent += world.run().puts
    assert sent == 2, "once at each address an edit can go to"


def test_an_item_that_vanishes_before_its_photos_are_read_back_is_not_judged(world: World) -> None:
    """What was read before they were sent says nothing of what Plex holds now."""
    key = world.key_of("1")
    cast(world, 1, Ann={"has_image": True}, Bo={"alias_list": ("B",)})
    credit(world, key, "Bo", role="By Hand")
    world.settings.update(PHOTOS, FIELDS__PERFORMERS__ROLE="{aliases}")
    sent: list[str] = []

    def is_given(one: SimRequest) -> bool:
        """Whether the item has its photos, of which the request itself is let through."""
        if "tag.thumb" in one.target and edited_keys(one) == (key,):
            sent.append(one.target)
        return one.method == "GET" and bool(sent)

    for kind in ("plex.put", "plex.detail"):
        world.plex_wire.faults.add(Fault(kind, 1, ErrorStatus(404), None, is_given))
    row = world.run().row("1")
    assert sent
    assert row.error is not None
    assert "vanished" in row.error.message


def test_a_role_a_person_took_away_stays_away(world: World) -> None:
    """Under keep, run after run: that it was ours once is not forgotten."""
    key = world.key_of("1")
    cast(world, 1, Ann={"disambiguation": "one"})
    world.settings.update(ROLE, FIELDS__PERFORMERS="keep")
    world.run()
    assert roles(world, key) == {"Ann": "one"}
    credit(world, key, "Ann", role="", clear=True)
    for _ in range(3):
        assert world.run(FORCED).puts == 0
    assert roles(world, key) == {"Ann": ""}


def test_an_undo_knows_of_both_requests_of_a_run(world: World) -> None:
    """A role replaced with the names, and a photo given after them."""
    key = world.key_of("1")
    cast(world, 1, Ann={"has_image": True}, Bo={"alias_list": ("B",)})
    credit(world, key, "Bo", role="By Hand")
    before = comparable(world.plex.dump()[key])
    world.settings.update(PHOTOS, FIELDS__PERFORMERS__ROLE="{aliases}")
    world.run()
    assert roles(world, key)["Bo"] == "B"
    assert set(photos(world, key)) == {"Ann"}
    world.undo()
    assert comparable(world.plex.dump()[key]) == before


@pytest.mark.parametrize("nth", range(1, 9))
def test_credits_survive_a_server_that_dies_at_any_write(world: World, nth: int) -> None:
    """Applied or not: the next runs end it, and undos give everything back."""
    cast(world, 1, Ann={"has_image": True}, Bo={"alias_list": ("B",)})
    cast(world, 2, Cy={"has_image": True})
    credit(world, world.key_of("3"), "Ann", photo=PHOTO)
    before = {one: comparable(item) for one, item in world.plex.dump().items()}
    world.settings.update(PHOTOS, FIELDS__PERFORMERS__ROLE="{aliases}")
    effect = Reset(applied=True) if nth % 2 else ErrorStatus(503)
    world.plex_wire.faults.add(Fault("plex.put", nth, effect, None))
    world.run()
    world.plex_wire.faults.clear()
    world.wait(hours=1)
    world.run(FORCED)
    assert roles(world, world.key_of("1")) == {"Ann": "", "Bo": "B"}
    assert "performer" in photos(world, world.key_of("1"))["Ann"]
    assert world.run(FORCED).puts == 0
    for run in reversed(world.state().runs):
        if run.kind is RunKind.RUN:
            world.undo(run.run_id)
    assert {one: comparable(item) for one, item in world.plex.dump().items()} == before


def test_a_saved_plan_holds_credits(world: World, tmp_path: Path) -> None:
    """Applied as planned; not over a role somebody gave since."""
    file = tmp_path / "plan.json"
    key = world.key_of("1")
    ann, _ = cast(
        world, 1, Ann={"disambiguation": "one", "has_image": True}, Bo={"has_image": True}
    )
    world.settings.update(PHOTOS, **ROLE)
    world.run(RunOptions(dry_run=True, save_plan=file))
    world.apply(file)
    assert roles(world, key) == {"Ann": "one", "Bo": ""}
    assert set(photos(world, key)) == {"Ann", "Bo"}
    assert world.run(FORCED).puts == 0

    world.stash.edit_performer(ann, disambiguation="two")
    world.run(RunOptions(dry_run=True, save_plan=file))
    credit(world, key, "Ann", role="By Hand")
    world.apply(file)
    assert roles(world, key)["Ann"] == "By Hand"


def test_a_run_killed_at_any_disk_operation_loses_no_photo(tmp_path: Path) -> None:
    """What a name showed before is in the journal before it is replaced, at every instant."""
    spec = LibrarySpec(seed=3, scenes=2, mix={Case.SAME: 1.0}, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/", **PHOTOS) as world:
        cast(world, 1, Ann={"has_image": True}, Bo={"has_image": True})
        credit(world, world.key_of("2"), "Ann", photo=PHOTO)
        before = {one: comparable(item) for one, item in world.plex.dump().items()}
        counted = FaultyDisk(DISK)
        world.run(disk=counted)
        world.undo()
        assert {one: comparable(item) for one, item in world.plex.dump().items()} == before
        for at in range(1, counted.operations + 1):
            known = {run.run_id for run in world.state().runs}
            with suppress(Killed):
                world.run(FORCED, disk=FaultyDisk(DISK, at=at, strike=Strike.KILL))
            world.run(FORCED)
            assert PHOTO not in photos(world, world.key_of("1")).values(), at
            for run in reversed([run for run in world.state().runs if run.run_id not in known]):
                world.undo(run.run_id)
            assert {one: comparable(item) for one, item in world.plex.dump().items()} == before, at
