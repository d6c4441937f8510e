"""A record as a row: its values in a fixed order, without names, the last ones left out if usual.

    [outcome, links, updated_at, zone, related, files, desired, marks, year, attempts, due_at,
     problem]
    outcome    its place in `OUTCOMES`
    a link     [rating_key, section_id, folder, path,
                base, pictures, above, held, inherited, confidence]
    updated_at the second, counted from 1970; `zone` is the number of the rest of the text
    related    the numbers of the objects the scene shows
    base       one cell a field, in the order of `FIELDS`: see `cells.py`

`folder`, `zone` and `related` are numbers of `texts.py`. Nothing is lost: the record a row is read
as is the one it was made of; what is not of that form is written out.
"""

from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec

from plexsync.models import (
    Confidence,
    Link,
    Outcome,
    PlexField,
    Problem,
    RatingKey,
    RelatedId,
    SceneRecord,
)
from plexsync.storage.scenes.cells import (
    Cells,
    Names,
    Pictures,
    pack_fields,
    pack_picture,
    trimmed,
    unpack_fields,
    unpack_picture,
)
from plexsync.storage.scenes.texts import SharedTexts, pack_digest, unpack_digest

L = TypeVar("L")

OUTCOMES = (
    Outcome.APPLIED,
    Outcome.UNCHANGED,
    Outcome.KEPT,
    Outcome.REVIEW,
    Outcome.UNMATCHED,
    Outcome.IGNORED,
    Outcome.SKIPPED,
    Outcome.FAILED,
    Outcome.PLANNED,
)
"""The outcomes in the order of their numbers. New ones go to the end."""

_NUMBERS = {outcome: number for number, outcome in enumerate(OUTCOMES)}

_SECOND_CHARACTERS = len("2026-11-22T08:32:54")
_ZONES = ("Z", "+", "-")
_DAY_S = 86_400
_FIRST_DAY = date(1970, 1, 1).toordinal()


# ---- What a row has, in order --------------------------------------------------------------------


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


class _BareLink(_LinkAbove, array_like=True, gc=False):
    """A link without what is remembered of its fields."""

    held: msgspec.Raw = msgspec.Raw()
    inherited: bool = False
    confidence: Confidence = Confidence.HIGH


class _Link(LinkPlace, array_like=True, gc=False):
    base: Cells = ()
    pictures: Pictures = {}
    above: tuple[RatingKey, ...] = ()
    held: dict[PlexField, str] = {}
    inherited: bool = False
    confidence: Confidence = Confidence.HIGH


class _Start(msgspec.Struct, Generic[L], array_like=True, gc=False):
    """How a row begins, with as much of its links as is wanted."""

    number: Annotated[int, msgspec.Meta(ge=0, lt=len(OUTCOMES))]
    links: L

    @property
    def outcome(self) -> Outcome:
        """How the last attempt ended."""
        return OUTCOMES[self.number]


class Links(_Start[tuple[LinkPlace, ...]], array_like=True, gc=False):
    """As much of a row as says where the scene's items are, and whether that stands."""


class _RowHead(_Start[L], Generic[L], array_like=True, gc=False):
    updated_at: str | Annotated[int, msgspec.Meta(gt=-(10**11), lt=10**12)]
    zone: int = 0
    related: tuple[int, ...] = ()
    files: str = ""


class RowHead(_RowHead[msgspec.Raw], array_like=True, gc=False):
    """As much of a row as says what was handled; `links` is not decoded, `files` is packed."""


class _RowValues(_RowHead[L], Generic[L], array_like=True, gc=False):
    """As much of a row as says what was wanted of the scene, too."""

    desired: str = ""
    marks: str = ""
    year: str = ""


class PlacedRow(_RowValues[tuple[_LinkAbove, ...]], array_like=True, gc=False):
    """As much of a row as says what the scene's items are members of, and what stands above."""


class Placed(NamedTuple):
    """What a scene's items are members of, and what stands above them: see `SceneRecord`."""

    outcome: Outcome
    links: tuple[_LinkAbove, ...]
    related: str
    marks: str
    year: str


class _Row(_RowValues[L], Generic[L], array_like=True, gc=False):
    attempts: int = 0
    due_at: str = ""
    problem: Problem | None = None


# ---- Writing and reading -------------------------------------------------------------------------

_DECODER = msgspec.json.Decoder(_Row[tuple[_Link, ...]])
_BARE_DECODER = msgspec.json.Decoder(_Row[tuple[_BareLink, ...]])
_ENCODER = msgspec.json.Encoder()


def encode_row(record: SceneRecord, texts: SharedTexts) -> bytes:
    """Return the row of a record."""
    related = texts.objects(record.related)
    second, zone = _pack_time(record.updated_at)
    row = [
        _NUMBERS[record.outcome],
        _pack_links(record.links, related, second, texts),
        second,
        texts.number(zone),
        related,
        pack_digest(record.files),
        pack_digest(record.desired),
        record.marks,
        record.year,
        record.attempts,
        record.due_at,
        record.problem,
    ]
    return _ENCODER.encode(trimmed(row, 3))


