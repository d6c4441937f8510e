"""What others learn of a run: a health check, people by message, Prometheus by file.

None of it changes how a run ends: what cannot be sent is a warning.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.app.failures import utc_now
from plexsync.errors import ConfigError, ExitCode, PlexsyncError, StateError, local_failure
from plexsync.integrations.metrics import last_run_of, samples, write_textfile
from plexsync.integrations.notify import (
    HealthCheck,
    Message,
    RunEnd,
    Tone,
    choose_messages,
    read_notified,
    send,
    undelivered,
    write_notified,
)
from plexsync.models import RunSummary, as_problem
from plexsync.output.summary import cost_sentence, outcome_sentence, problem_lines
from plexsync.planning.retry_schedule import iso
from plexsync.plex.index import cached_libraries
from plexsync.state import RunKind, RunRecord, cache_directory, read_status, state_directory
from plexsync.transport.responses import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from plexsync.config.secrets import Secret
    from plexsync.config.sections import MetricsConfig, NotifyConfig

_LOG_LINES = 50
"""Of a run's warnings and failures, for who looks into the health check."""


@dataclass(slots=True, kw_only=True)
class Announcement:
    """One run as others learn of it, by its last lines: nothing is sent before `begin`.

    Args:
        environ: says where state and cache are.
        warn: takes a sentence about what could not be sent.
        complain: takes a sentence about what cannot work as it is configured.
        typed: names the configuration in the commands of a sentence; see `Invocation.typed`.
        wanted: others are to learn of the run; else `begin` does nothing.
    """

    environ: Mapping[str, str]
    warn: Callable[[str], None]
    complain: Callable[[str], None]
    typed: Callable[[str], str]
    wanted: bool = True
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))
    summary: RunSummary | None = None
    _notify: NotifyConfig | None = None
    _metrics: MetricsConfig | None = None
    _secrets: Sequence[str] = ()
    _check: HealthCheck | None = None
    _began_at: str = ""

    def begin(
        self, notify: NotifyConfig, metrics: MetricsConfig | None, secrets: Sequence[str]
    ) -> None:
        """Report that the run begins.

        Args:
            notify: what is sent where.
            metrics: where figures go; None for nowhere.
            secrets: what must be in nothing that is sent.
        """
        if not self.wanted:
            return
        self._notify, self._metrics, self._secrets = notify, metrics, secrets
        self._began_at = iso(utc_now())
        with self._warnings():
            if notify.ping is not None:
                self._check = HealthCheck(notify.ping, secrets)
                self._check.start()

    def keep_summary(self, summary: RunSummary) -> None:
        """Keep how the run ended, in the words of the summary."""
        self.summary = summary
        self.lines.append(outcome_sentence(summary))
        if summary.error is not None:
            self.lines.extend(problem_lines(summary.error))
        self.lines.append(cost_sentence(summary))

    def end(self, code: int) -> int:
        """Report how the run ended, and return `code`."""
        if self._notify is None:
            return code
        with self._warnings():
            if self._check is not None:
                self._check.end(code, self._clean("\n".join(filter(None, self.lines))))
        with self._warnings():
            self._send_messages(self._notify, code)
        with self._warnings():
            self._write_metrics(code)
        return code

    def _send_messages(self, notify: NotifyConfig, code: int) -> None:
        if not notify.urls:
            return
        directory = state_directory(self.environ)
        summary, words = self.summary, tuple(self.lines)
        if summary is not None:
            failed = problem_lines(summary.error) if summary.error else ()
            words = (*failed, outcome_sentence(summary))
        end = RunEnd(
            at=iso(utc_now()),
            code=code,
            written=summary.counts.applied if summary else 0,
            new_review=summary.new_review if summary else 0,
            words="\n".join(filter(None, words)),
        )
        before = read_notified(directory)
        messages, after = choose_messages(before, end, on=notify.on, digest=notify.digest)
        cleaned = [replace(one, body=self._clean(one.body)) for one in messages]
        unsent = send(notify.urls, cleaned) if cleaned else []
        for sentence in unsent:
            self.warn(sentence)
        if len(unsent) == len(notify.urls):
            after = undelivered(before, after)
        if after != before:
            write_notified(directory, after)

    def _write_metrics(self, code: int) -> None:
        if self._metrics is None or self._metrics.textfile is None:
            return
        try:
            status = read_status(
                state_directory(self.environ), utc_now(), cache_dir=cache_directory(self.environ)
            )
        except StateError:
            status = None
        machine = status.lineage.plex if status else ""
        libraries = cached_libraries(cache_directory(self.environ), machine)
        figures = samples(status, self._last_run(code), libraries)
        write_textfile(self._metrics.textfile, figures)

    def _last_run(self, code: int) -> RunRecord:
        if self.summary is not None:
            return last_run_of(self.summary)
        return RunRecord(
            run_id="",
            kind=RunKind.RUN,
            started_at=self._began_at,
            finished_at=iso(utc_now()),
            exit_code=code,
        )

    def _clean(self, text: str) -> str:
        """Return a text as it may leave, with commands that can be typed as they stand."""
        return redact(self.typed(text), self._secrets)

    @contextmanager
    def _warnings(self) -> Iterator[None]:
        """Turn what fails here into a warning."""
        try:
            yield
        except ConfigError as error:
            self.complain(self._clean(f"{error.message}. {error.hint}"))
        except (PlexsyncError, OSError) as error:
            words = error.message if isinstance(error, PlexsyncError) else str(error)
            self.warn(self._clean(words))


@contextmanager
def announced(announcement: Announcement) -> Iterator[None]:
    """Report an exception that ends the block; any other end the block reports itself."""
    try:
        yield
    except BaseException as error:
        known = error if isinstance(error, PlexsyncError) else PlexsyncError(type(error).__name__)
        announcement.lines.extend(problem_lines(as_problem(known)))
        announcement.end(exit_code_of(error))
        raise


def exit_code_of(error: BaseException) -> ExitCode:
    """Return what the process ends with when a command raises `error`."""
    if isinstance(error, PlexsyncError):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    limit = local_failure(error)
    return ExitCode.BUG if limit is None else limit.exit_code


def try_everything(notify: NotifyConfig, secrets: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Call the health check and send one message: yield what was tried and what went wrong."""
    if notify.ping is not None:
        yield "the health check", _try_ping(notify.ping, secrets)
    for place, url in enumerate(notify.urls, start=1):
        message = Message("plexsync: a test", "Messages about runs arrive here.", Tone.INFO)
        try:
            failed = send((url,), (message,))
        except ConfigError as error:
            failed = [error.message]
        yield f"address {place} of notify.urls", "it took no message" if failed else ""


def _try_ping(ping: Secret, secrets: Sequence[str]) -> str:
    try:
        check = HealthCheck(ping, secrets)
        check.start()
        check.end(ExitCode.OK, "a test by plexsync doctor --notify")
    except PlexsyncError as error:
        return redact(error.message, secrets)
    return ""
