"""The parts of the simulated Plex server its handlers share, and what a handler is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from plexsync.simulators.plex.query import select

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http import HTTPStatus

    from plexsync.simulators.http.messages import SimRequest
    from plexsync.simulators.plex.answers import FragmentCache
    from plexsync.simulators.plex.store import Item, LibrarySection, MediaType, Store


_TEN_MEGABYTES = 10_000_000


@dataclass(slots=True)
class Switches:
    """How the server behaves where servers differ or nobody knows; may be changed while it serves.

    Attributes:
        replace_tags: indexed tags replace those an item has instead of being added.
        require_container_size: 400 for a listing without X-Plex-Container-Size.
        page_cap: a page never holds more items than this; 0 means as many as asked.
        bump_updated_at: edits move updatedAt.
        url_limit: 414 for longer request targets; 0 means any length is taken.
        picture_limit: 413 for larger pictures, in bytes.
        plex_pass: without it an edition title is refused with 400.
        multi_id_tree: the tree answers for several ids; without it that path is a 404.
        missing_is_empty: details of ids that are all gone are an empty container, not a 404.
        accept_tokens: without it every token is refused from now on with 401.
        fold_line_breaks: a stored text has its line breaks folded and its ends trimmed.
        forget_unused_tags: a tag no item wears any more is gone, and its picture with it.
        edits_by_item: items can be edited at their own address; without it that is a 404.
        ignore_edits_by_item: edits there are answered as if they were done.
        drop_edit_ids: a proxy in between loses the ids of edits at the address of a library.
        edits_land_at: the other item that edits are carried out on, by rating key.
        tree_hashes: the tree shows hashes; without it no file looks analysed.
        trash_moves_updated_at: an item that goes to the trash gets another updatedAt.
        trash_filter: `trash=1` lists what is in the trash; without it that filter is ignored.
        drop_empty_collections: a collection goes when its last member is taken out of it.

    Source: docs/plex-api.md 2, 3, 5, 6, whatever is marked [?] or [rep] there.
    """

    replace_tags: bool = False
    require_container_size: bool = False
    page_cap: int = 0
    bump_updated_at: bool = True
    url_limit: int = 0
    picture_limit: int = _TEN_MEGABYTES
    plex_pass: bool = True
    multi_id_tree: bool = True
    missing_is_empty: bool = False
    accept_tokens: bool = True
    fold_line_breaks: bool = False
    forget_unused_tags: bool = False
    edits_by_item: bool = True
    ignore_edits_by_item: bool = False
    drop_edit_ids: bool = False
    edits_land_at: Mapping[str, str] = field(default_factory=dict)
    tree_hashes: bool = True
    trash_moves_updated_at: bool = True
    trash_filter: bool = True
    drop_empty_collections: bool = False


@dataclass(frozen=True, slots=True)
class PlexWrite:
    """One request that meant to change something.

    Attributes:
        method: upper case.
        path: decoded, without the query.
        arguments: the query, decoded once, in the order sent.
        rating_keys: the items it changed.
    """

    method: str
    path: str
    arguments: tuple[tuple[str, str], ...]
    rating_keys: tuple[str, ...] = ()

    def argument(self, name: str) -> str | None:
        """Return the last value of one argument."""
        return next((value for key, value in reversed(self.arguments) if key == name), None)


@dataclass(slots=True)
class Misdeeds:
    """What a careful client never does, counted. Tests assert that all of it is 0.

    Attributes:
        unguarded_puts: edits without a non-empty id, which hit every item of the type.
        contradictory_puts: edits that add a tag they also remove.
        tokens_in_query: requests that carried their token in the address.
        costly_details: details with everything included, as plexapi reloads and costly_details.
        unpaged_listings: listings asked for in one piece.
        media_deletions: requests that would have deleted the files of an item.
    """

    unguarded_puts: int = 0
    contradictory_puts: int = 0
    tokens_in_query: int = 0
    costly_details: int = 0
    unpaged_listings: int = 0
    media_deletions: int = 0

    @property
    def total(self) -> int:
        """All of them together."""
        return (
            self.unguarded_puts
            + self.contradictory_puts
            + self.tokens_in_query
            + self.costly_details
            + self.unpaged_listings
            + self.media_deletions
        )


@dataclass(slots=True)
class Diary:
    """What came in that tests ask about: writes, scans and misdeeds."""

    writes: list[PlexWrite] = field(default_factory=list)
    scans: list[tuple[str, str]] = field(default_factory=list)
    misdeeds: Misdeeds = field(default_factory=Misdeeds)


class Identity(NamedTuple):
    """Who the server says it is."""

    machine: str = "5e5ea2c1b7d94d3fa2f0a1c6e8b49d07a3c15f62"
    name: str = "Simulated Plex"
    version: str = "1.43.1.10611-1e34174b1"


class RefusedError(Exception):
    """The request is answered with an error page."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """One request on its way to a handler.

    Attributes:
        request: as it came.
        captured: what the address pattern captured.
        owner: whether the token may write.
    """

    request: SimRequest
    captured: tuple[str, ...]
    owner: bool


@dataclass(slots=True)
class Parts:
    """Everything the handlers work on. Not thread-safe: the simulator holds the lock.

    Attributes:
        identity: who the server says it is.
        web: pictures on other hosts, by address, for uploads by `?url=`.
        on_scan: called with the library and the path a scan is asked for.
    """

    identity: Identity
    store: Store
    shelf: FragmentCache
    web: Mapping[str, bytes]
    on_scan: Callable[[LibrarySection, str], None]
    switches: Switches = field(default_factory=Switches)
    diary: Diary = field(default_factory=Diary)
    _selections: dict[tuple[object, ...], list[Item]] = field(default_factory=dict)
    _selected_at: int = -1

    def selection(
        self,
        section: LibrarySection,
        kind: MediaType | None,
        arguments: tuple[tuple[str, str], ...],
    ) -> list[Item]:
        """`plex_query.select`, remembered until anything changes, so that paging is cheap."""
        if self._selected_at != self.store.generation:
            self._selections.clear()
            self._selected_at = self.store.generation
        if not self.switches.trash_filter:
            arguments = tuple(one for one in arguments if one[0] != "trash")
        key = (section.key, kind, arguments)
        if key not in self._selections:
            self._selections[key] = select(section, kind, arguments)
        return self._selections[key]
