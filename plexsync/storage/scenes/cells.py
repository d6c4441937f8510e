"""What is remembered of the fields and pictures of one item, as cells of a row.

    a text     its digest, or the number of that in `texts`; 0 for nothing; of a value that Plex
               held before plexsync wrote it the digest begins with "!", or the number is negative
    a list     [entries, seen, digest, wanted, credits], the last ones left out if usual
    entries    numbers in `texts`; the letter of a kind stands for the names of all objects of that
               kind that the scene shows
    a picture  [stamp, etag, key, shown, made, former]

Usually a list has the names that are remembered of it, and no others: then its digest follows from
theirs, and is 0; `wanted` is 1 where that is just the names plexsync added. A cell that is not of
the usual form is written out, so that every one is read as what it was made of.
"""

from collections.abc import Mapping

import msgspec

from plexsync.models import Base, PictureBase, PlexField
from plexsync.storage.scenes.texts import LITERAL, SharedTexts, pack_digest, unpack_digest
from plexsync.text.folding import join_entries, list_digest, split_entries

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

_SHARED = frozenset({PlexField.STUDIO, PlexField.DATE, PlexField.CONTENT_RATING, PlexField.RATING})
"""Fields with values that many items have."""

_FOUND = "!"
"""What the digest of a value begins with that Plex held before plexsync wrote it."""

_OURS = 1
"""Stands for the digest of the names plexsync added."""

_UPLOAD = "upload://posters/"
"""What the keys of uploaded pictures begin with; a digest follows."""

_ITSELF = "{item}"
"""Stands for the path of the item in a text that many items have."""

_MOST_DIGITS = 15
"""Of a number in a cell: what every program that reads JSON takes for whole."""

_STAMP = "t="
"""What the stamp of a cover begins with; the time follows at which its scene was changed."""

Entries = str | tuple[str | int, ...]
"""Letters of kinds, or those and numbers; written out, text that begins with `LITERAL`."""


class _List(msgspec.Struct, array_like=True, gc=False):
    """What is remembered of a list of names, and of any field of which more than the value is."""

    entries: Entries = ""
    seen: Entries = ""
    digest: str | int = 0
    wanted: str | int = 0
    credits: str = ""


class _Picture(msgspec.Struct, array_like=True, gc=False):
    """See `PictureBase`. Of an uploaded picture's key there is the digest alone.

    `stamp` is 0 where it has the time of the scene's version, and a number for any other time.
    Where `shown` ends in a number, as Plex's paths do, that follows the number of its text.
    """

    stamp: str | int
    etag: str = ""
    key: str = ""
    shown: str | tuple[int, int] = ""
    made: str = ""
    former: str = ""


Cells = tuple[int | str | _List, ...]
Pictures = dict[PlexField, _Picture]


Names = Mapping[str, str]
"""The names of the objects a scene shows, run together, by the letter of their kind."""


def trimmed(values: list[object], least: int = 0) -> list[object]:
    """Take away the last values that are what is read where there is none; return the others."""
    while len(values) > least and not values[-1]:
        values.pop()
    return values


# ---- Fields --------------------------------------------------------------------------------------


def pack_fields(base: Mapping[PlexField, Base], names: Names, texts: SharedTexts) -> list[object]:
    """Return the cells of the fields of one item."""
    cells: list[object] = []
    left = len(base)
    for target in FIELDS:
        if not left:
            break
        known = base.get(target)
        left -= known is not None
        cells.append(0 if known is None else _pack_field(target, known, names, texts))
    return cells


def unpack_fields(cells: Cells, names: Names, texts: SharedTexts) -> dict[PlexField, Base]:
    """Return what `pack_fields` was given."""
    return {
        target: _unpack_field(cell, names, texts)
        for target, cell in zip(FIELDS, cells, strict=False)
        if cell != 0
    }


def _pack_field(target: PlexField, known: Base, names: Names, texts: SharedTexts) -> object:
    more = known.entries or known.seen or known.wanted or known.credits
    if more or known.digest == list_digest(""):
        return _pack_list(known, names, texts)
    if known.digest and target in _SHARED:
        number = texts.digest_number(known.digest)
        return -number if known.found else number
    packed = pack_digest(known.digest)
    return _FOUND + packed if known.found else packed


def _pack_list(known: Base, names: Names, texts: SharedTexts) -> list[object]:
    digest: str | int = 0
    if known.found or known.digest != list_digest(_both(known.entries, known.seen)):
        digest = _FOUND * known.found + (pack_digest(known.digest) or LITERAL)
    wanted: str | int = 0
    if known.wanted:
        wanted = _OURS if known.wanted == list_digest(known.entries) else pack_digest(known.wanted)
    seen = _pack_entries(known.seen, names, texts)
    entries = _pack_entries(known.entries, names, texts)
    return trimmed([entries, seen, digest, wanted, known.credits])


