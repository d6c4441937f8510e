"""Sending a request again while that makes sense."""

from __future__ import annotations

import random as randomness
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from plexsync.errors import ServerError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    import tenacity

    from plexsync.transport.outgoing import OutgoingRequest
    from plexsync.transport.retry import RetryPolicy

T = TypeVar("T")


def _utc_now() -> datetime:
    return datetime.now(UTC)


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
    now: Callable[[], datetime] = _utc_now


class Repeat(msgspec.Struct, frozen=True):
    """What a watcher receives before a request is sent again."""

    server: str
    request: str
    attempt: int
    wait_s: float
    error: ServerError


class Repeater:
    """Repeats requests to one server.

    Args:
        policy: how often and how long.
        name: of the server, for `on_repeat`.
        on_repeat: called before every repetition.
        timing: its clocks, and how it waits.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        name: str,
        on_repeat: Callable[[Repeat], None],
        timing: Timing,
    ) -> None:
        self._policy = policy
        self._name = name
        self._on_repeat = on_repeat
        self._timing = timing

    def run_again(
        self, task: OutgoingRequest, attempt: Callable[[], T], failed: ServerError, *, begun: float
    ) -> T:
        """Go on after a first attempt that `failed`; raise what the last one raises."""
        import tenacity  # noqa: PLC0415 - on the way that works nothing is repeated

        first: list[ServerError] = [failed]

        def attempt_again() -> T:
            if first:
                raise first.pop()
            return attempt()

        def enough(state: tenacity.RetryCallState) -> bool:
            spent_s = self._timing.monotonic() - begun + state.upcoming_sleep
            return state.attempt_number >= self._policy.attempts or spent_s > self._policy.seconds

        def again(state: tenacity.RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            return error is not None and task.bears_repeating(
                error, state.attempt_number, self._policy
            )

        def note(state: tenacity.RetryCallState) -> None:
            error, wait_s = _error_of(state), state.upcoming_sleep
            self._on_repeat(Repeat(self._name, task.where, state.attempt_number, wait_s, error))

        def wait(seconds: float) -> None:
            self._timing.sleep(seconds)
            task.before_repeat()

        retrying = tenacity.Retrying(
            stop=enough,
            wait=self._wait_s,
            retry=again,
            sleep=wait,
            before_sleep=note,
            reraise=True,
        )
        return retrying(attempt_again)

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        error = _error_of(state)
        after_s = error.retry_after_s if isinstance(error, TransientError) else None
        return self._policy.wait_s(state.attempt_number, after_s, self._timing.random())


def _error_of(state: tenacity.RetryCallState) -> ServerError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, ServerError)  # noqa: S101 - only those are retried
    return error
