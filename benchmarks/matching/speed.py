"""What matching costs at the size the design promises: 100,000 scenes x 100,000 items."""

from __future__ import annotations

import resource
import sys
import time

from benchmarks.matching.corpus import make_corpus
from benchmarks.matching.world import Mix
from plexsync.matcher import match

SCENES = 100_000
MOST_CPU_S = 10.0
MOST_EXTRA_MB = 250.0
MOST_ONE_S = 1.0


def measure_speed() -> bool:
    """Measure CPU and memory over the loaded records; whether both are within the goals."""
    corpus = make_corpus(Mix(name="ordinary", plain=0.9, rules=True), 1, SCENES)
    before = _peak_mb()
    started = time.process_time()
    found = match(corpus.scenes, corpus.items, rules=corpus.rules)
    spent, extra = time.process_time() - started, _peak_mb() - before
    assert len(found) >= len(corpus.scenes)
    started = time.process_time()
    match(corpus.scenes[:1], corpus.items, rules=corpus.rules)
    one = time.process_time() - started
    print(f"{len(corpus.scenes):,} scenes x {len(corpus.items):,} items")
    print(f"  all: {spent:.1f} s of CPU (goal {MOST_CPU_S:g})")
    print(f"  memory over the records: {extra:.0f} MB (goal {MOST_EXTRA_MB:g})")
    print(f"  one scene: {one:.2f} s of CPU (goal {MOST_ONE_S:g})")
    return spent <= MOST_CPU_S and extra <= MOST_EXTRA_MB and one <= MOST_ONE_S


def _peak_mb() -> float:
    """The most memory this process has held so far."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
