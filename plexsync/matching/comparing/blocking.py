"""Choosing the pairs worth comparing, in time linear in both libraries.

The scenes' keys are gathered first; the items then stream past them, so that a few scenes against
a large library cost little more than looking at each path once. Every tail of a path ends in its
base name, and every base name in its stem: one index by stem therefore serves path, tails, base
name and stem. Only where a name is so common that comparing all its bearers would grow with the
square of the library, the longer tails, the size and the duration choose among them.
"""

from __future__ import annotations

from array import array
from collections import Counter
from copy import copy
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING

import msgspec

from plexsync.text.normalize import NormalizedPath, PathMap, fold, folder_of, normalize_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from plexsync.models import PlexFile, PlexItem, RatingKey, Scene, SceneFile, SceneId

_PAIRS_PER_FILE = 4
"""A bucket is compared as a whole up to this many pairs per file in it."""
MOST_IN_TAIL = 16
"""A path tail is useful when no more parts share it."""
_LONGEST_TAIL = 6
_AT_HAND = 64
"""How many of the items that were asked for last are kept as they were made."""

Key = str | int
"""A stem, a size, a content hash as a negative number, or a scene's id behind a slash."""


class Ours(msgspec.Struct, frozen=True, gc=False):
    """One file of a scene, ready to compare. `expected` is where Plex should see it."""

    scene: int
    scene_id: SceneId
    file: SceneFile
    path: NormalizedPath
    expected: NormalizedPath
    ruled: bool
    name: str
    stem: str


class Theirs(msgspec.Struct, frozen=True, gc=False):
    """One part of an item, ready to compare."""

    item: int
    file: PlexFile
    path: NormalizedPath
    name: str
    stem: str
    stash_id: str = ""


class FileCandidates(msgspec.Struct, frozen=True, gc=False):
    """One of our files with the parts worth comparing it with, each part once.

    `name_others` and `stem_others` count the other files of that name on both sides: beyond our
    scene here, and beyond one file there. `whole` says that all bearers of the stem are among
    `parts`. `disputed` are the paths of namesakes of another size, which a file of ours has, or
    many have.
    """

    ours: Ours
    parts: list[Theirs]
    name_others: int = 0
    stem_others: int = 0
    size_others: int = 0
    whole: bool = True
    disputed: frozenset[str] = frozenset()


class Bucket(msgspec.Struct, gc=False):
    """The parts that have one key, and how many of our scenes have it, `last` being the last.

    `files` is how many files of Plex the parts are, once somebody asked.
    """

    parts: list[Theirs]
    scenes: int
    last: int
    files: int = -1

    def count_files(self) -> int:
        """Return how many files of Plex have the key; several items may show one."""
        if self.files < 0:
            self.files = len({part.file.path for part in self.parts})
        return self.files


