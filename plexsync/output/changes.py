"""One changed field as a person sees it: a text old -> new, a list as what comes and what goes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

from plexsync.models import PICTURE_FIELDS
from plexsync.planning.credits import shown_values
from plexsync.planning.picture_policy import key_text
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import Change

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
    before, after = shown_values(change)
    return _list_change(_names(before), _names(after), verbose=verbose)


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


def _list_change(before: Sequence[str], after: Sequence[str], *, verbose: bool) -> Text:
    marked = [("+", "green", name) for name in after if name not in before]
    marked += [("-", "red", name) for name in before if name not in after]
    if not marked:
        return Text("same names in another order", style="dim")
    most = len(marked) if verbose else _MOST_NAMES
    parts = [Text(f"{sign}{clean_for_terminal(name)}", colour) for sign, colour, name in marked]
    line = Text(", ").join(parts[:most])
    if len(parts) > most:
        line.append(f" … and {len(parts) - most} more", style="dim")
    return line


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if value else ()


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
