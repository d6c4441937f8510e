"""A report as CSV: a line for each scene that waits or fails, and for each written field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.output.formats.tsv import csv_line
from plexsync.text.differences import names_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.output.report.values import Report, ReportedFile

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
