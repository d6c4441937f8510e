"""What one run wrote, as a person sees it: each item once."""

from __future__ import annotations

import io

from msgspec.structs import replace
from rich.console import Console

from plexsync.models import PlexField, RatingKey, SceneId
from plexsync.output.history import first_items, run_view
from plexsync.state import RunLog, Written
from plexsync.storage.checkpoint import RunRecord
from plexsync.storage.journal import RunKind, Settlement
from tests.support.factories import make_change, make_plan


def log_of(*written: Written) -> RunLog:
    """A run that wrote these."""
    run = RunRecord(run_id="20261122T083254Z-3f9a", kind=RunKind.RUN, started_at="", finished_at="")
    return RunLog(run=run, serial=1, written=written)


def written(seq: int, item: str, *, poster: bool = False) -> Written:
    """One request to an item: its fields, or its poster."""
    change = make_change()
    if poster:
        change = replace(change, field="poster", target=PlexField.POSTER)
    plan = make_plan(scene_id=SceneId("1"), rating_key=RatingKey(item), changes=(change,))
    return Written(seq=seq, plan=plan, status=Settlement.APPLIED)


def shown(log: RunLog) -> str:
    """The text of a terminal."""
    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(run_view(log))
    return out.getvalue()


def test_an_item_is_shown_once_with_its_fields_and_its_poster() -> None:
    """They are two requests, and one item."""
    text = shown(log_of(written(1, "9"), written(2, "9", poster=True), written(3, "10")))
    assert text.count("scene 1 -> item 9 ") == 1
    assert text.index("title") < text.index("poster") < text.index("item 10")


def test_a_limit_counts_items() -> None:
    """Not requests."""
    log = log_of(written(1, "9"), written(2, "9", poster=True), written(3, "10"))
    assert [one.seq for one in first_items(log, 1).written] == [1, 2]
    assert first_items(log, 5) == log
