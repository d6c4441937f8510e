"""A report as CSV: a line for each scene that waits or fails, and for each written field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.output.formats.tsv import csv_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.models import Value
    from plexsync.output.report.values import FailingScene, Report, ReportedScene, WrittenItem

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
                values = (run.run_id, field.field, _value(field.before), _value(field.after))
                yield csv_line((*cells, *values, "", "", *_pages(item)))


def _pages(one: ReportedScene | FailingScene | WrittenItem) -> tuple[str, str]:
    return one.scene_url, one.item_url


def _value(value: Value) -> str:
    return value if isinstance(value, str) else "; ".join(value)
