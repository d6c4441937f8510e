"""The collections a library should have, by examples."""

from __future__ import annotations

import pytest

from plexsync.models import CollectionKind, ItemKind, RatingKey, RelatedId
from plexsync.planning.layout import (
    CollectionRules,
    Placing,
    WishedCollections,
    marks_of,
    wished_collections,
)
from plexsync.planning.relations import nested_text
from plexsync.text.templates import parse_template

NAMES = {
    RelatedId("s1"): "Mother",
    RelatedId("s2"): nested_text("Daughter", "1"),
    RelatedId("s3"): nested_text("Son\x1f2", "1"),
    RelatedId("p1"): "mother",
    RelatedId("t1"): "Lake",
    RelatedId("t2"): "Sea",
}


def wished(
    *placings: Placing,
    kinds: tuple[CollectionKind, ...] = tuple(CollectionKind),
    title: str = "{name}",
    sort_title: str = "",
) -> WishedCollections:
    """What these scenes come to, with the studios above and the tag Lake."""
    words = ("name", "kind")
    rules = CollectionRules(
        kinds=frozenset(kinds),
        parents=True,
        tags=frozenset({"lake"}),
        title=parse_template(title, words),
        sort_title=parse_template(sort_title, words) if sort_title else None,
    )
    return wished_collections(rules, NAMES, placings)


def placing(related: str, *keys: str, marks: str = "") -> Placing:
    """A scene in library 1."""
    return Placing(related, marks, tuple(("1", ItemKind.MOVIE, RatingKey(key)) for key in keys))


def members(found: WishedCollections) -> dict[str, tuple[str, ...]]:
    """Titles and members."""
    return {one.title: one.members for one in found.wishes}


def test_a_scene_is_in_the_collections_of_all_it_shows() -> None:
    """Its studio, those above, and the chosen tags; keys are sorted as numbers."""
    found = wished(placing("s2 t1 t2", "10", "9"), placing("s1", "11"))

    assert members(found) == {
        "Mother": ("9", "10", "11"),
        "Daughter": ("9", "10"),
        "Lake": ("9", "10"),
    }
    assert found.placed == {"1": {"9", "10", "11"}}


def test_a_studio_is_below_another_whatever_is_in_its_name() -> None:
    """Also what stands between a name and the id of the studio above; the name stays whole."""
    assert members(wished(placing("s3", "1"))) == {"Mother": ("1",), "Son2": ("1",)}


def test_one_title_is_one_collection() -> None:
    """A studio comes before a performer of its name; the items of the two are not mixed."""
    found = wished(placing("s1", "1"), placing("p1", "2"))

    assert members(found) == {"Mother": ("1",)}
    assert [one.source.text for one in found.clashes] == ["performer:1"]
    assert members(wished(placing("s1", "1"), placing("p1", "2"), title="{kind} {name}")) == {
        "studio Mother": ("1",),
        "performer mother": ("2",),
    }


@pytest.mark.parametrize(
    ("rating", "stars"),
    [(0, "1 star"), (29, "1 star"), (30, "2 stars"), (90, "5 stars"), (100, "5 stars")],
)
def test_a_rating_is_rounded_to_whole_stars(rating: int, stars: str) -> None:
    """Half a star counts as a whole one, and none as one."""
    assert members(wished(placing("", "1", marks=marks_of(rating, organized=False)))) == {
        stars: ("1",)
    }


def test_marks_of_which_nothing_is_known_say_nothing() -> None:
    """An old record has none."""
    assert members(wished(placing("", "1"))) == {}
    assert members(wished(placing("", "1", marks=marks_of(None, organized=True)))) == {
        "Organized": ("1",)
    }


def test_a_sort_title_is_made_of_the_same_words() -> None:
    """A title that comes out empty makes no collection."""
    (lake,) = wished(placing("t1", "1"), sort_title="{kind} {name}").wishes

    assert (lake.title, lake.sort_title, lake.key) == ("Lake", "tag Lake", "1.tag:1")
