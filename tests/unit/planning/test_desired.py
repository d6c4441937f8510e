"""What a scene says each Plex field should be."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from plexsync.models import (
    Credit,
    FieldRule,
    FieldRules,
    ItemKind,
    Performer,
    PlexField,
    Policy,
    SceneDetail,
    SceneId,
    Value,
)
from plexsync.planning.desired import FieldMaps, unsupported_fields
from tests.support.factories import make_scene_file

RULES = (
    FieldRule(name="title", policy=Policy.OVERWRITE, to=PlexField.TITLE),
    FieldRule(name="summary", policy=Policy.OVERWRITE, to=PlexField.SUMMARY),
    FieldRule(name="date", policy=Policy.FILL, to=PlexField.DATE),
    FieldRule(name="studio", policy=Policy.OFF, to=PlexField.STUDIO),
    FieldRule(name="performers", policy=Policy.MERGE, to=PlexField.ACTORS),
    FieldRule(name="tags", policy=Policy.MERGE, to=PlexField.GENRES, exclude=("temp*",)),
)


def detail(**fields: object) -> SceneDetail:
    """A scene that says `fields` and nothing else."""
    return SceneDetail(scene_id=SceneId("1"), updated_at="v1", **fields)  # type: ignore[arg-type] # fields of it


def value(name: str, scene: SceneDetail, *rules: FieldRule) -> Value:
    """What `scene` wants of the field called `name`."""
    wants = FieldMaps(FieldRules(common=tuple(rules or RULES))).desired(scene, ItemKind.MOVIE)
    return next(want.value for want in wants if want.field == name)


@pytest.mark.parametrize(
    ("name", "scene", "expected"),
    [
        pytest.param("title", detail(title="  Lake \x07Day "), "Lake Day", id="controls go"),
        pytest.param("summary", detail(details="a\r\nb\n"), "a\nb", id="line breaks are one kind"),
        pytest.param("date", detail(date="2024-05-01"), "2024-05-01", id="a day"),
        pytest.param("date", detail(date="2024-05"), "2024-05-01", id="a month's first day"),
        pytest.param("date", detail(date="2024"), "2024-01-01", id="a year's first day"),
        pytest.param("date", detail(date="0001-01-01"), "", id="no date"),
        pytest.param("date", detail(date="soon"), "", id="not a date"),
        pytest.param("performers", detail(performers=("Ann", "ann ", "")), ("Ann",), id="once"),
        pytest.param("tags", detail(tags=("Lake", "temp", "TEMP2")), ("Lake",), id="excluded"),
    ],
)
def test_a_value_is_what_plex_would_show(name: str, scene: SceneDetail, expected: Value) -> None:
    """Texts are cleaned, dates are whole days, names come once and filtered."""
    assert value(name, scene) == expected


def test_only_included_names_come_through() -> None:
    """An include list lets nothing else in, whatever its case."""
    rule = FieldRule(name="tags", policy=Policy.MERGE, to=PlexField.GENRES, include=("Place: *",))
    scene = detail(tags=("place: lake", "Dog"))
    assert value("tags", scene, rule) == ("place: lake",)


def test_labels_are_spelled_as_plex_will_show_them() -> None:
    """With a capital, where a letter has one that is one letter."""
    rule = FieldRule(name="tags", policy=Policy.MERGE, to=PlexField.LABELS)
    scene = detail(tags=("lake", "\xe9t\xe9", "\u0131ssiz", "\xdfeta", "1st"))
    assert value("tags", scene, rule) == ("Lake", "\xc9t\xe9", "Issiz", "\xdfeta", "1st")


def test_the_studio_is_the_scenes_own() -> None:
    """Parents stand behind it in the list and are not written."""
    rule = FieldRule(name="studio", policy=Policy.OVERWRITE, to=PlexField.STUDIO)
    assert value("studio", detail(studios=("Shoreline", "Coast Group")), rule) == "Shoreline"
    assert value("studio", detail(), rule) == ""


def test_a_field_that_is_off_is_not_wanted() -> None:
    """`off` asks for nothing."""
    wants = FieldMaps(FieldRules(common=RULES)).desired(detail(), ItemKind.MOVIE)
    assert "studio" not in {want.field for want in wants}


OFF = FieldRule(name="title", policy=Policy.OFF, to=PlexField.TITLE)
TAGS = FieldRule(name="tags", policy=Policy.MERGE, to=PlexField.GENRES)


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        pytest.param((), ItemKind.MOVIE, id="no rules"),
        pytest.param((OFF,), ItemKind.MOVIE, id="all off"),
        pytest.param((TAGS,), ItemKind.EPISODE, id="an episode stores none of them"),
    ],
)
def test_a_library_with_nothing_to_fill_is_not_filled_by_the_common_rules(
    own: tuple[FieldRule, ...], kind: ItemKind
) -> None:
    """Its own rules stand in place of the common ones, also where they ask for nothing."""
    maps = FieldMaps(FieldRules(common=RULES, by_section={"2": own}))
    scene = detail(title="Lake", tags=("Sea",))
    assert not maps.desired(scene, kind, "2")
    assert maps.desired(scene, kind, "1") == maps.desired(scene, kind)
    assert maps.desired(scene, kind)


def test_an_episode_is_asked_only_for_what_it_stores() -> None:
    """The rest is named, so that somebody can say so."""
    wants = FieldMaps(FieldRules(common=RULES)).desired(detail(), ItemKind.EPISODE)
    assert {want.field for want in wants} == {"title", "summary", "date"}
    assert unsupported_fields(RULES, ItemKind.EPISODE) == ("performers", "tags")
    assert unsupported_fields(RULES, ItemKind.MOVIE) == ()


# ---- templates, ratings, shared lists ------------------------------------------------------------

FULL = detail(
    title="Lake",
    code="L-1",
    date="2024-05",
    director="Ada; Ben Lens, ada ",
    studios=("Shore", "Coast"),
    groups=("Summer", "Water"),
    tags=("Softcore", "Dog"),
    urls=("https://example.org/1",),
)


def text_rule(to: PlexField, *templates: str, **fields: object) -> FieldRule:
    """A rule called after its target."""
    made = FieldRule(name=to.value, policy=Policy.OVERWRITE, to=to, templates=templates)
    return msgspec.structs.replace(made, **fields)


@pytest.mark.parametrize(
    ("template", "scene", "expected"),
    [
        ("{date} {title}", FULL, "2024-05 Lake"),
        ("{date} {title}", detail(title="Lake"), "Lake"),
        ("{date} {title}", detail(), ""),
        ("{studio}/{parent_studio}: {code}", FULL, "Shore/Coast: L-1"),
        ("{group} {year}", FULL, "Summer 2024"),
        ("{stash_url}", FULL, "http://stash/scenes/1"),
        ("{id} {{x}} {url}", FULL, "1 {x} https://example.org/1"),
        ("XXX", detail(), "XXX"),
        ("{title}", detail(title="{date} {nonsense"), "{date} {nonsense"),
    ],
)
def test_a_template_says_what_the_scene_says(
    template: str, scene: SceneDetail, expected: str
) -> None:
    """Placeholders without a value leave nothing; with no value at all the text is empty."""
    rule = text_rule(PlexField.TAGLINE, template)
    made = FieldMaps(
        FieldRules(common=(rule,)), scene_url=lambda scene_id: f"http://stash/scenes/{scene_id}"
    )
    (want,) = made.desired(scene, ItemKind.MOVIE)
    assert want.value == expected


def test_the_file_name_of_any_system_is_a_placeholder() -> None:
    """Without folders and without its ending."""
    scene = detail(files=(make_scene_file(path="D:\\films\\Lake.Day.mkv"),))
    rule = text_rule(PlexField.ORIGINAL_TITLE, "{file}")
    assert value("original_title", scene, rule) == "Lake.Day"


@pytest.mark.parametrize(
    ("rating100", "expected"),
    [(None, ""), (0, ""), (1, "1"), (4, "1"), (14, "1"), (15, "2"), (75, "8"), (100, "10")],
)
def test_ratings_are_half_stars(rating100: int | None, expected: str) -> None:
    """Plex's apps know ten of them; none is never none of them."""
    rule = text_rule(PlexField.RATING)
    assert value("rating", detail(rating100=rating100), rule) == expected


