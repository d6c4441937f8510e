"""Events Stash announced: which scenes to look at first, one small file each.

`plexsync hook` leaves a file per event in `<state directory>/spool`, called
`<time in ns>-<process>.json`, with the hook's `id` and `type` in it. Events are hints: some never
come, some come twice, and whatever a file holds, it can only make a scene be looked at.
Source: docs/stash-api.md 6.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from plexsync.integrations.stash_hook import SPOOL
from plexsync.models import SceneId

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from plexsync.state import Filesystem

_SUFFIX = ".json"
_NAME = re.compile(r"(\d{1,20})-\d{1,10}\.\w+")
_SCENE_EVENT = "Scene."
_NS = 1_000_000_000
_BEING_WRITTEN_S = 60
"""A file this young may still be being written, under this name or one it has till then."""

_MOST_FILES = 10_000
"""Files read in one run; the versions of all scenes are swept anyway."""

_LARGEST_ID = 2**63 - 1


class _Event(msgspec.Struct, frozen=True):
    """One event."""

    id: int
    type: str = _SCENE_EVENT


_DECODER = msgspec.json.Decoder(_Event)


class SpooledEvents(msgspec.Struct, frozen=True):
    """What was announced.

    Attributes:
        scene_ids: each once, in the order of the first event about it.
        files: the files that say so, and those that say nothing and never will.
    """

    scene_ids: tuple[SceneId, ...] = ()
    files: tuple[Path, ...] = ()


def read_spool(state_dir: Path, disk: Filesystem, now: datetime) -> SpooledEvents:
    """Return what was announced since the last run. Reading cannot fail: events are hints."""
    directory = state_dir / SPOOL
    names: tuple[str, ...] = ()
    with suppress(OSError):
        names = disk.names(directory)[:_MOST_FILES]
    ids: dict[SceneId, None] = {}
    files = []
    for name in names:
        event = _read(directory / name, disk) if name.endswith(_SUFFIX) else None
        if event is None and _may_be_unfinished(name, now):
            continue
        files.append(directory / name)
        if event and event.type.startswith(_SCENE_EVENT) and 0 < event.id <= _LARGEST_ID:
            ids[SceneId(str(event.id))] = None
    return SpooledEvents(tuple(ids), tuple(files))


def clear_spool(spool: SpooledEvents, disk: Filesystem) -> None:
    """Remove what was read, once the scenes are handled and remembered.

    A file that stays is read again, which costs a look at its scene.
    """
    for file in spool.files:
        with suppress(OSError):
            disk.remove(file)


def _read(file: Path, disk: Filesystem) -> _Event | None:
    with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError), disk.read(file) as stream:
        return _DECODER.decode(stream.read())
    return None


def _may_be_unfinished(name: str, now: datetime) -> bool:
    """Whether a file that says nothing was begun a moment ago."""
    found = _NAME.fullmatch(name)
    age_s = now.timestamp() - int(found.group(1)) / _NS if found else _BEING_WRITTEN_S
    return abs(age_s) < _BEING_WRITTEN_S
