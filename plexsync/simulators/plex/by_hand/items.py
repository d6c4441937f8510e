"""What people, agents and scans do to items behind a client's back."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from plexsync.simulators.plex import writing
from plexsync.simulators.plex.build import file_title, item_of, lies_in
from plexsync.simulators.plex.collections.membership import rename_collection
from plexsync.simulators.plex.store import TAG_KINDS, Item, LibrarySection, MediaType, PictureSet

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping

    from plexsync.simulators.library.records import PlexPart, PlexVideo
    from plexsync.simulators.plex.parts import Parts, Switches
    from plexsync.simulators.plex.store import Store


class ItemsByHand:
    """Changes items of one server; every method may be called from any thread.

    Args:
        parts: of the server.
        lock: held while something changes.
    """

    def __init__(self, parts: Parts, lock: threading.RLock) -> None:
        self._parts = parts
        self._lock = lock
        self._store: Store = parts.store
        self.switches: Switches = parts.switches
        self._staged: list[PlexVideo] = []

    def edit_by_hand(
        self, rating_key: str, values: Mapping[str, str | Iterable[str]], *, lock: bool = True
    ) -> None:
        """Set texts and whole tag lists, and lock them, as a person does in Plex Web.

        Args:
            rating_key: the item.
            values: by Plex's name: `title`, `summary`, `genre`, `actor`. A text, or all tags.
            lock: False leaves the locks as they are.
        """
        with self._lock:
            item = self._item(rating_key)
            for name, value in values.items():
                self._set(item, name, value)
                if lock:
                    item.locks.add(name)
            self._touch(item)

    def unlock(self, rating_key: str, name: str) -> None:
        """Take the lock off a field, as a click on it does; what it shows stays."""
        with self._lock:
            item = self._item(rating_key)
            item.locks.discard(name)
            self._touch(item)

    def choose_picture(self, rating_key: str, kind: str, body: bytes) -> None:
        """Upload a picture, as a person does in Plex Web, which selects and locks it.

        Args:
            rating_key: the item.
            kind: `poster` or `art`.
            body: the picture.
        """
        with self._lock:
            item = self._item(rating_key)
            key = writing.add_picture(self._parts, item, kind, body)
            self._store.pictures[key] = body

    def agent_picture(self, rating_key: str, kind: str, key: str) -> None:
        """Select a picture a metadata refresh found, unless one is locked."""
        with self._lock:
            item = self._item(rating_key)
            writing.offer_picture(self._parts, item, kind, key)

    def agent_refresh(self, rating_key: str, values: Mapping[str, str | Iterable[str]]) -> None:
        """Overwrite every field that is not locked, as a metadata refresh does."""
        with self._lock:
            item = self._item(rating_key)
            for name, value in values.items():
                if name not in item.locks:
                    self._set(item, name, value)
            self._touch(item)

    def set_locks(self, rating_key: str, *, locked: Iterable[str]) -> None:
        """Lock exactly these fields."""
        with self._lock:
            item = self._item(rating_key)
            item.locks = set(locked)
            self._touch(item)

    def set_rating(self, rating_key: str, rating: float | None) -> None:
        """Rate an item from 0 to 10, or take the rating away. No clock moves."""
        with self._lock:
            item = self._item(rating_key)
            item.user_rating = rating
            self._store.redraw(item)

    def add_item(self, video: PlexVideo) -> str:
        """Return a new item. A rating key of 0 takes the next free one."""
        with self._lock:
            if not video.rating_key:
                video = replace(video, rating_key=self._store.next_id())
            item = item_of(self._store, video)
            self._store.add(item)
            return str(item.rating_key)

    def scan_in(self, video: PlexVideo) -> str:
        """Return a scan finds a new file and makes an item of it, of this moment."""
        with self._lock:
            now = self._store.now()
            return self.add_item(replace(video, added_at=now, updated_at=now))

    def stage_item(self, video: PlexVideo) -> None:
        """Add a file Plex has not seen: it becomes an item with the next scan of its folder."""
        with self._lock:
            self._staged.append(video)

    def move_file(self, rating_key: str, file: str) -> str:
        """Move a file and let Plex scan: there is a new item, and the old one is in the trash.

        The new item knows nothing of the old one's edits. Only single files can move.

        Source: docs/plex-api.md 4, "Moved/renamed file".
        """
        with self._lock:
            old = self._item(rating_key)
            (media,) = old.media
            (part,) = media.parts
            fresh = replace(part, id=self._store.next_id(), file=file)
            new = replace(
                old,
                rating_key=self._store.next_id(),
                fields={"title": file_title(file)},
                tags={},
                media=(replace(media, id=self._store.next_id(), parts=(fresh,)),),
                locks=set(),
                user_rating=None,
                added_at=self._store.now(),
                updated_at=self._store.now(),
                posters=_without_uploads(old.posters),
                arts=_without_uploads(old.arts),
            )
            self._store.add(new)
            self.trash(rating_key)
            return str(new.rating_key)

    def move_episode(self, rating_key: str, season: str) -> None:
        """Put an episode into another season; it keeps its rating key."""
        with self._lock:
            item, above = self._item(rating_key), self._item(season)
            if item.parent is not None:
                item.parent.children.remove(item)
            item.parent = above
            above.children.append(item)
            self._touch(item)

    def replace_file(self, rating_key: str, file: str) -> None:
        """Another file stands where the item's was, and the item kept its rating key."""
        with self._lock:
            item = self._item(rating_key)
            media = item.media[0]
            part = replace(media.parts[0], file=file)
            item.media = (replace(media, parts=(part, *media.parts[1:])), *item.media[1:])
            self._touch(item)

    def trash(self, rating_key: str) -> None:
        """Take the file away: the item stays in listings, marked, until the trash is emptied."""
        with self._lock:
            item = self._item(rating_key)
            item.deleted_at = self._store.now()
            self._store.touch(item, stamp=self.switches.trash_moves_updated_at)

    def empty_trash(self) -> None:
        """Forget every trashed item."""
        with self._lock:
            for item in [item for item in self._store.items.values() if item.deleted_at]:
                self._store.remove(item)

    def remove_item(self, rating_key: str) -> None:
        """Forget an item at once."""
        with self._lock:
            self._store.remove(self._item(rating_key))

    def merge(self, rating_key: str, *others: str) -> None:
        """Make `others` versions of an item; their rating keys vanish."""
        with self._lock:
            found = [self._item(other) for other in others]
            writing.merge_items(self._parts, self._item(rating_key), found)

    def split(self, rating_key: str) -> tuple[str, ...]:
        """Make every version but the first an item of its own; their rating keys are returned."""
        with self._lock:
            made = writing.split_item(self._parts, self._item(rating_key))
            return tuple(str(item.rating_key) for item in made)

    def set_hash(self, rating_key: str, oshash: int | None) -> None:
        """Set what the tree says of every file of an item; None: not analysed."""
        self._change_parts(rating_key, lambda part: replace(part, oshash=oshash))

    def rewrite_file(self, rating_key: str, **changes: int | None) -> None:
        """Give the item's file another content (size, duration_ms, oshash), and let Plex scan."""
        self._change_parts(rating_key, lambda part: replace(part, **changes))  # type: ignore[arg-type] # by replace

    def set_refreshing(self, section: int, *, refreshing: bool) -> None:
        """Begin or end a scan of a library; its end moves scannedAt."""
        with self._lock:
            found = self._store.sections[section]
            found.refreshing = refreshing
            if not refreshing:
                found.scanned_at = self._store.now()

    def rename_library(self, section: int, title: str) -> None:
        """Give a library another title."""
        with self._lock:
            self._store.sections[section].title = title

    def remake_library(self, section: int, other: int) -> None:
        """Delete a library with all it holds, and make an empty one like it, of another id."""
        with self._lock:
            old = self._store.sections[section]
            for tag in self._store.collection_tags(old):
                self._store.drop_collection_tag(tag, old)
            for item in [item for item in old.items.values() if item.parent is None]:
                self._store.remove(item)
            del self._store.sections[section]
            named = str(uuid.uuid5(uuid.NAMESPACE_URL, f"section {other}"))
            self._store.add_section(replace(old, key=other, uuid=named, items={}))

    # ---- private ---------------------------------------------------------------------------------

    def _scanned(self, section: LibrarySection, path: str) -> None:
        """Turn staged files of the scanned folder into items."""
        found = [
            video
            for video in self._staged
            if video.section_id == section.key and lies_in(video, path)
        ]
        for video in found:
            self._staged.remove(video)
            self.scan_in(video)
        section.scanned_at = self._store.now()

    def _item(self, rating_key: str) -> Item:
        """Return the item of a key."""
        return self._store.items[int(rating_key)]

    def _set(self, item: Item, name: str, value: str | Iterable[str]) -> None:
        """Set a text, or all tags of a kind."""
        if name == "title" and item.kind is MediaType.COLLECTION:
            rename_collection(self._store, item, str(value))
        elif name in TAG_KINDS:
            names = [value] if isinstance(value, str) else value
            item.tags[name] = self._store.taggings(name, names, item.section)
        elif value:
            item.fields[name] = str(value)
        else:
            item.fields.pop(name, None)

    def _change_parts(self, rating_key: str, change: Callable[[PlexPart], PlexPart]) -> None:
        """Change every file of an item alike."""
        with self._lock:
            item = self._item(rating_key)
            item.media = tuple(
                replace(media, parts=tuple(map(change, media.parts))) for media in item.media
            )
            self._touch(item)

    def _touch(self, item: Item) -> None:
        """Note a change."""
        writing.touch(self._parts, item)


def _without_uploads(pictures: PictureSet) -> PictureSet:
    """Return what Plex itself made or found, the first of it shown."""
    keys = [key for key in pictures.keys if not key.startswith("upload://")]
    return PictureSet(keys, keys[0] if keys else "")
