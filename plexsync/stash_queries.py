"""What plexsync asks Stash: constant query texts, and the variables that go with them.

Stash caches parsed queries by their text, so everything that varies is a variable. All fields are
those of v0.27.0, the oldest supported version; nothing we need was added later.
Source: docs/stash-api.md 1.1, 7 and 10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

_FILES = """
fragment Files on Scene {
  files { path size duration width height oshash: fingerprint(type: "oshash") }
}"""

_FACTS = (
    """
fragment Facts on Scene {
  id updated_at title date organized
  ...Files
  tags @include(if: $tags) { name }
}"""
    + _FILES
)

READY = """query PlexsyncReady {
  version { version hash }
  systemStatus { status appSchema databasePath }
}"""

COUNT = """query PlexsyncCount($where: SceneFilterType) {
  findScenes(scene_filter: $where, filter: {per_page: 0}) { count }
}"""

VERSIONS = """query PlexsyncVersions($where: SceneFilterType!, $n: Int!) {
  findScenes(scene_filter: $where, filter: {sort: "id", direction: ASC, per_page: $n}) {
    scenes { id updated_at }
  }
}"""

SWEEP = (
    """query PlexsyncSweep($where: SceneFilterType!, $n: Int!, $tags: Boolean!) {
  findScenes(scene_filter: $where, filter: {sort: "id", direction: ASC, per_page: $n}) {
    scenes { ...Facts }
  }
}"""
    + _FACTS
)

SCENES = (
    """query PlexsyncScenes($ids: [ID!], $tags: Boolean!) {
  findScenes(ids: $ids) { scenes { ...Facts } }
}"""
    + _FACTS
)

DETAILS = (
    """query PlexsyncDetails($ids: [ID!]) {
  findScenes(ids: $ids) {
    scenes {
      id updated_at title code details director date rating100 organized urls
      ...Files
      paths { screenshot }
      studio { name parent_studio { name parent_studio { name parent_studio { name } } } }
      groups { group { name } }
      performers { name }
      tags { name }
    }
  }
}"""
    + _FILES
)


def request_body(query: str, variables: Mapping[str, Json]) -> bytes:
    """One GraphQL request as JSON."""
    return msgspec.json.encode({"query": query, "variables": variables})


def where_after(last_id: int, *, updated_after: str, organized_only: bool) -> dict[str, Json]:
    """The filter of a keyset page: scenes with a higher id than `last_id`.

    `updated_after` is compared as text by the server, so it only narrows; a value that looks like
    a number would match every row. Source: docs/stash-api.md 2.5.
    """
    where: dict[str, Json] = {"id": {"value": last_id, "modifier": "GREATER_THAN"}}
    if updated_after:
        where["updated_at"] = {"value": updated_after, "modifier": "GREATER_THAN"}
    if organized_only:
        where["organized"] = True
    return where


def where_up_to(where: Mapping[str, Json], last_id: int, highest_id: int) -> dict[str, Json]:
    """The same filter for scenes with `last_id` < id <= `highest_id`."""
    ids: Json = {"value": last_id + 1, "value2": highest_id, "modifier": "BETWEEN"}
    return {**where, "id": ids}
