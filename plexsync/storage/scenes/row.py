"""A record as a row: its values in a fixed order, without names, the last ones left out if usual.

    [outcome, links, updated_at, related, files, desired, marks, year, attempts, due_at, problem]
    a link: [rating_key, section_id, folder, path,
             base, pictures, above, held, inherited, confidence]
    base: one cell a field, in the order of `FIELDS`: 0, a digest, or
          [digest, entries, seen, wanted, credits]; of a value that was found the digest begins
          with "!", or is the negative of a number
    a picture: [stamp, etag, key, shown, made, former]

Nothing is lost: the record a row is read as is the one it was made of. In a checkpoint texts that
many rows have are numbers, see `texts.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from plexsync.models import (
    Base,
    Confidence,
    Link,
    Outcome,
    PictureBase,
    PlexField,
    Problem,
    RatingKey,
    SceneRecord,
)
from plexsync.storage.scenes.texts import Entries, SharedTexts, pack_digest, unpack_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

L = TypeVar("L")

FIELDS = (
    PlexField.TITLE,
    PlexField.SUMMARY,
    PlexField.GENRES,
    PlexField.ACTORS,
    PlexField.STUDIO,
    PlexField.DATE,
    PlexField.COLLECTIONS,
    PlexField.SORT_TITLE,
    PlexField.ORIGINAL_TITLE,
    PlexField.TAGLINE,
    PlexField.CONTENT_RATING,
    PlexField.RATING,
    PlexField.DIRECTORS,
    PlexField.LABELS,
    PlexField.POSTER,
    PlexField.BACKGROUND,
    PlexField.EXISTENCE,
    PlexField.MEMBERS,
    PlexField.MODE,
)
"""The fields in the order of their cells, those most people write first. New ones go to the end."""

_SHARED = tuple(
    FIELDS.index(field)
    for field in (
        PlexField.STUDIO,
        PlexField.DATE,
        PlexField.COLLECTIONS,
        PlexField.CONTENT_RATING,
        PlexField.RATING,
    )
)
"""The cells of fields with values that many items have."""

_BASE_AT = 4
_ENTRIES_AND_SEEN = slice(1, 3)

_FOUND = "!"
"""What the digest of a value begins with that Plex held before plexsync wrote it."""

_UPLOAD = "upload://posters/"
"""What the keys of uploaded pictures begin with; a digest follows."""


# ---- What a row has, in order --------------------------------------------------------------------


class _Cell(msgspec.Struct, array_like=True, gc=False):
    """What is remembered of one field; see `Base`."""

    digest: int | str
    entries: Entries = ""
    seen: Entries = ""
    wanted: str = ""
    credits: str = ""


class _Picture(msgspec.Struct, array_like=True, gc=False):
    """See `PictureBase`. Of an uploaded picture's key there is the digest alone, in a list.

    Likewise of `shown`, where that is a picture of the item itself: a list of the policy and how
    the path goes on.
    """

    stamp: str
    etag: str = ""
    key: str | tuple[str] = ""
    shown: str | tuple[str, str] = ""
    made: str = ""
    former: str | tuple[str] = ""


class LinkPlace(msgspec.Struct, array_like=True, gc=False):
    """As much of a link as says which file it is about: `path` is below folder number `folder`."""

    rating_key: RatingKey
    section_id: str
    folder: int
    path: str


class _LinkAbove(LinkPlace, array_like=True, gc=False):
    """As much of a link as says which item it is about, and what stands above that."""

    base: msgspec.Raw = msgspec.Raw()
    pictures: msgspec.Raw = msgspec.Raw()
    above: tuple[RatingKey, ...] = ()


class _Link(LinkPlace, array_like=True, gc=False):
    base: tuple[int | str | _Cell, ...] = ()
    pictures: dict[PlexField, _Picture] = {}
    above: tuple[RatingKey, ...] = ()
    held: dict[PlexField, str] = {}
    inherited: bool = False
    confidence: Confidence = Confidence.HIGH


class Links(msgspec.Struct, array_like=True, gc=False):
    """As much of a row as says where the scene's items are, and whether that stands."""

    outcome: Outcome
    links: tuple[LinkPlace, ...]


