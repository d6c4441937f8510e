"""Choosing the pairs worth comparing, in time linear in both libraries.

The scenes' keys are gathered first; the items then stream past them, so that a few scenes against
a large library cost little more than looking at each path once. Every tail of a path ends in its
base name, and every base name in its stem: one index by stem therefore serves path, tails, base
name and stem. Only where a name is so common that comparing all its bearers would grow with the
square of the library, the longer tails, the size and the duration choose among them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from plexsync.text.normalize import NormalizedPath, fold, normalize_path

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from plexsync.models import PlexFile, PlexItem, Scene, SceneFile, SceneId
    from plexsync.text.normalize import PathMap

_PAIRS_PER_FILE = 4
"""A bucket is compared as a whole up to this many pairs per file in it."""
MOST_IN_TAIL = 16
"""A path tail is useful when no more parts share it."""
_LONGEST_TAIL = 6


class Ours(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One file of a scene, ready to compare. `expected` is where Plex should see it."""

    scene: int
    scene_id: SceneId
    file: SceneFile
    path: NormalizedPath
    expected: NormalizedPath
    ruled: bool
    name: str
    stem: str


class Theirs(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One part of an item, ready to compare."""

    item: int
    file: PlexFile
    path: NormalizedPath
    name: str
    stem: str
    stash_id: str = ""


class FileCandidates(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One of our files with the parts worth comparing it with, each part once.

    `name_others` and `stem_others` count the other files of that name on both sides: beyond our
    scene here, and beyond one file there. `whole` says that all bearers of the stem are among
    `parts`.
    """

    ours: Ours
    parts: list[Theirs]
    name_others: int
    stem_others: int
    size_others: int
    whole: bool


class Blocks(msgspec.Struct, kw_only=True, gc=False):
    """What blocking found: our files, and the parts that share a key with one of them."""

    ours: list[Ours]
    parts: dict[str, list[Theirs]]
    sizes: dict[int, list[Theirs]]
    hashes: dict[int, list[Theirs]]
    ids: dict[str, list[Theirs]]
    items: int


class Keys(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The keys of our files that items stream past."""

    stems: Container[str]
    sizes: Container[int | None]
    contents: Container[int | None]
    ids: Container[str]


def split_name(path: NormalizedPath) -> tuple[str, str]:
    """The base name of `path` as written, and its folded stem."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    return name, fold(name[:dot] if dot > 0 else name)


def split_folders(path: str) -> list[str]:
    """The folded folder names of `path`, innermost first."""
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
    return Ours(
        scene=scene,
        scene_id=scene_id,
        file=file,
        path=path,
        expected=expected,
        ruled=mapped is not None,
        name=name,
        stem=stem,
    )


def block(ours: list[Ours], items: Sequence[PlexItem], hashes: Mapping[int, int]) -> Blocks:
    """Stream the items past the keys of our files."""
    parts: dict[str, list[Theirs]] = {one.stem: [] for one in ours}
    sizes: dict[int, list[Theirs]] = {
        one.file.size_bytes: [] for one in ours if one.file.size_bytes and one.file.size_bytes > 0
    }
    contents: dict[int, list[Theirs]] = {one.file.oshash: [] for one in ours if one.file.oshash}
    ids: dict[str, list[Theirs]] = {one.scene_id: [] for one in ours}
    wanted = Keys(stems=parts, sizes=sizes, contents=contents, ids=ids)
    for their in _stream(items, wanted, hashes):
        if their.stem in parts:
            parts[their.stem].append(their)
        if their.file.size_bytes in sizes:
            sizes[their.file.size_bytes].append(their)
        content = hashes.get(their.file.part_id) if their.file.part_id else None
        if content in contents:
            contents[content].append(their)
        if their.stash_id in ids:
            ids[their.stash_id].append(their)
    return Blocks(
        ours=ours,
        parts=parts,
        sizes=sizes,
        hashes=contents,
        ids=ids,
        items=len(items),
    )


def pair(blocks: Blocks) -> Iterator[FileCandidates]:
    """Each of our files with the parts worth comparing it with."""
    stems, names, sizes = _count(blocks.ours)
    crowds: dict[str, _Crowd] = {}
    for one in blocks.ours:
        named = blocks.parts[one.stem]
        us, them = stems[one.stem], len(named)
        whole = us * them <= _PAIRS_PER_FILE * (us + them)
        if not whole and one.stem not in crowds:
            crowds[one.stem] = _Crowd(named)
        name = fold(one.name) if us > 1 or them > 1 else ""
        if whole:
            bearers, kin = _count_files(named, name), _count_files(named, "")
        else:
            bearers, kin = crowds[one.stem].bearers[name], crowds[one.stem].files
        equals = blocks.sizes.get(one.file.size_bytes or 0, [])
        # A size that many files have chooses nobody, so of its scenes not all are known.
        alike = sizes[one.file.size_bytes or 0] - 1 if len(equals) <= MOST_IN_TAIL else 0
        yield FileCandidates(
            ours=one,
            parts=_join(one, named if whole else crowds[one.stem].choose(one), blocks),
            name_others=max(names.get(name, 1) - 1, 0) + max(bearers - 1, 0),
            stem_others=us - 1 + max(kin - 1, 0),
            size_others=alike + max(_count_files(equals, "") - 1, 0),
            whole=whole,
        )


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
        """The bearers in the shortest useful folder tail and of this size, else of this length."""
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
    """The parts when they are few; a value that everybody has chooses nothing."""
    return parts if len(parts) <= MOST_IN_TAIL else []


def _tails(path: str) -> Iterator[str]:
    """The folders above the base name, joined from the inside, longest last."""
    tail = ""
    for folder in split_folders(path)[:_LONGEST_TAIL]:
        tail = f"{tail}/{folder}"
        yield tail
    # The whole path is the last tail, whatever its length.
    yield fold(path)


def _stream(items: Sequence[PlexItem], ours: Keys, hashes: Mapping[int, int]) -> Iterator[Theirs]:
    """The parts of live items that share a key with one of our files."""
    stems, sizes, contents, ids = ours.stems, ours.sizes, ours.contents, ours.ids
    for position, item in enumerate(items):
        if item.trashed:
            continue
        for file in item.files:
            path = normalize_path(file.path)
            name, stem = split_name(path)
            if (
                stem in stems
                or file.size_bytes in sizes
                or item.stash_id in ids
                or (hashes and hashes.get(file.part_id) in contents)
            ):
                yield Theirs(
                    item=position,
                    file=file,
                    path=path,
                    name=name,
                    stem=stem,
                    stash_id=item.stash_id,
                )


def _count(ours: list[Ours]) -> tuple[Counter[str], Counter[str], Counter[int]]:
    """How many scenes have each stem, each name (where a stem is shared) and each size."""
    stems = Counter(stem for stem, _ in {(one.stem, one.scene) for one in ours})
    shared = {(fold(one.name), one.scene) for one in ours if stems[one.stem] > 1}
    sizes = {(one.file.size_bytes or 0, one.scene) for one in ours}
    return (
        stems,
        Counter(name for name, _ in shared),
        Counter(size for size, _ in sizes),
    )


def _count_files(parts: list[Theirs], name: str) -> int:
    """How many files of Plex bear this folded name, or any for ""; several items may show one."""
    if len(parts) <= 1:
        return len(parts)
    return len({part.file.path for part in parts if not name or fold(part.name) == name})


def _join(one: Ours, named: list[Theirs], blocks: Blocks) -> list[Theirs]:
    """All parts blocking found for one of our files, each once, in the items' order."""
    found = list(named)
    if one.file.size_bytes:
        found += _few(blocks.sizes.get(one.file.size_bytes, []))
    if one.file.oshash:
        found += _few(blocks.hashes.get(one.file.oshash, []))
    found += blocks.ids[one.scene_id]
    if len(found) < 2:  # noqa: PLR2004 - nothing to deduplicate
        return found
    return list({id(part): part for part in found}.values())
