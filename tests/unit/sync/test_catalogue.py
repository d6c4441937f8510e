"""The catalogue of all scenes, and what a run that looks at all of them believes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from msgspec.structs import replace

from plexsync.matcher import survey
from plexsync.models import Scene, SceneFile, SceneId
from plexsync.sync.linking.catalogue import Catalogue

if TYPE_CHECKING:
    from pathlib import Path

SCENES = tuple(
    Scene(
        scene_id=SceneId(str(number)),
        updated_at=f"version {number}",
        title=f"Title {number}",
        files=(SceneFile(path=f"/data/{number}.mp4", size_bytes=1000 + number),),
    )
    for number in range(1, 2502)
)
LAYOUT = survey((), (), ())


def never() -> NoReturn:
    """Ask a Stash that must not be asked for its scenes."""
    raise AssertionError


def looked_at_all(path: Path, scenes: tuple[Scene, ...], *, items: str = "items") -> Catalogue:
    """Return the catalogue of a run that looked at `scenes` as all that take part."""
    catalogue = Catalogue(path, never, learned_with="rules", listed=lambda: items)
    catalogue.note(scenes, (), whole=True)
    return catalogue


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The file of a catalogue with its layout learned from `SCENES`."""
    path = tmp_path / "scenes.catalogue"
    catalogue = looked_at_all(path, SCENES)
    assert catalogue.layout is None
    catalogue.learn(LAYOUT)
    catalogue.keep()
    return path


def test_what_was_learned_from_the_same_scenes_and_items_is_not_learned_again(kept: Path) -> None:
    """Versions do not matter to it, and nothing is written where nothing is new."""
    before = kept.stat().st_ino  # what is written takes the place of the file
    moved = tuple(replace(scene, updated_at="another") for scene in SCENES)
    catalogue = looked_at_all(kept, moved)

    assert catalogue.layout == LAYOUT
    catalogue.learn(LAYOUT)
    catalogue.keep()
    assert kept.stat().st_ino == before


@pytest.mark.parametrize(
    "scenes",
    [
        SCENES[:-1],
        (*SCENES, replace(SCENES[0], scene_id=SceneId("9999"))),
        (*SCENES[:-1], replace(SCENES[-1], title="Another")),
    ],
    ids=["one less", "one more", "one changed"],
)
def test_from_other_scenes_it_is_learned_again(kept: Path, scenes: tuple[Scene, ...]) -> None:
    """The last of many decides as much as the first."""
    assert looked_at_all(kept, scenes).layout is None


def test_from_other_items_it_is_learned_again(kept: Path) -> None:
    """And is kept with them: the next run like it believes it."""
    catalogue = looked_at_all(kept, SCENES, items="others")
    assert catalogue.layout is None
    catalogue.learn(LAYOUT)
    catalogue.keep()

    assert looked_at_all(kept, SCENES, items="others").layout == LAYOUT


def test_a_run_that_looks_at_few_scenes_knows_all_others(kept: Path) -> None:
    """As they lie on disk, without their versions, and with what this run saw."""
    catalogue = Catalogue(kept, never, learned_with="rules", listed=lambda: "others")
    fresh = replace(SCENES[6], title="Another")
    catalogue.note((fresh, SCENES[7]), (SCENES[0].scene_id,), whole=False)
    others = {scene.scene_id: scene for scene in catalogue.others({SCENES[7].scene_id})}

    assert others.keys() == {scene.scene_id for scene in SCENES} - {"1", "8"}
    assert others[fresh.scene_id] == replace(fresh, updated_at="")
    assert catalogue.layout == LAYOUT


@pytest.mark.parametrize(
    ("seen", "gone"),
    [((replace(SCENES[6], title="Another"),), ()), ((), (SCENES[6].scene_id,))],
    ids=["changed", "gone"],
)
def test_after_a_run_that_saw_few_scenes_change_a_full_one_learns_again(
    kept: Path, seen: tuple[Scene, ...], gone: tuple[SceneId, ...]
) -> None:
    """What stays for the small run was learned from the scenes as they were before it."""
    catalogue = Catalogue(kept, never, learned_with="rules", listed=lambda: "items")
    catalogue.note(seen, gone, whole=False)
    assert catalogue.layout == LAYOUT
    catalogue.learn(LAYOUT)
    catalogue.keep()

    now = {scene.scene_id: scene for scene in (*SCENES, *seen) if scene.scene_id not in gone}
    full = looked_at_all(kept, tuple(now.values()))
    assert full.layout is None
    full.learn(LAYOUT)
    full.keep()
    assert looked_at_all(kept, tuple(now.values())).layout == LAYOUT