class FileKeys:
    """What files are found by: equal keys bring a file of ours and a part together.

    All items are looked at once. Digests are what is left of their keys, for the keys would take
    more memory than the items; two keys of one digest bring an item too many.

    Args:
        items: every item.
        hashes: content hashes of parts; None when they are not used.

    Attributes:
        items: the same.
        item: returns that at a position; one that was asked for lately is not made again.
        hashes: the same.
    """

    def __init__(self, items: Sequence[PlexItem], hashes: Mapping[int, int] | None = None) -> None:
        self.items = items
        self.item = lru_cache(_AT_HAND)(items.__getitem__)
        self.hashes = hashes
        self._rating_keys = array("q")
        self._holders = array("I")
        self._stems, self._sizes, self._ids = array("q"), array("q"), array("q")
        self._named: dict[str, list[int]] = {}
        self._everywhere = array("q")
        self._crowded: frozenset[int] | None = None
        for position, item in enumerate(items):
            self._rating_keys.append(hash(item.rating_key))
            self._everywhere.extend([file.size_bytes or 0 for file in item.files])
            if not item.trashed:
                self._add(position, item)

    def _add(self, position: int, item: PlexItem) -> None:
        """Take in an item that is found."""
        if item.stash_id:
            self._named.setdefault(item.stash_id, []).append(position)
        for file in item.files:
            self._holders.append(position)
            self._stems.append(hash(split_name(normalize_path(file.path))[1]))
            self._sizes.append(max(file.size_bytes or 0, 0))
            self._ids.append(file.part_id)

    def with_hashes(self, hashes: Mapping[int, int] | None) -> FileKeys:
        """Return the keys of the same items once other content hashes are known."""
        other = copy(self)
        other.hashes = hashes
        return other

    @property
    def has_repeats(self) -> bool:
        """Whether an item may be there twice."""
        return len(set(self._rating_keys)) < len(self._rating_keys)

    def items_of(self, rating_keys: Collection[RatingKey]) -> Iterator[PlexItem]:
        """Yield the items that have one of some keys, in their order."""
        wanted = set(map(hash, rating_keys))
        for position, digest in enumerate(self._rating_keys):
            if digest in wanted and (item := self.items[position]).rating_key in rating_keys:
                yield item

    def digests(self) -> Iterator[tuple[int, int]]:
        """Yield the position of each item with the digest of each of its keys."""
        named = ((at, hash(f"/{name}")) for name, several in self._named.items() for at in several)
        numbers = ((at, hash(one)) for at, one in self._numbers() if one)
        return chain(zip(self._holders, self._stems, strict=True), numbers, named)

    def crowds(self) -> AbstractSet[int]:
        """Return the digests of sizes and contents that too many parts have to choose any."""
        return set(map(hash, _crowded(one for _, one in self._numbers()) - {0}))

    def _numbers(self) -> Iterator[tuple[int, int]]:
        """Yield the position of each item with the size, 0 for none, and content of its parts."""
        yield from zip(self._holders, self._sizes, strict=True)
        for at, part_id in zip(self._holders, self._ids if self.hashes else (), strict=False):
            if content := self._content_of(part_id):
                yield at, -content

    def ours(self, stem: str, file: SceneFile, scene_id: SceneId) -> list[Key]:
        """Return the keys of one of our files, the stem first."""
        content = file.oshash if self.hashes else None
        return _keys(stem, file.size_bytes, content, scene_id if scene_id in self._named else "")

    def borne(self, several: Iterable[Ours]) -> set[int]:
        """Return the digests of the keys of files of ours."""
        keys = (self.ours(one.stem, one.file, one.scene_id) for one in several)
        return set(map(hash, chain.from_iterable(keys)))

    def theirs(self, part: Theirs) -> list[Key]:
        """Return the keys of a part, the stem first."""
        content = self._content_of(part.file.part_id)
        return _keys(part.stem, part.file.size_bytes, content, part.stash_id)

    def _content_of(self, part_id: int) -> int | None:
        """Return the content hash of a part, as far as it is known."""
        return self.hashes.get(part_id) if self.hashes and part_id else None

    def is_crowded(self, size_bytes: int) -> bool:
        """Whether so many parts have a size that it chooses none."""
        if self._crowded is None:
            self._crowded = _crowded(self._everywhere)
        return size_bytes in self._crowded


def _keys(stem: str, size_bytes: int | None, content: int | None, named: str) -> list[Key]:
    """Return the keys of a file; a size or content below 1 is not known, `named` is a scene."""
    keys: list[Key] = [stem]
    if size_bytes and size_bytes > 0:
        keys.append(size_bytes)
    if content:
        keys.append(-content)
    if named:
        keys.append(f"/{named}")
    return keys


def _crowded(numbers: Iterable[int]) -> frozenset[int]:
    """Return those that are there more than `MOST_IN_TAIL` times."""
    ranked = sorted(numbers)  # half of the memory of a dictionary of counts
    later = islice(ranked, MOST_IN_TAIL, None)
    return frozenset(one for one, other in zip(ranked, later, strict=False) if one == other)


