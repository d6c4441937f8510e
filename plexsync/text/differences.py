"""What stays, goes and comes between two texts or two lists of names, and which name is meant."""

from __future__ import annotations

import re
from difflib import SequenceMatcher, get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import Value


_LEAST_ALIKE = 0.5
"""Below this ratio the pieces of a diff are confetti; both texts whole are easier to read."""

LEAST_STAYING = 3
LEAST_STAYING_MARKED = 7
"""Characters between two changes below which they are read as one: the marks around two pieces are
longer than what stays between them."""

_MOST_PAIRS = 40_000
"""Characters of one text times those of the other up to which they are compared one by one; longer
texts are compared by words. Measured: 40,000 take about 5 ms in the worst case."""

_MOST_WORDS = 400
_WORD = re.compile(r"\s+|\w+|[^\w\s]")

_LEAST_LIKE = 0.75
"""How alike two names must be, of 1: a letter exchanged or left out is, another word is not."""

Piece = tuple[str, str]
"""A mark (" ", "-" or "+") and the text it is about."""


def text_pieces(before: str, after: str, *, least: int = LEAST_STAYING) -> list[Piece]:
    """Two texts as what stays, what goes and what comes, in order.

    Args:
        before: the old text.
        after: the new one.
        least: characters between two changes below which they become one.
    """
    if len(before) * len(after) <= _MOST_PAIRS:
        old: Sequence[str] = before
        new: Sequence[str] = after
    else:
        old, new = _WORD.findall(before)[:_MOST_WORDS], _WORD.findall(after)[:_MOST_WORDS]
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _LEAST_ALIKE:
        return [("-", before), ("+", after)]
    pieces: list[Piece] = []
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            pieces.append((" ", "".join(old[start:end])))
            continue
        if end > start:
            pieces.append(("-", "".join(old[start:end])))
        if new_end > new_start:
            pieces.append(("+", "".join(new[new_start:new_end])))
    pieces = _joined(pieces, least)
    staying = sum(len(text) for mark, text in pieces if mark == " ")
    if 2 * staying < _LEAST_ALIKE * (len(before) + len(after)):
        return [("-", before), ("+", after)]
    return pieces


def name_pieces(before: Value, after: Value) -> list[Piece]:
    """Return the names of a list that come, then those that go."""
    old, new = names_of(before), names_of(after)
    come = [("+", name) for name in new if name not in old]
    return come + [("-", name) for name in old if name not in new]


def names_of(value: Value) -> tuple[str, ...]:
    """Return a list of names; a text is one name, "" is none."""
    return value if isinstance(value, tuple) else (value,) if value else ()


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return the one of `known` that is most like `name`, whatever its case; "" for none."""
    spelled = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), spelled, n=1, cutoff=_LEAST_LIKE)
    return spelled[near[0]] if near else ""


# ---- Private -------------------------------------------------------------------------------------


def _joined(pieces: Sequence[Piece], least: int) -> list[Piece]:
    """Return the same, with changes that have next to nothing between them as one."""
    joined: list[Piece] = []
    old = new = ""
    for place, (mark, text) in enumerate(pieces):
        between = bool(old or new) and place + 1 < len(pieces)
        if mark == " " and not (between and len(text) < least):
            joined += [*_change(old, new), (mark, text)]
            old = new = ""
            continue
        old += text if mark != "+" else ""
        new += text if mark != "-" else ""
    return [*joined, *_change(old, new)]


def _change(old: str, new: str) -> list[Piece]:
    return [piece for piece in (("-", old), ("+", new)) if piece[1]]
