"""The task of the Stash plugin, run as Stash runs it: the manifest's command, JSON on stdin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml  # type: ignore[import-untyped] # its types are a package of their own

from plexsync.errors import ExitCode
from plexsync.integrations.schedule import find_setup, stash_manifest
from plexsync.simulators.http.wire import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from tests.support.world import World, edited_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENT = {
    "server_connection": {"Scheme": "http", "Host": "0.0.0.0", "Port": 9999, "SessionCookie": None},  # noqa: S104 - what Stash sends
    "args": {},
}
_LEVEL = re.compile("\x01([tdiwep])\x02(.*)")


class TaskRun(NamedTuple):
    """What Stash makes of a task: its log by level, its progress, what it ends with."""

    log: list[tuple[str, str]]
    progress: list[float]
    output: dict[str, str]
    code: int


def as_stash_runs(world: World, config: Path | None) -> TaskRun:
    """The manifest's task, in an environment that knows nothing of plexsync."""
    environ = {"PLEXSYNC_STATE_DIR": str(world.state_dir)}
    program = (sys.executable, "-m", "plexsync")
    setup = find_setup(config, environ, home=world.directory, program=program)
    plugin = yaml.safe_load(stash_manifest(setup, "1"))
    (task,) = plugin["tasks"]
    done = subprocess.run(
        [*plugin["exec"], *task["execArgs"]],
        input=json.dumps(SENT).encode(),
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(world.directory)},
    )
    found = [_LEVEL.fullmatch(line) for line in done.stderr.decode().splitlines()]
    assert all(found), done.stderr
    lines = [(one[1], one[2]) for one in found if one]
    return TaskRun(
        log=[(level, text) for level, text in lines if level != "p"],
        progress=[float(text) for level, text in lines if level == "p"],
        output=json.loads(done.stdout),
        code=done.returncode,
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three linked scenes, one of which fails."""
    spec = LibrarySpec(seed=3, scenes=3, mix={Case.SAME: 1.0}, extra_items=0.0, edited=0.0)
    with World(make_library(spec), tmp_path, PATHS="/data/=/media/") as made:
        key = made.key_of("2")
        made.plex_wire.faults.add(
            Fault("plex.put", 1, ErrorStatus(500), 9, lambda one: key in edited_keys(one))
        )
        made.run()
        yield made


def test_the_task_logs_both_pages_of_each_scene(world: World) -> None:
    """What fails first, with the reason; no server is asked and no secret read."""
    config = world.directory / "plexsync.toml"
    config.write_text(
        '[stash]\nurl = "http://stash.invalid/"\n[plex]\nurl = "http://plex.invalid"\n'
        'token = { file = "not-there" }\n'
    )
    ran = as_stash_runs(world, config)

    machine = world.state().lineage.plex
    pages = {
        number: f"plexsync: http://stash.invalid/scenes/{number} is in Plex "
        f"http://plex.invalid/web/index.html#!/server/{machine}/details"
        f"?key=%2Flibrary%2Fmetadata%2F{world.key_of(number)}"
        for number in ("1", "2", "3")
    }
    (first_level, first), *others, (_, last) = ran.log
    assert first_level == "w"
    assert first.startswith(f"{pages['2']}: ")
    assert {text for _, text in others} == {pages["1"], pages["3"]}
    assert {level for level, _ in others} == {"i"}
    assert last == f"plexsync: {ran.output['output']}"
    assert "3 scenes named; 2 are linked" in last
    assert ran.progress == sorted(ran.progress)
    assert ran.progress[-1] == 1.0
    assert ran.code == ExitCode.OK


def test_the_task_says_what_is_missing(world: World) -> None:
    """Without a configuration ids stand for pages; a state that cannot be read is an error."""
    ran = as_stash_runs(world, None)
    assert ("i", f"plexsync: scene 1 is in Plex {world.key_of('1')}") in ran.log
    assert "--config" in ran.output["output"]

    (world.state_dir / "state.json").write_text("{")
    broken = as_stash_runs(world, None)
    assert broken.code == ExitCode.LOCAL_FILES
    assert broken.output.keys() == {"error"}
    assert broken.log[0][0] == "e"
