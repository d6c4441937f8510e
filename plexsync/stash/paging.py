"""Reading many scenes although a few cannot be read, or cannot be read in time.

What is too slow or too large is asked for in smaller parts. A scene that makes every page holding
it fail is found by halving, named, and left behind. Of a run that looks at every scene what is
written comes on the pages of what matching needs; as large as the library, it waits on disk.
Source: docs/stash-api.md 1.4 (poison rows), 2.1 (ids), 2.2 (keyset), 8 (scale).
"""

from __future__ import annotations

import tempfile
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, Generic, TypeVar

import msgspec

from plexsync.errors import BadResponseError
from plexsync.models import SceneId
from plexsync.stash.answers import MissingSceneError, ResolverError, Rows, UnreadableRow
from plexsync.stash.decode import SceneAnswer, pack_detail
from plexsync.stash.queries import Json, where_up_to
from plexsync.stash.wire import Reference, WireDetail
from plexsync.transport.responses import SlowError
from plexsync.transport.sockets import TooLargeError

SMALLEST_PAGE = 25
"""Below this many scenes a page is not made smaller: then the server is slow, not the page."""

_MOST_POISONED_IN_A_ROW = 10
"""More scenes than this failing one after another are a failing server, not bad rows."""

_HIGHEST_ID = 2**31 - 1
"""Ids are 64-bit, but nobody has two thousand million scenes, and graphql-core's Int ends here."""

_LONGEST_ID = 18
"""Decimal digits that surely fit the server's 64-bit integer."""

_TOO_MUCH = (SlowError, TooLargeError)


W = TypeVar("W", bound=Reference)
T = TypeVar("T")

Where = Mapping[str, Json]


class Fetched(msgspec.Struct, Generic[T], frozen=True):
    """What became of scenes that were asked for, by their ids or as the next ones.

    Attributes:
        found: the scenes.
        missing: ids Stash says it has no scene for.
        poisoned: ids Stash fails to answer for, each with its words.
    """

    found: tuple[T, ...]
    missing: tuple[SceneId, ...] = ()
    poisoned: tuple[tuple[SceneId, str], ...] = ()


