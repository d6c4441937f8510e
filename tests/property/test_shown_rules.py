"""A path rule reads back equal from every place that writes or shows it, whatever its folders."""

from __future__ import annotations

import io
import json
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from plexsync.app.checkup.doctor import PathSample
from plexsync.config.files import Answers, add_path_rule, config_text, remove_path_rule
from plexsync.config.loader import load_config
from plexsync.config.secrets import describe
from plexsync.errors import ConfigError
from plexsync.matcher import propose_rules
from plexsync.models import PathRule, RatingKey, SceneId
from plexsync.output.status import status_document
from plexsync.output.status_view import status_view
from plexsync.output.summary import next_steps
from plexsync.review.candidates import rule_question
from plexsync.storage.journal import Lineage
from plexsync.storage.status import Coverage, Status
from plexsync.text.toml import rule_arrow, rule_table, rules_text, toml_string, toml_value
from tests.support.factories import (
    make_candidate,
    make_counts,
    make_item,
    make_match,
    make_plex_file,
    make_scene,
    make_scene_file,
    make_summary,
)
from tests.support.strategies import texts

if TYPE_CHECKING:
    from collections.abc import Sequence

ODD = ("\U000e0001", "\n", "\x7f", "\x00", "\x1b[2J", "\u202e", "\x85", "\u2028", "\ue0001", "\r")
"""What broke one writer or another once."""

NAMES = st.one_of(texts(surrogates=False), st.sampled_from(ODD)).map(
    lambda name: name.replace("/", "")
)
FOLDERS = st.lists(NAMES.filter(bool), min_size=1, max_size=3).map(
    lambda names: f"/{'/'.join(names)}/"
)
RULES = st.builds(PathRule, stash=FOLDERS, plex=FOLDERS)
LISTS = st.lists(RULES, min_size=1, max_size=2, unique_by=lambda rule: rule.stash)


def pairs(rules: Sequence[PathRule]) -> list[dict[str, str]]:
    """Rules as TOML holds them."""
    return [{"stash": rule.stash, "plex": rule.plex} for rule in rules]


def read(text: str) -> object:
    """The rules of a piece of configuration."""
    return tomllib.loads(text)["paths"]


@given(texts(surrogates=False) | st.sampled_from(ODD))
def test_a_written_text_reads_back_equal_and_steers_no_terminal(text: str) -> None:
    """Nothing unprintable is left of it."""
    written = toml_string(text)
    assert tomllib.loads(f"x = {written}")["x"] == text
    assert written.isprintable()


