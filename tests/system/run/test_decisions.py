"""Who changes what is decided about a scene, or remembered of it, moves `DECISIONS`, too.

A scene an earlier version found in step is not compared again while that stays, so it would keep
what that version decided. What a fixed world comes to by several configurations is digested here:
another digest is another decision.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from plexsync.sync.ports import RunOptions
from plexsync.sync.scenes.in_step import DECISIONS
from tests.support.fields_world import EVERYTHING, PLAIN, small_library
from tests.support.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.world import Ran

DECIDED = ("3", "0e6af8afb44e6a13")
"""`DECISIONS`, and the digest of what was decided then."""

CONFIGURATIONS = (
    PLAIN,
    {**EVERYTHING, "FIELDS__PERFORMERS__ROLE": "{gender}", "APPLY__PRESERVE_PLEX_EDITS": "false"},
    {**EVERYTHING, "APPLY__EMPTY": "clear", "APPLY__LOCK_FIELDS": "false"},
    {**PLAIN, "FIELDS__TITLE": "keep", "FIELDS__SUMMARY": "fill", "APPLY__EMPTY": "keep"},
)
EDITS: tuple[dict[str, str | tuple[str, ...]], ...] = (
    {"title": "Mine", "genre": ("Wood", "Mine")},
    {"summary": ""},
    {"genre": ("Lake",)},
    {"studio": "Mine", "genre": ()},
    {"summary": "Mine"},
    {"title": "Mine", "summary": "Mine"},
)
"""What a person does to items between two runs."""

TOLD = RunOptions(full=True, force=True)


def test_who_changes_a_decision_has_every_scene_compared_again(tmp_path: Path) -> None:
    """The same scenes, edited on both sides between two runs, end as they did."""
    found = hashlib.sha256()
    for number, settings in enumerate(CONFIGURATIONS):
        with World(small_library(12, edited=0.5), tmp_path / str(number), **settings) as world:
            for line in decisions(world):
                found.update(f"{line}\n".encode())
    assert (DECISIONS, found.hexdigest()[:16]) == DECIDED, (
        "What is decided about scenes is not what it was: move DECISIONS in "
        "plexsync/sync/scenes/in_step.py, and write both into DECIDED. Where only a simulator or "
        "this test is another, write the digest alone."
    )


def decisions(world: World) -> Iterator[str]:
    """Yield what three runs came to: the first, one after edits on both sides, and an idle one."""
    keys = {number: world.key_of(str(number)) for number in range(1, 9)}
    for number, name in ((1, "Lake"), (2, "Wood")):
        world.stash.edit_tag(number, name=name)
    for number in keys:
        world.stash.edit_scene(number, tag_ids=(1, 2), details=f"Words {number}")
    world.wait(1)
    for number in (1, 2, 3, 4):
        there = {"genre": ("lake", "Mine"), "summary": "There before"}
        world.plex.edit_by_hand(keys[number], there, lock=number > 2)
    yield from outcomes(world.run())
    for number, edit in enumerate(EDITS, 1):
        world.plex.edit_by_hand(keys[number], edit)
    world.plex.set_locks(keys[8], locked=())
    for number in (1, 3, 5, 7):
        world.stash.edit_scene(number, title=f"Another {number}", details="", tag_ids=(2,))
    world.wait(1)
    yield from outcomes(world.run(TOLD))
    yield from outcomes(world.run(TOLD))
    for key, item in sorted(world.plex.dump().items()):
        tags = {kind: sorted(names) for kind, names in sorted(item["tags"].items())}
        yield f"{key}: {sorted(item['fields'].items())} {tags} {sorted(item['locks'])}"
    state = world.state()
    yield from (f"{one}: {state.get(one)}" for one in sorted(state.scene_ids()))


def outcomes(ran: Ran) -> Iterator[str]:
    """Yield what became of each scene, in words."""
    for row in sorted(ran.rows, key=lambda row: row.scene.id):
        changes = sorted((one.field, one.before, one.after) for one in row.changes)
        yield f"{row.scene.id} {row.outcome.value}: {changes} {row.by_hand}"
