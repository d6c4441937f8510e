"""What Stash's answers look like on the wire: as much of each as we read.

Source: docs/stash-api.md 3 (fields).
"""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Wire(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What all decoded shapes share. Unset texts come as "" or null alike."""


class Reference(Wire, frozen=True):
    """The id of something."""

    id: str


class WireObject(Reference, frozen=True):
    """An object with a name."""

    name: str = ""


class WireTag(WireObject, frozen=True):
    """A tag, with the tags above it only if they were asked for."""

    parents: tuple["WireTag", ...] = ()


class WireStudio(WireObject, frozen=True):
    """A studio with those above it; the last one read has its id alone."""

    parent_studio: "WireStudio | None" = None


class WirePerformer(WireObject, frozen=True):
    """A performer; all but id and name only if the cast was asked for, and then a list at least."""

    disambiguation: str | None = None
    gender: str | None = None
    alias_list: tuple[str, ...] | None = None
    image_path: str | None = None


class _Grouped(Wire, frozen=True):
    group: WireObject
    scene_index: int | None = None


class _Paths(Wire, frozen=True):
    screenshot: str | None = None


class WireStashId(Wire, frozen=True):
    """The id a stash-box has for something."""

    stash_id: str
    endpoint: str = ""


class WireFile(Wire, frozen=True):
    """A `VideoFile`. Numbers may be -1, and any of them may be written as a float."""

    path: str
    size: int | float | None = None
    duration: float | None = None
    width: int | float | None = None
    height: int | float | None = None
    oshash: str | None = None


class WireWords(Reference, frozen=True):
    """What every query for scenes reads of one, as far as that was asked for."""

    updated_at: str | None = None
    title: str | None = None
    date: str | None = None
    urls: tuple[str, ...] = ()
    stash_ids: tuple[WireStashId, ...] = ()
    details: str | None = None


class WireScene(WireWords, frozen=True):
    """A scene as matching wants it."""

    organized: bool = False
    files: tuple[WireFile, ...] = ()
    tags: tuple[Reference, ...] = ()
    studio: Reference | None = None
    performers: tuple[Reference, ...] = ()


class WireDetail(WireWords, frozen=True, kw_only=True):
    """A scene with everything it says about itself, as far as that was asked for."""

    files: tuple[WireFile, ...]
    tags: tuple[WireTag, ...]
    organized: bool
    paths: _Paths | None = None
    groups: tuple[_Grouped, ...] | None = None
    performers: tuple[WirePerformer, ...] | None = None
    custom_fields: dict[str, object] | None = None
    studio: WireStudio | None = None
    code: str | None = None
    director: str | None = None
    rating100: int | float | None = None


class WireVersion(Reference, frozen=True):
    """Id and version text of a scene, and whether it is organized if that was asked for."""

    updated_at: str | None = None
    organized: bool = True


class WireFiles(Reference, frozen=True):
    """A scene, and which files it has."""

    files: tuple[Reference, ...]


class _Scenes(Wire, Generic[T], frozen=True):
    scenes: tuple[T, ...]


class ScenePage(Wire, Generic[T], frozen=True):
    """The answer to a query for scenes."""

    findScenes: _Scenes[T]


class _Count(Wire, frozen=True):
    count: int


class SceneCount(Wire, frozen=True):
    """The answer to a query for their number."""

    findScenes: _Count


class WireList(Wire, frozen=True):
    """All objects of one kind, each as it was sent."""

    count: int
    rows: tuple[msgspec.Raw, ...]


class WireBuild(Wire, frozen=True):
    """What Stash says of its build; own builds say nothing."""

    version: str | None = None
    hash: str | None = None


class WireStatus(Wire, frozen=True):
    """What Stash says of its database."""

    status: str
    appSchema: int
    databasePath: str | None = None


class WireReadiness(Wire, frozen=True):
    """The answer to "who are you, and are you ready"."""

    version: WireBuild
    systemStatus: WireStatus


class WireEdited(Wire, frozen=True):
    """How many scenes there are, sums over all of them, and those edited last."""

    scenes: tuple[WireVersion, ...]
    count: msgspec.Raw
    duration: msgspec.Raw
    filesize: msgspec.Raw


class WireLook(WireReadiness, frozen=True):
    """What Stash is, with counts, sums and newest entries, most of them only compared."""

    edited: WireEdited
    made: msgspec.Raw
    uneven: msgspec.Raw
    findTags: msgspec.Raw
    findPerformers: msgspec.Raw
    findStudios: msgspec.Raw
    findGroups: msgspec.Raw = msgspec.Raw(b"")
