"""How two servers' facts about a file compare: sizes, durations, frames, hashes, dates."""

from __future__ import annotations

import math
from enum import IntEnum


class Level(IntEnum):
    """How two values compare, from against to for, so that greater means nearer."""

    DIFFERENT = 0
    OFF = 1
    UNKNOWN = 2
    NEAR = 3
    CLOSE = 4
    EQUAL = 5


DURATION_EQUAL_S = 0.1
DURATION_CLOSE_S = 1.0
DURATION_NEAR_S = 2.0
DURATION_OFF_S = 5.0
DURATION_OFF_SHARE = 0.01
FRAME_SLACK = 16
"""Coded heights are multiples of 16: 1088 stored, 1080 shown."""
HASH_LEAST_BYTES = 131_072
"""Below two blocks of 64 KiB the hash's halves overlap. Source: docs/plex-api.md 3."""


def compare_size(ours: int | None, theirs: int | None) -> Level:
    """Bytes are equal or they are not; zero and less mean unknown."""
    if not ours or not theirs or ours < 0 or theirs < 0:
        return Level.UNKNOWN
    return Level.EQUAL if ours == theirs else Level.DIFFERENT


def compare_duration(ours: float | None, theirs: float | None) -> Level:
    """Seconds, with a tolerance: containers round, and servers measure by different streams."""
    if not ours or not theirs or not (0 < ours < math.inf and 0 < theirs < math.inf):
        return Level.UNKNOWN
    gap = abs(ours - theirs)
    if gap <= DURATION_EQUAL_S + 1e-9:
        return Level.EQUAL
    if gap <= DURATION_CLOSE_S:
        return Level.CLOSE
    if gap <= DURATION_NEAR_S:
        return Level.NEAR
    if gap <= max(DURATION_OFF_S, DURATION_OFF_SHARE * max(ours, theirs)):
        return Level.OFF
    return Level.DIFFERENT


def compare_frame(
    ours: tuple[int | None, int | None], theirs: tuple[int | None, int | None]
) -> Level:
    """Width and height; a rotated or padded frame says nothing."""
    if ours == theirs:
        return Level.EQUAL if ours[0] and ours[1] else Level.UNKNOWN
    wide, high = ours
    other_wide, other_high = theirs
    if not (wide and high and other_wide and other_high):
        return Level.UNKNOWN
    if min(wide, high, other_wide, other_high) < 0:
        return Level.UNKNOWN
    straight = abs(wide - other_wide) <= FRAME_SLACK and abs(high - other_high) <= FRAME_SLACK
    turned = abs(wide - other_high) <= FRAME_SLACK and abs(high - other_wide) <= FRAME_SLACK
    return Level.UNKNOWN if straight or turned else Level.DIFFERENT


def compare_content(ours: int | None, theirs: int | None, size_bytes: int | None) -> Level:
    """OpenSubtitles hashes; zero means unknown, and tiny files have none worth comparing."""
    if not ours or not theirs or (size_bytes is not None and 0 < size_bytes < HASH_LEAST_BYTES):
        return Level.UNKNOWN
    return Level.EQUAL if ours == theirs else Level.DIFFERENT


def compare_date(ours: str, theirs: str) -> Level:
    """Dates as far as both are known: `2021` agrees with `2021-03-04`."""
    if not ours or not theirs:
        return Level.UNKNOWN
    known = min(len(ours), len(theirs), 10)
    return Level.EQUAL if ours[:known] == theirs[:known] else Level.DIFFERENT


def measure_size(size_bytes: int, others: int, items: int) -> int:
    """How many bits the equality of this size is worth.

    Sizes vary by the byte, unless a recorder or a person made them round: then by their largest
    power of two from a disk block up, or of ten. Other files of this size tell how common it is.
    """
    block = size_bytes & -size_bytes
    step = max(block if block >= 4096 else 1, _largest_power_of_ten(size_bytes))  # noqa: PLR2004 - a disk block
    bits = math.log2(size_bytes / step)
    if others:
        bits = min(bits, math.log2(max(items / others, 1.0)))
    return int(bits)


# ---- Private -------------------------------------------------------------------------------------


def _largest_power_of_ten(number: int) -> int:
    power = 1
    while number % (power * 10) == 0:
        power *= 10
    return power
