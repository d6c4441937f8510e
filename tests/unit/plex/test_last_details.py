"""Items that were read a moment ago are known again by what Plex sends of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plexsync.errors import BadResponseError
from plexsync.models import PlexField
from plexsync.plex.last_details import LastDetails


def answer(*entries: dict[str, Any], size: int | None = None) -> bytes:
    """What Plex sends of some items."""
    count = len(entries) if size is None else size
    return json.dumps({"MediaContainer": {"size": count, "Metadata": entries}}).encode()


def movie(key: int, **more: object) -> dict[str, Any]:
    """One item."""
    return {"ratingKey": str(key), "type": "movie", "title": f"No {key}", **more}


def test_an_item_that_stayed_is_the_same_object_and_one_that_moved_is_not() -> None:
    """In whatever order and company they come again."""
    last = LastDetails()
    one, two, three = last.decode(answer(movie(1), movie(2), movie(3)))

    third, first, second = last.decode_again(answer(movie(3), movie(1), movie(2, title="New")))

    assert first is one
    assert third is three
    assert second != two
    assert second.values[PlexField.TITLE] == "New"


def test_an_item_is_known_while_others_are_read_one_by_one() -> None:
    """Looking at single items in between lets go of no answer about many."""
    last = LastDetails()
    one, _ = last.decode(answer(movie(1), movie(2)))
    for key in range(3, 30):
        last.decode(answer(movie(key)))

    assert last.decode_again(answer(movie(1))) == (one,)
    assert last.decode_again(answer(movie(1)))[0] is one


def test_an_answer_that_was_cut_short_is_refused_even_where_its_items_are_known() -> None:
    """What it says of the items it has is no reason to believe that these are all."""
    last = LastDetails()
    last.decode(answer(movie(1), movie(2)))

    with pytest.raises(BadResponseError, match="announces 2"):
        last.decode_again(answer(movie(1), size=2))
