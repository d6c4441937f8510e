"""Puts a run together by hand: configuration, transports, clients, reporter, signals, clock."""

from __future__ import annotations

import gc
import os
import select
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec.structs import replace

from plexsync.app.announcing import Announcement, announced
from plexsync.app.failures import StopSignals, make_run_id, typed_problem, utc_now
from plexsync.app.opening import command_config, config_secrets, open_servers
from plexsync.config.loader import load_notify
from plexsync.errors import (
    ConfigError,
    ExitCode,
    InterruptedRunError,
    PlexsyncError,
    StateError,
    most_severe,
)
from plexsync.models import MatchRow, Preview, Problem, Requests, RunHeader, RunSummary, as_problem
from plexsync.output.console import (
    is_terminal,
    is_unwatched,
    make_reporter,
    naming_option,
    write_errors,
    write_lines,
)
from plexsync.output.outages import Outages
from plexsync.output.streams import Reporter
from plexsync.output.summary import problem_lines, warning_line
from plexsync.planning.retry_schedule import iso
from plexsync.state import cache_directory, load_client_id, state_directory
from plexsync.sync.ports import Ports, RunOptions
from plexsync.transport.outgoing import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from plexsync.config.configuration import Config
    from plexsync.output.console import Invocation, LogOptions, Streams

T = TypeVar("T")
Asked = TypeVar("Asked", bound=RunOptions)

_PRIVATE_UMASK = 0o077
"""Every file a run makes is private, whatever the shell says."""

_PATIENT = RetryPolicy()
"""Patient enough for a server that restarts."""

_GLANCE_S = 0.1
"""How often somebody who is asked is looked at."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Do not look for cyclic garbage meanwhile, and never again in what was imported before.

    A run makes millions of values that stay and hold no cycles; reading both servers, matching and
    writing leave none behind. Looking through them took a sixth of its CPU, and found nothing.
    """
    gc.freeze()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        gc.unfreeze()


def perform(
    invocation: Invocation,
    use_case: Callable[[Config, Asked, Ports, Reporter], RunSummary],
    options: Asked,
    *,
    announce: bool = False,
    named: bool = False,
) -> int:
    """Read the configuration, do what is asked, report; return the exit code.

    Args:
        invocation: the global options.
        use_case: what to do; how it ended is in the summary.
        options: what the command line asks; in a dry run nothing may be written, anywhere.
        announce: health check, messages and metrics learn of it, unless it is a dry run; and where
            nobody watches, an outage is reported once when it begins and once when it is over.
        named: scenes are asked for by their ids.

    Raises:
        PlexsyncError: it could not begin, or a second signal ended it at once.
    """
    os.umask(_PRIVATE_UMASK)
    announcement = _announcement(invocation, wanted=announce and not options.dry_run)
    shape, streams = invocation.shape, invocation.streams
    quiet = announcement.wanted and not named and is_unwatched(shape, streams)
    outages = Outages(state_directory(os.environ)) if quiet else None
    shown = make_reporter(shape, streams, named=named, outages=outages)
    try:
        with announced(announcement), uncollected():
            world = _world(invocation, announcement, shown=shown, dry_run=options.dry_run)
            with world as (config, ports, reporter):
                summary = use_case(config, options, ports, reporter)
            return announcement.end(_final_code(summary, reporter, streams))
    except PlexsyncError as error:
        if outages is not None and not outages.fail(error, at=iso(utc_now())).news:
            return error.exit_code
        raise


@contextmanager
def _world(
    invocation: Invocation, announcement: Announcement, *, shown: Reporter, dry_run: bool
) -> Iterator[tuple[Config, Ports, Truthful]]:
    """Yield what a use case works with: the configuration, the servers, who sees it.

    Raises:
        InterruptedRunError: a second signal ended it at once.
    """
    with closing(shown), _logged(shown, invocation.log) as logging:
        config = _load_announced(invocation, announcement)
        reporter = Truthful(logging, invocation, announcement)
        with StopSignals(partial(_tell_stopping, invocation)) as signals:
            try:
                reporter.progress("asking Stash and Plex", 0, None)
                for warning in config.warnings:
                    reporter.warn(warning)
                with open_ports(
                    config,
                    os.environ,
                    reporter.warn,
                    read_only=dry_run,
                    should_stop=signals.should_stop,
                ) as ports:
                    asked = partial(_ask, invocation.streams, signals)
                    complete = replace(ports, confirm=asked, stop_code=signals.exit_code)
                    yield config, complete, reporter
            except KeyboardInterrupt:
                signals.exit_at_next()
                raise InterruptedRunError(signals.exit_code()) from None


def _announcement(invocation: Invocation, *, wanted: bool) -> Announcement:
    return Announcement(
        environ=os.environ,
        # Cron gets no mail because a health check is away.
        warn=_warner(invocation, watched=True),
        complain=_warner(invocation),
        typed=invocation.typed,
        wanted=wanted,
    )


def _load_announced(invocation: Invocation, announcement: Announcement) -> Config:
    """Read the configuration, and announce the run by it as far as it can be read."""
    try:
        config = command_config(invocation)
    except ConfigError:
        notify, secrets = load_notify(invocation.config, os.environ)
        hidden = [secret.reveal() for secret in secrets]
        invocation.secrets += hidden
        if notify is not None:
            announcement.begin(notify, None, hidden)
        raise
    announcement.begin(config.notify, config.metrics, config_secrets(config))
    return config


def _logged(shown: Reporter, options: LogOptions | None) -> AbstractContextManager[Reporter]:
    """Return a reporter that also writes a log, if one is wanted."""
    if options is None:
        return nullcontext(shown)
    from plexsync.output.log import logged  # noqa: PLC0415 - most runs write none

    return logged(shown, options)


