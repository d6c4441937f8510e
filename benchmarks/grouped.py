"""What one change of names on many scenes costs, against the fewest requests it could take.

    python -m benchmarks.grouped [--scenes 2000 20000] [--seed 1]

Every scene has the same two tags and the same performer, in different places among its others. Both
simulated servers live in this process, each run in one of its own; the libraries start in step, so
that the first run only links them. The floor is counted and timed: a read for 50 items before they
are written and one for 100 after, an edit for 100; and a bare `requests` loop that asks all that
plexsync asked once more, and throws the answers away.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import first_run
from benchmarks.incremental import Bench, bench_of, in_step
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.simulators.http.wire import SimRequest
    from plexsync.simulators.library.records import Library, StashScene

FIRST, SECOND = 1, 2
"""The ids of the tags all scenes have; the performer's is the first of them."""

_KEPT_HEADERS = ("accept", "content-type", "apikey", "x-plex-token", "accept-encoding")


@dataclass
class Record:
    """The requests of a run, as `benchmarks.first_run` asks them again."""

    asked: list[list[Any]] = field(default_factory=list)

    def listener(self, server: str) -> Callable[[SimRequest], None]:
        """What notes the requests of one server."""

        def note(request: SimRequest) -> None:
            headers = {
                name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers
            }
            body = request.body.decode() or None
            self.asked.append([request.method, server + request.target, headers, body])

        return note


def shared_library(scenes: int, seed: int) -> Library:
    """A library in step, all scenes of which have two tags and a performer in common."""
    spec = LibrarySpec(seed=seed, scenes=scenes, mix={Case.SAME: 1.0}, edited=0.0)
    library = make_library(spec)
    made = tuple(_sharing(scene, place) for place, scene in enumerate(library.stash.scenes))
    return in_step(replace(library, stash=replace(library.stash, scenes=made)))


def _sharing(scene: StashScene, place: int) -> StashScene:
    tags = [one for one in scene.tag_ids if one not in (FIRST, SECOND)]
    for tag in (FIRST, SECOND):
        tags.insert(place % (len(tags) + 1), tag)
    people = [one for one in scene.performer_ids if one != FIRST]
    people.insert(place % (len(people) + 1), FIRST)
    return replace(scene, tag_ids=tuple(tags), performer_ids=tuple(people))


def report(bench: Bench, record: Record, name: str, change: Callable[[], object]) -> None:
    """Change something a minute ago, and print what the next run costs."""
    bench.stash.clock = lambda: datetime.now(UTC) - timedelta(minutes=1)
    change()
    bench.stash.clock = lambda: datetime.now(UTC)
    record.asked.clear()
    took = bench.measure()
    kinds = bench.plex_wire.counters.by_kind()
    puts, reads = kinds.get("plex.put", 0), kinds.get("plex.detail", 0)
    due = took["due"]
    edits = ceil(due / 100) if took["writes"] else 0
    least = edits, ceil(due / 50) + edits
    assert puts <= 2 * edits, puts
    assert reads <= 2 * ceil(due / 50), reads
    with tempfile.TemporaryDirectory() as scratch:
        notes = Path(scratch) / "asked.json"
        notes.write_text(json.dumps(record.asked))
        bare = first_run.measure("--bare", str(notes))
    print(
        f"{due:>8,}  {name:24}{puts:>8,}{least[0]:>8,}{reads:>8,}{least[1]:>8,}"
        f"{took['stash']:>8,}{took['cpu_s']:>8.1f}{bare['cpu_s']:>8.2f}"
        f"{took['cpu_s'] / bare['cpu_s']:>8.1f}{took['wall_s']:>8.1f}",
        flush=True,
    )


def compare(scenes: int, seed: int) -> None:
    """Link a library, then print what each change costs."""
    record = Record()
    with bench_of(shared_library(scenes, seed)) as bench:
        bench.stash_wire.on_request = record.listener(bench.environ["PLEXSYNC_STASH__URL"])
        bench.plex_wire.on_request = record.listener(bench.environ["PLEXSYNC_PLEX__URL"])
        # A name has nothing to do with a poster, and the first run would upload them all.
        bench.environ["PLEXSYNC_FIELDS__POSTER"] = "off"
        # The library stays for good: no collection needs to look through it again.
        gc.collect()
        gc.freeze()
        stash = bench.stash
        report(bench, record, "nothing: the first run", lambda: None)
        report(bench, record, "a tag renamed", lambda: stash.edit_tag(FIRST, name="Tag Renamed"))
        report(
            bench,
            record,
            "a performer renamed",
            lambda: stash.edit_performer(FIRST, name="Person Renamed"),
        )

        def rename_both() -> None:
            stash.edit_tag(FIRST, name="Tag Once More")
            stash.edit_tag(SECOND, name="Other Tag Renamed")

        report(bench, record, "two tags renamed", rename_both)
        report(bench, record, "a tag removed", lambda: stash.delete_tag(SECOND))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(
        f"{'scenes':>8}  {'what changed':24}{'PUTs':>8}{'floor':>8}{'reads':>8}{'floor':>8}"
        f"{'Stash':>8}{'CPU s':>8}{'bare':>8}{'ratio':>8}{'wall s':>8}"
    )
    for scenes in options.scenes:
        compare(scenes, options.seed)


if __name__ == "__main__":
    main()
