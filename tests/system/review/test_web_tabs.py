"""Two tabs of `review --web`, one of them with an old page, through real HTTP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import requests

from plexsync.matcher import collect_answers
from tests.support.browser import ServedReview, served_review
from tests.support.review_world import TWINS, low_world, review_order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import World


class Tabs:
    """The tabs of one browser.

    Args:
        served: the review.
    """

    def __init__(self, served: ServedReview) -> None:
        self._root = served.root
        self._session = requests.Session()
        self._session.get(served.address, timeout=30)

    def look(self, path: str) -> str:
        """A page."""
        return self._session.get(self._root + path, timeout=30).text

    def send(self, path: str, page: str, **fields: str | list[str]) -> str:
        """Send the hidden fields of a page, some of them changed; gives the next page."""
        hidden: dict[str, str | list[str]] = {}
        for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page):
            hidden[name] = [*hidden.get(name, []), value]
        sent = hidden | fields
        headers = {"Origin": self._root}
        return self._session.post(self._root + path, data=sent, headers=headers, timeout=30).text


@pytest.fixture(name="world")
def twins_world(tmp_path: Path) -> Iterator[World]:
    """Twins, after a first run."""
    with low_world(tmp_path, TWINS) as found:
        found.run()
        yield found


def pinned(world: World) -> dict[str, str]:
    """Which item each scene was given."""
    return {pin.scene_id: pin.rating_key for pin in collect_answers(world.state()).pins}


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("answer", ["i", "a", "r", "n"])
def test_an_old_grid_overwrites_no_answer(world: World, place: int, answer: str) -> None:
    """A message says so, and a new grid comes."""
    first = review_order(world)[0].scene_id
    with served_review(world.environ()) as served:
        tabs = Tabs(served)
        grid = tabs.look(f"/group/{first}")
        ids = re.findall(r'name="seen" value="(\d+) ', grid)
        tabs.send("/press", tabs.look(f"/scene/{ids[place]}"), key=answer, text="")
        before = collect_answers(world.state())
        page = tabs.send("/group", grid, key="n" if answer == "a" else "a", **{"in": ids})
        assert "answered elsewhere" in page
    assert collect_answers(world.state()) == before


def test_a_yes_on_an_old_page_takes_nothing_from_a_third_scene(world: World) -> None:
    """The item went to that one meanwhile, so another question comes."""
    one, two, three = (found.scene_id for found in review_order(world)[:3])
    with served_review(world.environ()) as served:
        tabs = Tabs(served)
        page = tabs.look(f"/scene/{one}")
        (item,) = set(re.findall(r'name="item" value="(\d+)"', page))
        tabs.send("/press", page, key="a")
        asked = tabs.send("/press", tabs.look(f"/scene/{two}?item={item}"), key="a")
        named = tabs.send("/add", tabs.look(f"/scene/{three}"), text=item)
        again = tabs.send("/press", named, key="a")
        assert f"scene {one}" in asked
        tabs.send("/press", again, key="a")
        assert pinned(world) == {three: item}
        page = tabs.send("/press", asked, key="a")
        assert f"scene {three}" in page
        assert pinned(world) == {three: item}


def test_a_path_rule_is_offered_where_it_makes_both_paths_one(world: World) -> None:
    """The first twin stands where the configured rule says; the other one elsewhere."""
    one = review_order(world)[0]
    with served_review(world.environ()) as served:
        tabs = Tabs(served)
        right, other = (
            tabs.look(f"/scene/{one.scene_id}?item={candidate.rating_key}")
            for candidate in one.candidates[:2]
        )
        assert 'data-key="p"' not in right
        assert 'data-key="p"' in other
        assert "Add this path rule?" in tabs.send("/press", other, key="p")


def test_two_reviews_in_one_browser_do_not_shut_each_other_out(world: World) -> None:
    """A browser sends what one port gave it to all of them, and a key works once."""
    browser = requests.Session()
    with served_review(world.environ()) as one, served_review(world.environ()) as other:
        for served in (one, other):
            browser.get(served.address, timeout=30)
        for served in (one, other):
            assert browser.get(f"{served.root}/end", timeout=30).status_code == 200
