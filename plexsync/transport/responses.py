"""What an HTTP answer, or a failure on the wire, means: the error it stands for, in plain words.

Only what may pass by itself is transient; a wrong certificate or a plain-http port is not.

Source: docs/plex-api.md 1 (status codes), docs/stash-api.md 1.3 and 1.4.
"""

from __future__ import annotations

import base64
import math
import re
import socket
import ssl
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, quote_plus, urljoin, urlsplit

import requests
import urllib3.exceptions

from plexsync.errors import (
    LOCAL_LIMITS,
    AuthError,
    BadResponseError,
    LocalLimitError,
    NotFoundError,
    PlexsyncError,
    ServerError,
    TooLongError,
    TransientError,
)
from plexsync.text.words import shortened
from plexsync.transport.sockets import CutShortError
from plexsync.transport.wording import Remedy, ServerWords, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 507}) | frozenset(
    range(520, 531)
)
"""Statuses worth another try; 520 to 530 are what reverse proxies invent.

Source: docs/plex-api.md 1.
"""

_TOO_LONG = (TooLongError, "takes no request this long", Remedy.TOO_LONG)
_REFUSALS: Mapping[int, tuple[type[ServerError], str, Remedy]] = {
    404: (NotFoundError, "has nothing there", Remedy.NOTHING_THERE),
    413: (BadResponseError, "takes no request this large", Remedy.TOO_LARGE),
    414: _TOO_LONG,
    431: _TOO_LONG,
}
"""What a status says that asks for nothing else."""

