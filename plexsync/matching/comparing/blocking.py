"""Choosing the pairs worth comparing, in time linear in both libraries.

The scenes' keys are gathered first; the items then stream past them, so that a few scenes against
a large library cost little more than looking at each path once. Every tail of a path ends in its
base name, and every base name in its stem: one index by stem therefore serves path, tails, base
name and stem. Only where a name is so common that comparing all its bearers would grow with the
square of the library, the longer tails, the size and the duration choose among them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import msgspec

from plexsync.text.normalize import NormalizedPath, fold, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plexsync.models import PlexFile, PlexItem, Scene, SceneFile, SceneId
    from plexsync.text.normalize import PathMap

_PAIRS_PER_FILE = 4
"""A bucket is compared as a whole up to this many pairs per file in it."""
MOST_IN_TAIL = 16
"""A path tail is useful when no more parts share it."""
_LONGEST_TAIL = 6

_Key = TypeVar("_Key", str, int)


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
    `parts`; `alone` that there is one, and that no key leads from either to another scene or part.
    `disputed` are the paths of namesakes of another size, which a file of ours has, or many have.
    """

    ours: Ours
    parts: list[Theirs]
    name_others: int = 0
    stem_others: int = 0
    size_others: int = 0
    whole: bool = True
    alone: bool = False
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
            self.files = _count_files(self.parts, "")
        return self.files


class Blocks(msgspec.Struct, kw_only=True, gc=False):
    """What blocking found: our files, and by each of their keys the parts that share it.

    `contents` are the content hashes of parts.
    """

    ours: list[Ours]
    stems: dict[str, Bucket]
    sizes: dict[int, Bucket]
    hashes: dict[int, Bucket]
    ids: dict[str, Bucket]
    contents: Mapping[int, int]
    items: Sequence[PlexItem]
    crowded: frozenset[int] | None = None

    def is_claimed(self, size_bytes: int) -> bool:
        """Whether a file of ours has a size, or so many parts that not all of ours are known."""
        if size_bytes in self.sizes:
            return True
        if self.crowded is None:
            counts = Counter(file.size_bytes or 0 for item in self.items for file in item.files)
            self.crowded = frozenset(size for size, count in counts.items() if count > MOST_IN_TAIL)
        return size_bytes in self.crowded


