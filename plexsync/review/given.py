"""The answers given in one review, in their order; each can be taken back, the last one first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexsync.matcher import Verb

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from plexsync.matcher import Answer
    from plexsync.models import PathRule, SceneId
    from plexsync.review.interfaces import ActionsPort, AnswersPort


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
        rule: the path rule.
        receipt: what taking it back needs.
    """

    words: str
    scenes: frozenset[SceneId]
    shown: SceneId
    focus: int
    verb: Verb | None = None
    rule: PathRule | None = None
    receipt: object = None


@dataclass(slots=True)
class GivenAnswers:
    """The answers of one review.

    Args:
        store: where they are kept.
        actions: adds and removes path rules.

    Attributes:
        answered: the scenes that are settled.
        later: those a person put off.
    """

    store: AnswersPort
    actions: ActionsPort
    answered: set[SceneId] = field(default_factory=set)
    later: set[SceneId] = field(default_factory=set)
    _given: list[GivenAnswer] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._given)

    def give(
        self,
        answers: Sequence[Answer],
        words: str,
        *,
        shown: SceneId,
        focus: int,
        still_open: Collection[SceneId] = (),
    ) -> None:
        """Make answers durable.

        Args:
            answers: what was answered.
            words: the same for a person.
            shown: the scene on the screen.
            focus: and the place of its candidate.
            still_open: the scenes among them about which there is more to say.

        Raises:
            StateLockedError: a run is under way.
            StateError: they could not be written.
        """
        receipt = self.store.give(answers)
        scenes = frozenset(one.scene.scene_id for one in answers) - set(still_open)
        self._given.append(
            GivenAnswer(
                words=words,
                scenes=scenes,
                shown=shown,
                focus=focus,
                verb=answers[0].verb,
                receipt=receipt,
            )
        )
        self.answered |= scenes
        self.later -= scenes

    def add_rule(
        self, rule: PathRule, scenes: frozenset[SceneId], *, shown: SceneId, focus: int
    ) -> str:
        """Add a path rule that settles `scenes`; returns where it was written.

        Raises:
            ConfigError: it cannot be added.
        """
        where = self.actions.add_rule(rule)
        self._given.append(
            GivenAnswer(words="path rule", scenes=scenes, shown=shown, focus=focus, rule=rule)
        )
        self.answered |= scenes
        return where

    def put_off(self, scenes: Sequence[SceneId]) -> None:
        """Leave scenes open for later."""
        self.later.update(scenes)

    def take_back(self) -> GivenAnswer | None:
        """Take the last answer back; returns it, or None when there is none.

        Raises:
            PlexsyncError: it could not be taken back, and stands.
        """
        if not self._given:
            return None
        last = self._given[-1]
        if last.rule is not None:
            self.actions.remove_rule(last.rule)
        else:
            self.store.take_back(last.receipt)
        self._given.pop()
        self.answered -= last.scenes
        return last

    def verbs(self) -> dict[SceneId, Verb | None]:
        """Return how each scene was answered last: a later answer replaces an earlier one."""
        return {scene_id: one.verb for one in self._given for scene_id in one.scenes}

    def counts(self) -> dict[Verb | None, int]:
        """Return how many scenes were answered in each way; None stands for path rules."""
        return dict(Counter(self.verbs().values()))
