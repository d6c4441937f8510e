"""What this version costs beside an earlier one, job by job, on the same libraries.

    python -m benchmarks.against REVISION [--scenes 10000] [--seed 1] [--jobs first,idle]

Each version has servers of its own in this process and runs as a user's command in a process of its
own, the two in turn. Printed for each job: CPU seconds (the interpreter's start included), peak
memory, requests and writes of both, and the ratios, now to then.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.incremental import Bench, bench_of, in_step, with_crowds
from plexsync.simulators.library.pairs import LibrarySpec, make_library

if TYPE_CHECKING:
    from collections.abc import Callable


_HERE = Path(__file__).parents[1]
_ACCEPTED: frozenset[int] = frozenset({0, 10, 11})
_WRITES = tuple(f"plex.{kind}" for kind in ("put", "rate", "upload", "select", "unselect"))
_PROGRAM = """
import re, runpy, sys
from pathlib import Path
report = Path(sys.argv.pop(1))
try:
    runpy.run_module("plexsync", run_name="__main__")
finally:
    status = Path("/proc/self/status").read_text()
    report.write_text(re.search(r"VmHWM:\\s*(\\d+)", status).group(1))
"""
"""Runs the program and notes its peak memory in KiB. The operating system's own figure for a child
includes the memory of the process that started it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one command took: seconds of CPU, bytes of memory at the peak, requests."""

    cpu_s: float
    peak_bytes: int
    stash: int
    plex: int
    writes: int


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of run: its name, what changes before it, its command."""

    name: str
    title: str
    change: Callable[[Bench], object]
    arguments: tuple[str, ...]


def run_in(checkout: Path, bench: Bench, arguments: tuple[str, ...]) -> Cost:
    """Run one command of the version in `checkout` against the servers of `bench`."""
    peak = Path(bench.environ["PLEXSYNC_STATE_DIR"]).with_name("peak")
    command = [sys.executable, "-c", _PROGRAM, str(peak), *arguments]
    cost = spend(command, bench, checkout)
    return replace(cost, peak_bytes=int(peak.read_text()) * 1024)


def spend(command: list[str], bench: Bench, checkout: Path) -> Cost:
    """Run a command against the servers of `bench`.

    Its peak memory is the operating system's figure, which is at least that of this process when
    it began, and so says little where this one is large.
    """
    for wire in (bench.stash_wire, bench.plex_wire):
        wire.counters.clear()
    child = subprocess.Popen(
        command,
        cwd=checkout,
        env={**os.environ, **bench.environ, "PYTHONPATH": str(checkout)},
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = code = os.waitstatus_to_exitcode(status)
    assert code in _ACCEPTED, f"{' '.join(command[-4:])} in {checkout} ended in {code}"
    return Cost(
        cpu_s=used.ru_utime + used.ru_stime,
        peak_bytes=used.ru_maxrss * 1024,
        stash=bench.stash_wire.counters.requests(),
        plex=bench.plex_wire.counters.requests(),
        writes=sum(map(bench.plex_wire.counters.requests, _WRITES)),
    )


def check_out(revision: str, folder: Path) -> Path:
    """Unpack the tree of `revision` into `folder`, compiled."""
    packed = folder / "then.tar"
    git = ["git", "-C", str(_HERE), "archive", "--output", str(packed), revision, "plexsync"]
    subprocess.run(git, check=True)
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder


def compile_tree(checkout: Path) -> None:
    """Write bytecode files, also of what is installed, so that no run pays for compiling."""
    places = (str(checkout / "plexsync"), sysconfig.get_path("purelib"))
    subprocess.run([sys.executable, "-m", "compileall", "-q", *places], check=True)


def jobs(crowd_tag: int) -> list[Job]:
    """Every kind of run, in the order in which they are measured."""
    return [
        Job("dry", "first dry run", _nothing, ("run", "-n", "-q")),
        Job("first", "first run", _nothing, ("run", "-q", "--force")),
        Job("again", "nothing, right after", _nothing, ("run", "-q")),
        Job("idle", "nothing changed", _nothing, ("run", "-q")),
        Job("one", "one scene edited", lambda b: b.stash.edit_scene(7, title="New"), ("run", "-q")),
        Job("full", "--full, nothing changed", _nothing, ("run", "-q", "--full", "--force")),
        Job("full2", "--full again", _nothing, ("run", "-q", "--full", "--force")),
        Job(
            "tag",
            "a tag of many renamed",
            lambda b: b.stash.edit_tag(crowd_tag, name="Another Tag"),
            ("run", "-q", "--force"),
        ),
        Job("covers", "all covers regenerated", lambda b: b.stash.generate_covers(), ("run", "-q")),
        Job("status", "status", _nothing, ("status",)),
        Job("history", "history", _nothing, ("history",)),
        Job("help", "--help", _nothing, ("--help",)),
    ]


def _nothing(_bench: Bench) -> None:
    """Change nothing."""


def measure(job: Job, bench: Bench, checkout: Path) -> Cost:
    """Change what the job changes, a minute ago by Stash's clock, and run."""
    bench.stash.clock = lambda: datetime.now(UTC) - timedelta(minutes=1)
    job.change(bench)
    bench.stash.clock = lambda: datetime.now(UTC)
    return run_in(checkout, bench, job.arguments)


def show(job: Job, now: Cost, then: Cost) -> None:
    """Print one line: figures of both, and the ratio of CPU and memory."""
    print(
        f"{job.title:26}{then.cpu_s:9.2f}{now.cpu_s:9.2f}{now.cpu_s / then.cpu_s:7.2f}"
        f"{then.peak_bytes / 1e6:8.0f}{now.peak_bytes / 1e6:8.0f}"
        f"{now.peak_bytes / then.peak_bytes:7.2f}"
        f"{then.stash:8,}{now.stash:8,}{then.plex:8,}{now.plex:8,}{then.writes:8,}{now.writes:8,}",
        flush=True,
    )


def compare(revision: str, scenes: int, seed: int, names: frozenset[str]) -> None:
    """Run every job with both versions and print what each took."""
    library, crowds = with_crowds(make_library(LibrarySpec(seed=seed, scenes=scenes, edited=0.0)))
    library = in_step(library)
    print(
        f"{scenes:,} scenes, then = {revision}\n"
        f"{'job':26}{'CPU then':>9}{'now':>9}{'ratio':>7}{'MB then':>8}{'now':>8}{'ratio':>7}"
        f"{'Stash':>8}{'now':>8}{'Plex':>8}{'now':>8}{'writes':>8}{'now':>8}"
    )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        versions = (check_out(revision, folder), _HERE)
        benches = [stack.enter_context(bench_of(library)) for _ in versions]
        for version in versions:
            compile_tree(version)
        for job in jobs(crowds.tag):
            then, now = (
                measure(job, bench, checkout)
                for bench, checkout in zip(benches, versions, strict=True)
            )
            if not names or job.name in names:
                show(job, now, then)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", help="the version to compare with")
    parser.add_argument("--scenes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", default="", help="names of the jobs to show; all of them run")
    options = parser.parse_args()
    names = frozenset(filter(None, options.jobs.split(",")))
    compare(options.revision, options.scenes, options.seed, names)


if __name__ == "__main__":
    main()
