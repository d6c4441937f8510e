"""What moves no version in Stash, now against what is remembered: which scenes does it concern?

Names: a rename or a merge of a tag, studio or performer concerns the scenes that showed it.

Files: one that is reassigned or deleted by hand moves no time. But it is a secondary file, so the
scene that had it had several then, and the one that has it has several now, unless it had none:
each such change moves a scene in the small list of scenes with several files, or none.
Source: docs/stash-api.md 4.1 and 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.models import RelatedId, SceneId
from plexsync.planning.relations import UNKNOWN, changed, namesakes_moved, shared_names
from plexsync.state import NAME_PREFIX, Session, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plexsync.planning.participation import Participants
    from plexsync.stash_client import Names

_FILES = "uneven"
"""Under which it remembers the scenes with several files, or none."""


class Name(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of one object."""

    text: str


def remembered_texts(state: State) -> dict[RelatedId, str]:
    """Return the dictionary the state remembers; see `relations`."""
    known = state.decisions(NAME_PREFIX, Name).items()
    return {RelatedId(key): name.text for key, name in known}


def remembered_shared(state: State) -> frozenset[str]:
    """Return the names that several performers had when a run looked last."""
    return shared_names(remembered_texts(state))


class Dictionary:
    """What one run knows about names; see `relations` for the rules it keeps.

    Args:
        state: what earlier runs remember.
        session: where this run remembers.
        names: those Stash has now; None when the run does not ask, because it looks at a few
            named scenes only. One that cannot be read counts as it is remembered.
        namesakes: it matters that several performers have one name.
    """

    def __init__(
        self,
        state: State,
        session: Session,
        names: Names | None,
        *,
        namesakes: bool = False,
    ) -> None:
        self._state = state
        self._session = session
        self._remembered = remembered_texts(state)
        self._before = dict(self._remembered)
        self._present = present = None if names is None else self._completed(names)
        self._changed = frozenset() if present is None else changed(self._remembered, present)
        if namesakes and present is not None:
            moved = namesakes_moved(self._before, present)
            self._changed |= moved & self._remembered.keys()
        self._doubtful: set[RelatedId] = set()
        self._namesakes = namesakes

    @property
    def present(self) -> Mapping[RelatedId, str]:
        """What Stash has now; nothing when the run did not ask."""
        return self._present or {}

    @property
    def known(self) -> Mapping[RelatedId, str]:
        """What Stash has now, or is remembered to have where the run did not ask."""
        return self._remembered if self._present is None else self._present

    @property
    def shared(self) -> frozenset[str]:
        """The names that several performers have, where that matters."""
        names = self._before if self._present is None else self._present
        return shared_names(names) if self._namesakes else frozenset()

    def concerned(self, participants: Participants) -> set[SceneId]:
        """Return the remembered scenes that showed something that reads differently now.

        When a tag or studio decides otherwise which scenes take part, those that took none are
        concerned, too, and those that wait: of one never linked nobody knows what it shows.
        """
        shown, left_out = self._changed, False
        if self._present is not None:
            deciding = participants.concerned(self._before, self._present)
            shown, left_out = shown | deciding, bool(deciding)
        scenes = self._state.showing(shown)
        if left_out:
            scenes |= self._state.ignored()
            scenes |= {scene_id for scene_id, _ in self._state.waiting()}
        return scenes

    def begin(self) -> None:
        """Note what changed, before the first scene is handled: a run may end at any moment."""
        for one in self._changed:
            self._remember(one, UNKNOWN)
        for one, text in self.present.items():
            if one not in self._remembered:
                self._remember(one, text)

    def observe(self, related: Mapping[RelatedId, str]) -> bool:
        """Note what a scene shows, before it is remembered as handled.

        What differs from the dictionary was renamed or made since that was read.

        Returns:
            Whether nothing differs.
        """
        known = self.known
        if related.items() <= known.items():
            return True
        for one, text in related.items():
            if known.get(one) != text and one not in self._doubtful:
                self._doubtful.add(one)
                self._remember(one, UNKNOWN)
        return False

    def end(self) -> None:
        """Remember the names, now that every scene concerned was handled."""
        for one in self._changed - self._doubtful:
            self._remember(one, self.present.get(one))

    def _completed(self, names: Names) -> Mapping[RelatedId, str]:
        """Return what is there, with the remembered texts of what cannot be read."""
        known = self._remembered
        return {**names.texts, **{one: known[one] for one in names.unreadable if one in known}}

    def _remember(self, one: RelatedId, text: str | None) -> None:
        if self._remembered.get(one) == text:
            return
        if text is None:
            del self._remembered[one]
        else:
            self._remembered[one] = text
        self._session.decide(NAME_PREFIX + one, None if text is None else Name(text))


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """The files of each scene with several, or none, when a run last got through."""

    files: dict[SceneId, str] = {}


class Uneven:
    """What one run knows of the scenes with several files, or none.

    Args:
        state: what earlier runs remember.
        present: the scenes and the ids of their files now; None when the run does not ask.
    """

    def __init__(self, state: State, present: Mapping[SceneId, str] | None) -> None:
        self._remembered = state.decision(_FILES, Remembered)
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
            session.decide(_FILES, now)
