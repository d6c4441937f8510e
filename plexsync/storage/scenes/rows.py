"""The rows of all scenes: those of a checkpoint, and those that came since.

What a run asks of all of them is asked by a `RowView`, which decodes only as much of each row as
that needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from plexsync.errors import StateCorruptError
from plexsync.models import RelatedId, SceneId, SceneRecord
from plexsync.planning.relations import name_in
from plexsync.storage.filesystem import mode_of
from plexsync.storage.journal import UNREADABLE
from plexsync.storage.scenes.former import decode_former, is_former
from plexsync.storage.scenes.lines import RowLines
from plexsync.storage.scenes.row import (
    Links,
    PlacedRow,
    RowHead,
    decode_row,
    encode_row,
    files_in,
    links_in,
    placed_in,
    related_in,
    version_in,
)
from plexsync.storage.scenes.texts import News, SharedTexts
from plexsync.text.folding import ENTRY_DIGITS, name_digest, short_digest
from plexsync.text.normalize import strip_control, tag_key

P = TypeVar("P")
T = TypeVar("T")

NAME_PREFIX = "name."
"""What the keys of decisions begin with under which the names of objects are remembered."""

STATE_NAME = "state.json"
PREVIOUS_NAME = "state.json.previous"

_DECODED = 4096
"""How many records are kept decoded: a run asks for one several times."""

_MARK_DIGITS = 16

_DAMAGED = (*UNREADABLE, IndexError, ValueError)
"""What reading a row raises that is not what plexsync writes."""

_NAME = msgspec.json.Decoder(tuple[str])
"""What the decision about the name of an object holds."""


class RowView(Generic[P, T]):
    """Reads a part of a row.

    Args:
        type_: what of it, a row's first values.
        make: returns what is asked for of that, by the shared texts.
    """

    def __init__(self, type_: type[P], make: Callable[[P, SharedTexts], T]) -> None:
        self._one = msgspec.json.Decoder(type_)
        self._many = msgspec.json.Decoder(dict[SceneId, type_])  # type: ignore[valid-type] # made at run time
        self._make = make

    def read(self, texts: SharedTexts, row: bytes) -> T:
        """Return what is asked for of one row."""
        return self._make(self._one.decode(row), texts)

    def read_many(self, texts: SharedTexts, rows: bytes) -> dict[SceneId, T]:
        """Return what is asked for of several rows, a JSON object."""
        parts = self._many.decode(rows)
        return {scene_id: self._make(part, texts) for scene_id, part in parts.items()}


def _itself(part: P, _texts: SharedTexts) -> P:
    return part


HEAD = RowView(RowHead, _itself)
VERSION = RowView(RowHead, version_in)
RELATED = RowView(RowHead, related_in)
FILES = RowView(RowHead, files_in)
LINKS = RowView(Links, _itself)
WHOLE_LINKS = RowView(Links, links_in)
PLACED = RowView(PlacedRow, placed_in)


def corrupt(message: str, path: Path, *, below: str = "") -> StateCorruptError:
    """Return the error for a damaged checkpoint, with the way out.

    Args:
        message: what is wrong.
        path: the file.
        below: the place within the file, outermost first.
    """
    previous = path.with_name(PREVIOUS_NAME)
    step_back = (
        f"Go back one step with: cp -p '{previous}' '{path}' (the journals bring it up to "
        "date, nothing is lost). If that is damaged too, restore a backup"
    )
    can_step_back = False
    with suppress(OSError):
        can_step_back = path != previous and mode_of(previous) != 0
    return StateCorruptError(
        message,
        context=f"{path} > {below}" if below else str(path),
        hint=(
            f"{step_back if can_step_back else 'Restore a backup'}; to start afresh, "
            f"move the whole directory '{path.parent}' away: everything is then read again, and "
            "names that plexsync once added to lists count as yours."
        ),
    )


class SceneRows(Mapping[SceneId, bytes]):
    """Row by scene, wherever it stands.

    Whatever is asked of a row that is none raises StateCorruptError, which names it.

    Args:
        path: the checkpoint, for errors.
        lines: those of its rows.
        texts: its shared texts, as JSON.
    """

    def __init__(
        self,
        path: Path = Path(STATE_NAME),
        lines: RowLines | None = None,
        texts: bytes = b"[]",
    ) -> None:
        self._path = path
        self._lines = lines or RowLines()
        self._packed_texts = texts
        self._new: dict[SceneId, bytes | None] = {}
        self._decoded: dict[SceneId, SceneRecord] = {}
        self._decisions: Mapping[str, msgspec.Raw] = {}
        self._journal, self._agrees = SharedTexts(), True
        self._count = len(self._lines)

    # ---- Asking ----------------------------------------------------------------------------------

    def __getitem__(self, scene_id: SceneId) -> bytes:
        """Return the row of a scene."""
        row = self._new[scene_id] if scene_id in self._new else self._lines.row(scene_id)
        if row is None:
            raise KeyError(scene_id)
        return row

    def __iter__(self) -> Iterator[SceneId]:
        """Yield the scenes."""
        for scene_id in self._lines.places:
            if self._new.get(scene_id, b"") is not None:
                yield scene_id
        for scene_id, row in self._new.items():
            if row is not None and scene_id not in self._lines.places:
                yield scene_id

    def __len__(self) -> int:
        """Return how many scenes there are."""
        return self._count

    def record(self, scene_id: SceneId, *, bare: bool = False) -> SceneRecord | None:
        """Return the record of a scene, bare or not, see `decode_row`; None when there is none."""
        known = None if bare else self._decoded.get(scene_id)
        if known is not None:
            return known
        row = self.get(scene_id)
        if row is None:
            return None
        record = self._read(scene_id, row, partial(decode_row, texts=self._texts, bare=bare))
        if not bare:
            if len(self._decoded) >= _DECODED:
                self._decoded.clear()
            self._decoded[scene_id] = record
        return record

    def view(self, view: RowView[P, T], scene_id: SceneId) -> T | None:
        """Return a part of one row; None when there is none."""
        row = self.get(scene_id)
        return None if row is None else self.part(view, scene_id, row)

    def part(self, view: RowView[P, T], scene_id: SceneId, row: bytes) -> T:
        """Return a part of a row that a scene has or is to have."""
        return self._read(scene_id, row, partial(view.read, self._texts))

    def views(self, view: RowView[P, T]) -> Iterator[tuple[SceneId, T]]:
        """Yield a part of every row."""
        for begin, end in self._lines.pieces():
            try:
                parts = view.read_many(self._texts, self._lines.as_object(begin, end))
            except _DAMAGED:  # one by one, to find which
                rows = self._lines.rows(begin, end)
                parts = {scene_id: self.part(view, scene_id, row) for scene_id, row in rows}
            yield from ((one, part) for one, part in parts.items() if one not in self._new)
        for scene_id, row in self._new.items():
            if row is not None:
                yield scene_id, self.part(view, scene_id, row)

    def showing(self, objects: Collection[RelatedId]) -> Iterator[SceneId]:
        """Yield the scenes that show any of these objects."""
        wanted = self._texts.numbers_of(objects)
        for scene_id, head in self.views(HEAD) if wanted else ():
            if not wanted.isdisjoint(head.related):
                yield scene_id

    def mark(self) -> str:
        """Return what moves whenever a row does."""
        from hashlib import blake2b  # noqa: PLC0415 - `status` reads rows and makes no digest

        known = blake2b(self._packed_texts, digest_size=_MARK_DIGITS // 2)
        known.update(self._lines.content())
        known.update(msgspec.msgpack.encode(self._new))
        return known.hexdigest()

    def texts_mark(self, most: int | None = None) -> tuple[int, str]:
        """Return how many shared texts there are, up to `most`, and a digest of these."""
        texts = tuple(islice(self._texts, most))
        return len(texts), short_digest("\0".join(texts), _MARK_DIGITS)

    @property
    def unfolded(self) -> int:
        """How many rows no checkpoint has."""
        return len(self._new)

    # ---- Changing --------------------------------------------------------------------------------

    def know_names(self, decisions: Mapping[str, msgspec.Raw]) -> None:
        """Look the names of objects up in these decisions from here on."""
        self._decisions = decisions

    def rename(self, one: str) -> None:
        """Have the name of an object looked up again."""
        self._texts.rename(one)

    def begin_journal(self) -> None:
        """Have rows come from another journal from here on, or go to it."""
        self._texts.begin_journal()
        self._journal, self._agrees = SharedTexts(), True

    def pack(self, record: SceneRecord) -> tuple[bytes, News]:
        """Return the row of a record, and its texts that the journal lacks."""
        return encode_row(record, self._texts), self._texts.news()

    def as_row(self, scene_id: SceneId, kept: bytes, news: News) -> bytes:
        """Return the row of a record that a journal or an earlier version wrote.

        Args:
            scene_id: the scene.
            kept: what was written.
            news: the texts that came with it.
        """
        if is_former(kept):
            return self._coded(scene_id, kept, decode_former)
        self._journal.learn(news)
        self._agrees = self._texts.adopt(news) and self._agrees
        if self._agrees:
            return kept
        # A checkpoint that is lost now had other numbers.
        return self._coded(scene_id, kept, partial(decode_row, texts=self._journal))

    def take_former(self, scene_id: SceneId, kept: bytes, texts: Sequence[str]) -> None:
        """Keep what the checkpoint of an earlier version has of a scene; `texts` by number."""
        self.keep(scene_id, self._coded(scene_id, kept, partial(decode_former, texts=texts)))

    def keep(self, scene_id: SceneId, row: bytes | None) -> None:
        """Have `row` as the row of a scene; None for no row."""
        self._count += (row is not None) - (scene_id in self)
        self._new[scene_id] = row
        self._decoded.pop(scene_id, None)

    def gather_texts(self, gathered: int) -> int:
        """Give texts other numbers once there are twice as many as when that was done last.

        So those that no row has any more, as of folders that were moved, do not pile up.

        Args:
            gathered: how many there were then; 0 for never.

        Returns:
            How many there were when it was done last, by now.
        """
        if not 0 < 2 * gathered < len(self._texts):
            return gathered or len(self._texts)
        texts = self._named(SharedTexts())
        records = ((scene_id, self.record(scene_id)) for scene_id in self)
        self._new = {one: encode_row(record, texts) for one, record in records if record}
        self._lines, self._texts = RowLines(), texts
        return len(texts)

    def texts(self) -> Iterator[bytes]:
        """Yield the shared texts as JSON, one by one."""
        return map(msgspec.json.encode, self._texts)

    def lines(self) -> Iterator[bytes]:
        """Yield the rows as they stand in a checkpoint, to be parted by commas."""
        return self._lines.changed(self._new)

    def _coded(
        self, scene_id: SceneId, kept: bytes, decode: Callable[[bytes], SceneRecord]
    ) -> bytes:
        """Return the row of the record that `decode` makes of what was kept."""
        return encode_row(self._read(scene_id, kept, decode), self._texts)

    @cached_property
    def _texts(self) -> SharedTexts:
        try:
            texts = msgspec.json.decode(self._packed_texts, type=list[str])
        except UNREADABLE as error:
            raise self._damaged("texts", error) from error
        return self._named(SharedTexts(texts))

    def _named(self, texts: SharedTexts) -> SharedTexts:
        """Return shared texts that know the names of objects."""
        texts.name_of = self._name_of
        return texts

    def _name_of(self, one: str) -> str:
        """Return the digest of the name of an object as a list has it; "" where it is not known."""
        kept = self._decisions.get(NAME_PREFIX + one)
        text = "" if kept is None else _NAME.decode(kept)[0]
        name = " ".join(strip_control(name_in(text)).split())
        return name and name_digest(tag_key(name), ENTRY_DIGITS)

    def _read(self, scene_id: SceneId, row: bytes, decode: Callable[[bytes], T]) -> T:
        """Return what `decode` makes of a row.

        Raises:
            StateCorruptError: it is not what plexsync writes.
        """
        try:
            return decode(row)
        except _DAMAGED as error:
            raise self._damaged(f"scenes.{scene_id}", error) from error

    def _damaged(self, below: str, error: Exception) -> StateCorruptError:
        return corrupt(f"not what plexsync writes: {error}", self._path, below=below)
