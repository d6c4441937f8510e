"""The differences of one field, as a person judges them: characters inside texts, names in sets.

Nothing rests on colour: without it the marks of `git diff --word-diff` stand around the pieces.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.planning.credits import shown_values
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plexsync.models import Change, Value

_LEAST_ALIKE = 0.5
"""Below this ratio the pieces of a diff are confetti; both texts whole are easier to read."""

_LEAST_STAYING = 3
_LEAST_STAYING_MARKED = 7
"""Characters between two changes below which they are read as one: the marks around two pieces are
longer than what stays between them."""

_MOST_PAIRS = 40_000
"""Characters of one text times those of the other up to which they are compared one by one; longer
texts are compared by words. Measured: 40,000 take about 5 ms in the worst case."""

_MOST_WORDS = 400
_KEPT_AROUND = 24
_MOST_NAMES = 12
_MOST_WHOLE = 160
_WORD = re.compile(r"\s+|\w+|[^\w\s]")

Piece = tuple[str, str]
"""A mark (" ", "-" or "+") and the text it is about."""


def change_diff(change: Change, *, marks: bool) -> Text:
    """What becomes of one field.

    Args:
        change: before and after.
        marks: put `[-…-]` and `{+…+}` around the pieces, for screens without colour.
    """
    if isinstance(change.before, str) and isinstance(change.after, str):
        return _text_diff(change.before, change.after, marks=marks)
    before, after = shown_values(change)
    return _set_diff(_names(before), _names(after))


def text_pieces(before: str, after: str, *, least: int = _LEAST_STAYING) -> list[Piece]:
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


# ---- Private -------------------------------------------------------------------------------------


def _text_diff(before: str, after: str, *, marks: bool) -> Text:
    before, after = clean_for_terminal(before), clean_for_terminal(after)
    if not before or not after:
        line = Text(overflow="fold")
        line.append(_shortened(before) or "(empty)", "red" if before else "dim")
        line.append(" -> ", "dim")
        line.append(_shortened(after) or "(empty)", "green" if after else "dim")
        return line
    pieces = text_pieces(before, after, least=_LEAST_STAYING_MARKED if marks else _LEAST_STAYING)
    if [mark for mark, _ in pieces] == ["-", "+"]:
        line = Text(_shortened(before), style="red", overflow="fold")
        return Text.assemble(line, (" -> ", "dim"), (_shortened(after), "green"), overflow="fold")
    line = Text(overflow="fold")
    for mark, text in _elided(pieces):
        if mark == " ":
            line.append(text)
        elif mark == "-":
            line.append(f"[-{text}-]" if marks else text, "red strike")
        else:
            line.append(f"{{+{text}+}}" if marks else text, "bold green")
    return line


def _joined(pieces: Sequence[Piece], least: int) -> list[Piece]:
    """The same, with changes that have next to nothing between them as one."""
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


def _elided(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The same, with long stretches that stay cut to what is near a change."""
    last = len(pieces) - 1
    for place, (mark, text) in enumerate(pieces):
        if mark != " " or len(text) <= 2 * _KEPT_AROUND + 1:
            yield mark, text
        elif place == 0:
            yield mark, f"…{text[-_KEPT_AROUND:]}"
        elif place == last:
            yield mark, f"{text[:_KEPT_AROUND]}…"
        else:
            yield mark, f"{text[:_KEPT_AROUND]}…{text[-_KEPT_AROUND:]}"


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_WHOLE else f"{text[: _MOST_WHOLE - 1]}…"


def _set_diff(before: Sequence[str], after: Sequence[str]) -> Text:
    marked = [("+", "green", name) for name in after if name not in before]
    marked += [("-", "red", name) for name in before if name not in after]
    stay = sum(name in before for name in after)
    parts = [Text(f"{sign}{clean_for_terminal(name)}", style) for sign, style, name in marked]
    line = Text(", ").join(parts[:_MOST_NAMES])
    line.overflow = "fold"
    if len(parts) > _MOST_NAMES:
        line.append(f" … and {len(parts) - _MOST_NAMES} more", "dim")
    if stay:
        line.append(f"{', ' if parts else ''}{stay} stay{'s' if stay == 1 else ''}", "dim")
    return line


def _names(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if value else ()
