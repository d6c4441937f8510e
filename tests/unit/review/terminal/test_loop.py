"""What a review draws on a terminal, and when."""

from __future__ import annotations

import io

from rich.console import Console

from plexsync.review.terminal.loop import Screen
from tests.support.review_factories import make_waiting, start_review, type_keys

CLEAR = "\x1b[2J"


def make_terminal() -> tuple[Console, io.StringIO]:
    """A terminal that keeps what is drawn on it."""
    file = io.StringIO()
    return Console(file=file, width=60, height=24, force_terminal=True), file


def test_a_screen_that_stands_there_is_not_drawn_again() -> None:
    """What a plan printed above the last question stays when a server answers meanwhile."""
    console, file = make_terminal()
    screen = Screen(console, fresh=False)
    review = type_keys(start_review(make_waiting(1)), "a")
    screen.paint(review, {})
    drawn = file.getvalue()
    assert drawn
    assert "\x1b[H" not in drawn
    screen.paint(review, {})
    assert file.getvalue() == drawn


def test_a_screen_that_differs_takes_the_place_of_the_one_before() -> None:
    """Line by line, so that nothing flickers."""
    console, file = make_terminal()
    screen = Screen(console, fresh=True)
    review = start_review(make_waiting(1), make_waiting(2))
    screen.paint(review, {})
    assert file.getvalue().startswith(CLEAR)
    screen.paint(type_keys(review, "f"), {})
    second = file.getvalue().split("\x1b[H")[2]
    assert CLEAR not in second
    assert second.endswith("\x1b[K\x1b[J")


def test_a_screen_is_drawn_again_after_others_wrote_on_it() -> None:
    """A shell did, between Ctrl-Z and fg."""
    console, file = make_terminal()
    screen = Screen(console, fresh=True)
    review = start_review(make_waiting(1))
    screen.paint(review, {})
    screen.forget()
    screen.paint(review, {})
    assert file.getvalue().count(CLEAR) == 2
