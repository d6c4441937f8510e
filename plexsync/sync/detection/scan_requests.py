"""Asking Plex to look for files it lacks: which folders, as Plex names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexsync.text.normalize import NormalizedPath, compile_rules, normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plexsync.models import PathRule, Scene, Section

MOST_FOLDERS = 20
"""Folders scanned in one run: a scan is cheap, twenty thousand of them are not."""


def folders_to_scan(
    scenes: Iterable[Scene], rules: Sequence[PathRule], sections: Sequence[Section]
) -> tuple[tuple[Section, str], ...]:
    """Return the folders the files of `scenes` should lie in, each once, at most `MOST_FOLDERS`.

    A folder that lies in no library, or in one that is being scanned already, is left out.

    Args:
        scenes: scenes Plex does not have.
        rules: how Stash's paths become Plex's; a path no rule covers is the same on both.
        sections: the libraries that take part.
    """
    found: dict[tuple[str, str], tuple[Section, str]] = {}
    mapped = compile_rules(rules)
    for scene in scenes:
        for file in scene.files:
            path = normalize_path(file.path)
            folder = (mapped.apply(path) or path).rpartition("/")[0]
            for section, place in _places(NormalizedPath(folder), sections):
                found.setdefault((section.section_id, place), (section, place))
                if len(found) == MOST_FOLDERS:
                    return tuple(found.values())
    return tuple(found.values())


def _places(folder: NormalizedPath, sections: Sequence[Section]) -> Iterator[tuple[Section, str]]:
    """Where `folder` lies in the libraries, spelled as they spell their own folders."""
    for section in sections:
        for location in () if section.refreshing else section.locations:
            root = normalize_path(location).rstrip("/")
            if folder == root or folder.startswith(f"{root}/"):
                separator = "\\" if "\\" in location else "/"
                rest = folder[len(root) :].replace("/", separator)
                yield section, location.rstrip("/\\") + rest
