"""What a run saw of the things that wake scenes, and whether they moved since.

Source: docs/design.md, "Knowing what is in Plex"; docs/plex-api.md 3 (change signals).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from plexsync.normalize import normalize_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plexsync.models import Link, PlexItem, SceneId, Section

KEY = "seen"
"""Under which the state remembers it."""


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Digests, compared for inequality, and a time.

    Attributes:
        library: moves when the configuration may match otherwise.
        fields: moves when the configuration wants other values in Plex.
        scans: moves when Plex scanned: a hint that its items may have changed.
        items: moves when files came to Plex, moved there or went.
        files_at: ISO time of the last complete look at the files of all scenes.
    """

    library: str = ""
    fields: str = ""
    scans: str = ""
    items: str = ""
    files_at: str = ""


def digest(parts: Iterable[str]) -> str:
    """One digest of several texts, in their order."""
    # A path from the environment may be bytes that are no text.
    text = "\x1e".join(parts).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=8).hexdigest()


def scans_digest(sections: Sequence[Section]) -> str:
    """Moves when one of the libraries was scanned, or is another one."""
    return digest(f"{section.uuid}{section.scanned_at}" for section in sections)


def items_digest(items: Iterable[PlexItem]) -> str:
    """Moves with what matching could find: items, whether they are trashed, and their files."""
    return digest(sorted(_shown(item) for item in items))


def broken(
    links: Iterable[tuple[SceneId, Sequence[Link]]],
    items: Iterable[PlexItem],
    sections: frozenset[str],
) -> frozenset[SceneId]:
    """The scenes with a link to an item that is gone, trashed, or holds the file no more.

    Args:
        links: what is remembered.
        items: everything in `sections`.
        sections: ids of the libraries that take part; other links are not judged.
    """
    by_key = {item.rating_key: item for item in items if not item.trashed}
    return frozenset(
        scene_id
        for scene_id, own in links
        if any(
            link.section_id in sections and not _holds(by_key.get(link.rating_key), link.path)
            for link in own
        )
    )


def _holds(item: PlexItem | None, path: str) -> bool:
    if item is None:
        return False
    if any(file.path == path for file in item.files):
        return True
    wanted = normalize_path(path)
    return any(normalize_path(file.path) == wanted for file in item.files)


def _shown(item: PlexItem) -> str:
    files = "\x1f".join(f"{file.path}\x1f{file.size_bytes}" for file in item.files)
    return f"{item.rating_key}\x1f{item.trashed}\x1f{files}"
