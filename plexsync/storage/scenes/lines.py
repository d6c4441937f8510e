"""The rows of a checkpoint, still in its bytes: one a line, in the order of the scenes' ids.

So one row is found by halving, and to load a checkpoint costs nothing for each scene.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from plexsync.models import SceneId, id_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SEARCHES = 200
"""After so many searches one walk over all rows is worth it."""

_NAME = msgspec.json.Decoder(SceneId)
_PIECE_BYTES = 1 << 16


class RowLines:
    """The lines of a checkpoint that have its rows.

    Args:
        content: the checkpoint.
        start: where its first row begins.
        end: where its last one ends.
    """

    def __init__(self, content: bytes = b"", start: int = 0, end: int = 0) -> None:
        self._content, self._start, self._end = content, start, end
        self._searches = 0
        self._last = start - 1
        self._count = content.count(b"\n", start, end) + (end > start)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self._count

    def content(self) -> memoryview:
        """Return all lines."""
        return memoryview(self._content)[self._start : self._end]

    @cached_property
    def places(self) -> dict[SceneId, int]:
        """Where the line of each scene begins."""
        return {self._name(at): at for at in self._line_starts(self._start, self._end)}

    def row(self, scene_id: SceneId) -> bytes | None:
        """Return the row of a scene; None for none."""
        if self._searches >= _SEARCHES:
            begin = self.places.get(scene_id, -1)
            return None if begin < 0 else self._row_at(begin, scene_id)
        begin, is_there = self._seek(scene_id)
        return self._row_at(begin, scene_id) if is_there else None

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Yield where many lines at a time begin and end."""
        return self._pieces(self._start, self._end)

    def as_object(self, begin: int, end: int) -> bytes:
        """Return the lines between two places as JSON."""
        return b"{%b}" % self._content[begin:end].removesuffix(b",")

    def rows(self, begin: int, end: int) -> Iterator[tuple[SceneId, bytes]]:
        """Yield the rows in the lines between two places, one by one."""
        for at in self._line_starts(begin, end):
            scene_id = self._name(at)
            yield scene_id, self._row_at(at, scene_id)

    def changed(self, rows: Mapping[SceneId, bytes | None]) -> Iterator[bytes]:
        """Yield the lines with these rows, or without those of None, to be parted by commas.

        Between two that are new those that stay come many at a time.
        """
        at = self._start
        for scene_id in sorted(rows, key=id_order):
            begin, is_there = self._seek(scene_id)
            yield from self._staying(at, begin)
            at = self._line_end(begin) + 1 if is_there else begin
            row = rows[scene_id]
            if row is not None:
                yield _key(scene_id) + row
        yield from self._staying(at, self._end)

    # ---- Private ---------------------------------------------------------------------------------

    def _seek(self, scene_id: SceneId) -> tuple[int, bool]:
        """Return where the line of a scene begins, or would, and whether it is there.

        Most are asked for in their order, so a scene is first looked for near the one before, and
        then by halving; by an index once many were not near, see `row`.
        """
        until = min(self._last + _PIECE_BYTES, self._end)
        near = self._content.find(b"\n" + _key(scene_id), self._last, until)
        begin, is_there = self._search(scene_id) if near < 0 else (near + 1, True)
        if is_there:
            self._last = begin - 1
        return begin, is_there

    def _search(self, scene_id: SceneId) -> tuple[int, bool]:
        """Do what `_seek` does by halving."""
        self._searches += 1
        low, high, wanted = self._start, self._end, id_order(scene_id)
        while low < high:
            begin = max(self._content.rfind(b"\n", low, (low + high) // 2) + 1, low)
            name = self._name(begin)
            if name == scene_id:
                return begin, True
            if id_order(name) < wanted:
                low = self._line_end(begin) + 1
            else:
                high = begin
        return min(low, self._end), False

    def _name(self, begin: int) -> SceneId:
        """Return the scene of the line that begins there."""
        end = self._content.index(b'"', begin + 1) + 1
        return _NAME.decode(self._content[begin:end])

    def _row_at(self, begin: int, scene_id: SceneId) -> bytes:
        """Return the row in the line of a scene that begins there."""
        start = begin + len(_key(scene_id))
        return self._content[start : self._line_end(begin)].removesuffix(b",")

    def _line_end(self, begin: int) -> int:
        end = self._content.find(b"\n", begin, self._end)
        return self._end if end < 0 else end

    def _line_starts(self, begin: int, end: int) -> Iterator[int]:
        """Yield where each line between two places begins."""
        while begin < end:
            yield begin
            begin = self._line_end(begin) + 1

    def _pieces(self, at: int, until: int) -> Iterator[tuple[int, int]]:
        """Yield where many lines of the checkpoint at a time begin and end, of those between."""
        while at < until:
            end = min(self._line_end(at + _PIECE_BYTES), until)
            yield at, end
            at = end + 1

    def _staying(self, at: int, until: int) -> Iterator[bytes]:
        """Yield the lines between two places, many at a time."""
        for begin, end in self._pieces(at, until):
            yield self._content[begin:end].rstrip(b",\n")


def _key(scene_id: SceneId) -> bytes:
    """Return what the line of a scene begins with; only one quote comes before its end."""
    return b'"%b": ' % msgspec.json.encode(scene_id)[1:-1].replace(b'\\"', b"\\u0022")
