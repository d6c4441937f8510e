"""What thousands of waiting scenes cost a person: nothing that can be felt."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks.review import ReviewProcess, make_home, make_waiting
from plexsync.review.keys import press
from plexsync.review.shown import wanted_previews
from plexsync.review.terminal.application import screen_text
from tests.support.review_factories import start_review

if TYPE_CHECKING:
    from pathlib import Path

MANY, FEW = 5_000, 50


def first_screen_s(directory: Path, waiting: int) -> float:
    """CPU seconds of a process from its start to the end of its first screen."""
    directory.mkdir()
    review = ReviewProcess(make_home(directory, waiting, waiting))
    review.waits_for(b"Review 1 of")
    spent_s = review.cpu_s()
    review.types(b"q")
    review.ends()
    return spent_s


def test_the_first_screen_of_thousands_comes_like_that_of_a_few(tmp_path: Path) -> None:
    """A hundred times as many cost less than half a second; starting Python is most of the rest."""
    many_s = min(first_screen_s(tmp_path / name, MANY) for name in ("many", "again"))
    few_s = first_screen_s(tmp_path / "few", FEW)
    assert many_s - few_s < 0.5


def test_no_screen_costs_what_the_queue_costs() -> None:
    """Of thousands each next one is drawn in a fraction of what an eye notices."""
    review = start_review(*map(make_waiting, range(1, MANY + 1)))
    console = Console(file=io.StringIO(), width=100, height=40, force_terminal=True)
    screen_text(review, console, {})
    start = time.process_time()
    for _ in range(100):
        press(review, "right")
        wanted_previews(review)
        screen_text(review, console, {})
    assert (time.process_time() - start) / 100 < 0.02


def test_what_comes_next_is_asked_for_ahead() -> None:
    """The candidate in focus first, then the best ones of the next scenes."""
    review = start_review(*map(make_waiting, range(1, MANY + 1)))
    wanted = wanted_previews(review)
    assert wanted[0] == ("1", (review.candidate.rating_key,) if review.candidate else ())
    assert [scene_id for scene_id, _ in wanted] == ["1", "1", "2", "3", "4"]
