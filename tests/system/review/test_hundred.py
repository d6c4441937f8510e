"""A hundred answers by keys on a real terminal, killed again and again, and the same by a file."""

from __future__ import annotations

import csv
import io
import random
import shutil
from typing import TYPE_CHECKING

from plexsync.errors import ExitCode
from plexsync.matching.answers import ANSWER_PREFIX, SceneAnswers
from plexsync.models import SceneId
from tests.support.review_world import TWINS, low_world, review_order
from tests.support.terminals import run_plexsync
from tests.support.typing_terminals import Person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plexsync.storage.review_queue import Waiting
    from tests.support.world import World

ANSWERS = 100
KEYS = {"accept": "a", "not in plex": "n", "ignore": "ia trailer\r"}


def answered(world: World) -> list[SceneId]:
    """The scenes an answer stands for."""
    keys = [key for key in world.state().decision_keys() if key.startswith(ANSWER_PREFIX)]
    ids = [SceneId(key.removeprefix(ANSWER_PREFIX)) for key in keys]
    return sorted(ids, key=lambda one: (len(one), one))


def meaning(world: World) -> dict[str, object]:
    """All that is remembered."""
    state = world.state()
    keys = [key for key in state.decision_keys() if key.startswith(ANSWER_PREFIX)]
    answers = {key: state.decision(key, SceneAnswers) for key in keys}
    return {**answers, **{one: state.get(one) for one in state.scene_ids()}}


def noted(world: World) -> int:
    """Answers in the journals, whole or torn, more or less: enough to choose a moment by."""
    files = (world.state_dir / "journal").glob("*.jsonl")
    return sum(path.read_bytes().count(ANSWER_PREFIX.encode()) for path in files)


def fill(path: Path, answers: dict[SceneId, str]) -> None:
    """Write each answer beside the first candidate of its scene."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    left = dict(answers)
    for row in rows:
        row["answer"] = left.pop(SceneId(row["scene_id"]), "")
        row["note"] = "a trailer" if row["answer"] == "ignore" else ""
        writer.writerow(row)
    path.write_text(out.getvalue(), encoding="utf-8")


def type_and_die(world: World, queue: Sequence[Waiting], keys: str, *, more: int) -> None:
    """Type all that is left, and be killed when about `more` of it was answered."""
    before = noted(world)
    with Person(["review"], world.environ()) as person:
        assert f"scene {queue[0].scene_id}" in person.screen("not in Plex")
        person.types(keys)
        while noted(world) < before + more and person.process.poll() is None:
            person.reads(0.005)
        person.process.kill()
        person.process.wait()


def keys_for(rest: Sequence[Waiting], answers: dict[SceneId, str]) -> str:
    """The keys that answer what is left, in the order it is shown."""
    return "".join(KEYS[answers[one.scene_id]] for one in rest)


def test_a_hundred_answers_survive_every_death_and_equal_those_of_a_file(tmp_path: Path) -> None:
    """What was answered is a beginning of what was typed, however often the terminal is killed.

    The order of what is left follows what is left, so it is read again before each review.
    """
    chance = random.Random(9)  # noqa: S311 - a test's, not cryptography
    with low_world(tmp_path, TWINS, scenes=115) as world:
        world.run()
        queue = review_order(world)
        assert len(queue) >= ANSWERS
        answers = {one.scene_id: chance.choice(list(KEYS)) for one in queue}
        shutil.copytree(world.state_dir, tmp_path / "before")

        done: set[SceneId] = set()
        for more in (1, 9, 23, 31):
            rest = review_order(world)
            type_and_die(world, rest, keys_for(rest, answers), more=more)
            ids = set(answered(world))
            assert ids - done == {one.scene_id for one in rest[: len(ids) - len(done)]}
            assert len(ids) > len(done) or not rest
            done = ids
        rest = review_order(world)
        with Person(["review"], world.environ()) as person:
            person.screen("quit")
            person.types(keys_for(rest, answers) + "qk")
            assert person.ends() == ExitCode.OK
        by_keys = meaning(world)
        assert set(answered(world)) == set(answers)

        shutil.rmtree(world.state_dir)
        shutil.copytree(tmp_path / "before", world.state_dir)
        file = tmp_path / "waiting.csv"
        assert run_plexsync(["review", "export", str(file)], world.environ()).code == ExitCode.OK
        fill(file, answers)
        shown = run_plexsync(["review", "import", str(file)], world.environ())
        assert (shown.code, shown.err) == (ExitCode.OK, "")
        assert meaning(world) == by_keys