def _unpack_field(cell: int | str | _List, names: Names, texts: SharedTexts) -> Base:
    if not isinstance(cell, _List):
        digest, found = _unpack_digest(cell, texts)
        return Base(digest=digest, found=found)
    entries = _unpack_entries(cell.entries, names, texts)
    seen = _unpack_entries(cell.seen, names, texts)
    if cell.digest == 0:
        digest, found = list_digest(_both(entries, seen)), False
    else:
        digest, found = _unpack_digest(cell.digest, texts)
    if isinstance(cell.wanted, str):
        wanted = unpack_digest(cell.wanted)
    else:
        wanted = list_digest(entries) if cell.wanted == _OURS else ""
    return Base(
        digest=digest,
        entries=entries,
        wanted=wanted,
        credits=cell.credits,
        found=found,
        seen=seen,
    )


def _pack_entries(text: str, names: Names, texts: SharedTexts) -> str | list[str | int]:
    """Return the cell of entries that are run together."""
    if not text:
        return ""
    for letter, joined in names.items():
        if text == joined:
            return letter
    left = split_entries(text)
    if join_entries(left) != text or pack_digest(text).startswith(LITERAL):
        return LITERAL + text
    letters = ""
    for letter, joined in names.items():
        if len(joined) < len(text) and (some := split_entries(joined)) <= left:
            letters += letter
            left -= some
    if not left:
        return letters
    numbers = sorted([texts.digest_number(one) for one in sorted(left)])
    return [letters, *numbers] if letters else [*numbers]


def _unpack_entries(cell: Entries, names: Names, texts: SharedTexts) -> str:
    """Return what `_pack_entries` was given."""
    if isinstance(cell, str):
        if cell.startswith(LITERAL):
            return cell[len(LITERAL) :]
        if len(cell) <= 1:
            return names.get(cell, "")
    entries: set[str] = set()
    for one in (cell,) if isinstance(cell, str) else cell:
        if isinstance(one, int):
            entries.add(texts.entry(one))
        else:
            entries.update(*(split_entries(names.get(letter, "")) for letter in one))
    return join_entries(entries)


def _both(entries: str, seen: str) -> str:
    """Return the names that are remembered of a list, run together."""
    if entries and seen:
        return join_entries(split_entries(entries) | split_entries(seen))
    return entries or seen


def _unpack_digest(cell: int | str, texts: SharedTexts) -> tuple[str, bool]:
    """Return a digest, and whether its value was found."""
    if isinstance(cell, int):
        return unpack_digest(texts.text(abs(cell))), cell < 0
    packed = cell.removeprefix(_FOUND)
    return unpack_digest(packed), packed != cell


# ---- Pictures ------------------------------------------------------------------------------------


def pack_picture(known: PictureBase, own: str, second: int, texts: SharedTexts) -> list[object]:
    """Return the cell of a picture of the item at the path `own`; `second` is of the scene."""
    cell = [
        _pack_stamp(known.stamp, second),
        pack_digest(known.etag),
        _pack_key(known.key),
        _pack_shown(known.shown, own, texts),
        known.made,
        _pack_key(known.former),
    ]
    return trimmed(cell, 1)


def unpack_picture(read: _Picture, own: str, second: int, texts: SharedTexts) -> PictureBase:
    """Return what `pack_picture` was given."""
    stamp = read.stamp
    return PictureBase(
        stamp=stamp if isinstance(stamp, str) else f"{_STAMP}{stamp or second}",
        etag=unpack_digest(read.etag),
        key=_unpack_key(read.key),
        shown=read.shown if isinstance(read.shown, str) else _unpack_shown(read.shown, own, texts),
        made=read.made,
        former=_unpack_key(read.former),
    )


def _pack_stamp(stamp: str, second: int) -> str | int:
    digits = stamp.removeprefix(_STAMP)
    if stamp == digits or not _is_number(digits):
        return stamp
    return 0 if int(digits) == second else int(digits)


def _pack_key(key: str) -> str:
    packed = pack_digest(key.removeprefix(_UPLOAD))
    if not key or (key.startswith(_UPLOAD) and packed and not packed.startswith(LITERAL)):
        return packed
    return LITERAL + key


def _unpack_key(packed: str) -> str:
    plain = not packed or packed.startswith(LITERAL)
    return packed[1:] if plain else _UPLOAD + unpack_digest(packed)


def _pack_shown(shown: str, own: str, texts: SharedTexts) -> object:
    start, own_path, rest = shown.partition(own)
    folder, slash, number = rest.rpartition("/")
    if own_path and slash and _ITSELF not in start and _is_number(number):
        return [texts.number(f"{start}{_ITSELF}{folder}/"), int(number)]
    return shown


def _unpack_shown(shown: tuple[int, int], own: str, texts: SharedTexts) -> str:
    text, number = shown
    return f"{texts.text(text).replace(_ITSELF, own, 1)}{number}"


def _is_number(digits: str) -> bool:
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    return plain and digits[0] != "0"
