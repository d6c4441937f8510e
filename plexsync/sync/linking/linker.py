"""From due scenes to linked pairs: what is remembered and still true, and what matching finds."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

from plexsync.matcher import NO_ANSWERS, AllAnswers, match, propose_rules, wanted_hashes
from plexsync.models import Confidence, Link, Outcome
from plexsync.sync.rows import Pair
from plexsync.text.folding import files_digest
from plexsync.text.normalize import same_path

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from plexsync.models import (
        Candidate,
        Match,
        PathRule,
        PlexItem,
        RatingKey,
        Scene,
        SceneId,
        SceneRecord,
    )

_MOST_HASHES = 200
"""Items whose content hashes are read in one run: where Plex answers for one at a time only, each
costs a request of 0.1 to 0.2 s (docs/plex-api.md 3)."""

_UNLINKED = frozenset({Outcome.UNMATCHED, Outcome.REVIEW, Outcome.IGNORED})


class LinkingRecords(Protocol):
    """What linking asks of memory."""

    def get(self, scene_id: SceneId) -> SceneRecord | None:
        """What is remembered of a scene."""

    def claims(self) -> Mapping[RatingKey, SceneId]:
        """Which scene each remembered item is linked to."""

    def former(self, rating_key: RatingKey) -> Link | None:
        """The link of an item that is linked to no scene any more."""


class Unlinked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A scene that goes to no item in this run, and why; `items` are those of its candidates."""

    scene: Scene
    match: Match
    items: tuple[PlexItem, ...] = ()

    @property
    def item(self) -> PlexItem | None:
        """The item of the best candidate."""
        return self.items[0] if self.items else None