@given(
    st.recursive(
        st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), texts(surrogates=False)),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(texts(surrogates=False), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_any_value_reads_back_equal(value: object) -> None:
    """Lists, tables and odd keys, too."""
    assert tomllib.loads(f"x = {toml_value(value)}")["x"] == value


@given(LISTS)
def test_files_and_proposals_hold_the_rules_they_were_given(rules: list[PathRule]) -> None:
    """A part of a file, an inline table, what init writes, what a run proposes."""
    assert read(rules_text(rules)) == pairs(rules)
    assert read(f"paths = [{rule_table(rules[0])}]") == pairs(rules[:1])
    assert read(config_text(Answers(rules=tuple(rules)))) == pairs(rules)
    summary = make_summary(counts=make_counts(review=1), proposed_rules=tuple(rules))
    assert read("\n".join(next_steps(summary)[0].code)) == pairs(rules)
    asked = rule_question(rules[0], (), lambda: None, fits=0).lines
    assert tomllib.loads("\n".join(asked[:2])) == pairs(rules)[0]


@given(RULES)
def test_a_rule_is_added_and_taken_out_whatever_its_folders(rule: PathRule) -> None:
    """And what is then configured is that rule."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.toml")
        path.write_text('[stash]\nurl = "http://s:1"\n[plex]\nurl = "http://p:1"\ntoken = "t"\n')
        path.chmod(0o600)
        before = path.read_text()
        add_path_rule(path, rule)
        config = load_config(path, {}, home=Path(folder))
        assert config.paths == (rule,)
        shown = [one.value for one in config.settings if one.key == "paths"]
        assert read(f"paths = [{shown[0]}]") == pairs([rule])
        remove_path_rule(path, rule)
        assert path.read_text() == before


@given(RULES)
def test_a_rule_that_has_to_be_added_by_hand_can_be(rule: PathRule) -> None:
    """The hint can be copied into the list that stands in line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.toml")
        path.write_text('paths = [{ stash = "/a/", plex = "/b/" }]\n')
        with pytest.raises(ConfigError) as caught:
            add_path_rule(path, rule)
        table = caught.value.hint.partition("by hand: ")[2]
        assert read(f"paths = [{table}]") == pairs([rule])


def status_of(rules: Sequence[PathRule]) -> Status:
    """A state that proposes `rules`."""
    return Status(
        now=datetime(2026, 1, 1, tzinfo=UTC),
        directory=Path("/state"),
        lineage=Lineage(plex="m", stash="s"),
        coverage=Coverage(),
        proposed=tuple(rules),
    )


@given(LISTS, st.sampled_from([60, 100]))
def test_status_shows_rules_to_copy(rules: list[PathRule], width: int) -> None:
    """On a terminal as TOML, uncut; in the document as they are."""
    out = io.StringIO()
    view = status_view(status_of(rules), width=width)
    Console(file=out, width=width, color_system=None).print(view, crop=False)
    part = out.getvalue().partition("for config.toml:\n")[2]
    lines = [line for line in part.splitlines() if line.startswith("    ")]
    assert read(dedent("\n".join(lines))) == pairs(rules)
    document = status_document(status_of(rules), exit_code=0)
    assert json.loads(json.dumps(document["proposed_rules"])) == [
        {**pair, "explains": 0, "certain": 0} for pair in pairs(rules)
    ]


@settings(max_examples=30)
@given(FOLDERS, FOLDERS)
@example("/a\U000e0001/", "/b\x7f/")
def test_the_doctor_proposes_the_folders_there_are(stash: str, plex: str) -> None:
    """The remedy, its indent cut, is a part of a configuration that explains the files."""
    files = [f"{number} of many.mp4" for number in range(6)]
    scenes = [
        make_scene(
            scene_id=SceneId(str(at)),
            files=(make_scene_file(path=f"{stash}{name}", size_bytes=1000 + at),),
        )
        for at, name in enumerate(files, start=1)
    ]
    items = [
        make_item(
            rating_key=RatingKey(str(at)),
            files=(make_plex_file(path=f"{plex}{name}", size_bytes=1000 + at),),
        )
        for at, name in enumerate(files, start=1)
    ]
    rules = PathSample(scenes, items).proposals()
    remedy = [finding.remedy for finding in PathSample(scenes, items).judge(())][-1]
    shown = read(dedent(remedy.partition(":\n")[2])) if rules else []
    assert shown == pairs(rules)


@given(RULES)
def test_a_rule_in_a_sentence_is_one_line_and_unmistakable(rule: PathRule) -> None:
    """What cannot be shown as it is stands there as a TOML string."""
    arrow = rule_arrow(rule)
    assert arrow.isprintable()
    if all(side.isprintable() and side == side.strip() for side in (rule.stash, rule.plex)):
        assert arrow == f"{rule.stash} -> {rule.plex}"


@given(FOLDERS)
def test_where_a_secret_comes_from_reads_back_equal(path: str) -> None:
    """`config show` names the file of a secret."""
    assert tomllib.loads(f"x = {describe({'file': path})}")["x"] == {"file": path}


ROOTS = st.sampled_from(
    ("/data/", "/data/archive/", "/data/archive/old/", "/", "D:\\Videos\\", "\\\\nas\\share\\")
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(ROOTS, ROOTS, st.sampled_from(("", "ann/", "b\u00f6/"))), max_size=6),
    st.integers(3, 5),
    LISTS | st.just([]),
)
def test_the_configuration_accepts_every_proposal(
    places: list[tuple[str, str, str]], files: int, known: list[PathRule]
) -> None:
    """One rule a folder of Stash, none twice, beside the rules that are there already."""
    matches = [
        make_match(
            candidates=(
                make_candidate(
                    scene_path=f"{ours}{folder}{at} {number}.mp4",
                    item_path=f"{theirs}{folder}{at} {number}.mp4",
                ),
            )
        )
        for at, (ours, theirs, folder) in enumerate(places)
        for number in range(files)
    ]
    proposed = propose_rules(matches, rules=known)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(rules_text([*known, *proposed]), encoding="utf-8")
        environ = {"PLEXSYNC_STASH__URL": "http://s", "PLEXSYNC_PLEX__URL": "http://p"}
        environ["PLEXSYNC_PLEX__TOKEN"] = "t"
        loaded = load_config(config, environ, home=Path(folder))
    assert pairs(loaded.paths) == pairs([*known, *proposed])
