"""`plexsync doctor` against both simulators: what is well, what is not, and what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from plexsync.app.checkup.doctor import (
    PathSample,
    Severity,
    check_clock,
    read_sample,
)
from plexsync.app.checkup.examination import check_state, free_bytes
from plexsync.app.opening import open_servers
from plexsync.cli import run_command_line
from plexsync.config.loader import load_config
from plexsync.errors import ExitCode
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.locations import hold_lock
from plexsync.transport.responses import http_date
from tests.support.factories import make_item, make_scene
from tests.support.terminals import plain, run_plexsync
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
RULE = "/data/=/media/"


@pytest.fixture(name="world")
def make_world(tmp_path: Path) -> Iterator[World]:
    """Two well servers."""
    spec = LibrarySpec(seed=3, scenes=30, mix={Case.SAME: 1.0}, extra_items=0.1, edited=0.0)
    with World(make_library(spec), tmp_path, PLEX__LIBRARIES="") as made:
        made.now = datetime.now(UTC)  # the clock Stash tells
        yield made


def examined(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    **settings: str,
) -> dict[str, Any]:
    """The document of a check-up."""
    for name, value in world.environ(**settings).items():
        monkeypatch.setenv(name, value)
    code = run_command_line(["doctor", "--json"])
    out, err = capsys.readouterr()
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    assert found["exit_code"] == code
    return found


def bad(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What is not well."""
    findings = found["findings"]
    return [(one["level"], one["area"]) for one in findings if one["level"] != "ok"]


