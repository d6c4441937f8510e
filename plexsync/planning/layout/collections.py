"""Which collections a library should have, and which items are in each: made of all linked scenes.

What is not known of a scene changes nothing: the item of one that failed, or takes no part, stays
where it is. Source: docs/design.md, "Absent is not empty".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from plexsync.models import (
    RELATED_KINDS,
    CollectionKind,
    CollectionSource,
    CollectionWish,
    ItemKind,
    RatingKey,
    RelatedId,
    id_order,
)
from plexsync.planning.relations import name_in, parent_in
from plexsync.text.normalize import fold_tag, strip_control, tag_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plexsync.text.templates import Template

NAME = "name"
KIND = "kind"
TITLE_WORDS = (NAME, KIND)
"""What may stand in braces in the title of a collection."""

_ORGANIZED = "o"
_STAR = 20
_MOST_ABOVE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionRules:
    """What collections are made from.

    Args:
        kinds: those that are on.
        parents: a scene is in the collections of the studios above its own as well.
        tags: the names of the tags that have one, folded.
        title: what a title is made of.
        sort_title: what a sort title is made of; None for none.
    """

    kinds: frozenset[CollectionKind]
    parents: bool
    tags: frozenset[str]
    title: Template
    sort_title: Template | None


class Placing(NamedTuple):
    """A linked scene, as far as collections depend on it.

    Attributes:
        related: the objects it shows, as its record keeps them.
        marks: see `marks_of`; "" where nothing is known.
        items: the library, kind and rating key of each of its items.
    """

    related: str
    marks: str
    items: tuple[tuple[str, ItemKind, RatingKey], ...]


class WishedCollections(NamedTuple):
    """What all scenes together come to.

    Attributes:
        wishes: the collections that have members.
        placed: the items of each library whose scenes are known: in no other collection than those.
        clashes: the collections left out because another one of the library has their title.
        untitled: those left out because nothing is left of their title.
    """

    wishes: tuple[CollectionWish, ...]
    placed: Mapping[str, frozenset[RatingKey]]
    clashes: tuple[CollectionWish, ...]
    untitled: tuple[CollectionWish, ...]


def marks_of(rating100: int | None, *, organized: bool) -> str:
    """Return what a scene's record keeps of its rating and state, never ""."""
    return f"{'' if rating100 is None else rating100}{_ORGANIZED if organized else '-'}"


def wished_collections(
    rules: CollectionRules, names: Mapping[RelatedId, str], placings: Iterable[Placing]
) -> WishedCollections:
    """Return the collections that `placings` come to.

    Args:
        rules: what collections are made from.
        names: the dictionary of what Stash has; see `relations`.
        placings: the linked scenes of which all is known.
    """
    members: defaultdict[tuple[str, CollectionSource], dict[RatingKey, ItemKind]] = defaultdict(
        dict
    )
    placed: defaultdict[str, set[RatingKey]] = defaultdict(set)
    sources = _Sources(rules, names)
    for placing in placings:
        found = sources.of(placing)
        for section_id, kind, rating_key in placing.items:
            placed[section_id].add(rating_key)
            for source in found:
                members[section_id, source][rating_key] = kind
    wishes: list[CollectionWish] = []
    clashes: list[CollectionWish] = []
    untitled: list[CollectionWish] = []
    titles: set[tuple[str, str]] = set()
    for section_id, source in sorted(members, key=_order):
        wish = sources.wish(section_id, source, members[section_id, source])
        title = section_id, tag_key(wish.title)
        if not wish.title:
            untitled.append(wish)
            continue
        (clashes if title in titles else wishes).append(wish)
        titles.add(title)
    kept = {section_id: frozenset(keys) for section_id, keys in placed.items()}
    return WishedCollections(tuple(wishes), kept, tuple(clashes), tuple(untitled))


class _Sources:
    """What scenes are in, by what they show; each combination is worked out once."""

    def __init__(self, rules: CollectionRules, names: Mapping[RelatedId, str]) -> None:
        self._rules = rules
        self._names = names
        self._known: dict[str, frozenset[CollectionSource]] = {}
        self._tags = frozenset(
            one
            for one, text in names.items()
            if one.startswith("t") and fold_tag(name_in(text)) in rules.tags
        )

    def of(self, placing: Placing) -> frozenset[CollectionSource]:
        """Return what a scene's items are in the collections of."""
        shown = self._known.get(placing.related)
        if shown is None:
            shown = frozenset(self._shown(placing.related))
            self._known[placing.related] = shown
        return shown.union(self._marked(placing.marks))

    def wish(
        self, section_id: str, source: CollectionSource, members: Mapping[RatingKey, ItemKind]
    ) -> CollectionWish:
        """Return the collection of a source in one library."""
        name = self._name(source)
        words = {NAME: name, KIND: source.kind.value}
        sort_title = self._rules.sort_title
        keys = sorted(members, key=id_order)
        return CollectionWish(
            source=source,
            section_id=section_id,
            kind=members[keys[0]],
            name=name,
            title=self._rules.title.fill(words.__getitem__, whole=True).strip(),
            sort_title=sort_title.fill(words.__getitem__, whole=True).strip() if sort_title else "",
            members=tuple(keys),
        )

    def _shown(self, related: str) -> Iterator[CollectionSource]:
        """Yield the objects a scene shows that have a collection."""
        kinds = self._rules.kinds
        for word in related.split():
            one, kind = RelatedId(word), RELATED_KINDS.get(word[:1])
            if kind is None or kind not in kinds or one not in self._names:
                continue
            if kind is CollectionKind.TAG and one not in self._tags:
                continue
            yield CollectionSource(kind=kind, number=word[1:])
            if kind is CollectionKind.STUDIO and self._rules.parents:
                yield from self._above(one)

    def _above(self, studio: RelatedId) -> Iterator[CollectionSource]:
        """Yield the studios above one; a circle ends."""
        seen = {studio}
        for _ in range(_MOST_ABOVE):
            studio = RelatedId(f"s{parent_in(self._names.get(studio, ''))}")
            if studio in seen or studio not in self._names:
                return
            seen.add(studio)
            yield CollectionSource(kind=CollectionKind.STUDIO, number=studio[1:])

    def _marked(self, marks: str) -> Iterator[CollectionSource]:
        kinds = self._rules.kinds
        rating, state = marks[:-1], marks[-1:]
        if CollectionKind.ORGANIZED in kinds and state == _ORGANIZED:
            yield CollectionSource(kind=CollectionKind.ORGANIZED)
        if CollectionKind.RATING in kinds and rating:
            stars = max(1, min(5, (int(rating) + _STAR // 2) // _STAR))
            yield CollectionSource(kind=CollectionKind.RATING, number=str(stars))

    def _name(self, source: CollectionSource) -> str:
        """Return what a person calls the source."""
        if source.kind is CollectionKind.ORGANIZED:
            return "Organized"
        if source.kind is CollectionKind.RATING:
            return f"{source.number} {'star' if source.number == '1' else 'stars'}"
        related = source.related
        return strip_control(name_in(self._names[related])) if related else ""


def _order(place: tuple[str, CollectionSource]) -> tuple[object, ...]:
    section_id, source = place
    return id_order(section_id), list(CollectionKind).index(source.kind), id_order(source.number)
