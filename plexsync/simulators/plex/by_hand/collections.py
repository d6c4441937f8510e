"""What a person does to collections in Plex Web, and what tests look up."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from plexsync.simulators.plex.collections.membership import (
    collections_in,
    drop_collection,
    make_collection,
    members_of,
    put_in,
    take_out,
)
from plexsync.simulators.plex.store import Item, MediaType

if TYPE_CHECKING:
    import threading

    from plexsync.simulators.plex.parts import Parts


class CollectionSnapshot(TypedDict):
    """Everything that can change of one collection, as plain values; `members` are rating keys."""

    section: int
    fields: dict[str, str]
    locks: tuple[str, ...]
    poster: str
    prefs: dict[str, str]
    members: tuple[str, ...]


class CollectionsByHand:
    """The collections of a simulated server, from behind.

    Args:
        parts: the server's.
        lock: held while something is done.
    """

    def __init__(self, parts: Parts, lock: threading.RLock) -> None:
        self._parts = parts
        self._lock = lock

    def dump(self) -> dict[str, CollectionSnapshot]:
        """Every collection by rating key."""
        with self._lock:
            return {str(item.rating_key): self._snapshot(item) for item in self._all()}

    def titles(self) -> dict[str, tuple[str, ...]]:
        """Return the members of every collection, by its title."""
        return {one["fields"]["title"]: one["members"] for one in self.dump().values()}

    def key_of(self, title: str) -> str:
        """Return the rating key of the collection of that title.

        Raises:
            KeyError: there is none.
        """
        for key, one in self.dump().items():
            if one["fields"]["title"] == title:
                return key
        raise KeyError(title)

    def make(self, section: int, title: str, *members: str) -> str:
        """Return a person makes a collection; its rating key."""
        with self._lock:
            items = [self._item(key) for key in members]
            place = self._parts.store.sections[section]
            made = make_collection(self._parts.store, place, title, items[0].kind)
            put_in(self._parts.store, made, items)
            return str(made.rating_key)

    def make_smart(self, section: int, title: str) -> str:
        """Return a collection a filter chooses the members of: no item wears its tag."""
        with self._lock:
            store = self._parts.store
            now = store.now()
            made = Item(
                rating_key=store.next_id(),
                section=store.sections[section],
                kind=MediaType.COLLECTION,
                guid=f"collection://{title}",
                fields={"title": title},
                tags={},
                media=(),
                added_at=now,
                updated_at=now,
                smart=True,
            )
            store.add(made)
            return str(made.rating_key)

    def put_in(self, collection: str, *members: str) -> None:
        """Add items, as a person does."""
        with self._lock:
            items = [self._item(key) for key in members]
            put_in(self._parts.store, self._item(collection), items)

    def take_out(self, collection: str, *members: str) -> None:
        """Take items out, as a person does."""
        with self._lock:
            items = [self._item(key) for key in members]
            take_out(self._parts.store, self._item(collection), items)

    def show_as(self, collection: str, number: int) -> None:
        """Choose how a collection is shown, as a person does."""
        with self._lock:
            self._item(collection).prefs["collectionMode"] = str(number)

    def delete(self, collection: str) -> None:
        """Delete a collection, as a person does."""
        with self._lock:
            drop_collection(self._parts.store, self._item(collection))

    def _all(self) -> list[Item]:
        store = self._parts.store
        return [item for one in store.sections.values() for item in collections_in(store, one)]

    def _item(self, key: str) -> Item:
        return self._parts.store.items[int(key)]

    def _snapshot(self, item: Item) -> CollectionSnapshot:
        members = members_of(self._parts.store, item)
        return {
            "section": item.section.key,
            "fields": dict(sorted(item.fields.items())),
            "locks": tuple(sorted(item.locks)),
            "poster": item.posters.selected,
            "prefs": dict(sorted(item.prefs.items())),
            "members": tuple(str(key) for key in sorted(one.rating_key for one in members)),
        }
