"""`explain SCENE` says what a dry run of the scene says, whatever was answered and remembered."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from plexsync.app.explain import explain_scene
from plexsync.matcher import Answer, Verb
from plexsync.models import Outcome, Scene, SceneFile, SceneId
from plexsync.simulators.library.pairs import Case, LibrarySpec, make_library
from plexsync.sync.ports import RunOptions
from plexsync.sync.reconcile import run
from plexsync.sync.rows import REMEMBERED
from tests.support.review_world import store_of, waiting_in
from tests.support.world import SocketlessWorld

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.config.configuration import Config
    from plexsync.matcher import Explanation
    from plexsync.models import MatchRow, RatingKey, RunSummary
    from plexsync.output.streams import Reporter
    from plexsync.sync.ports import Ports
    from tests.support.world import World

MIX = {
    Case.SAME: 4,
    Case.GENERIC: 3,
    Case.RENAMED: 4,
    Case.REMUXED: 3,
    Case.TWO_ITEMS: 2,
    Case.TWO_VERSIONS: 2,
    Case.DUPLICATE: 4,
    Case.MOVED: 2,
    Case.NO_DURATION: 2,
    Case.EPISODE: 1,
    Case.UNSCANNED: 2,
    Case.DECOY: 4,
}
"""What is not plain, mostly."""

Verdict = tuple[str, "RatingKey | None", str]
"""Confidence, item and reason."""


def awkward_world(directory: Path, seed: int, **settings: str) -> World:
    """Both servers with few plain scenes, after nothing was run."""
    spec = LibrarySpec(seed=seed, scenes=26, mix=MIX, hashed=0.6, extra_items=0.2, edited=0.0)
    found = {"PLEX__LIBRARIES": "", "PATHS": "/data/=/media/"} | settings
    return SocketlessWorld(make_library(spec), directory, **found)


def explained(world: World, scene_id: SceneId) -> Explanation:
    """What `explain` says; the cache is as it was afterwards, so that it helps no run."""
    found: list[Explanation] = []

    def explain_and_run(config: Config, ports: Ports, reporter: Reporter) -> RunSummary:
        found.append(explain_scene(config, ports, scene_id))
        return run(config, RunOptions(dry_run=True, scenes=(scene_id,)), ports, reporter)

    cache, before = world.cache_dir, world.directory / "before"
    cache.mkdir(exist_ok=True)
    shutil.copytree(cache, before)
    world.act(explain_and_run)
    shutil.rmtree(cache)
    before.rename(cache)
    return found[0]


def verdicts_of(explanation: Explanation) -> set[Verdict]:
    """What an explanation says of a scene, by item."""
    return {
        (
            one.confidence or "",
            one.candidates[0].rating_key if one.candidates else None,
            one.reason,
        )
        for one in explanation.account.matches
    }


def verdicts_in(rows: tuple[MatchRow, ...]) -> set[Verdict]:
    """What a dry run says of a scene, by item; what it adds to a reason is about fields."""
    return {
        (
            one.confidence or "",
            one.item.rating_key if one.item else None,
            one.reason.partition("; Plex's own kept")[0],
        )
        for one in rows
    }


def difference(explanation: Explanation, rows: tuple[MatchRow, ...]) -> object:
    """What an explanation says otherwise than a dry run; nothing where they agree.

    Of a scene that is not matched it names why, and of one that is linked the item.
    """
    if rows[0].outcome is Outcome.IGNORED:
        return {rows[0].reason}.difference(explanation.notes)
    linked = {one.item.rating_key for one in rows if one.item and REMEMBERED in one.reason}
    if linked:
        noted = {one.partition(":")[0] for one in explanation.notes}
        return {f"item {key}" for key in linked} - noted
    return verdicts_of(explanation) ^ verdicts_in(rows)


def assert_alike(world: World) -> None:
    """Explain every scene, and run each dry."""
    differences = {}
    for scene in world.stash.scenes:
        scene_id = SceneId(str(scene.id))
        explanation = explained(world, scene_id)
        rows = world.run(RunOptions(dry_run=True, scenes=(scene_id,))).rows
        if found := difference(explanation, rows):
            differences[scene_id] = found
    assert not differences


def answer(world: World) -> None:
    """Answer about scenes in all ways; some were about files that are no more."""
    verbs = (Verb.ACCEPT, Verb.REJECT, Verb.ABSENT, Verb.IGNORE)
    with store_of(world) as answers:
        for at, one in enumerate(waiting_in(world)):
            verb = verbs[at % 5] if at % 5 < len(verbs) else None
            if verb is not None:
                answers.give([answers.answer_about(one, verb, one.candidates[:1])])
        for scene in list(world.stash.scenes)[::4]:
            gone = Scene(
                scene_id=SceneId(str(scene.id)),
                updated_at="",
                files=(SceneFile(path="/data/gone.mp4", size_bytes=1),),
            )
            answers.give([Answer(verb=Verb.IGNORE, scene=gone)])


@pytest.mark.parametrize(
    ("seed", "settings"),
    [
        pytest.param(1, {}, id="as it comes"),
        pytest.param(2, {"MATCH__STRICT_MATCHING": "false"}, id="LOW is applied"),
        pytest.param(3, {"MATCH__USE_CONTENT_HASH": "false"}, id="without hashes"),
        pytest.param(4, {"MATCH__COPIES": "skip", "PATHS": ""}, id="without rules and copies"),
    ],
)
def test_an_explanation_says_what_a_dry_run_says(
    tmp_path: Path, seed: int, settings: dict[str, str]
) -> None:
    """Before the first run, after it, and after a person answered."""
    with awkward_world(tmp_path, seed, **settings) as world:
        assert_alike(world)
        world.run()
        assert_alike(world)
        answer(world)
        assert_alike(world)
