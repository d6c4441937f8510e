"""What bytes of a terminal mean as keys."""

from __future__ import annotations

import os
import pty
import termios
import threading
from typing import TYPE_CHECKING

import pytest

from plexsync.review.terminal.keyboard import Keyboard, SingleKeys, keys_of_line, split_keys

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pair() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: a person's, and the program's."""
    person, program = pty.openpty()
    yield person, program
    os.close(person)
    os.close(program)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a", ["a"]),
        ("an", ["a", "n"]),
        ("é日", ["é", "日"]),
        ("\r", ["enter"]),
        ("\x7f", ["backspace"]),
        ("\x1b", ["escape"]),
        ("\x1b[D\x1b[C\x1bOD", ["left", "right", "left"]),
        ("\x1b[A\x1bOB", ["up", "down"]),
        ("\x1b[15~a", ["a"]),
        ("a\x1b[200~an\rq\x1b[201~n", ["a", "paste:an\rq", "n"]),
        ("\x1b[200~x", ["paste:x"]),
        ("\x00\x01\ta", ["a"]),
        ("a\x04n", ["a"]),
        ("\x04", None),
    ],
    ids=repr,
)
def test_keys_of_a_terminal(text: str, keys: list[str] | None) -> None:
    """Characters are themselves, some keys have names, the rest is nothing; Ctrl-D ends."""
    assert split_keys(text) == keys


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


def test_a_key_that_comes_in_pieces_is_one_key(pair: tuple[int, int]) -> None:
    """A slow line tears an arrow apart; it is not Escape and two letters."""
    person, program = pair
    bell, ring = os.pipe()
    with SingleKeys(program):
        os.write(person, b"\x1b")
        timer = threading.Timer(0.01, os.write, (person, b"[D"))
        timer.start()
        assert Keyboard(program, bell).read(5.0) == ["left"]
        timer.join()
        os.write(person, b"\x1b")
        assert Keyboard(program, bell).read(5.0) == ["escape"]
    os.close(bell)
    os.close(ring)


def test_a_paste_that_comes_in_pieces_is_one_key(pair: tuple[int, int]) -> None:
    """However long it is, none of its letters is pressed."""
    person, program = pair
    bell, ring = os.pipe()
    with SingleKeys(program):
        os.write(person, b"\x1b[200~http://plex/")
        timer = threading.Timer(0.05, os.write, (person, b"a/9120\x1b[201~"))
        timer.start()
        assert Keyboard(program, bell).read(5.0) == ["paste:http://plex/a/9120"]
        timer.join()
    os.close(bell)
    os.close(ring)


def test_a_terminal_is_put_back_as_it_was(pair: tuple[int, int]) -> None:
    """In a pause as at the end, and taken again after the pause."""
    _, program = pair
    before = termios.tcgetattr(program)
    with SingleKeys(program) as keys:
        held = termios.tcgetattr(program)
        assert (keys.held, held == before) == (True, False)
        keys.let_go()
        assert termios.tcgetattr(program) == before
        keys.hold()
        assert termios.tcgetattr(program) == held
    assert termios.tcgetattr(program) == before


def test_what_is_no_terminal_gives_no_single_keys() -> None:
    """Nor does trying to change it."""
    hear, ring = os.pipe()
    with SingleKeys(hear) as keys:
        assert not keys.held
    os.close(hear)
    os.close(ring)
