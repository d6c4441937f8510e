"""Parts of a row, each as much as one question needs: decoding less of it costs less.

There is a row for every scene of the library, so what a run asks of all of them is asked by a
decoder that skips the rest. The order of the values is that of `row.py`.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from plexsync.models import Outcome, RatingKey, SceneId
from plexsync.storage.journal import UNREADABLE
from plexsync.storage.scenes.digests import unpack_digest

T = TypeVar("T")


class RowError(ValueError):
    """A row that is not what plexsync writes.

    Attributes:
        scene_id: the scene it is of.
    """

    def __init__(self, scene_id: SceneId, error: Exception) -> None:
        super().__init__(str(error))
        self.scene_id = scene_id


class RowView(Generic[T]):
    """A part of a row: decoding less of it costs less.

    Args:
        type_: what it is decoded into; a row's first values.
    """

    def __init__(self, type_: type[T]) -> None:
        self._one = msgspec.json.Decoder(type_)
        self._many = msgspec.json.Decoder(dict[SceneId, type_])  # type: ignore[valid-type] # made at run time

    def of(self, scene_id: SceneId, row: bytes) -> T:
        """Return the part of one row.

        Raises:
            RowError: it is not what plexsync writes.
        """
        try:
            return self._one.decode(row)
        except UNREADABLE as error:
            raise RowError(scene_id, error) from error

    def of_all(self, rows: bytes) -> dict[SceneId, T]:
        """Return the part of each of several rows, a JSON object.

        Raises:
            msgspec.DecodeError: one is not what plexsync writes.
            UnicodeDecodeError: likewise.
        """
        return self._many.decode(rows)


class _Waits(msgspec.Struct, array_like=True, gc=False):
    """As much of a row as says whether the scene waits."""

    outcome: Outcome


class _Version(msgspec.Struct, array_like=True, gc=False):
    """As much of a row as says what was handled."""

    outcome: msgspec.Raw
    links: msgspec.Raw
    updated_at: str


class _Related(_Version, array_like=True, gc=False):
    """As much of a row as says what the scene showed of other objects."""

    related: str = ""


class _Files(_Related, array_like=True, gc=False):
    """As much of a row as says which files were matched, as a digest in hex digits."""

    files: str = ""

    def __post_init__(self) -> None:
        self.files = unpack_digest(self.files)


class _LinkAbove(msgspec.Struct, array_like=True, gc=False):
    """As much of a link as says which item it is about, and what stands above that."""

    rating_key: RatingKey
    section_id: str
    folder: int
    path: str
    base: msgspec.Raw = msgspec.Raw()
    pictures: msgspec.Raw = msgspec.Raw()
    above: tuple[RatingKey, ...] = ()


class LinkPlace(msgspec.Struct, array_like=True, gc=False):
    """As much of a link as says which file it is about: `path` is below folder number `folder`."""

    rating_key: RatingKey
    section_id: str
    folder: int
    path: str


class Links(msgspec.Struct, array_like=True, gc=False):
    """As much of a row as says where the scene's items are, and whether that stands."""

    outcome: Outcome
    links: tuple[LinkPlace, ...]


class LinkedItem(msgspec.Struct, array_like=True, gc=False):
    """As much of a link as says which item it is about."""

    rating_key: RatingKey
    section_id: str


class SceneStanding(msgspec.Struct, array_like=True, gc=False):
    """As much of a row as `status` counts."""

    outcome: Outcome
    links: tuple[LinkedItem, ...]


class Placed(msgspec.Struct, array_like=True, gc=False):
    """As much of a row as says what the scene's items are members of, and what stands above."""

    outcome: Outcome
    links: tuple[_LinkAbove, ...]
    updated_at: str
    related: str = ""
    files: str = ""
    desired: str = ""
    marks: str = ""
    year: str = ""


PLACED = RowView(Placed)
WAITS = RowView(_Waits)
STANDING = RowView(SceneStanding)
VERSION = RowView(_Version)
RELATED = RowView(_Related)
FILES = RowView(_Files)
LINKS = RowView(Links)
