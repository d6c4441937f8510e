"""One changed field as a person sees it: a text old -> new, a list as what comes and what goes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.models import PICTURE_FIELDS
from plexsync.planning.credits import shown_values
from plexsync.planning.picture_policy import key_text
from plexsync.text.differences import name_pieces
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import Change
    from plexsync.text.differences import Piece

_MOST_TEXT = 100
"""Characters of one side of a change: about three lines of the changes column at 100 columns."""

_MOST_NAMES = 8
_SIZE = re.compile(r" \([\d.]+ (?:bytes|kB|MB)\)")
"""How large a cover is, which only `-v` shows."""
_KEPT_BEFORE_DIFFERENCE = 20


def change_text(change: Change, *, verbose: bool = False) -> Text:
    """`before -> after` of a text, `+added, -removed` of a list."""
    if isinstance(change.before, str) and isinstance(change.after, str):
        both = change.before, change.after
        if change.target in PICTURE_FIELDS and not verbose:
            both = _SIZE.sub("", key_text(change.before)), _SIZE.sub("", key_text(change.after))
        return _text_change(*both, verbose=verbose)
    return _list_change(name_pieces(*shown_values(change)), verbose=verbose)


def _text_change(before: str, after: str, *, verbose: bool) -> Text:
    before, after = clean_for_terminal(before), clean_for_terminal(after)
    if not verbose:
        before, after = _shorten_both(before, after)
    return Text.assemble(
        (before, "red") if before else ("(empty)", "dim"),
        (" -> ", "dim"),
        (after, "green") if after else ("(empty)", "dim"),
        overflow="fold",
    )


def _list_change(pieces: Sequence[Piece], *, verbose: bool) -> Text:
    if not pieces:
        return Text("same names in another order", style="dim")
    most = len(pieces) if verbose else _MOST_NAMES
    parts = [
        Text(f"{mark}{clean_for_terminal(name)}", "green" if mark == "+" else "red")
        for mark, name in pieces
    ]
    line = Text(", ").join(parts[:most])
    if len(parts) > most:
        line.append(f" … and {len(parts) - most} more", style="dim")
    return line


def _shorten_both(before: str, after: str) -> tuple[str, str]:
    """Cut two long texts so that the place where they begin to differ stays in sight."""
    if max(len(before), len(after)) <= _MOST_TEXT:
        return before, after
    start = max(0, _common_prefix(before, after) - _KEPT_BEFORE_DIFFERENCE)
    if not before or not after or start < _KEPT_BEFORE_DIFFERENCE:
        start = 0
    return _window(before, start), _window(after, start)


def _window(text: str, start: int) -> str:
    """At most `_MOST_TEXT` characters of `text` from the word at `start` on, with ellipses."""
    if start:
        word = text.find(" ", start)
        start = word + 1 if 0 <= word < start + _KEPT_BEFORE_DIFFERENCE else start
    shown = text[start : start + _MOST_TEXT]
    if start + _MOST_TEXT < len(text):
        shown = (shown.rpartition(" ")[0] or shown) + "…"
    return f"…{shown}" if start else shown


def _common_prefix(one: str, other: str) -> int:
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))
