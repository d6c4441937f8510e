"""What the bytes of a terminal do to a review, and what stands on the terminal then."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyte
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from rich.console import Console

from plexsync.errors import StateCorruptError
from plexsync.review.modes import Ending, Mode
from plexsync.review.terminal.application import ReviewScreen, keys_of_line
from tests.support.review_factories import FakeAnswers, make_waiting, start_review, type_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plexsync.review.machine import Review


@contextmanager
def terminal(text: str) -> Iterator[Console]:
    """A terminal on which `text` is typed."""
    with create_pipe_input() as typed, create_app_session(input=typed):
        typed.send_text(text)
        file = io.StringIO()
        yield Console(file=file, width=60, height=24, force_terminal=True)


def show(review: Review, text: str, *, full: bool = True) -> list[str]:
    """Type `text` into a review; returns what stands on the terminal in the end."""
    with terminal(text) as console:
        ReviewScreen(review, console, full=full).run()
        display = pyte.Screen(60, 24)
        assert isinstance(console.file, io.StringIO)
        pyte.Stream(display).feed(console.file.getvalue().replace("\n", "\r\n"))
        return [line.rstrip() for line in display.display]


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("abc", "abc"),
        ("é日", "é日"),
        ("ab\x7f", "a"),
        ("a\x1b[D\x1b[C\x1bODb", "ab"),
        ("a\x1b[15~b\x00\x01", "ab"),
        ("a\x1b[200~x\ry\x1b[201~b", "axyb"),
    ],
    ids=repr,
)
def test_characters_are_typed_and_keys_are_not(text: str, typed: str) -> None:
    """A pasted text is typed without its line ends; keys that are no character type nothing."""
    review = type_keys(start_review(make_waiting(1), make_waiting(2)), "i")
    with pytest.raises(EOFError):
        show(review, text + "\x04")
    assert (review.mode, review.typed) == (Mode.PROMPT, typed)


def test_arrows_and_enter_are_keys() -> None:
    """Right, left, a pattern of two, and an answer for both."""
    review = start_review(make_waiting(1), make_waiting(2))
    show(review, "\x1b[C\x1b[Dgnq\r" + "k")
    assert review.ending is Ending.KEEP
    assert review.given.answered == {"1", "2"}


def test_a_paste_presses_no_key() -> None:
    """Letters of an address answer nothing."""
    answers = FakeAnswers()
    review = start_review(make_waiting(1), answers=answers)
    show(review, "\x1b[200~annaq\x1b[201~" + "q")
    assert answers.book == {}


def test_ctrl_c_is_an_interrupt() -> None:
    """As everywhere."""
    with pytest.raises(KeyboardInterrupt):
        show(start_review(make_waiting(1)), "\x03")


def test_what_goes_wrong_while_a_key_is_handled_comes_out() -> None:
    """It is not swallowed by the loop that reads keys."""
    answers = FakeAnswers(locked=StateCorruptError("the disk is gone"))
    with pytest.raises(StateCorruptError):
        show(start_review(make_waiting(1), answers=answers), "n")


def test_the_end_page_stands_below_what_was_printed() -> None:
    """The plan above stays; going back to the scenes takes the whole terminal."""
    review = type_keys(start_review(make_waiting(1), make_waiting(2)), "an")
    lines = show(review, "\x1b[D", full=False)
    assert review.ending is None
    assert review.mode is Mode.SCENE
    assert lines == [""] * 24


@pytest.mark.parametrize(
    ("line", "typing", "keys"),
    [
        ("a\n", False, ["a"]),
        ("\n", False, []),
        ("accept\n", False, ["accept"]),
        ("ab\n", True, ["a", "b", "enter"]),
        ("\n", True, ["enter"]),
        ("ab\x1b\n", True, ["escape"]),
    ],
)
def test_keys_of_a_line(line: str, *, typing: bool, keys: list[str]) -> None:
    """One letter is a key; a longer word means nothing, unless a text is asked for."""
    assert keys_of_line(line, typing=typing) == keys
