"""Atomic replacement on a real disk: all or nothing, private, and errors that say what to do."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexsync.errors import ExitCode, StateError
from plexsync.storage.filesystem import (
    DISK,
    Filesystem,
    read_if_there,
    read_pieces,
    state_errors,
    write_atomically,
    write_pieces,
)
from tests.support.disk_faults import FaultyDisk, MemoryDisk, Strike, dice
from tests.support.one_process import PointDisk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[0o000, 0o022, 0o377], ids=["open", "usual", "closed"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """A umask, put back afterwards."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode_of(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_files_and_directories_are_private_whatever_the_umask(tmp_path: Path) -> None:
    """Files are 0600 and every directory made on the way is 0700."""
    directory = tmp_path / "a" / "b"

    DISK.make_directory(directory)
    write_atomically(DISK, directory / "file", [b"content"])

    assert mode_of(directory / "file") == 0o600
    assert (mode_of(directory), mode_of(directory.parent)) == (0o700, 0o700)


def test_directory_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    """Whoever made the directory, for a container say, decided about its mode."""
    tmp_path.chmod(0o755)

    DISK.make_directory(tmp_path)

    assert mode_of(tmp_path) == 0o755


def test_previous_content_is_kept_beside(tmp_path: Path) -> None:
    """The content before can be asked for, and only that is beside the file afterwards."""
    path, previous = tmp_path / "file", tmp_path / "file.previous"
    write_atomically(DISK, path, [b"one"], previous=previous)

    write_atomically(DISK, path, [b"tw", b"o"], previous=previous)

    assert (path.read_bytes(), previous.read_bytes()) == (b"two", b"one")
    assert DISK.names(tmp_path) == ("file", "file.previous")


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_failed_replacement_leaves_the_file_as_it_was(tmp_path: Path, at: int) -> None:
    """Create, write, sync and rename may fail; the content stays, and no draft is left."""
    path = tmp_path / "file"
    write_atomically(DISK, path, [b"one"])

    with pytest.raises(StateError):
        write_atomically(FaultyDisk(DISK, at=at, strike=Strike.FULL), path, [b"two"])

    assert path.read_bytes() == b"one"
    assert DISK.names(tmp_path) == ("file",)


def test_replacement_is_durable_on_return() -> None:
    """After any power cut the new content is there, under its name."""
    disk, path = MemoryDisk(), Path("/nowhere/file")
    write_atomically(disk, path, [b"one"])

    write_atomically(disk, path, [b"two"], previous=path.with_name("previous"))

    for seed in range(20):
        assert disk.after_power_cut(dice(seed)).content()[path] == b"two"


class StubbornDisk(MemoryDisk):
    """Refuses to give a draft its name."""

    def replace(self, source: Path, target: Path) -> None:
        """See `MemoryDisk`."""
        if source.name.endswith(".tmp"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().replace(source, target)


def test_failed_second_rename_takes_back_the_first() -> None:
    """With the content before moved aside already, it is moved back."""
    disk, path = StubbornDisk(), Path("/nowhere/file")
    disk.write(disk.create(path), b"one")

    with pytest.raises(StateError, match="input/output error"):
        write_atomically(disk, path, [b"two"], previous=path.with_name("previous"))

    assert disk.content() == {path: b"one"}


def test_draft_of_a_killed_run_is_no_obstacle(tmp_path: Path) -> None:
    """What a run killed while writing left behind is overwritten."""
    (tmp_path / "file.tmp").write_bytes(b"half")

    write_atomically(DISK, tmp_path / "file", [b"whole"])

    assert DISK.names(tmp_path) == ("file",)


def test_absent_file_is_none_and_unreadable_one_an_error(tmp_path: Path) -> None:
    """Only "no such file" reads as absence."""
    assert read_if_there(DISK, tmp_path / "file") is None

    with pytest.raises(StateError, match="is a directory"):
        read_if_there(DISK, tmp_path)


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "PLEXSYNC_STATE_DIR"),
        (errno.EPERM, "PLEXSYNC_STATE_DIR"),
        (errno.EIO, "check it"),
        (errno.ENOTDIR, "Check that"),
    ],
    ids=lambda value: errno.errorcode[value] if isinstance(value, int) else "",
)
def test_disk_errors_say_what_where_and_what_to_do(tmp_path: Path, number: int, hint: str) -> None:
    """The reason is the system's, the place ours, the way out fits the reason; exit code 9."""
    with pytest.raises(StateError) as caught, state_errors("write", tmp_path):
        raise OSError(number, os.strerror(number))

    error = caught.value
    assert str(error) == f"{tmp_path}: cannot write: {os.strerror(number).lower()}"
    assert hint in error.hint
    assert error.exit_code is ExitCode.LOCAL_FILES


def test_directory_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    """A file where a directory should be is an error, not a directory."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OSError, match="Not a directory"):
        DISK.make_directory(tmp_path / "file" / "deeper")


@pytest.mark.parametrize("disk", [FaultyDisk, MemoryDisk, PointDisk])
def test_a_disk_of_the_tests_does_every_operation_itself(disk: type[Filesystem]) -> None:
    """One it left to its base would go to the real disk, past what the test means to break."""
    operations = {name for name in vars(Filesystem) if not name.startswith("_")}
    assert operations - vars(disk).keys() == set()


# ---- Caches --------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=600), max_size=5))
def test_pieces_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    """None torn apart, none joined, whatever was in the file before."""
    path = tmp_path_factory.getbasetemp() / "pieces" / "cache"
    write_pieces(path, pieces)
    assert list(read_pieces(path)) == pieces


def test_no_damaged_pieces_pass_for_whole_ones(tmp_path: Path) -> None:
    """Cut off anywhere, with any byte changed, with one too many, or of another file."""
    path = tmp_path / "cache"
    write_pieces(path, [b"a", b"bc", b"\xff" * 8, bytes(20)])
    whole = path.read_bytes()
    damaged = [whole[:at] for at in range(len(whole))]
    damaged += [
        whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
        for at in range(len(whole))
        for bit in (1, 128)
    ]
    for content in (*damaged, whole + b"\x00", whole + whole):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="cache"):
            list(read_pieces(path))
