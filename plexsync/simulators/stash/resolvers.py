"""What each field of Stash's schema is for a row; what is not simulated is empty.

A field without a resolver is the row's attribute of that name. Source: docs/stash-api.md 3.
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from plexsync.simulators.library.records import EPOCH_TEXT
from plexsync.simulators.stash.roots import ROOTS, FindPage, RequestView, Resolver
from plexsync.simulators.stash.table import natural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from plexsync.simulators.library.records import (
        StashFile,
        StashGroup,
        StashPerformer,
        StashScene,
        StashStudio,
        StashTag,
    )
    from plexsync.simulators.stash.table import RowTable

_ZERO_EPOCH = "1970-01-01T00:00:00Z"


def resolver(
    view: RequestView, type_name: str, field_name: str
) -> Callable[[Any, dict[str, Any]], Any]:
    """Return what takes a row and arguments to the field's value."""
    special = _RESOLVERS.get(type_name, {}).get(field_name)
    if special is not None:
        return lambda row, arguments: special(row, view, **arguments)
    defaults = _EMPTY.get(type_name, {})
    if field_name in defaults:
        constant = defaults[field_name]
        return lambda _row, _arguments: constant
    if type_name in _MAPPED:
        return lambda row, _arguments: row[field_name]
    attribute = attrgetter(field_name)
    return lambda row, _arguments: attribute(row)


# ---- pages ---------------------------------------------------------------------------------------


def _count(page: FindPage, _: RequestView) -> int:
    return len(page.found.every())


def _duration(page: FindPage, view: RequestView) -> float:
    files = view.store.files
    return float(
        sum(files[i].duration for row in page.found.every() for i in page.table[row].file_ids)
    )


def _filesize(page: FindPage, view: RequestView) -> float:
    files = view.store.files
    return float(sum(files[i].size for row in page.found.every() for i in page.table[row].file_ids))


def _rows(page: FindPage, _: RequestView) -> Sequence[Any]:
    return page.rows()


# ---- scenes --------------------------------------------------------------------------------------


def _related(table: RowTable[Any], row_id: int, noun: str) -> Any:
    """Return a related row; a link to a row that is gone fails the page."""
    row = table.get(row_id)
    if row is None:
        raise GraphQLError(f"{noun} with id {row_id} not found")
    return row


def _scene_files(scene: StashScene, view: RequestView) -> list[StashFile]:
    """Return the primary one, then the others by their ids."""
    ids = (*scene.file_ids[:1], *sorted(scene.file_ids[1:]))
    return [_related(view.store.files, file_id, "file") for file_id in ids]


def _scene_studio(scene: StashScene, view: RequestView) -> StashStudio | None:
    if scene.studio_id is None:
        return None
    studio: StashStudio = _related(view.store.studios, scene.studio_id, "studio")
    return studio


def _scene_tags(scene: StashScene, view: RequestView) -> list[StashTag]:
    """By sort name or name."""
    tags = [_related(view.store.tags, tag_id, "tag") for tag_id in scene.tag_ids]
    return sorted(tags, key=lambda tag: (natural(tag.sort_name or tag.name), tag.id))


def _scene_performers(scene: StashScene, view: RequestView) -> list[StashPerformer]:
    """By id: there is no billing order."""
    ids = sorted(scene.performer_ids)
    return [_related(view.store.performers, row_id, "performer") for row_id in ids]


def _scene_groups(scene: StashScene, _: RequestView) -> Sequence[tuple[int, int | None]]:
    return scene.groups


def _group_of(pair: tuple[int, int | None], view: RequestView) -> StashGroup:
    group: StashGroup = _related(view.store.groups, pair[0], "group")
    return group


def _screenshot(scene: StashScene, view: RequestView) -> str:
    seconds = int(datetime.fromisoformat(scene.updated_at).timestamp())
    return f"{view.base}{view.facts.screenshot_path.format(id=scene.id)}?t={seconds}"


