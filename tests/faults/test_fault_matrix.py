"""Every fault at every endpoint, once, sometimes and always: each heals, and parks nothing.

A cell is a copy of a process in which twelve scenes are in step and were edited: it runs with the
fault, and without it, until Plex shows what it shows when nothing ever went wrong.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import (
    Cut,
    Drip,
    ErrorStatus,
    Fault,
    Hang,
    Redirect,
    Reset,
    Rewrite,
    html,
)
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.loading import load_state
from plexsync.storage.status import status_of
from plexsync.sync.ports import RunOptions
from tests.support.disk_faults import dice
from tests.support.one_process import OneProcess, in_fork
from tests.support.picture_world import PNG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from plexsync.simulators.http.wire import Effect, SimRequest

SCENES = 12
# Read here, because a test finds no variable of plexsync in its environment.
SEED = int(os.environ.get("PLEXSYNC_CRASH_SEED", "1"))
WHOLE = int(os.environ.get("PLEXSYNC_CRASH_POINTS", "1000")) > 1000
SETTINGS = {"PATHS": "/data/=/media/", "PLEX__LIBRARIES": "", "FIELDS__POSTER": "overwrite"}
BOMB = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))


def shortened(body: bytes) -> bytes:
    """A page that lost its last row, and counts what it has."""
    return _changed(body, lambda rows: rows[:-1])


def miscounted(body: bytes) -> bytes:
    """Every count is one too high."""
    return re.sub(
        rb'("(?:count|size|totalSize)"\s*:\s*)(\d+)',
        lambda found: found[1] + str(int(found[2]) + 1).encode(),
        body,
    )


def _changed(body: bytes, change: Callable[[list[object]], list[object]]) -> bytes:
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    for holder, name in (("MediaContainer", "Metadata"), ("findScenes", "scenes")):
        inside = (answer.get("data") or answer).get(holder)
        if isinstance(inside, dict) and inside.get(name):
            inside[name] = change(inside[name])
    return json.dumps(answer).encode()


EFFECTS: dict[str, Effect] = {
    **{str(code): ErrorStatus(code) for code in (400, 404, 413, 418, 429, 500, 503, 524)},
    "reset": Reset(),
    "apply, then drop": Reset(applied=True),
    "cut": Cut(0.5),
    "html": html(),
    "empty": ErrorStatus(200),
    "redirect": Redirect("https://elsewhere.example/"),
    "bomb": ErrorStatus(200, gzip.compress(b" " * (33 << 20)), BOMB),
    "hang": Hang(),
    "drip": Drip(step_bytes=1, pause_s=20.0),
    "short page": Rewrite(shortened),
    "lying count": Rewrite(miscounted),
}
PLEX = ("root", "sections", "listing", "detail", "put", "pictures", "upload")
STASH = ("Ready", "Count", "Versions", "Uneven", "Names", "Sweep", "Scenes", "Details", "cover")
TIMES = {"once": 1, "sometimes": 3, "always": None}


def fault_of(endpoint: str, effect: Effect, times: str) -> Fault:
    """One fault at one endpoint; sometimes is every third request."""
    count = itertools.count(1)

    def match(request: SimRequest) -> bool:
        query = f"Plexsync{endpoint}".encode()
        if endpoint in STASH[:-1] and not re.search(query + rb"\b", request.body):
            return False
        return times != "sometimes" or next(count) % 3 == 0

    kind = "stash.graphql" if endpoint in STASH else f"plex.{endpoint}"
    kind = "stash.cover" if endpoint == "cover" else kind
    return Fault(kind, 1, effect, times=1 if times == "once" else None, match=match)


def ready_stage(root: Path) -> OneProcess:
    """Twelve scenes in step, each edited since, and each with another cover."""
    spec = LibrarySpec(seed=6, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    stage = OneProcess(make_library(spec), root, SETTINGS)
    for number in range(1, SCENES + 1):
        stage.stash.set_cover(number, PNG + b"old" + str(number).encode())
    assert stage.run().exit_code == ExitCode.OK
    stage.pass_time(hours=1)
    for number in range(1, SCENES + 1):
        stage.stash.set_cover(number, PNG + b"new" + str(number).encode())
        stage.stash.edit_scene(number, title=f"New Title {number}")
    stage.pass_time(hours=1)
    for section in stage.library.plex.sections:
        stage.plex.set_refreshing(section.id, refreshing=False)
    return stage


def cell(stage: OneProcess, endpoint: str, name: str, times: str) -> bytes:
    """Run with the fault, then without it; how many healthy runs it took to heal."""
    expected = {f"New Title {number}" for number in range(1, SCENES + 1)}
    wire = stage.stash_wire if endpoint in STASH else stage.plex_wire
    wire.faults.add(fault_of(endpoint, EFFECTS[name], times))
    stage.keep_cache()
    options = RunOptions(full=endpoint == "Sweep", force=True)
    for _ in range(2 if times == "always" else 1):
        code = stage.run(options).exit_code
        assert code not in {ExitCode.BUG, ExitCode.LOCAL_FILES, ExitCode.USAGE}, code
        stage.pass_time(hours=1)
    state = load_state(stage.state_dir, stage.disk)
    status = status_of(state, stage.state_dir, stage.now)
    assert status.parked == ()
    if times == "always":
        assert {one.attempts for one in status.failing} <= {0}, "charged for a server"
    wire.faults.clear()
    healed = 0
    while True:
        healed += 1
        summary = stage.run(options)
        shown = {item["fields"].get("title") for item in stage.shown().values()}
        if summary.exit_code == ExitCode.OK and expected <= shown:
            break
        assert healed < 2, (summary, sorted(expected - shown))
        stage.pass_time(hours=1)
    quiet = stage.run()
    assert (quiet.exit_code, quiet.requests.plex_writes) == (0, 0), quiet
    stage.clean()
    return str(healed).encode()


def chosen(cells: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """All cells where ten thousand crash points are asked for, else a sample of each endpoint."""
    everything = list(cells)
    return everything if WHOLE else dice(SEED).sample(everything, len(everything) // 4)


@pytest.fixture(scope="module")
def stage() -> Iterator[OneProcess]:
    """The process every cell is a copy of."""
    with tempfile.TemporaryDirectory(prefix="plexsync-matrix-") as root:
        made = ready_stage(Path(root))
        yield made
        made.clean()


@pytest.mark.parametrize("endpoint", [*PLEX, *STASH])
def test_every_fault_of_an_endpoint_heals(
    stage: OneProcess, endpoint: str, record_property: Callable[[str, object], None]
) -> None:
    """By the next run or the one after; no scene is charged with it, none is parked."""
    healed: Counter[str] = Counter()
    problems = []
    for name, times in chosen(itertools.product(EFFECTS, TIMES)):
        good, printed = in_fork(partial(cell, stage, endpoint, name, times))
        if good:
            healed[f"run {printed.decode()}"] += 1
        else:
            problems.append(f"{endpoint}, {name}, {times}:\n{printed.decode()[-1500:]}")
    record_property("fault cells", sum(healed.values()))
    print(f"{endpoint}: {healed.total()} cells heal, {dict(healed)}")  # noqa: T201 - the table
    assert not problems, f"{len(problems)} cells\n" + "\n\n".join(problems[:4])
