"""The names Stash has now against those remembered: which scenes a rename or a merge concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plexsync.models import RelatedId
from plexsync.planning.relations import UNKNOWN, changed, is_tag, name_in
from plexsync.text.normalize import fold_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from plexsync.models import SceneId
    from plexsync.state import Session, State

PREFIX = "name."
"""What the keys begin with under which the state remembers names."""


class Name(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of one object."""

    text: str


def remembered_names(state: State) -> dict[str, str]:
    """Return the names the state remembers, by what they are of: `s3` is studio 3."""
    return {key: name_in(name.text) for key, name in state.decisions(PREFIX, Name).items()}


class Dictionary:
    """What one run knows about names; see `relations` for the rules it keeps.

    Args:
        state: what earlier runs remember.
        session: where this run remembers; None for a dry run.
        present: the names Stash has now; None when the run does not ask, because it looks at a
            few named scenes only.
    """

    def __init__(
        self, state: State, session: Session | None, present: Mapping[RelatedId, str] | None
    ) -> None:
        self._state = state
        self._session = session
        self._present = present
        self._remembered: dict[RelatedId, str] = {
            RelatedId(key): name.text for key, name in state.decisions(PREFIX, Name).items()
        }
        self._changed = frozenset() if present is None else changed(self._remembered, present)
        self._doubtful: set[RelatedId] = set()

    def concerned(self, exclude_tags: Collection[str]) -> set[SceneId]:
        """The remembered scenes that showed something that reads differently now.

        Args:
            exclude_tags: case-folded names that keep a scene out. When one of these changes, the
                scenes it kept out are concerned, too.
        """
        scenes = self._state.showing(self._changed)
        if any(self._kept_out(one, exclude_tags) for one in self._changed):
            scenes |= self._state.ignored()
        return scenes

    def begin(self) -> None:
        """Note what changed, before the first scene is handled: a run may end at any moment."""
        for one in self._changed:
            self._remember(one, UNKNOWN)
        for one, text in (self._present or {}).items():
            if one not in self._remembered:
                self._remember(one, text)

    def observe(self, related: Mapping[RelatedId, str]) -> None:
        """Note what a scene shows, before it is remembered as handled.

        What differs from the dictionary was renamed or made since that was read.
        """
        known = self._remembered if self._present is None else self._present
        if related.items() <= known.items():
            return
        for one, text in related.items():
            if known.get(one) != text and one not in self._doubtful:
                self._doubtful.add(one)
                self._remember(one, UNKNOWN)

    def end(self) -> None:
        """Remember the names, now that every scene concerned was handled."""
        for one in self._changed - self._doubtful:
            self._remember(one, (self._present or {}).get(one))

    def _kept_out(self, one: RelatedId, exclude_tags: Collection[str]) -> bool:
        name = name_in(self._remembered[one])
        return is_tag(one) and bool(exclude_tags) and (not name or fold_tag(name) in exclude_tags)

    def _remember(self, one: RelatedId, text: str | None) -> None:
        if self._session is None or self._remembered.get(one) == text:
            return
        if text is None:
            del self._remembered[one]
        else:
            self._remembered[one] = text
        self._session.decide(PREFIX + one, None if text is None else Name(text))
