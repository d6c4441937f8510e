"""What a run costs after the first one, by what changed.

    python -m benchmarks.incremental [--scenes 100000] [--small 10000] [--seed 1]

Both simulated servers live in this process, each run in one of its own. The libraries start in
step, so the first run only links them. Printed for each change: requests and megabytes by server,
writes, and the CPU seconds of the run's process, the interpreter's start included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexsync.output.streams import Reporter
from plexsync.simulators.http.wire import Counters, Faults, LoopbackServer, Wired
from plexsync.simulators.library.pairs import LibrarySpec, make_library
from plexsync.simulators.plex.simulator import PlexSimulator
from plexsync.simulators.stash.simulator import StashSimulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plexsync.simulators.http.wire import Simulator
    from plexsync.simulators.library.records import Library, PlexVideo, StashScene

_WORN_BY_SOME, _WORN_BY_MANY, _FOLDER = 300, 5000, 1000
"""Scenes of the performer that is renamed, of the tag that is merged, files of the folder that is
moved; never more than a tenth of the library."""


class Silent(Reporter):
    """A reporter that tells nobody but of warnings."""

    def warn(self, message: str) -> None:
        """Print it, because it may spoil the figures."""
        print(message, file=sys.stderr)


def run_plexsync() -> None:
    """One run, configured by the environment; prints what it took as JSON."""
    from plexsync.app.runs import open_ports, uncollected
    from plexsync.config.loader import load_config
    from plexsync.sync.ports import RunOptions
    from plexsync.sync.reconcile import run

    config = load_config(None, os.environ, home=Path.home())
    wall = time.perf_counter()
    reporter = Silent()
    with uncollected(), open_ports(config, os.environ, reporter.warn, read_only=False) as ports:
        summary = run(config, RunOptions(force=True), ports, reporter)
    took = {
        "cpu_s": time.process_time(),
        "wall_s": time.perf_counter() - wall,
        "exit_code": int(summary.exit_code),
        "due": summary.counts.scenes_due,
        "writes": summary.requests.plex_writes,
    }
    print(json.dumps(took))


@dataclass
class Bench:
    """Two servers in step, and a state directory."""

    library: Library
    stash: StashSimulator
    plex: PlexSimulator
    stash_wire: Wired
    plex_wire: Wired
    environ: dict[str, str]

    def measure(self) -> dict[str, Any]:
        """One run in a process of its own."""
        self.stash_wire.counters.clear()
        self.plex_wire.counters.clear()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.incremental", "--plexsync"],
            check=True,
            stdout=subprocess.PIPE,
            env={**os.environ, **self.environ},
        )
        took: dict[str, Any] = json.loads(done.stdout)
        assert took["exit_code"] == 0, took
        for name, wire in (("stash", self.stash_wire), ("plex", self.plex_wire)):
            took[name] = wire.counters.requests()
            took[f"{name}_mb"] = wire.counters.bytes_out() / 1e6
        return took

    def report(self, name: str, change: Callable[[], object]) -> None:
        """Change something a minute ago, and print what the next run costs."""
        self.stash.clock = lambda: datetime.now(UTC) - timedelta(minutes=1)
        change()
        self.stash.clock = lambda: datetime.now(UTC)
        took = self.measure()
        print(
            f"{len(self.library.stash.scenes):>8,}  {name:38}{took['due']:>8,}{took['stash']:>8,}"
            f"{took['stash_mb']:>8.1f}{took['plex'] - took['writes']:>8,}{took['plex_mb']:>8.1f}"
            f"{took['writes']:>8,}{took['cpu_s']:>8.1f}",
            flush=True,
        )


@dataclass(frozen=True)
class Crowds:
    """The performer and the tag that many scenes have, and how many."""

    performer: int
    scenes_of_performer: int
    tag: int
    scenes_of_tag: int


def with_crowds(library: Library) -> tuple[Library, Crowds]:
    """The same with a performer and a tag on as many scenes as are to be measured."""
    stash = library.stash
    tenth = len(stash.scenes) // 10
    some, many = min(_WORN_BY_SOME, tenth), min(_WORN_BY_MANY, tenth)
    person = replace(stash.performers[-1], id=stash.performers[-1].id + 1, name="Of Some Scenes")
    tag = replace(stash.tags[-1], id=stash.tags[-1].id + 1, name="Of Many Scenes")
    scenes = list(stash.scenes)
    for at in _spread(len(scenes), some):
        people = (*scenes[at].performer_ids, person.id)
        scenes[at] = replace(scenes[at], performer_ids=people)
    for at in _spread(len(scenes), many):
        scenes[at] = replace(scenes[at], tag_ids=(*scenes[at].tag_ids, tag.id))
    crowded = replace(
        stash,
        scenes=tuple(scenes),
        performers=(*stash.performers, person),
        tags=(*stash.tags, tag),
    )
    return replace(library, stash=crowded), Crowds(person.id, some, tag.id, many)


def _spread(length: int, count: int) -> range:
    """`count` places, evenly apart."""
    return range(0, count * (length // count), length // count)


def in_step(library: Library) -> Library:
    """The same with a Plex that shows what Stash says."""
    stash = library.stash
    names = {
        kind: {row.id: row.name for row in rows}
        for kind, rows in (
            ("tag", stash.tags),
            ("performer", stash.performers),
            ("studio", stash.studios),
        )
    }
    owners = {key: s for s in stash.scenes for key in library.truth.get(str(s.id), ())}
    videos = tuple(
        _shown(video, owners[str(video.rating_key)], names)
        if str(video.rating_key) in owners
        else video
        for video in library.plex.videos
    )
    return replace(library, plex=replace(library.plex, videos=videos))


def _shown(video: PlexVideo, scene: StashScene, names: dict[str, dict[int, str]]) -> PlexVideo:
    studio = names["studio"].get(scene.studio_id or 0, "")
    return replace(
        video,
        title=scene.title.strip() or video.title,
        summary=scene.details.strip() or video.summary,
        studio=studio or video.studio,
        originally_available_at=_day(scene.date or "") or video.originally_available_at,
        genres=tuple(names["tag"][one] for one in scene.tag_ids),
        actors=tuple((names["performer"][one], "") for one in scene.performer_ids),
        collections=(studio,) if studio else (),
    )


def _day(date: str) -> str:
    return date and f"{date}-01-01"[:10]


def folder_to_move(stash: StashSimulator) -> tuple[str, list[int]]:
    """The folder with about as many files as wanted, and the scenes in it."""
    folders = Counter(
        parent
        for scene in stash.scenes
        for path in stash.paths(scene.id)[:1]
        for parent in _parents(path)
    )
    wanted = min(_FOLDER, len(stash.scenes.ids) // 10)
    folder = min(folders, key=lambda one: abs(folders[one] - wanted))
    inside = [
        s.id for s in stash.scenes if any(p.startswith(f"{folder}/") for p in stash.paths(s.id))
    ]
    return folder, inside


def move_folder(bench: Bench, folder: str, inside: list[int]) -> None:
    """A folder moves with all that is in it, and both servers notice."""
    dump = bench.plex.dump()
    for scene_id in inside:
        for key in bench.library.truth.get(str(scene_id), ()):
            files = dump[key]["files"]
            if len(files) == 1 and not dump[key]["trashed"]:
                head, _, name = files[0].rpartition("/")
                bench.plex.move_file(key, f"{head}-moved/{name}")
    bench.stash.rename_folder(folder, f"{folder}-moved")
    for section in bench.library.plex.sections:
        bench.plex.set_refreshing(section.id, refreshing=False)


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(2, len(parts))]


@contextmanager
def bench_of(
    library: Library,
    *,
    keep_targets: bool = False,
    served: Callable[[StashSimulator, PlexSimulator], Sequence[Simulator]] = lambda *both: both,
) -> Iterator[Bench]:
    """The servers of a library, and a state directory for the runs.

    `served` says what answers for the two simulators, if not they themselves.
    """
    stash, plex = StashSimulator(library, api_key="key"), PlexSimulator(library)
    wires = [
        Wired(one, Faults(), Counters(keep_targets=keep_targets)) for one in served(stash, plex)
    ]
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        servers = [stack.enter_context(LoopbackServer(wire)) for wire in wires]
        environ = {
            "PLEXSYNC_STASH__URL": servers[0].url,
            "PLEXSYNC_STASH__API_KEY": "key",
            "PLEXSYNC_PLEX__URL": servers[1].url,
            "PLEXSYNC_PLEX__TOKEN": plex.token,
            "PLEXSYNC_PATHS": ",".join(f"{ours}={theirs}" for ours, theirs in library.path_rules),
            "PLEXSYNC_STATE_DIR": f"{scratch}/state",
            "CACHE_DIRECTORY": f"{scratch}/cache",
        }
        yield Bench(library, stash, plex, wires[0], wires[1], environ)


def compare(scenes: int, seed: int, *, all_changes: bool) -> None:
    """Make two libraries, link them, and print what each change costs."""
    library, crowds = with_crowds(make_library(LibrarySpec(seed=seed, scenes=scenes, edited=0.0)))
    library = in_step(library)
    with bench_of(library) as bench:
        stash = bench.stash
        bench.report("the first run", lambda: None)
        bench.report("nothing, right after", lambda: None)
        bench.report("nothing", lambda: None)
        bench.report("one scene edited", lambda: stash.edit_scene(7, title="Another Title"))
        if not all_changes:
            return
        bench.report(
            f"a performer of {crowds.scenes_of_performer:,} renamed",
            lambda: stash.edit_performer(crowds.performer, name="Another Name"),
        )
        target = stash.add_tag("Merged Into")
        bench.report(
            f"a tag of {crowds.scenes_of_tag:,} merged",
            lambda: stash.merge_tags([crowds.tag], target),
        )
        folder, inside = folder_to_move(stash)
        bench.report(
            f"a folder of {len(inside):,} moved", lambda: move_folder(bench, folder, inside)
        )
        bench.report("all covers generated", stash.generate_covers)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plexsync", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plexsync:
        run_plexsync()
        return
    print(
        f"{'scenes':>8}  {'what changed':38}{'due':>8}{'Stash':>8}{'MB':>8}{'Plex':>8}{'MB':>8}"
        f"{'writes':>8}{'CPU s':>8}"
    )
    compare(options.small, options.seed, all_changes=False)
    compare(options.scenes, options.seed, all_changes=True)


if __name__ == "__main__":
    main()
