"""Which items a collection should have, for every small library: what the scenes say, one by one.

The oracle asks each scene by itself whether it belongs to a collection, without any table.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plexsync.models import CollectionKind, CollectionSource, ItemKind, RatingKey, RelatedId
from plexsync.planning.layout import (
    CollectionRules,
    Placing,
    marks_of,
    wished_collections,
)
from plexsync.planning.relations import ABOVE, join_related, nested_text
from plexsync.text.templates import parse_template

STUDIOS = {"1": "", "2": "1", "3": "2", "4": "5", "5": "4"}
"""Each studio and the one above it; 4 and 5 are above each other."""

NAMES = {RelatedId(f"s{number}"): nested_text(f"S{number}", up) for number, up in STUDIOS.items()}
NAMES |= {RelatedId(one): one.upper() for one in ("g1", "p1", "p2", "t1", "t2")}

_objects = [*NAMES, RelatedId("s9"), RelatedId("t9")]
_studios = [one for one in _objects if one.startswith("s")]
_related = st.builds(
    lambda studio, others, over: join_related({*studio, *others}, {*over} - {*studio, *others}),
    st.sets(st.sampled_from(_studios), max_size=1),
    st.sets(st.sampled_from([one for one in _objects if one not in _studios]), max_size=3),
    st.sets(st.sampled_from(_objects), max_size=2),
)
_marks = st.builds(marks_of, st.none() | st.integers(0, 100), organized=st.booleans())
_items = st.sets(
    st.tuples(st.sampled_from("12"), st.integers(1, 9).map(str).map(RatingKey)), max_size=3
)
_placings = st.lists(
    st.builds(
        lambda related, marks, items: Placing(
            related, marks, tuple((section, ItemKind.MOVIE, key) for section, key in items)
        ),
        _related,
        _marks | st.just(""),
        _items,
    ),
    max_size=6,
)
_rules = st.builds(
    lambda kinds, parents: CollectionRules(
        kinds=frozenset(kinds),
        parents=parents,
        tags=frozenset({"t1"}),
        title=parse_template("{kind} {name}", ("kind", "name")),
        sort_title=None,
    ),
    st.sets(st.sampled_from(CollectionKind)),
    st.booleans(),
)


def belongs(rules: CollectionRules, one: Placing, source: CollectionSource) -> bool:
    """Whether a scene says that its items are in a collection."""
    shown = one.related.partition(ABOVE)[0].split()
    if source.kind not in rules.kinds:
        return False
    if source.kind is CollectionKind.ORGANIZED:
        return one.marks.endswith("o") and not source.number
    if source.kind is CollectionKind.RATING:
        rating = one.marks[:-1]
        return bool(rating) and source.number == str(max(1, (int(rating) + 10) // 20))
    chosen = source.kind is not CollectionKind.TAG or source.number == "1"
    if source.related in shown:
        return chosen
    climbs = source.kind is CollectionKind.STUDIO and rules.parents
    return climbs and any(source.number in ways_up(word[1:]) for word in shown if word[0] == "s")


def ways_up(studio: str) -> list[str]:
    """The studios above one."""
    found: list[str] = []
    while (studio := STUDIOS.get(studio, "")) and studio not in found:
        found.append(studio)
    return found


@given(_rules, _placings)
def test_every_collection_holds_just_the_items_of_scenes_that_say_so(
    rules: CollectionRules, placings: list[Placing]
) -> None:
    """None is forgotten, none is in it for another scene's sake, and none is there in vain."""
    found = wished_collections(rules, NAMES, placings)

    wishes = {(one.section_id, one.source): set(one.members) for one in found.wishes}
    numbers = {*STUDIOS, "", "1", "2", "3", "4", "5", "9"}
    expected = {}
    for kind in CollectionKind:
        for number in numbers:
            source = CollectionSource(kind=kind, number=number)
            for section in "12":
                keys = {
                    key
                    for one in placings
                    if (source.related is None or source.related in NAMES)
                    and belongs(rules, one, source)
                    for place, _, key in one.items
                    if place == section
                }
                if keys:
                    expected[section, source] = keys
    assert wishes == expected
    assert found.clashes == ()


@given(_rules, _placings, st.randoms(use_true_random=False))
def test_the_order_of_scenes_does_not_matter(
    rules: CollectionRules,
    placings: list[Placing],
    chance: object,
) -> None:
    """The same collections come of the same scenes, members and all, in the same order."""
    before = wished_collections(rules, NAMES, placings)
    chance.shuffle(placings)  # type: ignore[attr-defined] # hypothesis has no type for it
    assert wished_collections(rules, NAMES, placings) == before
