"""How things stand: counted from what is remembered, without a lock, a server or a write."""

from __future__ import annotations

import io
import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from plexsync.app.failures import utc_now
from plexsync.cli import run_command_line
from plexsync.errors import ExitCode, StateCorruptError
from plexsync.models import Counts, Outcome, PathRule, Problem, SceneId, SceneRecord
from plexsync.output.status import (
    ago,
    span,
    status_document,
    status_lines,
    until,
)
from plexsync.output.status_view import bar, percent, sparkline, status_view
from plexsync.state import load_state
from plexsync.storage.journal import End
from plexsync.storage.locations import hold_lock
from plexsync.storage.memory import SHOW_PREFIX
from plexsync.storage.scenes.rows import STATE_NAME
from plexsync.storage.session import open_session
from plexsync.storage.status import PROPOSED, Proposed, Status, read_status
from tests.support.state_factories import NOW, begin, make_record
from tests.support.terminals import plain, run_plexsync

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from plexsync.storage.session import Session

PARKED = "9999-12-31T23:59:59Z"


def iso(moment: datetime) -> str:
    """As the state keeps times."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def failed(number: int, *, due_at: str = "", attempts: int = 3) -> SceneRecord:
    """A scene that failed, with a text of a server that tries to steer the terminal."""
    problem = Problem(kind="transient", message="Plex sent \x1b[2J500\tand more", hint="wait")
    record = make_record(number, outcome=Outcome.FAILED)
    return replace(record, problem=problem, due_at=due_at, attempts=attempts)


def waiting(number: int, outcome: Outcome, *, due_at: str = "") -> SceneRecord:
    """A scene that has no item yet."""
    return replace(make_record(number, outcome=outcome), links=(), due_at=due_at, attempts=1)


@contextmanager
def run_of(
    directory: Path, number: int, *, now: datetime = NOW, code: int = 0
) -> Iterator[Session]:
    """Run `number`, that many minutes after `now`; ends half a minute later with `code`."""
    with open_session(directory, now=now) as session:
        begin(session, number, at=now)
        yield session
        failed = int(code == ExitCode.SOME_FAILED)
        session.end(
            now + timedelta(minutes=number, seconds=30),
            End(exit_code=code, counts=Counts(scenes_read=10, applied=number, failed=failed)),
        )


def fill(directory: Path, now: datetime = NOW) -> None:
    """A state with a bit of everything."""
    records = {
        1: make_record(1),
        2: make_record(2, outcome=Outcome.UNCHANGED),
        3: waiting(3, Outcome.REVIEW, due_at=iso(now + timedelta(hours=2))),
        4: waiting(4, Outcome.UNMATCHED, due_at=iso(now - timedelta(hours=1))),
        5: waiting(5, Outcome.IGNORED),
        6: failed(6, due_at=iso(now + timedelta(hours=1, seconds=30))),
        7: failed(7, due_at=PARKED, attempts=8),
        8: waiting(8, Outcome.FAILED),
    }
    rules = Proposed(rules=(PathRule(stash="/data/", plex="/media/\x1b[31m", explains=31),))
    with run_of(directory, 1, now=now - timedelta(hours=2)) as session:
        for number, record in records.items():
            session.remember(SceneId(str(number)), record)
        session.decide(PROPOSED, rules)
    with run_of(directory, 2, now=now - timedelta(hours=1), code=3):
        pass


@pytest.fixture(name="filled")
def make_filled(tmp_path: Path) -> Path:
    """A state directory with a bit of everything."""
    fill(tmp_path)
    return tmp_path


def files_of(directory: Path) -> dict[str, bytes]:
    """Everything on disk."""
    return {str(one): one.read_bytes() for one in directory.rglob("*") if one.is_file()}


# ---- What is counted -----------------------------------------------------------------------------


def test_every_scene_is_counted_once(filled: Path) -> None:
    """The shares add up."""
    found = read_status(filled, NOW).coverage

    shares = (found.linked, found.low, found.unmatched, found.ignored, found.undecided)
    assert shares == (4, 1, 1, 1, 1)
    assert found.scenes == sum(shares) == 8


def test_what_waits_is_kept_apart(filled: Path) -> None:
    """For a person, for the next run, for a later one, for nobody."""
    found = read_status(filled, NOW)

    assert found.review == ("3",)
    assert [(one.scene_id, one.attempts) for one in found.failing] == [("6", 3), ("8", 1)]
    assert [(one.scene_id, one.due_at) for one in found.parked] == [("7", "")]
    assert (found.due, found.later) == (1, 3)  # what Plex lacks waits until Plex changes
    assert found.next_at == iso(NOW + timedelta(hours=1, seconds=30))
    assert found.failing[0].paths == ("/media/6.mp4",)
    assert [rule.explains for rule in found.proposed] == [31]


def test_shows_remembered_without_tries_are_counted(tmp_path: Path) -> None:
    """Earlier versions kept no title and no tries of them."""
    link = {"rating_key": "7", "section_id": "1", "path": ""}
    with run_of(tmp_path, 1) as session:
        for key, more in (("show:7", {"wanted": "ab"}), ("show:8", {"apart": "mixed"})):
            record = msgspec.defstruct("Old", [*{"link": link, **more}])(link, *more.values())
            session.decide(f"{SHOW_PREFIX}{key}", record)

    found = read_status(tmp_path, NOW).shows
    assert (found.kept, found.left_alone, found.troubles) == (1, 1, ())


def test_reading_writes_nothing_and_waits_for_nobody(filled: Path) -> None:
    """While a run holds the lock."""
    before = files_of(filled)

    with hold_lock(filled, since="2026-11-22T08:30:00Z"):
        during = files_of(filled)
        found = read_status(filled, NOW)
        assert files_of(filled) == during

    assert found.running is not None
    assert found.running.pid == os.getpid()
    assert files_of(filled) == before


def test_nothing_remembered_is_no_error(tmp_path: Path) -> None:
    """Before the first run, and nothing is made."""
    found = read_status(tmp_path / "none", NOW)

    assert (found.runs, found.coverage.scenes, found.success_age_s) == ((), 0, None)
    assert not (tmp_path / "none").exists()


def test_damage_is_no_emptiness(filled: Path) -> None:
    """A state that cannot be read must not look like none."""
    (filled / STATE_NAME).write_bytes(b"{")

    with pytest.raises(StateCorruptError):
        read_status(filled, NOW)


@pytest.mark.parametrize(
    ("code", "well"), [(0, True), (10, True), (11, True), (3, False), (4, False), (130, False)]
)
def test_only_a_run_that_ended_well_counts_as_success(
    tmp_path: Path, code: int, *, well: bool
) -> None:
    """Whatever came after it is remembered, too."""
    with run_of(tmp_path, 1, code=code):
        pass
    with run_of(tmp_path, 2, code=4):
        pass

    found = read_status(tmp_path, NOW)
    assert found.last_success_at == (iso(NOW + timedelta(minutes=1, seconds=30)) if well else "")


def test_success_is_remembered_longer_than_the_runs(tmp_path: Path) -> None:
    """A hundred failing runs later a monitor still hears the truth."""
    with run_of(tmp_path, 1) as session:
        session.remember(SceneId("1"), make_record(1))
    for number in range(2, 62):
        with run_of(tmp_path, number, code=4):
            pass

    found = read_status(tmp_path, NOW)
    assert found.runs[0].run_id != "20261122T083354Z-0001"
    assert found.last_success_at == iso(NOW + timedelta(minutes=1, seconds=30))


@pytest.mark.parametrize(
    ("age_s", "fresh"), [(0, True), (3600, True), (3601, False), (-60, True)], ids=str
)
def test_freshness_is_measured_to_the_second(filled: Path, age_s: float, *, fresh: bool) -> None:
    """On both sides of the limit; a clock set back is no reason for an alarm."""
    success = read_status(filled, NOW).last_success_at
    now = datetime.fromisoformat(success) + timedelta(seconds=age_s)

    assert read_status(filled, now).is_fresh(3600) is fresh


# ---- Drawing -------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10**6), max_size=60))
@settings(max_examples=60)
def test_a_sparkline_has_one_character_a_count(counts: list[int]) -> None:
    """Only nothing is lowest, and more is never lower."""
    line = sparkline(counts)

    assert len(line) == len(counts)
    assert [char == "▁" for char in line] == [count == 0 for count in counts]
    order = "▁▂▃▄▅▆▇█"
    heights = [order.index(line[at]) for at in sorted(range(len(counts)), key=counts.__getitem__)]
    assert heights == sorted(heights)


@given(part=st.integers(0, 300_000), rest=st.integers(0, 300_000), columns=st.integers(4, 60))
@settings(max_examples=100)
def test_shares_are_never_rounded_to_none_or_all(part: int, rest: int, columns: int) -> None:
    """A bar and a percentage say 0 only for nothing, everything only for all."""
    whole = part + rest
    if not whole:
        return
    drawn = bar(part / whole, columns)

    assert len(drawn) == columns
    assert (drawn.strip() == "") is (part == 0)
    assert (drawn == "█" * columns) is (rest == 0)
    assert (percent(part, whole) == "0 %") is (part == 0)
    assert (percent(part, whole) == "100 %") is (rest == 0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3720, "1 h 2 min"),
        (172_799, "47 h 59 min"),
        (172_800, "2 days"),
    ],
)
def test_spans_are_shown_in_words(seconds: float, words: str) -> None:
    """Never rounded up."""
    assert span(seconds) == words


def test_times_are_shown_from_now() -> None:
    """Past, future, and what is no time at all."""
    assert ago(iso(NOW - timedelta(minutes=5)), NOW) == "5 min ago"
    assert until(iso(NOW + timedelta(minutes=5)), NOW) == "in 5 min"
    assert until(iso(NOW), NOW) == until("", NOW) == "next run"
    assert ago("nonsense", NOW) == "at an unknown time"


# ---- Telling -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "later", "sentence"),
    [
        (2, 3, "Scenes tried again: 2 by the next run, 3 later, the first in 1 h."),
        (2, 0, "Scenes tried again: 2 by the next run."),
        (0, 3, "Scenes tried again: 3 later, the first in 1 h."),
        (0, 0, ""),
    ],
)
def test_only_what_is_tried_again_is_counted(
    filled: Path, due: int, later: int, sentence: str
) -> None:
    """No "0" where there is nothing to say."""
    next_at = iso(NOW + timedelta(hours=1)) if later else ""
    found = replace(read_status(filled, NOW), due=due, later=later, next_at=next_at)

    text = shown(found)
    assert sentence in text
    assert ("tried again" in text) == bool(sentence)


def test_one_run_is_no_series(filled: Path) -> None:
    """It has no order, no sum and no maximum."""
    found = read_status(filled, NOW)
    once = replace(found, runs=found.runs[-1:])

    assert "the last 2, oldest first" in shown(replace(found, runs=found.runs[-2:]))
    assert "Runs  the first one" in shown(once)
    assert "at most" not in shown(once)


def test_a_terminal_shows_pages_whole(filled: Path) -> None:
    """An address that is broken over two lines opens nothing; a table has none in it."""
    found = read_status(filled, NOW)
    scene, item = f"http://stash.invalid/{'s' * 120}", f"http://plex.invalid/{'i' * 120}"
    failing, parked = (
        tuple(replace(one, scene_url=scene, item_urls=(item,)) for one in troubles)
        for troubles in (found.failing, found.parked)
    )
    named = [one.scene_id for one in (*failing, *parked)]
    lines = shown(replace(found, failing=failing, parked=parked)).splitlines()

    rows = [f"  {scene_id}  {address}" for scene_id in named for address in (scene, item)]
    assert [line for line in lines if "invalid" in line] == rows
    assert [line for line in lines if line not in rows] == shown(found).splitlines()


def shown(status: Status) -> str:
    """What a terminal shows."""
    console = Console(file=io.StringIO(), width=100, color_system=None)
    with console.capture() as capture:
        console.print(status_view(status, width=100), crop=False)
    return capture.get()


@pytest.mark.parametrize("width", [60, 100, 200])
def test_a_terminal_shows_everything_in_its_width(tmp_path: Path, width: int) -> None:
    """Nothing of a server steers it, no line is too long, the last word is whole."""
    fill(tmp_path, utc_now().replace(microsecond=0))

    done = run_plexsync(
        ["status"], {"PLEXSYNC_STATE_DIR": str(tmp_path)}, terminals=("stdout",), width=width
    )

    text = plain(done.out)
    assert (done.code, done.err) == (0, "")
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    for phrase in (
        "ended well was 1 h 58 min ago, but not the last one: some failed",
        "written",
        "failed",
        "8 scenes",
        "linked",
        "LOW",
        "Failing: 2 scenes",
        "in 1 h",
        "Parked: 1 scene",
        "1 scene to settle by a person: plexsync review",
        "Plex sent �[2J500 and more",
        'stash = "/data/"',
        'plex = "/media/\\u001B[31m"',
    ):
        assert phrase in words
    assert "\x1b[2J" not in done.out


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_no_colour_is_obeyed(filled: Path, environ: Mapping[str, str]) -> None:
    """Not one colour."""
    done = run_plexsync(
        ["status"], {"PLEXSYNC_STATE_DIR": str(filled), **environ}, terminals=("stdout",)
    )

    assert "\x1b[3" not in done.out.replace("\x1b[31m", "")
    assert "Library" in done.out


def test_a_pipe_gets_lines(filled: Path) -> None:
    """Tab-separated, cleaned, nothing cut."""
    lines = [line.split("\t") for line in status_lines(read_status(filled, NOW))]

    by_kind = {kind: [line[1:] for line in lines if line[0] == kind] for kind, *_ in lines}
    assert by_kind["success"] == [["2026-11-22T06:34:24Z"]]
    assert by_kind["run"][1][4:] == ["3", "10", "2", "1"]
    assert by_kind["scenes"][0] == ["linked", "4"]
    assert by_kind["due"] == [["1", "3", "2026-11-22T09:33:24Z"]]
    assert by_kind["review"] == [["3"]]
    assert by_kind["parked"] == [["7", "8", "", "Plex sent �[2J500 and more"]]
    assert by_kind["rule"] == [["/data/", '"/media/\\u001B[31m"', "31"]]


def test_the_document_always_has_every_key(filled: Path, tmp_path: Path) -> None:
    """Of a full state and of none."""
    full = status_document(read_status(filled, NOW), exit_code=0)
    none = status_document(read_status(tmp_path / "none", NOW), exit_code=12)

    assert full.keys() == none.keys()
    assert full["schema"] == "plexsync/status/1"
    assert full["scenes"] == {
        "all": 8,
        "linked": 4,
        "low": 1,
        "unmatched": 1,
        "ignored": 1,
        "undecided": 1,
    }
    assert none["last_success_at"] is None
    assert none["exit_code"] == 12


def test_a_run_under_way_is_reported(filled: Path) -> None:
    """Its row does not say that it was cut off."""
    with open_session(filled, now=NOW) as session:
        begin(session, 3)
        status: Status = read_status(filled, NOW)

        assert status.running
        assert status.runs[-1].exit_code is None


# ---- The commands --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--check"], 3, "plexsync PARKED: the last run that ended well was 2 h"),
        (["--check", "--max-age", "1h"], 12, "plexsync TOO OLD: "),
        (["--check", "-q"], 3, "plexsync PARKED: "),
        (["--check", "-q", "--max-age", "1h"], 12, "plexsync TOO OLD: "),
        (["-q"], 0, ""),
        (["--max-age", "1h"], 0, "success\t"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_check_ends_with_12_when_success_is_too_old_and_with_3_when_scenes_are_parked(
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    """One line for a monitor; without --check age is no failure."""
    fill(tmp_path, utc_now() - timedelta(minutes=5))
    monkeypatch.setenv("PLEXSYNC_STATE_DIR", str(tmp_path))

    assert run_command_line(["status", *arguments]) == code

    out = capsys.readouterr().out
    assert out.startswith(words) if words else out == ""


def test_check_before_the_first_run_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A monitor set up first must not be content; the document says the same."""
    monkeypatch.setenv("PLEXSYNC_STATE_DIR", str(tmp_path))

    assert run_command_line(["status", "--check", "--json"]) == ExitCode.TOO_OLD
    assert json.loads(capsys.readouterr().out)["exit_code"] == ExitCode.TOO_OLD


