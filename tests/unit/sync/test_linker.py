"""Linking around matching: what it gives to it, and what it makes of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

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
from plexsync.sync.linking.catalogue import Catalogue
from plexsync.sync.linking.linker import Linker
from plexsync.sync.linking.pairs import bare
from plexsync.text.folding import files_digest
from tests.support.state_factories import state_of

if TYPE_CHECKING:
    from pathlib import Path

    from plexsync.storage.memory import State

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


def fail() -> NoReturn:
    """Ask a Stash that does not answer for its scenes."""
    raise TransientError("gone")


def make_linker(records: State, catalogue: Catalogue | None = None) -> Linker:
    """A linker of scenes that are all there are, or that the catalogue knows the others of."""
    return Linker(records=records, libraries={"1": "Movies"}, catalogue=catalogue, rules=())


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
    pairs, rest = make_linker(state_of({SCENE.scene_id: record})).remembered([SCENE])

    assert rest == []
    assert [(pair.link, pair.resting) for pair in pairs] == [
        (bare(links[0]), links[1:]),
    ]


def test_a_scene_with_the_path_and_size_of_one_item_is_linked_to_it() -> None:
    """Where nothing is remembered, and these are all there are."""
    linked = make_linker(state_of()).matched([SCENE], [ITEM], ())

    assert [pair.link.rating_key for pair in linked.pairs] == ["7"]


def test_a_server_that_fails_while_all_others_are_asked_for_ends_the_matching(
    tmp_path: Path,
) -> None:
    """Nothing is decided about a part."""
    catalogue = Catalogue(tmp_path / "lost", fail, learned_with="", listed=str)

    with pytest.raises(TransientError):
        make_linker(state_of(), catalogue).matched([SCENE], [ITEM], ())
