"""The next page is on its way while the last one is worked on; never more than one."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from plexsync.transport.client import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG_S = 60.0
"""Only a broken program waits that long."""


class Pages:
    """Three pages of a server, the last of which may fail.

    Attributes:
        begun: how many were asked for.
        running: how many are under way.
        asked: set when the page of that number is asked for.
        release: the second page comes when this is set.
    """

    def __init__(self, *, fail: bool = False) -> None:
        self.begun = self.running = 0
        self.asked = [Event() for _ in range(3)]
        self.release = Event()
        self._fail = fail

    def walk(self) -> Iterator[int]:
        """Yield the pages."""
        for number in range(3):
            self.begun += 1
            self.running += 1
            self.asked[number].set()
            if number == 1:
                assert self.release.wait(_LONG_S)
            self.running -= 1
            if self._fail and number == 2:
                raise ValueError("the last page is damaged")
            yield number


def test_the_next_page_is_asked_for_while_one_is_worked_on() -> None:
    """But not the one after it, and all come in order."""
    pages = Pages()
    walk = read_ahead(pages.walk())
    assert next(walk) == 0
    assert pages.asked[1].wait(_LONG_S)
    assert pages.begun == 2
    pages.release.set()
    assert list(walk) == [1, 2]
    assert pages.running == 0


def test_a_failure_comes_where_its_page_is_asked_for() -> None:
    """Whatever came before it is handed over first."""
    pages = Pages(fail=True)
    pages.release.set()
    walk = read_ahead(pages.walk())
    assert [next(walk), next(walk)] == [0, 1]
    with pytest.raises(ValueError, match="damaged"):
        next(walk)
    assert list(walk) == []


def test_nothing_is_under_way_when_a_walk_is_given_up() -> None:
    """Who leaves in the middle waits for the page that is on its way, and asks for no other."""
    pages = Pages()
    walk = read_ahead(pages.walk())
    next(walk)
    assert pages.asked[1].wait(_LONG_S)
    pages.release.set()
    walk.close()  # type: ignore[attr-defined]  # it is a generator
    assert (pages.running, pages.begun) == (0, 2)
