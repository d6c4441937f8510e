"""What may be interrupted: commands, policies, pictures, edits alike, a person's edits between."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from plexsync.matcher import Verb
from plexsync.review.answer_store import AnswerStore
from plexsync.simulators.http.wire import Cut, ErrorStatus, Fault, Reset
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.storage.review_queue import load_waiting, review_queue_path
from plexsync.sync.ports import RunOptions
from tests.support.agent_library import agent_library
from tests.support.crash_points import Scenario
from tests.support.one_process import OneProcess
from tests.support.picture_world import OTHER, PNG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

POLICIES: Mapping[str, Mapping[str, str]] = {
    "merge": {},
    "overwrite": {"FIELDS__TAGS": "overwrite", "FIELDS__PERFORMERS": "overwrite"},
    "fill": {"FIELDS__TITLE": "fill", "FIELDS__TAGS": "fill", "FIELDS__SUMMARY": "fill"},
    "keep": {"FIELDS__TITLE": "keep", "FIELDS__TAGS": "keep", "FIELDS__SUMMARY": "keep"},
}
SCENES = 3
ALIKE = 8


def agent_stage(settings: Mapping[str, str]) -> OneProcess:
    """Items an agent matched, in which a person named a genre."""
    library = agent_library("com.plexapp.agents.stashplexagent://{}?lang=en".format, scenes=SCENES)
    chosen = {"PLEX__LIBRARIES": "", "FIELDS__POSTER": "off"} | dict(settings)
    stage = OneProcess(library, Path(tempfile.mkdtemp(prefix="plexsync-")), chosen)
    for key in stage.plex.rating_keys():
        stage.plex.edit_by_hand(key, {"genre": ("By Hand",)}, lock=False)
    return stage


def stage_of(
    settings: Mapping[str, str], *, posters: bool, scenes: int = SCENES, case: Case = Case.SAME
) -> OneProcess:
    """Plain scenes; with `posters` each has a cover, and one item a poster of a person's."""
    spec = LibrarySpec(seed=3, scenes=scenes, mix={case: 1.0}, extra_items=0.0, edited=0.0)
    chosen = {"PATHS": "/data/=/media/", "PLEX__LIBRARIES": ""} | dict(settings)
    chosen["FIELDS__POSTER"] = "overwrite" if posters else "off"
    stage = OneProcess(make_library(spec), Path(tempfile.mkdtemp(prefix="plexsync-")), chosen)
    for number in range(1, scenes + 1) if posters else ():
        stage.stash.set_cover(number, PNG + str(number).encode())
    keys = sorted(stage.plex.rating_keys())
    for key in keys:
        stage.plex.edit_by_hand(key, {"genre": ("By Hand",)}, lock=False)
    if posters:
        stage.plex.choose_picture(keys[0], "poster", OTHER)
        stage.plex.set_locks(keys[0], locked=())
    return stage


# ---- steps ---------------------------------------------------------------------------------------


def run(stage: OneProcess) -> object:
    """A run."""
    return stage.run()


def edit_both(stage: OneProcess) -> None:
    """Somebody edits scenes in Stash, and another person items in Plex."""
    stage.pass_time(hours=1)
    stage.stash.edit_scene(1, title="New Title", tag_ids=())
    stage.stash.edit_scene(2, title="Other Title", details="")
    stage.plex.edit_by_hand(stage.key_of(2), {"title": "By Hand"})
    stage.plex.edit_by_hand(stage.key_of(3), {"summary": "By hand, too"}, lock=False)
    stage.pass_time(hours=1 / 60)


def tag_all(stage: OneProcess) -> None:
    """Every scene gets one more tag, so that the edits of all items are alike."""
    stage.pass_time(hours=1)
    tag = stage.stash.add_tag("Brand New")
    for scene in list(stage.stash.scenes):
        stage.stash.edit_scene(scene.id, tag_ids=(*scene.tag_ids, tag))
    stage.pass_time(hours=1 / 60)


def take_tags(stage: OneProcess) -> None:
    """Every scene loses its tags: what of Plex's list is ours goes, and it has to be known."""
    stage.pass_time(hours=1)
    for scene in list(stage.stash.scenes):
        stage.stash.edit_scene(scene.id, tag_ids=())
    stage.pass_time(hours=1 / 60)


def edit_in_plex(stage: OneProcess) -> None:
    """A person edits items in Plex, before or after they were written."""
    stage.pass_time(hours=1)
    stage.plex.edit_by_hand(stage.key_of(1), {"title": "By Hand"})
    stage.plex.edit_by_hand(stage.key_of(3), {"summary": "Between"})