def retry(directory: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """`plexsync retry`."""
    monkeypatch.setenv("PLEXSYNC_STATE_DIR", str(directory))
    return run_command_line(["retry", *arguments])


def test_retry_makes_everything_due_that_failed(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parked ones, too; what waits for a person or for Plex stays as it is."""
    untouched = load_state(filled).get(SceneId("3"))

    assert retry(filled, monkeypatch) == ExitCode.OK

    state = load_state(filled)
    for scene_id in ("6", "7"):
        record = state.get(SceneId(scene_id))
        assert record
        assert (record.attempts, record.due_at, record.outcome) == (0, "", Outcome.FAILED)
        assert record.problem
    assert state.get(SceneId("3")) == untouched
    assert capsys.readouterr().out == "The next run tries 2 scenes again.\n"
    assert state.runs[-1].kind == "retry"
    assert read_status(filled, NOW).parked == ()


def test_retry_of_named_scenes_touches_no_other(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that waits for a person may be named; one that waits for nothing is reported."""
    assert retry(filled, monkeypatch, "3", "1", "--json") == ExitCode.OK

    document = json.loads(capsys.readouterr().out)
    assert document == {"schema": "plexsync/retry/1", "due": ["3"], "settled": ["1"]}
    assert [one.scene_id for one in read_status(filled, NOW).parked] == ["7"]


def test_retry_of_nothing_leaves_no_trace(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second time there is nothing to do, and no journal of it; nor is there a first time."""
    retry(filled, monkeypatch)
    before = files_of(filled)

    assert retry(filled, monkeypatch) == ExitCode.OK
    assert retry(filled / "none", monkeypatch) == ExitCode.OK

    assert files_of(filled) == before
    assert capsys.readouterr().out.count("Nothing that failed waits") == 2


@pytest.mark.parametrize(
    ("arguments", "code"), [(["99"], 2), (["abc"], 2), (["3", "99"], 2)], ids=str
)
def test_retry_of_an_unknown_scene_changes_nothing(
    filled: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    """All or nothing."""
    before = files_of(filled)

    assert retry(filled, monkeypatch, *arguments) == code
    assert files_of(filled) == before


def test_retry_does_not_work_beside_a_run(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writers would undo each other."""
    with hold_lock(filled, since=iso(datetime.now(UTC))):
        assert retry(filled, monkeypatch) == ExitCode.LOCKED
