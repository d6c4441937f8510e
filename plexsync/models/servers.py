"""What both servers hold: ids and values, then the scenes of Stash and the items of Plex."""

from enum import StrEnum
from typing import NewType

import msgspec
from msgspec import field

from plexsync.errors import PlexsyncError

SceneId = NewType("SceneId", str)
"""Stash's id of a scene: decimal text; a cache, not an identity (a full import restarts it)."""

RatingKey = NewType("RatingKey", str)
"""Plex's id of an item: decimal text; a cache, not an identity (a moved file gets a new one)."""

RelatedId = NewType("RelatedId", str)
"""What a scene shows of another object in Stash: `t12` is tag 12, `p7` a performer, `s3` a studio,
`g1` a group. See `relations`."""

Value = str | tuple[str, ...]
"""What a field holds: one text, or a list of names. Dates are `YYYY-MM-DD`."""


def id_order(number: str) -> tuple[int, str]:
    """Return what sorts ids, which are decimal text, as numbers without making numbers of them."""
    return len(number), number


class Noun(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What all nouns share: frozen, made by keyword, not tracked by the cyclic collector."""


class Server(Noun, frozen=True):
    """A server as its identity request describes it.

    `identity` is Plex's machine identifier, or for Stash the path of its database.
    """

    url: str
    version: str
    identity: str = ""


class Outcome(StrEnum):
    """What became of a row. Source: docs/contract.md."""

    PLANNED = "planned"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REVIEW = "review"
    UNMATCHED = "unmatched"
    IGNORED = "ignored"
    SKIPPED = "skipped"
    FAILED = "failed"


class Problem(Noun, frozen=True):
    """An error as data: what a row, a state record or a JSON document holds of it."""

    kind: str
    message: str
    hint: str = ""


def as_problem(error: PlexsyncError) -> Problem:
    """Return an error as data, where it happened included in the message."""
    return Problem(kind=error.kind, message=str(error), hint=error.hint)


# ---- Stash ---------------------------------------------------------------------------------------


class StashField(StrEnum):
    """What plexsync can do without, by Stash's own names: some option needs it, or none does."""

    CODE = "Scene.code"
    DETAILS = "Scene.details"
    DIRECTOR = "Scene.director"
    RATING = "Scene.rating100"
    URLS = "Scene.urls"
    STASH_IDS = "Scene.stash_ids"
    COVER = "Scene.paths"
    STUDIO = "Scene.studio"
    GROUPS = "Scene.groups"
    SCENE_INDEX = "SceneGroup.scene_index"
    CUSTOM_FIELDS = "Scene.custom_fields"
    PERFORMERS = "Scene.performers"
    PARENT_STUDIO = "Studio.parent_studio"
    PARENT_TAGS = "Tag.parents"
    DISAMBIGUATION = "Performer.disambiguation"
    GENDER = "Performer.gender"
    ALIASES = "Performer.alias_list"
    IMAGE = "Performer.image_path"
    ALL_GROUPS = "Query.findGroups"


class SceneFile(Noun, frozen=True, array_like=True):
    """One video file of a scene, as Stash sees it.

    `oshash` is the 64-bit OpenSubtitles hash as an integer, because neither server promises zero
    padding.
    Source: docs/stash-api.md 3.1 (-1 and "unset" are decoded as None).
    """

    path: str
    size_bytes: int | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    oshash: int | None = None


class Scene(Noun, frozen=True, array_like=True):
    """What matching needs to know of a scene. `files` has the primary file first and may be empty.

    `shows`, its tags and its studio, and `filled`, the names of `stash.required` it has a value
    for, are there if asked for.
    `updated_at` is an opaque version text: compare it for inequality only (docs/stash-api.md 2.5).
    """

    scene_id: SceneId
    updated_at: str
    title: str = ""
    date: str = ""
    organized: bool = False
    files: tuple[SceneFile, ...] = ()
    shows: tuple[RelatedId, ...] = ()
    filled: tuple[str, ...] = ()


class Performer(Noun, frozen=True):
    """What Stash knows of a performer, as far as it may be shown.

    `gender` is Stash's word, such as `FEMALE`; `image_path` is path and query of the picture on the
    configured Stash, "" while there is none of their own.
    """

    performer_id: str
    name: str
    disambiguation: str = ""
    gender: str = ""
    aliases: tuple[str, ...] = ()
    image_path: str = ""


class RelatedDetail(Noun, frozen=True):
    """What a studio, group, performer or tag says of itself.

    `image_path` is path and query of its picture on the configured Stash; "" while there is none.
    """

    updated_at: str
    text: str = ""
    image_path: str = ""


class SceneDetail(Noun, frozen=True):
    """What a scene says about itself: the source of every desired field.

    `date` is `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or ""; `studios` runs from the scene's studio up to
    its parents; `scene_indexes` has its place in each of the `groups`; `parent_tags` are those
    above `tags`, as far as they were asked for; `cover_path` is path and query of the cover on the
    configured Stash; `related` holds what it shows of other objects, as the dictionary of
    `relations` has it, and `over` names those of it that are only above a tag or studio of its own;
    `cast` are the performers once more, with all that is known of them,
    `stash_ids` the address of each stash-box with its id for the scene, and `custom` the custom
    fields as texts, if these were asked for.
    """

    scene_id: SceneId
    updated_at: str
    title: str = ""
    code: str = ""
    details: str = ""
    director: str = ""
    date: str = ""
    rating100: int | None = None
    organized: bool = False
    urls: tuple[str, ...] = ()
    studios: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    scene_indexes: tuple[int | None, ...] = ()
    performers: tuple[str, ...] = ()
    cast: tuple[Performer, ...] = ()
    tags: tuple[str, ...] = ()
    parent_tags: tuple[str, ...] = ()
    files: tuple[SceneFile, ...] = ()
    cover_path: str = ""
    stash_ids: tuple[tuple[str, str], ...] = ()
    custom: dict[str, str] = field(default_factory=dict)
    related: dict[RelatedId, str] = field(default_factory=dict)
    over: frozenset[RelatedId] = frozenset()

    @property
    def is_blank(self) -> bool:
        """Whether nobody has curated it yet, as after a scan: it says what its file says."""
        names = self.studios or self.groups or self.performers or self.tags or self.urls
        texts = self.title or self.code or self.details or self.director or self.date
        return not (names or texts or self.rating100 or self.organized)


# ---- Plex ----------------------------------------------------------------------------------------


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


class Video(Noun, frozen=True, array_like=True):
    """What a file holds, by what tells that it is another video by now."""

    size_bytes: int | None = None
    duration_s: float | None = None


class PlexFile(Noun, frozen=True, array_like=True):
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


class PlexItem(Noun, frozen=True, array_like=True):
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

    @property
    def videos(self) -> tuple[Video, ...]:
        """What its files hold."""
        return tuple(
            [Video(size_bytes=one.size_bytes, duration_s=one.duration_s) for one in self.files]
        )


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
"""The fields that hold a list of names; the others hold one text."""

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

    @property
    def rating_key(self) -> RatingKey:
        """The key of the item."""
        return self.item.rating_key


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
