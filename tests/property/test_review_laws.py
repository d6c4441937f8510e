"""Laws of a review: undo undoes, and keys, commands and files say the same."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from plexsync.matching.answers import SceneAnswers
from plexsync.models import Link, Outcome, RatingKey, SceneId, SceneRecord
from plexsync.output.formats.tsv import guarded, unguarded
from plexsync.review.answer_store import AnswerStore
from plexsync.review.batch.csv_files import export_lines, read_answers
from plexsync.review.machine import Review
from plexsync.state import load_state
from plexsync.storage.session import open_session
from tests.support.review_factories import (
    FakeActions,
    FakeAnswers,
    make_waiting,
    shown,
    start_review,
    type_keys,
)
from tests.support.state_factories import NOW, begin, end

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plexsync.state import State
    from plexsync.storage.review_queue import Waiting

KEYS = [*"123anrlibfgpyuvo?skx/q ", "enter", "escape", "left", "right", "up", "down"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(KEYS), max_size=40))
def test_as_many_undos_as_answers_leave_everything_as_it_was(keys: list[str]) -> None:
    """Whatever was pressed: the book and the rules are those of the beginning; all screens fit."""
    answers = FakeAnswers(held={RatingKey("9002"): SceneId("77")})
    actions = FakeActions()
    scenes = [make_waiting(1), make_waiting(2, (9002, 9001)), make_waiting(3), make_waiting(4)]
    review = start_review(*scenes, answers=answers, actions=actions)
    for key in keys:
        if review.ending is None:
            type_keys(review, key)
            rows = shown(review, 60, height=24).splitlines()
            assert len(rows) <= 24
            assert max(map(cell_len, rows)) <= 60
    type_keys(review, "escape", "left", "escape")
    for _ in keys:
        type_keys(review, "u")
    assert answers.book == {}
    assert actions.known == []
    assert review.accepted == ()
    assert review.given.answered == set()


@given(st.text(max_size=30))
def test_no_cell_is_a_formula_and_none_is_lost(text: str) -> None:
    """A guarded cell begins harmlessly, and comes back as what it was."""
    cell = guarded(text)
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert unguarded(cell) == unguarded(guarded(unguarded(cell)))


def state_of(directory: Path, waiting: list[Waiting], *links: Link) -> None:
    """A state in which these scenes wait, all with these links."""
    with open_session(directory, now=NOW) as session:
        begin(session)
        for one in waiting:
            record = SceneRecord(
                updated_at="1",
                outcome=Outcome.REVIEW,
                due_at="2027-01-01T00:00:00Z",
                attempts=3,
                links=links,
            )
            session.remember(one.scene_id, record)
        end(session)


def store_in(directory: Path, waiting: list[Waiting]) -> AnswerStore:
    """The answer store of that state, which knows what waits."""
    answers = AnswerStore(
        directory, now=lambda: NOW, new_run_id=lambda: f"{NOW:%Y%m%dT%H%M%SZ}-abcd"
    )
    answers.learn_rivals(waiting)
    return answers


def meaning(state: State) -> dict[str, object]:
    """All that is remembered, by scene."""
    answers = {key: state.decision(key, SceneAnswers) for key in state.decision_keys()}
    return {**answers, **{one: state.get(one) for one in state.scene_ids()}}


def test_a_hundred_answers_by_keys_are_the_same_as_by_a_file(tmp_path: Path) -> None:
    """Decisions and records are equal, answer by answer; neighbours share a candidate."""
    chance = random.Random(6)  # noqa: S311 - a test's, not cryptography
    waiting = [make_waiting(number, (9000 + number, 9001 + number)) for number in range(1, 101)]
    answers = [chance.choice(["a", "n", "i", "rr"]) for _ in waiting]
    words = {"a": "accept", "n": "not in plex", "i": "ignore", "rr": "reject"}
    for name in ("keys", "file"):
        state_of(tmp_path / name, waiting)
    before = meaning(load_state(tmp_path / "keys"))

    by_keys = store_in(tmp_path / "keys", waiting)
    review = Review(list(waiting), by_keys, FakeActions())
    for keys in answers:
        type_keys(review, keys, *(["enter"] if keys == "i" else []))
    by_keys.release_lock()

    by_file = store_in(tmp_path / "file", waiting)
    lines = list(export_lines(waiting, by_file))
    filled = [lines[0]]
    for place, line in enumerate(lines[1:]):
        keys = answers[place // 2]
        answer = words[keys] if keys != "a" or place % 2 == 0 else ""
        filled.append(line.rsplit(",", 2)[0] + f',"{answer}",""\r\n')
    known = {one.scene_id: one for one in waiting}
    by_file.give(read_answers("".join(filled), tmp_path / "filled.csv", known, by_file))
    by_file.release_lock()

    after = meaning(load_state(tmp_path / "keys"))
    assert after == meaning(load_state(tmp_path / "file"))
    assert after != before


def test_undoing_a_hundred_answers_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    """The journal is longer; what it means is what it meant."""
    waiting = [make_waiting(number, (9000 + number // 2,)) for number in range(1, 101)]
    state_of(tmp_path, waiting)
    before = meaning(load_state(tmp_path))
    answers = store_in(tmp_path, waiting)
    review = Review(list(waiting), answers, FakeActions())
    type_keys(review, "rni", "enter", *("arni", "enter") * 24, "a")
    assert len(review.given.answered) == 100
    type_keys(review, *["u"] * 100)
    answers.release_lock()
    assert meaning(load_state(tmp_path)) == before


@pytest.mark.parametrize(
    ("keys", "waits"),
    [
        ("r", True),
        ("rr", False),
        ("a", False),
        ("n", False),
        (["a", "left", "r"], True),
        (["a", "left", "down", "r"], False),
    ],
)
def test_a_scene_waits_while_a_candidate_is_left_and_it_has_no_item(
    tmp_path: Path, keys: Sequence[str], *, waits: bool
) -> None:
    """What runs remember says the same as the review, whatever was answered before."""
    waiting = [make_waiting(1, (9001, 9002))]
    state_of(tmp_path, waiting)
    answers = store_in(tmp_path, waiting)
    review = type_keys(Review(waiting, answers, FakeActions()), *keys)
    answers.release_lock()
    record = load_state(tmp_path).get(waiting[0].scene_id)
    assert record is not None
    assert record.outcome is (Outcome.REVIEW if waits else Outcome.SKIPPED)
    assert review.left == waits


@pytest.mark.parametrize(
    ("keys", "freed"), [("r", True), ("n", True), ("a", False), ("2r", False), ("2a", False)]
)
def test_a_linked_item_that_is_refused_is_free_at_once(
    tmp_path: Path, keys: str, *, freed: bool
) -> None:
    """Another scene may have it before the next run; else all that is remembered of it stays."""
    waiting = [make_waiting(1, (9001, 9002))]
    link = Link(rating_key=RatingKey("9001"), section_id="1", path="")
    state_of(tmp_path, waiting, link)
    answers = store_in(tmp_path, waiting)
    review = type_keys(Review(waiting, answers, FakeActions()), keys)
    assert len(review.given) == 1
    assert answers.owner(RatingKey("9001"), SceneId("2")) == (None if freed else "1")
    answers.release_lock()
    record = load_state(tmp_path).get(waiting[0].scene_id)
    assert record is not None
    assert record.links == (() if freed else (link,))


@pytest.mark.parametrize(("keys", "taken"), [("ay", True), ("r", False), ("n", False)])
def test_only_accepting_takes_an_item_from_the_scene_that_has_it(
    tmp_path: Path, keys: str, *, taken: bool
) -> None:
    """What one scene is not may well be the other one."""
    one, other = make_waiting(1, (9001,)), make_waiting(2)
    link = Link(rating_key=RatingKey("9001"), section_id="1", path="")
    state_of(tmp_path, [other], link)
    answers = store_in(tmp_path, [one])
    review = type_keys(Review([one], answers, FakeActions()), keys)
    assert len(review.given) == 1
    answers.release_lock()
    record = load_state(tmp_path).get(other.scene_id)
    assert record is not None
    assert record.links == (() if taken else (link,))