def _asset(name: str) -> Resolver:
    """Return a URL that is always there, whether the asset exists or not."""
    return lambda scene, view: f"{view.base}/scene/{scene.id}/{name}"


def _hashed_asset(suffix: str) -> Resolver:
    def url(scene: StashScene, view: RequestView) -> str:
        file = view.store.files.get(scene.file_ids[0]) if scene.file_ids else None
        name = f"{file.oshash or 0:016x}" if file else ""
        return f"{view.base}/scene/{name}{suffix}"

    return url


def _stream(scene: StashScene, view: RequestView) -> str:
    """Carries the API key in clear, as the real one does."""
    key = f"?apikey={view.facts.api_key}" if view.facts.api_key else ""
    return f"{view.base}/scene/{scene.id}/stream{key}"


# ---- files ---------------------------------------------------------------------------------------


def _fingerprints(file: StashFile, _: RequestView) -> list[tuple[str, str]]:
    """Return the phash without zero padding, the oshash with. Source: docs/stash-api.md 3.1."""
    found = []
    if file.oshash is not None:
        found.append(("oshash", f"{file.oshash:016x}"))
    if file.md5:
        found.append(("md5", file.md5))
    if file.phash is not None:
        found.append(("phash", f"{file.phash:x}"))
    return found


def _fingerprint(file: StashFile, view: RequestView, *, type: str) -> str | None:  # noqa: A002 - the argument's name
    return next((value for kind, value in _fingerprints(file, view) if kind == type), None)


# ---- related rows --------------------------------------------------------------------------------


def _image(kind: str, name: str = "image") -> Resolver:
    """Return a resolver of a URL that is always there, and says if the row has its own picture."""

    def url(row: Any, view: RequestView) -> str:
        seconds = int(datetime.fromisoformat(row.updated_at).timestamp())
        suffix = "" if row.has_image else "&default=true"
        return f"{view.base}/{kind}/{row.id}/{name}?t={seconds}{suffix}"

    return url


def _scene_count(links: Callable[[StashScene], Sequence[int | None]]) -> Resolver:
    def count(row: Any, view: RequestView, *, depth: int | None = None) -> int:
        del depth
        return sum(row.id in links(scene) for scene in view.store.scenes)

    return count


def _tag_parents(tag: StashTag, view: RequestView) -> list[StashTag]:
    return [_related(view.store.tags, tag_id, "tag") for tag_id in tag.parent_ids]


def _tag_children(tag: StashTag, view: RequestView) -> list[StashTag]:
    return [other for other in view.store.tags if tag.id in other.parent_ids]


def _parent_studio(studio: StashStudio, view: RequestView) -> StashStudio | None:
    return view.store.studios.get(studio.parent_id)


def _child_studios(studio: StashStudio, view: RequestView) -> list[StashStudio]:
    return [other for other in view.store.studios if other.parent_id == studio.id]


# ---- tables --------------------------------------------------------------------------------------

_FILE: Mapping[str, Resolver] = {
    "path": lambda file, view: view.store.path(file),
    "parent_folder_id": lambda file, _: file.folder_id,
    "parent_folder": lambda file, view: view.store.folders[file.folder_id],
    "fingerprint": _fingerprint,
    "fingerprints": _fingerprints,
}

_PAGE: Mapping[str, Resolver] = {
    "count": _count,
    "duration": _duration,
    "filesize": _filesize,
    **dict.fromkeys(("scenes", "tags", "performers", "studios", "groups"), _rows),
}