_REDACTED = "[hidden]"
_LEAST_HIDDEN = 4
_HTML_START = re.compile(
    rb"\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_MAINTENANCE = re.compile(rb'<Response\b[^>]*\bstatus="([^"]{1,300})"')
_PLAIN_EXCERPT_CHARS = 160
_PAGE_START_BYTES = 1024
_PROXY_SCHEME = re.compile(r"\s*(?:basic|digest|bearer|negotiate|ntlm)\b", re.IGNORECASE)
"""Ways of authentication a proxy asks for; Stash names "FormBased", and Plex names none.

Source: docs/stash-api.md 1.3; RFC 9110 11.
"""
_ASKED_IN_PLAIN = re.compile(
    rb"HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port"
    rb"|speaking plain HTTP to an SSL-enabled server port",
    re.IGNORECASE,
)
"""What Go, nginx and Apache answer to plain HTTP on a port for TLS."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One complete HTTP answer: body decoded, headers case-insensitive."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_html(self) -> bool:
        """Whether this is a web page: a log-in form, a proxy's error page, a server's own UI."""
        media_type = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return media_type == "text/html" or bool(_HTML_START.match(self.body[:_PAGE_START_BYTES]))


def classify(answer: HttpResponse, words: ServerWords, now: datetime) -> ServerError:
    """Return the error an answer with an unwanted status stands for.

    `now` turns a Retry-After date into seconds if the answer itself carries no Date.
    """
    if (refused := _refused(answer, words)) is not None:
        return refused
    match answer.status:
        case status if status in _REFUSALS:
            kind, what, remedy = _REFUSALS[status]
            return words.error(kind, f"{what} ({status})", remedy)
        case 400 if _ASKED_IN_PLAIN.search(answer.body[:_PAGE_START_BYTES]):
            return words.error(BadResponseError, "expects TLS", Remedy.EXPECTS_TLS)
        case status if status in TRANSIENT_STATUSES:
            return _busy(answer, words, now)
        case status if 300 <= status < 400:  # noqa: PLR2004 - a status is clearest as its number
            return _redirected(answer, words)
        case status:
            shown = "" if answer.is_html or not answer.body else f": {excerpt(answer.body)}"
            return BadResponseError(f"{words.name} answered {status}{shown}")


def _refused(  # noqa: PLR0911 - same
    answer: HttpResponse, words: ServerWords
) -> AuthError | None:
    """Return the error of an answer that asks for other credentials; None for any other answer."""
    match answer.status:
        case 401 if _PROXY_SCHEME.match(answer.headers.get("WWW-Authenticate", "")):
            return words.proxy_refused(answer.status)
        case 401:
            return words.refused()
        case 407:
            return words.proxy_refused(answer.status)
        # Stash v0.20 to v0.25 answered this way (docs/stash-api.md 1.3).
        case 500 if answer.body.strip() == b"unauthorized":
            return words.refused()
        case 403:
            return words.forbidden(excerpt(answer.body))
        case 498:
            return AuthError(
                f"the {words.name} token has expired",
                hint=f"put a new one into {words.key('token')}",
            )
    return None


def _busy(answer: HttpResponse, words: ServerWords, now: datetime) -> TransientError:
    maintenance = _MAINTENANCE.search(answer.body)
    if maintenance:
        shown = excerpt(maintenance.group(1)).rstrip(".")
        what = f"is not ready ({answer.status}): {shown}"
    elif answer.status == 429:  # noqa: PLR2004 - a status is clearest as its number
        what = "asks us to slow down (429)"
    else:
        what = f"fails for the moment ({answer.status})"
    after_s = retry_after_s(answer.headers, now)
    if after_s is not None:
        what += f"; it asks to be left alone for {after_s:,.0f} s"
    error = words.error(TransientError, what, Remedy.BUSY)
    error.retry_after_s = after_s
    return error


def _redirected(answer: HttpResponse, words: ServerWords) -> ServerError:
    try:
        target = urlsplit(urljoin(words.base_url + "/", answer.headers.get("Location", "")))
        there = origin_of(target.geturl())
    except ValueError:  # what it names is no address
        target, there = urlsplit(words.base_url), words.origin
    if target.path.rstrip("/").endswith("/login"):
        error = words.refused()
        error.message = f"{words.name} sends us to a log-in page"
        return error
    hint = f"put the address that answers directly into {words.key('url')}"
    if target.scheme in {"http", "https"} and target.hostname and there != words.origin:
        hint = f"set {words.key('url')} to {there}"
    return BadResponseError(
        f"{words.name} redirects ({answer.status}), which plexsync does not follow", hint=hint
    )


def excerpt(body: bytes) -> str:
    """Return the start of a text body on one line, fit for a message; empty for a web page."""
    if _HTML_START.match(body[:_PAGE_START_BYTES]):
        return ""
    text = body[: 4 * _PLAIN_EXCERPT_CHARS].decode("utf-8", "replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shortened(line, _PLAIN_EXCERPT_CHARS)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the server asked us to wait, from `Retry-After`; None when it did not say.

    The header holds seconds or an HTTP date. A date is read against the answer's own `Date`, so
    that a clock that is off on either side does not matter; `now` serves when there is none.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        due = http_date(text)
        if due is None:
            return None
        seconds = (due - (http_date(headers.get("Date", "")) or now)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


@lru_cache(maxsize=1)
def http_date(text: str) -> datetime | None:
    """Return the moment a header names; None for what is none."""
    try:
        parsed = parsedate_to_datetime(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret hidden, also where it stands percent-encoded or in base64."""
    for spelling in _spellings(secrets):
        text = text.replace(spelling, _REDACTED)
    return text


def _spellings(secrets: Iterable[str]) -> list[str]:
    """Every way a secret may be written, longest first so that no rest of one stays behind.

    One of up to three letters stands in many words: hiding it there hides nothing, and garbles all.
    """
    found: set[str] = set()
    for secret in secrets:
        if len(secret) < _LEAST_HIDDEN:
            continue
        encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
        lowered = {re.sub(r"%[0-9A-F]{2}", lambda m: m.group().lower(), e) for e in encoded}
        in_base64 = base64.b64encode(secret.encode()).decode()
        found |= {secret, in_base64} | encoded | lowered
    return sorted(found, key=len, reverse=True)


# ---- Failures on the wire ------------------------------------------------------------------------

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
        return words.error(SlowError, f"took longer than {limit_s:g} s for one answer", Remedy.SLOW)
    if (untrusted := _first(ssl.SSLError, chain)) is not None:
        return _tls_error(untrusted, words)
    # urllib3 makes a refused connection a kind of connect timeout, so this comes first.
    for kind, why in _UNREACHABLE:
        if _first(kind, chain) is not None:
            what = f"cannot be reached at {words.origin}: {why}"
            return words.error(TransientError, what, Remedy.UNREACHABLE)
    if any(isinstance(one, _SLOW) for one in chain):
        return words.error(SlowError, f"sent nothing for {limit_s:g} s", Remedy.SLOW)
    if isinstance(error, requests.RequestException) and isinstance(error, ValueError):
        # InvalidURL, InvalidSchema and their like: asking again asks the same.
        return words.error(BadResponseError, "cannot be asked this", Remedy.UNREACHABLE)
    what = "broke the connection off before its answer was whole"
    return words.error(TransientError, what, Remedy.BROKEN_OFF)


def _tls_error(error: ssl.SSLError, words: ServerWords) -> PlexsyncError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return BadResponseError(
            f"the certificate of {words.name} at {words.origin} cannot be trusted: "
            f"{error.verify_message}",
            hint=words.hint(Remedy.UNTRUSTED),
        )
    if error.reason in _SPEAKS_PLAIN_HTTP:
        what = f"at {words.origin} does not speak TLS"
        return words.error(BadResponseError, what, Remedy.SPEAKS_PLAIN)
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
