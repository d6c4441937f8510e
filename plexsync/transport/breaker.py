"""When a server counts as down, so that nothing more is sent to it in this run."""

from __future__ import annotations

import threading

from plexsync.errors import TransientError
from plexsync.transport.failures import SlowError

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
