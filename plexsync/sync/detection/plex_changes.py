"""What a run saw of the things that wake scenes, and whether they moved since.

Source: docs/design.md, "Knowing what is in Plex"; docs/plex-api.md 3 (change signals).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.models import SceneId, Server, id_order
from plexsync.planning.retry_schedule import WOKEN
from plexsync.state import load_all
from plexsync.text.folding import files_digest
from plexsync.text.normalize import holds_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from plexsync.models import PathRule, PlexItem, RatingKey, Section
    from plexsync.plex.index import Index
    from plexsync.state import LinkPlace, Session, State, Waiting

KEY = "seen"
"""Under which the state remembers it."""
UNREAD_KEY = "unread-hashes"
"""Under which the state remembers the scenes that wait for a content hash to be read."""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """Scenes about which a content hash could decide otherwise that no run had read yet."""

    scenes: tuple[SceneId, ...] = ()


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Digests, compared for inequality, and times.

    Attributes:
        library: moves when the configuration may match otherwise.
        fields: moves when the configuration wants other values in Plex.
        scans: moves when Plex scanned: a hint that its items may have changed.
        items: names the list of Plex's items all that wait were compared with; see
            `plex_index.Edition`.
        counters: those of the libraries when that list was had.
        files_at: ISO time of the last complete look at the files of all scenes.
        sections: ids of the libraries that took part.
        look: the mark of Stash before all that it shows was handled, where marks are compared; see
            `glance`.
        swept_at: ISO time of the last complete look at all versions, where marks are compared.
        plex: the server Plex called itself then.
    """

    library: str = ""
    fields: str = ""
    scans: str = ""
    items: str = ""
    counters: str = ""
    files_at: str = ""
    sections: tuple[str, ...] = ()
    look: str = ""
    swept_at: str = ""
    plex: Server | None = None


class Roused(NamedTuple):
    """Scenes a change in Plex concerns.

    Attributes:
        waiting: those that wait for Plex or for a person: to be tried at once.
        several: linked ones with several files: to be matched again.
        widened: linked ones that may be a further item.
    """

    waiting: frozenset[SceneId] = frozenset()
    several: frozenset[SceneId] = frozenset()
    widened: frozenset[SceneId] = frozenset()


def read_unread(state: State) -> frozenset[SceneId]:
    """Return the scenes that wait for a content hash to be read."""
    return frozenset((state.decision(UNREAD_KEY, Unread) or Unread()).scenes)


def digest(parts: Iterable[str]) -> str:
    """One digest of several texts, in their order."""
    # A path from the environment may be bytes that are no text.
    text = "\x1e".join(parts).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=8).hexdigest()


def scans_digest(sections: Sequence[Section]) -> str:
    """Return what moves when one of the libraries was scanned, or is another one."""
    return digest(f"{section.uuid}{section.scanned_at}" for section in sections)


def counters_digest(sections: Sequence[Section]) -> str:
    """Return what moves when anything may have changed in a library, or it is another one."""
    return digest(
        f"{section.uuid}\x1f{section.content_changed_at}\x1f{section.scanned_at}"
        f"\x1f{section.updated_at}"
        for section in sections
    )


def note_unread(session: Session, due: Collection[SceneId], unread: Collection[SceneId]) -> None:
    """Remember which scenes wait for a content hash, so that the next run goes on with them."""
    before = read_unread(session.state)
    now = (before - frozenset(due)) | frozenset(unread)
    if now != before:
        ranked = tuple(sorted(now, key=id_order))
        session.decide(UNREAD_KEY, Unread(scenes=ranked) if ranked else None)


