"""The list of Plex's items, held as bytes."""

from __future__ import annotations

import pytest

from plexsync.models import RatingKey
from plexsync.plex.index import Packed
from tests.support.factories import make_item


def test_packed_items_are_the_items_they_were_made_of() -> None:
    """In number, order, by their places, and in parts; however often they are asked for."""
    items = tuple(make_item(rating_key=RatingKey(str(number))) for number in range(5))
    packed = Packed(iter(items))
    for _ in range(2):
        assert len(packed) == 5
        assert tuple(packed) == items
        assert tuple(reversed(packed)) == items[::-1]
        assert [packed[at] for at in range(-5, 5)] == [items[at] for at in range(-5, 5)]
    for part in (slice(1, 3), slice(None, None, -2), slice(4, 9), slice(0, 0)):
        assert tuple(packed[part]) == items[part]
    assert items[3] in packed
    assert packed.index(items[3]) == 3
    with pytest.raises(IndexError):
        packed[5]
