"""A Stash that has no longer what plexsync asks: that costs the fields made of it, and says so."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

from plexsync.cli import run_command_line
from plexsync.errors import ExitCode
from plexsync.models import StashField
from plexsync.simulators.http.wire import Fault, Rewrite
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.simulators.http.messages import SimRequest

SCENES = 4
FULL = RunOptions(full=True)
ON = {
    "FIELDS__SUMMARY": "overwrite",
    "FIELDS__TAGLINE": "overwrite",
    "FIELDS__DIRECTORS": "overwrite",
    "FIELDS__GROUPS": "overwrite",
    "FIELDS__RATING": "overwrite",
    "FIELDS__SORT_TITLE": "overwrite",
    "FIELDS__SORT_TITLE__TEMPLATE": "{parent_studio} {title}",
    "FIELDS__LABELS": "overwrite",
    "FIELDS__LABELS__NAMES": "{url}",
    "FIELDS__PERFORMERS__ROLE": "{disambiguation}",
    "FIELDS__PERFORMERS__PHOTO": "{image}",
    "FIELDS__TAGS__PARENTS": "true",
    "FIELDS__POSTER": "overwrite",
}
COSTS = {
    StashField.CODE: {"fields.tagline"},
    StashField.DETAILS: {"fields.summary"},
    StashField.DIRECTOR: {"fields.directors"},
    StashField.RATING: {"fields.rating"},
    StashField.STASH_IDS: set(),
    StashField.URLS: {"fields.labels"},
    StashField.COVER: {"fields.poster"},
    StashField.STUDIO: {"fields.studio", "fields.studio.collection", "fields.sort_title"},
    StashField.GROUPS: {"fields.groups"},
    StashField.SCENE_INDEX: set(),
    StashField.CUSTOM_FIELDS: set(),
    StashField.PERFORMERS: {"fields.performers"},
    StashField.PARENT_STUDIO: {"fields.sort_title"},
    StashField.PARENT_TAGS: {"fields.tags.parents"},
    StashField.DISAMBIGUATION: {"fields.performers.role", "fields.performers.photo"},
    StashField.GENDER: {"fields.performers.role", "fields.performers.photo"},
    StashField.ALIASES: {"fields.performers.role", "fields.performers.photo"},
    StashField.IMAGE: {"fields.performers.photo"},
    StashField.ALL_GROUPS: set(),
}


@pytest.fixture(name="world")
def make_world(tmp_path: Path) -> Iterator[World]:
    """A few scenes, none of them synced."""
    spec = LibrarySpec(seed=3, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/", PLEX__LIBRARIES="") as made:
        made.stash.edit_scene(1, director="Ada Marlow", title="Heron")
        yield made


@pytest.mark.parametrize("field", StashField)
def test_a_field_that_is_gone_costs_what_is_made_of_it(world: World, field: StashField) -> None:
    """And nothing else: the run ends well, and names each key with a word."""
    world.stash.facts.version = "v0.33.0"
    world.stash.facts.removed = frozenset({field})
    world.settings |= ON
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.OK, ran.summary.error
    named = {one.partition(" takes no part")[0] for one in ran.warnings if "takes no part" in one}
    assert named == COSTS[field]
    assert all(field in one for one in ran.warnings if "takes no part" in one)
    assert world.shown(world.key_of("1"), "title") == "Heron"


@pytest.mark.parametrize("asked", [False, True], ids=["gone", "asks for an argument"])
def test_what_no_option_needs_may_be_gone(world: World, asked: bool) -> None:
    """It is not asked for: no word, and as many requests as ever."""
    fields = frozenset({"Scene.director", "Performer.disambiguation"})
    if asked:
        world.stash.facts.asking = fields
    else:
        world.stash.facts.removed = fields
    ran = world.run()
    assert (ran.summary.exit_code, ran.warnings) == (ExitCode.OK, ())
    assert ran.summary.counts.applied == SCENES


def test_what_plex_has_of_a_lost_field_stays(world: World) -> None:
    """Also in a full run that would clear it; when Stash has the field again, all is as before."""
    world.settings["FIELDS__DIRECTORS"] = "overwrite"
    key = world.key_of("1")
    world.run()
    assert world.tags(key, "director") == ("Ada Marlow",)
    world.stash.facts.removed = frozenset({"Scene.director"})
    lost = world.run(FULL)
    assert (lost.summary.exit_code, lost.puts) == (ExitCode.OK, 0)
    assert world.tags(key, "director") == ("Ada Marlow",)
    world.stash.facts.removed = frozenset()
    world.stash.edit_scene(1, director="")
    world.wait(hours=1)
    world.run()
    assert world.tags(key, "director") == ()


def test_a_choice_by_what_is_gone_ends_the_run(world: World) -> None:
    """Scenes that lack a studio would take part: that is the configuration's, which is named."""
    world.stash.facts.removed = frozenset({"Scene.studio"})
    error = world.run(STASH__REQUIRED="studio").summary.error
    assert error is not None
    assert error.kind == "config"
    assert "depends on Scene.studio" in error.message
    assert "[stash] required" in error.hint
    assert world.plex_wire.counters.by_kind().get("plex.put", 0) == 0


