"""Scenes in full that came along with a sweep, kept on disk until they are asked for.

A run that looks at every scene reads Stash once: what matching needs and what is written come on
the same pages. The second part is as large as the library, so it waits outside memory.
"""

from __future__ import annotations

import tempfile
import weakref
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import msgspec

from plexsync.models import SceneId
from plexsync.stash.wire import WireDetail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BELIEVED_S = 600.0
"""Seconds after a sweep began during which its details are given out. A run that writes for longer
asks again, so that what it writes is never older."""

_LENGTH_BITS = 32
_AT_ONCE_BYTES = 1 << 20
"""Read ahead: scenes are asked for in about the order in which they came."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(WireDetail)


class KeptDetails:
    """Takes the scenes of one sweep, and gives each out once.

    Where the disk cannot take them nothing is kept: then they are asked for.

    Args:
        monotonic: seconds on a clock that is never set.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._file: IO[bytes] | None = None
        self._places: dict[SceneId, int] = {}
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
        content = _ENCODER.encode(row)
        try:
            self._file.write(content)
        except OSError:
            self.close()
            return
        self._places[SceneId(row.id)] = self._end << _LENGTH_BITS | len(content)
        self._end += len(content)

    def take(self, ids: Iterable[SceneId]) -> dict[SceneId, WireDetail]:
        """Return those of `ids` that are kept and not too old; a second read is a fresh one."""
        if self._file is None or self._monotonic() - self._since > BELIEVED_S:
            return {}
        taken: dict[SceneId, WireDetail] = {}
        try:
            for scene_id in ids:
                place = self._places.pop(scene_id, None)
                if place is not None:
                    at, length = divmod(place, 1 << _LENGTH_BITS)
                    self._file.seek(at)
                    taken[scene_id] = _DECODER.decode(self._file.read(length))
        except OSError:
            self.close()
        return taken

    def forget(self, ids: Iterable[SceneId]) -> None:
        """Let go of scenes that were read once more."""
        for scene_id in ids:
            self._places.pop(scene_id, None)

    def close(self) -> None:
        """Let go of everything."""
        self._places.clear()
        if self._file is not None:
            with suppress(OSError):  # what was not written yet may not go there now, either
                self._file.close()
            self._file = None
