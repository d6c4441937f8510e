"""Ctrl-C while the program starts, and a machine without memory or open files: no traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from plexsync.app.announcing import exit_code_of
from plexsync.cli import run_command_line
from plexsync.errors import LOCAL_LIMITS, ExitCode, LocalLimitError, local_failure
from plexsync.state import state_errors

if TYPE_CHECKING:
    from pathlib import Path

INTERRUPTING = """
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
sys.argv = ["plexsync", "status"]
from plexsync.__main__ import main
main()
"""
MODULES = (
    "plexsync.cli",
    "click",
    "plexsync.commands.options",
    "plexsync.output.console",
    "plexsync.commands.status",
    "plexsync.output.status",
    "msgspec",
)
"""Some of what is imported on the way to an answer, from the first to the last."""

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({number}, {number}))
sys.argv = ["plexsync", "run"]
from plexsync.__main__ import main
main()
"""

EXHAUSTED = (
    MemoryError(),
    RuntimeError("can't start new thread"),
    *(OSError(number, os.strerror(number)) for number in sorted(LOCAL_LIMITS)),
)


def child(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run our own words in a fresh interpreter."""
    environ = {
        **os.environ,
        "PLEXSYNC_STASH__URL": "http://127.0.0.1:9",
        "PLEXSYNC_PLEX__URL": "http://127.0.0.1:9",
        "PLEXSYNC_PLEX__TOKEN": "token-of-tests",
        "PLEXSYNC_STATE_DIR": str(directory / "state"),
    }
    return subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        text=True,
        capture_output=True,
        env=environ,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("module", MODULES)
def test_ctrl_c_while_the_program_starts_ends_it_in_good_order(module: str, tmp_path: Path) -> None:
    """With 130, at most a sentence, and nothing left behind; whatever is just imported."""
    done = child(INTERRUPTING.format(module=module), tmp_path)
    assert done.returncode == ExitCode.INTERRUPTED, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.stderr.strip() in {"", "plexsync: interrupted: nothing was written to Plex"}
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("number", [4, 5, 6])
def test_too_few_open_files_are_a_limit_and_no_bug(number: int, tmp_path: Path) -> None:
    """Wherever they run out: in an import, at a file or at a connection."""
    done = child(LIMITED.format(number=number), tmp_path)
    assert done.returncode in {ExitCode.LOCAL_FILES, ExitCode.SERVER}, done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode == ExitCode.LOCAL_FILES:
        assert "ulimit -n" in done.stderr


@pytest.mark.parametrize("error", EXHAUSTED, ids=repr)
def test_what_this_machine_lacks_ends_every_command_in_words(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 9 and what to raise; messages about the run say the same."""

    @click.command()
    def command() -> None:
        raise error

    code = run_command_line([], command)
    shown = capsys.readouterr().err
    assert code == exit_code_of(error) == ExitCode.LOCAL_FILES
    assert "Traceback" not in shown
    assert "ulimit -n" in shown


def test_a_full_disk_says_what_to_do() -> None:
    """Free space: nothing is lost by it."""
    full = local_failure(OSError(errno.ENOSPC, "No space left on device"))
    assert full is not None
    assert (full.exit_code, "free space" in full.hint) == (ExitCode.LOCAL_FILES, True)
    assert local_failure(ValueError("a bug")) is None


def test_a_file_of_the_state_that_cannot_be_opened_for_a_limit(tmp_path: Path) -> None:
    """The file is named, and the limit; the file itself is well."""
    with (
        pytest.raises(LocalLimitError, match="cannot write") as caught,
        state_errors("write", tmp_path / "state.json"),
    ):
        raise OSError(errno.EMFILE, "Too many open files")
    assert caught.value.context == str(tmp_path / "state.json")
    assert "ulimit -n" in caught.value.hint
