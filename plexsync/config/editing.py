"""Adding a path rule to the configuration file, and taking it out again; all else stays."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from plexsync.errors import ConfigError
from plexsync.text.toml import rule_table, rules_text

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.models import PathRule


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
    except tomllib.TOMLDecodeError as error:
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
