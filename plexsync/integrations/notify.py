"""Messages about runs: an outage once, when it is over, and on wish what waits or was written.

`choose_messages` says which messages a run is worth, by what was reported before it, which is kept
in `notified.json` beside the state; `send` hands them to apprise, and `HealthCheck` calls a health
check's address.
Source: https://healthchecks.io/docs/http_api/ (start, success, exit status);
https://github.com/caronc/apprise (addresses).
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from plexsync.config.sections import NotifyOn
from plexsync.errors import ConfigError, ExitCode, most_severe
from plexsync.state import DISK, ENDED_WELL, read_if_there, write_atomically
from plexsync.text.templates import address_parts
from plexsync.text.words import counted, to_install
from plexsync.transport.client import Transport
from plexsync.transport.outgoing import AnswerLimits, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from plexsync.config.secrets import Secret

MEMORY_NAME = "notified.json"

_NEITHER = frozenset({ExitCode.LOCKED, ExitCode.INTERRUPTED, ExitCode.TERMINATED})
"""Ends that say nothing of how things stand: another run is at work, or a person stopped this."""

_PATIENCE = RetryPolicy(attempts=3, seconds=10.0, max_wait_s=2.0, retry_after_cap_s=2.0)
"""A health check that is away must not keep a run from ending."""
_TIMEOUT_S = 5.0
_LIMITS = AnswerLimits(deadline_s=8.0, max_bytes=64 << 10)
_MOST_LOG_BYTES = 10_000
"""Of the end of the log. Source: healthchecks.io keeps 10 kB of a body in its free plan."""


# ---- What a run is worth -------------------------------------------------------------------------


class Tone(StrEnum):
    """How a message is meant, in apprise's words."""

    FAILURE = "failure"
    SUCCESS = "success"
    INFO = "info"


class Message(msgspec.Struct, frozen=True):
    """One message: a title, a text, and how it is meant."""

    title: str
    body: str
    tone: Tone = Tone.INFO


class RunEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended.

    Args:
        at: ISO time.
        code: the exit code of the process.
        written: items it wrote to.
        new_review: LOW matches no earlier run has announced.
        words: what happened, in a few lines.
    """

    at: str
    code: int
    written: int = 0
    new_review: int = 0
    words: str = ""


class Notified(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was reported so far.

    Attributes:
        failing_since: ISO time of the first run of an outage; "" outside of one.
        failed_runs: runs of the outage.
        worst: the most severe exit code that was reported of it; 0 for none.
        day: the day `written` and `new_review` are of, for a digest.
        written: items written to on that day.
        new_review: LOW matches that were new on that day.
    """

    schema: int = 1
    failing_since: str = ""
    failed_runs: int = 0
    worst: ExitCode = ExitCode.OK
    day: str = ""
    written: int = 0
    new_review: int = 0


def choose_messages(
    before: Notified, end: RunEnd, *, on: Collection[NotifyOn], digest: bool
) -> tuple[tuple[Message, ...], Notified]:
    """Return the messages a run is worth, and what is reported once they are sent."""
    outage, after = _outage(before, end, on)
    if digest:
        news, after = _digest(after, end, on)
    else:
        news = _news(end.written, end.new_review, on, when="")
    return (*outage, *news), after


def undelivered(before: Notified, after: Notified) -> Notified:
    """Return what is reported when the messages between the two reached nobody.

    An outage, its end and a digest are tried again by the next run.
    """
    if before.failing_since and not after.failing_since:
        return before
    day_is_over = before.day and before.day != after.day
    if day_is_over:
        written, new_review = before.written + after.written, before.new_review + after.new_review
        after = msgspec.structs.replace(
            after, day=before.day, written=written, new_review=new_review
        )
    return msgspec.structs.replace(after, worst=before.worst)


# ---- What was reported ---------------------------------------------------------------------------


def read_notified(directory: Path) -> Notified:
    """Return what was reported so far; nothing where that cannot be read.

    The price of a lost file is one message too many.
    """
    content = read_if_there(DISK, directory / MEMORY_NAME)
    try:
        return msgspec.json.decode(content or b"{}", type=Notified)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Notified()


def write_notified(directory: Path, notified: Notified) -> None:
    """Remember what was reported.

    Raises:
        StateError: the file cannot be written.
    """
    DISK.make_directory(directory)
    write_atomically(DISK, directory / MEMORY_NAME, (msgspec.json.encode(notified), b"\n"))


# ---- Sending -------------------------------------------------------------------------------------


