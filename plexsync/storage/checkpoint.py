"""The checkpoint: `state.json`, everything remembered, as JSON a person can read.

One scene a line, in the order of their ids, so that two checkpoints can be compared with `diff`;
see `scenes/row.py`. The last member is the CRC-32 of all bytes before it. Since that says that the
file is what was written, rows are not even parsed before they are asked for.
"""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import msgspec

from plexsync.errors import StateVersionError
from plexsync.models import Counts, RatingKey, Requests, SceneId, id_order
from plexsync.storage.filesystem import DISK, Filesystem, read_if_there, write_atomically
from plexsync.storage.journal import UNREADABLE, Begin, End, Lineage, RunKind
from plexsync.storage.scenes.cells import FIELDS
from plexsync.storage.scenes.lines import RowLines
from plexsync.storage.scenes.row import OUTCOMES
from plexsync.storage.scenes.rows import PREVIOUS_NAME, SceneRows, corrupt

SCHEMA = "plexsync/state/3"

_SCHEMA_FAMILY = "plexsync/state/"
_FORMER_SCHEMAS = frozenset({"plexsync/state/1", "plexsync/state/2"})
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

    @classmethod
    def begun(cls, entry: Begin) -> Self:
        """Return the record of a run that began."""
        return cls(run_id=entry.run_id, kind=entry.kind, started_at=entry.started_at)

    def ended(self, entry: End) -> Self:
        """Return the record of the run that ended so."""
        return msgspec.structs.replace(
            self,
            finished_at=entry.finished_at,
            exit_code=entry.exit_code,
            counts=entry.counts,
            full=entry.full,
            requests=entry.requests,
            by_library=entry.by_library,
        )


class OpenIntent(msgspec.Struct, frozen=True, kw_only=True):
    """An intent of line `seq` of run `run_id` of which nobody knows yet what became of it."""

    run_id: str
    seq: int
    plan: msgspec.Raw


class Checkpoint(msgspec.Struct, kw_only=True):
    """What `state.json` holds.

    Attributes:
        serial: the number of the last run that is in it.
        lineage: the servers it belongs to.
        folded: the runs with journals that need no reading again, though they are kept as history.
        idle: those among the journals not to be read again in which nothing happened.
        gathered: how many texts rows shared when those were numbered last.
        last_full_at: when the last completed full sweep began; ISO.
        last_success_at: when a run last ended well; ISO.
        newest_updated_at: the version text up to which every scene is handled.
        runs: the last runs, oldest first.
        unsettled: intents of those runs that wait to be settled.
        waiting: the scenes not settled by their last attempt.
        decisions: what people decided, by key.
        former: the Links of items no scene is linked to any more, as JSON, by rating key.
        rows: the scenes' records, which are not decoded with the rest.
    """

    serial: int = 0
    lineage: Lineage = Lineage()
    folded: list[str] = []
    idle: list[str] = []
    gathered: int = 0
    last_full_at: str = ""
    last_success_at: str = ""
    newest_updated_at: str = ""
    runs: list[RunRecord] = []
    unsettled: list[OpenIntent] = []
    waiting: set[SceneId] = set()
    decisions: dict[str, msgspec.Raw] = {}
    former: dict[RatingKey, msgspec.Raw] = {}
    rows: SceneRows = msgspec.field(default_factory=SceneRows)


class _FormerCheckpoint(Checkpoint, kw_only=True):
    """What `state.json` of an earlier version holds."""

    texts: list[str] = []
    scenes: dict[SceneId, msgspec.Raw] = {}


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
        return _decode(content, path) if schema == SCHEMA else _upgrade(content, path)
    except (*UNREADABLE, ValueError) as error:
        raise corrupt(f"the file does not hold a state: {error}", path) from error


def write_checkpoint(path: Path, checkpoint: Checkpoint, disk: Filesystem = DISK) -> None:
    """Make `checkpoint` the content of `path`; what was there becomes `state.json.previous`.

    Raises:
        StateCorruptError: a row is not what plexsync writes; `path` holds what it held.
        StateError: it could not be written; likewise.
    """
    checkpoint.gathered = checkpoint.rows.gather_texts(checkpoint.gathered)
    write_atomically(
        disk, path, _sealed(_chunks(checkpoint)), previous=path.with_name(PREVIOUS_NAME)
    )


def _decode(content: bytes, path: Path) -> Checkpoint:
    """Return a checkpoint with its rows as they are.

    Raises:
        ValueError: it is none.
        msgspec.DecodeError: likewise.
    """
    texts, scenes = content.index(_TEXTS), content.index(_SCENES)
    found = msgspec.json.decode(content[:texts] + b"]}", type=Checkpoint)
    end = len(content) - _SEAL_BYTES - len(_END)
    start = min(scenes + len(_SCENES) + 1, end)
    shared = b"[%b]" % content[texts + len(_TEXTS) : scenes]
    found.rows = SceneRows(path, RowLines(content, start, end), shared)
    return found


def _upgrade(content: bytes, path: Path) -> Checkpoint:
    """Return a checkpoint that an earlier version wrote.

    Raises:
        StateCorruptError: an object is no record.
        msgspec.DecodeError: it is no checkpoint.
    """
    found = msgspec.json.decode(content, type=_FormerCheckpoint)
    rows = found.rows = SceneRows(path)
    rows.know_names(found.decisions)
    texts = ["", *found.texts]
    for scene_id, raw in found.scenes.items():
        rows.take_former(scene_id, bytes(raw), texts)
    return found


def _known_schema(content: bytes, path: Path) -> str:
    if content.startswith(_HEADING):
        return SCHEMA  # as we write it; the rest is for the checksum to judge
    try:
        schema = msgspec.json.decode(content, type=_Heading).schema
    except UNREADABLE as error:
        raise corrupt(f"the file is not whole JSON: {error}", path) from error
    if schema == SCHEMA or schema in _FORMER_SCHEMAS:
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
    yield b'{\n"schema": %b,\n' % encode(SCHEMA)
    for name, value in (
        ("serial", checkpoint.serial),
        ("lineage", checkpoint.lineage),
        ("last_full_at", checkpoint.last_full_at),
        ("last_success_at", checkpoint.last_success_at),
        ("newest_updated_at", checkpoint.newest_updated_at),
        ("waiting", sorted(checkpoint.waiting, key=id_order)),
        ("folded", checkpoint.folded),
        ("idle", checkpoint.idle),
        ("gathered", checkpoint.gathered),
    ):
        yield b'"%b": %b,\n' % (name.encode(), encode(value))
    for name in ("runs", "unsettled"):
        lines = map(encode, getattr(checkpoint, name))
        yield from _joined(b'"%b": [' % name.encode(), lines, b"\n],\n")
    for name, order in (("decisions", str), ("former", id_order)):
        values = getattr(checkpoint, name)
        members = (b"%b: %b" % (encode(key), values[key]) for key in sorted(values, key=order))
        yield from _joined(b'"%b": {' % name.encode(), members, _END)
    yield b'"outcomes": %b,\n' % encode(OUTCOMES)
    yield b'"fields": %b' % encode(FIELDS).removesuffix(b"]")
    yield from _joined(_TEXTS, rows.texts(), b"")
    yield from _joined(_SCENES, rows.lines(), _END)


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
