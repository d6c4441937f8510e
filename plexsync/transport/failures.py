"""What a failure on the wire means: which of our errors an exception from below stands for.

Only what may pass by itself is transient; a wrong certificate or a plain-http port is not.
"""

from __future__ import annotations

import socket
import ssl
import zlib
from typing import TYPE_CHECKING, TypeVar

import requests
import urllib3.exceptions

from plexsync.errors import (
    LOCAL_LIMITS,
    BadResponseError,
    LocalLimitError,
    PlexsyncError,
    TransientError,
)
from plexsync.transport.sockets import CutShortError
from plexsync.transport.wording import Remedy, ServerWords

if TYPE_CHECKING:
    from collections.abc import Iterator

WIRE_FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    zlib.error,
    CutShortError,
)
"""Everything that sending a request and reading its answer raise when the wire is at fault."""


class SlowError(TransientError):
    """The answer did not come, or did not end, in time. Asking for less may help."""


_SLOW = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)

_UNREACHABLE: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, "its host name is not known"),
    (ConnectionRefusedError, "the connection is refused"),
    (urllib3.exceptions.NewConnectionError, "no connection can be made"),
    (urllib3.exceptions.ConnectTimeoutError, "nothing answers there"),
)
"""Why no connection came about, the most telling first."""

_SPEAKS_PLAIN_HTTP = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})
"""What OpenSSL says when the other side does not speak TLS."""

E = TypeVar("E", bound=BaseException)


def meaning_of(  # noqa: PLR0911 - a decision table, one line a cause
    error: Exception, *, words: ServerWords, expired: bool, limit_s: float
) -> PlexsyncError:
    """Return the error to report for `error`, one of `WIRE_FAILURES`.

    Args:
        error: what was raised below us.
        words: how the server is called.
        expired: the time for the answer as a whole is used up, whatever was raised.
        limit_s: the limit that was hit if the cause is slowness.
    """
    chain = tuple(_chain(error))
    if any(isinstance(one, OSError) and one.errno in LOCAL_LIMITS for one in chain):
        return LocalLimitError("this machine has no more open files or memory for a connection")
    if expired:
        return SlowError(
            f"{words.name} took longer than {limit_s:g} s for one answer",
            hint=words.hint(Remedy.SLOW),
        )
    if (untrusted := _first(ssl.SSLError, chain)) is not None:
        return _tls_error(untrusted, words)
    # urllib3 makes a refused connection a kind of connect timeout, so this comes first.
    for kind, why in _UNREACHABLE:
        if _first(kind, chain) is not None:
            message = f"{words.name} cannot be reached at {words.origin}: {why}"
            return TransientError(message, hint=words.hint(Remedy.UNREACHABLE))
    if any(isinstance(one, _SLOW) for one in chain):
        return SlowError(
            f"{words.name} sent nothing for {limit_s:g} s", hint=words.hint(Remedy.SLOW)
        )
    if isinstance(error, requests.RequestException) and isinstance(error, ValueError):
        # InvalidURL, InvalidSchema and their like: asking again asks the same.
        return BadResponseError(
            f"{words.name} cannot be asked this", hint=words.hint(Remedy.UNREACHABLE)
        )
    return TransientError(
        f"{words.name} broke the connection off before its answer was whole",
        hint=words.hint(Remedy.BROKEN_OFF),
    )


def _tls_error(error: ssl.SSLError, words: ServerWords) -> PlexsyncError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return BadResponseError(
            f"the certificate of {words.name} at {words.origin} cannot be trusted: "
            f"{error.verify_message}",
            hint=words.hint(Remedy.UNTRUSTED),
        )
    if error.reason in _SPEAKS_PLAIN_HTTP:
        return BadResponseError(
            f"{words.name} at {words.origin} does not speak TLS",
            hint=words.hint(Remedy.SPEAKS_PLAIN),
        )
    return TransientError(
        f"the encrypted connection to {words.name} failed", hint=words.hint(Remedy.BROKEN_OFF)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all it was made from; requests and urllib3 nest in three ways."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def _first(kind: type[E], chain: tuple[BaseException, ...]) -> E | None:
    return next((error for error in chain if isinstance(error, kind)), None)
