"""What matching decides about the due scenes, with all that is known of the others.

The other scenes and the layout of the libraries come from the catalogue, so that a run with few
scenes due is never bolder than a full one. Content hashes are read where they can decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.config.sections import CopyPolicy
from plexsync.matcher import (
    DEFAULT_SETTINGS,
    NO_ANSWERS,
    AllAnswers,
    Decided,
    Known,
    MatchSettings,
    decide,
    survey,
    wanted_hashes,
)
from plexsync.models import Confidence, pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from plexsync.config.configuration import Config
    from plexsync.matcher import Layout, Matches
    from plexsync.models import Match, PathRule, PlexItem, RatingKey, Scene, SceneId
    from plexsync.plex.hash_cache import HashCache
    from plexsync.sync.linking.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Decides about scenes.

    Args:
        catalogue: knows the scenes that are not due; None where those that are given are all.
        rules: how Stash's paths become Plex's.
        settings: where HIGH begins.
        hashes: reads content hashes; None when they are not to be used.
        answers: people's answers about pairs and scenes.
        libraries: titles of libraries by section id.
    """

    catalogue: Catalogue | None
    rules: Sequence[PathRule]
    settings: MatchSettings = DEFAULT_SETTINGS
    hashes: HashCache | None = None
    answers: AllAnswers = NO_ANSWERS
    libraries: Mapping[str, str]

    def decide(
        self,
        scenes: Sequence[Scene],
        items: Sequence[PlexItem],
        claims: Mapping[RatingKey, SceneId],
    ) -> Decided:
        """Match `scenes` against `items`.

        Raises:
            ServerError: a server cannot tell what is needed.
        """
        known = Known(
            others=self._others(scenes),
            rules=self.rules,
            settings=self.settings,
            claims=claims,
            pins=self.answers.pins,
            refusals=self.answers.refusals,
            libraries=self.libraries,
            hashes=None if self.hashes is None else self.hashes.known(items),
        )
        known["layout"] = self._layout(scenes, items, known["others"])
        found, layout = decide(scenes, items, **known)
        if self.catalogue is not None:
            self.catalogue.learn(layout)
        known["layout"] = layout
        # What one hash decides may leave another one to read. A round that reads none is the last.
        while (again := self._decide_hashed(found, known)) is not found:
            found = again
        if self.catalogue is not None:
            self.catalogue.keep()
        return Decided(found, layout)

    def _others(self, scenes: Sequence[Scene]) -> list[Scene]:
        """Return the scenes that are not due but take part; one a person ignores claims nothing."""
        if self.catalogue is None or self.catalogue.is_all(scenes):
            return []
        due = {scene.scene_id for scene in scenes}
        return [one for one in self.catalogue.others(due) if self.answers.ignores(one) is None]

    def _layout(
        self, scenes: Sequence[Scene], items: Sequence[PlexItem], others: Sequence[Scene]
    ) -> Layout | None:
        """Return what was learned from all scenes; None while these are all."""
        layout = self.catalogue.layout if self.catalogue is not None else None
        if layout is None and others:
            return survey([*scenes, *others], items, self.rules)
        return layout

    def _decide_hashed(self, found: Matches, known: Known) -> Matches:
        """Read the hashes that can decide, and decide again; `found` itself if none was read."""
        open_ = list(found.made())
        wanted = frozenset(wanted_hashes(open_))
        if self.hashes is None or not wanted:
            return found
        before = known["hashes"] or {}
        fresh = self.hashes.read(found.pairs.keys.items_of(wanted))
        if fresh.keys() <= before.keys():
            return found
        known["hashes"] = {**before, **fresh}
        # What one scene wins or loses may decide another, so all that compete are decided again.
        again = competing(open_, wanted)
        due, others = _parts_of(found, again, frozenset(fresh.values()) - {0})
        second = Known(**known, settled=found.pairs)
        second["others"] = [*known["others"], *others.values()]
        second["claims"] = {**known["claims"], **_settled(found, again, others)}
        return found.replaced(again, decide(due, found.pairs.keys.items, **second).matches)


def _parts_of(
    found: Matches, again: AbstractSet[SceneId], contents: AbstractSet[int]
) -> tuple[list[Scene], dict[int, Scene]]:
    """Return the scenes to decide about again, and by position those that may compete with them.

    One of a sure pair shares nothing with another item, unless it has one of the `contents` that
    were read since.
    """
    places = found.open_places(contents)
    due: list[Scene] = []
    others: dict[int, Scene] = {}
    for at, scene in zip(places, pick(found.pairs.scenes, places), strict=True):
        if scene.scene_id in again:
            due.append(scene)
        else:
            others[at] = scene
    return due, others


def _settled(
    found: Matches, again: AbstractSet[SceneId], others: Mapping[int, Scene]
) -> dict[RatingKey, SceneId]:
    """Return which items stay those of scenes that may compete and are not decided about again."""
    pairs = map(found.pairs.of, others.keys() & found.numbers())
    claims = {item.rating_key: scene.scene_id for scene, item in pairs}
    for one in found.made():
        if one.scene_id not in again and one.confidence is Confidence.HIGH:
            claims[one.candidates[0].rating_key] = one.scene_id
    return claims


def competing(matches: Sequence[Match], keys: frozenset[RatingKey]) -> set[SceneId]:
    """Return the scenes that may go to one of `keys`, their competitors, and so on."""
    reached: set[SceneId] = set()
    while True:
        more = {
            one.scene_id
            for one in matches
            if one.scene_id not in reached
            and (
                one.candidate_count > len(one.candidates) > 1
                or not keys.isdisjoint(one.unread)
                or any(candidate.rating_key in keys for candidate in one.candidates)
            )
        }
        if not more:
            return reached
        reached |= more
        keys |= {
            candidate.rating_key
            for one in matches
            if one.scene_id in more
            for candidate in one.candidates
        }


def match_settings(config: Config) -> MatchSettings:
    """Return where HIGH begins, as it is configured."""
    return MatchSettings(write_copies=config.match.copies is CopyPolicy.WRITE)
