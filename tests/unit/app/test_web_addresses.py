"""The pages of scenes and items: by the configuration alone, and in a report only where wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from plexsync.app.web_addresses import WebAddresses, configured_addresses
from plexsync.models import PlexField, RatingKey, SceneId
from plexsync.output.report.html import report_html
from plexsync.output.report.texts import report_csv, report_markdown
from plexsync.output.report.values import (
    CoverageLine,
    FailingScene,
    Redaction,
    Report,
    ReportedRun,
    ReportedScene,
    WrittenField,
    WrittenItem,
)

if TYPE_CHECKING:
    from pathlib import Path

STASH, PLEX = "http://stash.invalid", "http://plex.invalid"
ODD = 'http://stash.invalid/a"><b>|c)'


def report_with(scene_url: str, item_url: str) -> Report:
    """A report that names a scene and an item in each of its parts."""
    low = ReportedScene(
        scene_id="7",
        title="t",
        path="",
        library="",
        item="i",
        item_path="",
        reason="",
        candidates=1,
        scene_url=scene_url,
        item_url=item_url,
    )
    failing = FailingScene(
        scene_id="8",
        path="p",
        problem="",
        remedy="",
        attempts=1,
        due_at="",
        scene_url=scene_url,
        item_url=item_url,
    )
    item = WrittenItem(
        scene_id="9",
        rating_key="9",
        title="t",
        path="",
        outcome="applied",
        fields=(WrittenField(field="title", target=PlexField.TITLE, before="", after="t"),),
        scene_url=scene_url,
        item_url=item_url,
    )
    run = ReportedRun(run_id="r", kind="run", started_at="", end="well", items=(item,))
    return Report(
        made_at="",
        version="1",
        coverage=CoverageLine(name=""),
        waiting=(low,),
        failing=(failing,),
        runs=(run,),
    )


@pytest.mark.parametrize(
    "text",
    ["[[[", "\x00", "stash = 3", '[stash]\nurl = "http://u:p@s"', '[stash]\nurl = "javascript:x"'],
)
def test_a_wrong_configuration_has_no_addresses(tmp_path: Path, text: str) -> None:
    """It is a problem of what needs it; an address that holds a password is none."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    found = configured_addresses(file, {}, "m")
    assert found == WebAddresses(machine="m")
    assert (found.of_scene(SceneId("7")), found.of_item(RatingKey("9"))) == ("", "")


def test_what_is_configured_leads_to_pages(tmp_path: Path) -> None:
    """Each server for itself, by file or environment; an unknown Plex has no items."""
    environ = {"PLEXSYNC_STASH__URL": f"{STASH}/graphql"}
    found = configured_addresses(tmp_path / "none", environ, "m")
    assert (found.of_scene(SceneId("7")), found.of_item(RatingKey("9"))) == (
        f"{STASH}/scenes/7",
        "",
    )
    assert WebAddresses(plex=PLEX).of_item(RatingKey("9")) == ""
    assert WebAddresses(plex=PLEX, machine="m").of_item(RatingKey("9")).startswith(f"{PLEX}/web/")


def test_a_user_without_a_home_has_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a container that runs with a number for a user."""
    monkeypatch.setenv("HOME", "~")
    assert configured_addresses(None, {"PLEXSYNC_PLEX__URL": PLEX}, "m").plex == PLEX


def test_a_redacted_report_has_no_address() -> None:
    """In no part: they name somebody's hosts."""
    report = report_with(STASH, PLEX)
    assert msgspec.json.encode(report).count(b"invalid") == 6
    assert b"invalid" not in msgspec.json.encode(Redaction(b"key").report(report))


def test_an_odd_address_is_an_address_only() -> None:
    """It ends neither an attribute nor a cell, and begins no element."""
    report = report_with(ODD, PLEX)
    page = "".join(report_html(report))
    assert page.count('href="http://stash.invalid/a&quot;&gt;&lt;b&gt;|c)" rel="noreferrer"') == 3
    markdown = "\n".join(report_markdown(report))
    assert markdown.count("](<http://stash.invalid/a%22%3E%3Cb%3E%7Cc)>)") == 3
    assert sum(line.count("http") for line in report_csv(report)) == 6
