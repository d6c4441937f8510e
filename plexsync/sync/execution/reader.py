"""Fresh reads of items, and earlier writes settled by them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.errors import AuthError, ServerError
from plexsync.models import (
    PICTURE_FIELDS,
    VIDEO_KINDS,
    ItemDetail,
    ItemKind,
    Outcome,
    PlexField,
    RatingKey,
    SceneRecord,
)
from plexsync.plex.pictures import selected_key
from plexsync.state import Settlement
from plexsync.sync.ports import WorkKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plexsync.models import ItemPlan, Link, Value
    from plexsync.planning.planner import Planner
    from plexsync.plex.client import PlexClient
    from plexsync.state import Session, State, Unsettled
    from plexsync.sync.ports import RunHealth

DETAIL_BATCH = 50
"""Items per read where each is then written by itself: those read last wait for all before them."""

READ_BATCH = 500
"""Items per read where they are only compared, or written together. What the answer to so many
brings into trouble is read in smaller parts: see `Reader`."""


NO_VALUES: Mapping[PlexField, Value] = {}


class Reader:
    """Reads items, and narrows an answer that fails down to the items that fail.

    Args:
        plex: where to read.
        health: says when Plex was given up.
    """

    def __init__(self, plex: PlexClient, health: RunHealth) -> None:
        self._plex = plex
        self._health = health
        self._pictures: defaultdict[RatingKey, set[PlexField]] = defaultdict(set)
        self._members: set[RatingKey] = set()

    def expect(self, plans: Iterable[ItemPlan]) -> None:
        """Read the pictures and members `plans` are about from now on, too: one request each."""
        for plan in plans:
            targets = {change.target for change in plan.changes}
            if fields := targets & PICTURE_FIELDS:
                self._pictures[plan.rating_key] |= fields
            if PlexField.MEMBERS in targets:
                self.expect_members(plan.rating_key)

    def expect_members(self, rating_key: RatingKey) -> None:
        """Read the members of a collection from now on, too."""
        if rating_key:
            self._members.add(rating_key)

    def read(self, keys: Sequence[RatingKey]) -> dict[RatingKey, ItemDetail | ServerError]:
        """Return fresh details by rating key, or what went wrong; an item that is gone is left out.

        The keys of expected pictures and members are among the values.

        Raises:
            ServerError: Plex is down, or refuses us altogether.
        """
        found: dict[RatingKey, ItemDetail | ServerError] = {}
        for start in range(0, len(keys), READ_BATCH):
            found |= self._read(keys[start : start + READ_BATCH])
        return found

    def _read(self, keys: Sequence[RatingKey]) -> dict[RatingKey, ItemDetail | ServerError]:
        try:
            details = self._plex.details(keys)
            found = {one.item.rating_key: self._with_more(one) for one in details}
        except AuthError:
            raise
        except ServerError as error:
            if len(keys) == 1:
                self._health.faults.failed(WorkKind.READ, error)
            if self._health.plex_given_up():
                raise self._health.faults.of(WorkKind.READ) or error from error
            if len(keys) == 1:
                return {keys[0]: error}
        else:
            self._health.faults.answered(WorkKind.READ)
            return dict(found)
        # Not by halves: each half that fails brings Plex nearer to being given up.
        step = DETAIL_BATCH if len(keys) > DETAIL_BATCH else 1
        parts: dict[RatingKey, ItemDetail | ServerError] = {}
        for start in range(0, len(keys), step):
            parts |= self._read(keys[start : start + step])
        return parts

    def _with_more(self, detail: ItemDetail) -> ItemDetail:
        """Return the item with the pictures and members that are expected of it."""
        key = detail.item.rating_key
        more: dict[PlexField, Value] = {
            field: selected_key(self._plex.pictures.available(key, field))
            for field in sorted(self._pictures.get(key, ()))
        }
        if key in self._members and detail.item.kind is ItemKind.COLLECTION:
            return with_members(detail, self._plex.collections.members(key), more)
        return replace(detail, values={**detail.values, **more}) if more else detail


def with_members(
    detail: ItemDetail, members: tuple[RatingKey, ...], more: Mapping[PlexField, Value] = NO_VALUES
) -> ItemDetail:
    """Return a collection with its members among its values.

    No lock says that a person took one out, so all of them count as a person's word.
    """
    values: dict[PlexField, Value] = {**detail.values, **more, PlexField.MEMBERS: members}
    return replace(detail, values=values, locked=detail.locked | {PlexField.MEMBERS})


# ---- writes of earlier runs ----------------------------------------------------------------------


def settle(
    link: Link,
    unsettled: Sequence[Unsettled],
    detail: ItemDetail,
    *,
    planner: Planner,
    session: Session | None,
) -> Link:
    """Return the link brought up to date by earlier writes whose result was never noted.

    What became of them is noted in `session`, None in a dry run. Remember the link before anything
    is committed: a result on disk without it would lose what is ours.

    Args:
        link: as it is remembered.
        unsettled: the intents that concern it, oldest first.
        detail: a fresh read of the item.
        planner: says whether Plex shows what was sent.
        session: where results are noted.
    """
    for one in unsettled:
        link = planner.settle(link, one.plan.changes, detail)
        if session is not None:
            settle_one(session, one, detail, planner)
    return link


def settle_unlinked(session: Session, reader: Reader, planner: Planner) -> None:
    """Note how unsettled intents of items that are no longer linked ended.

    An intent that belongs to a link is settled when that link is next read. But the file may have
    moved since, so that Plex made another item of it, or the scene may be gone. One that cannot be
    read now waits for the next run.

    Raises:
        ServerError: Plex is down, or refuses us altogether.
    """
    unlinked = [
        one
        for one in session.state.unsettled
        if one.plan.kind in VIDEO_KINDS and not _is_linked(session.state, one)
    ]
    if not unlinked:
        return
    read = reader.read(tuple(dict.fromkeys(one.plan.rating_key for one in unlinked)))
    for one in unlinked:
        detail = read.get(one.plan.rating_key)
        if not isinstance(detail, ServerError):
            settle_one(session, one, detail, planner)


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
    session.result(
        one.seq,
        Settlement.FAILED if missing else Settlement.APPLIED,
        run_id=one.run_id,
        missing=tuple(change.target for change in missing),
        partly=planner.partly(missing, detail) if detail else {},
    )


def _is_linked(state: State, one: Unsettled) -> bool:
    record = state.get(one.plan.scene_id)
    return record is not None and any(
        link.rating_key == one.plan.rating_key for link in record.links
    )
