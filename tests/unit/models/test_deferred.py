"""Values that are made when they are asked for."""

from __future__ import annotations

import pytest

from plexsync.models import Deferred


class _Texts(Deferred[str]):
    def make(self, number: int) -> str:
        return f"made of {number}"


def test_deferred_values_are_like_those_of_any_sequence() -> None:
    """In number, order, by their places and in parts, whether they are there or not."""
    texts = _Texts(["there", 7, "also", 0])
    values = ["there", "made of 7", "also", "made of 0"]
    assert list(texts) == values
    assert len(texts) == 4
    assert [texts[at] for at in range(-4, 4)] == [*values, *values]
    assert texts[1:3] == values[1:3]
    assert texts == values
    assert texts != values[:3]
    assert texts == _Texts(values)
    assert (list(texts.made()), list(texts.numbers())) == (["there", "also"], [7, 0])
    with pytest.raises(IndexError):
        texts[4]
