"""Content hashes of Plex's files, read once: each costs a request of 0.1 to 0.2 s.

A hash is of one content, so it is kept under the part's id together with its size and the change
stamp in its key: where either moved, the hash is read again. The file may be deleted or damaged at
any time; then hashes are read again. Source: docs/plex-api.md 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import StateError
from plexsync.state import DISK, read_if_there, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from plexsync.models import PlexFile, PlexItem, RatingKey

_NAME = "hashes.json"
_MOST_KEPT = 200_000
"""Entries beyond which the oldest are let go: a file of some 10 MB."""


class _Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One hash, and what it was read of."""

    size_bytes: int | None
    changed_at: int
    oshash: int


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The file: entries by part id, of one server."""

    server: str
    parts: dict[int, _Entry]


class HashCache:
    """Reads content hashes, asking Plex only for what is not known yet.

    Args:
        ask: reads the hashes of items' parts from Plex.
        server: Plex's machine identifier; hashes of another server are not looked at.
        directory: the cache directory; None keeps nothing.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[RatingKey]], Mapping[int, int]],
        *,
        server: str,
        directory: Path | None,
    ) -> None:
        self._ask = ask
        self._server = server
        self._path = None if directory is None else directory / _NAME

    def read(self, items: Iterable[PlexItem]) -> dict[int, int]:
        """Part id to hash of the files of `items`; files Plex has not analysed are left out.

        Raises:
            ServerError: an item could not be read.
        """
        wanted = tuple(items)
        known = self._load()
        unknown = [
            item.rating_key
            for item in wanted
            if any(_known(known, file) is None for file in item.files)
        ]
        if unknown:
            fresh = self._ask(unknown)
            known |= {
                file.part_id: _Entry(file.size_bytes, file.changed_at, fresh[file.part_id])
                for item in wanted
                for file in item.files
                if file.part_id in fresh
            }
            self._keep(known)
        return {
            file.part_id: found
            for item in wanted
            for file in item.files
            if (found := _known(known, file)) is not None
        }

    def _load(self) -> dict[int, _Entry]:
        if self._path is None:
            return {}
        try:
            content = read_if_there(DISK, self._path)
            kept = msgspec.json.decode(content or b"", type=_Kept)
        except (StateError, msgspec.MsgspecError, ValueError):
            return {}
        return kept.parts if kept.server == self._server else {}

    def _keep(self, parts: dict[int, _Entry]) -> None:
        if self._path is None:
            return
        newest = dict(list(parts.items())[-_MOST_KEPT:])
        content = msgspec.json.encode(_Kept(server=self._server, parts=newest))
        try:
            DISK.make_directory(self._path.parent)
            write_atomically(DISK, self._path, [content])
        except (StateError, OSError):
            # A cache that cannot be written costs requests next time, and nothing else.
            return


def _known(parts: Mapping[int, _Entry], file: PlexFile) -> int | None:
    entry = parts.get(file.part_id)
    if entry is None or not file.part_id:
        return None
    same = entry.size_bytes == file.size_bytes and entry.changed_at == file.changed_at
    return entry.oshash if same else None
