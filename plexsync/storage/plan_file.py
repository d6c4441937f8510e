"""A plan as a file: what a run would write, saved to be looked at and applied later.

One item a line, so that two plans can be compared with `diff`. The last member is a digest of all
before it: a plan is applied as it was saved, or not at all.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import msgspec

from plexsync.errors import ConfigError, MismatchError, StateVersionError
from plexsync.models import Change, Confidence, FieldRule, ItemPlan
from plexsync.storage.filesystem import (
    DISK,
    OTHER_FILE,
    Filesystem,
    mode_of,
    read_if_there,
    state_errors,
    write_atomically,
)
from plexsync.storage.journal import UNREADABLE, Lineage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from hashlib import blake2b
    from pathlib import Path


SCHEMA = "plexsync/plan/1"

_FAMILY = "plexsync/plan/"
_MAKES_ONE = "plexsync run --save-plan FILE makes one"


class SavedPicture(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One picture of an item.

    Attributes:
        rule: of the field.
        shown: the change as a person sees it.
        before: Plex's key of what the item shows, and must still show.
        cover_path: where the cover is.
        stamp: what moves with the scene, when it was planned; see `PictureBase`.
        checksum: the MD5 of the cover, which must still be it.
    """

    rule: FieldRule
    shown: Change
    before: str
    cover_path: str
    stamp: str
    checksum: str


class SavedItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of a plan, with all that is remembered once it is written.

    Attributes:
        plan: what to write; its `before` is what Plex must still hold.
        pictures: which pictures to write besides.
        agreed: fields that needed no writing.
        scene_title: of the scene.
        scene_path: of its first file.
        version: the scene's version text that was planned.
        files: digest of the scene's files.
        desired: digest of what the scene wants.
        confidence: of the match.
        reason: of the match.
        items: how many items the scene has in all; with fewer in the plan the scene stays due.
    """

    plan: ItemPlan
    pictures: tuple[SavedPicture, ...] = ()
    agreed: tuple[Change, ...] = ()
    scene_title: str = ""
    scene_path: str = ""
    version: str = ""
    files: str = ""
    desired: str = ""
    confidence: Confidence = Confidence.HIGH
    reason: str = ""
    items: int = 1


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    schema: str
    run_id: str
    created_at: str
    lineage: Lineage


class SavedPlan(_Head, frozen=True, kw_only=True):
    """A plan read back."""

    items: tuple[SavedItem, ...]


class _File(_Head, frozen=True, kw_only=True):
    items: list[msgspec.Raw]
    digest: str


class _Schema(msgspec.Struct):
    schema: str


def item_line(item: SavedItem) -> bytes:
    """One item as it stands in the file."""
    return msgspec.json.encode(item)


def write_plan(
    path: Path,
    lines: Iterable[bytes],
    *,
    run_id: str,
    created_at: str,
    lineage: Lineage,
    disk: Filesystem = DISK,
) -> None:
    """Write a plan durably, readable by its owner only.

    Args:
        path: the file; what it held before is replaced as a whole.
        lines: the items, each from `item_line`.
        run_id: the run that made the plan.
        created_at: the time, ISO.
        lineage: the servers it is for.
        disk: where to write.

    Raises:
        StateError: it could not be written; `path` holds what it held.
    """
    head = _Head(schema=SCHEMA, run_id=run_id, created_at=created_at, lineage=lineage)
    write_atomically(disk, path, _chunks(head, lines), elsewhere=OTHER_FILE)


def read_plan(path: Path, *, disk: Filesystem = DISK) -> SavedPlan:
    """Read a plan.

    Raises:
        ConfigError: there is no such file, or it is no plan.
        MismatchError: it is not as it was saved.
        StateVersionError: a newer plexsync saved it.
        StateError: it cannot be read.
    """
    with state_errors("read", path, elsewhere=OTHER_FILE):
        is_directory = stat.S_ISDIR(mode_of(path))
    if is_directory:
        raise ConfigError("this is a directory, not a plan", context=str(path), hint=_MAKES_ONE)
    content = read_if_there(disk, path, elsewhere=OTHER_FILE)
    if content is None:
        raise ConfigError("there is no such file", context=str(path), hint=_MAKES_ONE)
    file = _decode(content, path)
    head = {name: getattr(file, name) for name in _Head.__struct_fields__}
    digest = _digest(_Head(**head))
    for raw in file.items:
        digest.update(bytes(raw))
    if digest.hexdigest() != file.digest:
        raise MismatchError(
            "the plan is not as it was saved: its digest does not fit",
            context=str(path),
            hint="save it again with plexsync run --save-plan; a plan cannot be edited",
        )
    items = tuple(msgspec.json.decode(raw, type=SavedItem) for raw in file.items)
    return SavedPlan(**head, items=items)


def _decode(content: bytes, path: Path) -> _File:
    try:
        schema = msgspec.json.decode(content, type=_Schema).schema
        if schema.startswith(_FAMILY) and schema != SCHEMA:
            raise StateVersionError(
                f"saved by a newer plexsync: schema {schema}, this one knows {SCHEMA}",
                context=str(path),
                hint="update plexsync, or save the plan again: plexsync run --save-plan FILE",
            )
        if schema == SCHEMA:
            return msgspec.json.decode(content, type=_File)
    except UNREADABLE:
        pass
    raise ConfigError("the file holds no saved plan", context=str(path), hint=_MAKES_ONE)


def _chunks(head: _Head, lines: Iterable[bytes]) -> Iterator[bytes]:
    digest = _digest(head)
    yield b"{\n"
    for name in _Head.__struct_fields__:
        yield b'"%b": %b,\n' % (name.encode(), msgspec.json.encode(getattr(head, name)))
    yield b'"items": ['
    separator = b"\n"
    for line in lines:
        digest.update(line)
        yield separator + line
        separator = b",\n"
    yield b'\n],\n"digest": "%b"\n}\n' % digest.hexdigest().encode()


def _digest(head: _Head) -> blake2b:
    from hashlib import blake2b  # noqa: PLC0415 - most commands read no plan

    return blake2b(msgspec.json.encode(head), digest_size=16)
