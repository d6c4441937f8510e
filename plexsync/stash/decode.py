"""From decoded answers to our nouns: plain conversions. Source: docs/stash-api.md 3 (fields)."""

from __future__ import annotations

import re
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from plexsync.models import RelatedId, Scene, SceneDetail, SceneFile, SceneId
from plexsync.planning.participation import STASH_ID
from plexsync.planning.relations import related_id
from plexsync.stash.objects import own_path, performer_of, shown
from plexsync.stash.wire import WireDetail, WireFile, WireScene, WireStudio, WireTag, WireVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_LARGEST = 2**63 - 1
"""Stash's own integers end here."""

_BEST = 100
"""The highest rating. Source: docs/stash-api.md 3."""

_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_NO_DATE = "0001-01-01"
"""Go's zero time, which odd legacy rows show as a date. Source: docs/stash-api.md 3."""

_NAME = attrgetter("name")
_HEX = re.compile(r"[0-9A-Fa-f]{1,16}")


class Version(NamedTuple):
    """As much of a scene as tells whether it changed.

    Attributes:
        scene_id: the scene the answer names.
        updated_at: an opaque text; "" when Stash gives none.
        organized: False only when that was asked for.
    """

    scene_id: SceneId
    updated_at: str
    organized: bool = True


# ---- scenes in full ---------------------------------------------------------------------------

_DECODER = msgspec.json.Decoder(WireDetail)

pack_detail = msgspec.json.Encoder().encode
"""Returns a scene in full as bytes: equal ones are equal scenes. Unlike MessagePack JSON takes
numbers of any size, as custom fields may have them."""


class SceneAnswer:
    """All that Stash says of a scene, read only when it is asked for.

    Args:
        scene_id: the scene.
        answer: as it was decoded, or packed.
    """

    __slots__ = ("_answer", "scene_id")

    def __init__(self, scene_id: SceneId, answer: WireDetail | bytes) -> None:
        self.scene_id = scene_id
        self._answer = answer

    def packed(self) -> bytes:
        """Return it as bytes: equal ones are equal scenes."""
        return self._answer if isinstance(self._answer, bytes) else pack_detail(self._answer)

    def detail(self) -> SceneDetail:
        """Return what the scene says about itself."""
        answer = self._answer
        return detail_of(_DECODER.decode(answer) if isinstance(answer, bytes) else answer)


# ---- conversions ---------------------------------------------------------------------------------


def scene_of(wire: WireScene | WireDetail, *, with_relations: bool = False) -> Scene:
    """Return a scene for matching; `with_relations` if what it is filled with was asked for."""
    return Scene(
        scene_id=SceneId(wire.id),
        updated_at=wire.updated_at or "",
        title=wire.title or "",
        date=_date(wire.date),
        organized=wire.organized,
        files=_files(wire.files),
        shows=_shown_ids(wire) if with_relations else (),
        filled=tuple(_filled(wire)) if with_relations else (),
    )


def detail_of(wire: WireDetail) -> SceneDetail:
    """Everything a scene says about itself."""
    tags, above, performers = wire.tags, _above(wire.tags), wire.performers or ()
    groups, studios = wire.groups or (), list(_studios(wire.studio))
    own = (*tags, *performers, *[grouped.group for grouped in groups], *studios[:1])
    related = dict(map(shown, own))
    over = dict(map(shown, (*above, *studios[1:])))
    paths, custom = wire.paths, wire.custom_fields
    return SceneDetail(
        scene_id=SceneId(wire.id),
        updated_at=wire.updated_at or "",
        title=wire.title or "",
        code=wire.code or "",
        details=wire.details or "",
        director=wire.director or "",
        date=_date(wire.date),
        rating100=_rating(wire.rating100),
        organized=wire.organized,
        urls=wire.urls,
        studios=tuple(map(_NAME, studios)),
        groups=tuple([grouped.group.name for grouped in groups]),
        scene_indexes=tuple([grouped.scene_index for grouped in groups]),
        performers=tuple(map(_NAME, performers)),
        cast=tuple([performer_of(one) for one in performers if one.alias_list is not None]),
        tags=tuple(map(_NAME, tags)),
        parent_tags=tuple(map(_NAME, above)),
        files=_files(wire.files),
        cover_path=own_path(f"/scene/{wire.id}/screenshot", (paths and paths.screenshot) or ""),
        stash_ids=tuple([(one.endpoint, one.stash_id) for one in wire.stash_ids]),
        custom={name: _custom_text(value) for name, value in custom.items()} if custom else {},
        related=related | over,
        over=frozenset(over.keys() - related.keys()),
    )


