"""Tags, performers, studios and groups: the dictionary of names, what they say, their pictures.

A scene's time does not move with any of that. Source: docs/stash-api.md 3.2 and 4.1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from plexsync.errors import TransientError
from plexsync.models import RELATED_KINDS, CollectionKind, Performer, RelatedDetail, RelatedId
from plexsync.planning.relations import nested_text, performer_text, plain_text, related_id
from plexsync.stash.answers import (
    UnknownShapeError,
    UnreadableRow,
    check_readable,
    decoder_of,
    row_reader,
)
from plexsync.stash.wire import Wire, WireList, WireObject, WirePerformer, WireStudio, WireTag

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from plexsync.transport.responses import HttpResponse


_DEFAULT_IMAGE = "default=true"
"""What the address of a picture says that Stash shows for want of one."""

_KEY = "apikey"


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
    by_row = decoder_of(dict[str, WireList])
    asked = [(kind, row_reader(kind.row)) for kind in _KINDS if with_groups or kind is not _GROUPS]

    def decode(answer: HttpResponse) -> Names:
        found = by_row(answer)
        names, counted = Names({}, {}), 0
        for kind, read in asked:
            part = found.get(f"find{kind.name.title()}")
            if part is None:
                raise UnknownShapeError(f"Stash answers without its {kind.name}")
            counted += part.count
            rows = list(map(read, part.rows))
            check_readable(rows)
            for row in rows:
                key = related_id(kind.letter, row.id)
                if isinstance(row, UnreadableRow):
                    names.unreadable[key] = row.why
                else:
                    names.texts[key] = kind.text_of(row)
        if len(names.texts) + len(names.unreadable) != counted:
            raise TransientError(
                f"Stash lists {len(names.texts)} tags, performers, studios and groups, but counts "
                f"{counted}"
            )
        return names

    return decode


def text_of_tag(tag: WireTag) -> str:
    """Return what a scene may show of a tag."""
    if not tag.parents:
        return plain_text(tag.name)
    return nested_text(tag.name, *[up.id for up in tag.parents])


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
        return plain_text(wire.name)
    known = performer_of(wire)
    facts = (known.disambiguation, known.gender, *known.aliases, known.image_path)
    return performer_text(known.name, facts)


def text_of_studio(one: WireStudio) -> str:
    """Return what a scene may show of a studio."""
    if one.parent_studio is None:
        return plain_text(one.name)
    return nested_text(one.name, one.parent_studio.id)


def text_of_group(one: WireObject) -> str:
    """Return what a scene may show of a group."""
    return plain_text(one.name)


class _Kind(NamedTuple):
    """One kind of objects: what Stash calls it, its rows, how their ids begin, and their texts."""

    name: str
    row: type[Any]
    letter: str
    text_of: Callable[[Any], str]


_GROUPS = _Kind("groups", WireObject, "g", text_of_group)
_KINDS = (
    _Kind("tags", WireTag, "t", text_of_tag),
    _Kind("performers", WirePerformer, "p", text_of_performer),
    _Kind("studios", WireStudio, "s", text_of_studio),
    _GROUPS,
)

_BY_ROW = {kind.row: kind for kind in _KINDS}
_AT_HAND = 4096
"""Objects that are kept with their texts: few are shown by many scenes."""


@lru_cache(_AT_HAND)
def shown(one: WireObject) -> tuple[RelatedId, str]:
    """Return how an object is remembered, and what a scene may show of it."""
    kind = _BY_ROW[type(one)]
    return related_id(kind.letter, one.id), kind.text_of(one)


# ---- What they say of themselves -----------------------------------------------------------------

OBJECT_BATCH = 200
"""Objects asked for at once."""


class _Words(NamedTuple):
    """What Stash calls the text and the picture of a kind of object."""

    text: str
    image: str = "image_path"
    place: str = "image"


_WORDS: Mapping[CollectionKind, _Words] = {
    CollectionKind.STUDIO: _Words("details"),
    CollectionKind.GROUP: _Words("synopsis", "front_image_path", "frontimage"),
    CollectionKind.PERFORMER: _Words("details"),
    CollectionKind.TAG: _Words("description"),
}


class _Row(Wire, frozen=True):
    id: str
    updated_at: str | None = None
    text: str | None = None
    image: str | None = None


class _Rows(Wire, frozen=True):
    rows: tuple[_Row, ...] = ()


def stamps_query(kinds: Collection[CollectionKind]) -> str:
    """Return the question when each object of these kinds was edited."""
    parts = [
        _part(kind, 'filter: {per_page: -1, sort: "id"}', "id updated_at")
        for kind in _WORDS
        if kind in kinds
    ]
    return f"query PlexsyncStamps {{ {' '.join(parts)} }}"


def objects_query(kind: CollectionKind) -> str:
    """Return the question what some objects of a kind say, and where their pictures are."""
    words = _WORDS[kind]
    fields = f"id updated_at text: {words.text} image: {words.image}"
    return f"query PlexsyncObjects($ids: [ID!]) {{ {_part(kind, 'ids: $ids', fields)} }}"


def _part(kind: CollectionKind, which: str, fields: str) -> str:
    return f"{kind}: find{kind.title()}s({which}) {{ rows: {kind}s {{ {fields} }} }}"


def objects_decoder() -> Callable[[HttpResponse], dict[RelatedId, RelatedDetail]]:
    """Return a function that reads the answer to `stamps_query` or `objects_query`."""
    decode = decoder_of(dict[str, _Rows])

    def read(answer: HttpResponse) -> dict[RelatedId, RelatedDetail]:
        found = decode(answer)
        return {
            RelatedId(f"{letter}{row.id}"): RelatedDetail(
                updated_at=row.updated_at or "",
                text=(row.text or "").strip(),
                image_path=own_path(f"/{kind}/{row.id}/{_WORDS[kind].place}", row.image or ""),
            )
            for letter, kind in RELATED_KINDS.items()
            for row in found.get(kind, _Rows()).rows
        }

    return read


def own_path(place: str, url: str) -> str:
    """Return path and query of a picture below the configured address, without any key.

    Host and prefix of the URL are what a proxy or `external_host` made of them, so only what
    follows is kept. "" for the picture Stash shows for want of one.
    Source: docs/stash-api.md 3.2.
    """
    at = url.rfind(place)
    path, _, query = url[at:].partition("?") if at >= 0 else ("", "", "")
    words = [word for word in query.split("&") if word]
    if _DEFAULT_IMAGE in words:
        return ""
    kept = "&".join(word for word in words if word.partition("=")[0].lower() != _KEY)
    return f"{path}?{kept}" if kept else path