def split_name(path: NormalizedPath) -> tuple[str, str]:
    """Return the base name of `path` as written, and its folded stem."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    stem = name[:dot] if dot > 0 else name
    return name, stem.lower() if stem.isascii() else fold(stem)


def split_folders(path: str) -> list[str]:
    """Return the folded folder names of `path`, innermost first."""
    folders = [part for part in fold(folder_of(path)).split("/") if part]
    folders.reverse()
    return folders


def prepare_files(scenes: Iterable[Scene], rules: PathMap, first: int = 0) -> Iterator[Ours]:
    """Yield every file of every scene, the scene at `first` and those after it."""
    for position, scene in enumerate(scenes, first):
        for file in scene.files:
            yield prepare(position, scene.scene_id, file, rules)


def prepare(scene: int, scene_id: SceneId, file: SceneFile, rules: PathMap) -> Ours:
    """Make one file ready to compare."""
    path = normalize_path(file.path)
    mapped = rules.apply(path)
    expected = path if mapped is None else mapped
    name, stem = split_name(expected)
    return Ours(scene, scene_id, file, path, expected, mapped is not None, name, stem)


def prepare_parts(position: int, item: PlexItem) -> list[Theirs]:
    """Make the parts of the item at `position` ready to compare."""
    return [prepare_part(position, file, item.stash_id) for file in item.files]


def prepare_part(position: int, file: PlexFile, stash_id: str = "") -> Theirs:
    """Make one of them ready."""
    path = normalize_path(file.path)
    return Theirs(position, file, path, *split_name(path), stash_id)


class Blocks:
    """Our files, and by each of their keys the parts that share it.

    Args:
        ours: files of scenes; those of one scene come one after the other.
        keys: what files are found by, and every item.
    """

    def __init__(self, ours: list[Ours], keys: FileKeys) -> None:
        self._ours = ours
        self._keys = keys
        self._buckets: dict[Key, Bucket] = {}
        for one in ours:
            for key in keys.ours(one.stem, one.file, one.scene_id):
                bucket = self._buckets.setdefault(key, Bucket([], 0, -1))
                if bucket.last != one.scene:
                    bucket.scenes += 1
                    bucket.last = one.scene
        wanted = set(map(hash, self._buckets))
        for position in sorted({at for at, digest in keys.digests() if digest in wanted}):
            for part in prepare_parts(position, keys.items[position]):
                for key in keys.theirs(part):
                    if key in self._buckets:
                        self._buckets[key].parts.append(part)
        self._names = self._count_names()
        self._crowds: dict[str, _Crowd] = {}

    def rows(self) -> Iterator[FileCandidates]:
        """Yield each of our files with the parts worth comparing it with, if there are any."""
        for row in map(self._row, self._ours):
            if row.parts:
                yield row

    # ---- Private ---------------------------------------------------------------------------------

    def _row(self, one: Ours) -> FileCandidates:
        """Return a file with its candidates."""
        bucket = self._buckets[one.stem]
        named = bucket.parts
        us, them = bucket.scenes, len(named)
        whole = us * them <= _PAIRS_PER_FILE * (us + them)
        name = fold(one.name)
        if whole:
            chosen, bearers, kin = named, _count_bearers(named, name), bucket.count_files()
        else:
            if one.stem not in self._crowds:
                self._crowds[one.stem] = _Crowd(named)
            crowd = self._crowds[one.stem]
            chosen, bearers, kin = crowd.choose(one), crowd.bearers[name], crowd.files
        parts = self._join(one, chosen)
        return FileCandidates(
            ours=one,
            parts=parts,
            name_others=max(self._names.get(name, 1) - 1, 0) + max(bearers - 1, 0),
            stem_others=us - 1 + max(kin - 1, 0),
            size_others=self._count_sizes(one),
            whole=whole,
            disputed=self._find_disputed(one, parts),
        )

    def _count_names(self) -> Counter[str]:
        """How many scenes have each name with a stem that several scenes have."""
        shared = {
            (fold(one.name), one.scene) for one in self._ours if self._buckets[one.stem].scenes > 1
        }
        return Counter(name for name, _ in shared)

    def _count_sizes(self, one: Ours) -> int:
        """How many other files have the size of one of ours."""
        bucket = self._buckets.get(max(one.file.size_bytes or 0, 0))
        if bucket is None:
            return 0
        # A size that many files have chooses nobody, so of its scenes not all are known.
        alike = bucket.scenes - 1 if len(bucket.parts) <= MOST_IN_TAIL else 0
        return alike + max(bucket.count_files() - 1, 0)

    def _find_disputed(self, one: Ours, parts: Sequence[Theirs]) -> frozenset[str]:
        """Return the namesakes of another size that may be another file of ours, by their sizes."""
        if len(parts) == 1 and parts[0].file.size_bytes == one.file.size_bytes:
            return frozenset()
        return frozenset(
            part.path
            for part in parts
            if part.file.size_bytes != one.file.size_bytes
            and part.stem == one.stem
            and part.file.size_bytes
            and self._is_claimed(part.file.size_bytes)
        )

    def _is_claimed(self, size_bytes: int) -> bool:
        """Whether a file of ours has a size, or so many parts that not all of ours are known."""
        ours = size_bytes > 0 and size_bytes in self._buckets
        return ours or self._keys.is_crowded(size_bytes)

    def _join(self, one: Ours, named: Sequence[Theirs]) -> list[Theirs]:
        """All parts blocking found for one of our files, each once, in the items' order."""
        found = list(named)
        for key in self._keys.ours(one.stem, one.file, one.scene_id)[1:]:
            parts = self._buckets[key].parts
            found += _few(parts) if isinstance(key, int) else parts
        return list({id(part): part for part in found}.values())


