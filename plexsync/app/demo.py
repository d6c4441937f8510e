"""`plexsync demo`: a simulated Stash, a simulated Plex, and real runs between them.

Nothing leaves this machine and nothing of the user's is touched: the servers listen on loopback,
configuration, state and cache live in a temporary directory that goes away afterwards.
"""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.app.failures import StopSignals, utc_now
from plexsync.app.runs import open_ports
from plexsync.config.files import write_config
from plexsync.config.loader import load_config
from plexsync.errors import ExitCode, InterruptedRunError, PlexsyncError
from plexsync.output.console import Streams, is_terminal, make_console
from plexsync.output.streams import Meter, Shape
from plexsync.output.terminal import Bars, TerminalReporter
from plexsync.sync.ports import RunOptions
from plexsync.sync.reconcile import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from plexsync.models import RunSummary
    from plexsync.simulators.plex.simulator import PlexSimulator
    from plexsync.simulators.stash.simulator import StashSimulator

TOKEN = "opens-the-demo-only"  # noqa: S105 - the simulated Plex takes it, nothing else does

_ROWS_SHOWN = 1
"""Rows of each table: all of it fits two screens."""

TO_TRY = (
    ("plexsync status", "how things stand"),
    ("plexsync explain 7", "why the LOW match is not HIGH"),
    ("plexsync review", "settle it by keys"),
    ("plexsync history last", "what the last run wrote"),
    ("plexsync undo last -n", "what taking it back would change"),
)
"""What a person who looks around can type, and what for."""


def run_demo(streams: Streams, *, shape: Shape, keep: bool) -> int:
    """Tell the story from the first look to the run that has nothing to do.

    Args:
        streams: where to tell it.
        shape: how it is to look.
        keep: leave the servers up until a signal comes.

    Returns:
        The exit code: 0 when every run did what the story says.

    Raises:
        InterruptedRunError: a signal came.
    """
    interrupted = threading.Event()
    with ExitStack() as stack:
        signals = stack.enter_context(StopSignals(interrupted.set))
        stage = stack.enter_context(_stage())
        story = _Story(stage, streams, shape, signals)
        story.tell()
        if keep:
            story.say_how_to_go_on()
            interrupted.wait()
        else:
            story.say_what_comes_next()
    return ExitCode.OK


# ---- The stage -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stage:
    """Both servers, and what to set so that plexsync works with them and nowhere else."""

    stash: StashSimulator
    plex: PlexSimulator
    environ: dict[str, str]


@contextmanager
def _stage() -> Iterator[_Stage]:
    from plexsync.simulators.http.exchange import Wired  # noqa: PLC0415 - only the demo serves
    from plexsync.simulators.http.loopback import LoopbackServer  # noqa: PLC0415 - same
    from plexsync.simulators.library.demo import demo_library  # noqa: PLC0415 - same
    from plexsync.simulators.plex.simulator import PlexSimulator  # noqa: PLC0415 - same
    from plexsync.simulators.stash.simulator import StashSimulator  # noqa: PLC0415 - same

    library = demo_library()
    stash, plex = StashSimulator(library), PlexSimulator(library, token=TOKEN)
    with (
        LoopbackServer(Wired(stash)) as stash_server,
        LoopbackServer(Wired(plex)) as plex_server,
        tempfile.TemporaryDirectory(prefix="plexsync-demo-") as directory,
    ):
        config = _CONFIG.format(stash=stash_server.url, plex=plex_server.url)
        write_config(Path(directory, "plex-token"), TOKEN)
        write_config(Path(directory, "config.toml"), config)
        environ = {
            "PLEXSYNC_CONFIG": f"{directory}/config.toml",
            "PLEXSYNC_STATE_DIR": f"{directory}/state",
            "CACHE_DIRECTORY": f"{directory}/cache",
        }
        yield _Stage(stash, plex, environ)


_CONFIG = """\
[stash]
url = "{stash}"

[plex]
url = "{plex}"
token = {{ file = "plex-token" }}

[[paths]]
stash = "/data/"
plex = "/media/"

[apply]
preserve_plex_edits = true
"""


# ---- The story -----------------------------------------------------------------------------------


