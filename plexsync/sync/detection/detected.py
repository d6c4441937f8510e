"""What a look at both servers found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.models import Packed, Scene, SceneId
from plexsync.planning.retry_schedule import Backlog

if TYPE_CHECKING:
    from plexsync.errors import BadResponseError


class Detected(msgspec.Struct, kw_only=True):
    """What a look at both servers found.

    Attributes:
        due: scenes to look at, each once.
        left_out: scenes that take no part, and why, not remembered as such yet.
        unready: scenes that take no part, or lack a required field: to be remembered in silence.
        gone: remembered scenes that Stash has no more.
        poisoned: scenes Stash cannot tell about, each with its words.
        scenes_read: how many scenes were read.
        backlog: scenes that wait for a later try.
        newest: the highest version text seen, "" if none.
        being_edited: scenes that are held until an edit has settled, with their versions.
        strangers: scenes that take no part, and have other files than what is remembered of them:
            their records may be those of other scenes.
        broken: scenes with an item that Plex is known to have lost.
        again: linked scenes that may be further items as well.
        failure: why the sweep is known to be short, so that nothing follows from absence; None
            when it is complete.
        with_files: whether the files of all scenes were looked at.
        of_some: whether only some of the scenes were asked for, of all that may be due.
        at_rest: digest of all versions, and of what is remembered, where no scene is due for its
            version and none is gone; "" where one is.
    """

    due: Packed[Scene] = msgspec.field(default_factory=lambda: Packed(Scene))
    left_out: list[tuple[Scene, str]] = msgspec.field(default_factory=list)
    unready: list[Scene] = msgspec.field(default_factory=list)
    gone: list[SceneId] = msgspec.field(default_factory=list)
    poisoned: list[tuple[SceneId, str]] = msgspec.field(default_factory=list)
    scenes_read: int = 0
    backlog: Backlog = msgspec.field(default_factory=Backlog)
    newest: str = ""
    being_edited: dict[SceneId, str] = msgspec.field(default_factory=dict)
    strangers: set[SceneId] = msgspec.field(default_factory=set)
    broken: frozenset[SceneId] = frozenset()
    again: frozenset[SceneId] = frozenset()
    failure: BadResponseError | None = None
    with_files: bool = False
    of_some: bool = False
    at_rest: str = ""

    @property
    def has_all_due(self) -> bool:
        """Whether no other scene is due, so that what it was linked with before is its own."""
        return not (self.of_some or self.being_edited or self.poisoned)

    @property
    def concerns_any(self) -> bool:
        """Whether there is anything to do about any scene."""
        absent = (self.left_out, self.unready, self.gone, self.poisoned, self.strangers)
        return bool(self.due) or any(absent)
