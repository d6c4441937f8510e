"""Spans of time as people write them: `7d`, `26h`, `90s`, `1h30m`."""

from __future__ import annotations

import re

from plexsync.errors import ParseError

_UNITS_S = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:[0-9]{1,6}[wdhms])+")
_PART = re.compile(r"([0-9]+)([wdhms])")


def parse_duration(value: object) -> int:
    """Return a duration in seconds.

    Raises:
        ParseError: it is none.
    """
    text = value.strip() if isinstance(value, str) else ""
    if not _DURATION.fullmatch(text):
        raise ParseError(
            "must be a duration: whole numbers, each with w, d, h, m or s",
            hint='Write "7d", "26h" or "1h30m".',
        )
    return sum(int(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
