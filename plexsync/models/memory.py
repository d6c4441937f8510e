"""What is remembered from run to run: of scenes, and of collections, shows and seasons."""

from enum import StrEnum

from msgspec import field

from plexsync.models.servers import (
    SHOW_KINDS,
    ItemKind,
    Noun,
    Outcome,
    PlexField,
    Problem,
    RatingKey,
    RelatedId,
    SceneId,
)
from plexsync.models.telling import Confidence
from plexsync.models.wishes import Base


class PictureBase(Noun, frozen=True):
    """What we know of one picture of one item.

    Attributes:
        stamp: the part of the cover's address that moves with the scene, when the cover was
            compared last; while it stands, so does the cover.
        etag: Stash's tag of the cover `key` was made from; without a key, of that compared last.
        key: Plex's key of the picture we chose last; "" while none is ours.
        shown: what Plex showed, and the policy, when they were compared last; "" when not known.
        former: Plex's key of the picture of ours that `key` replaced; "" when there was none. An
            undo brings that one back, and no person chose it. Also that of another one an undo
            brought back, where it could not lift the lock that came of it; `none` for no picture.
        made: how `key` was made of the cover, see `padding.recipe`; "" for as it is.
    """

    stamp: str
    etag: str = ""
    key: str = ""
    shown: str = ""
    made: str = ""
    former: str = ""


class Link(Noun, frozen=True):
    """A remembered scene-item pair.

    Valid while the item still holds `path`; `base` and `pictures` are by target
    field. `held` has, by target field,
    the digest of what Stash wanted when a person took it back with an undo: while Stash wants just
    that, a run leaves the field alone unless asked to look at the scene or at everything.
    `inherited` says that an earlier scene gave the item what `base` knows of, and that nobody has
    curated this one yet. `above` names the season and the show of an episode, where these are
    written to.
    """

    rating_key: RatingKey
    section_id: str
    path: str
    confidence: Confidence = Confidence.HIGH
    base: dict[PlexField, Base] = field(default_factory=dict)
    held: dict[PlexField, str] = field(default_factory=dict)
    pictures: dict[PlexField, PictureBase] = field(default_factory=dict)
    inherited: bool = False
    above: tuple[RatingKey, ...] = ()


class KeptRecord(Noun, frozen=True):
    """What we remember of what is kept in step with the scenes: a collection, a show, a season.

    Attributes:
        link: it, and what we last applied to it; without a rating key there is none.
        title: the title it was to have last.
        wanted: digest of all that was wanted when it was handled last; "" while it is due.
        attempts: tries in a row that failed.
        due_at: ISO time before which it is not tried again, unless something else is wanted; ""
            while it does not wait.
        problem: why the last try failed.
    """

    link: Link
    title: str = ""
    wanted: str = ""
    attempts: int = 0
    due_at: str = ""
    problem: Problem | None = None

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing is written to it."""
        return False


WITHOUT_ITEM = frozenset({Outcome.IGNORED, Outcome.UNMATCHED, Outcome.REVIEW})
"""How a scene ended that goes to no item: those it had before do not count."""


class SceneRecord(Noun, frozen=True):
    """What we remember of one scene.

    Attributes:
        updated_at: the version text that was handled last; "" while none was.
        files: digest of the scene's files when `links` were decided; another digest means: match
        again.
        desired: digest of the desired fields that were handled last.
        outcome: how the last attempt ended.
        links: the items the scene is written to.
        attempts: tries in a row that did not end well (failed or unmatched).
        due_at: ISO time before which the scene is not tried again; "" when it is not waiting.
        problem: why the last attempt failed.
        related: the tags, performers, studios and groups it showed then; see `join_related`.
        marks: its rating and whether it was organized, as `marks_of` writes them; "" while no
        collection is made from those.
        year: of its date; "" where it has none, and while seasons are left alone.
    """

    updated_at: str
    outcome: Outcome
    files: str = ""
    desired: str = ""
    links: tuple[Link, ...] = ()
    attempts: int = 0
    due_at: str = ""
    problem: Problem | None = None
    related: str = ""
    marks: str = ""
    year: str = ""


# ---- Collections ---------------------------------------------------------------------------------


class CollectionKind(StrEnum):
    """What a collection may be made from. In this order one title goes to the first."""

    STUDIO = "studio"
    GROUP = "group"
    PERFORMER = "performer"
    TAG = "tag"
    RATING = "rating"
    ORGANIZED = "organized"


MARKED_KINDS = frozenset({CollectionKind.RATING, CollectionKind.ORGANIZED})
"""The kinds that a scene's record tells of by its marks."""

