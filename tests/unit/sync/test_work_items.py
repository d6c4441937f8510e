"""Which item of Plex a work item is about."""

from __future__ import annotations

import pytest

from plexsync.models import (
    ItemDetail,
    ItemKind,
    ItemPlan,
    Link,
    PlexItem,
    RatingKey,
    Scene,
    SceneId,
)
from plexsync.sync.execution.work import Decision, WorkItem
from plexsync.sync.rows import Pair

WITHOUT_FILE = (ItemKind.COLLECTION, ItemKind.SHOW, ItemKind.SEASON)


@pytest.mark.parametrize("meant", WITHOUT_FILE)
@pytest.mark.parametrize("found", list(ItemKind))
def test_what_has_no_file_is_known_by_its_kind(meant: ItemKind, found: ItemKind) -> None:
    """A rating key that is another thing by now is not what was meant."""
    link = Link(rating_key=RatingKey("7"), section_id="1", path="")
    plan = ItemPlan(
        scene_id=SceneId("studio:1"),
        rating_key=link.rating_key,
        section_id="1",
        kind=meant,
        path="",
        lock=True,
        changes=(),
    )
    work = WorkItem(
        pair=Pair(scene=Scene(scene_id=plan.scene_id, updated_at=""), link=link),
        decide=lambda _: Decision(plan=plan),
        paths=(),
        kind=meant,
    )
    item = PlexItem(rating_key=link.rating_key, section_id="1", kind=found, title="One", files=())

    assert work.holds(ItemDetail(item=item, values={})) is (found is meant)
