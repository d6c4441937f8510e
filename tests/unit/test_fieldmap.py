"""What a scene says each Plex field should be."""

from __future__ import annotations

import pytest

from plexsync.fieldmap import FieldMap, unsupported_fields
from plexsync.models import FieldRule, ItemKind, PlexField, Policy, SceneDetail, SceneId, Value

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
    return SceneDetail(scene_id=SceneId("1"), updated_at="v1", **fields)  # type: ignore[arg-type]


def value(name: str, scene: SceneDetail, *rules: FieldRule) -> Value:
    """What `scene` wants of the field called `name`."""
    wants = FieldMap(rules or RULES).desired(scene, ItemKind.MOVIE)
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
    rule = FieldRule(name="tags", policy=Policy.MERGE, to=PlexField.LABELS, include=("Place: *",))
    scene = detail(tags=("place: lake", "Dog"))
    assert value("tags", scene, rule) == ("place: lake",)


def test_the_studio_is_the_scenes_own() -> None:
    """Parents stand behind it in the list and are not written."""
    rule = FieldRule(name="studio", policy=Policy.OVERWRITE, to=PlexField.STUDIO)
    assert value("studio", detail(studios=("Shoreline", "Coast Group")), rule) == "Shoreline"
    assert value("studio", detail(), rule) == ""


def test_a_field_that_is_off_is_not_wanted() -> None:
    """`off` asks for nothing."""
    wants = FieldMap(RULES).desired(detail(), ItemKind.MOVIE)
    assert "studio" not in {want.field for want in wants}


def test_an_episode_is_asked_only_for_what_it_stores() -> None:
    """The rest is named, so that somebody can say so."""
    wants = FieldMap(RULES).desired(detail(), ItemKind.EPISODE)
    assert {want.field for want in wants} == {"title", "summary", "date"}
    assert unsupported_fields(RULES, ItemKind.EPISODE) == ("performers", "tags")
    assert unsupported_fields(RULES, ItemKind.MOVIE) == ()
