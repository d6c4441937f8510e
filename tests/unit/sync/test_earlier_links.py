"""What is ours on an item waits in the records until the item's turn."""

from __future__ import annotations

from msgspec.structs import replace

from plexsync.models import Base, Link, Outcome, PlexField, RatingKey, Scene, SceneId, SceneRecord
from plexsync.sync.linking.pairs import bare, recall
from plexsync.sync.rows import Pair
from tests.support.state_factories import state_of

SCENE = Scene(scene_id=SceneId("1"), updated_at="")
OURS = Link(
    rating_key=RatingKey("7"),
    section_id="1",
    path="/a/b.mp4",
    base={PlexField.TITLE: Base(digest="0123456789abcdef")},
    held={PlexField.SUMMARY: "fedcba9876543210"},
)


KEPT = state_of(
    {SCENE.scene_id: SceneRecord(updated_at="", outcome=Outcome.APPLIED, links=(OURS,))}
)


def test_a_pair_gets_back_what_is_ours_once() -> None:
    """What is found out about it after that counts, whatever the record says."""
    pair = Pair(scene=SCENE, link=bare(OURS), known=True, origin=SCENE.scene_id)
    recall(pair, KEPT)
    assert pair.link == OURS

    pair.link = replace(pair.link, held={})
    recall(pair, KEPT)
    assert pair.link == replace(OURS, held={})


def test_what_is_ours_is_found_though_its_scene_went_meanwhile() -> None:
    """The item remembers it, and a scene nothing is known of gets nothing."""
    pair = Pair(scene=SCENE, link=bare(OURS), known=True, origin=SCENE.scene_id)
    recall(pair, state_of(lost=[OURS]))
    assert pair.link == OURS

    new = Pair(scene=SCENE, link=bare(OURS))
    recall(new, KEPT)
    assert new.link == bare(OURS)
