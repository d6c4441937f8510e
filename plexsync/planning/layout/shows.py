"""Which shows and seasons belong to a studio and a year: made of the scenes of their episodes.

A show belongs to a studio if all of its linked episodes do, or all of them to studios right below
one. A season belongs to a year if all of its dated scenes are of that year; whether it is that
year's in Plex, its number and title tell. Everything else is left alone.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from plexsync.models import ItemKind, RatingKey, RelatedId, SceneId, ShowWish, id_order
from plexsync.planning.relations import above, is_studio, name_in
from plexsync.text.normalize import strip_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.text.templates import Template

STUDIO = "studio"
YEAR = "year"
SHOW_WORDS = (STUDIO,)
"""What may stand in braces in the title of a show."""
SEASON_WORDS = (STUDIO, YEAR)
"""What may stand in braces in the title of a season."""

_MOST_NAMED = 3

_Place = tuple[str, RatingKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRules:
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
    shows: defaultdict[_Place, defaultdict[RatingKey, list[EpisodeScene]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for scene in scenes:
        shows[scene.section_id, scene.show][scene.season].append(scene)
    layout = _Layout(rules, names)
    wishes: list[ShowWish] = []
    for section_id, key in sorted(shows, key=_order):
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
        shown = map(RelatedId, scene.related.split())
        own = next(filter(is_studio, shown), None)
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


def _order(place: _Place) -> tuple[object, ...]:
    return id_order(place[0]), id_order(place[1])