class _Story:
    """Says what comes, does it, and says what was seen."""

    def __init__(self, stage: _Stage, streams: Streams, shape: Shape, signals: StopSignals) -> None:
        self._stage, self._shape, self._signals = stage, shape, signals
        self._out: Console = make_console(streams.stdout, no_color=shape.no_color)
        self._err: Console = make_console(streams.stderr, no_color=shape.no_color)
        watched = is_terminal(streams.stdout) and is_terminal(streams.stderr)
        self._meter = Bars(self._err, time.monotonic) if watched and not shape.quiet else Meter()

    def tell(self) -> None:
        """From the first look to the run with nothing to do."""
        self._introduce()
        self._look_first()
        self._write()
        self._change_both_sides()
        self._rest()

    def say(self, text: str = "") -> None:
        """Print a paragraph."""
        if not self._shape.quiet:
            self._out.print(Text(text))

    def say_how_to_go_on(self) -> None:
        """Print what to type in another terminal."""
        self._chapter("Go on by yourself")
        self.say("Both servers stay up. In another terminal:")
        self.say()
        for name, value in self._stage.environ.items():
            self._code(f"export {name}={value}")
        self.say()
        self._say_commands()
        self.say("Ctrl-C here ends the servers and removes all of it.")

    def say_what_comes_next(self) -> None:
        """Print what else there is, in a line each, and where to begin."""
        self._chapter("What else there is")
        self._say_commands()
        self.say("To try these here, leave the servers up: plexsync demo --keep")
        self.say("Now yours: plexsync init")

    def _say_commands(self) -> None:
        for command, purpose in TO_TRY:
            self._code(f"{command:<24}{purpose}")
        self.say()

    def _introduce(self) -> None:
        self.say(
            "A simulated Stash and a simulated Plex now run on this machine, reachable from nowhere"
            " else. Stash knows twelve films well; Plex has found the files of eleven, but only"
            " knows what they are called."
        )

    def _look_first(self) -> None:
        self._chapter("1  Look first")
        summary = self._run("plexsync run -n", RunOptions(dry_run=True), rows=_ROWS_SHOWN)
        _insist(summary.requests.plex_writes == 0, "a dry run wrote")
        _insist(summary.counts.planned > 0, "there was nothing to write")
        self.say(
            "HIGH matches are certain enough to write: their files agree in ways that two different"
            " films do not. The LOW one could be either of two files with the same name and size,"
            " so it waits for you. One film is not in Plex yet. Plex was asked, but sent nothing."
        )

    def _write(self) -> None:
        self._chapter("2  Write")
        # What it would write was shown just now.
        summary = self._run("plexsync run", RunOptions(), rows=0)
        _insist(summary.counts.applied > 0, "nothing was written")
        self.say(
            f"{summary.counts.applied} items were written and read back: one request for all the"
            " words of an item, one for its poster. Had the power failed in between, the next run"
            " would have gone on from there."
        )

    def _change_both_sides(self) -> None:
        from plexsync.simulators.library.demo import (  # noqa: PLC0415 - only the demo has them
            LATE_EDIT,
            PLEX_EDIT,
        )

        self._chapter("3  Somebody changes things, on both sides")
        stash, plex = self._stage.stash, self._stage.plex
        # A minute ago: for an edit of this very moment a run would wait until it settles.
        clock, stash.clock = stash.clock, lambda: utc_now() - timedelta(minutes=1)
        stash.edit_scene(LATE_EDIT.scene_id, title=LATE_EDIT.title, details=LATE_EDIT.details)
        stash.edit_scene(10, details="Four seasons on one roof, and a comet.")
        stash.clock = clock
        plex.edit_by_hand(str(PLEX_EDIT.rating_key), {"summary": PLEX_EDIT.summary})
        self.say(
            f'In Stash, scene {LATE_EDIT.scene_id} gets its final title, "{LATE_EDIT.title}". In'
            ' Plex, someone rewrites the summary of "A Year at the Observatory" by hand, while it'
            " changes in Stash, too."
        )
        self.say()
        summary = self._run("plexsync run", RunOptions())
        _insist(summary.counts.applied == 1, "more or less than the late edit was written")
        _insist(summary.counts.kept == 1, "the edit made in Plex was not kept")
        self.say(
            "Only the film that changed was written. The words typed into Plex stayed, since"
            " preserve_plex_edits says so; without it Stash would have the last word."
        )

    def _rest(self) -> None:
        self._chapter("4  Nothing to do")
        summary = self._run("plexsync run", RunOptions())
        _insist(summary.requests.plex_writes == 0, "a run with nothing new wrote")
        self.say(
            f"{summary.requests.stash} requests to Stash, {summary.requests.plex_reads} to Plex,"
            " none of them a write. Under cron such a run prints nothing at all."
        )

    def _run(self, command: str, options: RunOptions, *, rows: int = _ROWS_SHOWN) -> RunSummary:
        """One real run, shown as the command would show it."""
        self._code(f"$ {command}")
        reporter = TerminalReporter(self._out, self._err, self._shape, meter=self._meter, rows=rows)
        environ, should_stop = self._stage.environ, self._signals.should_stop
        config = load_config(None, environ)
        with open_ports(
            config, environ, reporter.warn, read_only=options.dry_run, should_stop=should_stop
        ) as ports:
            summary = run(config, options, ports, reporter)
        if should_stop():
            raise InterruptedRunError(self._signals.exit_code())
        _insist(summary.exit_code == ExitCode.OK, f"the run ended with {summary.exit_code}")
        self.say()
        return summary

    def _chapter(self, title: str) -> None:
        if not self._shape.quiet:
            self._out.print()
            self._out.rule(Text(title, style="bold"), align="left", style="dim")
            self._out.print()

    def _code(self, line: str) -> None:
        if not self._shape.quiet:
            self._out.print(Text(f"    {line}", style="cyan"), soft_wrap=True)


def _insist(held: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like an assertion
    """Raise unless the story is true: a demo that shows something else ends as a bug.

    Raises:
        PlexsyncError: it did not hold.
    """
    if not held:
        raise PlexsyncError(f"the demo went otherwise than it should: {otherwise}")
