"""Linking around matching: what it gives to it, and what it makes of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from plexsync.errors import TransientError
from plexsync.models import (
    Base,
    ItemKind,
    Link,
    Outcome,
    PlexField,
    PlexFile,
    PlexItem,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
    SceneRecord,
)
from plexsync.sync.linking.catalogue import NoOthers
from plexsync.sync.linking.decider import Decider
from plexsync.sync.linking.earlier_links import bare as without_fields
from plexsync.sync.linking.linker import Linker
from plexsync.text.folding import files_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from plexsync.sync.linking.earlier_links import LinkingRecords


class NothingRemembered:
    """The memory of a first run."""

    def get(self, _scene_id: SceneId, *, bare: bool = False) -> SceneRecord | None:
        """Nothing."""

    def claims(self) -> Mapping[RatingKey, SceneId]:
        """Nobody's."""
        return {}

    def former(self, _rating_key: RatingKey) -> Link | None:
        """Nothing."""


class OneScene(NothingRemembered):
    """The memory of one scene."""

    def __init__(self, record: SceneRecord) -> None:
        self.record = record

    def get(self, _scene_id: SceneId, *, bare: bool = False) -> SceneRecord | None:
        """The scene, with what is remembered of its items' fields only where that is asked for."""
        links = tuple(map(without_fields, self.record.links)) if bare else self.record.links
        return replace(self.record, links=links)


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


def make_linker(catalogue: NoOthers, records: LinkingRecords | None = None) -> Linker:
    """A linker of a first run, or of one that remembers."""
    return Linker(
        records=records or NothingRemembered(),
        sections=frozenset({"1"}),
        decider=Decider(catalogue=catalogue, rules=(), libraries={}),
        strict=True,
        least_low=0.9,
    )


def test_a_link_that_rests_is_kept_with_all_that_is_remembered_of_it() -> None:
    """A library that takes no part loses nothing; a link of one that does gets it back in turn."""
    base = {PlexField.TITLE: Base(digest="0123456789abcdef")}
    links = tuple(
        Link(rating_key=RatingKey(key), section_id=section_id, path="/a/b.mp4", base=base)
        for key, section_id in (("7", "1"), ("8", "2"))
    )
    record = SceneRecord(
        updated_at="", outcome=Outcome.APPLIED, files=files_digest(SCENE.files), links=links
    )
    pairs, rest = make_linker(NoOthers(), OneScene(record)).remembered([SCENE])

    assert rest == []
    assert [(pair.link, pair.resting) for pair in pairs] == [
        (without_fields(links[0]), links[1:]),
    ]


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
