"""Reads what earlier versions remembered of scenes: objects, and rows of the form before this one.

    [outcome, links, updated_at, related, files, desired, marks, year, attempts, due_at, problem]
    a link     [rating_key, section_id, folder, path,
                base, pictures, above, held, inherited, confidence]
    base       0, a digest, or [digest, entries, seen, wanted, credits]

In a checkpoint folders and digests were numbers of `texts`; in a journal all was written out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from plexsync.storage.scenes.cells import FIELDS
from plexsync.storage.scenes.texts import unpack_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

_FOUND = "!"
_UPLOAD = "upload://posters/"
_OBJECT, _ROW = b"{", b'["'


class _List(msgspec.Struct, array_like=True, gc=False):
    digest: int | str
    entries: str | tuple[int, ...] = ""
    seen: str | tuple[int, ...] = ""
    wanted: str = ""
    credits: str = ""


class _Picture(msgspec.Struct, array_like=True, gc=False):
    stamp: str
    etag: str = ""
    key: str | tuple[str] = ""
    shown: str | tuple[str, str] = ""
    made: str = ""
    former: str | tuple[str] = ""


class _Link(msgspec.Struct, array_like=True, gc=False):
    rating_key: RatingKey
    section_id: str
    folder: int
    path: str
    base: tuple[int | str | _List, ...] = ()
    pictures: dict[PlexField, _Picture] = {}
    above: tuple[RatingKey, ...] = ()
    held: dict[PlexField, str] = {}
    inherited: bool = False
    confidence: Confidence = Confidence.HIGH


class _Row(msgspec.Struct, array_like=True, gc=False):
    outcome: Outcome
    links: tuple[_Link, ...]
    updated_at: str
    related: str = ""
    files: str = ""
    desired: str = ""
    marks: str = ""
    year: str = ""
    attempts: int = 0
    due_at: str = ""
    problem: Problem | None = None


def is_former(kept: bytes) -> bool:
    """Whether an earlier version wrote this of a scene."""
    return kept.startswith((_OBJECT, _ROW))


def decode_former(kept: bytes, texts: Sequence[str] = ("",)) -> SceneRecord:
    """Return the record that an earlier version wrote.

    Args:
        kept: an object or a row.
        texts: those of a checkpoint, by number; 0 stands for none.

    Raises:
        msgspec.DecodeError: it is none.
    """
    if kept.startswith(_OBJECT):
        return msgspec.json.decode(kept, type=SceneRecord)
    read = msgspec.json.decode(kept, type=_Row)
    try:
        return SceneRecord(
            updated_at=read.updated_at,
            outcome=read.outcome,
            files=unpack_digest(read.files),
            desired=unpack_digest(read.desired),
            links=tuple([_link(link, texts) for link in read.links]),
            attempts=read.attempts,
            due_at=read.due_at,
            problem=read.problem,
            related=read.related,
            marks=read.marks,
            year=read.year,
        )
    except (ValueError, IndexError) as error:
        raise msgspec.DecodeError(f"a digest or a number stands for nothing: {error}") from error


def _link(read: _Link, texts: Sequence[str]) -> Link:
    return Link(
        rating_key=read.rating_key,
        section_id=read.section_id,
        path=texts[read.folder] + read.path,
        confidence=read.confidence,
        base={
            target: _base(cell, texts)
            for target, cell in zip(FIELDS, read.base, strict=False)
            if cell != 0
        },
        held=read.held,
        pictures={target: _picture(one, read) for target, one in read.pictures.items()},
        inherited=read.inherited,
        above=read.above,
    )


def _base(cell: int | str | _List, texts: Sequence[str]) -> Base:
    whole = cell if isinstance(cell, _List) else _List(cell)
    digest = whole.digest
    if isinstance(digest, int):
        digest = _FOUND * (digest < 0) + texts[abs(digest)]
    packed = digest.removeprefix(_FOUND)
    return Base(
        digest=unpack_digest(packed),
        entries=_joined(whole.entries, texts),
        wanted=unpack_digest(whole.wanted),
        credits=whole.credits,
        found=packed != digest,
        seen=_joined(whole.seen, texts),
    )


def _joined(entries: str | tuple[int, ...], texts: Sequence[str]) -> str:
    if isinstance(entries, str):
        return unpack_digest(entries)
    return unpack_digest("".join(texts[number] for number in entries))


def _picture(read: _Picture, link: _Link) -> PictureBase:
    shown = read.shown
    if not isinstance(shown, str):
        shown = f"{shown[0]} /library/metadata/{link.rating_key}/{shown[1]}"
    return PictureBase(
        stamp=read.stamp,
        etag=unpack_digest(read.etag),
        key=_key(read.key),
        shown=shown,
        made=read.made,
        former=_key(read.former),
    )


def _key(read: str | tuple[str]) -> str:
    return read if isinstance(read, str) else _UPLOAD + unpack_digest(read[0])
