"""The root fields of a query: what the server says of itself, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError

from plexsync.simulators.library.records import EPOCH_TEXT
from plexsync.simulators.stash.criteria import FilterError, PanicError
from plexsync.simulators.stash.filters import FindResult, find_rows, find_scenes
from plexsync.simulators.stash.schema import APP_SCHEMA, NEWEST, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plexsync.simulators.library.records import StashScene
    from plexsync.simulators.stash.store import StashStore
    from plexsync.simulators.stash.table import RowTable

Resolver = Any
"""Takes a row, a view and a field's arguments; rows and values are of any type."""

_NIL_POINTER = "runtime error: invalid memory address or nil pointer dereference"


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
        removed: fields this schema does not have, such as `Scene.director`.
        asking: fields that need an argument here.
        status: OK, SETUP or NEEDS_MIGRATION; without OK there is no database to ask.
        database_path: where the database lies.
        api_key: the configured key; "" for a server without credentials.
        jobs: the queue.
        screenshot_path: where covers are, with `{id}` for the scene's.
    """

    version: str = NEWEST
    removed: frozenset[str] = frozenset()
    asking: frozenset[str] = frozenset()
    status: str = "OK"
    database_path: str = "/root/.stash/stash-go.sqlite"
    api_key: str = ""
    jobs: list[Job] = field(default_factory=list)
    screenshot_path: str = "/scene/{id}/screenshot"


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request's view: the tables, the server, and the base of the URLs it writes."""

    store: StashStore
    facts: Facts
    base: str


@dataclass(frozen=True, slots=True)
class FindPage:
    """The answer of a find query: ids, and where their rows are."""

    found: FindResult
    table: RowTable[Any]

    def rows(self) -> list[Any]:
        """Return the page's rows."""
        return [self.table[row_id] for row_id in self.found.page]


# ---- Query ---------------------------------------------------------------------------------------


def _need_database(view: RequestView) -> None:
    """Without a migrated database every resolver panics. Source: docs/stash-api.md 1.5."""
    if view.facts.status != "OK":
        raise GraphQLError(f"Internal system error. Error <{_NIL_POINTER}>")


def _need_no_poison(view: RequestView, scene_ids: Iterable[int]) -> None:
    """One poisoned scene fails its page whole. Source: docs/stash-api.md 1.4."""
    if view.store.poisoned:
        for scene_id in scene_ids:
            if scene_id in view.store.poisoned:
                raise GraphQLError(
                    f"internal error: multiple rows returned for single scene id {scene_id}"
                )


def _find_scenes(
    _: object,
    view: RequestView,
    *,
    scene_filter: Any = None,
    filter: Any = None,  # noqa: A002 - the argument's name
    ids: Sequence[str] | None = None,
    scene_ids: Sequence[int] | None = None,
) -> FindPage:
    _need_database(view)
    chosen = ids or [str(scene_id) for scene_id in scene_ids or ()]
    try:
        found = find_scenes(view.store, scene_filter, filter, chosen)
    except FilterError as error:
        raise GraphQLError(str(error)) from error
    except PanicError as error:
        raise GraphQLError(f"Internal system error. Error <{error}>") from error
    _need_no_poison(view, found.page)
    return FindPage(found, view.store.scenes)


def _find(table: Callable[[StashStore], RowTable[Any]]) -> Resolver:
    """Return a find query of any other kind of row."""

    def find(
        _: object,
        view: RequestView,
        *,
        filter: Any = None,  # noqa: A002 - the argument's name
        ids: Sequence[str] | None = None,
        **criteria: Any,
    ) -> FindPage:
        _need_database(view)
        rows = table(view.store)
        own = next((value for name, value in criteria.items() if name.endswith("_filter")), None)
        try:
            found = find_rows(view.store, rows, criteria=own, wanted=filter, ids=ids)
        except FilterError as error:
            raise GraphQLError(str(error)) from error
        except PanicError as error:
            raise GraphQLError(f"Internal system error. Error <{error}>") from error
        return FindPage(found, rows)

    return find


def _find_scene(
    _: object,
    view: RequestView,
    *,
    id: str | None = None,  # noqa: A002 - the argument's name
    **_unused: object,
) -> StashScene | None:
    _need_database(view)
    if id is None or not id.isdecimal():
        raise GraphQLError(f'strconv.Atoi: parsing "{id or ""}": invalid syntax')
    _need_no_poison(view, (int(id),))
    return view.store.scenes.get(int(id))


def _version(_: object, view: RequestView) -> dict[str, str]:
    return {"version": view.facts.version, "hash": "cf3489efd", "build_time": "2026-01-11 08:00:00"}


def _system_status(_: object, view: RequestView) -> dict[str, Any]:
    """Return the state of the database, which needs no database."""
    app_schema = APP_SCHEMA.get(parse_version(view.facts.version or NEWEST), 75)
    behind = view.facts.status == "NEEDS_MIGRATION"
    fresh = view.facts.status == "SETUP"
    return {
        "databaseSchema": 0 if fresh else app_schema - 1 if behind else app_schema,
        "databasePath": "" if fresh else view.facts.database_path,
        "configPath": "" if fresh else "/root/.stash/config.yml",
        "appSchema": app_schema,
        "status": view.facts.status,
        "os": "linux",
        "workingDir": "/root/.stash",
        "homeDir": "/root",
        "ffmpegPath": "/usr/bin/ffmpeg",
        "ffprobePath": "/usr/bin/ffprobe",
    }


def _configuration(_: object, view: RequestView) -> dict[str, Any]:
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


def _job_queue(_: object, view: RequestView) -> list[dict[str, Any]] | None:
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


ROOTS: Mapping[str, Resolver] = {
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
}
