"""A report as Markdown, for an issue or a chat, and as CSV, for a spreadsheet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from plexsync.output.formats.tsv import csv_line
from plexsync.output.status import COVERAGE_PARTS
from plexsync.text.differences import names_of
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plexsync.models import Value
    from plexsync.output.report.values import CoverageLine, Report, ReportedFile, ReportedRun


_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_MOST_TEXT = 120
_IN_ADDRESSES = "/:?#[]@!$&'()*+,;=%~"


class _Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


# ---- Markdown ------------------------------------------------------------------------------------


def report_markdown(report: Report) -> Iterator[str]:
    """Return the lines, without their line ends."""
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
    yield from (f"{name}: {counts}." for name, counts in report.kept_words)
    yield ""
    yield "## Why matches are not HIGH"
    yield ""
    yield from _table(
        ("reason", "scenes"), ((one.reason, f"{one.count:,}") for one in report.reasons)
    )
    yield from _waiting(report)
    yield from _failing(report)
    for run in report.runs:
        yield from _run(run)


def _waiting(report: Report) -> Iterator[str]:
    if report.waiting:
        rows = (
            (
                _link(f"{one.scene_id} {one.title}", one.scene_url),
                _link(one.item or "none", one.item_url),
                one.reason,
            )
            for one in report.waiting
        )
        yield from _table(("scene", "best candidate", "why"), rows)
    if report.more_waiting:
        yield f"… and {report.more_waiting:,} more."
    yield ""


def _failing(report: Report) -> Iterator[str]:
    yield "## Parked and failing"
    yield ""
    rows = (
        (
            _link(one.scene_id, one.scene_url),
            _link("item" if one.item_url else "", one.item_url),
            one.due_at or "parked",
            one.problem,
            one.remedy,
        )
        for one in report.failing
    )
    yield from _table(("scene", "item", "next try", "problem", "remedy"), rows)


def _coverage(name: str, line: CoverageLine) -> tuple[str, ...]:
    counts = (getattr(line, part) for part in (*COVERAGE_PARTS, "scenes"))
    return (name, *(f"{count:,}" for count in counts))


def _run(run: ReportedRun) -> Iterator[str]:
    yield ""
    yield f"## Run {run.run_id}, {run.kind}, {_text(run.end)}"
    yield ""
    for item in run.items:
        scene = _link(f"scene {item.scene_id}", item.scene_url)
        shown = _link(f"item {item.rating_key}", item.item_url)
        ids = f"{scene}, {shown}, {item.outcome}"
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
    text = ", ".join(names_of(value))
    return _text(text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…") or "(empty)"


def _link(words: str, address: str) -> _Markdown:
    """Return words that lead to a page; "" leads nowhere."""
    shown = _text(words)
    # Within < > an address ends at a > only, and within a table a | ends the cell.
    return _Markdown(f"[{shown}](<{quote(address, safe=_IN_ADDRESSES)}>)" if address else shown)


def _text(text: str) -> str:
    """Return a text of a server as text, whatever Markdown would make of it."""
    if isinstance(text, _Markdown):
        return text
    return _SPECIAL.sub(r"\\\1", " ".join(clean_for_terminal(text).split()))


# ---- CSV -----------------------------------------------------------------------------------------


COLUMNS = (
    "kind",
    "scene_id",
    "title",
    "path",
    "library",
    "item",
    "run_id",
    "field",
    "before",
    "after",
    "why",
    "remedy",
    "scene_url",
    "item_url",
)
"""What each line holds; new columns come at the end."""


def report_csv(report: Report) -> Iterator[str]:
    """Return the lines, the heading first."""
    yield csv_line(COLUMNS)
    for one in report.waiting:
        cells = ("low", one.scene_id, one.title, one.path, one.library, one.item)
        yield csv_line((*cells, "", "", "", "", one.reason, "plexsync review", *_pages(one)))
    for bad in report.failing:
        kind = "failing" if bad.due_at else "parked"
        cells = (kind, bad.scene_id, "", bad.path, "", "")
        yield csv_line((*cells, "", "", "", "", bad.problem, bad.remedy, *_pages(bad)))
    for run in report.runs:
        for item in run.items:
            for field in item.fields:
                cells = (item.outcome, item.scene_id, item.title, item.path, "", item.rating_key)
                before, after = ("; ".join(names_of(one)) for one in (field.before, field.after))
                values = (run.run_id, field.field, before, after)
                yield csv_line((*cells, *values, "", "", *_pages(item)))


def _pages(one: ReportedFile) -> tuple[str, str]:
    return one.scene_url, one.item_url