def broken(
    links: Iterable[tuple[SceneId, Sequence[LinkPlace]]],
    items: Iterable[PlexItem],
    sections: frozenset[str],
) -> frozenset[SceneId]:
    """Return the scenes with a link to an item that is gone, trashed, or holds the file no more.

    Args:
        links: what is remembered.
        items: everything in `sections`.
        sections: ids of the libraries that take part; other links are not judged.
    """
    by_key = {item.rating_key: item for item in items}

    def is_broken(link: LinkPlace) -> bool:
        item = by_key.get(link.rating_key)
        return item is None or not holds_file(item, link.path)

    return frozenset(
        scene_id
        for scene_id, own in links
        if any(link.section_id in sections and is_broken(link) for link in own)
    )


def find_returned(
    links: Iterable[tuple[SceneId, Sequence[LinkPlace]]], before: Seen, now: Seen
) -> frozenset[SceneId]:
    """Return the scenes linked to a library that takes part again: they may have missed edits."""
    added = set(now.sections).difference(before.sections)
    if not added or not before.sections:
        return frozenset()
    return frozenset(
        scene_id for scene_id, own in links if any(link.section_id in added for link in own)
    )


def find_widened(
    claims: Mapping[RatingKey, SceneId],
    items: Sequence[PlexItem],
    changed: Iterable[PlexItem] | None,
) -> frozenset[SceneId]:
    """Return the linked scenes that may be a further item: their file again, or a copy of it.

    Args:
        claims: which scene each item is linked to.
        items: everything in the libraries.
        changed: the items that came or moved; None when nobody knows, so that all count.
    """
    candidates = items if changed is None else changed
    files = [
        file
        for item in candidates
        if item.rating_key not in claims and not item.trashed
        for file in item.files
    ]
    if not files:
        return frozenset()
    paths = {file.path for file in files}
    sizes = {file.size_bytes for file in files if file.size_bytes}
    return frozenset(
        claims[item.rating_key]
        for item in items
        if item.rating_key in claims
        and any(file.path in paths or file.size_bytes in sizes for file in item.files)
    )


@dataclass(frozen=True, slots=True)
class Rousing:
    """The waiting scenes that a change of Plex's items concerns.

    A change is what the list holds more or less than the one that was last seen through; that one
    lies in the cache. When it does not, or another one does, every scene is concerned.

    Args:
        state: says which scenes wait.
        queue: where what was found for them lies; a scene that is not there is concerned.
        several: scenes with several files, of which Plex may have found some only.
        rules: how Stash's paths become Plex's.
    """

    state: State
    queue: Path
    several: Collection[SceneId]
    rules: Sequence[PathRule]

    def by(self, index: Index, seen: str) -> Roused:
        """Return the scenes concerned by `index`, when `seen` names the list seen before."""
        waiting = frozenset(one for one, known in self.state.waiting() if known.outcome in WOKEN)
        several = frozenset(self.several)
        changed = self._changes(index, seen)
        if changed is not None and not changed:
            return Roused()
        widened = find_widened(self.state.claims(), index.items, changed)
        if changed is None:
            return Roused(waiting, several, widened)
        from plexsync.sync.detection.affected import concerned  # noqa: PLC0415 - see `_changes`

        known = self._known(waiting | several)
        unknown = (waiting | several).difference(known)
        found = concerned(list(known.values()), changed, self.rules) | unknown
        return Roused(waiting & found, several & found, widened)

    def _changes(self, index: Index, seen: str) -> list[PlexItem] | None:
        """Return what moved since, None if nobody knows."""
        if index.edition == seen:
            return []
        if index.before is None or index.before.name != seen:
            return None
        from plexsync.sync.detection.affected import (  # noqa: PLC0415 - it compares as matching does
            changed_items,
        )

        return changed_items(index.before.items, index.items, self.state.claims)

    def _known(self, scene_ids: Collection[SceneId]) -> dict[SceneId, Waiting]:
        """Return what is known of them, if it is about the files they were matched by."""
        return {
            scene_id: one
            for scene_id, one in load_all(self.queue, scene_ids).items()
            if (record := self.state.get(scene_id)) is not None
            and record.files == files_digest(one.scene.files)
        }
