"""The scenes that were found in step, each by a digest of everything that shows it.

A full run reads what both servers say of every scene. Where that, what is remembered of the scene
and the names it shows are byte for byte what they were when a full run found nothing to do and
nothing to remember, nothing is to be decided: the scene is in step, and is not compared again. The
digests lie in the cache. Without them every scene is compared.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync import __version__
from plexsync.config.configuration import SECTIONS
from plexsync.errors import ServerError
from plexsync.state import read_pieces, write_pieces
from plexsync.sync.detection.seen import digest
from plexsync.sync.execution.work import place_of
from plexsync.sync.ports import WorkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.models import RatingKey, SceneId
    from plexsync.plex.decode import ItemAnswer
    from plexsync.stash_client import SceneAnswer
    from plexsync.sync.context import RunContext
    from plexsync.sync.detection.unversioned import Dictionary
    from plexsync.sync.rows import Pair

DECISIONS = "3"
"""Moves when something else decides what an item needs, or is remembered of a scene, so that every
scene is compared again."""

_NUMBERS = "Q"
_ENCODER = msgspec.msgpack.Encoder()
_HEAD = msgspec.msgpack.Decoder(tuple[str, tuple[int, str]])
"""Reads what all digests depend on: what decides, and what the numbers in rows stand for."""


class _Digests(NamedTuple):
    """Of each scene in step a digest of its own side, in order, and one of its items as well."""

    scenes: array[int]
    wholes: array[int]

    def whole(self, scene: int) -> int | None:
        """Return the second digest of a scene by its first; None for an unknown one."""
        at = bisect_left(self.scenes, scene)
        known = at < len(self.scenes) and self.scenes[at] == scene
        return self.wholes[at] if known else None

    def add(self, scene: int, whole: int) -> None:
        """Add a scene, whatever the order."""
        self.scenes.append(scene)
        self.wholes.append(whole)


class _Compared(msgspec.Struct, gc=False):
    """A scene that is being compared.

    Attributes:
        digest: of its own side.
        row: its record.
        open_pairs: how many of its items are still to be decided about.
        items: those that need nothing.
    """

    digest: int
    row: bytes
    open_pairs: int
    items: list[bytes] = msgspec.field(default_factory=list)


class InStep:
    """Knows which scenes were found in step, and learns it of those that are compared.

    Args:
        run: what the run is about.
        dictionary: has the names scenes show.

    Attributes:
        problem: why the digests could not be kept; "" while they were.
    """

    def __init__(self, run: RunContext, dictionary: Dictionary) -> None:
        self.problem = ""
        self._run = run
        self._state = run.state
        self._names = dictionary.known
        self._unsettled = frozenset(place_of(one.plan) for one in run.state.unsettled)
        self._compared: dict[SceneId, _Compared] = {}
        self._ending: list[tuple[SceneId, bytes, int, int]] = []
        self._found, self._known, self._learned = _no_digests(), _no_digests(), 0
        options = run.options
        self._is_on = run.is_full and not (options.partial or options.take_over)
        if self._is_on:
            owner = digest((str(run.ports.state_dir), *msgspec.structs.astuple(run.lineage)))
            self._path = run.ports.cache_dir / f"in-step-{owner}.digests"
            self._decides = _deciding(run, dictionary)
            self._known = self._load()

    def among(
        self, answers: Iterable[SceneAnswer], pairs: Mapping[SceneId, Sequence[Pair]]
    ) -> list[SceneId]:
        """Return the scenes that are in step; their pairs get the titles of their items.

        Only items of scenes that may be so are read.
        """
        self._take_ended()
        if not self._known.scenes:
            return []
        asked: list[tuple[SceneId, int, int]] = []
        for answer in answers:
            own = self._digest(answer, self._state.row(answer.scene_id))
            whole = self._known.whole(own)
            if whole is not None and self._may_stand(pairs[answer.scene_id]):
                asked.append((answer.scene_id, own, whole))
        items = self._read(pair for one, *_ in asked for pair in pairs[one])
        found = []
        for scene_id, own, whole in asked:
            keys = [pair.link.rating_key for pair in pairs[scene_id]]
            here = [items[key] for key in keys if key in items]
            if len(here) == len(keys) and _whole(own, [one.packed() for one in here]) == whole:
                self._found.add(own, whole)
                found.append(scene_id)
                for pair, item in zip(pairs[scene_id], here, strict=True):
                    pair.title = item.title
                    self._run.ports.faults.proven(WorkKind.READ)
        return found

    def compare(self, answer: SceneAnswer, pairs: Sequence[Pair]) -> None:
        """Learn of a scene that is compared now, unless it turns out that something is to do."""
        if self._is_on and not self._run.options.dry_run and self._may_stand(pairs):
            row = self._state.row(answer.scene_id)
            compared = _Compared(self._digest(answer, row), row, len(pairs))
            self._compared[answer.scene_id] = compared

    def decided(self, pair: Pair, *, needs_nothing: bool) -> None:
        """Note whether an item, as it was read last, needs nothing, and nothing else was asked."""
        scene_id = pair.scene.scene_id
        compared = self._compared.get(scene_id)
        if compared is None:
            return
        answer = self._run.ports.plex.answered.get(pair.link.rating_key)
        if answer is None or pair.link.held or not needs_nothing:
            del self._compared[scene_id]
            return
        compared.items.append(answer.packed())
        if len(compared.items) == compared.open_pairs:
            whole = _whole(compared.digest, compared.items)
            self._ending.append((scene_id, compared.row, compared.digest, whole))
            del self._compared[scene_id]

    def keep(self, *, whole: bool) -> None:
        """Keep what was found in step; only that where the `whole` library was looked at."""
        self._take_ended()
        found, known = self._found, self._known
        lost = len(found.scenes) - self._learned < len(known.scenes)
        if self._run.options.dry_run or not (self._learned or (whole and lost)):
            return
        both = dict(zip(*known, strict=True)) if not whole else {}
        both.update(zip(*found, strict=True))
        scenes = array(_NUMBERS, sorted(both))
        wholes = array(_NUMBERS, map(both.__getitem__, scenes))
        head = _ENCODER.encode((self._decides, self._state.texts_mark()))
        pieces = (head, scenes.tobytes(), wholes.tobytes())
        try:
            write_pieces(self._path, pieces)
        except OSError as error:
            folder = self._path.parent
            self.problem = f"which scenes are in step cannot be kept in {folder}: {error.strerror}"

    # ---- Private

    def _load(self) -> _Digests:
        """Return the digests of earlier runs, as far as they were found by the same rules."""
        known = _no_digests()
        try:
            head, *digests = read_pieces(self._path)
            decides, texts = _HEAD.decode(head)
            if (decides, texts) != (self._decides, self._state.texts_mark(texts[0])):
                return known
            for numbers, content in zip(known, digests, strict=True):
                numbers.frombytes(content)
        except (OSError, msgspec.DecodeError, ValueError):
            return _no_digests()
        return known

    def _may_stand(self, pairs: Sequence[Pair]) -> bool:
        """Whether all items of a scene are those it was linked with, and none waits for its end."""
        return all(
            pair.match is None
            and (pair.scene.scene_id, pair.link.rating_key) not in self._unsettled
            for pair in pairs
        ) and self._run.ports.stash.is_settled(pairs[0].scene.updated_at)

    def _read(self, pairs: Iterable[Pair]) -> dict[RatingKey, ItemAnswer]:
        """Return what Plex says of items; nothing where it fails, for the comparison says why."""
        try:
            read = self._run.ports.plex.answers([pair.link.rating_key for pair in pairs])
        except ServerError:
            return {}
        self._run.ports.faults.answered(WorkKind.READ)
        return {one.rating_key: one for one in read}

    def _take_ended(self) -> None:
        """Take in the scenes that needed nothing, and are remembered as they were."""
        for scene_id, row, own, whole in self._ending:
            if self._state.row(scene_id) == row:
                self._found.add(own, whole)
                self._learned += 1
        self._ending.clear()

    def _digest(self, answer: SceneAnswer, row: bytes) -> int:
        """Return a digest of all that is known of a scene without its items."""
        names = [self._names.get(one) for one in self._state.related(answer.scene_id)]
        return _number(_ENCODER.encode((row, answer.packed(), names)))


def _no_digests() -> _Digests:
    return _Digests(array(_NUMBERS), array(_NUMBERS))


def _whole(own: int, items: Sequence[bytes]) -> int:
    """Return the digest of a scene and its items."""
    return _number(_ENCODER.encode((own, items)))


def _number(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest())


def _deciding(run: RunContext, dictionary: Dictionary) -> str:
    """Return a digest of what decides beside servers and records."""
    settings = [getattr(run.config, section) for section in SECTIONS]
    sections = [(one.section_id, one.title, one.kind.value) for one in run.sections]
    rest = (run.lineage, sections, sorted(run.ports.stash.lacking), sorted(dictionary.shared))
    return digest(map(repr, (__version__, DECISIONS, *settings, *rest)))
