"""The review as a state machine: which key does what, without a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from plexsync.errors import StateLockedError
from plexsync.matching.answers import Verb
from plexsync.models import PathRule, RatingKey, SceneId
from plexsync.review.keys import press
from plexsync.review.modes import Ending, Mode
from tests.support.factories import make_candidate
from tests.support.review_factories import (
    FakeActions,
    FakeAnswers,
    make_waiting,
    start_review,
    type_keys,
)

if TYPE_CHECKING:
    from plexsync.review.machine import Review
    from plexsync.storage.review_queue import Waiting

ONE, TWO = SceneId("1"), SceneId("2")


def shown_ids(review: Review) -> list[SceneId]:
    """The scenes in the order in which they come."""
    return [review.queue[place].scene_id for place in range(len(review.queue))]


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
    press(review, "paste:http://plex/web/a/9120\n")
    assert answers.book == {}
    assert "pasted" in review.message
    type_keys(review, "k")
    press(review, "paste:http://plex/web/a/9120\n")
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
    type_keys(review, "r")
    assert (review.waiting.scene_id, review.focus) == (ONE, 1)
    type_keys(review, "r")
    assert review.waiting.scene_id == TWO
    assert {one.rating_key for one in answers.recorded(ONE).refusals} == {"9001", "9002"}


def test_a_scene_with_more_candidates_than_are_shown_still_waits() -> None:
    """The next run brings the others, so it is not settled by refusing those that are shown."""
    crowded = make_waiting(1)
    crowded = replace(crowded, match=replace(crowded.match, candidate_count=2))
    review = type_keys(start_review(crowded), "r")
    assert (review.waiting.scene_id, review.mode) == (ONE, Mode.SCENE)
    assert (review.left, review.given.counts()) == (1, {})


def test_not_in_plex_refuses_all_of_them() -> None:
    """None of the candidates comes back, nor another that is not HIGH."""
    answers = FakeAnswers()
    type_keys(start_review(make_waiting(1, (9001, 9002)), answers=answers), "n")
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


def test_a_scene_that_was_put_off_and_answered_is_open_once_that_is_taken_back() -> None:
    """The answer took the place of the putting off."""
    review = type_keys(start_review(make_waiting(1), make_waiting(2)), "l", "left", "au", "right")
    assert type_keys(review, "a").waiting.scene_id == ONE


def test_an_item_of_another_scene_is_taken_only_on_a_yes() -> None:
    """The warning comes first; any key but y is a no."""
    answers = FakeAnswers(held={RatingKey("9001"): SceneId("77")})
    review = type_keys(start_review(make_waiting(1), answers=answers), "a")
    assert review.question is not None
    assert "scene 77" in review.question.headline
    type_keys(review, "a")
    assert answers.book == {}
    type_keys(review, "ay")
    assert answers.recorded(ONE).pins


def group_scenes() -> list[Waiting]:
    """Two alike with free items, one with several candidates, one taken, one of other evidence."""
    scenes = [make_waiting(1), make_waiting(2), make_waiting(3, (9003, 9033)), make_waiting(4)]
    other = make_waiting(5)
    scored = replace(other.candidates[0], evidence=other.candidates[0].evidence[:1], score=0.01)
    low = replace(other.match, candidates=(scored,), score=0.01)
    return [*scenes, replace(other, match=low)]


def test_a_group_is_shown_before_one_key_answers_it() -> None:
    """Same evidence and as many candidates; what belongs to another scene is not accepted."""
    answers = FakeAnswers(held={RatingKey("9004"): SceneId("77")})
    review = type_keys(start_review(*group_scenes(), answers=answers), "g")
    assert review.mode is Mode.GROUP
    assert review.group is not None
    assert [one.scene_id for one in review.group.scenes] == ["1", "2", "4"]
    assert [review.group.count(key) for key in "arnbl"] == [2, 3, 3, 0, 3]
    assert answers.book == {}
    type_keys(review, "a")
    assert {scene_id for scene_id, answer in answers.book.items() if answer.pins} == {ONE, TWO}
    type_keys(review, "u")
    assert answers.book == {}
    assert review.given.answered == set()


@pytest.mark.parametrize(
    ("key", "verb"), [("r", Verb.REJECT), ("n", Verb.ABSENT), ("a", Verb.ACCEPT)]
)
def test_a_group_can_be_answered_in_every_way(key: str, verb: Verb) -> None:
    """One key settles all of it, and one key takes it back."""
    answers = FakeAnswers()
    review = type_keys(start_review(*group_scenes(), answers=answers), "g", key)
    assert review.given.counts() == {verb: 3}
    assert len(answers.book) == 3
    assert review.waiting.scene_id == "3"
    assert type_keys(review, "u").given.counts() == {}


def test_a_group_put_off_stays_open() -> None:
    """Nothing is answered; the next pattern is shown."""
    review = type_keys(start_review(*group_scenes()), "g", "l")
    assert review.given.answered == set()
    assert review.waiting.scene_id == "3"
    assert "3 are left for later" in review.message


def test_odd_scenes_are_left_out_of_a_group() -> None:
    """The rest is answered; the odd one is asked about by itself."""
    answers = FakeAnswers()
    review = type_keys(start_review(*group_scenes(), answers=answers), "g", "down", "x", "a")
    assert set(answers.book) == {ONE, SceneId("4")}
    assert review.waiting.scene_id == TWO


def test_no_item_is_given_to_two_scenes_of_a_group() -> None:
    """Of two that want the same one, the first gets it; the other stays open."""
    answers = FakeAnswers()
    one, two = make_waiting(1, (9001,)), make_waiting(2, (9001,))
    review = type_keys(start_review(one, two, answers=answers), "g", "a")
    assert set(answers.book) == {ONE}
    assert review.waiting.scene_id == TWO


def twins(*numbers: int) -> list[Waiting]:
    """Scenes that all have the same candidates, each as good as the other."""
    found = []
    for number in numbers:
        one = make_waiting(number, (9001, 9002))
        tied = tuple(replace(candidate, score=0.5) for candidate in one.candidates)
        found.append(replace(one, match=replace(one.match, candidates=tied, score=0.5)))
    return found


def test_twins_of_a_group_get_an_item_each() -> None:
    """Where two candidates are as good, the second scene gets the second one."""
    answers = FakeAnswers()
    type_keys(start_review(*twins(1, 2), answers=answers), "g", "a")
    pins = {key: [pin.rating_key for pin in answer.pins] for key, answer in answers.book.items()}
    assert pins == {ONE: ["9001"], TWO: ["9002"]}


def test_a_group_refuses_the_items_it_shows() -> None:
    """Each scene the item that stands beside it, not the first one of all."""
    answers = FakeAnswers()
    review = type_keys(start_review(*twins(1, 2), answers=answers), "g")
    assert review.group is not None
    beside = {key: one.rating_key for key, one in review.group.pairs().items()}
    type_keys(review, "r")
    refused = {
        key: [one.rating_key for one in found.refusals] for key, found in answers.book.items()
    }
    assert refused == {key: [one] for key, one in beside.items()} == {ONE: ["9001"], TWO: ["9002"]}


def test_a_scene_left_out_leaves_the_others_their_items() -> None:
    """What stood beside a scene is what it gets."""
    answers = FakeAnswers()
    type_keys(start_review(*twins(1, 2), answers=answers), "g", "x", "a")
    assert [pin.rating_key for pin in answers.recorded(TWO).pins] == ["9002"]
    assert set(answers.book) == {TWO}


def test_items_of_several_scenes_are_taken_only_by_the_name_of_each() -> None:
    """One yes is for all that the question names."""
    held = {RatingKey("9001"): SceneId("77"), RatingKey("9002"): SceneId("78")}
    answers = FakeAnswers(held=held)
    review = type_keys(start_review(*twins(1), answers=answers), "b")
    assert review.question is not None
    assert "scene 77 and scene 78" in review.question.headline
    assert answers.book == {}
    type_keys(review, "y")
    assert len(answers.recorded(ONE).pins) == 2


def test_a_yes_is_for_the_scene_it_was_asked_about() -> None:
    """The item went to another scene while the question stood: that is another question."""
    answers = FakeAnswers(held={RatingKey("9001"): SceneId("77")})
    review = type_keys(start_review(make_waiting(1), answers=answers), "a")
    answers.held[RatingKey("9001")] = SceneId("78")
    type_keys(review, "y")
    assert answers.book == {}
    assert review.question is not None
    assert "scene 78" in review.question.headline


def test_an_item_that_shows_no_file_is_not_accepted() -> None:
    """The answer is about a file, and would be doubted forever."""
    answers = FakeAnswers()
    one = make_waiting(1)
    lost = replace(one.candidates[0], item_path="")
    lacking = replace(one, match=replace(one.match, candidates=(lost,)))
    review = type_keys(start_review(lacking, answers=answers), "a")
    assert answers.book == {}
    assert "shows no file" in review.message


def test_both_items_of_one_file_are_accepted_by_one_key() -> None:
    """The same file in two libraries is two items, and the scene is both."""
    answers = FakeAnswers()
    review = type_keys(start_review(*twins(1), answers=answers), "b")
    assert [pin.rating_key for pin in answers.recorded(ONE).pins] == ["9001", "9002"]
    assert review.given.counts() == {Verb.ACCEPT: 1}
    assert type_keys(review, "u").given.counts() == {}


def test_both_means_nothing_where_there_is_one() -> None:
    """A candidate with other evidence is another file."""
    answers = FakeAnswers()
    review = type_keys(start_review(make_waiting(1), answers=answers), "b")
    assert answers.book == {}
    assert "No other candidate" in review.message


def test_patterns_come_surest_first() -> None:
    """Scenes of one pattern follow each other, whatever their ids."""
    sure, unsure = make_waiting(9), group_scenes()[-1]
    review = start_review(unsure, make_waiting(3, (9003, 9033)), sure, make_waiting(1))
    assert shown_ids(review) == ["1", "9", "3", "5"]


def test_sorting_goes_through_every_order() -> None:
    """Each press of s is another one, and says which."""
    review = start_review(make_waiting(2), make_waiting(10), make_waiting(1))
    orders = {}
    for _ in range(5):
        type_keys(review, "s")
        orders[review.queue.sort.value] = shown_ids(review)
        assert review.queue.sort.value in review.message
    assert len(orders) == 5
    assert orders["title"] == ["1", "10", "2"]
    assert orders["scene id"] == ["1", "2", "10"]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("number 2", ["2"]),
        ("clip-3.mp4", ["3"]),
        ("DURATION differs", ["1", "2", "3"]),
        ("films number 1", ["1"]),
        ("", ["1", "2", "3"]),
    ],
)
def test_a_filter_shows_what_holds_all_words(words: str, left: list[str]) -> None:
    """In title, path, reason or library, case aside; Enter alone shows everything again."""
    review = start_review(make_waiting(1), make_waiting(2), make_waiting(3))
    type_keys(review, "/", words, "enter")
    assert shown_ids(review) == left


def test_a_group_stays_inside_the_filter() -> None:
    """What is hidden is not answered along."""
    answers = FakeAnswers()
    review = start_review(make_waiting(1), make_waiting(2), make_waiting(12), answers=answers)
    type_keys(review, "/", "number 1", "enter", "g", "a")
    assert set(answers.book) == {ONE, SceneId("12")}
    assert review.left == 1


def test_a_filter_that_finds_nothing_changes_nothing() -> None:
    """The screen says so and stays."""
    review = type_keys(start_review(make_waiting(1)), "/", "zebra", "enter")
    assert shown_ids(review) == ["1"]
    assert "Nothing that waits holds" in review.message


def test_the_end_page_says_what_its_keys_are() -> None:
    """It does not send anybody to a help page it does not have."""
    review = type_keys(start_review(make_waiting(1)), "n", "?")
    assert review.mode is Mode.END
    assert review.message == "? means nothing here; the keys of this page stand below."


def test_a_path_rule_shows_what_it_fits_and_can_be_taken_back() -> None:
    """The scenes it fits are left to the next run."""
    actions = FakeActions()
    review = type_keys(start_review(make_waiting(1), make_waiting(2), actions=actions), "p")
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
    review = type_keys(start_review(make_waiting(1), make_waiting(2), actions=actions), "p")
    assert review.question is not None
    assert "should settle 1 of what waits" in review.question.headline
    assert [one.scene_id for one in review.question.scenes] == ["1"]
    assert review.question.note == "It fits 1 more, for which it is not enough."
    type_keys(review, "y")
    assert (review.waiting.scene_id, review.given.answered) == (TWO, {ONE})

    actions = FakeActions(unsettled=frozenset({ONE, TWO}))
    review = type_keys(start_review(make_waiting(1), make_waiting(2), actions=actions), "p")
    assert review.question is not None
    assert "settles nothing" in review.question.headline


def test_a_found_item_becomes_a_candidate_and_is_not_accepted_yet() -> None:
    """Its evidence and changes can be looked at first."""
    answers = FakeAnswers()
    actions = FakeActions(hits=(make_candidate(rating_key=RatingKey("4711")),))
    review = type_keys(
        start_review(make_waiting(1), answers=answers, actions=actions), "f", "beach", "enter"
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
    actions = FakeActions(hits=(make_candidate(rating_key=RatingKey("4711")),))
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


def test_refusing_what_was_accepted_has_the_scene_wait_again() -> None:
    """It counts as answered no more, and is not written; taking that back accepts it again."""
    answers = FakeAnswers()
    review = start_review(make_waiting(1, (9001, 9002)), make_waiting(2), answers=answers)
    type_keys(review, "a", "left", "r")
    assert not answers.recorded(ONE).pins
    assert (review.waiting.scene_id, review.focus) == (ONE, 1)
    assert (review.given.answered, review.left, review.accepted) == (set(), 2, ())
    type_keys(review, "u")
    assert (review.given.answered, review.left, review.accepted) == ({ONE}, 1, (ONE,))


def test_refusing_another_item_leaves_what_was_accepted() -> None:
    """A scene that is an item does not wait, however many others it is not."""
    answers = FakeAnswers()
    review = start_review(make_waiting(1, (9001, 9002)), make_waiting(2), answers=answers)
    type_keys(review, "a", "left", "down", "r")
    assert [pin.rating_key for pin in answers.recorded(ONE).pins] == ["9001"]
    assert (review.given.answered, review.left, review.accepted) == ({ONE}, 1, (ONE,))


def test_undoing_a_second_answer_leaves_the_first_one() -> None:
    """What stands again was answered: the scene waits no more, whatever is shown."""
    answers = FakeAnswers()
    review = start_review(make_waiting(1, (9001, 9002)), make_waiting(2), answers=answers)
    type_keys(review, "a", "left", "2a", "u")
    assert [pin.rating_key for pin in answers.recorded(ONE).pins] == ["9001"]
    assert (review.given.answered, review.left) == ({ONE}, 1)
    assert review.accepted == (ONE,)


def test_undo_takes_back_one_answer_after_the_other() -> None:
    """Scene, focus and book are as they were."""
    answers = FakeAnswers()
    review = start_review(make_waiting(1, (9001, 9002)), make_waiting(2), answers=answers)
    type_keys(review, "2a", "n", "u")
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
    review = type_keys(start_review(make_waiting(1), make_waiting(2), answers=answers), "a", "left")
    assert review.waiting.scene_id == ONE
    type_keys(review, "n")
    assert answers.recorded(ONE).absent
    assert not answers.recorded(ONE).pins
    assert review.accepted == ()


def test_an_empty_queue_is_at_its_end() -> None:
    """Nothing to ask, nothing to write."""
    review = start_review()
    assert review.mode is Mode.END
    assert type_keys(review, "wpq").ending is Ending.KEEP
