"""A large library while one request in a hundred fails, on both servers: two runs are enough."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from plexsync.errors import ExitCode
from plexsync.simulators.http.wire import Cut, ErrorStatus, Fault, Hang, Reset, html
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.loading import load_state
from plexsync.storage.status import status_of
from tests.support.disk_faults import dice
from tests.support.one_process import OneProcess

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from plexsync.simulators.http.wire import SimRequest, Wired

SCENES = 20_000 if int(os.environ.get("PLEXSYNC_CRASH_POINTS", "1000")) > 1000 else 1_000
SHARE = 0.01
EFFECTS = (
    ErrorStatus(503),
    ErrorStatus(500),
    Reset(),
    Reset(applied=True),
    Hang(applied=True),
    Cut(0.5),
    html(),
    html(502),
)


def spoil(wire: Wired, random: Random) -> None:
    """One request in a hundred meets one of the faults."""
    for effect in EFFECTS:

        def struck(_: SimRequest, random: Random = random) -> bool:
            return random.random() < SHARE / len(EFFECTS)

        wire.faults.add(Fault(None, 1, effect, times=None, match=struck))


def test_a_large_library_converges_in_two_runs_under_faults(tmp_path: Path) -> None:
    """Everything is written, nothing is parked, and a third run writes nothing."""
    spec = LibrarySpec(seed=8, scenes=SCENES, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    stage = OneProcess(
        make_library(spec), tmp_path, {"PATHS": "/data/=/media/", "FIELDS__POSTER": "off"}
    )
    spoil(stage.stash_wire, dice(1))
    spoil(stage.plex_wire, dice(2))
    for _ in range(2):
        stage.run()
        stage.pass_time(hours=1)
    wanted = {str(scene.id): scene.title.strip() for scene in stage.stash.scenes}
    shown = stage.shown()
    different = [
        scene
        for scene, title in wanted.items()
        if shown[stage.key_of(int(scene))]["fields"].get("title", "").strip() != title
    ]
    assert different == []
    state = load_state(stage.state_dir, stage.disk)
    assert status_of(state, stage.state_dir, stage.now).parked == ()
    stage.stash_wire.faults.clear()
    stage.plex_wire.faults.clear()
    quiet = stage.run()
    assert quiet.exit_code == ExitCode.OK
    assert quiet.requests.plex_writes == 0
    stage.clean()
