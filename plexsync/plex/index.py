"""What is in Plex, kept on disk between runs, so that a run's cost follows the changes.

One file a library in the cache directory. It may be deleted, damaged or left by another version
at any time: then the library is listed again. A stale list costs a retry, never a wrong write,
because nothing is written without a fresh read.

Source: docs/design.md, "Knowing what is in Plex"; docs/plex-api.md 3 (change signals).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence  # noqa: TC003 - msgspec reads the fields of structs
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.errors import AuthError, ServerError
from plexsync.models import Packed, PlexFile, PlexItem, RatingKey, Section
from plexsync.state import read_pieces, write_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from plexsync.plex.client import PlexClient

MAX_AGE = timedelta(days=7)
"""How long a list is brought up to date before it is made again: what bumps Plex's counters is not
documented (docs/plex-api.md 3), so they are trusted for a while only."""

_CLOCK_MARGIN_S = 600
"""How far Plex's clock may run ahead of ours before an update time counts as nonsense."""

_SCHEMA = ",".join(("5", *PlexItem.__struct_fields__, *PlexFile.__struct_fields__))
"""Another set of fields is another schema: an old list must not be read as a new one."""
_ITEMS = msgspec.msgpack.Decoder(tuple[PlexItem, ...])
_PIECE = 1_000
"""Items written at once."""


class How(StrEnum):
    """How a list was had, the cheapest first."""

    CACHED = "cached"
    UPDATED = "updated"
    LISTED = "listed"


class Edition(NamedTuple):
    """A list as it was at some time; those of equal names are the same list."""

    name: str
    items: Sequence[PlexItem]


class Index(NamedTuple):
    """Every movie and episode of the chosen libraries.

    Attributes:
        items: trashed ones included; packed where all were listed, since all may be new then.
        how: the dearest way any of the libraries took.
        problem: why the list could not be kept for next time; "" if it was, or was not to be.
        notes: what was left out of it, and why.
        edition: equal ones are the same list.
        before: the list that lay in the cache, of these libraries; None when one of them did not.
        listed: ids of the libraries that were listed just now, with nothing left out.
    """

    items: Sequence[PlexItem]
    how: How
    problem: str = ""
    edition: str = ""
    before: Edition | None = None
    notes: tuple[str, ...] = ()
    listed: frozenset[str] = frozenset()