def split_name(path: NormalizedPath) -> tuple[str, str]:
    """Return the base name of `path` as written, and its folded stem."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    stem = name[:dot] if dot > 0 else name
    return name, stem.lower() if stem.isascii() else fold(stem)


def split_folders(path: str) -> list[str]:
    """Return the folded folder names of `path`, innermost first."""
    folders = [part for part in fold(path[: path.rfind("/") + 1]).split("/") if part]
    folders.reverse()
    return folders


def prepare_files(scenes: Sequence[Scene], rules: PathMap) -> list[Ours]:
    """Every file of every scene, ready to compare."""
    return [
        prepare(position, scene.scene_id, file, rules)
        for position, scene in enumerate(scenes)
        for file in scene.files
    ]


def prepare(scene: int, scene_id: SceneId, file: SceneFile, rules: PathMap) -> Ours:
    """Make one file ready to compare."""
    path = normalize_path(file.path)
    mapped = rules.apply(path)
    expected = path if mapped is None else mapped
    name, stem = split_name(expected)
    return Ours(scene, scene_id, file, path, expected, mapped is not None, name, stem)


def block(ours: list[Ours], items: Sequence[PlexItem], hashes: Mapping[int, int]) -> Blocks:
    """Stream the items past the keys of our files."""
    named = {item.stash_id for item in items if item.stash_id}
    sizes = ((one.file.size_bytes or 0, one.scene) for one in ours)
    contents = ((one.file.oshash, one.scene) for one in ours if hashes and one.file.oshash)
    ids = ((one.scene_id, one.scene) for one in ours if one.scene_id in named)
    blocks = Blocks(
        ours=ours,
        stems=_open_buckets((one.stem, one.scene) for one in ours),
        sizes=_open_buckets(one for one in sizes if one[0] > 0),
        hashes=_open_buckets(contents),
        ids=_open_buckets(ids),
        contents=hashes,
        items=items,
    )
    for position, item in enumerate(items):
        if not item.trashed:
            for file in item.files:
                _put(position, item, file, blocks)
    return blocks


def pair(blocks: Blocks) -> Iterator[FileCandidates]:
    """Each of our files with the parts worth comparing it with, those that there are any for."""
    names = _count_names(blocks)
    crowds: dict[str, _Crowd] = {}
    for one in blocks.ours:
        bucket = blocks.stems[one.stem]
        parts = bucket.parts
        if bucket.scenes > 1 or len(parts) > 1:
            row = _choose(one, blocks, names, crowds)
        elif parts and _is_alone(one, parts[0], blocks):
            disputed = _find_disputed(one, parts, blocks)
            row = FileCandidates(one, parts, alone=True, disputed=disputed)
        else:
            parts = _join(one, parts, blocks)
            row = FileCandidates(
                one,
                parts,
                size_others=_count_sizes(one, blocks),
                disputed=_find_disputed(one, parts, blocks),
            )
        if row.parts:
            yield row


# ---- Private -------------------------------------------------------------------------------------


def _open_buckets(keys: Iterable[tuple[_Key, int]]) -> dict[_Key, Bucket]:
    """Return a bucket for each key; scenes come one after the other, so each is counted once."""
    buckets: dict[_Key, Bucket] = {}
    for key, scene in keys:
        bucket = buckets.get(key)
        if bucket is None:
            buckets[key] = Bucket([], 1, scene)
        elif bucket.last != scene:
            bucket.scenes += 1
            bucket.last = scene
    return buckets


def _put(position: int, item: PlexItem, file: PlexFile, blocks: Blocks) -> None:
    """Put a part into the bucket of each key it shares with one of our files."""
    path = normalize_path(file.path)
    name, stem = split_name(path)
    content = blocks.contents.get(file.part_id) if blocks.hashes and file.part_id else None
    found = (
        blocks.stems.get(stem),
        blocks.sizes.get(file.size_bytes or 0),
        blocks.hashes.get(content) if content else None,
        blocks.ids.get(item.stash_id) if item.stash_id else None,
    )
    buckets = [bucket for bucket in found if bucket is not None]
    if buckets:
        their = Theirs(position, file, path, name, stem, item.stash_id)
        for bucket in buckets:
            bucket.parts.append(their)


def _choose(
    one: Ours, blocks: Blocks, names: Mapping[str, int], crowds: dict[str, _Crowd]
) -> FileCandidates:
    """Return the candidates of a file whose name others have, too."""
    bucket = blocks.stems[one.stem]
    named = bucket.parts
    us, them = bucket.scenes, len(named)
    whole = us * them <= _PAIRS_PER_FILE * (us + them)
    if not whole and one.stem not in crowds:
        crowds[one.stem] = _Crowd(named)
    name = fold(one.name)
    parts = _join(one, named if whole else crowds[one.stem].choose(one), blocks)
    if whole:
        bearers, kin = _count_files(named, name), _count_files(named, "")
    else:
        bearers, kin = crowds[one.stem].bearers[name], crowds[one.stem].files
    return FileCandidates(
        ours=one,
        parts=parts,
        name_others=max(names.get(name, 1) - 1, 0) + max(bearers - 1, 0),
        stem_others=us - 1 + max(kin - 1, 0),
        size_others=_count_sizes(one, blocks),
        whole=whole,
        disputed=_find_disputed(one, parts, blocks),
    )


def _count_sizes(one: Ours, blocks: Blocks) -> int:
    """How many other files have the size of one of ours."""
    bucket = blocks.sizes.get(one.file.size_bytes or 0)
    if bucket is None:
        return 0
    # A size that many files have chooses nobody, so of its scenes not all are known.
    alike = bucket.scenes - 1 if len(bucket.parts) <= MOST_IN_TAIL else 0
    return alike + max(bucket.count_files() - 1, 0)


def _find_disputed(one: Ours, parts: Sequence[Theirs], blocks: Blocks) -> frozenset[str]:
    """Return the namesakes of another size that may be another file of ours, by their sizes."""
    if len(parts) == 1 and parts[0].file.size_bytes == one.file.size_bytes:
        return frozenset()
    return frozenset(
        part.path
        for part in parts
        if part.file.size_bytes != one.file.size_bytes
        and part.stem == one.stem
        and part.file.size_bytes
        and blocks.is_claimed(part.file.size_bytes)
    )


def _is_alone(one: Ours, part: Theirs, blocks: Blocks) -> bool:
    """Whether no key leads from our file or from the part to another scene or part."""
    size, other = one.file.size_bytes or 0, part.file.size_bytes or 0
    if not _holds_only(blocks.sizes.get(size), part) or (other != size and other in blocks.sizes):
        return False
    if blocks.ids and not (
        _holds_only(blocks.ids.get(one.scene_id), part)
        and (part.stash_id == one.scene_id or part.stash_id not in blocks.ids)
    ):
        return False
    content = blocks.contents.get(part.file.part_id)
    return not blocks.hashes or (
        _holds_only(blocks.hashes.get(one.file.oshash or 0), part)
        and (content == one.file.oshash or content not in blocks.hashes)
    )


def _holds_only(bucket: Bucket | None, part: Theirs) -> bool:
    if bucket is None:
        return True
    parts = bucket.parts
    return bucket.scenes == 1 and (not parts or (len(parts) == 1 and parts[0] is part))


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


def _few(parts: list[Theirs]) -> list[Theirs]:
    """Return the parts when they are few; a value that everybody has chooses nothing."""
    return parts if len(parts) <= MOST_IN_TAIL else []


def _tails(path: str) -> Iterator[str]:
    """Yield the folders above the base name, joined from the inside, longest last."""
    tail = ""
    for folder in split_folders(path)[:_LONGEST_TAIL]:
        tail = f"{tail}/{folder}"
        yield tail
    # The whole path is the last tail, whatever its length.
    yield fold(path)


def _count_names(blocks: Blocks) -> Counter[str]:
    """How many scenes have each name whose stem several scenes have."""
    shared = {
        (fold(one.name), one.scene) for one in blocks.ours if blocks.stems[one.stem].scenes > 1
    }
    return Counter(name for name, _ in shared)


def _count_files(parts: list[Theirs], name: str) -> int:
    """How many files of Plex bear this folded name, or any for ""; several items may show one."""
    if len(parts) <= 1:
        return len(parts)
    return len({part.file.path for part in parts if not name or fold(part.name) == name})


def _join(one: Ours, named: Sequence[Theirs], blocks: Blocks) -> list[Theirs]:
    """All parts blocking found for one of our files, each once, in the items' order."""
    found = list(named)
    if (bucket := blocks.sizes.get(one.file.size_bytes or 0)) is not None:
        found += _few(bucket.parts)
    if blocks.hashes and (bucket := blocks.hashes.get(one.file.oshash or 0)) is not None:
        found += _few(bucket.parts)
    if blocks.ids and (bucket := blocks.ids.get(one.scene_id)) is not None:
        found += bucket.parts
    if len(found) < 2:  # noqa: PLR2004 - nothing to deduplicate
        return found
    return list({id(part): part for part in found}.values())
