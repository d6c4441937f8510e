"""What thousands of waiting scenes cost a person: nothing that can be felt."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks.review import make_home, make_waiting
from plexsync.output.console import Invocation
from plexsync.output.streams import Shape
from plexsync.review.context import open_review
from plexsync.review.keys import press
from plexsync.review.shown import wanted_previews
from plexsync.review.terminal.application import as_text, fitted_rows
from tests.support.effort import calls_of
from tests.support.review_factories import start_review

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from plexsync.review.machine import Review

MANY, FEW = 5_000, 50


MOST_PER_SCENE = 150
"""Calls from the start of a review to its first screen, for each scene that waits.

Measured 78, and 25 microseconds. Half a second for 5,000 scenes is felt.
"""

MOST_PER_KEY = 50_000
"""Calls for a key and the screen it brings, with 5,000 scenes waiting.

Measured 22,000, and 10 milliseconds.
"""


def show_first_screen(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Open a review and draw what comes first."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with open_review(Invocation(shape=Shape())) as context:
        assert "Review 1 of" in drawn(context.review(context.waiting), make_screen())


def drawn(review: Review, console: Console) -> str:
    """The screen as it goes to the terminal."""
    return as_text(fitted_rows(review, console), console)


def make_screen() -> Console:
    """A terminal nobody sees."""
    return Console(file=io.StringIO(), width=100, height=40, force_terminal=True)


def test_the_first_screen_of_thousands_comes_like_that_of_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a scene that waits adds to the start is little, counted in calls."""
    (tmp_path / "few").mkdir()
    few, many = make_home(tmp_path / "few", FEW, FEW), make_home(tmp_path, MANY, MANY)
    show_first_screen(few, monkeypatch)

    added = calls_of(lambda: show_first_screen(many, monkeypatch)) - calls_of(
        lambda: show_first_screen(few, monkeypatch)
    )

    assert added / (MANY - FEW) < MOST_PER_SCENE


def test_no_screen_costs_what_the_queue_costs() -> None:
    """Of thousands each next one is drawn in a fraction of what an eye notices."""
    review, console = start_review(*map(make_waiting, range(1, MANY + 1))), make_screen()
    drawn(review, console)

    def next_scenes() -> None:
        for _ in range(20):
            press(review, "right")
            wanted_previews(review)
            drawn(review, console)

    assert calls_of(next_scenes) / 20 < MOST_PER_KEY


def test_what_comes_next_is_asked_for_ahead() -> None:
    """The candidate in focus first, then the best ones of the next scenes."""
    review = start_review(*map(make_waiting, range(1, MANY + 1)))
    wanted = wanted_previews(review)
    assert wanted[0] == ("1", (review.candidate.rating_key,) if review.candidate else ())
    assert [scene_id for scene_id, _ in wanted] == ["1", "1", "2", "3", "4"]
