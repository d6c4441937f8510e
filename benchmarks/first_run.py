"""The first dry run over a whole library, against merely downloading the same bytes.

    python -m benchmarks.first_run [--scenes 100000] [--seed 1]

Three processes: the simulators; plexsync, which records what it asks; and a bare `requests` loop
that asks just the same and throws the answers away. What is printed is plexsync's CPU and wall
time as a ratio to the bare loop's, its CPU by phase, and peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from plexsync.output.streams import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.models import MatchRow, RunHeader, RunSummary

_KEPT_HEADERS = ("Accept", "Content-Type", "ApiKey", "X-Plex-Token", "Accept-Encoding")


@dataclass
class Phases(Reporter):
    """A reporter that notes CPU and memory whenever another phase begins."""

    marks: list[tuple[str, float, float, int]] = field(default_factory=list)
    rows: int = 0
    planned: int = 0
    summary: RunSummary | None = None

    def mark(self, phase: str) -> None:
        """Note where we are, unless the phase is the same."""
        if not self.marks or self.marks[-1][0] != phase:
            self.marks.append((phase, time.process_time(), time.perf_counter(), peak_bytes()))

    def started(self, _header: RunHeader) -> None:
        """Both servers answered."""
        self.mark("connected")

    def progress(self, phase: str, _done: int, _total: int | None) -> None:
        """Another phase, or the same."""
        self.mark(phase)

    def row(self, row: MatchRow) -> None:
        """Counted."""
        self.rows += 1
        self.planned += row.outcome == "planned"

    def warn(self, message: str) -> None:
        """Print it, because a retry would spoil the figures."""
        print(message, file=sys.stderr)

    def finished(self, summary: RunSummary) -> None:
        """The end."""
        self.mark("end")
        self.summary = summary


class Recording(HTTPAdapter):
    """Notes every request, as little as is needed to ask it again."""

    def __init__(self, notes: list[list[Any]]) -> None:
        super().__init__(pool_maxsize=4)
        self._notes = notes

    def send(  # type: ignore[override]  # the arguments are passed on as they come
        self,
        request: requests.PreparedRequest,
        **kwargs: Any,  # noqa: ANN401 - passed on
    ) -> requests.Response:
        """Note it and send it."""
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        body = request.body.decode() if isinstance(request.body, bytes) else request.body
        self._notes.append([request.method, request.url, headers, body])
        return super().send(request, **kwargs)


def peak_bytes() -> int:
    """The most memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def run_plexsync(servers: dict[str, str], notes: Path) -> None:
    """One dry run; prints what it took as JSON and leaves its requests in `notes`."""
    from plexsync.config.loader import load_config
    from plexsync.models import Requests
    from plexsync.plex.client import PlexClient
    from plexsync.plex.connection import plex_headers
    from plexsync.stash_client import StashClient
    from plexsync.sync.ports import Ports, RunOptions
    from plexsync.sync.reconcile import run
    from plexsync.transport.client import Transport

    asked: list[list[Any]] = []
    phases = Phases()
    wall = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        config = load_config(
            None,
            {
                "PLEXSYNC_STASH__URL": servers["stash"],
                "PLEXSYNC_STASH__API_KEY": servers["api_key"],
                "PLEXSYNC_PLEX__URL": servers["plex"],
                "PLEXSYNC_PLEX__TOKEN": servers["token"],
            },
            home=Path(scratch),
        )
        stash = Transport(
            config.stash.url,
            name="Stash",
            headers={"ApiKey": servers["api_key"]},
            secrets=(servers["api_key"],),
            adapter=Recording(asked),
        )
        plex = Transport(
            config.plex.url,
            name="Plex",
            headers=plex_headers("benchmark", servers["token"]),
            secrets=(servers["token"],),
            adapter=Recording(asked),
        )
        ports = Ports(
            stash=StashClient(stash, url=config.stash.url),
            plex=PlexClient(plex, url=config.plex.url),
            requests=Requests,
            plex_down=lambda: plex.down,
            state_dir=Path(scratch) / "state",
            cache_dir=Path(scratch) / "cache",
            now=lambda: datetime.now(UTC),
            should_stop=lambda: False,
            run_id="20261122T000000Z-0000",
        )
        summary = run(config, RunOptions(dry_run=True), ports, phases)
    took = {
        "cpu_s": time.process_time(),
        "wall_s": time.perf_counter() - wall,
        "peak_bytes": peak_bytes(),
        "exit_code": int(summary.exit_code),
        "rows": phases.rows,
        "planned": phases.planned,
        "marks": phases.marks,
    }
    notes.write_text(json.dumps(asked))
    print(json.dumps(took))


