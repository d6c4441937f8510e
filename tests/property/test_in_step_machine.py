"""Whatever happened, a full run does the same with the digests of scenes in step as without.

The state machine of detection, with full runs only. Each is shown first by two dry runs,
one of them without the cached digests; afterwards a full run without them finds nothing to do and
nothing to remember.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import initialize, invariant, rule

from plexsync.sync.ports import RunOptions
from tests.property.test_detection_machine import NUMBERS, Servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.state import State
    from tests.support.world import Ran

FULL = RunOptions(full=True, force=True)
LOOK = RunOptions(full=True, force=True, dry_run=True)
FEW = 3
POLICIES = ("overwrite", "keep", "fill", "off")


class FullServers(Servers):
    """Two servers and full runs, some under other rules than the one before."""

    steps = 0

    @initialize()
    def begin(self) -> None:
        """Everything is in step."""
        super().begin()
        self.world.run(FULL)

    @rule(pick=NUMBERS)
    def change_the_rules(self, pick: int) -> None:
        """Another policy of titles and tags, locks or none, another text."""
        self.world.settings["FIELDS__TAGS"] = "merge" if pick % 2 else "overwrite"
        self.world.settings["FIELDS__TITLE"] = POLICIES[pick % len(POLICIES)]
        self.world.settings["APPLY__LOCK_FIELDS"] = "true" if pick % 2 else "false"
        self.world.settings["FIELDS__TAGLINE__TEMPLATE"] = "{studio}" if pick % 3 else "{code}"

    @rule()
    def take_back(self) -> None:
        """A person undoes what the last run did."""
        self.world.undo()

    @rule()
    def run_in_passing(self) -> None:
        """A run that is no full one."""
        self.world.run(RunOptions(force=True))

    @invariant()
    def compare_often(self) -> None:
        """After every few things that happened."""
        self.steps += 1
        if self.steps % FEW == 0:
            self.check()

    def check(self) -> None:
        """Both ways say the same, and one leaves nothing to do for the other."""
        self.world.wait(1)
        with self.same_cache():
            shown = self.world.run(LOOK)
        with self.same_cache(digests=False):
            assert shown_by(shown) == shown_by(self.world.run(LOOK))
        ran = self.run_honestly(FULL)
        if any(write.path.endswith("/refresh") for write in self.written):
            ran = self.run_honestly(FULL)  # what Plex found when it was asked to look is written
        before = records(self.world.state())
        with self.same_cache(digests=False):
            again = self.world.run(FULL)
        assert (again.puts, records(self.world.state())) == (0, before), (ran.rows, again.rows)

    @contextmanager
    def same_cache(self, *, digests: bool = True) -> Iterator[None]:
        """The cache is afterwards what it is now; without `digests` nothing is known in step."""
        kept = {path: path.read_bytes() for path in self.world.cache_dir.iterdir()}
        for path in () if digests else self.world.cache_dir.glob("in-step-*"):
            path.unlink()
        yield
        for path, content in kept.items():
            path.write_bytes(content)


def shown_by(ran: Ran) -> object:
    """What a run shows."""
    return sorted(map(repr, ran.rows)), ran.summary.counts, sorted(ran.warnings)


def records(state: State) -> object:
    """What is remembered of the scenes that wait for no time."""
    all_records = ((scene_id, state.get(scene_id)) for scene_id in state.scene_ids())
    return {scene_id: one for scene_id, one in all_records if one and not one.due_at}


FullServers.TestCase.settings = settings(
    max_examples=6,
    stateful_step_count=9,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
TestFullServers = FullServers.TestCase
