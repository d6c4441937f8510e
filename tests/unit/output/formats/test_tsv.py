"""Lines for pipes: one record a line, uncut, and readable back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsync.models import Outcome, PlexField
from plexsync.output.formats import tsv as lines
from tests.support.factories import (
    make_candidate,
    make_change,
    make_item_ref,
    make_low_row,
    make_problem,
    make_row,
    make_scene_ref,
)

_ESCAPE = re.compile(r"\\(.)")
_MEANING = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


def unescape(field: str) -> str:
    """What docs/output.md tells a reader to do."""
    return _ESCAPE.sub(lambda found: _MEANING[found[1]], field)


def test_line_has_the_documented_columns() -> None:
    """Every column, in order."""
    change = make_change(
        field="tags", target=PlexField.GENRES, before=("temp",), after=("Outdoor", "Sun")
    )
    row = make_row(changes=(make_change(), change))

    assert dict(zip(lines.COLUMNS, lines.row_line(row).split("\t"), strict=True)) == {
        "outcome": "planned",
        "confidence": "HIGH",
        "score": "0.999",
        "scene_id": "42",
        "rating_key": "9120",
        "scene_title": "Beach Day",
        "item_title": "beach-day",
        "scene_path": "/data/beach-day.mp4",
        "item_path": "/media/beach-day.mp4",
        "changes": "title: beach-day -> Beach Day; tags: +Outdoor, +Sun, -temp",
        "reason": "mapped path equal, size equal, duration equal",
    }


def test_line_of_an_unmatched_scene_keeps_its_columns() -> None:
    """What is unknown is empty, never missing."""
    row = make_row(item=None, confidence=None, score=0.0, changes=(), outcome=Outcome.UNMATCHED)

    fields = lines.row_line(row).split("\t")

    assert len(fields) == len(lines.COLUMNS)
    assert fields[1:5] == ["", "", "42", ""]


def test_line_of_a_low_match_has_facts_and_no_probability() -> None:
    """A score would be taken for one; two equal paths are distinguished by library and key."""
    first, second = (
        make_candidate(
            rating_key=key, library=library, item_path="/media/a.mp4", facts=facts, score=0.99999
        )
        for key, library, facts in (
            ("7", "Movies", "size 2.4 GB here, 1.1 GB there"),
            ("8", "", ""),
        )
    )
    fields = lines.row_line(make_low_row(candidates=(first, second), reason="why")).split("\t")
    assert fields[lines.COLUMNS.index("score")] == ""
    assert fields[-1] == (
        "why [2 candidates: item 7 in Movies (/media/a.mp4), size 2.4 GB here, 1.1 GB there; "
        "item 8 (/media/a.mp4)]"
    )


def test_line_of_a_failure_ends_in_its_error() -> None:
    """The last column says what went wrong."""
    row = make_row(outcome=Outcome.FAILED, error=make_problem())

    assert lines.row_line(row).endswith("\tPlex answered 503 three times")


def test_long_texts_are_not_cut() -> None:
    """A pipe gets everything."""
    after = "word " * 5000

    assert after in lines.row_line(make_row(changes=(make_change(after=after),)))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\tb", "a\\tb"),
        ("a\nb", "a\\nb"),
        ("a\r\nb", "a\\r\\nb"),
        ("C:\\new", "C:\\\\new"),
        ("a\x1b[2Jb", "a\ufffd[2Jb"),
        ("a\u202eb", "ab"),
    ],
    ids=["tab", "line feed", "dos", "backslash", "escape", "bidi"],
)
def test_texts_cannot_break_the_line(text: str, written: str) -> None:
    """Separators are escaped, what steers a terminal is cleaned."""
    row = make_row(scene=make_scene_ref(title=text))

    assert lines.row_line(row).split("\t")[5] == written


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Cn", "Zl", "Zp"))))
def test_printable_texts_are_read_back_as_they_were(text: str) -> None:
    """Escaping loses nothing a terminal could show, backslashes included."""
    row = make_row(item=make_item_ref(path=f"{text}\t\\n\n"))

    assert unescape(lines.row_line(row).split("\t")[8]) == f"{text}\t\\n\n"


@given(st.text(), st.text())
def test_a_record_is_one_line(title: str, before: str) -> None:
    """No text of a server makes a second line or another column."""
    row = make_row(scene=make_scene_ref(title=title), changes=(make_change(before=before),))

    line = lines.row_line(row)

    assert len(line.splitlines()) == 1
    assert line.count("\t") == len(lines.COLUMNS) - 1


@pytest.mark.parametrize("outcome", Outcome)
def test_only_unchanged_rows_get_no_line(outcome: Outcome) -> None:
    """Everything else is worth a line."""
    row = make_row(outcome=outcome)

    assert lines.is_worth_a_line(row) is (outcome is not Outcome.UNCHANGED)
