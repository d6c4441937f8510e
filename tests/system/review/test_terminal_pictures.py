"""Covers beside the facts, on terminals that show pictures."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from plexsync.errors import ExitCode
from plexsync.review.terminal.pictures import make_small
from tests.support.review_world import TWINS, low_world
from tests.support.typing_terminals import Person

if TYPE_CHECKING:
    from pathlib import Path

SIXEL = ("foot", "\x1b[?62;4c")
KITTY = ("xterm-kitty", "\x1b[?62c\x1b_Gi=1;OK\x1b\\")
_OUT = io.BytesIO()
Image.linear_gradient("L").resize((1920, 1080)).save(_OUT, "PNG")
PNG = _OUT.getvalue()
_OUT = io.BytesIO()
Image.new("RGB", (8, 8)).save(_OUT, "BMP")
BMP = _OUT.getvalue()
PLACEHOLDER = "\U0010eeee"


def drawn(person: Person, terminal: tuple[str, str]) -> int:
    """How many pictures were drawn by now."""
    if terminal is SIXEL:
        return sum(one.startswith("\x1bP") for one in person.pictures)
    return sum("a=p" in one for one in person.pictures)


def until_drawn(person: Person, terminal: tuple[str, str], count: int) -> None:
    """Wait until so many pictures were drawn in all."""
    while drawn(person, terminal) < count:
        assert person.process.poll() is None, person.seen[-2000:]
        person.reads(1.0)


@pytest.mark.parametrize("terminal", [SIXEL, KITTY], ids=["sixel", "kitty"])
def test_cover_and_poster_stand_beside_the_facts(tmp_path: Path, terminal: tuple[str, str]) -> None:
    """Help takes them away, going back shows them again, and the next pair has its own."""
    with low_world(tmp_path, TWINS) as world:
        world.run()
        environ = {**world.environ(), "TERM": terminal[0]}
        with Person(["review"], environ, width=140, answers=terminal[1]) as person:
            until_drawn(person, terminal, 2)
            shown = person.screen("Review 1 of").splitlines()
            facts = next(line for line in shown if re.search("Stash +Plex", line))
            assert (PLACEHOLDER in facts[82:]) is (terminal is KITTY)
            person.types("?")
            assert PLACEHOLDER not in person.screen("goes back")
            for key in "xl":
                before = drawn(person, terminal)
                person.types(key)
                until_drawn(person, terminal, before + 2)
            person.screen("Review 2 of")
            person.types("qk")
            assert person.ends() == ExitCode.OK
            assert person.terminal_is_as_before()


def test_nothing_is_drawn_where_nobody_wants_it(tmp_path: Path) -> None:
    """By the option; and a terminal of a kind that shows none is not even asked."""
    with low_world(tmp_path, TWINS) as world:
        world.run()
        for option, term in (("--no-pictures", "foot"), ("--no-color", "xterm")):
            with Person(["review", option], {**world.environ(), "TERM": term}, width=140) as person:
                shown = person.screen("Accepting would change")
                assert re.search(r"path +/", shown)
                person.types("qk")
                assert person.ends() == ExitCode.OK
            assert person.pictures == []
            assert "\x1b[c" not in person.seen


@pytest.mark.parametrize(
    "body",
    [b"", b"<svg><script/></svg>", b"<html>", PNG[:40], b"\xff\xd8\xff" + b"x" * 99, BMP],
    ids=["empty", "drawing", "page", "torn", "no JPEG", "another kind"],
)
def test_what_is_no_picture_is_not_drawn(body: bytes) -> None:
    """A drawing, a page and a torn file come to no terminal."""
    assert make_small(body) is None


def test_a_picture_becomes_small() -> None:
    """Whatever its size; a terminal shows few points."""
    small = make_small(PNG)
    assert small is not None
    assert len(small) < len(PNG)
