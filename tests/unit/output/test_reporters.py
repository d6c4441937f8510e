"""Reporters: each says what its reader needs, and none can stop a run."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from rich.text import Text

from plexsync.models import Outcome
from plexsync.output.console import make_console
from plexsync.output.formats.tsv import COLUMNS
from plexsync.output.outages import Outages
from plexsync.output.reporters import CronReporter, JsonlReporter, JsonReporter, PipeReporter
from plexsync.output.streams import Meter, Shape, Sink
from plexsync.output.terminal import Bars, TerminalReporter
from tests.support.factories import (
    make_counts,
    make_evidence,
    make_header,
    make_low_row,
    make_preview,
    make_problem,
    make_row,
    make_rule,
    make_scene_ref,
    make_summary,
)
from tests.support.terminals import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plexsync.models import MatchRow, RunSummary
    from plexsync.output.streams import Reporter


class BrokenStream(io.BytesIO):
    """A stream that fails at every write; counts how often it was tried."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error, self.tries = error, 0

    def write(self, _piece: Any, /) -> int:  # noqa: ANN401 - a buffer of any kind
        """Fail."""
        self.tries += 1
        raise self.error

    def flush(self) -> None:
        """Fail."""
        self.write(b"")


def drive(reporter: Reporter, *rows: MatchRow, summary: RunSummary | None = None) -> None:
    """A whole run, as reconcile tells it."""
    reporter.started(make_header())
    reporter.progress("Reading Plex", 1, 2)
    reporter.preview(make_preview())
    for row in rows:
        reporter.row(row)
    reporter.warn("careful\x1b")
    reporter.finished(summary or make_summary(counts=make_counts(applied=1)))
    reporter.close()


class Wires:
    """Two byte streams and what came out of them."""

    def __init__(self) -> None:
        self.out_bytes, self.err_bytes = io.BytesIO(), io.BytesIO()
        self.out, self.err = Sink(self.out_bytes), Sink(self.err_bytes)

    @property
    def stdout(self) -> str:
        """What a program reads."""
        return self.out_bytes.getvalue().decode()

    @property
    def stderr(self) -> str:
        """What a person reads."""
        return self.err_bytes.getvalue().decode()


@pytest.fixture
def wires() -> Wires:
    """Fresh streams."""
    return Wires()


# ---- Pipe ----------------------------------------------------------------------------------------


def test_pipe_gets_a_line_per_row_that_is_not_unchanged(wires: Wires) -> None:
    """Lines on stdout, words on stderr, nothing else."""
    rows = (make_row(outcome=Outcome.APPLIED), make_row(outcome=Outcome.UNCHANGED), make_low_row())

    drive(PipeReporter(wires.out, wires.err), *rows)

    assert [line.split("\t")[0] for line in wires.stdout.splitlines()] == ["applied", "review"]
    assert wires.stderr == "plexsync: careful\ufffd\n1 written.\n"