@dataclass(slots=True, kw_only=True)
class Linked:
    """What became of the due scenes.

    Attributes:
        pairs: scenes on their way to an item.
        review: LOW matches that wait for a person.
        unmatched: scenes without a plausible candidate.
        proposed: path rules that would settle some of the rest.
    """

    pairs: list[Pair] = field(default_factory=list)
    review: list[Unlinked] = field(default_factory=list)
    unmatched: list[Unlinked] = field(default_factory=list)
    proposed: tuple[PathRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Linker:
    """Links scenes to items.

    Args:
        records: what earlier runs remember.
        sections: ids of the libraries that take part.
        rules: how Stash's paths become Plex's.
        strict: LOW matches wait for a person; else the best candidate is taken, marked LOW.
        hashes: reads the content hashes of a few items; None when they are not to be used.
        answers: people's answers about pairs and scenes.
        broken: scenes whose item Plex is known to have lost.
        void: remembered scenes that claim no item: Stash has them no more, or they have other
            files by now than what is remembered of them.
        rivals: the scenes, those given apart, that could claim one of these items as well.
    """

    records: LinkingRecords
    sections: frozenset[str]
    rules: Sequence[PathRule]
    strict: bool
    hashes: Callable[[Sequence[PlexItem]], Mapping[int, int]] | None
    answers: AllAnswers = NO_ANSWERS
    broken: frozenset[SceneId] = frozenset()
    void: frozenset[SceneId] = frozenset()
    rivals: Callable[[Collection[RatingKey], Collection[SceneId]], Sequence[Scene]] = (
        lambda _keys, _ours: ()
    )

    def remembered(self, scenes: Iterable[Scene]) -> tuple[list[Pair], list[Scene]]:
        """The pairs earlier runs linked whose scene still has the same files, and the rest.

        That the item still holds its file is checked when it is read, before it is written.
        """
        pairs: list[Pair] = []
        rest: list[Scene] = []
        for scene in scenes:
            record = self.records.get(scene.scene_id)
            if record is not None and self._stands(record, scene):
                pairs.extend(Pair(scene=scene, link=link, known=True) for link in record.links)
            else:
                rest.append(scene)
        return pairs, rest

    def _stands(self, record: SceneRecord, scene: Scene) -> bool:
        return (
            bool(record.links)
            and scene.scene_id not in self.broken
            and record.outcome not in _UNLINKED
            and record.files == files_digest(scene.files)
            and all(link.section_id in self.sections for link in record.links)
            and not (self.strict and any(k.confidence is Confidence.LOW for k in record.links))
        )

    def matched(
        self, scenes: Sequence[Scene], items: Sequence[PlexItem], taken: Sequence[Pair]
    ) -> Linked:
        """Match `scenes` against `items`; what `taken` already goes to belongs to its scene."""
        ours = {scene.scene_id for scene in scenes}
        owners = self.records.claims()
        free = ours | self.void
        claims = {key: who for key, who in owners.items() if who not in free}
        claims.update((pair.link.rating_key, pair.scene.scene_id) for pair in taken)
        with _uncollected():
            matches = self._match(scenes, items, claims)
        by_key = {item.rating_key: item for item in items}
        by_id = {scene.scene_id: scene for scene in scenes}
        linked = Linked(proposed=propose_rules(matches, rules=self.rules))
        spoken_for = set(claims)
        # The surest first: where LOW is taken too, the item goes to the scene that fits it best.
        for found in sorted(matches, key=_surest_first):
            scene = by_id[found.scene_id]
            listened = self.answers.review(found, scene)
            shown = tuple(by_key[one.rating_key] for one in listened.candidates)
            one = Unlinked(scene=scene, match=listened, items=shown)
            self._place(one, linked, spoken_for=spoken_for, owners=owners)
        return linked

    def _match(
        self,
        scenes: Sequence[Scene],
        items: Sequence[PlexItem],
        claims: Mapping[RatingKey, SceneId],
    ) -> list[Match]:
        """Decide about `scenes`; where others could claim what they get, among all of them."""
        found = self._decide(scenes, items, claims)
        ours = {scene.scene_id for scene in scenes}
        won = {one.candidates[0].rating_key for one in found if one.confidence is Confidence.HIGH}
        rivals = self.rivals(won, ours)
        if not rivals:
            return found
        theirs = {scene.scene_id for scene in rivals}
        free = {key: who for key, who in claims.items() if who not in theirs}
        decided = self._decide([*scenes, *rivals], items, free)
        return [one for one in decided if one.scene_id in ours]

    def _decide(
        self,
        scenes: Sequence[Scene],
        items: Sequence[PlexItem],
        claims: Mapping[RatingKey, SceneId],
    ) -> list[Match]:
        answers = self.answers
        found = match(
            scenes,
            items,
            rules=self.rules,
            claims=claims,
            pins=answers.pins,
            refusals=answers.refusals,
        )
        if self.hashes is None:
            return found
        wanted = wanted_hashes(scenes, items, found, claims=claims, limit=_MOST_HASHES)
        if not wanted:
            return found
        # What one scene wins or loses may decide another, so all that compete are decided again.
        hashed = frozenset(wanted)
        again = _competing(found, hashed)
        settled = {
            one.candidates[0].rating_key: one.scene_id
            for one in found
            if one.scene_id not in again and one.confidence is Confidence.HIGH
        }
        decided = match(
            [scene for scene in scenes if scene.scene_id in again],
            items,
            rules=self.rules,
            claims={**claims, **settled},
            hashes=self.hashes([item for item in items if item.rating_key in hashed]),
            pins=answers.pins,
            refusals=answers.refusals,
        )
        return [one for one in found if one.scene_id not in again] + decided

    def _place(
        self,
        one: Unlinked,
        linked: Linked,
        *,
        spoken_for: set[RatingKey],
        owners: Mapping[RatingKey, SceneId],
    ) -> None:
        confidence, item = one.match.confidence, one.item
        waits = self.strict or self.answers.asks_again(one.scene)
        if item is None or confidence is None:
            linked.unmatched.append(one)
        elif confidence is Confidence.LOW and (waits or item.rating_key in spoken_for):
            linked.review.append(one)
        else:
            spoken_for.add(item.rating_key)
            linked.pairs.append(self._pair(one.match, one.scene, item, owners))

    def _pair(
        self,
        found: Match,
        scene: Scene,
        item: PlexItem,
        owners: Mapping[RatingKey, SceneId],
    ) -> Pair:
        best = found.candidates[0]
        known, inherited = self._known(scene, best, owners)
        link = Link(
            rating_key=best.rating_key,
            section_id=item.section_id,
            path=best.item_path,
            confidence=found.confidence or Confidence.LOW,
        )
        if known is not None:
            # An item that got another number is another one to Plex, and has none of our pictures.
            same = known.rating_key == link.rating_key
            link = msgspec.structs.replace(
                link,
                base=known.base,
                held=known.held,
                pictures=known.pictures if same else {},
                inherited=inherited or known.inherited,
            )
        return Pair(scene=scene, link=link, match=found, title=item.title, known=known is not None)

    def _known(
        self, scene: Scene, best: Candidate, owners: Mapping[RatingKey, SceneId]
    ) -> tuple[Link | None, bool]:
        """What is known of an item, and whether that is from the scene it showed before."""
        for scene_id in (scene.scene_id, owners.get(best.rating_key)):
            record = self.records.get(scene_id) if scene_id else None
            link = _earlier(record.links, best) if record else None
            if link is not None:
                return link, scene_id != scene.scene_id
        return self.records.former(best.rating_key), True


@contextmanager
def _uncollected() -> Iterator[None]:
    """Do not look for cyclic garbage meanwhile.

    Matching makes millions of values that stay and hold no cycles. At 100,000 scenes looking
    through them again and again took a fifth of its time, and found nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _earlier(links: Sequence[Link], best: Candidate) -> Link | None:
    """The link to this item, which may have got another key when Plex's database was restored."""
    for link in links:
        if link.rating_key == best.rating_key:
            return link
    return next((link for link in links if same_path(link.path, best.item_path)), None)


def _surest_first(found: Match) -> tuple[bool, float]:
    return found.confidence is not Confidence.HIGH, -found.score


def _competing(matches: Sequence[Match], keys: frozenset[RatingKey]) -> set[SceneId]:
    """The scenes that may go to one of `keys`, and those that compete with them, and so on."""
    reached: set[SceneId] = set()
    while True:
        more = {
            one.scene_id
            for one in matches
            if one.scene_id not in reached
            and (
                one.candidate_count > len(one.candidates) > 1
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
