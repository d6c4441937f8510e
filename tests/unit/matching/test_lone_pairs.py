"""Which pairs are decided in advance: those that no key leads away from."""

from __future__ import annotations

import msgspec
import pytest

from plexsync.matching.verdicts import prepare_matching
from plexsync.models import (
    ItemKind,
    PathRule,
    PlexFile,
    PlexItem,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
)

_RULES = (PathRule(stash="/data/", plex="/media/"),)
_SIZE, _CONTENT = 1_155_219_457, 11
_OURS = Scene(
    scene_id=SceneId("1"),
    updated_at="1",
    files=(SceneFile(path="/data/ann/beach day.mp4", size_bytes=_SIZE, oshash=_CONTENT),),
)
_THEIRS = PlexItem(
    rating_key=RatingKey("101"),
    section_id="1",
    kind=ItemKind.MOVIE,
    files=(PlexFile(path="/media/ann/beach day.mp4", size_bytes=_SIZE, part_id=1),),
)
_LARGEST = 2**63 - 1
_HASHES = {1: _CONTENT, 2: _CONTENT, _LARGEST: _CONTENT}


def _scene(**fields: object) -> Scene:
    file = SceneFile(path="/data/bo/another.mp4")
    return Scene(
        scene_id=SceneId("2"), updated_at="1", files=(msgspec.structs.replace(file, **fields),)
    )


def _item(stash_id: str = "", **fields: object) -> PlexItem:
    file = PlexFile(path="/media/bo/another.mp4")
    return PlexItem(
        rating_key=RatingKey("102"),
        section_id="1",
        kind=ItemKind.MOVIE,
        stash_id=stash_id,
        files=(msgspec.structs.replace(file, **fields),),
    )


def _lacking(**fields: object) -> Scene:
    """Our scene without some of what Stash knows of its file."""
    return msgspec.structs.replace(
        _OURS, files=(msgspec.structs.replace(_OURS.files[0], **fields),)
    )


@pytest.mark.parametrize(
    ("ours", "others"),
    [
        pytest.param(_OURS, [_scene(path="/data/bo/Beach Day.mkv")], id="scene-of-the-name"),
        pytest.param(_OURS, [_scene(size_bytes=_SIZE)], id="scene-of-the-size"),
        pytest.param(_OURS, [_scene(oshash=_CONTENT)], id="scene-of-the-content"),
        pytest.param(_lacking(size_bytes=None), [_scene(size_bytes=_SIZE)], id="size-unknown-here"),
        pytest.param(_lacking(oshash=None), [_scene(oshash=_CONTENT)], id="content-unknown-here"),
    ],
)
def test_a_scene_that_shares_a_key_with_either_file_competes(
    ours: Scene, others: list[Scene]
) -> None:
    """The item has a key of another scene's, so the pair waits for the judgement of both."""
    assert _sure([ours], [_THEIRS]) == {0}
    assert _sure([ours, *others], [_THEIRS]) == set()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(_item(path="/backup/beach day.avi"), id="item-of-the-name"),
        pytest.param(_item(size_bytes=_SIZE), id="item-of-the-size"),
        pytest.param(_item(part_id=2), id="item-of-the-content"),
        pytest.param(_item(part_id=_LARGEST), id="item-of-the-content-with-a-large-number"),
        pytest.param(_item(stash_id="1"), id="item-that-names-the-scene"),
    ],
)
def test_an_item_that_shares_a_key_with_the_file_competes(other: PlexItem) -> None:
    """The scene may be either item, so the pair waits for the judgement of both."""
    assert _sure([_OURS], [_THEIRS, other]) == set()


def test_a_size_is_a_key_however_large() -> None:
    """Python's hash of this one is 0, as that of no size."""
    size = 2**61 - 1
    ours, file = _lacking(size_bytes=size), _THEIRS.files[0]
    theirs = msgspec.structs.replace(
        _THEIRS, files=(msgspec.structs.replace(file, size_bytes=size),)
    )
    assert _sure([ours], [theirs]) == {0}
    assert _sure([ours], [theirs, _item(size_bytes=size)]) == set()


def test_a_size_that_a_crowd_has_competes() -> None:
    """Blocking offers nobody of a crowd, and yet an equal size is worth less in it."""
    crowd = [
        msgspec.structs.replace(
            _item(path=f"/media/bo/{at}.mp4", size_bytes=_SIZE), rating_key=RatingKey(f"2{at}")
        )
        for at in range(40)
    ]
    assert _sure([_OURS], [_THEIRS, *crowd]) == set()


def test_a_scene_that_shares_a_key_with_two_items_competes_for_both() -> None:
    """It may be either, so neither is the item of another scene alone."""
    items = [_THEIRS, _item(size_bytes=_SIZE)]
    ours = _lacking(size_bytes=None)
    assert _sure([ours], items) == {0}
    assert _sure([ours, _scene(path="/data/cy/third.mp4", size_bytes=_SIZE)], items) == set()
    assert _sure([_scene(path="/data/cy/third.mp4", size_bytes=_SIZE), ours], items) == set()


def test_an_item_that_names_another_scene_waits_for_it() -> None:
    """Plex's GUID may be right where the name is not."""
    named = msgspec.structs.replace(_THEIRS, stash_id="2")
    assert _sure([_OURS], [named]) == {0}
    assert _sure([_OURS, _scene()], [named]) == set()


def _sure(scenes: list[Scene], items: list[PlexItem]) -> set[int]:
    made = prepare_matching(scenes, items, staged=True, rules=_RULES, hashes=_HASHES)
    return {at for at, sure in enumerate(made.sure) if sure}
