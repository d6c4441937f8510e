"""Comparing the pairs blocking chose: from two files to one comparison."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.matching.comparing.blocking import FileCandidates, Ours, Theirs, split_folders
from plexsync.matching.comparing.evidence import (
    DURATION_CLOSE_S,
    DURATION_EQUAL_S,
    DURATION_NEAR_S,
    DURATION_OFF_S,
    DURATION_OFF_SHARE,
    TELLING_SIZE_BITS,
    FolderLevel,
    Level,
    Spelling,
)
from plexsync.matching.comparing.title_similarity import share_words
from plexsync.text.generic_names import is_generic_folder, is_generic_name
from plexsync.text.normalize import fold, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plexsync.matching.comparing.weighing import Kind, Scale
    from plexsync.models import PathRule, PlexFile, SceneFile


class Compared(NamedTuple):
    """One of our files with what it was compared with; `alone` as in `FileCandidates`."""

    ours: Ours
    found: list[tuple[Kind, Theirs]]
    alone: bool


_DISK_BLOCK = 4096
FRAME_SLACK = 16
"""Coded heights are multiples of 16: 1088 stored, 1080 shown."""
HASH_LEAST_BYTES = 131_072
"""Below two blocks of 64 KiB the hash's halves overlap. Source: docs/plex-api.md 3."""


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What comparing needs beside the two files.

    `hashes` holds a content hash by part id, 0 for one that was asked for and is not there; None
    when hashes are not used. `mapped` are the folders the path rules lead to, each with a slash at
    its end; `merged` those that more than one folder of Stash leads to.
    """

    items: int
    hashes: Mapping[int, int] | None
    mapped: tuple[str, ...]
    merged: tuple[str, ...]


def mapped_folders(rules: Sequence[PathRule]) -> tuple[str, ...]:
    """Return the Plex side of the rules, as prefixes."""
    folders = [normalize_path(rule.plex) for rule in rules if rule.stash and rule.plex]
    return tuple(folder if folder.endswith("/") else f"{folder}/" for folder in folders)


def merged_folders(rules: Sequence[PathRule]) -> tuple[str, ...]:
    """Return the folders of Plex that more than one rule leads to, or into."""
    folders = mapped_folders(list(dict.fromkeys(rules)))
    return tuple(
        one
        for at, one in enumerate(folders)
        if any(
            at != other and (one.startswith(folder) or folder.startswith(one))
            for other, folder in enumerate(folders)
        )
    )


def compare_rows(
    rows: Iterable[FileCandidates], context: Context, scale: Scale
) -> Iterator[Compared]:
    """Compare our files with all that blocking found for them."""
    comparer = _Comparer(context, scale)
    for row in rows:
        yield Compared(row.ours, comparer.compare(row), row.alone)


def compare_resembling(
    ours: Ours, theirs: Theirs, context: Context, scale: Scale, *, title: Level, date: Level
) -> Kind:
    """Compare a pair that only its title brought together; either may lack a file."""
    ((kind, _),) = _Comparer(context, scale).compare(FileCandidates(ours, [theirs], whole=True))
    made = kind.made
    if not (ours.path and theirs.path):
        made = made._replace(
            title=title,
            date=date,
            place=FolderLevel.UNKNOWN,
            spelling=Spelling.DIFFERENT,
            ruled=False,
            merged=False,
            outside=False,
        )
    # A telling name that is equal leaves nothing for the title to add.
    elif made.spelling <= Spelling.WORDS or made.generic:
        made = made._replace(title=title, date=date)
    return scale.kind(made)


# ---- Single facts --------------------------------------------------------------------------------


def compare_size(ours: int | None, theirs: int | None) -> Level:
    """Bytes are equal or they are not; zero and less mean unknown."""
    if not ours or not theirs or ours < 0 or theirs < 0:
        return Level.UNKNOWN
    return Level.EQUAL if ours == theirs else Level.DIFFERENT


def compare_duration(ours: float | None, theirs: float | None) -> Level:
    """Seconds, with a tolerance: containers round, and servers measure by different streams."""
    if not ours or not theirs or not (0 < ours < math.inf and 0 < theirs < math.inf):
        return Level.UNKNOWN
    gap = abs(ours - theirs)
    if gap <= DURATION_EQUAL_S + 1e-9:
        return Level.EQUAL
    if gap <= DURATION_CLOSE_S:
        return Level.CLOSE
    if gap <= DURATION_NEAR_S:
        return Level.NEAR
    if gap <= max(DURATION_OFF_S, DURATION_OFF_SHARE * max(ours, theirs)):
        return Level.OFF
    return Level.DIFFERENT


def compare_frame(
    ours: tuple[int | None, int | None], theirs: tuple[int | None, int | None]
) -> Level:
    """Width and height; a rotated or padded frame says nothing."""
    if ours == theirs:
        return Level.EQUAL if ours[0] and ours[1] else Level.UNKNOWN
    wide, high = ours
    other_wide, other_high = theirs
    if not (wide and high and other_wide and other_high):
        return Level.UNKNOWN
    if min(wide, high, other_wide, other_high) < 0:
        return Level.UNKNOWN
    straight = abs(wide - other_wide) <= FRAME_SLACK and abs(high - other_high) <= FRAME_SLACK
    turned = abs(wide - other_high) <= FRAME_SLACK and abs(high - other_wide) <= FRAME_SLACK
    return Level.UNKNOWN if straight or turned else Level.DIFFERENT


def compare_content(ours: int | None, theirs: int | None, size_bytes: int | None) -> Level:
    """OpenSubtitles hashes; zero means unknown, and tiny files have none worth comparing."""
    if not ours or not theirs or (size_bytes is not None and 0 < size_bytes < HASH_LEAST_BYTES):
        return Level.UNKNOWN
    return Level.EQUAL if ours == theirs else Level.DIFFERENT


def compare_date(ours: str, theirs: str) -> Level:
    """Dates as far as both are known: `2021` agrees with `2021-03-04`."""
    if not ours or not theirs:
        return Level.UNKNOWN
    known = min(len(ours), len(theirs), 10)
    return Level.EQUAL if ours[:known] == theirs[:known] else Level.DIFFERENT


def measure_size(size_bytes: int, others: int, items: int) -> int:
    """How many bits the equality of this size is worth.

    Sizes vary by the byte, unless a recorder or a person made them round: then by their largest
    power of two from a disk block up, or of ten. Other files of this size tell how common it is.
    """
    bits = _size_bits(size_bytes)
    if others:
        bits = min(bits, math.log2(max(items / others, 1.0)))
    return int(bits)


def is_telling_size(size_bytes: int, others: int = 0) -> bool:
    """Whether a size is none that recorders write or people cut to.

    That is a size that is not round, and that few `others` have.
    """
    return _size_bits(size_bytes) >= TELLING_SIZE_BITS and others < _MANY_NAMESAKES


def is_telling_length(duration_s: float) -> bool:
    """Whether a length is none that recorders write or people cut to."""
    return abs(math.remainder(duration_s, _ROUND_LENGTH_S)) > DURATION_CLOSE_S


# ---- Private -------------------------------------------------------------------------------------

_NOTHING_RANKED = (False, False, False, Level.UNKNOWN, Level.UNKNOWN, False)
"""`led`, `learned`, `alone_in_length`, `title`, `date` and `spare`, which come later."""

_Placed = tuple[FolderLevel, int, int]
"""How two folders compare, how many trailing ones are equal, and how many of those telling."""


_MANY_NAMESAKES = 8
"""A name or a size that so many other files have is generic, whatever it is made of."""
_ROUND_LENGTH_S = 10.0


class _Folders:
    """Compares folders; each pair of them once, since many files lie in one folder."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Placed] = {}
        self._split: dict[str, tuple[list[str], list[bool]]] = {}

    def compare(self, ours: str, theirs: str) -> _Placed:
        """How the folders of two paths compare; PATH_FOLDED where all are equal."""
        pair = ours[: ours.rfind("/") + 1], theirs[: theirs.rfind("/") + 1]
        known = self._known.get(pair)
        if known is None:
            (folders, telling), (others, _) = self._split_once(pair[0]), self._split_once(pair[1])
            equal = 0
            for mine, other in zip(folders, others, strict=False):
                if mine != other:
                    break
                equal += 1
            level = _compare_depths(equal, len(folders), len(others))
            known = self._known[pair] = level, equal, sum(telling[:equal])
        return known

    def _split_once(self, folder: str) -> tuple[list[str], list[bool]]:
        """Return the folders of a path, and which of them have telling names."""
        found = self._split.get(folder)
        if found is None:
            names = split_folders(folder)
            found = self._split[folder] = names, [not is_generic_folder(one) for one in names]
        return found