def test_two_well_servers_are_well(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every part is looked at, and nothing is written anywhere."""
    found = examined(world, monkeypatch, capsys, PATHS=RULE)

    assert (found["exit_code"], bad(found)) == (ExitCode.OK, [])
    areas = {one["area"] for one in found["findings"]}
    assert areas == {"configuration", "state", "lock", "Stash", "Plex", "library", "paths"}
    assert world.plex_wire.counters.by_kind().get("plex.put", 0) == 0
    assert not world.state_dir.exists()
    assert not world.cache_dir.exists()


def test_missing_rules_are_proposed(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ready to be copied; a warning is no failure."""
    found = examined(world, monkeypatch, capsys)

    assert (found["exit_code"], bad(found)) == (ExitCode.OK, [("warn", "paths")])
    (remedy,) = [one["remedy"] for one in found["findings"] if one["level"] == "warn"]
    assert '    [[paths]]\n    stash = "/data/"\n    plex = "/media/"' in remedy


def test_wrong_rules_are_reported(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that covers nothing, one that leads nowhere."""
    found = examined(world, monkeypatch, capsys, PATHS="/data/=/wrong/,/nothing/=/x/")

    messages = [one["message"] for one in found["findings"] if one["area"] == "paths"]
    assert "none of 30 sampled files is there in Plex" in messages[0]
    assert "no sampled file lies below /nothing" in messages[1]
    assert messages[2].startswith("0 of 30 sampled files")


def test_names_and_folders_that_find_nothing_are_reported(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pattern is no folder, and so nothing would be left out; a name that is none says so."""
    found = examined(
        world,
        monkeypatch,
        capsys,
        PATHS=RULE,
        STASH__EXCLUDE_PATHS="/data/*,/data",
        STASH__EXCLUDE_TAGS="no such tag",
        COLLECTIONS__TAGS="none either",
    )

    assert [one["message"] for one in found["findings"] if one["level"] == "warn"] == [
        "[stash] exclude_tags: Stash has no tag 'no such tag'",
        "[collections] tags: Stash has no tag 'none either'",
        "[stash] exclude_paths: no sampled file lies below /data/*",
    ]


def test_fields_of_a_library_plex_does_not_have_are_reported(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """As a run does."""
    config = tmp_path / "config.toml"
    config.write_text('[libraries."Nowhere".fields]\ntitle = "off"\n')

    found = examined(world, monkeypatch, capsys, PATHS=RULE, CONFIG=str(config))

    (warning,) = [one["message"] for one in found["findings"] if one["level"] == "warn"]
    assert warning == "[libraries] Plex has no library 'Nowhere'"


@pytest.mark.parametrize(
    ("settings", "code", "area"),
    [
        ({"PLEX__TOKEN": "wrong-token"}, ExitCode.ACCESS, "Plex"),
        ({"STASH__API_KEY": "wrong-key"}, ExitCode.ACCESS, "Stash"),
        ({"PLEX__LIBRARIES": "No such library"}, ExitCode.ACCESS, "library"),
        ({"STASH__URL": "http://127.0.0.1:9"}, ExitCode.SERVER, "Stash"),
        ({"PLEX__URL": "http://127.0.0.1:9"}, ExitCode.SERVER, "Plex"),
        ({"STASH__URL": "ftp://x"}, ExitCode.USAGE, "configuration"),
    ],
    ids=["token", "key", "library", "no Stash", "no Plex", "configuration"],
)
def test_what_fails_has_its_exit_code_and_stops_nothing_else(
    *,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, str],
    code: ExitCode,
    area: str,
) -> None:
    """One failure, with a remedy; the other parts are looked at all the same."""
    found = examined(world, monkeypatch, capsys, PATHS=RULE, **settings)

    failures = [one for one in found["findings"] if one["level"] == "fail"]
    assert (found["exit_code"], [one["area"] for one in failures]) == (code, [area])
    assert failures[0]["remedy"]
    areas = {one["area"] for one in found["findings"]}
    assert "state" in areas
    if area == "Stash":
        assert {"Plex", "library"} <= areas


def test_a_token_that_may_not_write_is_a_warning(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shared user's token reads everything and fails at the first write."""
    world.plex.read_only_token = "guest-token"

    found = examined(world, monkeypatch, capsys, PATHS=RULE, PLEX__TOKEN="guest-token")

    assert bad(found) == [("warn", "Plex")]


def test_damaged_state_and_a_run_at_work_are_reported(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lock is looked at, not taken."""
    world.state_dir.mkdir()
    with hold_lock(world.state_dir, since="2026-11-22T08:00:00Z"):
        assert bad(examined(world, monkeypatch, capsys, PATHS=RULE)) == [("warn", "lock")]
    (world.state_dir / "state.json").write_bytes(b"{")

    found = examined(world, monkeypatch, capsys, PATHS=RULE)

    assert (found["exit_code"], bad(found)) == (ExitCode.LOCAL_FILES, [("fail", "state")])


@pytest.mark.parametrize(
    ("free", "levels"),
    [(0, ["ok", "warn", "ok"]), (16 * 2**20 - 1, ["ok", "warn", "ok"]), (16 * 2**20, ["ok", "ok"])],
    ids=["none", "too little", "enough"],
)
def test_a_disk_with_little_space_is_reported_before_a_run_meets_it(
    tmp_path: Path, free: int, levels: list[str]
) -> None:
    """A warning, also where the directory still has to be made: some runs need next to nothing."""
    found = list(check_state(tmp_path / "state" / "below", NOW, lambda _: free))

    assert [one.level for one in found] == levels
    assert all("Free some space" in one.remedy for one in found if one.level == "warn")


def test_free_space_is_that_of_the_disk(tmp_path: Path) -> None:
    """There is some, or no test could run."""
    assert free_bytes(tmp_path) > 0


@pytest.mark.parametrize("width", [60, 100])
def test_a_terminal_gets_a_line_a_finding(world: World, width: int) -> None:
    """Within its width, the lines to copy uncut; a pipe gets columns."""
    shown = run_plexsync(["doctor"], world.environ(), terminals=("stdout",), width=width)
    piped = run_plexsync(["doctor"], world.environ())

    text = plain(shown.out)
    assert (shown.code, piped.code) == (0, 0)
    assert max(map(len, text.splitlines())) <= width
    assert "[[paths]]" in text
    assert {line.split("\t")[0] for line in piped.out.splitlines()} == {"ok", "warn"}
    assert {line.count("\t") for line in piped.out.splitlines()} == {3}
    assert world.plex.token not in shown.out + piped.out


@pytest.mark.parametrize(
    ("date", "level", "words"),
    [
        ("Sun, 22 Nov 2026 08:01:00 GMT", Severity.OK, "agrees"),
        ("Sun, 22 Nov 2026 08:01:00", Severity.OK, "agrees"),
        ("Sun, 22 Nov 2026 08:01:01 GMT", Severity.WARN, "61 s ahead of"),
        ("Sun, 22 Nov 2026 06:00:00 GMT", Severity.WARN, "7,200 s behind"),
    ],
)
def test_clocks_are_compared_to_the_minute(date: str, level: Severity, words: str) -> None:
    """On both sides of the limit."""
    (found,) = check_clock("Plex", http_date(date), NOW)

    assert found.level is level
    assert words in found.message


@pytest.mark.parametrize("date", ["", "soon"])
def test_a_clock_nobody_tells_is_no_finding(date: str) -> None:
    """Nothing is made up."""
    assert list(check_clock("Plex", http_date(date), NOW)) == []


def test_nothing_to_compare_is_a_warning() -> None:
    """A new Stash or a new library is neither good nor bad."""
    assert [one.level for one in PathSample([], [make_item()]).judge(())] == [Severity.WARN]
    assert [one.level for one in PathSample([make_scene()], []).judge(())] == [Severity.WARN]


@pytest.mark.parametrize(("most", "step"), [(7, 5), (30, 1), (29, 2)])
def test_the_sample_is_of_all_of_stash(world: World, most: int, step: int) -> None:
    """A folder with the last scenes is in it as well; small libraries are looked at whole."""
    config = load_config(None, world.environ(), home=world.directory)
    with open_servers(config, "doctor") as servers:
        servers.stash.connect()
        sections = servers.plex.sections(())
        scenes, _ = read_sample(servers, sections, cache=world.cache_dir, now=NOW, most=most)
    ids = sorted(int(one.scene_id) for one in scenes)
    everything = sorted(int(one.id) for one in world.library.stash.scenes)
    assert ids == everything[::step]
