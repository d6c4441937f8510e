"""The parts of a review screen: what a scene is, its candidates, the evidence, what would change.

Values in, lines of styled text out, and those laid out: wrapped, and cut into pages. All texts of
servers are cleaned and never read as markup. Of a field that would change a person reads characters
inside texts and names in sets; nothing rests on colour: without it the marks of
`git diff --word-diff` stand around the pieces.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style
from rich.text import Text

from plexsync.models import Candidate, Change, Confidence
from plexsync.output.tables import names_text
from plexsync.review.queue import item_name, scene_name
from plexsync.review.shown import (
    answer_marks,
    answer_words,
    evidence_of,
    facts_of,
    is_unscored,
    item_place,
    marked_words,
    moved_names,
    notes_of,
)
from plexsync.text.differences import LEAST_STAYING, LEAST_STAYING_MARKED, Piece, text_pieces
from plexsync.text.normalize import clean_for_terminal
from plexsync.text.words import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from plexsync.review.ahead import LinkPreview
    from plexsync.review.machine import Review


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


# ---- Wrapping ------------------------------------------------------------------------------------


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


# ---- What a screen is made of --------------------------------------------------------------------


_FIELD_COLUMNS = 12
_CANDIDATE_COLUMNS = 5
_NO_WEIGHT = 0.05
_KEPT_AROUND = 24
_MOST_NAMES = 12
_MOST_WHOLE = 160

_STANDINGS = {
    Confidence.HIGH: ("HIGH", "green"),
    Confidence.LOW: ("Not HIGH", "yellow"),
    None: ("No item", "yellow"),
}
"""How the reason of a match is introduced; `review show` is also about scenes that do not wait."""


def words(text: str, style: str = "") -> Text:
    """Return a text of a server, made harmless."""
    return Text(clean_for_terminal(text), style=style, overflow="fold")


def scene_part(review: Review) -> list[Line]:
    """Return what the scene is, why it is not HIGH, and what was answered about it."""
    waiting, scene = review.waiting, review.waiting.scene
    lines: list[Line] = [
        Text.assemble(
            words(scene_name(waiting), "bold"),
            (f"  scene {scene.scene_id}", "dim"),
            overflow="fold",
        )
    ]
    lines += [words(file.path, "dim") for file in scene.files[1:3]]
    if len(scene.files) > 3:  # noqa: PLR2004 - the same three
        lines.append(Text(f"… and {len(scene.files) - 3} more files", style="dim"))
    label, style = _STANDINGS[waiting.match.confidence]
    lines += [LabelledText(Text(f"{label}: ", style), words(waiting.match.reason)), Text()]
    answer = answer_words(review.answers.recorded(scene.scene_id))
    return [*lines, words(answer, "cyan"), Text()] if answer else lines


def candidates_part(review: Review, focus: int, *, brief: bool = False) -> list[Line]:
    """Return the candidates, the best first.

    Args:
        review: has the scene.
        focus: place of the candidate that keys are about; -1 for none.
        brief: leave out paths but where titles are the same.
    """
    lines: list[Line] = []
    waiting, notes = review.waiting, notes_of(review)
    marks = answer_marks(review.answers.recorded(waiting.scene_id))
    titles = Counter(one.title for one in waiting.candidates)
    blank = Text(" " * _CANDIDATE_COLUMNS)
    for place, one in enumerate(waiting.candidates):
        label = Text.assemble(
            (">" if place == focus else " ", "bold"), (f" {place + 1:<2} ", "bold cyan")
        )
        body = words(item_name(one))
        body.append_text(words(f"  {item_place(one)}", "dim"))
        if one.rating_key in marks:
            body.append(f"  {marks[one.rating_key]}", "cyan")
        lines.append(LabelledText(label, body))
        # The path of the one in focus stands among the facts.
        if place != focus and (not brief or titles[one.title] > 1):
            lines.append(LabelledText(blank, words(one.item_path, "dim")))
        if note := notes.get(one.rating_key):
            lines.append(LabelledText(blank, words(note, "yellow")))
    if (hidden := waiting.match.candidate_count - len(waiting.candidates)) > 0:
        lines.append(Text(f"    … and {hidden:,} more, less likely", style="dim"))
    none = Text("  no candidate is left; f searches Plex", style="dim")
    return lines if waiting.candidates else [*lines, none]


def facts_part(
    review: Review, candidate: Candidate, *, marks: bool, brief: bool = False
) -> list[Line]:
    """Return the two files side by side; what differs is marked.

    Args:
        review: has the scene.
        candidate: its candidate.
        marks: mark by characters, too, for screens without colour.
        brief: leave out what does not differ.
    """
    facts, preview = facts_of(review, candidate), review.preview(candidate)
    columns = max(len("Stash"), *(len(one.ours) for one in facts)) + 3
    lines: list[Line] = [Text(f"  {'':<10}{'Stash':<{columns}}Plex", style="dim")]
    for one in facts:
        if one.differs if brief else one.ours or one.theirs:
            theirs = one.theirs or ("unknown" if preview and preview.item else "…")
            mark = "  differs" if one.differs else ""
            style = "yellow" if one.differs else ""
            line = Text.assemble(
                (f"  {one.name:<10}", "cyan"), f"{one.ours or 'unknown':<{columns}}"
            )
            lines.append(line.append_text(words(theirs + mark, style)))
    ours, theirs = candidate.scene_path, candidate.item_path
    label = Text(f"  {'path':<10}", style="cyan")
    lines.append(LabelledText(label, _marked(ours, theirs, marks=marks)))
    if theirs:
        lines.append(LabelledText(Text(" " * 12), _marked(theirs, ours, marks=marks)))
    return lines


def _marked(path: str, other: str, *, marks: bool) -> Text:
    """Return a path with the words marked that the other one lacks."""
    line = Text(overflow="fold")
    for text, differs in marked_words(path, other):
        shown = f"[{text}]" if marks and differs else text
        line.append_text(words(shown, "yellow" if differs else "dim"))
    return line


def evidence_part(candidate: Candidate, rivals: str = "") -> list[Line]:
    """Return the evidence of one candidate, what is for it first, and what rivals take away."""
    if is_unscored(candidate):
        return [words(f"Not compared by a run: {candidate.evidence[0].value}.", "dim")]
    lines: list[Line] = []
    for one in evidence_of(candidate, rivals):
        sign, style = "", "dim"
        if abs(one.weight) > _NO_WEIGHT:
            sign, style = ("for", "green") if one.weight > 0 else ("against", "red")
        label = Text(f"  {sign:<8}{one.weight:+6.1f}  ", style)
        lines.append(LabelledText(label, words(f"{one.name}: {one.value}")))
    return lines


def changes_part(preview: LinkPreview | None, *, marks: bool) -> list[Line]:
    """Return what accepting would write; None while it is being found out."""
    if preview is None:
        return [Text("What accepting would change is being looked up …", style="dim")]
    if preview.problem:
        return [words(f"What accepting would change is unknown: {preview.problem}", "yellow")]
    lines: list[Line] = [Text("Accepting would change:", style="bold")]
    if not preview.changes:
        lines = [Text("Accepting would change nothing in Plex.", style="dim")]
    columns = max((len(change.field) + 2 for change in preview.changes), default=0)
    for change in preview.changes:
        label = Text(f"  {change.field:<{max(columns, _FIELD_COLUMNS)}}", style="cyan")
        lines.append(LabelledText(label, change_diff(change, marks=marks)))
    if preview.kept:
        lines.append(words(f"  Plex's own kept for {', '.join(preview.kept)}", "dim"))
    return lines


def change_diff(change: Change, *, marks: bool) -> Text:
    """Return what becomes of one field.

    Args:
        change: before and after.
        marks: put `[-…-]` and `{+…+}` around the pieces, for screens without colour.
    """
    if isinstance(change.before, str) and isinstance(change.after, str):
        return _text_diff(change.before, change.after, marks=marks)
    moved, stay = moved_names(change)
    line = names_text(moved, _MOST_NAMES)
    return line.append(f"{', ' if moved else ''}{stay}", "dim") if stay else line


# ---- Differences of one field --------------------------------------------------------------------


def _text_diff(before: str, after: str, *, marks: bool) -> Text:
    before, after = clean_for_terminal(before), clean_for_terminal(after)
    least = LEAST_STAYING_MARKED if marks else LEAST_STAYING
    pieces = text_pieces(before, after, least=least) if before and after else []
    if [mark for mark, _ in pieces] in ([], ["-", "+"]):
        old, new = _whole(before, "red"), _whole(after, "green")
        return Text.assemble(old, (" -> ", "dim"), new, overflow="fold")
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
        else:
            head = text[:_KEPT_AROUND] if place else ""
            tail = text[-_KEPT_AROUND:] if place < last else ""
            yield mark, f"{head}…{tail}"


def _whole(text: str, style: str) -> tuple[str, str]:
    return (shortened(text, _MOST_WHOLE), style) if text else ("(empty)", "dim")
