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
  tags @include(if: $more) { id }
  urls @include(if: $more)
  stash_ids @include(if: $more) { stash_id }
  details @include(if: $more)
  studio @include(if: $more) { id }
  performers @include(if: $more) { id }
}"""
    + _FILES
)

_CAST = """
fragment Cast on Performer {
  id name
  disambiguation @include(if: $cast)
  gender @include(if: $cast)
  alias_list @include(if: $cast)
  image_path @include(if: $photos)
}"""

READY = """query PlexsyncReady {
  version { version hash }
  systemStatus { status appSchema databasePath }
}"""

COUNT = """query PlexsyncCount($where: SceneFilterType) {
  findScenes(scene_filter: $where, filter: {per_page: 0}) { count }
}"""

VERSIONS = """query PlexsyncVersions($where: SceneFilterType!, $n: Int!, $more: Boolean!) {
  findScenes(scene_filter: $where, filter: {sort: "id", direction: ASC, per_page: $n}) {
    scenes { id updated_at organized @include(if: $more) }
  }
}"""

UNEVEN = """query PlexsyncUneven($where: SceneFilterType!, $n: Int!) {
  findScenes(scene_filter: $where, filter: {sort: "id", direction: ASC, per_page: $n}) {
    scenes { id files { id } }
  }
}"""

NAMES = (
    """query PlexsyncNames($parents: Boolean!, $cast: Boolean!, $photos: Boolean!) {
  findTags(filter: {per_page: -1, sort: "id"}) {
    count tags { id name parents @include(if: $parents) { id } }
  }
  findPerformers(filter: {per_page: -1, sort: "id"}) { count performers { ...Cast } }
  findStudios(filter: {per_page: -1, sort: "id"}) { count studios { id name parent_studio { id } } }
  findGroups(filter: {per_page: -1, sort: "id"}) { count groups { id name } }
}"""
    + _CAST
)

SWEEP = (
    """query PlexsyncSweep($where: SceneFilterType!, $n: Int!, $more: Boolean!) {
  findScenes(scene_filter: $where, filter: {sort: "id", direction: ASC, per_page: $n}) {
    scenes { ...Facts }
  }
}"""
    + _FACTS
)

SCENES = (
    """query PlexsyncScenes($ids: [ID!], $more: Boolean!) {
  findScenes(ids: $ids) { scenes { ...Facts } }
}"""
    + _FACTS
)

DETAILS = (
    """query PlexsyncDetails($ids: [ID!], $parents: Boolean!, $cast: Boolean!, $photos: Boolean!) {
  findScenes(ids: $ids) {
    scenes {
      id updated_at title code details director date rating100 organized urls
      ...Files
      paths { screenshot }
      studio { ...Named parent_studio { ...Named parent_studio { ...Named
        parent_studio { ...Named parent_studio { id } } } } }
      groups { group { id name } }
      performers { ...Cast }
      tags { id name parents @include(if: $parents) { id name
        parents { id name parents { id name parents { id } } } } }
    }
  }
}
fragment Named on Studio { id name }"""
    + _CAST
    + _FILES
)


def request_body(query: str, variables: Mapping[str, Json]) -> bytes:
    """One GraphQL request as JSON."""
    return msgspec.json.encode({"query": query, "variables": variables})


LACKING_A_COVER: Mapping[str, Json] = {"is_missing": "cover"}
"""The scenes without a cover. Source: docs/stash-api.md 2.4."""

UNEVEN_IN_FILES: Mapping[str, Json] = {"file_count": {"value": 1, "modifier": "NOT_EQUALS"}}
"""The scenes that have several files, or none. Source: docs/stash-api.md 4.2."""


def where_after(last_id: int, more: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """The filter of a keyset page: scenes with a higher id than `last_id`, and `more` of them."""
    return {"id": {"value": last_id, "modifier": "GREATER_THAN"}, **(more or {})}


def where_up_to(where: Mapping[str, Json], last_id: int, highest_id: int) -> dict[str, Json]:
    """The same filter for scenes with `last_id` < id <= `highest_id`."""
    ids: Json = {"value": last_id + 1, "value2": highest_id, "modifier": "BETWEEN"}
    return {**where, "id": ids}
