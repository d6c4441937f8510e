"""What all linked scenes together ask of a library: its collections, its shows and its seasons.

Which collections there should be, and which items are in each: what is not known of a scene changes
nothing, so the item of one that failed, or takes no part, stays where it is.
Source: docs/design.md, "Absent is not empty".

Which shows and seasons belong to a studio and a year: a show belongs to a studio if all of its
linked episodes do, or all of them to studios right below one. A season belongs to a year if all of
its dated scenes are of that year; whether it is that year's in Plex, its number and title tell.
Everything else is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from plexsync.models import (
    RELATED_KINDS,
    CollectionKind,
    CollectionSource,
    CollectionWish,
    ItemKind,
    RatingKey,
    RelatedId,
    SceneId,
    ShowWish,
    id_order,
)
from plexsync.planning.relations import above, name_in, over_related, own_related, own_studio
from plexsync.text.normalize import fold_tag, strip_control, tag_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plexsync.text.templates import Template

NAME = "name"
KIND = "kind"
TITLE_WORDS = (NAME, KIND)
"""What may stand in braces in the title of a collection."""

STUDIO = "studio"
YEAR = "year"
SHOW_WORDS = (STUDIO,)
"""What may stand in braces in the title of a show."""
SEASON_WORDS = (STUDIO, YEAR)
"""What may stand in braces in the title of a season."""

_MOST_NAMED = 3

_ORGANIZED = "o"
_STAR = 20


class CollectionRules(msgspec.Struct, frozen=True, kw_only=True):
    """What collections are made from.

    Args:
        kinds: those that are on.
        parents: a scene is in the collections of the studios above its own as well.
        tags: the names of the tags that have one, folded.
        title: what a title is made of.
        sort_title: what a sort title is made of; None for none.
        parent_tags: a scene is in the collections of the tags above its own as well.
    """

    kinds: frozenset[CollectionKind]
    parents: bool
    tags: frozenset[str]
    title: Template
    sort_title: Template | None
    parent_tags: bool = False


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
        placed: the items of known scenes in each library: in no other collection than those.
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
        studio = own_studio(related, self._names)
        for one in self._counting(related):
            kind = RELATED_KINDS.get(one[:1])
            if kind is None or kind not in kinds or one not in self._names:
                continue
            if kind is CollectionKind.TAG and one not in self._tags:
                continue
            if kind is CollectionKind.STUDIO and one != studio:
                continue
            yield CollectionSource(kind=kind, number=one[1:])
            if kind is CollectionKind.STUDIO and self._rules.parents:
                yield from self._above(one)

    def _counting(self, related: str) -> Iterator[RelatedId]:
        """Yield the objects of a scene that may have a collection it is in."""
        yield from own_related(related)
        if self._rules.parent_tags:
            yield from (one for one in over_related(related) if one.startswith("t"))

    def _above(self, studio: RelatedId) -> Iterator[CollectionSource]:
        """Yield the studios above one; a circle ends."""
        seen = {studio}
        while up := above(studio, self._names[studio]):
            studio = up[-1]  # what comes before it is of a name with the separator in it
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


# ---- Shows and seasons ---------------------------------------------------------------------------


class ShowRules(msgspec.Struct, frozen=True, kw_only=True):
    """What shows and seasons are called.

    Args:
        show: what the title of a show is made of.
        season: what that of a season is made of.
    """

    show: Template
    season: Template


class EpisodeScene(NamedTuple):
    """A linked scene of one episode.

    Attributes:
        scene_id: the scene.
        section_id: the library of the episode.
        season: the season it is in.
        show: the show that is in.
        related: the objects the scene shows, as its record keeps them.
        year: of its date; "" where it has none.
        known: some attempt came as far as to read what it shows.
    """

    scene_id: SceneId
    section_id: str
    season: RatingKey
    show: RatingKey
    related: str
    year: str
    known: bool


def wished_shows(
    rules: ShowRules, names: Mapping[RelatedId, str], scenes: Iterable[EpisodeScene]
) -> tuple[ShowWish, ...]:
    """Return what each show and season with a linked episode should be; a show before its seasons.

    Args:
        rules: what they are called.
        names: the dictionary of what Stash has; see `relations`.
        scenes: the scenes of linked episodes.
    """
    shows: defaultdict[tuple[str, RatingKey], defaultdict[RatingKey, list[EpisodeScene]]] = (
        defaultdict(lambda: defaultdict(list))
    )
    for scene in scenes:
        shows[scene.section_id, scene.show][scene.season].append(scene)
    layout = _Layout(rules, names)
    wishes: list[ShowWish] = []
    for section_id, key in sorted(shows, key=lambda place: tuple(map(id_order, place))):
        seasons = shows[section_id, key]
        show = ShowWish(kind=ItemKind.SHOW, rating_key=key, section_id=section_id)
        show = layout.show(show, [one for part in seasons.values() for one in part])
        wishes.append(show)
        for rating_key in sorted(seasons, key=id_order):
            season = replace(show, kind=ItemKind.SEASON, rating_key=rating_key, title="")
            wishes.append(layout.season(season, seasons[rating_key]))
    return tuple(wishes)


def is_year_of(year: str, title: str, number: int) -> bool:
    """Return whether a season of this title and number is that of a year."""
    return str(number) == year or title.strip() == year


class _Layout:
    """Finds the studio of shows and the year of seasons."""

    def __init__(self, rules: ShowRules, names: Mapping[RelatedId, str]) -> None:
        self._rules = rules
        self._names = names

    def show(self, show: ShowWish, scenes: Sequence[EpisodeScene]) -> ShowWish:
        """Return a show as its scenes would have it."""
        studio, apart = _studio_of(scenes, self._names)
        if studio is None:
            return replace(show, apart=apart)
        title = self._rules.show.fill({STUDIO: self._name(studio)}.__getitem__, whole=True).strip()
        if not title:
            return replace(show, apart="its studio has no name")
        return replace(show, studio=studio, title=title)

    def season(self, season: ShowWish, scenes: Sequence[EpisodeScene]) -> ShowWish:
        """Return a season, which knows the studio of its show, as its scenes would have it."""
        if season.studio is None:
            return replace(season, apart=f"its show is left alone: {season.apart}")
        years = sorted({one.year for one in scenes if one.year})
        if len(years) != 1:
            why = f"its scenes are of {len(years)} years: {_listed(years)}"
            return replace(
                season, studio=None, apart=why if years else "none of its scenes has a date"
            )
        words = {STUDIO: self._name(season.studio), YEAR: years[0]}
        title = self._rules.season.fill(words.__getitem__, whole=True).strip()
        return replace(season, title=title, year=years[0])

    def _name(self, studio: RelatedId) -> str:
        return strip_control(name_in(self._names[studio])).strip()


def _studio_of(
    scenes: Sequence[EpisodeScene], names: Mapping[RelatedId, str]
) -> tuple[RelatedId | None, str]:
    """Return the one studio scenes are of, or why there is none."""
    if unknown := [one.scene_id for one in scenes if not one.known]:
        return None, f"it waits for scene {min(unknown, key=id_order)}"
    lines: dict[RelatedId, tuple[RelatedId, ...]] = {}
    for scene in scenes:
        own = own_studio(scene.related, names)
        if own is None or own not in names:
            return None, f"scene {scene.scene_id} has no studio"
        lines[own] = (own, *(one for one in above(own, names[own]) if one in names))
    if len(lines) == 1:
        return next(iter(lines)), ""
    shared = set.intersection(*map(set, lines.values()))
    if not shared:
        found = sorted(name_in(names[one]) for one in lines)
        return None, f"its scenes are of {len(found)} studios: {_listed(found)}"
    return min(shared, key=id_order), ""


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _MOST_NAMED} more" if len(texts) > _MOST_NAMED else ""
    return ", ".join(texts[:_MOST_NAMED]) + more
