"""Covers padded to posters, against both simulators over real HTTP, and without Pillow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PIL import Image

from plexsync.errors import ExitCode
from plexsync.models import Counts, Outcome, PlexField
from plexsync.storage.journal import End, RunKind
from plexsync.storage.session import open_session
from plexsync.sync.ports import RunOptions
from tests.support.picture_factories import bomb, cover, encoded, plain
from tests.support.picture_world import (
    OTHER,
    choose_by_hand,
    made,
    only_link,
    poster,
    upload_key,
    uploads,
)
from tests.support.terminals import ProcessResult, run_plexsync
from tests.support.world import scene_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World

SCENES = 4
FULL = RunOptions(full=True)
ALL = range(1, SCENES + 1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Scenes with landscape covers, nothing synced yet."""
    with made(tmp_path, SCENES, FIELDS__POSTER__PAD="true") as found:
        for number in ALL:
            found.stash.set_cover(number, cover(number))
        found.wait(hours=1)
        yield found


def shown(world: World, scene_id: str) -> bytes:
    """The bytes of the poster of a scene's item."""
    return world.plex.picture(poster(world, scene_id))


def test_plex_gets_posters_of_two_by_three_and_backgrounds_as_they_are(world: World) -> None:
    """The same cover, once padded and once not."""
    ran = world.run(FIELDS__BACKGROUND="overwrite")
    assert uploads(ran) == 2 * SCENES
    assert Image.open(io.BytesIO(shown(world, "2"))).size == (160, 240)
    background = world.plex.dump()[world.key_of("2")]["art"]
    assert background == upload_key(cover(2), "art")
    (change,) = [change for change in ran.row("2").changes if change.field == "poster"]
    assert str(change.after).endswith("), padded")


def test_a_padded_cover_is_never_sent_twice(world: World) -> None:
    """Runs that are full, runs with every scene touched: no upload, no write at all."""
    world.run()
    for number in range(4):
        if number % 3 == 1:
            world.stash.edit_scenes(ALL, organized=bool(number % 2))
        ran = world.run(FULL if number % 3 == 2 else None)
        assert ran.summary.requests.plex_writes == uploads(ran) == 0
    world.stash.set_cover(2, cover(9))
    assert uploads(world.run()) == 1


def test_another_pillow_makes_no_other_poster_of_the_same_cover(world: World) -> None:
    """What counts is the cover and the recipe, and not the bytes that came of them."""
    world.run()
    key = choose_by_hand(world, "2", OTHER + b"as another version of Pillow made it")
    with open_session(world.state_dir, now=world.now) as session:
        session.begin(
            run_id="20261122T080500Z-0bad",
            kind=RunKind.RUN,
            started_at="2026-11-22T08:05:00Z",
            lineage=session.state.lineage,
            version="0",
        )
        (scene_id,) = scene_ids(2)
        record = session.state.get(scene_id)
        assert record is not None
        (link,) = record.links
        picture = replace(link.pictures[PlexField.POSTER], key=key)
        link = replace(link, pictures={PlexField.POSTER: picture})
        session.remember(scene_id, replace(record, links=(link,)))
        session.end(world.now, End(exit_code=0, counts=Counts()))
    world.stash.edit_scenes(ALL, organized=True)
    for options in (None, FULL):
        assert world.run(options).summary.requests.plex_writes == 0
    assert poster(world, "2") == key


def test_switching_padding_on_and_off_makes_every_poster_again(world: World) -> None:
    """Once each; under `keep` as well, because what is shown is ours."""
    assert uploads(world.run(FIELDS__POSTER__PAD="false", FIELDS__POSTER="keep")) == SCENES
    assert shown(world, "2") == cover(2)
    assert uploads(world.run(FIELDS__POSTER="keep")) == SCENES
    assert Image.open(io.BytesIO(shown(world, "2"))).size == (160, 240)
    assert world.run(FULL, FIELDS__POSTER="keep").summary.requests.plex_writes == 0
    off = world.run(FIELDS__POSTER__PAD="false", FIELDS__POSTER="keep")
    assert (off.count(Outcome.APPLIED), uploads(off)) == (SCENES, 0)
    assert shown(world, "2") == cover(2)


