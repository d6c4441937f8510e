"""Collections, shows and seasons as the scenes would have them, and what is remembered of each."""

from __future__ import annotations

from enum import StrEnum

from plexsync.models.basis import Noun, RatingKey, RelatedId, SceneId
from plexsync.models.memory import KeptRecord
from plexsync.models.plex import SHOW_KINDS, ItemKind


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
        withheld: why it is left alone; None where it is not.
    """

    members: str = ""
    count: int = 0
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
