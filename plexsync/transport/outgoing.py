"""One request on its way out, with the rules it is sent under."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import msgspec

from plexsync.errors import TransientError, WebPageError
from plexsync.transport.failures import SlowError
from plexsync.transport.retry import PAGE, UPLOAD, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from plexsync.transport.retry import AnswerLimits, RetryPolicy

_OK = frozenset({200})
_WEB_PAGE_ATTEMPTS = 2
"""A proxy that restarts answers one request with a page of its own; a wrong address all of them."""


class RequestRules(TypedDict, total=False):
    """The rules of one request beside its parts.

    Attributes:
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

    prepared: requests.PreparedRequest
    path: str
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
        return WRITE if self.prepared.body is None else UPLOAD

    @property
    def where(self) -> str:
        """What it is called in messages: no query, for a Plex edit is all query."""
        return f"{self.prepared.method} {self.path.partition('?')[0]}"

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
