"""A redacted report: no text of somebody's library is left in any of its parts."""

from __future__ import annotations

import msgspec

from plexsync.models import PlexField
from plexsync.output.report.values import (
    CoverageLine,
    FailingScene,
    ReasonCount,
    Redaction,
    Report,
    ReportedRun,
    ReportedScene,
    WrittenField,
    WrittenItem,
)

OURS = "Ours"
PATH = "/Ours/a.mp4"
WHY = "no item at '/Ours/a.mp4'"
ADDRESS = "http://Ours/7"
PAGES = {"scene_url": ADDRESS, "item_url": ADDRESS}


def full_report() -> Report:
    """A report with a text of somebody's library wherever one can stand."""
    fields = (
        WrittenField(field="title", target=PlexField.TITLE, before=OURS, after=f"{OURS} 2"),
        WrittenField(field="tags", target=PlexField.GENRES, before=(), after=(OURS,)),
        WrittenField(
            field="poster", target=PlexField.POSTER, before=OURS, after="", cover_before=b"Ours"
        ),
    )
    item = WrittenItem(
        scene_id="1",
        rating_key="2",
        title=OURS,
        path=PATH,
        outcome="applied",
        fields=fields,
        **PAGES,
    )
    return Report(
        made_at="2026-11-22",
        version="1",
        scope=f"library: {OURS}",
        coverage=CoverageLine(name=""),
        libraries=(CoverageLine(name=OURS, linked=3),),
        studios=(CoverageLine(name=OURS, low=1),),
        reasons=(ReasonCount(reason=WHY, count=2),),
        waiting=(
            ReportedScene(
                scene_id="3",
                title=OURS,
                path=PATH,
                library=OURS,
                item=OURS,
                item_path=PATH,
                reason=WHY,
                candidates=1,
                **PAGES,
            ),
        ),
        failing=(
            FailingScene(
                scene_id="4", path=PATH, problem=WHY, remedy=WHY, attempts=1, due_at="", **PAGES
            ),
        ),
        runs=(ReportedRun(run_id="r", kind="run", started_at="s", end="well", items=(item,)),),
        notes=(f"left out: {OURS}",),
    )


def test_no_text_of_a_library_is_left() -> None:
    """Titles, names, paths, messages, addresses and covers go; numbers and own words stay."""
    redacted = Redaction(b"key").report(full_report())
    assert b"Ours" not in msgspec.json.encode(redacted)
    assert redacted.libraries[0].linked == 3
    assert redacted.runs[0].items[0].outcome == "applied"
    assert redacted.runs[0].items[0].fields[0].cover_before == b""


def test_a_stand_in_says_what_it_stands_for() -> None:
    """The same text of one kind has the same one wherever it stands; a path keeps its extension."""
    redacted = Redaction(b"key").report(full_report())
    (low,), (run,) = redacted.waiting, redacted.runs
    (item,) = run.items
    assert low.title == low.item == item.title == item.fields[0].before
    assert low.title.startswith("title-")
    assert low.path == low.item_path == item.path
    assert low.path.startswith("path-")
    assert low.path.endswith(".mp4")
    assert low.library == redacted.libraries[0].name
    assert redacted.studios[0].name.startswith("studio-")
    assert item.fields[1].after[0].startswith("genres-")
    assert str(item.fields[2].before).startswith("picture-")
