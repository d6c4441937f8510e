"""Runs of the command itself, in a process of its own, over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.terminals import run_plexsync

if TYPE_CHECKING:
    from tests.support.world import World


class CommandRun(NamedTuple):
    """What `plexsync run --json` printed: its id, the rows, and how many edits Plex got."""

    run_id: str
    rows: tuple[dict[str, Any], ...]
    writes: int

    def count(self, outcome: str) -> int:
        """How many rows ended so."""
        return sum(row["outcome"] == outcome for row in self.rows)

    def by_scene(self) -> dict[str, dict[str, Any]]:
        """The rows by the ids of their scenes; of a scene with several, the last."""
        return {row["scene"]["id"]: row for row in self.rows}


def run_command(world: World, *arguments: str) -> CommandRun:
    """Run `plexsync run` with these arguments; an error document fails the test."""
    done = run_plexsync(["run", *arguments, "--json"], world.environ())
    document = json.loads(done.out)
    assert document["error"] is None, done.err
    return CommandRun(
        document["run_id"], tuple(document["matches"]), document["requests"]["plex_writes"]
    )