def test_a_tag_decides_the_content_rating_before_the_template() -> None:
    """The first line that fits; the template for all other scenes."""
    lines = (("hard*", "X"), ("soft*", "R"))
    rule = text_rule(PlexField.CONTENT_RATING, "XXX", by_tag=lines)
    assert value("content_rating", FULL, rule) == "R"
    assert value("content_rating", detail(tags=("Dog",)), rule) == "XXX"


def test_several_directors_are_several_names() -> None:
    """Stash has one text for them."""
    rule = text_rule(PlexField.DIRECTORS, name="directors")
    assert value("directors", FULL, rule) == ("Ada", "Ben Lens")
    assert value("directors", detail(), rule) == ()


def test_rules_for_one_list_make_one_list() -> None:
    """Each name once, whichever rule gives it; the report names all of them."""
    tags = FieldRule(name="tags", policy=Policy.KEEP, to=PlexField.COLLECTIONS)
    groups = msgspec.structs.replace(tags, name="groups", templates=("{group}",), exclude=("W*",))
    studio = FieldRule(
        name="studio.collection",
        policy=Policy.MERGE,
        to=PlexField.COLLECTIONS,
        templates=("{studio}", "dog", "{parent_studio} of {code}"),
        joins=True,
    )
    (want,) = FieldMaps(
        FieldRules(
            common=(
                tags,
                groups,
                studio,
            )
        )
    ).desired(FULL, ItemKind.EPISODE)
    assert want.field == "tags+groups+studio.collection"
    assert want.value == ("Softcore", "Dog", "Summer", "Shore", "Coast of L-1")
    assert want.policy is Policy.KEEP
    (alone,) = FieldMaps(FieldRules(common=(studio,))).desired(
        detail(studios=("Shore",)), ItemKind.MOVIE
    )
    assert alone.value == ("Shore", "dog"), "a name with a gap is no name"
    assert alone.policy is Policy.MERGE