class Steps(Meter):
    """A meter that keeps what it shows."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def step(self, phase: str, done: int, total: int | None) -> None:
        """Keep it."""
        self.shown.append(f"{phase} {done}/{total}")

    def clear(self) -> None:
        """Keep it."""
        self.shown.append("clear")


def test_bar_gives_way_to_the_first_line_that_may_share_its_screen(wires: Wires) -> None:
    """`plexsync run | cat` shows the bar while it reads, and each line whole."""
    meter = Steps()
    reporter = PipeReporter(wires.out, wires.err, meter=meter, polite=True)

    reporter.progress("Reading Plex", 1, 2)
    reporter.row(make_row(outcome=Outcome.UNCHANGED))
    reporter.progress("Reading Plex", 2, 2)
    reporter.row(make_row())
    reporter.progress("Writing", 1, 2)
    reporter.finished(make_summary())

    assert meter.shown == ["Reading Plex 1/2", "Reading Plex 2/2", "clear"]


def test_bar_stays_where_the_lines_go_into_a_file(wires: Wires) -> None:
    """`plexsync run > changes.tsv` has the screen for itself."""
    meter = Steps()
    reporter = PipeReporter(wires.out, wires.err, meter=meter)

    reporter.row(make_row())
    reporter.progress("Writing", 1, 2)

    assert meter.shown == ["Writing 1/2"]


def test_quiet_pipe_gets_nothing_but_errors(wires: Wires) -> None:
    """`-q` leaves failures."""
    drive(
        PipeReporter(wires.out, wires.err, Shape(quiet=True)),
        make_row(),
        summary=make_summary(error=make_problem()),
    )

    assert wires.stdout == ""
    assert wires.stderr.splitlines() == [
        "plexsync: Plex answered 503 three times",
        "  hint: is Plex starting?",
    ]


def test_verbose_pipe_names_the_servers(wires: Wires) -> None:
    """`-v` adds servers and cost to stderr."""
    drive(PipeReporter(wires.out, wires.err, Shape(verbosity=1)))

    assert "Stash v0.30.1 at" in wires.stderr
    assert "took 5 s" in wires.stderr


@pytest.mark.parametrize("reporter", [PipeReporter, CronReporter])
@pytest.mark.parametrize("verbosity", [0, 1, 2])
@pytest.mark.parametrize("outcome", [Outcome.APPLIED, Outcome.SKIPPED])
def test_lines_show_the_evidence_when_asked_twice(
    wires: Wires,
    reporter: type[PipeReporter | CronReporter],
    verbosity: int,
    outcome: Outcome,
) -> None:
    """`-vv` adds one column at the end, and `-v` none."""
    row = make_row(outcome=outcome, evidence=(make_evidence(name="size", weight=12.44),))
    summary = make_summary(counts=make_counts(applied=1))
    drive(reporter(wires.out, wires.err, Shape(verbosity=verbosity)), row, summary=summary)

    columns = wires.stdout.rstrip("\n").split("\t")
    assert len(columns) == len(COLUMNS) + (verbosity == 2)
    assert ("size +12.4 (" in columns[-1]) is (verbosity == 2)


# ---- Cron ----------------------------------------------------------------------------------------


def test_cron_is_silent_when_nothing_is_new(wires: Wires) -> None:
    """Known LOW rows, unmatched rows and warnings alone send no mail."""
    drive(
        CronReporter(wires.out, wires.err),
        make_low_row(),
        make_row(item=None, confidence=None, outcome=Outcome.UNMATCHED),
        summary=make_summary(counts=make_counts(review=1, unmatched=1)),
    )

    assert (wires.stdout, wires.stderr) == ("", "")


def test_cron_tells_what_changed_but_not_what_still_waits(wires: Wires) -> None:
    """Once something changed the rows are printed; LOW ones that were announced before are not."""
    drive(CronReporter(wires.out, wires.err), make_low_row(), make_row(outcome=Outcome.APPLIED))

    assert [line.split("\t")[0] for line in wires.stdout.splitlines()] == ["applied"]
    assert wires.stderr == "plexsync: careful\ufffd\n1 written.\n"


def test_cron_tells_scenes_that_failed_alike_in_one_line(wires: Wires) -> None:
    """With the first of them and a count; another reason has a line of its own."""
    failed = [
        make_row(scene=make_scene_ref(id=str(number)), outcome=Outcome.FAILED, error=make_problem())
        for number in range(1, 13)
    ]
    other = make_row(outcome=Outcome.FAILED, error=make_problem(message="another"))
    drive(
        CronReporter(wires.out, wires.err),
        *failed,
        other,
        summary=make_summary(counts=make_counts(failed=13), exit_code=3),
    )

    lines = [line.split("\t") for line in wires.stdout.splitlines()]
    assert [line[-1] for line in lines] == [
        "Plex answered 503 three times (and 11 more)",
        "another",
    ]
    assert lines[0][3] == "1"


def test_cron_hears_of_an_outage_when_it_begins_and_when_it_is_over(
    tmp_path: Path,
) -> None:
    """Thirty nights send two mails; another cause, or more scenes that fail, send one each."""
    outages = Outages(tmp_path)

    def night(**summary: Any) -> str:  # noqa: ANN401 - fields of a summary
        wires = Wires()
        drive(CronReporter(wires.out, wires.err, outages=outages), summary=make_summary(**summary))
        return wires.stdout + wires.stderr

    down = {"error": make_problem(), "exit_code": 4}
    assert "503 three times" in night(**down)
    assert {night(**down) for _ in range(28)} == {""}
    assert "Stash is away" in night(error=make_problem(message="Stash is away"), exit_code=4)
    assert "2 failed" in night(counts=make_counts(failed=2), exit_code=3)
    assert night(counts=make_counts(failed=2), exit_code=3) == ""
    assert "3 failed" in night(counts=make_counts(failed=3), exit_code=3)
    assert "1 written" in night(counts=make_counts(applied=1, failed=3), exit_code=3)
    over = night()
    assert over.startswith("plexsync: runs end well again; 34 runs failed since ")
    assert night() == ""
    assert "503 three times" in night(**down)


def test_cron_tells_low_rows_when_one_is_new(wires: Wires) -> None:
    """A new LOW match is worth a mail, and the rows are in it."""
    drive(
        CronReporter(wires.out, wires.err),
        make_low_row(),
        summary=make_summary(counts=make_counts(review=1), new_review=1),
    )

    assert wires.stdout.startswith("review\tLOW\t\t42\t9120")
    assert "1 LOW match waits" in wires.stderr


def test_cron_tells_an_error(wires: Wires) -> None:
    """A server that did not answer is worth a mail."""
    drive(
        CronReporter(wires.out, wires.err), summary=make_summary(error=make_problem(), exit_code=4)
    )

    assert wires.stdout == ""
    assert "plexsync: Plex answered 503 three times" in wires.stderr


@pytest.mark.parametrize("counts", [{"skipped": 1}, {"kept": 1}])
@pytest.mark.parametrize(("command", "is_shown"), [("apply", True), ("undo", True), ("run", False)])
def test_cron_tells_what_a_plan_or_an_undo_left_alone(
    wires: Wires, counts: dict[str, int], command: str, *, is_shown: bool
) -> None:
    """A run comes back to it and names it in its next rows; they do not."""
    row = make_row(
        outcome=Outcome.SKIPPED, reason="changed in Plex since the plan was saved: title"
    )
    summary = make_summary(header=make_header(command=command), counts=make_counts(**counts))
    drive(CronReporter(wires.out, wires.err), row, summary=summary)

    assert ("since the plan was saved: title" in wires.stdout) is is_shown


def test_verbose_cron_is_never_silent(wires: Wires) -> None:
    """`-v` is how to get a mail every time."""
    drive(CronReporter(wires.out, wires.err, Shape(verbosity=1)), summary=make_summary())

    assert "Nothing to do." in wires.stderr


# ---- JSON ----------------------------------------------------------------------------------------


def test_json_is_one_document_with_every_row(wires: Wires) -> None:
    """Rows in the order they came, unchanged ones too."""
    rows = (make_row(), make_row(outcome=Outcome.UNCHANGED), make_low_row())

    drive(JsonReporter(wires.out, wires.err), *rows)

    found = json.loads(wires.stdout)
    assert [match["outcome"] for match in found["matches"]] == ["planned", "unchanged", "review"]
    assert wires.stderr == "plexsync: careful\ufffd\n"


def test_json_rows_leave_memory_when_they_are_many(wires: Wires) -> None:
    """Far more rows than the spool keeps in memory arrive whole."""
    big = make_row(reason="x" * 100_000)

    drive(JsonReporter(wires.out, wires.err), *[big] * 100)

    assert len(json.loads(wires.stdout)["matches"]) == 100


def test_json_without_its_rows_does_not_look_complete(
    wires: Wires, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spool that cannot be kept: the document says so, and so does the exit code."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    reporter = JsonReporter(wires.out, wires.err)

    drive(reporter, make_row(reason="much " * 1_000_000), make_row())

    found = json.loads(wires.stdout)
    assert found["matches"] == []
    assert found["exit_code"] == 9
    assert "No such file or directory" in found["error"]["message"]
    assert isinstance(reporter.failure, OSError)


def test_jsonl_tells_each_event_as_it_happens(wires: Wires) -> None:
    """After each call its line is out."""
    reporter = JsonlReporter(wires.out)

    reporter.started(make_header())
    first = wires.stdout
    drive(reporter, make_row())

    assert json.loads(first)["event"] == "started"
    assert [json.loads(line)["event"] for line in wires.stdout.splitlines()[1:]] == [
        "started",
        "progress",
        "matched",
        "match",
        "warning",
        "finished",
    ]


# ---- Streams that go away ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda sink: PipeReporter(sink, sink),
        lambda sink: CronReporter(sink, sink),
        lambda sink: JsonReporter(sink, sink),
        JsonlReporter,
    ],
    ids=["pipe", "cron", "json", "jsonl"],
)
@pytest.mark.parametrize(
    "error",
    [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")],
    ids=["reader left", "disk full"],
)
def test_no_reporter_stops_a_run(make: Callable[[Sink], Reporter], error: OSError) -> None:
    """Whatever happens to the output, the run goes on, and nothing is tried twice."""
    stream = BrokenStream(error)
    reporter = make(Sink(stream))

    drive(reporter, make_row(), make_low_row())

    assert reporter.failure is error
    assert stream.tries == 1


# ---- Terminal ------------------------------------------------------------------------------------


class Screen:
    """Two consoles of a terminal, and what is on them."""

    def __init__(self, *, width: int = 100, term: str = "xterm", no_color: str = "") -> None:
        environ = {"TERM": term, "NO_COLOR": no_color}
        self.out, self.err = (
            Console(
                file=io.StringIO(),
                width=width,
                force_terminal=True,
                markup=False,
                highlight=False,
                emoji=False,
                _environ=environ,
            )
            for _ in range(2)
        )

    @property
    def stdout(self) -> str:
        """What was sent to stdout."""
        return _sent(self.out)

    @property
    def stderr(self) -> str:
        """What was sent to stderr."""
        return _sent(self.err)

    def reporter(self, *, quiet: bool = False, verbosity: int = 0) -> TerminalReporter:
        """A reporter on this screen, with bars that see a second pass at each look."""
        ticks = iter(range(1_000_000))
        bars = Bars(self.err, lambda: float(next(ticks)))
        return TerminalReporter(
            self.out, self.err, Shape(quiet=quiet, verbosity=verbosity), meter=bars
        )


def _sent(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_terminal_shows_tables_before_the_summary() -> None:
    """HIGH, LOW, then what was done and what it took."""
    screen = Screen(term="dumb")

    drive(screen.reporter(), make_row(outcome=Outcome.APPLIED))

    text = screen.stdout
    places = [text.index(part) for part in ("Stash v0", "HIGH", "LOW", "1 written.", "Run 2026")]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [60, 100, 200])
def test_dumb_terminal_gets_plain_text(width: int) -> None:
    """TERM=dumb: no escape sequence on either stream."""
    screen = Screen(term="dumb", width=width)

    drive(screen.reporter(verbosity=2), make_row(), make_low_row())

    assert "\x1b" not in screen.stdout + screen.stderr


def test_no_color_has_no_colours() -> None:
    """NO_COLOR leaves bold and dim, which are no colours."""
    plain, coloured = Screen(no_color="1"), Screen()

    drive(plain.reporter())
    drive(coloured.reporter())

    assert "\x1b[1;32m" in coloured.stdout
    assert "32m" not in plain.stdout


def test_progress_goes_to_stderr_and_leaves_nothing_behind() -> None:
    """The bar is on stderr, is erased, and the cursor is shown again."""
    screen = Screen()

    drive(screen.reporter())

    assert "Reading Plex" not in screen.stdout
    assert "Reading Plex" in screen.stderr
    assert screen.stderr.rindex("\x1b[?25h") > screen.stderr.rindex("\x1b[?25l")
    assert "\x1b[2K" in screen.stderr.partition("Reading Plex")[2]


def test_progress_is_drawn_at_most_ten_times_a_second() -> None:
    """A hundred thousand steps in one second cost ten drawings."""
    screen = Screen()
    steps = 100_000
    moments = iter(step / steps for step in range(steps))
    bars = Bars(screen.err, lambda: next(moments))

    for step in range(steps):
        bars.step("Reading Plex", step, steps)
    bars.clear()

    assert 5 <= screen.stderr.count("Reading Plex") <= 12


def test_a_phase_without_a_count_shows_no_bar() -> None:
    """A bar that stands at nothing and then jumps says less than words."""
    screen = Screen()
    ticks = iter(range(1000))
    bars = Bars(screen.err, lambda: float(next(ticks)))
    bars.step("matching 3,401 scenes", 0, None)
    assert "Matching 3,401 scenes ..." in plain(screen.stderr)
    assert "0/" not in plain(screen.stderr)
    bars.step("reading Stash", 0, None)
    bars.step("reading Stash", 40, None)
    bars.clear()
    assert "40/?" in plain(screen.stderr)


@pytest.mark.parametrize("no_color", [True, False])
def test_no_color_sends_no_escape_at_all(
    monkeypatch: pytest.MonkeyPatch, *, no_color: bool
) -> None:
    """Neither colours nor bold nor dim."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    make_console(stream, no_color=no_color).print(Text("word", style="bold red"))
    assert ("\x1b" in stream.getvalue()) is not no_color


