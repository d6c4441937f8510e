"""The checkpoint: `state.json`, everything remembered, as JSON a person can read.

One scene a line, in the order of their ids, so that two checkpoints can be compared with `diff`;
see `scenes/row.py`. The last member is the CRC-32 of all bytes before it. Since that says that the
file is what was written, rows are not even parsed before they are asked for.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec

from plexsync.errors import StateCorruptError, StateVersionError
from plexsync.models import Counts, RatingKey, Requests, SceneId, id_order
from plexsync.storage.filesystem import DISK, Filesystem, read_if_there, write_atomically
from plexsync.storage.journal import UNREADABLE, Lineage, RunKind
from plexsync.storage.scenes.row import FIELDS
from plexsync.storage.scenes.rows import SceneRows, row_of
from plexsync.storage.scenes.views import RowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SCHEMA = "plexsync/state/2"
STATE_NAME = "state.json"
PREVIOUS_NAME = "state.json.previous"

_SCHEMA_FAMILY = "plexsync/state/"
_FORMER_SCHEMA = "plexsync/state/1"
_HEADING = b'{\n"schema": "%b",\n' % SCHEMA.encode()
_SEAL = b'"checksum": "crc32:%08x"\n}\n'
_SEAL_BYTES = len(_SEAL % 0)
_TEXTS = b'],\n"texts": ['
_SCENES = b'\n],\n"scenes": {'
_END = b"\n},\n"
_CHUNK_BYTES = 1 << 20


class RunRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run of the history. A run that was cut off has no `exit_code` and no `finished_at`.

    `full`: a full sweep was completed. `written` counts the intents, `by_library` the rows that
    were written, by the title of their library.
    """

    run_id: str
    kind: RunKind
    started_at: str
    finished_at: str = ""
    exit_code: int | None = None
    full: bool = False
    written: int = 0
    counts: Counts = msgspec.field(default_factory=Counts)
    requests: Requests = Requests()
    by_library: dict[str, int] = msgspec.field(default_factory=dict)


class OpenIntent(msgspec.Struct, frozen=True, kw_only=True):
    """An intent of line `seq` of run `run_id` of which nobody knows yet what became of it."""

    run_id: str
    seq: int
    plan: msgspec.Raw


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What `state.json` holds but for the scenes; see `Checkpoint`."""

    schema: str = SCHEMA
    serial: int = 0
    lineage: Lineage = Lineage()
    folded: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    last_full_at: str = ""
    last_success_at: str = ""
    newest_updated_at: str = ""
    runs: tuple[RunRecord, ...] = ()
    unsettled: tuple[OpenIntent, ...] = ()
    waiting: tuple[SceneId, ...] = ()
    decisions: dict[str, msgspec.Raw] = {}
    former: dict[RatingKey, msgspec.Raw] = {}


class _Former(_Head, frozen=True, kw_only=True):
    """A checkpoint that has each record as an object."""

    scenes: dict[SceneId, msgspec.Raw] = {}


class Checkpoint(_Head, frozen=True, kw_only=True):
    """What `state.json` holds.

    Attributes:
        serial: the number of the last run that is in it.
        lineage: the servers it belongs to.
        folded: the runs whose journals need not be read again, though they are kept as history.
        idle: those among the journals not to be read again in which nothing happened.
        last_full_at: when the last completed full sweep began; ISO.
        last_success_at: when a run last ended well; ISO.
        newest_updated_at: the version text up to which every scene is handled.
        runs: the last runs, oldest first.
        unsettled: intents of those runs that wait to be settled.
        waiting: the scenes whose last attempt did not settle them.
        decisions: what people decided, by key.
        former: the Links of items no scene is linked to any more, as JSON, by rating key.
        rows: the scenes' records.
    """

    rows: SceneRows = msgspec.field(default_factory=SceneRows)


class _Heading(msgspec.Struct):
    schema: str


def read_checkpoint(path: Path, disk: Filesystem = DISK) -> Checkpoint | None:
    """Read a checkpoint; None when there is no such file.

    Raises:
        StateCorruptError: the file is not what was written.
        StateVersionError: a newer plexsync wrote it.
        StateError: it cannot be read.
    """
    content = read_if_there(disk, path)
    if content is None:
        return None
    schema = _known_schema(content, path)
    body, seal = memoryview(content)[:-_SEAL_BYTES], content[-_SEAL_BYTES:]
    if seal != _SEAL % zlib.crc32(body):
        raise corrupt("the file is cut short or was edited: its checksum does not fit", path)
    try:
        return _decode(content) if schema == SCHEMA else _upgrade(content)
    except RowError as error:
        raise bad_row(error, path) from error
    except (*UNREADABLE, ValueError) as error:
        raise corrupt(f"the file does not hold a state: {error}", path) from error


def write_checkpoint(path: Path, checkpoint: Checkpoint, disk: Filesystem = DISK) -> None:
    """Make `checkpoint` the content of `path`; what was there becomes `state.json.previous`.

    Its rows share their texts from then on.

    Raises:
        StateCorruptError: a row is not what plexsync writes; `path` holds what it held.
        StateError: it could not be written; likewise.
    """
    try:
        checkpoint.rows.fold()
    except RowError as error:
        raise bad_row(error, path) from error
    write_atomically(
        disk, path, _sealed(_chunks(checkpoint)), previous=path.with_name(PREVIOUS_NAME)
    )


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
    can_step_back = path != previous and previous.exists()
    return StateCorruptError(
        message,
        context=f"{path} > {below}" if below else str(path),
        hint=(
            f"{step_back if can_step_back else 'Restore a backup'}; to start afresh, "
            f"move the whole directory '{path.parent}' away: everything is then read again, and "
            "names that plexsync once added to lists count as yours."
        ),
    )


def bad_row(error: RowError, path: Path) -> StateCorruptError:
    """Return the error for a scene's record that cannot be read."""
    return corrupt(f"not what plexsync writes: {error}", path, below=f"scenes.{error.scene_id}")


