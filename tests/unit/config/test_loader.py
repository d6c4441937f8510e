"""Loading the configuration: where values come from, and that every problem is reported at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from plexsync.config.configuration import KEYS, MINIMAL
from plexsync.config.forms import SECRET
from plexsync.config.loader import find_config, load_config
from plexsync.config.secrets import Secret
from plexsync.config.sections import CopyPolicy, MissingTimestamp
from plexsync.config.sources import InvalidConfigError
from plexsync.errors import ConfigError, ExitCode
from plexsync.models import EmptyPolicy, PathRule, PlexField, Policy

if TYPE_CHECKING:
    from plexsync.config.configuration import Config

CANARY = "canary-5f2d81c0"
"""A secret; no output of any kind may hold it."""

ENVIRON = {
    "PLEXSYNC_STASH__URL": "http://stash:9999",
    "PLEXSYNC_PLEX__URL": "http://plex:32400",
    "PLEXSYNC_PLEX__TOKEN": CANARY,
}
"""The three variables that make a file unnecessary."""

HEAD = f"""
[stash]
url = "http://stash:9999"
[plex]
url = "http://plex:32400"
token = "{CANARY}"
"""

CONTRACT_EXAMPLE = Path(__file__).parents[3] / "docs" / "contract.md"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory of this test alone."""
    return tmp_path


