"""Short ways to make what a state remembers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from plexsync.models import (
    Base,
    Change,
    Counts,
    ItemKind,
    ItemPlan,
    Link,
    Outcome,
    PlexField,
    Policy,
    RatingKey,
    SceneId,
    SceneRecord,
)
from plexsync.planning.retry_schedule import WAITING
from plexsync.storage.checkpoint import Checkpoint
from plexsync.storage.journal import End, Lineage, RunKind
from plexsync.storage.memory import State
from plexsync.storage.scenes.rows import SceneRows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.storage.session import Session

NOW = datetime(2026, 11, 22, 8, 32, 54, tzinfo=UTC)
LINEAGE = Lineage(plex="plex-machine", stash="/root/.stash/stash-go.sqlite")


def make_plan(number: int, *, before: str = "old", after: str = "new") -> ItemPlan:
    """A plan to change the title of item 9000 + `number` for scene `number`."""
    return ItemPlan(
        scene_id=SceneId(str(number)),
        rating_key=RatingKey(str(9000 + number)),
        section_id="1",
        kind=ItemKind.MOVIE,
        path=f"/media/{number}.mp4",
        lock=True,
        changes=(
            Change(
                field="title",
                target=PlexField.TITLE,
                before=before,
                after=after,
                policy=Policy.OVERWRITE,
            ),
        ),
    )


def make_record(
    number: int = 1,
    *,
    updated_at: str = "2026-11-21T10:00:00Z",
    outcome: Outcome = Outcome.APPLIED,
    rating_key: str = "",
) -> SceneRecord:
    """What is remembered of scene `number`, linked with item 9000 + `number` or `rating_key`."""
    link = Link(
        rating_key=RatingKey(rating_key or str(9000 + number)),
        section_id="1",
        path=f"/media/{number}.mp4",
        base={PlexField.TITLE: Base(digest="0123456789abcdef")},
    )
    return SceneRecord(updated_at=updated_at, outcome=outcome, links=(link,))


def rows_of(records: Mapping[SceneId, SceneRecord]) -> SceneRows:
    """Records as a checkpoint has them, kept in the order they stand in."""
    rows = SceneRows()
    for scene_id, record in records.items():
        rows.keep(scene_id, rows.pack(record)[0])
    return rows


def state_of(
    records: Mapping[SceneId, SceneRecord] = MappingProxyType({}), lost: Sequence[Link] = ()
) -> State:
    """A state that remembers some scenes, and links of items that lost their scene."""
    former = {link.rating_key: msgspec.Raw(msgspec.json.encode(link)) for link in lost}
    waiting = {one for one, record in records.items() if record.outcome in WAITING}
    checkpoint = Checkpoint(rows=rows_of(records), former=former, waiting=waiting)
    return State(Path("state.json"), checkpoint)


def begin(session: Session, number: int = 1, *, at: datetime = NOW) -> str:
    """Begin run `number`, that many minutes after `at`; returns its id."""
    started_at = at + timedelta(minutes=number)
    run_id = f"{started_at:%Y%m%dT%H%M%SZ}-{number:04x}"
    session.begin(
        run_id=run_id,
        kind=RunKind.RUN,
        started_at=f"{started_at:%Y-%m-%dT%H:%M:%SZ}",
        lineage=LINEAGE,
        version="0.1.0",
    )
    return run_id


def end(session: Session, *, at: datetime = NOW, full: bool = False, newest: str = "") -> None:
    """End the run well."""
    how = End(exit_code=0, counts=Counts(), full=full, newest_updated_at=newest)
    session.end(at, how)
