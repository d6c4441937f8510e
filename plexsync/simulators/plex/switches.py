"""What a test can switch about the simulated Plex server, and what it can look up afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

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
        tree_hashes: the tree shows hashes; without it no file looks analysed.

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
    tree_hashes: bool = True


@dataclass(frozen=True, slots=True)
class PlexWrite:
    """One request that meant to change something.

    Attributes:
        method: upper case.
        path: decoded, without the query.
        arguments: the query, decoded once, in the order sent.
        rating_keys: the items it changed.
        body_bytes: how much it carried.
    """

    method: str
    path: str
    arguments: tuple[tuple[str, str], ...]
    rating_keys: tuple[str, ...] = ()
    body_bytes: int = 0

    def argument(self, name: str) -> str | None:
        """The last value of one argument."""
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
    """

    unguarded_puts: int = 0
    contradictory_puts: int = 0
    tokens_in_query: int = 0
    costly_details: int = 0
    unpaged_listings: int = 0

    @property
    def total(self) -> int:
        """All of them together."""
        return (
            self.unguarded_puts
            + self.contradictory_puts
            + self.tokens_in_query
            + self.costly_details
            + self.unpaged_listings
        )


@dataclass(slots=True)
class Diary:
    """What came in that tests ask about: writes, scans and misdeeds."""

    writes: list[PlexWrite] = field(default_factory=list)
    scans: list[tuple[str, str]] = field(default_factory=list)
    misdeeds: Misdeeds = field(default_factory=Misdeeds)
