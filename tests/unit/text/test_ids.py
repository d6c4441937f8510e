"""Ids as numbers and as the addresses plexsync and both servers show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsync.errors import ParseError
from plexsync.models import RatingKey
from plexsync.plex.connection import item_address
from plexsync.text.words import named_rating_key, named_scene_id

IDS = st.integers(1, 10**18).map(str)


@given(IDS, st.sampled_from(["", "/", "?t=3", "#a", "/edit"]))
def test_a_scene_is_named_by_its_number_or_its_page(number: str, rest: str) -> None:
    """As Stash's own address bar has it."""
    assert named_scene_id(f" {number} ") == number
    assert named_scene_id(f"https://stash.lan/sub/scenes/{number}{rest}") == number


@given(IDS)
def test_an_item_is_named_by_its_key_or_the_address_plexsync_prints(number: str) -> None:
    """And by what Plex's own pages and its programming interface have."""
    assert named_rating_key(number) == number
    address = item_address("http://plex:32400", "abc", RatingKey(number))
    assert named_rating_key(address) == number
    assert named_rating_key(f"http://plex/library/metadata/{number}?X=1") == number


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "abc", "12 13", "http://x/scenes/", "http://x/images/4", "\u0661"]
)
def test_what_is_neither_is_refused(text: str) -> None:
    """With what would do."""
    with pytest.raises(ParseError) as caught:
        named_scene_id(text)
    assert "address" in caught.value.hint


def test_pages_of_one_server_are_no_ids_of_the_other() -> None:
    """A scene's number is no rating key."""
    with pytest.raises(ParseError):
        named_rating_key("http://stash/scenes/42")
    with pytest.raises(ParseError):
        named_scene_id("http://plex/library/metadata/42")