_RESOLVERS: Mapping[str, Mapping[str, Resolver]] = {
    "Query": ROOTS,
    **dict.fromkeys(
        (
            "FindScenesResultType",
            "FindTagsResultType",
            "FindPerformersResultType",
            "FindStudiosResultType",
            "FindGroupsResultType",
        ),
        _PAGE,
    ),
    "Scene": {
        "url": lambda scene, _: scene.urls[0] if scene.urls else None,
        "files": _scene_files,
        "paths": lambda scene, _: scene,
        "studio": _scene_studio,
        "groups": _scene_groups,
        "tags": _scene_tags,
        "performers": _scene_performers,
    },
    "ScenePathsType": {
        "screenshot": _screenshot,
        "preview": _asset("preview"),
        "stream": _stream,
        "webp": _asset("webp"),
        "vtt": _hashed_asset("_thumbs.vtt"),
        "sprite": _hashed_asset("_sprite.jpg"),
        "funscript": _asset("funscript"),
        "interactive_heatmap": _asset("interactive_heatmap"),
        "caption": _asset("caption"),
    },
    "VideoFile": _FILE,
    "BasicFile": _FILE,
    "Fingerprint": {"type": lambda pair, _: pair[0], "value": lambda pair, _: pair[1]},
    "StashID": {
        "endpoint": lambda pair, _: pair[0],
        "stash_id": lambda pair, _: pair[1],
        "updated_at": lambda _row, _view: _ZERO_EPOCH,
    },
    "SceneGroup": {"group": _group_of, "scene_index": lambda pair, _: pair[1]},
    "Tag": {
        "image_path": _image("tag"),
        "scene_count": _scene_count(lambda scene: scene.tag_ids),
        "parents": _tag_parents,
        "children": _tag_children,
        "parent_count": lambda tag, view: len(_tag_parents(tag, view)),
        "child_count": lambda tag, view: len(_tag_children(tag, view)),
    },
    "Studio": {
        "parent_studio": _parent_studio,
        "child_studios": _child_studios,
        "image_path": _image("studio"),
        "scene_count": _scene_count(lambda scene: (scene.studio_id,)),
    },
    "Performer": {
        "image_path": _image("performer"),
        "scene_count": _scene_count(lambda scene: scene.performer_ids),
    },
    "Group": {
        "front_image_path": _image("group", "frontimage"),
        "scene_count": _scene_count(lambda scene: [pair[0] for pair in scene.groups]),
    },
}

_MAPPED = frozenset(
    {"Version", "SystemStatus", "ConfigResult", "ConfigGeneralResult", "StashConfig", "Job"}
)
"""Types with mappings as rows."""

_NOTHING: Mapping[str, Any] = {
    "url": None,
    "urls": (),
    "aliases": (),
    "tags": (),
    "ignore_auto_tag": False,
    "stash_ids": (),
    "rating100": None,
    "favorite": False,
    "o_counter": 0,
}

_EMPTY: Mapping[str, Mapping[str, Any]] = {
    "Scene": {
        "o_counter": 0,
        "interactive": False,
        "interactive_speed": None,
        "captions": None,
        "last_played_at": None,
        "resume_time": 0.0,
        "play_duration": 0.0,
        "play_count": 0,
        "play_history": (),
        "o_history": (),
        "scene_markers": (),
        "galleries": (),
    },
    "VideoFile": {"zip_file_id": None, "zip_file": None},
    "BasicFile": {"zip_file_id": None, "zip_file": None},
    "Folder": {
        "parent_folder_id": None,
        "zip_file_id": None,
        "parent_folder": None,
        "zip_file": None,
        "mod_time": EPOCH_TEXT,
        "created_at": EPOCH_TEXT,
        "updated_at": EPOCH_TEXT,
    },
    "Tag": {"ignore_auto_tag": False, "stash_ids": ()},
    "Studio": _NOTHING,
    "Performer": {
        **_NOTHING,
        "birthdate": None,
        "ethnicity": "",
        "country": "",
        "death_date": None,
        "custom_fields": {},
    },
    "Group": {
        **_NOTHING,
        "aliases": "",
        "duration": None,
        "studio": None,
        "director": "",
        "containing_groups": (),
        "sub_groups": (),
        "back_image_path": None,
    },
}
