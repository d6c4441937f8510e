"""Values that are made when they are asked for: most of a library's are looked at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, overload

_V = TypeVar("_V")


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
