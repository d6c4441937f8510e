"""The differences of one field, as a person judges them: characters inside texts, names in sets.

Nothing rests on colour: without it the marks of `git diff --word-diff` stand around the pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.review.shown import moved_names
from plexsync.text.differences import LEAST_STAYING, LEAST_STAYING_MARKED, text_pieces
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plexsync.models import Change
    from plexsync.text.differences import Piece

_KEPT_AROUND = 24
_MOST_NAMES = 12
_MOST_WHOLE = 160


def change_diff(change: Change, *, marks: bool) -> Text:
    """Return what becomes of one field.

    Args:
        change: before and after.
        marks: put `[-…-]` and `{+…+}` around the pieces, for screens without colour.
    """
    if isinstance(change.before, str) and isinstance(change.after, str):
        return _text_diff(change.before, change.after, marks=marks)
    return _set_diff(*moved_names(change))


# ---- Private -------------------------------------------------------------------------------------


def _text_diff(before: str, after: str, *, marks: bool) -> Text:
    before, after = clean_for_terminal(before), clean_for_terminal(after)
    if not before or not after:
        line = Text(overflow="fold")
        line.append(_shortened(before) or "(empty)", "red" if before else "dim")
        line.append(" -> ", "dim")
        line.append(_shortened(after) or "(empty)", "green" if after else "dim")
        return line
    pieces = text_pieces(before, after, least=LEAST_STAYING_MARKED if marks else LEAST_STAYING)
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


def _elided(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Yield the same, with long stretches that stay cut to what is near a change."""
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


def _set_diff(moved: Sequence[Piece], stay: str) -> Text:
    styles = {"+": "green", "-": "red"}
    parts = [Text(f"{sign}{clean_for_terminal(name)}", styles[sign]) for sign, name in moved]
    line = Text(", ").join(parts[:_MOST_NAMES])
    line.overflow = "fold"
    if len(parts) > _MOST_NAMES:
        line.append(f" … and {len(parts) - _MOST_NAMES} more", "dim")
    if stay:
        line.append(f"{', ' if parts else ''}{stay}", "dim")
    return line
