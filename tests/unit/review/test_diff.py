"""Differences of one field: what a person reads is what would be written, and is readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsync.models import PlexField
from plexsync.review.terminal.parts import change_diff
from plexsync.text.differences import text_pieces
from tests.support.factories import make_change

TEXTS = st.text(alphabet="ab_ \u65e5", max_size=40)


@given(TEXTS, TEXTS, st.integers(0, 9))
def test_pieces_make_up_both_texts(before: str, after: str, least: int) -> None:
    """What stays and goes is the old text, what stays and comes the new one."""
    pieces = text_pieces(before, after, least=least)
    assert "".join(text for mark, text in pieces if mark in " -") == before
    assert "".join(text for mark, text in pieces if mark in " +") == after


@given(TEXTS, TEXTS, st.integers(2, 9))
def test_nothing_short_stands_between_two_changes(before: str, after: str, least: int) -> None:
    """Two changes with less than that between them are read as one."""
    pieces = text_pieces(before, after, least=least)
    assert not [text for mark, text in pieces[1:-1] if mark == " " and len(text) < least]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("The Frozen Wel", "The Frozen Well", "The Frozen Wel{+l+}"),
        ("2024-08-10", "2024-08-11", "2024-08-1[-0-]{+1+}"),
        ("clip_number_1", "Clip Number 1", "clip_number_1 -> Clip Number 1"),
        ("Fox & Nocturne", "Something else", "Fox & Nocturne -> Something else"),
        ("", "Fox", "(empty) -> Fox"),
        ("Fox", "", "Fox -> (empty)"),
    ],
    ids=["a letter", "a digit", "confetti", "another", "from nothing", "to nothing"],
)
def test_texts_differ_by_characters(before: str, after: str, shown: str) -> None:
    """A small change is marked where it is; of a large one both texts are shown whole."""
    assert change_diff(make_change(before=before, after=after), marks=True).plain == shown


def test_sets_differ_by_names() -> None:
    """Tags and people come and go one by one, in whatever order they stand."""
    change = make_change(
        field="tags", target=PlexField.GENRES, before=("Sea", "Boats"), after=("Beach", "Sea")
    )
    assert change_diff(change, marks=True).plain == "+Beach, -Boats, 1 stays"
