"""Comparing the pairs blocking chose: from two files to one comparison."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from plexsync.matching.comparing.blocking import (
    FileCandidates,
    FileKeys,
    Ours,
    Theirs,
    split_folders,
)
from plexsync.matching.comparing.evidence import Comparison, FolderLevel, Level, Spelling
from plexsync.matching.comparing.facts import (
    MANY_NAMESAKES,
    compare_content,
    compare_duration,
    compare_frame,
    compare_size,
    is_telling_length,
    measure_size,
)
from plexsync.matching.comparing.title_similarity import share_words
from plexsync.text.generic_names import is_generic_folder, is_generic_name
from plexsync.text.normalize import compile_rules, fold, folder_of, normalize_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plexsync.matching.comparing.weighing import Kind, Scale
    from plexsync.models import PathRule, PlexFile, SceneFile


class Compared(NamedTuple):
    """One of our files with what it was compared with."""

    ours: Ours
    found: list[tuple[Kind, Theirs]]


_Placed = tuple[FolderLevel, int, int]
"""How two folders compare, how many trailing ones are equal, and how many of those telling."""


_Own = tuple[bool, int, bool]
"""Of a file of ours: its name is generic; what its size is worth; whether that is telling."""

_Reach = Literal[False] | tuple[bool, bool, bool]
"""See `Comparer._reach`; False where no rule covers our file."""

_Looks = tuple[
    _Own,
    tuple[_Placed, int, bool],
    Spelling,
    int,
    int,
    Level,
    Level,
    Level,
    bool,
    _Reach,
    bool,
    bool,
    tuple[Level, bool],
]
"""All that a comparison is made of; see `_read`."""


class Comparer:
    """Compares our files with parts.

    Args:
        keys: every item, and the content hashes of parts.
        rules: how Plex sees Stash's folders.
        scale: knows the kinds of pairs.

    Attributes:
        path_map: the rules, ready for many paths.
        scale: the same.
    """

    def __init__(self, keys: FileKeys, rules: Sequence[PathRule], scale: Scale) -> None:
        self.path_map = compile_rules(rules)
        self.scale = scale
        self._hashes = keys.hashes
        used = [rule for rule in dict.fromkeys(rules) if rule.stash and rule.plex]
        self._mapped = tuple(f"{normalize_path(rule.plex).rstrip('/')}/" for rule in used)
        self._merged = _merged(self._mapped)
        self._kinds: dict[_Looks, Kind] = {}

    def compare(self, row: FileCandidates) -> list[tuple[Kind, Theirs]]:
        """Compare one of our files with its candidates."""
        ours, parts = row.ours, row.parts
        size = ours.file.size_bytes
        own: _Own = is_generic_name(ours.stem), 0, False
        if size and size > 0:
            own = own[0], *measure_size(size, row.size_others, self.scale.items)
        if len(parts) == 1:
            their = parts[0]
            beside = _place_best(ours, their), 0, False
            return [(self._pair(row, their, own, beside), their)]
        several = [_place_best(ours, their) for their in parts]
        tails = _count_tails(row, several)
        alike = {one.file.path for one in parts if size and one.file.size_bytes == size}
        kinds: dict[tuple[object, ...], Kind] = {}
        found = []
        for their, placed in zip(parts, several, strict=True):
            rival = not alike <= {their.file.path}
            looks = self._looks_of(ours, their), placed, rival
            kind = kinds.get(looks)
            if kind is None:
                beside = placed, tails[placed[1]], rival
                kind = kinds[looks] = self._pair(row, their, own, beside)
            found.append((kind, their))
        return found

    def compare_resembling(self, ours: Ours, theirs: Theirs, *, title: Level, date: Level) -> Kind:
        """Compare a pair that only its title brought together; either may lack a file."""
        ((kind, _),) = self.compare(FileCandidates(ours, [theirs]))
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
        return self.scale.kind(made)

    def _looks_of(self, ours: Ours, theirs: Theirs) -> tuple[object, ...]:
        """Return all of a part that comparing it with ours looks at beside its folders."""
        file, hashes = theirs.file, self._hashes
        return (
            theirs.name,
            file.path.isascii() or file.path[-len(theirs.name) :],
            file.size_bytes,
            file.duration_s,
            file.width,
            file.height,
            hashes.get(file.part_id) if hashes is not None and file.part_id else False,
            theirs.stash_id,
            self._reach(ours, theirs),
        )

    def _reach(self, ours: Ours, theirs: Theirs) -> _Reach:
        """Return whether a part lies where rules lead more than one folder, and where any lead.

        The last is whether a rule leads our file to another path.
        """
        if not ours.ruled:
            return False
        path, moved = theirs.path, ours.expected != ours.path
        return path.startswith(self._merged), path.startswith(self._mapped), moved

    def _pair(
        self, row: FileCandidates, theirs: Theirs, own: _Own, beside: tuple[_Placed, int, bool]
    ) -> Kind:
        """Return the kind of a pair: what looks alike was compared once."""
        ours = row.ours
        file, other = ours.file, theirs.file
        size = compare_size(file.size_bytes, other.size_bytes)
        duration = compare_duration(file.duration_s, other.duration_s)
        asked = size is Level.EQUAL and not own[2] and duration >= Level.CLOSE
        looks: _Looks = (
            own,
            beside,
            _spell(ours, theirs, size),
            row.name_others,
            row.stem_others,
            size,
            duration,
            compare_frame((file.width, file.height), (other.width, other.height)),
            asked and is_telling_length(file.duration_s or 0.0),
            self._reach(ours, theirs),
            theirs.path in row.disputed,
            theirs.stash_id == ours.scene_id,
            _compare_content(file, other, self._hashes),
        )
        kind = self._kinds.get(looks)
        if kind is None:
            kind = self._kinds[looks] = self.scale.kind(_read(looks))
        return kind


# ---- Private -------------------------------------------------------------------------------------


def _merged(folders: Sequence[str]) -> tuple[str, ...]:
    """Return the folders that more than one folder of Stash leads to, or into."""
    return tuple(
        one
        for at, one in enumerate(folders)
        if any(
            at != other and (one.startswith(folder) or folder.startswith(one))
            for other, folder in enumerate(folders)
        )
    )


def _read(looks: _Looks) -> Comparison:
    """Return the comparison of pairs that look so."""
    own, (placed, tail, rival), spelling, name_others, stem_others = looks[:5]
    size, duration, frame, long, mapped, disputed, identity, content = looks[5:]
    named = name_others if spelling >= Spelling.FOLDED else stem_others
    equal = size is Level.EQUAL
    return Comparison(
        spelling=spelling,
        generic=own[0] or named >= MANY_NAMESAKES,
        others=named if spelling > Spelling.WORDS else 0,
        place=placed[0],
        ruled=mapped is not False and mapped[2],
        merged=mapped is not False and mapped[0],
        outside=mapped is not False and not mapped[1],
        folders=placed[1],
        telling_folders=placed[2],
        tail_others=min(tail, named),
        size=size,
        size_bits=own[1] if equal else 0,
        telling_size=equal and own[2],
        telling_length=long,
        size_rival=rival or disputed,
        duration=duration,
        frame=frame,
        content=content[0],
        readable=content[1],
        identity=identity,
    )


def _place_best(ours: Ours, theirs: Theirs) -> _Placed:
    """Compare the folders as a rule has them and as they are: a rule takes nothing away."""
    if ours.expected == theirs.path:
        return (
            (FolderLevel.PATH if _is_spelled_alike(ours, theirs) else FolderLevel.PATH_FOLDED),
            0,
            0,
        )
    placed = _place(ours.expected, ours, theirs)
    if not ours.ruled or placed[0] >= FolderLevel.PATH_FOLDED:
        return placed
    plain = _place(ours.path, ours, theirs)
    return max(placed, plain) if plain[0] < FolderLevel.PATH_FOLDED else placed


def _place(path: str, ours: Ours, theirs: Theirs) -> _Placed:
    placed = _compare_folders(folder_of(path), folder_of(theirs.path))
    if placed[0] is not FolderLevel.PATH_FOLDED or fold(ours.name) == fold(theirs.name):
        return placed
    _, equal, telling = placed
    return (FolderLevel.FOLDERS if equal else FolderLevel.UNKNOWN), equal, telling


@lru_cache(maxsize=4096)  # many files lie in one folder
def _compare_folders(ours: str, theirs: str) -> _Placed:
    """How two folders compare; PATH_FOLDED where all their names are equal."""
    folders, others = _split_once(ours), _split_once(theirs)
    equal = telling = 0
    for mine, other in zip(folders, others, strict=False):
        if mine != other:
            break
        equal += 1
        telling += not _is_generic(mine)
    return _compare_depths(equal, len(folders), len(others)), equal, telling


_split_once = lru_cache(maxsize=1024)(split_folders)
_is_generic = lru_cache(maxsize=1024)(is_generic_folder)


def _compare_depths(equal: int, depth: int, other: int) -> FolderLevel:
    if equal == depth == other:
        return FolderLevel.PATH_FOLDED
    if equal:
        return FolderLevel.FOLDERS
    # A file right in a root lies in no folder that both servers could see.
    return FolderLevel.UNKNOWN if min(depth, other) <= 1 else FolderLevel.APART


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
    if ours.name == theirs.name:
        return Spelling.EXACT if _is_spelled_alike(ours, theirs) else Spelling.FORM
    if ours.stem != theirs.stem:
        # Names of other words are compared only where the size brought the two together.
        alike = size is Level.EQUAL and share_words(ours.stem, theirs.stem)
        return Spelling.WORDS if alike else Spelling.DIFFERENT
    return Spelling.FOLDED if fold(ours.name) == fold(theirs.name) else Spelling.STEM


def _smaller(one: int | None, other: int | None) -> int | None:
    """Return the smaller known size: a hash must be worth comparing on both sides."""
    return min(one, other) if one and other else one or other