def test_what_a_terminal_folds_of_an_error_is_set_in() -> None:
    """As of an error before a run: the hint stays below its word."""
    screen = Screen(width=40)
    hint = "take the token of the account that owns the server"

    drive(screen.reporter(), summary=make_summary(error=make_problem(hint=hint), exit_code=5))

    assert "  hint: take the token of the account\n    that owns the server\n" in screen.stderr


def test_quiet_terminal_shows_failures_only() -> None:
    """`-q`: nothing on stdout, failures and errors on stderr."""
    screen = Screen(term="dumb")

    drive(
        screen.reporter(quiet=True),
        make_row(outcome=Outcome.FAILED, error=make_problem()),
        summary=make_summary(error=make_problem(message="Plex is gone"), exit_code=4),
    )

    assert screen.stdout == ""
    assert "FAILED: 1" in screen.stderr
    assert "plexsync: Plex is gone" in screen.stderr
    assert f"  more: docs/troubleshooting.md#{make_problem().kind}\n" in screen.stderr
    assert "careful" not in screen.stderr


def test_terminal_lists_the_first_failures_and_counts_the_rest() -> None:
    """A thousand failures fill one screen, not fifty."""
    screen = Screen(term="dumb")

    drive(screen.reporter(), *[make_row(outcome=Outcome.FAILED, error=make_problem())] * 1000)

    assert "FAILED: 1,000" in screen.stdout
    assert "… and 980 more" in screen.stdout


