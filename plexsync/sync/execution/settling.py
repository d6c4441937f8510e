"""Writes of earlier runs without a noted result: what their items show says how they ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import ServerError
from plexsync.models import VIDEO_KINDS, Link, Outcome, SceneRecord
from plexsync.state import Result, Session, Settlement, State, Unsettled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plexsync.models import ItemDetail, ItemPlan, RatingKey, SceneId
    from plexsync.planning.planner import Planner
    from plexsync.plex.index import Index
    from plexsync.sync.execution.reader import Reader


def settle(
    link: Link,
    unsettled: Sequence[Unsettled],
    detail: ItemDetail,
    *,
    planner: Planner,
    session: Session,
) -> Link:
    """Return the link brought up to date by earlier writes without a noted result.

    What became of them is noted in `session`. Remember the link before anything is committed: a
    result on disk without it would lose what is ours.

    Args:
        link: as it is remembered.
        unsettled: the intents that concern it, oldest first.
        detail: a fresh read of the item.
        planner: says whether Plex shows what was sent.
        session: where results are noted.
    """
    for one in unsettled:
        link = planner.settle(link, one.plan.changes, detail)
        settle_one(session, one, detail, planner)
    return link


def settle_unlinked(session: Session, reader: Reader, planner: Planner) -> None:
    """Note how unsettled intents of items that are no longer linked ended.

    An intent that belongs to a link is settled when that link is next read. But the file may have
    moved since, so that Plex made another item of it, or the scene may be gone. What is ours on the
    item is kept for the scene that gets it next.

    Raises:
        ServerError: Plex is down, or refuses us altogether.
    """
    state = session.state
    unlinked = [one for one in state.unsettled if has_lost_its_scene(state, one.plan)]
    claims = state.claims() if unlinked else {}
    for one, detail in reread(reader, unlinked):
        plan, key = one.plan, one.plan.rating_key
        with session.batch():
            if detail is not None:
                owner = claims.get(key)
                link = _link_in(state.get(owner), key) if owner else state.former(key)
                link = link or Link(rating_key=key, section_id=plan.section_id, path=plan.path)
                link = planner.settle(link, plan.changes, detail)
                _keep(session, link, owner, lost_by=plan.scene_id)
            settle_one(session, one, detail, planner)


def settle_gone(session: Session, reader: Reader, planner: Planner, index: Index) -> None:
    """Note how unsettled intents ended of items that are linked, and not in Plex any more.

    A scene keeps the link to an item that went, so no run reads it to settle them. One answer that
    the item is not there is not enough: a complete listing has to lack it, too.

    Args:
        session: where results are noted.
        reader: reads the items afresh.
        planner: says what an item shows.
        index: lists what is in Plex.

    Raises:
        ServerError: Plex is down, or refuses us altogether.
    """
    unsettled = [
        one
        for one in session.state.unsettled
        if one.plan.kind in VIDEO_KINDS and one.plan.section_id in index.listed
    ]
    there = {item.rating_key for item in (index.items if unsettled else ())}
    for one, detail in reread(reader, [o for o in unsettled if o.plan.rating_key not in there]):
        if detail is None:
            settle_one(session, one, detail, planner)


def _keep(session: Session, link: Link, owner: SceneId | None, *, lost_by: SceneId) -> None:
    """Remember a link with the scene that has the item, or else for the one that gets it next."""
    scene_id = owner or lost_by
    record = session.state.get(scene_id)
    session.remember(scene_id, with_link(record, link))
    if owner:
        return
    # What a scene loses is remembered of the item.
    if record is None:
        session.forget(scene_id)
    else:
        session.remember(scene_id, record)


def reread(
    reader: Reader, unsettled: Sequence[Unsettled]
) -> Iterator[tuple[Unsettled, ItemDetail | None]]:
    """Yield earlier writes, each with its item as it is now; None for one that is gone.

    One that cannot be read now is left out, and waits for the next run.

    Raises:
        ServerError: Plex is down, or refuses us altogether.
    """
    read = reader.read(tuple(dict.fromkeys(one.plan.rating_key for one in unsettled)))
    for one in unsettled:
        detail = read.get(one.plan.rating_key)
        if not isinstance(detail, ServerError):
            yield one, detail


def with_link(record: SceneRecord | None, link: Link) -> SceneRecord:
    """Return the record with `link` in place of the one to the same item.

    Without a record it is one that waits: such a scene is due, and is matched again.
    """
    if record is None:
        return SceneRecord(updated_at="", outcome=Outcome.SKIPPED, links=(link,))
    others = tuple(one for one in record.links if one.rating_key != link.rating_key)
    return replace(record, links=(*others, link))


def settle_one(
    session: Session, one: Unsettled, detail: ItemDetail | None, planner: Planner
) -> None:
    """Note how an intent ended, by what its item shows; one that is gone shows nothing."""
    missing = planner.not_stored(one.plan, detail) if detail else one.plan.changes
    session.note(
        Result(
            one.seq,
            Settlement.FAILED if missing else Settlement.APPLIED,
            run_id=one.run_id,
            missing=tuple(change.target for change in missing),
            partly=planner.partly(missing, detail) if detail else {},
        )
    )


def has_lost_its_scene(state: State, plan: ItemPlan) -> bool:
    """Return whether the scene of a plan is not linked to its item, or not any more."""
    return plan.kind in VIDEO_KINDS and known_link(state, plan) is None


def known_link(state: State, plan: ItemPlan) -> Link | None:
    """Return what is remembered of the item of a plan, with its scene; None for nothing."""
    return _link_in(state.get(plan.scene_id), plan.rating_key)


def _link_in(record: SceneRecord | None, key: RatingKey) -> Link | None:
    """Return the link of a record to an item; None for none."""
    return next((one for one in (record.links if record else ()) if one.rating_key == key), None)