def decode_row(row: bytes, texts: SharedTexts, *, bare: bool = False) -> SceneRecord:
    """Return the record of a row; a bare one knows nothing of the fields of its items.

    Raises:
        msgspec.DecodeError: it is none.
    """
    try:
        if bare:
            read = _BARE_DECODER.decode(row)
            return _record(read, tuple([_bare_link(link, texts) for link in read.links]), texts)
        whole = _DECODER.decode(row)
        return _record(whole, _links(whole, texts), texts)
    except (ValueError, IndexError) as error:
        raise msgspec.DecodeError(f"a digest or a number stands for nothing: {error}") from error


def _record(read: _Row[Any], links: tuple[Link, ...], texts: SharedTexts) -> SceneRecord:
    return SceneRecord(
        updated_at=version_in(read, texts),
        outcome=read.outcome,
        files=unpack_digest(read.files),
        desired=unpack_digest(read.desired),
        links=links,
        attempts=read.attempts,
        due_at=read.due_at,
        problem=read.problem,
        related=" ".join(related_in(read, texts)),
        marks=read.marks,
        year=read.year,
    )


def version_in(read: _RowHead[Any], texts: SharedTexts) -> str:
    """Return the version text of the scene that was handled last."""
    if isinstance(read.updated_at, str):
        return read.updated_at
    return _unpack_time(read.updated_at, texts.text(read.zone))


def files_in(read: RowHead, _texts: SharedTexts) -> str:
    """Return the digest of the scene's files."""
    return unpack_digest(read.files)


def placed_in(read: PlacedRow, texts: SharedTexts) -> Placed:
    """Return what a row says of memberships."""
    related = " ".join(related_in(read, texts))
    return Placed(read.outcome, read.links, related, read.marks, read.year)


def links_in(read: Links, texts: SharedTexts) -> Links:
    """Return the links of a row with their whole paths."""
    for link in read.links:
        link.folder, link.path = 0, texts.text(link.folder) + link.path
    return read


def related_in(read: _RowHead[Any], texts: SharedTexts) -> list[RelatedId]:
    """Return what the scene showed when it was handled last."""
    meanings = texts.meanings
    return [meanings[number].word for number in read.related]


# ---- Links ---------------------------------------------------------------------------------------


def _pack_links(
    links: tuple[Link, ...], related: list[int], second: int | str, texts: SharedTexts
) -> list[list[object]]:
    names = texts.names(related) if links else {}
    at = second if isinstance(second, int) else 0
    return [_pack_link(link, names, at, texts) for link in links]


def _pack_link(link: Link, names: Names, second: int, texts: SharedTexts) -> list[object]:
    folder, path = texts.place(link.path)
    own = _own(link.rating_key)
    cell = [
        link.rating_key,
        link.section_id,
        folder,
        path,
        pack_fields(link.base, names, texts),
        {target: pack_picture(one, own, second, texts) for target, one in link.pictures.items()},
        link.above,
        link.held,
        link.inherited,
        "" if link.confidence is Confidence.HIGH else link.confidence,
    ]
    return trimmed(cell, 4)


def _links(read: _Row[tuple[_Link, ...]], texts: SharedTexts) -> tuple[Link, ...]:
    names = texts.names(read.related) if read.links else {}
    at = read.updated_at if isinstance(read.updated_at, int) else 0
    return tuple([_link(link, names, at, texts) for link in read.links])


def _link(read: _Link, names: Names, second: int, texts: SharedTexts) -> Link:
    own = _own(read.rating_key)
    pictures = read.pictures.items()
    return Link(
        rating_key=read.rating_key,
        section_id=read.section_id,
        path=texts.text(read.folder) + read.path,
        confidence=read.confidence,
        base=unpack_fields(read.base, names, texts),
        held=read.held,
        pictures={target: unpack_picture(one, own, second, texts) for target, one in pictures},
        inherited=read.inherited,
        above=read.above,
    )


def _bare_link(read: _BareLink, texts: SharedTexts) -> Link:
    return Link(
        rating_key=read.rating_key,
        section_id=read.section_id,
        path=texts.text(read.folder) + read.path,
        confidence=read.confidence,
        inherited=read.inherited,
        above=read.above,
    )


def _own(rating_key: RatingKey) -> str:
    return f"/library/metadata/{rating_key}/"


# ---- Times ---------------------------------------------------------------------------------------


def _pack_time(text: str) -> tuple[int | str, str]:
    """Return the second of a time and the rest of its text; the text alone where that is not it."""
    zone = text[_SECOND_CHARACTERS:]
    if zone.startswith(_ZONES):  # a fraction of a second is shared with no other row
        try:
            second = int(datetime.fromisoformat(text).timestamp())
            if _unpack_time(second, zone) == text:
                return second, zone
        except (ValueError, OverflowError, OSError):
            pass
    return text, ""


def _unpack_time(second: int, zone: str) -> str:
    day, left = divmod(second + _offset_s(zone), _DAY_S)
    minutes, seconds = divmod(left, 60)
    return f"{_day(day)}T{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{zone}"


@lru_cache
def _offset_s(zone: str) -> int:
    offset = datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").utcoffset()
    return int(offset.total_seconds()) if offset else 0


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return date.fromordinal(_FIRST_DAY + number).isoformat()
