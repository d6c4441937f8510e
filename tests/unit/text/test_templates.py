"""Templates: what each word says, its options, and what is no word."""

from __future__ import annotations

import pytest

from plexsync.errors import ParseError
from plexsync.models import Performer, SceneDetail, SceneId
from plexsync.text.templates import PLACEHOLDERS, parse_template, scene_words
from tests.support.factories import make_scene_file


def person(name: str, gender: str = "", **fields: object) -> Performer:
    """A performer."""
    return Performer(performer_id="1", name=name, gender=gender, **fields)  # type: ignore[arg-type] # fields of it


CAST = (
    person("Zoe", "FEMALE", aliases=("Zed",)),
    person("adam", "MALE"),
    person("Bea", "FEMALE"),
    person("Kim"),
)
SCENE = SceneDetail(
    scene_id=SceneId("7"),
    updated_at="v1",
    title="Lake",
    code="L-1",
    director="Dee",
    date="2024-05",
    rating100=75,
    studios=("Site", "Network"),
    groups=("Film", "Other"),
    scene_indexes=(3, None),
    performers=tuple(one.name for one in CAST),
    cast=CAST,
    tags=("Outdoor", "day"),
    files=(make_scene_file(width=1080, height=1920, duration_s=3723.4),),
    stash_ids=(
        ("https://fansdb.cc/graphql", "f-1"),
        ("http://[no address", "n-1"),
        ("https://www.stashdb.org/graphql", "s-1"),
    ),
    custom={"My Field": "x", "n": "3"},
)
BARE = SceneDetail(scene_id=SceneId("8"), updated_at="v1")


def filled(text: str, scene: SceneDetail = SCENE, at: int = 0) -> str:
    """What a template says of a scene."""
    return parse_template(text).fill(scene_words(scene, lambda one: f"http://s/{one}", at))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{performers}", "adam, Bea, Kim, Zoe"),
        ("{performers:order=stash}", "Zoe, adam, Bea, Kim"),
        ("{performers:most=2}", "adam, Bea"),
        ("{performers:gender=female}", "Bea, Zoe"),
        ("{performers:gender=male+unknown}", "adam, Kim"),
        ("{performers:order=gender}", "Bea, Zoe, adam, Kim"),
        ("{performers:gender=male+female,order=gender,most=2}", "adam, Bea"),
        ("{performers:most=3,joiner= & }", "adam & Bea & Kim"),
        ("{performers:joiner=, }", "adam, Bea, Kim, Zoe"),
        ("{performers:joiner=:!=}", "adam:!=Bea:!=Kim:!=Zoe"),
        ("{tags}", "day, Outdoor"),
        ("{tags:order=stash,most=1}", "Outdoor"),
        ("{tags:joiner=/}", "day/Outdoor"),
        ("{rating}", "8"),
        ("{rating:of=5}", "4"),
        ("{rating:of=100}", "75"),
        ("{resolution}", "1080p"),
        ("{duration}", "1:02:03"),
        ("{stash_id}", "f-1"),
        ("{stash_id:from=stashdb.org}", "s-1"),
        ("{stash_id:from=other.org}", ""),
        ("{code} {director} {year}", "L-1 Dee 2024"),
        ("{group} {scene_index}", "Film 3"),
        ("{studio.parent}|{parent_studio}", "Network|Network"),
        ("{custom.My Field}{custom.n}", "x3"),
        ("{custom.none}", ""),
        ("{{{title}}}", "{Lake}"),
    ],
)
def test_a_word_says_its_value(text: str, expected: str) -> None:
    """With its options, and nothing of a scene that has no value."""
    assert filled(text) == expected
    bare = filled(text, BARE)
    assert bare in {"", " ".join(bare.split())}
    assert not any(name in bare for name in ("adam", "day", "1080p", "Network", "Film"))


def test_group_and_place_are_those_of_one_group() -> None:
    """The second group has no place."""
    assert filled("{group}{scene_index}", at=1) == "Other"


@pytest.mark.parametrize(
    ("width", "height", "word"),
    [
        (1920, 1080, "1080p"),
        (1920, 1079, "720p"),
        (3840, 2160, "4K"),
        (2160, 3840, "4K"),
        (7680, 4320, "8K"),
        (100, 100, ""),
        (None, 1080, ""),
    ],
)
def test_a_resolution_is_called_as_stash_calls_it(
    width: int | None, height: int | None, word: str
) -> None:
    """By the shorter side."""
    scene = SceneDetail(
        scene_id=SceneId("1"),
        updated_at="v",
        files=(make_scene_file(width=width, height=height),),
    )
    assert filled("{resolution}", scene) == word


@pytest.mark.parametrize(("seconds", "text"), [(59.6, "1:00"), (5, "0:05"), (None, ""), (0.2, "")])
def test_a_duration_is_that_of_a_clock(seconds: float | None, text: str) -> None:
    """Minutes and seconds."""
    files = (make_scene_file(duration_s=seconds),)
    assert (
        filled("{duration}", SceneDetail(scene_id=SceneId("1"), updated_at="v", files=files))
        == text
    )


@pytest.mark.parametrize(
    ("rating", "stars"), [(1, "0"), (5, "1"), (100, "10"), (0, ""), (None, "")]
)
def test_a_rating_is_a_whole_number(rating: int | None, stars: str) -> None:
    """Half a point counts as one, and no rating says nothing."""
    scene = SceneDetail(scene_id=SceneId("1"), updated_at="v", rating100=rating)
    assert filled("{rating}", scene) == stars


def test_aliases_are_in_no_word() -> None:
    """By no word of a scene."""
    text = "".join(f"{{{word}}}" for word in PLACEHOLDERS)
    assert "Zed" not in filled(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{performer}", "Did you mean {performers}?"),
        ("{tag}", "Did you mean {tags}?"),
        ("{xyzzy}", "Placeholders are {title}, {code}"),
        ("{custom}", "{custom.NAME}"),
        ("{custom.}", "{custom.NAME}, with the name"),
        ("{title!r}", "Placeholders are"),
        ("{}", "Placeholders are"),
        ("{title", "Placeholders are"),
        ("{title:most=3}", "{title} takes no options."),
        ("{performers:least=3}", "{performers} takes the options most, gender, order, joiner."),
        ("{performers:most=0}", "{performers} has an option most that cannot be read."),
        ("{performers:gender=woman}", "{performers} has an option gender that cannot be read."),
        ("{performers:order=random}", "order"),
        ("{rating:of=7}", "{rating} has an option of that cannot be read."),
        ("{tags:most}", "most"),
        ("\udcff{title}", "Write it into the configuration file."),
    ],
)
def test_a_wrong_word_is_answered_with_the_list(text: str, hint: str) -> None:
    """Or with the nearest word, or the options there are."""
    with pytest.raises(ParseError) as caught:
        parse_template(text)
    assert hint in caught.value.hint