def _decode(content: bytes) -> Checkpoint:
    """Return a checkpoint with its rows as they are.

    Raises:
        ValueError: it is none.
        msgspec.DecodeError: likewise.
    """
    texts, scenes = content.index(_TEXTS), content.index(_SCENES)
    head = msgspec.json.decode(content[:texts] + b"]}", type=_Head)
    end = len(content) - _SEAL_BYTES - len(_END)
    start = min(scenes + len(_SCENES) + 1, end)
    shared = b"[%b]" % content[texts + len(_TEXTS) : scenes]
    return _checkpoint(head, SceneRows(content, start, end, shared))


def _upgrade(content: bytes) -> Checkpoint:
    """Return a checkpoint that has objects instead of rows.

    Raises:
        RowError: an object is no record.
        msgspec.DecodeError: it is no checkpoint.
    """
    former, rows = msgspec.json.decode(content, type=_Former), SceneRows()
    for scene_id, raw in former.scenes.items():
        rows.keep(scene_id, row_of(scene_id, bytes(raw)))
    return _checkpoint(former, rows)


def _checkpoint(head: _Head, rows: SceneRows) -> Checkpoint:
    known = {name: getattr(head, name) for name in _Head.__struct_fields__ if name != "schema"}
    return Checkpoint(**known, rows=rows)


def _known_schema(content: bytes, path: Path) -> str:
    if content.startswith(_HEADING):
        return SCHEMA  # as we write it; the rest is for the checksum to judge
    try:
        schema = msgspec.json.decode(content, type=_Heading).schema
    except UNREADABLE as error:
        raise corrupt(f"the file is not whole JSON: {error}", path) from error
    if schema in {SCHEMA, _FORMER_SCHEMA}:
        return schema  # if it was reformatted, the checksum will tell
    if schema.startswith(_SCHEMA_FAMILY):
        raise StateVersionError(
            f"written by a newer plexsync: schema {schema}, this one knows {SCHEMA}",
            context=str(path),
            hint="Update plexsync to at least the version that ran here last.",
        )
    raise corrupt(f"the file is no plexsync state: schema {schema!r}", path)


def _sealed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    checksum = 0
    for chunk in chunks:
        checksum = zlib.crc32(chunk, checksum)
        yield chunk
    yield _SEAL % checksum


def _chunks(checkpoint: Checkpoint) -> Iterator[bytes]:
    """Yield the file up to its seal, in pieces, so that a big library is never in memory twice."""
    encode, rows = msgspec.json.encode, checkpoint.rows
    yield b"{\n"
    for name in (
        "schema",
        "serial",
        "lineage",
        "last_full_at",
        "last_success_at",
        "newest_updated_at",
        "waiting",
        "folded",
        "idle",
    ):
        yield b'"%b": %b,\n' % (name.encode(), encode(getattr(checkpoint, name)))
    yield from _array(b"runs", checkpoint.runs)
    yield from _array(b"unsettled", checkpoint.unsettled)
    yield from _members(b"decisions", checkpoint.decisions, sorted(checkpoint.decisions))
    yield from _members(b"former", checkpoint.former, sorted(checkpoint.former, key=id_order))
    yield b'"fields": %b' % encode(FIELDS).removesuffix(b"]")
    yield from _joined(_TEXTS, rows.texts(), b"")
    yield from _joined(_SCENES, rows.lines(), _END)


def _array(name: bytes, values: tuple[Any, ...]) -> Iterator[bytes]:
    lines = b",\n".join(map(msgspec.json.encode, values))
    yield b'"%b": [\n%b%b],\n' % (name, lines, b"\n" if lines else b"")


def _members(
    name: bytes, values: Mapping[Any, msgspec.Raw], order: Iterable[str]
) -> Iterator[bytes]:
    lines = (b"%b: %b" % (msgspec.json.encode(key), values[key]) for key in order)
    yield from _joined(b'"%b": {' % name, lines, _END)


def _joined(start: bytes, lines: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    """Yield lines between `start` and `end`, in chunks that are worth a write."""
    pending = bytearray(start)
    separator = b"\n"
    for line in lines:
        pending += separator
        pending += line
        separator = b",\n"
        if len(pending) >= _CHUNK_BYTES:
            yield bytes(pending)
            pending.clear()
    yield bytes(pending) + end