def _compare_depths(equal: int, depth: int, other: int) -> FolderLevel:
    if equal == depth == other:
        return FolderLevel.PATH_FOLDED
    if equal:
        return FolderLevel.FOLDERS
    # A file right in a root lies in no folder that both servers could see.
    return FolderLevel.UNKNOWN if min(depth, other) <= 1 else FolderLevel.APART


class _Own(NamedTuple):
    """What is so of one of our files, whatever it is compared with."""

    generic: bool
    size_bits: int
    telling_size: bool


class _Comparer:
    """Compares our files with parts."""

    def __init__(self, context: Context, scale: Scale) -> None:
        self._context = context
        self._scale = scale
        self._folders = _Folders()

    def compare(self, row: FileCandidates) -> list[tuple[Kind, Theirs]]:
        """Compare one of our files with its candidates."""
        ours, parts = row.ours, row.parts
        size = ours.file.size_bytes
        bits, telling_size = 0, False
        if size and size > 0:
            bits = measure_size(size, row.size_others, self._context.items)
            telling_size = is_telling_size(size, row.size_others)
        own = _Own(is_generic_name(ours.stem), bits, telling_size)
        if len(parts) == 1:
            placed = _place_best(ours, parts[0], self._folders)
            return [(self._pair(row, parts[0], own, (*placed, 0, False)), parts[0])]
        several = [_place_best(ours, their, self._folders) for their in parts]
        tails = _count_tails(row, several)
        alike = {one.file.path for one in parts if size and one.file.size_bytes == size}
        kinds: dict[tuple[object, ...], Kind] = {}
        found = []
        for their, placed in zip(parts, several, strict=True):
            rival = not alike <= {their.file.path}
            looks = self._looks_of(ours, their), placed, rival
            kind = kinds.get(looks)
            if kind is None:
                beside = *placed, tails[placed[1]], rival
                kind = kinds[looks] = self._pair(row, their, own, beside)
            found.append((kind, their))
        return found

    def _looks_of(self, ours: Ours, theirs: Theirs) -> tuple[object, ...]:
        """Return all of a part that comparing it with ours looks at beside its folders."""
        file, path, context = theirs.file, theirs.path, self._context
        hashes = context.hashes
        return (
            theirs.name,
            file.path.isascii() or file.path[-len(theirs.name) :],
            file.size_bytes,
            file.duration_s,
            file.width,
            file.height,
            hashes.get(file.part_id) if hashes is not None and file.part_id else False,
            theirs.stash_id,
            ours.ruled and (path.startswith(context.merged), path.startswith(context.mapped)),
        )

    def _pair(
        self,
        row: FileCandidates,
        theirs: Theirs,
        own: _Own,
        beside: tuple[FolderLevel, int, int, int, bool],
    ) -> Kind:
        """Return the kind of a pair. The fields are those of `Comparison`, in order."""
        context, ours = self._context, row.ours
        file, other = ours.file, theirs.file
        place, equal, telling, tail, rival = beside
        size = compare_size(file.size_bytes, other.size_bytes)
        spelling = _spell(ours, theirs, size)
        ruled = ours.ruled
        named = row.name_others if spelling >= Spelling.FOLDED else row.stem_others
        duration = compare_duration(file.duration_s, other.duration_s)
        content, readable = _compare_content(file, other, context.hashes)
        return self._scale.kind(
            (
                spelling,
                own.generic or named >= _MANY_NAMESAKES,
                named if spelling > Spelling.WORDS else 0,
                place,
                ruled,
                ruled and theirs.path.startswith(context.merged),
                ruled and not theirs.path.startswith(context.mapped),
                equal,
                telling,
                min(tail, named),
                size,
                *_judge_size(own, size, file.duration_s, duration),
                rival or theirs.path in row.disputed,
                duration,
                compare_frame((file.width, file.height), (other.width, other.height)),
                content,
                readable,
                theirs.stash_id == ours.scene_id,
                *_NOTHING_RANKED,
            )
        )


