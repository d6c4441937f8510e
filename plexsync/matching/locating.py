"""Where pairs lie: which of them teach how the libraries lie, and what that says of the others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from plexsync.matching.comparing.evidence import Comparison, FolderLevel, Level, Spelling
from plexsync.matching.comparing.facts import compare_duration
from plexsync.matching.layout import Layout, Place, Places
from plexsync.text.normalize import NormalizedPath, normalize_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plexsync.matching.comparing.blocking import Ours, Theirs
    from plexsync.matching.comparing.comparison import Compared
    from plexsync.matching.comparing.weighing import Kind, Scale
    from plexsync.models import PlexItem

_MOST_COPIES = 4
"""A file with more look-alikes than this teaches nothing about the layout."""


def certain_pairs(
    compared: Iterable[Compared],
) -> Iterator[tuple[NormalizedPath, NormalizedPath]]:
    """Where files lie that are the same without a look at their folders."""
    for ours, found in compared:
        paths = {part.path for kind, part in found if kind.teaches}
        if len(paths) <= _MOST_COPIES:
            yield from ((ours.path, path) for path in sorted(paths))


class Locator:
    """Adds to comparisons what a layout says of their place.

    Args:
        layout: how the libraries lie to each other.
        compared: every comparison.
        items: every item.
        scale: knows the kinds of pairs.
    """

    def __init__(
        self,
        layout: Layout,
        compared: Sequence[Compared],
        items: Sequence[PlexItem],
        scale: Scale,
    ) -> None:
        self._layout = layout
        self._lengths = _folder_lengths(compared, items)
        self._scale = scale
        self._leads = Places(layout).leads

    def locate(self, kind: Kind, ours: Ours, part: Theirs) -> Kind:
        """Return the kind a pair is of with what the layout says."""
        if kind.made.spelling >= Spelling.FORM and self._leads(ours.path, part.path):
            return self._led(kind, mapped=self._layout.maps(ours.path, part.path))
        return self._locate_renamed(kind.made, ours, part) if kind.may_be_renamed else kind

    def locate_at(self, place: Place) -> Callable[[Kind], Kind]:
        """Return what does so for pairs of files of one stem that lie at a place."""
        if place.root not in self._layout.roots:
            return _as_it_is
        mapped = self._layout.maps(NormalizedPath(place.folder), NormalizedPath(place.other))
        return partial(self._led, mapped=mapped)

    def _led(self, kind: Kind, *, mapped: bool) -> Kind:
        """Return the kind a pair is of where certain pairs lead, or where a learned rule does."""
        made = kind.made
        if made.spelling < Spelling.FORM:
            return kind
        if mapped and made.place < FolderLevel.PATH_FOLDED:
            if kind.mapped is None:
                exact = made.spelling is Spelling.EXACT
                place = FolderLevel.PATH if exact else FolderLevel.PATH_FOLDED
                kind.mapped = self._scale.kind(made._replace(led=True, learned=True, place=place))
            return kind.mapped
        if kind.led is None:
            kind.led = self._scale.kind(made._replace(led=True))
        return kind.led

    def _locate_renamed(self, made: Comparison, ours: Ours, part: Theirs) -> Kind:
        near = [
            length
            for _, length in self._lengths.get(_folder(part.path), ())
            if compare_duration(length, part.file.duration_s) >= Level.CLOSE
        ]
        ends = NormalizedPath(_folder(ours.path) + "x"), NormalizedPath(_folder(part.path) + "x")
        return self._scale.kind(
            made._replace(alone_in_length=len(near) <= 1, led=self._leads(*ends))
        )


# ---- Private -------------------------------------------------------------------------------------


def _folder_lengths(
    compared: Iterable[Compared], items: Sequence[PlexItem]
) -> dict[str, set[tuple[str, float]]]:
    """Return the files, with their lengths, of folders in which one may have been renamed."""
    lengths: dict[str, set[tuple[str, float]]] = {
        _folder(part.path): set()
        for one in compared
        for kind, part in one.found
        if kind.may_be_renamed
    }
    if not lengths:
        return lengths
    for file in (file for item in items if not item.trashed for file in item.files):
        path = normalize_path(file.path)
        known = lengths.get(_folder(path))
        if known is not None and file.duration_s:
            known.add((path, file.duration_s))
    return lengths


def _as_it_is(kind: Kind) -> Kind:
    return kind


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]
