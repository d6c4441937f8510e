"""The answers given in one review, in their order; each can be taken back, the last one first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.matcher import Verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from plexsync.models import SceneId

ANSWER_WORDS: dict[Verb | None, str] = {
    Verb.ACCEPT: "accepted",
    Verb.REJECT: "refused",
    Verb.ABSENT: "not in Plex",
    Verb.IGNORE: "ignored",
    Verb.RESET: "reset",
    None: "left to a new path rule",
}
"""How many scenes were answered in each way, in words; None stands for path rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """One answer, about one scene or about many.

    Attributes:
        words: what was answered.
        scenes: the scenes it settled.
        shown: the scene that was on the screen.
        focus: and the place of its candidate.
        verb: how it was answered; None for a path rule.
        take_back: puts back what was before it.
    """

    words: str
    scenes: frozenset[SceneId]
    shown: SceneId
    focus: int
    verb: Verb | None
    take_back: Callable[[], None]


@dataclass(slots=True)
class GivenAnswers:
    """The answers of one review.

    Attributes:
        answered: the scenes that are settled.
        later: those a person put off.
    """

    answered: set[SceneId] = field(default_factory=set)
    later: set[SceneId] = field(default_factory=set)
    _given: list[GivenAnswer] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._given)

    def add(self, given: GivenAnswer) -> None:
        """Take note of an answer that is durable."""
        self._given.append(given)
        self.answered |= given.scenes
        self.later -= given.scenes

    def take_back(self) -> GivenAnswer | None:
        """Take the last answer back; returns it, or None when there is none.

        Raises:
            PlexsyncError: it could not be taken back, and stands.
        """
        if not self._given:
            return None
        last = self._given[-1]
        last.take_back()
        self._given.pop()
        self.answered -= last.scenes
        return last

    def verbs(self) -> dict[SceneId, Verb | None]:
        """Return how each scene was answered last: a later answer replaces an earlier one."""
        return {scene_id: one.verb for one in self._given for scene_id in one.scenes}

    def counts(self) -> dict[Verb | None, int]:
        """Return how many scenes were answered in each way; None stands for path rules."""
        return dict(Counter(self.verbs().values()))
