"""Shows and seasons of Plex as the scenes of their episodes would have them, and what is known."""

from __future__ import annotations

from plexsync.models.basis import Noun, RatingKey, RelatedId, SceneId
from plexsync.models.memory import KeptRecord
from plexsync.models.plex import SHOW_KINDS, ItemKind


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


def noun_of(key: str) -> str:
    """Return what a key stands for, for people: a scene, a collection, a show or a season."""
    if is_show_key(key):
        return key.partition(":")[0]
    return "collection" if "." in key else "scene"


_STARTS = tuple(f"{kind}:" for kind in sorted(SHOW_KINDS))
