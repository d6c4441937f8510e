"""Laws of the transport: secrets stay hidden, waits stay bounded, odd headers stay harmless."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.errors import TransientError
from plexsync.transport.outgoing import RetryPolicy
from plexsync.transport.responses import excerpt, redact, retry_after_s

NOW = datetime(2026, 11, 22, tzinfo=UTC)

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
@given(text=st.text(), secrets=st.lists(st.text(max_size=3), max_size=3))
def test_a_few_letters_are_not_hidden_wherever_they_stand(text: str, secrets: list[str]) -> None:
    """Somebody typed `n` for a key: what it answers stays readable."""
    assert redact(text, secrets) == text


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
