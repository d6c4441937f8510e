"""What each field of Stash's schema is for a row; what is not simulated is empty.

A field without a resolver is the row's attribute of that name. Source: docs/stash-api.md 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from plexsync.simulators.records import EPOCH_TEXT
from plexsync.simulators.stash_filters import FilterError, Found, PanicError, find_rows, find_scenes
from plexsync.simulators.stash_schema import APP_SCHEMA, NEWEST, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plexsync.simulators.records import (
        StashFile,
        StashGroup,
        StashPerformer,
        StashScene,
        StashStudio,
        StashTag,
    )
    from plexsync.simulators.stash_store import StashStore, Table

Resolver = Any
"""Takes a row, a view and a field's arguments; rows and values are of any type."""

_NIL_POINTER = "runtime error: invalid memory address or nil pointer dereference"
_ZERO_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(slots=True)
class Job:
    """A task in the queue."""

    description: str
    id: int = 1
    status: str = "RUNNING"
    progress: float | None = None
    sub_tasks: tuple[str, ...] = ()
    added_at: str = EPOCH_TEXT
    error: str | None = None


@dataclass(slots=True)
class Facts:
    """What a server says of itself; every value may be changed while it serves.

    Attributes:
        version: "" for a build of one's own.
        status: OK, SETUP or NEEDS_MIGRATION; without OK there is no database to ask.
        database_path: where the database lies.
        api_key: the configured key; "" for a server without credentials.
        jobs: the queue.
    """

    version: str = NEWEST
    status: str = "OK"
    database_path: str = "/root/.stash/stash-go.sqlite"
    api_key: str = ""
    jobs: list[Job] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class View:
    """One request's view: the tables, the server, and the base of the URLs it writes."""

    store: StashStore
    facts: Facts
    base: str


def resolver(view: View, type_name: str, field_name: str) -> Callable[[Any, dict[str, Any]], Any]:
    """What takes a row and arguments to the field's value."""
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


@dataclass(frozen=True, slots=True)
class Page:
    """The answer of a find query: ids, and where their rows are."""

    found: Found
    table: Table[Any]

    def rows(self) -> list[Any]:
        """The page's rows."""
        return [self.table[row_id] for row_id in self.found.page]


# ---- Query ---------------------------------------------------------------------------------------


def _need_database(view: View) -> None:
    """Without a migrated database every resolver panics. Source: docs/stash-api.md 1.5."""
    if view.facts.status != "OK":
        raise GraphQLError(f"Internal system error. Error <{_NIL_POINTER}>")


def _need_no_poison(view: View, scene_ids: Iterable[int]) -> None:
    """One poisoned scene fails its page whole. Source: docs/stash-api.md 1.4."""
    if view.store.poisoned:
        for scene_id in scene_ids:
            if scene_id in view.store.poisoned:
                raise GraphQLError(
                    f"internal error: multiple rows returned for single scene id {scene_id}"
                )


def _find_scenes(
    _: object,
    view: View,
    *,
    scene_filter: Any = None,  # noqa: ANN401 - decoded arguments
    filter: Any = None,  # noqa: A002, ANN401 - the argument's name
    ids: Sequence[str] | None = None,
    scene_ids: Sequence[int] | None = None,
) -> Page:
    _need_database(view)
    chosen = ids or [str(scene_id) for scene_id in scene_ids or ()]
    try:
        found = find_scenes(view.store, scene_filter, filter, chosen)
    except FilterError as error:
        raise GraphQLError(str(error)) from error
    except PanicError as error:
        raise GraphQLError(f"Internal system error. Error <{error}>") from error
    _need_no_poison(view, found.page)
    return Page(found, view.store.scenes)


def _find(table: Callable[[StashStore], Table[Any]]) -> Resolver:
    """A find query of any other kind of row."""

    def find(
        _: object,
        view: View,
        *,
        filter: Any = None,  # noqa: A002, ANN401 - the argument's name
        ids: Sequence[str] | None = None,
        **criteria: Any,  # noqa: ANN401 - decoded arguments
    ) -> Page:
        _need_database(view)
        rows = table(view.store)
        own = next((value for name, value in criteria.items() if name.endswith("_filter")), None)
        try:
            found = find_rows(view.store, rows, criteria=own, wanted=filter, ids=ids)
        except FilterError as error:
            raise GraphQLError(str(error)) from error
        except PanicError as error:
            raise GraphQLError(f"Internal system error. Error <{error}>") from error
        return Page(found, rows)

    return find


def _find_scene(
    _: object,
    view: View,
    *,
    id: str | None = None,  # noqa: A002 - the argument's name
    **_unused: object,
) -> StashScene | None:
    _need_database(view)
    if id is None or not id.isdecimal():
        raise GraphQLError(f'strconv.Atoi: parsing "{id or ""}": invalid syntax')
    _need_no_poison(view, (int(id),))
    return view.store.scenes.get(int(id))


