"""Scenes with several files, or none: which of them got, lost or exchanged one since the last run.

A file that is reassigned or deleted by hand moves no time in Stash. But it is a secondary file,
so the scene that had it had several then, and the one that has it has several now, unless it had
none: each such change moves a scene in this small list. Source: docs/stash-api.md 4.1 and 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.models import SceneId  # noqa: TC001 - msgspec reads the field's type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexsync.state import Session, State

KEY = "uneven"
"""Under which the state remembers them."""


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """The files of each such scene when a run last got through."""

    files: dict[SceneId, str] = {}


class Uneven:
    """What one run knows of them.

    Args:
        state: what earlier runs remember.
        present: the scenes and the ids of their files now; None when the run does not ask.
    """

    def __init__(self, state: State, present: Mapping[SceneId, str] | None) -> None:
        self._remembered = state.decision(KEY, Remembered)
        self._present = present

    def concerned(self) -> set[SceneId]:
        """Return the scenes that have other files than they had; none at the first look."""
        if self._present is None or self._remembered is None:
            return set()
        before, now = self._remembered.files, self._present
        return {one for one in before.keys() | now.keys() if before.get(one) != now.get(one)}

    def several(self) -> set[SceneId]:
        """Return the scenes that have several files now, as far as the run asked."""
        return {one for one, files in (self._present or {}).items() if " " in files}

    def end(self, session: Session) -> None:
        """Remember them, now that every scene concerned was handled."""
        if self._present is None:
            return
        now = Remembered(files=dict(self._present))
        if now != self._remembered:
            session.decide(KEY, now)
