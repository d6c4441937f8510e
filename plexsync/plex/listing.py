"""Listings of a Plex library: adding up pages, and whether they make a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from plexsync.errors import BadResponseError

if TYPE_CHECKING:
    from plexsync.models import PlexItem, Section
    from plexsync.plex.decode import ListingPage


_FEW_ENTRIES = 10
"""Up to so many entries without a rating key are odd entries; more than the others, another API."""


class Listing(NamedTuple):
    """A complete, verified listing.

    Attributes:
        items: every movie or episode once, in the server's order.
        total: how many entries the server counts, which is at least as many.
        filtered: False when the server ignored the filter and listed everything.
        unusable: entries without a rating key, as far as they say what they are.
    """

    items: tuple[PlexItem, ...]
    total: int
    filtered: bool
    unusable: tuple[str, ...] = ()


class Sweep:
    """Adds up the pages of one listing of a section and says whether they make a whole."""

    def __init__(self, section: Section, updated_after: int | None) -> None:
        self._section = section
        self._updated_after = updated_after
        self._items: dict[str, PlexItem] = {}
        self._others = 0
        self._totals: set[int] = set()
        self._unusable: list[str] = []
        self.total = 0

    @property
    def entries(self) -> int:
        """Different entries so far: items by rating key, and other kinds."""
        return len(self._items) + self._others

    @property
    def is_whole(self) -> bool:
        """The count stood still and everything counted came."""
        return len(self._totals) == 1 and self.entries == self.total

    def add(self, page: ListingPage) -> None:
        """Take one page in; errors are those of `total_of`."""
        self.total = total_of(page, self._section)
        self._totals.add(self.total)
        self._others += page.entries - len(page.items)
        self._unusable += page.unusable
        self._items.update((item.rating_key, item) for item in page.items)

    def listing(self) -> Listing:
        """Return what was swept up.

        Raises:
            BadResponseError: most entries have no rating key.
        """
        if len(self._unusable) > max(len(self._items), _FEW_ENTRIES):
            raise BadResponseError(
                f"Plex lists {len(self._unusable)} entries without a rating key, and "
                f"{len(self._items)} with one",
                hint="check that [plex] url leads to Plex itself, not to another service",
            )
        after = self._updated_after
        items = tuple(self._items.values())
        # An unknown filter is ignored, not refused (docs/plex-api.md 0.2).
        filtered = after is not None and all(item.updated_at > after for item in items)
        return Listing(items, self.total, filtered, tuple(self._unusable))


def total_of(page: ListingPage, section: Section) -> int:
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