RELATED_KINDS = {
    "s": CollectionKind.STUDIO,
    "g": CollectionKind.GROUP,
    "p": CollectionKind.PERFORMER,
    "t": CollectionKind.TAG,
}
"""The kinds that are objects in Stash, by how their ids begin; see `RelatedId`."""

_LETTERS = {kind: letter for letter, kind in RELATED_KINDS.items()}


class CollectionSource(Noun, frozen=True, order=True):
    """What a collection is made from: an object in Stash, a number of stars, or being organized."""

    kind: CollectionKind
    number: str = ""

    @property
    def text(self) -> str:
        """How it is written: `studio:12`, `organized`."""
        return f"{self.kind}:{self.number}" if self.number else self.kind.value

    @property
    def related(self) -> RelatedId | None:
        """The object in Stash; None where there is none."""
        letter = _LETTERS.get(self.kind)
        return RelatedId(f"{letter}{self.number}") if letter else None


class CollectionWish(Noun, frozen=True):
    """A collection of one library, as the scenes would have it.

    `members` are the items, in the order of their keys; `kind` is what they are.
    """

    source: CollectionSource
    section_id: str
    kind: ItemKind
    name: str
    title: str
    sort_title: str = ""
    members: tuple[RatingKey, ...] = ()

    @property
    def key(self) -> SceneId:
        """What stands for it where others have a scene's id."""
        return collection_key(self.section_id, self.source)


class Withheld(StrEnum):
    """Why a collection is left alone.

    TAKEN: Plex has one of that title that plexsync did not make. UNDONE: a person took it back.
    DELETED: a person deleted it in Plex.
    """

    TAKEN = "taken"
    UNDONE = "undone"
    DELETED = "deleted"


class CollectionRecord(KeptRecord, frozen=True):
    """What we remember of one collection.

    Attributes:
        members: digest of the members that were wanted when it was handled last.
        count: how many members Plex had then.
        unknown: those of which nothing was known then, as of scenes that take no part.
        withheld: why it is left alone; None where it is not.
    """

    members: str = ""
    count: int = 0
    unknown: tuple[RatingKey, ...] = ()
    withheld: Withheld | None = None

    @property
    def is_left_alone(self) -> bool:
        """Whether it is neither made nor touched."""
        return self.withheld is not None


def collection_key(section_id: str, source: CollectionSource) -> SceneId:
    """Return what stands for a collection where others have a scene's id: `3.studio:12`."""
    return SceneId(f"{section_id}.{source.text}")


def source_in(key: str) -> CollectionSource | None:
    """Return what a collection is made from, of what `collection_key` made; None for a scene."""
    _, dot, text = key.partition(".")
    if not dot:
        return None
    kind, _, number = text.partition(":")
    return CollectionSource(kind=CollectionKind(kind), number=number)


# ---- Shows and seasons ---------------------------------------------------------------------------


class ShowWish(Noun, frozen=True):
    """A show or season, as the scenes of its episodes would have it.

    Attributes:
        kind: SHOW or SEASON.
        rating_key: which it is.
        section_id: its library.
        studio: the one studio all of its scenes are of; None where it is left alone.
        title: what it is to be called.
        year: of a season, the year of all of its scenes.
        apart: why it is left alone; "" where it is not.
    """

    kind: ItemKind
    rating_key: RatingKey
    section_id: str
    studio: RelatedId | None = None
    title: str = ""
    year: str = ""
    apart: str = ""

    @property
    def key(self) -> SceneId:
        """What stands for it where others have a scene's id."""
        return show_key(self.kind, self.rating_key)


class ShowRecord(KeptRecord, frozen=True):
    """What we remember of one show or season.

    Attributes:
        year: of a season, the year it was taken for.
        apart: why it is left alone; "" where it is not.
    """

    year: str = ""
    apart: str = ""

    @property
    def is_left_alone(self) -> bool:
        """Whether it keeps what it has."""
        return bool(self.apart)


def show_key(kind: ItemKind, rating_key: RatingKey) -> SceneId:
    """Return what stands for a show or season where others have a scene's id: `season:77`."""
    return SceneId(f"{kind}:{rating_key}")


def is_show_key(key: str) -> bool:
    """Return whether a key is one that `show_key` made."""
    return key.startswith(_STARTS)


def is_kept(key: str) -> bool:
    """Return whether a key stands for a collection, show or season, and for no scene."""
    return "." in key or is_show_key(key)


def noun_of(key: str) -> str:
    """Return what a key stands for, for people: a scene, a collection, a show or a season."""
    if is_show_key(key):
        return key.partition(":")[0]
    return "collection" if "." in key else "scene"


_STARTS = tuple(f"{kind}:" for kind in sorted(SHOW_KINDS))
