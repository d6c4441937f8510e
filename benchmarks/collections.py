"""What collections cost: requests to Plex for each of them, by collections and scenes.

    python -m benchmarks.collections [--sizes 25:5000 100:20000 500:100000] [--seed 1]

Every studio has as many scenes as the next one, details and a picture, which is the dearest case.
Both simulated servers live in this process, each run in one of its own; the libraries start in
step, so that the first run links them, writes no item and makes all collections in the end. Counted
is every request from its list of collections on, and of the two runs after it those that are about
collections.
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
    from collections.abc import Sequence

    from benchmarks.incremental import Bench
    from plexsync.simulators.library.records import Library

SETTINGS = {
    "PLEXSYNC_FIELDS__STUDIO__COLLECTION": "false",
    "PLEXSYNC_FIELDS__POSTER": "off",
    "PLEXSYNC_COLLECTIONS__STUDIOS": "true",
}

_LISTING = "type=18"
"""In the address of a list of collections."""


def shared_out(collections: int, scenes: int, seed: int) -> Library:
    """A library in step, with its scenes shared out among so many studios."""
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


def ran(bench: Bench) -> tuple[str, ...]:
    """The requests of one run to Plex, in order."""
    took = bench.measure()
    targets = bench.plex_wire.counters.targets
    print(f"{len(targets):>60,} requests in {took['wall_s']:.0f} s", file=sys.stderr, flush=True)
    return targets


def of_collections(targets: Sequence[str]) -> list[str]:
    """Those that are about collections as such."""
    return [one for one in targets if _LISTING in one or one.startswith("/library/collections")]


def compare(collections: int, scenes: int, seed: int) -> None:
    """Print what collections cost at one size."""
    with bench_of(shared_out(collections, scenes, seed), keep_targets=True) as bench:
        bench.environ.update(SETTINGS)
        targets = ran(bench)
        start = next(at for at, one in enumerate(targets) if _LISTING in one)
        requests = len(targets) - start
        made = len(bench.plex.collections.dump())
        later = [of_collections(ran(bench)) for _ in range(2)]
        print(
            f"{made:>11,}{scenes:>9,}{requests:>10,}{requests / collections:>7.3f}"
            f"{len(later[0]):>10,}{len(later[1]):>10,}",
            flush=True,
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["25:5000", "100:20000", "500:100000"])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("collections   scenes  requests   each  next run     after")
    for size in options.sizes:
        collections, _, scenes = size.partition(":")
        compare(int(collections), int(scenes), options.seed)


if __name__ == "__main__":
    main()
