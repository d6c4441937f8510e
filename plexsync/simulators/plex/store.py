"""What the simulated Plex server remembers: libraries, items, versions, tags, pictures.

Plain mutable records: a server's memory. Names follow Plex's wire words, because this side of the
wire speaks them. Times are epoch seconds and durations milliseconds, as Plex keeps them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from plexsync.simulators.library.records import PlexMedia, PlexPart

ARTICLES = ("the ", "a ", "an ")
"""What Plex drops from the front of a title to sort by it. Source: docs/plex-api.md 6."""


class MediaType(IntEnum):
    """The item types of the wire's `type=`. Source: docs/plex-api.md 2."""

    MOVIE = 1
    SHOW = 2
    SEASON = 3
    EPISODE = 4
    ARTIST = 8
    PHOTO = 13
    COLLECTION = 18


@dataclass(frozen=True, slots=True)
class TagKind:
    """One kind of tag.

    Attributes:
        field: how edits, filters and locks name it.
        element: how answers name it.
        listed: how many of them a listing shows; 0: none. Source: docs/plex-api.md 2.
    """

    field: str
    element: str
    listed: int


TAG_KINDS = {
    kind.field: kind
    for kind in (
        TagKind("genre", "Genre", 2),
        TagKind("country", "Country", 2),
        TagKind("director", "Director", 2),
        TagKind("writer", "Writer", 2),
        TagKind("producer", "Producer", 0),
        TagKind("collection", "Collection", 3),
        TagKind("label", "Label", 0),
        TagKind("actor", "Role", 3),
    )
}
"""Every kind of tag by its edit name, in the order answers list them."""

TEXT_FIELDS = frozenset(
    {
        "title",
        "titleSort",
        "originalTitle",
        "summary",
        "tagline",
        "studio",
        "contentRating",
        "originallyAvailableAt",
        "editionTitle",
        "rating",
        "audienceRating",
        "year",
    }
)
"""The fields an item holds as text. Source: docs/plex-api.md 5."""


@dataclass(slots=True)
class Tag:
    """One tag of the server, shared by every item that wears it, its picture included."""

    tag_id: int
    kind: str
    name: str
    thumb: str = ""


@dataclass(slots=True)
class Tagging:
    """A tag on an item; `role` is an actor's part."""

    tag: Tag
    role: str = ""


@dataclass(slots=True)
class PictureSet:
    """The pictures of one kind (posters or backgrounds) an item can choose from."""

    keys: list[str] = field(default_factory=list)
    selected: str = ""


@dataclass(slots=True)
class LibrarySection:
    """One library of the server."""

    key: int
    title: str
    kind: MediaType
    agent: str
    scanner: str
    language: str
    uuid: str
    locations: list[tuple[int, str]]
    created_at: int
    updated_at: int
    scanned_at: int
    content_changed_at: int
    refreshing: bool = False
    items: dict[int, Item] = field(default_factory=dict)

    @property
    def is_personal(self) -> bool:
        """Whether this is an "Other Videos" library: no agent, items are clips."""
        return self.agent.endswith(".none")


@dataclass(slots=True)
class Item:
    """One thing in a library. `fields` holds what is set of `TEXT_FIELDS`; absent means empty.

    The last five are those of a collection: the tag its members wear, of which kind they are, how
    many there were when it was asked for last, whether a filter chooses them, and its preferences.
    """

    rating_key: int
    section: LibrarySection
    kind: MediaType
    guid: str
    fields: dict[str, str]
    tags: dict[str, list[Tagging]]
    media: tuple[PlexMedia, ...]
    added_at: int
    updated_at: int
    subtype: str = ""
    locks: set[str] = field(default_factory=set)
    deleted_at: int = 0
    user_rating: float | None = None
    view_count: int = 0
    parent: Item | None = None
    index: int = 0
    children: list[Item] = field(default_factory=list)
    posters: PictureSet = field(default_factory=PictureSet)
    arts: PictureSet = field(default_factory=PictureSet)
    worn_as: Tag | None = None
    holds: MediaType | None = None
    member_count: int = 0
    smart: bool = False
    prefs: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The title; never absent on the wire."""
        return self.fields.get("title", "")

    @property
    def sort_title(self) -> str:
        """What the item sorts by: its own sort title, or the title without a leading article."""
        own = self.fields.get("titleSort", "")
        return own or without_article(self.title)

    @property
    def parts(self) -> Iterator[PlexPart]:
        """Every file of every version."""
        return (part for media in self.media for part in media.parts)

    @property
    def duration_ms(self) -> int | None:
        """The first version's duration."""
        return self.media[0].duration_ms if self.media else None


def without_article(title: str) -> str:
    """`title` as Plex sorts it when no sort title is set."""
    lowered = title.lower()
    for article in ARTICLES:
        if lowered.startswith(article):
            return title[len(article) :]
    return title


def nocase(name: str) -> bytes:
    """`name` as SQLite's NOCASE collation compares it: ASCII letters alone are folded."""
    return name.encode("utf-8", "surrogatepass").lower()


def picture_key(folder: str, picture: bytes) -> str:
    """Return the key Plex gives an uploaded picture. Source: docs/plex-api.md 5, "Poster"."""
    return f"upload://{folder}/{hashlib.sha1(picture, usedforsecurity=False).hexdigest()}"