def lose_answers(stage: OneProcess) -> None:
    """Of two edits that Plex carries out no answer arrives, and of some items only half."""
    stage.plex_wire.faults.add(
        Fault("plex.put", 2, Reset(applied=True), times=2), Fault("plex.detail", 1, Cut(), times=2)
    )


def save_plan(stage: OneProcess) -> None:
    """A plan is saved for later."""
    stage.save_plan()


def apply(stage: OneProcess) -> object:
    """It is applied."""
    return stage.apply()


def adopt(stage: OneProcess) -> object:
    """What an agent matched is taken over."""
    return stage.adopt()


def undo(stage: OneProcess) -> object:
    """The last run that wrote is taken back."""
    return stage.undo()


def fail_one(stage: OneProcess) -> None:
    """A run that cannot write one item."""
    key = stage.key_of(1)
    stage.plex_wire.faults.add(
        Fault("plex.put", 1, ErrorStatus(500), times=None, match=lambda one: key in one.target)
    )
    stage.run()
    stage.plex_wire.faults.clear()


def retry(stage: OneProcess) -> object:
    """What failed is made due, and a run writes it."""
    stage.retry()
    return stage.run()


def answer(stage: OneProcess) -> object:
    """A person accepts the best candidate of each scene that waits, and a run writes them."""
    stage.pass_time(hours=1 / 60)
    answers = AnswerStore(
        stage.state_dir,
        now=lambda: stage.now,
        new_run_id=lambda: f"{stage.now:%Y%m%dT%H%M%SZ}-fe00",
        disk=stage.new_disk(),
    )
    path = review_queue_path(stage.cache_dir, stage.state_dir, answers.state.lineage)
    waiting = load_waiting(path, answers.state)
    answers.learn_rivals(waiting)
    taken: set[str] = set()
    try:
        for one in waiting:
            free = [c for c in one.match.candidates if c.rating_key not in taken]
            if free:
                taken.add(free[0].rating_key)
                answers.give([answers.answer_about(one, Verb.ACCEPT, free[:1])])
    finally:
        answers.release_lock()
    return stage.run()


def look(stage: OneProcess) -> object:
    """A full run, which finds again what waits for a person."""
    return stage.run(RunOptions(full=True))


# ---- all of them ---------------------------------------------------------------------------------


def scenarios() -> Iterator[Scenario]:
    """Every scenario."""
    for policy, posters, preserve in itertools.product(POLICIES, (False, True), (False, True)):
        settings = dict(POLICIES[policy]) | {
            "APPLY__PRESERVE_PLEX_EDITS": str(preserve).lower(),
        }
        yield from _commands(policy, settings, posters=posters, preserve=preserve)


def _commands(
    policy: str, settings: Mapping[str, str], *, posters: bool, preserve: bool
) -> Iterator[Scenario]:
    def plain() -> OneProcess:
        return stage_of(settings, posters=posters)

    def alike() -> OneProcess:
        return stage_of(settings, posters=posters, scenes=ALIKE)

    def agents() -> OneProcess:
        return agent_stage(settings)

    def doubtful() -> OneProcess:
        return stage_of(settings, posters=posters, case=Case.DUPLICATE, scenes=4)

    about = f"{policy}{' posters' * posters}{' preserve' * preserve}"
    after = (run, take_tags, run)
    yield Scenario(f"first run, {about}", plain, (), run, after)
    yield Scenario(f"run after edits, {about}", plain, (run, edit_both), run, (run,))
    yield Scenario(f"answers lost, {about}", plain, (run, edit_both, lose_answers), run, after)
    if preserve:  # otherwise what is written last stands
        between = (edit_in_plex, run)
        yield Scenario(f"edits between, {about}", plain, (run, edit_both), run, between)
    yield Scenario(f"apply, {about}", plain, (save_plan,), apply, (run,))
    yield Scenario(f"apply again, {about}", plain, (save_plan,), apply, (apply, run))
    yield Scenario(f"undo, {about}", plain, (run,), undo, (undo, run))
    yield Scenario(f"undo after edits, {about}", plain, (run, edit_both, run), undo, (undo, run))
    yield Scenario(f"retry, {about}", plain, (fail_one,), retry, (retry, run))
    if not posters:
        yield Scenario(f"edits alike, {about}", alike, (run, tag_all), run, after)
        yield Scenario(f"adopt, {about}", agents, (), adopt, (adopt, run))
        yield Scenario(f"review, {about}", doubtful, (run,), answer, (look, answer))
