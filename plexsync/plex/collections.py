"""Plex's collections: which there are, their members, a new one, more or fewer members, none.

A collection has a rating key of its own and is read and edited like any item; here is what only
collections have. Source: docs/plex-api.md 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from msgspec.structs import replace

from plexsync.errors import BadResponseError, NotFoundError, UnsafeError
from plexsync.models import COLLECTION_FIELDS, ItemKind, PlexField, RatingKey
from plexsync.plex.connection import DONE, JSON, ask_plex, change_rules, checked_id, short_runs
from plexsync.plex.decode import MODES, TYPE_NUMBERS, decode_collections, decode_details
from plexsync.text.normalize import tag_key
from plexsync.transport.outgoing import always

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plexsync.models import Change, ItemDetail, ItemPlan
    from plexsync.plex.decode import CollectionEntry
    from plexsync.transport.client import Transport

_PAGE = 500
_WORTH_A_LOOK = 5
"""Members that leave from which on they go together, with two looks at the collection."""

_REFUSED = frozenset({400, 405})
"""What a server answers that does not take edits of several items at their address."""

_NUMBERS = {mode: number for number, mode in MODES.items()}


class PlexCollections:
    """The collections of one Plex server.

    Args:
        transport: to the server.
        machine: gives the server's identifier, which addresses of members begin with.
    """

    def __init__(self, transport: Transport, machine: Callable[[], str]) -> None:
        self._transport = transport
        self._machine = machine

    def listing(self, section_id: str) -> tuple[CollectionEntry, ...]:
        """Every collection of a library, in pages.

        Raises:
            BadResponseError: fewer came than the server counts.
            ServerError: a page cannot be had.
        """
        number = TYPE_NUMBERS[ItemKind.COLLECTION]
        path = f"/library/sections/{checked_id(section_id)}/all?type={number}&sort=addedAt:asc"
        return tuple(self._pages(path))

    def members(self, rating_key: RatingKey) -> tuple[RatingKey, ...]:
        """Return the members of a collection, in pages, in Plex's order.

        Raises:
            NotFoundError: there is no such collection any more.
            ServerError: they cannot be read.
        """
        path = f"/library/collections/{checked_id(rating_key)}/children?includeGuids=0"
        return tuple(entry.rating_key for entry in self._pages(path))

    def first_piece(self, members: Sequence[RatingKey]) -> tuple[RatingKey, ...]:
        """As many members as one request can name."""
        return next(short_runs(members), ())

    def make(
        self, section_id: str, kind: ItemKind, title: str, members: Sequence[RatingKey]
    ) -> ItemDetail | None:
        """Make a collection. One request, never repeated; its title must not be taken.

        Args:
            section_id: the library.
            kind: of its members.
            title: what it is called.
            members: at least one, and no more than `first_piece` gives.

        Returns:
            It, as Plex answers: a read as fresh as one can be; None where the answer is another.

        Raises:
            ServerError: it was refused, or the answer was lost: look before trying again.
        """
        query = {
            "type": TYPE_NUMBERS[kind],
            "title": title,
            "smart": 0,
            "sectionId": checked_id(section_id),
            "uri": self._uri(members),
        }
        answer = self._transport.request(
            "POST",
            f"/library/collections?{urlencode(query, quote_via=quote, safe='')}",
            headers=JSON,
            write=True,
            repeatable=False,
            accept_status=DONE,
        )
        try:
            (made,) = decode_details(answer.body)
        except (BadResponseError, ValueError):
            return None
        is_it = made.item.kind is ItemKind.COLLECTION and made.item.title == title
        return made if is_it else None

    def set_mode(
        self, rating_keys: Sequence[RatingKey], mode: str, hold: Callable[[], None] = always
    ) -> None:
        """Have collections shown in one way: one request for all of them. `hold`: see `write`.

        Raises:
            ServerError: it was refused, or the answer was lost.
        """
        keys = ",".join(map(checked_id, rating_keys))
        path = f"/library/metadata/{keys}/prefs?collectionMode={_NUMBERS[mode]}"
        self._transport.request("PUT", path, **change_rules(hold))

    def write(self, plan: ItemPlan, hold: Callable[[], None] = always) -> ItemPlan:
        """Carry out what of `plan` only collections have, and return the rest of it.

        Of a collection that is to go nothing else is written. `hold` is called before a request is
        sent once more, and raises where that must not be.

        Raises:
            ServerError: a request was refused, or its answer was lost.
        """
        own = {one.target: one for one in plan.changes if one.target in COLLECTION_FIELDS}
        if not own:
            return plan
        if plan.kind is not ItemKind.COLLECTION:
            raise UnsafeError("only a collection has members", context=f"item {plan.rating_key}")
        place = f"/library/collections/{checked_id(plan.rating_key)}"
        existence = own.get(PlexField.EXISTENCE)
        if existence is not None and not existence.after:
            self._transport.request("DELETE", place, **change_rules(hold))
            return replace(plan, changes=())
        if members := own.get(PlexField.MEMBERS):
            self._change_members(plan, place, members, hold)
        if mode := own.get(PlexField.MODE):
            self.set_mode([plan.rating_key], str(mode.after), hold)
        rest = tuple(one for one in plan.changes if one.target not in COLLECTION_FIELDS)
        return replace(plan, changes=rest)

    def _change_members(
        self, plan: ItemPlan, place: str, change: Change, hold: Callable[[], None]
    ) -> None:
        """Put the new ones in, several a request, and take the others out."""
        before, after = [tuple(map(RatingKey, one)) for one in (change.before, change.after)]
        there = frozenset(before)
        for piece in short_runs([key for key in after if key not in there]):
            path = f"{place}/items?uri={quote(self._uri(piece), safe='')}"
            self._transport.request("PUT", path, **change_rules(hold))
        stay = frozenset(after)
        leaving = [key for key in before if key not in stay]
        if len(leaving) > _WORTH_A_LOOK:
            leaving = self._left_of(plan, leaving, hold)
        for key in leaving:
            try:
                self._transport.request(
                    "DELETE", f"{place}/items/{checked_id(key)}", **change_rules(hold)
                )
            except NotFoundError:
                continue  # it, or the collection with its last member, is gone already

    def _left_of(
        self, plan: ItemPlan, leaving: Sequence[RatingKey], hold: Callable[[], None]
    ) -> list[RatingKey]:
        """Take many members out by the tag they wear; return those that are in there all the same.

        The address of members takes one out. The title is read right before, because it names the
        tag; where another collection has it, too, they would leave that one as well.
        Source: docs/plex-api.md 11.
        """
        try:
            title = self._own_title(plan)
            for piece in short_runs(leaving):
                path = f"/library/metadata/{','.join(map(checked_id, piece))}"
                number = TYPE_NUMBERS[plan.member_kind or ItemKind.MOVIE]
                # Encoded before the query is: see `edit_query`.
                query = {"type": number, "collection[].tag.tag-": quote(title, errors="replace")}
                path += f"?{urlencode(query, quote_via=quote, safe='')}"
                self._transport.request("PUT", path, **change_rules(hold))
        except NotFoundError:
            return list(leaving)
        except BadResponseError as error:
            if error.status not in _REFUSED:
                raise
            return list(leaving)
        try:
            there = frozenset(self.members(plan.rating_key))
        except NotFoundError:
            return []  # it went with its last member
        return [key for key in leaving if key in there]

    def _own_title(self, plan: ItemPlan) -> str:
        """Return what a collection is called now, and no other one of its library.

        Raises:
            NotFoundError: there is no such title, or no such collection to take members out of.
        """
        entries = self.listing(plan.section_id)
        titles = [tag_key(one.title) for one in entries]
        for one in entries:
            is_it = one.rating_key == plan.rating_key and not one.smart
            if is_it and titles.count(tag_key(one.title)) == 1:
                return one.title
        raise NotFoundError("no collection is the only one of its title")

    def _uri(self, members: Sequence[str]) -> str:
        keys = ",".join(map(checked_id, members))
        return f"server://{self._machine()}/com.plexapp.plugins.library/library/metadata/{keys}"

    def _pages(self, path: str) -> Iterator[CollectionEntry]:
        """Yield the entries of all pages; a short page is no end, an empty one is."""
        start = 0
        while True:
            place = f"{path}&X-Plex-Container-Start={start}&X-Plex-Container-Size={_PAGE}"
            entries, total = ask_plex(self._transport, place, decode_collections)
            yield from entries
            start += len(entries)
            if start >= total:
                return
            if not entries:
                raise BadResponseError(
                    f"Plex counts {total} entries and sends {start}", context=path
                )