@contextmanager
def open_ports(
    config: Config,
    environ: Mapping[str, str],
    warn: Callable[[str], None],
    *,
    read_only: bool,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Ports]:
    """Yield the world as configured: both clients, the directories, the clock.

    Args:
        config: which servers.
        environ: says where state and cache are.
        warn: takes a sentence about every request that is tried again.
        read_only: make no client identifier where there is none yet.
        should_stop: see `ports.Ports`.
    """
    state, cache = state_directory(environ), cache_directory(environ)
    client_id = load_client_id(state, create=not read_only)
    with open_servers(config, client_id, warn=warn, retry=_PATIENT) as servers:
        stash, plex = servers.stash_line, servers.plex_line
        yield Ports(
            stash=servers.stash,
            plex=servers.plex,
            requests=lambda: Requests(
                stash=stash.reads + stash.writes, plex_reads=plex.reads, plex_writes=plex.writes
            ),
            plex_down=lambda: plex.down,
            stash_down=lambda: stash.down,
            state_dir=state,
            cache_dir=cache,
            now=utc_now,
            should_stop=should_stop,
            run_id=make_run_id(utc_now()),
        )


@uncollected()
def ask_servers(invocation: Invocation, question: Callable[[Config, Ports], T]) -> T:
    """Return what `question` finds out, with real clients and the real clock.

    Raises:
        PlexsyncError: a server, the state or the configuration cannot be read.
    """
    config = command_config(invocation)
    with open_ports(config, os.environ, _warner(invocation), read_only=True) as ports:
        return question(config, ports)


class Truthful(Reporter):
    """A reporter that says what a run cannot know: which file was named; and keeps the words.

    Args:
        reporter: what shows the run.
        invocation: has the `--config` of the command line; each command named needs that, too.
        announcement: keeps warnings, failed rows and the summary.
    """

    def __init__(
        self, reporter: Reporter, invocation: Invocation, announcement: Announcement
    ) -> None:
        self._reporter, self._announcement = reporter, announcement
        self._config, self._typed = invocation.config, invocation.typed

    @property
    def failure(self) -> OSError | None:
        """Of the reporter."""
        return self._reporter.failure

    def started(self, header: RunHeader) -> None:
        """Pass it on."""
        self._reporter.started(header)

    def progress(self, phase: str, done: int, total: int | None) -> None:
        """Pass it on."""
        self._reporter.progress(phase, done, total)

    def preview(self, preview: Preview) -> None:
        """Pass it on."""
        self._reporter.preview(preview)

    def row(self, row: MatchRow) -> None:
        """Pass it on, and keep what failed."""
        if row.error is not None:
            self._announcement.lines.append(f"scene {row.scene.id}: {row.error.message}")
        if self._config is not None:
            reason, error = self._typed(row.reason), self._problem(row)
            row = msgspec.structs.replace(row, reason=reason, error=error)
        self._reporter.row(row)

    def warn(self, message: str) -> None:
        """Pass it on, and keep it."""
        message = self._typed(message)
        self._announcement.lines.append(warning_line(message))
        self._reporter.warn(message)

    def finished(self, summary: RunSummary) -> None:
        """Pass it on with commands that can be typed as they stand."""
        header = msgspec.structs.replace(summary.header, named=naming_option(self._config))
        summary = msgspec.structs.replace(summary, header=header, error=self._problem(summary))
        self._announcement.keep_summary(summary)
        self._reporter.finished(summary)

    def close(self) -> None:
        """Pass it on."""
        self._reporter.close()

    def _problem(self, ended: MatchRow | RunSummary) -> Problem | None:
        """Return the error of a row or a run with commands that can be typed as they stand."""
        return typed_problem(ended.error, self._typed) if ended.error else None


# ---- Private -------------------------------------------------------------------------------------


def _ask(streams: Streams, signals: StopSignals, items: int) -> bool:
    """Ask on the terminal, until the answer is yes or no; a terminal that is gone says no."""
    many = "1 item" if items == 1 else f"{items:,} items"
    while streams.stdin is not None:
        if streams.stderr is not None:
            streams.stderr.write(f"Write {many} to Plex? (yes/no) ")
            streams.stderr.flush()
        # A signal does not end the reading of a line, so it is begun when there is one.
        while not select.select([streams.stdin], [], [], _GLANCE_S)[0]:
            if signals.should_stop():
                raise InterruptedRunError(signals.exit_code())
        line = streams.stdin.readline()
        answer = line.strip().lower()
        if not line or answer in {"no", "n"}:
            break
        if answer in {"yes", "y"}:
            return True
    return False


def _warner(invocation: Invocation, *, watched: bool = False) -> Callable[[str], None]:
    """Return what shows a warning; `watched`: only in a terminal, where a person sees it."""
    stderr = invocation.streams.stderr

    def warn(message: str) -> None:
        if not invocation.shape.quiet and (is_terminal(stderr) or not watched):
            write_lines(stderr, (warning_line(invocation.typed(message)),))

    return warn


def _tell_stopping(invocation: Invocation) -> None:
    stderr = invocation.streams.stderr
    if is_terminal(stderr) and not invocation.shape.quiet:
        line = warning_line("ending after what is under way; once more to end at once")
        write_lines(stderr, (f"\n{line}",))


def _final_code(summary: RunSummary, reporter: Reporter, streams: Streams) -> int:
    """Return a report that could not be written is a failure, unless its reader just left."""
    code, failure = ExitCode(summary.exit_code), reporter.failure
    if failure is None or isinstance(failure, BrokenPipeError):
        return code
    error = StateError(f"the report could not be written: {failure.strerror or failure}")
    write_errors(streams.stderr, problem_lines(as_problem(error)))
    return most_severe((code, error.exit_code))
