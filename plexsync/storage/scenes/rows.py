"""The rows of all scenes: those of a checkpoint, still in its bytes, and those that came since.

A checkpoint has one row a line, in the order of the scenes' ids. So one row is found by halving,
and to load a checkpoint costs nothing for each scene.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

import msgspec

from plexsync.models import SceneId, SceneRecord, id_order
from plexsync.storage.journal import UNREADABLE
from plexsync.storage.scenes.row import decode_row, encode_row, paths_in, share_row
from plexsync.storage.scenes.shared import SharedTexts
from plexsync.storage.scenes.views import LinkPlace, RowError, RowView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

_SEARCHES = 200
"""After so many searches one walk over all rows is worth it."""

_DECODED = 4096
"""How many records are kept decoded: a run asks for one several times."""

_PIECE_BYTES = 1 << 16


def row_of(scene_id: SceneId, kept: bytes) -> bytes:
    """Return the row of a record that is one, or an object as earlier versions wrote.

    Raises:
        RowError: it is neither.
    """
    if not kept.startswith(b"{"):
        return kept
    try:
        return encode_row(msgspec.json.decode(kept, type=SceneRecord))
    except UNREADABLE as error:
        raise RowError(scene_id, error) from error


def _key(scene_id: SceneId) -> bytes:
    """Return what the line of a scene begins with; only one quote comes before its end."""
    return b'"%b": ' % msgspec.json.encode(scene_id)[1:-1].replace(b'\\"', b"\\u0022")


class SceneRows(Mapping[SceneId, bytes]):
    """Row by scene; those read from a checkpoint have numbers for `texts`.

    Args:
        content: a checkpoint.
        start: where its first row begins.
        end: where its last row ends.
        texts: its shared texts, as JSON.
    """

    def __init__(
        self, content: bytes = b"", start: int = 0, end: int = 0, texts: bytes = b"[]"
    ) -> None:
        self._content, self._start, self._end = content, start, end
        self._packed_texts = texts
        self._unpacked_texts: SharedTexts | None = None
        self._new: dict[SceneId, bytes | None] = {}
        self._decoded: dict[SceneId, SceneRecord] = {}
        self._places: dict[SceneId, int] = {}
        self._searches = 0
        self._added = 0
        self._counted: int | None = None

    # ---- Asking ----------------------------------------------------------------------------------

    def __getitem__(self, scene_id: SceneId) -> bytes:
        """Return the row of a scene."""
        row = self._new[scene_id] if scene_id in self._new else self._old(scene_id)
        if row is None:
            raise KeyError(scene_id)
        return row

    def __iter__(self) -> Iterator[SceneId]:
        """Yield the scenes."""
        for scene_id in self._index():
            if self._new.get(scene_id, b"") is not None:
                yield scene_id
        for scene_id, row in self._new.items():
            if row is not None and scene_id not in self._places:
                yield scene_id

    def __len__(self) -> int:
        """Return how many scenes there are."""
        if self._counted is None:
            lines = self._content.count(b"\n", self._start, self._end)
            self._counted = lines + (self._end > self._start)
        return self._counted + self._added

    def record(self, scene_id: SceneId, *, bare: bool = False) -> SceneRecord | None:
        """Return the record of a scene, bare or not, see `decode_row`; None when there is none.

        Raises:
            RowError: it is none.
        """
        known = None if bare else self._decoded.get(scene_id)
        if known is not None:
            return known
        row = self.get(scene_id)
        return None if row is None else self._decode(scene_id, row, bare=bare)

    def records(self, scene_ids: Iterable[SceneId]) -> Iterator[tuple[SceneId, SceneRecord]]:
        """Yield the records of scenes in the order of their ids, which costs little for each.

        Raises:
            RowError: one is none.
        """
        at = self._start - 1
        for scene_id in sorted(scene_ids, key=id_order):
            if scene_id in self._new or scene_id in self._decoded:
                record = self.record(scene_id)
            else:
                found = self._content.find(b"\n" + _key(scene_id), at, self._end)
                at = max(at, found)
                row = None if found < 0 else self._row_at(found + 1, scene_id)
                record = None if row is None else self._decode(scene_id, row)
            if record is not None:
                yield scene_id, record

    def view(self, view: RowView[T], scene_id: SceneId) -> T | None:
        """Return a part of one row; None when there is none.

        Raises:
            RowError: it is not what plexsync writes.
        """
        row = self.get(scene_id)
        return None if row is None else view.of(scene_id, row)

    def views(self, view: RowView[T]) -> Iterator[tuple[SceneId, T]]:
        """Yield a part of every row.

        Raises:
            RowError: one is not what plexsync writes.
        """
        for begin, end in self._pieces():
            for scene_id, part in self._views_between(begin, end, view).items():
                if scene_id not in self._new:
                    yield scene_id, part
        for scene_id, row in self._new.items():
            if row is not None:
                yield scene_id, view.of(scene_id, row)

    @property
    def unfolded(self) -> int:
        """How many rows no checkpoint has."""
        return len(self._new)

    def placed(self, scene_id: SceneId, links: tuple[LinkPlace, ...]) -> tuple[LinkPlace, ...]:
        """Return the links of a scene with their whole paths.

        Raises:
            RowError: there is no such folder.
        """
        try:
            for link in links:
                link.folder, link.path = 0, self._texts.text(link.folder) + link.path
        except (IndexError, *UNREADABLE) as error:
            raise RowError(scene_id, error) from error
        return links

    # ---- Changing --------------------------------------------------------------------------------

    def keep(self, scene_id: SceneId, row: bytes | None) -> None:
        """Have `row` as the row of a scene, everything in it written out; None for no row."""
        self._added += (row is not None) - (scene_id in self)
        self._new[scene_id] = row
        self._decoded.pop(scene_id, None)

    def fold(self) -> None:
        """Have every row as a checkpoint has it.

        Where most rows are new the shared texts are gathered again, so that those no row has any
        more, as of folders that were moved, do not pile up.
        """
        texts = self._texts
        if self._content and 2 * len(self._new) > len(self):
            self._new = {scene_id: self._written_out(scene_id) for scene_id in self}
            self._content, self._start, self._end, self._places = b"", 0, 0, {}
            self._counted, self._added = 0, len(self._new)
            texts = SharedTexts()
        texts.expect(path for row in self._new.values() if row for path in paths_in(row))
        for scene_id in sorted(self._new, key=id_order):
            row = self._new[scene_id]
            self._new[scene_id] = None if row is None else share_row(row, texts)
        self._unpacked_texts = texts

    def texts(self) -> Iterator[bytes]:
        """Yield the shared texts as JSON, one by one."""
        return map(msgspec.json.encode, self._texts)

    def lines(self) -> Iterator[bytes]:
        """Yield the rows as they stand in a checkpoint, in pieces to be parted by commas."""
        at = self._start
        for scene_id in sorted(self._new, key=id_order):
            begin, found = self._search(scene_id)
            yield from self._stretch(at, begin)
            at = self._line_end(begin) + 1 if found else begin
            row = self._new[scene_id]
            if row is not None:
                yield _key(scene_id) + row
        yield from self._stretch(at, self._end)

    # ---- Private ---------------------------------------------------------------------------------

    @property
    def _texts(self) -> SharedTexts:
        if self._unpacked_texts is None:
            self._unpacked_texts = SharedTexts(
                msgspec.json.decode(self._packed_texts, type=list[str])
            )
        return self._unpacked_texts

    def _written_out(self, scene_id: SceneId) -> bytes | None:
        record = self.record(scene_id)
        return None if record is None else encode_row(record)

    def _decode(self, scene_id: SceneId, row: bytes, *, bare: bool = False) -> SceneRecord:
        try:
            record = decode_row(row, self._texts, bare=bare)
        except UNREADABLE as error:
            raise RowError(scene_id, error) from error
        if bare:
            return record
        if len(self._decoded) >= _DECODED:
            self._decoded.clear()
        self._decoded[scene_id] = record
        return record

    def _old(self, scene_id: SceneId) -> bytes | None:
        """Return the row of a scene in the checkpoint."""
        if not self._places and self._searches < _SEARCHES:
            self._searches += 1
            begin, found = self._search(scene_id)
        else:
            begin = self._index().get(scene_id, -1)
            found = begin >= 0
        return self._row_at(begin, scene_id) if found else None

    def _row_at(self, begin: int, scene_id: SceneId) -> bytes:
        """Return the row in the line of a scene that begins there."""
        start = begin + len(_key(scene_id))
        return self._content[start : self._line_end(begin)].removesuffix(b",")

    def _index(self) -> dict[SceneId, int]:
        """Return where the line of each scene begins."""
        if not self._places:
            self._places = {self._name(at): at for at in self._line_starts(self._start, self._end)}
        return self._places

    def _name(self, begin: int) -> SceneId:
        """Return the scene of the line that begins there."""
        end = self._content.index(b'"', begin + 1) + 1
        return msgspec.json.decode(self._content[begin:end], type=SceneId)

    def _search(self, scene_id: SceneId) -> tuple[int, bool]:
        """Return where the line of a scene begins, or would, and whether it is there."""
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
        return low, False

    def _line_end(self, begin: int) -> int:
        end = self._content.find(b"\n", begin, self._end)
        return self._end if end < 0 else end

    def _line_starts(self, begin: int, end: int) -> Iterator[int]:
        """Yield where each line between two places begins."""
        while begin < end:
            yield begin
            begin = self._line_end(begin) + 1

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """Yield where many lines of the checkpoint at a time begin and end."""
        at = self._start
        while at < self._end:
            end = self._line_end(at + _PIECE_BYTES)
            yield at, end
            at = end + 1

    def _views_between(self, begin: int, end: int, view: RowView[T]) -> dict[SceneId, T]:
        """Return a part of each row in the lines between two places.

        Raises:
            RowError: one is not what plexsync writes.
        """
        try:
            return view.of_all(b"{%b}" % self._content[begin:end].removesuffix(b","))
        except UNREADABLE:  # one by one, to find which
            names = ((self._name(at), at) for at in self._line_starts(begin, end))
            return {one: view.of(one, self._row_at(at, one)) for one, at in names}

    def _stretch(self, begin: int, end: int) -> Iterator[bytes]:
        """Yield whole lines of the checkpoint, without the comma and line end of the last."""
        while begin < end:
            last = min(self._line_end(min(begin + _PIECE_BYTES, end)), end)
            yield self._content[begin:last].rstrip(b",\n")
            begin = last + 1
