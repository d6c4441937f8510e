"""What is ours on an item waits in the records until the item's turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import Base, Link, Outcome, PlexField, RatingKey, Scene, SceneId, SceneRecord
from plexsync.sync.linking.earlier_links import bare, recall
from plexsync.sync.rows import Pair

if TYPE_CHECKING:
    from collections.abc import Mapping

SCENE = Scene(scene_id=SceneId("1"), updated_at="")
OURS = Link(
    rating_key=RatingKey("7"),
    section_id="1",
    path="/a/b.mp4",
    base={PlexField.TITLE: Base(digest="0123456789abcdef")},
    held={PlexField.SUMMARY: "fedcba9876543210"},
)


class Remembered:
    """A memory of one scene, in full, or of an item that lost its scene."""

    def __init__(self, link: Link, *, lost: bool = False) -> None:
        self.link, self.lost = link, lost

    def get(self, _scene_id: SceneId, *, bare: bool = False) -> SceneRecord | None:
        """The record of the scene."""
        assert not bare
        links = () if self.lost else (self.link,)
        return SceneRecord(updated_at="", outcome=Outcome.APPLIED, links=links)

    def claims(self) -> Mapping[RatingKey, SceneId]:
        """Not asked here."""
        return {}

    def former(self, _rating_key: RatingKey) -> Link | None:
        """The link of the item."""
        return self.link if self.lost else None


def test_a_pair_gets_back_what_is_ours_once() -> None:
    """What is found out about it after that counts, whatever the record says."""
    pair = Pair(scene=SCENE, link=bare(OURS), known=True, origin=SCENE.scene_id)
    recall(pair, Remembered(OURS))
    assert pair.link == OURS

    pair.link = replace(pair.link, held={})
    recall(pair, Remembered(OURS))
    assert pair.link == replace(OURS, held={})


def test_what_is_ours_is_found_though_its_scene_went_meanwhile() -> None:
    """The item remembers it, and a scene nothing is known of gets nothing."""
    pair = Pair(scene=SCENE, link=bare(OURS), known=True, origin=SCENE.scene_id)
    recall(pair, Remembered(OURS, lost=True))
    assert pair.link == OURS

    new = Pair(scene=SCENE, link=bare(OURS))
    recall(new, Remembered(OURS))
    assert new.link == bare(OURS)