def write(home: Path, text: str) -> Path:
    """A configuration file only its owner may read."""
    path = home / "config.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def load(home: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    """Load a file of this text."""
    return load_config(write(home, text), environ or {}, home=home)


def problems(
    home: Path, text: str, environ: dict[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """Place (without the folder), message and remedy of everything wrong."""
    with pytest.raises(InvalidConfigError) as caught:
        load(home, text, environ)
    assert CANARY not in repr(caught.value) + str(caught.value)
    return [
        (one.place.removeprefix(f"{home}/"), one.message, one.remedy)
        for one in caught.value.problems
    ]


# ---- Where values come from ----------------------------------------------------------------------


def test_three_variables_are_enough(home: Path) -> None:
    """In a container no file is needed."""
    config = load_config(None, ENVIRON, home=home)
    assert config.stash.url == "http://stash:9999"
    assert config.plex.url == "http://plex:32400"
    assert config.plex.token.reveal() == CANARY
    assert config.source is None


def test_defaults_are_those_of_the_contract(home: Path) -> None:
    """Nobody who says nothing gets a surprise."""
    config = load(home, HEAD)
    assert config.stash.api_key is None
    assert config.stash.verify is True
    assert config.stash.organized_only is False
    assert config.stash.exclude_tags == ()
    assert config.stash.missing_timestamp is MissingTimestamp.SYNC
    assert config.plex.verify is True
    assert config.plex.libraries == ()
    assert config.paths == ()
    assert dataclasses.astuple(config.match) == (True, 0.9, CopyPolicy.WRITE, True)
    assert dataclasses.astuple(config.apply) == (True, True, 500, 150, 0.3, EmptyPolicy.OWN)
    assert (config.stash.required, config.plex.scan, config.plex.subset) == ((), False, False)
    assert dataclasses.astuple(config.run) == (7 * 86_400, 86_400, None, 90)
    on = {rule.name: (rule.policy, rule.to) for rule in config.fields if rule.policy != Policy.OFF}
    assert on == {
        "title": (Policy.OVERWRITE, PlexField.TITLE),
        "summary": (Policy.OVERWRITE, PlexField.SUMMARY),
        "date": (Policy.OVERWRITE, PlexField.DATE),
        "studio": (Policy.OVERWRITE, PlexField.STUDIO),
        "performers": (Policy.MERGE, PlexField.ACTORS),
        "tags": (Policy.MERGE, PlexField.GENRES),
        "studio.collection": (Policy.MERGE, PlexField.COLLECTIONS),
        "poster": (Policy.OVERWRITE, PlexField.POSTER),
    }
    assert all(
        not rule.templates or rule.name == "studio.collection"
        for rule in config.fields
        if rule.name in on
    )
    assert config.warnings == ()


FULL = """
[stash]
url = "https://stash.lan/sub/graphql/"
api_key = { env = "STASH_KEY" }
verify = false
organized_only = true
exclude_tags = ["private", "wip"]
required = ["title", "date"]
missing_timestamp = "skip"
[plex]
url = "http://[::1]:32400/"
token = { env = "PLEX_TOKEN" }
libraries = ["Scenes", "Clips"]
scan = true
subset = true
[[paths]]
stash = "/data/"
plex = "/media/"
[[paths]]
stash = 'D:\\films'
plex = "//nas/films"
[match]
strict_matching = false
least_low = 0.95
copies = "skip"
use_content_hash = false
[apply]
preserve_plex_edits = true
lock_fields = false
max_changes = 7
max_clears = 8
max_share = 1
empty = "clear"
[fields]
title = "keep"
summary = "fill"
date = "off"
studio = { policy = "fill", collection = false }
performers = { policy = "overwrite", exclude = ["extra"], role = "{gender}", photo = "{image}" }
rating = "keep"
sort_title = { policy = "fill", template = "{code}" }
content_rating = { policy = "keep", by_tag = ["soft* = R"] }
groups = { policy = "fill", collection_name = "{group} series" }
labels = { names = ["id {id}", "Stash"] }
poster = { policy = "fill", pad = true }
background = "keep"
[fields.tags]
to = "label"
parents = true
include = ["a*"]
exclude = ["ab*"]
[run]
full_every = "1d12h"
files_every = "12h"
sweep_every = "2h"
keep_days = 30
"""


def test_every_key_of_the_file_arrives(home: Path) -> None:
    """What is written is what counts."""
    config = load(home, FULL, {"STASH_KEY": "key", "PLEX_TOKEN": CANARY})
    assert config.stash.url == "https://stash.lan/sub"
    assert config.stash.api_key == Secret("key")
    assert config.stash.verify is False
    assert config.stash.organized_only is True
    assert config.stash.exclude_tags == ("private", "wip")
    assert config.stash.missing_timestamp is MissingTimestamp.SKIP
    assert config.plex.url == "http://[::1]:32400"
    assert config.plex.token == Secret(CANARY)
    assert config.plex.libraries == ("Scenes", "Clips")
    assert config.paths == (
        PathRule(stash="/data/", plex="/media/"),
        PathRule(stash="D:\\films", plex="//nas/films"),
    )
    assert dataclasses.astuple(config.match) == (False, 0.95, CopyPolicy.SKIP, False)
    assert dataclasses.astuple(config.apply) == (True, False, 7, 8, 1.0, EmptyPolicy.CLEAR)
    assert (config.stash.required, config.plex.scan, config.plex.subset) == (
        ("title", "date"),
        True,
        True,
    )
    assert dataclasses.astuple(config.run) == (36 * 3_600, 12 * 3_600, 2 * 3_600, 30)
    rules = {rule.name: rule for rule in config.fields}
    policies = {name: rule.policy.value for name, rule in rules.items() if rule.policy != "off"}
    assert policies == {
        "title": "keep",
        "sort_title": "fill",
        "summary": "fill",
        "studio": "fill",
        "content_rating": "keep",
        "performers": "overwrite",
        "tags": "merge",
        "groups": "fill",
        "rating": "keep",
        "poster": "fill",
        "background": "keep",
    }
    assert rules["sort_title"].templates == ("{code}",)
    assert rules["content_rating"].by_tag == (("soft*", "R"),)
    assert rules["groups"].templates == ("{group} series",)
    assert rules["labels"].templates == ("id {id}", "Stash")
    assert rules["performers"].exclude == ("extra",)
    assert rules["tags"].to is PlexField.LABELS
    assert rules["tags"].parents is True
    assert (rules["performers"].role, rules["performers"].photo) == ("{gender}", "{image}")
    assert (rules["tags"].include, rules["tags"].exclude) == (("a*",), ("ab*",))


def test_every_key_has_a_variable(home: Path) -> None:
    """The same configuration, without a file."""
    environ = {
        "PLEXSYNC_STASH__URL": "https://stash.lan/sub/graphql/",
        "PLEXSYNC_STASH__API_KEY": "key",
        "PLEXSYNC_STASH__VERIFY": "no",
        "PLEXSYNC_STASH__ORGANIZED_ONLY": "1",
        "PLEXSYNC_STASH__EXCLUDE_TAGS": "private, wip",
        "PLEXSYNC_STASH__REQUIRED": "title, date",
        "PLEXSYNC_STASH__MISSING_TIMESTAMP": "skip",
        "PLEXSYNC_PLEX__URL": "http://[::1]:32400/",
        "PLEXSYNC_PLEX__TOKEN": CANARY,
        "PLEXSYNC_PLEX__VERIFY": "true",
        "PLEXSYNC_PLEX__LIBRARIES": "Scenes,Clips,",
        "PLEXSYNC_PLEX__SCAN": "on",
        "PLEXSYNC_PLEX__SUBSET": "yes",
        "PLEXSYNC_PATHS": "/data/=/media/, D:\\films=//nas/films",
        "PLEXSYNC_MATCH__STRICT_MATCHING": "false",
        "PLEXSYNC_MATCH__LEAST_LOW": "0.95",
        "PLEXSYNC_MATCH__COPIES": "skip",
        "PLEXSYNC_MATCH__USE_CONTENT_HASH": "off",
        "PLEXSYNC_APPLY__PRESERVE_PLEX_EDITS": "Yes",
        "PLEXSYNC_APPLY__LOCK_FIELDS": "0",
        "PLEXSYNC_APPLY__MAX_CHANGES": "7",
        "PLEXSYNC_APPLY__MAX_CLEARS": "8",
        "PLEXSYNC_APPLY__MAX_SHARE": "1",
        "PLEXSYNC_APPLY__EMPTY": "clear",
        "PLEXSYNC_FIELDS__TITLE": "keep",
        "PLEXSYNC_FIELDS__SUMMARY": "fill",
        "PLEXSYNC_FIELDS__DATE": "off",
        "PLEXSYNC_FIELDS__STUDIO": "fill",
        "PLEXSYNC_FIELDS__STUDIO__COLLECTION": "false",
        "PLEXSYNC_FIELDS__PERFORMERS__POLICY": "overwrite",
        "PLEXSYNC_FIELDS__PERFORMERS__INCLUDE": "",
        "PLEXSYNC_FIELDS__PERFORMERS__EXCLUDE": "extra",
        "PLEXSYNC_FIELDS__PERFORMERS__ROLE": "{gender}",
        "PLEXSYNC_FIELDS__PERFORMERS__PHOTO": "{image}",
        "PLEXSYNC_FIELDS__TAGS": "merge",
        "PLEXSYNC_FIELDS__TAGS__TO": "label",
        "PLEXSYNC_FIELDS__TAGS__PARENTS": "yes",
        "PLEXSYNC_FIELDS__TAGS__INCLUDE": "a*",
        "PLEXSYNC_FIELDS__TAGS__EXCLUDE": "ab*",
        "PLEXSYNC_FIELDS__TITLE__TEMPLATE": "{title}",
        "PLEXSYNC_FIELDS__SORT_TITLE": "fill",
        "PLEXSYNC_FIELDS__SORT_TITLE__TEMPLATE": "{code}",
        "PLEXSYNC_FIELDS__ORIGINAL_TITLE": "off",
        "PLEXSYNC_FIELDS__ORIGINAL_TITLE__TEMPLATE": "{file}",
        "PLEXSYNC_FIELDS__SUMMARY__TEMPLATE": "{details}",
        "PLEXSYNC_FIELDS__TAGLINE": "off",
        "PLEXSYNC_FIELDS__TAGLINE__TEMPLATE": "{code}",
        "PLEXSYNC_FIELDS__STUDIO__TEMPLATE": "{studio}",
        "PLEXSYNC_FIELDS__STUDIO__COLLECTION_NAME": "{studio}",
        "PLEXSYNC_FIELDS__CONTENT_RATING": "keep",
        "PLEXSYNC_FIELDS__CONTENT_RATING__TEMPLATE": "XXX",
        "PLEXSYNC_FIELDS__CONTENT_RATING__BY_TAG": "soft* = R",
        "PLEXSYNC_FIELDS__DIRECTORS": "off",
        "PLEXSYNC_FIELDS__GROUPS": "fill",
        "PLEXSYNC_FIELDS__GROUPS__COLLECTION_NAME": "{group} series",
        "PLEXSYNC_FIELDS__GROUPS__INCLUDE": "",
        "PLEXSYNC_FIELDS__GROUPS__EXCLUDE": "",
        "PLEXSYNC_FIELDS__LABELS": "off",
        "PLEXSYNC_FIELDS__LABELS__NAMES": "id {id}, Stash",
        "PLEXSYNC_FIELDS__RATING": "keep",
        "PLEXSYNC_FIELDS__POSTER": "fill",
        "PLEXSYNC_FIELDS__POSTER__PAD": "yes",
        "PLEXSYNC_FIELDS__BACKGROUND": "keep",
        "PLEXSYNC_RUN__FULL_EVERY": "1d12h",
        "PLEXSYNC_RUN__FILES_EVERY": "12h",
        "PLEXSYNC_RUN__SWEEP_EVERY": "2h",
        "PLEXSYNC_RUN__KEEP_DAYS": "30",
    }
    config = load_config(None, environ, home=home)
    from_file = load(home, FULL, {"STASH_KEY": "key", "PLEX_TOKEN": CANARY})
    same = {"source": None, "settings": (), "warnings": ()}
    assert replace(config, **same) == replace(from_file, **same)


def test_environment_beats_the_file(home: Path) -> None:
    """The nearer to the person, the stronger; what nobody says is the default."""
    text = HEAD + "[apply]\nmax_changes = 1\nmax_share = 0.1\nempty = 'clear'\n"
    environ = {"PLEXSYNC_APPLY__MAX_CHANGES": "2", "PLEXSYNC_APPLY__MAX_SHARE": "0.2"}
    config = load_config(write(home, text), environ, home=home)
    assert config.apply.max_changes == 2
    assert config.apply.max_share == 0.2
    assert config.apply.empty is EmptyPolicy.CLEAR
    assert config.apply.lock_fields is True


def test_each_setting_knows_its_origin(home: Path) -> None:
    """`config show` can say why a value is what it is."""
    text = HEAD + "[apply]\nmax_changes = 1\n[[paths]]\nstash = '/d'\nplex = '/m'\n"
    path = write(home, text)
    config = load_config(path, {"PLEXSYNC_APPLY__EMPTY": "clear"}, home=home)
    shown = {setting.key: (setting.value, setting.origin) for setting in config.settings}
    assert shown["apply.max_changes"] == ("1", f"{path}:8")
    assert shown["apply.empty"] == ('"clear"', "PLEXSYNC_APPLY__EMPTY")
    assert shown["apply.lock_fields"] == ("true", "default")
    assert shown["plex.libraries"] == ("[]", "default")
    assert shown["plex.token"] == ("***", f"{path}:6")
    assert shown["stash.api_key"] == ("", "default")
    assert shown["paths"] == ('{ stash = "/d", plex = "/m" }', f"{path}:9")
    assert set(shown) == {key.name for key in KEYS} | {"paths"}


def test_an_empty_variable_says_nothing(home: Path) -> None:
    """Containers pass unset variables as empty ones."""
    text = HEAD + "[apply]\nmax_changes = 1\n"
    names = ("APPLY__MAX_CHANGES", "PLEX__TOKEN", "PLEX__TOKEN_FILE", "STASH__VERIFY", "PATHS")
    environ = {f"PLEXSYNC_{name}": " " for name in names}
    assert load(home, text, environ).apply.max_changes == 1


def test_an_empty_list_variable_empties_the_list(home: Path) -> None:
    """A list of the file can be taken back."""
    text = HEAD.replace("[plex]", '[plex]\nlibraries = ["Scenes"]')
    assert load(home, text, {"PLEXSYNC_PLEX__LIBRARIES": ""}).plex.libraries == ()


def test_path_rules_of_the_environment_replace_those_of_the_file(home: Path) -> None:
    """Rules are one value: mixing two lists would surprise."""
    text = HEAD + "[[paths]]\nstash = '/d'\nplex = '/m'\n"
    config = load(home, text, {"PLEXSYNC_PATHS": "/a=/b"})
    assert config.paths == (PathRule(stash="/a", plex="/b"),)


@pytest.mark.parametrize(
    ("flag", "environ", "expected"),
    [
        ("/x.toml", {"PLEXSYNC_CONFIG": "/y.toml"}, "/x.toml"),
        (None, {"PLEXSYNC_CONFIG": "/y.toml", "XDG_CONFIG_HOME": "/xdg"}, "/y.toml"),
        (None, {"XDG_CONFIG_HOME": "/xdg"}, "/xdg/plexsync/config.toml"),
        (None, {"XDG_CONFIG_HOME": "relative"}, "/home/me/.config/plexsync/config.toml"),
        (None, {}, "/home/me/.config/plexsync/config.toml"),
    ],
)
def test_the_file_is_where_the_contract_says(
    flag: str | None, environ: dict[str, str], expected: str
) -> None:
    """Flag, variable, XDG, home, in this order."""
    path = Path(flag) if flag else None
    assert find_config(path, environ, home=Path("/home/me")) == Path(expected)


# ---- Problems ------------------------------------------------------------------------------------


def test_no_configuration_at_all_says_how_to_start(home: Path) -> None:
    """The first message a new user sees holds all that is needed."""
    with pytest.raises(ConfigError, match="no configuration yet") as caught:
        load_config(None, {"PATH": "/bin"}, home=home)
    assert caught.value.exit_code is ExitCode.USAGE
    for needed in (*ENVIRON, str(home / ".config/plexsync/config.toml"), "plexsync init"):
        assert needed in caught.value.hint


def test_the_minimal_example_works(home: Path) -> None:
    """What the message shows can be copied as it is."""
    (home / "plex-token").write_text(CANARY, "utf-8")
    (home / "plex-token").chmod(0o600)
    assert load(home, MINIMAL).plex.token.reveal() == CANARY


def test_the_example_of_the_contract_works(home: Path) -> None:
    """What docs/contract.md shows can be copied as it is."""
    text = CONTRACT_EXAMPLE.read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    text = text.replace("/run/secrets/stash", str(home / "stash"))
    (home / "stash").write_text("key\n", "utf-8")
    config = load(home, text, {"PLEX_TOKEN": CANARY})
    (tags,) = [rule for rule in config.fields if rule.name == "tags"]
    assert tags.exclude == ("temp*",)


def test_every_problem_is_reported_at_once(home: Path) -> None:
    """Nobody has to run five times to find five mistakes."""
    text = """