def keyset_pages(
    ask: Callable[[Where, int, bool], Rows[W]],
    count: Callable[[Where], int],
    where: Callable[[int], Where],
    size: int,
) -> Iterator[Fetched[W]]:
    """Walk over the scenes of a filter in the order of their ids, up to a page that is short.

    `ask` returns the rows of one page, given filter, size and whether a smaller page is an option;
    `count` how many scenes a filter finds; `where` the filter for scenes after an id. It raises
    ServerError where Stash does not answer, lists out of order, or fails for scene after scene.
    """
    last_id, full, failed_in_a_row = 0, size, 0
    while True:
        try:
            rows = ask(where(last_id), size, size > SMALLEST_PAGE)
        except _TOO_MUCH:
            if size <= SMALLEST_PAGE:
                raise
            size = full = max(SMALLEST_PAGE, size // 2)
            continue
        except ResolverError as error:
            if size > 1:
                size //= 2
                continue
            failed_in_a_row += 1
            if failed_in_a_row > _MOST_POISONED_IN_A_ROW:
                raise
            last_id, size = _id_after(last_id, where(last_id), count, error), full
            yield Fetched((), poisoned=((SceneId(str(last_id)), error.message),))
            continue
        check_page(rows, last_id, size)
        failed_in_a_row = 0
        if rows:
            last_id = int(rows[-1].id)
            yield _parted(rows)
        if len(rows) < size:
            return


def _id_after(
    last_id: int, where: Where, count: Callable[[Where], int], error: ResolverError
) -> int:
    """Return the lowest id after `last_id`, found by counting, which reads no row."""
    if error.scene_id is not None and int(error.scene_id) > last_id:
        return int(error.scene_id)

    def is_reached(highest_id: int) -> bool:
        return count(where_up_to(where, last_id, highest_id)) > 0

    reach = 1
    while not is_reached(high := min(last_id + reach, _HIGHEST_ID)):
        if high == _HIGHEST_ID:
            raise error
        reach *= 2
    low = last_id + reach // 2
    return bisect_left(range(high), True, low + 1, key=is_reached)  # noqa: FBT003 - what is sought


def _parted(rows: Rows[W]) -> Fetched[W]:
    """Return the rows that can be read, and the ids of the others with what a message says."""
    words = "Stash tells of this scene in another shape"
    unreadable = [row for row in rows if isinstance(row, UnreadableRow)]
    return Fetched(
        tuple([row for row in rows if not isinstance(row, UnreadableRow)]),
        poisoned=tuple([(SceneId(row.id), f"{words}: {row.why}") for row in unreadable]),
    )


def check_page(rows: Rows[Reference], last_id: int, size: int) -> None:
    """Hold a keyset page to its promise: at most `size` rows, ids rising from above `last_id`.

    Raises:
        BadResponseError: it breaks it. A page that repeats or goes back would never end.
    """
    if len(rows) > size:
        raise BadResponseError(f"Stash answers with {len(rows)} scenes where {size} were asked for")
    for row in rows:
        if not is_id(row.id) or int(row.id) <= last_id:
            raise BadResponseError(f"Stash lists its scenes out of order after scene {last_id}")
        last_id = int(row.id)


def is_id(text: str) -> bool:
    """Whether a text is an id as Stash writes it: decimal, no leading zero."""
    return (
        text.isascii() and text.isdigit() and not text.startswith("0") and len(text) <= _LONGEST_ID
    )


class Batches(Generic[W]):
    """Reads scenes by their ids, some at a time.

    Args:
        ask: the rows of one query by ids, given ids and whether fewer at a time are an option.
            It raises MissingSceneError for an id that is gone.
        size: scenes a query; it shrinks for good when one turns out to be too slow or too large.
    """

    def __init__(self, ask: Callable[[Sequence[SceneId], bool], Rows[W]], size: int) -> None:
        self._ask = ask
        self._size = size

    def fetch(self, ids: Sequence[SceneId]) -> Fetched[W]:
        """Every scene of `ids`, each once, in that order.

        Raises:
            BadResponseError: the answer holds other scenes; or scene after scene fails.
            ServerError: Stash does not answer.
        """
        work: _Work[W] = _Work(tuple(dict.fromkeys(ids)), self._size)
        while work.waiting:
            batch = work.waiting.pop()
            try:
                rows = self._ask(batch, len(batch) > 1)
            except MissingSceneError as gone:
                work.gone(batch, gone)
            except _TOO_MUCH:
                if len(batch) == 1:
                    raise
                self._size = max(1, min(self._size, len(batch) // 2))
                work.divide(batch)
            except ResolverError as error:
                work.fail(batch, error)
            else:
                work.take(batch, rows)
        return work.fetched()


class _Work(Generic[W]):
    """What is still to be asked for, a stack of batches, and what has come of the rest."""

    def __init__(self, ids: Sequence[SceneId], size: int) -> None:
        self._ids = ids
        self._found: dict[SceneId, W] = {}
        # Nothing that is not an id can be one's; asking would only fail the whole batch.
        self._missing = [one for one in ids if not is_id(one)]
        self._poisoned: list[tuple[SceneId, str]] = []
        self._failed_in_a_row = 0
        left = [one for one in ids if is_id(one)]
        self.waiting = [left[at : at + size] for at in range(0, len(left), size)][::-1]

    def gone(self, batch: list[SceneId], error: MissingSceneError) -> None:
        """Stash refuses the batch because one scene is gone: ask again without it."""
        if error.scene_id not in batch:
            raise error
        self._missing.append(error.scene_id)
        if rest := [one for one in batch if one != error.scene_id]:
            self.waiting.append(rest)

    def divide(self, batch: list[SceneId]) -> None:
        """Ask for either half; the first is popped first."""
        middle = len(batch) // 2
        self.waiting += [batch[middle:], batch[:middle]]

    def fail(self, batch: list[SceneId], error: ResolverError) -> None:
        """Stash fails for the batch: halve it until one scene is alone with the blame."""
        if len(batch) > 1:
            self.divide(batch)
            return
        self._failed_in_a_row += 1
        if self._failed_in_a_row > _MOST_POISONED_IN_A_ROW:
            raise error
        self._poisoned.append((batch[0], error.message))

    def take(self, batch: list[SceneId], rows: Rows[W]) -> None:
        """Keep the rows of an answer, and ask again for scenes it leaves out."""
        there = {SceneId(row.id) for row in rows}
        if len(there) != len(rows) or not there <= set(batch):
            raise BadResponseError("Stash answers with other scenes than those asked for")
        self._failed_in_a_row = 0
        parted = _parted(rows)
        self._found.update((SceneId(row.id), row) for row in parted.found)
        self._poisoned += parted.poisoned
        absent = [one for one in batch if one not in there]
        if len(batch) == 1:
            self._missing += absent
        else:
            # Only a question about one scene alone proves that it is not there.
            self.waiting += [[one] for one in reversed(absent)]

    def fetched(self) -> Fetched[W]:
        """Everything, in the order it was asked for."""
        found = tuple([self._found[one] for one in self._ids if one in self._found])
        return Fetched(found, tuple(self._missing), tuple(self._poisoned))


# ---- Scenes in full that came along --------------------------------------------------------------

BELIEVED_S = 600.0
"""Seconds after a sweep began during which its details are given out. A run that writes for longer
asks again, so that what it writes is never older."""

_AT_ONCE_BYTES = 1 << 20
"""Read ahead: scenes are asked for in about the order in which they came."""

_NOWHERE = -1


class _Places:
    """Where the line of each of many scenes begins in a file, in the order of their ids."""

    def __init__(self) -> None:
        self._ids, self._begins = array("q"), array("q")

    def put(self, scene_id: str, begin: int) -> None:
        """Note where a scene lies, as it was written last."""
        number = int(scene_id)
        at = bisect_left(self._ids, number)
        if self._ids[at : at + 1] == array("q", [number]):
            self._begins[at] = begin
        else:  # nearly always at the end: a sweep goes by the ids
            self._ids.insert(at, number)
            self._begins.insert(at, begin)

    def take(self, scene_id: str) -> int:
        """Return where a scene lies, once; -1 where it does not."""
        number = int(scene_id) if is_id(scene_id) else 0
        at = bisect_left(self._ids, number)
        if at == len(self._ids) or self._ids[at] != number:
            return _NOWHERE
        begin, self._begins[at] = self._begins[at], _NOWHERE
        return begin


class KeptDetails:
    """Takes the scenes of one sweep, and gives each out once.

    Where the disk cannot take them nothing is kept: then they are asked for.

    Args:
        monotonic: seconds on a clock that is never set.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._file: IO[bytes] | None = None
        self._places = _Places()
        self._since = 0.0
        self._end = 0

    def begin(self) -> None:
        """Let go of what was kept, and take what comes from now on."""
        self.close()
        self._since, self._end = self._monotonic(), 0
        try:
            self._file = tempfile.TemporaryFile("a+b", _AT_ONCE_BYTES)  # noqa: SIM115 - lives as long as this
        except OSError:
            return
        weakref.finalize(self, self._file.close)

    def add(self, row: WireDetail) -> None:
        """Keep a scene."""
        if self._file is None:
            return
        line = pack_detail(row) + b"\n"
        try:
            self._file.write(line)
        except OSError:
            self.close()
            return
        self._places.put(row.id, self._end)
        self._end += len(line)

    def take(self, ids: Iterable[SceneId]) -> dict[SceneId, SceneAnswer]:
        """Return those of `ids` that are kept and not too old; a second read is a fresh one."""
        if self._file is None or self._monotonic() - self._since > BELIEVED_S:
            return {}
        taken: dict[SceneId, SceneAnswer] = {}
        try:
            for scene_id in ids:
                if (begin := self._places.take(scene_id)) != _NOWHERE:
                    self._file.seek(begin)
                    taken[scene_id] = SceneAnswer(scene_id, self._file.readline()[:-1])
        except OSError:
            self.close()
        return taken

    def forget(self, ids: Iterable[SceneId]) -> None:
        """Let go of scenes that were read once more."""
        for scene_id in ids:
            self._places.take(scene_id)

    def close(self) -> None:
        """Let go of everything."""
        self._places = _Places()
        if self._file is not None:
            with suppress(OSError):  # what was not written yet may not go there now, either
                self._file.close()
            self._file = None
