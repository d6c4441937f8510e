"""Which collection of Plex a piece of work is about: ours, one that may be taken over, or none yet.

A collection that is not ours is touched in two cases only: a person gave Stash the last word in it,
or it is nothing but a name plexsync wrote to each of its members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import Outcome, PlexField, Withheld
from plexsync.sync.collections.work import blank_link
from plexsync.text.normalize import tag_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from plexsync.models import CollectionRecord, RatingKey, SceneId
    from plexsync.planning.planner import Planner
    from plexsync.plex.decode import CollectionEntry
    from plexsync.sync.collections.outcomes import CollectionOutcomes
    from plexsync.sync.collections.work import CollectionWork
    from plexsync.sync.context import RunContext
    from plexsync.sync.execution.making import CollectionMaker
    from plexsync.sync.execution.reader import Reader

_TAKEN = (
    "Plex has a collection of that title, which plexsync did not make: [collections] take_over, "
    "or plexsync run --take-over"
)
_STILL_OURS = "another collection of plexsync has that title until it is renamed; the next run"


class ExistingCollections:
    """Finds the collection of Plex that a piece of work is about.

    Args:
        run: what the run is about.
        records: what is remembered of each collection.
        unsettled: the collections a write of an earlier run may have reached.
        maker: knows which there are.
        reader: reads the members of those where they matter.
        outcomes: takes those that are left alone.
        planner: says what is ours of an item.
    """

    def __init__(
        self,
        run: RunContext,
        records: Mapping[SceneId, CollectionRecord],
        unsettled: Collection[RatingKey],
        *,
        maker: CollectionMaker,
        reader: Reader,
        outcomes: CollectionOutcomes,
        planner: Planner,
    ) -> None:
        self._run = run
        self._ours = {one.link.rating_key: one for one in records.values()}
        self._unsettled = unsettled
        self._maker = maker
        self._reader = reader
        self._outcomes = outcomes
        self._planner = planner
        self._named = frozenset(map(tag_key, run.config.collections.take_over))
        self._claims: Mapping[RatingKey, SceneId] | None = None

    def attach(
        self, work: CollectionWork, record: CollectionRecord | None
    ) -> CollectionWork | None:
        """Return the work with the collection it is about; None where that is to be left alone.

        Raises:
            ServerError: the collections cannot be listed.
        """
        self._outcomes.open(work)
        key = work.pair.link.rating_key
        if not key and not work.wish.members:
            self._outcomes.forget(work)
            return None
        if not key:
            return self._by_title(work)
        changed = record is None or record.members != work.members or key in self._unsettled
        if self._run.compares_all:
            entry = self._maker.listed(work.wish.section_id).by_key.get(key)
            if entry is None:
                return self._vanished(work)
            changed = changed or record is None or entry.member_count != record.count
        if changed:
            self._reader.expect_members(key)
        return work

    def _by_title(self, work: CollectionWork) -> CollectionWork | None:
        """Return the work with the collection that has its title; with none where it is free."""
        title = work.wish.title
        holders = self._maker.listed(work.wish.section_id).called(title)
        if not holders:
            return work
        if any(one.rating_key in self._ours for one in holders):
            self._outcomes.postpone(work, _STILL_OURS)
            return None
        named = self._is_given_to_stash(title)
        for holder in holders:
            if not holder.smart and (named or self._is_tagged_by_us(holder)):
                work.taking = named
                link = replace(work.pair.link, rating_key=holder.rating_key)
                work.pair.link = link
                self._reader.expect_members(holder.rating_key)
                return work
        self._outcomes.withhold(work, Withheld.TAKEN, _TAKEN, Outcome.KEPT)
        return None

    def _vanished(self, work: CollectionWork) -> CollectionWork | None:
        """Return what to do about one of ours that is not in Plex any more."""
        if work.wish.members and self._run.is_asked_for:
            work.pair.link = blank_link(work.wish.section_id)
            return self._by_title(work)
        self._outcomes.lose(work.pair, "")
        return None

    def _is_given_to_stash(self, title: str) -> bool:
        """Whether a person gave Stash the last word in a collection, or in all of them for once."""
        options = self._run.options
        return (options.take_over and not options.fields) or tag_key(title) in self._named

    def _is_tagged_by_us(self, entry: CollectionEntry) -> bool:
        """Whether a collection is just a name plexsync wrote to each of its members.

        Raises:
            ServerError: its members cannot be read.
        """
        members = self._run.ports.plex.collections.members(entry.rating_key)
        if self._claims is None:
            self._claims = self._run.state.claims()
        claims = self._claims
        return bool(members) and all(
            key in claims and self._wrote_name(claims[key], key, entry.title) for key in members
        )

    def _wrote_name(self, scene_id: SceneId, rating_key: RatingKey, title: str) -> bool:
        record = self._run.state.get(scene_id)
        bases = [
            link.base.get(PlexField.COLLECTIONS)
            for link in (record.links if record else ())
            if link.rating_key == rating_key
        ]
        equality = self._planner.equality
        return any(bool(equality.owned_among((title,), base)) for base in bases)