class _RowStart(msgspec.Struct, Generic[L], array_like=True, gc=False):
    """How a row begins, with as much of its links as is wanted; `files` is packed."""

    outcome: Outcome
    links: L
    updated_at: str
    related: str = ""
    files: str = ""


class RowHead(_RowStart[msgspec.Raw], array_like=True, gc=False):
    """As much of a row as says what was handled; `links` is not decoded."""


class _RowValues(_RowStart[L], Generic[L], array_like=True, gc=False):
    """As much of a row as says what was wanted of the scene, too."""

    desired: str = ""
    marks: str = ""
    year: str = ""


class Placed(_RowValues[tuple[_LinkAbove, ...]], array_like=True, gc=False):
    """As much of a row as says what the scene's items are members of, and what stands above."""


class _Row(_RowValues[tuple[_Link, ...]], array_like=True, gc=False):
    attempts: int = 0
    due_at: str = ""
    problem: Problem | None = None


# ---- Writing and reading -------------------------------------------------------------------------

_DECODER = msgspec.json.Decoder(_Row)
_ENCODER = msgspec.json.Encoder()
_NO_SHARED_TEXTS = SharedTexts()
_NOTHING: dict[PlexField, Any] = {}
"""Stands for each part of a link that a bare record leaves out."""


def encode_row(record: SceneRecord) -> bytes:
    """Return the row of a record, everything written out."""
    row = _trimmed(
        3,
        record.outcome,
        [_link_row(link) for link in record.links],
        record.updated_at,
        record.related,
        pack_digest(record.files),
        pack_digest(record.desired),
        record.marks,
        record.year,
        record.attempts,
        record.due_at,
        record.problem,
    )
    return _ENCODER.encode(row)


def decode_row(
    row: bytes, texts: SharedTexts = _NO_SHARED_TEXTS, *, bare: bool = False
) -> SceneRecord:
    """Return the record of a row; a bare one knows nothing of the fields of its items.

    Raises:
        msgspec.DecodeError: it is none.
    """
    read = _DECODER.decode(row)
    try:
        links = tuple([_link(link, texts, bare=bare) for link in read.links])
        files, desired = unpack_digest(read.files), unpack_digest(read.desired)
    except (ValueError, IndexError) as error:
        raise msgspec.DecodeError(f"a digest or a number stands for nothing: {error}") from error
    return SceneRecord(
        updated_at=read.updated_at,
        outcome=read.outcome,
        files=files,
        desired=desired,
        links=links,
        attempts=read.attempts,
        due_at=read.due_at,
        problem=read.problem,
        related=read.related,
        marks=read.marks,
        year=read.year,
    )


def share_row(row: bytes, texts: SharedTexts) -> bytes:
    """Return a row as a checkpoint has it, of one in which some of it is written out."""
    values = msgspec.json.decode(row)
    for link in values[1]:
        if not link[2]:
            link[2], link[3] = texts.place(link[3])
        cells = link[_BASE_AT] if len(link) > _BASE_AT else []
        for cell in cells:
            if isinstance(cell, list):
                cell[_ENTRIES_AND_SEEN] = map(texts.part, cell[_ENTRIES_AND_SEEN])
        for at in _SHARED:
            if at < len(cells):
                _share_digest(cells, at, texts)
    return _ENCODER.encode(values)


def _share_digest(cells: list[Any], at: int, texts: SharedTexts) -> None:
    if isinstance(cells[at], list):
        cells, at = cells[at], 0
    digest = cells[at]
    if isinstance(digest, str) and digest.removeprefix(_FOUND):
        number = texts.number(digest.removeprefix(_FOUND))
        cells[at] = -number if digest.startswith(_FOUND) else number


def _trimmed(least: int, *values: object) -> list[object]:
    """Return values without the last ones that are what is read where there is none."""
    end = len(values)
    while end > least and not values[end - 1]:
        end -= 1
    return list(values[:end])


# ---- Links ---------------------------------------------------------------------------------------