def _version(_: object, view: View) -> dict[str, str]:
    return {"version": view.facts.version, "hash": "cf3489efd", "build_time": "2026-01-11 08:00:00"}


def _system_status(_: object, view: View) -> dict[str, Any]:
    """The state of the database, which needs no database."""
    app_schema = APP_SCHEMA.get(version_of(view.facts.version or NEWEST), 75)
    behind = view.facts.status == "NEEDS_MIGRATION"
    fresh = view.facts.status == "SETUP"
    return {
        "databaseSchema": None if fresh else app_schema - 1 if behind else app_schema,
        "databasePath": None if fresh else view.facts.database_path,
        "configPath": None if fresh else "/root/.stash/config.yml",
        "appSchema": app_schema,
        "status": view.facts.status,
        "os": "linux",
        "workingDir": "/root/.stash",
        "homeDir": "/root",
        "ffmpegPath": "/usr/bin/ffmpeg",
        "ffprobePath": "/usr/bin/ffprobe",
    }


def _configuration(_: object, view: View) -> dict[str, Any]:
    roots = dict.fromkeys(folder.path for folder in view.store.folders)
    return {
        "general": {
            "stashes": [
                {"path": path, "excludeVideo": False, "excludeImage": False} for path in roots
            ],
            "databasePath": view.facts.database_path,
            "generatedPath": "/generated",
            "blobsStorage": "DATABASE",
            "calculateMD5": False,
            "videoFileNamingAlgorithm": "OSHASH",
            "parallelTasks": 1,
            "maxSessionAge": 3600,
        },
        "ui": {},
        "plugins": {},
    }


def _job_queue(_: object, view: View) -> list[dict[str, Any]] | None:
    """Null when idle."""
    return [
        {
            "id": str(job.id),
            "status": job.status,
            "subTasks": list(job.sub_tasks),
            "description": job.description,
            "progress": job.progress,
            "startTime": job.added_at,
            "endTime": None,
            "addTime": job.added_at,
            "error": job.error,
        }
        for job in view.facts.jobs
    ] or None


# ---- pages ---------------------------------------------------------------------------------------


def _count(page: Page, _: View) -> int:
    return len(page.found.every())


def _duration(page: Page, view: View) -> float:
    files = view.store.files
    return float(
        sum(files[i].duration for row in page.found.every() for i in page.table[row].file_ids)
    )


def _filesize(page: Page, view: View) -> float:
    files = view.store.files
    return float(sum(files[i].size for row in page.found.every() for i in page.table[row].file_ids))


def _rows(page: Page, _: View) -> Sequence[Any]:
    return page.rows()


# ---- scenes --------------------------------------------------------------------------------------


def _related(table: Table[Any], row_id: int, noun: str) -> Any:  # noqa: ANN401 - any row
    """A related row; a link to a row that is gone fails the page."""
    row = table.get(row_id)
    if row is None:
        raise GraphQLError(f"{noun} with id {row_id} not found")
    return row


def _scene_files(scene: StashScene, view: View) -> list[StashFile]:
    return [_related(view.store.files, file_id, "file") for file_id in scene.file_ids]


def _scene_studio(scene: StashScene, view: View) -> StashStudio | None:
    if scene.studio_id is None:
        return None
    studio: StashStudio = _related(view.store.studios, scene.studio_id, "studio")
    return studio


def _scene_tags(scene: StashScene, view: View) -> list[StashTag]:
    """By sort name or name, without case."""
    tags = [_related(view.store.tags, tag_id, "tag") for tag_id in scene.tag_ids]
    return sorted(tags, key=lambda tag: ((tag.sort_name or tag.name).casefold(), tag.id))


def _scene_performers(scene: StashScene, view: View) -> list[StashPerformer]:
    """By id: there is no billing order."""
    ids = sorted(scene.performer_ids)
    return [_related(view.store.performers, row_id, "performer") for row_id in ids]


def _scene_groups(scene: StashScene, _: View) -> Sequence[tuple[int, int | None]]:
    return scene.groups


def _group_of(pair: tuple[int, int | None], view: View) -> StashGroup:
    group: StashGroup = _related(view.store.groups, pair[0], "group")
    return group


def _screenshot(scene: StashScene, view: View) -> str:
    seconds = int(datetime.fromisoformat(scene.updated_at).timestamp())
    return f"{view.base}/scene/{scene.id}/screenshot?t={seconds}"


def _asset(name: str) -> Resolver:
    """A URL that is always there, whether the asset exists or not."""
    return lambda scene, view: f"{view.base}/scene/{scene.id}/{name}"


