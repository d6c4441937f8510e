"""Pairs of libraries, Stash's and Plex's, with the true links between them.

`make_library` makes one of any size from a seed: the same specification gives the same library.
Every scene is a `Case`, a way in which two servers come to see one file differently.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from plexsync.simulators.library.cases import Case, add, draw_cases
from plexsync.simulators.library.demo import LATE_EDIT, PLEX_EDIT, LateEdit, PlexEdit, demo_library
from plexsync.simulators.library.maker import Maker
from plexsync.simulators.library.odd import add_odd_scenes
from plexsync.simulators.library.records import (
    Library,
    PlexLibrarySection,
    PlexMedia,
    PlexPart,
    PlexSide,
    PlexVideo,
    StashFile,
    StashFolder,
    StashGroup,
    StashPerformer,
    StashScene,
    StashSide,
    StashStudio,
    StashTag,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DEFAULT_MIX",
    "LATE_EDIT",
    "PLEX_EDIT",
    "Case",
    "LateEdit",
    "Library",
    "LibrarySpec",
    "PlexEdit",
    "PlexLibrarySection",
    "PlexMedia",
    "PlexPart",
    "PlexSide",
    "PlexVideo",
    "StashFile",
    "StashFolder",
    "StashGroup",
    "StashPerformer",
    "StashScene",
    "StashSide",
    "StashStudio",
    "StashTag",
    "demo_library",
    "make_library",
]

DEFAULT_MIX: Mapping[Case, float] = MappingProxyType(
    {
        Case.SAME: 60,
        Case.MOUNT: 8,
        Case.FOLDER: 6,
        Case.GENERIC: 6,
        Case.RENAMED: 3,
        Case.REMUXED: 2,
        Case.NFD: 2,
        Case.WINDOWS: 2,
        Case.TWO_ITEMS: 1,
        Case.TWO_VERSIONS: 2,
        Case.DUPLICATE: 1,
        Case.MOVED: 1,
        Case.NO_DURATION: 1,
        Case.EPISODE: 1,
        Case.UNSCANNED: 3,
        Case.DECOY: 1,
    }
)
"""Weights of a well-kept library with a past; no survey stands behind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibrarySpec:
    """What to make.

    Attributes:
        seed: another seed is another library.
        scenes: how many scenes, odd ones not counted.
        mix: weight of each case.
        extra_items: Plex items without a scene, as a share of `scenes`.
        hashed: share of Plex parts with a hash computed by the server.
        edited: share of Plex items with a title and genres of a person's own, locked.
        odd: also the edge cases of docs/stash-api.md 9, about fifty scenes more.
    """

    seed: int = 1
    scenes: int = 1000
    mix: Mapping[Case, float] = field(default_factory=lambda: DEFAULT_MIX)
    extra_items: float = 0.03
    hashed: float = 0.9
    edited: float = 0.02
    odd: bool = False


def make_library(spec: LibrarySpec | None = None) -> Library:
    """Make the pair of libraries a specification describes."""
    spec = spec or LibrarySpec()
    maker = Maker(
        spec.seed, scenes=spec.scenes, hashed=spec.hashed, edited=spec.edited, odd=spec.odd
    )
    cases = draw_cases(maker.random, spec.mix, spec.scenes)
    while (left := spec.scenes - maker.scene_count) > 0:
        case = cases.pop()
        add(maker, Case.SAME if case is Case.DUPLICATE and left == 1 else case)
    for _ in range(int(spec.scenes * spec.extra_items)):
        maker.add_item_without_scene()
    if spec.odd:
        add_odd_scenes(maker)
    return maker.library()
