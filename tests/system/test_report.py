"""`plexsync report` on worlds with a past: what it holds, hides, and how it looks."""

from __future__ import annotations

import csv
import io
import re
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from benchmarks.review import make_home
from plexsync.cli import run_command_line
from plexsync.errors import ExitCode
from plexsync.simulators.http.faults import ErrorStatus, Fault
from plexsync.simulators.library.pairs import Case
from plexsync.sync.ports import RunOptions
from tests.support.browser import axe_violations, chromium
from tests.support.effort import calls_of
from tests.support.review_world import low_world, waiting_in
from tests.support.terminals import ProcessResult, run_plexsync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World

MIX = {Case.SAME: 4, Case.DUPLICATE: 2, Case.REMUXED: 2, Case.UNSCANNED: 1}
SVG = 'xmlns="http://www.w3.org/2000/svg"'
NEW_COVER = b"\x89PNG\r\n\x1a\n" + b"x" * 40
EVIL = '</title><script>document.title="owned"</script>| **x** =1+1'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two runs: the first wrote everything, the second a title and a cover in both places."""
    settings = {"FIELDS__POSTER": "overwrite", "FIELDS__BACKGROUND": "overwrite"}
    with low_world(tmp_path, MIX, scenes=40, **settings) as found:
        found.run()
        found.now += timedelta(days=2)
        (scene_id, *_) = [one for one, links in found.state().links() if links]
        found.stash.edit_scene(int(scene_id), title=EVIL)
        found.stash.set_cover(int(scene_id), NEW_COVER)
        found.run()
        yield found


def report(world: World, *options: str) -> ProcessResult:
    """Run it."""
    return run_plexsync(["report", *options], world.environ())


def page_of(world: World, tmp_path: Path, *options: str) -> str:
    """The HTML page."""
    file = tmp_path / "report.html"
    done = report(world, "--html", str(file), *options)
    assert (done.code, done.err) == (ExitCode.OK, "")
    assert file.stat().st_mode & 0o777 == 0o600
    return file.read_text(encoding="utf-8")


def test_the_page_has_coverage_waiting_and_what_runs_changed(world: World, tmp_path: Path) -> None:
    """The numbers are those of the state; each written field stands there before and after."""
    page = page_of(world, tmp_path)
    status = world.state()
    waiting = waiting_in(world)
    assert f"<dd>{len(waiting)}</dd>" in page
    assert f"<dd>{len(status.scene_ids())}</dd>" in page
    for one in waiting:
        assert f">scene {one.scene_id}</a> · " in page
    for run in status.runs:
        assert run.run_id in page
    linked = {scene_id for scene_id, links in status.links() if links}
    for scene in world.library.stash.scenes:
        studios = [one.name for one in world.library.stash.studios if one.id == scene.studio_id]
        if str(scene.id) in linked:
            assert all(name in page for name in studios)
    assert "poster before" in page
    assert "poster after" in page
    assert page.count("data:image/") >= 2
    assert page.count(b64encode(NEW_COVER).decode()) == 2
    assert "<svg" in page


def test_a_report_runs_nothing_and_asks_nobody(world: World, tmp_path: Path) -> None:
    """Hostile titles are text; on a phone nothing is cut off, and axe finds nothing serious."""
    page_of(world, tmp_path)
    asked: list[str] = []
    with chromium() as browser:
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": 400, "height": 800},
                color_scheme="dark" if scheme == "dark" else "light",
                bypass_csp=True,
            )
            page = context.new_page()
            page.on("request", lambda request: asked.append(request.url))
            page.goto((tmp_path / "report.html").as_uri())
            assert "owned" not in page.title()
            assert page.evaluate("document.documentElement.scrollWidth") <= 400
            assert axe_violations(page) == []
            context.close()
    assert all(url.startswith(("file:", "data:")) for url in asked)


def test_a_long_title_does_not_squeeze_the_rest_of_its_row(world: World, tmp_path: Path) -> None:
    """And on a phone, where the heads of a table are left out, its number says what it counts."""
    (first, *_) = waiting_in(world)
    world.stash.edit_scene(int(first.scene_id), title="a title of many words " * 30)
    world.run()
    page_of(world, tmp_path)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto((tmp_path / "report.html").as_uri())
        heads = page.locator("#waiting ~ .stack thead th")
        widths = [head.bounding_box() for head in heads.all()]
        assert min(one["width"] for one in widths[:3] if one) > 250
        page.set_viewport_size({"width": 400, "height": 800})
        number = page.locator("#waiting ~ .stack td.number").first
        label = number.evaluate("cell => getComputedStyle(cell, '::before').content")
        assert label == '"Candidates: "'


def test_texts_from_right_to_left_stay_by_themselves(world: World, tmp_path: Path) -> None:
    """Else the digits and signs of ours beside them change their places, and old and new do."""
    title = "\u05e9\u05dc\u05d5\u05dd!"
    (scene_id, *_) = [one for one, links in world.state().links() if links]
    world.stash.edit_scene(int(scene_id), title=title)
    world.run()
    page = page_of(world, tmp_path)
    assert f"<ins><bdi>{title}</bdi></ins>" in page
    assert page.count(title) == page.count(f"<bdi>{title}</bdi>")


def test_a_redacted_report_names_nothing(world: World, tmp_path: Path) -> None:
    """No title, name or path; the same text has the same stand-in, run after run."""
    page = page_of(world, tmp_path, "--redact")
    again = page_of(world, tmp_path, "--redact")
    assert re.findall("title-[0-9a-f]{8}", page) == re.findall("title-[0-9a-f]{8}", again)
    assert "data:image" not in page
    markdown = report(world, "--markdown", "--redact").out
    cells = report(world, "--csv", "--redact").out
    for text in (page, markdown, cells):
        for scene in world.library.stash.scenes:
            assert scene.title not in text
        for video in world.library.plex.videos:
            assert video.title not in text
        for studio in world.library.stash.studios:
            assert studio.name not in text
        for secret in ("/data", "/media", "stash-key", world.plex.token, "script", "://"):
            assert secret not in text.replace(SVG, "")


def test_scenes_and_items_lead_to_their_pages(world: World, tmp_path: Path) -> None:
    """The addresses are those of the configuration, and servers that are away have them, too."""
    stash, plex = "http://stash.invalid:9/s", "https://plex.invalid:9"
    environ = world.environ() | {"PLEXSYNC_STASH__URL": stash, "PLEXSYNC_PLEX__URL": plex}
    item = f"{plex}/web/index.html#!/server/{world.state().lineage.plex}/details?key="
    cells = run_plexsync(["report", "--csv"], environ).out
    rows = list(csv.DictReader(io.StringIO(cells)))
    assert {row["kind"] for row in rows} >= {"low", "applied"}
    for row in rows:
        assert row["scene_url"] == f"{stash}/scenes/{row['scene_id']}"
        assert row["item_url"].startswith(item)
        if row["field"]:
            assert row["item_url"] == f"{item}%2Flibrary%2Fmetadata%2F{row['item']}"
    file = tmp_path / "report.html"
    run_plexsync(["report", "--html", str(file), "--no-pictures"], environ)
    page, markdown = file.read_text("utf-8"), run_plexsync(["report", "--markdown"], environ).out
    for row in rows:
        for words, address in (
            (f"scene {row['scene_id']}", row["scene_url"]),
            (f"item {row['item']}", row["item_url"]),
        ):
            assert f'href="{address}" rel="noreferrer"' in page
            assert f"](<{address}>)" in markdown
            if row["field"]:
                assert f'<a href="{address}" rel="noreferrer">{words}</a>' in page
                assert f"[{words}](<{address}>)" in markdown


def test_without_a_configuration_a_report_has_no_links(world: World, tmp_path: Path) -> None:
    """It is made all the same, from what is remembered."""
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[stash]\nurl = "http://user:secret@stash"\n[plex]\nurl = 1\n')
    kept = {key: value for key, value in world.environ().items() if not key.endswith("__URL")}
    done = run_plexsync(["report", "--csv", "--config", str(wrong)], kept)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert done.code == ExitCode.OK
    assert rows
    assert {(row["scene_url"], row["item_url"]) for row in rows} == {("", "")}


def test_csv_has_a_line_a_scene_and_a_line_a_field(world: World) -> None:
    """No cell is a formula."""
    rows = list(csv.DictReader(io.StringIO(report(world, "--csv").out)))
    low = {row["scene_id"] for row in rows if row["kind"] == "low"}
    assert low == {one.scene_id for one in waiting_in(world)}
    written = [row for row in rows if row["field"] == "title"]
    assert written
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]


def test_markdown_shows_texts_as_texts(world: World) -> None:
    """A title breaks neither the table nor the page it is posted on."""
    text = report(world, "--markdown").out
    assert "<script>" not in text
    heads = [line for line in text.splitlines() if line.startswith("|")]
    assert all(re.search(r"(?<!\\)\|$", line) for line in heads)


def test_a_report_can_be_about_a_part(world: World, tmp_path: Path) -> None:
    """Of the runs since a day, of one run, of one library; what is not there is reported."""
    first, second = world.state().runs
    day = second.started_at[:10]
    page = page_of(world, tmp_path, "--since", day)
    assert second.run_id in page
    assert first.run_id not in page
    elsewhere = datetime.fromisoformat(second.started_at).astimezone(timezone(timedelta(hours=5)))
    assert second.run_id in page_of(world, tmp_path, "--since", elsewhere.isoformat())
    assert first.run_id in page_of(world, tmp_path, "--since", "999999w")
    page = page_of(world, tmp_path, "--run", first.run_id)
    assert f"Run {first.run_id}" in page
    assert f"Run {second.run_id}" not in page
    library = world.library.plex.sections[0].title
    assert f"library {library}" in page_of(world, tmp_path, "--library", library)
    for options in (("--library", "nope"), ("--since", "7x"), ("--run", "nope")):
        done = report(world, "--markdown", *options)
        assert done.code == ExitCode.USAGE
        assert "hint" in done.err


def test_failing_scenes_have_their_remedy(tmp_path: Path) -> None:
    """What failed stands there with what to do about it."""
    with low_world(tmp_path, {Case.SAME: 1}, scenes=4) as world:
        world.plex_wire.faults.add(Fault("plex.put", 1, ErrorStatus(400), None))
        world.run(RunOptions())
        text = report(world, "--markdown").out
        failing = text[text.index("## Parked and failing") :]
        assert f"](<{world.environ()['PLEXSYNC_STASH__URL']}/scenes/" in failing
        assert f"](<{world.environ()['PLEXSYNC_PLEX__URL']}/web/" in failing
        record = next(
            record
            for scene_id in world.state().scene_ids()
            if (record := world.state().get(scene_id)) and record.problem
        )
        assert record.problem is not None
        assert record.problem.message.split()[0] in failing


def test_without_plex_the_page_has_no_covers_and_says_so(world: World, tmp_path: Path) -> None:
    """Everything else is there."""
    environ = world.environ() | {"PLEXSYNC_PLEX__URL": "http://127.0.0.1:9"}
    file = tmp_path / "away.html"
    done = run_plexsync(["report", "--html", str(file)], environ)
    assert done.code == ExitCode.OK
    page = file.read_text(encoding="utf-8")
    assert "Some covers are left out" in page
    assert "data:image" not in page
    assert waiting_in(world)[0].scene_id in page


@pytest.mark.parametrize("options", [(), ("--markdown", "--csv")])
def test_one_shape_is_to_be_named(world: World, options: tuple[str, ...]) -> None:
    """A usage error otherwise."""
    assert report(world, *options).code == ExitCode.USAGE


def test_a_page_that_cannot_be_written_is_named_with_a_way_out(
    world: World, tmp_path: Path
) -> None:
    """The configuration has no part in it, nor has the state."""
    done = report(world, "--html", str(tmp_path / "none" / "report.html"))
    assert done.code == ExitCode.LOCAL_FILES
    assert "or name another file" in done.err


def test_a_hundred_thousand_scenes_fit_in_a_page(tmp_path: Path) -> None:
    """It stays under 5 MB."""
    environ = make_home(tmp_path, 100_000, 5_000)
    file = tmp_path / "report.html"
    done = run_plexsync(["report", "--html", str(file)], environ)
    assert done.code == ExitCode.OK
    assert file.stat().st_size < 5_000_000
    assert "100,000" in file.read_text(encoding="utf-8")


def test_a_scene_more_costs_a_page_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in calls, of which a scene takes 300; at 100,000 that is some seconds of CPU."""

    def calls_with(scenes: int) -> int:
        home = tmp_path / str(scenes)
        home.mkdir()
        for name, value in make_home(home, scenes, scenes // 20).items():
            monkeypatch.setenv(name, value)
        return calls_of(lambda: run_command_line(["report", "--html", str(home / "page.html")]))

    calls_with(40)  # imports
    assert (calls_with(1_000) - calls_with(200)) / 800 < 400
