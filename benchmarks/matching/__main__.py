"""Measure matching on labelled corpora: `python -m benchmarks.matching [--speed | --groups]`.

Prints, for each mix and situation, how its scenes ended, and whether the goals hold; ends with 1
when one does not.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.matching.corpus import MIXES, make_corpus
from benchmarks.matching.groups import measure_groups
from benchmarks.matching.scoring import Tally, run, run_one_by_one
from benchmarks.matching.situations import SITUATIONS
from benchmarks.matching.speed import measure_speed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.matching.world import Mix

LEAST_CERTAIN_SHARE = 0.995
LEAST_CERTAIN_WITH_RULES = 0.999
LEAST_FIRST_SHARE = 0.95
_COLUMNS = (
    "scenes",
    "high_right",
    "high_wrong",
    "low_first",
    "low_listed",
    "low_other",
    "missed",
    "nothing",
    "bolder",
)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and answer 0 when every goal holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching")
    parser.add_argument("--seeds", type=int, default=10, help="corpora per mix")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--scenes", type=int, default=20_000, help="scenes per corpus")
    parser.add_argument("--mix", default="", help="only mixes with this in their name")
    parser.add_argument("--one", action="store_true", help="match one scene at a time")
    parser.add_argument("--brief", action="store_true", help="only the sums")
    parser.add_argument("--speed", action="store_true", help="time 100,000 x 100,000 instead")
    parser.add_argument("--groups", action="store_true", help="time files of one name instead")
    chosen = parser.parse_args(arguments)
    if chosen.speed or chosen.groups:
        return 0 if (measure_speed if chosen.speed else measure_groups)() else 1
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    mixes = [mix for mix in MIXES if chosen.mix in mix.name]
    held = [_measure(mix, seeds, chosen.scenes, chosen) for mix in mixes]
    return 0 if all(held) else 1


def _measure(mix: Mix, seeds: range, scenes: int, chosen: argparse.Namespace) -> bool:
    brief, match_all = chosen.brief, run_one_by_one if chosen.one else run
    sums: dict[str, Tally] = {}
    spent = 0.0
    for seed in seeds:
        corpus = make_corpus(mix, seed, scenes)
        started = time.process_time()
        for situation, counts in match_all(corpus).items():
            sums.setdefault(situation, Tally()).add(counts)
        spent += time.process_time() - started
    whole = Tally()
    print(f"\n{mix.name}: {len(seeds)} corpora of {scenes:,} scenes, {spent:.1f} s of CPU")
    if not brief:
        print(f"{'situation':28}" + "".join(f"{name:>11}" for name in _COLUMNS) + f"{'certain':>9}")
    for situation in (one.__name__ for one in SITUATIONS):
        if situation in sums:
            whole.add(sums[situation])
            if not brief:
                print(_line(situation, sums[situation]))
    print(_line("all", whole))
    return _judge(whole, with_rules=mix.rules)


def _line(name: str, counts: Tally) -> str:
    share = f"{counts.certain_high / counts.certain:9.2%}" if counts.certain else f"{'-':>9}"
    return f"{name:28}" + "".join(f"{getattr(counts, one):11,}" for one in _COLUMNS) + share


def _judge(counts: Tally, *, with_rules: bool) -> bool:
    least = LEAST_CERTAIN_WITH_RULES if with_rules else LEAST_CERTAIN_SHARE
    low = counts.low_first + counts.low_listed + counts.missed
    goals = {
        "no wrong HIGH": counts.high_wrong == 0,
        "never bolder than with all due": counts.bolder == 0,
        f"HIGH where certain >= {least:.1%}": counts.certain_high >= least * counts.certain,
        f"true item first in LOW >= {LEAST_FIRST_SHARE:.0%}": (
            counts.low_first >= LEAST_FIRST_SHARE * low
        ),
    }
    for goal, held in goals.items():
        print(f"  {'held  ' if held else 'MISSED'} {goal}")
    return all(goals.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
