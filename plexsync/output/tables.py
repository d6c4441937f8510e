"""What a person sees of matches: rich tables of HIGH and LOW, with changes old -> new.

Everything here is rendering: values in, renderables out, nothing printed. All texts of servers pass
`server_text`, which cleans them and never reads them as markup.
Source: docs/contract.md, "Output".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from plexsync.models import PICTURE_FIELDS, Confidence, Outcome
from plexsync.planning.credits import shown_values
from plexsync.planning.observed import was_by_hand
from plexsync.planning.picture_policy import key_text
from plexsync.text.differences import Piece, name_pieces
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import counted, file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import Change, ItemRef, MatchRow, Preview, SceneRef


MOST_ROWS = 20
"""How many rows a table shows: with their changes they fill about two screens."""

STACKED_BELOW = 90
"""Columns below which a row is stacked: three columns side by side would wrap every second word."""

REASONS_FROM = 140
"""Columns from which the HIGH table also shows the reason."""

_FIELDS_ABOVE_BELOW = 45
"""Columns below which the name of a field stands above its values: beside it nothing would fit."""

_LEAST_SIDE = 20  # columns for a title and for what it is compared with

_MOST_CANDIDATES = 10  # a row holds at most this many, so this many means "or more"

_OUTCOME_COLUMNS = 10  # the longest outcome and a space

_STYLES = {
    Outcome.APPLIED: "green",
    Outcome.PLANNED: "green",
    Outcome.REVIEW: "yellow",
    Outcome.FAILED: "bold red",
    Outcome.SKIPPED: "yellow",
    Outcome.KEPT: "cyan",
}


# ---- Public --------------------------------------------------------------------------------------


def preview_view(
    preview: Preview, *, width: int, dry_run: bool, verbose: bool = False, rows: int = MOST_ROWS
) -> Group:
    """Both tables, each with its headline and with what it does not show.

    Args:
        preview: the first rows and the totals.
        width: columns of the terminal.
        dry_run: say "would be written" instead of "will be written".
        verbose: show long texts uncut, and paths.
        rows: how many of each table.
    """
    parts: list[RenderableType] = [_high_headline(preview, dry_run=dry_run)]
    high = preview.high[:rows]
    if high:
        parts += [Text(""), high_table(high, width=width, verbose=verbose)]
    more = _more_high(preview, shown=len(high), dry_run=dry_run)
    if more:
        parts += _below(f"  {more}", width)
    if preview.low_total:
        low = preview.low[:rows]
        wait = counted(preview.low_total, "match waits", "matches wait")
        parts += [Text(""), _headline("LOW", "yellow", f"{wait} for a person")]
        parts += [Text(""), low_table(low, width=width, verbose=verbose)]
        parts += _more_line(preview.low_total - len(low), width)
    return Group(*parts)


def high_table(rows: Sequence[MatchRow], *, width: int, verbose: bool = False) -> Table:
    """HIGH matches with their changes; below `STACKED_BELOW` columns one under the other."""

    def changes(row: MatchRow) -> RenderableType:
        return _changes(row, verbose=verbose, width=width)

    if width < STACKED_BELOW:
        return _stacked(
            (_pair_line(row), *_low_mark(row), *_paths(row, verbose=verbose), changes(row))
            for row in rows
        )
    wide = width >= REASONS_FROM
    # The changes are what is read here: until all fits, they get most of it.
    side = width // 4 if wide else max(width // 5, _LEAST_SIDE)
    table = plain_table(_column("Scene", side), _column("Plex item", side), _column("Changes"))
    if wide:
        table.add_column("Why", max_width=width // 5, overflow="fold")
    for row in rows:
        scene, item = _cells(row, verbose=verbose)
        why = [server_text(row.reason, "dim")] if wide else []
        table.add_row(scene, Group(item, *_low_mark(row)), changes(row), *why)
    return table


def low_table(rows: Sequence[MatchRow], *, width: int, verbose: bool = False) -> Table:
    """LOW matches: the best candidate, how many there are, and why none of them is HIGH."""
    if width < STACKED_BELOW:
        return _stacked(
            (
                _pair_line(row),
                *_paths(row, verbose=verbose),
                server_text(row.reason),
                *(server_text(words, "dim") for words in _comparison_words(row)),
            )
            for row in rows
        )
    table = plain_table(
        _column("Scene", width // 4),
        _column("Best candidate", width // 4),
        Column("Of", justify="right", no_wrap=True),
        _column("Why not HIGH"),
    )
    for row in rows:
        differs = (server_text(words, "dim") for words in _comparison_words(row, counted=False))
        why = Group(server_text(row.reason), *differs)
        table.add_row(*_cells(row, verbose=verbose), _candidate_count(row), why)
    return table


def failed_table(rows: Sequence[MatchRow], *, total: int, width: int) -> Group:
    """Return the first failed rows with what went wrong; `total` counts those not given, too."""
    if width < STACKED_BELOW:
        table = _stacked((_pair_line(row), *_problem_lines(row)) for row in rows)
    else:
        sides = (_column(name, width // 4) for name in ("Scene", "Plex item"))
        table = plain_table(*sides, _column("What went wrong"))
        for row in rows:
            table.add_row(*_cells(row), Group(*_problem_lines(row)))
    headline = Text(f"FAILED: {total:,}", style="bold red")
    return Group(headline, Text(""), table, *_more_line(total - len(rows), width))


def row_block(row: MatchRow, *, evidence: bool = False) -> Group:
    """One row as it happens, for `-v`; with `evidence` also every comparison, for `-vv`."""
    line = Text.assemble(
        (f"{row.outcome:<{_OUTCOME_COLUMNS}}", _STYLES.get(row.outcome, "dim")),
        _pair_line(row),
        overflow="fold",
    )
    details: list[Text] = []
    if row.error:
        details += _problem_lines(row)
    elif row.reason and (row.confidence is not Confidence.HIGH or row.outcome is Outcome.SKIPPED):
        details.append(server_text(row.reason, "dim"))
    if goes := [change.field for change in row.changes if was_by_hand(change)]:
        details.append(
            server_text(f"replaces what was typed by hand in Plex: {', '.join(goes)}", "yellow")
        )
    details += _kept_by_hand(row)
    if evidence:
        details += [server_text(words, "dim") for words in _evidence_words(row)]
    return Group(line, *(_indented(one, by=_OUTCOME_COLUMNS) for one in details))


# ---- Headlines -----------------------------------------------------------------------------------


def _high_headline(preview: Preview, *, dry_run: bool) -> Text:
    if preview.headline:
        return Text(clean_for_terminal(preview.headline), style="bold green")
    total, changing = preview.high_total, len(preview.high)
    if not total:
        return _headline("HIGH", "green", "no match is certain enough to write")
    matches = counted(total, "match", "matches")
    verb = "would be written" if dry_run else "will be written"
    held = f", {preview.held:,} held back by a safety limit" if preview.held else ""
    if preview.more_changes:
        return _headline("HIGH", "green", f"{matches}, those that differ {verb}{held}")
    if not changing:
        return _headline("HIGH", "green", f"{matches}{held or ', nothing to change'}")
    share = "" if changing == total else f"{changing:,} of "
    return _headline("HIGH", "green", f"{share}{matches} {verb}{held}")


def _headline(word: str, colour: str, rest: str) -> Text:
    return Text.assemble((word, f"bold {colour}"), f": {rest}")


_ALL_SHOWN = " (-v shows all)"


def _more_high(preview: Preview, *, shown: int, dry_run: bool) -> str:
    if preview.more_changes:
        most = preview.high_total - shown
        when = "" if dry_run else ", compared as they are written"
        rest = f"and up to {most:,} more" if shown else f"up to {most:,}"
        return f"… {rest}{when}{_ALL_SHOWN}" if most > 0 else ""
    hidden = len(preview.high) - shown
    if hidden <= 0:
        return ""
    return f"… and {hidden:,} more{_ALL_SHOWN}"


def _more_line(hidden: int, width: int) -> list[Text]:
    return _below(f"  … and {hidden:,} more{_ALL_SHOWN}", width) if hidden > 0 else []


def _below(words: str, width: int) -> list[Text]:
    """Return the line below a table, apart from the rows where those are stacked."""
    line = Text(words, style="dim")
    return [Text(""), line] if width < STACKED_BELOW else [line]


# ---- Tables --------------------------------------------------------------------------------------


def plain_table(*columns: str | Column) -> Table:
    """Return a table as all of them look: a header, and no lines between rows."""
    return Table(*columns, box=SIMPLE_HEAD, show_edge=False, header_style="bold dim")


def named_values() -> Table:
    """Return a table of names, and beside each what it has to say, without a header."""
    return Table.grid(Column(no_wrap=True, style="cyan"), _column(), padding=(0, 2, 0, 0))


def _column(name: str = "", most: int | None = None) -> Column:
    """Return a column of texts, at most so wide."""
    return Column(name, max_width=most, overflow="fold")


def _stacked(blocks: Iterable[tuple[RenderableType, ...]]) -> Table:
    """Return a table of one column without a header; below the first line of a block the others."""
    table = Table.grid(_column(), padding=(0, 0, 0, 2), pad_edge=True, collapse_padding=False)
    for first, *others in blocks:
        if table.row_count:
            table.add_row("")
        table.add_row(Group(first, *map(_indented, others)))
    return table


def _indented(what: RenderableType, *, by: int = 2) -> Padding:
    return Padding(what, (0, 0, 0, by))


class _Side(NamedTuple):
    """What a row names: a scene or an item."""

    name: str
    where: str
    path: str


def _scene(scene: SceneRef) -> _Side:
    name = scene.title or file_name(scene.path) or "untitled"
    return _Side(name, f"scene {scene.id}", scene.path)


def _item(item: ItemRef) -> _Side:
    where = f"{item.library} {item.rating_key}"
    return _Side(item.title or file_name(item.path), where, item.path)


def _pair_line(row: MatchRow) -> Text:
    scene = _words(_scene(row.scene), "bold")
    item = _words(_item(row.item)) if row.item else Text("no candidate", style="dim")
    return Text.assemble(scene, " -> ", item, overflow="fold")


def _words(side: _Side, style: str = "") -> Text:
    return Text.assemble(server_text(side.name, style), server_text(f" ({side.where})", "dim"))


def _cells(row: MatchRow, *, verbose: bool = False) -> tuple[RenderableType, RenderableType]:
    """Return the scene and the item of a row, line by line."""
    item = _cell(_item(row.item), "", verbose=verbose) if row.item else Text("none", style="dim")
    return _cell(_scene(row.scene), "bold", verbose=verbose), item


def _cell(side: _Side, style: str, *, verbose: bool) -> Group:
    below = (side.where, side.path) if verbose else (side.where,)
    return Group(server_text(side.name, style), *(server_text(words, "dim") for words in below))


def _low_mark(row: MatchRow) -> list[Text]:
    """Says of a row among the HIGH ones that it is there because strict_matching is off."""
    if row.confidence is not Confidence.LOW:
        return []
    why = row.reason.rpartition("; ")[2]
    return [Text.assemble(("LOW", "yellow"), server_text(f", {why}", "dim"), overflow="fold")]


def _paths(row: MatchRow, *, verbose: bool) -> list[Text]:
    paths = [row.scene.path, row.item.path if row.item else ""] if verbose else []
    return [server_text(path, "dim") for path in paths if path]


def _candidate_count(row: MatchRow) -> str:
    count = len(row.candidates)
    return f"{count}+" if count >= _MOST_CANDIDATES else str(count)


def _comparison_words(row: MatchRow, *, counted: bool = True) -> list[str]:
    """Return what differs from the best candidate, unless the reason has it already."""
    facts = row.candidates[0].facts if row.candidates else ""
    noun = "candidate" if len(row.candidates) == 1 else "candidates"
    differs = "here" in facts or "against" in facts
    words = [facts] if differs and facts not in row.reason else []
    return words + ([f"{_candidate_count(row)} {noun}"] if counted else [])


def _problem_lines(row: MatchRow) -> list[Text]:
    if row.error is None:
        return [server_text(row.reason)]
    lines = [server_text(row.error.message)]
    return [*lines, server_text(row.error.hint, "dim")] if row.error.hint else lines


def _evidence_words(row: MatchRow) -> list[str]:
    return [f"{one.weight:+6.1f} bits  {one.name}: {one.value}" for one in row.evidence]


def _changes(row: MatchRow, *, verbose: bool, width: int) -> RenderableType:
    """Field names, and beside or below each what happens to it."""
    if width < _FIELDS_ABOVE_BELOW:
        return Group(
            *(
                Group(_field_words(change), _indented(change_text(change, verbose=verbose)))
                for change in row.changes
            ),
            *_kept_by_hand(row),
        )
    grid = named_values()
    for change in row.changes:
        grid.add_row(_field_words(change), change_text(change, verbose=verbose))
    return Group(grid, *_kept_by_hand(row))


def _field_words(change: Change) -> Text:
    """Return the name of a field, marked where what goes was typed by hand."""
    mark = (" by hand", "yellow") if was_by_hand(change) else ""
    return Text.assemble(server_text(change.field, "cyan"), mark)


def _kept_by_hand(row: MatchRow) -> list[Text]:
    """Return the fields that stay because they were typed by hand in Plex."""
    if not row.by_hand:
        return []
    return [server_text(f"typed by hand in Plex, stays: {', '.join(row.by_hand)}", "yellow")]


def server_text(value: str, style: str = "") -> Text:
    """Return a server's text, made harmless."""
    return Text(clean_for_terminal(value), style=style, overflow="fold")


# ---- One changed field ---------------------------------------------------------------------------


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
    pieces = name_pieces(*shown_values(change))
    if not pieces:
        return Text("same names in another order", style="dim")
    return names_text(pieces, len(pieces) if verbose else _MOST_NAMES)


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


def names_text(pieces: Sequence[Piece], most: int) -> Text:
    """Return the names that come and go, the first `most` of them."""
    parts = [
        Text(f"{mark}{clean_for_terminal(name)}", "green" if mark == "+" else "red")
        for mark, name in pieces
    ]
    line = Text(", ").join(parts[:most])
    line.overflow = "fold"
    if len(parts) > most:
        line.append(f" … and {len(parts) - most} more", style="dim")
    return line


def _shorten_both(before: str, after: str) -> tuple[str, str]:
    """Cut two long texts so that the place where they begin to differ stays in sight."""
    if max(len(before), len(after)) <= _MOST_TEXT:
        return before, after
    places = enumerate(zip(before, after, strict=False))
    same = next((at for at, (old, new) in places if old != new), min(len(before), len(after)))
    start = max(0, same - _KEPT_BEFORE_DIFFERENCE)
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
