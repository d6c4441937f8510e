"""What `status` prints: for a terminal, as lines for a pipe, as a JSON document.

Values in, renderables, lines and keys out; nothing is printed here.
Source: docs/output.md, "Status".
"""

from __future__ import annotations

import math
from datetime import datetime
from textwrap import indent
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from plexsync.errors import ExitCode
from plexsync.output.formats.json_documents import record_json, rule_json
from plexsync.state import ENDED_WELL, age_s
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.toml import rules_text, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from plexsync.models import PathRule
    from plexsync.state import RunRecord, Status, Trouble

SCHEMA = "plexsync/status/1"

RUNS_SHOWN = 5
TROUBLES_SHOWN = 20
NARROW_BELOW = 90
"""Columns below which a run's row is too narrow for what it took and read."""

_LABEL_COLUMNS = 12
_WIDEST_BAR = 50

_LEVELS = "▁▂▃▄▅▆▇█"
_PARTS = " ▏▎▍▌▋▊▉█"
_ASCII_LEVELS = "_.:-=+*#"
_ASCII_PARTS = " #"

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400

_ENDS = {
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


# ---- A terminal ----------------------------------------------------------------------------------


def status_view(status: Status, *, width: int, ascii_only: bool = False) -> Group:
    """Everything a person wants to know, most important first.

    Args:
        status: how things stand.
        width: columns of the terminal.
        ascii_only: the terminal can show nothing else.
    """
    parts: list[RenderableType] = [_verdict(status)]
    if status.running:
        parts.append(Text(f"A run is under way since {status.running.since}.", style="cyan"))
    if status.runs:
        parts += [Text(""), _runs(status, width=width, ascii_only=ascii_only)]
    if status.coverage.scenes:
        parts += [Text(""), _library(status, width=width, ascii_only=ascii_only)]
    if status.failing:
        head = Text.assemble(("Failing", "bold yellow"), f": {_scenes(len(status.failing))}")
        parts += [Text(""), head, Text(""), *_troubles(status.failing, now=status.now)]
    if status.parked:
        head = Text.assemble(("Parked", "bold red"), f": {_scenes(len(status.parked))}")
        head.append(", failed too often; plexsync retry tries them again", style="dim")
        parts += [Text(""), head, Text(""), *_troubles(status.parked, now=None)]
    if status.proposed:
        parts += [Text(""), _rules(status.proposed)]
    parts += [Text(""), *(Text(line, style="dim", overflow="fold") for line in _facts(status))]
    return Group(*parts)


def check_sentence(status: Status, *, max_age_s: float) -> str:
    """Whether a run ended well lately, in one line for a monitor."""
    if not status.last_success_at:
        return "no run has ended well yet"
    last = f"the last run that ended well was {ago(status.last_success_at, status.now)}"
    if status.parked and status.is_fresh(max_age_s):
        return f"{last}; {parked_words(status)}"
    return last if status.is_fresh(max_age_s) else f"{last}: longer ago than {span(max_age_s)}"


def parked_words(status: Status) -> str:
    """How many scenes are parked, and why the first one is."""
    count = len(status.parked)
    problem = status.parked[0].problem
    why = f": {problem.message}" if problem else ""
    return f"{_scenes(count)} parked after too many failed tries{why} (plexsync retry)"


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
    """A length of time in its two largest units at most, never rounded up."""
    whole = int(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min"
    if whole < 2 * _DAY_S:
        minutes = whole % _HOUR_S // _MINUTE_S
        return f"{whole // _HOUR_S} h" + (f" {minutes} min" if minutes else "")
    return f"{whole // _DAY_S} days"


def sparkline(counts: Sequence[int], *, ascii_only: bool = False) -> str:
    """One character a count; only 0 is lowest.

    Heights are logarithms, so that a first run of 100,000 leaves something to see of the others.
    """
    levels = _ASCII_LEVELS if ascii_only else _LEVELS
    most = max(counts, default=0)
    if not most:
        return levels[0] * len(counts)
    steps = len(levels) - 1
    heights = (math.ceil(steps * math.log1p(count) / math.log1p(most)) for count in counts)
    # The highest may come out a trifle above the top.
    return "".join(levels[min(height, steps)] for height in heights)


def bar(share: float, columns: int, *, ascii_only: bool = False) -> str:
    """A bar that is empty only for nothing, and full only for all."""
    parts = _ASCII_PARTS if ascii_only else _PARTS
    fine = len(parts) - 1
    filled = round(share * columns * fine)
    if 0 < share < 1:
        filled = min(max(filled, 1), columns * fine - 1)
    full, rest = divmod(filled, fine)
    return (parts[-1] * full + (parts[rest] if rest else "")).ljust(columns)


def percent(part: int, whole: int) -> str:
    """A share that is 0 % only for nothing, and 100 % only for all."""
    if part in {0, whole}:
        return "100 %" if part else "0 %"
    share = 100 * part / whole
    return "<1 %" if share < 1 else f"{min(int(share), 99)} %"


# ---- Lines and documents -------------------------------------------------------------------------


def status_lines(status: Status) -> Iterator[str]:
    """What a pipe gets: tab-separated, the first column says what the line is about."""
    yield _line("success", status.last_success_at)
    yield _line("full", status.last_full_at)
    for run in status.runs:
        code = "" if run.exit_code is None else run.exit_code
        numbers = (run.counts.scenes_read, run.counts.applied, run.counts.failed)
        yield _line("run", run.run_id, run.kind, run.started_at, run.finished_at, code, *numbers)
    for name, count in _shares(status):
        yield _line("scenes", name, count)
    yield _line("due", status.due, status.later, status.next_at)
    for scene_id in status.review:
        yield _line("review", scene_id)
    for word, troubles in (("failing", status.failing), ("parked", status.parked)):
        for one in troubles:
            yield _line(word, one.scene_id, one.attempts, one.due_at, _problem_words(one))
    for rule in status.proposed:
        yield _line("rule", shown_path(rule.stash), shown_path(rule.plex), rule.explains)


def status_document(
    status: Status, *, exit_code: int, metrics: Sequence[object] = ()
) -> dict[str, object]:
    """Return the JSON document. Every key is always there; unknown is null."""
    coverage = status.coverage
    age = status.success_age_s
    return {
        "schema": SCHEMA,
        "now": f"{status.now:%Y-%m-%dT%H:%M:%SZ}",
        "exit_code": int(exit_code),
        "state": {
            "directory": str(status.directory),
            "plex": _clean(status.lineage.plex) or None,
            "stash": _clean(status.lineage.stash) or None,
        },
        "running": _running(status),
        "last_success_at": status.last_success_at or None,
        "last_success_age_s": None if age is None else int(age),
        "last_full_at": status.last_full_at or None,
        "runs": [record_json(run) for run in status.runs],
        "scenes": {"all": coverage.scenes, **dict(_shares(status))},
        "waiting": {"due": status.due, "later": status.later, "next_at": status.next_at or None},
        "review": list(status.review),
        "failing": [_trouble(one) for one in status.failing],
        "parked": [_trouble(one) for one in status.parked],
        "unsettled": status.unsettled,
        "proposed_rules": [rule_json(rule) for rule in status.proposed],
        "metrics": list(metrics),
        "error": None,
    }


# ---- Private: a terminal -------------------------------------------------------------------------


def _verdict(status: Status) -> Text:
    """The one line to read."""
    runs = [run for run in status.runs if run.finished_at]
    if not status.last_success_at:
        return Text(
            "No run has ended well yet." if runs else "No run yet. Begin with: plexsync run -n",
            style="bold yellow",
        )
    good = f"The last run that ended well was {ago(status.last_success_at, status.now)}"
    if runs and runs[-1].exit_code not in ENDED_WELL:
        return Text(f"{good}, but not the last one: {run_end(runs[-1])}.", style="bold yellow")
    return Text(f"{good}.", style="bold green")


def _runs(status: Status, *, width: int, ascii_only: bool) -> Group:
    shown = status.runs[-max(width - _LABEL_COLUMNS - 24, 10) :]
    which = f"the last {len(shown)}, oldest first" if len(shown) > 1 else "the first one"
    lines = [Text.assemble(("Runs", "bold"), (f"  {which}", "dim"))]
    for label, style, counts in (
        ("written", "green", [run.counts.applied for run in shown]),
        ("failed", "red", [run.counts.failed for run in shown]),
    ):
        line = sparkline(counts, ascii_only=ascii_only)
        most = f" in all, {max(counts):,} at most" if sum(counts) and len(counts) > 1 else ""
        total = f"  {sum(counts):,}{most}"
        some = style if sum(counts) else "dim"
        lines.append(Text.assemble(f"  {label:<10}", (line, some), (total, "dim")))
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=True, header_style="bold dim")
    wide = width >= NARROW_BELOW
    table.add_column("Started", no_wrap=True)
    table.add_column("What", no_wrap=True)
    for title in ("Took", "Read") if wide else ():
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("Written", "Failed"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Ended", overflow="fold")
    for run in reversed(status.runs[-RUNS_SHOWN:]):
        table.add_row(*_run_cells(run, status, wide=wide))
    return Group(*lines, Text(""), table)


def _run_cells(run: RunRecord, status: Status, *, wide: bool) -> Iterator[RenderableType]:
    under_way = status.running is not None and not run.finished_at and run is status.runs[-1]
    yield ago(run.started_at, status.now)
    yield "full run" if run.full else run.kind
    if wide:
        yield _took(run)
        yield f"{run.counts.scenes_read:,}"
    yield f"{run.counts.applied:,}"
    yield Text(f"{run.counts.failed:,}", style="red" if run.counts.failed else "")
    good = run.exit_code in ENDED_WELL
    yield Text("under way" if under_way else run_end(run), style="green" if good else "yellow")


def _took(run: RunRecord) -> str:
    try:
        finished = datetime.fromisoformat(run.finished_at)
    except ValueError:
        return ""
    seconds = age_s(run.started_at, finished)
    return "" if seconds is None else span(seconds)


def run_end(run: RunRecord) -> str:
    """Return how a run ended, in words."""
    if run.exit_code is None:
        return "cut off"
    try:
        return _ENDS.get(ExitCode(run.exit_code), f"exit {run.exit_code}")
    except ValueError:
        return f"exit {run.exit_code}"


def _library(status: Status, *, width: int, ascii_only: bool) -> Group:
    scenes = status.coverage.scenes
    columns = min(max(width - _LABEL_COLUMNS - 20, 10), _WIDEST_BAR)
    lines = [Text.assemble(("Library", "bold"), (f"  {_scenes(scenes)}", "dim"))]
    styles = {"linked": "green", "low": "yellow", "unmatched": "cyan", "undecided": "red"}
    for name, count in _shares(status):
        if name == "undecided" and not count:
            continue
        label = "LOW" if name == "low" else name
        drawn = bar(count / scenes, columns, ascii_only=ascii_only)
        numbers = f"  {count:>9,}  {percent(count, scenes):>5}"
        line = Text.assemble(f"  {label:<10}", (drawn, styles.get(name, "dim")), numbers)
        lines.append(line)
    return Group(*lines)


def _troubles(troubles: Sequence[Trouble], *, now: datetime | None) -> Iterator[RenderableType]:
    """The first ones; without `now` they have no next try."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=True, header_style="bold dim")
    table.add_column("Scene", justify="right", no_wrap=True)
    table.add_column("Tries", justify="right", no_wrap=True)
    if now:
        table.add_column("Next try", no_wrap=True)
    table.add_column("What went wrong", overflow="fold")
    for one in troubles[:TROUBLES_SHOWN]:
        when = [until(one.due_at, now)] if now else []
        problem = Text(_problem_words(one), overflow="fold")
        table.add_row(one.scene_id, str(one.attempts), *when, problem)
    yield table
    if len(troubles) > TROUBLES_SHOWN:
        yield Text(f"  … and {len(troubles) - TROUBLES_SHOWN:,} more", style="dim")


def _rules(rules: Sequence[PathRule]) -> Group:
    head = Text("Path rules that fit your libraries, for config.toml:")
    lines = indent(rules_text(rules).rstrip(), "    ")
    return Group(head, Text(lines, style="cyan", no_wrap=True, overflow="ignore"))


def _facts(status: Status) -> Iterator[str]:
    """What is left to say, in sentences."""
    if status.coverage.linked and status.items > status.coverage.linked:
        yield (
            f"The {_scenes(status.coverage.linked)} linked are {status.items:,} items in Plex: a "
            "scene with several files can be several items, and runs count what they wrote by item."
        )
    if status.review:
        yield f"{_scenes(len(status.review))} to settle by a person: plexsync review"
    if status.due or status.later:
        counts = ((status.due, "by the next run"), (status.later, "later"))
        when = ", ".join(f"{count:,} {words}" for count, words in counts if count)
        first = f", the first {until(status.next_at, status.now)}" if status.next_at else ""
        yield f"Scenes tried again: {when}{first}."
    if status.unsettled:
        yield f"Writes to be checked in Plex by the next run: {status.unsettled:,}."
    if status.last_full_at:
        yield f"The last full look at everything was {ago(status.last_full_at, status.now)}."
    yield f"State: {_clean(str(status.directory))}"


def _scenes(count: int) -> str:
    return "1 scene" if count == 1 else f"{count:,} scenes"


# ---- Private: lines and documents ----------------------------------------------------------------


def _shares(status: Status) -> tuple[tuple[str, int], ...]:
    coverage = status.coverage
    return (
        ("linked", coverage.linked),
        ("low", coverage.low),
        ("unmatched", coverage.unmatched),
        ("ignored", coverage.ignored),
        ("undecided", coverage.undecided),
    )


def _line(*fields: object) -> str:
    return "\t".join(_clean(str(field)) for field in fields)


def _problem_words(one: Trouble) -> str:
    return _clean(one.problem.message) if one.problem else ""


def _running(status: Status) -> dict[str, object] | None:
    holder = status.running
    if holder is None:
        return None
    return {"pid": holder.pid, "host": _clean(holder.host), "since": _clean(holder.since)}


def _trouble(one: Trouble) -> dict[str, object]:
    problem = one.problem
    return {
        "scene_id": one.scene_id,
        "attempts": one.attempts,
        "due_at": one.due_at or None,
        "paths": [_clean(path) for path in one.paths],
        "error": {
            "kind": problem.kind,
            "message": _clean(problem.message),
            "hint": _clean(problem.hint),
        }
        if problem
        else None,
    }


def _clean(text: str) -> str:
    return clean_for_terminal(text)
