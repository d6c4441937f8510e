"""What collections cost: requests to Plex for each of them, by collections and scenes.

    python -m benchmarks.collections [--sizes 25:5000 100:20000 500:100000] [--seed 1]

Every studio has as many scenes as the next one, details and a picture. Both simulated servers live
in this process, each run in one of its own; the libraries start in step, so that the first run only
links them. Then a full run without collections is compared with one that makes them all, and a run
with nothing new without them with the first and the second one after they were made.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.incremental import bench_of, in_step
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.simulators.library.records import StashStudio

if TYPE_CHECKING:
    from benchmarks.incremental import Bench
    from plexsync.simulators.library.records import Library

OFF = {"PLEXSYNC_FIELDS__STUDIO__COLLECTION": "false", "PLEXSYNC_FIELDS__POSTER": "off"}
ON = {"PLEXSYNC_COLLECTIONS__STUDIOS": "true"}


def shared_out(collections: int, scenes: int, seed: int) -> Library:
    """A library in step whose scenes are shared out among so many studios."""
    spec = LibrarySpec(seed=seed, scenes=scenes, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    library = make_library(spec)
    studios = tuple(
        StashStudio(number, f"Studio {number}", details=f"About {number}.", has_image=True)
        for number in range(1, collections + 1)
    )
    owned = tuple(
        replace(scene, studio_id=1 + at % collections)
        for at, scene in enumerate(library.stash.scenes)
    )
    found = in_step(replace(library, stash=replace(library.stash, scenes=owned, studios=studios)))
    videos = tuple(replace(video, collections=()) for video in found.plex.videos)
    return replace(found, plex=replace(found.plex, videos=videos))


def ran(bench: Bench, *, every: str, **settings: str) -> tuple[int, int]:
    """Plex requests and writes of one run with these settings, full ones being due so often."""
    bench.environ.update(settings, PLEXSYNC_RUN__FULL_EVERY=every)
    took = bench.measure()
    print(f"{took['plex']:>60,} requests in {took['wall_s']:.0f} s", file=sys.stderr, flush=True)
    return took["plex"], took["writes"]


def compare(collections: int, scenes: int, seed: int) -> None:
    """Print what collections cost at one size."""
    with bench_of(shared_out(collections, scenes, seed)) as bench:
        bench.environ.update(OFF)
        ran(bench, every="30d")
        idle_without, _ = ran(bench, every="30d")
        without, _ = ran(bench, every="0s")
        made, writes = ran(bench, every="0s", **ON)
        next_one, next_writes = ran(bench, every="30d")
        idle, idle_writes = ran(bench, every="30d")
        each = (made - without) / collections
        print(
            f"{collections:>11,}{scenes:>9,}{made - without:>10,}{writes:>8,}{each:>7.3f}"
            f"{next_one - idle_without:>11,}{next_writes:>8,}"
            f"{idle - idle_without:>13,}{idle_writes:>8,}",
            flush=True,
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["25:5000", "100:20000", "500:100000"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("collections   scenes  requests  writes   each  next: more  writes  after: more  writes")
    for size in options.sizes:
        collections, _, scenes = size.partition(":")
        compare(int(collections), int(scenes), options.seed)


if __name__ == "__main__":
    main()
