"""Many nouns of one kind, held as bytes: a library of them in a third of the memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar, overload

import msgspec

from plexsync.models.servers import Noun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_T = TypeVar("_T", bound=Noun)
_V = TypeVar("_V")

_AT_HAND = 1024
"""How many of those that were asked for last are kept as they were made."""


class Packed(Sequence[_T]):
    """Nouns as bytes, one behind the other: each is made when it is asked for.

    Args:
        kind: their class.
        nouns: the first of them.
    """

    def __init__(self, kind: type[_T], nouns: Iterable[_T] = ()) -> None:
        self._kind = kind
        self._content = bytearray()
        self._begins, self._ends = array("Q"), array("Q")
        self._set_up()
        for noun in nouns:
            self.append(noun)

    def append(self, noun: _T) -> None:
        """Add one."""
        self._begins.append(len(self._content))
        self._content += self._encode(noun)
        self._ends.append(len(self._content))

    def pick(self, places: Iterable[int]) -> Packed[_T]:
        """Return those at `places`, which share their bytes with all."""
        picked: Packed[_T] = Packed(self._kind)
        picked._content = self._content
        for at in places:
            picked._begins.append(self._begins[at])
            picked._ends.append(self._ends[at])
        picked._set_up()
        return picked

    def rows(self) -> Iterator[msgspec.Raw]:
        """Yield each as it is encoded."""
        for begin, end in zip(self._begins, self._ends, strict=True):
            yield msgspec.Raw(bytes(self._content[begin:end]))

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[_T]:
        decode, content = self._decode, self._content
        for begin, end in zip(self._begins, self._ends, strict=True):
            yield decode(content[begin:end])

    @overload
    def __getitem__(self, at: int) -> _T: ...
    @overload
    def __getitem__(self, at: slice) -> Packed[_T]: ...
    def __getitem__(self, at: int | slice) -> _T | Packed[_T]:
        return self._get(at) if isinstance(at, int) else self.pick(range(len(self))[at])

    def _set_up(self) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        decode = self._decode = msgspec.msgpack.Decoder(self._kind).decode
        content, begins, ends = self._content, self._begins, self._ends
        self._get = lru_cache(_AT_HAND)(lambda at: decode(content[begins[at] : ends[at]]))


def pick(several: Sequence[_V], places: Iterable[int]) -> Sequence[_V]:
    """Return those at `places`; what was packed stays so."""
    if isinstance(several, Packed):
        return several.pick(places)
    return [several[at] for at in places]
