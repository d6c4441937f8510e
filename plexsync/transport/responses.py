"""What an HTTP answer means: its body and headers, or the error it stands for, in plain words.

Source: docs/plex-api.md 1 (status codes), docs/stash-api.md 1.3 and 1.4.
"""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urljoin, urlsplit

from plexsync.errors import (
    AuthError,
    BadResponseError,
    NotFoundError,
    ServerError,
    TooLongError,
    TransientError,
)
from plexsync.transport.wording import Remedy, ServerWords, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 507}) | frozenset(
    range(520, 531)
)
"""Statuses worth another try; 520 to 530 are what reverse proxies invent.

Source: docs/plex-api.md 1.
"""

_REDACTED = "[hidden]"
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


def classify(  # noqa: PLR0911 - a decision table, one line a status
    answer: HttpResponse, words: ServerWords, now: datetime
) -> ServerError:
    """Return the error an answer with an unwanted status stands for.

    `now` turns a Retry-After date into seconds if the answer itself carries no Date.
    """
    if (refused := _refused(answer, words)) is not None:
        return refused
    match answer.status:
        case 404:
            return NotFoundError(
                f"{words.name} has nothing there (404)", hint=words.hint(Remedy.NOTHING_THERE)
            )
        case 413:
            message = f"{words.name} takes no request this large (413)"
            return BadResponseError(message, hint=words.hint(Remedy.TOO_LARGE))
        case 414 | 431:
            message = f"{words.name} takes no request this long ({answer.status})"
            return TooLongError(message, hint=words.hint(Remedy.TOO_LONG))
        case 400 if _ASKED_IN_PLAIN.search(answer.body[:_PAGE_START_BYTES]):
            return BadResponseError(
                f"{words.name} expects TLS", hint=words.hint(Remedy.EXPECTS_TLS)
            )
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
        message = f"{words.name} is not ready ({answer.status}): {shown}"
    elif answer.status == 429:  # noqa: PLR2004 - a status is clearest as its number
        message = f"{words.name} asks us to slow down (429)"
    else:
        message = f"{words.name} fails for the moment ({answer.status})"
    after_s = retry_after_s(answer.headers, now)
    if after_s is not None:
        message += f"; it asks to be left alone for {after_s:,.0f} s"
    return TransientError(message, hint=words.hint(Remedy.BUSY), retry_after_s=after_s)


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
    return line if len(line) <= _PLAIN_EXCERPT_CHARS else line[: _PLAIN_EXCERPT_CHARS - 1] + "…"


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
        due = _http_date(text)
        if due is None:
            return None
        seconds = (due - (_http_date(headers.get("Date", "")) or now)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _http_date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret hidden, also where it stands percent-encoded or in base64."""
    for spelling in _spellings(secrets):
        text = text.replace(spelling, _REDACTED)
    return text


def _spellings(secrets: Iterable[str]) -> list[str]:
    """Every way a secret may be written, longest first so that no rest of one stays behind."""
    found: set[str] = set()
    for secret in filter(None, secrets):
        encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
        lowered = {re.sub(r"%[0-9A-F]{2}", lambda m: m.group().lower(), e) for e in encoded}
        in_base64 = base64.b64encode(secret.encode()).decode()
        found |= {secret, in_base64} | encoded | lowered
    return sorted(found, key=len, reverse=True)
