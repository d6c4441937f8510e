"""Comparing single facts of two files: sizes, lengths, frames, content hashes and dates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from plexsync.matching.comparing.evidence import (
    DURATION_CLOSE_S,
    DURATION_EQUAL_S,
    DURATION_NEAR_S,
    DURATION_OFF_S,
    DURATION_OFF_SHARE,
    TELLING_SIZE_BITS,
    Level,
)

if TYPE_CHECKING:
    from plexsync.models import PlexFile, SceneFile, Video

_DISK_BLOCK = 4096
_ENDLESS = math.inf
_EQUAL_GAP_S = DURATION_EQUAL_S + 1e-9
FRAME_SLACK = 16
"""Coded heights are multiples of 16: 1088 stored, 1080 shown."""
HASH_LEAST_BYTES = 131_072
"""Below two blocks of 64 KiB the hash's halves overlap. Source: docs/plex-api.md 3."""
MANY_NAMESAKES = 8
"""A name or a size that so many other files have is generic, whatever it is made of."""
_ROUND_LENGTH_S = 10.0


def compare_size(ours: int | None, theirs: int | None) -> Level:
    """Bytes are equal or they are not; zero and less mean unknown."""
    if not ours or not theirs or ours < 0 or theirs < 0:
        return Level.UNKNOWN
    return Level.EQUAL if ours == theirs else Level.DIFFERENT


def compare_duration(ours: float | None, theirs: float | None) -> Level:
    """Seconds, with a tolerance: containers round, and servers measure by different streams."""
    if not ours or not theirs or not (0 < ours < _ENDLESS and 0 < theirs < _ENDLESS):
        return Level.UNKNOWN
    gap = abs(ours - theirs)
    if gap <= _EQUAL_GAP_S:
        return Level.EQUAL
    if gap <= DURATION_CLOSE_S:
        return Level.CLOSE
    if gap <= DURATION_NEAR_S:
        return Level.NEAR
    if gap <= max(DURATION_OFF_S, DURATION_OFF_SHARE * max(ours, theirs)):
        return Level.OFF
    return Level.DIFFERENT


def show_other_video(known: SceneFile | PlexFile | Video, theirs: PlexFile) -> bool:
    """Whether two files that were one are none by now: size and length, as far as known, say so.

    A file that was replaced in place and keeps its length is the same video; and a server that
    misreads a length still knows the size.
    """
    size = compare_size(known.size_bytes, theirs.size_bytes)
    nearest = Level.OFF if size is Level.DIFFERENT else Level.DIFFERENT
    length = compare_duration(known.duration_s, theirs.duration_s)
    return size is not Level.EQUAL and length <= nearest


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


def measure_size(size_bytes: int, others: int, items: int) -> tuple[int, bool]:
    """Return how many bits the equality of a size is worth, and whether it is a telling one.

    Sizes vary by the byte, unless a recorder or a person made them round: then by their largest
    power of two from a disk block up, or of ten. Other files of this size tell how common it is.
    A telling size is not round, and few `others` have it.
    """
    block = size_bytes & -size_bytes
    step = block if block >= _DISK_BLOCK else 1
    if size_bytes % 10 == 0:
        step = max(step, _largest_power_of_ten(size_bytes))
    bits = math.log2(size_bytes / step)
    telling = bits >= TELLING_SIZE_BITS and others < MANY_NAMESAKES
    if others:
        bits = min(bits, math.log2(max(items / others, 1.0)))
    return int(bits), telling


def is_telling_length(duration_s: float) -> bool:
    """Whether a length is none that recorders write or people cut to."""
    return abs(math.remainder(duration_s, _ROUND_LENGTH_S)) > DURATION_CLOSE_S


# ---- Private -------------------------------------------------------------------------------------


def _largest_power_of_ten(number: int) -> int:
    power = 1
    while number % (power * 10) == 0:
        power *= 10
    return power
