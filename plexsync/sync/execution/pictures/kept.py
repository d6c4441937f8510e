"""Posters of collections that are to go, kept by their checksum until no undo can want them back.

Plex forgets a picture with its collection, and Stash may have forgotten what it was made from.
"""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING

from plexsync.planning.picture_policy import UPLOADED
from plexsync.state import journal_runs, read_if_there, state_errors, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.state import Filesystem

DIRECTORY = "pictures"
"""Below the state directory; each file is called `<run id>.<checksum>`."""

_DIGITS = 40


class KeptPictures:
    """Keeps pictures as long as the journal of the run that took them away.

    Args:
        directory: the state directory.
        run_id: this run's.
        disk: where to read and write.
    """

    def __init__(self, directory: Path, run_id: str, disk: Filesystem) -> None:
        self._directory = directory
        self._place = directory / DIRECTORY
        self._run_id = run_id
        self._disk = disk

    def keep(self, key: str, body: bytes) -> None:
        """Keep an uploaded picture, and let go of those no journal names any more.

        Bytes that are not what the key says are not kept.

        Raises:
            StateError: they cannot be written.
        """
        digest = _digest_in(key)
        if not digest or _digest_of(body) != digest:
            return
        with state_errors("create", self._place):
            self._disk.make_directory(self._place)
        write_atomically(self._disk, self._place / f"{self._run_id}.{digest}", (body,))
        self._let_go()

    def get(self, key: str) -> bytes | None:
        """Return the bytes of an uploaded picture; None where they are not kept.

        Raises:
            StateError: they cannot be read.
        """
        digest = _digest_in(key)
        for name in self._names() if digest else ():
            if name.endswith(f".{digest}"):
                body = read_if_there(self._disk, self._place / name)
                if body is not None and _digest_of(body) == digest:
                    return body
        return None

    def _let_go(self) -> None:
        known = {*journal_runs(self._directory, self._disk), self._run_id}
        for name in self._names():
            if name.partition(".")[0] not in known:
                with state_errors("remove", self._place):
                    self._disk.remove(self._place / name)

    def _names(self) -> tuple[str, ...]:
        with state_errors("read", self._place):
            return self._disk.names(self._place)


def _digest_of(body: bytes) -> str:
    return sha1(body, usedforsecurity=False).hexdigest()


def _digest_in(key: str) -> str:
    """Return the checksum in the key of an uploaded picture; "" for none."""
    digest = key.rpartition("/")[2]
    is_one = key.startswith(UPLOADED) and len(digest) == _DIGITS and digest.isalnum()
    return digest if is_one else ""
