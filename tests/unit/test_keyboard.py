"""What bytes of a terminal mean as keys."""

from __future__ import annotations

import pytest

from plexsync.keyboard import keys_of_line, split_keys


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
        ("\x1b[1;5Aa", ["a"]),
        ("\x1b[200~x", ["x"]),
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
    ],
)
def test_keys_of_a_line(line: str, *, typing: bool, keys: list[str]) -> None:
    """One letter is a key; a longer word means nothing, unless a text is asked for."""
    assert keys_of_line(line, typing=typing) == keys
