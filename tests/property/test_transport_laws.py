"""Laws of the transport: secrets stay hidden, waits stay bounded, odd headers stay harmless."""

from __future__ import annotations

import http.client
import io
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.errors import TransientError
from plexsync.transport.messages import body_pieces, read_head
from plexsync.transport.outgoing import RetryPolicy
from plexsync.transport.responses import excerpt, redact, retry_after_s

NOW = datetime(2026, 11, 22, tzinfo=UTC)

WORDS = st.text("abc, ;=0", max_size=8).map(str.strip)
HEADERS = st.lists(
    st.tuples(st.sampled_from(["ETag", "etag", "X-Plex", "Date", "Keep-Alive"]), WORDS), max_size=4
)

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=40)


@settings(max_examples=100)
@given(before=st.text(), secret=SECRETS, after=st.text())
def test_no_spelling_of_a_secret_survives(before: str, secret: str, after: str) -> None:
    """Plain or percent-encoded, wherever it stands, a secret is gone afterwards."""
    spellings = (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
    for spelling in spellings:
        hidden = redact(before + spelling + after, (secret,)).replace("[hidden]", "")
        assert spelling not in hidden or spelling in before + after


@settings(max_examples=100)
@given(text=st.text(), secrets=st.lists(SECRETS, max_size=3))
def test_what_holds_no_secret_is_left_alone(text: str, secrets: list[str]) -> None:
    """Redacting changes nothing but secrets, and nothing the second time."""
    once = redact(text, tuple(secrets))
    if not any(secret in "[hidden]" for secret in secrets):
        assert redact(once, tuple(secrets)) == once
    if not any(secret in text or quote(secret) in text for secret in secrets):
        assert once == text


@settings(max_examples=100)
@given(
    attempt=st.integers(1, 10_000),
    retry_after=st.none() | st.floats(0, 1e9),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_bounded(attempt: int, retry_after: float | None, chance: float) -> None:
    """No attempt and no wish of the server makes a wait longer than either cap."""
    policy = RetryPolicy()
    error = TransientError("busy", retry_after_s=retry_after)
    wait_s = policy.wait_s(attempt, error, chance)
    assert 0 <= wait_s <= max(policy.max_wait_s, policy.retry_after_cap_s)
    assert wait_s >= min(retry_after or 0, policy.retry_after_cap_s)
    if retry_after is None:
        assert wait_s <= min(policy.max_wait_s, policy.first_wait_s * 2.0 ** min(attempt - 1, 60))


@settings(max_examples=200)
@given(header=st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,9} .*"))
def test_no_retry_after_is_fatal(header: str) -> None:
    """Any text is a number of seconds from 0 up, or nothing."""
    seconds = retry_after_s({"Retry-After": header}, NOW)
    assert seconds is None or seconds >= 0


@settings(max_examples=100)
@given(body=st.binary(max_size=2000) | st.text().map(str.encode))
def test_an_excerpt_is_one_short_line(body: bytes) -> None:
    """Whatever a server sends, what is shown of it fits a message."""
    shown = excerpt(body)
    assert len(shown) <= 160
    assert shown.isprintable()


def answer_of(  # noqa: PLR0917 - all that an answer can be
    minor: int, status: int, headers: list[tuple[str, str]], way: str, framing: str, early: bool
) -> bytes:
    """Return an answer with a body of two parts."""
    parts = (b"a body\n", b"\r\n of two parts")
    body = b"".join(parts)
    named = [*headers, ("Connection", way)] if way else [*headers]
    if framing == "chunks" and status not in {204, 304}:  # which have no body: RFC 9112, 6.3
        named.append(("Transfer-Encoding", "chunked"))
        body = b"".join(b"%X;a=b\r\n%b\r\n" % (len(one), one) for one in parts)
        body += b"0\r\nX-After: the body\r\n\r\n"
    elif framing == "length":
        named.append(("Content-Length", str(len(body))))
    elif framing == "nothing":
        named, body = [*named, ("Content-Length", "0")], b""
    head = "".join(f"{name}: {value}\r\n" for name, value in named)
    start = "HTTP/1.1 100 Continue\r\n\r\n" * early
    return f"{start}HTTP/1.{minor} {status} Whatever\r\n{head}\r\n".encode() + body


@settings(max_examples=200)
@given(
    answer=st.builds(
        answer_of,
        st.integers(0, 1),
        st.sampled_from([200, 204, 206, 304, 404, 500]),
        HEADERS,
        st.sampled_from(["", "close", "keep-alive", "Keep-Alive, TE", "upgrade, Close"]),
        st.sampled_from(["length", "chunks", "end", "nothing"]),
        st.booleans(),
    ),
    method=st.sampled_from(["GET", "HEAD"]),
)
def test_an_answer_is_read_as_the_standard_library_reads_it(answer: bytes, method: str) -> None:
    """Status, headers, body, and whether the connection can be used again."""
    socket: Any = SimpleNamespace(makefile=lambda _mode: io.BytesIO(answer))
    known = http.client.HTTPResponse(socket, method=method)
    known.begin()
    lines = io.BufferedReader(io.BytesIO(answer))
    found = read_head(lines, method)
    assert (found.status, found.is_last) == (known.status, known.will_close)
    together = {name.lower(): known.headers.get_all(name, []) for name in known.headers}
    assert dict(found.headers.lower_items()) == {k: ", ".join(v) for k, v in together.items()}
    assert b"".join(body_pieces(lines, found, 7)) == known.read()
