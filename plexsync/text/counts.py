"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number and what it counts: `1 scene`, `3,401 scenes`.

    Args:
        number: how many.
        one: the words for one.
        several: the words for more or none; `one` with an s unless given.
    """
    return f"1 {one}" if number == 1 else f"{number:,} {several or f'{one}s'}"
