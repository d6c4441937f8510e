"""`plexsync config`: what counts, where it comes from, all that is wrong, and the file's schema."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from plexsync.cli import run_command_line
from plexsync.config.configuration import KEYS, MINIMAL
from plexsync.config.loader import load_config
from plexsync.config.reference import config_schema
from plexsync.errors import ExitCode
from tests.support.terminals import plain, run_plexsync
from tests.support.toml_schema import fits

CANARY = "canary-7f3a9c"
DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(name="config")
def make_config(tmp_path: Path) -> Path:
    """A good configuration with a secret in it."""
    file = tmp_path / "config.toml"
    file.write_text(
        f'[stash]\nurl = "http://s:9999"\n[plex]\nurl = "http://p"\ntoken = "{CANARY}"\n'
        '[[paths]]\nstash = "/data/"\nplex = "/media/"\n[fields]\ntitle = "fill"\n',
        "utf-8",
    )
    file.chmod(0o600)
    return file


def document_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:  # noqa: ANN401 - JSON
    """The document a command prints."""
    code = run_command_line(["config", *map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out) | {"code": code}


def test_every_value_is_shown_with_its_origin(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """File and line, variable, default; every key once, and the path rules."""
    monkeypatch.setenv("PLEXSYNC_PLEX__LIBRARIES", "A,B")

    found = document_of(capsys, "show", "-c", config)

    shown = {one["key"]: (one["value"], one["origin"]) for one in found["settings"]}
    assert {key.name for key in KEYS} | {"paths"} == shown.keys()
    assert shown["stash.url"] == ('"http://s:9999"', f"{config}:2")
    assert shown["plex.libraries"] == ('["A", "B"]', "PLEXSYNC_PLEX__LIBRARIES")
    assert shown["match.strict_matching"] == ("true", "default")
    assert shown["stash.api_key"] == (None, "default")
    assert shown["plex.token"] == ("***", f"{config}:5")
    assert found["file"] == str(config)


def test_only_what_was_changed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--changed` leaves out defaults."""
    found = document_of(capsys, "show", "--changed", "-c", config)

    keys = [one["key"] for one in found["settings"]]
    assert keys == ["stash.url", "plex.url", "plex.token", "fields.title", "paths"]


@pytest.mark.parametrize("width", [60, 79, 80, 200])
def test_no_key_is_broken_in_two_at_any_usual_width(config: Path, width: int) -> None:
    """Who looks for a key finds it: narrow terminals get lines instead of columns."""
    shown = run_plexsync(
        ["config", "show", "-c", str(config)], {}, terminals=("stdout",), width=width
    )

    text = plain(shown.out)
    assert all(key.name in text for key in KEYS)
    assert max(map(len, text.splitlines())) <= width


def test_a_pipe_gets_lines_and_a_terminal_a_table(config: Path) -> None:
    """Without the secret, within the width."""
    piped = run_plexsync(["config", "show", "-c", str(config)], {})
    shown = run_plexsync(["config", "show", "-c", str(config)], {}, terminals=("stdout",), width=60)

    assert f'stash.url\t"http://s:9999"\t{config}:2' in piped.out.splitlines()
    assert max(map(len, plain(shown.out).splitlines())) <= 60
    assert "plex.token = " in plain(shown.out)
    assert f"  from {config}:2" in plain(shown.out).replace("\n", "")
    assert CANARY not in piped.out + piped.err + shown.out


def test_the_path_is_shown_there_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where an editor would have to make it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert run_command_line(["config", "path"]) == ExitCode.OK

    where = tmp_path / "plexsync" / "config.toml"
    assert capsys.readouterr().out == f"{where}\n"
    about = {"schema": "plexsync/config-path/1", "path": str(where), "code": ExitCode.OK}
    assert document_of(capsys, "path") == {**about, "exists": False}

    where.parent.mkdir()
    where.touch()
    assert document_of(capsys, "path") == {**about, "exists": True}

    monkeypatch.setenv("XDG_CONFIG_HOME", f"/{'x' * 300}")  # nobody can look at it
    assert document_of(capsys, "path")["exists"] is False


