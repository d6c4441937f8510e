"""Hundreds of LOW rows settled in a few answers, as somebody would who knows the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.matching.answers import ANSWER_PREFIX, SceneAnswers
from plexsync.review.keys import press
from plexsync.review.machine import Review
from plexsync.review.modes import Mode
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from tests.support.review_factories import FakeActions
from tests.support.review_world import store_of, waiting_in
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROWS, ANSWERS = 235, 60

MIX = {
    Case.SAME: 4,
    Case.GENERIC: 4,
    Case.DUPLICATE: 3,
    Case.DECOY: 9,
    Case.REMUXED: 6,
    Case.RENAMED: 4,
    Case.NO_DURATION: 2,
    Case.FOLDER: 3,
    Case.MOUNT: 2,
    Case.TWO_ITEMS: 2,
}
"""A library with a past: twins, strangers of the same name, copies in another container."""


def settle(review: Review, truth: Mapping[str, tuple[str, ...]]) -> int:
    """Settle all there is by keys; counts the answers."""
    answers = 0
    while review.mode is not Mode.END:
        press(review, "g")
        if review.group is not None and len(review.group.scenes) > 1:
            answer_group(review, truth)
        else:
            answer_one(review, truth)
        answers += 1
    return answers


def answer_group(review: Review, truth: Mapping[str, tuple[str, ...]]) -> None:
    """Leave out what is not like most of them, then answer the rest by one key."""
    group = review.group
    assert group is not None
    picks = group.picks()
    kinds = [
        "a"
        if one.scene_id in picks and picks[one.scene_id].rating_key in truth[one.scene_id]
        else ("" if truth[one.scene_id] else "n")
        for one in group.scenes
    ]
    key = max("an", key=kinds.count)
    if key not in kinds:
        press(review, "escape")
        answer_one(review, truth)
        return
    for place, kind in enumerate(kinds):
        if kind != key:
            for _ in range(place - group.row):
                press(review, "down")
            press(review, "x")
    assert group.count(key) == kinds.count(key)
    press(review, key)


def answer_one(review: Review, truth: Mapping[str, tuple[str, ...]]) -> None:
    """Accept the candidate that is the scene's, or say that none is."""
    right = truth[review.waiting.scene_id]
    for place, one in enumerate(review.waiting.candidates):
        if one.rating_key in right:
            press(review, str(place + 1))
            press(review, "a")
            if review.mode is Mode.CONFIRM:
                press(review, "y")
            return
    press(review, "n")


def test_hundreds_of_rows_take_sixty_answers(tmp_path: Path) -> None:
    """Every answer is right by the truth, and one key a group takes all of them back."""
    spec = LibrarySpec(seed=11, scenes=900, mix=MIX, hashed=0.5)
    with World(make_library(spec), tmp_path, PLEX__LIBRARIES="", PATHS="/data/=/media/") as world:
        world.run()
        waiting = waiting_in(world)
        assert len(waiting) >= ROWS
        truth = world.library.truth
        with store_of(world) as store:
            review = Review(waiting, store, FakeActions())
            answers = settle(review, truth)
            assert review.left == 0
            found = {
                one.scene_id: store.state.decision(f"{ANSWER_PREFIX}{one.scene_id}", SceneAnswers)
                for one in waiting
            }
            for _ in range(answers):
                press(review, "u")
            assert review.left == len(waiting)
        assert answers <= ANSWERS
        for scene_id, known in found.items():
            assert known is not None
            assert {pin.rating_key for pin in known.pins} <= set(truth[scene_id])
            assert bool(known.absent) is not bool(known.pins)
            assert not (known.absent and truth[scene_id])
