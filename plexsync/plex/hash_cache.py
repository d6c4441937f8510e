"""Content hashes of Plex's files, each read once: one costs Plex 0.1 to 0.2 s.

A hash is of one content, so it is kept under the part's id together with its size and the change
stamp in its key: where either moved, the hash is read again. That a file has none is kept as well,
as 0, until Plex changes the item: it may have analysed the file. The cache may be deleted or
damaged at any time; then hashes are read again.
Source: docs/plex-api.md 3.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ServerError, StateError
from plexsync.state import DISK, read_if_there, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from plexsync.models import PlexFile, PlexItem, RatingKey

MOST_REQUESTS = 200
"""Requests for hashes in a run that does not link everything for good: where Plex answers for one
item at a time only, each costs it 0.1 to 0.2 s. A later run goes on. One that is sent again because
it failed counts once: a server that fails often is given up before that matters."""

_NAME = "hashes.json"
_MOST_KEPT = 400_000
"""Entries beyond which the oldest are let go: a file of some 20 MB."""
_BATCH = 100
"""Items asked for at once."""


class _Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One hash, 0 for none, and what it was read of; `updated_at` is the item's, for 0 only."""

    size_bytes: int | None
    changed_at: int
    oshash: int
    updated_at: int = 0


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The file: entries by part id, of one server."""

    server: str
    parts: dict[int, _Entry]


@dataclass(slots=True, kw_only=True)
class HashCache:
    """Reads content hashes, asking Plex only for what is not known yet.

    Args:
        ask: reads the hashes of items from Plex by their parts: `PlexClient.hashes`.
        server: Plex's machine identifier; hashes of another server are not looked at.
        directory: the cache directory; None keeps nothing.
        left: after so many requests no more items are asked for; `math.inf` for no end.
    """

    ask: Callable[[Sequence[RatingKey]], Mapping[str, Mapping[int, int]]]
    server: str
    directory: Path | None
    left: float = MOST_REQUESTS
    _many: bool = True
    _known: dict[int, _Entry] | None = None

    def known(self, items: Iterable[PlexItem]) -> dict[int, int]:
        """Part id to hash of the files of `items`, 0 for a file without one; asks nobody."""
        known = self._load()
        return {
            file.part_id: entry.oshash
            for item in (items if known else ())
            for file in item.files
            if (entry := _entry_of(known, item, file)) is not None
        }

    def read(self, items: Iterable[PlexItem]) -> dict[int, int]:
        """Ask for the hashes of `items` that are not known, as long as requests are left.

        Returns:
            What `known` says of them afterwards; what was not asked for is left out.

        Raises:
            ServerError: an item could not be read.
        """
        wanted = tuple(items)
        known = self._load()
        unknown = [
            item
            for item in wanted
            if any(file.part_id and _entry_of(known, item, file) is None for file in item.files)
        ]
        try:
            for start in range(0, len(unknown), _BATCH):
                if self.left <= 0:
                    break
                self._read_batch(unknown[start : start + _BATCH], known)
        finally:
            if unknown:
                self._keep(known)
        return self.known(wanted)

    def _read_batch(self, items: Sequence[PlexItem], known: dict[int, _Entry]) -> None:
        fresh = self._asked([item.rating_key for item in items])
        for item in items:
            for file in item.files:
                if file.part_id:
                    oshash = fresh.get(file.part_id, 0)
                    stamp = 0 if oshash else item.updated_at
                    known[file.part_id] = _Entry(file.size_bytes, file.changed_at, oshash, stamp)

    def _asked(self, keys: Sequence[RatingKey]) -> dict[int, int]:
        """Return the hashes of items' parts: of all at once where the server answers that.

        Nobody has seen one do so (docs/plex-api.md 3): one that answers for none or one of several
        is not asked for several again. Those it leaves out are asked for one by one.
        """
        read: dict[str, Mapping[int, int]] = {}
        if self._many and len(keys) > 1:
            self.left -= 1
            with suppress(ServerError):  # what concerns them all is met once more below
                read |= self.ask(keys)
            self._many = len(read.keys() & set(keys)) > 1
        for key in keys:
            if key not in read:
                self.left -= 1
                read |= self.ask((key,))
        return {part: oshash for parts in read.values() for part, oshash in parts.items()}

    def _load(self) -> dict[int, _Entry]:
        if self._known is None:
            self._known = {}
            with suppress(StateError, msgspec.MsgspecError, ValueError):
                content = read_if_there(DISK, self.directory / _NAME) if self.directory else None
                kept = msgspec.json.decode(content or b"", type=_Kept)
                self._known = kept.parts if kept.server == self.server else {}
        return self._known

    def _keep(self, parts: dict[int, _Entry]) -> None:
        if self.directory is None:
            return
        newest = dict(list(parts.items())[-_MOST_KEPT:])
        content = msgspec.json.encode(_Kept(server=self.server, parts=newest))
        # A cache that cannot be written costs requests next time, and nothing else.
        with suppress(StateError, OSError):
            DISK.make_directory(self.directory)
            write_atomically(DISK, self.directory / _NAME, [content])


def _entry_of(parts: Mapping[int, _Entry], item: PlexItem, file: PlexFile) -> _Entry | None:
    entry = parts.get(file.part_id) if file.part_id else None
    if entry is None:
        return None
    same = entry.size_bytes == file.size_bytes and entry.changed_at == file.changed_at
    return entry if same and (entry.oshash or entry.updated_at == item.updated_at) else None
