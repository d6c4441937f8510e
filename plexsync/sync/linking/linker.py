"""From due scenes to linked pairs: what is remembered and still true, and what matching finds.

The other scenes and the layout of the libraries come from the catalogue, so that a run with few
scenes due is never bolder than a full one. Content hashes are read where they can decide.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from plexsync.config.sections import CopyPolicy
from plexsync.matcher import (
    DEFAULT_SETTINGS,
    NO_ANSWERS,
    AllAnswers,
    Decided,
    Known,
    MatchSettings,
    collect_answers,
    decide,
    follow_items,
    propose_rules,
    survey,
    used_rules,
    wanted_hashes,
)
from plexsync.models import WITHOUT_ITEM, Confidence, pick
from plexsync.state import State, Waiting
from plexsync.sync.linking.pairs import Pairs, find_origin, new_pair
from plexsync.sync.rows import Pair
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from plexsync.config.configuration import Config
    from plexsync.matcher import FileKeys, Layout, Matches
    from plexsync.models import (
        Link,
        Match,
        PathRule,
        PlexItem,
        RatingKey,
        Scene,
        SceneId,
        SceneRecord,
    )
    from plexsync.plex.hash_cache import HashCache
    from plexsync.sync.linking.catalogue import Catalogue


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
    review: list[Waiting] = field(default_factory=list)
    unmatched: list[Waiting] = field(default_factory=list)
    proposed: tuple[PathRule, ...] = ()
    learned: tuple[PathRule, ...] = ()
    unread: frozenset[SceneId] = frozenset()

    def matches(self) -> Iterator[Match]:
        """Yield what matching found, answers included; of pairs that stand nothing was sought."""
        yield from (pair.match for pair in self.pairs if pair.match is not None)
        yield from (one.match for one in (*self.review, *self.unmatched))


@dataclass(frozen=True, slots=True, kw_only=True)
class Linker:
    """Links scenes to items.

    Args:
        records: what earlier runs remember.
        libraries: titles of the libraries that take part, by section id.
        catalogue: knows the scenes that are not due; None where those that are given are all.
        rules: how Stash's paths become Plex's.
        settings: where HIGH begins.
        hashes: reads content hashes; None when they are not to be used.
        answers: people's answers about pairs and scenes.
        least_low: the lowest score of a LOW candidate that is taken, marked LOW; None where LOW
            matches wait for a person.
        broken: scenes with an item that Plex is known to have lost.
        again: linked scenes that may be further items as well: matched beside their links.
        void: remembered scenes that claim no item: Stash has them no more, or they have other
            files by now than what is remembered of them.
        gone: those of them that Stash has no more: no answer about them counts.
    """

    records: State
    libraries: Mapping[str, str]
    catalogue: Catalogue | None
    rules: Sequence[PathRule]
    settings: MatchSettings = DEFAULT_SETTINGS
    hashes: HashCache | None = None
    answers: AllAnswers = NO_ANSWERS
    least_low: float | None = None
    broken: frozenset[SceneId] = frozenset()
    again: frozenset[SceneId] = frozenset()
    void: frozenset[SceneId] = frozenset()
    gone: frozenset[SceneId] = frozenset()

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
        links = [link for link in record.links if link.section_id in self.libraries]
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
        return tuple(link for link in links if link.section_id not in self.libraries)

    def matched(
        self, scenes: Sequence[Scene], items: Sequence[PlexItem], taken: Sequence[Pair]
    ) -> Linked:
        """Match `scenes` against `items`; what `taken` already goes to belongs to its scene."""
        owners = self.records.claims()
        claims = self._claims(owners, scenes, taken)
        matches, layout = self.decide(scenes, items, claims)
        lone, rules = matches.places(), self.rules
        linked = Linked(
            pairs=Pairs((), matches.pairs),
            proposed=propose_rules(matches.made(), lone=lone, rules=rules),
            learned=used_rules(matches.made(), layout, lone=lone),
            unread=frozenset(one.scene_id for one in matches.made() if one.unread),
        )
        is_new = not (taken or self.records.has_links or self.answers.ignored)
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
            listened = self.answers.review(found, scene)
            best = next(iter(listened.candidates), None)
            item = theirs[best.rating_key] if best else None
            one = Waiting(scene=scene, match=listened)
            self._place(one, item, linked, spoken_for=spoken_for, owners=owners)
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
        one: Waiting,
        item: PlexItem | None,
        linked: Linked,
        *,
        spoken_for: set[RatingKey],
        owners: Mapping[RatingKey, SceneId],
    ) -> None:
        confidence = one.match.confidence
        waits = not self._takes_low(one) or self.answers.asks_again(one.scene)
        if item is None or confidence is None:
            linked.unmatched.append(one)
        elif confidence is Confidence.LOW and (waits or item.rating_key in spoken_for):
            linked.review.append(one)
        else:
            spoken_for.add(item.rating_key)
            linked.pairs.slots.append(self._pair(self._explain(one.match), one.scene, item, owners))

    def _takes_low(self, one: Waiting) -> bool:
        """Whether a LOW match may be applied: it is likely enough, and nothing contradicts it."""
        if self.least_low is None or not one.candidates:
            return False
        return one.match.score >= self.least_low and not one.candidates[0].contradictions

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
        pair = new_pair(scene, item, found)
        find_origin(pair, self.records, owners.get(item.rating_key))
        record = self.records.get(scene.scene_id)
        if record is not None and record.files == files_digest(scene.files):
            pair.resting = self._resting(record)  # else they may be of files it has no more
        return pair

    # ---- matching

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
        known = self.known(scenes, items, claims)
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

    def known(
        self,
        scenes: Sequence[Scene],
        items: Sequence[PlexItem],
        claims: Mapping[RatingKey, SceneId],
    ) -> Known:
        """Return what is known beside `scenes`, where just these are to be decided about.

        Raises:
            ServerError: Stash cannot tell which other scenes there are.
        """
        others = self._others(scenes)
        answers = follow_items(self.answers, scenes, items)
        return Known(
            others=others,
            layout=self._layout(scenes, items, others),
            rules=self.rules,
            settings=self.settings,
            claims=claims,
            pins=[one for one in answers.pins if one.scene_id not in self.gone],
            refusals=answers.refusals,
            libraries=self.libraries,
            hashes=None if self.hashes is None else self.hashes.known(items),
        )

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


def _items_of(slots: Iterable[Match | int], keys: FileKeys) -> dict[RatingKey, PlexItem]:
    """Return the items of the best candidates of the matches among some slots."""
    matches = (one for one in slots if not isinstance(one, int))
    wanted = {one.candidates[0].rating_key for one in matches if one.candidates}
    return {item.rating_key: item for item in keys.items_of(wanted)}


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


def configured_linker(
    config: Config,
    records: State,
    *,
    libraries: Mapping[str, str],
    catalogue: Catalogue | None,
) -> Linker:
    """Return what links scenes as it is configured, by all that people answered so far."""
    return Linker(
        records=records,
        libraries=libraries,
        catalogue=catalogue,
        rules=config.paths,
        settings=MatchSettings(write_copies=config.match.copies is CopyPolicy.WRITE),
        answers=collect_answers(records),
        least_low=None if config.match.strict_matching else config.match.least_low,
    )
