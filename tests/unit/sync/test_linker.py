"""Linking around matching: what it switches off, it switches on again."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import TransientError
from plexsync.models import ItemKind, PlexFile, PlexItem, RatingKey, Scene, SceneFile, SceneId
from plexsync.sync.linking.linker import Linker

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from plexsync.models import Link, SceneRecord


class NothingRemembered:
    """The memory of a first run."""

    def get(self, _scene_id: SceneId) -> SceneRecord | None:
        """Nothing."""

    def claims(self) -> Mapping[RatingKey, SceneId]:
        """Nobody's."""
        return {}

    def former(self, _rating_key: RatingKey) -> Link | None:
        """Nothing."""


SCENE = Scene(
    scene_id=SceneId("1"),
    updated_at="",
    files=(SceneFile(path="/a/Some Telling Name.mp4", size_bytes=5_000_000),),
)
ITEM = PlexItem(
    rating_key=RatingKey("7"),
    section_id="1",
    kind=ItemKind.MOVIE,
    files=(PlexFile(path="/a/Some Telling Name.mp4", size_bytes=5_000_000),),
)


def test_garbage_is_collected_again_after_matching() -> None:
    """Nothing of a matching is looked through meanwhile, and everything else is later."""
    seen: list[bool] = []

    def look(_keys: Collection[RatingKey], _ours: Collection[SceneId]) -> Sequence[Scene]:
        seen.append(gc.isenabled())
        return ()

    linker = Linker(
        records=NothingRemembered(),
        sections=frozenset({"1"}),
        rules=(),
        strict=True,
        hashes=None,
        rivals=look,
    )
    linked = linker.matched([SCENE], [ITEM], ())

    assert [pair.link.rating_key for pair in linked.pairs] == ["7"]
    assert seen == [False]
    assert gc.isenabled()


def test_garbage_is_collected_again_after_matching_failed() -> None:
    """A server that fails in the middle leaves nothing switched off."""

    def fail(_keys: Collection[RatingKey], _ours: Collection[SceneId]) -> Sequence[Scene]:
        raise TransientError("gone")

    linker = Linker(
        records=NothingRemembered(),
        sections=frozenset({"1"}),
        rules=(),
        strict=True,
        hashes=None,
        rivals=fail,
    )
    with pytest.raises(TransientError):
        linker.matched([SCENE], [ITEM], ())
    assert gc.isenabled()
