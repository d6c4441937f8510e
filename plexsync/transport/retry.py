"""How long a request is worth repeating, what is reported of that, and what answers may take."""

from __future__ import annotations

import random as randomness
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.errors import ServerError


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
        slow_attempts: how often a request is sent whose answers do not come in time.
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
