"""How names are spelled, folded and remembered, each worked out once.

A library has thousands of names and millions of uses of them. The tables below live as long as
one run and are filled as names turn up; they hold nothing that could not be worked out again.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from plexsync.text.normalize import fold_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.models import SceneFile

ENTRY_DIGITS = 12
"""Hex digits per remembered name: 48 bits, so that a chance collision inside one item's list of
a few hundred names stays below one in a billion."""


class _Folded(dict[str, str]):
    """Name to folded name."""

    def __missing__(self, name: str) -> str:
        folded = self[name] = fold_tag(name)
        return folded


class _Entries(dict[str, str]):
    """Name to what stands for it in a base: equal for names that are one to Plex."""

    def __missing__(self, name: str) -> str:
        entry = self[name] = short_digest(fold_tag(name), ENTRY_DIGITS)
        return entry


class Spellings:
    """Names already seen in this run.

    Attributes:
        folded: the folded form of a name; look up any name.
        entries: the digest of a folded name, `ENTRY_DIGITS` long; look up any name.
    """

    __slots__ = ("entries", "folded")

    def __init__(self) -> None:
        self.folded = _Folded()
        self.entries = _Entries()


def split_entries(text: str) -> frozenset[str]:
    """The entries that were run together in a base."""
    return frozenset(text[i : i + ENTRY_DIGITS] for i in range(0, len(text), ENTRY_DIGITS))


def short_digest(text: str, digits: int) -> str:
    """An even number of hex digits that stand for `text`."""
    # Texts from servers may hold lone surrogates, which have bytes only with "surrogatepass".
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=digits // 2).hexdigest()


_FILES_DIGITS = 16


def files_digest(files: Sequence[SceneFile]) -> str:
    """One digest of a scene's files: while it stands, a remembered link is still about them."""
    parts = sorted(f"{f.path}\x1e{f.size_bytes}\x1e{f.oshash}" for f in files)
    return short_digest("\x1d".join(parts), _FILES_DIGITS)