class Store:
    """Everything the server knows. Not thread-safe: the simulator holds the lock.

    Attributes:
        sections: the libraries by key.
        items: all items by rating key.
        pictures: uploaded pictures by their key.
        above: shows and seasons by library, parent and title.
        collections: the items of collections that were looked at, by the id of their tag.
        generation: grows whenever any answer may differ.

    Args:
        now: the server's clock, whole epoch seconds.
        changed: called with every item that may read differently now; None means all of them.
    """

    def __init__(self, *, now: Callable[[], int], changed: Callable[[Item | None], None]) -> None:
        self.sections: dict[int, LibrarySection] = {}
        self.items: dict[int, Item] = {}
        self.pictures: dict[str, bytes] = {}
        self.above: dict[tuple[int, int, str], Item] = {}
        self.collections: dict[int, Item] = {}
        self.generation = 0
        self._tags: dict[tuple[str, int, bytes], Tag] = {}
        self._wearing: dict[tuple[str, int], dict[int, list[Item]]] = {}
        self._wearing_at = -1
        self._change_counter = 0
        self._last_id = 0
        self._now = now
        self._changed = changed

    def next_id(self) -> int:
        """Return a number no item, version, part or tag had before."""
        self._last_id += 1
        return self._last_id

    def reserve(self, used: int) -> None:
        """Numbers up to `used` are taken."""
        self._last_id = max(self._last_id, used)

    def now(self) -> int:
        """Return the server's time."""
        return self._now()

    def add_section(self, section: LibrarySection) -> None:
        """Make a library known."""
        self.sections[section.key] = section
        self._change_counter = max(self._change_counter, section.content_changed_at)

    def add(self, item: Item) -> None:
        """Put an item into its library."""
        self.reserve(item.rating_key)
        self.items[item.rating_key] = item
        item.section.items[item.rating_key] = item
        if item.parent is not None:
            item.parent.children.append(item)
            self._redraw_above(item)
        self.touch(item)

    def remove(self, item: Item) -> None:
        """Take an item and what hangs below it out of its library."""
        for child in list(item.children):
            self.remove(child)
        del self.items[item.rating_key]
        del item.section.items[item.rating_key]
        if item.parent is not None:
            item.parent.children.remove(item)
            self._redraw_above(item)
        self.touch(item)

    def touch(self, item: Item, *, stamp: bool = False) -> None:
        """Note that an item changed: its library's counter moves and, if asked, its updatedAt."""
        self._change_counter += 1
        item.section.content_changed_at = self._change_counter
        if stamp:
            item.updated_at = max(item.updated_at, self.now())
        self.redraw(item)

    def redraw(self, item: Item) -> None:
        """Note that an item reads differently, and what repeats its title and pictures."""
        self.generation += 1
        self._changed(item)
        for child in item.children:
            self.redraw(child)

    def redraw_all(self) -> None:
        """Note that something many items show reads differently."""
        self.generation += 1
        self._changed(None)

    def tag(self, kind: str, name: str, section: LibrarySection) -> Tag:
        """Return the one tag of that kind and name, made if it is new.

        The first spelling wins, letters compare as ASCII NOCASE, a new label gets a capital, and
        collections are per library. Source: docs/plex-api.md 5, "Tags".
        """
        capital = name[:1].upper()
        shown = capital + name[1:] if kind == "label" and len(capital) == 1 else name
        # The row has the name that is shown, so that one is what another spelling is compared with.
        key = (kind, section.key if kind == "collection" else 0, nocase(shown))
        tag = self._tags.get(key)
        if tag is None:
            tag = self._tags[key] = Tag(self.next_id(), kind, shown)
        return tag

    def collection_tags(self, section: LibrarySection) -> list[Tag]:
        """Return the tags that stand for collections of a library."""
        wanted = ("collection", section.key)
        return [tag for key, tag in self._tags.items() if key[:2] == wanted]

    def drop_collection_tag(self, tag: Tag, section: LibrarySection) -> None:
        """Forget the tag of a collection."""
        del self._tags["collection", section.key, nocase(tag.name)]
        self.collections.pop(tag.tag_id, None)

    def rename_collection_tag(self, tag: Tag, section: LibrarySection, name: str) -> None:
        """Give the tag of a collection another name, which every item that wears it shows."""
        del self._tags["collection", section.key, nocase(tag.name)]
        tag.name = name
        self._tags["collection", section.key, nocase(name)] = tag

    def wearing(self, kind: str, section: LibrarySection) -> dict[int, list[Item]]:
        """Return the items of a library by the ids of the tags of a kind they wear."""
        if self._wearing_at != self.generation:
            self._wearing.clear()
            self._wearing_at = self.generation
        found = self._wearing.get((kind, section.key))
        if found is None:
            found = self._wearing[kind, section.key] = {}
            for item in section.items.values():
                for worn in item.tags.get(kind, ()):
                    found.setdefault(worn.tag.tag_id, []).append(item)
        return found

    def forget_unused_tags(self) -> None:
        """Drop the tags no item wears."""
        worn = {
            id(one.tag)
            for item in self.items.values()
            for several in item.tags.values()
            for one in several
        }
        self._tags = {
            key: tag
            for key, tag in self._tags.items()
            if id(tag) in worn or tag.tag_id in self.collections
        }

    def _redraw_above(self, item: Item) -> None:
        """Forget the answers that count the item."""
        above = item.parent
        while above is not None:
            self._changed(above)
            above = above.parent

    def taggings(self, kind: str, names: Iterable[str], section: LibrarySection) -> list[Tagging]:
        """`names` as taggings, each tag once, in order."""
        tags = {id(tag): tag for tag in (self.tag(kind, name, section) for name in names)}
        return [Tagging(tag) for tag in tags.values()]
