"""Answers in a spreadsheet: every line is checked before the first counts."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from msgspec.structs import replace

from plexsync.errors import ConfigError
from plexsync.matching.answers import Verb
from plexsync.models import RatingKey, SceneId
from plexsync.review.batch.csv_files import COLUMNS, export_lines, read_answers
from tests.support.review_factories import FakeAnswers, make_waiting, start_review, type_keys

FILE = Path("answers.csv")
WAITING = {one.scene_id: one for one in (make_waiting(1, (9001, 9002)), make_waiting(2))}


def sheet(*rows: str, heading: str = "scene_id,rating_key,answer,note") -> str:
    """A file with these lines."""
    return "\n".join((heading, *rows)) + "\n"


def test_export_has_a_line_a_candidate() -> None:
    """With everything a person needs to decide."""
    rows = list(csv.DictReader(io.StringIO("".join(export_lines(WAITING.values(), FakeAnswers())))))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["scene_id"], row["rating_key"]) for row in rows] == [
        ("1", "9001"),
        ("1", "9002"),
        ("2", "9002"),
    ]


@pytest.mark.parametrize("title", ["=1+1", "+cmd", "-2", "@x", "\t=1", " =1", "'=1", "＝1"])  # noqa: RUF001 - the wide sign is the point
def test_no_cell_is_a_formula(title: str) -> None:
    """A title cannot run in somebody's spreadsheet."""
    one = make_waiting(1)
    evil = replace(one, scene=replace(one.scene, title=title))
    rows = list(csv.reader(io.StringIO("".join(export_lines([evil], FakeAnswers())))))
    assert rows[1][1].startswith("'")


@pytest.mark.parametrize(
    ("rows", "verb", "keys"),
    [
        (["1,9002,accept,"], Verb.ACCEPT, ["9002"]),
        (["1,9001,Reject,", "1,9002,reject,"], Verb.REJECT, ["9001", "9002"]),
        (["1,9001,accept,", "1,9002,reject,"], Verb.ACCEPT, ["9001"]),
        (["1,,Not  in Plex,"], Verb.ABSENT, ["9001", "9002"]),
        (["1,9001,ignore,a trailer"], Verb.IGNORE, []),
    ],
    ids=["accept", "reject both", "accept one", "absent", "ignore"],
)
def test_lines_of_a_scene_make_one_answer(rows: list[str], verb: Verb, keys: list[str]) -> None:
    """Whatever stands in its other lines."""
    (answer,) = read_answers(sheet(*rows, "2,9002,,"), FILE, WAITING, FakeAnswers())
    assert answer.verb is verb
    assert [target.rating_key for target in answer.targets] == keys
    assert answer.reason == ("a trailer" if verb is Verb.IGNORE else "")


def test_what_was_refused_before_counts() -> None:
    """A scene that is none of its candidates any more does not go on waiting."""
    answers = FakeAnswers()
    type_keys(start_review(*WAITING.values(), answers=answers), "r")
    (first,) = read_answers(sheet("1,9001,reject,"), FILE, WAITING, FakeAnswers())
    (second,) = read_answers(sheet("1,9002,reject,"), FILE, WAITING, answers)
    assert (first.open, second.open) == (True, False)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_spreadsheets_of_all_countries_are_read(delimiter: str) -> None:
    """Commas, semicolons or tabs; with or without a byte order mark."""
    text = "\ufeff" + sheet("1,9001,accept,").replace(",", delimiter)
    assert len(read_answers(text, FILE, WAITING, FakeAnswers())) == 1


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["1,9001,yes,"], "line 2: 'yes' is no answer"),
        (["3,9001,accept,"], "line 2: scene '3' does not wait"),
        (["1,9009,accept,"], "line 2: item '9009' is no candidate"),
        (["1,9001,accept,", "1,9002,ignore,"], "several answers: accept, ignore"),
        (["1,9002,accept,", "2,9002,accept,"], "line 3: item 9002 is accepted on line 2"),
    ],
    ids=["word", "scene", "item", "conflict", "twice"],
)
def test_a_wrong_line_is_named_and_nothing_counts(rows: list[str], words: str) -> None:
    """Even if every other line is right."""
    with pytest.raises(ConfigError) as caught:
        read_answers(sheet(*rows), FILE, WAITING, FakeAnswers())
    assert words in caught.value.message


def test_an_item_of_another_scene_is_taken_only_by_word() -> None:
    """The same warning as by keys."""
    owned = FakeAnswers(held={RatingKey("9001"): SceneId("77")})
    with pytest.raises(ConfigError) as caught:
        read_answers(sheet("1,9001,accept,"), FILE, WAITING, owned)
    assert "linked to scene 77" in caught.value.message
    assert read_answers(sheet("1,9001,accept,"), FILE, WAITING, owned, take=True)


@pytest.mark.parametrize("text", ["", "\n", "a,b\n1,2\n", 'scene_id,rating_key,answer\n1,"x'])
def test_what_is_no_such_file_is_reported(text: str) -> None:
    """Nothing is answered by accident."""
    with pytest.raises(ConfigError):
        read_answers(text, FILE, WAITING, FakeAnswers())
