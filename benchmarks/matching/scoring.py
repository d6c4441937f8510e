"""What matching made of a corpus, counted by situation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plexsync.matcher import Decided, Known, decide, wanted_hashes
from plexsync.models import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.matching.corpus import Corpus
    from benchmarks.matching.world import Label
    from plexsync.models import Match, RatingKey, SceneId


@dataclass(slots=True)
class Tally:
    """How the scenes of one situation ended.

    Attributes:
        scenes: how many there were.
        high_right: HIGH, and every linked item is true.
        high_wrong: HIGH for an item that is not the scene's.
        low_first: LOW, a true item first.
        low_listed: LOW, a true item further down.
        low_other: LOW, while Plex has no true item.
        missed: Plex has a true item, and it is not among the candidates.
        nothing: no candidate, and rightly so.
        certain: scenes with identity-grade evidence.
        certain_high: those of them that are HIGH and right, for each of their items.
        bolder: HIGH alone, but not when all are due.
    """

    scenes: int = 0
    high_right: int = 0
    high_wrong: int = 0
    low_first: int = 0
    low_listed: int = 0
    low_other: int = 0
    missed: int = 0
    nothing: int = 0
    certain: int = 0
    certain_high: int = 0
    bolder: int = 0

    def add(self, other: Tally) -> None:
        """Count `other` in."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def run(corpus: Corpus) -> dict[str, Tally]:
    """Match a corpus, as a run would, and count."""
    return tally(decide_all(corpus).matches, corpus.labels)


def run_one_by_one(corpus: Corpus) -> dict[str, Tally]:
    """Match each scene of a corpus alone, with what a full run learned, and count.

    The others are linked where the full run found them HIGH, as a second run would find them.
    """
    whole, layout = decide_all(corpus)
    certain = _high(whole)
    owners = {key: scene_id for scene_id, key in certain}
    found: list[Match] = []
    bolder: list[SceneId] = []
    for scene in corpus.scenes:
        others = [one for one in corpus.scenes if one is not scene]
        claims = {key: who for key, who in owners.items() if who != scene.scene_id}
        known = known_of(corpus)
        known["others"] = [*others, *corpus.others]
        known["layout"], known["claims"] = layout, {**corpus.claims, **claims}
        made = decide([scene], corpus.items, **known).matches
        if corpus.mix.hashes:
            known["hashes"] = read_hashes(corpus, made)
            made = decide([scene], corpus.items, **known).matches
        found += made
        bolder += [scene.scene_id] if _high(made) - certain else []
    tallies = tally(found, corpus.labels)
    for scene_id in bolder:
        tallies[corpus.labels[scene_id].situation].bolder += 1
    return tallies


def _high(found: Iterable[Match]) -> set[tuple[SceneId, RatingKey]]:
    """The pairs that are certain."""
    return {
        (made.scene_id, made.candidates[0].rating_key)
        for made in found
        if made.confidence is Confidence.HIGH
    }


def decide_all(corpus: Corpus) -> Decided:
    """Match all scenes that are due; what is linked already competes with them."""
    known = known_of(corpus)
    found = decide(corpus.scenes, corpus.items, **known)
    if not corpus.mix.hashes:
        return found
    known["hashes"] = read_hashes(corpus, found.matches)
    return decide(corpus.scenes, corpus.items, **known)


def known_of(corpus: Corpus) -> Known:
    """What a run knows beside the scenes and the items."""
    return Known(
        others=corpus.others,
        layout=corpus.layout,
        rules=corpus.rules,
        claims=corpus.claims,
        hashes={} if corpus.mix.hashes else None,
    )


def read_hashes(corpus: Corpus, matches: Sequence[Match]) -> dict[int, int]:
    """The content hashes of the items that `matches` ask for."""
    wanted = wanted_hashes(matches)
    return {part: corpus.hashes[part] for key in wanted for part in corpus.parts[key]}


def tally(found: Iterable[Match], labels: Mapping[SceneId, Label]) -> dict[str, Tally]:
    """Count matches by situation."""
    by_scene: dict[SceneId, list[Match]] = defaultdict(list)
    for made in found:
        by_scene[made.scene_id].append(made)
    tallies: dict[str, Tally] = defaultdict(Tally)
    for scene_id, matches in by_scene.items():
        label = labels[scene_id]
        counts = tallies[label.situation]
        counts.scenes += 1
        counts.certain += label.certain
        ending = _end(matches, label)
        setattr(counts, ending, getattr(counts, ending) + 1)
        linked = {key for _, key in _high(matches)}
        counts.certain_high += label.certain and linked == label.items
    return dict(tallies)


# ---- Private -------------------------------------------------------------------------------------


def _end(matches: list[Match], label: Label) -> str:
    linked = {
        made.candidates[0].rating_key for made in matches if made.confidence is Confidence.HIGH
    }
    if linked:
        return "high_right" if linked <= label.items and not label.low else "high_wrong"
    keys = [one.rating_key for one in matches[0].candidates]
    if not label.items:
        return "low_other" if keys else "nothing"
    if keys and keys[0] in label.items:
        return "low_first"
    return "low_listed" if label.items & set(keys) else "missed"
