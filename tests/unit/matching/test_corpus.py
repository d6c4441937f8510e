"""The goals of matching, on labelled corpora small enough for every test run."""

from __future__ import annotations

import pytest

from benchmarks.matching.__main__ import LEAST_CERTAIN_SHARE, LEAST_FIRST_SHARE
from benchmarks.matching.corpus import MIXES, make_corpus
from benchmarks.matching.scoring import Tally, known_of, run
from benchmarks.matching.situations import SITUATIONS
from plexsync.matcher import match
from plexsync.matching.resolution import resolve
from plexsync.matching.verdicts import prepare_matching

SCENES = 1_500


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: mix.name)
def test_goals_hold_on_every_mix(mix: object) -> None:
    """No wrong HIGH, HIGH where it has to be, and the true item first where it is LOW."""
    whole = Tally()
    chosen = next(one for one in MIXES if one is mix)
    for counts in run(make_corpus(chosen, seed=77, scenes=SCENES)).values():
        whole.add(counts)
    low = whole.low_first + whole.low_listed + whole.missed
    assert whole.high_wrong == 0
    assert whole.certain_high >= LEAST_CERTAIN_SHARE * whole.certain
    assert whole.low_first >= LEAST_FIRST_SHARE * low


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: mix.name)
def test_the_short_way_to_a_verdict_changes_none(mix: object) -> None:
    """Scenes nothing competes for are decided in advance, and each as it would be among all."""
    corpus = make_corpus(next(one for one in MIXES if one is mix), seed=11, scenes=600)
    known = known_of(corpus)
    short, whole = (
        prepare_matching(corpus.scenes, corpus.items, staged=staged, **known)
        for staged in (True, False)
    )
    assert resolve(short) == resolve(whole)
    assert sum(map(bool, short.sure)) > len(corpus.scenes) / 10
    assert not any(whole.sure)


def test_corpus_is_the_same_for_the_same_seed() -> None:
    """A measurement can be repeated."""
    one, other = (make_corpus(MIXES[2], seed=5, scenes=200) for _ in range(2))
    assert one == other


def test_corpora_hold_every_situation() -> None:
    """No situation is defined and never measured."""
    corpus = make_corpus(MIXES[2], seed=1, scenes=3_000)
    names = {label.situation for label in corpus.labels.values()}
    assert names == {one.__name__ for one in SITUATIONS}
    assert len(names) >= 30


def test_memory_of_certain_matches_is_shared() -> None:
    """Equal comparisons share one tuple of evidence, and HIGH keeps the winner only."""
    corpus = make_corpus(MIXES[0], seed=3, scenes=500)
    found = [one for one in match(corpus.scenes, corpus.items) if one.confidence == "HIGH"]
    assert all(len(one.candidates) == 1 for one in found)
    assert len({id(one.candidates[0].evidence) for one in found}) < len(found) / 3
