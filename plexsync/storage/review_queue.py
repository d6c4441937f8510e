"""What waits: each LOW scene with its candidates, and those Plex lacks, kept when a run finds them.

That a scene waits is the state's to know. What was found for it lies in the cache, one line a
scene, and of several lines the last one counts. The file may be deleted, damaged or left by another
version at any time; then everything in it is found again.
"""

from __future__ import annotations

import os
import re
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from plexsync.models import Candidate, Confidence, Match, Outcome, Scene, SceneId, SceneRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from plexsync.storage.journal import Lineage
    from plexsync.storage.memory import State

_MAGIC = b"plexsync-review-2 %b\n"
_SCHEMA = ",".join(
    (*Scene.__struct_fields__, *Match.__struct_fields__, *Candidate.__struct_fields__)
)
_LINE = re.compile(rb"(\d{1,19})\t([0-9a-f]{8})\t(.*)\n", re.DOTALL)
_SLACK = 100
"""Outdated lines that are not worth a rewriting."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A LOW scene and what was found for it."""

    scene: Scene
    match: Match

    @property
    def scene_id(self) -> SceneId:
        """The scene's id."""
        return self.scene.scene_id

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The best of them first."""
        return self.match.candidates


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Waiting)


def review_queue_path(cache_dir: Path, state_dir: Path, lineage: Lineage) -> Path:
    """Where the finds of one state lie: several may share a cache."""
    return _queue_file(cache_dir, state_dir, lineage, "review")


def trial_queue_path(cache_dir: Path, state_dir: Path, lineage: Lineage) -> Path:
    """Where the finds of the last dry run lie; a whole run that writes clears them."""
    return _queue_file(cache_dir, state_dir, lineage, "trial")


def _queue_file(cache_dir: Path, state_dir: Path, lineage: Lineage, kind: str) -> Path:
    owner = f"{state_dir}\x1f{lineage.plex}\x1f{lineage.stash}"
    digest = _sha256(owner.encode("utf-8", "surrogateescape"))[:24]
    return cache_dir / f"{kind}-{digest}.lines"


class ReviewQueueWriter:
    """Keeps what a run finds. Nothing is read or written before the first `put`.

    Args:
        path: see `review_queue_path`.

    Attributes:
        problem: why something could not be kept; "" while all was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self._file: BinaryIO | None = None
        self._known: dict[SceneId, bytes] = {}

    def clear(self) -> None:
        """Forget what was found before."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            self._give_up(error)

    def put(self, waiting: Waiting) -> None:
        """Keep `waiting` in place of what was found for its scene before."""
        content = _ENCODER.encode(waiting)
        crc = b"%08x" % zlib.crc32(content)
        try:
            if self._file is None and not self.problem:
                self._open()
            if self._file is not None and self._known.get(waiting.scene_id) != crc:
                self._file.write(b"%b\t%b\t%b\n" % (waiting.scene_id.encode(), crc, content))
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        """Hand everything to the disk. Not synced: a torn line is found again."""
        try:
            if self._file is not None:
                self._file.close()
        except OSError as error:
            self._give_up(error)
        self._file = None

    def _open(self) -> None:
        """Learn what is there, without what is outdated if that is much."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = 0
        for scene_id, crc, _ in _sound_lines(self.path):
            self._known[scene_id] = crc
            lines += 1
        if not lines or lines > 2 * len(self._known) + _SLACK:
            _rewrite(self.path)
        self._file = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND, 0o600), "wb")

    def _give_up(self, error: OSError) -> None:
        self.problem = (
            f"what waits for review cannot be kept in {self.path.parent}: {error.strerror}"
        )


def load_waiting(path: Path, state: State) -> list[Waiting]:
    """Return what waits by `state`, in the order of the scenes, as far as its finds are there."""
    wanted = list(waiting_ids(state))
    found = load_all(path, frozenset(wanted))
    return [found[one] for one in wanted if one in found]


def load_trial(path: Path, state: State) -> list[Waiting]:
    """Return the LOW scenes of the last dry run that no run has handled since."""
    found = _load(path, lambda scene_id: _is_open(state.get(scene_id)))
    return [one for one in found.values() if one.match.confidence is Confidence.LOW]


def load_all(path: Path, scene_ids: Collection[SceneId]) -> dict[SceneId, Waiting]:
    """Return what was last found for some scenes, as far as it is there."""
    return _load(path, scene_ids.__contains__)


def waiting_ids(state: State) -> Iterator[SceneId]:
    """Yield the scenes that wait for a person, by id."""
    for scene_id, record in state.waiting():
        if record.outcome is Outcome.REVIEW:
            yield scene_id


# ---- Private -------------------------------------------------------------------------------------


def _heading() -> bytes:
    return _MAGIC % _sha256(_SCHEMA.encode())[:16].encode()


def _sha256(content: bytes) -> str:
    from hashlib import sha256  # noqa: PLC0415 - most commands ask for no queue

    return sha256(content).hexdigest()


def _load(path: Path, is_wanted: Callable[[SceneId], bool]) -> dict[SceneId, Waiting]:
    """Return the last find of each scene that is wanted, unless another version left it."""
    lines = {one: content for one, _, content in _sound_lines(path) if is_wanted(one)}
    found = {}
    for scene_id, content in lines.items():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            found[scene_id] = _DECODER.decode(content)
    return found


def _sound_lines(path: Path) -> Iterator[tuple[SceneId, bytes, bytes]]:
    """Id, checksum and content of each line that is what was written."""
    try:
        with path.open("rb") as file:
            if file.readline() != _heading():
                return
            for line in file:
                parts = _LINE.fullmatch(line)
                if parts is not None and b"%08x" % zlib.crc32(parts[3]) == parts[2]:
                    yield SceneId(parts[1].decode()), parts[2], parts[3]
    except OSError:
        return


def _rewrite(path: Path) -> None:
    """Leave the last line of each scene."""
    lines = {scene_id: (crc, content) for scene_id, crc, content in _sound_lines(path)}
    draft = path.with_suffix(".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
        file.write(_heading())
        for scene_id, (crc, content) in lines.items():
            file.write(b"%b\t%b\t%b\n" % (scene_id.encode(), crc, content))
    draft.replace(path)


def _is_open(record: SceneRecord | None) -> bool:
    """Whether a scene has no item by what runs remember."""
    open_ends = {Outcome.UNMATCHED, Outcome.SKIPPED, Outcome.FAILED}
    return record is None or (not record.links and record.outcome in open_ends)
