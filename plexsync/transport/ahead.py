"""One page on its way while the one before is worked on."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

AHEAD = "asks for the next page"
"""The name of the thread."""

T = TypeVar("T")


def read_ahead(values: Iterator[T]) -> Iterator[T]:
    """Yield `values` in their order, the next of them worked out meanwhile.

    There is never more than one under way, and none when the walk has ended or is given up. What
    goes wrong is raised where the value is asked for.
    """
    coming = _Coming(values)
    try:
        while not coming.is_last():
            value = coming.value
            coming = _Coming(values)
            yield value
    except GeneratorExit:
        coming.join()
        raise


class _Coming(Generic[T]):
    """The next of some values, worked out by a thread of its own.

    Args:
        values: nobody else may ask for any until this one is there.

    Attributes:
        value: there once it is known that this is not the end.
    """

    value: T

    def __init__(self, values: Iterator[T]) -> None:
        self._values = values
        self._ended = False
        self._failure: BaseException | None = None
        # Whoever ends the program at once does not wait for a server that does not answer.
        self._thread: Thread | None = Thread(target=self._work, name=AHEAD, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # this machine has no more threads
            self._thread = None

    def is_last(self) -> bool:
        """Wait for the value, and return whether there is none.

        Raises:
            BaseException: whatever went wrong with it.
        """
        if self._thread is None:
            self._work()
        self.join()
        if self._failure is not None:
            raise self._failure
        return self._ended

    def join(self) -> None:
        """Wait until nothing is under way."""
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        try:
            self.value = next(self._values)
        except StopIteration:
            self._ended = True
        except BaseException as error:  # noqa: BLE001 - raised where the value is asked for
            self._failure = error
