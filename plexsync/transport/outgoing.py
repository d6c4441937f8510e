"""One request on its way out: its rules, how often it is sent, when a server counts as down."""

from __future__ import annotations

import random as randomness
import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypedDict

import msgspec

from plexsync.errors import ServerError, TransientError, WebPageError
from plexsync.transport.responses import SlowError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


_OK = frozenset({200})
_WEB_PAGE_ATTEMPTS = 2
"""A proxy that restarts answers one request with a page of its own; a wrong address all of them."""


class RequestRules(TypedDict, total=False):
    """What one request may say beside its method and address.

    Attributes:
        body: sent as it is.
        headers: further headers; they win over the transport's own.
        write: count it as a write.
        repeatable: sending it twice does no harm, so it may be retried; true unless given.
        accept_status: statuses that are answers, not errors; 200 unless given.
        limits: what the answer may take; those of an edit for a write, else those of a page.
        divisible: the caller asks for less if this takes too long: a SlowError is then raised
            at once, and is no sign of a server that is down.
        takes_web_pages: a web page is an answer, too.
        before_repeat: called right before the request is sent again; may ask this same server,
            and raises a ServerError where sending it again might do harm by now.
    """

    body: bytes | None
    headers: Collection[tuple[str, str]]
    write: bool
    repeatable: bool
    accept_status: frozenset[int]
    limits: AnswerLimits
    divisible: bool
    takes_web_pages: bool
    before_repeat: Callable[[], None]


def always() -> None:
    """Let a request be repeated whatever happened meanwhile."""


class OutgoingRequest(msgspec.Struct, frozen=True):
    """One request with the rules it is sent under; see `RequestRules`.

    `path` follows the address of the server.
    """

    method: str
    path: str
    body: bytes | None = None
    headers: Collection[tuple[str, str]] = ()
    write: bool = False
    repeatable: bool = True
    accept_status: frozenset[int] = _OK
    limits: AnswerLimits | None = None
    divisible: bool = False
    takes_web_pages: bool = False
    before_repeat: Callable[[], None] = always

    @property
    def answer_limits(self) -> AnswerLimits:
        """What the answer may take."""
        if self.limits is not None:
            return self.limits
        if not self.write:
            return PAGE
        return WRITE if self.body is None else UPLOAD

    @property
    def where(self) -> str:
        """What it is called in messages: no query, for a Plex edit is all query."""
        return f"{self.method} {self.path.partition('?')[0]}"

    def bears_repeating(
        self, error: BaseException | None, attempt: int, policy: RetryPolicy
    ) -> bool:
        """Whether sending the same again makes sense after `error` of attempt number `attempt`."""
        if not self.repeatable or self.leaves(error):
            return False
        match error:
            case WebPageError():
                return attempt < _WEB_PAGE_ATTEMPTS
            case SlowError():
                return attempt < self.answer_limits.slow_attempts
            case TransientError():
                return (error.retry_after_s or 0.0) <= policy.hopeless_after_s
        return False

    def leaves(self, error: BaseException | None) -> bool:
        """Whether `error` is for the caller to deal with, by asking for less."""
        return self.divisible and isinstance(error, SlowError)


# ---- How often -----------------------------------------------------------------------------------


class Timing(msgspec.Struct, frozen=True):
    """The clocks of a transport, and how it waits.

    Args:
        sleep: waits so many seconds.
        monotonic: seconds on a clock that is never set.
        random: a number in [0, 1).
        now: the time of day, for a `Retry-After` that names one.
    """

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = randomness.random
    now: Callable[[], datetime] = partial(datetime.now, UTC)


class Repeat(msgspec.Struct, frozen=True):
    """What a watcher receives before a request is sent again."""

    server: str
    request: str
    attempt: int
    wait_s: float
    error: ServerError


class RetryPolicy(msgspec.Struct, frozen=True):
    """How long a request is worth repeating; attempts and seconds both bound it.

    The wait after failed attempt n is random between 0 and `first_wait_s` * 2^(n-1), at most
    `max_wait_s` ("full jitter", so that the clients of a server that comes back do not march in
    step). A `Retry-After` is waited for in full, up to `retry_after_cap_s`. No wait begins that
    would end later than `seconds` after the first attempt began.
    """

    attempts: int = 5
    seconds: float = 60.0
    first_wait_s: float = 0.5
    max_wait_s: float = 10.0
    retry_after_cap_s: float = 30.0
    hopeless_after_s: float = 300.0

    def wait_s(self, attempt: int, error: ServerError | None, chance: float) -> float:
        """Seconds to wait after `error` of attempt number `attempt`; `chance` lies in [0, 1)."""
        after_s = error.retry_after_s if isinstance(error, TransientError) else None
        jittered = chance * min(self.max_wait_s, self.first_wait_s * 2.0 ** min(attempt - 1, 30))
        return max(jittered, min(after_s or 0.0, self.retry_after_cap_s))


class AnswerLimits(msgspec.Struct, frozen=True):
    """What one kind of answer may take.

    Args:
        deadline_s: longest time for the answer as a whole.
        max_bytes: largest decoded body.
        slow_attempts: how often a request is sent while its answers do not come in time.
    """

    deadline_s: float
    max_bytes: int
    slow_attempts: int = 5


PAGE = AnswerLimits(deadline_s=180.0, max_bytes=32 << 20)
"""Listings, details, pictures: the largest page seen has 5 MB."""

DICTIONARY = AnswerLimits(deadline_s=180.0, max_bytes=256 << 20)
"""Lists that come in one piece, however long they are."""

WRITE = AnswerLimits(deadline_s=30.0, max_bytes=64 << 10, slow_attempts=2)
"""Edits: the answer is empty, or a short error page."""

UPLOAD = AnswerLimits(deadline_s=180.0, max_bytes=64 << 10, slow_attempts=2)
"""Pictures on their way to a server, 10 MB each at most."""


# ---- When a server counts as down ----------------------------------------------------------------

_SLOW_WRITES = 2
"""Edits in a row that got no answer in time before the server counts as down: with their second
attempts that is two minutes."""


class CircuitBreaker:
    """Counts failures in a row. Threads may share it.

    Args:
        most: requests in a row that failed with all their retries used up before the server counts
            as down. The very first failing alike is enough if nothing ever answered.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._failures = 0
        self._slow_writes = 0
        self._answered = False
        self._down: TransientError | None = None

    @property
    def is_open(self) -> bool:
        """Whether the server counts as down."""
        return self._down is not None

    def check(self) -> None:
        """Raise what the server went down with, if it is down."""
        if self._down is not None:
            raise _copy(self._down)

    def answered(self) -> None:
        """Note that something came back."""
        self._answered = True

    def closed(self) -> None:
        """Note a request that was served or refused for itself."""
        self._failures = self._slow_writes = 0

    def failed(self, error: TransientError, *, write: bool) -> None:
        """Count one more request in a row that failed for good."""
        with self._lock:
            self._failures += 1
            self._slow_writes += write and isinstance(error, SlowError)
            enough = self._failures >= self._most or self._slow_writes >= _SLOW_WRITES
            if enough or not self._answered:
                self._down = _copy(error)


def _copy(error: TransientError) -> TransientError:
    return TransientError(
        error.message, context=error.context, hint=error.hint, retry_after_s=error.retry_after_s
    )