def _place_best(ours: Ours, theirs: Theirs, folders: _Folders) -> _Placed:
    """Compare the folders as a rule has them and as they are: a rule takes nothing away."""
    if ours.expected == theirs.path:
        return (
            (FolderLevel.PATH if _is_spelled_alike(ours, theirs) else FolderLevel.PATH_FOLDED),
            0,
            0,
        )
    placed = _place(ours.expected, ours, theirs, folders)
    if not ours.ruled or placed[0] >= FolderLevel.PATH_FOLDED:
        return placed
    plain = _place(ours.path, ours, theirs, folders)
    return max(placed, plain) if plain[0] < FolderLevel.PATH_FOLDED else placed


def _place(path: str, ours: Ours, theirs: Theirs, folders: _Folders) -> _Placed:
    placed = folders.compare(path, theirs.path)
    if placed[0] is not FolderLevel.PATH_FOLDED or fold(ours.name) == fold(theirs.name):
        return placed
    _, equal, telling = placed
    return (FolderLevel.FOLDERS if equal else FolderLevel.UNKNOWN), equal, telling


def _is_spelled_alike(ours: Ours, theirs: Theirs) -> bool:
    """Whether the names are equal as the servers write them, composition included."""
    if ours.file.path.isascii() and theirs.file.path.isascii():
        return True
    return ours.file.path[-len(ours.name) :] == theirs.file.path[-len(theirs.name) :]


