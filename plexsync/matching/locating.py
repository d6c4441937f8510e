"""Where pairs lie: which of them teach how the libraries lie, and what that says of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.matching.comparing.comparison import Compared, compare_duration
from plexsync.matching.comparing.evidence import Comparison, FolderLevel, Level, Spelling
from plexsync.text.normalize import NormalizedPath, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plexsync.matching.comparing.blocking import Ours, Theirs
    from plexsync.matching.layout import Layout
    from plexsync.models import PlexItem

_MOST_COPIES = 4
"""A file with more look-alikes than this teaches nothing about the layout."""


def certain_pairs(
    compared: Iterable[Compared],
) -> Iterator[tuple[NormalizedPath, NormalizedPath]]:
    """Where files lie that are the same without a look at their folders."""
    for ours, found, alone in compared:
        if alone:
            if _is_certain(found[0][0]):
                yield ours.path, found[0][1].path
            continue
        paths = {part.path for made, part in found if _is_certain(made)}
        if len(paths) <= _MOST_COPIES:
            yield from ((ours.path, path) for path in sorted(paths))


class Locator:
    """Adds to comparisons what a layout says of their place.

    Args:
        layout: how the libraries lie to each other.
        compared: every comparison.
        items: every item.
    """

    def __init__(
        self, layout: Layout, compared: Sequence[Compared], items: Sequence[PlexItem]
    ) -> None:
        self._layout = layout
        self._lengths = _folder_lengths(compared, items)
        self._led: dict[Comparison, Comparison] = {}

    def locate(self, made: Comparison, ours: Ours, part: Theirs) -> Comparison:
        """Return `made` with what the layout says."""
        if made.spelling >= Spelling.FORM and self._layout.leads(ours.path, part.path):
            if made.place < FolderLevel.PATH_FOLDED and self._layout.maps(ours.path, part.path):
                exact = made.spelling is Spelling.EXACT
                place = FolderLevel.PATH if exact else FolderLevel.PATH_FOLDED
                return made._replace(led=True, learned=True, place=place)
            led = self._led.get(made)
            if led is None:
                led = self._led[made] = made._replace(led=True)
            return led
        return self._locate_renamed(made, ours, part) if _may_be_renamed(made) else made

    def _locate_renamed(self, made: Comparison, ours: Ours, part: Theirs) -> Comparison:
        near = [
            length
            for _, length in self._lengths.get(_folder(part.path), ())
            if compare_duration(length, part.file.duration_s) >= Level.CLOSE
        ]
        ends = NormalizedPath(_folder(ours.path) + "x"), NormalizedPath(_folder(part.path) + "x")
        return made._replace(alone_in_length=len(near) <= 1, led=self._layout.leads(*ends))


# ---- Private -------------------------------------------------------------------------------------


def _is_certain(made: Comparison) -> bool:
    """Whether a pair teaches something about the layout."""
    if made.size is not Level.EQUAL or made.spelling < Spelling.FORM:
        return False
    if Level.DIFFERENT in (made.duration, made.content):
        return False
    if made.generic:
        # Where each scene has a folder, and its file the name of all others, nothing else can.
        alike = made.duration >= Level.CLOSE and made.frame is Level.EQUAL
        return made.telling_size and alike and made.telling_folders > 0
    return made.telling_size or (made.others == 0 and made.duration >= Level.CLOSE)


def _folder_lengths(
    compared: Iterable[Compared], items: Sequence[PlexItem]
) -> dict[str, set[tuple[str, float]]]:
    """Return the files, with their lengths, of folders in which one may have been renamed."""
    lengths: dict[str, set[tuple[str, float]]] = {
        _folder(part.path): set()
        for one in compared
        if not one.alone
        for made, part in one.found
        if _may_be_renamed(made)
    }
    if not lengths:
        return lengths
    for file in (file for item in items if not item.trashed for file in item.files):
        path = normalize_path(file.path)
        known = lengths.get(_folder(path))
        if known is not None and file.duration_s:
            known.add((path, file.duration_s))
    return lengths


def _may_be_renamed(made: Comparison) -> bool:
    alike = made.size is Level.EQUAL and made.duration is Level.EQUAL
    return alike and made.spelling is Spelling.WORDS


def _folder(path: str) -> str:
    return path[: path.rfind("/") + 1]