def _link_row(link: Link) -> list[object]:
    return _trimmed(
        4,
        link.rating_key,
        link.section_id,
        0,
        link.path,
        _cells(link.base),
        {target: _picture_row(one, link) for target, one in link.pictures.items()},
        link.above,
        link.held,
        link.inherited,
        "" if link.confidence is Confidence.HIGH else link.confidence,
    )


def _link(read: _Link, texts: SharedTexts, *, bare: bool) -> Link:
    folder = texts.text(read.folder) if read.folder else ""
    return Link(
        rating_key=read.rating_key,
        section_id=read.section_id,
        path=folder + read.path,
        confidence=read.confidence,
        base=_NOTHING if bare else _bases(read.base, texts),
        held=_NOTHING if bare else read.held,
        pictures=_NOTHING
        if bare
        else {target: _picture(one, read) for target, one in read.pictures.items()},
        inherited=read.inherited,
        above=read.above,
    )


def _cells(base: Mapping[PlexField, Base]) -> list[object]:
    cells: list[object] = []
    left = len(base)
    for target in FIELDS:
        if not left:
            break
        known = base.get(target)
        left -= known is not None
        cells.append(0 if known is None else _cell(known))
    return cells


def _cell(known: Base) -> object:
    digest = pack_digest(known.digest)
    if known.found:
        digest = _FOUND + digest
    if not (known.entries or known.seen or known.wanted or known.credits):
        return digest
    return _trimmed(
        1,
        digest,
        pack_digest(known.entries),
        pack_digest(known.seen),
        pack_digest(known.wanted),
        known.credits,
    )


def _bases(cells: Iterable[int | str | _Cell], texts: SharedTexts) -> dict[PlexField, Base]:
    return {
        target: _base(cell, texts) for target, cell in zip(FIELDS, cells, strict=False) if cell != 0
    }


def _base(cell: int | str | _Cell, texts: SharedTexts) -> Base:
    if not isinstance(cell, _Cell):
        digest, found = _digest(cell, texts)
        return Base(digest=digest, found=found)
    digest, found = _digest(cell.digest, texts)
    return Base(
        digest=digest,
        entries=unpack_digest(texts.join(cell.entries)),
        wanted=unpack_digest(cell.wanted) if cell.wanted else "",
        credits=cell.credits,
        found=found,
        seen=unpack_digest(texts.join(cell.seen)) if cell.seen else "",
    )


def _digest(cell: int | str, texts: SharedTexts) -> tuple[str, bool]:
    """Return a digest, and whether its value was found."""
    if isinstance(cell, int):
        return unpack_digest(texts.text(abs(cell))), cell < 0
    packed = cell.removeprefix(_FOUND)
    return unpack_digest(packed), packed != cell


# ---- Pictures ------------------------------------------------------------------------------------


def _picture_row(known: PictureBase, link: Link) -> list[object]:
    return _trimmed(
        1,
        known.stamp,
        pack_digest(known.etag),
        _key_row(known.key),
        _shown_row(known.shown, link.rating_key),
        known.made,
        _key_row(known.former),
    )


def _picture(read: _Picture, link: _Link) -> PictureBase:
    return PictureBase(
        stamp=read.stamp,
        etag=unpack_digest(read.etag),
        key=_key(read.key),
        shown=read.shown
        if isinstance(read.shown, str)
        else f"{read.shown[0]} {_own(link.rating_key)}{read.shown[1]}",
        made=read.made,
        former=_key(read.former),
    )


def _key_row(key: str) -> object:
    return [pack_digest(key.removeprefix(_UPLOAD))] if key.startswith(_UPLOAD) else key


def _key(read: str | Sequence[str]) -> str:
    return read if isinstance(read, str) else _UPLOAD + unpack_digest(read[0])


def _shown_row(shown: str, rating_key: RatingKey) -> object:
    policy, space, rest = shown.partition(" ")
    own = _own(rating_key)
    return [policy, rest.removeprefix(own)] if space and rest.startswith(own) else shown


def _own(rating_key: RatingKey) -> str:
    return f"/library/metadata/{rating_key}/"
