"""A run that links everything leaves nothing for the next one like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.models import Outcome
from plexsync.plex.hash_cache import MOST_REQUESTS
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from tests.support.world import World

if TYPE_CHECKING:
    from pathlib import Path

FULL = RunOptions(full=True)


def test_a_second_full_run_writes_nothing_however_many_hashes_decide(tmp_path: Path) -> None:
    """Files with other names in Plex, which tells of one content hash at a time only."""
    many = MOST_REQUESTS + 10
    spec = LibrarySpec(seed=3, scenes=many, mix={Case.RENAMED: 1}, edited=0.0)
    settings = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"}
    for field in ("TITLE", "SUMMARY", "DATE", "STUDIO", "PERFORMERS", "TAGS", "POSTER"):
        settings[f"FIELDS__{field}"] = "off"
    settings["FIELDS__RATING"] = "overwrite"
    with World(make_library(spec), tmp_path, **settings) as world:
        world.plex.switches.multi_id_tree = False

        first = world.run()
        trees = world.plex_wire.counters.requests("plex.tree")

        assert trees > MOST_REQUESTS
        linked = {row.scene.id: row.item.rating_key for row in first.rows if row.item}
        for _ in range(2):
            ran = world.run(FULL)
            assert ran.puts == 0
            assert ran.count(Outcome.APPLIED) == 0
            assert {r.scene.id: r.item.rating_key for r in ran.rows if r.item} == linked
