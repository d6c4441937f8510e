"""Linking around matching: what it gives to it, and what it makes of the answer."""

from __future__ import annotations

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


def test_a_scene_with_the_path_and_size_of_one_item_is_linked_to_it() -> None:
    """Where nothing is remembered, and these are all there are."""
    linked = make_linker(NoOthers()).matched([SCENE], [ITEM], ())

    assert [pair.link.rating_key for pair in linked.pairs] == ["7"]


def test_a_server_that_fails_while_all_others_are_asked_for_ends_the_matching() -> None:
    """Nothing is decided about a part."""

    class Failing(NoOthers):
        def others(self, _due: Collection[SceneId]) -> list[Scene]:
            raise TransientError("gone")

    with pytest.raises(TransientError):
        make_linker(Failing()).matched([SCENE], [ITEM], ())
