"""Linking around matching: what it switches off, it switches on again."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from plexsync.errors import TransientError
from plexsync.models import ItemKind, PlexFile, PlexItem, RatingKey, Scene, SceneFile, SceneId
from plexsync.sync.linking.catalogue import NoOthers
from plexsync.sync.linking.decider import Decider
from plexsync.sync.linking.linker import Linker

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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


def make_linker(catalogue: NoOthers) -> Linker:
    """A linker of a first run."""
    return Linker(
        records=NothingRemembered(),
        sections=frozenset({"1"}),
        decider=Decider(catalogue=catalogue, rules=(), libraries={}),
        strict=True,
        least_low=0.9,
    )


def test_garbage_is_collected_again_after_matching() -> None:
    """Nothing of a matching is looked through meanwhile, and everything else is later."""
    seen: list[bool] = []

    class Looking(NoOthers):
        def others(self, _due: Collection[SceneId]) -> list[Scene]:
            seen.append(gc.isenabled())
            return []

    linked = make_linker(Looking()).matched([SCENE], [ITEM], ())

    assert [pair.link.rating_key for pair in linked.pairs] == ["7"]
    assert seen == [False]
    assert gc.isenabled()


def test_garbage_is_collected_again_after_matching_failed() -> None:
    """A server that fails in the middle leaves nothing switched off."""

    class Failing(NoOthers):
        def others(self, _due: Collection[SceneId]) -> list[Scene]:
            raise TransientError("gone")

    with pytest.raises(TransientError):
        make_linker(Failing()).matched([SCENE], [ITEM], ())
    assert gc.isenabled()
