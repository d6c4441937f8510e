"""What a file costs that others share name, size and folder tail with, by how many they are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from plexsync.matcher import decide, match
from plexsync.models import (
    Confidence,
    ItemKind,
    PlexFile,
    PlexItem,
    RatingKey,
    Scene,
    SceneFile,
    SceneId,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (1, 2, 4, 8, 12, 16, 24, 64)
FILES = 768
"""Divided by every size, so that all measurements are about as many files."""

MOST_GROWTH = 2.5
"""How much dearer a file may be than one of a group of a quarter of the size, from 8 on."""

_ROUNDS = 7
_LONE_FILES = 60
"""Files of their own on each disk: as many as tell where the disk lies on the other side."""

_Pairs = tuple[list[Scene], list[PlexItem]]


def measure_groups() -> bool:
    """Print microseconds of CPU a scene by the size of its group; whether none is too dear."""
    held = True
    for known in (False, True):
        print("where disks lie is known" if known else "where disks lie is not known")
        costs: dict[int, float] = {}
        for size in SIZES:
            costs[size], high = _measure(size, known=known)
            quarter = costs.get(size // 4)
            ratio = f"{costs[size] / quarter:5.1f} x one of {size // 4}" if quarter else ""
            print(f"{size:>6} files: {costs[size]:6.0f} us, {high:4} of {FILES} HIGH {ratio}")
            held = held and (size < 8 or not quarter or costs[size] <= MOST_GROWTH * quarter)
    return held


def _measure(size: int, *, known: bool) -> tuple[float, int]:
    """Return the best microseconds of several rounds, and how many scenes are HIGH."""
    scenes, items = _grouped(size)
    lone = decide(*_lone(size)).layout if known else None
    best, high = float("inf"), 0
    for _ in range(_ROUNDS):
        began = time.process_time()
        found = match(scenes, items, layout=lone) if lone else match(scenes, items)
        best = min(best, time.process_time() - began)
        high = sum(one.confidence is Confidence.HIGH for one in found)
    return best / FILES * 1e6, high


def _grouped(size: int) -> _Pairs:
    """Groups of one name, size and folder tail; only the disk tells their members apart."""
    pairs = []
    for at in range(FILES):
        group, disk = divmod(at, size)
        path = f"{disk}/shoot{group}/beach day {group}.mp4"
        pairs.append(_pair(at, path, 1_155_219_457 + group * 7919, 600.4 + group % 977))
    return [scene for scene, _ in pairs], [item for _, item in pairs]


def _lone(disks: int) -> _Pairs:
    """Files on the same disks that nothing else is like."""
    pairs = list(_lone_pairs(disks))
    return [scene for scene, _ in pairs], [item for _, item in pairs]


def _lone_pairs(disks: int) -> Iterator[tuple[Scene, PlexItem]]:
    for disk in range(disks):
        for at in range(_LONE_FILES):
            number = FILES + disk * _LONE_FILES + at
            path = f"{disk}/solo{at}/own title {disk} {at} x.mp4"
            yield _pair(number, path, 2_155_219_457 + number * 7919, 333.0 + at * 1.7 + disk)


def _pair(number: int, path: str, size_bytes: int, duration_s: float) -> tuple[Scene, PlexItem]:
    """One file as both servers see it, who name its disk differently."""
    ours = SceneFile(
        path=f"/data/a{path}",
        size_bytes=size_bytes,
        duration_s=duration_s,
        width=1920,
        height=1080,
        oshash=None,
    )
    theirs = PlexFile(
        path=f"/media/b{path}",
        size_bytes=size_bytes,
        duration_s=duration_s,
        width=1920,
        height=1080,
        part_id=number,
        stacked=False,
    )
    scene = Scene(scene_id=SceneId(str(number + 1)), updated_at="1", title="", files=(ours,))
    item = PlexItem(
        rating_key=RatingKey(str(100_000 + number)),
        section_id="1",
        kind=ItemKind.MOVIE,
        title="",
        files=(theirs,),
    )
    return scene, item
