"""Which collections there should be: made of all that the records of linked scenes show by now."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plexsync.models import (
    CollectionKind,
    CollectionRecord,
    CollectionWish,
    ItemKind,
    PlexField,
    Scene,
    Withheld,
    id_order,
    source_in,
)
from plexsync.planning.layout import Placing, wished_collections
from plexsync.planning.relations import name_in
from plexsync.sync.execution.work import blank_link
from plexsync.sync.keeping.keeper import DIGITS, SEEN, KeptWork, wanted_digest
from plexsync.sync.rows import Pair
from plexsync.text.folding import short_digest
from plexsync.text.normalize import fold_tag, tag_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plexsync.models import RatingKey, RelatedId, SceneId, SceneRecord
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
        unnamed: why it keeps the title it has; "" unless another collection has the one it is to
            have.
        gone: those of the members that Plex does not list any more.
        unknown: what it holds of which nothing is known by now.
        count: how many members it has in the end.
    """

    wish: CollectionWish
    placed: frozenset[RatingKey]
    members: str
    before: CollectionRecord | None
    taking: bool = False
    unnamed: str = ""
    gone: frozenset[RatingKey] = frozenset()
    unknown: frozenset[RatingKey] = frozenset()
    count: int = 0

    def left_alone(self, why: Withheld) -> CollectionRecord:
        """Return what is remembered of one that is not there, and is not made."""
        link = blank_link(self.wish.section_id)
        return replace(self.record(done=True), link=link, withheld=why)

    def record(self, *, done: bool) -> CollectionRecord:
        """Return what is remembered of it; unless it is `done` the next run looks again."""
        link = self.pair.link
        # What is unknown now may be known to leave, and what is held may be asked for: the wish
        # is the same then.
        has_them = done and not self.unknown and PlexField.MEMBERS not in link.held
        return CollectionRecord(
            link=link,
            title=self.wish.title,
            wanted=self.wanted if done else "",
            members=self.members if has_them else "",
            count=self.count,
            unknown=tuple(sorted(self.unknown, key=id_order)),
            attempts=0 if done else self.tries_before,
        )


def due_collections(
    run: RunContext, names: Mapping[RelatedId, str], records: dict[SceneId, CollectionRecord]
) -> Iterator[CollectionWork]:
    """Yield all there are or should be, as far as a run may touch them.

    Args:
        run: what the run is about.
        names: what Stash has; see `relations`.
        records: what is remembered of each collection; one that is handed over moves in it.

    Raises:
        ServerError: Stash cannot say.
    """
    rules = run.config.collections.rules
    parents = any(rule.parents for rule in run.config.active_rules)
    rules = replace(rules, parent_tags=parents)
    wished = wished_collections(rules, names, _placings(run))
    for clash in wished.clashes:
        run.totals.reporter.warn(
            f"'{clash.title}' is the title of two collections; none is made for "
            f"{clash.source.text}: [collections] title tells them apart with {{kind}}"
        )
    stamps = run.ports.stash.stamps(sorted(rules.kinds))
    wishes = {wish.key: wish for wish in wished.wishes}
    _hand_over(run, wishes, records)
    for key, record in records.items():
        if key not in wishes and (emptied := _emptied(run, names, key, record)):
            wishes[key] = emptied
    left_out = {wish.key for wish in (*wished.clashes, *wished.untitled)}
    for key, wish in wishes.items():
        if key not in left_out:
            placed = wished.placed.get(wish.section_id, frozenset())
            yield _work(run, wish, records.get(key), placed=placed, stamps=stamps)


def _hand_over(
    run: RunContext,
    wishes: Mapping[SceneId, CollectionWish],
    records: dict[SceneId, CollectionRecord],
) -> None:
    """Hand collections to the sources that have their titles now, where no other one needs them.

    Ids are no identities: after a full import of Stash each may be that of another object, and
    names may be swapped. One that merely has a new name keeps its collection, which is renamed. So
    a row of sources, each with the title of the next one's collection, takes them over where its
    first has none of its own and nothing belongs to its last; a circle always does. So goes what a
    person decided of one that is not there; one of the same title that is there goes before it.
    """
    own = {key for key, one in records.items() if one.link.rating_key}
    in_order = sorted(records, key=own.__contains__)
    holders = {_place(key, records[key].title): key for key in in_order}
    places = ((key, _place(key, wish.title)) for key, wish in wishes.items())
    givers = {key: holders[at] for key, at in places if holders.get(at, key) != key}
    for first in givers.keys() - givers.values():
        row = [first]
        while row[-1] in givers:
            row.append(givers[row[-1]])
        if first in own or row[-1] in wishes:
            for key in row[:-1]:
                del givers[key]
    # Each is looked at again, also for what an earlier run did not see to the end.
    taken = {key: replace(records[giver], wanted="") for key, giver in givers.items()}
    for key in dict.fromkeys((*givers.values(), *taken)):
        run.session.keep(key, taken.get(key))
        records.pop(key, None)
    records |= taken


def _place(key: SceneId, title: str) -> tuple[str, str]:
    """Return what two collections of one library and kind have in common that have one title."""
    return key.partition(":")[0], tag_key(title)


def _placings(run: RunContext) -> Iterator[Placing]:
    """Yield the linked scenes of which all is known, as this run leaves them."""
    kinds = {one.section_id: one.kind for one in run.sections}
    planned = run.session.planned
    here = (one for key, one in run.state.placings() if key not in planned)
    records: Iterator[Placed | SceneRecord] = chain(here, filter(None, planned.values()))
    for record in records:
        if record.outcome in SEEN:
            items = [
                (link.section_id, kinds[link.section_id], link.rating_key)
                for link in record.links
                if link.section_id in kinds
            ]
            yield Placing(record.related, record.marks, tuple(items))


def _emptied(
    run: RunContext, names: Mapping[RelatedId, str], key: SceneId, record: CollectionRecord
) -> CollectionWish | None:
    """Return a collection no scene belongs to any more; None where it is left alone for now."""
    source, rules = source_in(key), run.config.collections.rules
    section = next((one for one in run.sections if one.section_id == key.partition(".")[0]), None)
    if source is None or source.kind not in rules.kinds or section is None:
        return None
    tag = names.get(source.related) if source.related else None
    if source.kind is CollectionKind.TAG and tag and fold_tag(name_in(tag)) not in rules.tags:
        return None  # a tag has one only if it is named
    return CollectionWish(
        source=source,
        section_id=section.section_id,
        kind=section.kind,
        name=record.title,
        title=record.title,
    )


def _work(
    run: RunContext,
    wish: CollectionWish,
    record: CollectionRecord | None,
    *,
    placed: frozenset[RatingKey],
    stamps: Mapping[RelatedId, str],
) -> CollectionWork:
    """Return the work on a collection."""
    members = short_digest(" ".join(wish.members), DIGITS)
    related = wish.source.related
    stamp = stamps.get(related, "") if related else ""
    link = record.link if record else blank_link(wish.section_id)
    one, rules = run.config.collections, repr(run.config.apply.rules)
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
        wanted=wanted_digest(run.ports.stash, stamp, *parts),
        members=members,
        before=record,
        related=related if wish.members else None,
        count=record.count if record else 0,
    )
