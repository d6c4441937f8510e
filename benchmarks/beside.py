"""plexsync beside the loop a script author writes with plexapi, on the same library.

    python -m benchmarks.beside [--scenes 1000] [--seed 1]

The loop reads all scenes from Stash in one query and all items with `section.all()`, finds each
scene's item by its path, compares title, summary, date, studio and tags, and edits what differs,
one edit an item. It remembers nothing, matches nothing but equal paths, reads nothing back, and
cannot be undone. Each has servers of its own. Printed are requests, CPU and peak memory of a first
sync, of a run that finds nothing to do, and of one after a single edit in Stash.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from plexapi.server import PlexServer

from benchmarks.against import Cost, compile_tree, run_in, spend
from benchmarks.incremental import bench_of
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library

if TYPE_CHECKING:
    from typing import Any

    from benchmarks.incremental import Bench

_QUERY = """{ findScenes(filter: {per_page: -1}) { scenes {
  title details date studio { name } tags { name } files { path } } } }"""


def loop() -> None:
    """Do what such a script does."""
    environ = os.environ
    answer = requests.post(
        f"{environ['PLEXSYNC_STASH__URL']}/graphql",
        json={"query": _QUERY},
        headers={"ApiKey": environ["PLEXSYNC_STASH__API_KEY"]},
        timeout=300,
    )
    server = PlexServer(  # type: ignore[no-untyped-call]  # plexapi has no types
        environ["PLEXSYNC_PLEX__URL"], environ["PLEXSYNC_PLEX__TOKEN"]
    )
    items = {
        part.file: item
        for section in server.library.sections()
        if section.type == "movie"
        for item in section.all()
        for media in item.media
        for part in media.parts
    }
    for scene in answer.json()["data"]["findScenes"]["scenes"]:
        for file in scene["files"]:
            item = items.get(file["path"].replace("/data/", "/media/", 1))
            if item is not None:
                edit(item, scene)


def edit(item: Any, scene: dict[str, Any]) -> None:  # noqa: ANN401 - plexapi is untyped
    """Edit what differs, in one request."""
    tags = [tag["name"] for tag in scene["tags"]]
    studio = (scene["studio"] or {}).get("name", "")
    shown = str(item.originallyAvailableAt or "")[:10]
    new = [tag for tag in tags if tag not in {genre.tag for genre in item.genres}]
    batch = item.batchEdits()
    differs = bool(new)
    if new:
        batch.addGenre(new)
    if scene["title"] and scene["title"] != item.title:
        batch.editTitle(scene["title"])
        differs = True
    if scene["details"] and scene["details"] != item.summary:
        batch.editSummary(scene["details"])
        differs = True
    if studio and studio != item.studio:
        batch.editStudio(studio)
        differs = True
    if scene["date"] and scene["date"] != shown:
        batch.editOriginallyAvailable(scene["date"])
        differs = True
    if differs:
        batch.saveEdits()


def run_loop(bench: Bench) -> Cost:
    """Run the loop in a process of its own."""
    return spend([sys.executable, "-m", "benchmarks.beside", "--loop"], bench, Path.cwd())


def show(title: str, ours: Cost, loops: Cost) -> None:
    """Print one line for each."""
    for name, cost in (("plexsync", ours), ("loop", loops)):
        print(
            f"{title:22}{name:10}{cost.stash:8,}{cost.plex:8,}{cost.writes:8,}{cost.cpu_s:9.2f}"
            f"{cost.peak_bytes / 1e6:8.0f}",
            flush=True,
        )


def compare(scenes: int, seed: int) -> None:
    """Run both, three times."""
    here = Path(__file__).parents[1]
    compile_tree(here)
    spec = LibrarySpec(seed=seed, scenes=scenes, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    library = make_library(spec)
    print(f"{'':32}{'Stash':>8}{'Plex':>8}{'writes':>8}{'CPU s':>9}{'MB':>8}")
    with bench_of(library) as ours, bench_of(library) as theirs:
        for bench in (ours, theirs):
            bench.environ |= {"PLEXSYNC_FIELDS__POSTER": "off", "PLEXSYNC_PATHS": "/data/=/media/"}
        command = ("run", "-q", "--force")
        show("first sync", run_in(here, ours, command), run_loop(theirs))
        run_in(here, ours, command)
        show("nothing to do", run_in(here, ours, command), run_loop(theirs))
        for bench in (ours, theirs):
            bench.stash.clock = lambda: datetime.now(UTC) - timedelta(minutes=1)
            bench.stash.edit_scene(7, title="Another Title")
        show("one scene edited", run_in(here, ours, command), run_loop(theirs))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loop", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        loop()
    else:
        compare(options.scenes, options.seed)


if __name__ == "__main__":
    main()
