"""One grammar of durations: what the configuration says, an option says in the same way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsync.commands.options import read_duration
from plexsync.errors import ParseError
from plexsync.text.words import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("26h", 93_600),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("1h30m", 5_400),
        ("0s", 0),
        (" 7d ", 604_800),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: int) -> None:
    """Weeks, days, hours, minutes, seconds, and sums of them."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value",
    ["", "7", "d", "7 d", "-7d", "1.5h", "7days", "7D", "\u0667d", 7, None, True, "9" * 30 + "s"],
)
def test_what_is_no_duration_is_an_error(value: object) -> None:
    """A number without a unit could be seconds or days."""
    with pytest.raises(ParseError, match="must be a duration"):
        parse_duration(value)


@given(parts=st.lists(st.tuples(st.integers(0, 999), st.sampled_from("wdhms")), min_size=1))
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    """Order and number of parts do not matter."""
    written = [f"{number}{unit}" for number, unit in parts]
    text = "".join(written)
    assert parse_duration(text) == sum(map(parse_duration, written))
    assert read_duration(text) == parse_duration(text)
