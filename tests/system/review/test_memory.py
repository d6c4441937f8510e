"""What people answered is obeyed by every later run, until the facts it was about change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from plexsync.matcher import NOTHING, Verb, collect_answers
from plexsync.models import Confidence, Outcome
from plexsync.plex.index import cached_items
from plexsync.review.candidates import candidate_of
from plexsync.review.machine import Review
from plexsync.review.queue import wanted_by
from plexsync.simulators.library.pairs import Case
from plexsync.sync.ports import RunOptions
from tests.support.review_factories import FakeActions, type_keys
from tests.support.review_world import (
    STRANGERS,
    TWINS,
    low_world,
    review_order,
    store_of,
    waiting_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plexsync.models import PlexItem
    from tests.support.world import World

FULL = RunOptions(full=True)


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[World]:
    """LOW scenes with several candidates, after a first run."""
    with low_world(tmp_path, TWINS) as world:
        world.run()
        yield world


@pytest.fixture
def strangers(tmp_path: Path) -> Iterator[World]:
    """LOW scenes that are not in Plex, after a first run."""
    with low_world(tmp_path, STRANGERS) as world:
        world.run()
        yield world


# ---- What waits ----------------------------------------------------------------------------------


def test_what_waits_is_kept_with_candidates_and_evidence(twins: World) -> None:
    """Review needs no matching: each LOW row of the run is there as it was shown."""
    ran = twins.run(FULL)
    low = {row.scene.id: row for row in ran.rows if row.outcome is Outcome.REVIEW}
    waiting = waiting_in(twins)
    assert {one.scene_id for one in waiting} == set(low)
    for one in waiting:
        assert one.candidates == low[one.scene_id].candidates
        assert one.match.reason == low[one.scene_id].reason
        assert all(candidate.evidence for candidate in one.candidates)
        assert all(candidate.library for candidate in one.candidates)


def test_a_dry_run_keeps_nothing(tmp_path: Path) -> None:
    """What waits is part of what a run remembers."""
    with low_world(tmp_path, TWINS) as world:
        world.run(RunOptions(dry_run=True))
        assert not list(world.cache_dir.glob("review-*"))


def test_known_low_matches_are_announced_once(twins: World) -> None:
    """A second run that finds the same counts them, and calls none of them new."""
    again = twins.run(FULL)
    assert again.summary.counts.review > 0
    assert again.summary.new_review == 0


# ---- Rivals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cache", ["kept", "lost"])
def test_a_scene_that_comes_alone_does_not_win_against_one_that_waits(
    tmp_path: Path, cache: str
) -> None:
    """Two scenes of the same bytes, one item: editing one of them settles nothing."""
    with low_world(tmp_path, {Case.DUPLICATE: 1}, scenes=4) as world:
        world.plex.remove_item(world.key_of("2"))
        first = world.run()
        assert first.row("2").outcome is Outcome.REVIEW
        if cache == "lost":
            for path in world.cache_dir.iterdir():
                path.unlink()
        world.stash.edit_scene(2, title="Edited Title")
        ran = world.run()
        assert ran.outcomes() == {"2": "review"}
        assert ran.row("2").reason == first.row("2").reason
        assert ran.puts == 0


@pytest.mark.parametrize("verb", ["accept", "reject", "absent", "ignore"])
def test_an_answer_settles_the_scene_that_wanted_the_same_item(tmp_path: Path, verb: str) -> None:
    """Two scenes of the same bytes: what the next run makes of the other one needs no full run."""
    with low_world(tmp_path, {Case.DUPLICATE: 1}, scenes=4) as world:
        world.plex.remove_item(world.key_of("2"))
        world.run()
        one, other, *_ = waiting_in(world)
        chosen = {"accept": one.candidates[:1], "reject": one.candidates}.get(verb, ())
        with store_of(world) as answers:
            answers.give([answers.answer_about(one, Verb(verb), chosen)])
        assert other.scene_id in {left.scene_id for left in waiting_in(world)}
        row = world.run().row(other.scene_id)
        expected = Outcome.UNMATCHED if verb == "accept" else Outcome.APPLIED
        assert row.outcome is expected


def test_an_answer_taken_back_leaves_its_rivals_as_they_were(twins: World) -> None:
    """They wait for the same day as before."""
    one = waiting_in(twins)[0]
    before = twins.state()
    with store_of(twins) as answers:
        take_back = answers.give([answers.answer_about(one, Verb.ACCEPT, one.candidates[:1])])
        changed = [i for i in before.scene_ids() if answers.state.get(i) != before.get(i)]
        assert len(changed) > 1
        take_back()
    after = twins.state()
    assert {i: after.get(i) for i in after.scene_ids()} == {
        i: before.get(i) for i in before.scene_ids()
    }


# ---- Accepted ------------------------------------------------------------------------------------


def test_an_accepted_pair_is_high_and_written_by_the_next_run(twins: World) -> None:
    """Only that scene and its rivals are looked at; its title reaches the item a person chose."""
    one = waiting_in(twins)[0]
    rivals = wanted_by(waiting_in(twins))
    chosen = one.candidates[-1]
    with store_of(twins) as answers:
        answers.give([answers.answer_about(one, Verb.ACCEPT, [chosen])])
    ran = twins.run()
    assert ran.outcomes()[one.scene_id] == "applied"
    assert set(ran.outcomes()) == {i for c in one.candidates for i in rivals[c.rating_key]}
    row = ran.row(one.scene_id)
    assert row.confidence is Confidence.HIGH
    assert row.reason == "confirmed by a person"
    assert twins.shown(chosen.rating_key, "title") == one.scene.title.strip()


def test_an_accepted_pair_stays_high_in_full_runs(twins: World) -> None:
    """The answer outlives the run that used it."""
    one = waiting_in(twins)[0]
    with store_of(twins) as answers:
        answers.give([answers.answer_about(one, Verb.ACCEPT, one.candidates[:1])])
    twins.run()
    row = twins.run(FULL).row(one.scene_id)
    assert (row.confidence, row.outcome) == (Confidence.HIGH, Outcome.UNCHANGED)


def test_an_accepted_pair_comes_back_once_its_item_shows_another_file(twins: World) -> None:
    """Then it is LOW again, and says why."""
    one = waiting_in(twins)[0]
    with store_of(twins) as answers:
        answers.give([answers.answer_about(one, Verb.ACCEPT, one.candidates[:1])])
    twins.run()
    twins.exchange_file(one.candidates[0].rating_key, "/media/elsewhere/other.mp4")
    row = twins.run(FULL).row(one.scene_id)
    assert (row.confidence, row.outcome) == (Confidence.LOW, Outcome.REVIEW)
    assert "a person confirmed an item for this scene, but" in row.reason


def test_what_came_back_is_asked_about_once(twins: World) -> None:
    """Accepted again, it is HIGH in every run after that."""
    one = waiting_in(twins)[0]
    key = one.candidates[0].rating_key
    with store_of(twins, number=1) as answers:
        answers.give([answers.answer_about(one, Verb.ACCEPT, one.candidates[:1])])
    twins.run()
    twins.exchange_file(key, one.candidates[0].item_path.replace(".mp4", " 2.mp4"))
    twins.run(FULL)
    (back,) = [waits for waits in waiting_in(twins) if waits.scene_id == one.scene_id]
    item = next(item for item in _items(twins) if item.rating_key == key)
    again = candidate_of(item, back.scene, found="named by a person")
    with store_of(twins, number=2) as answers:
        answers.give([answers.answer_about(back, Verb.ACCEPT, [again])])
    for options in (RunOptions(), FULL, FULL):
        row = twins.run(options).row(one.scene_id)
        assert row.confidence is Confidence.HIGH
        assert row.outcome in {Outcome.APPLIED, Outcome.UNCHANGED}


def test_accepting_takes_the_item_from_the_scene_that_had_it(twins: World) -> None:
    """No item is written by two scenes in turns; the loser waits again."""
    first, second = (
        one
        for one in waiting_in(twins)
        if one.candidates[0].rating_key in {c.rating_key for c in waiting_in(twins)[0].candidates}
    )
    key = first.candidates[0].rating_key
    with store_of(twins, number=1) as answers:
        answers.give([answers.answer_about(first, Verb.ACCEPT, first.candidates[:1])])
    twins.run()
    wanted = [one for one in second.candidates if one.rating_key == key]
    with store_of(twins, number=2) as answers:
        assert answers.owner(first.candidates[0].rating_key, second.scene_id) == first.scene_id
        answers.give([answers.answer_about(second, Verb.ACCEPT, wanted)])
    ran = twins.run()
    assert ran.row(second.scene_id).outcome is Outcome.APPLIED
    assert twins.state().claims()[key] == second.scene_id
    assert ran.outcomes()[first.scene_id] != "applied" or (
        ran.row(first.scene_id).item is not None and ran.row(first.scene_id).item.rating_key != key  # type: ignore[union-attr] # above
    )


# ---- Rejected ------------------------------------------------------------------------------------


def test_a_rejected_pair_never_comes_back(strangers: World) -> None:
    """Not in the next run, not in a full one."""
    one = waiting_in(strangers)[0]
    with store_of(strangers) as answers:
        answers.give([answers.answer_about(one, Verb.REJECT, one.candidates)])
    for options in (RunOptions(), FULL):
        rows = [row for row in strangers.run(options).rows if row.scene.id == one.scene_id]
        keys = {candidate.rating_key for row in rows for candidate in row.candidates}
        assert one.candidates[0].rating_key not in keys
        assert [row.outcome for row in rows] in ([Outcome.UNMATCHED], [Outcome.REVIEW])


def test_a_rejected_pair_comes_back_when_the_item_is_another_one(strangers: World) -> None:
    """Plex found the refused file again, under a new rating key: asked once more, saying so."""
    one = waiting_in(strangers)[0]
    with store_of(strangers) as answers:
        answers.give([answers.answer_about(one, Verb.REJECT, one.candidates)])
    strangers.run()
    key = one.candidates[0].rating_key
    video = next(v for v in strangers.library.plex.videos if str(v.rating_key) == key)
    strangers.plex.remove_item(key)
    strangers.plex.add_item(replace(video, rating_key=880_001))
    row = strangers.run(FULL).row(one.scene_id)
    assert row.outcome is Outcome.REVIEW
    assert row.reason == "a person refused this pair, but a file or the item changed since"


def test_a_linked_item_can_be_rejected_and_is_let_go(twins: World) -> None:
    """A link that was wrong ends; the item is free again."""
    one = waiting_in(twins)[0]
    key = one.candidates[0].rating_key
    with store_of(twins, number=1) as answers:
        answers.give([answers.answer_about(one, Verb.ACCEPT, one.candidates[:1])])
    twins.run()
    with store_of(twins, number=2) as answers:
        answers.give([answers.answer_about(one, Verb.REJECT, one.candidates[:1])])
    twins.run()
    assert twins.state().claims().get(key) != one.scene_id


def test_a_scene_answered_as_absent_is_not_asked_about_again(strangers: World) -> None:
    """It counts as unmatched, whatever else resembles it."""
    one = waiting_in(strangers)[0]
    with store_of(strangers) as answers:
        answers.give([answers.answer_about(one, Verb.ABSENT)])
    assert strangers.run(FULL).row(one.scene_id).outcome is Outcome.UNMATCHED


# ---- Ignored -------------------------------------------------------------------------------------


def test_an_ignored_scene_takes_no_part(twins: World) -> None:
    """Not even in a full run; its row says who wanted that, and why."""
    one = waiting_in(twins)[0]
    with store_of(twins) as answers:
        answers.give([answers.answer_about(one, Verb.IGNORE, reason="a trailer")])
    assert one.scene_id not in twins.run().outcomes()
    row = twins.run(FULL).row(one.scene_id)
    assert (row.outcome, row.reason) == (Outcome.IGNORED, "ignored by a person: a trailer")
    assert one.scene_id not in {waits.scene_id for waits in waiting_in(twins)}


def test_an_ignored_scene_comes_back_when_its_file_changes(twins: World) -> None:
    """Even where the new file would be HIGH, a person decides, and sees why."""
    one = waiting_in(twins)[0]
    with store_of(twins) as answers:
        answers.give([answers.answer_about(one, Verb.IGNORE)])
    twins.run()
    twins.stash.move_file(_first_file(twins, one.scene_id), "moved.mp4")
    row = twins.run(FULL).row(one.scene_id)
    assert row.outcome in {Outcome.REVIEW, Outcome.UNMATCHED}
    if row.outcome is Outcome.REVIEW:
        assert row.reason == "a person ignored this scene, but its files changed since"


# ---- Taken back ----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["accept", "reject", "absent", "ignore"])
def test_taking_an_answer_back_leaves_the_state_as_it_was(twins: World, verb: str) -> None:
    """Decisions and records are what they were before."""
    one = waiting_in(twins)[0]
    chosen = one.candidates[:1] if verb in {"accept", "reject"} else ()
    before = twins.state()
    with store_of(twins) as answers:
        answer = answers.answer_about(one, Verb(verb), chosen, reason="why not")
        take_back = answers.give([answer])
        assert answers.state.get(one.scene_id) != before.get(one.scene_id)
        take_back()
    after = twins.state()
    assert set(after.decision_keys()) == set(before.decision_keys())
    assert after.get(one.scene_id) == before.get(one.scene_id)


def test_an_answer_taken_back_after_a_run_used_it_is_looked_at_again(twins: World) -> None:
    """The lock was let go meanwhile; what the run wrote down is not overwritten with old news."""
    one = waiting_in(twins)[0]
    with store_of(twins) as answers:
        take_back = answers.give([answers.answer_about(one, Verb.ACCEPT, one.candidates[:1])])
        answers.release_lock()
        assert twins.run().outcomes()[one.scene_id] == "applied"
        take_back()
    assert twins.run().row(one.scene_id).outcome is Outcome.REVIEW


def test_taking_back_leaves_a_rival_what_was_answered_elsewhere(twins: World) -> None:
    """Another review ignored it while this one rested."""
    first, second = waiting_in(twins)[:2]
    with store_of(twins, number=1) as mine:
        take_back = mine.give([mine.answer_about(first, Verb.ACCEPT, first.candidates[:1])])
        mine.release_lock()
        with store_of(twins, number=2) as other:
            other.give([other.answer_about(second, Verb.IGNORE, reason="trailer")])
        assert not take_back()
        assert mine.recorded(first.scene_id) == NOTHING
        assert mine.recorded(second.scene_id).ignored is not None
    assert twins.run(FULL).row(second.scene_id).outcome is Outcome.IGNORED


def test_what_was_accepted_for_a_scene_goes_with_it(tmp_path: Path) -> None:
    """Its item is free in the very run that finds the scene deleted, and in a dry one before."""
    with low_world(tmp_path, {Case.DUPLICATE: 1.0}, scenes=2) as world:
        world.plex.remove_item(str(world.library.plex.videos[1].rating_key))
        assert set(world.run().outcomes().values()) == {"review"}
        with store_of(world) as answers:
            (waiting,) = (one for one in waiting_in(world) if one.scene_id == "2")
            answers.give([answers.answer_about(waiting, Verb.ACCEPT, waiting.candidates[:1])])
        assert world.run(FULL).outcomes() == {"1": "unmatched", "2": "applied"}
        world.stash.delete_scene(2)

        shown = world.run(RunOptions(full=True, dry_run=True)).row("1")
        written = world.run(FULL).row("1")

        assert (shown.confidence, written.confidence) == (Confidence.HIGH, Confidence.HIGH)
        assert written.item
        assert written.item.rating_key == waiting.candidates[0].rating_key
        assert not world.state().decision_keys() & {"review.2"}


def test_what_was_accepted_for_a_scene_stands_while_it_takes_no_part(tmp_path: Path) -> None:
    """Also in the run that finds it with a file more: no other scene gets its item meanwhile."""
    with low_world(tmp_path, {Case.DUPLICATE: 1.0}, scenes=2) as world:
        world.plex.remove_item(str(world.library.plex.videos[1].rating_key))
        world.run()
        with store_of(world) as answers:
            (waiting,) = (one for one in waiting_in(world) if one.scene_id == "2")
            answers.give([answers.answer_about(waiting, Verb.ACCEPT, waiting.candidates[:1])])
        world.run(FULL)
        world.settings["STASH__EXCLUDE_TAGS"] = "private"
        world.stash.edit_scene(2, tag_ids=(world.stash.add_tag("Private"),))
        file = world.stash.add_file("/data/other.mp4", size=5_000_000, duration=7.0, oshash=7)
        world.stash.add_to_scene(2, file)

        assert world.run(FULL).row("1").confidence is not Confidence.HIGH


def test_taking_back_leaves_a_later_answer_from_elsewhere(twins: World) -> None:
    """It says so, and the item is not given to two scenes."""
    queue = waiting_in(twins)
    first, second = queue[:2]
    key = first.candidates[0].rating_key
    with store_of(twins, number=1) as mine, store_of(twins, number=2) as other:
        mine.give([mine.answer_about(second, Verb.ACCEPT, first.candidates[:1])])
        review = Review(queue, mine, FakeActions())
        assert review.open_scene(first.scene_id)
        type_keys(review, "1ay")
        mine.release_lock()
        other.give([other.answer_about(queue[2], Verb.ACCEPT, first.candidates[:1])])
        other.release_lock()
        type_keys(review, "u")
        assert "Answered elsewhere since" in review.message
        state = twins.state()
    owners = [pin.scene_id for pin in collect_answers(state).pins if pin.rating_key == key]
    assert owners == [queue[2].scene_id]


def test_an_item_linked_meanwhile_is_not_taken_without_asking(twins: World) -> None:
    """The review stood open for hours, and a run linked what it still shows as free."""
    queue = waiting_in(twins)
    first, second = queue[:2]
    key = first.candidates[0].rating_key
    with store_of(twins, number=1) as mine:
        review = Review(queue, mine, FakeActions())
        with store_of(twins, number=2) as other:
            other.give([other.answer_about(first, Verb.ACCEPT, first.candidates[:1])])
        twins.run()
        place = [one.rating_key for one in second.candidates].index(key)
        assert review.open_scene(second.scene_id)
        type_keys(review, str(place + 1), "a")
        assert review.question is not None
        assert f"scene {first.scene_id}" in review.question.headline
        type_keys(review, "x")
    assert twins.state().claims()[key] == first.scene_id


@pytest.mark.parametrize("keys", ["1a", "n", "r", ("i", "enter"), "ga", "gn"])
def test_an_answer_from_elsewhere_is_not_overwritten_unseen(
    twins: World, keys: str | tuple[str, ...]
) -> None:
    """A person looks again first; then the same key answers."""
    queue = review_order(twins)
    with store_of(twins, number=1) as mine, store_of(twins, number=2) as other:
        review = Review(queue, mine, FakeActions())
        first = review.waiting.scene_id
        type_keys(review, *keys[:-1])
        mine.release_lock()
        other.give([other.answer_about(review.waiting, Verb.IGNORE, reason="trailer")])
        other.release_lock()
        type_keys(review, keys[-1])
        assert "answered elsewhere" in review.message
        assert (review.waiting.scene_id, len(review.given)) == (first, 0)
        type_keys(review, *keys)
        assert len(review.given) == 1


@pytest.mark.parametrize("key", list("anr"))
def test_a_group_leaves_out_what_was_answered_elsewhere(twins: World, key: str) -> None:
    """Also where this review took the lock again since, for another answer."""
    queue = review_order(twins)
    with store_of(twins, number=1) as mine, store_of(twins, number=2) as other:
        review = Review(queue, mine, FakeActions())
        other.give([other.answer_about(queue[-1], Verb.IGNORE, reason="trailer")])
        other.release_lock()
        type_keys(review, "n", "g")
        assert review.group is not None
        assert len(review.alike(review.waiting)) == len(review.group.scenes) == len(queue) - 2
        type_keys(review, key)
        assert mine.recorded(queue[-1].scene_id).ignored is not None


def test_what_was_answered_elsewhere_waits_no_more(twins: World) -> None:
    """It is counted once it is known, which is with the first answer given here."""
    queue = review_order(twins)
    with store_of(twins, number=1) as mine, store_of(twins, number=2) as other:
        review = Review(queue, mine, FakeActions())
        other.give([other.answer_about(queue[-1], Verb.IGNORE, reason="trailer")])
        other.release_lock()
        type_keys(review, "n")
        assert review.left == len(queue) - 2


def test_a_question_answered_with_no_leaves_no_trace(twins: World) -> None:
    """No journal, no review in the history."""
    before = sorted((twins.state_dir / "journal").glob("*"))
    one = waiting_in(twins)[0]
    with store_of(twins) as answers:
        answers.take_lock()
        assert answers.owner(one.candidates[0].rating_key, one.scene_id) is None
    assert sorted((twins.state_dir / "journal").glob("*")) == before


def test_an_answer_store_that_rested_takes_the_lock_again(twins: World) -> None:
    """Answers before and after a run are both kept."""
    first, second = waiting_in(twins)[:2]
    with store_of(twins) as answers:
        answers.give([answers.answer_about(first, Verb.IGNORE)])
        answers.release_lock()
        twins.run()
        answers.give([answers.answer_about(second, Verb.IGNORE)])
    keys = set(twins.state().decision_keys())
    assert {f"review.{first.scene_id}", f"review.{second.scene_id}"} <= keys


def test_reset_forgets_and_looks_again(twins: World) -> None:
    """After a reset the scene waits as if nobody had answered."""
    one = waiting_in(twins)[0]
    with store_of(twins) as answers:
        answers.give([answers.answer_about(one, Verb.IGNORE)])
        answers.give([answers.answer_about(one, Verb.RESET)])
    row = twins.run().row(one.scene_id)
    assert row.outcome is Outcome.REVIEW
    assert [c.rating_key for c in row.candidates] == [c.rating_key for c in one.candidates]


def _items(world: World) -> tuple[PlexItem, ...]:
    """Everything in Plex, as the last run listed it."""
    return cached_items(world.cache_dir, world.state().lineage.plex)


def _first_file(world: World, scene_id: str) -> int:
    return world.stash.scene(scene_id).file_ids[0]