def test_verbose_terminal_shows_rows_as_they_end() -> None:
    """`-v` shows the row, `-vv` its evidence as well."""
    once, twice = Screen(term="dumb"), Screen(term="dumb")

    drive(once.reporter(verbosity=1), make_row(outcome=Outcome.APPLIED))
    drive(twice.reporter(verbosity=2), make_row(outcome=Outcome.APPLIED))

    assert "applied   Beach Day (scene 42)" in once.stdout
    assert "bits" not in once.stdout
    assert "+21.4 bits" in twice.stdout


def test_run_without_matches_shows_no_tables() -> None:
    """Nothing due: two lines, no empty tables."""
    screen = Screen(term="dumb")
    reporter = screen.reporter()

    reporter.started(make_header())
    reporter.preview(make_preview(high=(), low=(), high_total=0, low_total=0))
    reporter.finished(make_summary(counts=make_counts(scenes_read=3)))

    assert "HIGH" not in screen.stdout
    assert "Nothing to do: 3 scenes read, none is due." in screen.stdout


def test_lines_to_copy_are_not_wrapped() -> None:
    """A path rule that is longer than the line stays one line."""
    screen = Screen(term="dumb", width=40)
    rule = make_rule(stash="/data/" + "long/" * 30)

    drive(
        screen.reporter(),
        summary=make_summary(counts=make_counts(review=1), proposed_rules=(rule,)),
    )

    assert f'    stash = "{rule.stash}"' in screen.stdout.splitlines()


def test_reporters_for_programs_need_no_rich() -> None:
    """Cron pays for no tables."""
    script = "import sys, plexsync.output.reporters; sys.exit('rich' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], check=False)

    assert done.returncode == 0
