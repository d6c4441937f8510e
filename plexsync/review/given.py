"""The answers given in one review, the last of which can be taken back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from plexsync.matcher import Verb
from plexsync.models import SceneId, id_order
from plexsync.text.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from collections.abc import Set as AbstractSet


_MOST_NAMED = 3

ANSWER_WORDS: dict[Verb | None, str] = {
    Verb.ACCEPT: "accepted",
    Verb.REJECT: "refused",
    Verb.ABSENT: "not in Plex",
    Verb.IGNORE: "ignored",
    Verb.RESET: "reset",
    None: "left to a new path rule",
}
"""How many scenes were answered in each way, in words; None stands for path rules."""


class GivenAnswer(NamedTuple):
    """One answer, about one scene or about many.

    Attributes:
        words: what was answered.
        scenes: the scenes it settled.
        shown: the scene that was on the screen.
        focus: and the place of its candidate.
        verb: how it was answered; None for a path rule.
        take_back: puts back what was before it; returns which of its scenes were answered elsewhere
            since, and stay so.
        opened: the scenes it left waiting, whatever was answered about them before.
    """

    words: str
    scenes: frozenset[SceneId]
    shown: SceneId
    focus: int
    verb: Verb | None
    take_back: Callable[[], Collection[SceneId] | None]
    opened: frozenset[SceneId] = frozenset()


@dataclass(slots=True)
class GivenAnswers:
    """The answers of one review.

    Attributes:
        verbs: how each settled scene was answered last; None for a path rule.
        later: the scenes a person put off.
    """

    verbs: dict[SceneId, Verb | None] = field(default_factory=dict)
    later: set[SceneId] = field(default_factory=set)
    _given: list[GivenAnswer] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._given)

    @property
    def answered(self) -> AbstractSet[SceneId]:
        """The scenes that are settled."""
        return self.verbs.keys()

    @property
    def passed(self) -> AbstractSet[SceneId]:
        """The scenes a person is through with for now: settled, or put off."""
        return self.answered | self.later

    def add(self, given: GivenAnswer) -> None:
        """Take note of an answer that is durable."""
        self._given.append(given)
        self._settle(given)
        self.later -= given.scenes

    def take_back(self) -> tuple[GivenAnswer, str] | None:
        """Take the last answer back; returns it with what became of it in words, None without one.

        Raises:
            PlexsyncError: it could not be taken back, and stands.
        """
        if not self._given:
            return None
        last = self._given[-1]
        stay = last.take_back() or ()
        self._given.pop()
        self.verbs = {}
        for earlier in self._given:
            self._settle(earlier)
        message = f"Taken back: {last.words}."
        if stay:
            named = ", ".join(sorted(stay, key=id_order)[:_MOST_NAMED])
            message += (
                f" Answered elsewhere since, so it stays: {counted(len(stay), 'scene')} ({named})."
            )
        return last, message

    def counts(self) -> dict[Verb | None, int]:
        """Return how many scenes were answered in each way; None stands for path rules."""
        return dict(Counter(self.verbs.values()))

    def _settle(self, given: GivenAnswer) -> None:
        """Let an answer replace what was answered earlier about the same scenes."""
        self.verbs.update(dict.fromkeys(given.scenes, given.verb))
        for scene_id in given.opened:
            self.verbs.pop(scene_id, None)