# ---- credits -------------------------------------------------------------------------------------

ANN = Performer(performer_id="7", name="Ann", gender="FEMALE", image_path="/performer/7/image?t=1")
OTHER_ANN = Performer(
    performer_id="8", name="ANN", disambiguation="the other", image_path="/performer/8/image?t=1"
)


def credits_of(
    *cast: Performer, shared: frozenset[str] = frozenset(), **rule: object
) -> dict[str, Credit]:
    """What performers come to under a rule, where several in Stash have the `shared` names."""
    made = FieldRule(name="performers", policy=Policy.MERGE, to=PlexField.ACTORS, **rule)  # type: ignore[arg-type]  # as given
    scene = detail(performers=tuple(one.name for one in cast), cast=cast)
    fields = FieldMaps(
        FieldRules(common=(made,)), file_url=lambda path: f"http://stash{path}", shared=shared
    )
    (want,) = fields.desired(scene, ItemKind.MOVIE)
    return want.credits


def test_a_role_is_a_line_and_a_photo_an_address() -> None:
    """Words of the performer; what is missing leaves a role shorter and a photo out."""
    made = credits_of(ANN, role="{gender}\n{disambiguation}", photo="{image}")
    assert made == {"ann": Credit(role="Female", photo="http://stash/performer/7/image?t=1")}
    assert credits_of(replace(ANN, image_path=""), photo="{image}") == {"ann": Credit()}
    named = credits_of(replace(ANN, name="Ann & Co/1"), photo="https://x/{name}")
    assert named == {"ann & co/1": Credit(photo="https://x/Ann%20%26%20Co%2F1")}


@pytest.mark.parametrize("cast", [(ANN, OTHER_ANN), (OTHER_ANN, ANN)])
def test_of_namesakes_one_gives_the_photo(cast: tuple[Performer, ...]) -> None:
    """The one with the name alone: Plex has one photo for the name on the whole server."""
    shared = frozenset({"ann"})
    made = credits_of(*cast, photo="{image}", shared=shared)
    assert made["ann"].photo == "http://stash/performer/7/image?t=1"
    assert credits_of(OTHER_ANN, photo="{image}", shared=shared)["ann"].photo is None
    assert credits_of(OTHER_ANN, photo="{image}")["ann"].photo


def test_who_is_left_out_is_not_credited() -> None:
    """The patterns of the field hold for roles, too; episodes have no actors at all."""
    assert credits_of(ANN, role="{name}", exclude=("ann",)) == {}