def run_bare(notes: Path) -> None:
    """Ask the same again and drop the answers; prints what it took as JSON."""
    asked = json.loads(notes.read_text())
    session = requests.Session()
    session.trust_env = False
    size = 0
    cpu, wall = time.process_time(), time.perf_counter()
    for method, url, headers, body in asked:
        size += len(session.request(method, url, headers=headers, data=body).content)
    took = {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "requests": len(asked),
        "bytes": size,
    }
    print(json.dumps(took))


@contextmanager
def simulators(scenes: int, seed: int) -> Iterator[dict[str, str]]:
    """Both simulators in a process of their own."""
    command = [sys.executable, "-m", "plexsync.simulators"]
    command += ["--scenes", str(scenes), "--seed", str(seed)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield json.loads(child.stdout.readline())
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()


def measure(*arguments: str) -> dict[str, Any]:
    """One child of this script; what it printed."""
    command = [sys.executable, "-m", "benchmarks.first_run", *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plexsync", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plexsync:
        run_plexsync(json.loads(options.plexsync[0]), Path(options.plexsync[1]))
    elif options.bare:
        run_bare(Path(options.bare))
    else:
        compare(options.scenes, options.seed)


def compare(scenes: int, seed: int) -> None:
    """Run both, twice, because the first time the simulators still render."""
    with simulators(scenes, seed) as servers, tempfile.TemporaryDirectory() as scratch:
        notes = Path(scratch) / "asked.json"
        address = json.dumps(servers)
        measure("--plexsync", address, str(notes))
        measure("--bare", str(notes))
        ours = measure("--plexsync", address, str(notes))
        bare = measure("--bare", str(notes))
    show(scenes, ours, bare)


def show(scenes: int, ours: dict[str, Any], bare: dict[str, Any]) -> None:
    """Print the figures."""
    assert ours["exit_code"] == 0, ours
    assert ours["planned"] > scenes / 2, ours
    print(f"first dry run, {scenes:,} scenes: {ours['rows']:,} rows, {ours['planned']:,} planned")
    print(f"bare download: {bare['requests']:,} requests, {bare['bytes'] / 1e6:,.0f} MB")
    print(f"{'':24}{'plexsync':>10}{'bare':>10}{'ratio':>8}")
    for name in ("cpu_s", "wall_s"):
        ratio = ours[name] / bare[name]
        print(f"{name:24}{ours[name]:10.2f}{bare[name]:10.2f}{ratio:8.2f}")
    print(f"peak memory             {ours['peak_bytes'] / 1e6:10.0f} MB")
    marks = ours["marks"]
    print(f"\n{'phase':24}{'cpu_s':>10}{'of bare':>10}{'wall_s':>10}{'peak MB':>10}")
    print(f"{'start and connect':24}{marks[0][1]:10.2f}{marks[0][1] / bare['cpu_s']:10.2f}")
    for (phase, cpu, wall, _), (_, next_cpu, next_wall, peak) in pairwise(marks):
        spent = next_cpu - cpu
        share = spent / bare["cpu_s"]
        print(f"{phase:24}{spent:10.2f}{share:10.2f}{next_wall - wall:10.2f}{peak / 1e6:10.0f}")


if __name__ == "__main__":
    main()
