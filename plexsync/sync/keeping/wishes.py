"""Which collections there should be: made of all that the records of linked scenes show by now."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from plexsync.models import (
    CollectionRecord,
    CollectionWish,
    ItemKind,
    PlexField,
    Scene,
    source_in,
)
from plexsync.planning.layout import Placing, WishedCollections, wished_collections
from plexsync.planning.relations import name_in
from plexsync.sync.execution.work import blank_link
from plexsync.sync.keeping.keeper import DIGITS, SEEN, KeptWork, wanted_digest
from plexsync.sync.rows import Pair
from plexsync.text.folding import short_digest
from plexsync.text.normalize import fold_tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plexsync.models import Link, RatingKey, RelatedId, SceneId, SceneRecord
    from plexsync.state import Placed
    from plexsync.sync.context import RunContext


@dataclass(slots=True, kw_only=True)
class CollectionWork(KeptWork):
    """One collection on its way through a run.

    Args:
        wish: what the scenes say it should be.
        placed: the items of known scenes in its library: only these may be taken out.
        members: digest of the members that are wanted.
        taking: its title is that of a collection Stash has the last word in for once.
        count: how many members it has in the end.
    """

    wish: CollectionWish
    placed: frozenset[RatingKey]
    members: str
    before: CollectionRecord | None
    taking: bool = False
    count: int = 0

    @property
    def is_made(self) -> bool:
        """Whether plexsync made it."""
        return PlexField.EXISTENCE in self.pair.link.base

    def blank(self) -> CollectionRecord:
        """Return what is remembered of one that is not there."""
        return self.record_of(blank_link(self.wish.section_id), done=True)

    def record_of(self, link: Link, *, done: bool) -> CollectionRecord:
        """Return what is remembered of it; unless it is `done` the next run looks again."""
        return CollectionRecord(
            link=link,
            title=self.wish.title,
            wanted=self.wanted if done else "",
            members=self.members if done else "",
            count=self.count,
            attempts=0 if done else self.tries_before,
        )


class DueCollections:
    """Finds out what each collection should be.

    Args:
        run: what the run is about.
        names: what Stash has; see `relations`.
        records: what is remembered of each collection.
    """

    def __init__(
        self,
        run: RunContext,
        names: Mapping[RelatedId, str],
        records: Mapping[SceneId, CollectionRecord],
    ) -> None:
        self._run = run
        self._names = names
        self._records = records
        self._rules = run.config.collections.rules
        self._kinds = {one.section_id: one.kind for one in run.sections}
        self._stamps: Mapping[RelatedId, str] = {}

    def works(self) -> Iterator[CollectionWork]:
        """Yield all there are or should be, as far as this run may touch them.

        Raises:
            ServerError: Stash cannot say.
        """
        wished = wished_collections(self._rules, self._names, self._placings())
        self._warn(wished)
        self._stamps = self._run.ports.stash.stamps(sorted(self._rules.kinds))
        wishes = {wish.key: wish for wish in wished.wishes}
        left_out = {wish.key for wish in (*wished.clashes, *wished.untitled)}
        for key in [*wishes, *(key for key in self._records if key not in wishes)]:
            record = self._records.get(key)
            wish = wishes.get(key) or self._emptied(key, record)
            if wish is not None and key not in left_out:
                yield self._work(wish, record, wished.placed.get(wish.section_id, frozenset()))

    def _warn(self, wished: WishedCollections) -> None:
        for clash in wished.clashes:
            self._run.totals.reporter.warn(
                f"'{clash.title}' is the title of two collections; none is made for "
                f"{clash.source.text}: [collections] title tells them apart with {{kind}}"
            )

    def _placings(self) -> Iterator[Placing]:
        """Yield the linked scenes of which all is known, as this run leaves them."""
        kinds, planned = self._kinds, self._run.planned
        here = (one for key, one in self._run.state.placings() if key not in planned)
        records: Iterator[Placed | SceneRecord] = chain(here, planned.values())
        for record in records:
            if record.outcome in SEEN:
                items = [
                    (link.section_id, kinds[link.section_id], link.rating_key)
                    for link in record.links
                    if link.section_id in kinds
                ]
                yield Placing(record.related, record.marks, tuple(items))

    def _emptied(self, key: SceneId, record: CollectionRecord | None) -> CollectionWish | None:
        """Return a collection no scene belongs to any more; None where it is left alone for now."""
        source = source_in(key)
        if source is None or record is None or source.kind not in self._rules.kinds:
            return None
        section_id = key.partition(".")[0]
        if section_id not in self._kinds or not self._is_chosen(source.related):
            return None
        return CollectionWish(
            source=source,
            section_id=section_id,
            kind=self._kinds[section_id],
            name=record.title,
            title=record.title,
        )

    def _is_chosen(self, related: RelatedId | None) -> bool:
        """Whether what a collection is made from may have one; a tag only if it is named."""
        if related is None or not related.startswith("t") or related not in self._names:
            return True
        return fold_tag(name_in(self._names[related])) in self._rules.tags

    def _work(
        self, wish: CollectionWish, record: CollectionRecord | None, placed: frozenset[RatingKey]
    ) -> CollectionWork:
        """Return the work on a collection."""
        members = short_digest(" ".join(wish.members), DIGITS)
        related = wish.source.related
        stamp = self._stamps.get(related, "") if related else ""
        link = record.link if record else blank_link(wish.section_id)
        one, rules = self._run.config.collections, repr(self._run.config.apply.rules)
        parts = (wish.title, wish.sort_title, one.mode, one.summary, one.poster, rules, members)
        return CollectionWork(
            wish=wish,
            pair=Pair(
                scene=Scene(scene_id=wish.key, updated_at=stamp, title=wish.name),
                link=link,
                title=wish.title,
                known=bool(link.rating_key),
                reason=f"collection of {wish.source.text}",
            ),
            kind=ItemKind.COLLECTION,
            placed=placed,
            wanted=wanted_digest(self._run.ports.stash, stamp, *parts),
            members=members,
            before=record,
            related=related if wish.members else None,
            count=record.count if record else 0,
        )