def _hashed_asset(suffix: str) -> Resolver:
    def url(scene: StashScene, view: View) -> str:
        file = view.store.files.get(scene.file_ids[0]) if scene.file_ids else None
        name = f"{file.oshash or 0:016x}" if file else ""
        return f"{view.base}/scene/{name}{suffix}"

    return url


def _stream(scene: StashScene, view: View) -> str:
    """Carries the API key in clear, as the real one does."""
    key = f"?apikey={view.facts.api_key}" if view.facts.api_key else ""
    return f"{view.base}/scene/{scene.id}/stream{key}"


# ---- files ---------------------------------------------------------------------------------------


def _fingerprints(file: StashFile, _: View) -> list[tuple[str, str]]:
    """The phash without zero padding, the oshash with. Source: docs/stash-api.md 3.1."""
    found = []
    if file.oshash is not None:
        found.append(("oshash", f"{file.oshash:016x}"))
    if file.md5:
        found.append(("md5", file.md5))
    if file.phash is not None:
        found.append(("phash", f"{file.phash:x}"))
    return found


def _fingerprint(file: StashFile, view: View, *, type: str) -> str | None:  # noqa: A002 - the argument's name
    return next((value for kind, value in _fingerprints(file, view) if kind == type), None)


# ---- related rows --------------------------------------------------------------------------------


def _image(kind: str, *, always_default: bool = False) -> Resolver:
    def url(row: Any, view: View) -> str:  # noqa: ANN401 - any related row
        seconds = int(datetime.fromisoformat(row.updated_at).timestamp())
        default = always_default or not getattr(row, "has_image", False)
        suffix = "&default=true" if default else ""
        return f"{view.base}/{kind}/{row.id}/image?t={seconds}{suffix}"

    return url


def _scene_count(links: Callable[[StashScene], Sequence[int | None]]) -> Resolver:
    def count(row: Any, view: View, *, depth: int | None = None) -> int:  # noqa: ANN401 - any row
        del depth
        return sum(row.id in links(scene) for scene in view.store.scenes)

    return count


def _tag_parents(tag: StashTag, view: View) -> list[StashTag]:
    return [_related(view.store.tags, tag_id, "tag") for tag_id in tag.parent_ids]


def _tag_children(tag: StashTag, view: View) -> list[StashTag]:
    return [other for other in view.store.tags if tag.id in other.parent_ids]


def _parent_studio(studio: StashStudio, view: View) -> StashStudio | None:
    return view.store.studios.get(studio.parent_id)


def _child_studios(studio: StashStudio, view: View) -> list[StashStudio]:
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
    "Query": {
        "findScene": _find_scene,
        "findScenes": _find_scenes,
        "findTags": _find(lambda store: store.tags),
        "findPerformers": _find(lambda store: store.performers),
        "findStudios": _find(lambda store: store.studios),
        "findGroups": _find(lambda store: store.groups),
        "version": _version,
        "systemStatus": _system_status,
        "configuration": _configuration,
        "jobQueue": _job_queue,
    },
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
        "image_path": _image("tag", always_default=True),
        "scene_count": _scene_count(lambda scene: scene.tag_ids),
        "parents": _tag_parents,
        "children": _tag_children,
        "parent_count": lambda tag, view: len(_tag_parents(tag, view)),
        "child_count": lambda tag, view: len(_tag_children(tag, view)),
    },
    "Studio": {
        "parent_studio": _parent_studio,
        "child_studios": _child_studios,
        "image_path": _image("studio", always_default=True),
        "scene_count": _scene_count(lambda scene: (scene.studio_id,)),
    },
    "Performer": {
        "image_path": _image("performer"),
        "scene_count": _scene_count(lambda scene: scene.performer_ids),
    },
    "Group": {
        "front_image_path": _image("group", always_default=True),
        "scene_count": _scene_count(lambda scene: [pair[0] for pair in scene.groups]),
    },
}

_MAPPED = frozenset(
    {"Version", "SystemStatus", "ConfigResult", "ConfigGeneralResult", "StashConfig", "Job"}
)
"""Types whose rows are mappings."""

_NOTHING: Mapping[str, Any] = {
    "url": None,
    "urls": (),
    "aliases": (),
    "tags": (),
    "ignore_auto_tag": False,
    "stash_ids": (),
    "rating100": None,
    "favorite": False,
    "details": "",
    "description": "",
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
    "Tag": {"ignore_auto_tag": False, "stash_ids": (), "description": ""},
    "Studio": _NOTHING,
    "Performer": {
        **_NOTHING,
        "birthdate": None,
        "ethnicity": "",
        "country": "",
        "alias_list": (),
        "death_date": None,
        "custom_fields": {},
    },
    "Group": {
        **_NOTHING,
        "aliases": "",
        "duration": None,
        "studio": None,
        "director": "",
        "synopsis": "",
        "containing_groups": (),
        "sub_groups": (),
        "back_image_path": None,
    },
}
