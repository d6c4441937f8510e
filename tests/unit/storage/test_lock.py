"""One process holds the lock, others learn which one, and it is free the moment that one ends."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import ExitCode, StateError, StateLockedError
from plexsync.storage.locations import hold_lock, read_holder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SINCE = "2026-11-22T08:32:54Z"

CHILD = """
import sys
from pathlib import Path
from plexsync.storage.locations import hold_lock
with hold_lock(Path(sys.argv[1]), since="2026-11-22T08:00:00Z"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_by_another_process(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lock until its standard input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def test_second_process_learns_who_holds_the_lock(tmp_path: Path) -> None:
    """The error names the process and since when, and ends in exit code 8."""
    with (
        held_by_another_process(tmp_path) as child,
        pytest.raises(StateLockedError) as caught,
        hold_lock(tmp_path, since=SINCE),
    ):
        pytest.fail("two processes hold the lock")

    error = caught.value
    assert f"process {child.pid} on " in error.message
    assert "since 2026-11-22T08:00:00Z" in error.message
    assert f"end process {child.pid}" in error.hint
    assert error.context == str(tmp_path / "lock")
    assert error.exit_code is ExitCode.LOCKED


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """The operating system frees it; the note left behind decides nothing."""
    with held_by_another_process(tmp_path) as child:
        child.kill()
        child.wait()

    with hold_lock(tmp_path, since=SINCE):
        holder = read_holder(tmp_path)

    assert holder is not None
    assert holder.pid == os.getpid()


def test_waiting_gets_the_lock_when_the_other_ends(tmp_path: Path) -> None:
    """With time to wait, the end of the other run is enough."""
    with held_by_another_process(tmp_path) as child:
        assert child.stdin is not None
        child.stdin.close()

        with hold_lock(tmp_path, since=SINCE, wait_s=30.0):
            pass


def test_waiting_in_vain_says_how_long(tmp_path: Path) -> None:
    """The error tells the time that was spent."""
    with (
        held_by_another_process(tmp_path),
        pytest.raises(StateLockedError, match=r"after 0\.05 s"),
        hold_lock(tmp_path, since=SINCE, wait_s=0.05),
    ):
        pytest.fail("two processes hold the lock")


def test_released_lock_leaves_its_file_and_no_note(tmp_path: Path) -> None:
    """The file is never deleted; nobody is named who does not hold it."""
    with hold_lock(tmp_path, since=SINCE):
        assert (tmp_path / "lock.holder").exists()

    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600
    assert read_holder(tmp_path) is None


def test_a_note_that_a_killed_run_left_is_replaced_not_written_into(tmp_path: Path) -> None:
    """It may be another user's, a link, or open to all; what is left is ours alone."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    (tmp_path / "lock.holder").symlink_to(elsewhere)
    with hold_lock(tmp_path, since=SINCE):
        note = (tmp_path / "lock.holder").lstat()

    assert stat.S_ISREG(note.st_mode)
    assert stat.S_IMODE(note.st_mode) == 0o600
    assert elsewhere.read_bytes() == b"mine"


@pytest.mark.parametrize("note", [b"", b"{", b'{"pid": "x"}', b"\xff", b'{"pid":1,"since":"\xff"}'])
def test_unreadable_note_still_means_locked(tmp_path: Path, note: bytes) -> None:
    """Without a note we cannot say who it is, but we do not doubt that it is held."""
    with held_by_another_process(tmp_path):
        (tmp_path / "lock.holder").write_bytes(note)

        with (
            pytest.raises(StateLockedError, match=r"still holds the lock$"),
            hold_lock(tmp_path, since=SINCE),
        ):
            pytest.fail("two processes hold the lock")


def test_lock_file_that_cannot_be_used_is_a_state_error(tmp_path: Path) -> None:
    """A directory in its place is no other run."""
    (tmp_path / "lock").mkdir()

    with (
        pytest.raises(StateError) as caught,
        hold_lock(tmp_path, since=SINCE),
    ):
        pytest.fail("a directory was locked")

    assert caught.value.exit_code is ExitCode.LOCAL_FILES
    assert caught.value.context == str(tmp_path / "lock")


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o750])
def test_a_directory_of_ones_own_is_used(tmp_path: Path, mode: int) -> None:
    """Others may read; what they may not is write."""
    tmp_path.chmod(mode)
    with hold_lock(tmp_path, since=SINCE):
        pass


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
def test_a_directory_everybody_writes_to_is_refused(tmp_path: Path, mode: int) -> None:
    """Whoever can write there decides what is written to Plex; the remedy is a command."""
    tmp_path.chmod(mode)
    with (
        pytest.raises(StateError, match="everybody can write") as caught,
        hold_lock(tmp_path, since=SINCE),
    ):
        pytest.fail("the directory was used")
    assert caught.value.exit_code is ExitCode.LOCAL_FILES
    assert f"chmod go-w {tmp_path}" in caught.value.hint
    assert "PLEXSYNC_STATE_DIR" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_group_may_write_only_if_it_is_its_owners_own(tmp_path: Path) -> None:
    """Many systems give everybody a group and umask 002; another group is others."""
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    for directory in (own, foreign):
        directory.mkdir()
        directory.chmod(0o770)
    with hold_lock(own, since=SINCE):
        pass
    if os.getuid() == 0:
        os.chown(foreign, -1, 12345)
        with (
            pytest.raises(StateError, match="the group 12345 can write"),
            hold_lock(foreign, since=SINCE),
        ):
            pytest.fail("the directory was used")


def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock is made up that a killed run would leave behind."""

    def missing(_handle: int, _operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", missing)
    with (
        pytest.raises(StateError, match="cannot lock files") as caught,
        hold_lock(tmp_path, since=SINCE),
    ):
        pytest.fail("two runs could write at once")
    assert "local disk" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir() if path.name != "lock"] == []