def send(urls: Sequence[Secret], messages: Iterable[Message]) -> list[str]:
    """Send each message to each address; return a sentence for every address that failed.

    Raises:
        ConfigError: apprise is not installed.
    """
    failed: dict[int, str] = {}
    with _quiet():
        try:
            from apprise import Apprise  # noqa: PLC0415 - an extra, and only where it is asked for
        except ImportError as error:
            raise ConfigError(
                "messages need apprise",
                context="[notify] urls",
                hint=f"Install it: {to_install('notify')}, or leave urls out.",
            ) from error
        for message in messages:
            for place, url in enumerate(urls, start=1):
                target = Apprise()
                if not target.add(url.reveal()):
                    failed[place] = f"address {place} of notify.urls is none that apprise knows"
                elif not target.notify(
                    title=message.title, body=message.body, notify_type=message.tone.value
                ):
                    failed[place] = f"address {place} of notify.urls took no message"
    return list(failed.values())


class HealthCheck:
    """The address of a health check, called when a run begins and when it ends.

    Args:
        url: the address; it is a secret, since whoever knows it can report for us.
        secrets: whatever else must appear in no message.

    Raises:
        ConfigError: it is no address.
    """

    def __init__(self, url: Secret, secrets: Sequence[str] = ()) -> None:
        parts = address_parts(url.reveal().strip())
        self._path = parts.path.rstrip("/")
        self._query = f"?{parts.query}" if parts.query else ""
        self._transport = Transport(
            f"{parts.scheme}://{parts.netloc}",
            name="The health check",
            headers={},
            secrets=(url.reveal(), self._path.strip("/"), *secrets),
            retry=_PATIENCE,
            timeout_s=_TIMEOUT_S,
            limits=_LIMITS,
        )

    def start(self) -> None:
        """Report that a run begins.

        Raises:
            ServerError: nobody took it.
        """
        self._post("/start", b"")

    def end(self, code: int, log: str) -> None:
        """Report how the run ended, with the end of its log.

        Raises:
            ServerError: nobody took it.
        """
        suffix = "" if code in ENDED_WELL else f"/{code}"
        self._post(suffix, log.encode("utf-8", "replace")[-_MOST_LOG_BYTES:])

    def _post(self, suffix: str, body: bytes) -> None:
        # Not repeatable: a report with a lost reply would arrive twice.
        path = f"{self._path}{suffix}" or "/"
        self._transport.request(
            "POST",
            f"{path}{self._query}",
            body=body,
            headers=(("Content-Type", "text/plain; charset=utf-8"),),
            write=True,
            repeatable=False,
        )


# ---- Private -------------------------------------------------------------------------------------


def _outage(
    before: Notified, end: RunEnd, on: Collection[NotifyOn]
) -> tuple[tuple[Message, ...], Notified]:
    if end.code in _NEITHER:
        return (), before
    if end.code in ENDED_WELL:
        well = msgspec.structs.replace(before, failing_since="", failed_runs=0, worst=ExitCode.OK)
        if not before.failing_since or NotifyOn.RECOVERY not in on:
            return (), well
        runs = counted(before.failed_runs, "run")
        body = f"{runs} failed since {before.failing_since}. {end.words}".strip()
        return (Message("plexsync: runs end well again", body, Tone.SUCCESS),), well
    code = ExitCode(end.code)
    worse = code != before.worst and most_severe((code, before.worst)) == code
    failing = msgspec.structs.replace(
        before,
        failing_since=before.failing_since or end.at,
        failed_runs=before.failed_runs + 1,
        worst=code if worse else before.worst,
    )
    if not worse or NotifyOn.FAILURE not in on:
        return (), failing
    title = f"plexsync: a run failed (exit code {end.code})"
    return (Message(title, end.words or title, Tone.FAILURE),), failing


def _digest(
    before: Notified, end: RunEnd, on: Collection[NotifyOn]
) -> tuple[tuple[Message, ...], Notified]:
    today = end.at[:10]
    messages: tuple[Message, ...] = ()
    written, new_review = before.written, before.new_review
    if before.day != today:
        messages = _news(written, new_review, on, when=f" on {before.day}")
        written = new_review = 0
    after = msgspec.structs.replace(
        before,
        day=today,
        written=written + end.written,
        new_review=new_review + end.new_review,
    )
    return messages, after


def _news(
    written: int, new_review: int, on: Collection[NotifyOn], *, when: str
) -> tuple[Message, ...]:
    parts = []
    if written and NotifyOn.CHANGES in on:
        parts.append(f"{counted(written, 'item')} written")
    if new_review and NotifyOn.REVIEW in on:
        matches = counted(new_review, "new LOW match waits", "new LOW matches wait")
        parts.append(f"{matches} for review")
    if not parts:
        return ()
    title = f"plexsync: {', '.join(parts)}{when}"
    hint = "plexsync review settles what waits." if "review" in title else title
    return (Message(title, hint),)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep apprise's log lines, which hold addresses, and its imports' warnings off stderr."""
    logger = logging.getLogger("apprise")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.disabled = before
