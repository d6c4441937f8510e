"""Completion: what a shell is offered, from local files alone, and never an error."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from plexsync.cli import cli, run_command_line
from plexsync.commands.completion import complete_runs
from plexsync.errors import ExitCode
from plexsync.matching.answers import SceneAnswers, answer_key
from plexsync.models import Outcome, SceneId
from plexsync.plex.index import IndexLoader
from plexsync.storage.session import open_session
from tests.support.plex_bench import make_library, plex_bench
from tests.support.state_factories import NOW, begin, end, make_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEAVY = {"plexapi", "requests", "rich"}


@pytest.fixture(name="state")
def make_state(tmp_path: Path) -> Path:
    """Some scenes wait, one does not."""
    with open_session(tmp_path, now=NOW) as session:
        begin(session)
        outcomes = (Outcome.APPLIED, Outcome.FAILED, Outcome.REVIEW, Outcome.UNMATCHED)
        for number, outcome in enumerate(outcomes, start=11):
            session.remember(SceneId(str(number)), make_record(number, outcome=outcome))
        session.remember(SceneId("2"), make_record(2, outcome=Outcome.FAILED))
        for scene_id in map(SceneId, ("12", "2")):
            session.decide(answer_key(scene_id), SceneAnswers(absent="digest"))
        end(session)
    return tmp_path


def offered(words: str, environ: Mapping[str, str]) -> list[str]:
    """What bash is offered for the last word, in a process of its own."""
    script = (
        "from plexsync.cli import run_command_line\n"
        "import sys\n"
        "run_command_line([])\n"
        "sys.stdout.flush()\n"
        f"assert not {HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}, 'heavy'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            **environ,
            "_PLEXSYNC_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [line.removeprefix("plain,") for line in done.stdout.split("\n") if line]


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("plexsync retry ", ["2", "12", "13", "14"]),
        ("plexsync retry 1", ["12", "13", "14"]),
        ("plexsync retry 9", []),
        ("plexsync run --scene 12", ["12"]),
        ("plexsync -v retry 2", ["2"]),
        ("plexsync review accept ", ["13"]),
        ("plexsync review reject 1", ["13"]),
        ("plexsync review show ", ["13"]),
        ("plexsync review reset ", ["2", "12"]),
        ("plexsync config va", ["validate"]),
        ("plexsync completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_words_are_completed(state: Path, words: str, offers: list[str]) -> None:
    """Commands, choices, scenes that wait for something or for a person, scenes with answers."""
    assert offered(words, {"PLEXSYNC_STATE_DIR": str(state)}) == offers


def test_libraries_are_those_of_the_configuration(tmp_path: Path) -> None:
    """Of the file named on the same line, though its token cannot be read; of a variable."""
    config = tmp_path / "config.toml"
    config.write_text(
        '[plex]\ntoken = { file = "none" }\nlibraries = ["Films", "Clips"]\n', "utf-8"
    )

    assert offered(f"plexsync -c {config} run --library F", {}) == ["Films"]
    assert offered("plexsync run --library ", {"PLEXSYNC_PLEX__LIBRARIES": "A,B"}) == ["A", "B"]


def test_a_name_with_spaces_is_one_word_for_bash() -> None:
    """What is put on the line is read back as the name, also after a part of it was typed."""
    environ = {"PLEXSYNC_PLEX__LIBRARIES": "My Films,B"}
    assert offered("plexsync run --library ", environ) == ["'My Films'", "B"]
    assert offered("plexsync run --library M", environ) == ["'My Films'"]


def test_libraries_seen_in_plex_are_offered_where_none_is_configured(tmp_path: Path) -> None:
    """From the kept lists of its items."""
    with plex_bench(make_library(1, 1)) as bench:
        sections = bench.client.sections(())
        IndexLoader(client=bench.client, cache_dir=tmp_path, machine="m", now=NOW).load(sections)
    environ = {"CACHE_DIRECTORY": str(tmp_path), "PLEXSYNC_CONFIG": str(tmp_path / "none.toml")}
    assert offered("plexsync run --library ", environ) == sorted(one.title for one in sections)


def test_fish_keeps_what_comes_after_a_comma(capsys: pytest.CaptureFixture[str]) -> None:
    """Titles have commas; the script splits off the kind of the offer alone."""
    run_command_line(["completion", "fish"])
    assert 'string split --max 1 "," $completion' in capsys.readouterr().out


@pytest.mark.parametrize("words", ["plexsync retry ", "plexsync run --library "])
def test_damage_offers_nothing_and_says_nothing(tmp_path: Path, words: str) -> None:
    """A traceback in the middle of a command line helps nobody."""
    (tmp_path / "state.json").write_bytes(b"{")
    (tmp_path / "config.toml").write_bytes(b"\xff=")
    environ = {
        "PLEXSYNC_STATE_DIR": str(tmp_path),
        "PLEXSYNC_CONFIG": str(tmp_path / "config.toml"),
    }

    assert offered(words, environ) == []


def test_runs_are_offered_where_a_run_is_asked_for(state: Path) -> None:
    """To look at one, and to take one back."""
    environ = {"PLEXSYNC_STATE_DIR": str(state)}

    assert offered("plexsync undo 2026", environ) == ["20261122T083354Z-0001"]
    assert offered("plexsync history 2026", environ) == ["20261122T083354Z-0001"]
    assert offered("plexsync undo ", environ)[0] == "last"


def test_runs_are_offered_newest_first(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that left a journal; other files there are none."""
    with open_session(state, now=NOW) as session:
        begin(session, 2)
        end(session)
    (state / "journal" / "notes.jsonl").touch()
    monkeypatch.setenv("PLEXSYNC_STATE_DIR", str(state))
    context = cli.make_context("plexsync", [], resilient_parsing=True)

    offers = [one.value for one in complete_runs(context, cli.params[0], "2026")]

    assert offers == ["20261122T083454Z-0002", "20261122T083354Z-0001"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It asks through the variable that plexsync answers to."""
    assert run_command_line(["completion", shell]) == ExitCode.OK

    script = capsys.readouterr().out
    assert f"_PLEXSYNC_COMPLETE={shell}_complete" in script
    assert "plexsync" in script


@pytest.mark.parametrize("arguments", [[], ["tcsh"]], ids=["none", "unknown"])
def test_other_shells_are_wrong_usage(arguments: list[str]) -> None:
    """The three there are stand in the message."""
    assert run_command_line(["completion", *arguments]) == ExitCode.USAGE
