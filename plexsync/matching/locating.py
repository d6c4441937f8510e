"""Where pairs lie: which of them teach how the libraries lie, and what that says of the others."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

from plexsync.matching.comparing.evidence import (
    DURATION_CLOSE_S,
    Comparison,
    FolderLevel,
    Spelling,
)
from plexsync.matching.layout import Layout, PlaceNumbers, split_prefixes
from plexsync.text.normalize import NormalizedPath, folder_of, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plexsync.matching.comparing.blocking import Ours, Theirs
    from plexsync.matching.comparing.comparison import Compared
    from plexsync.matching.comparing.weighing import Kind, Scale
    from plexsync.models import PlexItem

_MOST_COPIES = 4
"""A file with more look-alikes than this teaches nothing about the layout."""
_NEAR_S = DURATION_CLOSE_S + 1e-6


def certain_pairs(
    compared: Iterable[Compared],
) -> Iterator[tuple[NormalizedPath, NormalizedPath]]:
    """Where files lie that are the same without a look at their folders."""
    for ours, found in compared:
        paths = {part.path for kind, part in found if kind.teaches}
        if len(paths) <= _MOST_COPIES:
            yield from ((ours.path, path) for path in sorted(paths))


def folder_lengths(
    compared: Iterable[Compared], items: Sequence[PlexItem]
) -> dict[str, list[float]]:
    """Return the lengths of the files, in order, of folders in which one may have been renamed."""
    found: dict[str, set[tuple[str, float]]] = {
        folder_of(part.path): set()
        for one in compared
        for kind, part in one.found
        if kind.may_be_renamed
    }
    if not found:
        return {}
    for file in (file for item in items if not item.trashed for file in item.files):
        path = normalize_path(file.path)
        known = found.get(folder_of(path))
        if known is not None and file.duration_s:
            known.add((path, file.duration_s))
    return {folder: sorted(length for _, length in known) for folder, known in found.items()}


class Lead(Enum):
    """What leads from our file's folder to just the place of a part: certain pairs, or a rule."""

    NONE = 0
    PAIRS = 1
    RULE = 2


class Locator:
    """Adds to comparisons what a layout says of their place.

    Args:
        layout: how the libraries lie to each other.
        places: gives places their numbers.
        lengths: the lengths of the files, in order, of folders in which one may have been renamed.
        scale: knows the kinds of pairs.
    """

    def __init__(
        self,
        layout: Layout,
        places: PlaceNumbers,
        lengths: Mapping[str, Sequence[float]],
        scale: Scale,
    ) -> None:
        self._layout = layout
        self._places = places
        self._lengths = lengths
        self._scale = scale
        self._lead = cache(self._find_lead)
        self._kind_at = cache(self._find_kind)

    def locate(self, kind: Kind, ours: Ours, part: Theirs) -> Kind:
        """Return the kind a pair is of with what the layout says."""
        if kind.made.spelling >= Spelling.FORM:
            return self.locate_at(self._places.number(ours.path, part.path), kind)
        return self._locate_renamed(kind.made, ours, part) if kind.may_be_renamed else kind

    def locate_at(self, number: int, kind: Kind) -> Kind:
        """Do so for a pair of files of one stem, by the number of their place."""
        return self._kind_at(kind, self._lead(number))

    def _find_lead(self, number: int) -> Lead:
        """Return what leads to a place."""
        place = self._places.known[number]
        if place.root not in self._layout.roots:
            return Lead.NONE
        folder, other = NormalizedPath(place.folder), NormalizedPath(place.other)
        return Lead.RULE if self._layout.maps(folder, other) else Lead.PAIRS

    def _find_kind(self, kind: Kind, lead: Lead) -> Kind:
        """Return what pairs of a kind are where something leads to; only equal names are led."""
        if lead is Lead.NONE or kind.made.spelling < Spelling.FORM:
            return kind
        made = kind.made._replace(led=True)
        if lead is Lead.RULE and made.place < FolderLevel.PATH_FOLDED:
            exact = made.spelling is Spelling.EXACT
            place = FolderLevel.PATH if exact else FolderLevel.PATH_FOLDED
            made = made._replace(learned=True, place=place)
        return self._scale.kind(made)

    def _locate_renamed(self, made: Comparison, ours: Ours, part: Theirs) -> Kind:
        lengths, length = self._lengths.get(folder_of(part.path), ()), part.file.duration_s or 0.0
        near = bisect_right(lengths, length + _NEAR_S) - bisect_left(lengths, length - _NEAR_S)
        ends = (
            NormalizedPath(folder_of(ours.path) + "x"),
            NormalizedPath(folder_of(part.path) + "x"),
        )
        led = split_prefixes(*ends) in self._layout.roots
        return self._scale.kind(made._replace(alone_in_length=near <= 1, led=led))
