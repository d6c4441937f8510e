"""Many nouns of one kind, held as bytes."""

from __future__ import annotations

import pytest

from plexsync.models import Packed, PlexItem, RatingKey, pick
from tests.support.factories import make_item


@pytest.mark.parametrize("many", [5, 255, 256, 257, 600])
def test_packed_nouns_are_the_nouns_they_were_made_of(many: int) -> None:
    """In number, order, by their places, and in parts; however often they are asked for."""
    items = tuple(make_item(rating_key=RatingKey(str(number))) for number in range(many))
    packed = Packed(PlexItem, iter(items))
    for _ in range(2):
        assert len(packed) == many
        assert tuple(packed) == items
        assert tuple(reversed(packed)) == items[::-1]
        assert [packed[at] for at in range(-many, many)] == [*items, *items]
    for part in (slice(1, 3), slice(None, None, -2), slice(4, 9), slice(0, 0)):
        assert tuple(packed[part]) == items[part]
    assert items[3] in packed
    assert packed.index(items[3]) == 3
    with pytest.raises(IndexError):
        packed[many]


def test_some_of_packed_nouns_are_picked_by_their_places() -> None:
    """In the order of the places, like those of any sequence; what is added later is in neither."""
    items = tuple(make_item(rating_key=RatingKey(str(number))) for number in range(300))
    packed = Packed(PlexItem, items)
    places = [299, 0, 0, 255, 256]
    picked = packed.pick(iter(places))
    packed.append(items[1])
    assert list(picked) == pick(items, places) == [items[at] for at in places]
    assert list(pick(packed, places)) == [items[at] for at in places]
    assert list(picked.pick([3, 1])) == [items[255], items[0]]
    assert tuple(packed) == (*items, items[1])
