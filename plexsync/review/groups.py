"""Scenes that are alike, answered together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.matcher import Answer, Verb
from plexsync.review.candidates import same_file
from plexsync.review.queue import signs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plexsync.matcher import SceneAnswers
    from plexsync.models import Candidate, RatingKey, SceneId
    from plexsync.review.answer_store import AnswerStore
    from plexsync.state import Waiting


GROUP_WORDS = {
    "a": "accepted {count:,} alike",
    "b": "accepted all items of {count:,} alike",
    "r": "not these {count:,} items",
    "n": "{count:,} alike are not in Plex",
}
"""How a group was answered by a key, in words."""


class Group:
    """The open scenes like the one on the screen, answered together; odd ones are left out first.

    Args:
        scenes: which, the one on the screen first.
        answers: knows which scene has an item, and what was refused.

    Attributes:
        scenes: the same.
        row: the place of the scene that `toggle` is about.
        left_out: scenes an answer does not settle.
    """

    def __init__(self, scenes: Sequence[Waiting], answers: AnswerStore) -> None:
        self.scenes = tuple(scenes)
        self._answers = answers
        self.row = 0
        self.left_out: set[SceneId] = set()

    @property
    def chosen(self) -> list[Waiting]:
        """The scenes an answer settles."""
        return [one for one in self.scenes if one.scene_id not in self.left_out]

    def move(self, step: int) -> None:
        """Go to another scene of the list."""
        self.row = min(max(self.row + step, 0), len(self.scenes) - 1)

    def toggle(self) -> None:
        """Leave a scene out, or take it in again."""
        self.left_out ^= {self.scenes[self.row].scene_id}

    def picks(self) -> dict[SceneId, Candidate]:
        """Return the candidate each scene would get, left out or not.

        The best one, or one just as good; neither another scene's, nor refused, nor picked for a
        scene above. A scene without one is not among them.
        """
        taken: set[RatingKey] = set()
        picks: dict[SceneId, Candidate] = {}
        for one in self.scenes:
            for candidate in self._as_good(one):
                if candidate.rating_key not in taken and self._is_free(candidate, one):
                    picks[one.scene_id] = candidate
                    taken.add(candidate.rating_key)
                    break
        return picks

    def pairs(self) -> dict[SceneId, Candidate]:
        """Return the candidate each scene is shown with: its pick, or else the best not refused."""
        best = {one.scene_id: self._open_candidates(one)[:1] for one in self.scenes}
        return {key: found[0] for key, found in best.items() if found} | self.picks()

    def standing(self) -> dict[SceneId, tuple[RatingKey | None, SceneAnswers]]:
        """Return what a person sees of the chosen scenes: the item, and what was answered."""
        keys = {key: candidate.rating_key for key, candidate in self.pairs().items()}
        ids = [one.scene_id for one in self.chosen]
        return {one: (keys.get(one), self._answers.recorded(one)) for one in ids}

    def count(self, key: str) -> int:
        """Return how many scenes a key would settle."""
        return len(self.chosen) if key == "l" else len(self.answers(key))

    def answers(self, key: str) -> list[Answer]:
        """Return what a key says of the chosen scenes: `a`, `b`, `r` or `n`."""
        about, chosen = self._answers.answer_about, self.chosen
        if key == "n":
            return [about(one, Verb.ABSENT) for one in chosen]
        found = self.pairs() if key == "r" else self.picks()
        meant = [(one, found[one.scene_id]) for one in chosen if one.scene_id in found]
        if key == "b":
            return self._both(meant)
        verb = Verb.REJECT if key == "r" else Verb.ACCEPT
        return [about(one, verb, [candidate]) for one, candidate in meant]

    # ---- Private ---------------------------------------------------------------------------------

    def _both(self, meant: Sequence[tuple[Waiting, Candidate]]) -> list[Answer]:
        """Accept all items of one file, where there are several and all are free."""
        taken: set[RatingKey] = set()
        answers = []
        for one, pick in meant:
            found = same_file(one, pick, self._answers.refused(one.scene_id))
            keys = {candidate.rating_key for candidate in found}
            free = all(self._is_free(candidate, one) for candidate in found)
            if len(found) > 1 and free and not keys & taken:
                taken |= keys
                answers.append(self._answers.answer_about(one, Verb.ACCEPT, found))
        return answers

    def _as_good(self, waiting: Waiting) -> list[Candidate]:
        """Return the best candidate, and those with the same evidence and score."""
        found = self._open_candidates(waiting)
        return [
            one
            for one in found
            if one is found[0]
            or (signs_of(one) == signs_of(found[0]) and one.score >= found[0].score)
        ]

    def _open_candidates(self, waiting: Waiting) -> list[Candidate]:
        refused = self._answers.refused(waiting.scene_id)
        return [one for one in waiting.candidates if one.rating_key not in refused]

    def _is_free(self, candidate: Candidate, waiting: Waiting) -> bool:
        key = candidate.rating_key
        return bool(candidate.item_path) and self._answers.owner(key, waiting.scene_id) is None
