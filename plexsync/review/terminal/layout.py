"""Lines of a review screen, and how they are laid out: wrapped, and cut into pages.

What is wrapped goes on below where its text began, not below its label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

_LEAST_BODY = 20
"""Columns a text needs beside its label; with fewer it is wrapped below it."""

_LEAST_PAGE = 3
"""Rows below which a screen is not cut: a line of it, the mark that there is more, and a spare."""


class LabelledText(NamedTuple):
    """A label, and a text that stays beside it however often it is wrapped."""

    label: Text
    body: Text


PICTURE_COLUMNS = 58
PICTURE_ROWS = 8
"""Columns and rows of the pictures beside the facts."""

PICTURES_BEGIN = Style(meta={"pictures": True})
"""Changes no look; it marks the character where the pictures begin."""


Place = tuple[int, int]
"""A row and a column of the screen, both from 0."""


class BesidePictures(NamedTuple):
    """Lines with columns free at their right for pictures."""

    lines: Sequence[Line]


Line = Text | LabelledText | BesidePictures


def laid_out(lines: Iterable[Line], console: Console) -> list[Text]:
    """Return the lines as rows of the screen, none wider than `console`."""
    return [piece for line in lines for piece in _wrapped(line, console, console.width)]


def page_of(lines: Sequence[Text], page: int, *, most: int) -> list[Text]:
    """One page of what is too long for the screen.

    Args:
        lines: rows of the screen.
        page: which; after the last one comes the first.
        most: rows there are.
    """
    if len(lines) <= most or most < _LEAST_PAGE:
        return list(lines)
    step = most - 1
    pages = -(-len(lines) // step)
    start = page % pages * step
    shown = lines[start : start + step]
    left = len(lines) - start - len(shown)
    rest = f"{left} more {'line' if left == 1 else 'lines'}" if left else "the end"
    goes = "shows them" if left else "goes back to the top"
    return [*shown, Text(f"… {rest}; v {goes}", style="dim")]


def picture_place(rows: Sequence[Text]) -> Place | None:
    """Return where pictures begin on the screen; None where they do not fit whole."""
    for number, row in enumerate(rows):
        for span in row.spans:
            if span.style == PICTURES_BEGIN:
                whole = number + PICTURE_ROWS <= len(rows)
                return (number, row[: span.start].cell_len) if whole else None
    return None


# ---- Private -------------------------------------------------------------------------------------


def _wrapped(line: Line, console: Console, width: int) -> Iterable[Text]:
    if isinstance(line, BesidePictures):
        return _beside(line, console, width - PICTURE_COLUMNS)
    if isinstance(line, Text):
        return line.wrap(console, width) if line.cell_len else [line]
    columns = width - line.label.cell_len
    if columns < _LEAST_BODY:
        return Text.assemble(line.label, line.body, overflow="fold").wrap(console, width)
    pieces = line.body.wrap(console, columns) or [Text()]
    blank = Text(" " * line.label.cell_len)
    return [
        Text.assemble(blank if place else line.label, piece) for place, piece in enumerate(pieces)
    ]


def _beside(block: BesidePictures, console: Console, width: int) -> list[Text]:
    """Return the lines in the columns that are left, and rows enough for the pictures."""
    rows = [piece for line in block.lines for piece in _wrapped(line, console, width)]
    rows += [Text() for _ in range(PICTURE_ROWS - len(rows))]
    rows[0] = rows[0].copy()
    rows[0].pad_right(max(width - rows[0].cell_len, 0))
    rows[0].append(" ", PICTURES_BEGIN)
    return rows
