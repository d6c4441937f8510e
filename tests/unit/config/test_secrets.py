"""Secrets: every source works, every failure is reported, and no output holds a value."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import sys
import traceback
from typing import TYPE_CHECKING

import msgspec
import pytest

from plexsync.config.loader import load_config
from plexsync.config.secrets import Secret, SecretReader
from plexsync.config.sources import InvalidConfigError
from plexsync.errors import ParseError

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.config.configuration import Config

CANARY = "canary-5f2d81c0"
SERVERS = '[stash]\nurl = "http://stash:9999"\n[plex]\nurl = "http://plex:32400"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory of this test alone."""
    return tmp_path


def secret_file(path: Path, content: bytes = CANARY.encode() + b"\n", mode: int = 0o600) -> Path:
    """A file with a secret, for its owner only unless its test asks otherwise."""
    path.write_bytes(content)
    path.chmod(mode)
    return path


def load(
    home: Path, token: str, environ: dict[str, str] | None = None, mode: int = 0o600
) -> Config:
    """Load a configuration with a token written so."""
    path = home / "config.toml"
    path.write_text(SERVERS + (f"token = {token}\n" if token else ""), "utf-8")
    path.chmod(mode)
    return load_config(path, environ or {}, home=home)


def problem(home: Path, token: str, environ: dict[str, str] | None = None) -> str:
    """The one problem of a token written so; no trace of it holds the canary."""
    with pytest.raises(InvalidConfigError) as caught:
        load(home, token, environ)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    (only,) = caught.value.problems
    assert only.remedy
    return f"{only.place.removeprefix(f'{home}/')}: {only.message}"


def python(script: str) -> str:
    """A secret that a small program prints."""
    return f'{{ command = ["{sys.executable}", "-c", "{script}"] }}'


# ---- Sources -------------------------------------------------------------------------------------


def test_a_plain_text_is_the_secret(home: Path) -> None:
    """The simplest way works."""
    assert load(home, f'"{CANARY}"').plex.token.reveal() == CANARY


def test_a_file_is_read_beside_the_configuration(home: Path) -> None:
    """Relative to it, below the home directory, or absolute; spaces around it are cut."""
    path = secret_file(home / "token", b"\xef\xbb\xbf " + CANARY.encode() + b" \r\n")
    for name in ("token", "~/token", str(path)):
        assert load(home, f'{{ file = "{name}" }}').plex.token.reveal() == CANARY


def test_a_variable_names_another(home: Path) -> None:
    """`{ env }` reads any variable."""
    config = load(home, '{ env = "MY_TOKEN" }', {"MY_TOKEN": CANARY})
    assert config.plex.token.reveal() == CANARY


def test_a_command_prints_the_secret(home: Path) -> None:
    """Without a shell, with the given environment."""
    token = python("import os; print(os.environ['T'])")
    assert load(home, token, {"T": CANARY}).plex.token.reveal() == CANARY


def test_systemd_hands_over_a_credential(home: Path) -> None:
    """`LoadCredential=` puts it below $CREDENTIALS_DIRECTORY."""
    secret_file(home / "plex")
    config = load(home, '{ credential = "plex" }', {"CREDENTIALS_DIRECTORY": str(home)})
    assert config.plex.token.reveal() == CANARY


@pytest.mark.parametrize("name", ["PLEXSYNC_PLEX__TOKEN_FILE", "PLEXSYNC_STASH__API_KEY_FILE"])
def test_a_variable_can_name_the_file(home: Path, name: str) -> None:
    """As containers hand over secrets."""
    environ = {name: str(secret_file(home / "secret"))}
    if "STASH" in name:
        environ["PLEXSYNC_PLEX__TOKEN"] = "other"
    config = load(home, "", environ)
    found = config.stash.api_key if "STASH" in name else config.plex.token
    assert found == Secret(CANARY)


def test_a_file_named_by_a_variable_is_relative_to_the_working_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable has no configuration file to be relative to."""
    (home / "elsewhere").mkdir()
    secret_file(home / "elsewhere" / "token")
    monkeypatch.chdir(home / "elsewhere")
    config = load(home, "", {"PLEXSYNC_PLEX__TOKEN_FILE": "token"})
    assert config.plex.token.reveal() == CANARY


# ---- Failures ------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_named(home: Path) -> None:
    """With the key that names it."""
    found = problem(home, '{ file = "nothing" }')
    assert found.startswith(f"config.toml:5 > [plex] > token: the file {home}/nothing cannot be")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (CANARY.encode() + b"\nsecond line\n", "no HTTP header can carry"),
        (b"two " + CANARY.encode(), "no HTTP header can carry"),
        (CANARY.encode() + b"\xff", "no HTTP header can carry"),
        (CANARY.encode() + "é".encode(), "no HTTP header can carry"),
        (b"x" * 70_000, "too large"),
    ],
    ids=["empty", "blank", "two lines", "two words", "not UTF-8", "not ASCII", "large"],
)
def test_a_file_that_holds_no_secret_is_an_error(home: Path, content: bytes, message: str) -> None:
    """The whole file is the secret, or it is none."""
    secret_file(home / "token", content)
    assert message in problem(home, '{ file = "token" }')


def test_a_folder_holds_no_secret(home: Path) -> None:
    """The system's own words say why."""
    assert "cannot be read (Is a directory)" in problem(home, '{ file = "." }')


