"""Titles, names, text, dates: what compares equal, what must not, what is safe to send or show."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ParseError
from plexsync.text.normalize import (
    clean_for_terminal,
    fold,
    fold_tag,
    fold_whitespace,
    normalize_title,
    plex_date,
    strip_control,
)
from plexsync.text.words import shell_word

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("function", "one", "other"),
    [
        pytest.param(fold, "Beach", "bEACH", id="fold: case"),
        pytest.param(fold, "Caf\u00e9", "CAFE\u0301", id="fold: composition"),
        pytest.param(fold, "\uff21\uff22", "ab", id="fold: width"),
        pytest.param(fold, "ﬁlm", "FILM", id="fold: ligature"),
        pytest.param(fold, "Straße", "STRASSE", id="fold: sharp s"),
        pytest.param(fold_whitespace, " a\r\n\tb\u00a0 c ", "a b c", id="whitespace"),
        pytest.param(fold_tag, "  Big   Wave", "big wave", id="tag: case and whitespace"),
        pytest.param(fold_tag, "CAFE\u0301", "caf\u00e9", id="tag: composition"),
        pytest.param(normalize_title, "Beach-Day (2021)!", "beach day 2021", id="title: marks"),
        pytest.param(normalize_title, "Don\u2019t", "dont", id="title: apostrophe"),
        pytest.param(normalize_title, "a_b.c", "A B C", id="title: file name spelling"),
        pytest.param(normalize_title, "हिन्दी — फ़िल्म", "हिन्दी फ़िल्म", id="title: marks of a script"),
        pytest.param(normalize_title, "a'\u0301", "\u00e1", id="title: mark behind apostrophe"),
    ],
)
def test_spelling_does_not_part(function: Callable[[str], str], one: str, other: str) -> None:
    """Two spellings of one thing have one form."""
    assert function(one) == function(other)


@pytest.mark.parametrize(
    ("function", "one", "other"),
    [
        pytest.param(fold, "cafe", "caf\u00e9", id="fold: accent"),
        pytest.param(fold, "part 1", "part 2", id="fold: number"),
        pytest.param(fold, "a b", "ab", id="fold: space"),
        pytest.param(fold_whitespace, "ab", "a b", id="whitespace: word break"),
        pytest.param(fold_whitespace, "A", "a", id="whitespace: case"),
        pytest.param(fold_tag, "1080p", "\uff11\uff10\uff18\uff10p", id="tag: width"),
        pytest.param(fold_tag, "x2", "x²", id="tag: superscript"),
        pytest.param(fold_tag, "sci-fi", "scifi", id="tag: punctuation"),
        pytest.param(normalize_title, "Part 1", "Part 2", id="title: number"),
        pytest.param(normalize_title, "Beach Day", "Beach Days", id="title: letter"),
        pytest.param(normalize_title, "Día", "Dia", id="title: accent"),
        pytest.param(normalize_title, "!!!", "???", id="title: punctuation only"),
        pytest.param(normalize_title, "😀", "😡", id="title: emoji only"),
        pytest.param(strip_control, "a\nb", "ab", id="sent: line break"),
        pytest.param(clean_for_terminal, "a b", "ab", id="shown: space"),
    ],
)
def test_different_things_stay_different(
    function: Callable[[str], str], one: str, other: str
) -> None:
    """No form is so weak that it hides a difference people see."""
    assert function(one) != function(other)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("plain", "plain"),
        ("two\r\nlines\rthree\x0bfour\x0cfive\x85six", "two\nlines\nthree\nfour\nfive\nsix"),
        ("tab\tstays", "tab\tstays"),
        ("nul\x00 esc\x1b[31m del\x7f c1\x9b", "nul esc[31m del c1"),
        ("half \ud83d here", "half \ufffd here"),
        ("\ud83d\ude00", "😀"),
        ("\ud83da", "\ufffda"),
        ("\ufffe\uffff", "\ufffd\ufffd"),
        ("\u202eleft", "\u202eleft"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_what_is_sent_holds_nothing_xml_cannot_carry(text: str, sent: str) -> None:
    """Controls go, line breaks become one kind, halves of characters are joined or replaced."""
    assert strip_control(text) == sent


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\r\nb\nc\td\u2028e", "a b c d e"),
        ("\x1b[31mred\x1b]0;title\x07", "\ufffd[31mred\ufffd]0;title\ufffd"),
        ("\x9b31m", "\ufffd31m"),
        ("evil\u202egpj.exe\u2069", "evilgpj.exe"),
        ("\udcff", "\ufffd"),
        ("[bold]<b>", "[bold]<b>"),
        ("漢字 😀 é", "漢字 😀 é"),
    ],
)
def test_what_is_shown_cannot_steer_a_terminal(text: str, shown: str) -> None:
    """One line, no escapes, no direction changes; markup is the renderer's business."""
    assert clean_for_terminal(text) == shown


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("2021", "2021-01-01"),
        ("2021-06", "2021-06-01"),
        ("2021-06-05", "2021-06-05"),
        ("2024-02-29", "2024-02-29"),
        ("2021-06-05T23:59:59+02:00", "2021-06-05"),
        ("2021-06-05 00:00:00", "2021-06-05"),
        (" 2021 ", "2021-01-01"),
        ("", ""),
        ("  ", ""),
        ("0001-01-01", ""),
        ("0001-01-01T00:00:00Z", ""),
    ],
)
def test_dates_are_read_as_far_as_they_are_known(text: str, full: str) -> None:
    """Of a partial date Plex gets the first day of what is known."""
    assert plex_date(text) == full


@pytest.mark.parametrize(
    "text",
    [
        "2021-02-29",
        "2021-13",
        "2021-00-01",
        "0000",
        "21",
        "2021-6-5",
        "20210605",
        "2021/06/05",
        "2021-06-05x",
        "2021-06T00:00",
        "yesterday",
        "\u0662\u0660\u0662\u0661",
    ],
)
def test_an_impossible_date_is_an_error(text: str) -> None:
    """A date that cannot be read is not the same as no date."""
    with pytest.raises(ParseError, match="is no date"):
        plex_date(text)


def test_a_date_error_does_not_repeat_a_novel() -> None:
    """The message quotes only the start of what it could not read."""
    with pytest.raises(ParseError) as caught:
        plex_date("x" * 10_000)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    "name",
    [
        b"plan.json",
        b"my plan's.json",
        b"caf\xc3\xa9 $HOME",
        b"caf\xe9 1",
        b"a\xffb\\'",
        b"a\n\x1b[31mb",
    ],
)
def test_a_file_name_is_typed_as_it_is_shown(name: bytes) -> None:
    """Whatever bytes it is made of: a shell reads them from what a terminal shows."""
    word = shell_word(os.fsdecode(name))
    assert clean_for_terminal(word) == word
    bash = shutil.which("bash")
    assert bash
    read = subprocess.run([bash, "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert read.stdout == name
