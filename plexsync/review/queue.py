"""The scenes of a review in the order they are shown, and which of them are alike.

A pattern is what speaks for and against a scene's best candidate, by name alone, and why the match
is not HIGH. Scenes of one pattern are right or wrong for the same cause, mostly, so they follow
each other and can be answered together.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.matcher import reason_kind
from plexsync.models import Candidate, PlexItem, RatingKey, Scene, SceneId, id_order
from plexsync.text.normalize import fold
from plexsync.text.words import file_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from plexsync.state import Waiting

Pattern = tuple[tuple[tuple[str, int], ...], str, bool]
"""The evidence of the best candidate without its values, each name and whether it is for or
against; the kind of reason it is not HIGH; whether there are other candidates."""

_MOST_NAMED = 3


class Sort(StrEnum):
    """Ways to order a review."""

    PATTERN = "pattern, surest first"
    SCORE = "score"
    TITLE = "title"
    PATH = "path"
    SCENE = "scene id"


class WaitingQueue:
    """What waits, as a review shows it.

    Args:
        waiting: the scenes.

    Attributes:
        every: every scene, shown or not, by its id.
        sort: how they are ordered.
        filter: the words that must be in title, path, reason or library; "" for no filter.
    """

    def __init__(self, waiting: Iterable[Waiting]) -> None:
        self.every = {one.scene_id: one for one in waiting}
        self._patterns = {key: pattern_of(one) for key, one in self.every.items()}
        self.sort = Sort.PATTERN
        self.filter = ""
        self._shown: list[SceneId] = []
        self.arrange(Sort.PATTERN, "")

    def __len__(self) -> int:
        return len(self._shown)

    def __getitem__(self, place: int) -> Waiting:
        return self.every[self._shown[place]]

    def place_of(self, scene_id: SceneId) -> int | None:
        """Return where a scene stands; None when it is not shown."""
        return self._shown.index(scene_id) if scene_id in self._shown else None

    def has_item(self, rating_key: RatingKey) -> bool:
        """Return whether an item is a candidate of any scene."""
        return any(
            one.rating_key == rating_key
            for waiting in self.every.values()
            for one in waiting.candidates
        )

    def add_candidate(self, waiting: Waiting, candidate: Candidate) -> None:
        """Give a scene one candidate more, which stands last."""
        match = replace(waiting.match, candidates=(*waiting.candidates, candidate))
        self.every[waiting.scene_id] = replace(waiting, match=match)

    def arrange(self, sort: Sort, words: str) -> None:
        """Order and filter the scenes."""
        self.sort, self.filter = sort, words
        wanted = fold(words).split()
        chosen = [one for one in self.every.values() if _holds(one, wanted)]
        if sort is Sort.PATTERN:
            chosen = [one for group in self._by_pattern(chosen) for one in group]
        else:
            chosen.sort(key=_KEYS[sort])
        self._shown = [one.scene_id for one in chosen]

    def alike(self, waiting: Waiting, answered: Collection[SceneId]) -> list[Waiting]:
        """Return the open scenes shown that have the pattern of `waiting`, itself first."""
        pattern = self._patterns[waiting.scene_id]
        others = (
            self.every[scene_id]
            for scene_id in self._shown
            if scene_id != waiting.scene_id
            and scene_id not in answered
            and self._patterns[scene_id] == pattern
        )
        return [waiting, *others]

    def rival_scenes(
        self, rating_key: RatingKey, ours: SceneId, answered: Collection[SceneId] = ()
    ) -> str:
        """Return which other open scenes an item is a candidate of, by name; "" for none."""
        wanted = self._wanted.get(rating_key, ())
        others = [one for one in wanted if one != ours and one not in answered]
        if len(others) > _MOST_NAMED:
            return f"{len(others):,} other scenes"
        return ", ".join(map(self.named, others))

    def named(self, scene_id: SceneId) -> str:
        """Return a scene by its id, and by its name if it waits."""
        waiting = self.every.get(scene_id)
        return f"scene {scene_id} ({scene_name(waiting)})" if waiting else f"scene {scene_id}"

    @cached_property
    def _wanted(self) -> dict[RatingKey, list[SceneId]]:
        """The scenes each item is a candidate of by what runs found."""
        return wanted_by(self.every.values())

    def _by_pattern(self, waiting: Iterable[Waiting]) -> list[list[Waiting]]:
        groups: dict[Pattern, list[Waiting]] = {}
        for one in waiting:
            groups.setdefault(self._patterns[one.scene_id], []).append(one)
        for group in groups.values():
            group.sort(key=_KEYS[Sort.SCORE])
        return sorted(groups.values(), key=_surest_first)


def pattern_of(waiting: Waiting) -> Pattern:
    """Return what scenes that are alike have in common."""
    signs = signs_of(waiting.candidates[0]) if waiting.candidates else ()
    return signs, reason_kind(waiting.match.reason), waiting.match.candidate_count > 1


def signs_of(candidate: Candidate) -> tuple[tuple[str, int], ...]:
    """Return what speaks for a candidate and what against it, by name alone."""
    return tuple(sorted((one.name, _sign(one.weight)) for one in candidate.evidence))


def pattern_lines(candidate: Candidate) -> tuple[str, ...]:
    """Return what speaks for each candidate of a group, and what against; by name alone."""
    ordered = sorted(candidate.evidence, key=lambda one: -one.weight)
    named = [
        (word, ", ".join(one.name for one in ordered if _sign(one.weight) == sign))
        for word, sign in (("for", 1), ("against", -1))
    ]
    return tuple(f"{word}: {names}" for word, names in named if names)


def wanted_by(queue: Iterable[Waiting]) -> dict[RatingKey, list[SceneId]]:
    """Return the scenes each item is a candidate of."""
    wanted: dict[RatingKey, list[SceneId]] = {}
    for one in queue:
        for candidate in one.candidates:
            wanted.setdefault(candidate.rating_key, []).append(one.scene_id)
    return wanted


def scene_name(waiting: Waiting) -> str:
    """Return the title of a scene, or the name of its file."""
    return waiting.scene.title or file_name(first_path(waiting.scene)) or "untitled"


def item_name(candidate: Candidate) -> str:
    """Return the title of an item, or the name of its file."""
    return candidate.title or file_name(candidate.item_path) or "untitled"


def first_path(of: Scene | PlexItem) -> str:
    """Return the path of the first file of a scene or an item; "" without one."""
    return of.files[0].path if of.files else ""


# ---- Private -------------------------------------------------------------------------------------


def _holds(waiting: Waiting, words: Sequence[str]) -> bool:
    if not words:
        return True
    files = " ".join(file.path for file in waiting.scene.files)
    items = (f"{one.title} {one.item_path} {one.library}" for one in waiting.candidates)
    text = fold("\x00".join((waiting.scene.title, files, waiting.match.reason, *items)))
    return all(word in text for word in words)


def _surest_first(group: Sequence[Waiting]) -> tuple[float, int, int, str]:
    mean = round(sum(one.match.score for one in group) / len(group), 6)
    return (-mean, -len(group), *id_order(group[0].scene_id))


_KEYS = {
    Sort.SCORE: lambda one: (-one.match.score, *id_order(one.scene_id)),
    Sort.TITLE: lambda one: (fold(scene_name(one)), *id_order(one.scene_id)),
    Sort.PATH: lambda one: (fold(first_path(one.scene)), *id_order(one.scene_id)),
    Sort.SCENE: lambda one: id_order(one.scene_id),
}


def _sign(weight: float) -> int:
    return (weight > 0) - (weight < 0)