def test_a_lost_state_adopts_padded_posters(world: World) -> None:
    """The same Pillow makes the same bytes."""
    world.run()
    for path in sorted(world.state_dir.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert uploads(world.run(FULL)) == 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(bomb(), id="unpacks to gigabytes"),
        pytest.param(cover(2)[:50], id="cut short in Stash"),
    ],
)
def test_a_cover_that_cannot_be_padded_fails_alone(world: World, body: bytes) -> None:
    """With a reason; its fields and all the others are written."""
    world.stash.set_cover(2, body)
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.SOME_FAILED
    assert uploads(ran) == SCENES - 1
    row = ran.row("2")
    assert row.outcome is Outcome.FAILED
    assert "no sound picture" in str(row.error)
    assert "title" in {change.field for change in row.changes}
    world.stash.set_cover(2, cover(2))
    assert uploads(world.run()) == 1


def test_a_saved_plan_pads_too(world: World) -> None:
    """Whatever the configuration says when it is applied; applied again it finds its work done."""
    plan = world.directory / "plan.json"
    world.run(RunOptions(dry_run=True, save_plan=plan))
    assert uploads(world.apply(plan)) == SCENES
    assert Image.open(io.BytesIO(shown(world, "2"))).size == (160, 240)
    assert only_link(world, "2").pictures[PlexField.POSTER].made == "pad1"
    assert world.apply(plan).summary.requests.plex_writes == 0
    assert world.run(FULL).summary.requests.plex_writes == 0


def test_a_portrait_cover_is_sent_as_it_is(world: World) -> None:
    """Byte for byte, and remembered like one that was padded."""
    body = encoded(plain((60, 90)))
    world.stash.set_cover(2, body)
    world.run()
    assert shown(world, "2") == body
    assert world.run(FULL).summary.requests.plex_writes == 0


# ---- without Pillow ------------------------------------------------------------------------------


@pytest.fixture
def no_pillow(tmp_path: Path) -> dict[str, str]:
    """An environment in which Pillow cannot be imported, as without the extra `pad`."""
    place = tmp_path / "hides" / "PIL"
    place.mkdir(parents=True)
    (place / "__init__.py").write_text("raise ImportError('not here')\n")
    return {"PYTHONPATH": str(place.parent)}


def command(world: World, no_pillow: dict[str, str], *words: str, **settings: str) -> ProcessResult:
    """A command where Pillow is missing."""
    return run_plexsync(words, {**world.environ(**settings), **no_pillow})


def test_padding_without_pillow_is_an_error_of_configuration(
    world: World, no_pillow: dict[str, str]
) -> None:
    """Exit 2, what to install, and no server was asked anything."""
    done = command(world, no_pillow, "run")
    assert done.code == ExitCode.USAGE
    assert "PLEXSYNC_FIELDS__POSTER__PAD" in done.err
    how = "Install it: pipx install --force '.[pad]' in the folder of plexsync's source, or"
    assert f"{how} switch pad off" in done.err
    assert world.stash_wire.counters.by_kind() == world.plex_wire.counters.by_kind() == {}


def test_without_padding_pillow_is_not_needed(world: World, no_pillow: dict[str, str]) -> None:
    """A run does all there is to do."""
    assert command(world, no_pillow, "run", FIELDS__POSTER__PAD="false").code == ExitCode.OK
    assert poster(world, "2") == upload_key(cover(2))


def test_a_plan_that_pads_is_not_begun_without_pillow(
    world: World, no_pillow: dict[str, str]
) -> None:
    """Exit 2 before the first write."""
    plan = world.directory / "plan.json"
    world.run(RunOptions(dry_run=True, save_plan=plan))
    before = world.plex.dump(clocks=True)
    done = command(world, no_pillow, "apply", str(plan), FIELDS__POSTER__PAD="false")
    assert done.code == ExitCode.USAGE
    assert "pipx install --force '.[pad]'" in done.err
    assert world.plex.dump(clocks=True) == before