def _count_tails(row: FileCandidates, placed: Sequence[_Placed]) -> list[int]:
    """How many other files share at least so many trailing folders and the name, by that number.

    In a crowd only those in the longest tail were chosen: of shorter ones all may share it.
    """
    deepest = max((equal for _, equal, _ in placed), default=0)
    bearers: list[set[str]] = [set() for _ in range(deepest + 1)]
    for theirs, (_, equal, _) in zip(row.parts, placed, strict=True):
        if theirs.stem == row.ours.stem:
            bearers[equal].add(theirs.file.path)
    counts = []
    seen: set[str] = set()
    for equal in range(deepest, -1, -1):
        seen |= bearers[equal]
        known = row.whole or equal == deepest
        counts.append(max(len(seen) - 1, 0) if known else row.stem_others)
    counts.reverse()
    return counts


def _judge_size(
    own: _Own, size: Level, duration_s: float | None, duration: Level
) -> tuple[int, bool, bool]:
    """Return what the size is worth if it is equal, and whether it, or the length, is telling."""
    if size is not Level.EQUAL:
        return 0, False, False
    asked = not own.telling_size and duration_s and duration >= Level.CLOSE
    return own.size_bits, own.telling_size, bool(asked) and is_telling_length(duration_s or 0.0)


def _compare_content(
    file: SceneFile, other: PlexFile, hashes: Mapping[int, int] | None
) -> tuple[Level, bool]:
    """Compare content hashes; whether Plex's is not known, and may still be read."""
    if hashes is None or not other.part_id:
        return Level.UNKNOWN, False
    smaller = _smaller(file.size_bytes, other.size_bytes)
    content = compare_content(file.oshash, hashes.get(other.part_id), smaller)
    return content, bool(file.oshash) and other.part_id not in hashes


def _spell(ours: Ours, theirs: Theirs, size: Level) -> Spelling:
    if ours.stem != theirs.stem:
        # ReasonNames of other words are compared only where the size brought the two together.
        alike = size is Level.EQUAL and share_words(ours.stem, theirs.stem)
        return Spelling.WORDS if alike else Spelling.DIFFERENT
    if ours.name == theirs.name:
        return Spelling.EXACT if _is_spelled_alike(ours, theirs) else Spelling.FORM
    return Spelling.FOLDED if fold(ours.name) == fold(theirs.name) else Spelling.STEM


def _smaller(one: int | None, other: int | None) -> int | None:
    """Return the smaller known size: a hash must be worth comparing on both sides."""
    return min(one, other) if one and other else one or other


def _size_bits(size_bytes: int) -> float:
    block = size_bytes & -size_bytes
    step = block if block >= _DISK_BLOCK else 1
    if size_bytes % 10 == 0:
        step = max(step, _largest_power_of_ten(size_bytes))
    return math.log2(size_bytes / step)


def _largest_power_of_ten(number: int) -> int:
    power = 1
    while number % (power * 10) == 0:
        power *= 10
    return power
