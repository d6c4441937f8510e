"""The review as a state machine: which key does what, without a terminal."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from plexsync.errors import StateLockedError
from plexsync.models import PathRule, RatingKey, SceneId
from plexsync.review.interfaces import Ending, Hit, Mode
from tests.support.factories import make_item
from tests.support.review_factories import (
    FakeActions,
    FakeAnswers,
    make_waiting,
    start_review,
    type_keys,
)

ONE, TWO = SceneId("1"), SceneId("2")


def test_accept_pins_the_candidate_in_focus_and_goes_on() -> None:
    """The pair is durable before the next scene is shown."""
    answers = FakeAnswers()
    review = type_keys(
        start_review(make_waiting(1, (9001, 9002)), make_waiting(2), answers=answers), "2a"
    )
    assert [pin.rating_key for pin in answers.recorded(ONE).pins] == ["9002"]
    assert review.waiting.scene_id == TWO


def test_a_pasted_text_presses_no_key() -> None:
    """An address pasted before its prompt is open answers nothing; into the prompt it goes."""
    answers = FakeAnswers()
    review = start_review(make_waiting(1), answers=answers)
    review.press("paste:http://plex/web/a/9120\n")
    assert answers.book == {}
    assert "pasted" in review.message
    type_keys(review, "k")
    review.press("paste:http://plex/web/a/9120\n")
    assert (review.mode, review.typed) == (Mode.PROMPT, "http://plex/web/a/9120")


def test_arrows_reach_every_candidate() -> None:
    """Also the tenth, which has no digit."""
    review = type_keys(start_review(make_waiting(1, range(9001, 9011))), *["down"] * 12)
    assert review.focus == 9
    assert review.message == "There is no other candidate."
    assert type_keys(review, *["up"] * 12).focus == 0


def test_there_is_no_default_key() -> None:
    """Enter, space and letters without a meaning answer nothing."""
    answers = FakeAnswers()
    review = type_keys(
        start_review(make_waiting(1), answers=answers), "enter", " ", "0", "y", "escape", "z"
    )
    assert answers.book == {}
    assert review.mode is Mode.SCENE
    assert "?" in review.message


def test_not_this_one_stays_until_no_candidate_is_left() -> None:
    """The focus moves on, then the scene is done."""
    answers = FakeAnswers()
    review = start_review(make_waiting(1, (9001, 9002)), make_waiting(2), answers=answers)
    type_keys(review, "n")
    assert (review.waiting.scene_id, review.focus) == (ONE, 1)
    type_keys(review, "n")
    assert review.waiting.scene_id == TWO
    assert {one.rating_key for one in answers.recorded(ONE).refusals} == {"9001", "9002"}


def test_not_in_plex_refuses_all_of_them() -> None:
    """None of the candidates comes back, nor another that is not HIGH."""
    answers = FakeAnswers()
    type_keys(start_review(make_waiting(1, (9001, 9002)), answers=answers), "m")
    assert len(answers.recorded(ONE).refusals) == 2
    assert answers.recorded(ONE).absent


def test_ignoring_asks_why_and_takes_no_answer_for_one() -> None:
    """The reason is kept; Escape leaves the scene as it was."""
    answers = FakeAnswers()
    review = type_keys(
        start_review(make_waiting(1), make_waiting(2), answers=answers), "i", "no", "escape"
    )
    assert answers.book == {}
    type_keys(review, "i", "a tx", "backspace", "railer", "enter")
    ignored = answers.recorded(ONE).ignored
    assert ignored is not None
    assert ignored.reason == "a trailer"


def test_later_leaves_a_scene_open() -> None:
    """It is not answered, and the end counts it."""
    answers = FakeAnswers()
    review = type_keys(start_review(make_waiting(1), make_waiting(2), answers=answers), "la")
    assert review.mode is Mode.END
    assert set(answers.book) == {TWO}
    assert review.accepted == (TWO,)


def test_an_item_of_another_scene_is_taken_only_on_a_yes() -> None:
    """The warning comes first; any key but y is a no."""
    answers = FakeAnswers(owners={RatingKey("9001"): SceneId("77")})
    review = type_keys(start_review(make_waiting(1), answers=answers), "a")
    assert review.question is not None
    assert "scene 77" in review.question.headline
    type_keys(review, "a")
    assert answers.book == {}
    type_keys(review, "ay")
    assert answers.recorded(ONE).pins


def test_a_group_is_shown_before_it_is_accepted() -> None:
    """Same evidence, one candidate each; those with several are not of it."""
    answers = FakeAnswers(owners={RatingKey("9004"): SceneId("77")})
    scenes = [make_waiting(1), make_waiting(2), make_waiting(3, (9003, 9033)), make_waiting(4)]
    other = make_waiting(5)
    scored = replace(other.candidates[0], evidence=other.candidates[0].evidence[:1])
    scenes.append(replace(other, match=replace(other.match, candidates=(scored,))))
    review = type_keys(start_review(*scenes, answers=answers), "g")
    assert review.question is not None
    assert [one.scene_id for one in review.question.scenes] == ["1", "2"]
    assert answers.book == {}
    type_keys(review, "y")
    assert set(answers.book) == {ONE, TWO}
    type_keys(review, "u")
    assert answers.book == {}


def test_a_path_rule_shows_what_it_fits_and_can_be_taken_back() -> None:
    """The scenes it fits are left to the next run."""
    actions = FakeActions()
    review = type_keys(start_review(make_waiting(1), make_waiting(2), actions=actions), "r")
    assert review.question is not None
    assert [one.scene_id for one in review.question.scenes] == ["1", "2"]
    type_keys(review, "y")
    assert actions.known == [PathRule(stash="/data/clips/", plex="/media/films/")]
    assert review.mode is Mode.END
    type_keys(review, "u")
    assert actions.known == []
    assert review.waiting.scene_id == ONE


def test_a_path_rule_promises_no_more_than_it_settles() -> None:
    """What it fits without settling is counted apart, and goes on waiting."""
    actions = FakeActions(unsettled=frozenset({TWO}))
    review = type_keys(start_review(make_waiting(1), make_waiting(2), actions=actions), "r")
    assert review.question is not None
    assert "should settle 1 of what waits" in review.question.headline
    assert [one.scene_id for one in review.question.scenes] == ["1"]
    assert "It fits 1 more, for which it is not enough." in review.question.lines
    type_keys(review, "y")
    assert (review.waiting.scene_id, review.answered) == (TWO, {ONE})

    actions = FakeActions(unsettled=frozenset({ONE, TWO}))
    review = type_keys(start_review(make_waiting(1), make_waiting(2), actions=actions), "r")
    assert review.question is not None
    assert "settles nothing" in review.question.headline


def test_a_found_item_becomes_a_candidate_and_is_not_accepted_yet() -> None:
    """Its evidence and changes can be looked at first."""
    answers = FakeAnswers()
    actions = FakeActions(hits=(Hit(item=make_item(rating_key=RatingKey("4711"))),))
    review = type_keys(
        start_review(make_waiting(1), answers=answers, actions=actions), "s", "beach", "enter"
    )
    assert review.mode is Mode.HITS
    type_keys(review, "1")
    assert answers.book == {}
    assert review.candidate is not None
    assert review.candidate.rating_key == "4711"
    type_keys(review, "a")
    assert [pin.rating_key for pin in answers.recorded(ONE).pins] == ["4711"]


def test_a_rating_key_is_found_or_the_reason_shown() -> None:
    """A typing error costs nothing."""
    actions = FakeActions(hits=(Hit(item=make_item(rating_key=RatingKey("4711"))),))
    review = type_keys(start_review(make_waiting(1), actions=actions), "k", "47", "enter")
    assert "neither" in review.message
    type_keys(review, "k", "4711", "enter")
    assert review.focus == 1


def test_both_are_opened_in_the_browser() -> None:
    """The scene, and the candidate in focus; nothing is answered by that."""
    answers, actions = FakeAnswers(), FakeActions()
    type_keys(start_review(make_waiting(1, (9001, 9002)), answers=answers, actions=actions), "2o")
    assert actions.opened == [("1", "9002")]
    assert answers.book == {}


def test_undo_takes_back_one_answer_after_the_other() -> None:
    """Scene, focus and book are as they were."""
    answers = FakeAnswers()
    review = start_review(make_waiting(1, (9001, 9002)), make_waiting(2), answers=answers)
    type_keys(review, "2a", "m", "u")
    assert (review.waiting.scene_id, answers.recorded(TWO).absent) == (TWO, "")
    type_keys(review, "u")
    assert (review.waiting.scene_id, review.focus, answers.book) == (ONE, 1, {})
    type_keys(review, "u")
    assert review.message == "There is nothing to take back."


def test_a_run_under_way_answers_nothing() -> None:
    """The message says why, and the person can try again."""
    answers = FakeAnswers(locked=StateLockedError("another run"))
    review = type_keys(start_review(make_waiting(1), make_waiting(2), answers=answers), "a")
    assert (review.waiting.scene_id, review.accepted) == (ONE, ())
    assert "run is under way" in review.message
    answers.locked = None
    assert type_keys(review, "a").accepted == (ONE,)


@pytest.mark.parametrize(
    ("keys", "ending"),
    [("aaw", Ending.WRITE), ("aap", Ending.PLAN), ("aak", Ending.KEEP), ("aaq", Ending.KEEP)],
)
def test_the_person_says_how_it_ends(keys: str, ending: Ending) -> None:
    """Nothing is written before."""
    assert type_keys(start_review(make_waiting(1), make_waiting(2)), keys).ending is ending


def test_quitting_asks_what_to_do_with_the_answers() -> None:
    """Twice q quits and keeps, from anywhere."""
    review = type_keys(start_review(make_waiting(1), make_waiting(2)), "aq")
    assert (review.mode, review.ending) == (Mode.END, None)
    assert type_keys(review, "q").ending is Ending.KEEP
    assert type_keys(start_review(make_waiting(1)), "q").ending is Ending.KEEP


def test_back_and_forth_show_answers_and_let_them_change() -> None:
    """An answer can be replaced by another one."""
    answers = FakeAnswers()
    review = type_keys(start_review(make_waiting(1), make_waiting(2), answers=answers), "a", "b")
    assert review.waiting.scene_id == ONE
    type_keys(review, "m")
    assert answers.recorded(ONE).absent
    assert not answers.recorded(ONE).pins
    assert review.accepted == ()


def test_an_empty_queue_is_at_its_end() -> None:
    """Nothing to ask, nothing to write."""
    review = start_review()
    assert review.mode is Mode.END
    assert type_keys(review, "wpq").ending is Ending.KEEP
