"""What matching costs: no library, however alike its files are, takes more than linear time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plexsync.matcher import match
from plexsync.models import PlexItem, RatingKey, Scene, SceneId
from tests.support.effort import steps_of
from tests.support.factories import make_item, make_plex_file, make_scene, make_scene_file

if TYPE_CHECKING:
    from collections.abc import Callable

_Libraries = tuple[list[Scene], list[PlexItem]]

FEW, TIMES = 120, 4
SIZE = 1_155_219_457


def _scene(number: int, *paths: str, size: int = SIZE) -> Scene:
    files = [make_scene_file(path=one, size_bytes=size + at) for at, one in enumerate(paths)]
    return make_scene(scene_id=SceneId(f"{number}"), title="", files=tuple(files))


def _item(number: int, path: str, size: int = SIZE) -> PlexItem:
    file = make_plex_file(path=path, size_bytes=size)
    return make_item(rating_key=RatingKey(f"{number}"), title="", files=(file,))


def _one_name(count: int) -> _Libraries:
    ours = [_scene(one, f"/data/{one}/video.mp4") for one in range(count)]
    return ours, [_item(one, f"/media/{one}/video.mp4") for one in range(3)]


def _one_folder(count: int) -> _Libraries:
    ours = [
        _scene(one, f"/data/x/site.beach.day{one}.1080p.mp4", size=SIZE + one)
        for one in range(count)
    ]
    theirs = [_item(one, f"/media/x/site beach day{one}.mp4", SIZE + one) for one in range(count)]
    return ours, theirs


def _one_scene(count: int) -> _Libraries:
    names = [f"beach {one}.mp4" for one in range(count)]
    theirs = [_item(at, f"/media/{one}", SIZE + at) for at, one in enumerate(names)]
    return [_scene(1, *(f"/data/{one}" for one in names))], theirs


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(_one_name, id="scenes of one name and size that Plex has a few of"),
        pytest.param(_one_folder, id="files of one folder and length, under other names"),
        pytest.param(_one_scene, id="files of one scene"),
    ],
)
def test_alike_files_take_linear_time(make: Callable[[int], _Libraries]) -> None:
    """Four times the files cost four times the work, within a fifth."""
    few, many = make(FEW), make(FEW * TIMES)
    match(*few)  # what is made once is no work of the first

    grown = steps_of(lambda: match(*many)) / steps_of(lambda: match(*few))

    assert grown < TIMES * 1.2
