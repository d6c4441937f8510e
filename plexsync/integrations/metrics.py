"""Figures of the last run and of the library, for `status --json` and for Prometheus.

The file is what node_exporter's textfile collector reads, in the text format of Prometheus.
Source: https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ConfigError
from plexsync.state import (
    DISK,
    OTHER_FILE,
    RunKind,
    RunRecord,
    Status,
    state_errors,
    write_atomically,
)
from plexsync.text.words import to_install

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from plexsync.models import RunSummary

_PREFIX = "plexsync_"
_READABLE = 0o644
_NONE = ""
_MEANINGS = {
    "last_success_timestamp_seconds": "When a run last ended well, Unix time; 0 for never.",
    "last_run_timestamp_seconds": "When the last run ended, Unix time.",
    "last_run_duration_seconds": "How long the last run took.",
    "last_run_exit_code": "What the last run ended with.",
    "last_run_written_items": "Items the last run wrote to.",
    "last_run_library_written_items": "Items the last run wrote to, by library.",
    "last_run_requests": "Requests of the last run, by server and kind.",
    "scenes": "Scenes that are remembered, by what they came to.",
    "links": "Items that are linked to a scene, by library.",
    "review_scenes": "LOW matches that wait for a person.",
    "failing_scenes": "Scenes that failed and are tried again.",
    "parked_scenes": "Scenes that failed too often.",
    "shows": "Shows and seasons plexsync keeps, by what they came to.",
    "collections": "Collections plexsync keeps, by what they came to.",
    "waiting_scenes": "LOW, unmatched, failing and parked scenes, by library; none has no name.",
}
"""Every figure, without the prefix."""


class Sample(msgspec.Struct, frozen=True):
    """One figure; `labels` are pairs of name and value."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


def last_run_of(summary: RunSummary) -> RunRecord:
    """Return what a summary holds of its run, one that ended before its journal began included."""
    return RunRecord(
        run_id=summary.header.run_id,
        kind=RunKind.RUN,
        started_at=summary.header.started_at,
        finished_at=summary.finished_at,
        exit_code=summary.exit_code,
        counts=summary.counts,
        requests=summary.requests,
        by_library=summary.by_library,
    )


def last_run_in(runs: Sequence[RunRecord]) -> RunRecord | None:
    """Return the last run of a history that came to its end; None where there is none."""
    ended = (one for one in runs[::-1] if one.kind is RunKind.RUN and one.exit_code is not None)
    return next(ended, None)


def samples(
    status: Status | None, last: RunRecord | None, libraries: Mapping[str, str]
) -> tuple[Sample, ...]:
    """Return every figure that is known.

    Args:
        status: how things stand; None where the state cannot be read.
        last: the last run.
        libraries: the titles of Plex's libraries by id; one that is missing goes by its id.
    """
    found = [] if last is None else list(_run_samples(last))
    if status is not None:
        found += _status_samples(status, libraries)
    return tuple(found)


def metrics_json(figures: Iterable[Sample]) -> list[dict[str, object]]:
    """Return the figures as `status --json` shows them."""
    return [
        {"name": _PREFIX + one.name, "labels": dict(one.labels), "value": one.value}
        for one in figures
    ]


def write_textfile(path: Path, figures: Iterable[Sample]) -> None:
    """Write the figures for node_exporter, so that it never reads half of them.

    Raises:
        ConfigError: prometheus-client is not installed.
        StateError: the file cannot be written.
    """
    try:
        from prometheus_client import (  # noqa: PLC0415 - an extra, and only where it is asked for
            CollectorRegistry,
            Gauge,
            generate_latest,
        )
    except ImportError as error:
        raise ConfigError(
            "the file of metrics needs prometheus-client",
            context="[metrics] textfile",
            hint=f"Install it: {to_install('metrics')}, or leave textfile out.",
        ) from error
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for one in figures:
        if one.name not in gauges:
            names, meaning = dict(one.labels).keys(), _MEANINGS[one.name]
            gauges[one.name] = Gauge(_PREFIX + one.name, meaning, names, registry=registry)
        gauge = gauges[one.name]
        (gauge.labels(**dict(one.labels)) if one.labels else gauge).set(one.value)
    draft = path.with_suffix(".plexsync")  # the collector reads *.prom alone
    write_atomically(DISK, draft, (generate_latest(registry),), elsewhere=OTHER_FILE)
    with state_errors("write", path, elsewhere=OTHER_FILE):
        draft.chmod(_READABLE)  # the collector is another user
        DISK.replace(draft, path)


# ---- Private -------------------------------------------------------------------------------------


def _run_samples(run: RunRecord) -> Iterator[Sample]:
    ended, began = _unix(run.finished_at), _unix(run.started_at)
    yield Sample("last_run_timestamp_seconds", ended)
    yield Sample("last_run_duration_seconds", max(ended - began, 0.0))
    yield Sample("last_run_exit_code", run.exit_code or 0)
    yield Sample("last_run_written_items", run.counts.applied)
    for library, count in sorted(run.by_library.items()):
        yield Sample("last_run_library_written_items", count, (("library", library),))
    for server, kind, count in (
        ("stash", "read", run.requests.stash),
        ("plex", "read", run.requests.plex_reads),
        ("plex", "write", run.requests.plex_writes),
    ):
        yield Sample("last_run_requests", count, (("server", server), ("kind", kind)))


def _status_samples(status: Status, libraries: Mapping[str, str]) -> Iterator[Sample]:
    coverage = status.coverage
    yield Sample("last_success_timestamp_seconds", _unix(status.last_success_at))
    for state in ("linked", "low", "unmatched", "ignored", "undecided"):
        yield Sample("scenes", getattr(coverage, state), (("state", state),))
    for section, count in status.links:
        yield Sample("links", count, (("library", libraries.get(section, section)),))
    yield Sample("review_scenes", len(status.review))
    yield Sample("failing_scenes", len(status.failing))
    yield Sample("parked_scenes", len(status.parked))
    for name, kept in (("shows", status.shows), ("collections", status.collections)):
        for state in ("kept", "waiting", "parked", "left_alone"):
            yield Sample(name, getattr(kept, state), (("state", state),))
    for state, counts in _by_library(status, libraries).items():
        for library, count in sorted(counts.items()):
            yield Sample("waiting_scenes", count, (("library", library), ("state", state)))


def _by_library(status: Status, libraries: Mapping[str, str]) -> dict[str, Counter[str]]:
    """Count what waits by the title of its library.

    A scene without a candidate is in no library, nor is one that failed before it had an item; a
    LOW one is in that of its best candidate.
    """
    low = Counter(dict(status.review_libraries))
    low[_NONE] += len(status.review) - low.total()
    troubles = {"failing": status.failing, "parked": status.parked}
    found = {"low": low, "unmatched": Counter({_NONE: status.coverage.unmatched})}
    for state, several in troubles.items():
        titles = (libraries.get(one.section_id, one.section_id) or _NONE for one in several)
        found[state] = Counter(titles)
    return {state: +counts for state, counts in found.items()}


def _unix(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0