[stash]
url = "stash:9999"
organised_only = true
[plex]
url = "http://plex:32400"
token = 5
[feilds]
[[paths]]
stash = "/data"
plex = "media"
[fields]
tags = { polcy = "merge" }
[apply]
max_share = 2
"""
    environ = {"PLEXSYNC_RUN__FULL_EVERY": "soon", "PLEXSYNC_PLEX_TOKEN": CANARY}
    found = problems(home, text, environ)
    assert [(place, remedy) for place, _, remedy in found if "no setting" in _] == [
        ("config.toml:4 > [stash] > organised_only", 'Did you mean "organized_only"?'),
        ("config.toml:8 > feilds", 'Did you mean "fields"?'),
        ("config.toml:13 > [fields] > tags > polcy", 'Did you mean "policy"?'),
        ("PLEXSYNC_PLEX_TOKEN", "Did you mean PLEXSYNC_PLEX__TOKEN?"),
    ]
    assert {place for place, _, _ in found} >= {
        "config.toml:3 > [stash] > url",
        "config.toml:7 > [plex] > token",
        "config.toml:9 > [[paths]] 1",
        "config.toml:15 > [apply] > max_share",
        "PLEXSYNC_RUN__FULL_EVERY",
    }
    assert all(remedy for _, _, remedy in found)


def test_one_problem_is_one_sentence(home: Path) -> None:
    """Place, message and remedy arrive in their own slots."""
    with pytest.raises(InvalidConfigError) as caught:
        load(home, HEAD + "[run]\nfull_every = 7\n")
    assert caught.value.context == f"{home}/config.toml:8 > [run] > full_every"
    assert "duration" in caught.value.message
    assert "7d" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "environ", "missing"),
    [
        ("", {}, ["[stash] > url", "[plex] > url", "[plex] > token"]),
        ("[plex]\nurl = 'http://p'", {"PLEXSYNC_PLEX__TOKEN": "t"}, ["[stash] > url"]),
    ],
)
def test_what_is_missing_is_named(
    home: Path, text: str, environ: dict[str, str], missing: list[str]
) -> None:
    """With the variable that would do."""
    found = problems(home, text, environ)
    assert [place for place, _, _ in found] == missing
    assert "PLEXSYNC_STASH__URL" in found[0][2]


@pytest.mark.parametrize(
    ("addition", "place", "remedy"),
    [
        ("[stash2]\n", "stash2", 'Did you mean "stash"?'),
        (
            "[zzz]\n",
            "zzz",
            (
                "Known: stash, plex, paths, match, apply, fields, libraries, collections, shows, "
                "run, notify, metrics."
            ),
        ),
        ("[match]\ntoken = 1\n", "[match] > token", "It belongs to [plex]."),
        ("[match]\nurl = 1\n", "[match] > url", "It belongs to [stash] or [plex]."),
        ("[fields]\ntitel = 'off'\n", "[fields] > titel", 'Did you mean "title"?'),
        ("[fields.title]\nto = 'x'\n", "[fields] > title > to", "It belongs to [fields.tags]."),
        ("[fields.tags]\ninclud = []\n", "[fields] > tags > includ", 'Did you mean "include"?'),
    ],
)
def test_an_unknown_key_is_an_error_with_a_suggestion(
    home: Path, addition: str, place: str, remedy: str
) -> None:
    """A mistyped key never counts as not there."""
    ((found, message, hint),) = problems(home, HEAD + addition)
    assert found.endswith(f"> {place}")
    assert message == "is no setting of plexsync"
    assert hint == remedy


@pytest.mark.parametrize(
    "name",
    ["PLEXSYNC_PLEX_TOKEN", "PLEXSYNC_PLEX__TOKNE", "PLEXSYNC_X__Y", "PLEXSYNC_STATEDIR"],
)
def test_an_unknown_variable_is_an_error(home: Path, name: str) -> None:
    """A mistyped variable is worse than a mistyped key: nobody sees it."""
    ((place, _, _),) = problems(home, HEAD, {name: CANARY})
    assert place == name


@pytest.mark.parametrize(
    "name",
    ["PLEXSYNC_PORT", "PLEXSYNC_SERVICE_HOST", "PLEXSYNC_PORT_80_TCP_ADDR", "PLEXSYNC_STATE_DIR"],
)
def test_variables_of_others_are_left_alone(home: Path, name: str) -> None:
    """Kubernetes sets such names for a service called plexsync."""
    assert load(home, HEAD, {name: "tcp://10.0.0.1:80"}).warnings == ()


def test_two_variables_for_one_secret_are_an_error(home: Path) -> None:
    """Which of the two should count is not for us to guess."""
    (home / "token").write_text("other", "utf-8")
    environ = {
        "PLEXSYNC_PLEX__TOKEN": CANARY,
        "PLEXSYNC_PLEX__TOKEN_FILE": str(home / "token"),
    }
    assert problems(home, HEAD, environ) == [
        (
            "PLEXSYNC_PLEX__TOKEN_FILE",
            "says the same as PLEXSYNC_PLEX__TOKEN",
            "Set only one of the two.",
        )
    ]


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("[[paths]]\nstash = '/d'\n", "plex is missing"),
        ("[[paths]]\nstash = '/d'\nplex = ''\n", "plex is missing"),
        ("[[paths]]\nstash = 'data'\nplex = '/m'\n", "stash is not an absolute folder"),
        ("[[paths]]\nstash = '/d/../e'\nplex = '/m'\n", "stash holds a '.' or '..'"),
        ("[[paths]]\nstash = '/d'\nplex = '/./m'\n", "plex holds a '.' or '..'"),
        ("[[paths]]\nstash = 'D:\\x\\..'\nplex = '/m'\n", "stash holds a '.' or '..'"),
        ("[[paths]]\nstash = '/d'\nplex = '/m'\nto = 'x'\n", 'has no key "to"'),
        ("[paths]\n'/d' = '/m'\n", "must be a list of tables"),
        (
            "[[paths]]\nstash = '/d'\nplex = '/m'\n[[paths]]\nstash = '/d/'\nplex = '/n'\n",
            "another rule for /d/",
        ),
        (
            "[[paths]]\nstash = 'D:\\X'\nplex = '/m'\n[[paths]]\nstash = 'd:/x'\nplex = '/n'\n",
            "another rule for d:/x",
        ),
        ("[fields]\nrating = 'merge'\n", "is for lists"),
        ("[fields]\nposter = 'merge'\n", "is for lists"),
        ("[fields]\nbackground = 'show'\n", 'must be one of "overwrite"'),
        ("[fields.studio]\ncollection = 'yes'\n", "must be true or false"),
        ("[fields.title]\ntemplate = '{titel}'\n", "placeholder that is none"),
        ("[fields.title]\ntemplate = '{title'\n", "without its other half"),
        ("[fields.title]\ntemplate = '{title!r:>9}'\n", "placeholder that is none"),
        ("[fields.title]\ntemplate = ' '\n", "must be a text"),
        ("[fields.labels]\nnames = ['{}']\n", "placeholder that is none"),
        ("[fields.content_rating]\nby_tag = ['soft']\n", "a tag and a text each"),
        ("[fields.content_rating]\nby_tag = ['soft =']\n", "a tag and a text each"),
        (
            "[fields]\ngroups = 'overwrite'\ntags = { to = 'collection' }\n",
            "same list in Plex as tags, under another policy",
        ),
        ("[fields]\ntitle = 'merge'\n", "is for lists"),
        ("[fields]\nstudio = 'merge'\n", "is for lists"),
        ("[fields]\ntags = 'always'\n", 'must be one of "overwrite"'),
        ("[fields.tags]\nto = 'genres'\n", 'must be one of "genre"'),
        ("[apply]\nempty = 'wipe'\n", 'must be one of "own", "keep", "clear"'),
        ("[apply]\nmax_changes = true\n", "whole number"),
        ("[apply]\nmax_changes = 0\n", "whole number"),
        ("[apply]\nmax_changes = 1.5\n", "whole number"),
        ("[apply]\nmax_share = 0\n", "above 0"),
        ("[apply]\nmax_share = nan\n", "above 0"),
        ("[apply]\nmax_share = 1.01\n", "above 0"),
        ("[apply]\nlock_fields = 'yes'\n", "must be true or false"),
        ("[run]\nfull_every = '7 days'\n", "must be a duration"),
        ("match = 5\n", "must be a section"),
        ("[fields.tags]\nexclude = 'temp*'\n", "must be a list of texts"),
        ("[fields.tags]\nexclude = [' ']\n", "texts that are not empty"),
        ("[fields.tags]\nexclude = [5]\n", "texts that are not empty"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error(home: Path, addition: str, message: str) -> None:
    """Nothing is rounded, cut or dropped in silence."""
    text = addition + HEAD if addition.startswith("match") else HEAD + addition
    ((_, found, remedy),) = problems(home, text)
    assert message in found
    assert remedy


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PLEXSYNC_APPLY__MAX_CHANGES", "many"),
        ("PLEXSYNC_APPLY__MAX_CHANGES", "-1"),
        ("PLEXSYNC_APPLY__MAX_SHARE", "30%"),
        ("PLEXSYNC_APPLY__LOCK_FIELDS", "maybe"),
        ("PLEXSYNC_STASH__URL", "ftp://x"),
        ("PLEXSYNC_PATHS", "/a"),
        ("PLEXSYNC_PATHS", "/a=/b=/c"),
        ("PLEXSYNC_STASH__VERIFY", "/nowhere/ca.pem"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(home: Path, name: str, text: str) -> None:
    """The place is the variable, not a line of the file."""
    ((place, _, _),) = problems(home, HEAD, {name: text})
    assert place == name


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("stash:9999", "must start with"),
        ("ftp://stash", "must start with"),
        ("http://", "has no host"),
        ("http://:9999", "has no host"),
        ("http://stash:99999", "cannot be read"),
        ("http://stash:port", "cannot be read"),
        ("http://[::1", "cannot be read"),
        ("http://stash:0", "impossible port"),
        (f"http://me:{CANARY}@stash", "user name or password"),
        (f"http://{CANARY}@stash", "user name or password"),
        (f"http://stash/?X-Plex-Token={CANARY}", "must not hold ?"),
        (f"http://stash/?apikey={CANARY}", "must not hold ?"),
        ("http://stash:32400/web/index.html#!/", "must not hold ?"),
        ("http://sta sh", "is no address"),
        ("http://stash\\\\evil", "is no address"),
        ("http://stash/\\u202e", "is no address"),
        ("", "must be a text"),
    ],
)
@pytest.mark.parametrize("server", ["stash", "plex"])
def test_an_address_holds_nothing_but_the_address(
    home: Path, server: str, url: str, message: str
) -> None:
    """No secret, no page, no other scheme: the address appears in reports."""
    ((place, found, _),) = problems(home, HEAD.replace(f"http://{server}:{_port(server)}", url))
    assert place.endswith(f"> [{server}] > url")
    assert message in found


def _port(server: str) -> str:
    return {"stash": "9999", "plex": "32400"}[server]


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://stash:9999", "http://stash:9999"),
        ("http://stash:9999/graphql", "http://stash:9999"),
        ("http://stash:9999/graphql/", "http://stash:9999"),
        ("HTTPS://stash/sub//graphql", "https://stash/sub"),
        ("http://stash/mygraphql", "http://stash/mygraphql"),
    ],
)
def test_stash_is_found_with_or_without_its_endpoint(home: Path, url: str, base: str) -> None:
    """People copy either."""
    assert load(home, HEAD.replace("http://stash:9999", url)).stash.url == base


# ---- The file itself -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[stash\n", "is not TOML"),
        (b"[stash]\nurl = 'a'\nurl = 'b'\n", "is not TOML"),
        (f"[plex]\ntoken = '{CANARY}\n".encode(), "is not TOML"),
        (b"[stash]\nurl = '\xff'\n", "is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_as_written_is_one_problem(
    home: Path, content: bytes, message: str
) -> None:
    """What may be missing in it is not guessed at, and no line of it is repeated."""
    path = home / "config.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidConfigError, match=message) as caught:
        load_config(path, {}, home=home)
    assert len(caught.value.problems) == 1
    assert CANARY not in str(caught.value)


def test_a_named_file_must_exist(home: Path) -> None:
    """A mistyped --config never runs with defaults."""
    with pytest.raises(InvalidConfigError, match="no such file"):
        load_config(home / "nothing.toml", ENVIRON, home=home)
    with pytest.raises(InvalidConfigError, match="no such file"):
        load_config(None, ENVIRON | {"PLEXSYNC_CONFIG": str(home / "nothing.toml")}, home=home)


def test_a_folder_is_no_file(home: Path) -> None:
    """A wrong kind of file is reported like any other problem."""
    with pytest.raises(InvalidConfigError, match="cannot be read"):
        load_config(home, ENVIRON, home=home)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(home: Path) -> None:
    """Files come from Notepad, too."""
    path = home / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    path.chmod(0o600)
    assert load_config(path, {}, home=home).stash.url == "http://stash:9999"


def test_a_key_that_looks_like_a_line_of_a_text_moves_no_value(home: Path) -> None:
    """Line numbers are for people; values come from the parser alone."""
    text = '[fields.tags]\nexclude = ["""\nto = "label"\n"""]\nto = "collection"\n'
    (tags,) = [rule for rule in load(home, HEAD + text).fields if rule.name == "tags"]
    assert tags.to is PlexField.COLLECTIONS


def test_a_certificate_file_is_relative_to_the_configuration(home: Path) -> None:
    """And must be there."""
    (home / "ca.pem").write_text("x", "utf-8")
    text = HEAD.replace("[plex]", '[plex]\nverify = "ca.pem"')
    assert load(home, text).plex.verify == str(home / "ca.pem")
    ((_, message, _),) = problems(home, text.replace("ca.pem", "other.pem"))
    assert "there is no file" in message
    ((_, message, _),) = problems(home, text.replace('"ca.pem"', "5"))
    assert "true, false or the name of a file" in message


def test_a_repeated_library_counts_once(home: Path) -> None:
    """Listing a library twice would list it twice in Plex."""
    text = HEAD.replace("[plex]", '[plex]\nlibraries = ["A", "B", "A"]')
    assert load(home, text).plex.libraries == ("A", "B")


def test_a_configuration_cannot_be_changed(home: Path) -> None:
    """What was read at the start holds until the end."""
    config = load(home, HEAD)
    for value in (config, config.stash, config.plex, config.match, config.apply, config.run):
        with pytest.raises(AttributeError, match=r"immutable|cannot assign"):
            setattr(value, next(iter(type(value).__annotations__)), None)


def test_every_default_reads_back() -> None:
    """The table of keys says how each is written and which ones must be."""
    required = {key.name for key in KEYS if key.required}
    assert required == {"stash.url", "plex.url", "plex.token"}
    optional = {key.name for key in KEYS if not key.default} - required
    assert optional == {"stash.api_key", "notify.ping", "metrics.textfile", "run.sweep_every"}
    assert [key.name for key in KEYS if key.form is SECRET] == [
        "stash.api_key",
        "plex.token",
        "notify.ping",
    ]


@pytest.mark.parametrize(("address", "count"), [("https://a:9", 1), ("http://a:9", 0)])
def test_a_certificate_that_is_not_checked_is_named(home: Path, address: str, count: int) -> None:
    """Where there is one: whoever stands between would get the token."""
    settings = {"PLEXSYNC_PLEX__URL": address, "PLEXSYNC_PLEX__VERIFY": "false"}
    warnings = load(home, HEAD, settings).warnings
    assert [one for one in warnings if "[plex] verify = false" in one] == list(warnings)
    assert len(warnings) == count


@pytest.mark.parametrize(
    ("on", "warned"),
    [("", True), ('on = ["failure"]', True), ('on = ["failure", "review"]', False)],
)
def test_a_daily_message_that_would_tell_nothing_is_a_warning(
    home: Path, on: str, *, warned: bool
) -> None:
    """It gathers `review` and `changes` alone, and neither is sent unless a person asks."""
    warnings = load(home, f"{HEAD}[notify]\ndigest = true\n{on}\n").warnings
    assert any("digest" in one for one in warnings) is warned


def test_a_folder_no_path_lies_in_is_refused(home: Path) -> None:
    """No server shows `..` in a path, so such a folder would leave nothing out."""
    environ = {"PLEXSYNC_STASH__EXCLUDE_PATHS": "/d,/d/.."}
    ((_, message, _),) = problems(home, HEAD, environ)
    assert message == "folder 2 holds a '.' or '..', which no path of Stash or Plex has"