@pytest.mark.parametrize(
    ("token", "environ", "message"),
    [
        ('""', {}, "is empty"),
        ('{ env = "GONE" }', {}, "variable GONE is not set"),
        ('{ env = "BLANK" }', {"BLANK": " "}, "variable BLANK is not set"),
        ('{ credential = "plex" }', {}, "no $CREDENTIALS_DIRECTORY"),
        ('{ credential = "../plex" }', {"CREDENTIALS_DIRECTORY": "/"}, "a name without /"),
        ('{ credential = "gone" }', {"CREDENTIALS_DIRECTORY": "/nowhere"}, "cannot be read"),
        ("{ command = [] }", {}, "a command is a list of texts"),
        ('{ command = "pass show" }', {}, "a command is a list of texts"),
        ('{ command = ["/nowhere/pass"] }', {}, "/nowhere/pass cannot be started"),
        (f'{{ file = "x", env = "{CANARY}" }}', {}, "has one source"),
        (f'{{ vault = "{CANARY}" }}', {}, "no source of a secret"),
        ("{ file = 5 }", {}, "file is a text"),
        ('{ file = "" }', {}, "file is a text"),
        (f'["{CANARY}"]', {}, "is a text or a table"),
        ("5", {}, "is a text or a table"),
        ("{}", {}, "has one source"),
    ],
)
def test_a_source_that_does_not_work_says_why(
    home: Path, token: str, environ: dict[str, str], message: str
) -> None:
    """Nothing it could have meant is repeated."""
    assert message in problem(home, token, environ)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (f"print('{CANARY}'); raise SystemExit(3)", "ended with 3"),
        ("pass", "is empty"),
        (f"print('{CANARY} and more')", "no HTTP header can carry"),
    ],
)
def test_a_command_that_fails_is_reported_without_its_output(
    home: Path, script: str, message: str
) -> None:
    """What a failing command printed may be half a secret."""
    found = problem(home, python(script))
    assert message in found
    assert "and more" not in found


def test_a_command_that_hangs_is_ended(home: Path) -> None:
    """A password manager that waits for somebody must not stop cron for ever."""
    reader = SecretReader({}, folder=home, home=home, warn=print, command_s=0.2)
    waiting = [sys.executable, "-c", "import signal; signal.pause()"]
    with pytest.raises(ParseError, match=r"took longer than 0\.2 s"):
        reader.read({"command": waiting})


def test_a_missing_secret_is_kept_apart_from_a_wrong_one(home: Path) -> None:
    """No token at all is a missing key."""
    assert problem(home, "") == "[plex] > token: is missing"


# ---- Permissions ---------------------------------------------------------------------------------


def test_a_secret_everybody_may_read_is_a_warning(home: Path) -> None:
    """It works, and the message says how to close it."""
    path = secret_file(home / "token", mode=0o644)
    config = load(home, '{ file = "token" }', mode=0o644)
    assert config.warnings == (
        f"{path} holds a secret and everybody may read it: chmod 600 {path}",
    )


def test_a_configuration_with_a_secret_in_it_is_one_too(home: Path) -> None:
    """Only when the secret itself stands there."""
    (warning,) = load(home, f'"{CANARY}"', mode=0o644).warnings
    assert warning.startswith(f"{home}/config.toml:5 holds a secret")
    assert CANARY not in warning
    assert load(home, "", {"PLEXSYNC_PLEX__TOKEN": CANARY}, mode=0o644).warnings == ()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
def test_a_secret_for_few_is_no_warning(home: Path, mode: int) -> None:
    """A group of the owner's choice may read it."""
    secret_file(home / "token", mode=mode)
    assert load(home, '{ file = "token" }').warnings == ()


# ---- Nothing shows it ----------------------------------------------------------------------------


def test_a_secret_shows_itself_only_when_asked(home: Path) -> None:
    """Not in any text a configuration turns into."""
    secret = Secret(CANARY)
    config = load(home, f'"{CANARY}"')
    shown = (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        repr([secret]),
        repr(config),
        str(config.settings),
        repr(dataclasses.asdict(config.plex)),
        repr(copy.copy(secret)),
        repr(copy.deepcopy(config.plex)),
    )
    assert [text for text in shown if CANARY in text] == []
    assert secret.reveal() == CANARY


def test_a_secret_cannot_be_written_by_accident() -> None:
    """No encoder gets at it."""
    with pytest.raises(TypeError):
        msgspec.json.encode(Secret(CANARY))
    with pytest.raises(TypeError):
        json.dumps(Secret(CANARY))
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY))


def test_what_reads_secrets_does_not_show_the_environment(home: Path) -> None:
    """A variable may hold the secret itself; it is in no text of the reader."""
    reader = SecretReader({"TOKEN": CANARY}, folder=home, home=home, warn=print)
    assert CANARY not in f"{reader!r} {reader}"
    assert reader.read({"env": "TOKEN"}).reveal() == CANARY


def test_secrets_compare_by_value() -> None:
    """Two configurations can be compared, and a secret is no text."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (f'"{CANARY}"', "***"),
        ('{ file = "token" }', '{ file = "token" }'),
        ('{ env = "T" }', '{ env = "T" }'),
        (python(f"print('{CANARY}')"), f'{{ command = ["{sys.executable}", ...] }}'),
    ],
)
def test_a_setting_shows_where_a_secret_comes_from(home: Path, token: str, shown: str) -> None:
    """Arguments of a command can be secrets themselves."""
    secret_file(home / "token")
    config = load(home, token, {"T": CANARY})
    (setting,) = [one for one in config.settings if one.key == "plex.token"]
    assert setting.value == shown


def test_a_reader_hands_over_what_it_read(home: Path) -> None:
    """The reader works without a configuration around it."""
    warnings: list[str] = []
    reader = SecretReader({}, folder=home, home=home, warn=warnings.append)
    secret_file(home / "token", mode=0o604)
    assert reader.read_file("token") == Secret(CANARY)
    assert len(warnings) == 1
