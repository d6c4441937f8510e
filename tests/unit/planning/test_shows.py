"""Which shows and seasons belong to a studio and a year, by examples."""

from __future__ import annotations

import pytest

from plexsync.models import RatingKey, RelatedId, SceneId, ShowWish
from plexsync.planning.layout import (
    SEASON_WORDS,
    SHOW_WORDS,
    EpisodeScene,
    ShowRules,
    is_year_of,
    wished_shows,
)
from plexsync.planning.relations import nested_text
from plexsync.text.templates import parse_template

NAMES = {
    RelatedId("s1"): "Mother",
    RelatedId("s2"): nested_text("Daughter", "1"),
    RelatedId("s3"): nested_text("Son", "1"),
    RelatedId("s4"): nested_text("Grandson", "3"),
    RelatedId("s5"): "Other",
    RelatedId("s6"): "\x07 ",
    RelatedId("s7"): nested_text("Hen", "8"),
    RelatedId("s8"): nested_text("Egg", "7"),
    RelatedId("s9"): nested_text("Orphan", "99"),
}
RULES = ShowRules(
    show=parse_template("{studio}", SHOW_WORDS), season=parse_template("{year}", SEASON_WORDS)
)


def scenes(
    *studios: int | None, years: tuple[str, ...] = (), known: bool = True
) -> list[EpisodeScene]:
    """Episodes of season 20 of show 10, one for each studio; of 2021 unless `years` says."""
    return [
        EpisodeScene(
            scene_id=SceneId(str(number)),
            section_id="3",
            season=RatingKey("20"),
            show=RatingKey("10"),
            related=f"p1 s{studio} t3" if studio else "p1 t3",
            year=years[number] if years else "2021",
            known=known,
        )
        for number, studio in enumerate(studios)
    ]


def wished(found: list[EpisodeScene]) -> tuple[ShowWish, ShowWish]:
    """The show and the season they come to."""
    show, season = wished_shows(RULES, NAMES, found)
    return show, season


@pytest.mark.parametrize(
    ("studios", "title"),
    [
        ((1, 1), "Mother"),
        ((2, 2), "Daughter"),
        ((2, 3), "Mother"),
        ((1, 2), "Mother"),
        ((1, 2, 3), "Mother"),
        ((3, 4), "Son"),
        ((7, 8), "Hen"),
        ((9, 9), "Orphan"),
    ],
    ids=["one", "one below", "two below one", "above and below", "all", "deep", "circle", "lost"],
)
def test_a_show_is_that_of_the_one_studio_all_its_scenes_are_of(
    studios: tuple[int, ...], title: str
) -> None:
    """Or of the one right above them all."""
    show, season = wished(scenes(*studios))

    assert (show.title, show.apart) == (title, "")
    assert (season.title, season.year, season.apart) == ("2021", "2021", "")


@pytest.mark.parametrize(
    "related", ["s2 t3 | s1", "s1 s2 t3"], ids=["as it is", "of an earlier version"]
)
def test_a_studio_above_that_of_a_scene_is_not_its_own(related: str) -> None:
    """A record names both."""
    show, _ = wished([one._replace(related=related) for one in scenes(2, 2)])

    assert show.title == "Daughter"


@pytest.mark.parametrize(
    ("studios", "why"),
    [
        ((1, 5), "its scenes are of 2 studios: Mother, Other"),
        ((1, 4), "its scenes are of 2 studios: Grandson, Mother"),
        ((1, 2, 5, 9), "its scenes are of 4 studios: Daughter, Mother, Orphan and 1 more"),
        ((1, None), "scene 1 has no studio"),
        ((1, 77), "scene 1 has no studio"),
        ((6, 6), "its studio has no name"),
    ],
    ids=["two", "too deep", "many", "none", "gone", "nameless"],
)
def test_any_other_show_is_left_alone_with_its_seasons(
    studios: tuple[int | None, ...], why: str
) -> None:
    """With the reason."""
    show, season = wished(scenes(*studios))

    assert (show.studio, show.apart) == (None, why)
    assert (season.studio, season.apart) == (None, f"its show is left alone: {why}")


def test_a_scene_nothing_is_known_of_holds_its_show_up() -> None:
    """It may be anybody's."""
    show, _ = wished([*scenes(1), *scenes(None, known=False)])

    assert show.apart == "it waits for scene 0"


@pytest.mark.parametrize(
    ("years", "year", "why"),
    [
        (("2021", ""), "2021", ""),
        (("2021", "2022"), "", "its scenes are of 2 years: 2021, 2022"),
        (("", ""), "", "none of its scenes has a date"),
    ],
)
def test_a_season_is_that_of_the_year_of_its_dated_scenes(
    years: tuple[str, ...], year: str, why: str
) -> None:
    """The studio of its show is not enough."""
    _, season = wished(scenes(1, 1, years=years))

    assert (season.year, season.apart) == (year, why)


@pytest.mark.parametrize(
    ("title", "number", "is_it"),
    [
        ("Season 2021", 2021, True),
        (" 2021 ", 1, True),
        ("Season 1", 1, False),
        ("Specials", 0, False),
        ("2021 and more", 1, False),
    ],
)
def test_the_number_or_the_title_of_a_season_says_its_year(
    title: str,
    number: int,
    is_it: bool,
) -> None:
    """The whole title, and no part of it."""
    assert is_year_of("2021", title, number) is is_it


def test_the_order_of_scenes_does_not_matter() -> None:
    """Nor that they come from several libraries."""
    found = [*scenes(1, 2), *(one._replace(section_id="12") for one in scenes(5, 5))]

    wishes = wished_shows(RULES, NAMES, found)

    assert wishes == wished_shows(RULES, NAMES, reversed(found))
    assert [(one.section_id, one.title) for one in wishes] == [
        ("3", "Mother"),
        ("3", "2021"),
        ("12", "Other"),
        ("12", "2021"),
    ]
