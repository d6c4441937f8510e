"""The figures of Prometheus: what its own parser reads is what is known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from plexsync.integrations.metrics import (
    Sample,
    last_run_in,
    metrics_json,
    samples,
    write_textfile,
)
from plexsync.models import Counts, Requests, SceneId
from plexsync.state import Lineage, RunKind, RunRecord, Status, Trouble
from plexsync.storage.status import Coverage, KeptStatus

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
LAST = RunRecord(
    run_id="a",
    kind=RunKind.RUN,
    started_at="2026-11-22T07:00:00Z",
    finished_at="2026-11-22T07:00:12Z",
    exit_code=3,
    counts=Counts(applied=5),
    requests=Requests(stash=20, plex_reads=7, plex_writes=6),
    by_library={"Clips": 4, "Films": 1},
)
_LOW = "Clips"
STATUS = Status(
    now=NOW,
    directory=Path("/state"),
    lineage=Lineage(plex="machine", stash="db"),
    last_success_at="2026-11-21T07:00:00Z",
    coverage=Coverage(scenes=10, linked=6, low=1, unmatched=2, ignored=1),
    links=(("1", 5), ("2", 2)),
    review=(SceneId("3"), SceneId("4")),
    review_libraries=((_LOW, 1),),
    parked=(Trouble(scene_id=SceneId("7"), attempts=5, due_at="", problem=None, section_id="1"),),
    failing=(Trouble(scene_id=SceneId("8"), attempts=1, due_at="", problem=None),),
    collections=KeptStatus(kept=480, waiting=2, parked=1, left_alone=3),
)
ODD = 'Fi"lms\\ é\nx'


def parsed(path: Path) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What prometheus-client reads."""
    text = path.read_text(encoding="utf-8")
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def waiting(
    found: dict[tuple[str, tuple[tuple[str, str], ...]], float],
) -> dict[tuple[str, str], float]:
    """What waits, by library and state."""
    return {
        (dict(labels)["library"], dict(labels)["state"]): value
        for (name, labels), value in found.items()
        if name == "plexsync_waiting_scenes"
    }


def test_the_file_holds_each_figure(tmp_path: Path) -> None:
    """By Prometheus' own parser, with the names of libraries as they are."""
    figures = samples(STATUS, LAST, {"1": ODD})
    write_textfile(tmp_path / "plexsync.prom", figures)
    found = parsed(tmp_path / "plexsync.prom")
    assert found == {
        (f"plexsync_{one.name}", tuple(sorted(one.labels))): one.value for one in figures
    }
    assert found["plexsync_links", (("library", ODD),)] == 5
    assert found["plexsync_links", (("library", "2"),)] == 2
    assert found["plexsync_last_run_duration_seconds", ()] == 12
    assert found["plexsync_last_success_timestamp_seconds", ()] == 1795244400
    assert found["plexsync_last_run_requests", (("kind", "write"), ("server", "plex"))] == 6
    assert found["plexsync_parked_scenes", ()] == 1
    assert found["plexsync_last_run_library_written_items", (("library", "Films"),)] == 1
    assert {
        dict(labels)["state"]: value
        for (name, labels), value in found.items()
        if name == "plexsync_collections"
    } == {"kept": 480, "waiting": 2, "parked": 1, "left_alone": 3}
    assert waiting(found) == {
        ("Clips", "low"): 1,
        ("", "low"): 1,
        ("", "unmatched"): 2,
        ("", "failing"): 1,
        (ODD, "parked"): 1,
    }


def test_the_file_is_whole_readable_and_alone(tmp_path: Path) -> None:
    """The collector is another user; nothing else is left in its folder."""
    path = tmp_path / "plexsync.prom"
    for value in (1.0, 2.0):
        write_textfile(path, (Sample("last_run_exit_code", value),))
    assert parsed(path) == {("plexsync_last_run_exit_code", ()): 2.0}
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["plexsync.prom"]


def test_without_a_state_the_run_itself_is_known() -> None:
    """And without a run, how things stand."""
    assert {one.name for one in samples(None, LAST, {})} == {
        "last_run_timestamp_seconds",
        "last_run_duration_seconds",
        "last_run_exit_code",
        "last_run_written_items",
        "last_run_library_written_items",
        "last_run_requests",
    }
    assert samples(None, None, {}) == ()
    assert not [one for one in samples(STATUS, None, {}) if one.name.startswith("last_run")]


def test_the_last_run_of_a_history_is_one_that_ended() -> None:
    """Reviews and runs that were cut off do not count."""
    cut_off = RunRecord(run_id="b", kind=RunKind.RUN, started_at="2026-11-22T07:30:00Z")
    review = RunRecord(
        run_id="c", kind=RunKind.REVIEW, started_at="2026-11-22T07:40:00Z", exit_code=0
    )
    assert last_run_in((LAST, cut_off, review)) == LAST
    assert last_run_in((cut_off, review)) is None


def test_status_shows_the_same_figures() -> None:
    """Name, labels and value of each."""
    assert metrics_json((Sample("links", 5, (("library", "Films"),)),)) == [
        {"name": "plexsync_links", "labels": {"library": "Films"}, "value": 5}
    ]
