"""The help of the command line: what to begin with comes first, and common options stand once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from plexsync.cli import cli, run_command_line
from plexsync.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What `--help` prints."""
    assert run_command_line([*words, "--help"]) == ExitCode.OK
    return capsys.readouterr().out


def test_commands_stand_in_groups_and_init_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Before any option; what Stash calls is not shown; every other command is, once."""
    text = help_of(capsys)
    titles = re.findall(r"^(\w[\w ]*):$", text, re.MULTILINE)
    assert titles == ["Start", "Every day", "Look back", "Files and scripts", "Options"]
    names = re.findall(r"^  ([a-z]+)  ", text, re.MULTILINE)
    assert names[:3] == ["init", "doctor", "demo"]
    assert sorted(names) == sorted({*cli.commands} - {"hook"})


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_common_options_are_shown_once(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """In the help of the whole; a command says where they are, and takes them all the same."""
    text = help_of(capsys, name)
    assert "--no-color  " not in text
    assert "plexsync --help" in " ".join(text.split())
    assert "--no-color" in help_of(capsys)
    assert {"--json", "--config"} <= {
        word for one in cli.commands[name].params for word in one.opts
    }


@pytest.mark.parametrize(
    "command", ["run", "doctor", "schedule cron", "config show", "review list"]
)
def test_without_a_configuration_init_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    """The first thing to do, before anything to write by hand."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLEXSYNC_STATE_DIR", str(tmp_path / "state"))
    assert run_command_line(command.split()) == ExitCode.USAGE
    printed = capsys.readouterr()
    text = printed.out + printed.err
    assert "plexsync init" in text
    assert "[stash]" not in text
