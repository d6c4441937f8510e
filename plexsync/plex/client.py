"""Plex Media Server behind typed values: connect, list, read in full, scan, address.

Every request is our own on one transport: plexapi's objects cost a hundred times the CPU and fetch
an item again whenever an empty attribute is read, and to import it takes a tenth of a short run.

Source: docs/plex-api.md.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from plexsync.errors import BadResponseError, NotFoundError
from plexsync.models import (
    VIDEO_KINDS,
    ItemDetail,
    ItemPlan,
    Packed,
    PlexItem,
    RatingKey,
    Section,
    Server,
)
from plexsync.plex.collections import PlexCollections
from plexsync.plex.connection import (
    ask_plex,
    checked_id,
    chosen_sections,
    introduction,
    item_address,
    library_list,
    short_runs,
)
from plexsync.plex.decode import TYPE_NUMBERS, decode_answers, decode_hashes, decode_listing
from plexsync.plex.edit_query import URL_LIMIT_BYTES
from plexsync.plex.edits import PlexEditor
from plexsync.plex.last_details import LastDetails
from plexsync.plex.pictures import PlexPictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from plexsync.plex.decode import ItemAnswer, ListingPage
    from plexsync.transport.client import Transport

A = TypeVar("A", "ItemDetail", "ItemAnswer")

_NEWEST = 20
"""Items asked for to see what Plex made last: more of them cost bytes, and no request."""

_FEW_ENTRIES = 10
"""Up to so many entries without a rating key are odd entries; more than the others, another API."""

_LISTING_ATTEMPTS = 3
"""How often a library that changes while it is listed is listed again."""

_TRIED_ALONE = 5
"""Items of a batch that is not found which are asked for alone before all of it counts as gone."""

_NOTHING_MORE: Mapping[str, int] = MappingProxyType({})

_UNREAD_ELEMENTS = "Genre,Country,Director,Writer,Producer,Role,Collection,Image,UltraBlurColors"
_UNREAD_FIELDS = "summary,tagline"
"""Hints that make a listing smaller; a server may well ignore them."""


class Listing(NamedTuple):
    """A complete, verified listing.

    Attributes:
        items: every movie or episode once, in the server's order.
        total: how many entries the server counts, which is at least as many.
        filtered: False when the server ignored the filter and listed everything.
        unusable: entries without a rating key, as far as they say what they are.
    """

    items: Packed[PlexItem]
    total: int
    filtered: bool
    unusable: tuple[str, ...] = ()


class PlexClient:
    """One Plex server.

    Args:
        transport: to the server, made with `plex_headers`, so that the token stays inside it.
        url: the server's address, for links a person follows.
        page_size: items asked for in one page of a listing.
        detail_batch: most items read in full in one request; its address stays short, too.
        url_limit_bytes: longest edit sent in one request; see `edit_query.edit_paths`.

    Attributes:
        pictures: posters and backgrounds.
        collections: which there are, and what only they have.
        editor: sends edits.
        answered: what the last `details` were made of.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        url: str,
        page_size: int = 1000,
        detail_batch: int = 500,
        url_limit_bytes: int = URL_LIMIT_BYTES,
    ) -> None:
        self._transport = transport
        self._url = url.rstrip("/")
        self._page_size = page_size
        self._detail_batch = detail_batch
        self._server: Server | None = None
        self._last = LastDetails()
        self.answered: Mapping[RatingKey, ItemAnswer] = {}
        self.pictures = PlexPictures(transport)
        self.collections = PlexCollections(transport, lambda: self.connect().identity)
        self.editor = PlexEditor(
            transport, self.pictures, self.collections, limit_bytes=url_limit_bytes
        )

    def connect(self) -> Server:
        """Return the server as it introduces itself: one request, the first time.

        Raises:
            ServerError: unreachable, refused, or no Plex Media Server.
        """
        if self._server is None:
            self._server = self._transport.ask("GET", "/", partial(introduction, url=self._url))
        return self._server

    def sections(self, names: Sequence[str] = ()) -> tuple[Section, ...]:
        """Return the movie and show libraries called `names`, in that order; for no names all.

        One request. Case and surrounding spaces do not matter in a name.

        Raises:
            LibraryMissingError: a name belongs to no library, or to one of another kind.
            ServerError: the list cannot be had.
        """
        return chosen_sections(self._transport.ask("GET", "/library/sections", library_list), names)

    def listing(
        self,
        section: Section,
        *,
        updated_after: int | None = None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Listing:
        """Every movie or episode of a section, in ceil(items / page size) requests.

        A library that grows or shrinks while it is listed is listed again, a few times. Changes
        that cancel each other out go unnoticed until the next look: the section's counters, which
        were read before, have moved.

        Args:
            section: what to list.
            updated_after: only items Plex changed after this epoch. See `Listing.filtered`.
            progress: receives after each page how many of how many entries came.

        Raises:
            BadResponseError: what came never agreed with what the server counts.
            ServerError: a page could not be had. Nothing is returned then: half a listing would
                read as absence.
        """
        counts = ""
        for _ in range(_LISTING_ATTEMPTS):
            found = self._listed(section, updated_after, progress)
            if isinstance(found, Listing):
                return found
            counts = found
        raise BadResponseError(
            f"library {section.title!r} cannot be listed completely: {counts}",
            hint="it may be changing; plexsync run tries again, best after the scan",
        )

    def _listed(
        self, section: Section, updated_after: int | None, progress: Callable[[int, int], None]
    ) -> Listing | str:
        """Add up all pages once; where they make no whole, return what came and what is counted.

        Raises:
            BadResponseError: most entries have no rating key.
        """
        items = Packed(PlexItem)
        places: dict[RatingKey, int] = {}
        unusable: list[str] = []
        totals: list[int] = []
        entries = others = 0
        for page in self._transport.ahead(self._pages(section, updated_after)):
            totals.append(_total_of(page, section))
            for item in page.items:
                places[item.rating_key] = len(items)  # one that came twice is as it came last
                items.append(item)
            unusable += page.unusable
            others += page.entries - len(page.items)
            entries = len(places) + others
            progress(entries, totals[-1])
        if set(totals) != {entries}:
            return f"{entries} came, {totals[-1]} are counted"
        if len(places) < len(items):
            items = items.pick(places.values())
        if len(unusable) > max(len(items), _FEW_ENTRIES):
            raise BadResponseError(
                f"Plex lists {len(unusable)} entries without a rating key, and {len(items)} with "
                "one",
                hint="check that [plex] url leads to Plex itself, not to another service",
            )
        # An unknown filter is ignored, not refused (docs/plex-api.md 0.2).
        filtered = updated_after is not None and all(
            item.updated_at > updated_after for item in items
        )
        return Listing(items, entries, filtered, tuple(unusable))

    def count(self, section: Section) -> int:
        """How many movies or episodes a section holds, trashed ones included. One request."""
        return _total_of(self._page(section, start=0, size=0), section)

    def newest(self, section: Section) -> tuple[int, tuple[PlexItem, ...]]:
        """Return what `count` says, and the items Plex made last, the last one first. One request.

        Rating keys grow, so these tell of items that came while others went.
        """
        page = self._page(section, start=0, size=_NEWEST, sort="id:desc")
        return _total_of(page, section), page.items[:_NEWEST]

    def trashed(self, section: Section) -> tuple[PlexItem, ...]:
        """Return a section's items without files, as far as Plex filters by that. One request.

        A filter the server does not know is ignored, so nothing follows from an item's absence.

        Raises:
            ServerError: they cannot be had.
        """
        page = self._page(section, start=0, size=self._page_size, more={"trash": 1})
        return tuple(item for item in page.items if item.trashed)

    def neighbour(self, plan: ItemPlan) -> RatingKey | None:
        """Return another item of the library of `plan`; None if it has none. One request."""
        library = Section(section_id=plan.section_id, title="", kind=plan.kind)
        _, items = self.newest(library)
        others = (item.rating_key for item in items if not item.trashed)
        return next((key for key in others if key != plan.rating_key), None)

    def details(
        self, rating_keys: Sequence[RatingKey], *, again: bool = False
    ) -> tuple[ItemDetail, ...]:
        """Fresh, full reads of items, in the order asked; those that are gone are left out.

        Args:
            rating_keys: the items.
            again: they were read a moment ago; one that is as it was is the same object.

        Raises:
            BadResponseError: an answer holds what was not asked for.
            ServerError: an item could not be read.
        """
        self.answered = self._last.begin()
        return self._read(rating_keys, self._last.decode_again if again else self._last.decode)

    def answers(self, rating_keys: Sequence[RatingKey]) -> tuple[ItemAnswer, ...]:
        """Return what `details` makes its values of. Raises as that does."""
        return self._read(rating_keys, decode_answers)

    def hashes(self, rating_keys: Sequence[RatingKey]) -> dict[str, dict[int, int]]:
        """Return the OpenSubtitles hashes of the files of each item, by part id. One request.

        Items that are gone and files Plex has not analysed are left out. A server may refuse to
        answer for several items, or answer for one of them alone.

        Raises:
            ServerError: they cannot be read.
        """
        keys = ",".join(map(checked_id, rating_keys))
        try:
            return ask_plex(self._transport, f"/library/metadata/{keys}/tree", decode_hashes)
        except NotFoundError:
            return {}

    def scan(self, section: Section, folder: str) -> None:
        """Ask Plex to look for files in one folder of a library, as Plex sees it. One request.

        Plex answers at once and scans in its own time. Source: docs/plex-api.md 5, "Scan".

        Raises:
            ServerError: it was not asked, or refuses.
        """
        path = f"/library/sections/{checked_id(section.section_id)}/refresh"
        query = urlencode({"path": folder}, quote_via=quote)
        self._transport.request("GET", f"{path}?{query}", write=True)

    def item_url(self, rating_key: RatingKey) -> str:
        """Where a person sees the item, in the server's own web app; "" before `connect`."""
        if self._server is None:
            return ""
        return item_address(self._url, self._server.identity, rating_key)

    # ---- Requests --------------------------------------------------------------------------------

    def _pages(self, section: Section, updated_after: int | None) -> Iterator[ListingPage]:
        """Pages until the count is reached or an empty one ends it; a short page is no end."""
        start, more = 0, {} if updated_after is None else {"updatedAt>>": updated_after}
        while True:
            page = self._page(section, start=start, size=self._page_size, more=more)
            if page.offset not in (None, start):
                raise BadResponseError(f"Plex sent a page from {page.offset}, not from {start}")
            start += page.entries
            yield page
            if not page.entries or start >= (page.total or 0):
                return

    def _page(
        self,
        section: Section,
        *,
        start: int,
        size: int,
        sort: str = "addedAt:asc",
        more: Mapping[str, int] = _NOTHING_MORE,
    ) -> ListingPage:
        query = {
            "type": TYPE_NUMBERS[section.kind],
            **more,
            # By default new items come last, so that pages do not shift under us.
            "sort": sort,
            "includeGuids": 1,
            "excludeElements": _UNREAD_ELEMENTS,
            "excludeFields": _UNREAD_FIELDS,
            "X-Plex-Container-Start": start,
            "X-Plex-Container-Size": size,
        }
        path = f"/library/sections/{checked_id(section.section_id)}/all?{urlencode(query)}"
        kinds = VIDEO_KINDS if section.kind in VIDEO_KINDS else frozenset({section.kind})
        decode = partial(decode_listing, section_id=section.section_id, kinds=kinds)
        return ask_plex(self._transport, path, decode)

    def _read(
        self, rating_keys: Sequence[RatingKey], decode: Callable[[bytes], tuple[A, ...]]
    ) -> tuple[A, ...]:
        read: dict[str, A] = {}
        wanted = tuple(dict.fromkeys(rating_keys))
        for batch in short_runs(wanted, self._detail_batch):
            read.update((one.rating_key, one) for one in self._read_batch(batch, decode))
        return tuple([read[key] for key in wanted if key in read])

    def _read_batch(
        self, batch: Sequence[RatingKey], decode: Callable[[bytes], tuple[A, ...]]
    ) -> tuple[A, ...]:
        keys = ",".join(checked_id(key) for key in batch)
        # Without skipRefresh Plex may look for local artwork first (docs/plex-api.md 2).
        try:
            path = f"/library/metadata/{keys}?skipRefresh=1"
            read = ask_plex(self._transport, path, decode)
        except NotFoundError:
            return self._read_one_by_one(batch, decode)
        asked = frozenset(batch)
        for one in read:
            if one.rating_key not in asked:
                raise BadResponseError(
                    f"Plex sent item {one.rating_key}, which was not asked for",
                    context=f"/library/metadata/{keys}",
                )
        return read

    def _read_one_by_one(
        self, batch: Sequence[RatingKey], decode: Callable[[bytes], tuple[A, ...]]
    ) -> tuple[A, ...]:
        """Read a batch that is not found: whether 404 means all or any of it is not known.

        When the first few are not found alone either, all of it is gone.
        """
        if len(batch) == 1:
            return ()
        first, rest = batch[:_TRIED_ALONE], batch[_TRIED_ALONE:]
        found = tuple(one for key in first for one in self._read_batch((key,), decode))
        if not found:
            return ()
        middle = len(rest) // 2
        halves = [half for half in (rest[:middle], rest[middle:]) if half]
        return found + tuple(one for half in halves for one in self._read_batch(half, decode))


def _total_of(page: ListingPage, section: Section) -> int:
    """Return how many entries the server counts in `section`.

    Raises:
        BadResponseError: it does not say.
    """
    if page.total is None:
        raise BadResponseError(
            f"Plex does not say how many items {section.title!r} holds",
            hint="plexsync needs a Plex Media Server that lists page by page: check [plex] url",
        )
    return page.total