def version_of(wire: WireVersion) -> Version:
    """Id and version text."""
    return Version(SceneId(wire.id), wire.updated_at or "", wire.organized)


def _above(tags: Iterable[WireTag]) -> list[WireTag]:
    """Return the tags above `tags`, nearest first; several ways up may lead to one tag."""
    found: list[WireTag] = []
    level = _parents(tags)
    while level:
        found += level
        level = _parents(level)
    return found


def _parents(tags: Iterable[WireTag]) -> list[WireTag]:
    """Return the level above; the last one read is there for its ids alone."""
    return [parent for tag in tags for parent in tag.parents if parent.name]


def _shown_ids(wire: WireScene | WireDetail) -> tuple[RelatedId, ...]:
    """Return the tags and the studio of a scene."""
    tags = [related_id("t", tag.id) for tag in wire.tags]
    return (*tags, related_id("s", wire.studio.id)) if wire.studio else tuple(tags)


def _filled(wire: WireScene | WireDetail) -> Iterator[str]:
    """Return the names of what may be required that a scene has a value for."""
    values = {
        "title": (wire.title or "").strip(),
        "summary": (wire.details or "").strip(),
        "date": _date(wire.date),
        "studio": wire.studio,
        "performers": wire.performers,
        "tags": wire.tags,
        "url": wire.urls,
        STASH_ID: [one for one in wire.stash_ids if one.stash_id.strip()],
    }
    return (name for name, value in values.items() if value)


def _custom_text(value: object) -> str:
    """Return a custom field, which may be any JSON, as a text; "" for lists and objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else ""


def _files(wires: tuple[WireFile, ...]) -> tuple[SceneFile, ...]:
    return tuple([_file(wire) for wire in wires])


def _file(wire: WireFile) -> SceneFile:
    """One file. What Stash does not know is -1, or 0 where a video cannot have 0."""
    return SceneFile(
        path=wire.path,
        size_bytes=_known(wire.size),
        duration_s=wire.duration if wire.duration and 0 < wire.duration <= _LARGEST else None,
        width=_side(wire.width),
        height=_side(wire.height),
        oshash=_oshash(wire.oshash),
    )


def _known(number: float | None) -> int | None:
    return int(number) if number and 0 < number <= _LARGEST else None


_side = cache(_known)
"""Few widths and heights are those of many files: one number for all of them saves memory."""


def _rating(number: float | None) -> int | None:
    return int(number) if number is not None and 0 <= number <= _BEST else None


def _oshash(text: str | None) -> int | None:
    """Return the hash as a number: neither server promises zero padding. 0 identifies nothing."""
    if not text or not _HEX.fullmatch(text):
        return None
    return int(text, 16) or None


@cache  # few dates are those of many scenes
def _date(text: str | None) -> str:
    """`YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or "" for what is none of them."""
    if not text:
        return ""
    day = text.partition("T")[0]
    return day if _DATE.fullmatch(day) and day != _NO_DATE else ""


def _studios(studio: WireStudio | None) -> Iterator[WireStudio]:
    """Yield the studio, then those above it; the last one read is there for its id alone."""
    while studio is not None and studio.name:
        yield studio
        studio = studio.parent_studio