def test_a_good_configuration_is_right(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In words and as a document; a warning is no problem."""
    config.chmod(0o644)

    assert run_command_line(["config", "validate", "-c", str(config)]) == ExitCode.OK
    out, err = capsys.readouterr()
    found = document_of(capsys, "validate", "-c", config)

    assert out == f"{config} is right.\n"
    assert "everybody may read it" in err
    assert (found["valid"], found["problems"], found["code"]) == (True, [], ExitCode.OK)
    assert len(found["warnings"]) == 1


def test_every_problem_is_reported(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With place and remedy, exit 2, no secret."""
    config.write_text(config.read_text("utf-8") + 'titel = "x"\ndate = "merge"\n', "utf-8")

    found = document_of(capsys, "validate", "-c", config)
    code = run_command_line(["config", "validate", "-c", str(config)])

    out, err = capsys.readouterr()
    assert code == found["code"] == ExitCode.USAGE
    assert not found["valid"]
    assert [one["place"] for one in found["problems"]] == [
        f"{config}:11 > [fields] > titel",
        f"{config}:12 > [fields] > date",
    ]
    assert all(one["message"] and one["remedy"] for one in found["problems"])
    assert out == ""
    assert "titel" in err
    assert CANARY not in err + json.dumps(found)


def test_no_configuration_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    """The document says so, too."""
    found = document_of(capsys, "validate")

    assert found["code"] == ExitCode.USAGE
    assert [one["message"] for one in found["problems"]] == ["there is no configuration yet"]


# ---- The schema ----------------------------------------------------------------------------------


def nested(key: str, value: object) -> dict[str, object]:
    """A document with one key."""
    first, _, rest = key.partition(".")
    return {first: nested(rest, value) if rest else value}


@pytest.mark.parametrize("key", [key for key in KEYS if key.default], ids=lambda key: str(key.name))
def test_every_default_fits_the_schema(key: Any) -> None:  # noqa: ANN401 - a Key
    """Written out, where a file would have it."""
    value = tomllib.loads(f"x = {key.default}")["x"]

    assert fits(nested(key.name, value), config_schema())


def documented() -> list[str]:
    """Every TOML example of the pages about this version."""
    pages = [DOCS / "configuration.md", DOCS.parent / "README.md"]
    text = "\n".join(page.read_text("utf-8") for page in pages)
    return [MINIMAL, *re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("text", documented())
def test_every_example_fits_the_schema(text: str) -> None:
    """What a person may copy is not underlined by an editor."""
    assert fits(tomllib.loads(text), config_schema())


@pytest.mark.parametrize(
    "text",
    [
        "[stash]\nurll = 'x'",
        "[frob]",
        "frob = 1",
        "[stash]\nurl = 1",
        "[stash]\nmissing_timestamp = 'maybe'",
        "[plex]\nlibraries = 'Scenes'",
        "[plex]\nlibraries = [1]",
        "[plex]\ntoken = { file = 'a', env = 'b' }",
        "[plex]\ntoken = { keyring = 'a' }",
        "[plex]\ntoken = { command = [] }",
        "[apply]\nmax_changes = -1",
        "[apply]\nmax_changes = 1.5",
        "[apply]\nlock_fields = 'yes'",
        "[fields]\ntitle = 'sometimes'",
        "[fields]\ntags = { policy = 'merge', too = 'label' }",
        "[[paths]]\nstash = '/data'",
        "[paths]\nstash = '/data'\nplex = '/media'",
    ],
)
def test_what_is_wrong_does_not_fit_the_schema(text: str, tmp_path: Path) -> None:
    """And plexsync refuses it as well."""
    config = tmp_path / "c.toml"
    config.write_text(text, "utf-8")

    assert not fits(tomllib.loads(text), config_schema())
    with pytest.raises(Exception, match=r"."):
        load_config(config, {}, home=tmp_path)


def test_the_schema_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Ready to be saved."""
    assert run_command_line(["config", "schema"]) == ExitCode.OK

    assert json.loads(capsys.readouterr().out) == config_schema()
