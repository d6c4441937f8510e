"""`[libraries."Title".fields]`: what one library says otherwise, composed and shown as any key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.config.loader import load_config
from plexsync.config.reference import config_schema
from plexsync.config.sources import InvalidConfigError
from plexsync.models import PlexField, Policy
from plexsync.plex.connection import named_library
from tests.support.toml_schema import fits

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.models import FieldRule

ENVIRON = {
    "PLEXSYNC_STASH__URL": "http://stash",
    "PLEXSYNC_PLEX__URL": "http://plex",
    "PLEXSYNC_PLEX__TOKEN": "token",
}
TWO = """[fields.tags]
policy = "merge"
exclude = ["temp*"]

[libraries."A.B & C".fields]
title = { policy = "fill", template = "{studio}" }

[libraries.'A.B & C'.fields.tags]
to = "label"

[libraries.7.fields]
rating = "keep"
"""


def read(home: Path, text: str) -> Config:
    """The configuration of a file."""
    path = home / "config.toml"
    path.write_text(text, "utf-8")
    return load_config(path, ENVIRON, home=home)


def rule(rules: tuple[FieldRule, ...], name: str) -> FieldRule:
    """The rule of a field."""
    return next(one for one in rules if one.name == name)


def test_a_library_says_what_differs_and_the_rest_is_as_everywhere(tmp_path: Path) -> None:
    """Key by key, also within a field."""
    config = read(tmp_path, TWO)
    rules = config.field_rules({"1": "A.B & C", "2": "Others", "7": "Seventh"})
    own, common = rules.of("1"), rules.of("2")
    assert common == config.fields
    assert (rule(own, "title").policy, rule(own, "title").templates) == ("fill", ("{studio}",))
    assert rule(common, "title").policy is Policy.OVERWRITE
    assert (rule(own, "tags").to, rule(own, "tags").exclude) == (PlexField.LABELS, ("temp*",))
    assert rule(common, "tags").to is PlexField.GENRES
    assert rule(own, "rating").policy is Policy.OFF
    assert rule(rules.of("7"), "rating").policy is Policy.KEEP


def test_what_a_library_says_is_shown_with_its_line(tmp_path: Path) -> None:
    """And nothing of what it leaves as it is."""
    path = tmp_path / "config.toml"
    shown = [one for one in read(tmp_path, TWO).settings if one.key.startswith("libraries")]
    assert [(one.key, one.value, one.origin) for one in shown] == [
        ('libraries."A.B & C".fields.title', '"fill"', f"{path}:6"),
        ('libraries."A.B & C".fields.title.template', '"{studio}"', f"{path}:6"),
        ('libraries."A.B & C".fields.tags.to', '"label"', f"{path}:9"),
        ('libraries."7".fields.rating', '"keep"', f"{path}:12"),
    ]


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ('[libraries."F".fields]\ntitel = "fill"', "F > fields > titel", 'Did you mean "title"?'),
        ('[libraries."F".fields.tags]\nfrom = "x"', "tags > from", "Known"),
        ('[libraries."F".apply]\nempty = "keep"', "F > apply", "Known: fields"),
        ('[libraries]\nF = "fill"', "[libraries] > F", 'Write [libraries."F".fields]'),
        ('[libraries."F"]\nfields = 3', "F > fields", 'Write [libraries."F".fields]'),
        ("libraries = 3", "libraries", "Write [libraries]"),
        ('[libraries."F".fields]\ntitle = "merge"', "F > fields > title", "overwrite"),
        ('[libraries."F".fields.title]\ntemplate = "{nme}"', "title > template", "{studio}"),
        (
            '[libraries."F".fields]\ngroups="merge"\ntags={policy="fill", to="collection"}',
            "F > fields > groups",
            "same policy",
        ),
    ],
)
def test_what_is_wrong_is_reported_at_its_place(
    tmp_path: Path, text: str, place: str, remedy: str
) -> None:
    """Once, with what to do."""
    with pytest.raises(InvalidConfigError) as caught:
        read(tmp_path, text)
    (problem,) = caught.value.problems
    assert problem.place.endswith(place)
    assert remedy in problem.remedy


def test_the_schema_knows_the_fields_of_a_library() -> None:
    """And nothing else below it."""
    assert fits({"libraries": {"Films": {"fields": {"title": "fill"}}}}, config_schema())
    assert not fits({"libraries": {"Films": {"fields": {"titel": "fill"}}}}, config_schema())
    assert not fits({"libraries": {"Films": {"match": {}}}}, config_schema())


@pytest.mark.parametrize(
    ("name", "ids"),
    [("Films", {"1"}), ("films", {"2"}), ("3", {"3"}), (" FILMS", {"1", "2"}), ("X", set())],
)
def test_a_library_is_named_by_title_or_id(name: str, ids: set[str]) -> None:
    """The exact title counts first, then the id, then the title in another case."""
    assert set(named_library(name, {"1": "Films", "2": "films", "3": "Clips"})) == ids
