"""What `status` prints: words of both forms, lines for a pipe, a JSON document.

Values in, lines and keys out; nothing is printed here. `status_view.py` is for a terminal.
Source: docs/output.md, "Status".
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from plexsync.errors import ExitCode
from plexsync.models import noun_of
from plexsync.state import KeptStatus, KeptTrouble, RunRecord, Status, Trouble, age_s
from plexsync.text.normalize import clean_for_terminal as clean
from plexsync.text.toml import shown_path
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


SCHEMA = "plexsync/status/1"


COVERAGE_PARTS = ("linked", "low", "unmatched", "ignored", "undecided")
"""What scenes are, in the order in which they are shown."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400

_ENDS: dict[int, str] = {
    ExitCode.OK: "well",
    ExitCode.CHANGES: "well",
    ExitCode.ONLY_REVIEW: "well",
    ExitCode.BUG: "a bug",
    ExitCode.USAGE: "configuration",
    ExitCode.SOME_FAILED: "some failed",
    ExitCode.SERVER: "a server failed",
    ExitCode.ACCESS: "no access",
    ExitCode.UNSAFE: "safety limit",
    ExitCode.STALE: "out of date",
    ExitCode.LOCAL_FILES: "local files",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "interrupted",
}


# ---- Words ---------------------------------------------------------------------------------------


def check_sentence(status: Status, *, max_age_s: float) -> str:
    """Whether a run ended well lately, in one line for a monitor."""
    if not status.last_success_at:
        return "no run has ended well yet"
    last = f"the last run that ended well was {ago(status.last_success_at, status.now)}"
    if status.failed_too_often and status.is_fresh(max_age_s):
        return f"{last}; {parked_words(status)}"
    return last if status.is_fresh(max_age_s) else f"{last}: longer ago than {span(max_age_s)}"


def parked_words(status: Status) -> str:
    """How many scenes, or else of what, are parked, and why the first one is."""
    noun, problems = next(iter(status.failed_too_often.items()))
    why = f": {problems[0].message}" if problems[0] else ""
    return f"{counted(len(problems), noun)} parked{why} (plexsync retry)"


def ago(moment: str, now: datetime) -> str:
    """How long ago an ISO time was: `12 min ago`."""
    age = age_s(moment, now)
    return "at an unknown time" if age is None else f"{span(age)} ago"


def until(moment: str, now: datetime) -> str:
    """How long it is to an ISO time: `in 4 min`, or `next run` when it is over."""
    try:
        left = (datetime.fromisoformat(moment) - now).total_seconds()
    except (ValueError, TypeError):
        return "next run"
    return f"in {span(left)}" if left > 0 else "next run"


def span(seconds: float) -> str:
    """Return a length of time in its two largest units at most, never rounded up."""
    whole = int(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min"
    if whole < 2 * _DAY_S:
        minutes = whole % _HOUR_S // _MINUTE_S
        return f"{whole // _HOUR_S} h" + (f" {minutes} min" if minutes else "")
    return f"{whole // _DAY_S} days"


def run_end(run: RunRecord) -> str:
    """Return how a run ended, in words."""
    if run.exit_code is None:
        return "cut off"
    return _ENDS.get(run.exit_code, f"exit {run.exit_code}")


# ---- Lines and documents -------------------------------------------------------------------------


def status_lines(status: Status) -> Iterator[str]:
    """Yield what a pipe gets: tab-separated, the first column says what the line is about."""
    yield _line("success", status.last_success_at)
    yield _line("full", status.last_full_at)
    for run in status.runs:
        code = "" if run.exit_code is None else run.exit_code
        numbers = (run.counts.scenes_read, run.counts.applied, run.counts.failed)
        yield _line("run", run.run_id, run.kind, run.started_at, run.finished_at, code, *numbers)
    for name, count in shares(status):
        yield _line("scenes", name, count)
    yield _line("due", status.due, status.later, status.next_at)
    for scene_id in status.review:
        yield _line("review", scene_id)
    for word, troubles in (("failing", status.failing), ("parked", status.parked)):
        for one in troubles:
            yield _line(word, one.scene_id, one.attempts, one.due_at, problem_words(one))
    for word, kept in (("shows", status.shows), ("collections", status.collections)):
        if kept.shares:
            yield _line(word, *(count for _, count in kept.shares))
        for trouble in kept.troubles:
            cells = (trouble.key, trouble.attempts, trouble.due_at, problem_words(trouble))
            state = "parked" if trouble.parked else "failing"
            yield _line(noun_of(trouble.key), state, *cells)
    for rule in status.proposed:
        yield _line("rule", shown_path(rule.stash), shown_path(rule.plex), rule.explains)


def status_document(
    status: Status, *, exit_code: int, metrics: Sequence[object] = ()
) -> dict[str, object]:
    """Return the JSON document. Every key is always there; unknown is null."""
    from plexsync.output.formats.json_documents import one_line, record_json  # noqa: PLC0415 - lines need none

    age = status.success_age_s
    return {
        "schema": SCHEMA,
        "now": f"{status.now:%Y-%m-%dT%H:%M:%SZ}",
        "exit_code": int(exit_code),
        "state": {
            "directory": str(status.directory),
            "plex": clean(status.lineage.plex) or None,
            "stash": clean(status.lineage.stash) or None,
        },
        "running": one_line(asdict(status.running)) if status.running else None,
        "last_success_at": status.last_success_at or None,
        "last_success_age_s": None if age is None else int(age),
        "last_full_at": status.last_full_at or None,
        "runs": [record_json(run) for run in status.runs],
        "scenes": {"all": status.coverage.scenes, **dict(shares(status))},
        "waiting": {"due": status.due, "later": status.later, "next_at": status.next_at or None},
        "review": list(status.review),
        "failing": [_trouble(one) for one in status.failing],
        "parked": [_trouble(one) for one in status.parked],
        "shows": _kept(status.shows),
        "collections": _kept(status.collections),
        "unsettled": status.unsettled,
        "proposed_rules": [asdict(rule) for rule in status.proposed],
        "metrics": list(metrics),
        "error": None,
    }


# ---- Private: lines and documents ----------------------------------------------------------------


def shares(status: Status) -> tuple[tuple[str, int], ...]:
    """Return how many scenes are what, by name."""
    return tuple((name, getattr(status.coverage, name)) for name in COVERAGE_PARTS)


def shares_words(found: Sequence[tuple[str, int]]) -> str:
    """Return how many are what, as `480 kept, 1 parked`."""
    return ", ".join(f"{count:,} {name}" for name, count in found if count)


def _line(*fields: object) -> str:
    return "\t".join(clean(str(field)) for field in fields)


def problem_words(one: Trouble | KeptTrouble) -> str:
    """Return what went wrong with one of them, on one line."""
    return clean(one.problem.message) if one.problem else ""


def _trouble(one: Trouble) -> dict[str, object]:
    found = _failing(one) | {"scene_url": clean(one.scene_url) or None}
    del found["section_id"], found["rating_keys"]
    return found


def _kept(kept: KeptStatus) -> dict[str, object]:
    counts = asdict(kept)
    del counts["troubles"]
    return counts | {"failing": [_failing(one) for one in kept.troubles]}


def _failing(one: Trouble | KeptTrouble) -> dict[str, object]:
    from plexsync.output.formats.json_documents import noun_json, one_line  # noqa: PLC0415 - lines need none

    found = one_line(noun_json(one)) | {"due_at": one.due_at or None}
    found["error"] = found.pop("problem")
    return found
