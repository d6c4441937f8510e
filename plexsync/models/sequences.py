"""Sequences of values made when they are asked for: most of a library are looked at once.

Nouns held as bytes take a third of the memory; of deferred values there is a number alone.
"""

from __future__ import annotations

from abc import abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TypeVar, overload

import msgspec

from plexsync.models.servers import Noun

_T = TypeVar("_T", bound=Noun)
_V = TypeVar("_V")

_IN_A_BLOCK = 256
"""Rows that lie together: one buffer for all would be moved again and again while it grows."""


class _Rows:
    """Rows of bytes, one behind the other."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._last = bytearray()
        self._ends = array("I")

    def append(self, row: bytes) -> None:
        """Add one."""
        self._last += row
        self._ends.append(len(self._last))
        if len(self._ends) % _IN_A_BLOCK == 0:
            self._blocks.append(bytes(self._last))
            self._last.clear()

    def row(self, at: int) -> bytes | bytearray:
        """Return the row at a place."""
        block, place = divmod(at, _IN_A_BLOCK)
        begin = self._ends[at - 1] if place else 0
        content = self._blocks[block] if block < len(self._blocks) else self._last
        return content[begin : self._ends[at]]

    def __iter__(self) -> Iterator[bytes | bytearray]:
        ends = iter(self._ends)
        contents: Iterable[bytes | bytearray] = chain(self._blocks, (self._last,))
        for content in contents:
            begin = 0
            for end in islice(ends, _IN_A_BLOCK):
                yield content[begin:end]
                begin = end

    def __len__(self) -> int:
        return len(self._ends)


class Packed(Sequence[_T]):
    """Nouns as bytes: each is made when it is asked for.

    Args:
        kind: their class.
        nouns: the first of them.
    """

    def __init__(self, kind: type[_T], nouns: Iterable[_T] = ()) -> None:
        self._share(kind, _Rows(), None)
        self._encode = msgspec.msgpack.Encoder().encode
        for noun in nouns:
            self.append(noun)

    def append(self, noun: _T) -> None:
        """Add one; not to what was picked."""
        self._rows.append(self._encode(noun))

    def pick(self, places: Iterable[int]) -> Packed[_T]:
        """Return those at `places`, which share their bytes with all."""
        picked: Packed[_T] = Packed.__new__(Packed)
        chosen = places if self._places is None else map(self._places.__getitem__, places)
        picked._share(self._kind, self._rows, array("I", chosen))
        return picked

    def rows(self) -> Iterator[bytes | bytearray]:
        """Yield each as it is encoded."""
        return iter(self._rows) if self._places is None else map(self._rows.row, self._places)

    def __len__(self) -> int:
        return len(self._rows if self._places is None else self._places)

    def __iter__(self) -> Iterator[_T]:
        return map(self._decode, self.rows())

    @overload
    def __getitem__(self, at: int) -> _T: ...
    @overload
    def __getitem__(self, at: slice) -> Packed[_T]: ...
    def __getitem__(self, at: int | slice) -> _T | Packed[_T]:
        if isinstance(at, slice):
            return self.pick(range(len(self))[at])
        places = range(len(self._rows)) if self._places is None else self._places
        return self._decode(self._rows.row(places[at]))

    def _share(self, kind: type[_T], rows: _Rows, places: array[int] | None) -> None:
        self._kind = kind
        self._rows = rows
        self._places = places
        self._decode = msgspec.msgpack.Decoder(kind).decode


class Deferred(Sequence[_V]):
    """Values of which some are there, and of the others a number, from which each is made.

    Args:
        slots: the values and numbers, in order.

    Attributes:
        slots: the same.
    """

    def __init__(self, slots: Iterable[_V | int] = ()) -> None:
        self.slots = list(slots)

    @abstractmethod
    def make(self, number: int) -> _V:
        """Return the value of a number."""

    def value(self, slot: _V | int) -> _V:
        """Return the value of a slot."""
        return self.make(slot) if isinstance(slot, int) else slot

    def made(self) -> Iterator[_V]:
        """Yield those that are there."""
        return (slot for slot in self.slots if not isinstance(slot, int))

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of those that are not."""
        return (slot for slot in self.slots if isinstance(slot, int))

    def __len__(self) -> int:
        return len(self.slots)

    def __iter__(self) -> Iterator[_V]:
        return map(self.value, self.slots)

    @overload
    def __getitem__(self, at: int) -> _V: ...
    @overload
    def __getitem__(self, at: slice) -> list[_V]: ...
    def __getitem__(self, at: int | slice) -> _V | list[_V]:
        if isinstance(at, slice):
            return [self.value(slot) for slot in self.slots[at]]
        return self.value(self.slots[at])

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # lists have none either


def pick(several: Sequence[_V], places: Iterable[int]) -> Sequence[_V]:
    """Return those at `places`; what was packed stays so."""
    if isinstance(several, Packed):
        return several.pick(places)
    return [several[at] for at in places]
