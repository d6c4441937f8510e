"""Every setting of the programs people come from has an answer, and what is done is shown here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plexsync.config.loader import load_config
from plexsync.models import FieldRules, ItemKind, SceneDetail, SceneId, Value
from plexsync.planning.desired import FieldMaps

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.config.configuration import Config

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "coming-from.md"
ROWS = re.findall(
    r"^\| ([^|]+) \| (done|otherwise|not done) \| (.+) \|$", GUIDE.read_text("utf-8"), re.MULTILINE
)
ANSWERS = {name: (how, text) for names, how, text in ROWS for name in names.split(", ")}

SCENE = SceneDetail(
    scene_id=SceneId("7"),
    updated_at="v1",
    title="Lake",
    rating100=80,
    studios=("Site", "Network"),
    groups=("Film",),
    tags=("Outdoor", "temp 1"),
    stash_ids=(("https://stashdb.org/graphql", "u-1"),),
)


def wanted(config: Config, field: str) -> Value:
    """What the scene wants of a field."""
    page = "http://stash:9999/scenes/7"
    wishes = FieldMaps(FieldRules(common=config.fields), scene_url=lambda _: page).desired(
        SCENE, ItemKind.MOVIE
    )
    return next(one.value for one in wishes if field in one.field.split("+"))


SHOWN: dict[str, tuple[str, Callable[[Config], object], object]] = {
    "Hostname, Port, UseHTTPS": (
        '[stash]\nurl = "https://lan:1"',
        lambda c: c.stash.url,
        "https://lan:1",
    ),
    "APIKey": ('[stash]\napi_key = "k"', lambda c: bool(c.stash.api_key), True),
    "UseFullMediaPath": (
        '[[paths]]\nstash = "/data"\nplex = "/media"',
        lambda c: c.paths[0].plex,
        "/media",
    ),
    "UseFormattedTitle, TitleFormat": (
        '[fields.title]\ntemplate = "{studio} - {title}"',
        lambda c: wanted(c, "title"),
        "Site - Lake",
    ),
    "IgnoreTags": (
        '[fields.tags]\nexclude = ["temp*"]',
        lambda c: wanted(c, "tags"),
        ("Outdoor",),
    ),
    "CreateTagCollectionTags, CreateAllTagCollectionTags": (
        '[fields.tags]\nto = "collection"',
        lambda c: wanted(c, "tags"),
        ("Outdoor", "temp 1", "Site"),
    ),
    "AddOrganizedCollectionTag": (
        "[collections]\norganized = true",
        lambda c: c.collections.organized,
        True,
    ),
    "CreateStudioCollectionTags, PrefixStudioCollectionTags": (
        '[fields.studio]\ncollection_name = "Studio: {studio}"',
        lambda c: wanted(c, "studio.collection"),
        ("Studio: Site",),
    ),
    "CreateSiteCollectionTags": (
        '[fields.studio]\ntemplate = "{studio.parent}"\ncollection_name = "Site: {studio}"',
        lambda c: (wanted(c, "studio"), wanted(c, "studio.collection")),
        ("Network", ("Site: Site",)),
    ),
    "CreateMovieCollectionTags, PrefixMovieCollectionTags": (
        (
            '[fields]\nstudio.collection = false\n[fields.groups]\npolicy = "merge"\n'
            'collection_name = "Movie: {group}"'
        ),
        lambda c: wanted(c, "groups"),
        ("Movie: Film",),
    ),
    "CreatePerformerCollectionTags": (
        "[collections]\nperformers = true",
        lambda c: c.collections.performers,
        True,
    ),
    "CreateRatingTags": (
        '[fields.labels]\npolicy = "merge"\nnames = ["Rating: {rating:of=5}"]',
        lambda c: wanted(c, "labels"),
        ("Rating: 4",),
    ),
    "SaveUserRatings": ('[fields]\nrating = "overwrite"', lambda c: wanted(c, "rating"), "8"),
    "RequireOrganized": (
        "[stash]\norganized_only = true",
        lambda c: c.stash.organized_only,
        True,
    ),
    "RequireURL": ('[stash]\nrequired = ["url"]', lambda c: set(c.stash.needed), {"url"}),
    "RequireStashID": (
        "[stash]\nrequire_stash_id = true",
        lambda c: set(c.stash.needed),
        {"stash_id"},
    ),
    "plexToken": ('[plex]\ntoken = "other"', lambda c: c.plex.token.reveal(), "other"),
    "plexHost, plexPort": ('[plex]\nurl = "http://lan:2"', lambda c: c.plex.url, "http://lan:2"),
    "skipUnorganized": (
        "[stash]\norganized_only = true",
        lambda c: c.stash.organized_only,
        True,
    ),
    "tagStashIDs, tagID_…": (
        '[fields.labels]\npolicy = "merge"\nnames = ["{stash_id:from=stashdb.org}"]',
        lambda c: wanted(c, "labels"),
        ("U-1",),
    ),
    "plex_url, plex_token, plex_library": (
        '[plex]\nlibraries = ["Films"]',
        lambda c: c.plex.libraries,
        ("Films",),
    ),
    "enabled": ("", lambda c: c.run.full_every_s > 0, True),
    "strict_matching": (
        "[match]\nstrict_matching = false",
        lambda c: c.match.strict_matching,
        False,
    ),
    "preserve_plex_edits": (
        '[fields]\ntitle = "fill"',
        lambda c: next(one.policy for one in c.fields if one.name == "title"),
        "fill",
    ),
    "max_retries, poll_interval": ("", lambda c: c.apply.preserve_plex_edits, True),
    "dlq_retention_days": ("[run]\nkeep_days = 7", lambda c: c.run.keep_days, 7),
}
"""What to write for a setting, and what comes of it."""

ENVIRON = {
    "PLEXSYNC_STASH__URL": "http://stash:9999",
    "PLEXSYNC_PLEX__URL": "http://plex:32400",
    "PLEXSYNC_PLEX__TOKEN": "token",
}


@pytest.mark.parametrize("names", SHOWN)
def test_what_a_setting_did_can_be_had(names: str, tmp_path: Path) -> None:
    """By what the guide names; a variable steps aside where the file says it."""
    text, look, expected = SHOWN[names]
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    sections = {line.strip("[]") for line in text.splitlines()}
    kept = {
        name: value
        for name, value in ENVIRON.items()
        if not (name.split("_")[1].lower() in sections and _key_of(name) in text)
    }
    config = load_config(path, kept, home=tmp_path)
    assert look(config) == expected
    assert {ANSWERS[name][0] for name in names.split(", ")} <= {"done", "otherwise"}


def _key_of(variable: str) -> str:
    """The key of a variable as a line of the file begins."""
    return f"\n{variable.rpartition('__')[2].lower()} ="


@pytest.mark.parametrize("name", [one for one, (how, _) in ANSWERS.items() if how == "not done"])
def test_what_is_not_done_has_a_reason(name: str) -> None:
    """A sentence in the guide, and no pretence of an answer here."""
    assert len(ANSWERS[name][1].split()) >= 5
    assert name not in {one for names in SHOWN for one in names.split(", ")}


def test_every_setting_has_an_answer() -> None:
    """Nothing stands in the guide that no test names, and the other way round."""
    shown = {one for names in SHOWN for one in names.split(", ")}
    done = {name for name, (how, _) in ANSWERS.items() if how != "not done"}
    assert shown == done
    assert len(ANSWERS) >= 34