class _Kept(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One library as it lies on disk.

    Attributes:
        schema: see `_SCHEMA`.
        owner: server and library the list belongs to.
        library: the library's name when it was last looked at.
        counters: as they stood before the list was made: equal ones hint that nothing changed.
        listed_at: epoch of the last complete listing.
        checked_at: epoch of the last look at the server.
        total: entries Plex counted, other kinds included.
        edition: a digest of `items`.
        items: the list; on disk it follows in pieces.
    """

    schema: str
    owner: str
    library: str
    edition: str
    counters: tuple[int, int, int]
    listed_at: int
    checked_at: int
    total: int
    items: Sequence[PlexItem]


class _Had(NamedTuple):
    """One library's list as it is now.

    Attributes:
        kept: the list.
        how: see `How`.
        unusable: entries without a rating key.
        before: the list that lay in the cache.
        path: where the new one is to be kept; None where it is not.
    """

    kept: _Kept
    how: How
    unusable: tuple[str, ...]
    before: _Kept | None
    path: Path | None

    @property
    def section_id(self) -> str:
        """Return the id of the library."""
        return self.kept.owner.rpartition("/")[2]

    @property
    def is_whole(self) -> bool:
        """Return whether all of the library was listed just now."""
        return self.how is How.LISTED and not self.unusable

    @property
    def note(self) -> str:
        """Return the warning about entries that were left out."""
        if not self.unusable:
            return ""
        more = f" and {len(self.unusable) - 1} more" if len(self.unusable) > 1 else ""
        return (
            f"library {self.kept.library!r}: Plex lists {self.unusable[0]}{more} without a rating "
            "key; left out until it has one"
        )


class IndexLoader(msgspec.Struct, frozen=True, kw_only=True):
    """Brings the lists of libraries up to date.

    A library with counters that stand still costs no request; one that changed costs two while few
    items did; any doubt costs a full listing. A dry run may use and write the cache: it is no
    part of the state.

    Args:
        client: connected.
        cache_dir: where the lists lie; made when missing. None: list everything, keep nothing.
        machine: the server's identifier; lists of another server are not looked at.
        now: aware.
        write: keep what was listed.
        force: list everything.
        progress: receives while listing how many of how many entries came.
    """

    client: PlexClient
    cache_dir: Path | None
    machine: str
    now: datetime
    write: bool = True
    force: bool = False
    progress: Callable[[int, int], None] = lambda _done, _total: None

    def load(
        self,
        sections: Sequence[Section],
        believe: Callable[[Sequence[PlexItem], frozenset[str]], None] = lambda _items, _ids: None,
    ) -> Index:
        """Return every item of `sections`, from the cache where it still holds.

        Args:
            sections: fresh from the server, for their counters.
            believe: given the items and the ids of their libraries before anything is kept;
                raises what forbids to believe that this is all.

        Raises:
            ServerError: a library could not be listed completely; the lists of the others are
                kept. Nothing is returned then.
        """
        had: list[_Had] = []
        failed: list[ServerError] = []
        for section in sections:
            try:
                had.append(self._library(section))
            except AuthError:
                raise
            except ServerError as error:
                failed.append(_of_library(error, section))
        edition = _joined([one.kept for one in had])
        believe(edition.items, frozenset(one.section_id for one in had))
        problems = [_try_to_keep(one.path, one.kept) for one in had if one.path is not None]
        if failed:
            raise failed[0]
        before = [one.before for one in had if one.before is not None]
        return Index(
            items=edition.items,
            how=max((one.how for one in had), key=list(How).index, default=How.CACHED),
            problem=max(problems, default=""),
            edition=edition.name,
            before=_joined(before) if len(before) == len(had) else None,
            notes=tuple(one.note for one in had if one.note),
            listed=frozenset(one.section_id for one in had if one.is_whole),
        )

    def _library(self, section: Section) -> _Had:
        owner = f"{self.machine}/{section.uuid}/{section.section_id}"
        path = None if self.cache_dir is None else self.cache_dir / _file_name(owner)
        lay = None if path is None else _load(path, owner)
        old = None if self.force else _young(lay, self.now)
        kept, how = old, How.CACHED
        unusable: tuple[str, ...] = ()
        if old and (old.counters != _counters(section) or section.refreshing):
            kept, how = self._updated(section, old), How.UPDATED
        if kept is None:
            listing = self.client.listing(section, progress=self.progress)
            kept = self._as_kept(section, owner, listing.items, total=listing.total)
            how = How.LISTED
            unusable = listing.unusable
        keeps = self.write and kept is not old and not unusable
        return _Had(kept, how, unusable, lay, path if keeps else None)

    def _as_kept(
        self,
        section: Section,
        owner: str,
        items: Sequence[PlexItem],
        *,
        total: int,
        listed_at: int | None = None,
    ) -> _Kept:
        """Return a list as it is now; it was listed just now unless another time is given."""
        epoch = int(self.now.timestamp())
        return _Kept(
            schema=_SCHEMA,
            owner=owner,
            library=section.title,
            edition=_edition(items),
            counters=_counters(section),
            listed_at=epoch if listed_at is None else listed_at,
            checked_at=epoch,
            total=total,
            items=items,
        )

    def _updated(self, section: Section, old: _Kept) -> _Kept | None:
        """Return the old list with what changed since; None when it does not add up.

        Two requests while the changes fit on one page: the changed items, and the count with the
        items made last, which tell of items that vanished and that came with an old update time.
        """
        changed = self.client.listing(section, updated_after=_bound(old))
        if changed.unusable:
            return None
        whole = old if changed.filtered else changed  # a filter the server ignores lists all
        others = whole.total - len(whole.items)
        merged = {item.rating_key: item for item in (*whole.items, *changed.items)}
        twins = _twins(old, changed.items)
        if twins and changed.filtered:
            trash = self.client.trashed(section)
            if not twins <= {item.rating_key for item in trash}:
                return None
            merged |= {item.rating_key: item for item in trash}
        total, newest = self.client.newest(section)
        moved = any(merged.get(item.rating_key) != item for item in newest)
        if moved or len(merged) + others != total:
            return None
        listed_at = old.listed_at if changed.filtered else None
        items = tuple(merged.values())
        return self._as_kept(section, old.owner, items, total=total, listed_at=listed_at)


def _of_library(error: ServerError, section: Section) -> ServerError:
    """Return the error with the name of the library it is about."""
    error.message = f"the Plex library {section.title!r} cannot be listed: {error.message}"
    error.args = (error.message,)
    others = "the scenes linked in other libraries are kept in step meanwhile"
    error.hint = f"{error.hint}; {others}; or leave it out of [plex] libraries until it is well"
    return error


def cached_items(cache_dir: Path, machine: str) -> tuple[PlexItem, ...]:
    """Return every item of this server that is in the cache, however old; asks nobody.

    For "", a server that is not known yet, those of the only one in the cache: ids of several
    servers would mean each other's items.
    """
    lists = tuple(_cached(cache_dir, machine))
    if len({kept.owner.partition("/")[0] for kept in lists}) > 1:
        return ()
    return tuple(item for kept in lists for item in kept.items)


def cached_libraries(cache_dir: Path, machine: str = "") -> dict[str, str]:
    """Return the names of the libraries with a list in the cache, by section id; asks nobody.

    Args:
        cache_dir: where the lists lie.
        machine: only those of this server; of every server unless given.
    """
    found = _cached(cache_dir, machine, with_items=False)
    return {kept.owner.rpartition("/")[2]: kept.library for kept in found}


def _cached(cache_dir: Path, machine: str, *, with_items: bool = True) -> Iterator[_Kept]:
    """Yield the lists of a server that are in the cache; of every server for ""."""
    for path in sorted(cache_dir.glob("plex-*.index")):
        kept = _load(path, with_items=with_items)
        if kept is not None and machine in {"", kept.owner.partition("/")[0]}:
            yield kept


# ---- Cached, updated or listed -------------------------------------------------------------------


def _twins(old: _Kept, changed: Iterable[PlexItem]) -> set[RatingKey]:
    """Return the items, as they were listed, that have a file of the same size as one that is new.

    A moved file is a new item. The old one stays in Plex's trash, and its update time need not
    move. Source: docs/plex-api.md 4, "Moved/renamed file".
    """
    known = {item.rating_key for item in old.items}
    fresh = {item.rating_key for item in changed}
    came = [file for item in changed if item.rating_key not in known for file in item.files]
    sizes = {file.size_bytes for file in came} - {None}
    return {
        item.rating_key
        for item in old.items
        if not item.trashed
        and item.rating_key not in fresh
        and any(file.size_bytes in sizes for file in item.files)
    }


def _edition(items: Sequence[PlexItem]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for piece in _pieces_of(items):
        digest.update(piece)
    return digest.hexdigest()


def _joined(lists: Sequence[_Kept]) -> Edition:
    name = " ".join(one.edition for one in lists)
    if len(lists) == 1:
        return Edition(name, lists[0].items)
    items = chain.from_iterable(one.items for one in lists)
    packed = any(isinstance(one.items, Packed) for one in lists)
    return Edition(name, Packed(PlexItem, items) if packed else tuple(items))


def _bound(old: _Kept) -> int:
    """Return the epoch after which an item counts as changed.

    One second before the newest, because the filter is "later than" and more may have happened
    in that second. Times in the future are nonsense and would hide every later change.
    """
    latest = old.checked_at + _CLOCK_MARGIN_S
    times = (item.updated_at for item in old.items if item.updated_at <= latest)
    return max(times, default=1) - 1


def _counters(section: Section) -> tuple[int, int, int]:
    return (section.content_changed_at, section.scanned_at, section.updated_at)


def _young(kept: _Kept | None, now: datetime) -> _Kept | None:
    """Return the list if its last complete listing lies in the past, and not too far."""
    if kept is None:
        return None
    age = now - datetime.fromtimestamp(kept.listed_at, UTC)
    return kept if timedelta(minutes=-1) <= age < MAX_AGE else None


# ---- On disk -------------------------------------------------------------------------------------


def _file_name(owner: str) -> str:
    return f"plex-{hashlib.sha256(owner.encode()).hexdigest()[:24]}.index"


def _load(path: Path, owner: str = "", *, with_items: bool = True) -> _Kept | None:
    """Return the list of `owner`, or of anybody; None for anything that is not exactly that."""
    try:
        pieces = read_pieces(path)
        kept = msgspec.msgpack.decode(next(pieces, b""), type=_Kept)
        if (kept.schema, kept.owner) != (_SCHEMA, owner or kept.owner):
            return None
        if with_items:
            items = tuple(item for piece in pieces for item in _ITEMS.decode(piece))
            return msgspec.structs.replace(kept, items=items)
        for _ in pieces:
            pass  # only a list that is whole counts
    except (OSError, msgspec.DecodeError, ValueError):
        return None
    return kept


def _try_to_keep(path: Path, kept: _Kept) -> str:
    """Write the list; says why that failed. A run does not need its cache."""
    head = msgspec.msgpack.encode(msgspec.structs.replace(kept, items=()))
    try:
        write_pieces(path, chain((head,), _pieces_of(kept.items)))
    except OSError as error:
        return f"the list of Plex's items cannot be kept in {path.parent}: {error.strerror}"
    return ""


def _pieces_of(items: Sequence[PlexItem]) -> Iterator[bytes]:
    for start in range(0, len(items), _PIECE):
        piece = items[start : start + _PIECE]
        rows = list(map(msgspec.Raw, piece.rows())) if isinstance(piece, Packed) else piece
        yield msgspec.msgpack.encode(rows)
