"""What was decided, scene by scene: the match of a sure pair is made when it is asked for."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

from plexsync.models import Candidate, Confidence, Deferred, Match, PlexItem, Scene, SceneId
from plexsync.text.normalize import normalize_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from plexsync.matching.comparing.blocking import FileKeys
    from plexsync.matching.layout import Located
    from plexsync.matching.lone_pairs import Partners, Sure

_NOBODY = -1


class Matches(Deferred[Match]):
    """Matches in the order of the scenes.

    A number among the `slots` is the position of a scene with a pair that is HIGH, that nothing
    competes with, and that no content hash could change.

    Args:
        slots: the matches and positions.
        pairs: makes what they are about.
    """

    def __init__(self, slots: Iterable[Match | int], pairs: SurePairs) -> None:
        super().__init__(slots)
        self.pairs = pairs

    def make(self, number: int) -> Match:
        """Return the match of the scene at a position."""
        return self.pairs.match(number)

    def open_places(self, contents: Iterable[int] = ()) -> list[int]:
        """Return the positions of the scenes of which there is more than a number.

        Those that have one of some content hashes are among them.
        """
        wanted, scenes = set(contents), self.pairs.scenes
        sure = set(self.numbers())
        if wanted:
            sure = {at for at in sure if scenes[at].files[0].oshash not in wanted}
        return [at for at in range(len(scenes)) if at not in sure]

    def replaced(self, scene_ids: AbstractSet[SceneId], by: Iterable[Match]) -> Matches:
        """Return these matches with those of some scenes, none of them sure, decided otherwise."""
        rest = [one for one in self.slots if isinstance(one, int) or one.scene_id not in scene_ids]
        return Matches([*rest, *by], self.pairs)

    def surest_first(self) -> list[Match | int]:
        """Return the slots, the surest first."""
        return sorted(self.slots, key=self._doubt)

    def places(self) -> dict[Located, int]:
        """Return where the pairs lie of which there is but a number.

        Of those at one place there is one, and how many they are.
        """
        first: dict[int, int] = {}
        counts: Counter[int] = Counter()
        for position in self.numbers():
            number = self.pairs.partners.places[position]
            first.setdefault(number, position)
            counts[number] += 1
        return {self.pairs.place(first[number]): count for number, count in counts.items()}

    def _doubt(self, slot: Match | int) -> tuple[bool, float]:
        if isinstance(slot, int):
            return False, -self.pairs.score(slot)
        return slot.confidence is not Confidence.HIGH, -slot.score


class SurePairs:
    """Scenes and items of one file each that nothing competes with.

    Args:
        scenes: every scene.
        keys: what files are found by, and every item.
        partners: what else is known of each pair.
        sure: by scene, what speaks for the pair.
        library: returns the title of an item's library.

    Attributes:
        scenes: the same.
        keys: the same.
        partners: the same.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        keys: FileKeys,
        *,
        partners: Partners,
        sure: Sequence[Sure | None],
        library: Callable[[PlexItem], str],
    ) -> None:
        self.scenes = scenes
        self.keys = keys
        self.partners = partners
        self._sure = sure
        self._library = library
        self._scenes_of = array("q", [_NOBODY]) * len(keys.items)
        for position, speaks in enumerate(sure):
            if speaks is not None and not speaks.is_open:
                self._scenes_of[partners.items[position]] = position

    def scene_of(self, item: int) -> Scene | None:
        """Return the scene of the pair of an item, if no content hash could change that."""
        position = self._scenes_of[item]
        return None if position == _NOBODY else self.scenes[position]

    def of(self, position: int) -> tuple[Scene, PlexItem]:
        """Return a scene and its item."""
        return self.scenes[position], self.keys.items[self.partners.items[position]]

    def place(self, position: int) -> Located:
        """Return where their files lie."""
        scene, item = self.of(position)
        return normalize_path(scene.files[0].path), normalize_path(item.files[0].path)

    def score(self, position: int) -> float:
        """Return how likely they are one."""
        sure = self._sure[position]
        return sure.score if sure else 0.0

    def match(self, position: int) -> Match:
        """Return their match."""
        scene, item = self.of(position)
        sure = self._sure[position]
        assert sure  # noqa: S101 - nobody asks about other scenes
        return Match(
            scene_id=scene.scene_id,
            confidence=Confidence.HIGH,
            reason=sure.weighed.summary,
            score=sure.score,
            margin=sure.score,
            candidates=(
                Candidate(
                    rating_key=item.rating_key,
                    title=item.title,
                    scene_path=scene.files[0].path,
                    item_path=item.files[0].path,
                    score=sure.score,
                    evidence=sure.weighed.evidence,
                    library=self._library(item),
                ),
            ),
            candidate_count=1,
            unread=(item.rating_key,) if sure.is_open else (),
        )
