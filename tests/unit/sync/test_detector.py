"""Which scenes are due by their versions and by what is remembered of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from plexsync.models import Outcome, SceneId
from plexsync.planning.participation import Participation
from plexsync.stash_client import StashClient
from plexsync.sync.detection.detector import Detector
from plexsync.sync.detection.seen import Seen
from tests.support.stash_bench import make_library, stash_bench
from tests.support.state_factories import make_record, state_of

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
LATER = "2026-11-29T13:00:00Z"
SUMMER, WINTER = "2026-10-25T02:30:00+02:00", "2026-10-25T02:10:00+01:00"
ONE = SceneId("1")


@pytest.mark.parametrize(
    ("version", "known", "outcome", "due_at", "due"),
    [
        (WINTER, WINTER, Outcome.APPLIED, "", False),
        (WINTER, SUMMER, Outcome.APPLIED, "", True),
        (WINTER, SUMMER, Outcome.FAILED, LATER, True),
        (WINTER, WINTER, Outcome.FAILED, LATER, False),
        (None, "", Outcome.APPLIED, "", True),
        (None, "", Outcome.FAILED, LATER, False),
    ],
    ids=["handled", "smaller text", "edited", "waits", "unversioned", "unversioned and waits"],
)
def test_a_scene_is_due_by_its_version_or_when_its_wait_is_over(
    version: str | None, *, known: str, outcome: Outcome, due_at: str, due: bool
) -> None:
    """Only equality means anything; and what cannot be read is not tried on every run."""
    record = replace(make_record(1, updated_at=known), outcome=outcome, due_at=due_at)
    with stash_bench(make_library(1), sockets=False) as bench:
        bench.simulator.write_silently(1, updated_at=version)
        found = Detector(
            stash=StashClient(bench.transport, url=bench.server.url),
            records=state_of({ONE: record}),
            step=lambda _done: None,
            wait=lambda _seconds: None,
            participation=Participation(),
            sync_unversioned=True,
            every_scene=False,
            woken=True,
            now=NOW,
        ).changes()

    # Stash cannot tell about one without a version, so that it is named.
    taken = [*(scene.scene_id for scene in found.due), *(one for one, _ in found.poisoned)]
    assert taken == ([ONE] if due else [])
    assert found.backlog.failing == (outcome is Outcome.FAILED and not due)


@pytest.mark.parametrize(
    "moved",
    [Seen(library="other"), Seen(fields="other"), Seen(own={"1": "Films"})],
    ids=["matching", "fields", "a library of that name"],
)
def test_another_configuration_is_other_rules(moved: Seen) -> None:
    """A library that got the name the configuration has fields for is one, too."""
    assert moved.rules != Seen().rules == Seen(scans="other", counters="other").rules
