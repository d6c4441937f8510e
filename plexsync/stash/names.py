"""The dictionary: what a scene may show of each tag, performer, studio and group."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from plexsync.errors import TransientError
from plexsync.models import Performer
from plexsync.planning.relations import (
    group_id,
    performer_id,
    performer_text,
    studio_id,
    studio_text,
    tag_id,
    tag_text,
)
from plexsync.stash.addresses import own_path
from plexsync.stash.answers import (
    UnknownShapeError,
    UnreadableRow,
    check_readable,
    decoder_of,
    row_reader,
)
from plexsync.stash.wire import (
    WireNames,
    WireObject,
    WirePerformer,
    WireRawNames,
    WireStudioName,
    WireTag,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plexsync.models import RelatedId
    from plexsync.transport.responses import HttpResponse


class Names(NamedTuple):
    """The dictionary.

    Attributes:
        texts: what a scene may show of each object.
        unreadable: why some of them could not be read.
    """

    texts: dict[RelatedId, str]
    unreadable: dict[RelatedId, str]


def names_decoder(*, with_groups: bool) -> Callable[[HttpResponse], Names]:
    """Return a function that turns an answer into the dictionary.

    An object of another shape is left out and named; when most of a kind are, the answer is at
    fault. It raises what `decoder_of` says, and TransientError for a dictionary that is not whole
    by Stash's own count.

    Args:
        with_groups: groups were asked for.
    """
    whole, by_row = decoder_of(WireNames), decoder_of(WireRawNames)
    readers = [row_reader(kind.row) for kind in _KINDS]

    def decode(answer: HttpResponse) -> Names:
        found: WireNames | WireRawNames
        try:
            found = whole(answer)
        except UnknownShapeError:
            found = by_row(answer)
        parts = (found.findTags, found.findPerformers, found.findStudios, found.findGroups)
        if with_groups and found.findGroups is None:
            raise UnknownShapeError("Stash answers without its groups")
        names = Names({}, {})
        counted = 0
        for kind, part, read in zip(_KINDS, parts, readers, strict=True):
            if part is not None:
                counted += part.count
                _add(names, kind, part.rows, read)
        if len(names.texts) + len(names.unreadable) != counted:
            raise TransientError(
                f"Stash lists {len(names.texts)} tags, performers, studios and groups, but counts "
                f"{counted}"
            )
        return names

    return decode


def text_of_tag(tag: WireTag) -> str:
    """Return what a scene may show of a tag."""
    return tag_text(tag.name, [parent.id for parent in tag.parents]) if tag.parents else tag.name


def performer_of(wire: WirePerformer) -> Performer:
    """Return what Stash knows of a performer."""
    return Performer(
        performer_id=wire.id,
        name=wire.name,
        disambiguation=wire.disambiguation or "",
        gender=wire.gender or "",
        aliases=wire.alias_list or (),
        image_path=own_path(f"/performer/{wire.id}/image", wire.image_path or ""),
    )


def text_of_performer(wire: WirePerformer) -> str:
    """Return what a scene may show of a performer, as far as it was asked for; see `relations`."""
    if wire.alias_list is None:
        return wire.name
    known = performer_of(wire)
    facts = (known.disambiguation, known.gender, *known.aliases, known.image_path)
    return performer_text(known.name, facts)


def _text_of_studio(one: WireStudioName) -> str:
    return studio_text(one.name, one.parent_studio.id if one.parent_studio else "")


class _Kind(NamedTuple):
    """One kind of objects: its rows, their ids and their texts."""

    row: type[Any]
    id_of: Callable[[str], RelatedId]
    text_of: Callable[[Any], str]


_KINDS = (
    _Kind(WireTag, tag_id, text_of_tag),
    _Kind(WirePerformer, performer_id, text_of_performer),
    _Kind(WireStudioName, studio_id, _text_of_studio),
    _Kind(WireObject, group_id, attrgetter("name")),
)
"""In the order of the query."""


def _add(
    names: Names, kind: _Kind, rows: Sequence[Any], read: Callable[[msgspec.Raw], Any]
) -> None:
    """Add the objects of one kind."""
    read_rows = [read(row) if isinstance(row, msgspec.Raw) else row for row in rows]
    check_readable(read_rows)
    for row in read_rows:
        if isinstance(row, UnreadableRow):
            names.unreadable[kind.id_of(row.id)] = row.why
        else:
            names.texts[kind.id_of(row.id)] = kind.text_of(row)
