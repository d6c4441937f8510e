"""One page on its way while the one before is worked on."""

from __future__ import annotations

from concurrent.futures import Future, wait
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

AHEAD = "asks for the next page"
"""The name of the thread."""

_END = object()

T = TypeVar("T")


def read_ahead(values: Iterator[T]) -> Iterator[T]:
    """Yield `values` in their order, the next of them worked out meanwhile.

    There is never more than one under way, and none when the walk has ended or is given up. What
    goes wrong is raised where the value is asked for.
    """
    coming = _next_of(values)
    try:
        while (value := coming.result()) is not _END:
            coming = _next_of(values)
            yield value
    except GeneratorExit:
        wait([coming])
        raise


def _next_of(values: Iterator[T]) -> Future[T]:
    """Return the next of some values, which a thread of its own works out; or `_END`.

    Nobody else may ask for any until it is there.
    """
    coming: Future[T] = Future()

    def work() -> None:
        try:
            coming.set_result(next(values, _END))  # type: ignore[arg-type] # read_ahead looks for it
        except BaseException as error:  # noqa: BLE001 - raised where the value is asked for
            coming.set_exception(error)

    try:
        # Whoever ends the program at once does not wait for a server that does not answer.
        Thread(target=work, name=AHEAD, daemon=True).start()
    except RuntimeError:  # this machine has no more threads
        work()
    return coming
