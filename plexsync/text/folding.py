"""How names are spelled, folded and remembered, each worked out once.

A library has thousands of names and millions of uses of them. The tables below live as long as
one run and are filled as names turn up; they hold nothing that could not be worked out again.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, TypeVar

from plexsync.text.normalize import fold_tag, tag_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from hashlib import blake2b

    from plexsync.models import SceneFile

K = TypeVar("K")
V = TypeVar("V")

ENTRY_DIGITS = 12
"""Hex digits per remembered name: 48 bits, so that a chance collision inside one item's list of
a few hundred names stays below one in a billion."""

LIST_DIGITS = 16
"""Hex digits per list of names."""


class MadeOnce(dict[K, V]):
    """What is made of a key, worked out when it is looked up first."""

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make

    def __missing__(self, key: K) -> V:
        made = self[key] = self._make(key)
        return made


class Spellings:
    """Names already seen in this run.

    Attributes:
        keys: what makes a name one tag to Plex; look up any name.
        entries: the digest of that, `ENTRY_DIGITS` long; look up any name.
    """

    __slots__ = ("_former", "entries", "keys")

    def __init__(self) -> None:
        self.keys = MadeOnce(tag_key)
        self.entries = MadeOnce(_entry)
        self._former = MadeOnce(_former_entry)

    def owned(self, owned: frozenset[str], names: Iterable[str]) -> frozenset[str]:
        """Return the names that are among remembered entries, also those of an earlier version."""
        entries, former = self.entries, self._former
        return frozenset([n for n in names if entries[n] in owned or former[n] in owned])


def join_entries(entries: Iterable[str]) -> str:
    """Return the entries of a base run together, as `split_entries` reads them."""
    return "".join(sorted(entries))


@lru_cache(maxsize=1024)  # a list is planned, written and remembered one after the other
def split_entries(text: str) -> frozenset[str]:
    """Return the entries that were run together in a base."""
    return frozenset([text[i : i + ENTRY_DIGITS] for i in range(0, len(text), ENTRY_DIGITS)])


@lru_cache(maxsize=1024)  # as above
def list_digest(entries: str) -> str:
    """Return the digest of a list of names, by their entries run together.

    So a base that remembers every name of a list knows its digest without keeping it.
    """
    return short_digest(entries, LIST_DIGITS)


def short_digest(text: str, digits: int) -> str:
    """Return an even number of hex digits that stand for `text`."""
    # Texts from servers may hold lone surrogates, which have bytes only with "surrogatepass".
    return _blake2b()(text.encode("utf-8", "surrogatepass"), digest_size=digits // 2).hexdigest()


@cache
def _blake2b() -> type[blake2b]:
    """Return what makes digests, imported late: `status` rarely makes one."""
    from hashlib import blake2b as made  # noqa: PLC0415 - see above

    return made


def name_digest(text: str, digits: int) -> str:
    """As `short_digest`, of names as `tag_key` has them.

    Beyond ASCII it differs from every digest of names that were folded by Unicode's rules, so that
    one that is remembered tells how it was made.
    """
    return short_digest(text if text.isascii() else f"\x00{text}", digits)


def _entry(name: str) -> str:
    return name_digest(tag_key(name), ENTRY_DIGITS)


def _former_entry(name: str) -> str:
    """Return what stood for a name in a base while names were folded by Unicode's rules.

    "" for a name that folds to ASCII letters: what stands for those did not change.
    """
    folded = fold_tag(name)
    return "" if folded.isascii() else short_digest(folded, ENTRY_DIGITS)


_FILES_DIGITS = 16


def files_digest(files: Sequence[SceneFile]) -> str:
    """One digest of a scene's files: while it stands, a remembered link is still about them."""
    parts = [f"{f.path}\x1e{f.size_bytes}\x1e{f.oshash}" for f in files]
    return short_digest("\x1d".join(sorted(parts)), _FILES_DIGITS)
