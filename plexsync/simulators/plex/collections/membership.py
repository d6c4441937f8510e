"""Collections and their members: an item in the library, and a tag each member wears.

Writing the tag to an item makes the collection; taking it from the last one leaves an empty
collection behind, as a rule. Source: docs/plex-api.md 5, "Collections as tags".
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from plexsync.simulators.plex.store import Item, MediaType, Tagging, nocase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plexsync.simulators.plex.store import LibrarySection, Store, Tag

TAG = "collection"


def collections_in(store: Store, section: LibrarySection) -> list[Item]:
    """Every collection of a library, empty ones included."""
    return [_item_of(store, tag, section) for tag in store.collection_tags(section)]


def collection_called(store: Store, section: LibrarySection, title: str) -> Item | None:
    """Return the collection of that title, case aside; None for none."""
    return next(
        (one for one in collections_in(store, section) if nocase(one.title) == nocase(title)), None
    )


def make_collection(store: Store, section: LibrarySection, title: str, kind: MediaType) -> Item:
    """Return the collection of that title, made if it is new."""
    found = _item_of(store, store.tag(TAG, title, section), section)
    found.holds = found.holds or kind
    return found


def members_of(store: Store, collection: Item) -> list[Item]:
    """Return the items in a collection."""
    worn = store.wearing(TAG, collection.section)
    return worn.get(collection.worn_as.tag_id, []) if collection.worn_as else []


def put_in(store: Store, collection: Item, items: Iterable[Item]) -> list[Item]:
    """Make items members; those that were not are returned."""
    tag, added = _tag_of(collection), []
    for item in items:
        worn = item.tags.setdefault(TAG, [])
        if all(one.tag is not tag for one in worn):
            worn.append(Tagging(tag))
            store.touch(item)
            added.append(item)
    collection.holds = collection.holds or next((item.kind for item in added), None)
    store.touch(collection)
    return added


def take_out(store: Store, collection: Item, items: Iterable[Item]) -> None:
    """Make items members no more."""
    tag = _tag_of(collection)
    for item in items:
        item.tags[TAG] = [one for one in item.tags.get(TAG, ()) if one.tag is not tag]
        store.touch(item)
    store.touch(collection)


def drop_collection(store: Store, collection: Item) -> None:
    """Forget a collection; its members stay, without it."""
    take_out(store, collection, list(members_of(store, collection)))
    store.drop_collection_tag(_tag_of(collection), collection.section)
    store.remove(collection)


def rename_collection(store: Store, collection: Item, title: str) -> bool:
    """Call a collection otherwise; False where another one has the title."""
    other = collection_called(store, collection.section, title)
    if other is not None and other is not collection:
        return False
    store.rename_collection_tag(_tag_of(collection), collection.section, title)
    collection.fields["title"] = title
    store.redraw_all()
    return True


def _tag_of(collection: Item) -> Tag:
    """Return the tag its members wear."""
    assert collection.worn_as is not None  # noqa: S101 - every collection is made with its tag
    return collection.worn_as


def _item_of(store: Store, tag: Tag, section: LibrarySection) -> Item:
    """Return the item of a collection's tag, put into the library when it is first looked at."""
    found = store.collections.get(tag.tag_id)
    if found is not None:
        return found
    rating_key = store.next_id()
    now = store.now()
    made = Item(
        rating_key=rating_key,
        section=section,
        kind=MediaType.COLLECTION,
        guid=f"collection://{uuid.uuid5(uuid.NAMESPACE_URL, f'collection {rating_key}')}",
        fields={"title": tag.name},
        tags={},
        media=(),
        added_at=now,
        updated_at=now,
        worn_as=tag,
    )
    worn = store.wearing(TAG, section).get(tag.tag_id, [])
    made.holds = next((item.kind for item in worn), None)
    store.collections[tag.tag_id] = made
    store.add(made)
    return made
