"""From due scenes to linked pairs: what is remembered and still true, and what matching finds.

A full run has a pair for every scene, and what is ours on its item is ten times as large as the
pair. So what is remembered of an item's fields is left in the records until the item's turn, and a
pair lets go of it once it is done.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from plexsync.matcher import propose_rules, used_rules
from plexsync.models import Confidence, pick
from plexsync.sync.linking.pairs import NOTHING, Pairs, new_pair
from plexsync.sync.rows import WITHOUT_ITEM, Pair
from plexsync.text.folding import files_digest
from plexsync.text.normalize import same_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.matcher import FileKeys
    from plexsync.models import (
        Candidate,
        Link,
        Match,
        PathRule,
        PlexItem,
        RatingKey,
        Scene,
        SceneId,
        SceneRecord,
    )
    from plexsync.state import State
    from plexsync.sync.linking.decider import Decider


class MatchedScene(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A scene and what matching found for it; `item` is that of its best candidate."""

    scene: Scene
    match: Match
    item: PlexItem | None = None


@dataclass(slots=True, kw_only=True)
class Linked:
    """What became of the due scenes.

    Attributes:
        pairs: scenes on their way to an item.
        review: LOW matches that wait for a person.
        unmatched: scenes without a plausible candidate.
        proposed: path rules that would settle some of the rest.
        learned: path rules that certain pairs show, and that others were found by.
        unread: scenes about which a content hash could decide otherwise that was not read yet.
    """

    pairs: Pairs = field(default_factory=Pairs)
    review: list[MatchedScene] = field(default_factory=list)
    unmatched: list[MatchedScene] = field(default_factory=list)
    proposed: tuple[PathRule, ...] = ()
    learned: tuple[PathRule, ...] = ()
    unread: frozenset[SceneId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Linker:
    """Links scenes to items.

    Args:
        records: what earlier runs remember.
        sections: ids of the libraries that take part.
        decider: matches scenes against items.
        strict: LOW matches wait for a person; else the best candidate is taken, marked LOW.
        least_low: the lowest score of a LOW candidate that is taken.
        broken: scenes with an item that Plex is known to have lost.
        again: linked scenes that may be further items as well: matched beside their links.
        void: remembered scenes that claim no item: Stash has them no more, or they have other
            files by now than what is remembered of them.
    """

    records: State
    sections: frozenset[str]
    decider: Decider
    strict: bool
    least_low: float
    broken: frozenset[SceneId] = frozenset()
    again: frozenset[SceneId] = frozenset()
    void: frozenset[SceneId] = frozenset()

    def remembered(self, scenes: Sequence[Scene]) -> tuple[list[Pair], Sequence[Scene]]:
        """Return pairs earlier runs linked, of scenes that still have the same files, and the rest.

        That the item still holds its file is checked when it is read, before it is written. A
        scene that may be further items as well is among both.
        """
        if not self.records.has_links:
            return [], scenes
        pairs: list[Pair] = []
        rest = array("Q")
        for at, scene in enumerate(scenes):
            record = self.records.get(scene.scene_id, bare=True)
            links = self._standing(record, scene) if record else []
            resting: tuple[Link, ...] = ()
            if record and links and len(links) < len(record.links):
                # They are kept with all that is remembered of them.
                resting = self._resting(self.records.get(scene.scene_id))
            pairs += [
                Pair(scene=scene, link=link, known=True, resting=resting, origin=scene.scene_id)
                for link in links
            ]
            if not links or scene.scene_id in self.again:
                rest.append(at)
        return pairs, pick(scenes, rest)

    def _standing(self, record: SceneRecord, scene: Scene) -> list[Link]:
        """Return the links to libraries that take part, where they need no matching."""
        links = [link for link in record.links if link.section_id in self.sections]
        stands = (
            scene.scene_id not in self.broken
            and record.outcome not in WITHOUT_ITEM
            # What was LOW is matched again: it may be contradicted by now.
            and not any(link.confidence is Confidence.LOW for link in record.links)
            and record.files == files_digest(scene.files)
        )
        return links if stands else []

    def _resting(self, record: SceneRecord | None) -> tuple[Link, ...]:
        """Return the links to libraries that take no part in this run: kept as they are."""
        links = record.links if record else ()
        return tuple(link for link in links if link.section_id not in self.sections)

    def matched(
        self, scenes: Sequence[Scene], items: Sequence[PlexItem], taken: Sequence[Pair]
    ) -> Linked:
        """Match `scenes` against `items`; what `taken` already goes to belongs to its scene."""
        owners = self.records.claims()
        claims = self._claims(owners, scenes, taken)
        matches, layout = self.decider.decide(scenes, items, claims)
        lone, rules = matches.places(), self.decider.rules
        linked = Linked(
            pairs=Pairs((), matches.pairs),
            proposed=propose_rules(matches.made(), lone=lone, rules=rules),
            learned=used_rules(matches.made(), layout, lone=lone),
            unread=frozenset(one.scene_id for one in matches.made() if one.unread),
        )
        is_new = not (taken or self.records.has_links or self.decider.answers.ignored)
        surest = matches.surest_first()
        slots = surest if is_new else list(map(matches.value, surest))
        rest = pick(matches.pairs.scenes, matches.open_places()) if is_new else scenes
        ours = {scene.scene_id: scene for scene in rest}
        theirs = _items_of(slots, matches.pairs.keys)
        standing = {pair.link.rating_key for pair in taken if pair.scene.scene_id in ours}
        linked_already = {pair.scene.scene_id for pair in taken} & ours.keys()
        spoken_for = set(claims) | standing
        # The surest first: where LOW is taken too, the item goes to the scene that fits it best.
        for found in slots:
            if isinstance(found, int):  # a pair of which nothing is remembered: made at its turn
                linked.pairs.slots.append(found)
                continue
            scene = ours[found.scene_id]
            if scene.scene_id in linked_already:
                # Only what is sure is added to what stands.
                key = found.candidates[0].rating_key if found.candidates else None
                if found.confidence is not Confidence.HIGH or key in standing:
                    continue
            listened = self.decider.answers.review(found, scene)
            best = next(iter(listened.candidates), None)
            item = theirs[best.rating_key] if best else None
            one = MatchedScene(scene=scene, match=listened, item=item)
            self._place(one, linked, spoken_for=spoken_for, owners=owners)
        return linked

    def _claims(
        self, owners: Mapping[RatingKey, SceneId], scenes: Sequence[Scene], taken: Sequence[Pair]
    ) -> dict[RatingKey, SceneId]:
        """Return which items belong to scenes that are not matched."""
        if not (owners or taken):
            return {}
        out = {scene.scene_id for scene in scenes}
        claims = {key: who for key, who in owners.items() if not (who in out or who in self.void)}
        held = ((pair.link.rating_key, pair.scene.scene_id) for pair in taken)
        return claims | {key: who for key, who in held if who not in out}

    def _place(
        self,
        one: MatchedScene,
        linked: Linked,
        *,
        spoken_for: set[RatingKey],
        owners: Mapping[RatingKey, SceneId],
    ) -> None:
        confidence, item = one.match.confidence, one.item
        waits = not self._takes_low(one) or self.decider.answers.asks_again(one.scene)
        if item is None or confidence is None:
            linked.unmatched.append(one)
        elif confidence is Confidence.LOW and (waits or item.rating_key in spoken_for):
            linked.review.append(one)
        else:
            spoken_for.add(item.rating_key)
            linked.pairs.slots.append(self._pair(self._explain(one.match), one.scene, item, owners))

    def _takes_low(self, one: MatchedScene) -> bool:
        """Whether a LOW match may be applied: it is likely enough, and nothing contradicts it."""
        if self.strict or not one.match.candidates:
            return False
        return one.match.score >= self.least_low and not one.match.candidates[0].contradictions

    def _explain(self, found: Match) -> Match:
        """Say of a LOW match that is applied why it is."""
        if found.confidence is not Confidence.LOW:
            return found
        why = (
            f"applied because match.strict_matching is off, nothing contradicts it and its score "
            f"{found.score:.3f} is not below match.least_low {self.least_low:g}"
        )
        return msgspec.structs.replace(found, reason=f"{found.reason}; {why}")

    def _pair(
        self,
        found: Match,
        scene: Scene,
        item: PlexItem,
        owners: Mapping[RatingKey, SceneId],
    ) -> Pair:
        best = found.candidates[0]
        known = earlier(self.records, best, (scene.scene_id, owners.get(best.rating_key)))
        pair = new_pair(scene, item, found)
        pair.resting = self._resting(self.records.get(scene.scene_id))
        if known is not None:
            before, of = known
            inherited = of != scene.scene_id or before.inherited
            pair.link = msgspec.structs.replace(pair.link, inherited=inherited)
            pair.known, pair.origin = True, of or scene.scene_id
        return pair


def bare(link: Link) -> Link:
    """Return a link without what is remembered of the item's fields."""
    if not (link.base or link.held or link.pictures):
        return link
    return msgspec.structs.replace(link, base=NOTHING, held=NOTHING, pictures=NOTHING)


def recall(pair: Pair, records: State) -> None:
    """Give a pair back what is remembered of its item's fields; once, for it may have changed."""
    if pair.origin is None:
        return
    link, record = pair.link, records.get(pair.origin)
    found = link_to(record.links, link.rating_key, link.path) if record else None
    found = found or records.former(link.rating_key)
    pair.origin = None
    if found is not None:
        # An item that got another number is another one to Plex, and has none of our pictures.
        pictures = found.pictures if found.rating_key == link.rating_key else {}
        pair.link = msgspec.structs.replace(
            link, base=found.base, held=found.held, pictures=pictures
        )


def link_to(links: Sequence[Link], rating_key: RatingKey, path: str) -> Link | None:
    """Return the link to this item, which may have another key since Plex was restored."""
    for link in links:
        if link.rating_key == rating_key:
            return link
    return next((link for link in links if same_path(link.path, path)), None)


def earlier(
    records: State, best: Candidate, scene_ids: Sequence[SceneId | None]
) -> tuple[Link, SceneId | None] | None:
    """Return what is known of an item, and the scene with a record of that; None for nothing.

    It is the first of the scenes that has it, or none where the item lost its scene.
    """
    for scene_id in scene_ids:
        record = records.get(scene_id) if scene_id else None
        link = link_to(record.links, best.rating_key, best.item_path) if record else None
        if link is not None:
            return link, scene_id
    former = records.former(best.rating_key)
    return None if former is None else (former, None)


def _items_of(slots: Iterable[Match | int], keys: FileKeys) -> dict[RatingKey, PlexItem]:
    """Return the items of the best candidates of the matches among some slots."""
    matches = (one for one in slots if not isinstance(one, int))
    wanted = {one.candidates[0].rating_key for one in matches if one.candidates}
    return {item.rating_key: item for item in keys.items_of(wanted)}
