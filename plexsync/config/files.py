"""The configuration file: made of a person's answers, and a path rule added to one of theirs."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.errors import ConfigError, StateError
from plexsync.state import DISK, OTHER_FILE, mode_of, require_place, state_errors
from plexsync.text.toml import rule_table, rules_text, toml_string, toml_value

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.models import PathRule

STASH_URL = "http://localhost:9999"
PLEX_URL = "http://localhost:32400"
TOKEN_FILE = "plex-token"  # noqa: S105 - the name of a file
UNKNOWN_TOKEN = "unknown"  # noqa: S105 - stands for a token until there is one

_MOST_TOKEN_FILES = 100


@dataclass(slots=True, kw_only=True)
class Answers:
    """A person's answers."""

    stash_url: str = STASH_URL
    api_key: str = ""
    plex_url: str = PLEX_URL
    token: str = UNKNOWN_TOKEN
    libraries: tuple[str, ...] = ()
    rules: tuple[PathRule, ...] = ()
    keeps_edits: bool = True


def require_absent(path: Path) -> None:
    """Make sure that there is no configuration yet, and that one can be made.

    Args:
        path: where it would be.

    Raises:
        ConfigError: there is one.
        StateError: that cannot be seen, or none can be made there.
    """
    with state_errors("read", path, elsewhere=OTHER_FILE):
        is_there = mode_of(path, follow_symlinks=False)
    if is_there:
        raise ConfigError(
            "there is a configuration already",
            context=str(path),
            hint="Edit it, or move it away; plexsync config validate checks it.",
        )
    require_place(path)


def config_text(answers: Answers, *, token_file: str = "") -> str:
    """Return the configuration file.

    Args:
        answers: what it says.
        token_file: where the token is; "" writes the token itself.
    """
    token = toml_value({"file": token_file}) if token_file else toml_string(answers.token)
    lines = ["# Every key: plexsync config show. What each means: docs/configuration.md.", ""]
    lines += ["[stash]", f"url = {toml_string(answers.stash_url)}"]
    if answers.api_key:
        lines.append(f"api_key = {toml_string(answers.api_key)}")
    lines += ["", "[plex]", f"url = {toml_string(answers.plex_url)}", f"token = {token}"]
    if answers.libraries:
        lines.append(f"libraries = {toml_value(answers.libraries)}")
    lines += ["", "[apply]", f"preserve_plex_edits = {toml_value(answers.keeps_edits)}"]
    return "\n".join((*lines, "", rules_text(answers.rules))).rstrip() + "\n"


def write_setup(path: Path, answers: Answers) -> Path:
    """Write the token into a file of its own beside `path`, then the configuration.

    Returns:
        Where the token is.

    Raises:
        StateError: one of them cannot be written, or came into being meanwhile.
    """
    token = _write_token(path.parent, answers.token)
    try:
        write_config(path, config_text(answers, token_file=token.name))
    except BaseException:
        DISK.remove(token)
        raise
    return token


def write_config(path: Path, text: str) -> None:
    """Write a file only its owner can read, and never over another one.

    Raises:
        StateError: it cannot be written, or came into being meanwhile.
    """
    with state_errors("create", path, elsewhere=OTHER_FILE):
        DISK.make_directory(path.parent)
        handle = DISK.create(path)
        try:
            DISK.write(handle, text.encode())
            DISK.sync(handle)
        except BaseException:
            DISK.remove(path)
            raise
        finally:
            DISK.close(handle)


def add_path_rule(path: Path, rule: PathRule) -> None:
    """Append a rule. The file is replaced as a whole, or stays as it was.

    Raises:
        ConfigError: the file cannot be read or written, or its rules are written in a way that
            cannot be added to.
    """
    text = _read(path)
    joint = "" if not text or text.endswith("\n") else "\n"
    added = f"{text}{joint}\n{rules_text((rule,))}"
    try:
        before, after = tomllib.loads(text), tomllib.loads(added)
    except (ValueError, RecursionError) as error:  # see `Sources`: some of what is no TOML passes
        raise _by_hand(path, rule, "it cannot be added to as it is written") from error
    wanted = {"stash": rule.stash, "plex": rule.plex}
    if after != {**before, "paths": [*before.get("paths", []), wanted]}:
        raise _by_hand(path, rule, "it cannot be added to as it is written")
    _replace(path, added, rule)


def remove_path_rule(path: Path, rule: PathRule) -> None:
    """Take out what `add_path_rule` appended.

    Raises:
        ConfigError: the file was changed since, or cannot be written.
    """
    text = _read(path)
    tail = f"\n{rules_text((rule,))}"
    if not text.endswith(tail):
        raise ConfigError(
            "the configuration was changed since, so the rule stays",
            context=str(path),
            hint="take it out by hand",
        )
    _replace(path, text.removesuffix(tail), rule)


# ---- Private -------------------------------------------------------------------------------------


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("the configuration cannot be read", context=str(path)) from error


def _replace(path: Path, text: str, rule: PathRule) -> None:
    """Write beside the file and rename, keeping its mode; a link stays a link."""
    real = path.resolve()
    draft = real.with_name(f".{real.name}.new")
    try:
        mode = real.stat().st_mode & 0o777
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(real)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise _by_hand(path, rule, f"it cannot be written: {error.strerror}") from error


def _by_hand(path: Path, rule: PathRule, why: str) -> ConfigError:
    return ConfigError(
        f"{path.name}: {why}", context=str(path), hint=f"Add it by hand: {rule_table(rule)}"
    )


def _write_token(folder: Path, token: str) -> Path:
    """Write `plex-token`, or `plex-token-2` and so on where one is left from before."""
    for number in range(1, _MOST_TOKEN_FILES):
        path = folder / (TOKEN_FILE if number == 1 else f"{TOKEN_FILE}-{number}")
        if not mode_of(path, follow_symlinks=False):
            write_config(path, f"{token}\n")
            return path
    raise StateError(f"there are {_MOST_TOKEN_FILES} files of tokens already", context=str(folder))
