r"""One tab-separated line per row, for pipes: uncut, one record a line whatever the texts hold.

And lines for spreadsheets, in which no cell can be taken for a formula.
Source: docs/contract.md, "Output"; the columns are documented in docs/output.md.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from plexsync.models import Candidate, Change, Confidence, MatchRow, Outcome
from plexsync.output.summary import score_text
from plexsync.planning.credits import shown_values
from plexsync.planning.observed import was_by_hand
from plexsync.text.differences import name_pieces
from plexsync.text.normalize import clean_for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable


COLUMNS = (
    "outcome",
    "confidence",
    "score",
    "scene_id",
    "rating_key",
    "scene_title",
    "item_title",
    "scene_path",
    "item_path",
    "changes",
    "reason",
)
"""What each line holds, in this order. New columns are only ever added at the end.

With `-vv` the evidence comes last.
"""

_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPED = re.compile(r"[\\\t\n\r]")


def row_line(row: MatchRow, *, evidence: bool = False, others: int = 0) -> str:
    r"""Return the row as one line without its line end; `evidence` adds it as a last column.

    `others` says for how many further rows it stands, which ended so for the same reason.
    A tab, line feed, carriage return or backslash in a text becomes `\t`, `\n`, `\r`, `\\`.
    """
    item = row.item
    more = f" (and {others:,} more)" if others else ""
    fields = (
        row.outcome,
        row.confidence or "",
        score_text(row.score, 3) if item and row.confidence is Confidence.HIGH else "",
        row.scene.id,
        item.rating_key if item else "",
        row.scene.title,
        item.title if item else "",
        row.scene.path,
        item.path if item else "",
        "; ".join(_change_words(change) for change in row.changes),
        (row.error.message if row.error else _reason(row)) + more,
        *([_evidence_words(row)] if evidence else ()),
    )
    return "\t".join(escaped(text) for text in fields)


def _evidence_words(row: MatchRow) -> str:
    """Each comparison with its weight in bits: `size +12.4 (equal)`."""
    return "; ".join(f"{one.name} {one.weight:+.1f} ({one.value})" for one in row.evidence)


def is_worth_a_line(row: MatchRow) -> bool:
    """Whether a pipe hears of the row: everything but what is unchanged."""
    return row.outcome is not Outcome.UNCHANGED


def escaped(text: str) -> str:
    """Return a text as a column holds it: cleaned, without tabs and line breaks."""
    return clean_for_terminal(_ESCAPED.sub(lambda found: _ESCAPES[found[0]], text))


def _reason(row: MatchRow) -> str:
    """Why, and for a LOW match all it could be: a log is where one looks for that later."""
    if row.confidence is not Confidence.LOW or not row.candidates:
        return row.reason
    named = "; ".join(map(_candidate_words, row.candidates))
    count = len(row.candidates)
    return f"{row.reason} [{count} candidate{'s' if count > 1 else ''}: {named}]"


def _candidate_words(candidate: Candidate) -> str:
    """Return a candidate by library, rating key and path, with what a person compares."""
    where = f" in {candidate.library}" if candidate.library else ""
    facts = f", {candidate.facts}" if candidate.facts else ""
    return f"item {candidate.rating_key}{where} ({candidate.item_path}){facts}"


def _change_words(change: Change) -> str:
    name = f"{change.field} (by hand)" if was_by_hand(change) else change.field
    if isinstance(change.before, str) and isinstance(change.after, str):
        return f"{name}: {change.before} -> {change.after}"
    return f"{name}: {', '.join(map(''.join, name_pieces(*shown_values(change))))}"


# ---- Spreadsheets --------------------------------------------------------------------------------

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_GUARD = "'"
"""What cells begin with that could be taken for a formula. Source: OWASP, "CSV Injection"."""


def csv_line(cells: Iterable[str]) -> str:
    """Return one line with its line end."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(guarded, cells))
    return out.getvalue()


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    shown = clean_for_terminal(text)
    return f"{_GUARD}{shown}" if shown.lstrip().startswith((*_FORMULA, _GUARD)) else shown


def unguarded(cell: str) -> str:
    """Return what `guarded` was given."""
    return cell[1:] if cell.startswith(_GUARD) else cell