# ---- Private -------------------------------------------------------------------------------------


class _Crowd:
    """The many bearers of one name, by what else may choose among them."""

    def __init__(self, parts: list[Theirs]) -> None:
        self._tails: dict[str, list[Theirs]] = {}
        self._sizes: dict[int, list[Theirs]] = {}
        self._durations: dict[int, list[Theirs]] = {}
        files = {part.file.path: fold(part.name) for part in parts}
        self.files = len(files)
        self.bearers = Counter(files.values())
        for part in parts:
            for tail in _tails(part.path):
                self._tails.setdefault(tail, []).append(part)
            if part.file.size_bytes:
                self._sizes.setdefault(part.file.size_bytes, []).append(part)
            if part.file.duration_s:
                self._durations.setdefault(round(part.file.duration_s), []).append(part)

    def choose(self, one: Ours) -> list[Theirs]:
        """Return the bearers in the shortest useful folder tail and of this size, or length."""
        chosen = self._in_useful_tail(one)
        chosen += _few(self._sizes.get(one.file.size_bytes or 0, []))
        if one.file.duration_s and not chosen:
            length = round(one.file.duration_s)
            for near in (length - 1, length, length + 1):
                chosen += _few(self._durations.get(near, []))
        return chosen

    def _in_useful_tail(self, one: Ours) -> list[Theirs]:
        found: list[Theirs] = []
        for tail in _tails(one.expected):
            bearers = self._tails.get(tail)
            if bearers is None:
                break
            found = bearers
            if len(bearers) <= MOST_IN_TAIL:
                break
        return list(_few(found))


def _few(parts: Sequence[Theirs]) -> Sequence[Theirs]:
    """Return the parts when they are few; a value that everybody has chooses nothing."""
    return parts if len(parts) <= MOST_IN_TAIL else ()


def _tails(path: str) -> Iterator[str]:
    """Yield the folders above the base name, joined from the inside, longest last."""
    tail = ""
    for folder in split_folders(path)[:_LONGEST_TAIL]:
        tail = f"{tail}/{folder}"
        yield tail
    # The whole path is the last tail, whatever its length.
    yield fold(path)


def _count_bearers(parts: list[Theirs], name: str) -> int:
    """How many files of Plex bear this folded name; several items may show one."""
    if len(parts) <= 1:
        return len(parts)
    return len({part.file.path for part in parts if fold(part.name) == name})
