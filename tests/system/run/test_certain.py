"""What is certain, over HTTP: hashes read on, places learned, libraries by their exact titles."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.models import Confidence
from plexsync.simulators.library.cases import Case
from plexsync.simulators.library.pairs import Library, LibrarySpec, make_library
from plexsync.simulators.library.records import PlexLibrarySection
from plexsync.sync.ports import RunOptions
from tests.support.commands import run_command
from tests.support.terminals import run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

RENAMED = 205
"""More than a dry run asks for where Plex answers for one item at a time: 200 requests."""
DRY = RunOptions(dry_run=True)


def test_hashes_are_read_on_until_all_scenes_are_settled(tmp_path: Path) -> None:
    """A dry run stops at its budget and says so, a real one goes on, and then all is quiet."""
    spec = LibrarySpec(
        seed=3, scenes=RENAMED, mix={Case.RENAMED: 1}, hashed=1.0, extra_items=0.0, edited=0.0
    )
    with World(make_library(spec), tmp_path, FIELDS__TITLE="off") as world:
        world.plex.switches.multi_id_tree = False
        first = world.run(DRY)
        waiting = [row for row in first.rows if row.confidence is Confidence.LOW]
        assert 0 < len(waiting) < RENAMED / 2
        assert all("content hash was not read yet" in row.reason for row in waiting)
        world.plex_wire.counters.clear()
        second = run_command(world)
        assert {row["confidence"] for row in second.rows} == {"HIGH"}
        assert 0 < world.plex_wire.counters.requests("plex.tree") < RENAMED
        world.plex_wire.counters.clear()
        third = run_command(world)
        assert (third.rows, third.writes) == ((), 0)
        assert "plex.tree" not in world.plex_wire.counters.by_kind()


def test_a_learned_place_is_named_in_the_summary(tmp_path: Path) -> None:
    """In JSON as well; where a rule is configured nothing is learned."""
    spec = LibrarySpec(seed=4, scenes=30, mix={Case.SAME: 1}, edited=0.0)
    with World(make_library(spec), tmp_path) as world:
        shown = run_plexsync(["run", "-n", "--json"], world.environ())
        (rule,) = json.loads(shown.out)["learned_rules"]
        assert rule == {"stash": "/data/", "plex": "/media/", "explains": 30, "certain": 30}
        seen = run_plexsync(["run", "-n"], world.environ(), terminals=["stdout"], width=120)
        assert "/data/ -> /media/  # fits 30 files" in seen.out
        assert world.run(DRY, PATHS="/data/=/media/").summary.learned_rules == ()


# ---- Libraries of nearly the same title ----------------------------------------------------------


def _twins(*titles: str) -> Library:
    """Libraries of these titles, with a movie each."""
    spec = LibrarySpec(seed=6, scenes=len(titles), mix={Case.SAME: 1}, extra_items=0.0, edited=0.0)
    made = make_library(spec)
    sections = tuple(
        PlexLibrarySection(number, title, ("/media",), uuid=f"twin-{number}")
        for number, title in enumerate(titles, start=1)
    )
    videos = tuple(
        replace(video, section_id=section.id)
        for video, section in zip(made.plex.videos, sections, strict=True)
    )
    return replace(made, plex=replace(made.plex, sections=sections, videos=videos))


def _written(world: World, tmp_path: Path, libraries: str) -> tuple[int, set[str], str]:
    """Run through the command line with a configuration file: exit code, libraries, errors."""
    config = tmp_path / "config.toml"
    config.write_text(f"[plex]\nlibraries = [{libraries}]\n", encoding="utf-8")
    done = run_plexsync(["--config", str(config), "run", "--json"], world.environ())
    rows = json.loads(done.out).get("matches", [])
    found = {row["item"]["library"] for row in rows if row["outcome"] == "applied"}
    return done.code, found, done.err + done.out


@pytest.mark.parametrize(
    ("libraries", "written"),
    [('" Movies"', " Movies"), ('"Movies"', "Movies"), ('"2"', " Movies"), ('" MOVIES "', None)],
    ids=["exact with a blank", "exact", "id", "folded to two"],
)
def test_the_exact_title_of_a_library_wins(
    libraries: str, written: str | None, tmp_path: Path
) -> None:
    """Case F1: a title that differs by a blank is another library; two that fit are an error."""
    with World(_twins("Movies", " Movies"), tmp_path) as world:
        code, found, printed = _written(world, tmp_path, libraries)
        if written is None:
            assert (code, found) == (ExitCode.ACCESS, set())
            assert "'Movies' with id 1 and ' Movies' with id 2" in printed
        else:
            assert (code, found) == (0, {written})


# ---- Quiet after the first run -------------------------------------------------------------------


def test_low_matches_do_not_grow_over_repeated_runs(tmp_path: Path) -> None:
    """An item that another scene holds is none to ask a person about."""
    spec = LibrarySpec(seed=8, scenes=120, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as world:
        first = run_command(world, "--full")
        low = {row["scene"]["id"] for row in first.rows if row["outcome"] == "review"}
        assert low
        for _ in range(3):
            again = run_command(world, "--full")
            assert {r["scene"]["id"] for r in again.rows if r["outcome"] == "review"} <= low
            assert again.writes == 0
