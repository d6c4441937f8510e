"""What Plex holds: items, their files, fields and pictures, and the libraries they are in."""

from __future__ import annotations

from enum import StrEnum

from msgspec import field

from plexsync.models.basis import Noun, RatingKey, Value


class ItemKind(StrEnum):
    """The kinds of item plexsync writes to. Source: docs/plex-api.md 4."""

    MOVIE = "movie"
    EPISODE = "episode"
    COLLECTION = "collection"
    SHOW = "show"
    SEASON = "season"


VIDEO_KINDS = frozenset({ItemKind.MOVIE, ItemKind.EPISODE})
"""The kinds that have files, so that scenes are linked to them."""

SHOW_KINDS = frozenset({ItemKind.SHOW, ItemKind.SEASON})
"""What stands above an episode."""


class PlexFile(Noun, frozen=True):
    """One part of an item, as Plex sees it.

    `changed_at` is the change stamp in the part's key; `stacked` says that the part is one of
    several that make up one version, so its size and duration are not the whole video's.
    """

    path: str
    size_bytes: int | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    part_id: int = 0
    changed_at: int = 0
    stacked: bool = False


class PlexItem(Noun, frozen=True):
    """What matching needs to know of an item.

    Optimised versions are not among `files`; `updated_at` is an epoch. `stash_id` is the scene an
    agent or provider matched it to, as its GUID says; "" for none.
    """

    rating_key: RatingKey
    section_id: str
    kind: ItemKind
    title: str = ""
    date: str = ""
    files: tuple[PlexFile, ...] = ()
    trashed: bool = False
    updated_at: int = 0
    stash_id: str = ""


class PlexField(StrEnum):
    """The fields of an item plexsync can write; the client knows Plex's names for them."""

    TITLE = "title"
    SORT_TITLE = "sort_title"
    ORIGINAL_TITLE = "original_title"
    SUMMARY = "summary"
    TAGLINE = "tagline"
    DATE = "date"
    STUDIO = "studio"
    CONTENT_RATING = "content_rating"
    RATING = "rating"
    GENRES = "genres"
    ACTORS = "actors"
    DIRECTORS = "directors"
    LABELS = "labels"
    COLLECTIONS = "collections"
    POSTER = "poster"
    BACKGROUND = "background"
    EXISTENCE = "existence"
    MEMBERS = "members"
    MODE = "mode"


LIST_FIELDS = frozenset(
    {
        PlexField.GENRES,
        PlexField.ACTORS,
        PlexField.DIRECTORS,
        PlexField.LABELS,
        PlexField.COLLECTIONS,
        PlexField.MEMBERS,
    }
)
"""The fields whose value is a list of names; the others hold one text."""

COLLECTION_FIELDS = frozenset({PlexField.EXISTENCE, PlexField.MEMBERS, PlexField.MODE})
"""The fields only a collection has, each written by a request of its own.

Whether it is there at all: `MADE` or ""; the rating keys of its members; and how it is shown: "" as
the library has it, or `hide`, `hide_items`, `show_items`.
"""

MADE = "made"
"""What the existence of a collection is as a text."""

PICTURE_FIELDS = frozenset({PlexField.POSTER, PlexField.BACKGROUND})
"""The fields that are pictures: chosen from those an item has, not written by an edit.

As a text, in a change, a picture is the key Plex knows it by.
"""


class Credit(Noun, frozen=True):
    """How an actor is credited: the part played in an item, and the address of the name's picture.

    None, in what is to be written, means that it is not spoken of; see `credits`.
    """

    role: str | None = None
    photo: str | None = None


class ItemDetail(Noun, frozen=True):
    """A fresh, full read of one item.

    What planning compares and what a write is checked against. `shown` is the address of each
    picture: while it stands, so does the picture; but it moves for other reasons, too. `credits`
    are those of its actors that have any, by `tag_key`. Of a collection `member_count` says how
    many members it has, and `smart` that a filter chooses them. `above` names the season and the
    show of an episode, and the show of a season, which has a `number`.
    """

    item: PlexItem
    values: dict[PlexField, Value]
    locked: frozenset[PlexField] = frozenset()
    shown: dict[PlexField, str] = field(default_factory=dict)
    credits: dict[str, Credit] = field(default_factory=dict)
    member_count: int = 0
    smart: bool = False
    above: tuple[RatingKey, ...] = ()
    number: int = 0


class Picture(Noun, frozen=True):
    """One of the posters or backgrounds an item can choose from, by Plex's key for it."""

    key: str
    selected: bool = False


class Section(Noun, frozen=True):
    """One Plex library.

    The three counters are hints that something changed (docs/plex-api.md 3).
    """

    section_id: str
    title: str
    kind: ItemKind
    uuid: str = ""
    agent: str = ""
    locations: tuple[str, ...] = ()
    refreshing: bool = False
    content_changed_at: int = 0
    scanned_at: int = 0
    updated_at: int = 0
