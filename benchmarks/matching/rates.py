"""Measure m and u: how often each fact agrees for one file, and for two different ones.

`python -m benchmarks.matching.rates` prints both and the weight they give, log2(m / u), for the
ordinary mix: the ground of the weights in docs/matching.md. A real library has its own rates;
give `rates` its pairs to see them.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.matching.corpus import MIXES, make_corpus
from plexsync.matching.comparing.facts import compare_duration, compare_frame, compare_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexsync.matching.comparing.evidence import Level
    from plexsync.models import PlexFile, SceneFile

_PAIRS = 1_000_000


def rates(pairs: Iterable[tuple[SceneFile, PlexFile]]) -> dict[tuple[str, Level], float]:
    """The share of `pairs` at each level of each fact."""
    counts: Counter[tuple[str, Level]] = Counter()
    total = 0
    for ours, theirs in pairs:
        total += 1
        counts["size", compare_size(ours.size_bytes, theirs.size_bytes)] += 1
        counts["duration", compare_duration(ours.duration_s, theirs.duration_s)] += 1
        frames = (ours.width, ours.height), (theirs.width, theirs.height)
        counts["frame", compare_frame(*frames)] += 1
    return {level: count / total for level, count in counts.items()}


def main() -> None:
    """Measure and print."""
    corpus = make_corpus(MIXES[0], 1, 20_000)
    items = {item.rating_key: item for item in corpus.items if item.files}
    true = [
        (scene.files[0], items[key].files[0])
        for scene in corpus.scenes
        if scene.files
        for key in corpus.labels[scene.scene_id].items
        if key in items
    ]
    rng = random.Random(2)
    picks = ((rng.randrange(len(true)), rng.randrange(len(true))) for _ in range(_PAIRS))
    chance = ((true[one][0], true[other][1]) for one, other in picks if one != other)
    same, different = rates(true), rates(chance)
    print(f"{'fact':24}{'m':>12}{'u':>12}{'bits':>8}")
    for fact in sorted(same.keys() | different.keys()):
        m, u = same.get(fact, 0.0), different.get(fact, 0.0)
        bits = math.log2(max(m, 0.5 / len(true)) / max(u, 0.5 / _PAIRS))
        print(f"{fact[0] + ' ' + fact[1].name.lower():24}{m:12.6f}{u:12.6f}{bits:8.1f}")


if __name__ == "__main__":
    main()