@pytest.mark.parametrize(
    ("version", "removed", "words"),
    [
        ("v0.33.0", "Scene.files", "is newer than this plexsync"),
        ("v0.30.1", "Scene.files", "[stash] url"),
        ("v0.24.0", "", "upgrade Stash to v0.27.0 or newer"),
    ],
)
def test_what_every_run_needs_is_a_true_error(
    world: World, version: str, removed: str, words: str
) -> None:
    """A newer Stash is not called an older one; the run ends with 4, and so does the check-up."""
    world.stash.facts.version = version
    world.stash.facts.removed = frozenset({removed})
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.SERVER
    assert ran.summary.error is not None
    assert words in ran.summary.error.hint
    assert ("v0.27.0" in ran.summary.error.hint) == (version != "v0.33.0")


def test_the_check_up_asks_what_a_run_asks(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lost field is a warning that names its key; a lost scene ends with 4, as a run would."""
    for name, value in world.environ(FIELDS__DIRECTORS="overwrite").items():
        monkeypatch.setenv(name, value)
    for removed, level, code, word in (
        ("Scene.director", "warn", 0, "fields.directors"),
        ("Scene.files", "fail", 4, "files"),
    ):
        world.stash.facts.removed = frozenset({removed})
        assert run_command_line(["doctor", "--json"]) == code
        findings = json.loads(capsys.readouterr().out)["findings"]
        assert any(
            one["level"] == level and one["area"] == "Stash" and word in one["message"]
            for one in findings
        )


def test_the_check_up_reads_what_a_run_reads(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of question that fails for a run fails for the check-up."""
    for name, value in world.environ().items():
        monkeypatch.setenv(name, value)
    for query in ("Names", "Details", "Sweep", "Versions", "Uneven"):
        broken = Rewrite(lambda _: b'{"data": {}}')
        world.stash_wire.faults.add(
            Fault(
                "stash.graphql",
                1,
                broken,
                times=None,
                match=partial(_asks, query),
            )
        )
        assert run_command_line(["doctor", "--json"]) == ExitCode.SERVER, query
        capsys.readouterr()
        world.stash_wire.faults.clear()


def test_one_odd_row_of_the_dictionary_is_left_alone(world: World) -> None:
    """It counts as it was; the others' new names reach their scenes; a word says so."""
    tags = sorted({tag for scene in world.stash.scenes for tag in scene.tag_ids})
    odd, other = tags[0], tags[1]
    world.run()
    world.stash.edit_tag(other, name="Quite New")
    world.stash_wire.faults.add(
        Fault(
            "stash.graphql",
            1,
            Rewrite(lambda body: _spoiled(body, str(odd))),
            times=None,
            match=lambda one: b"PlexsyncNames" in one.body,
        )
    )
    ran = world.run()
    assert ran.summary.exit_code == ExitCode.OK
    assert [one for one in ran.warnings if f"tag {odd} of Stash cannot be read" in one]
    showing = [str(s.id) for s in world.stash.scenes if other in s.tag_ids]
    assert sorted(row.scene.id for row in ran.rows) == sorted(showing)
    assert "Quite New" in world.tags(world.key_of(showing[0]), "genre")


def _asks(query: str, request: SimRequest) -> bool:
    return re.search(rf"Plexsync{query}\b".encode(), request.body) is not None


def _spoiled(body: bytes, tag: str) -> bytes:
    """The dictionary with a number as the name of a tag."""
    answer = json.loads(body)
    for row in answer["data"]["findTags"]["rows"]:
        if row["id"] == tag:
            row["name"] = 7
    return json.dumps(answer).encode()
