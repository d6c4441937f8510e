"""A report as Markdown, for an issue or a chat: numbers, what waits and fails, what was written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plexsync.models import Value
    from plexsync.output.report.values import CoverageLine, Report, ReportedRun

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_MOST_TEXT = 120


def report_markdown(report: Report) -> Iterator[str]:
    """Return the lines, each with its line end."""
    for line in _lines(report):
        yield f"{line}\n"


# ---- Private -------------------------------------------------------------------------------------


def _lines(report: Report) -> Iterator[str]:
    scope = f", {_text(report.scope)}" if report.scope else ""
    yield f"# plexsync report, {report.made_at}{scope}"
    yield ""
    yield from (f"> {_text(note)}" for note in report.notes)
    head = ("", "linked", "LOW", "not in Plex", "ignored", "undecided", "all")
    lines = [("all", report.coverage)]
    lines += [(f"library {one.name or 'none known'}", one) for one in report.libraries]
    lines += [(f"studio {one.name or 'none known'}", one) for one in report.studios]
    yield from _table(head, (_coverage(name, one) for name, one in lines))
    if report.more_studios:
        yield f"… and {report.more_studios:,} more studios."
    yield ""
    yield "## Why matches are not HIGH"
    yield ""
    yield from _table(
        ("reason", "scenes"), ((one.reason, f"{one.count:,}") for one in report.reasons)
    )
    if report.waiting:
        rows = ((f"{one.scene_id} {one.title}", one.item, one.reason) for one in report.waiting)
        yield from _table(("scene", "best candidate", "why"), rows)
    if report.more_waiting:
        yield f"… and {report.more_waiting:,} more."
    yield ""
    yield "## Parked and failing"
    yield ""
    failing = (
        (one.scene_id, one.due_at or "parked", one.problem, one.remedy) for one in report.failing
    )
    yield from _table(("scene", "next try", "problem", "remedy"), failing)
    for run in report.runs:
        yield from _run(run)


def _coverage(name: str, line: CoverageLine) -> tuple[str, ...]:
    counts = (line.linked, line.low, line.unmatched, line.ignored, line.undecided, line.scenes)
    return (name, *(f"{count:,}" for count in counts))


def _run(run: ReportedRun) -> Iterator[str]:
    yield ""
    yield f"## Run {run.run_id}, {run.kind}, {_text(run.end)}"
    yield ""
    for item in run.items:
        ids = f"scene {item.scene_id}, item {item.rating_key}, {item.outcome}"
        yield f"- **{_text(item.title) or 'untitled'}** ({ids})"
        for one in item.fields:
            yield f"  - {one.field}: {_value(one.before)} → {_value(one.after)}"
    if run.more:
        yield f"- … and {run.more:,} more items."


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(map(_text, row))} |"
    yield ""


def _value(value: Value) -> str:
    text = value if isinstance(value, str) else ", ".join(value)
    return _text(text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…") or "(empty)"


def _text(text: str) -> str:
    """Return a text of a server as text, whatever Markdown would make of it."""
    return _SPECIAL.sub(r"\\\1", " ".join(clean_for_terminal(text).split()))
